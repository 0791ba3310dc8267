"""Fifty processes at one site's queue of 5,000 with 12 places a day, some killed: none overbooked, rung twice or lost.

More of it: CRISISDESK_FIFTY_ATTEMPTS=3000 python -m pytest tests/queue/test_fifty.py -s
"""

import json
import os
import subprocess
import sys
from collections import Counter, defaultdict
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from accounts import faults, journal_fault
from crisisdesk.desk.reopening import OpeningForm, confirm_opening
from crisisdesk.domain.words import Role
from crisisdesk.store import tables
from crisisdesk.store.engine import Store, open_desk
from filling import fill
from waiting import World

AGENTS, CALLBACKS, PLACES = 50, 5_000, 12
ATTEMPTS = int(os.environ.get("CRISISDESK_FIFTY_ATTEMPTS", "300"))
SEED = int(os.environ.get("CRISISDESK_FIFTY_SEED", "2022"))
SCRIPT = Path(__file__).with_name("fifty.py")


def prepare(path: Path, now: datetime) -> None:
    """5,000 operations put off at Arlon, an opening of 12 a day, fifty agents; nothing stays open."""
    store = open_desk(path)
    world = World(store, now)
    fill(store, CALLBACKS, now)
    with store.write() as connection:
        connection.exec_driver_sql("UPDATE callback SET released_at = NULL, release_why = ''")
        for number in range(AGENTS):
            login = f"agent{number}"
            connection.execute(
                tables.agent.insert().values(login=login, name=login, role=Role.AGENT, created_at=now, is_active=True)
            )
    confirm_opening(store, OpeningForm(world.service(), now.date(), capacity_a_day=PLACES), agent=world.sonia, now=now)
    store.close()


def run(path: Path, now: datetime) -> dict[str, Any]:
    command = [sys.executable, str(SCRIPT), str(path), str(AGENTS), str(ATTEMPTS), str(SEED), now.isoformat()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=200, check=False)
    assert done.returncode == 0, done.stderr
    assert not done.stderr, done.stderr
    said: dict[str, Any] = json.loads(done.stdout)
    return said


@pytest.mark.timeout(240)
def test_fifty_agents_some_killed(path: Path) -> None:
    begin = datetime.fromisoformat("2022-05-31T06:30:00+00:00")
    prepare(path, begin)
    said = run(path, begin)
    store = open_desk(path)
    end = datetime.fromisoformat(said["until"])
    stored = attempts_of(store)
    print(report(store, said, stored))
    assert len(said["acked"]) >= 100, "a busy machine ends before all was recorded, but not so early"
    assert said["killed"] >= 3
    assert [uid for uid, _callback, _code in said["acked"] if uid not in stored] == [], "acknowledged and lost"
    assert shared_leases(store) == []
    assert rung_too_soon(store) == []
    assert max(booked_by_day(store).values()) <= PLACES
    assert faults(store, end, in_turn=True) == []
    assert journal_fault(store) == ""
    store.close()


def attempts_of(store: Store) -> dict[str, Any]:
    with store.read() as connection:
        return {row.uid: row for row in connection.execute(select(tables.attempt))}


def booked_by_day(store: Store) -> Counter[Any]:
    with store.read() as connection:
        column = tables.booking.c
        return Counter(connection.scalars(select(column.slot_on).where(column.state == "told")))


def rung_too_soon(store: Store) -> list[tuple[int, datetime, datetime]]:
    """Patients who were rung again within the rest after an attempt, whatever for."""
    attempt, callback = tables.attempt.c, tables.callback.c
    with store.read() as connection:
        rows = connection.execute(
            select(callback.patient_id, attempt.started_at, attempt.entered_at)
            .join(tables.callback, callback.id == attempt.callback_id)
            .order_by(callback.patient_id, attempt.id)
        ).all()
    pairs = [(one, later) for one, later in pairwise(rows) if one[0] == later[0]]
    rest = timedelta(minutes=15)
    return [(one[0], one[2], later[1]) for one, later in pairs if later[1] - one[2] < rest]


def shared_leases(store: Store) -> list[str]:
    """From the journal: a callback taken while somebody still held it, or an agent who took a second one."""
    free_at: dict[str, datetime] = {}
    holds: dict[str, tuple[str, datetime]] = {}
    generations: defaultdict[str, list[int]] = defaultdict(list)
    found = []
    with store.read() as connection:
        events = connection.exec_driver_sql(
            "SELECT action, subject_id, agent, entered_at, detail FROM journal WHERE subject = 'callback' ORDER BY seq"
        ).all()
    for action, callback_id, login, entered_at, detail in events:
        at = datetime.fromisoformat(entered_at + "+00:00")
        if action == "callback.taken":
            told = json.loads(detail)
            until = datetime.fromisoformat(told["until"])
            if at < free_at.get(callback_id, at):
                found.append(f"callback {callback_id} was taken by {login} at {at}, held until {free_at[callback_id]}")
            other, other_until = holds.get(login, ("", at))
            if at < other_until and other != callback_id:
                found.append(f"{login} took {callback_id} at {at} and held {other} until {other_until}")
            free_at[callback_id], holds[login] = until, (callback_id, until)
            generations[callback_id].append(told["generation"])
        elif action == "attempt.recorded":
            free_at.pop(callback_id, None)
            holds.pop(login, None)
    found += [f"callback {key}: generations {seen}" for key, seen in generations.items() if seen != sorted(set(seen))]
    return found


def report(store: Store, said: dict[str, Any], stored: dict[str, Any]) -> str:
    booked = booked_by_day(store)
    codes = Counter(row.disposition for row in stored.values())
    return (
        f"{AGENTS} processes, {CALLBACKS} callbacks, {PLACES} places a day: {len(said['acked'])} attempts acknowledged,"
        f" {len(stored)} stored; {said['killed']} killed, {said['back']} came back ({said['repeats']} forms were in"
        f" already, {said['lost']} leases lost), {said['refused']} refused because the day was full meanwhile; booked"
        f" {booked.total()} on {len(booked)} days, {max(booked.values())} at most; desk time until {said['until']};"
        f" {said['seconds']} s ({said['started_seconds']} s to start); {dict(codes)}"
    )
