"""Who was told a place, with what a person needs to see of them: by day, by patient, by service."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

from sqlalchemy import Select, func, select

from crisisdesk.domain.words import BookingState
from crisisdesk.store import tables
from crisisdesk.store.engine import Connection

booking, postponement, patient = tables.booking.c, tables.postponement.c, tables.patient.c
phone = tables.phone.c


@dataclass(frozen=True, slots=True)
class ToldRow:
    """One told place that holds, and whose it is. Names and procedure are foreign text."""

    booking_id: int
    postponement_id: int
    patient_id: int
    last_name: str
    first_name: str
    full_name: str
    procedure: str
    service_name: str
    priority: str | None
    original_on: date | None
    slot_on: date
    slot_time: time | None
    needs: Sequence[str]
    told_at: datetime
    told_by: str
    number: str | None


def _told() -> Select[Any]:
    number = (
        select(phone.number)
        .where(phone.patient_id == postponement.patient_id, phone.found_wrong_at.is_(None))
        .order_by(phone.is_guessed, phone.position, phone.id)
        .limit(1)
        .correlate(tables.postponement)
        .scalar_subquery()
    )
    return (
        select(
            booking.id, booking.postponement_id, postponement.patient_id, patient.last_name, patient.first_name,
            patient.full_name, postponement.procedure, postponement.service_name, postponement.priority,
            postponement.original_on, booking.slot_on, booking.slot_time, booking.needs, booking.told_at,
            tables.agent.c.name, number,
        )
        .join(tables.postponement, postponement.id == booking.postponement_id)
        .join(tables.patient, patient.id == postponement.patient_id)
        .join(tables.agent, tables.agent.c.id == booking.agent_id)
        .where(booking.state == BookingState.TOLD)
        .order_by(booking.slot_on, booking.slot_time, booking.id)
    )  # fmt: skip


def told_rows(connection: Connection, service_id: int, day: date | None, today: date) -> Sequence[ToldRow]:
    """Places of a service that were told for a day; for any day before ``today`` where ``day`` is None."""
    when = booking.slot_on < today if day is None else booking.slot_on == day
    query = _told().where(booking.service_id == service_id, when)
    return [ToldRow(*row) for row in connection.execute(query)]


def told_rows_of_patient(connection: Connection, patient_id: int) -> Sequence[ToldRow]:
    """Places that a patient was told, of any service."""
    return [ToldRow(*row) for row in connection.execute(_told().where(postponement.patient_id == patient_id))]


def told_row(connection: Connection, booking_id: int) -> ToldRow | None:
    """One told place."""
    row = connection.execute(_told().where(booking.id == booking_id)).one_or_none()
    return ToldRow(*row) if row else None


def told_by_service(connection: Connection) -> Mapping[int, int]:
    """How many places are told, by service."""
    query = select(booking.service_id, func.count()).where(booking.state == BookingState.TOLD)
    return {row.service_id: row[1] for row in connection.execute(query.group_by(booking.service_id))}
