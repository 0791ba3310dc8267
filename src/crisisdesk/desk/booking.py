"""Places on a day of a service: offered in order, booked within the capacity and the limits, never beyond them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from typing import TYPE_CHECKING

from crisisdesk.clock import local_day
from crisisdesk.desk import slotwords
from crisisdesk.desk.rules import calendar_for, reference_of
from crisisdesk.desk.wording import day_words
from crisisdesk.domain.datewish import DateWish, date_wish_from
from crisisdesk.domain.opening import read_history
from crisisdesk.domain.reference import Reference
from crisisdesk.domain.schedule import add_service_days
from crisisdesk.domain.slots import Diary, Slot, first_day, first_fitting, needs_of
from crisisdesk.errors import RuleBroken
from crisisdesk.i18n import _
from crisisdesk.store import bookings, callbacks, journal, openings
from crisisdesk.store.bookings import AskedRow

if TYPE_CHECKING:
    from crisisdesk.store.engine import Connection, Store

__all__ = [
    "Asked", "Slot", "asked_for", "asked_of", "book", "diary_of", "first_bookable", "needs_with_words", "offer_for",
    "offer_slots", "slots_for", "slots_of",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Asked:
    """What one patient asks of a day for one postponement."""

    needs: tuple[str, ...] = ()
    """Codes of capacity limits that the patient takes one of."""
    wish: DateWish = field(default_factory=DateWish)
    is_reserve: bool = False
    """The patient comes at short notice."""
    needs_said_by_words: bool = True
    """The needs follow the words of the list; False: a person said so."""


def needs_with_words(row: AskedRow, reference: Reference) -> tuple[str, ...]:
    """The limits that a stored postponement takes one of."""
    return needs_of(row.needs, f"{row.procedure} {row.remark}", reference.capacity_limits)


def asked_of(row: AskedRow, reference: Reference) -> Asked:
    """Read what a stored postponement asks of a day."""
    return Asked(needs_with_words(row, reference), date_wish_from(row.wish), row.is_reserve, row.needs is None)


def asked_for(connection: "Connection", postponement_ids: Sequence[int], reference: Reference) -> Mapping[int, Asked]:
    """What stored postponements ask of a day, by id."""
    rows = bookings.asked_rows(connection, postponement_ids)
    return {number: asked_of(row, reference) for number, row in rows.items()}


def first_bookable(service_id: int, reference: Reference, now: datetime) -> date:
    """The first day that a patient can still prepare for: the service's notice in working days from today."""
    calendar = calendar_for(reference)
    lead = reference.services[service_id].lead_days
    return add_service_days(local_day(now, calendar.zone), lead, calendar)


def diary_of(connection: "Connection", service_id: int, reference: Reference, first: date) -> Diary:
    """What a service can take and has promised from a day on."""
    history = read_history(openings.opening_rows(connection, [service_id]).get(service_id, ()))
    return Diary(
        history, bookings.booked_by_day(connection, service_id, first),
        bookings.limits_by_day(connection, service_id, first), calendar_for(reference),
    )  # fmt: skip


def fitting(
    diary: Diary, service_id: int, asked: Asked, reference: Reference, now: datetime, count: int
) -> Sequence[Slot]:
    """The first days of a diary that fit a patient."""
    calendar = calendar_for(reference)
    today = local_day(now, calendar.zone)
    first = first_day(today, reference.services[service_id].lead_days, calendar, at_short_notice=asked.is_reserve)
    return first_fitting(
        diary.history, diary.booked, diary.booked_limits, first, asked.wish, asked.needs, calendar, count, today=today
    )


def slots_of(
    connection: "Connection", service_id: int, reference: Reference, now: datetime, count: int
) -> Sequence[Slot]:
    """The first days with room for anybody who asks nothing special; none while the service is closed."""
    diary = diary_of(connection, service_id, reference, local_day(now, reference.desk.time_zone))
    return fitting(diary, service_id, Asked(), reference, now, count)


def slots_for(
    connection: "Connection", postponement_id: int, reference: Reference, now: datetime, count: int
) -> Sequence[Slot]:
    """The first days that fit one postponement: notice, wish, capacity, limits; none where its service is not known."""
    row = bookings.asked_rows(connection, [postponement_id]).get(postponement_id)
    if row is None or row.service_id is None or row.service_id not in reference.services:
        return ()
    diary = diary_of(connection, row.service_id, reference, local_day(now, reference.desk.time_zone))
    return fitting(diary, row.service_id, asked_of(row, reference), reference, now, count)


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


def offer_for(store: "Store", postponement_id: int, *, now: datetime, count: int = 3) -> Sequence[Slot]:
    """The first ``count`` days that fit one postponement, each with why no earlier day.

    Raises:
        RuleBroken: no such postponement.
    """
    reference = reference_of(store)
    with store.read() as connection:
        if postponement_id not in bookings.asked_rows(connection, [postponement_id]):
            raise RuleBroken(_("There is no postponement {number}.").format(number=postponement_id))
        return slots_for(connection, postponement_id, reference, now, count)


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
    """Give a patient a place, inside the caller's write: capacity and limits are counted where nobody else can write.

    The notice and the wish bind what is offered, not what the patient then agrees to (a day that the patient accepts is
    a reasonable offer, Leeds); capacity and limits bind everything.

    Raises:
        RuleBroken: the service is not known or closed that day, the day is past or full, or a limit of it is used up
            (names which, and the next days that fit), or the patient was told a place for this already.
    """
    row = bookings.asked_rows(connection, [postponement_id]).get(postponement_id)
    if row is None or service_id is None or service_id not in reference.services:
        raise RuleBroken(_("The service of this appointment is not known: no place can be given. Use 'informed'."))
    today = local_day(now, reference.desk.time_zone)
    if slot_on < today:
        raise RuleBroken(_("{day} is past. Choose a day to come.").format(day=day_words(slot_on)))
    if (told := bookings.told_booking_of(connection, postponement_id)) is not None:
        raise RuleBroken(_("The patient was told {day} for this already.").format(day=day_words(told[1])))
    asked, diary = asked_of(row, reference), diary_of(connection, service_id, reference, today)
    if why := diary.why_not(slot_on, asked.needs):
        sentence = slotwords.refusal(why, slot_on, diary, reference.services[service_id].name, reference)
        free = [day_words(slot.slot_on) for slot in fitting(diary, service_id, asked, reference, now, 3)]
        free_words = _("{sentence} Free: {days}.").format(sentence=sentence, days=", ".join(free))
        raise RuleBroken(free_words if free else sentence)
    number = bookings.insert_booking(
        connection, postponement_id=postponement_id, service_id=service_id, slot_on=slot_on, slot_time=slot_time,
        agent_id=agent_id, attempt_id=attempt_id, call_id=call_id, now=now, needs=asked.needs,
    )  # fmt: skip
    detail = {"postponement": postponement_id, "service": service_id, "slot_on": [None, slot_on.isoformat()]}
    journal.append(
        connection, agent=callbacks.login_of(connection, agent_id), action="booking.told", subject="booking",
        subject_id=number, detail=detail | {"needs": list(asked.needs)}, now=now,
    )  # fmt: skip
    return number
