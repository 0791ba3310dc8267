"""A death that was reported: calls about that person stop at once; a second agent confirms or refutes it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import exists, func, select, update

from crisisdesk.store import bookings, callbacks, journal, tables, unplaced
from crisisdesk.store.engine import Connection

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
    told = bookings.told_to(connection, patient_id, now.date())
    for booking_id, postponement_id in told:
        bookings.withdraw_booking(connection, booking_id, postponement_id, "deceased", now)
    detail = {"death_confirmed_by": [None, login], "closed": closed, "withdrawn": [key for key, _item in told]}
    _tell(connection, login, "patient.death_confirmed", patient_id, detail, now)
    return closed


def refute(connection: Connection, patient_id: int, *, login: str, why: str, now: datetime) -> list[int]:
    """The report was wrong: what it stopped or closed may be rung again, and so may what no callback held meanwhile."""
    before = state_of(connection, patient_id)
    _set(connection, patient_id, death_reported_at=None, death_reported_by=None, death_confirmed_by=None)
    table = tables.callback.c
    waiting = select(table.id).where(
        table.patient_id == patient_id, table.hold == "confirm_death", table.state != "closed"
    )
    resumed = list(connection.scalars(waiting))
    callbacks.resume(connection, resumed)
    reopened = _reopen(connection, patient_id)
    agent_id = connection.scalar(select(tables.agent.c.id).where(tables.agent.c.login == login))
    held = unplaced.hold_again(connection, patient_id, agent_id=agent_id, now=now)
    detail = {"death_reported_at": [str(before["death_reported_at"]), None], "why": why, "resumed": resumed}
    detail |= {"reopened": reopened, "held": held}
    _tell(connection, login, "patient.death_refuted", patient_id, detail, now)
    return [*resumed, *reopened, *held]


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
