"""Fifty agents at once want the same day: seven places, two of them for implants. No day is ever over, on neither."""

import json
import subprocess
import sys
from collections import Counter
from datetime import date
from pathlib import Path

from sqlalchemy import select

from crisisdesk.desk.agents import add_agent
from crisisdesk.desk.reopening import OpeningForm, confirm_opening
from crisisdesk.domain.words import Role
from crisisdesk.store import journal, tables
from waiting import World

RUSH = Path(__file__).with_name("booking_rush.py")
AGENTS, PLACES, IMPLANTS = 50, 7, 2
DAY = date(2022, 6, 8)


def test_fifty_agents_never_overbook_a_day_nor_its_implants(world: World) -> None:
    form = OpeningForm(world.service(), world.now.date(), capacity_a_day=PLACES, limits={"implant": IMPLANTS})
    confirm_opening(world.store, form, agent=world.sonia, now=world.now)
    callbacks = [world.callback(released=True) for _number in range(AGENTS)]
    with world.store.write() as connection:  # every other patient takes an implant
        table = tables.postponement
        connection.execute(table.update().where(table.c.id % 2 == 0).values(procedure="hernie"))
    logins = [f"agent{number}" for number in range(AGENTS)]
    for login in logins:
        add_agent(world.store, login=login, name=login, role=Role.AGENT, agent=world.agent("chef"), now=world.now)
    work = [f"{login}={callback_id}" for login, callback_id in zip(logins, callbacks, strict=True)]
    command = [sys.executable, str(RUSH), str(world.store.path), world.now.isoformat(), DAY.isoformat(), *work]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=150)
    assert ran.returncode == 0, ran.stderr
    said = json.loads(ran.stdout)
    with world.store.read() as connection:
        booked = list(connection.execute(select(tables.booking).where(tables.booking.c.state == "told")))
        assert journal.verify(connection).first_fault is None
    taken = Counter(row.slot_on for row in booked)
    implants = Counter(row.slot_on for row in booked if "implant" in row.needs)
    print(f"{AGENTS} agents: {dict(sorted(taken.items()))}, implants {dict(sorted(implants.items()))}")
    assert max(taken.values()) <= PLACES, "a day is over"
    assert max(implants.values()) <= IMPLANTS, "a limit is over"
    assert taken[DAY] == PLACES
    assert len({row.postponement_id for row in booked}) == len(booked) == AGENTS, "somebody has two places, or none"
    assert Counter(one["day"] for one in said) == Counter({day.isoformat(): count for day, count in taken.items()})
    refusals = [why for one in said for why in one["refused"]]
    assert refusals
    assert all("is full on" in why or "no place left for implant" in why for why in refusals)
    assert {world.row(number).state for number in callbacks} == {"closed"}
