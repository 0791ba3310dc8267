"""The desk's file: opened only when it is safe, refused by name otherwise, written in one transaction at a time."""

import fcntl
import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace

import pytest
from sqlalchemy import text
from sqlmodel import SQLModel

from crisisdesk.errors import StoreUnavailable
from crisisdesk.store import engine, tables
from crisisdesk.store.engine import APPLICATION_ID, create_desk, open_desk, schema_version
from crisisdesk.store.sqlite import choose_sqlite, is_safe


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        ((3, 7, 0), False), ((3, 40, 1), False), ((3, 44, 5), False), ((3, 44, 6), True), ((3, 44, 9), True),
        ((3, 45, 0), False), ((3, 45, 3), False), ((3, 50, 6), False), ((3, 50, 7), True), ((3, 51, 0), False),
        ((3, 51, 2), False), ((3, 51, 3), True), ((3, 52, 0), True), ((3, 53, 4), True), ((4, 0, 0), True),
    ],
)  # fmt: skip
def test_versions_with_the_reset_race_are_unsafe(version: tuple[int, ...], expected: bool) -> None:
    assert is_safe(version) is expected


def test_the_wheel_is_taken_where_the_system_is_unsafe(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sqlite3.sqlite_version_info", (3, 40, 1))
    wheel = SimpleNamespace(sqlite_version_info=(3, 51, 3), sqlite_version="3.51.3")
    monkeypatch.setitem(sys.modules, "pysqlite3", wheel)
    assert choose_sqlite() is wheel


@pytest.mark.parametrize("wheel", [None, SimpleNamespace(sqlite_version_info=(3, 46, 0), sqlite_version="3.46.0")])
def test_no_safe_engine_no_desk(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, wheel: object) -> None:
    monkeypatch.setattr("sqlite3.sqlite_version_info", (3, 40, 1))
    monkeypatch.setitem(sys.modules, "pysqlite3", wheel)
    with pytest.raises(StoreUnavailable, match="pip install"):
        create_desk(tmp_path / "a.desk")
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    path = tmp_path / "a.desk"
    create_desk(path).close()
    return path


def test_a_new_desk_is_private_and_marked(desk: Path) -> None:
    assert desk.stat().st_mode & 0o777 == 0o600
    assert int.from_bytes(desk.read_bytes()[68:72], "big") == APPLICATION_ID
    store = open_desk(desk)
    with store.read() as connection:
        assert connection.exec_driver_sql("PRAGMA user_version").scalar_one() == schema_version()
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar_one() == "wal"
    store.close()


@pytest.mark.parametrize("way", ["read", "write"])
def test_every_connection_is_safe(desk: Path, way: str) -> None:
    store = open_desk(desk)
    wanted = {"synchronous": 2, "foreign_keys": 1, "trusted_schema": 0, "busy_timeout": 15_000, "mmap_size": 0,
              "query_only": int(way == "read")}  # fmt: skip
    with getattr(store, way)() as connection:
        found = {name: connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in wanted}
    store.close()
    assert {name: value or 0 for name, value in found.items()} == wanted


def test_a_desk_is_never_overwritten(desk: Path) -> None:
    before = desk.read_bytes()
    with pytest.raises(StoreUnavailable, match="exists already"):
        create_desk(desk)
    assert desk.read_bytes() == before


def test_a_missing_desk_is_named_and_not_made(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable, match=r"no desk at .*nowhere\.desk"):
        open_desk(tmp_path / "nowhere.desk")
    assert list(tmp_path.iterdir()) == []


def test_a_newer_schema_is_refused_by_name(desk: Path) -> None:
    newer = schema_version() + 1
    raw(desk, f"PRAGMA user_version={newer}")
    before = desk.read_bytes()
    with pytest.raises(StoreUnavailable, match=rf"schema {newer}; this program knows {schema_version()}"):
        open_desk(desk)
    assert desk.read_bytes() == before


def test_another_database_is_refused(tmp_path: Path) -> None:
    other = tmp_path / "other.db"
    raw(other, "CREATE TABLE recipe (name TEXT)")
    with pytest.raises(StoreUnavailable, match="not a CrisisDesk desk"):
        open_desk(other)


@pytest.mark.parametrize("content", [b"", b"name;phone\n" * 200, os.urandom(8192)], ids=["empty", "text", "noise"])
def test_no_database_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "list.csv"
    path.write_bytes(content)
    with pytest.raises(StoreUnavailable, match=r"list\.csv"):
        open_desk(path)
    assert path.read_bytes()[: len(content)] == content


def test_a_damaged_desk_is_kept_and_not_repaired(desk: Path) -> None:
    content = bytearray(desk.read_bytes())
    content[4096 : 4096 * 6] = b"\xa5" * (4096 * 5)
    desk.write_bytes(content)

    def read_everything() -> None:
        store = open_desk(desk)
        try:
            with store.read() as connection:
                for table in SQLModel.metadata.sorted_tables:
                    connection.execute(table.select()).all()
        finally:
            store.close()

    with pytest.raises(StoreUnavailable, match="damaged"):
        read_everything()
    assert desk.read_bytes() == bytes(content)


def test_a_truncated_desk_is_refused(desk: Path) -> None:
    content = desk.read_bytes()
    desk.write_bytes(content[: len(content) // 2 - 100])
    with pytest.raises(StoreUnavailable, match="damaged"):
        open_desk(desk)


READER = """
import os, sys
from pathlib import Path
from crisisdesk.errors import StoreUnavailable
from crisisdesk.store.engine import open_desk
open_desk(Path(sys.argv[2])).close()  # everything is imported while that is allowed
if os.geteuid() == 0:
    os.setuid(65534)  # root may write everywhere
try:
    store = open_desk(Path(sys.argv[1]))
    with store.write() as connection:
        connection.exec_driver_sql("DELETE FROM agent")
except StoreUnavailable as error:
    print(error)
"""


@pytest.mark.parametrize("folder_mode", [0o755, 0o777], ids=["folder too", "file only"])
def test_a_desk_that_may_only_be_read_says_so(desk: Path, folder_mode: int) -> None:
    with TemporaryDirectory() as name:  # not below tmp_path, which is closed to others
        path = Path(name) / "read.desk"
        shutil.copy(desk, path)
        path.chmod(0o444)
        Path(name).chmod(folder_mode)
        ran = subprocess.run([sys.executable, "-c", READER, str(path), str(desk)], capture_output=True, text=True)
    assert str(path) in ran.stdout, ran.stderr
    assert "rights" in ran.stdout


def test_reading_connections_cannot_write(desk: Path) -> None:
    store = open_desk(desk)
    with pytest.raises(StoreUnavailable), store.read() as connection:
        fill(connection, 1)
    store.close()


def test_a_full_disk_loses_nothing_and_says_what_to_do(desk: Path) -> None:
    store = open_desk(desk)
    with store.write() as connection:
        fill(connection, 1)
    with store.read() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
    with store.write() as connection:
        connection.exec_driver_sql(f"PRAGMA max_page_count={pages + 4}")
    with pytest.raises(StoreUnavailable, match=r"full.*free some space"), store.write() as connection:
        fill(connection, 5000, first=1)
    with store.read() as connection:
        assert [row.name for row in connection.execute(tables.agent.select())] == ["agent 0"]
    with store.write() as connection:  # space again, same process, same save
        connection.exec_driver_sql("PRAGMA max_page_count=1000000")
        fill(connection, 5000, first=1)
    with store.read() as connection:
        assert len(connection.execute(tables.agent.select()).all()) == 5001
    store.close()


FILLER = """
import resource, sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from test_engine import fill
from crisisdesk.errors import StoreUnavailable
from crisisdesk.store.engine import open_desk
store = open_desk(Path(sys.argv[1]))
with store.write() as connection:
    fill(connection, 1)
resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))
try:
    with store.write() as connection:
        fill(connection, 20_000, first=1)
except StoreUnavailable as error:
    print(error)
"""


def test_a_write_that_the_system_cuts_off_is_all_or_nothing(desk: Path) -> None:
    command = [sys.executable, "-c", FILLER, str(desk), str(Path(__file__).parent)]
    ran = subprocess.run(command, capture_output=True, text=True, check=True)
    assert str(desk) in ran.stdout
    store = open_desk(desk)
    with store.read() as connection:
        assert len(connection.execute(tables.agent.select()).all()) == 1
        assert connection.exec_driver_sql("PRAGMA integrity_check").scalar_one() == "ok"
    store.close()


def fill(connection: engine.Connection, number: int, first: int = 0) -> None:
    """Write so many agents."""
    rows = [
        {"login": f"agent{n}", "name": f"agent {n}", "role": "agent", "created_at": "2022-05-31"}
        for n in range(first, first + number)
    ]
    statement = "INSERT INTO agent (login, name, role, created_at) VALUES (:login, :name, :role, :created_at)"
    connection.execute(text(statement), rows)


def raw(path: Path, *statements: str) -> None:
    """Run statements outside the program."""
    connection = choose_sqlite().connect(str(path), isolation_level=None)
    for statement in statements:
        connection.execute(statement)
    connection.close()


def test_every_write_holds_the_lock_from_its_first_moment(desk: Path) -> None:
    store, driver = open_desk(desk), choose_sqlite()
    other = driver.connect(str(desk), timeout=0, isolation_level=None)
    with store.write(), pytest.raises(driver.OperationalError, match="locked"):
        other.execute("BEGIN IMMEDIATE")  # nothing was written yet
    other.execute("BEGIN IMMEDIATE")
    other.execute("ROLLBACK")
    with store.read():
        other.execute("BEGIN IMMEDIATE")  # a reader is in nobody's way
        other.execute("ROLLBACK")
    other.close()
    store.close()


def test_an_exception_in_a_write_leaves_nothing(desk: Path) -> None:
    store = open_desk(desk)

    def fail_late() -> None:
        with store.write() as connection:
            fill(connection, 3)
            raise KeyError("something else")

    with pytest.raises(KeyError):
        fail_late()
    with store.read() as connection:
        assert connection.execute(tables.agent.select()).all() == []
    store.close()


def test_a_process_that_sleeps_with_the_gate_does_not_stop_the_desk(
    desk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "BUSY_SECONDS", 0.2)
    store, sleeper = open_desk(desk), open_desk(desk)
    fcntl.flock(sleeper._gate, fcntl.LOCK_EX)
    with store.write() as connection:
        fill(connection, 1)
    store.close()
    sleeper.close()


def test_tables_and_migrations_say_the_same(desk: Path) -> None:
    store = open_desk(desk)
    with store.read() as connection:
        listed = connection.exec_driver_sql("PRAGMA table_list").all()
        in_file = {row[1]: bool(row[5]) for row in listed if row[0] == "main" and not row[1].startswith("sqlite_")
                   and row[2] == "table"}  # fmt: skip
        for name, table in SQLModel.metadata.tables.items():
            columns = {row[1]: bool(row[3]) or bool(row[5]) for row in
                       connection.exec_driver_sql(f"PRAGMA table_info({name})")}  # fmt: skip
            assert columns == {column.name: not column.nullable for column in table.columns}, name
    store.close()
    plain = {name for name in in_file if not name.endswith(("_data", "_idx", "_content", "_docsize", "_config"))}
    assert plain == set(SQLModel.metadata.tables)
    assert [name for name in plain if not in_file[name]] == [], "every table is STRICT"


def test_strict_tables_refuse_the_wrong_kind(desk: Path) -> None:
    store = open_desk(desk)
    statement = "INSERT INTO priority_limit (code, position, limit_seconds) VALUES ('P1a', 'first', 86400)"
    with pytest.raises(Exception, match="cannot store TEXT value in INTEGER column"), store.write() as connection:
        connection.exec_driver_sql(statement)
    store.close()


def test_a_copy_of_a_live_desk_is_whole(desk: Path, tmp_path: Path) -> None:
    store = open_desk(desk)
    with store.write() as connection:
        fill(connection, 10)
        copy = tmp_path / "copy.desk"
    store.backup(copy)
    shutil.copy(copy, tmp_path / "moved.desk")
    store.close()
    again = open_desk(tmp_path / "moved.desk")
    with again.read() as connection:
        assert len(connection.execute(tables.agent.select()).all()) == 10
    again.close()


def test_data_version_moves_for_others_only_when_something_was_written(desk: Path) -> None:
    store = open_desk(desk)
    before = store.data_version()
    with store.read():
        pass
    assert store.data_version() == before
    with store.write() as connection:
        fill(connection, 1)
    assert store.data_version() != before
    store.close()


def test_a_watch_that_is_asked_while_the_store_closes_is_told_nothing(desk_path: Path) -> None:
    """Both threads used one connection: closing it under a statement ended the process with a segmentation fault."""
    for _round in range(20):
        store = open_desk(desk_path)
        store.data_version()
        asked = threading.Thread(target=lambda one=store: [one.data_version() for _number in range(2000)])
        asked.start()
        store.close()
        asked.join()
        assert store.data_version() == -1
