"""`crisisdesk init`: makes a desk from a folder of reference data."""

from argparse import Namespace
from pathlib import Path

from crisisdesk import clock
from crisisdesk.cli.context import Context
from crisisdesk.cli.output import say, show_json
from crisisdesk.cli.parser import Subparsers
from crisisdesk.i18n import _


def add_parser(subparsers: Subparsers) -> None:
    """Add `init`."""
    parser = subparsers.add_parser("init", help=_("make a desk from a folder of reference data"))
    parser.add_argument(
        "folder",
        metavar=_("FOLDER"),
        nargs="?",
        type=Path,
        help=_("sites, services, rules; else those of the example desk"),
    )
    parser.add_argument(
        "--admin", metavar=_("LOGIN"), help=_("the first agent, who adds the others; else your own login")
    )
    parser.add_argument("--admin-name", metavar=_("NAME"), default="", help=_("the name shown for that agent"))
    parser.set_defaults(run=init)


def init(arguments: Namespace, context: Context) -> int:
    """Make the desk that ``--desk`` names; its folder is made too."""
    from crisisdesk.cli.guard import refuse_root
    from crisisdesk.desk.reference import data_folder, init_desk

    path = context.desk_path()
    refuse_root(path, context.settings)
    login = arguments.admin or context.identity().login
    path.parent.mkdir(parents=True, exist_ok=True)
    init_desk(
        path,
        arguments.folder or data_folder(),
        admin_login=login,
        admin_name=arguments.admin_name,
        now=clock.now(),
    )
    if context.json:
        show_json(context, {"desk": path, "admin": login})
    else:
        say(context, _("The desk is ready: {path}").format(path=path))
        say(
            context,
            _("Its admin is {login}. Add the others with: crisisdesk agent add LOGIN NAME").format(login=login),
        )
    return 0
