"""Places on a day of a service, and who was told so. Every write runs in the transaction that checks the capacity."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time

from sqlalchemy import func, insert, select, update

from crisisdesk.domain.words import BookingState
from crisisdesk.store import tables
from crisisdesk.store.engine import Connection

column, postponement, patient = tables.booking.c, tables.postponement.c, tables.patient.c


@dataclass(frozen=True, slots=True)
class ToldBooking:
    """A place that a patient was told."""

    booking_id: int
    postponement_id: int
    service_id: int
    slot_on: date
    slot_time: time | None
    patient_id: int
    site_id: str
    """Of the postponement; where no list gave one, of the service."""
    last_name: str
    first_name: str
    priority: str | None
    original_on: date | None


def booked_by_day(connection: Connection, service_id: int, first: date) -> Mapping[date, int]:
    """Places told by day of a service, from ``first`` on."""
    query = (
        select(column.slot_on, func.count())
        .where(column.service_id == service_id, column.state == BookingState.TOLD, column.slot_on >= first)
        .group_by(column.slot_on)
    )
    return {row.slot_on: row[1] for row in connection.execute(query)}


def told_from(connection: Connection, service_id: int, first: date) -> Sequence[ToldBooking]:
    """Everybody who was told a place of a service on ``first`` or later, by day."""
    query = (
        select(
            column.id, column.postponement_id, column.service_id, column.slot_on, column.slot_time,
            postponement.patient_id, func.coalesce(postponement.site_id, tables.service.c.site_id), patient.last_name,
            patient.first_name,
            postponement.priority, postponement.original_on,
        )
        .join(tables.postponement, postponement.id == column.postponement_id)
        .join(tables.patient, patient.id == postponement.patient_id)
        .join(tables.service, tables.service.c.id == column.service_id)
        .where(column.service_id == service_id, column.state == BookingState.TOLD, column.slot_on >= first)
        .order_by(column.slot_on, column.id)
    )  # fmt: skip
    return [ToldBooking(*row) for row in connection.execute(query)]


def insert_booking(
    connection: Connection,
    *,
    postponement_id: int,
    service_id: int,
    slot_on: date,
    slot_time: time | None,
    agent_id: int,
    attempt_id: int | None,
    call_id: int | None,
    now: datetime,
) -> int:
    """Store that a patient was told a place. The caller has checked the capacity in this same transaction."""
    row = {
        "postponement_id": postponement_id, "service_id": service_id, "slot_on": slot_on, "slot_time": slot_time,
        "state": BookingState.TOLD, "told_at": now, "agent_id": agent_id, "attempt_id": attempt_id, "call_id": call_id,
    }  # fmt: skip
    return int(connection.execute(insert(tables.booking).values(row).returning(column.id)).scalar_one())


def withdraw_booking(connection: Connection, booking_id: int, postponement_id: int, why: str, now: datetime) -> None:
    """Take a told place back; the row stays as history, and the postponement is owed a call again."""
    state = {"state": BookingState.WITHDRAWN, "withdrawn_at": now, "withdrawn_why": why}
    connection.execute(update(tables.booking).where(column.id == booking_id).values(state))
    owed = update(tables.postponement).where(postponement.id == postponement_id)
    connection.execute(owed.values(rebooked_at=None, decided_at=None, decision="", decided_by=""))


def told_to(connection: Connection, patient_id: int, first: date) -> Sequence[tuple[int, int]]:
    """Booking and postponement of every place on ``first`` or later that a patient was told."""
    query = select(column.id, column.postponement_id).join(
        tables.postponement, postponement.id == column.postponement_id
    )
    told = query.where(
        postponement.patient_id == patient_id, column.state == BookingState.TOLD, column.slot_on >= first
    )
    return [(row.id, row.postponement_id) for row in connection.execute(told)]


def told_booking_of(connection: Connection, postponement_id: int) -> tuple[int, date] | None:
    """Id and day of the place that a patient was told for a postponement."""
    query = select(column.id, column.slot_on).where(
        column.postponement_id == postponement_id, column.state == BookingState.TOLD
    )
    row = connection.execute(query).one_or_none()
    return (row.id, row.slot_on) if row else None
