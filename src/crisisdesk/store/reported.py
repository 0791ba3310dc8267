"""Postponements that callers told of, before or beside any list."""

import json
from typing import Any, NamedTuple

from sqlalchemy import insert

from crisisdesk.store import tables
from crisisdesk.store.engine import Connection
from crisisdesk.store.search import id_list

_PAIRS = """
SELECT r.id, l.id, r.patient_id,
  CASE WHEN r.site_id IS NULL OR l.site_id IS NULL THEN NULL ELSE r.site_id = l.site_id END,
  CASE WHEN r.kind IS NULL OR l.kind IS NULL THEN NULL ELSE r.kind = l.kind END,
  CASE WHEN r.service_id IS NULL OR l.service_id IS NULL THEN NULL ELSE r.service_id = l.service_id END,
  CAST(abs(julianday(r.original_on) - julianday(coalesce(l.original_on, l.planned_on))) AS INTEGER)
FROM postponement r JOIN postponement l ON l.patient_id = r.patient_id AND l.source = 'list' AND l.matched_to_id IS NULL
WHERE r.source = 'caller' AND r.matched_to_id IS NULL AND {whose} ORDER BY r.id, l.id LIMIT 1000
"""
_MATCH = """
UPDATE postponement SET matched_to_id = :listed WHERE id = :reported AND source = 'caller' AND matched_to_id IS NULL
  AND patient_id =
    (SELECT patient_id FROM postponement WHERE id = :listed AND source = 'list' AND matched_to_id IS NULL)
"""
# A clinician's code of what the caller told holds for what the list says too; what the list said waits for a decision.
_CARRY_CODE = """
UPDATE postponement SET priority_listed = iif(postponement.priority IS r.priority, NULL, postponement.priority),
  priority = r.priority, priority_by = r.priority_by, priority_at = r.priority_at
FROM postponement AS r WHERE r.id = :reported AND r.priority_by NOT IN ('', 'list')
  AND postponement.id = :listed AND postponement.priority_by IN ('', 'list')
"""
_CARRY_DECISION = """
UPDATE postponement SET decision = r.decision, decided_by = r.decided_by FROM postponement AS r
WHERE r.id = :reported AND r.decision <> '' AND postponement.id = :listed AND postponement.decision = ''
"""
# What was told holds for the list's own: a slip takes it back from there, and the patient is rung.
_CARRY_PLACE = """
UPDATE booking SET postponement_id = :listed WHERE postponement_id = :reported AND state = 'told'
  AND NOT EXISTS (SELECT 1 FROM booking AS other WHERE other.postponement_id = :listed AND other.state = 'told')
"""
_GIVE_CODE_BACK = """
UPDATE postponement SET priority = coalesce(postponement.priority_listed,
    iif(postponement.priority_said = '', NULL, postponement.priority)),
  priority_by = iif(postponement.priority_said = '', '', 'list'), priority_at = NULL, priority_listed = NULL
FROM postponement AS r WHERE r.id = :reported AND postponement.id = r.matched_to_id
  AND postponement.priority_by = r.priority_by AND postponement.priority_at = r.priority_at
"""
_FACTS = ("tried_at", "reached_at", "decided_at", "rebooked_at", "done_at")
_CARRIED = f"SELECT {', '.join(_FACTS)}, decision, decided_by FROM postponement WHERE id = ?"
_LAST_MATCH = """
SELECT json_extract(detail, '$.carried') FROM journal WHERE subject = 'postponement' AND subject_id = ?
  AND action = 'postponement.matched' ORDER BY seq DESC LIMIT 1
"""


class Pair(NamedTuple):
    """One reported and one listed postponement of the same patient; None: one of the two does not say."""

    reported_id: int
    listed_id: int
    patient_id: int
    same_site: int | None
    same_kind: int | None
    same_service: int | None
    days_apart: int | None


def pairs(connection: Connection, patient_ids: list[int] | None) -> list[Pair]:
    """Every open pair of a reported and a listed postponement of one patient."""
    whose = "1" if patient_ids is None else "r.patient_id IN (SELECT value FROM json_each(?))"
    values = () if patient_ids is None else (id_list(patient_ids),)
    return [Pair(*row) for row in connection.exec_driver_sql(_PAIRS.format(whose=whose), values)]


def matched(connection: Connection, patient_id: int) -> list[tuple[int, int]]:
    """A patient's reported postponements that were found on a list: (reported, listed)."""
    query = "SELECT id, matched_to_id FROM postponement WHERE patient_id = ? AND matched_to_id IS NOT NULL ORDER BY id"
    return [(int(row[0]), int(row[1])) for row in connection.exec_driver_sql(query, (patient_id,))]


def add(connection: Connection, row: dict[str, object]) -> int:
    """Add one postponement; return its id."""
    key = connection.execute(insert(tables.postponement), row).inserted_primary_key
    return int(key[0]) if key else 0


def match(connection: Connection, reported_id: int, listed_id: int) -> dict[str, list[Any]] | None:
    """Tie a reported postponement to a listed one, which takes over what was proven; None where they do not fit.

    Returns:
        What the listed one took over, for `unmatch`: its "columns", and the "bookings" that are its own now.
    """
    values = {"reported": reported_id, "listed": listed_id}
    if connection.exec_driver_sql(_MATCH, values).rowcount != 1:
        return None
    before = connection.exec_driver_sql(_CARRIED, (listed_id,)).mappings().one()
    places = "SELECT id FROM booking WHERE postponement_id = ? AND state = 'told'"
    had = set(connection.exec_driver_sql(places, (listed_id,)).scalars())
    for fact in _FACTS:
        sql = (
            f"UPDATE postponement SET {fact} = coalesce({fact}, (SELECT {fact} FROM postponement WHERE id = :reported))"
            " WHERE id = :listed"
        )
        connection.exec_driver_sql(sql, values)
    for sql in (_CARRY_DECISION, _CARRY_PLACE, _CARRY_CODE):
        connection.exec_driver_sql(sql, values)
    after = connection.exec_driver_sql(_CARRIED, (listed_id,)).mappings().one()
    now_told = connection.exec_driver_sql(places, (listed_id,)).scalars()
    return {
        "columns": [name for name in after if after[name] != before[name]],
        "bookings": [number for number in now_told if number not in had],
    }


def unmatch(connection: Connection, reported_id: int) -> int | None:
    """Untie it, and give back what the listed one took over and still has; give what it was tied to, None where nothing
    was."""
    query = "SELECT matched_to_id FROM postponement WHERE id = ?"
    before = connection.exec_driver_sql(query, (reported_id,)).scalar_one_or_none()
    if before is None:
        return None
    connection.exec_driver_sql(_GIVE_CODE_BACK, {"reported": reported_id})
    carried = json.loads(connection.exec_driver_sql(_LAST_MATCH, (str(reported_id),)).scalar() or "{}")
    values = {"reported": reported_id, "listed": before}
    for name in carried.get("columns", ()):
        blank = "NULL" if name in _FACTS else "''"
        connection.exec_driver_sql(
            f"UPDATE postponement SET {name} = {blank} FROM postponement AS r WHERE r.id = :reported"
            f" AND postponement.id = :listed AND postponement.{name} = r.{name}", values,
        )  # fmt: skip
    back = "UPDATE booking SET postponement_id = :reported WHERE id = :id AND postponement_id = :listed"
    for number in carried.get("bookings", ()):
        connection.exec_driver_sql(back, values | {"id": number})
    connection.exec_driver_sql("UPDATE postponement SET matched_to_id = NULL WHERE id = ?", (reported_id,))
    return int(before)
