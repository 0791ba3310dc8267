"""`crisisdesk instruction`: plan, end, who was told, ring them, from real processes."""

import csv
import io
import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from test_instructions_told import call

from crisisdesk import clock
from crisisdesk.desk.instructions import InstructionForm, issue_instruction
from crisisdesk.desk.reference import data_folder, init_desk
from crisisdesk.store.engine import open_desk
from waiting import World

NOW = datetime(2022, 5, 31, 8, 0, tzinfo=UTC)


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    """A desk on the Tuesday that Arlon reopened, whose first instruction of Arlon was told to three callers."""
    path = tmp_path / "desk.db"
    start = NOW - timedelta(hours=3)
    init_desk(path, data_folder(), admin_login="sonia", now=start, demo_shift=NOW - clock.now())
    store = open_desk(path)
    world = World(store, start, agents=("sonia", "sonia", "sonia"))
    form = InstructionForm("=Ne pas venir.", "arlon")
    old = issue_instruction(store, form, agent=world.sonia, now=world.now)
    world.later(hours=1)
    for person in (world.patient("Dupont"), world.patient("=Durand"), None):
        call(world, person, old, phone="063 23 11 11")
    issue_instruction(store, InstructionForm("Venir.", "arlon"), agent=world.sonia, now=world.later(hours=1))
    store.close()
    return path


def run(desk: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "crisisdesk", "--desk", str(desk), "--agent", "sonia", "--lang", "en"]
    return subprocess.run([*command, "instruction", *words], capture_output=True, text=True, timeout=60, check=False)


def test_who_was_told_and_ringing_them(desk: Path) -> None:
    history = json.loads(run(desk, "list", "arlon", "--history", "--json").stdout)
    old = next(str(one["instruction_id"]) for one in history if one["words"] == "=Ne pas venir.")
    rows = list(csv.DictReader(io.StringIO(run(desk, "told", old, "--csv").stdout)))
    assert [row["state"] for row in rows] == ["to_ring", "to_ring", "no_patient"]
    assert not any(cell.startswith("=") for row in rows for cell in row.values()), "no formula for a spreadsheet"
    dry = run(desk, "ring", old, "--dry-run")
    assert "2 persons would be rung." in dry.stdout
    assert "Calls tied to nobody, to be rung by hand: 1." in dry.stdout
    done = json.loads(run(desk, "ring", old, "--reason", "revirement", "--json").stdout)
    assert (done["made"], done["without_patient"]) == (2, 1)
    assert "0 persons would be rung. In the queue or rung for it: 2." in " ".join(
        run(desk, "ring", old, "--dry-run").stdout.split("\n")
    )
    assert "waits in the queue" in run(desk, "told", old).stdout


def test_plan_withdraw_and_end(desk: Path) -> None:
    planned = json.loads(run(desk, "issue", "Demain.", "--site", "arlon", "--from", "+1 8h", "--words-en", "Tomorrow.",
                             "--json").stdout)["instruction"]  # fmt: skip
    shown = json.loads(run(desk, "show", str(planned), "--json").stdout)
    assert (shown["state"], shown["translations"]) == ("planned", {"en": "Tomorrow."})
    assert run(desk, "withdraw", str(planned)).returncode == 0
    current = json.loads(run(desk, "list", "arlon", "--json").stdout)[0]["instruction_id"]
    assert "Read out there from now on:" in run(desk, "end", str(current)).stdout
    for words in (
        ("show", "999"),
        ("end", str(current)),
        ("issue", "x", "--from", "hier 8h"),
        ("issue", "x", "--until", "bof"),
    ):
        wrong = run(desk, *words)
        assert wrong.returncode == 1, words
        assert wrong.stderr.startswith("crisisdesk: ")
