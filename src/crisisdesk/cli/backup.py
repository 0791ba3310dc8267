"""`crisisdesk backup`: a checked copy of the desk, while others work."""

from argparse import Namespace
from pathlib import Path

from crisisdesk.cli.context import Context
from crisisdesk.cli.output import show_record
from crisisdesk.cli.parser import Subparsers
from crisisdesk.i18n import _


def add_parser(subparsers: Subparsers) -> None:
    """Add `backup`."""
    parser = subparsers.add_parser(
        "backup",
        help=_("copy the desk into a new file, while others work (supervisors)"),
        description=_(
            "The copy is checked before it gets its name; only this account can read it; nothing is ever replaced."
        ),
    )
    parser.add_argument("file", type=Path, metavar=_("FILE"), help=_("where to; on another disk is better"))
    parser.set_defaults(run=back_up_desk)


def back_up_desk(arguments: Namespace, context: Context) -> int:
    """Make the copy; print its size and the head of its journal, to keep elsewhere."""
    from crisisdesk.desk.backup import back_up

    made = back_up(context.open_store(), arguments.file.expanduser(), agent=context.agent(), now=context.now())
    record = {"path": made.path, "bytes": made.size, "journal_head": f"{made.journal_entries}:{made.journal_head}"}
    headings = {"path": _("Backup"), "bytes": _("Bytes"), "journal_head": _("Head of its journal")}
    show_record(context, headings, record)
    return 0
