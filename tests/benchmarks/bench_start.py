"""The app in a real pty against a bare Textual app with one field: start to the first screen, one key's echo, bytes."""

import fcntl
import os
import pty
import select
import signal
import struct
import sys
import termios
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from time import perf_counter

from harness import Result, percentile, with_bytecode

from crisisdesk.desk.reference import data_folder, init_desk

SIZE = (24, 80)
QUIET_SECONDS, PATIENCE_SECONDS = 0.25, 20.0
BARE = """
from textual.app import App
from textual.widgets import Input, Label
class Bare(App):
    def compose(self):
        yield Input()
        yield Label("readybare")
Bare().run()
"""
LETTERS = "dupontmarieannedelaserviceorange"


def run(folder: Path, runs: int) -> Iterable[Result]:
    """Both apps in turn, so that a busy machine is unkind to both."""
    with_bytecode(folder)
    desk = folder / "start.desk"
    init_desk(desk, data_folder(), admin_login="chef", now=datetime.now(UTC))
    ours = [sys.executable, "-m", "crisisdesk", "--desk", str(desk), "--agent", "chef", "desk"]
    bare = [sys.executable, "-c", BARE]
    starts: dict[str, list[float]] = {"ours": [], "bare": []}
    echoes: dict[str, list[tuple[float, int]]] = {"ours": [], "bare": []}
    paints: list[int] = []
    for command, marker in ((bare, b"readybare"), (ours, b"Vielsalm")):  # the first start compiles
        with Terminal(command) as terminal:
            terminal.until(marker)
    for _round in range(max(3, runs // 3)):
        for name, command, marker, keys in (("bare", bare, b"readybare", b""), ("ours", ours, b"Vielsalm", b"\x1bOQ")):
            with Terminal(command) as terminal:
                seconds, painted = terminal.until(marker)
                starts[name].append(seconds * 1000)
                if name == "ours":
                    paints.append(painted + terminal.drain())
                terminal.drain()
                if keys:
                    terminal.send(keys)
                    terminal.drain()
                echoes[name] += [terminal.echo(letter.encode()) for letter in LETTERS]
    yield Result("start to the first screen", median(starts["ours"]), median(starts["bare"]), 1.5, len(starts["ours"]))
    for share in (0.5, 0.95):
        mine, floor = (percentile([time for time, _size in echoes[name]], share) for name in ("ours", "bare"))
        yield Result(f"a key's echo in the call form, p{share * 100:.0f}", mine, floor, 1.5, len(echoes["ours"]))
    sizes = [float(size) for _time, size in echoes["ours"]]
    yield Result("bytes a key, p95", percentile(sizes, 0.95), None, 300, len(sizes), unit="B")
    yield Result("bytes of the first paint", median(paints), None, 15_000, len(paints), unit="B")


class Terminal:
    """A program in a pseudo-terminal of 80x24."""

    def __init__(self, command: list[str]) -> None:
        self.began = perf_counter()
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.environ.update(TERM="xterm-256color", LANG="C.UTF-8", LC_ALL="C.UTF-8")
            os.execv(command[0], command)
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", *SIZE, 0, 0))

    def __enter__(self) -> "Terminal":
        return self

    def __exit__(self, *_error: object) -> None:
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self.fd)

    def send(self, keys: bytes) -> None:
        """Type."""
        os.write(self.fd, keys)

    def read(self, seconds: float) -> bytes:
        """What comes within so many seconds; nothing at all is an empty answer."""
        ready, _w, _x = select.select([self.fd], [], [], seconds)
        try:
            return os.read(self.fd, 65536) if ready else b""
        except OSError:  # it has ended
            return b""

    def until(self, marker: bytes) -> tuple[float, int]:
        """Seconds from the start until the marker is on the screen, and the bytes until then."""
        seen = b""
        while marker not in seen:
            part = self.read(PATIENCE_SECONDS)
            if not part:
                raise TimeoutError(f"{marker!r} did not come; last: {seen[-200:]!r}")
            seen += part
        return perf_counter() - self.began, len(seen)

    def drain(self) -> int:
        """Wait until it is quiet; the bytes that came."""
        size = 0
        while part := self.read(QUIET_SECONDS):
            size += len(part)
        return size

    def echo(self, key: bytes) -> tuple[float, int]:
        """Milliseconds from a key to the first byte of its echo, and all bytes that it causes."""
        begin = perf_counter()
        self.send(key)
        first = self.read(PATIENCE_SECONDS)
        return (perf_counter() - begin) * 1000, len(first) + self.drain()
