"""A death that was reported: calls about that person stop at once; a second agent confirms or refutes it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select, update

from crisisdesk.store import callbacks, journal, tables
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
    """A second agent confirms: the stopped callbacks close for good."""
    _set(connection, patient_id, death_confirmed_by=agent_id)
    closed = callbacks.stop_for_death(connection, patient_id)
    for callback_id in closed:
        callbacks.close(connection, callback_id, "deceased", agent_id, now)
    detail = {"death_confirmed_by": [None, login], "closed": closed}
    _tell(connection, login, "patient.death_confirmed", patient_id, detail, now)
    return closed


def refute(connection: Connection, patient_id: int, *, login: str, why: str, now: datetime) -> list[int]:
    """The report was wrong: the stopped callbacks may be rung again."""
    before = state_of(connection, patient_id)
    _set(connection, patient_id, death_reported_at=None, death_reported_by=None, death_confirmed_by=None)
    table = tables.callback.c
    waiting = select(table.id).where(
        table.patient_id == patient_id, table.hold == "confirm_death", table.state != "closed"
    )
    resumed = list(connection.scalars(waiting))
    callbacks.resume(connection, resumed)
    detail = {"death_reported_at": [str(before["death_reported_at"]), None], "why": why, "resumed": resumed}
    _tell(connection, login, "patient.death_refuted", patient_id, detail, now)
    return resumed


def _set(connection: Connection, patient_id: int, **values: object) -> None:
    connection.execute(update(tables.patient).where(patient.id == patient_id).values(values))


def _tell(
    connection: Connection, login: str, action: str, patient_id: int, detail: Mapping[str, Any], now: datetime
) -> None:
    journal.append(
        connection, agent=login, action=action, subject="patient", subject_id=patient_id, detail=detail, now=now
    )
