"""`crisisdesk desk`, and `crisisdesk` alone: opens the screens on the desk."""

import os
import sys
from argparse import Namespace
from functools import partial
from typing import TYPE_CHECKING

from crisisdesk.cli.context import Context
from crisisdesk.cli.output import complain
from crisisdesk.cli.parser import Subparsers
from crisisdesk.i18n import _, use_language

if TYPE_CHECKING:
    from crisisdesk.desk.agents import Agent
    from crisisdesk.desk.sessions import SignedInElsewhere

USAGE = 2


def add_parser(subparsers: Subparsers) -> None:
    """Add `desk`."""
    parser = subparsers.add_parser("desk", help=_("open the screens on the desk"))
    parser.add_argument(
        "--take-over", action="store_true", help=_("end your other session without asking; its drafts are kept")
    )
    parser.set_defaults(run=open_app)


def open_app(arguments: Namespace, context: Context) -> int:
    """Sign in and show the screens; their exit code, or 2 where there is no terminal to show them on.

    1 where the agent is signed in elsewhere and would not go on here, or where the session was ended.
    """
    from crisisdesk.ui.start import run_screens, terminal_problem

    if problem := terminal_problem(os.environ, sys.stdin, sys.stderr):
        complain(context, problem)
        return USAGE
    agent = _sign_in(context, take_over=getattr(arguments, "take_over", False))
    if agent is None:
        return 1
    if agent.language and not context.language_is_chosen:
        use_language(agent.language)
    store = context.open_store()
    return run_screens(store, agent, context.reference(), context.language, context.settings, now=context.now)


def _sign_in(context: Context, *, take_over: bool) -> "Agent | None":
    """The agent in a new session; None where another one lives and is to go on."""
    from crisisdesk.desk.sessions import SignedInElsewhere, sign_in

    who, origin = context.identity(), terminal_origin()
    store = context.open_store()
    coming = partial(sign_in, store, who.login, origin=origin, attested_by=who.attested_by)
    try:
        return coming(now=context.now(), take_over=take_over)
    except SignedInElsewhere as elsewhere:
        if not _goes_on_here(context, elsewhere):
            complain(context, _("Nothing was changed: your other session goes on."))
            return None
    return coming(now=context.now(), take_over=True)


def _goes_on_here(context: Context, elsewhere: "SignedInElsewhere") -> bool:
    """Ask at the terminal, before the screens: one line, one letter."""
    from crisisdesk.clock import to_local
    from crisisdesk.domain.text import inert_text

    since = to_local(elsewhere.since, context.reference().desk.time_zone)
    words = _("{who} Since {time}. What is typed there is kept as a draft.")
    sys.stderr.write(words.format(who=inert_text(str(elsewhere)), time=f"{since:%d/%m %H:%M}") + "\n")
    sys.stderr.write(_("Go on here and end that session? [y/n]") + " ")
    sys.stderr.flush()
    answer = sys.stdin.buffer.readline(100).decode("utf-8", "replace").strip().lower()
    return answer[:1] in {"y", _("y")}


def terminal_origin() -> str:
    """Where this session comes from, as sshd and the terminal tell it: "10.1.2.3 pts/4"."""
    address = os.environ.get("SSH_CONNECTION", "").split(" ")[0]
    try:
        terminal = os.ttyname(0).removeprefix("/dev/")
    except OSError:
        terminal = ""
    return " ".join(part for part in (address[:45], terminal[:20]) if part)
