"""Whatever is done to the journal behind the program's back is found; what the program does is not."""

import sqlite3
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from crisisdesk.store.engine import create_desk, open_desk
from crisisdesk.store.journal import _digest, append, entries, head, verify
from crisisdesk.store.sqlite import choose_sqlite

NOW = datetime(2022, 5, 31, 8, 0, tzinfo=UTC)
WRITER = Path(__file__).parent / "journal_writer.py"
ENTRIES = 12
COLUMNS = ("entered_at", "happened_at", "agent", "action", "subject", "subject_id", "detail", "previous", "hash")


@pytest.fixture
def chain(tmp_path: Path) -> Path:
    """A copy of a desk with a few entries, its triggers dropped: what somebody with the file in hand can do."""
    store = create_desk(tmp_path / "true.desk")
    for number in range(ENTRIES):
        with store.write() as connection:
            detail = {"name": ["Hélène", f"D'Hondt {number}"]}
            append(connection, agent="jo", action="call.saved", subject="call", subject_id=number, detail=detail,
                   now=NOW + timedelta(seconds=number), happened_at=NOW)  # fmt: skip
    copy = tmp_path / "copy.desk"
    store.backup(copy)
    store.close()
    tamper(copy, "DROP TRIGGER journal_no_update", "DROP TRIGGER journal_no_delete")
    return copy


def tamper(path: Path, *statements: str) -> None:
    """Run statements on a desk's file, outside the program."""
    connection = choose_sqlite().connect(str(path))
    for statement in statements:
        connection.execute(statement)
    connection.commit()
    connection.close()


def verdict(path: Path, anchor: tuple[int, str] | None = None) -> Any:
    store = open_desk(path)
    with store.read() as connection:
        found = verify(connection, anchor)
    store.close()
    return found


def head_of(path: Path) -> tuple[int, str]:
    store = open_desk(path)
    with store.read() as connection:
        found = head(connection)
    store.close()
    return found


def test_an_untouched_journal_fits(chain: Path) -> None:
    found = verdict(chain, head_of(chain))
    assert (found.entries, found.first_fault) == (ENTRIES, None)


@pytest.mark.parametrize("column", COLUMNS)
@pytest.mark.parametrize("seq", [1, 5, ENTRIES])
def test_a_changed_entry_is_found(chain: Path, column: str, seq: int) -> None:
    tamper(chain, f"UPDATE journal SET {column} = {column} || 'x' WHERE seq = {seq}")
    assert verdict(chain).first_fault == seq


FORGERIES: dict[str, tuple[str, ...]] = {
    "first removed": ("DELETE FROM journal WHERE seq = 1",),
    "one removed": ("DELETE FROM journal WHERE seq = 6",),
    "one removed, the rest moved up": ("DELETE FROM journal WHERE seq = 6",
                                       "UPDATE journal SET seq = seq - 1 WHERE seq > 6"),
    "last removed": (f"DELETE FROM journal WHERE seq = {ENTRIES}",),
    "all removed": ("DELETE FROM journal",),
    "put before the first": ("INSERT INTO journal SELECT 0, entered_at, happened_at, agent, action, subject,"
                             " subject_id, detail, '', hash FROM journal WHERE seq = 1",),
    "put in between": ("UPDATE journal SET seq = -seq - 1 WHERE seq > 5", "UPDATE journal SET seq = -seq WHERE seq < 0",
                       "INSERT INTO journal SELECT 6, entered_at, happened_at, agent, action, subject, subject_id,"
                       " detail, previous, hash FROM journal WHERE seq = 5"),
    "put at the end": (f"INSERT INTO journal SELECT {ENTRIES + 1}, entered_at, happened_at, agent, action, subject,"
                       f" subject_id, detail, hash, hash FROM journal WHERE seq = {ENTRIES}",),
    "two swapped": ("UPDATE journal SET seq = -3 WHERE seq = 3", "UPDATE journal SET seq = 3 WHERE seq = 4",
                    "UPDATE journal SET seq = 4 WHERE seq = -3"),
    "what two say swapped": (
        "UPDATE journal SET detail = (SELECT detail FROM journal AS other WHERE other.seq = 7 - journal.seq)"
        " WHERE seq IN (3, 4)",),
    "head changed": ("UPDATE journal_head SET hash = 'x'",),
    "head removed": ("DELETE FROM journal_head",),
    "head moved on": ("UPDATE journal_head SET seq = seq + 1",),
}  # fmt: skip


@pytest.mark.parametrize("forgery", FORGERIES)
def test_a_forgery_is_found(chain: Path, forgery: str) -> None:
    tamper(chain, *FORGERIES[forgery])
    found = verdict(chain)
    assert found.first_fault is not None
    assert found.why


def forge(path: Path, seq: int, copy_of: int, **changes: str) -> None:
    """Write entry ``seq`` as a copy of another one with changes and a hash that is right for itself."""
    connection = choose_sqlite().connect(str(path))
    names = ("seq", *COLUMNS)
    values = connection.execute(f"SELECT {', '.join(names)} FROM journal WHERE seq = {copy_of}").fetchone()
    row = {**dict(zip(names, values, strict=True)), "seq": seq, **changes}
    row["hash"] = _digest([row[name] for name in names if name != "hash"])
    places = ", ".join(f":{name}" for name in names)
    connection.execute(f"INSERT OR REPLACE INTO journal ({', '.join(names)}) VALUES ({places})", row)
    connection.commit()
    connection.close()


def test_an_entry_changed_with_its_hash_breaks_the_one_after_it(chain: Path) -> None:
    forge(chain, 5, 5, agent="somebody")
    assert verdict(chain).first_fault == 6


def test_an_entry_that_fits_but_came_by_other_means_is_found(chain: Path) -> None:
    forge(chain, ENTRIES + 1, ENTRIES, previous=head_of(chain)[1])
    found = verdict(chain)
    assert found.first_fault == ENTRIES + 2
    assert "added" in found.why


def test_a_tail_cut_with_its_head_shows_only_against_an_anchor(chain: Path) -> None:
    anchor = head_of(chain)
    cut = ENTRIES - 4
    tamper(chain, f"DELETE FROM journal WHERE seq > {cut}",
           f"UPDATE journal_head SET seq = {cut}, hash = (SELECT hash FROM journal WHERE seq = {cut})")  # fmt: skip
    assert verdict(chain).first_fault is None, "the chain fits in itself: this is why heads are kept elsewhere"
    assert verdict(chain, anchor).first_fault == ENTRIES


def test_an_early_anchor_holds_as_the_journal_grows(chain: Path) -> None:
    anchor = head_of(chain)
    store = open_desk(chain)
    with store.write() as connection:
        append(connection, agent="jo", action="more", subject="call", subject_id=1, now=NOW)
    store.close()
    assert verdict(chain, anchor).first_fault is None


@pytest.mark.parametrize("statement", ["UPDATE journal SET agent = 'x'", "DELETE FROM journal WHERE seq = 1"])
def test_the_desk_itself_refuses_to_rewrite_its_journal(tmp_path: Path, statement: str) -> None:
    store = create_desk(tmp_path / "a.desk")
    with store.write() as connection:
        append(connection, agent="jo", action="x", subject="call", subject_id=1, now=NOW)
    store.close()
    with pytest.raises((sqlite3.DatabaseError, choose_sqlite().DatabaseError), match="append-only"):
        tamper(tmp_path / "a.desk", statement)


def test_entries_are_read_newest_first_and_by_subject(chain: Path) -> None:
    store = open_desk(chain)
    with store.read() as connection:
        assert [entry.seq for entry in entries(connection, limit=3)] == [12, 11, 10]
        assert [entry.seq for entry in entries(connection, before=3)] == [2, 1]
        [one] = entries(connection, subject="call", subject_id="4")
        assert entries(connection, subject="patient") == ()
    store.close()
    assert (one.seq, one.detail, one.happened_at) == (5, {"name": ["Hélène", "D'Hondt 4"]}, NOW)


def test_four_processes_write_one_dense_chain(tmp_path: Path) -> None:
    desk = tmp_path / "a.desk"
    create_desk(desk).close()
    each = 60
    writers = [start(desk, f"agent{number}", each) for number in range(4)]
    told = [int(line) for writer in writers for line in writer.communicate()[0].split()]
    assert all(writer.returncode == 0 for writer in writers)
    assert sorted(told) == list(range(1, 4 * each + 1))
    assert (verdict(desk).entries, verdict(desk).first_fault) == (4 * each, None)


@pytest.mark.parametrize("after", [1, 7, 23])
def test_kill_9_in_mid_write_loses_nothing_that_was_acknowledged(tmp_path: Path, after: int) -> None:
    desk = tmp_path / "a.desk"
    create_desk(desk).close()
    writers = [start(desk, f"agent{number}", 100_000) for number in range(3)]
    told: list[int] = []
    for writer in writers:
        assert writer.stdout
        told += [int(writer.stdout.readline()) for _line in range(after)]
    for writer in writers:
        writer.kill()
        told += [int(line) for line in writer.communicate()[0].splitlines(keepends=True) if line.endswith("\n")]
    found = verdict(desk)
    assert found.first_fault is None
    assert set(told) <= set(range(1, found.entries + 1))
    assert len(told) == len(set(told))


def start(desk: Path, name: str, count: int) -> "subprocess.Popen[str]":
    command = [sys.executable, str(WRITER), str(desk), name, str(count)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def test_a_tampered_detail_can_still_be_looked_at(chain: Path) -> None:
    tamper(chain, "UPDATE journal SET detail = 'no json' WHERE seq = 12")
    store = open_desk(chain)
    with store.read() as connection:
        assert entries(connection, limit=1)[0].detail == {"?": "no json"}
    store.close()
