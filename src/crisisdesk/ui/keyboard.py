"""Bytes of a terminal become keys: the gate first, then the letters, then Textual's own table of sequences.

Used by the driver of the screens and by `crisisdesk keys`, so that the self-test tells what the screens would get.
"""

import codecs
import re
from collections.abc import Iterator

from textual import _xterm_parser, events
from textual._ansi_sequences import ANSI_SEQUENCES_KEYS
from textual._xterm_parser import XTermParser
from textual.message import Message

from crisisdesk.i18n import _
from crisisdesk.ui.inputgate import IDLE, Gate, Pasted, Piece, Refusal
from crisisdesk.ui.keys import digit_of

_LATIN = "crisisdesk-latin"
_LONE_ESCAPE = re.compile("\x1b(?![\\[O])")
# The gate takes the marks of a paste out. Textual's parser would wait for the end of one for ever, and grow.
_xterm_parser.SPECIAL_SEQUENCES -= {_xterm_parser.BRACKETED_PASTE_START, _xterm_parser.BRACKETED_PASTE_END}


class Refused(events.Paste):
    """A paste or a flood of which nothing was taken. A paste without text, so that no field can mistake it."""

    def __init__(self, why: Refusal) -> None:
        super().__init__("")
        self.why = why

    @property
    def words(self) -> str:
        """The sentence for the agent."""
        if self.why is Refusal.CUT:
            return _("A paste broke off in the middle. Nothing of it was taken: paste it again.")
        return _("Far too much came at once (a whole file?). Nothing of it was taken.")


class Keyboard:
    """One terminal's keyboard."""

    def __init__(self) -> None:
        self._gate = Gate()
        self._letters = codecs.getincrementaldecoder("utf-8")(errors=_LATIN)
        self._parser = XTermParser()

    def wait(self) -> float:
        """Seconds to wait for bytes before calling `take` without any."""
        return min(self._gate.wait(), IDLE)

    def take(self, data: bytes, now: float) -> Iterator[Message]:
        """Messages of Textual's for the bytes that came (none is fine) at ``now``, in seconds of any steady clock."""
        for piece in self._gate.take(data, now):
            yield from self._messages(piece)
        yield from self._parser.tick()

    def _messages(self, piece: Piece) -> Iterator[Message]:
        if isinstance(piece, Refusal):
            yield Refused(piece)
        elif isinstance(piece, Pasted):
            yield events.Paste(piece.content.decode("utf-8", _LATIN).replace("\x00", ""))
        else:
            yield from self._keys(self._letters.decode(piece))

    def _keys(self, text: str) -> Iterator[Message]:
        """Esc and a digit alone are the F-key of that number (Alt+digit); before another key, Esc is Esc."""
        if len(text) == 2 and (number := self._alt_digit(text)):
            yield events.Key(f"f{number}", None)
            return
        if len(text) == 2 and text[1] != "\x1b" and text in ANSI_SEQUENCES_KEYS:
            yield from self._feed(text)
            return
        at = 0
        for lone in _LONE_ESCAPE.finditer(text):
            yield from self._feed(text[at : lone.start()])
            yield events.Key("escape", "\x1b")
            at = lone.end()
        yield from self._feed(text[at:])

    def _alt_digit(self, text: str) -> int | None:
        if text[0] != "\x1b" or text[1] in "\x1b[O":
            return None
        return next((function_key(sign.key) for sign in self._feed(text[1]) if isinstance(sign, events.Key)), None)

    def _feed(self, text: str) -> Iterator[Message]:
        if text:  # to the parser, nothing is the end
            yield from self._parser.feed(text)


def function_key(key: str) -> int | None:
    """The number of the F-key that a digit stands for, 1 to 10, on either kind of keyboard."""
    return 10 if key in {"0", "à"} else digit_of(key)


def _read_as_latin(error: UnicodeError) -> tuple[str, int]:
    """A terminal set to Latin-1 sends one byte for an accented letter: it is read as what it was meant to be."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    broken = error.object[error.start : error.end].decode("latin-1")
    return "".join(letter if letter.isprintable() else "\ufffd" for letter in broken), error.end


codecs.register_error(_LATIN, _read_as_latin)
