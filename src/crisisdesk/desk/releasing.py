"""What a change of a service means for the people who wait for it: computed once, for the preview and for the deed."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from crisisdesk.clock import local_day
from crisisdesk.desk.booking import first_bookable
from crisisdesk.domain.opening import History, OpeningRow, capacity_on, free_days, free_slots, read_history
from crisisdesk.domain.reference import Reference
from crisisdesk.domain.schedule import Calendar, calendar_of
from crisisdesk.store import bookings, callbacks, journal, openings
from crisisdesk.store.bookings import ToldBooking
from crisisdesk.store.openings import Candidate

if TYPE_CHECKING:
    from crisisdesk.desk.agents import Agent
    from crisisdesk.store.engine import Connection

_RANK = {"P1a": 0, "P1b": 1, "P2": 2, "P3": 3, None: 3, "P4": 4, "P5": 5, "P6": 6}


@dataclass(frozen=True, slots=True)
class Consequence:
    """What follows from one more row in the history of a service."""

    service_id: int
    released: Sequence[Candidate]
    called_back: Sequence[int]
    """Callbacks that wait again."""
    without_place: int
    """Callbacks that wait on because there is no place for them soon."""
    kept_back: Mapping[str, int]
    """Callbacks that wait for somebody, by reason."""
    withdrawn: Sequence[ToldBooking]
    opens_on: date | None
    """First day that the service has room again for those withdrawn; None: unknown."""
    empty_on: date | None
    days_ahead: int


def foresee(connection: "Connection", row: OpeningRow, reference: Reference, now: datetime) -> Consequence:
    """What adding ``row`` to its service's history would mean. Reads only."""
    service_id, calendar = row.service_id, calendar_of(reference.desk)
    today = local_day(now, reference.desk.time_zone)
    rows = openings.opening_rows(connection, [service_id]).get(service_id, ())
    history = read_history([*rows, replace(row, entered_at=now)])
    told = bookings.told_from(connection, service_id, today)
    withdrawn = _no_longer_held(told, history, calendar)
    booked = _count_days(told, withdrawn)
    first = first_bookable(service_id, reference, now)
    free = free_slots(history, booked, first, reference.desk.release_days_ahead, calendar)
    out = openings.released_out(connection, service_id)
    released = openings.waiting_for(connection, service_id, free - out) if free > out else []
    called_back = openings.recallable(connection, service_id, out - free) if out > free else []
    owed = openings.unsettled_of(connection, service_id) + len(withdrawn)
    waiting = openings.count_waiting(connection, service_id)
    opens = next(iter(free_days(history, booked, max(first, today), calendar)), None)
    return Consequence(
        service_id, released, called_back, waiting - len(released) + len(called_back),
        openings.kept_back(connection, service_id), withdrawn, opens[0] if opens else None,
        _empty_on(history, booked, first, owed, calendar), reference.desk.release_days_ahead,
    )  # fmt: skip


def _no_longer_held(told: Sequence[ToldBooking], history: History, calendar: Calendar) -> list[ToldBooking]:
    """Bookings beyond the capacity of their day: the latest priority gives way first, then the later original date."""
    days: defaultdict[date, list[ToldBooking]] = defaultdict(list)
    for booking in told:
        days[booking.slot_on].append(booking)
    over = []
    for day, held in days.items():
        ranked = sorted(held, key=lambda b: (_RANK.get(b.priority, 3), b.original_on or date.max, b.booking_id))
        over += ranked[capacity_on(history, day, calendar) :]
    return sorted(over, key=lambda b: (b.slot_on, b.booking_id))


def _count_days(told: Sequence[ToldBooking], withdrawn: Sequence[ToldBooking]) -> dict[date, int]:
    gone = {booking.booking_id for booking in withdrawn}
    counts: defaultdict[date, int] = defaultdict(int)
    for booking in told:
        if booking.booking_id not in gone:
            counts[booking.slot_on] += 1
    return counts


def _empty_on(history: History, booked: Mapping[date, int], first: date, owed: int, calendar: Calendar) -> date | None:
    """The working day on which the last place for the backlog is, when everybody accepts the first one."""
    last = None
    for day, free in free_days(history, booked, first, calendar):
        if owed <= 0:
            break
        owed, last = owed - free, day
    return last if owed <= 0 else None


def apply_consequence(
    connection: "Connection", consequence: Consequence, opening_id: int, agent: "Agent", now: datetime
) -> None:
    """Do what was foreseen, in the same write."""
    ids = [candidate.callback_id for candidate in consequence.released]
    callbacks.release(connection, ids, f"opening:{opening_id}", now)
    openings.unrelease(connection, consequence.called_back)
    for booking in consequence.withdrawn:
        _take_back(connection, booking, consequence.opens_on, agent, now)
    if ids or consequence.called_back or consequence.withdrawn:
        detail = {"opening": opening_id, "released": ids, "called_back": list(consequence.called_back)}
        journal.append(
            connection, agent=agent.login, action="callbacks.released", subject="service",
            subject_id=consequence.service_id, detail=detail, now=now,
        )  # fmt: skip


def _take_back(
    connection: "Connection", booking: ToldBooking, now_on: date | None, agent: "Agent", now: datetime
) -> None:
    """A told day no longer holds: the place goes, the promise stays in the history, the patient is rung first."""
    why = {"told_on": booking.slot_on.isoformat(), "now_on": now_on.isoformat() if now_on else None}
    bookings.withdraw_booking(connection, booking.booking_id, booking.postponement_id, "slipped", now)
    journal.append(
        connection, agent=agent.login, action="booking.withdrawn", subject="booking", subject_id=booking.booking_id,
        detail={"postponement": booking.postponement_id, "slot_on": [why["told_on"], None]}, now=now,
    )  # fmt: skip
    callback_id = callbacks.hold(
        connection, patient_id=booking.patient_id, site_id=booking.site_id, postponement_ids=[booking.postponement_id],
        wish=None, released=False, call_id=None, agent_id=agent.agent_id, now=now,
    )  # fmt: skip
    callbacks.redate(connection, [callback_id], add_why={"slipped": why})
    callbacks.release(connection, [callback_id], callbacks.SLIPPED, now)


def release_free_places(connection: "Connection", reference: Reference, now: datetime) -> Mapping[int, int]:
    """Release callbacks, in order, for the free places that confirmed openings have; counts by service."""
    calendar = calendar_of(reference.desk)
    counts = {}
    for service_id, rows in openings.opening_rows(connection).items():
        history = read_history(rows)
        if service_id not in reference.services or not _may_open(history, now, calendar):
            continue
        first = first_bookable(service_id, reference, now)
        booked = bookings.booked_by_day(connection, service_id, first)
        free = free_slots(history, booked, first, reference.desk.release_days_ahead, calendar)
        room = free - openings.released_out(connection, service_id)
        found = openings.waiting_for(connection, service_id, room) if room > 0 else []
        if found:
            ids = [candidate.callback_id for candidate in found]
            counts[service_id] = callbacks.release(connection, ids, f"opening:{rows[-1].opening_id}", now)
    return counts


def _may_open(history: History, now: datetime, calendar: Calendar) -> bool:
    """Whether a confirmed row has any room, now or later."""
    horizon = local_day(now, calendar.zone) + timedelta(days=366)
    return any(row.places and row.opens_on <= horizon for row in history.confirmed)
