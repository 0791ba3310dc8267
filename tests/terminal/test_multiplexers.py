"""One whole call inside a real tmux and a real GNU screen, which have keys and habits of their own."""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from crisisdesk.store.engine import Store
from terminal import desk_command

FIELDS = "063231111\tDupont\tÉlise\t12/03/1958\t\ts\t\t\tf\tarlon\to\tle genou à 80 %\t\t\tr\tdemain matin"
F2, SAVE = "\x1bOQ", "\x13"


@pytest.fixture
def sockets(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
    """A short path: a socket's name has a limit."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    monkeypatch.delenv("TMUX", raising=False)
    monkeypatch.delenv("STY", raising=False)
    with tempfile.TemporaryDirectory(prefix="mux-") as folder:
        os.chmod(folder, 0o700)
        yield Path(folder)


def needed(program: str) -> str:
    path = shutil.which(program)
    if path is None:
        print(f"{program} is not installed: skipped")
        pytest.skip(f"{program} is not installed")
    return path


def run(*words: str) -> str:
    return subprocess.run(words, capture_output=True, text=True, timeout=30, check=True).stdout


def until(look: Callable[[], str], words: str, seconds: float = 40.0) -> str:
    """Look until words are on the glass."""
    end = time.monotonic() + seconds
    while words not in (seen := look()):
        assert time.monotonic() < end, f"{words} did not come:\n{seen}"
        time.sleep(0.2)
    return seen


def check_call(store: Store) -> None:
    with store.read() as connection:
        call = connection.exec_driver_sql("SELECT caller_phone, site_id, words, disposition FROM call").one()
        patient = connection.exec_driver_sql("SELECT last_name, first_name, birth_on FROM patient").one()
    assert tuple(call) == ("+3263231111", "arlon", "le genou à 80 %", "callback")
    assert tuple(patient) == ("Dupont", "Élise", "1958-03-12")


def test_a_whole_call_in_tmux(desk_path: Path, desk_store: Store, sockets: Path) -> None:
    tmux = [needed("tmux"), "-u", "-f", "/dev/null", "-S", str(sockets / "t")]
    program = [sys.executable, "-m", "crisisdesk", *desk_command(desk_path)]
    run(*tmux, "new-session", "-d", "-x", "80", "-y", "24", *program)
    try:

        def look() -> str:
            return run(*tmux, "capture-pane", "-p")

        until(look, "Arlon")
        run(*tmux, "send-keys", "F2")
        until(look, "Exact words")
        for number, field in enumerate(FIELDS.split("\t")):
            if number:
                run(*tmux, "send-keys", "Tab")
            run(*tmux, "send-keys", "-l", field) if field else None
        until(look, "demain matin")
        run(*tmux, "send-keys", "F1")
        until(look, "Help")
        run(*tmux, "send-keys", "Escape")  # and at once, as fast as the line allows:
        run(*tmux, "send-keys", "C-s")
        until(look, "Saved")
        check_call(desk_store)
    finally:
        run(*tmux, "kill-server")


def test_a_whole_call_in_gnu_screen(
    desk_path: Path, desk_store: Store, sockets: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    screen = [needed("screen"), "-U", "-c", "/dev/null", "-S", "desk"]
    monkeypatch.setenv("SCREENDIR", str(sockets))
    monkeypatch.setenv("TERM", "xterm")
    program = [sys.executable, "-m", "crisisdesk", *desk_command(desk_path)]
    run(*screen, "-dm", *program)
    glass = sockets / "glass"
    try:

        def look() -> str:
            run(*screen, "-X", "hardcopy", str(glass))
            time.sleep(0.1)
            return glass.read_text("utf-8", "replace") if glass.exists() else ""

        def stuff(keys: str) -> None:
            run(*screen, "-p", "0", "-X", "stuff", keys)

        until(look, "Arlon")
        stuff(F2)
        until(look, "Exact words")
        stuff(FIELDS)
        until(look, "demain matin")
        stuff(SAVE)
        until(look, "Saved")
        check_call(desk_store)
    finally:
        run(*screen, "-X", "quit")
