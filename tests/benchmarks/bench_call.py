"""Recording a call against the same rows in raw sqlite3: one call with all of its columns, two links, one chained
journal entry, one durable transaction (WAL, synchronous=FULL), in turn on the same disk.

What a flush costs differs by a hundred between disks and hides the rest, so that two lines are told: as this disk is,
and on a flush of 1 ms, which is what the target is about (the difference is added to both sides, once a call).
"""

import hashlib
import itertools
import json
import os
from collections.abc import Iterable
from pathlib import Path
from statistics import median
from typing import Any

from harness import Result, measure, timed
from people import NOW, make_desk

from crisisdesk.desk.agents import find_agent
from crisisdesk.desk.intake import CallForm, ItemSaid, record_call
from crisisdesk.desk.reference import load_reference
from crisisdesk.domain.callref import make_reference
from crisisdesk.store.engine import PRAGMAS
from crisisdesk.store.sqlite import choose_sqlite

COLUMNS = (
    "uid", "number", "reference", "started_at", "ended_at", "entered_at", "taken_by", "taken_by_name", "entered_by",
    "slip_number", "caller_phone", "caller_phone_said", "is_withheld", "caller_name", "caller_kind", "relation",
    "language", "site_id", "topic", "words", "note", "red_flag", "way_out", "instruction_id", "was_read_out",
    "disposition", "wish", "reversed_phone",
)  # fmt: skip
INSERT = f"INSERT INTO call ({', '.join(COLUMNS)}) VALUES ({', '.join('?' * len(COLUMNS))})"
BATCH = 20
PATIENTS = 2_000
STAMP = "2022-05-31 12:00:00.000000"
FLUSH_MS = 1.0
"""The disk that the target is about."""


def run(folder: Path, runs: int) -> Iterable[Result]:
    """A call on a patient and a postponement of a list, which changes nothing else."""
    store = make_desk(folder / "desk.db", PATIENTS)
    reference, agent = load_reference(store), find_agent(store, "bench")
    assert agent
    make_desk(folder / "floor.db", PATIENTS).close()
    floor = choose_sqlite().connect(str(folder / "floor.db"), isolation_level=None)
    for pragma in PRAGMAS:
        floor.execute(pragma)
    count = itertools.count(1)

    def ours() -> None:
        for _call in range(BATCH):
            number = next(count)
            patient = number % PATIENTS + 1
            form = CallForm(f"ours-{number}", NOW, "referred", phone="0470123456", patient_ids=(patient,),
                            caller_kind="gp", items=(ItemSaid(patient),), site_id="arlon", topic="rebook",
                            words="le genou")  # fmt: skip
            record_call(store, form, agent=agent, now=NOW, reference=reference)

    def bare() -> None:
        for _call in range(BATCH):
            _bare(floor, next(count))

    flush = _flush_ms(folder)
    found = measure(f"record {BATCH} calls, flush of this disk {flush:.2f} ms", ours, bare, target=4.0, runs=runs)
    yield found
    added = max(0.0, FLUSH_MS - flush) * BATCH
    assert found.floor is not None
    yield Result(f"record {BATCH} calls, flush of 1 ms", found.ours + added, found.floor + added, 2.0, runs)
    floor.close()
    store.close()


def _flush_ms(folder: Path) -> float:
    """What this disk takes to keep 4 KiB, median."""
    with (folder / "flush").open("wb", buffering=0) as file:

        def flush() -> None:
            file.write(bytes(4096))
            os.fsync(file.fileno())

        return median(timed(flush) for _time in range(50))


def _bare(connection: Any, number: int) -> None:
    patient = number % PATIENTS + 1
    connection.execute("BEGIN IMMEDIATE")
    (call_number,) = connection.execute("SELECT coalesce(max(number), 0) + 1 FROM call").fetchone()
    reference = make_reference(call_number)
    values = (
        f"bare-{number}", call_number, reference, STAMP, None, STAMP, 1, "", 1, "", "+32470123456", "0470123456", 0,
        "", "gp", "", "", "arlon", "rebook", "le genou", "", None, "", None, 0, "referred",
        '{"number": "+32470123456"}', "65432107423",
    )  # fmt: skip
    call_id = connection.execute(INSERT, values).lastrowid
    connection.execute("INSERT INTO call_patient VALUES (?, ?)", (call_id, patient))
    connection.execute("INSERT INTO call_item VALUES (?, ?, ?)", (call_id, patient, None))
    seq, digest = connection.execute("SELECT seq, hash FROM journal_head").fetchone()
    detail = {"reference": reference, "disposition": "referred", "topic": "rebook", "site": "arlon",
              "caller_kind": "gp", "patients": [patient], "items": {str(patient): None}, "taken_by": 1}  # fmt: skip
    entry = [seq + 1, STAMP, STAMP, "bench", "call.recorded", "call", str(call_id), json.dumps(detail), digest]
    digest = hashlib.sha256(json.dumps(entry).encode()).hexdigest()
    connection.execute("INSERT INTO journal VALUES (?,?,?,?,?,?,?,?,?,?)", (*entry, digest))
    connection.execute("UPDATE journal_head SET seq = ?, hash = ?", (seq + 1, digest))
    connection.execute("COMMIT")
