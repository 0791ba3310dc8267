"""Places on a day of a service: offered in order, booked within the capacity, never beyond it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from itertools import islice
from typing import TYPE_CHECKING

from crisisdesk.clock import local_day
from crisisdesk.desk.rules import calendar_for, reference_of
from crisisdesk.desk.wording import day_words
from crisisdesk.domain.opening import UNLIMITED, capacity_on, free_days, read_history
from crisisdesk.domain.reference import Reference
from crisisdesk.domain.schedule import add_service_days
from crisisdesk.errors import RuleBroken
from crisisdesk.i18n import _
from crisisdesk.store import bookings, openings

if TYPE_CHECKING:
    from crisisdesk.store.engine import Connection, Store


@dataclass(frozen=True, slots=True)
class Slot:
    """A day on which a service has room."""

    slot_on: date
    free: int | None
    """Places left; None where the service is open without a number."""


def first_bookable(service_id: int, reference: Reference, now: datetime) -> date:
    """The first day that a patient can still prepare for: the service's notice in working days from today."""
    calendar = calendar_for(reference)
    lead = reference.services[service_id].lead_days
    return add_service_days(local_day(now, calendar.zone), lead, calendar)


def slots_of(
    connection: "Connection", service_id: int, reference: Reference, now: datetime, count: int
) -> Sequence[Slot]:
    """The first days with room; none while the service is closed."""
    history = read_history(openings.opening_rows(connection, [service_id]).get(service_id, ()))
    first = first_bookable(service_id, reference, now)
    booked = bookings.booked_by_day(connection, service_id, first)
    days = islice(free_days(history, booked, first, calendar_for(reference)), count)
    return [Slot(day, None if free > UNLIMITED // 2 else free) for day, free in days]


def offer_slots(store: "Store", service_id: int, *, now: datetime, count: int = 3) -> Sequence[Slot]:
    """The first ``count`` days on which a service has room, after its notice.

    Raises:
        RuleBroken: no such service.
    """
    reference = reference_of(store)
    if service_id not in reference.services:
        raise RuleBroken(_("There is no service {number}.").format(number=service_id))
    with store.read() as connection:
        return slots_of(connection, service_id, reference, now, count)


def book(
    connection: "Connection",
    *,
    postponement_id: int,
    service_id: int | None,
    slot_on: date,
    slot_time: time | None,
    reference: Reference,
    agent_id: int,
    attempt_id: int | None,
    call_id: int | None,
    now: datetime,
) -> int:
    """Give a patient a place, inside the caller's write: the capacity is counted where nobody else can write.

    Raises:
        RuleBroken: the service is not known or closed that day, the day is past or full (names the next free days), or
            the patient was told a place for this already.
    """
    if service_id is None or service_id not in reference.services:
        raise RuleBroken(_("The service of this appointment is not known: no place can be given. Use 'informed'."))
    if slot_on < local_day(now, reference.desk.time_zone):
        raise RuleBroken(_("{day} is past. Choose a day to come.").format(day=day_words(slot_on)))
    if (told := bookings.told_booking_of(connection, postponement_id)) is not None:
        raise RuleBroken(_("The patient was told {day} for this already.").format(day=day_words(told[1])))
    history = read_history(openings.opening_rows(connection, [service_id]).get(service_id, ()))
    capacity = capacity_on(history, slot_on, calendar_for(reference))
    booked = bookings.booked_by_day(connection, service_id, slot_on).get(slot_on, 0)
    if booked >= capacity:
        raise RuleBroken(_full(connection, service_id, slot_on, reference, now, capacity))
    return bookings.insert_booking(
        connection, postponement_id=postponement_id, service_id=service_id, slot_on=slot_on, slot_time=slot_time,
        agent_id=agent_id, attempt_id=attempt_id, call_id=call_id, now=now,
    )  # fmt: skip


def _full(
    connection: "Connection", service_id: int, day: date, reference: Reference, now: datetime, capacity: int
) -> str:
    name = reference.services[service_id].name
    free = [day_words(slot.slot_on) for slot in slots_of(connection, service_id, reference, now, 3)]
    words = _("{service} takes nobody on {day}.") if not capacity else _("{service} is full on {day}.")
    sentence = words.format(service=name, day=day_words(day))
    return _("{sentence} Free: {days}.").format(sentence=sentence, days=", ".join(free)) if free else sentence
