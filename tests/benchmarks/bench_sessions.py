"""Many sessions on one host: memory and start of a bare Textual app, of ours, and of ours through the launcher."""

import os
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from shutil import which
from statistics import median

from bench_start import BARE, Terminal
from harness import Result, with_bytecode

from crew import crew
from crisisdesk.desk.reference import data_folder, init_desk

AT_ONCE = 20
SETTLED_SECONDS = 2.0  # the form of a call is imported while nothing else happens
KINDS = ("bare", "bare+imports", "cold", "launched")
IMPORTED = """
from crisisdesk.ui.start import settle_environment
settle_environment()
import crisisdesk.cli.main, crisisdesk.cli.context, crisisdesk.cli.desk, crisisdesk.desk.drafts, crisisdesk.desk.home
import crisisdesk.store.agents, crisisdesk.store.drafts, crisisdesk.store.journal, crisisdesk.store.reference
import crisisdesk.ui.app, crisisdesk.ui.driver, crisisdesk.ui.screens.home, crisisdesk.ui.screens.intake
from crisisdesk.store.sqlite import choose_sqlite
choose_sqlite()
"""
"""What a session has imported when it is at rest on its first screen."""


MOST_AT_ONCE = 150


@dataclass
class Host:
    """A desk and a launcher, and how each kind of session is started."""

    desk: Path
    launcher: "subprocess.Popen[str]"
    socket: Path
    account: list[str]
    logins: list[str]
    """One for each session that is open at a time."""
    open: list[Terminal] = field(default_factory=list)

    def start(self, kind: str) -> Terminal:
        """Start one; the terminal is kept open."""
        programs = {"bare": ["-c", BARE], "bare+imports": ["-c", IMPORTED + BARE]}
        ours = ["-m", "crisisdesk", "--desk", str(self.desk), "--agent", self.logins[len(self.open)], "desk"]
        if self.launcher.poll() is not None:
            raise RuntimeError("the launcher has ended: was a file of the program changed meanwhile?")
        os.environ["CRISISDESK_LAUNCHER"] = str(self.socket) if kind == "launched" else ""
        terminal = Terminal([*self.account, sys.executable, *programs.get(kind, ours)])
        self.open.append(terminal)
        return terminal

    def end(self) -> None:
        """Kill every session and wait until the launcher's are gone too."""
        for terminal in self.open:
            terminal.__exit__()
        self.open.clear()
        while children_of(self.launcher.pid):
            time.sleep(0.05)


def marker(kind: str) -> bytes:
    """What the first screen says."""
    return b"readybare" if kind.startswith("bare") else b"Vielsalm"


def as_account() -> list[str]:
    """What starts programs as an ordinary account where this is run by root: a launcher refuses to be root."""
    rights = ["--inh-caps", "+dac_override", "--ambient-caps", "+dac_override"]
    account = ["--reuid", "12345", "--regid", "12345", "--clear-groups"]
    return [which("setpriv") or "setpriv", *account, *rights] if os.geteuid() == 0 else []


@contextmanager
def host(folder: Path) -> Iterator[Host]:
    """A desk with its launcher at work, in ``folder``."""
    with_bytecode(folder)
    os.environ["HOME"] = str(folder)
    desk, where, account = folder / "many.desk", folder / "run" / "launcher", as_account()
    init_desk(desk, data_folder(), admin_login="chef", now=datetime.now(UTC))
    logins = crew(desk, MOST_AT_ONCE)
    environ = {**os.environ, "CRISISDESK_LAUNCHER": str(where), "LC_ALL": "C.UTF-8"}
    command = [*account, sys.executable, "-m", "crisisdesk", "launcher"]
    with subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, text=True) as launcher:
        assert launcher.stdout
        launcher.stdout.readline()
        found = Host(desk, launcher, where, account, logins)
        try:
            yield found
        finally:
            found.end()
            launcher.kill()


def run(folder: Path, runs: int) -> Iterable[Result]:
    """Starts one after the other, each kind in turn; then twenty of each kind at once."""
    with host(folder) as here:
        starts = time_starts(here, max(3, runs // 3))
        sizes = {kind: at_once(here, kind) for kind in KINDS}
    ours = ("cold", "launched")
    rounds = len(starts["bare"])
    for kind in ours:
        for floor in ("bare", "bare+imports"):
            for place, what in enumerate(("start to the first screen", "CPU of the start")):
                mine, theirs = (median(one[place] for one in starts[name]) for name in (kind, floor))
                yield Result(f"{what}, {kind} / {floor}", mine, theirs, 1.5, rounds)
    for kind in ours:
        first, further, _seconds = sizes[kind]
        yield Result(
            f"PSS of the first session, {kind} / bare+imports", first, sizes["bare+imports"][0], 1.15, 1, "MiB"
        )
        for floor in ("bare", "bare+imports"):
            name = f"PSS of the 2nd to 20th, {kind} / {floor}"
            yield Result(name, further, sizes[floor][1], 1.15, AT_ONCE - 1, "MiB")
        name = f"{AT_ONCE} starts at once, all at their screen, {kind} / bare"
        yield Result(name, sizes[kind][2], sizes["bare"][2], 1.5, 1, "s")


def time_starts(here: Host, rounds: int) -> dict[str, list[tuple[float, float]]]:
    """Milliseconds to the first screen and of CPU until then, by kind; a first round is not counted."""
    found: dict[str, list[tuple[float, float]]] = {kind: [] for kind in KINDS}
    for _round in range(rounds + 1):
        for kind in KINDS:
            terminal = here.start(kind)
            seconds, _size = terminal.until(marker(kind))
            used = sum(cpu_of(pid) for pid in processes(here, kind, [terminal]))
            found[kind].append((seconds * 1000, used * 1000))
            here.end()
    return {kind: times[1:] for kind, times in found.items()}


def at_once(here: Host, kind: str) -> tuple[float, float, float]:
    """PSS in MiB of the first session (with the launcher where there is one), mean of the further; seconds until all
    of them are at their first screen when they start together."""
    first = here.start(kind)
    first.until(marker(kind))
    rest([first])
    alone = sum(map(pss_of, processes(here, kind, [first])))
    alone += pss_of(here.launcher.pid) if kind == "launched" else 0
    began = time.perf_counter()
    others = [here.start(kind) for _number in range(AT_ONCE - 1)]
    for terminal in others:
        terminal.until(marker(kind))
    seconds = time.perf_counter() - began
    rest(others)
    everybody = processes(here, kind, [first, *others])
    total = sum(map(pss_of, everybody)) / AT_ONCE  # all are alike by now: what is shared is shared by all
    here.end()
    return alone, total, seconds


def rest(terminals: Sequence[Terminal]) -> None:
    """Let the sessions come to rest."""
    end = time.monotonic() + SETTLED_SECONDS
    while time.monotonic() < end:
        for terminal in terminals:
            terminal.read(0.01)


def processes(here: Host, kind: str, terminals: Sequence[Terminal]) -> list[int]:
    """All processes of the sessions of one kind: through the launcher two each."""
    clients = [terminal.pid for terminal in terminals]
    return clients + (children_of(here.launcher.pid) if kind == "launched" else [])


def children_of(pid: int) -> list[int]:
    """Direct children."""
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def cpu_of(pid: int) -> float:
    """Seconds of CPU that a process has used."""
    numbers = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(numbers[11]) + int(numbers[12])) / os.sysconf("SC_CLK_TCK")


def pss_of(pid: int) -> float:
    """MiB of a process, what it shares divided among those who share it."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("Pss:"))
