"""`crisisdesk keys`: which keys of this terminal arrive, and what to change for those that do not. Needs no desk."""

import os
import sys
from argparse import Namespace

from crisisdesk.cli.context import Context
from crisisdesk.cli.output import complain, say, show_json, show_record
from crisisdesk.cli.parser import Subparsers
from crisisdesk.i18n import _

USAGE = 2


def add_parser(subparsers: Subparsers) -> None:
    """Add `keys`."""
    parser = subparsers.add_parser("keys", help=_("test which keys of this terminal arrive"))
    parser.add_argument("--wait", metavar=_("SECONDS"), type=float, default=15.0, help=_("how long to wait for a key"))
    parser.set_defaults(run=ask_keys)


def ask_keys(arguments: Namespace, context: Context) -> int:
    """Ask for each key; 0 all that were asked for arrived, 1 some did not, 2 there is no terminal."""
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        complain(context, _("The test of the keys needs a terminal: run it at the keyboard that is to be tested."))
        return USAGE
    from crisisdesk.ui.start import settle_environment

    environ = dict(os.environ)
    settle_environment()
    from crisisdesk.ui import keytest

    context.err.write(_("Press each key that is named. Space twice: not here. q twice or Ctrl+C: enough.") + "\n")
    context.err.write(_("Signs of this terminal: {signs}").format(signs=keytest.SIGNS) + "\n")
    answers = keytest.ask_all(sys.stdin.fileno(), context.err, arguments.wait)
    size = os.get_terminal_size(sys.stderr.fileno())
    terminal = keytest.describe(environ, (size.columns, size.lines), answers)
    missing = [answer.key for answer in answers if not answer.is_right]
    told = keytest.advice(answers)
    if context.json:
        show_json(context, {**terminal, "keys": answers, "missing": missing, "advice": told})
    else:
        _show(context, terminal, len(answers), missing, told)
    return 1 if missing else 0


def _show(context: Context, terminal: dict[str, object], asked: int, missing: list[str], told: list[str]) -> None:
    from crisisdesk.ui.keys import key_name

    headings = {
        "term": "TERM", "size": _("Size"), "colours": _("Colours"), "utf8": "UTF-8", "basic": _("Basic screens"),
    }  # fmt: skip
    show_record(context, headings, terminal)
    if missing:
        say(context, _("Did not arrive: {keys}").format(keys=" ".join(key_name(key) for key in missing)))
    else:
        say(context, _("All {count} keys that were asked for arrived.").format(count=asked))
    for sentence in told:
        say(context, "- " + sentence)
    say(context, _("If the signs above were boxes or question marks: crisisdesk --basic"))
