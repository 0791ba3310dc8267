"""What the card of a callback shows: what was put off, the numbers, and what was said before and by whom."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

from sqlalchemy import Row, bindparam, case, func, select, text

from crisisdesk.store import tables
from crisisdesk.store.engine import Connection
from crisisdesk.store.items import is_unsettled

item, postponement, patient = tables.callback_item.c, tables.postponement.c, tables.patient.c


@dataclass(frozen=True, slots=True)
class HeldItem:
    """One postponement of a callback."""

    callback_id: int
    postponement_id: int
    service_id: int | None
    service_name: str
    kind: str | None
    procedure: str
    clinician: str
    original_on: date | None
    original_time: time | None
    priority: str | None
    is_protected: bool
    decision: str
    remark: str
    is_unsettled: bool
    told_on: date | None
    """Day that the patient was told and that still holds."""
    missing_list: str | None = None
    """Name of the list that has it no more; None: it is still there, or came from no list."""
    missing_version: int | None = None
    """First version of that list without it, from 1."""
    missing_at: datetime | None = None
    """When that version came."""


@dataclass(frozen=True, slots=True)
class CardNumber:
    """A number of the patient."""

    number: str
    comment: str
    is_guessed: bool
    is_wrong: bool


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """One contact, told or tried, or a date that was taken back."""

    at: datetime
    what: str
    """"call", "attempt", "withdrawn" (code: the day) or "channel" (code: a channel besides the telephone)."""
    code: str
    by: str
    note: str
    is_undone: bool = False
    """An attempt that was taken back."""


_TOLD = select(tables.booking.c.slot_on).where(
    tables.booking.c.postponement_id == postponement.id, tables.booking.c.state == "told"
)
_gone, _earlier = tables.source_file.c, tables.source_file.alias()
_VERSION = (
    select(func.count())
    .select_from(_earlier)
    .where(_earlier.c.series_key == _gone.series_key, _earlier.c.published_at.is_not(None), _earlier.c.id <= _gone.id)
    .correlate(tables.source_file)
)
_ITEMS = (
    select(
        item.callback_id, postponement.id, postponement.service_id, postponement.service_name, postponement.kind,
        postponement.procedure, postponement.clinician, postponement.original_on, postponement.planned_time,
        postponement.priority, postponement.is_protected, postponement.decision, postponement.remark,
        is_unsettled().label("unsettled"), _TOLD.scalar_subquery(),
        _gone.name, case((_gone.id.is_not(None), _VERSION.scalar_subquery())), _gone.published_at,
    )
    .join(tables.postponement, postponement.id == item.postponement_id)
    .outerjoin(tables.source_file, _gone.id == postponement.missing_since_id)
    .where(item.callback_id.in_(bindparam("callbacks", expanding=True)))
    .order_by(item.callback_id, is_unsettled().desc(), postponement.original_on, postponement.id)
)  # fmt: skip


def held_items(connection: Connection, callback_ids: Sequence[int]) -> Mapping[int, Sequence[HeldItem]]:
    """The postponements of callbacks, unsettled ones first, then by their original day."""
    found: defaultdict[int, list[HeldItem]] = defaultdict(list)
    for row in connection.execute(_ITEMS, {"callbacks": list(callback_ids)}):
        found[row.callback_id].append(HeldItem(*tuple(row)))
    return found


def numbers_of(connection: Connection, patient_id: int) -> Sequence[CardNumber]:
    """A patient's numbers, those to ring first first; known wrong ones last."""
    phone = tables.phone.c
    query = (
        select(phone.number, phone.comment, phone.is_guessed, phone.found_wrong_at.is_not(None))
        .where(phone.patient_id == patient_id)
        .order_by(phone.found_wrong_at.is_not(None), phone.is_guessed, phone.position, phone.id)
    )
    return [CardNumber(row[0], row[1], row[2], bool(row[3])) for row in connection.execute(query)]


def patient_row(connection: Connection, patient_id: int) -> Row[Any]:
    """The patient's own row."""
    return connection.execute(select(tables.patient).where(patient.id == patient_id)).one()


_HISTORY = text(
    """SELECT attempt.started_at AS at, 'attempt' AS what, attempt.disposition AS code, agent.name AS who, attempt.note,
      attempt.undone_at IS NOT NULL AS undone
    FROM attempt JOIN callback ON callback.id = attempt.callback_id JOIN agent ON agent.id = attempt.agent_id
    WHERE callback.patient_id = :patient_id
    UNION ALL
    SELECT call.started_at, 'call', call.disposition, coalesce(nullif(call.taken_by_name, ''), agent.name), call.words,
      0
    FROM call JOIN call_patient ON call_patient.call_id = call.id LEFT JOIN agent ON agent.id = call.entered_by
    WHERE call_patient.patient_id = :patient_id
    UNION ALL
    SELECT booking.withdrawn_at, 'withdrawn', booking.slot_on, coalesce(agent.name, 'CrisisDesk'),
      booking.withdrawn_why, 0
    FROM booking JOIN postponement ON postponement.id = booking.postponement_id
      LEFT JOIN agent ON agent.id = booking.withdrawn_by
    WHERE postponement.patient_id = :patient_id AND booking.state = 'withdrawn'
    UNION ALL
    SELECT journal.happened_at, 'channel', json_extract(journal.detail, '$.used'), json_extract(journal.detail, '$.by'),
      json_extract(journal.detail, '$.words'), 0
    FROM callback JOIN journal ON journal.subject = 'callback' AND journal.subject_id = CAST(callback.id AS TEXT)
      AND journal.action = 'callback.channel_used'
    WHERE callback.patient_id = :patient_id AND callback.channels_done <> '[]'
    ORDER BY at DESC LIMIT :most"""
).columns(at=tables.callback.c.due_at.type)


def history_of(connection: Connection, patient_id: int, most: int = 20) -> Sequence[HistoryEntry]:
    """What was said with and tried for a patient, newest first."""
    rows = connection.execute(_HISTORY, {"patient_id": patient_id, "most": most})
    return [HistoryEntry(row.at, row.what, row.code, row.who or "", row.note or "", bool(row.undone)) for row in rows]
