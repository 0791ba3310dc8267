"""The demo on a real terminal: the screens open on its desk, and leaving them tells where the desk stays."""

import fcntl
import os
import pty
import re
import select
import struct
import sys
import termios
import time
from pathlib import Path

PATIENCE_SECONDS = 90  # how long a busy machine may need; nothing is measured


def read_until(terminal: int, wanted: str, seen: str = "") -> str:
    """What the program wrote, up to where ``wanted`` is in it or it ended."""
    until = time.monotonic() + PATIENCE_SECONDS
    while wanted not in seen and time.monotonic() < until:
        if select.select([terminal], [], [], 1)[0]:
            try:
                seen += os.read(terminal, 65536).decode(errors="replace")
            except OSError:  # the program closed its end
                break
    return seen


def test_the_demo_opens_the_screens_and_is_left_by_keys(tmp_path: Path) -> None:
    desk = tmp_path / "demo.desk"
    child, terminal = pty.fork()
    if child == 0:
        environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "TERM": "xterm-256color", "LC_ALL": "C.UTF-8"}
        words = [sys.executable, "-m", "crisisdesk", "demo", "--lang", "en", "--desk", str(desk)]
        os.execve(sys.executable, words, environment)
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    seen = read_until(terminal, "Vielsalm")
    assert "Vielsalm" in seen, seen[-2000:]
    seen = read_until(terminal, "Amélie", seen)  # the title may be drawn after the list
    assert "Amélie" in seen, seen[-2000:]
    os.write(terminal, b"\x11")  # ^Q
    seen = read_until(terminal, "[y]")
    os.write(terminal, b"y")
    seen = read_until(terminal, "To open it again", seen)
    _pid, status = os.waitpid(child, 0)
    os.close(terminal)
    assert os.waitstatus_to_exitcode(status) == 0
    assert re.search(r"The demo desk stays at \S+demo\.desk", seen), seen[-2000:]
    assert desk.is_file()
