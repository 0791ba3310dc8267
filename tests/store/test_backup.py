"""A backup: whole while others write, private, never over anything, and nothing half made under its name."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from crisisdesk.cli.main import run
from crisisdesk.desk.agents import find_agent
from crisisdesk.desk.backup import Backup, back_up
from crisisdesk.errors import RuleBroken, StoreUnavailable
from crisisdesk.store import journal
from crisisdesk.store.engine import Store, open_desk
from crisisdesk.store.health import examine
from moments import DESK_NOW

WRITER = """
import sys
from pathlib import Path
from crisisdesk.clock import now
from crisisdesk.store import journal
from crisisdesk.store.engine import open_desk

store = open_desk(Path(sys.argv[1]))
print("writing", flush=True)
while True:
    with store.write() as connection:
        journal.append(connection, agent="writer", action="test.written", subject="desk", subject_id=1,
                       detail={"filling": "x" * 2000}, now=now())
"""


def copied(store: Store, target: Path, login: str = "sylvie") -> Backup:
    agent = find_agent(store, login)
    assert agent
    return back_up(store, target, agent=agent, now=DESK_NOW)


def heads(store: Store) -> tuple[int, str]:
    with store.read() as connection:
        return journal.head(connection)


def test_a_copy_is_whole_while_another_process_writes(desk_store: Store, tmp_path: Path) -> None:
    program = [sys.executable, "-c", WRITER, str(desk_store.path)]
    with subprocess.Popen(program, stdout=subprocess.PIPE) as writer:
        try:
            assert writer.stdout
            writer.stdout.readline()
            before = heads(desk_store)[0]
            made = [copied(desk_store, tmp_path / f"copy{number}.desk") for number in range(3)]
        finally:
            writer.kill()
    assert before <= made[0].journal_entries < made[1].journal_entries < made[2].journal_entries
    for one in made:
        copy = open_desk(one.path)
        try:
            found = examine(copy, is_quick=False)
        finally:
            copy.close()
        assert found.is_sound
        assert (found.journal_seq, found.journal_hash) == (one.journal_entries, one.journal_head)
        with desk_store.read() as connection:
            verdict = journal.verify(connection, anchor=(one.journal_entries, one.journal_head))
        assert verdict.first_fault is None, "the head of the copy is an anchor of the desk"


def test_it_is_private_and_leaves_nothing_beside_it(desk_store: Store, tmp_path: Path) -> None:
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    before = os.umask(0)
    try:
        made = copied(desk_store, folder / "copy.desk")
    finally:
        os.umask(before)
    assert [path.name for path in folder.iterdir()] == ["copy.desk"]
    assert made.path.stat().st_mode & 0o777 == 0o600
    assert made.size == made.path.stat().st_size > 0


def test_the_journal_of_the_desk_notes_it(desk_store: Store, tmp_path: Path) -> None:
    made = copied(desk_store, tmp_path / "copy.desk")
    assert heads(desk_store)[0] == made.journal_entries + 1
    with desk_store.read() as connection:
        entry = journal.entries(connection, limit=1)[0]
    assert (entry.action, entry.agent) == ("desk.backed_up", "sylvie")
    assert entry.detail["journal"] == f"{made.journal_entries}:{made.journal_head}"


def test_it_never_replaces_anything(desk_store: Store, tmp_path: Path) -> None:
    target = tmp_path / "copy.desk"
    target.write_text("mine")
    link = tmp_path / "link.desk"
    link.symlink_to(tmp_path / "nowhere")
    for name in (target, link, desk_store.path):
        with pytest.raises(RuleBroken, match="exist"):
            copied(desk_store, name)
    assert target.read_text() == "mine"


def test_where_it_fails_nothing_stands_under_its_name(
    desk_store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    with pytest.raises(RuleBroken):
        copied(desk_store, folder / "missing" / "copy.desk")
    with pytest.raises(RuleBroken):
        copied(desk_store, folder / "copy.desk", login="amelie")

    def half(target: Path) -> None:
        target.write_bytes(desk_store.path.read_bytes()[:6000])

    monkeypatch.setattr(desk_store, "backup", half)
    with pytest.raises(StoreUnavailable):
        copied(desk_store, folder / "copy.desk")
    assert list(folder.iterdir()) == []


def test_the_command(desk_store: Store, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "copy.desk"
    words = ["--desk", str(desk_store.path), "--agent", "sylvie", "--lang", "en", "backup", str(target)]
    assert run(words) == 0
    shown = capsys.readouterr().out
    assert str(target) in shown
    assert str(target.stat().st_size) in shown
    assert run(words) == 1
