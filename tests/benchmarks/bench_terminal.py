"""What the screens cost a terminal: bytes at rest and a key, pictures, a pasted file, and a slow line shared by five.

Beside a bare Textual app with one field, in the same run. The slow line has no compression (`ssh -C` makes it better).
The bare app blinks: on the slow line a blink may pass for an echo, so that its figure is too good.
"""

import os
import random
import sys
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from time import perf_counter, sleep

from bench_start import BARE, LETTERS, Terminal
from harness import Result, percentile
from slowline import Line, Session

from crew import crew
from crisisdesk.desk.reference import data_folder, init_desk

F2, F3 = b"\x1bOQ", b"\x1bOR"
HOME, FORM = b"Vielsalm", b"Voicemail"
"""The last words of each screen."""
IDLE_SECONDS, SETTLED_SECONDS = 10.0, 2.0
SESSIONS, BITS_A_SECOND, ROUND_TRIP = 5, 64_000, 0.2
START, END = b"\x1b[200~", b"\x1b[201~"
FILE = b"063231111\tDupont\tMarie\r" * 220_000
REFUSED = b"Far too much"


def run(folder: Path, runs: int) -> Iterable[Result]:
    """Ours and the bare app in turn."""
    desk = folder / "terminal.desk"
    init_desk(desk, data_folder(), admin_login="chef", now=datetime.now(UTC))
    ours = [sys.executable, "-m", "crisisdesk", "--desk", str(desk), "--agent", "chef", "--lang", "en", "desk"]
    bare = [sys.executable, "-c", BARE]
    rounds = max(3, runs // 5)
    yield from _near(ours, bare, rounds)
    yield from _pasted(ours, rounds)
    yield from _far(ours, bare)


def _near(ours: list[str], bare: list[str], rounds: int) -> Iterator[Result]:
    echoes: dict[str, list[tuple[float, int]]] = {"ours": [], "bare": []}
    paints: dict[str, list[int]] = {"ours": [], "bare": []}
    idle: dict[str, int] = {}
    screens: list[int] = []
    for turn in range(rounds):
        for name, command, marker in (("bare", bare, b"readybare"), ("ours", ours, HOME)):
            with Terminal(command) as terminal:
                _seconds, painted = terminal.until(marker)
                paints[name].append(painted + terminal.drain())
                if name == "ours":
                    # There, back, and there again to type.
                    screens += [_screen(terminal, *step) for step in ((F2, FORM), (F3, HOME), (F2, FORM))]
                if not turn:
                    idle[name] = _idle(terminal)
                echoes[name] += [terminal.echo(letter.encode()) for letter in LETTERS]
    yield Result("bytes in 10 s at rest", idle["ours"], None, 100, 1, unit="B")
    yield Result("... of the bare app", idle["bare"], None, float("inf"), 1, unit="B")
    for share in (0.5, 0.95):
        mine, floor = ([float(size) for _time, size in echoes[name]] for name in ("ours", "bare"))
        title = f"bytes a key, p{share * 100:.0f}"
        yield Result(title, percentile(mine, share), None, 300, len(mine), unit="B")
        yield Result("... of the bare app", percentile(floor, share), None, float("inf"), len(floor), unit="B")
    for share in (0.5, 0.95):
        mine, floor = ([time for time, _size in echoes[name]] for name in ("ours", "bare"))
        title = f"key to echo, p{share * 100:.0f}"
        yield Result(title, percentile(mine, share), percentile(floor, share), 1.5, len(mine))
    yield Result("bytes of the first paint", median(paints["ours"]), None, 15_000, rounds, unit="B")
    yield Result("... of the bare app", median(paints["bare"]), None, float("inf"), rounds, unit="B")
    yield Result("bytes of another screen, largest", max(screens), None, 8_000, len(screens), unit="B")


def _screen(terminal: Terminal, keys: bytes, marker: bytes) -> int:
    """Bytes of another screen, whole, with all that comes after its first picture."""
    terminal.send(keys)
    _seconds, size = terminal.until(marker)
    while more := len(terminal.read(SETTLED_SECONDS)):
        size += more
    return size


def _idle(terminal: Terminal) -> int:
    terminal.drain()
    size, until = 0, perf_counter() + IDLE_SECONDS
    while (left := until - perf_counter()) > 0:
        size += len(terminal.read(left))
    return size


def _pasted(ours: list[str], rounds: int) -> Iterator[Result]:
    """From the first byte of 5 MB to the sentence; the rest is still being poured in meanwhile."""
    for name, data in (("marked", START + FILE + END), ("not marked", FILE)):
        times = []
        for _round in range(rounds):
            with Terminal(ours) as terminal:
                terminal.until(HOME)
                _screen(terminal, F2, FORM)
                times.append(_answered(terminal, data))
        yield Result(f"5 MB pasted, {name}, to the sentence", max(times), None, 1000, len(times))


def _answered(terminal: Terminal, data: bytes) -> float:
    begin, seen, rest = perf_counter(), b"", memoryview(data)
    os.set_blocking(terminal.fd, False)
    while REFUSED not in seen:
        if rest:
            try:
                rest = rest[os.write(terminal.fd, rest[:65536]) :]
            except BlockingIOError:
                sleep(0.001)
        seen += terminal.read(0.0 if rest else 20.0)
    return (perf_counter() - begin) * 1000


def _far(ours: list[str], bare: list[str]) -> Iterator[Result]:
    """Five sessions type at the speed of people on one line; then the same with the bare app."""
    path = Path(ours[ours.index("--desk") + 1])
    logins = crew(path, SESSIONS)
    near, name = {}, f"{BITS_A_SECOND // 1000} kbit/s for {SESSIONS}, {ROUND_TRIP * 1000:.0f} ms"
    for kind, command, marker, keys in (("ours", ours, HOME, F2), ("bare", bare, b"readybare", b"")):
        commands = [[login if word == "chef" else word for word in command] for login in logins]
        near[kind] = _shared(commands, marker, keys)
    for share, target in ((0.5, 500), (0.95, 500)):
        mine = percentile(near["ours"], share)
        yield Result(f"key to echo, {name}, p{share * 100:.0f}", mine, None, target, len(near["ours"]))
        floor = percentile(near["bare"], share)
        yield Result("... of the bare app", floor, None, float("inf"), len(near["bare"]))


def _shared(commands: list[list[str]], marker: bytes, keys: bytes) -> list[float]:
    """Milliseconds from a key to the first byte of its echo, over the line."""
    terminals = [Terminal(command) for command in commands]
    try:
        for terminal in terminals:
            terminal.until(marker)
            if keys:
                _screen(terminal, keys, FORM)
        line = Line(BITS_A_SECOND, ROUND_TRIP)
        sessions = [Session(terminal.fd, line) for terminal in terminals]
        try:
            return _typing(sessions)
        finally:
            for session in sessions:
                session.stop()
    finally:
        for terminal in terminals:
            terminal.__exit__()


def _typing(sessions: list[Session], seconds: float = 30.0) -> list[float]:
    """Each types about four keys a second, the next not before the echo of the last; the times of all echoes."""
    chance, times = random.Random(7), []
    letters = ["dupontmarieannedelaserviceorange"] * len(sessions)
    next_at = [perf_counter() + chance.random() for _one in sessions]
    waiting: list[tuple[float, int] | None] = [None] * len(sessions)
    typed = [0] * len(sessions)
    until = perf_counter() + seconds
    while perf_counter() < until:
        for number, session in enumerate(sessions):
            if (waits := waiting[number]) is not None:
                echo = next((at for at, size in session.heard if size > waits[1]), None)
                if echo is not None:
                    times.append((echo - waits[0]) * 1000)
                    waiting[number] = None
                    next_at[number] = max(next_at[number], perf_counter())
            elif perf_counter() >= next_at[number]:
                letter = letters[number][typed[number] % 32].encode()
                typed[number] += 1
                waiting[number] = (session.type(letter), session.size)
                next_at[number] += 0.15 + chance.random() * 0.2
        sleep(0.001)
    return times
