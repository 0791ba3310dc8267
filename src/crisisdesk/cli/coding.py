"""`crisisdesk priority`: what a clinician has to code, what is near or past its limit, and a clinician's entry."""

import csv
from argparse import Namespace
from collections.abc import Mapping
from typing import TYPE_CHECKING

from crisisdesk.cli.context import Context
from crisisdesk.cli.output import say, show_json, show_table
from crisisdesk.cli.parser import Subparsers
from crisisdesk.domain.text import inert_text, spreadsheet_safe
from crisisdesk.i18n import N_, _

if TYPE_CHECKING:
    from crisisdesk.desk.coding import CodingRow

KINDS = ("uncoded", "near", "breaches", "differs")
COLUMNS = (
    "postponement", "callback", "patient", "born", "site", "service", "about", "clinician", "original_on", "priority",
    "list_wrote", "coded_by", "list_says", "limit_on", "days_left",
)  # fmt: skip
"""Of the CSV; the same in every language."""
_EMPTY = {
    "uncoded": N_("Everything is coded."),
    "near": N_("Nothing is near its limit."),
    "breaches": N_("Nothing is past its limit."),
    "differs": N_("No list says otherwise than a clinician."),
}


def add_parser(subparsers: Subparsers) -> None:
    """Add `priority`."""
    group = subparsers.add_parser(
        "priority", help=_("priorities: uncoded, near or past their limit; a clinician's entry")
    )
    actions = group.add_subparsers(title=_("commands"), metavar=_("COMMAND"), required=True)
    listing = actions.add_parser("list", help=_("what a clinician has to look at, the most urgent first"))
    listing.add_argument("kind", choices=KINDS, metavar=_("LIST"), help=", ".join(KINDS))
    listing.add_argument("site", nargs="?", metavar=_("SITE"), help=_("one site; all of them without it"))
    listing.add_argument("--service", default="", metavar=_("SERVICE"), help=_("code of a service, such as surgery"))
    listing.add_argument("--limit", type=int, default=200, metavar="N", help=_("lines shown (default 200)"))
    listing.add_argument("--csv", action="store_true", help=_("all lines as CSV, for a spreadsheet"))
    listing.set_defaults(run=show_list)
    entry = actions.add_parser("set", help=_("write down the priority that a clinician gave (supervisors)"))
    entry.add_argument("postponement", type=int, metavar=_("POSTPONEMENT"))
    entry.add_argument("priority", metavar=_("PRIORITY"), help=_("P1a, P1b, P2, P3, P4; none: take the code back"))
    entry.add_argument("--clinician", required=True, metavar=_("NAME"), help=_("who decided"))
    entry.add_argument("--reason", default="", metavar=_("WORDS"), help=_("needed where the patient then waits longer"))
    entry.set_defaults(run=set_priority)


def show_list(arguments: Namespace, context: Context) -> int:
    """List the postponements of one kind."""
    from crisisdesk.cli.openingjobs import service_id_of
    from crisisdesk.cli.queue import site_id_of
    from crisisdesk.desk.coding import CodingList, list_coding
    from crisisdesk.desk.wording import long_day

    site_id = site_id_of(context, arguments.site) if arguments.site else None
    service_id = service_id_of(context, site_id, arguments.service) if arguments.service and site_id else None
    found = list_coding(
        context.open_store(), CodingList(arguments.kind), site_id, now=context.now(), service_id=service_id,
        limit=None if arguments.csv else arguments.limit,
    )  # fmt: skip
    if arguments.csv:
        write_csv([_flat(row) for row in found.rows], context)
        return 0
    if context.json:
        show_json(context, found)
        return 0
    headings = {
        "postponement": _("item"), "callback": _("callback"), "patient": _("patient"), "site": _("site"),
        "about": _("about"), "day": _("was on"), "code": _("code"), "by": _("coded by"), "limit": _("limit"),
        "words": _("words"),
    }  # fmt: skip
    lines = [
        {
            "postponement": row.postponement_id, "callback": row.callback_id, "patient": row.patient,
            "site": row.site_id or "", "about": row.about, "day": long_day(row.original_on) if row.original_on else "",
            "code": row.priority, "by": row.coded_by, "limit": long_day(row.limit_on),
            "words": row.words + (f" · {_('the list says {code}').format(code=row.listed)}" if row.listed else ""),
        }
        for row in found.rows
    ]  # fmt: skip
    show_table(context, headings, lines, empty=_(_EMPTY[arguments.kind]))
    say(context, _("{count} in all; {hidden} not shown.").format(count=found.count, hidden=found.count - len(lines)))
    return 0


def _flat(row: "CodingRow") -> Mapping[str, object]:
    return {
        "postponement": row.postponement_id, "callback": row.callback_id, "patient": row.patient,
        "born": row.birth_on, "site": row.site_id, "service": row.service_id, "about": row.about,
        "clinician": row.clinician, "original_on": row.original_on, "priority": row.priority,
        "list_wrote": row.priority_said, "coded_by": row.coded_by, "list_says": row.listed, "limit_on": row.limit_on,
        "days_left": row.days_left,
    }  # fmt: skip


def write_csv(rows: list[Mapping[str, object]], context: Context) -> None:
    """Write records as CSV (comma, UTF-8); what a spreadsheet would run gets a leading apostrophe."""
    writer = csv.writer(context.out, lineterminator="\n")
    writer.writerow(COLUMNS)
    for row in rows:
        writer.writerow(_cell(row[name]) for name in COLUMNS)


def _cell(value: object) -> str:
    if value is None:
        return ""
    return spreadsheet_safe(inert_text(value)) if isinstance(value, str) else str(value)


def set_priority(arguments: Namespace, context: Context) -> int:
    """Write one entry down."""
    from crisisdesk.desk.coding import code_priority

    code = None if arguments.priority.casefold() in ("none", "-") else _code(arguments.priority, context)
    done = code_priority(
        context.open_store(), arguments.postponement, code, clinician=arguments.clinician, reason=arguments.reason,
        agent=context.agent(), now=context.now(),
    )  # fmt: skip
    show_json(context, done) if context.json else say(context, done.words)
    return 0


def _code(text: str, context: Context) -> str:
    """The desk's own spelling of a code, whatever the case: p1A is P1a."""
    known = {code.casefold(): code for code in context.reference().priority_limits}
    return known.get(text.casefold(), text)
