"""What an agent recorded, and what has happened to the patient since."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, exists, func, select

from crisisdesk.store import tables
from crisisdesk.store.engine import Connection

attempt, callback, patient, agent = tables.attempt.c, tables.callback.c, tables.patient.c, tables.agent.c
call, call_patient, journal = tables.call.c, tables.call_patient.c, tables.journal.c


def _rows() -> Select[Any]:
    other = tables.attempt.alias()
    correction = select(other.c.id).where(other.c.corrects_id == attempt.id).limit(1).scalar_subquery()
    return (
        select(
            tables.attempt, callback.patient_id, callback.site_id, patient.last_name, patient.first_name,
            patient.full_name, agent.name.label("agent_name"), correction.label("corrected_by"),
        )
        .join(tables.callback, callback.id == attempt.callback_id)
        .join(tables.patient, patient.id == callback.patient_id)
        .join(tables.agent, agent.id == attempt.agent_id)
    )  # fmt: skip


def find(connection: Connection, attempt_id: int) -> Row[Any] | None:
    """One attempt with the patient's name, its agent's, the callback's site and the id of what corrects it."""
    return connection.execute(_rows().where(attempt.id == attempt_id)).one_or_none()


def last_of(connection: Connection, agent_id: int) -> Row[Any] | None:
    """The attempt that an agent recorded last; corrections that a supervisor wrote are nobody's own."""
    query = _rows().where(attempt.agent_id == agent_id, attempt.corrects_id.is_(None))
    return connection.execute(query.order_by(attempt.entered_at.desc(), attempt.id.desc()).limit(1)).one_or_none()


def newer_attempt_by(connection: Connection, patient_id: int, attempt_id: int) -> str | None:
    """Name of the agent who recorded another attempt for a patient after this one."""
    query = (
        select(agent.name)
        .join(tables.attempt, attempt.agent_id == agent.id)
        .join(tables.callback, callback.id == attempt.callback_id)
        .where(callback.patient_id == patient_id, attempt.id > attempt_id, attempt.undone_at.is_(None))
    )
    return connection.scalar(query.order_by(attempt.id.desc()).limit(1))


def is_newest_of_callback(connection: Connection, row: Row[Any]) -> bool:
    """Whether no attempt that counts was made for its callback after this one."""
    newer = exists().where(
        attempt.callback_id == row.callback_id, attempt.id != row.id, attempt.ended_at >= row.ended_at,
        attempt.undone_at.is_(None),
    )  # fmt: skip
    return not connection.scalar(select(newer))


def is_open_elsewhere(connection: Connection, callback_ids: Iterable[int]) -> bool:
    """Whether a closed one of some callbacks could not be opened again: its patient and site have an open one."""
    other = tables.callback.alias()
    is_open = exists().where(
        other.c.patient_id == callback.patient_id, other.c.site_id == callback.site_id, other.c.state != "closed"
    )
    closed = select(callback.id).where(callback.id.in_(list(callback_ids)), callback.state == "closed", is_open)
    return connection.execute(closed).first() is not None


def call_since(connection: Connection, patient_id: int, since: datetime) -> str | None:
    """Reference of a call about a patient that was stored after an instant."""
    query = select(call.reference).join(tables.call_patient, call_patient.call_id == call.id)
    query = query.where(call_patient.patient_id == patient_id, call.entered_at > since)
    return connection.scalar(query.order_by(call.entered_at.desc()).limit(1))


def last_change_by(connection: Connection, callback_id: int, patient_id: int, attempt_id: int) -> str | None:
    """Login of who last changed a callback or its patient, by the journal, after an attempt was recorded."""
    about = select(func.max(journal.seq)).where(
        ((journal.subject == "callback") & (journal.subject_id == str(callback_id)))
        | ((journal.subject == "patient") & (journal.subject_id == str(patient_id))),
        journal.action.not_in(("callback.read", "patient.read", "attempt.recorded")),
        journal.entered_at >= select(attempt.entered_at).where(attempt.id == attempt_id).scalar_subquery(),
    )
    return connection.scalar(select(journal.agent).where(journal.seq == about.scalar_subquery()))
