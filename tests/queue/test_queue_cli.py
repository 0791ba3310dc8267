"""The queue from the command line: real processes, their output and their exit codes."""

import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import insert

from crisisdesk import clock
from crisisdesk.desk.reference import data_folder, init_desk
from crisisdesk.store import tables
from crisisdesk.store.engine import open_desk
from waiting import World

NOW = datetime(2022, 5, 31, 8, 0, tzinfo=UTC)


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    """A desk whose clock stands on the Tuesday that Arlon reopened, 10:00."""
    path = tmp_path / "desk.db"
    init_desk(path, data_folder(), admin_login="sonia", now=NOW, demo_shift=NOW - clock.now())
    return path


def run(desk: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "crisisdesk", "--desk", str(desk), "--agent", "sonia", "--lang", "en", *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_open_take_record(desk: Path) -> None:
    store = open_desk(desk)
    world = World(store, NOW, agents=("sonia", "sonia", "sonia"))
    ids = [world.callback(priority=code) for code in ("P3", "P1b")]
    store.close()
    assert "planned for Tue 31/05" in run(desk, "queue", "arlon").stdout
    assert (
        "2 callbacks would be released" in run(desk, "opening", "preview", "Arlon", "surgery", "--capacity", "2").stdout
    )
    done = json.loads(run(desk, "opening", "confirm", "arlon", "surgery", "--capacity", "2", "--json").stdout)
    assert done["released"] == 2
    card = json.loads(run(desk, "queue", "next", "arlon", "--json").stdout)
    assert card["callback_id"] == ids[1]
    day = next(iter(card["offers"].values()))[0]["slot_on"]
    ahead = run(desk, "attempt", str(ids[1]), "no_answer", "--preview")
    assert "Rung again from" in ahead.stdout
    refused = run(desk, "attempt", str(ids[1]), "accepts_date")
    assert refused.returncode == 1
    assert "day" in refused.stderr
    stored = run(desk, "attempt", str(ids[1]), "accepts_date", "--slot", day)
    assert (stored.returncode, "ends" in stored.stdout) == (0, True), stored.stderr
    again = run(desk, "attempt", str(ids[1]), "busy")
    assert again.returncode == 1
    assert "closed" in again.stderr
    later = run(desk, "attempt", str(ids[0]), "asks_later", "--at", "demain matin")
    assert later.returncode == 0, later.stderr
    assert "not before" in run(desk, "queue", "arlon", "--plain").stdout


def test_mistakes_are_sentences(desk: Path) -> None:
    for words in (("queue", "nowhere"), ("callback", "show", "99"), ("opening", "confirm", "arlon", "nothing")):
        wrong = run(desk, *words)
        assert wrong.returncode == 1, words
        assert wrong.stdout == ""
        assert wrong.stderr.startswith("crisisdesk: ")
        assert "Traceback" not in wrong.stderr


def test_instructions_have_versions(desk: Path) -> None:
    assert run(desk, "instruction", "issue", "Venez à jeun.", "--site", "arlon").returncode == 0
    found = json.loads(run(desk, "instruction", "list", "arlon", "--json").stdout)
    assert found[0]["words"] == "Venez à jeun."
    assert found[0]["version"] == 2


def test_held_decided_unplaced_placed(desk: Path) -> None:
    store = open_desk(desk)
    world = World(store, NOW, agents=("sonia", "sonia", "sonia"))
    held = world.callback(released=True)
    world.ring(held, "declines", note="ne veut plus")
    item = world.postponement(world.patient("Perdu"))
    store.close()
    (line,) = json.loads(run(desk, "callback", "held", "--json").stdout)
    assert (line["callback_id"], line["hold"]) == (held, "review")
    assert "with a clinician" in run(desk, "callback", "held", "arlon").stdout
    decision = ("callback", "decide", str(held), "close", "--clinician", "Dr Lambert")
    assert run(desk, *decision, "--reason", "").returncode == 1
    assert "ends" in run(desk, *decision, "--reason", "d'accord").stdout
    assert "PERDU" in run(desk, "callback", "unplaced").stdout
    assert run(desk, "callback", "place", str(item), "arlon", "surgery").returncode == 0
    assert "Every postponement is in a queue" in run(desk, "callback", "unplaced").stdout


def test_a_filter_that_is_none_is_refused(desk: Path) -> None:
    wrong = run(desk, "queue", "arlon", "--only", "raedy")
    assert wrong.returncode == 1
    assert "ready" in wrong.stderr


def test_the_plan_of_a_day_holds_what_was_entered_in_its_evening(desk: Path) -> None:
    store = open_desk(desk)
    world = World(store, NOW, agents=("sonia", "sonia", "sonia"))
    evening = datetime(2022, 5, 30, 21, 30, tzinfo=UTC)  # 23:30 in Brussels, long after the calling hours
    service = world.service()
    with store.write() as connection:
        row = {"service_id": service, "stage": "actual", "state": "partial", "opens_on": NOW.date()}
        connection.execute(insert(tables.opening).values(**row, capacity_a_day=77, entered_at=evening))
    store.close()
    lines = json.loads(run(desk, "opening", "list", "arlon", "--as-of", "30/05", "--json").stdout)
    (line,) = [line for line in lines if line["service_id"] == service]
    assert line["coming"]["capacity_a_day"] == 77
