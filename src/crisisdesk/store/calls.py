"""Rows of calls: written once, never changed."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Row, bindparam, insert, select

from crisisdesk.domain.callref import make_reference
from crisisdesk.domain.matches import CallLine
from crisisdesk.store import tables
from crisisdesk.store.engine import Connection
from crisisdesk.store.matchdetails import call_line
from crisisdesk.store.raw import rows
from crisisdesk.store.search import CALL_COLUMNS, id_list

_INSERT = insert(tables.call)
_INSERT_PATIENT = insert(tables.call_patient)
_INSERT_ITEM = insert(tables.call_item)
_ITEMS = select(
    tables.postponement.c.id, tables.postponement.c.patient_id, tables.postponement.c.site_id,
    tables.postponement.c.matched_to_id,
).where(tables.postponement.c.id.in_(bindparam("ids", expanding=True)))  # fmt: skip
_OPEN_CALLBACKS = select(tables.callback.c.id, tables.callback.c.patient_id, tables.callback.c.state).where(
    tables.callback.c.id.in_(bindparam("ids", expanding=True))
)
_SETTLED_CALLBACKS = """
SELECT DISTINCT b.id FROM callback b JOIN callback_item i ON i.callback_id = b.id
WHERE b.state <> 'closed' AND i.postponement_id IN (SELECT value FROM json_each(?))
"""


@dataclass(frozen=True, slots=True)
class StoredCall:
    """What tells a call that is stored already."""

    call_id: int
    number: int
    reference: str
    entered_at: datetime


def find_by_uid(connection: Connection, uid: str) -> StoredCall | None:
    """The call that was stored for a form, if it was."""
    found = rows(connection, "SELECT id, number, reference, entered_at FROM call WHERE uid = ?", (uid,))
    if not found:
        return None
    number, place, reference, entered_at = found[0]
    return StoredCall(number, place, reference, datetime.fromisoformat(entered_at).replace(tzinfo=UTC))


def add_call(connection: Connection, values: Mapping[str, Any]) -> StoredCall:
    """Store a call under the next number and its reference. Inside a write only."""
    ((number,),) = rows(connection, "SELECT coalesce(max(number), 0) + 1 FROM call")
    row = {**values, "number": number, "reference": make_reference(number)}
    key = connection.execute(_INSERT, row).inserted_primary_key
    return StoredCall(int(key[0]) if key else 0, number, row["reference"], row["entered_at"])


def link(connection: Connection, call_id: int, patient_ids: Iterable[int], items: Mapping[int, str | None]) -> None:
    """Tie a call to patients and to postponements, these with what was settled for each."""
    people = [{"call_id": call_id, "patient_id": number} for number in patient_ids]
    if people:
        connection.execute(_INSERT_PATIENT, people)
    tied = [{"call_id": call_id, "postponement_id": number, "disposition": code} for number, code in items.items()]
    if tied:
        connection.execute(_INSERT_ITEM, tied)


def drop_draft(connection: Connection, uid: str) -> None:
    """Forget the draft of a form that is stored now."""
    connection.exec_driver_sql("DELETE FROM draft WHERE uid = ?", (uid,))


def read_items(connection: Connection, ids: Sequence[int]) -> Mapping[int, Row[Any]]:
    """id, patient_id, site_id, matched_to_id of postponements, by id."""
    found: Iterable[Any] = connection.execute(_ITEMS, {"ids": list(ids)}) if ids else ()
    return {row.id: row for row in found}


def read_callbacks(connection: Connection, ids: Sequence[int]) -> Mapping[int, Row[Any]]:
    """id, patient_id, state of callbacks, by id."""
    found: Iterable[Any] = connection.execute(_OPEN_CALLBACKS, {"ids": list(ids)}) if ids else ()
    return {row.id: row for row in found}


def callbacks_about(connection: Connection, postponement_ids: Iterable[int]) -> tuple[int, ...]:
    """Open callbacks that hold any of these postponements."""
    found = rows(connection, _SETTLED_CALLBACKS, (id_list(postponement_ids),))
    return tuple(int(row[0]) for row in found)


def slip_entered_as(connection: Connection, slip_number: str) -> str | None:
    """Reference of the call that a paper slip was entered as already."""
    query = "SELECT reference FROM call WHERE slip_number = ? AND slip_number <> '' ORDER BY id LIMIT 1"
    return connection.exec_driver_sql(query, (slip_number,)).scalar_one_or_none()


def list_calls(connection: Connection, start_at: datetime, end_at: datetime, limit: int) -> tuple[CallLine, ...]:
    """Calls that came in from one instant until another, oldest first."""
    query = (
        f"SELECT {CALL_COLUMNS} FROM call c LEFT JOIN agent a ON a.id = c.taken_by"
        " WHERE c.started_at >= ? AND c.started_at < ? ORDER BY c.started_at, c.id LIMIT ?"
    )
    span = tuple(at.strftime("%Y-%m-%d %H:%M:%S.%f") for at in (start_at, end_at))
    return tuple(call_line(row) for row in connection.exec_driver_sql(query, (*span, limit)))


def read_call(connection: Connection, number: int) -> Mapping[str, Any] | None:
    """Everything about one call, by its running number: its columns, ``patients`` and ``items``."""
    call, agent = tables.call, tables.agent
    row = connection.execute(select(call).where(call.c.number == number)).mappings().one_or_none()
    if row is None:
        return None
    names = {found.id: found.name for found in connection.execute(select(agent.c.id, agent.c.name))}
    items = select(tables.call_item.c.postponement_id, tables.call_item.c.disposition)
    people = select(tables.call_patient.c.patient_id).where(tables.call_patient.c.call_id == row["id"])
    return {
        **row,
        "taken_by_name": names.get(row["taken_by"]) or row["taken_by_name"],
        "entered_by_name": names.get(row["entered_by"], ""),
        "patients": list(connection.scalars(people)),
        "items": {
            found.postponement_id: found.disposition
            for found in connection.execute(items.where(tables.call_item.c.call_id == row["id"]))
        },
    }
