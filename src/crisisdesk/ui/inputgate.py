"""What comes down the line, before anybody takes it for keys: typing, a burst, a paste, or a flood.

A burst of a whole form (a scanner, somebody who types ahead) is typing. A file that was pasted is not: letters would be
taken for commands and returns for answers. Bytes of a burst are therefore held back until it is over, or has become too
long to be typing; then all of it is refused and dropped. Every state ends by itself, at the latest after a second of
silence: a paste whose end never comes does not leave the desk deaf. Memory is bounded by `PASTE_MOST`.
"""

from collections.abc import Iterator
from enum import Enum
from typing import NamedTuple

START, END = b"\x1b[200~", b"\x1b[201~"
"""Around a paste, where the terminal marks one (xterm's mode 2004)."""
BURST_MOST = 6144
"""Bytes at once that can still be typing: a form of a scanner has some hundred."""
BURST_LEAK = 1000
"""Bytes a second that can still be typing, for as long as one likes."""
PASTE_MOST = 16_384
"""Bytes of a marked paste that are looked at; a field takes 4,096 characters at most."""
_ONE_KEY = 8
_LONG = 1024
_SHORT_PAUSE, _LONG_PAUSE = 0.01, 0.3
_ESCAPE = 0.1
"""Seconds after which Esc was the key Esc, and not the beginning of a sequence."""
_QUIET = 0.4
"""Seconds of silence that end a flood."""
_HALF_MARK = 0.5
_SILENCE, _TYPING_AGAIN = 1.0, 0.5
"""Seconds without a byte after which the end of a paste is not waited for any more; the second, where a key follows."""
IDLE = 0.1
"""Seconds to wait for the next byte when nothing is held."""


class Refusal(Enum):
    """Why something was dropped whole."""

    BURST = "burst"
    PASTE = "paste"
    CUT = "cut"
    """The end of a paste did not come."""


class Pasted(NamedTuple):
    """One marked paste, whole."""

    content: bytes


Piece = bytes | Pasted | Refusal
"""What the gate lets through; bytes are keys."""


class _State(Enum):
    OPEN = 0
    PASTING = 1
    SKIPPING = 2
    """In a paste that was refused."""
    FLOODED = 3


class Gate:
    """Sorts the bytes of one keyboard. Times are seconds of a clock that only goes forward."""

    def __init__(self) -> None:
        self._state = _State.OPEN
        self._held = b""
        self._level = 0.0
        """Bytes of late that were taken for typing, less what has leaked away since."""
        self._heard_at = 0.0

    def wait(self) -> float:
        """Seconds until `take` wants to be called again, though nothing may have come."""
        return _SHORT_PAUSE if self._held and self._state is _State.OPEN else IDLE

    def take(self, data: bytes, now: float) -> Iterator[Piece]:
        """Sort what has come; call it with nothing, too, whenever `wait` has passed.

        Args:
            data: bytes as they were read, cut anywhere.
            now: seconds.
        """
        silence = now - self._heard_at
        yield from self._after(silence, is_key=0 < len(data) <= _ONE_KEY)
        if not data:
            return
        self._heard_at = now
        self._level = max(0.0, self._level - silence * BURST_LEAK)
        if self._state is not _State.FLOODED:
            self._held += data
            yield from self._sort()

    def _after(self, silence: float, is_key: bool) -> Iterator[Piece]:
        """What a pause of so many seconds has decided."""
        if self._state is _State.OPEN:
            if self._held and silence >= self._pause():
                yield from self._release()
        elif self._state is _State.FLOODED:
            if silence >= _QUIET:
                self._state = _State.OPEN
        elif silence >= (_TYPING_AGAIN if is_key else _SILENCE):
            was_refused_already = self._state is _State.SKIPPING
            self._state, self._held = _State.OPEN, b""
            if not was_refused_already:
                yield Refusal.CUT

    def _pause(self) -> float:
        if _half_mark(self._held):
            return _HALF_MARK
        if len(self._held) > _LONG:
            return _LONG_PAUSE
        return _ESCAPE if self._held.endswith(b"\x1b") else _SHORT_PAUSE

    def _sort(self) -> Iterator[Piece]:
        """Take out of what is held whatever is decided by now."""
        step = True
        while step:
            before = (self._state, self._held)
            if self._state is _State.OPEN:
                yield from self._typed()
            elif self._state is _State.PASTING:
                yield from self._pasted()
            elif self._state is _State.SKIPPING:
                self._skip()
            step = bool(self._held) and (self._state, self._held) != before

    def _typed(self) -> Iterator[Piece]:
        end = self._held.rfind(END, 0, _found(self._held, START))
        if end >= 0:  # the late end of a paste that was given up, or one whose text held an end: not typing
            self._held = self._held[end + len(END) :]
        typed, mark, pasted = self._held.partition(START)
        if self._level + len(typed) > BURST_MOST:
            yield self._refuse(Refusal.BURST, _State.FLOODED)
        elif mark:
            self._held = typed
            yield from self._release()
            self._state, self._held = _State.PASTING, pasted
        elif _is_one_key(typed):
            yield from self._release()

    def _pasted(self) -> Iterator[Piece]:
        """The last end before the next start is the end: the terminal sets its own after whatever the text holds."""
        end = self._held.rfind(END, 0, _found(self._held, START))
        end = self._held.find(END) if end < 0 else end
        content = self._held if end < 0 else self._held[:end]
        if len(content) > PASTE_MOST or self._level > PASTE_MOST:
            yield self._refuse(Refusal.PASTE, _State.SKIPPING, keep=self._held)
        elif end >= 0:
            self._state, self._held = _State.OPEN, self._held[end + len(END) :]
            self._level += len(content)
            yield Pasted(content)

    def _skip(self) -> None:
        end = self._held.rfind(END, 0, _found(self._held, START))
        if end >= 0:
            self._state, self._held = _State.OPEN, self._held[end + len(END) :]
        else:
            self._held = self._held[1 - len(END) :]  # the mark may be cut anywhere

    def _refuse(self, why: Refusal, state: _State, keep: bytes = b"") -> Refusal:
        self._state, self._held = state, keep
        self._level = min(self._level, BURST_MOST) if state is _State.SKIPPING else BURST_MOST
        return why

    def _release(self) -> Iterator[bytes]:
        """Let what is held pass as keys, but for half a mark whose other half has not come."""
        keys, self._held = self._held, b""
        if half := _half_mark(keys):
            keys = keys[:-half]
        self._level += len(keys)
        if keys:
            yield keys


def _found(data: bytes, mark: bytes) -> int:
    at = data.find(mark)
    return len(data) if at < 0 else at


def _half_mark(data: bytes) -> int:
    """How many of the last bytes are the beginning of a mark (three at least: less is the beginning of any key)."""
    return next((size for size in range(len(END) - 1, 2, -1) if data.endswith((START[:size], END[:size]))), 0)


def _is_one_key(data: bytes) -> bool:
    """One letter, or one whole sequence: it need not wait for what may follow."""
    if not data.startswith(b"\x1b"):
        return _is_one_letter(data)
    return 3 <= len(data) <= _ONE_KEY and data[1:2] in b"[O" and not _half_mark(data) and data[-1:] not in b"[;O"


def _is_one_letter(data: bytes) -> bool:
    try:
        return len(data.decode()) == 1
    except UnicodeDecodeError:
        return False
