"""`crisisdesk callback held|decide|unplaced|place`: what nobody is rung for before a person has decided."""

from argparse import Namespace
from typing import TYPE_CHECKING

from crisisdesk.cli.context import Context
from crisisdesk.cli.output import say, show_json, show_table
from crisisdesk.i18n import _

if TYPE_CHECKING:
    from crisisdesk.cli.parser import Subparsers
    from crisisdesk.desk.unplaced import UnplacedItem


def add_actions(actions: "Subparsers") -> None:
    """Add the actions to `callback`."""
    held = actions.add_parser("held", help=_("what waits for a clinician, a number or the confirmation of a death"))
    held.add_argument("site", nargs="?", metavar=_("SITE"))
    held.set_defaults(run=show_held)
    decide = actions.add_parser("decide", help=_("write down a clinician's decision of a held one (supervisors)"))
    decide.add_argument("callback", type=int, metavar=_("CALLBACK"))
    decide.add_argument("decision", choices=["resume", "close"], help=_("rung again in its place, or settled"))
    decide.add_argument("--clinician", required=True, metavar=_("NAME"), help=_("who decided"))
    decide.add_argument("--reason", required=True, metavar=_("WORDS"), help=_("why; the journal keeps it"))
    decide.set_defaults(run=decide_one)
    unplaced = actions.add_parser("unplaced", help=_("postponements in no queue: no site, service or callback"))
    unplaced.set_defaults(run=show_unplaced)
    place = actions.add_parser("place", help=_("give a postponement its site and service (supervisors)"))
    place.add_argument("postponement", type=int, metavar=_("POSTPONEMENT"))
    place.add_argument("site", metavar=_("SITE"))
    place.add_argument("service", metavar=_("SERVICE"), help=_("code of a service, such as surgery"))
    place.set_defaults(run=place_one)


def show_held(arguments: Namespace, context: Context) -> int:
    """List the callbacks on hold."""
    from crisisdesk.cli.queue import site_id_of
    from crisisdesk.desk.reviews import list_held
    from crisisdesk.desk.wording import moment_words

    site_id = site_id_of(context, arguments.site) if arguments.site else None
    rows = list_held(context.open_store(), site_id, now=context.now())
    if context.json:
        show_json(context, rows)
        return 0
    zone = context.reference().desk.time_zone
    headings = {
        "callback": _("callback"), "site": _("site"), "patient": _("patient"), "waits_for": _("waits"),
        "since": _("since"), "said": _("last contact"), "note": _("words"),
    }  # fmt: skip
    lines = [
        {
            "callback": row.callback_id, "site": row.site_id, "patient": row.patient, "waits_for": row.waits_for,
            "since": moment_words(row.said_at, zone) if row.said_at else "", "said": row.said, "note": row.note,
        }
        for row in rows
    ]  # fmt: skip
    show_table(context, headings, lines, empty=_("Nothing waits for a decision."))
    return 0


def decide_one(arguments: Namespace, context: Context) -> int:
    """Write a clinician's decision down."""
    from crisisdesk.desk.reviews import Decision, decide_review

    decision = Decision(arguments.decision)
    decide_review(
        context.open_store(), arguments.callback, decision, clinician=arguments.clinician, reason=arguments.reason,
        agent=context.agent(), now=context.now(),
    )  # fmt: skip
    words = _("Callback {number} may be rung again.") if decision == Decision.RESUME else _("Callback {number} ends.")
    say(context, words.format(number=arguments.callback))
    return 0


def show_unplaced(arguments: Namespace, context: Context) -> int:
    """List the postponements that are in no queue."""
    from crisisdesk.desk.unplaced import list_unplaced

    found = list_unplaced(context.open_store(), now=context.now())
    if context.json:
        show_json(context, found)
        return 0
    headings = {
        "item": _("item"), "patient": _("patient"), "site": _("site"), "about": _("about"), "day": _("was on"),
        "code": _("code"),
    }  # fmt: skip
    show_table(context, headings, [_line(item) for item in found.items], empty=_("Every postponement is in a queue."))
    if found.count > len(found.items):
        say(context, _("{count} in all.").format(count=found.count))
    return 0


def _line(item: "UnplacedItem") -> dict[str, object]:
    from crisisdesk.desk.wording import long_day, patient_name

    about = (item.service_name or item.kind or "", item.procedure, item.clinician)
    return {
        "item": item.postponement_id, "patient": patient_name(item.last_name, item.first_name, item.full_name),
        "site": item.site_id or "", "about": ", ".join(filter(None, about)), "day": long_day(item.original_on),
        "code": item.priority or "",
    }  # fmt: skip


def place_one(arguments: Namespace, context: Context) -> int:
    """Give a postponement its place."""
    from crisisdesk.cli.openings import service_id_of
    from crisisdesk.cli.queue import site_id_of
    from crisisdesk.desk.unplaced import place_item

    site_id = site_id_of(context, arguments.site)
    service_id = service_id_of(context, site_id, arguments.service)
    number = place_item(
        context.open_store(), arguments.postponement, site_id, service_id, agent=context.agent(), now=context.now()
    )
    say(context, _("It waits in callback {number} now.").format(number=number))
    return 0
