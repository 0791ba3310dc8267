"""The demo: its own desk, its whole story without a terminal, and never anybody else's desk."""

import json
import os
import signal
import subprocess
import sys
from datetime import date
from functools import partial
from pathlib import Path

import pytest

from crisisdesk import clock
from crisisdesk.desk.demo import LISTS, TODAY
from crisisdesk.desk.reference import load_reference
from crisisdesk.store import journal
from crisisdesk.store.engine import open_desk


def play(home: Path, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
    """Run the demo without a terminal, in an empty home, with temporary files in that home."""
    (home / "tmp").mkdir(exist_ok=True)
    environment = {"PATH": os.environ["PATH"], "HOME": str(home), "TMPDIR": str(home / "tmp"), "LC_ALL": "C.UTF-8"}
    return subprocess.run(
        [sys.executable, "-m", "crisisdesk", "demo", *words],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, env=environment | more, timeout=110, check=False,
    )  # fmt: skip


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> tuple[subprocess.CompletedProcess[str], Path]:
    """One play of the story in English, beside a desk that is somebody's own."""
    home = tmp_path_factory.mktemp("home")
    own = home / "own.desk"
    own.write_bytes(b"not to be touched")
    return play(home, "--lang", "en", CRISISDESK_DESK=str(own), CRISISDESK_AGENT="nobody"), home


def test_the_story_is_told_to_its_end(played: tuple[subprocess.CompletedProcess[str], Path]) -> None:
    told, _home = played
    assert told.returncode == 0, told.stderr
    assert told.stderr == ""
    heads = [line for line in told.stdout.splitlines() if line.startswith("## ")]
    assert heads[0] == "## A call comes in"
    assert heads[1].startswith("## Arlon opens again")
    assert [head.startswith("## Ring ") for head in heads[2:5]] == [True, True, True]
    assert heads[5] == "## The figures of the day"
    assert told.stdout.count("Why now: ") == 3
    assert told.stdout.count("Saved: ") == 3


def test_every_list_is_imported_and_callbacks_are_released(
    played: tuple[subprocess.CompletedProcess[str], Path],
) -> None:

    told, _home = played
    for _at, name in LISTS:
        line = next(line for line in told.stdout.splitlines() if line.startswith(name))
        assert any(int(word) > 50 for word in line.replace(",", " ").split() if word.isdigit()), line
    confirmed = next(line for line in told.stdout.splitlines() if line.startswith("Confirmed: "))
    assert int(confirmed.split()[1]) > 0


def test_the_path_of_the_desk_is_the_end_and_it_is_sound(
    played: tuple[subprocess.CompletedProcess[str], Path],
) -> None:
    told, home = played
    path = Path(
        next(line for line in told.stdout.splitlines() if line.startswith("The demo desk stays at")).split()[-1]
    )
    assert path.is_relative_to(home / "tmp")
    checked = subprocess.run(
        [sys.executable, "-m", "crisisdesk", "--desk", str(path), "--json", "check"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    found = json.loads(checked.stdout)
    assert (found["is_sound"], found["demo"]) == (True, True)


def test_nobody_elses_desk_is_touched(played: tuple[subprocess.CompletedProcess[str], Path]) -> None:
    _told, home = played
    assert (home / "own.desk").read_bytes() == b"not to be touched"
    assert {path.name for path in home.iterdir()} <= {"own.desk", "tmp", ".local", ".cache"}


def test_a_desk_that_is_there_is_refused(tmp_path: Path) -> None:
    own = tmp_path / "own.desk"
    own.write_bytes(b"not to be touched")
    told = play(tmp_path, "--desk", str(own))
    assert told.returncode == 1
    assert str(own) in told.stderr
    assert own.read_bytes() == b"not to be touched"


def test_json_gives_the_path_alone(tmp_path: Path) -> None:
    told = play(tmp_path, "--json", "--desk", str(tmp_path / "new.desk"))
    assert json.loads(told.stdout) == {"desk": str(tmp_path / "new.desk")}
    assert "##" in told.stderr


def test_a_demo_desk_says_so_and_lives_on_its_own_day(played: tuple[subprocess.CompletedProcess[str], Path]) -> None:

    _told, home = played
    path = next((home / "tmp").rglob("demo.desk"))
    store = open_desk(path)
    try:
        desk = load_reference(store).desk
    finally:
        store.close()
    assert desk.is_demo
    late = clock.now() + desk.clock_shift - TODAY
    assert 0 <= late.total_seconds() < 600, "time runs on from the story's present"


def test_a_command_on_a_demo_desk_lives_on_its_day_too(
    played: tuple[subprocess.CompletedProcess[str], Path],
) -> None:
    _told, home = played
    desk = next((home / "tmp").rglob("demo.desk"))
    words = [sys.executable, "-m", "crisisdesk", "--desk", str(desk), "--agent", "luc", "--json"]
    added = subprocess.run([*words, "call", "add", "silent"], capture_output=True, text=True, check=False)
    assert added.returncode == 0, added.stderr
    store = open_desk(desk)
    with store.read() as connection:
        last = journal.entries(connection, limit=1)[0]
    store.close()
    assert (last.action, last.agent) == ("call.recorded", "luc")
    assert (clock.local_day(last.entered_at, "Europe/Brussels"), last.happened_at.year) == (date(2022, 5, 31), 2022)


def test_an_interrupt_is_quiet_and_leaves_a_sound_desk(tmp_path: Path) -> None:
    desk = tmp_path / "new.desk"
    words = [sys.executable, "-m", "crisisdesk", "demo", "--desk", str(desk)]
    heard = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)  # a shell's background jobs ignore it
    pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(words, preexec_fn=heard, **pipes) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()  # the desk is made, its two weeks have begun
        process.send_signal(signal.SIGINT)
        told = process.stderr.read().decode()
    assert (process.returncode, told) == (130, "")
    store = open_desk(desk)
    with store.read() as connection:
        assert journal.verify(connection).first_fault is None
    store.close()
