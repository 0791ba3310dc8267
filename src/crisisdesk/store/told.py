"""Who was told which place, and what came of it: told places of a service, those that were taken back too."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

from sqlalchemy import and_, func, select

from crisisdesk.domain.words import BookingState, CallbackState
from crisisdesk.store import tables
from crisisdesk.store.engine import Connection

booking, postponement, patient = tables.booking.c, tables.postponement.c, tables.patient.c


@dataclass(frozen=True, slots=True)
class ToldRow:
    """One promise of a day, and what holds now."""

    booking_id: int
    opening_id: int | None
    """The row of the service's history that took it back."""
    service_id: int
    patient_id: int
    last_name: str
    first_name: str
    procedure: str
    original_on: date | None
    told_on: date
    told_time: time | None
    told_by: str
    told_at: datetime
    state: str
    withdrawn_why: str
    withdrawn_at: datetime | None
    withdrawn_by: str
    again_on: date | None
    """Day that the patient was told since then."""
    is_to_be_rung: bool
    """An open callback is about it."""
    hold: str
    """Why nobody rings for that callback at present; empty: it may be rung."""
    decision: str
    number: str


def told_rows(
    connection: Connection, service_ids: Sequence[int], *, opening_id: int | None = None, since: date | None = None
) -> Sequence[ToldRow]:
    """Promises of days at services: those taken back first, by day.

    Args:
        opening_id: only those that this row took back.
        since: leave out days before it.
    """
    later, teller, taker = tables.booking.alias(), tables.agent.alias(), tables.agent.alias()
    phone, item, callback = tables.phone.c, tables.callback_item.c, tables.callback
    again = select(func.max(later.c.slot_on)).where(
        later.c.postponement_id == booking.postponement_id, later.c.id > booking.id, later.c.state != "withdrawn"
    )
    number = select(phone.number).where(phone.patient_id == patient.id, phone.found_wrong_at.is_(None))
    is_about = and_(item.postponement_id == booking.postponement_id, callback.c.state != CallbackState.CLOSED)
    about = select(callback.c.hold).join(tables.callback_item, item.callback_id == callback.c.id).where(is_about)
    query = (
        select(
            booking.id, booking.withdrawn_opening_id, booking.service_id, patient.id, patient.last_name,
            patient.first_name, postponement.procedure, postponement.original_on, booking.slot_on, booking.slot_time,
            func.coalesce(teller.c.name, ""), booking.told_at, booking.state, booking.withdrawn_why,
            booking.withdrawn_at, func.coalesce(taker.c.name, ""), again.scalar_subquery(),
            about.limit(1).scalar_subquery(), postponement.decision,
            number.order_by(phone.is_guessed, phone.position, phone.id).limit(1).scalar_subquery(),
        )
        .join(tables.postponement, postponement.id == booking.postponement_id)
        .join(tables.patient, patient.id == postponement.patient_id)
        .outerjoin(teller, teller.c.id == booking.agent_id)
        .outerjoin(taker, taker.c.id == booking.withdrawn_by)
        .where(booking.service_id.in_(service_ids))
        .order_by(booking.state != BookingState.WITHDRAWN, booking.slot_on, booking.id)
    )  # fmt: skip
    if opening_id is not None:
        query = query.where(booking.withdrawn_opening_id == opening_id)
    if since is not None:
        query = query.where(booking.slot_on >= since)
    return [_row(list(row)) for row in connection.execute(query)]


def _row(values: list[Any]) -> ToldRow:
    *told, hold, decision, number = values
    return ToldRow(*[*told, hold is not None, hold or "", decision, number or ""])
