"""No update is lost: two processes edit one patient and one call; CRISISDESK_VERSION_RACES says how often (10,000)."""

import os
from pathlib import Path
from typing import Any

import pytest
from racers import Stored, look, lost_updates, run_races

from crisisdesk.desk.agents import find_agent
from crisisdesk.desk.intake import CallForm, record_call
from crisisdesk.store import journal
from crisisdesk.store.engine import Store
from moments import DESK_NOW as NOW

RACES = int(os.environ.get("CRISISDESK_VERSION_RACES", "200"))
SEED = int(os.environ.get("CRISISDESK_VERSION_SEED", "20220514"))


@pytest.fixture
def before(desk_store: Store, marie: int) -> dict[str, Any]:
    agent = find_agent(desk_store, "sylvie")
    assert agent
    record_call(desk_store, CallForm("one", NOW, "informed"), agent=agent, now=NOW)
    return look(desk_store, marie)


def test_no_update_is_lost(desk_store: Store, desk_path: Path, marie: int, before: dict[str, Any]) -> None:
    stored, conflicts, kept = run_races(desk_path, marie, RACES, seed=SEED)
    wrong = lost_updates(desk_store, marie, stored, before)
    print(
        f"{RACES} races of two processes (seed {SEED}): {len(stored)} changes acknowledged, {conflicts} conflicts told,"
        f" {kept} times theirs was kept; lost updates: {len(wrong)}"
    )
    assert wrong == []
    assert conflicts > RACES // 4, "they did race"
    with desk_store.read() as connection:
        assert journal.verify(connection).first_fault is None


def test_the_check_finds_a_program_that_does_not_compare(
    desk_store: Store, desk_path: Path, marie: int, before: dict[str, Any]
) -> None:
    stored, conflicts, _kept = run_races(desk_path, marie, 40, seed=SEED, blind=True)
    wrong = lost_updates(desk_store, marie, stored, before)
    print(f"without a comparison: {len(wrong)} lost updates found in 40 races, for example: {wrong[0]}")
    assert conflicts == 0
    assert any("saw" in one for one in wrong)


def test_the_check_finds_a_value_that_vanished(
    desk_store: Store, desk_path: Path, marie: int, before: dict[str, Any]
) -> None:
    stored, *_rest = run_races(desk_path, marie, 5, seed=SEED)
    assert lost_updates(desk_store, marie, stored, before) == []
    never = Stored("sylvie", "gp", "", "Dr Adam")
    assert lost_updates(desk_store, marie, [*stored, never], before) != []
    with desk_store.write() as connection:
        connection.exec_driver_sql("UPDATE patient SET contact_note = 'unseen'")
    assert lost_updates(desk_store, marie, stored, before) != []
