"""The reserve list of a service: patients who come at short notice, and the places that they are asked to take."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import select, true, update

from crisisdesk.domain.words import CallbackState
from crisisdesk.store import callbacks, tables
from crisisdesk.store.engine import Connection
from crisisdesk.store.items import is_unsettled

callback, item, patient = tables.callback.c, tables.callback_item.c, tables.patient.c
postponement = tables.postponement.c


@dataclass(frozen=True, slots=True)
class ReserveRow:
    """One postponement on the reserve list, with the open callback that it is in."""

    callback_id: int
    postponement_id: int
    patient_id: int
    last_name: str
    first_name: str
    full_name: str
    priority: str | None
    original_on: date | None
    state: str
    hold: str
    not_before: datetime | None
    lease_until: datetime | None
    released_at: datetime | None
    release_why: str
    why: Mapping[str, Any]
    is_said_dead: bool


def reserve_of(connection: Connection, service_id: int) -> Sequence[ReserveRow]:
    """Unsettled postponements of a service whose patients come at short notice, in the order of the queue."""
    query = (
        select(
            callback.id, postponement.id, callback.patient_id, patient.last_name, patient.first_name, patient.full_name,
            postponement.priority, postponement.original_on, callback.state, callback.hold, callback.not_before,
            callback.lease_until, callback.released_at, callback.release_why, callback.why,
            patient.death_reported_at.is_not(None),
        )
        .select_from(tables.postponement)
        .join(tables.callback_item, item.postponement_id == postponement.id)
        .join(tables.callback, callback.id == item.callback_id)
        .join(tables.patient, patient.id == callback.patient_id)
        .where(postponement.service_id == service_id, postponement.is_reserve == true(), is_unsettled())
        .where(callback.state != CallbackState.CLOSED)
        .order_by(callback.tier, callback.due_at, callback.id, postponement.original_on, postponement.id)
    )  # fmt: skip
    return [ReserveRow(*tuple(row)) for row in connection.execute(query)]


def keep_place(connection: Connection, row: ReserveRow, code: str, why: Mapping[str, Any], now: datetime) -> None:
    """Release a callback because a place is free for it, and put it first; what it was released for is kept beside."""
    values = {"released_at": row.released_at or now, "release_why": code}
    connection.execute(update(tables.callback).where(callback.id == row.callback_id).values(values))
    callbacks.redate(connection, [row.callback_id], add_why={"reserve": {**why, "was": row.release_why}})


def let_place_go(connection: Connection, callback_id: int, now: datetime) -> None:
    """The place is kept no longer: the callback goes back to where it stood, and waits again if it waited before."""
    row = connection.execute(select(tables.callback).where(callback.id == callback_id)).one()
    kept = row.why.get("reserve")
    if kept is None or row.state == CallbackState.CLOSED:
        return
    values: dict[str, Any] = {"why": {name: value for name, value in row.why.items() if name != "reserve"}}
    reason = kept["was"] or _other_reason(row)
    if row.release_why.startswith("reserve:"):
        values |= {"release_why": reason} | ({} if reason else {"released_at": None})
    connection.execute(update(tables.callback).where(callback.id == callback_id).values(values))
    callbacks.redate(connection, [callback_id])
    if not reason:
        callbacks.release(
            connection, connection.scalars(callbacks.protected_in([callback_id])).all(), callbacks.PROTECTED, now
        )


def _other_reason(row: Any) -> str:
    """Why a callback may be rung all the same: passed on as urgent meanwhile, told a date that slipped or what is no
    longer so, promised a call."""
    for reason in (callbacks.ESCALATED, callbacks.SLIPPED):
        if reason in row.why:
            return reason
    if "told" in row.why:
        return f"instruction:{row.why['told']['instruction']}"
    asked_since = row.asked_at is not None and row.released_at is not None and row.asked_at >= row.released_at
    return callbacks.PROMISED if asked_since or row.promised_from or row.promised_until else ""


def kept_days(rows: Sequence[ReserveRow], service_id: int) -> Counter[date]:
    """For how many of the reserve list a freed place of a service is kept at present, by day."""
    prefix = f"reserve:{service_id}:"
    codes = {row.callback_id: row.release_why for row in rows if row.release_why.startswith(prefix)}.values()
    return Counter(date.fromisoformat(code.removeprefix(prefix)) for code in codes)
