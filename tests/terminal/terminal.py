"""The real command in a real pseudo-terminal, driven by hand."""

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from terminal_glass import Glass


class Terminal:
    """A program with a terminal of its own."""

    def __init__(
        self, arguments: Sequence[str], *, size: tuple[int, int] = (80, 24), environ: Mapping[str, str] | None = None,
        ignore_hangup: bool = False, program: Sequence[str] = ("-m", "crisisdesk"), run_by: Sequence[str] = (),
    ) -> None:  # fmt: skip
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", size[1], size[0], 0, 0))
        self.glass, self.raw = Glass(*size), b""
        self.modes = termios.tcgetattr(slave)

        def own_terminal() -> None:
            os.setsid()
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)
            if ignore_hangup:
                signal.signal(signal.SIGHUP, signal.SIG_IGN)

        environment = {**os.environ, "TERM": "xterm-256color", "LC_ALL": "C.UTF-8", **(environ or {})}
        self.process = subprocess.Popen(
            [*run_by, sys.executable, *program, *arguments], stdin=slave, stdout=slave, stderr=slave, env=environment,
            preexec_fn=own_terminal,
        )  # fmt: skip
        os.close(slave)

    def __enter__(self) -> "Terminal":
        return self

    def __exit__(self, kind: object, error: object, trace: TracebackType | None) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.hang_up()

    def read(self, seconds: float) -> None:
        """Take what the program writes for so long."""
        ready = select.poll()  # select knows descriptors under 1024 only; a campaign has more
        ready.register(self._master, select.POLLIN)
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            if not ready.poll(left * 1000):
                return
            try:
                data = os.read(self._master, 65536)
            except OSError:
                return
            if not data:
                return
            self.raw += data
            self.glass.feed(data.decode("utf-8", "replace"))

    def until(self, reached: Callable[[], object], seconds: float = 30.0) -> None:
        """Read until something is so; fail with the screen when it does not come."""
        end = time.monotonic() + seconds
        while not reached():
            assert time.monotonic() < end, f"did not come:\n{self.glass.text}"
            self.read(0.05)
            if self.process.poll() is not None and not reached():
                self.read(0.2)
                assert reached(), f"ended with {self.process.returncode}:\n{self.raw[-3000:]!r}"

    def see(self, words: str) -> None:
        """Wait until words are on the screen."""
        self.until(lambda: words in self.glass.text)

    def type(self, keys: bytes) -> None:
        """Write keys in one go."""
        os.write(self._master, keys)

    def pour(self, data: bytes) -> None:
        """Write as much as the line takes, reading what the program answers meanwhile."""
        os.set_blocking(self._master, False)
        rest = memoryview(data)
        while rest:
            try:
                rest = rest[os.write(self._master, rest[:65536]) :]
            except BlockingIOError:
                self.read(0.01)
        os.set_blocking(self._master, True)

    def resize(self, width: int, height: int) -> None:
        """The window is another size now."""
        self.glass = Glass(width, height)
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))

    def modes_now(self) -> list[Any]:
        """The modes of the terminal, as they were in ``modes`` before the start."""
        return termios.tcgetattr(self._master)

    def hang_up(self) -> None:
        """The other end of the line goes away."""
        if self._master >= 0:
            os.close(self._master)
            self._master = -1

    def ended(self) -> int:
        """Wait for the end; the exit code, negative for a signal."""
        self.until(lambda: self.process.poll() is not None) if self._master >= 0 else self.process.wait(30)
        self.read(0.1) if self._master >= 0 else None
        return self.process.wait()


def desk_command(path: Path, login: str = "amelie") -> list[str]:
    return ["--desk", str(path), "--agent", login, "--lang", "en", "desk"]
