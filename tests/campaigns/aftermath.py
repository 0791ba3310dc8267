"""What is left of a session after its line was cut: its process has to go, and not to burn the processor before."""

import threading
from collections import defaultdict
from dataclasses import dataclass, field
from time import monotonic

from campaigns import processes
from campaigns.lines import AgentLine
from terminal import Terminal

WINDOW, SHARE = 5.0, 0.2
"""A process that uses more than this share of a processor for so many seconds after its cut is spinning."""

PATIENCE = 3


@dataclass
class Remains:
    """One session whose line was cut."""

    login: str
    pid: int
    terminal: Terminal
    way: str
    since: float
    samples: list[tuple[float, float]] = field(default_factory=list)
    """When, processor seconds so far."""
    is_spinning: bool = False
    is_late: bool = False


class Aftermath(threading.Thread):
    """Looks once a second."""

    def __init__(self, line: AgentLine) -> None:
        super().__init__(daemon=True)
        self._line, self._lock = line, threading.Lock()
        self.open: list[Remains] = []
        self.gone: defaultdict[str, list[float]] = defaultdict(list)
        """Seconds from the cut until the process had ended, by way."""
        self.faults: list[str] = []
        self.is_over = False

    def watch(self, login: str, pid: int, terminal: Terminal, way: str) -> None:
        """A line was cut just now."""
        with self._lock:
            self.open.append(Remains(login, pid, terminal, way, monotonic()))

    def run(self) -> None:
        while not self.is_over:
            with self._lock:
                looked_at = list(self.open)
            for one in looked_at:
                self._look(one)
            threading.Event().wait(0.5)

    def _look(self, one: Remains) -> None:
        if one.terminal.process.poll() is not None:  # reaps it, where it is our own child
            pass
        now, used = monotonic(), processes.seconds_used(one.pid) if one.pid else None
        if used is None:
            self.gone[one.way].append(now - one.since)
            self._end(one)
            return
        one.samples = [sample for sample in one.samples if now - sample[0] <= WINDOW + 1] + [(now, used)]
        first = one.samples[0]
        if now - first[0] >= WINDOW and not one.is_spinning and (used - first[1]) / (now - first[0]) > SHARE:
            one.is_spinning = True
            self.faults.append(
                f"{one.login} (process {one.pid}) used {used - first[1]:.1f} s of the processor in {now - first[0]:.1f}"
                f" s, {now - one.since:.0f} s after its line was {one.way}"
            )
        if now - one.since > self._line.gone_within and not one.is_late:
            one.is_late = True  # and is waited for, to know how late
            self.faults.append(f"{one.login} (process {one.pid}) is there {now - one.since:.0f} s after: {one.way}")
        if now - one.since > self._line.gone_within * PATIENCE:
            self._end(one)

    def _end(self, one: Remains) -> None:
        with self._lock:
            self.open.remove(one)
        self._line.let_go(one.terminal)
