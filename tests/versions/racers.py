"""Two people who edit one patient and one call at once, as processes of their own, and who checks what became of it.

A race: both look, both have looked, both write. Whoever is told of a conflict decides: keeps theirs, or writes over
what was told. What an agent was told is stored is kept as (field, what was seen, what was written).
"""

import json
import random
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from crisisdesk.desk.agents import Agent, find_agent
from crisisdesk.desk.conflicts import Conflict
from crisisdesk.desk.contacts import set_contacts
from crisisdesk.desk.correctcall import correct_call
from crisisdesk.desk.patients import correct_patient
from crisisdesk.desk.reference import load_reference
from crisisdesk.store import calls, personfile
from crisisdesk.store.engine import Store, open_desk
from moments import DESK_NOW as NOW

PLAIN, CONTACTS, CALL = ("last_name", "first_name", "contact_note"), ("gp", "next_of_kin"), ("topic",)
FIELDS = (*PLAIN, *CONTACTS, *CALL)
CALL_NUMBER = 1


@dataclass(frozen=True)
class Stored:
    """What one agent was told is stored."""

    login: str
    field: str
    seen: Any
    value: Any


def look(store: Store, patient_id: int) -> dict[str, Any]:
    """What an agent sees of the patient and the call."""
    with store.read() as connection:
        row = personfile.values_of(connection, patient_id)
        call = calls.read_call(connection, CALL_NUMBER)
    assert call is not None
    return {**{name: row[name] for name in (*PLAIN, *CONTACTS)}, "topic": call["topic"]}


def write(store: Store, patient_id: int, field: str, value: Any, seen: Any, agent: Agent, *, blind: bool) -> Any:
    """One correction; ``blind``: as a program would that does not compare."""
    more: dict[str, Any] = {"agent": agent, "now": NOW}
    if not blind:
        more["seen"] = {field: seen}
    if field in PLAIN:
        return correct_patient(store, patient_id, **more, **{field: value})
    if field in CONTACTS:
        return set_contacts(store, patient_id, **more, **{field: value})
    return correct_call(store, CALL_NUMBER, reason="course", **more, **{field: value})


def edit(desk: str, login: str, seed: int, races: int, patient_id: int, blind: bool, together: Any, told: Any) -> None:
    """One of the two, through all races; at the end tells what it was told is stored, and how often it decided."""
    store, chance, shared = open_desk(Path(desk)), random.Random(f"{login}{seed}"), random.Random(seed)
    agent, topics = find_agent(store, login), list(load_reference(store).topics)
    assert agent
    stored: list[Stored] = []
    conflicts = kept = 0
    for race in range(races):
        field = shared.choice(FIELDS)
        if chance.random() < 0.2:  # now and then each has a field of its own
            field = chance.choice(FIELDS)
        seen = look(store, patient_id)[field]
        value = chance.choice([one for one in topics if one != seen]) if field == "topic" else f"{login}-{race}"
        together.wait(120)
        while True:
            try:
                changed = write(store, patient_id, field, value, seen, agent, blind=blind)
            except Conflict as conflict:
                conflicts += 1
                seen = conflict.fields[0].stands
                if chance.random() < 0.5:
                    kept += 1
                    break
            else:
                if changed:
                    stored.append(Stored(login, field, seen, value))
                break
        together.wait(120)
    store.close()
    told.put((login, stored, conflicts, kept))


def run_races(
    desk: Path, patient_id: int, races: int, *, seed: int, blind: bool = False
) -> tuple[list[Stored], int, int]:
    """All races of two processes; what both were told is stored, the conflicts, and how often theirs was kept."""
    context = get_context("spawn")
    together, told = context.Barrier(2), context.Queue()
    logins = ("sylvie", "chef")
    processes = [
        context.Process(target=edit, args=(str(desk), login, seed, races, patient_id, blind, together, told))
        for login in logins
    ]
    for process in processes:
        process.start()
    found = [told.get(timeout=7200) for _login in logins]
    for process in processes:
        process.join()
    return [one for _login, stored, *_rest in found for one in stored], *(
        sum(one[at] for one in found) for at in (2, 3)
    )


def lost_updates(store: Store, patient_id: int, stored: Sequence[Stored], before: dict[str, Any]) -> list[str]:
    """Every value that was acknowledged is final, or whoever replaced it had seen it. What is wrong, in words."""
    with store.read() as connection:
        rows = connection.exec_driver_sql(
            "SELECT agent, detail FROM journal WHERE action IN ('patient.changed', 'call.corrected') ORDER BY seq"
        ).fetchall()
    wrong, now = [], look(store, patient_id)
    entries = [(login, json.loads(detail)) for login, detail in rows]
    for field in FIELDS:
        changes = [(login, *detail[field]) for login, detail in entries if field in detail]
        stands = before[field]
        for login, old, new in changes:
            if old != stands:
                wrong.append(f"{field}: {login} replaced {old!r}, where {stands!r} stood")
            stands = new
        if stands != now[field]:
            wrong.append(f"{field}: {stands!r} was the last to be written, {now[field]!r} stands")
        for login in {one.login for one in stored} | {change[0] for change in changes}:
            known = [(one.seen, one.value) for one in stored if (one.login, one.field) == (login, field)]
            written = [(old, new) for by, old, new in changes if by == login]
            if len(known) != len(written):
                wrong.append(f"{field}: {login} was told of {len(known)} changes, the journal knows {len(written)}")
            wrong += [
                f"{field}: {login} saw {seen!r} and replaced {old!r} by {new!r}"
                for (seen, _value), (old, new) in zip(known, written, strict=False)
                if seen != old
            ]
    return wrong
