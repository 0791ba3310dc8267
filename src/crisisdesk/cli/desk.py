"""`crisisdesk desk`, and `crisisdesk` alone: opens the screens on the desk."""

import os
import sys
from argparse import Namespace

from crisisdesk.cli.context import Context
from crisisdesk.cli.output import complain
from crisisdesk.cli.parser import Subparsers
from crisisdesk.i18n import _, use_language

USAGE = 2


def add_parser(subparsers: Subparsers) -> None:
    """Add `desk`."""
    parser = subparsers.add_parser("desk", help=_("open the screens on the desk"))
    parser.set_defaults(run=open_app)


def open_app(arguments: Namespace, context: Context) -> int:
    """Sign in and show the screens; their exit code, or 2 where there is no terminal to show them on."""
    from crisisdesk.desk.agents import sign_in
    from crisisdesk.ui.start import run_screens, terminal_problem

    if problem := terminal_problem(os.environ, sys.stdin, sys.stderr):
        complain(context, problem)
        return USAGE
    login = context.identity().login
    store = context.open_store()
    agent = sign_in(store, login, now=context.now())
    if agent.language and not context.language_is_chosen:
        use_language(agent.language)
    return run_screens(store, agent, context.reference(), context.language, context.settings, now=context.now)
