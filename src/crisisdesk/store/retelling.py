"""Who was told an instruction, by call or by attempt, and the callbacks of those who have to be told another one."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Boolean, Integer, String, and_, bindparam, column, func, insert, literal, select, text

from crisisdesk.store import journal, tables
from crisisdesk.store.callbacks import in_chunks, place_items, placed_values, placement_rules, redate
from crisisdesk.store.engine import Connection
from crisisdesk.store.items import is_unsettled
from crisisdesk.store.raw import rows, stamp
from crisisdesk.store.staging import as_json

INSTANT = tables.callback.c.due_at.type
callback, item, postponement = tables.callback.c, tables.callback_item.c, tables.postponement.c


@dataclass(frozen=True, slots=True)
class Contact:
    """One call or attempt in which an instruction stood on the agent's screen, for one patient."""

    what: str
    """"call" or "attempt"."""
    contact_id: int
    at: datetime
    reference: str
    """Of a call, as the caller has it; empty for an attempt."""
    was_read_out: bool
    site_id: str | None
    caller: str
    """Who rang, where it was not the patient; foreign text."""
    number: str
    """E.164, or as it was said; the patient's own where it was withheld, empty where none is known."""
    by: str
    patient_id: int | None
    """None: the call is tied to nobody."""
    last_name: str
    first_name: str
    full_name: str
    is_said_dead: bool


# An attempt that reached nobody told nobody; one that was undone counts nowhere.
_CONTACTS = text(
    """SELECT 'call' AS what, call.id AS contact_id, call.started_at AS at, call.reference, call.was_read_out,
      call.site_id, trim(call.caller_name || ' ' || call.relation) AS caller,
      coalesce(call.caller_phone, nullif(call.caller_phone_said, ''), (SELECT phone.number FROM phone
        WHERE phone.patient_id = patient.id AND phone.found_wrong_at IS NULL
        ORDER BY phone.is_guessed, phone.position, phone.id LIMIT 1), '') AS number,
      coalesce(nullif(call.taken_by_name, ''), taker.name, enterer.name) AS who,
      patient.id AS patient_id, coalesce(patient.last_name, '') AS last_name,
      coalesce(patient.first_name, '') AS first_name, coalesce(patient.full_name, '') AS full_name,
      patient.death_reported_at IS NOT NULL AS is_said_dead
    FROM call JOIN agent AS enterer ON enterer.id = call.entered_by LEFT JOIN agent AS taker ON taker.id = call.taken_by
      LEFT JOIN call_patient ON call_patient.call_id = call.id LEFT JOIN patient ON patient.id = call_patient.patient_id
    WHERE call.instruction_id = :instruction_id
      AND (:only IS NULL OR patient.id IN (SELECT value FROM json_each(:only)))
    UNION ALL
    SELECT 'attempt', attempt.id, attempt.started_at, '', attempt.was_read_out, callback.site_id, '', attempt.number,
      agent.name, patient.id, patient.last_name, patient.first_name, patient.full_name,
      patient.death_reported_at IS NOT NULL
    FROM attempt JOIN callback ON callback.id = attempt.callback_id JOIN patient ON patient.id = callback.patient_id
      JOIN agent ON agent.id = attempt.agent_id
    WHERE attempt.instruction_id = :instruction_id AND attempt.undone_at IS NULL
      AND (attempt.was_read_out = 1 OR attempt.reach = 'patient')
      AND (:only IS NULL OR patient.id IN (SELECT value FROM json_each(:only)))
    ORDER BY was_read_out DESC, at, what, contact_id, patient_id"""
).columns(
    column("what", String), column("contact_id", Integer), column("at", INSTANT), column("reference", String),
    column("was_read_out", Boolean), column("site_id", String), column("caller", String), column("number", String),
    column("who", String), column("patient_id", Integer), column("last_name", String), column("first_name", String),
    column("full_name", String), column("is_said_dead", Boolean),
)  # fmt: skip


def contacts_of(connection: Connection, instruction_id: int, only: Sequence[int] | None = None) -> Sequence[Contact]:
    """Everybody who was told an instruction: those to whom it was read out first, then the others, oldest first.

    Args:
        only: these patients; None: all, with the calls that are tied to nobody.
    """
    values = {"instruction_id": instruction_id, "only": None if only is None else as_json(list(only))}
    return [Contact(*row) for row in connection.execute(_CONTACTS, values)]


_READ_OUT = (
    text(
        """SELECT call_patient.patient_id, call.started_at AS at, call.instruction_id
    FROM call JOIN call_patient ON call_patient.call_id = call.id
    WHERE call.instruction_id IN :instructions AND call.was_read_out = 1
    UNION ALL
    SELECT callback.patient_id, attempt.started_at, attempt.instruction_id
    FROM attempt JOIN callback ON callback.id = attempt.callback_id
    WHERE attempt.instruction_id IN :instructions AND attempt.was_read_out = 1 AND attempt.undone_at IS NULL"""
    )
    .bindparams(bindparam("instructions", expanding=True))
    .columns(column("patient_id", Integer), column("at", INSTANT), column("instruction_id", Integer))
)


def read_out_since(connection: Connection, instruction_ids: Sequence[int]) -> Iterable[tuple[int, datetime, int]]:
    """(patient, when, instruction) of every contact in which one of some instructions was read out."""
    found = connection.execute(_READ_OUT, {"instructions": list(instruction_ids)})
    return [(row.patient_id, row.at, row.instruction_id) for row in found]


@dataclass(frozen=True, slots=True)
class OpenCallback:
    """An open callback of somebody who was told."""

    callback_id: int
    site_id: str
    hold: str
    told: int | None
    """The instruction because of which it has to be rung; None: not for that."""


_OPEN = """
SELECT patient_id, id, site_id, hold, json_extract(why, '$.told.instruction') FROM callback
WHERE state <> 'closed' AND patient_id IN (SELECT value FROM json_each(?)) ORDER BY site_id
"""
_WAITS = """
SELECT patient_id, site_id FROM postponement
WHERE site_id IS NOT NULL AND patient_id IN (SELECT value FROM json_each(?)) ORDER BY id
"""


def open_callbacks(connection: Connection, patient_ids: Sequence[int]) -> Mapping[int, Sequence[OpenCallback]]:
    """The open callbacks of patients, by patient, in the order of their sites."""
    found: dict[int, list[OpenCallback]] = {}
    for patient_id, *row in rows(connection, _OPEN, (as_json(list(patient_ids)),)):
        found.setdefault(patient_id, []).append(OpenCallback(*row))
    return found


def waiting_sites(connection: Connection, patient_ids: Sequence[int]) -> Mapping[int, str]:
    """Where patients wait for something that was put off; the newest of several."""
    return dict(rows(connection, _WAITS, (as_json(list(patient_ids)),)))


@dataclass(frozen=True, slots=True)
class Retold:
    """A callback that was made or extended because a patient was told an instruction."""

    callback_id: int
    patient_id: int
    instruction_id: int
    told_at: datetime
    reason: str
    made_at: datetime


def _retold(where: Any) -> Any:
    told = tables.retelling
    return (
        select(
            callback.id, callback.patient_id, told.c.instruction_id, told.c.told_at, told.c.reason, told.c.made_at,
        )
        .join(told, told.c.callback_id == callback.id)
        .where(where)
        .order_by(told.c.made_at)
    )  # fmt: skip


def retold(connection: Connection, instruction_id: int) -> Mapping[int, Retold]:
    """The last callback for each patient because of an instruction; the patient is who the callback is of now."""
    found = connection.execute(_retold(tables.retelling.c.instruction_id == instruction_id))
    return {row.patient_id: Retold(*row) for row in found}


def retelling_of(connection: Connection, callback_id: int) -> Retold | None:
    """Why a callback was made or extended last, where that was because of an instruction."""
    found = connection.execute(_retold(tables.retelling.c.callback_id == callback_id)).all()
    return Retold(*found[-1]) if found else None


@dataclass(frozen=True, slots=True)
class ToRing:
    """A patient who has to be told, at the site whose queue it goes to."""

    patient_id: int
    site_id: str
    callback_id: int | None
    """The open callback that is extended; None: one is made."""
    told_at: datetime
    was_read_out: bool
    why: Mapping[str, Any]
    """What the queue says of it; plain JSON."""


_FRESH = """
INSERT INTO callback (patient_id, site_id, tier, due_at, why, released_at, release_why, created_at)
SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]'), :tier, :due_at,
  json_set(:why, '$.told', json_extract(value, '$[2]')), :now, :release, :now FROM json_each(:people) ORDER BY key
"""
_SAY_WHY = """
UPDATE callback SET why = json_set(why, '$.told', json_extract(one.value, '$[1]')),
  release_why = iif(released_at IS NULL, :release, release_why), released_at = coalesce(released_at, :now),
  asked_at = :now
FROM json_each(:people) AS one WHERE callback.id = json_extract(one.value, '$[0]')
"""
_TOLD = """
INSERT OR REPLACE INTO retelling (instruction_id, callback_id, told_at, was_read_out, reason, made_by, made_at)
SELECT :instruction_id, json_extract(value, '$[0]'), json_extract(value, '$[1]'), json_extract(value, '$[2]'), :reason,
  :agent_id, :now FROM json_each(:people)
"""


def hold_told(
    connection: Connection,
    instruction_id: int,
    people: Sequence[ToRing],
    *,
    reason: str,
    agent_id: int,
    login: str,
    now: datetime,
) -> None:
    """Make or extend the callbacks of people who were told an instruction, and release them, a statement a table.

    Their place in the queue follows the usual rules. Those already released keep their first reason.
    """
    code = f"instruction:{instruction_id}"
    values: dict[str, Any] = {"now": stamp(now), "release": code}
    fresh = [one for one in people if one.callback_id is None]
    _make(connection, fresh, values, now)
    made = _ids_of(connection, fresh)
    ids = {one.patient_id: one.callback_id or made[one.patient_id] for one in people}
    extended = [one for one in people if one.callback_id is not None]
    told = as_json([[one.callback_id, dict(one.why)] for one in extended])
    connection.exec_driver_sql(_SAY_WHY, values | {"people": told})
    told_at = [[ids[one.patient_id], stamp(one.told_at), int(one.was_read_out)] for one in people]
    values |= {"instruction_id": instruction_id, "reason": reason, "agent_id": agent_id, "people": as_json(told_at)}
    connection.exec_driver_sql(_TOLD, values)
    for action, chosen in (("callback.made", fresh), ("callback.extended", extended)):
        journal.append_all(
            connection, agent=login, action=action, subject="callback", now=now,
            details=[(ids[one.patient_id], _detail(one, instruction_id)) for one in chosen],
        )  # fmt: skip


def _detail(one: ToRing, instruction_id: int) -> dict[str, Any]:
    return {
        "patient_id": one.patient_id, "site_id": one.site_id, "instruction": instruction_id,
        "told_at": one.told_at.isoformat(), "released": f"instruction:{instruction_id}",
    }  # fmt: skip


def _make(connection: Connection, fresh: Sequence[ToRing], values: Mapping[str, Any], now: datetime) -> None:
    """New callbacks with all that the patient waits for at the site."""
    if not fresh:
        return
    placed = placed_values(place_items((), placement_rules(connection), now, None, {}))  # until it holds something
    people = as_json([[one.patient_id, one.site_id, dict(one.why)] for one in fresh])
    row = {"people": people, "tier": placed["tier"], "due_at": stamp(placed["due_at"]), "why": as_json(placed["why"])}
    connection.exec_driver_sql(_FRESH, {**values, **row})
    for part in in_chunks(list(_ids_of(connection, fresh).values())):
        connection.execute(_join_items(part, now))
        held = select(item.callback_id).where(item.callback_id.in_(part)).distinct()
        redate(connection, connection.scalars(held).all())


def _join_items(callback_ids: Sequence[int], now: datetime) -> Any:
    """What the patients of new callbacks wait for at their sites; found by patient, not among all of a site."""
    added = literal(now, item.added_at.type)
    there = func.coalesce(postponement.site_id, "") == callback.site_id
    owed = (
        select(callback.id, postponement.id, added)
        .select_from(tables.callback)
        .join(tables.postponement, and_(postponement.patient_id == callback.patient_id, there))
        .where(callback.id.in_(callback_ids), is_unsettled())
    )  # fmt: skip
    return insert(tables.callback_item).from_select(["callback_id", "postponement_id", "added_at"], owed)


def _ids_of(connection: Connection, people: Sequence[ToRing]) -> Mapping[int, int]:
    """The open callbacks of patients at their sites, by patient."""
    sites = {one.patient_id: one.site_id for one in people}
    found = open_callbacks(connection, list(sites))
    return {
        patient_id: held.callback_id
        for patient_id, several in found.items()
        for held in several
        if held.site_id == sites[patient_id]
    }
