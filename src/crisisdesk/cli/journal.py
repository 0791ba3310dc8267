"""`crisisdesk journal`: verify it, print its head, list it."""

import json
from argparse import Namespace

from crisisdesk import clock
from crisisdesk.cli.context import Context
from crisisdesk.cli.output import as_json, complain, say, show_json, show_table
from crisisdesk.cli.parser import Subparsers
from crisisdesk.i18n import _


def add_parser(subparsers: Subparsers) -> None:
    """Add `journal verify`, `journal head` and `journal list`."""
    parser = subparsers.add_parser("journal", help=_("the journal: verify it, print its head, list it"))
    jobs = parser.add_subparsers(title=_("commands"), metavar=_("COMMAND"), required=True)
    verify = jobs.add_parser("verify", help=_("check that nothing was changed, removed, inserted or swapped"))
    verify.add_argument("--anchor", metavar="SEQ:HASH", help=_("a head that was printed earlier and kept elsewhere"))
    verify.set_defaults(run=verify_chain)
    head = jobs.add_parser("head", help=_("print the head, to keep elsewhere as an anchor"))
    head.set_defaults(run=print_head)
    listing = jobs.add_parser("list", help=_("the newest entries first"))
    listing.add_argument(
        "--subject", default="", metavar=_("KIND[:ID]"), help=_("only of one kind, or of one: patient:12")
    )
    listing.add_argument("--limit", type=int, default=50, metavar="N", help=_("at most so many (50)"))
    listing.set_defaults(run=list_entries)


def verify_chain(arguments: Namespace, context: Context) -> int:
    """Verify the chain; 1 and a sentence on stderr when it does not fit."""
    from crisisdesk.reports.journal import read_anchor, verify_journal

    anchor = read_anchor(arguments.anchor) if arguments.anchor else None
    verdict = verify_journal(context.open_store(), anchor)
    if context.json:
        show_json(context, verdict)
    elif verdict.first_fault is None:
        words = _("The journal is whole: {count} entries. Head: {head}")
        say(context, words.format(count=verdict.entries, head=f"{verdict.entries}:{verdict.head}"))
    if verdict.first_fault is None:
        return 0
    words = _("The journal was tampered with: {why}. Keep this file as it is, and tell who answers for the desk.")
    complain(context, words.format(why=verdict.why))
    return 1


def print_head(arguments: Namespace, context: Context) -> int:
    """Print "SEQ:HASH" of the last entry."""
    from crisisdesk.reports.journal import journal_head

    seq, digest = journal_head(context.open_store())
    if context.json:
        show_json(context, {"seq": seq, "hash": digest})
    else:
        say(context, f"{seq}:{digest}")
    return 0


def list_entries(arguments: Namespace, context: Context) -> int:
    """List the newest entries."""
    from crisisdesk.reports.journal import journal_entries

    found = journal_entries(context.open_store(), subject=arguments.subject, limit=max(0, arguments.limit))
    if context.json:
        show_json(context, found)
        return 0
    zone = context.reference().desk.time_zone
    headings = {
        "seq": _("Number"), "entered": _("Entered"), "happened": _("Happened"), "agent": _("Agent"),
        "action": _("Action"), "subject": _("Subject"), "detail": _("Detail"),
    }  # fmt: skip
    rows = (
        {
            "seq": entry.seq,
            "entered": f"{clock.to_local(entry.entered_at, zone):%Y-%m-%d %H:%M:%S}",
            "happened": f"{clock.to_local(entry.happened_at, zone):%Y-%m-%d %H:%M:%S}",
            "agent": entry.agent,
            "action": entry.action,
            "subject": f"{entry.subject}:{entry.subject_id}",
            "detail": json.dumps(entry.detail, ensure_ascii=False, default=as_json),
        }
        for entry in found
    )
    show_table(context, headings, rows, empty=_("The journal is empty."))
    return 0
