"""The self-test of a keyboard: each key is asked for, and what arrives is what the screens would get.

Plain lines on a terminal in raw mode, nothing drawn: it must work where the screens do not.
"""

import os
import select
import termios
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TextIO

from textual import events

from crisisdesk.i18n import N_, _
from crisisdesk.ui.keyboard import Keyboard
from crisisdesk.ui.keys import digit_keys, key_name
from crisisdesk.ui.start import has_many_colours, lacks_colours, needs_basic

PATIENCE = 15.0
"""Seconds that a key is waited for."""
_QUIET = 0.15
"""Seconds of silence after which a key has sent all its bytes (Esc alone needs 0.1)."""
_TRIES = 2
FUNCTION_KEYS = tuple(f"f{number}" for number in range(1, 13))
MOVES = ("tab", "shift+tab", "enter", "escape", "up", "down", "left", "right", "pageup", "pagedown")
EDITING = ("delete", "backspace")
ACCENTS = ("é", "à", "ç", "ù")
DIGITS = tuple("1234567890")
WANTED = (*FUNCTION_KEYS, *MOVES, *EDITING, *ACCENTS, *DIGITS)
SIGNS = "é À ç ù € … ─ │ ▌ ⚠ ✓"


@dataclass(frozen=True)
class Pressed:
    """What one key sent."""

    names: tuple[str, ...]
    sent: bytes


@dataclass(frozen=True)
class Answer:
    """What became of one key that was asked for."""

    key: str
    arrived: tuple[str, ...] = ()
    sent: str = ""
    """The bytes, in hexadecimal."""
    is_right: bool = False


class Quit(Exception):
    """Q twice, Ctrl+C, or the end of the line."""


class Keys:
    """A terminal's keys, one press at a time."""

    def __init__(self, fileno: int) -> None:
        self._fileno, self._keyboard = fileno, Keyboard()

    def press(self, seconds: float) -> Pressed | None:
        """The next press, with everything that it sends; None when none comes in time.

        Raises:
            Quit: the line has ended.
        """
        names: list[str] = []
        sent = b""
        until = time.monotonic() + seconds
        while (now := time.monotonic()) < until:
            data = b""
            if select.select([self._fileno], [], [], min(self._keyboard.wait(), until - now))[0]:
                data = os.read(self._fileno, 4096)
                if not data:
                    raise Quit
                sent += data
                until = time.monotonic() + _QUIET
            messages = self._keyboard.take(data, time.monotonic())
            names += [one.key if isinstance(one, events.Key) else type(one).__name__.lower() for one in messages]
        return Pressed(tuple(names), sent) if sent else None


@contextmanager
def raw(fileno: int) -> Iterator[None]:
    """Every byte as it comes, unechoed, as the screens read it; the terminal is as before afterwards."""
    before = termios.tcgetattr(fileno)
    now = termios.tcgetattr(fileno)
    now[0] &= ~(termios.IXON | termios.ICRNL | termios.INLCR | termios.IGNCR)
    now[3] &= ~(termios.ECHO | termios.ICANON | termios.IEXTEN | termios.ISIG)
    termios.tcsetattr(fileno, termios.TCSADRAIN, now)
    try:
        yield
    finally:
        termios.tcsetattr(fileno, termios.TCSADRAIN, before)


def ask_all(fileno: int, out: TextIO, patience: float = PATIENCE) -> list[Answer]:
    """Ask for each key of `WANTED` on ``out``; the answers as far as they go."""
    answers: list[Answer] = []
    keys = Keys(fileno)
    with raw(fileno):
        try:
            for key in WANTED:
                answers.append(_ask(keys, key, out, patience))
        except Quit:
            out.write("\n")
    return answers


def _ask(keys: Keys, key: str, out: TextIO, patience: float) -> Answer:
    """Ask for one key, again if another arrives; Space twice or waiting goes on without it."""
    answer, spaces, goodbyes = Answer(key), 0, 0
    tries = 0
    out.write(f"{key_name(key):>10}  ")
    out.flush()
    while tries < _TRIES and (pressed := keys.press(patience)) is not None:
        names = pressed.names
        if is_right(key, names):
            answer = Answer(key, names, pressed.sent.hex(" "), is_right=True)
            break
        goodbyes = goodbyes + len(names) if names and set(names) == {"q"} else 0
        spaces = spaces + len(names) if names and set(names) == {"space"} else 0
        if goodbyes >= 2 or "ctrl+c" in names:
            raise Quit
        if spaces >= 2:
            break
        if not (goodbyes or spaces):
            answer = Answer(key, names, pressed.sent.hex(" "))
            tries += 1
            if tries < _TRIES:
                out.write(_told(answer) + _("again: ") + key_name(key) + "  ")
                out.flush()
    out.write(_told(answer) + "\n")
    out.flush()
    return answer


def _told(answer: Answer) -> str:
    if answer.is_right:
        return f"✓ {answer.sent}"
    if not answer.sent:
        return _("✗ nothing")
    names = " ".join(key_name(name) for name in answer.arrived) or "?"
    return _("✗ arrives as {names} ({sent})  ").format(names=names, sent=answer.sent)


def is_right(key: str, names: Sequence[str]) -> bool:
    """Whether the press is the key that was asked for; a digit may be the sign of its key on AZERTY."""
    if len(names) != 1:
        return False
    if key in DIGITS:
        return names[0] in {*digit_keys(int(key)).split(","), "quotation_mark" if key == "3" else key}
    return names[0] == key


def describe(environ: Mapping[str, str], size: tuple[int, int], answers: Sequence[Answer]) -> dict[str, object]:
    """What the terminal is, as far as it says so."""
    accents = [answer for answer in answers if answer.key in ACCENTS and answer.sent]
    colours = "none" if lacks_colours(environ) else "256" if has_many_colours(environ) else "16"
    return {
        "term": environ.get("TERM", ""),
        "size": "{}x{}".format(*size),
        "colours": colours,
        "utf8": all(len(answer.sent.split()) == 2 for answer in accents) if accents else None,
        "basic": needs_basic(environ),
    }


_PUTTY = N_(
    "F-keys: in PuTTY, Terminal > Keyboard, “The Function keys and keypad” must be “ESC[n~” or “Linux”; “VT100+” "
    "and “SCO” are wrong. Elsewhere TERM must name the terminal in front of you. Alt with a digit is the F-key "
    "of that number."
)
_TAKEN = N_(
    "F1, F10 or F11 is kept by the window of the terminal: switch its menu keys off, or press Alt+1 or Alt+0; "
    "F8 (also Ctrl+P) lists every action."
)
_ACCENTED = N_(
    "Accents: the terminal must send UTF-8 (PuTTY: Window > Translation) and have the keyboard of the country; "
    "dead keys (^ ¨) act with the next letter only."
)
_ERASE = N_("Backspace: in PuTTY, Terminal > Keyboard, “The Backspace key” must be “Control-? (127)”.")
_MOVING = N_(
    "Tab, arrows, PgUp and PgDn: TERM or the mode of the keypad is wrong; in a form Enter and Tab do the same."
)
_DIGITS_ROW = N_("Digits: the unshifted key is enough on AZERTY; another sign means another keyboard layout.")


def advice(answers: Sequence[Answer]) -> list[str]:
    """What to change, in sentences; nothing where every key that was asked for arrived."""
    wrong = {answer.key for answer in answers if not answer.is_right}
    f_keys = wrong & set(FUNCTION_KEYS)
    is_taken = bool(f_keys) and f_keys <= {"f1", "f10", "f11"}
    told = (
        (_TAKEN, is_taken), (_PUTTY, f_keys and not is_taken), (_MOVING, wrong & {*MOVES, "delete"}),
        (_ERASE, "backspace" in wrong), (_ACCENTED, wrong & set(ACCENTS)), (_DIGITS_ROW, wrong & set(DIGITS)),
    )  # fmt: skip
    return [_(words) for words, is_said in told if is_said]
