"""What a match shows beside the name: numbers, postponements, open callbacks, the last call."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

from crisisdesk.domain.matches import CallLine, ItemLine, OpenCallback, PhoneLine, TakenOver
from crisisdesk.domain.words import Coverage
from crisisdesk.store.engine import Connection
from crisisdesk.store.raw import rows
from crisisdesk.store.search import CALL_COLUMNS, id_list

FAR = 1000
"""Places in a queue are counted up to here."""
_WHOSE = "patient_id IN (SELECT value FROM json_each(?))"
_PATIENTS = (
    "SELECT id, last_name, first_name, full_name, birth_on, niss, town, is_provisional, death_reported_at, proof"
    " FROM patient WHERE id IN (SELECT value FROM json_each(?))"
)
_PHONES = (
    f"SELECT patient_id, number, comment, is_guessed, found_wrong_at FROM phone WHERE {_WHOSE} ORDER BY position, id"
)
_ITEMS = f"""
SELECT patient_id, id, kind, site_id, service_name, procedure, original_on, planned_on, priority, is_protected, source,
  CASE WHEN done_at IS NOT NULL THEN 'done' WHEN rebooked_at IS NOT NULL THEN 'rebooked'
       WHEN decided_at IS NOT NULL THEN 'decided' WHEN reached_at IS NOT NULL THEN 'reached'
       WHEN tried_at IS NOT NULL THEN 'tried' ELSE 'never_tried' END,
  (SELECT slot_on FROM booking WHERE booking.postponement_id = postponement.id AND booking.state = 'told'),
  handed_over_at
FROM postponement WHERE {_WHOSE} AND matched_to_id IS NULL ORDER BY coalesce(original_on, '9999'), id
"""
_TAKEN = """
SELECT h.site_id, h.service_id, i.answered_by FROM handover_item i JOIN handover h ON h.id = i.handover_id
WHERE i.postponement_id = ? AND i.state = 'acknowledged' ORDER BY i.answered_at DESC LIMIT 1
"""
_CALLBACKS = f"""
SELECT b.patient_id, b.id, b.site_id, b.released_at, b.hold, b.not_before, b.lease_until, coalesce(a.name, ''), b.state,
  b.tier, b.due_at
FROM callback b LEFT JOIN agent a ON a.id = b.leased_by
WHERE b.{_WHOSE} AND b.state <> 'closed' ORDER BY b.id
"""
_POSITION = f"""
SELECT count(*) FROM (
  SELECT 1 FROM callback WHERE site_id = ? AND state = 'waiting' AND released_at IS NOT NULL
    AND (tier, due_at, id) < (?, ?, ?) LIMIT {FAR})
"""
_LAST_CALLS = f"""
SELECT l.patient_id, {CALL_COLUMNS}
FROM (SELECT patient_id, max(call_id) AS call_id FROM call_patient WHERE {_WHOSE} GROUP BY patient_id) l
JOIN call c ON c.id = l.call_id LEFT JOIN agent a ON a.id = c.taken_by
"""


@dataclass
class Details:
    """Everything about some patients, by patient id."""

    patients: Mapping[int, Sequence[Any]]
    phones: defaultdict[int, list[PhoneLine]] = field(default_factory=lambda: defaultdict(list))
    items: defaultdict[int, list[ItemLine]] = field(default_factory=lambda: defaultdict(list))
    callbacks: defaultdict[int, list[OpenCallback]] = field(default_factory=lambda: defaultdict(list))
    last_call: dict[int, CallLine] = field(default_factory=dict)


def read_details(connection: Connection, patient_ids: Iterable[int], *, now: datetime) -> Details:
    """Read what matches show of these patients."""
    ids = (id_list(patient_ids),)
    details = Details({row[0]: row for row in rows(connection, _PATIENTS, ids)})
    for patient_id, number, comment, is_guessed, wrong_at in rows(connection, _PHONES, ids):
        details.phones[patient_id].append(PhoneLine(number, comment, bool(is_guessed), moment(wrong_at)))
    for patient_id, *values in rows(connection, _ITEMS, ids):
        details.items[patient_id].append(_item(values[:-1], _taken(connection, values[0], values[-1])))
    for row in rows(connection, _CALLBACKS, ids):
        details.callbacks[row[0]].append(_callback(connection, row, now))
    for patient_id, *values in rows(connection, _LAST_CALLS, ids):
        details.last_call[patient_id] = call_line(values)
    return details


def moment(text: str | None) -> datetime | None:
    """An instant of the store, aware."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC) if text else None


def day(text: str | None) -> date | None:
    """A date of the store."""
    return date.fromisoformat(text) if text else None


def call_line(values: Sequence[Any]) -> CallLine:
    """One row of `CALL_COLUMNS`."""
    return CallLine(values[0], values[1], _at(values[2]), *values[3:])


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def _taken(connection: Connection, postponement_id: int, at: str | None) -> TakenOver | None:
    """Who took a postponement over; asked for the few that were."""
    if at is None:
        return None
    found = rows(connection, _TAKEN, (postponement_id,))
    return TakenOver(_at(at), *(found[0] if found else (None, None, "")))


def _item(values: Sequence[Any], taken: TakenOver | None) -> ItemLine:
    number, kind, site_id, service, procedure, original_on, planned_on, priority, *more = values
    is_protected, source, coverage, told = more
    return ItemLine(
        number, kind, site_id, service, procedure, day(original_on), day(planned_on), priority, bool(is_protected),
        source == "caller", Coverage(coverage), taken, day(told),
    )  # fmt: skip


def _callback(connection: Connection, row: Sequence[Any], now: datetime) -> OpenCallback:
    _patient, number, site_id, released_at, hold, not_before, lease_until, holder, state, tier, due_at = row
    position = None
    if state == "waiting" and released_at and not hold:
        ((ahead,),) = rows(connection, _POSITION, (site_id, tier, due_at, number))
        position = ahead + 1 if ahead < FAR else None
    until = moment(lease_until)
    return OpenCallback(
        number, site_id, position, bool(released_at), hold, moment(not_before),
        holder if state == "leased" and until and until > now else "",
    )  # fmt: skip
