"""What one agent recorded since an instant: attempts and calls, with whom they were about and what came of them."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import bindparam, select, text

from crisisdesk.domain.words import BookingState
from crisisdesk.store import tables
from crisisdesk.store.engine import Connection

_INSTANT = tables.call.c.started_at.type


@dataclass(frozen=True, slots=True)
class RecordedRow:
    """One attempt or call."""

    kind: str
    """"attempt" or "call"."""
    number: int
    """Id of the attempt; running number of the call."""
    at: datetime
    entered_at: datetime
    patient_id: int | None
    last_name: str
    first_name: str
    full_name: str
    callback_id: int | None
    """The one that was rung; of a call the first one that it made."""
    site_id: str | None
    code: str
    """Disposition."""
    note: str
    next_step: str
    """Of an attempt."""
    next_at: datetime | None
    undone_at: datetime | None
    undone_why: str
    stands_for: int | None
    """Of an attempt: the one that corrects it, or that it corrects (see ``is_correction``)."""
    is_correction: bool
    topic: str | None
    """Of a call."""


# A call belongs to who took it, and to who typed it in. A correction belongs to who made the attempt.
_RECORDED = text(
    """
    SELECT 'attempt' AS kind, a.id AS number, a.started_at AS at, a.entered_at AS entered_at, c.patient_id, p.last_name,
      p.first_name, p.full_name, c.id AS callback_id, c.site_id, a.disposition AS code, a.note, a.next_step, a.next_at,
      a.undone_at, a.undone_why,
      coalesce(a.corrects_id, (SELECT n.id FROM attempt n WHERE n.callback_id = a.callback_id AND n.corrects_id = a.id))
        AS stands_for, a.corrects_id IS NOT NULL AS is_correction,
      NULL AS topic
    FROM attempt a JOIN callback c ON c.id = a.callback_id JOIN patient p ON p.id = c.patient_id
    WHERE a.agent_id = :agent_id AND a.started_at >= :since
    UNION ALL
    SELECT 'call', k.number, k.started_at, k.entered_at, p.id, coalesce(p.last_name, ''), coalesce(p.first_name, ''),
      coalesce(p.full_name, k.caller_name), coalesce((SELECT min(c.id) FROM callback c WHERE c.made_in_call_id = k.id),
        (SELECT max(c.id) FROM callback c JOIN disposition d ON d.scope = 'inbound' AND d.code = k.disposition
         WHERE d.makes_callback AND c.patient_id = p.id AND c.site_id = k.site_id AND c.state <> 'closed')), k.site_id,
      k.disposition, k.words, '', NULL, NULL, '', NULL, 0, k.topic
    FROM call k LEFT JOIN patient p
      ON p.id = (SELECT min(patient_id) FROM call_patient WHERE call_id = k.id)
    WHERE (k.taken_by = :agent_id OR k.entered_by = :agent_id) AND k.entered_at >= :since
    ORDER BY entered_at DESC, number DESC LIMIT :most
    """
).bindparams(bindparam("since", type_=_INSTANT)).columns(
    at=_INSTANT, entered_at=_INSTANT, next_at=_INSTANT, undone_at=_INSTANT
)  # fmt: skip


def recorded_since(connection: Connection, agent_id: int, since: datetime, most: int) -> Sequence[RecordedRow]:
    """What an agent recorded, newest first."""
    rows = connection.execute(_RECORDED, {"agent_id": agent_id, "since": since, "most": most}).mappings()
    return [RecordedRow(**{**row, "is_correction": bool(row["is_correction"])}) for row in rows]


def days_given(connection: Connection, attempt_ids: Sequence[int]) -> Mapping[int, Sequence[date]]:
    """Days of the places that were given in attempts and still hold, by attempt."""
    booking = tables.booking.c
    query = select(booking.attempt_id, booking.slot_on).where(
        booking.attempt_id.in_(attempt_ids), booking.state != BookingState.WITHDRAWN
    )
    found: defaultdict[int, list[date]] = defaultdict(list)
    for attempt_id, day in connection.execute(query.order_by(booking.slot_on)) if attempt_ids else ():
        found[attempt_id].append(day)
    return found
