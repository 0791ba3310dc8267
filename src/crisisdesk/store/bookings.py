"""Places on a day of a service, and who was told so. Every write runs in the transaction that checks the capacity."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

from sqlalchemy import Row, Select, func, insert, literal, select, update

from crisisdesk.domain.words import BookingState
from crisisdesk.store import tables
from crisisdesk.store.engine import Connection
from crisisdesk.store.items import is_unsettled

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
    needs: Sequence[str] = ()
    """Codes of capacity limits that it takes one of."""


def booked_by_day(connection: Connection, service_id: int, first: date) -> Mapping[date, int]:
    """Places told by day of a service, from ``first`` on."""
    query = (
        select(column.slot_on, func.count())
        .where(column.service_id == service_id, column.state == BookingState.TOLD, column.slot_on >= first)
        .group_by(column.slot_on)
    )
    return {row.slot_on: row[1] for row in connection.execute(query)}


def limits_by_day(connection: Connection, service_id: int, first: date) -> Mapping[date, Mapping[str, int]]:
    """Places told by day and need (code of a capacity limit) of a service, from ``first`` on."""
    need = func.json_each(column.needs).table_valued("value")
    query = (
        select(column.slot_on, need.c.value, func.count())
        .select_from(tables.booking)
        .join(need, literal(True))
        .where(column.service_id == service_id, column.state == BookingState.TOLD, column.slot_on >= first)
        .group_by(column.slot_on, need.c.value)
    )
    found: defaultdict[date, dict[str, int]] = defaultdict(dict)
    for day, code, count in connection.execute(query):
        found[day][code] = count
    return found


def told_from(connection: Connection, service_id: int, first: date) -> Sequence[ToldBooking]:
    """Everybody who was told a place of a service on ``first`` or later, by day."""
    where = [column.service_id == service_id, column.state == BookingState.TOLD, column.slot_on >= first]
    return [ToldBooking(*row) for row in connection.execute(_told().where(*where))]


def read_told(connection: Connection, booking_id: int) -> ToldBooking | None:
    """One place that a patient was told and that still holds."""
    told = _told().where(column.id == booking_id, column.state == BookingState.TOLD)
    row = connection.execute(told).one_or_none()
    return ToldBooking(*row) if row else None


def booking_row(connection: Connection, booking_id: int) -> Row[Any] | None:
    """One booking in any state."""
    return connection.execute(select(tables.booking).where(column.id == booking_id)).one_or_none()


def _told() -> Select[Any]:
    return (
        select(
            column.id, column.postponement_id, column.service_id, column.slot_on, column.slot_time,
            postponement.patient_id, func.coalesce(postponement.site_id, tables.service.c.site_id), patient.last_name,
            patient.first_name,
            postponement.priority, postponement.original_on, column.needs,
        )
        .join(tables.postponement, postponement.id == column.postponement_id)
        .join(tables.patient, patient.id == postponement.patient_id)
        .join(tables.service, tables.service.c.id == column.service_id)
        .order_by(column.slot_on, column.id)
    )  # fmt: skip


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
    needs: Sequence[str] = (),
) -> int:
    """Store that a patient was told a place. The caller has checked the capacity in this same transaction."""
    row = {
        "postponement_id": postponement_id, "service_id": service_id, "slot_on": slot_on, "slot_time": slot_time,
        "state": BookingState.TOLD, "told_at": now, "agent_id": agent_id, "attempt_id": attempt_id, "call_id": call_id,
        "needs": list(needs),
    }  # fmt: skip
    return int(connection.execute(insert(tables.booking).values(row).returning(column.id)).scalar_one())


def withdraw_booking(
    connection: Connection,
    booking_id: int,
    postponement_id: int,
    why: str,
    now: datetime,
    *,
    by: int | None = None,
    opening_id: int | None = None,
    stays_settled: bool = False,
) -> None:
    """Take a told place back; the row stays as history, and the postponement is owed a call again.

    Args:
        why: a code: "slipped", "cancelled_by_patient", "cancelled_by_service", "moved_by_patient" ...
        by: id of the agent; None: the program, as a consequence of something else.
        opening_id: the opening that took it back.
        stays_settled: another place is given in the same transaction.
    """
    state = {"state": BookingState.WITHDRAWN, "withdrawn_at": now, "withdrawn_why": why}
    state |= {"withdrawn_by": by, "withdrawn_opening_id": opening_id}
    connection.execute(update(tables.booking).where(column.id == booking_id).values(state))
    if not stays_settled:
        owed = update(tables.postponement).where(postponement.id == postponement_id)
        connection.execute(owed.values(rebooked_at=None, decided_at=None, decision="", decided_by=""))


def set_done(connection: Connection, booking_id: int) -> None:
    """The patient came on the day."""
    connection.execute(update(tables.booking).where(column.id == booking_id).values(state=BookingState.DONE))


def set_booking_needs(connection: Connection, booking_id: int, needs: Sequence[str]) -> None:
    """Which limits a told place takes one of."""
    connection.execute(update(tables.booking).where(column.id == booking_id).values(needs=list(needs)))


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


@dataclass(frozen=True, slots=True)
class AskedRow:
    """What a postponement asks of a day, as it is stored; texts are foreign."""

    postponement_id: int
    patient_id: int
    site_id: str | None
    service_id: int | None
    procedure: str
    remark: str
    needs: Sequence[str] | None
    wish: Mapping[str, Any]
    is_reserve: bool
    is_unsettled: bool


_ASKED = select(
    postponement.id, postponement.patient_id, postponement.site_id, postponement.service_id, postponement.procedure,
    postponement.remark, postponement.needs, postponement.wish, postponement.is_reserve, is_unsettled(),
)  # fmt: skip


def asked_rows(connection: Connection, postponement_ids: Sequence[int]) -> Mapping[int, AskedRow]:
    """What postponements ask of a day, by id."""
    rows = connection.execute(_ASKED.where(postponement.id.in_(postponement_ids))) if postponement_ids else ()
    return {row[0]: AskedRow(*tuple(row)) for row in rows}


def set_asked(connection: Connection, postponement_id: int, values: Mapping[str, Any]) -> None:
    """Set needs, wish or is_reserve of a postponement."""
    connection.execute(update(tables.postponement).where(postponement.id == postponement_id).values(values))
