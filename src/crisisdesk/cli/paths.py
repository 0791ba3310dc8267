"""`crisisdesk paths`: where everything is on this host."""

import os
from argparse import Namespace

from crisisdesk.cli.context import Context
from crisisdesk.cli.defects import defect_log
from crisisdesk.cli.output import show_record
from crisisdesk.cli.parser import Subparsers
from crisisdesk.config import config_file, data_dir, state_dir
from crisisdesk.i18n import _


def add_parser(subparsers: Subparsers) -> None:
    """Add `paths`."""
    parser = subparsers.add_parser("paths", help=_("show where the desk, the settings and the logs are"))
    parser.set_defaults(run=show_paths)


def show_paths(arguments: Namespace, context: Context) -> int:
    """Print the paths of this host; they need not exist."""
    from crisisdesk.desk.reference import data_folder

    headings = {
        "desk": _("Desk"), "settings": _("Settings"), "desks": _("Desks folder"), "state": _("State folder"),
        "log": _("Log of defects"), "reference": _("Reference data"),
    }  # fmt: skip
    paths = {
        "desk": context.desk, "settings": config_file(os.environ), "desks": data_dir(), "state": state_dir(),
        "log": defect_log(), "reference": data_folder(),
    }  # fmt: skip
    show_record(context, headings, paths)
    return 0
