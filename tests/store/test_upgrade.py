"""A desk that an earlier version made is brought up to date when it is opened, with everything in it."""

from pathlib import Path

import pytest

from crisisdesk.desk.reference import data_folder, init_desk, load_reference
from crisisdesk.domain.words import Channel
from crisisdesk.store import engine
from crisisdesk.store.engine import Store, create_desk, open_desk, schema_version
from crisisdesk.store.sqlite import choose_sqlite
from moments import DESK_NOW

KEPT = ("desk", "site", "service", "disposition", "priority_limit", "agent")
OLD_ROWS = (
    "INSERT INTO patient (id, last_name, created_at) VALUES (7, 'Dupont', '2022-05-17 08:00:00.000000')",
    "INSERT INTO postponement (id, patient_id, site_id, service_id, original_on, priority, source, created_at) "
    "VALUES (9, 7, 'arlon', 1, '2022-05-17', 'P3', 'list', '2022-05-17 08:00:00.000000')",
    "INSERT INTO callback (id, patient_id, site_id, tier, due_at, created_at) "
    "VALUES (3, 7, 'arlon', 2, '2022-08-09 00:00:00.000000', '2022-05-17 08:00:00.000000')",
    "INSERT INTO callback_item VALUES (3, 9, '2022-05-17 08:00:00.000000')",
    "INSERT INTO opening (id, service_id, stage, state, opens_on, capacity_a_day, agent_id, entered_at) "
    "VALUES (9001, 1, 'actual', 'partial', '2022-05-31', 12, 1, '2022-05-30 08:00:00.000000')",
)


@pytest.fixture
def old_desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A desk with the first schema, filled: what the program of that day would have left behind."""
    new, old = tmp_path / "new.desk", tmp_path / "old.desk"
    init_desk(new, data_folder(), admin_login="chef", now=DESK_NOW)
    first = engine._migrations()[:1]
    with monkeypatch.context() as patched:
        patched.setattr(engine, "_migrations", lambda: first)
        create_desk(old).close()
    raw = choose_sqlite().connect(str(old), isolation_level=None)
    raw.execute("ATTACH ? AS new", (str(new),))
    for table in KEPT:
        names = ", ".join(row[1] for row in raw.execute(f"PRAGMA main.table_info({table})"))
        raw.execute(f"INSERT INTO main.{table} ({names}) SELECT {names} FROM new.{table}")
    for statement in OLD_ROWS:
        raw.execute(statement)
    raw.close()
    return old


def counts(store: Store) -> dict[str, int]:
    tables = (*KEPT, "patient", "postponement", "callback", "callback_item", "opening")
    with store.read() as connection:
        return {name: connection.exec_driver_sql(f"SELECT count(*) FROM {name}").scalar_one() for name in tables}


def test_an_old_desk_keeps_its_rows_and_learns_the_new_ones(old_desk: Path) -> None:
    raw = choose_sqlite().connect(str(old_desk))
    assert raw.execute("PRAGMA user_version").fetchone() == (1,)
    tables = (*KEPT, "patient", "postponement", "callback", "callback_item", "opening")
    before = {name: raw.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in tables}
    raw.close()
    store = open_desk(old_desk)
    assert counts(store) == before
    with store.read() as connection:
        assert connection.exec_driver_sql("PRAGMA user_version").scalar_one() == schema_version() > 1
        assert connection.exec_driver_sql("PRAGMA foreign_key_check").all() == []
        row = connection.exec_driver_sql("SELECT limits, until_on, capacity_a_day FROM opening WHERE id = 9001").one()
    assert tuple(row) == ("{}", None, 12)
    reference = load_reference(store)
    assert reference.desk.undo_seconds == 900
    assert reference.desk.channels == (Channel.LETTER, Channel.GP, Channel.NEXT_OF_KIN)
    store.close()


def test_an_upgrade_that_fails_leaves_the_old_desk(old_desk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second, *_rest = engine._migrations()
    broken = (second[0], second[1], second[2] + "\nALTER TABLE nowhere ADD COLUMN x TEXT;\n")
    monkeypatch.setattr(engine, "_migrations", lambda: [first, broken])
    with pytest.raises(Exception, match="nowhere"):
        open_desk(old_desk)
    raw = choose_sqlite().connect(str(old_desk))
    assert raw.execute("PRAGMA user_version").fetchone() == (1,)
    assert "limits" not in [row[1] for row in raw.execute("PRAGMA table_info(opening)")]
    raw.close()
