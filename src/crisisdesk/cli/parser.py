"""The argument parser of every command: same global options everywhere, our language, inert messages."""

import argparse
from pathlib import Path
from typing import Any, NoReturn, TypeAlias

from crisisdesk.i18n import N_, _, ngettext

# What `add_subparsers` gives; argparse has no public name for it, and it is generic for type checkers only.
Subparsers: TypeAlias = "argparse._SubParsersAction[DeskParser]"

# What argparse itself says. Listed so that the catalogue keeps them: `speak_our_language` makes argparse ask for them.
ARGPARSE_WORDS = (
    N_("usage: "),
    N_("options"),
    N_("positional arguments"),
    N_("show this help message and exit"),
    N_("the following arguments are required: %s"),
    N_("unrecognized arguments: %s"),
    N_("expected one argument"),
    N_("expected at least one argument"),
    N_("expected at most one argument"),
    N_("argument %(argument_name)s: %(message)s"),
    N_("invalid %(type)s value: %(value)r"),
    N_("invalid choice: %(value)r (choose from %(choices)s)"),
    N_("not allowed with argument %s"),
    N_("one of the arguments %s is required"),
    N_("ignored explicit argument %r"),
)


def speak_our_language() -> None:
    """Make argparse take its own sentences from our catalogue: it asks the C locale otherwise, not the agent."""
    vars(argparse).update(_=_, ngettext=ngettext)


class DeskParser(argparse.ArgumentParser):
    """A parser that knows the global options, wherever they stand; parsers made from it are of the same class."""

    def __init__(self, *args: Any, **options: Any) -> None:
        options.setdefault("formatter_class", argparse.RawDescriptionHelpFormatter)
        super().__init__(*args, **{"allow_abbrev": False, **options})
        add_globals(self)

    def error(self, message: str) -> NoReturn:
        """Leave with code 2, one sentence and the way to the help. The sentence may quote foreign text."""
        from crisisdesk.domain.text import inert_text

        hint = _("For the options: {command} --help").format(command=self.prog)
        self.exit(2, f"{self.prog}: {inert_text(message)}\n{hint}\n")


def add_globals(parser: argparse.ArgumentParser) -> None:
    """Give a parser the options that stand before or after any command. Absent ones leave no trace (SUPPRESS)."""
    group = parser.add_argument_group(_("everywhere"))
    quiet = argparse.SUPPRESS
    group.add_argument("--desk", metavar=_("FILE"), type=Path, default=quiet, help=_("the desk's file"))
    group.add_argument("--agent", metavar=_("LOGIN"), default=quiet, help=_("who is at the desk"))
    group.add_argument("--lang", metavar="LANG", default=quiet, help=_("language of the texts: fr, en"))
    group.add_argument("--basic", action="store_true", default=quiet, help=_("screens for the oldest terminals"))
    group.add_argument("--no-color", action="store_true", default=quiet, help=_("screens without colours"))
    shape = group.add_mutually_exclusive_group()
    shape.add_argument("--json", action="store_true", default=quiet, help=_("data as JSON, for programs"))
    shape.add_argument("--plain", action="store_true", default=quiet, help=_("one fact a line, for screen readers"))
