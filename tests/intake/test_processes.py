"""Several processes, killed ones too: one form is one call, and what was acknowledged is there."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from crisisdesk.store import journal
from crisisdesk.store.engine import Store, open_desk

SAVE = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from crisisdesk.desk.agents import find_agent
from crisisdesk.desk.intake import CallForm, record_call
from crisisdesk.desk.reference import load_reference
from crisisdesk.store.engine import open_desk

path, prefix, count = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
store = open_desk(path)
agent, reference = find_agent(store, "amelie"), load_reference(store)
now = datetime(2022, 5, 31, 12, tzinfo=UTC)
for number in range(count):
    person = {"last_name": f"Nom{number}", "phone": "0470123456", "site_id": "arlon"}
    form = CallForm(f"{prefix}-{number}", now, "callback", **person)
    saved = record_call(store, form, agent=agent, now=now, reference=reference)
    print(form.uid, saved.number, saved.reference, flush=True)
"""


def start(path: Path, prefix: str, count: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", SAVE, str(path), prefix, str(count)], stdout=subprocess.PIPE, text=True
    )


def test_the_same_forms_from_three_processes_are_stored_once(desk_path: Path) -> None:
    running = [start(desk_path, "same", 25) for _process in range(3)]
    said = [process.communicate(timeout=60)[0].splitlines() for process in running]
    assert said[0] == said[1] == said[2]
    assert len(said[0]) == 25
    store = open_desk(desk_path)
    with store.read() as connection:
        assert connection.exec_driver_sql("SELECT count(*), max(number) FROM call").one() == (25, 25)
        assert connection.exec_driver_sql("SELECT count(*) FROM patient").scalar_one() == 25
        assert journal.verify(connection).first_fault is None
    store.close()


def test_killed_while_saving_nothing_acknowledged_is_lost_and_nothing_is_half_there(desk_path: Path) -> None:
    process = start(desk_path, "killed", 100_000)
    assert process.stdout
    seen = [process.stdout.readline() for _line in range(20)]
    time.sleep(0.05)
    os.kill(process.pid, signal.SIGKILL)
    seen += process.stdout.read().splitlines(keepends=True)
    process.wait()
    acknowledged = {line.split()[0] for line in seen if line.endswith("\n")}
    store: Store = open_desk(desk_path)
    with store.read() as connection:
        stored = set(connection.exec_driver_sql("SELECT uid FROM call").scalars())
        assert acknowledged <= stored
        assert len(stored) <= len(acknowledged) + 1
        for table in ("call_patient", "patient", "callback"):
            assert connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar_one() == len(stored)
        assert journal.verify(connection).first_fault is None
    store.close()
