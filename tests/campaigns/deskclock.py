"""What all forked processes share: a desk's clock that runs faster than ours, and only while patients may be rung; how
much each has done; whether it is over.
"""

import struct
from datetime import UTC, datetime, timedelta
from mmap import mmap
from time import monotonic, sleep

MOST_WORKERS = 256
MORNING = datetime(2022, 5, 31, 6, 30, tzinfo=UTC)  # Tuesday, 8:30 in Brussels
HOURS_A_DAY = 11
DAYS_OFF = (5, 6)  # of 31 May 2022 on: Sunday, and Whit Monday


class DeskClock:
    """Made before the fork; whoever has it sees the same time and the same end."""

    def __init__(self, speed: float) -> None:
        """``speed``: seconds of the desk in one of ours."""
        self._begin, self._speed, self._memory = monotonic(), speed, mmap(-1, 8 + 8 * MOST_WORKERS)

    def now(self) -> datetime:
        """The desk's present instant; after the last minute of a day comes the first of the next."""
        passed = (monotonic() - self._begin) * self._speed
        day, seconds = divmod(passed, HOURS_A_DAY * 3600)
        return MORNING + timedelta(days=[n for n in range(400) if n % 7 not in DAYS_OFF][int(day)], seconds=seconds)

    def end(self) -> None:
        """Tell everybody to finish what is in hand."""
        self._memory[0] = 1

    @property
    def is_over(self) -> bool:
        """Whether it is time to go."""
        return self._memory[0] == 1

    def nap(self, seconds: float) -> None:
        """Wait for some of our seconds, or until it is over."""
        until = monotonic() + seconds
        while monotonic() < until and not self.is_over:
            sleep(0.02)

    def count(self, number: int) -> None:
        """A worker has done one thing more; each writes its own place only."""
        (done,) = struct.unpack_from("q", self._memory, 8 + 8 * number)
        struct.pack_into("q", self._memory, 8 + 8 * number, done + 1)

    @property
    def done(self) -> int:
        """What all have done together."""
        return sum(struct.unpack_from(f"{MOST_WORKERS}q", self._memory, 8))
