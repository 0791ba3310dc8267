"""Lists in: rows a second against csv + executemany into the same tables; how long the write lock is held."""

import csv
import io
import random
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from time import perf_counter
from typing import Any

from harness import Result, timed

from crisisdesk.desk.agents import find_agent
from crisisdesk.desk.importing.preparing import Options
from crisisdesk.desk.importing.running import import_files
from crisisdesk.desk.reference import data_folder, init_desk
from crisisdesk.store.engine import Connection, Store, open_desk

ROWS = 5_000
NOW = datetime(2022, 5, 20, 8, 0, tzinfo=UTC)
HEADER = "NOM;PRENOM;DDN;NISS;TEL;INTERVENTION;CHIRURGIEN;DATE PREVUE;HEURE;SALLE;PRIORITE;REMARQUE"
FLOOR = (
    "INSERT INTO patient (id, last_name, first_name, birth_on, niss, name_key, first_key, created_at)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
    "INSERT INTO phone (patient_id, number, reversed, added_at) VALUES (?, ?, ?, ?)",
    "INSERT INTO postponement (patient_id, site_id, procedure, clinician, original_on, planned_on, priority, source,"
    " created_at)"
    " VALUES (?, 'arlon', ?, ?, ?, ?, ?, 'list', ?)",
)


def run(folder: Path, runs: int) -> Iterable[Result]:
    """Import a theatre list of 5,000 rows into an empty desk, a fresh one for each run."""
    text = _list_of(ROWS)
    path = folder / "bloc.csv"
    path.write_text(text, encoding="cp1252")
    ours, floor, holds = [], [], []
    for number in range(max(3, runs // 5)):
        store = _desk(folder / f"ours{number}.db")
        ours.append(_import(store, path, holds))
        store.close()
        store = _desk(folder / f"floor{number}.db")
        floor.append(timed(lambda store=store: _plain(store, text)))  # type: ignore[misc]
        store.close()
    rates = [sorted(ROWS / ms * 1000 for ms in times)[len(times) // 2] for times in (ours, floor)]
    yield Result(
        "import, rows/s against csv + executemany", rates[0], rates[1], 0.6, len(ours), "/s", more_is_better=True
    )
    yield Result("import, longest hold of the write lock", max(holds), None, 200, len(holds))
    yield _last_step(folder)


def _last_step(folder: Path) -> Result:
    """How long a list twice as long keeps the lock where it becomes visible, all of it at once; median of three."""
    path = folder / "bloc_long.csv"
    path.write_text(_list_of(2 * ROWS), encoding="cp1252")
    longest = []
    for number in range(3):
        holds: list[float] = []
        store = _desk(folder / f"long{number}.db")
        _import(store, path, holds)
        store.close()
        longest.append(max(holds))
    return Result(f"import of {2 * ROWS} rows, longest hold, median", sorted(longest)[1], None, 200, 3)


def _desk(path: Path) -> Store:
    init_desk(path, data_folder(), admin_login="chef", now=NOW)
    return open_desk(path)


def _import(store: Store, path: Path, holds: list[float]) -> float:
    """Milliseconds of one import; each write transaction's length is added to ``holds``."""
    agent = find_agent(store, "chef")
    assert agent
    write = store.write

    @contextmanager
    def timed_write() -> Iterator[Connection]:
        with write() as connection:
            begin = perf_counter()
            yield connection
        holds.append((perf_counter() - begin) * 1000)

    store.write = timed_write  # type: ignore[method-assign]
    return timed(lambda: import_files(store, [path], Options(site="arlon"), agent=agent, now=NOW))


def _plain(store: Store, text: str) -> None:
    """The floor: no check, no link, no callback, no report; the same three tables with their indexes."""
    rows = list(csv.reader(io.StringIO(text), delimiter=";"))[1:]
    stamp = NOW.isoformat()
    patients: list[tuple[Any, ...]] = []
    phones: list[tuple[Any, ...]] = []
    items: list[tuple[Any, ...]] = []
    for number, row in enumerate(rows, start=1):
        patients.append((number, row[0], row[1], row[2], row[3], row[0].lower(), row[1].lower(), stamp))
        phones.append((number, row[4], row[4][::-1], stamp))
        items.append((number, row[5], row[6], row[7], row[7], row[10], stamp))
    with store.write() as connection:
        for statement, entries in zip(FLOOR, (patients, phones, items), strict=True):
            connection.exec_driver_sql(statement, entries)


def _list_of(count: int) -> str:
    chance = random.Random(5)
    lines = [HEADER]
    for number in range(count):
        born = date(1930, 1, 1) + timedelta(days=chance.randrange(33_000))
        base = f"{born:%y%m%d}{number % 997 + 1:03d}"
        whole = int(base) + (2_000_000_000 if born.year >= 2000 else 0)
        day = date(2022, 5, 16) + timedelta(days=chance.randrange(60))
        name = f"NOIRET{chr(65 + number % 26)}{chr(65 + number // 26 % 26)}"
        lines.append(
            f"{name};Marie;{born:%d/%m/%Y};{base}{97 - whole % 97:02d};0{451000000 + number};PTG gauche;Dr Hautmont;"
            f"{day:%d/%m/%Y};{8 + number % 9:02d}:15;Salle {number % 5};P{2 + number % 3};Prévenir la famille"
        )
    return "\n".join(lines) + "\n"
