"""Recording a call against the same rows in raw sqlite3: one call, two links, one journal entry, one durable
transaction."""

import itertools
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from harness import Result, measure
from people import NOW, make_desk

from crisisdesk.desk.agents import find_agent
from crisisdesk.desk.intake import CallForm, ItemSaid, record_call
from crisisdesk.desk.reference import load_reference
from crisisdesk.store.sqlite import choose_sqlite

COLUMNS = (
    "uid, number, reference, started_at, entered_at, taken_by, entered_by, caller_phone, site_id, topic, words,"
    " disposition, reversed_phone"
)
BATCH = 20
STAMP = "2022-05-31 12:00:00.000000"


def run(folder: Path, runs: int) -> Iterable[Result]:
    """A call on a patient and a postponement of a list, which changes nothing else."""
    store = make_desk(folder / "desk.db", 2_000)
    reference, agent = load_reference(store), find_agent(store, "bench")
    assert agent
    driver = choose_sqlite()
    make_desk(folder / "floor.db", 2_000).close()
    floor = driver.connect(str(folder / "floor.db"), isolation_level=None)
    floor.execute("PRAGMA synchronous=FULL")
    floor.execute("PRAGMA foreign_keys=ON")
    count = itertools.count(1)

    def ours() -> None:
        for _call in range(BATCH):
            one()

    def one() -> None:
        number = next(count)
        patient = number % 2_000 + 1
        form = CallForm(f"ours-{number}", NOW, "referred", phone="0470123456", patient_ids=(patient,), caller_kind="gp",
                        items=(ItemSaid(patient),), site_id="arlon", topic="rebook", words="le genou")  # fmt: skip
        record_call(store, form, agent=agent, now=NOW, reference=reference)

    def bare() -> None:
        for _call in range(BATCH):
            _bare(floor, next(count))

    yield measure(f"record {BATCH} calls, against bare statements", ours, bare, target=2.0, runs=runs)
    floor.close()
    store.close()


def _bare(connection: Any, number: int) -> None:
    patient = number % 2_000 + 1
    connection.execute("BEGIN IMMEDIATE")
    (call_id,) = connection.execute("SELECT coalesce(max(id), 0) + 1 FROM call").fetchone()
    values = (
        f"bare-{number}",
        call_id,
        f"{call_id}-A",
        STAMP,
        STAMP,
        1,
        1,
        "+32470123456",
        "arlon",
        "rebook",
        "le genou",
        "referred",
        "6543",
    )
    connection.execute(f"INSERT INTO call ({COLUMNS}) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?)", values)
    connection.execute("INSERT INTO call_patient VALUES (?, ?)", (call_id, patient))
    connection.execute("INSERT INTO call_item VALUES (?, ?, ?)", (call_id, patient, "informed"))
    seq, digest = connection.execute("SELECT seq, hash FROM journal_head").fetchone()
    entry = (seq + 1, STAMP, STAMP, "bench", "call.recorded", "call", str(call_id), "{}", digest, "0" * 64)
    connection.execute("INSERT INTO journal VALUES (?,?,?,?,?,?,?,?,?,?)", entry)
    connection.execute("UPDATE journal_head SET seq = ?, hash = ?", (seq + 1, "0" * 64))
    connection.execute("COMMIT")
