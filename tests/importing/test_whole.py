"""Whole or not at all: an import is stopped half-way while everything is read, killed, and followed by the next one."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from handmade import NOW, count, person, take_in, write

from crisisdesk.desk.agents import find_agent
from crisisdesk.desk.home import count_sites
from crisisdesk.desk.importing.looking import list_imports, list_proposals
from crisisdesk.desk.linking import find_matches
from crisisdesk.desk.patients import merge_patients
from crisisdesk.desk.queue import list_queue
from crisisdesk.desk.reference import load_reference
from crisisdesk.desk.reopening import list_services
from crisisdesk.domain.matching import MatchQuery
from crisisdesk.reports.coverage import desk_coverage
from crisisdesk.reports.figures import day_figures
from crisisdesk.store import journal
from crisisdesk.store.engine import Store, open_desk
from crisisdesk.store.matchdetails import read_details
from crisisdesk.store.personfile import events, listed_in, read_row

ROWS, EARLIER = 3_000, 200
TYPED = ("familleaa", "famille", "fam", "marie", "mar", "12/03/1958", "0451 00 00 07", "000107", "acte", "noiret marie")
PRIVATE = ("source_file", "import_row", "sqlite_sequence")
"""Tables of the import's own, beside the staging tables; what is read of them is in what the desk shows."""


def earlier_rows() -> list[str]:
    return [person(number) for number in range(EARLIER)]


def later_rows() -> list[str]:
    """The same people with some changes (a priority, a day, a telephone, a birth date), some gone, and many new."""
    changed = [
        person(0, prio="P2"), person(1, date="07/06/2022"), person(2, tel="0471 22 33 44"), person(3, ddn=""),
        person(4, niss="58031204459", ddn="12/03/1958"), person(5, prio="P2", salle="Salle 9"),
    ]  # fmt: skip
    second = [person(number, acte="Visite") for number in range(20, 30)]  # more items for known people
    second += [person(number, acte="Visite", tel="") for number in range(30, 40)]  # and for people who may be known
    return [*changed, *(person(number) for number in range(6, EARLIER - 10)), *second,
            *(person(number) for number in range(EARLIER, ROWS)), person(7), person(ROWS - 1)]  # fmt: skip


def shown(store: Store) -> dict[str, Any]:
    """All that any reader of the desk gives, as it stands now."""
    reference = load_reference(store)
    found: dict[str, Any] = {text: find_matches(store, MatchQuery(text=text), now=NOW) for text in TYPED}
    found["sites"] = count_sites(store, now=NOW)
    found["queues"] = [list_queue(store, site, now=NOW, limit=5000) for site in reference.sites]
    found["coverage"] = desk_coverage(store, now=NOW)
    found["figures"] = day_figures(store, NOW.date(), now=NOW, zone=reference.desk.time_zone)
    found["services"] = list_services(store, now=NOW)
    found["imports"], found["proposals"] = list_imports(store), list_proposals(store)
    with store.read() as connection:
        people = range(1, 2 * ROWS)  # ids that exist, and those that were reserved
        found["people"] = [read_row(connection, number) for number in people]
        found["events"] = [events(connection, number) for number in people[: EARLIER + 50]]
        found["listed"] = listed_in(connection, list(people))
        found["details"] = read_details(connection, people, now=NOW)
        found["tables"] = {name: rows_of(connection, name) for name in visible_tables(connection)}
    return found


def visible_tables(connection: Any) -> list[str]:
    names = [row[0] for row in connection.exec_driver_sql("SELECT name FROM sqlite_schema WHERE type = 'table'")]
    return [name for name in names if name not in PRIVATE and not name.startswith("staged_")]


def rows_of(connection: Any, table: str) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in connection.exec_driver_sql(f"SELECT * FROM {table}")]


OUTCOME = """
SELECT p.last_name, p.first_name, p.full_name, p.name_key, p.first_key, p.birth_on, p.niss, p.contact_note,
  (SELECT json_group_array(json_array(f.position, f.number, f.comment, f.is_guessed)) FROM phone f
   WHERE f.patient_id = p.id),
  (SELECT group_concat(word) FROM (SELECT word FROM patient_word w WHERE w.patient_id = p.id ORDER BY word)),
  i.site_id, i.service_id, i.kind, i.procedure, i.clinician, i.room, i.remark, i.original_on, i.planned_on,
  i.planned_time, i.priority, i.priority_by, i.missing_since_id IS NOT NULL,
  b.state, b.tier, b.due_at, b.why ->> '$.rule', b.why ->> '$.priority', b.released_at, b.hold
FROM postponement i JOIN patient p ON p.id = i.patient_id
LEFT JOIN callback_item c ON c.postponement_id = i.id LEFT JOIN callback b ON b.id = c.callback_id
ORDER BY i.procedure, p.name_key, i.planned_on
"""


def outcome(store: Store) -> dict[str, Any]:
    """What an import came to, without ids: those of a killed one are not used again."""
    with store.read() as connection:
        rows = [tuple(row) for row in connection.exec_driver_sql(OUTCOME)]
        assert journal.verify(connection).first_fault is None
        assert connection.exec_driver_sql("PRAGMA foreign_key_check").all() == []
        links = (
            "SELECT count(*) FROM import_row r LEFT JOIN patient p ON p.id = r.patient_id"
            " LEFT JOIN postponement i ON i.id = r.postponement_id"
            " WHERE r.postponement_id IS NOT NULL AND (i.id IS NULL OR p.id IS NULL)"
        )
        assert connection.exec_driver_sql(links).scalar_one() == 0
        changes = connection.exec_driver_sql("SELECT change, count(*) FROM import_row GROUP BY 1").all()
    people = count(store, "patient"), count(store, "callback"), count(store, "likeness")
    return {"rows": rows, "changes": changes, "people": people, "coverage": desk_coverage(store, now=NOW),
            "sites": count_sites(store, now=NOW)}  # fmt: skip


@contextmanager
def stopped_at(desk: Path, path: Path, moment: str) -> Iterator[subprocess.Popen[bytes]]:
    """An import that stands still at a moment; killed at the end of the block."""
    folder = Path(__file__).parent
    environment = {**os.environ, "PYTHONPATH": str(folder)}
    command = [sys.executable, str(folder / "killed_import.py"), str(desk), str(path), moment]
    process = subprocess.Popen(command, env=environment)
    try:
        _pid, status = os.waitpid(process.pid, os.WUNTRACED)
        assert os.WIFSTOPPED(status), "the import ended before its moment came"
        yield process
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait(timeout=30)


@pytest.fixture(scope="module")
def lists(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("lists")
    return write(folder / "bloc_v1.csv", earlier_rows()), write(folder / "bloc_v2.csv", later_rows())


@pytest.fixture(scope="module")
def undisturbed(desk_template: Path, lists: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> Any:
    """What the two lists come to when nobody kills anything."""
    desk = tmp_path_factory.mktemp("undisturbed") / "desk.db"
    desk.write_bytes(desk_template.read_bytes())
    store = open_desk(desk)
    for path in lists:
        take_in(store, path)
    found = outcome(store)
    store.close()
    return found


@pytest.mark.parametrize("moment", ["part:0", "part:2", "staged", "publishing"])
def test_nobody_sees_half_a_list(desk_path: Path, lists: tuple[Path, Path], undisturbed: Any, moment: str) -> None:
    store = open_desk(desk_path)
    take_in(store, lists[0])
    before = shown(store)
    with stopped_at(desk_path, lists[1], moment):
        during = shown(store)
        assert [name for name in before if before[name] != during[name]] == []
    after = shown(store)
    assert [name for name in before if before[name] != after[name]] == []
    again = take_in(store, lists[1])
    assert again.files[0]["counts"]["duplicate"] == 2
    assert outcome(store) == undisturbed
    assert all(count(store, table) == 0 for table in ("staged_patient", "staged_word", "staged_postponement"))
    assert count(store, "source_file") == 2
    store.close()


def test_killed_after_the_last_step_the_list_is_there(
    desk_path: Path, lists: tuple[Path, Path], undisturbed: Any, tmp_path: Path
) -> None:
    store = open_desk(desk_path)
    take_in(store, lists[0])
    with stopped_at(desk_path, lists[1], "published"):
        pass
    assert outcome(store) == undisturbed
    report = take_in(store, lists[1])
    assert {row["change"] for row in report.rows} == {None, "same"}
    assert outcome(store) == undisturbed
    assert count(store, "staged_patient") == 0
    store.close()


def test_agents_work_while_a_list_is_staged(desk_path: Path, lists: tuple[Path, Path], undisturbed: Any) -> None:
    """What they add keeps its ids apart from the reserved ones; a merge is followed by the list that comes after."""
    store = open_desk(desk_path)
    ids = {row["values"]["procedure"]: row["patient"] for row in take_in(store, lists[0]).rows}
    stays, gone = ids["Acte 40"], ids["Acte 20"]
    amelie = find_agent(store, "amelie")
    assert amelie
    with stopped_at(desk_path, lists[1], "staged") as process:
        with store.write() as connection:
            insert = "INSERT INTO patient (last_name, created_at) VALUES ('MEANWHILE', '2022-05-20 08:00:00.000000')"
            made = connection.exec_driver_sql(insert).lastrowid
        assert merge_patients(store, stays, gone, agent=amelie, now=NOW) == stays
        process.send_signal(signal.SIGCONT)
        assert process.wait(timeout=60) == 0
    assert made
    assert made > ROWS - EARLIER
    found = outcome(store)
    assert len(found["rows"]) == len(undisturbed["rows"])
    assert (found["people"][0], found["changes"]) == (undisturbed["people"][0] + 1, undisturbed["changes"])
    with store.read() as connection:
        query = "SELECT procedure FROM postponement WHERE patient_id = ? ORDER BY procedure, id"
        assert connection.exec_driver_sql(query, (gone,)).all() == []
        theirs = [row[0] for row in connection.exec_driver_sql(query, (stays,))]
    assert theirs == ["Acte 20", "Acte 40", "Visite"]
    store.close()
