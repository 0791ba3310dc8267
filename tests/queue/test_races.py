"""Real processes at one queue: none served twice, none left, no place given twice, no lease shared."""

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from time import perf_counter
from typing import Any

from sqlalchemy import func, select

from crisisdesk.desk.agents import add_agent
from crisisdesk.desk.reopening import OpeningForm, confirm_opening
from crisisdesk.domain.words import Role
from crisisdesk.store import journal, tables
from filling import fill
from waiting import World

TAKER = Path(__file__).with_name("taker.py")


def run_agents(world: World, logins: Sequence[str], job: str) -> list[dict[str, Any]]:
    """One process an agent, all at once; what each of them said at the end."""
    processes = [
        subprocess.Popen(
            [sys.executable, str(TAKER), str(world.store.path), login, job, world.now.isoformat()],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )
        for login in logins
    ]  # fmt: skip
    said = []
    try:
        for process in processes:
            out, err = process.communicate(timeout=160)  # 2,000 writes: long where others want the machine too
            assert process.returncode == 0, err
            said.append(json.loads(out))
    finally:
        for process in processes:
            process.kill()  # nothing where it has ended
    return said


def agents(world: World, count: int) -> list[str]:
    logins = [f"agent{number}" for number in range(count)]
    for login in logins:
        add_agent(world.store, login=login, name=login, role=Role.AGENT, agent=world.agent("chef"), now=world.now)
    return logins


def test_eight_processes_empty_a_queue_of_2000(world: World) -> None:
    count = fill(world.store, 2000, world.now)
    begin = perf_counter()
    said = run_agents(world, agents(world, 8), "close")
    seconds = perf_counter() - begin
    taken = [number for one in said for number in one["taken"]]
    print(
        f"8 processes, {count} callbacks: {len(taken)} taken, {len(taken) - len(set(taken))} twice, {seconds:.1f} s; "
        f"each {sorted(len(one['taken']) for one in said)}, longest take {max(one['longest_ms'] for one in said)} ms"
    )
    assert sorted(taken) == sorted(set(taken)), "taken twice"
    assert len(taken) == count, "left behind"
    assert {one["reason"] for one in said} <= {"all_done", "all_held"}
    assert sum(one["refused"] for one in said) == 0
    callback, attempt = tables.callback.c, tables.attempt
    with world.store.read() as connection:
        assert connection.execute(select(func.count()).where(callback.state != "closed")).scalar() == 0
        assert connection.execute(select(func.count()).select_from(attempt)).scalar() == count
        assert journal.verify(connection).first_fault is None


def test_no_day_is_overbooked_by_several_processes(world: World) -> None:
    form = OpeningForm(world.service(), world.now.date(), capacity_a_day=7)
    confirm_opening(world.store, form, agent=world.sonia, now=world.now)
    fill(world.store, 60, world.now)
    said = run_agents(world, agents(world, 6), "book")
    booked = [number for one in said for number in one["taken"]]
    assert len(booked) == len(set(booked)) == 7
    assert sum(one["refused"] for one in said) == 60 - 7
    with world.store.read() as connection:
        assert connection.execute(select(func.count()).select_from(tables.booking)).scalar() == 7


def test_two_processes_want_the_same_patient(world: World) -> None:
    fill(world.store, 1, world.now)
    said = run_agents(world, agents(world, 2), "same")
    assert sorted(len(one["taken"]) for one in said) == [0, 1]
    assert sum(one["refused"] for one in said) == 1
