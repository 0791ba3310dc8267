"""Statements that go straight through the driver fail in the same words as all others, and leave nothing behind."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy.exc import IntegrityError

from crisisdesk.errors import StoreUnavailable
from crisisdesk.store.engine import Connection, create_desk
from crisisdesk.store.journal import append, head, verify
from crisisdesk.store.raw import rows, run

NOW = datetime(2022, 5, 31, 8, 0, tzinfo=UTC)


def test_a_full_disk_is_a_sentence_and_nothing_is_written(tmp_path: Path) -> None:
    store = create_desk(tmp_path / "desk.db")
    with store.write() as connection:
        append(connection, agent="a", action="x", subject="s", subject_id=1, now=NOW)
        ((pages,),) = rows(connection, "PRAGMA page_count")
        connection.exec_driver_sql(f"PRAGMA max_page_count={pages + 4}")
    with pytest.raises(StoreUnavailable, match=r"full.*free some space"), store.write() as connection:
        _fill(connection)
    with store.read() as connection:
        assert head(connection)[0] == 1
        assert verify(connection).first_fault is None
    store.close()


def test_a_broken_rule_of_the_schema_stays_a_defect_and_undoes_the_rest(tmp_path: Path) -> None:
    store = create_desk(tmp_path / "desk.db")
    with pytest.raises(IntegrityError), store.write() as connection:
        _tie_nothing(connection)
    with store.read() as connection:
        assert head(connection) == (0, "")
    store.close()


def _fill(connection: Connection) -> None:
    for number in range(1000):
        append(connection, agent="a", action="x", subject="s", subject_id=number, detail={"w": "x" * 500}, now=NOW)


def _tie_nothing(connection: Connection) -> None:
    append(connection, agent="a", action="x", subject="s", subject_id=1, now=NOW)
    run(connection, "INSERT INTO call_patient (call_id, patient_id) VALUES (?, ?)", (1, 1))
