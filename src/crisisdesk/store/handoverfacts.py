"""Everything that the list of a handover tells of its postponements, read for all of them in a few statements."""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, time
from typing import Any

from sqlalchemy import Row, select, text

from crisisdesk.domain.words import CallbackState
from crisisdesk.store import tables
from crisisdesk.store.cards import HistoryEntry
from crisisdesk.store.coverage import coverage_case
from crisisdesk.store.engine import Connection

MOST_ENTRIES = 6
"""Contacts of a patient that a line names, the newest first; their number is told too."""
postponement, booking, phone = tables.postponement.c, tables.booking.c, tables.phone.c
_INSTANT = tables.callback.c.due_at.type
_THESE = "IN (SELECT value FROM json_each(:ids))"


@dataclass(frozen=True, slots=True)
class Place:
    """A day that a patient was told."""

    slot_on: date
    slot_time: time | None
    state: str
    why: str


@dataclass(frozen=True, slots=True)
class Number:
    """A telephone number of a patient."""

    number: str
    comment: str
    is_guessed: bool
    is_wrong: bool


@dataclass
class HandoverFacts:
    """By postponement or by patient, as the names of the fields say."""

    items: Mapping[int, Row[Any]]
    """By postponement: the row of `postponement`, with ``coverage`` and, where there is one, its open callback."""
    patients: Mapping[int, Row[Any]]
    phones: Mapping[int, Sequence[Number]] = field(default_factory=dict)
    """By patient, those to ring first first."""
    history: Mapping[int, Sequence[HistoryEntry]] = field(default_factory=dict)
    """By patient, newest first, at most `MOST_ENTRIES`."""
    contacts: Mapping[int, int] = field(default_factory=dict)
    """By patient: calls and attempts in all."""
    words: Mapping[int, str] = field(default_factory=dict)
    """By patient: exact words of the last call that has any."""
    places: Mapping[int, Sequence[Place]] = field(default_factory=dict)
    """By postponement, oldest first."""


def read_facts(connection: Connection, postponement_ids: Sequence[int]) -> HandoverFacts:
    """Read all that the lines of these postponements tell."""
    ids = json.dumps(list(postponement_ids))
    items = {row.id: row for row in connection.execute(_ITEMS, {"ids": ids})}
    people = json.dumps(sorted({row.patient_id for row in items.values()}))
    patients = {row.id: row for row in connection.execute(_PATIENTS, {"ids": people})}
    facts = HandoverFacts(items, patients, phones=_phones(connection, people), places=_places(connection, ids))
    facts.history, facts.contacts = _history(connection, people)
    facts.words = {row.patient_id: row.words for row in connection.execute(_WORDS, {"ids": people})}
    return facts


_ring = tables.callback.alias()
_RING = text(
    f"""SELECT callback_item.postponement_id AS item, max(callback.id) AS callback_id FROM callback_item
    JOIN callback ON callback.id = callback_item.callback_id AND callback.state <> '{CallbackState.CLOSED}'
    WHERE callback_item.postponement_id {_THESE} GROUP BY 1"""
).columns(item=postponement.id.type, callback_id=postponement.id.type).subquery()  # fmt: skip
_ITEMS = (
    select(
        tables.postponement, coverage_case().label("coverage"), _ring.c.why, _ring.c.hold, _ring.c.promised_from,
        _ring.c.promised_until, _ring.c.part_of_day, _ring.c.note.label("ring_note"), _ring.c.tier, _ring.c.due_at,
    )
    .outerjoin(_RING, _RING.c.item == postponement.id)
    .outerjoin(_ring, _ring.c.id == _RING.c.callback_id)
    .where(text(f"postponement.id {_THESE}"))
)  # fmt: skip
_PATIENTS = select(tables.patient).where(text(f"patient.id {_THESE}"))
_HISTORY = text(
    f"""SELECT patient_id, at, what, code, who, note, place, n FROM (
      SELECT *, row_number() OVER (PARTITION BY patient_id ORDER BY at DESC, what) AS place,
        count(*) OVER (PARTITION BY patient_id) AS n FROM (
        SELECT callback.patient_id, attempt.started_at AS at, 'attempt' AS what, attempt.disposition AS code,
          agent.name AS who, attempt.note AS note
        FROM callback JOIN attempt ON attempt.callback_id = callback.id JOIN agent ON agent.id = attempt.agent_id
        WHERE callback.patient_id {_THESE} AND attempt.undone_at IS NULL
        UNION ALL
        SELECT call_patient.patient_id, call.started_at, 'call', call.disposition,
          coalesce(nullif(call.taken_by_name, ''), agent.name), call.note
        FROM call_patient JOIN call ON call.id = call_patient.call_id
          LEFT JOIN agent ON agent.id = coalesce(call.taken_by, call.entered_by)
        WHERE call_patient.patient_id {_THESE}
      )
    ) WHERE place <= :most ORDER BY patient_id, place"""
).columns(at=_INSTANT)  # fmt: skip
_WORDS = text(
    f"""SELECT call_patient.patient_id, call.words, max(call.started_at) FROM call_patient
    JOIN call ON call.id = call_patient.call_id
    WHERE call.words <> '' AND call_patient.patient_id {_THESE} GROUP BY 1"""
)


def _history(connection: Connection, people: str) -> tuple[dict[int, list[HistoryEntry]], dict[int, int]]:
    entries: defaultdict[int, list[HistoryEntry]] = defaultdict(list)
    counts: dict[int, int] = {}
    for row in connection.execute(_HISTORY, {"ids": people, "most": MOST_ENTRIES}):
        entries[row.patient_id].append(HistoryEntry(row.at, row.what, row.code, row.who or "", row.note))
        counts[row.patient_id] = row.n
    return entries, counts


def _phones(connection: Connection, people: str) -> dict[int, list[Number]]:
    query = (
        select(phone.patient_id, phone.number, phone.comment, phone.is_guessed, phone.found_wrong_at.is_not(None))
        .where(text(f"phone.patient_id {_THESE}"))
        .order_by(phone.found_wrong_at.is_not(None), phone.is_guessed, phone.position, phone.id)
    )
    found: defaultdict[int, list[Number]] = defaultdict(list)
    for patient_id, number, comment, is_guessed, is_wrong in connection.execute(query, {"ids": people}):
        found[patient_id].append(Number(number, comment, is_guessed, bool(is_wrong)))
    return found


def _places(connection: Connection, ids: str) -> dict[int, list[Place]]:
    query = (
        select(booking.postponement_id, booking.slot_on, booking.slot_time, booking.state, booking.withdrawn_why)
        .where(text(f"booking.postponement_id {_THESE}"))
        .order_by(booking.told_at, booking.id)
    )
    found: defaultdict[int, list[Place]] = defaultdict(list)
    for number, *values in connection.execute(query, {"ids": ids}):
        found[number].append(Place(*values))
    return found
