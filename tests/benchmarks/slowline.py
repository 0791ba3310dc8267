"""A slow line between a program in a pseudo-terminal and whoever types: one narrow pipe shared by several sessions."""

import os
import select
import threading
from collections import deque
from time import perf_counter

PIECE = 256
"""Bytes that go out at a time: one session's picture does not hold the line for longer than this takes."""


class Line:
    """The narrow part: so many bits a second down and up, for all sessions together, and the delay of the way."""

    def __init__(self, bits_a_second: int, round_trip_seconds: float) -> None:
        self._seconds_a_byte = 8 / bits_a_second
        self._delay = round_trip_seconds / 2
        self._free_at = {"down": 0.0, "up": 0.0}
        self._lock = threading.Lock()

    def arrives_at(self, way: str, size: int, sent_at: float) -> float:
        """When so many bytes are through, put on the line at a moment; the line is busy until then."""
        with self._lock:
            begin = max(sent_at, self._free_at[way])
            self._free_at[way] = begin + size * self._seconds_a_byte
            return self._free_at[way] + self._delay


class Session:
    """One program on the line. Use `type` and look at `heard`; the moving of bytes is a thread's work."""

    def __init__(self, fd: int, line: Line) -> None:
        self._fd, self._line = fd, line
        self._down: deque[tuple[float, bytes]] = deque()
        self._up: deque[tuple[float, bytes]] = deque()
        self.heard: list[tuple[float, int]] = []
        """When bytes arrived at the far end, and how many by then."""
        self._is_on = True
        self._thread = threading.Thread(target=self._move, daemon=True)
        self._thread.start()

    def type(self, keys: bytes) -> float:
        """Send keys from the far end; the moment of sending."""
        now = perf_counter()
        self._up.append((self._line.arrives_at("up", len(keys), now), keys))
        return now

    @property
    def size(self) -> int:
        """Bytes that have arrived at the far end so far."""
        return self.heard[-1][1] if self.heard else 0

    def is_quiet(self, seconds: float) -> bool:
        """Nothing has come for so long, and nothing is on the way."""
        last = self.heard[-1][0] if self.heard else 0.0
        return not self._down and perf_counter() - last > seconds

    def stop(self) -> None:
        """End the moving of bytes; the program is its owner's to end."""
        self._is_on = False
        self._thread.join()

    def _move(self) -> None:
        while self._is_on:
            # What waits on the line is bounded, as it is in a real one: the program has to wait, too.
            can_take = len(self._down) < 64
            if can_take and select.select([self._fd], [], [], 0.002)[0]:
                try:
                    data = os.read(self._fd, PIECE)
                except OSError:
                    return
                self._down.append((self._line.arrives_at("down", len(data), perf_counter()), data))
            now = perf_counter()
            while self._down and self._down[0][0] <= now:
                at, data = self._down.popleft()
                self.heard.append((at, self.size + len(data)))
            while self._up and self._up[0][0] <= now:
                os.write(self._fd, self._up.popleft()[1])
