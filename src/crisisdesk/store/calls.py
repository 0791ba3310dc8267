"""Rows of calls: written once; a supervisor may code one anew (`recode`), the journal keeps what it was."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple

from sqlalchemy import select, update

from crisisdesk.domain.callref import make_reference
from crisisdesk.domain.matches import CallLine
from crisisdesk.store import tables
from crisisdesk.store.engine import Connection
from crisisdesk.store.matchdetails import call_line
from crisisdesk.store.raw import rows, run, stamp
from crisisdesk.store.search import CALL_COLUMNS, id_list

_COLUMNS = tuple(column.name for column in tables.call.c if column.name != "id")
_INSERT = f"INSERT INTO call ({', '.join(_COLUMNS)}) VALUES ({', '.join('?' * len(_COLUMNS))})"
_INSERT_PATIENT = "INSERT INTO call_patient (call_id, patient_id) VALUES (?, ?)"
_INSERT_ITEM = "INSERT INTO call_item (call_id, postponement_id, disposition) VALUES (?, ?, ?)"
_ITEMS = "SELECT id, patient_id, site_id FROM postponement WHERE id IN (SELECT value FROM json_each(?))"
_OPEN_CALLBACKS = "SELECT id, patient_id, state FROM callback WHERE id IN (SELECT value FROM json_each(?))"
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
    row = {**values, "number": number, "reference": make_reference(number), "wish": json.dumps(values["wish"])}
    call_id = run(connection, _INSERT, [_plain(row[name]) for name in _COLUMNS])
    return StoredCall(call_id, number, row["reference"], row["entered_at"])


def _plain(value: Any) -> Any:
    return stamp(value) if isinstance(value, datetime) else value


def recode(connection: Connection, call_id: int, values: Mapping[str, str]) -> None:
    """Set the disposition or the topic of a call; the caller writes the old one into the journal."""
    connection.execute(update(tables.call).where(tables.call.c.id == call_id).values(dict(values)))


def link(connection: Connection, call_id: int, patient_ids: Iterable[int], items: Mapping[int, str | None]) -> None:
    """Tie a call to patients and to postponements, these with what was settled for each."""
    for patient_id in patient_ids:
        run(connection, _INSERT_PATIENT, (call_id, patient_id))
    for number, code in items.items():
        run(connection, _INSERT_ITEM, (call_id, number, code))


def drop_draft(connection: Connection, uid: str) -> None:
    """Forget the draft of a form that is stored now."""
    run(connection, "DELETE FROM draft WHERE uid = ?", (uid,))


class ItemOwner(NamedTuple):
    """Whose a postponement is, and where."""

    id: int
    patient_id: int
    site_id: str | None


class CallbackOwner(NamedTuple):
    """Whose a callback is, and its state."""

    id: int
    patient_id: int
    state: str


def read_items(connection: Connection, ids: Sequence[int]) -> Mapping[int, ItemOwner]:
    """Whose postponements are, by id."""
    found = rows(connection, _ITEMS, (id_list(ids),)) if ids else ()
    return {row[0]: ItemOwner(*row) for row in found}


def read_callbacks(connection: Connection, ids: Sequence[int]) -> Mapping[int, CallbackOwner]:
    """Whose callbacks are, by id."""
    found = rows(connection, _OPEN_CALLBACKS, (id_list(ids),)) if ids else ()
    return {row[0]: CallbackOwner(*row) for row in found}


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
