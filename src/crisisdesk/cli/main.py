"""The command line: one table of commands, one frame for every failure.

Only the module of the command that was asked for is imported; `--version` imports none.
"""

import contextlib
import os
import sys
from argparse import SUPPRESS, ArgumentError, ArgumentParser, Namespace
from collections.abc import Iterable, Mapping
from importlib import import_module
from typing import TYPE_CHECKING

from crisisdesk.cli.parser import DeskParser, add_globals, speak_our_language
from crisisdesk.errors import CrisisDeskError
from crisisdesk.i18n import _, available_languages, use_language

if TYPE_CHECKING:
    from crisisdesk.cli.context import Context

# command -> the module of crisisdesk.cli whose `add_parser` makes it. The order is that of `--help`.
COMMANDS: Mapping[str, str] = {
    "desk": "desk", "demo": "demo", "init": "init", "agent": "agents",
    "import": "lists", "call": "calls", "patient": "patients",
    "queue": "queue", "attempt": "queue", "callback": "queue", "opening": "openings", "instruction": "instructions",
    "booking": "bookings", "mine": "mine", "undo": "mine", "correct": "mine", "correct-call": "mine",
    "rule": "rules", "priority": "coding", "room": "room", "message": "room",
    "coverage": "coverage", "handover": "handovers", "close": "handovers", "reopen": "handovers",
    "day": "day", "journal": "journal", "backup": "backup",
    "check": "check", "ssh-setup": "sshsetup", "launcher": "launcher", "keys": "keys", "paths": "paths",
    "completion": "completion",
}  # fmt: skip
WITHOUT_AGENT = frozenset({"desk", "demo", "init", "check", "sshsetup", "launcher", "keys", "paths", "completion"})
"""Modules of commands that open no desk, make one, look at its file alone, or sign their agent in themselves."""
QUIT_BY_INTERRUPT, QUIT_BY_PIPE, DEFECT = 130, 141, 70  # what a shell shows for SIGINT and SIGPIPE; EX_SOFTWARE


def run(argv: list[str]) -> int:
    """Run one command line.

    Returns:
        0 done, 1 a rule was broken (the sentence on stderr says how to mend it), 2 wrong usage,
        3 the desk's file cannot be used, 70 a defect of the program, 130 interrupted, 141 the reader went away.
    """
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(AttributeError):  # a test's own stream
            stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    try:
        code = _run_or_leave(argv)
        sys.stdout.flush()
    except CrisisDeskError as error:
        _complain(str(error))
        return error.exit_code
    except KeyboardInterrupt:
        return QUIT_BY_INTERRUPT
    except BrokenPipeError:
        _drop_output()
        return QUIT_BY_PIPE
    except OSError as error:
        _drop_output()
        _complain(": ".join(str(part) for part in (error.filename, error.strerror or error) if part))
        return 1
    except Exception as error:  # the outermost frame: a defect, told calmly and kept for those who mend it
        from crisisdesk.cli.defects import keep_defect

        _complain(keep_defect(error))
        return DEFECT
    return code


def say_unheard() -> int:
    """Standard output is closed: nothing can be told. The exit code of wrong usage."""
    use_language(_host_language(os.environ))
    _complain(_("The standard output is closed, so nothing can be shown. To throw it away: crisisdesk ... > /dev/null"))
    return 2


def _drop_output() -> None:
    """What cannot be written is given up, so that the interpreter's last flush is quiet."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _run_or_leave(argv: list[str]) -> int:
    try:
        return _run(argv)
    except SystemExit as leaving:  # argparse: the help was shown, or the usage was wrong
        return leaving.code if isinstance(leaving.code, int) else 0


def _run(argv: list[str]) -> int:
    known, words = _read_globals(argv)
    if getattr(known, "version", False):
        from crisisdesk import __version__

        sys.stdout.write(f"crisisdesk {__version__}\n")
        return 0
    from crisisdesk.cli.context import make_context
    from crisisdesk.config import load_settings

    use_language(getattr(known, "lang", "") or _host_language(os.environ))
    settings = load_settings()
    use_language(getattr(known, "lang", "") or settings.language or _host_language(os.environ))
    modules = _modules_for(words)
    arguments = make_parser(modules).parse_args(argv)
    is_for_agents = modules is None or modules[0] not in WITHOUT_AGENT
    return _run_command(arguments, make_context(arguments, settings), is_for_agents=is_for_agents)


def _modules_for(words: list[str]) -> list[str] | None:
    """The one module that the command needs; all (None) for the general help and for a word that is no command."""
    command = next((word for word in words if not word.startswith("-")), None)
    if command is None:
        return None if {"-h", "--help"} & set(words) else [COMMANDS["desk"]]
    return [COMMANDS[command]] if command in COMMANDS else None


def _run_command(arguments: Namespace, context: "Context", *, is_for_agents: bool) -> int:
    try:
        if (command := getattr(arguments, "run", None)) is None:
            from crisisdesk.cli.desk import open_app

            command = open_app
        if is_for_agents:
            context.agent()  # also what only reads is for agents of the desk
        code: int = command(arguments, context)
        return code
    finally:
        context.close()


def make_parser(modules: Iterable[str] | None = None) -> DeskParser:
    """The parser with the commands of some modules of this package; of all of them when none is named."""
    speak_our_language()
    parser = DeskParser(
        prog="crisisdesk",
        description=_("The call desk of a hospital group whose systems are down. Without a command: opens the desk."),
        epilog=_exit_codes(),
    )
    parser.add_argument("--version", action="store_true", default=SUPPRESS, help=_("show the version and exit"))
    subparsers = parser.add_subparsers(title=_("commands"), metavar=_("COMMAND"))
    for name in dict.fromkeys(COMMANDS.values()) if modules is None else modules:
        import_module(f"crisisdesk.cli.{name}").add_parser(subparsers)
    return parser


def _read_globals(argv: list[str]) -> tuple[Namespace, list[str]]:
    """The global options wherever they stand, and the other words. A wrong one is left to the real parser."""
    first = ArgumentParser(add_help=False, allow_abbrev=False, exit_on_error=False)
    add_globals(first)
    first.add_argument("--version", action="store_true")
    try:
        return first.parse_known_args(argv)
    except ArgumentError:
        return Namespace(), argv


def _host_language(environ: Mapping[str, str]) -> str:
    """The language of the host's locale where there is a catalogue for it, else English."""
    named = next((environ[key] for key in ("LC_ALL", "LC_MESSAGES", "LANG") if environ.get(key)), "")
    return named[:2] if named[:2] in available_languages() else "en"


def _exit_codes() -> str:
    lines = (
        _("exit codes:"),
        _("  0  done"),
        _("  1  a rule was broken: the message says how to mend it"),
        _("  2  wrong usage"),
        _("  3  the desk's file cannot be used"),
    )
    return "\n".join(lines)


def _complain(sentence: str) -> None:
    from crisisdesk.domain.text import inert_text

    with contextlib.suppress(OSError):
        sys.stderr.write(f"crisisdesk: {inert_text(sentence, keep_lines=True)}\n")
