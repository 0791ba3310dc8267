"""Postponements that callers told of, before or beside any list."""

from typing import NamedTuple

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
_FACTS = ("tried_at", "reached_at", "decided_at", "rebooked_at", "done_at")


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


def match(connection: Connection, reported_id: int, listed_id: int) -> bool:
    """Tie a reported postponement to a listed one, which takes over what was proven; False where they do not fit."""
    values = {"reported": reported_id, "listed": listed_id}
    if connection.exec_driver_sql(_MATCH, values).rowcount != 1:
        return False
    for fact in _FACTS:
        sql = (
            f"UPDATE postponement SET {fact} = coalesce({fact}, (SELECT {fact} FROM postponement WHERE id = :reported))"
            " WHERE id = :listed"
        )
        connection.exec_driver_sql(sql, values)
    return True


def unmatch(connection: Connection, reported_id: int) -> int | None:
    """Untie it; give what it was tied to, None where nothing was."""
    query = "SELECT matched_to_id FROM postponement WHERE id = ?"
    before = connection.exec_driver_sql(query, (reported_id,)).scalar_one_or_none()
    if before is not None:
        connection.exec_driver_sql("UPDATE postponement SET matched_to_id = NULL WHERE id = ?", (reported_id,))
    return int(before) if before is not None else None
