"""A death that was reported: calls about that person stop at once; a second agent confirms or refutes it."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import exists, func, select, update

from crisisdesk.clock import local_day
from crisisdesk.store import bookings, callbacks, journal, tables, unplaced
from crisisdesk.store.engine import Connection
from crisisdesk.store.items import DECEASED, is_unsettled

patient = tables.patient.c


def state_of(connection: Connection, patient_id: int) -> Mapping[str, Any]:
    """death_reported_at, death_reported_by and death_confirmed_by of a patient."""
    query = select(patient.death_reported_at, patient.death_reported_by, patient.death_confirmed_by)
    return dict(connection.execute(query.where(patient.id == patient_id)).mappings().one())


def report(
    connection: Connection,
    patient_id: int,
    *,
    agent_id: int,
    login: str,
    call_id: int | None,
    now: datetime,
) -> list[int]:
    """Write down the report (the first one counts) and stop every open callback of that person; give their ids.

    Others on the same telephone are not touched.
    """
    if state_of(connection, patient_id)["death_reported_at"] is None:
        _set(connection, patient_id, death_reported_at=now, death_reported_by=agent_id)
    stopped = callbacks.stop_for_death(connection, patient_id)
    detail = {"death_reported_at": [None, now.isoformat()], "call": call_id, "stopped": stopped}
    _tell(connection, login, "patient.death_reported", patient_id, detail, now)
    return stopped


def confirm(connection: Connection, patient_id: int, *, agent_id: int, login: str, now: datetime) -> list[int]:
    """A second agent confirms: the stopped callbacks close, and the places that the person was told are free again."""
    _set(connection, patient_id, death_confirmed_by=agent_id)
    closed = callbacks.stop_for_death(connection, patient_id)
    for callback_id in closed:
        callbacks.close(connection, callback_id, "deceased", agent_id, now)
    told = bookings.told_to(connection, patient_id, local_day(now, callbacks.placement_rules(connection).zone))
    before = _decisions(connection, patient_id)
    for booking_id, postponement_id in told:
        bookings.withdraw_booking(connection, booking_id, postponement_id, DECEASED, now, by=agent_id)
    settled = _settle_items(connection, patient_id, login, now)
    detail = {"death_confirmed_by": [None, login], "closed": closed, "withdrawn": [key for key, _item in told]}
    detail |= {"settled": {str(key): list(before[key]) for key in settled}}
    _tell(connection, login, "patient.death_confirmed", patient_id, detail, now)
    return closed


def is_asked_since(connection: Connection, patient_id: int) -> bool:
    """Whether a person whose death is confirmed has an open callback: a caller asked for it afterwards."""
    table = tables.callback.c
    query = select(table.id).where(table.patient_id == patient_id, table.state != "closed")
    return connection.execute(query.limit(1)).first() is not None


_DECIDED = ("decided_at", "decision", "decided_by", "rebooked_at")


def _decisions(connection: Connection, patient_id: int) -> Mapping[int, Sequence[Any]]:
    """What was decided of each postponement of a patient, in the order of `_DECIDED`, as plain JSON values."""
    item = tables.postponement.c
    query = select(item.id, *(item[name] for name in _DECIDED)).where(item.patient_id == patient_id)
    return {
        key: [value.isoformat() if isinstance(value, datetime) else value for value in values]
        for key, *values in connection.execute(query)
    }


def _settle_items(connection: Connection, patient_id: int, login: str, now: datetime) -> list[int]:
    """Nobody is owed a call or a place any more: what was not settled is decided. Gives the postponements."""
    item = tables.postponement.c
    ids = list(connection.scalars(select(item.id).where(item.patient_id == patient_id, is_unsettled())))
    values = {"decided_at": now, "decision": DECEASED, "decided_by": login, "is_reserve": False}
    connection.execute(update(tables.postponement).where(item.id.in_(ids)).values(values))
    return ids


def _unsettle_items(connection: Connection, patient_id: int) -> list[int]:
    """The person is alive: what the confirmation decided is owed again, as the journal says that it was.

    A place that was withdrawn is not given back (somebody else may have it): its postponement is owed a new one.
    """
    item, entry = tables.postponement.c, tables.journal.c
    ids = list(connection.scalars(select(item.id).where(item.patient_id == patient_id, item.decision == DECEASED)))
    said = select(entry.detail).where(
        entry.subject == "patient", entry.subject_id == str(patient_id), entry.action == "patient.death_confirmed"
    )
    before: dict[str, Any] = {}  # it may have been confirmed more than once
    for detail in connection.scalars(said.order_by(entry.seq)):
        before |= json.loads(detail).get("settled", {})
    for number in ids:
        decided_at, decision, decided_by, rebooked_at = before.get(str(number), (None, "", "", None))
        values: dict[str, Any] = {"decided_at": None, "decision": "", "decided_by": ""}
        if decided_at and not rebooked_at:
            values = {"decided_at": datetime.fromisoformat(decided_at), "decision": decision, "decided_by": decided_by}
        connection.execute(update(tables.postponement).where(item.id == number).values(values))
    return ids


def refute(connection: Connection, patient_id: int, *, login: str, why: str, now: datetime) -> list[int]:
    """The report was wrong: what it stopped or closed may be rung again, and so may what no callback held meanwhile."""
    before = state_of(connection, patient_id)
    _set(connection, patient_id, death_reported_at=None, death_reported_by=None, death_confirmed_by=None)
    agent_id = connection.scalar(select(tables.agent.c.id).where(tables.agent.c.login == login))
    resumed, reopened, held, owed = live_on(connection, patient_id, agent_id=agent_id, now=now)
    detail = {"death_reported_at": [str(before["death_reported_at"]), None], "why": why, "resumed": resumed}
    detail |= {"reopened": reopened, "held": held, "owed": owed}
    _tell(connection, login, "patient.death_refuted", patient_id, detail, now)
    return [*resumed, *reopened, *held]


def live_on(
    connection: Connection, patient_id: int, *, agent_id: int | None, now: datetime
) -> tuple[list[int], list[int], list[int], list[int]]:
    """Whoever was taken for dead is rung again: gives the callbacks resumed, reopened and made, and what is owed."""
    owed = _unsettle_items(connection, patient_id)
    table = tables.callback.c
    waiting = select(table.id).where(
        table.patient_id == patient_id, table.hold == "confirm_death", table.state != "closed"
    )
    resumed = list(connection.scalars(waiting))
    callbacks.resume(connection, resumed)
    reopened = _reopen(connection, patient_id)
    return resumed, reopened, unplaced.hold_again(connection, patient_id, agent_id=agent_id, now=now), owed


def _reopen(connection: Connection, patient_id: int) -> list[int]:
    """Callbacks that the confirmation of this death had closed; none where the site has an open one again."""
    table, other = tables.callback.c, tables.callback.alias()
    is_open = select(other.c.id).where(
        other.c.patient_id == table.patient_id, other.c.site_id == table.site_id, other.c.state != "closed"
    )
    last = select(func.max(table.id)).where(
        table.patient_id == patient_id, table.closed_as == "deceased", ~exists(is_open)
    )
    ids = list(connection.scalars(last.group_by(table.site_id)))
    again = {"state": "waiting", "closed_at": None, "closed_by": None, "closed_as": "", "hold": ""}
    connection.execute(update(tables.callback).where(table.id.in_(ids)).values(again))
    return ids


def _set(connection: Connection, patient_id: int, **values: object) -> None:
    connection.execute(update(tables.patient).where(patient.id == patient_id).values(values))


def _tell(
    connection: Connection, login: str, action: str, patient_id: int, detail: Mapping[str, Any], now: datetime
) -> None:
    journal.append(
        connection, agent=login, action=action, subject="patient", subject_id=patient_id, detail=detail, now=now
    )
