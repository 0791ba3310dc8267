"""From the command line to the first screen: is there a terminal that can show it, and back again in one piece."""

import contextlib
import gc
import os
import sys
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, TextIO

from crisisdesk import clock
from crisisdesk.config import Settings
from crisisdesk.i18n import _

if TYPE_CHECKING:
    from crisisdesk.desk.agents import Agent
    from crisisdesk.domain.reference import Reference
    from crisisdesk.domain.words import Ending
    from crisisdesk.ui.session import OpenDesk, Session

SMALLEST = (60, 15)
_OLD_TERMINALS = (
    "linux", "vt", "ansi", "pcansi", "cons", "xterm-r", "wy", "sun", "screen.linux", "screen.vt", "putty-vt100",
)  # fmt: skip
_WITHOUT_COLOURS = ("vt", "wy", "screen.vt", "xterm-mono")
_SIXTEEN_AT_MOST = ("screen", "putty")
"""Inside these, COLORTERM may be that of another terminal."""


def terminal_problem(environ: Mapping[str, str], stdin: TextIO, stderr: TextIO) -> str | None:
    """Why the screens cannot be shown here and what to do, in one sentence; None when they can.

    They are drawn on stderr, so that this must be the terminal too.
    """
    if not (stdin.isatty() and stderr.isatty()):
        return _("The screens need a terminal. In a script, use the commands: crisisdesk --help lists them.")
    if environ.get("TERM", "") in {"", "dumb", "unknown"}:
        words = _("This terminal says that it shows text only (TERM={term}). Set for example TERM=xterm-256color")
        return words.format(term=environ.get("TERM", ""))
    if (stderr.encoding or "").lower().replace("-", "").replace("_", "") != "utf8":
        words = _("The screens need UTF-8; here it is {encoding}. Set LC_ALL=C.UTF-8 and unset PYTHONIOENCODING.")
        return words.format(encoding=stderr.encoding)
    width, height = os.get_terminal_size(stderr.fileno())
    if 0 < width < SMALLEST[0] or 0 < height < SMALLEST[1]:
        return _("The terminal is {width}x{height}; the screens need {least} at least, 80x24 is comfortable.").format(
            width=width, height=height, least="{}x{}".format(*SMALLEST)
        )
    return None


def needs_basic(environ: Mapping[str, str]) -> bool:
    """Whether the terminal is one of the oldest, which draw few glyphs and sixteen colours."""
    return environ.get("TERM", "").startswith(_OLD_TERMINALS)


def lacks_colours(environ: Mapping[str, str]) -> bool:
    """Whether the terminal has none, or its owner wants none (NO_COLOR, see no-color.org)."""
    return bool(environ.get("NO_COLOR")) or environ.get("TERM", "").startswith(_WITHOUT_COLOURS)


def has_many_colours(environ: Mapping[str, str]) -> bool:
    """Whether the terminal knows 256 colours; what TERM says of an old one is believed before COLORTERM."""
    term = environ.get("TERM", "")
    if "256" in term or "direct" in term:
        return True
    return bool(environ.get("COLORTERM")) and not (needs_basic(environ) or term.startswith(_SIXTEEN_AT_MOST))


def run_screens(
    store: "OpenDesk",
    agent: "Agent",
    reference: "Reference",
    language: str,
    settings: Settings,
    first: str = "home",
    now: Callable[[], datetime] = clock.now,
) -> int:
    """Show the screens until the agent leaves; the exit code (0, 2 no usable terminal, 143 after SIGTERM).

    ``now`` is the desk's clock: a demo desk lives on the day of its story.

    A defect of the program is raised once the terminal is whole again.
    """
    if problem := terminal_problem(os.environ, sys.__stdin__ or sys.stdin, sys.__stderr__ or sys.stderr):
        sys.stderr.write(problem + "\n")
        return 2
    basic, no_color = settings.basic or needs_basic(os.environ), settings.no_color or lacks_colours(os.environ)
    settle_environment()
    from dataclasses import replace

    from crisisdesk.ui import watchdog
    from crisisdesk.ui.app import CrisisDeskApp
    from crisisdesk.ui.driver import DeskDriver, OldTerminalDriver
    from crisisdesk.ui.session import Session

    theme = settings.theme or ("" if has_many_colours(os.environ) else "basic")  # the others need 256 colours
    shown = replace(settings, basic=basic, no_color=no_color, theme=theme)
    session = Session(store, agent, reference, language, shown, now)
    gc.freeze()  # what is imported stays: no collection during the session walks through it
    app = CrisisDeskApp(session, first)
    app.driver_class = OldTerminalDriver if basic else DeskDriver
    watchdog.watch_hangup(0, app.backend.wait_idle)
    watchdog.on_term(lambda: app.leaving.stop_soon(watchdog.TERM_CODE), app.backend.wait_idle)
    try:
        app.run(mouse=False)
    finally:
        app.let_go()
        _sign_out(session, app.leaving.why)
    if app.defect is not None:
        raise app.defect
    if app.leaving.farewell:
        sys.stderr.write(app.leaving.farewell + "\n")
    return app.return_code or 0


def _sign_out(session: "Session", why: "Ending") -> None:
    """End the session at the desk. Nothing depends on it: one whose process is gone is known to be over."""
    from crisisdesk.desk.sessions import sign_out
    from crisisdesk.errors import CrisisDeskError

    if session.agent.session_id:
        with contextlib.suppress(CrisisDeskError):
            sign_out(session.store, why, agent=session.agent, now=session.now())  # type: ignore[arg-type]


def settle_environment() -> None:
    """Take what a client may have sent out of the environment before Textual reads it at its import.

    TEXTUAL_DRIVER would run code, TEXTUAL_SCREENSHOT and TEXTUAL_LOG would write files with patients in them.
    """
    for name in [name for name in os.environ if name.startswith("TEXTUAL")]:
        del os.environ[name]
    os.environ["TEXTUAL_COLOR_SYSTEM"] = colours = "256" if has_many_colours(os.environ) else "standard"
    if (imported := sys.modules.get("textual.constants")) is not None:  # by the launcher, which has no terminal
        vars(imported)["COLOR_SYSTEM"] = colours
    for name in ("COLUMNS", "LINES"):  # a size that was written down once: the window would not be followed
        os.environ.pop(name, None)
    os.environ.pop("NO_COLOR", None)  # it would be greys, which are colours; see `glyphs`
    os.environ["TEXTUAL_ANIMATIONS"] = "none"
    os.environ["TEXTUAL_SMOOTH_SCROLL"] = "0"
    os.environ["TEXTUAL_DISABLE_KITTY_KEY"] = "1"  # dead keys and AltGr are lost in it on several terminals
