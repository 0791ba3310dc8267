"""What a change of a service means for the people who wait for it: computed once, for the preview and for the deed."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import cache
from itertools import islice
from typing import TYPE_CHECKING

from crisisdesk.clock import local_day
from crisisdesk.desk.booking import first_bookable
from crisisdesk.desk.reserving import let_lost_places_go
from crisisdesk.domain.opening import History, OpeningRow, read_history
from crisisdesk.domain.places import Places, Reach, Taken, count_taken, give_way, within_reach
from crisisdesk.domain.reference import Reference
from crisisdesk.domain.schedule import Calendar, calendar_of
from crisisdesk.domain.slots import needs_of
from crisisdesk.domain.words import Tier
from crisisdesk.store import bookings, callbacks, journal, openings
from crisisdesk.store.bookings import ToldBooking
from crisisdesk.store.openings import Asked, Candidate

if TYPE_CHECKING:
    from crisisdesk.desk.agents import Agent
    from crisisdesk.store.engine import Connection

SHOWN, SLOTS_SHOWN, STAYING_SHOWN = 10, 3, 3
Asks = Sequence[Sequence[str]]
"""For each operation that a callback is about: the limits that it takes one of."""


@dataclass(frozen=True, slots=True)
class Consequence:
    """What follows from more rows in the history of a service."""

    service_id: int
    released: Sequence[Candidate]
    offered: Sequence[Sequence[date]]
    """For the first of them: the days that they will be offered, if everybody before them takes the first one."""
    called_back: Sequence[int]
    """Callbacks that wait again."""
    without_place: int
    """Callbacks that wait on because there is no place for them soon."""
    short_of: Mapping[str, int]
    """How many of those wait for a place of a limited kind, by its code."""
    staying: Sequence[tuple[Candidate, str]]
    """The first of those without a place, with the code of the limit that is used up; empty: the places are."""
    kept_back: Mapping[str, int]
    """Callbacks that wait for somebody, by reason."""
    withdrawn: Sequence[tuple[ToldBooking, date | None]]
    """Told places that no longer hold, each with the first day after it that has room now; None: unknown."""
    owed: int
    """Postponements of the service without an outcome."""
    empty_on: date | None
    days_ahead: int
    """Days with places that releases look at, and the reserve in percent."""
    reserve_percent: int


class Asking:
    """What callbacks ask of one service; the words of procedures are looked through only where a limit counts."""

    def __init__(self, service_id: int, history: History, reference: Reference) -> None:
        self.service_id = service_id
        limits = reference.capacity_limits
        self.is_limited = bool(limits) and any(row.limits for row in history.confirmed)
        self._by_words = cache(lambda words: needs_of(None, words, limits))
        self._limits = limits

    def _needs(self, asked: Asked) -> Sequence[str]:
        if not self.is_limited:
            return ()
        return self._by_words(asked.words) if asked.needs is None else needs_of(asked.needs, "", self._limits)

    def of(self, asked: Iterable[Asked]) -> Asks:
        """The needs of one callback; one place where nothing is known of it."""
        return [self._needs(one) for one in asked] or [()]

    def candidates(self, connection: "Connection", most: int | None) -> Iterator[tuple[Candidate, Asks]]:
        """Those who wait, in order, with what they ask."""
        found = openings.waiting_for(connection, self.service_id, most)
        while chunk := list(islice(found, 2000)):
            asked = openings.asked_by(connection, self.service_id, [one.callback_id for one in chunk])
            for one in chunk:
                yield one, self.of(asked.get(one.callback_id, ()))


def foresee(
    connection: "Connection",
    service_id: int,
    added: Sequence[OpeningRow],
    reference: Reference,
    now: datetime,
    *,
    is_hit: Callable[[ToldBooking], bool] = lambda _booking: False,
    is_counted: bool = True,
) -> Consequence:
    """What adding rows to a service's history would mean. Reads only.

    Args:
        is_counted: False leaves out what only a count of everybody tells; `with_counts` adds it after the write.
        is_hit: told places that are taken back whatever the rows leave room for (a session that is cancelled).
    """
    calendar, desk = calendar_of(reference.desk), reference.desk
    today = local_day(now, desk.time_zone)
    rows = openings.opening_rows(connection, [service_id]).get(service_id, ())
    history = read_history([*rows, *(replace(row, entered_at=now) for row in added)])
    told = bookings.told_from(connection, service_id, today)
    hit = [booking for booking in told if is_hit(booking)]
    standing = [booking for booking in told if not is_hit(booking)]
    withdrawn = sorted([*hit, *give_way(standing, history, calendar)], key=lambda b: (b.slot_on, b.booking_id))
    gone = {booking.booking_id for booking in withdrawn}
    taken = count_taken(booking for booking in told if booking.booking_id not in gone)
    first = max(first_bookable(service_id, reference, now), today)
    places, asking = Places(history, taken, first, calendar), Asking(service_id, history, reference)
    again = [(booking, places.day_instead_of(booking.slot_on, booking.needs)) for booking in withdrawn]
    reach = within_reach(places, desk.release_days_ahead, desk.release_reserve_percent)
    out = {number: asking.of(asked) for number, asked in openings.asked_out(connection, service_id).items()}
    for asks in (*out.values(), *([booking.needs] for booking in withdrawn)):
        reach.take(asks)
    called_back = _call_back(connection, service_id, reach, out)
    released, staying, short_of = _choose(connection, asking, reach)
    owed = openings.unsettled_of(connection, service_id) + len(withdrawn) if is_counted else 0
    empty_on = _empty_on(places, owed)
    before = [asks for number, asks in out.items() if number not in set(called_back)]
    offered = _offer(places, [*before, *([booking.needs] for booking in withdrawn)], [asks for _one, asks in released])
    waiting, kept_back = openings.count_open(connection, service_id) if is_counted else (0, {})
    waiting += len(called_back) - len(released)
    return Consequence(
        service_id, [one for one, _asks in released], offered, called_back, waiting, short_of, staying,
        kept_back, again, owed, empty_on, desk.release_days_ahead,
        desk.release_reserve_percent,
    )  # fmt: skip


def with_counts(connection: "Connection", consequence: Consequence, reference: Reference, now: datetime) -> Consequence:
    """A consequence that was applied, with what is left after it: a count grows with the desk, so no writer waits."""
    service_id, calendar = consequence.service_id, calendar_of(reference.desk)
    today = local_day(now, reference.desk.time_zone)
    history = read_history(openings.opening_rows(connection, [service_id]).get(service_id, ()))
    taken = count_taken(bookings.told_from(connection, service_id, today))
    places = Places(history, taken, max(first_bookable(service_id, reference, now), today), calendar)
    owed = openings.unsettled_of(connection, service_id)
    waiting, kept_back = openings.count_open(connection, service_id)
    empty_on = _empty_on(places, owed)
    return replace(consequence, without_place=waiting, kept_back=kept_back, owed=owed, empty_on=empty_on)


def _call_back(connection: "Connection", service_id: int, reach: Reach, out: Mapping[int, Asks]) -> Sequence[int]:
    """Who waits again because more promises are out than can be kept: nobody who was rung, the last in order first."""
    called_back: list[int] = []
    if reach.places >= 0 and min(reach.limited.values(), default=0) >= 0:
        return called_back
    for number in openings.recallable(connection, service_id):
        asks = out.get(number, ())
        if reach.places < 0 or any(reach.limited.get(code, 0) < 0 for needs in asks for code in needs):
            called_back.append(number)
            reach.give_back(asks)
    return called_back


def _choose(
    connection: "Connection", asking: Asking, reach: Reach
) -> tuple[list[tuple[Candidate, Asks]], list[tuple[Candidate, str]], Mapping[str, int]]:
    """Who may be rung now, in order; the first who stay, with the limit that keeps them; how many stay for each limit.

    Whoever needs what is used up is passed over; once the places are used up, nobody further down is looked at.
    """
    released: list[tuple[Candidate, Asks]] = []
    staying: list[tuple[Candidate, str]] = []
    short_of: Counter[str] = Counter()
    most = None if asking.is_limited else max(reach.places, 0) + STAYING_SHOWN
    for candidate, asks in asking.candidates(connection, most):
        if reach.has(asks):
            reach.take(asks)
            released.append((candidate, asks))
            continue
        code = "" if reach.places < len(asks) else reach.lacks(asks)
        if not code:
            reach.places = min(reach.places, 0)  # in order: nobody with fewer operations overtakes
        if len(staying) < STAYING_SHOWN:
            staying.append((candidate, code))
        elif reach.places <= 0:
            break
        if code:
            short_of[code] += 1
    return released, staying, short_of


def _offer(places: Places, before: Iterable[Asks], released: Sequence[Asks]) -> Sequence[Sequence[date]]:
    """The days that the first of those released are offered when everybody before them takes the first that fits."""
    if not released:
        return ()
    for asks in before:
        for needs in asks:
            places.take(needs)
    offered = []
    for asks in released[:SHOWN]:
        offered.append(places.first_days(asks[0], SLOTS_SHOWN))
        for needs in asks:
            places.take(needs)
    return offered


def _empty_on(places: Places, owed: int) -> date | None:
    """The day on which the last place for the backlog is, when everybody accepts the first one."""
    last = None
    for room in places:
        if owed <= 0:
            break
        if room.places > 0:
            owed, last = owed - room.places, room.day
    return last if owed <= 0 else None


def apply_consequence(
    connection: "Connection",
    consequence: Consequence,
    opening_id: int,
    reference: Reference,
    agent: "Agent",
    now: datetime,
    *,
    why: str = callbacks.SLIPPED,
) -> None:
    """Do what was foreseen, in the same write.

    Args:
        why: "slipped" or "postponed": kept with each place that is taken back.
    """
    ids = [candidate.callback_id for candidate in consequence.released]
    callbacks.release(connection, ids, f"opening:{opening_id}", now)
    openings.unrelease(connection, consequence.called_back)
    for booking, now_on in consequence.withdrawn:
        _take_back(connection, booking, now_on, opening_id, why, agent, now)
    let_lost_places_go(connection, consequence.service_id, reference, now)  # kept for the reserve list till now
    if ids or consequence.called_back or consequence.withdrawn:
        detail = {"opening": opening_id, "released": ids, "called_back": list(consequence.called_back)}
        detail["withdrawn"] = [booking.booking_id for booking, _day in consequence.withdrawn]
        journal.append(
            connection, agent=agent.login, action="callbacks.released", subject="service",
            subject_id=consequence.service_id, detail=detail, now=now,
        )  # fmt: skip


def _take_back(
    connection: "Connection", booking: ToldBooking, now_on: date | None, opening_id: int, why: str, agent: "Agent",
    now: datetime,
) -> None:  # fmt: skip
    """A told day no longer holds: the place goes, the promise stays in the history, the patient is rung first."""
    told = {"told_on": booking.slot_on.isoformat(), "now_on": now_on.isoformat() if now_on else None}
    bookings.withdraw_booking(
        connection, booking.booking_id, booking.postponement_id, why, now, by=agent.agent_id, opening_id=opening_id
    )
    detail = {
        "postponement": booking.postponement_id, "state": ["told", "withdrawn"], "slot_on": [told["told_on"], None],
        "now_on": told["now_on"], "why": why, "opening": opening_id,
    }  # fmt: skip
    journal.append(
        connection, agent=agent.login, action="booking.withdrawn", subject="booking", subject_id=booking.booking_id,
        detail=detail, now=now,
    )  # fmt: skip
    callbacks.hold(
        connection, patient_id=booking.patient_id, site_id=booking.site_id, postponement_ids=[booking.postponement_id],
        wish=None, released=False, call_id=None, agent_id=agent.agent_id, now=now, slipped=told,
    )  # fmt: skip


def release_free_places(
    connection: "Connection", reference: Reference, now: datetime, *, service_id: int | None = None
) -> Mapping[int, int]:
    """Release callbacks, in order, for the free places that confirmed openings have; counts by service."""
    calendar = calendar_of(reference.desk)
    counts = {}
    only = None if service_id is None else [service_id]
    for number, rows in openings.opening_rows(connection, only).items():
        history = read_history(rows)
        if number in reference.services:
            let_lost_places_go(connection, number, reference, now)
        if number in reference.services and _may_open(history, now, calendar):
            reach, asking = _reach(connection, number, history, reference, calendar, now)
            ids = _within_reach(connection, asking, reach)
            if ids:
                counts[number] = callbacks.release(connection, ids, f"opening:{rows[-1].opening_id}", now)
            if urgent := _make_way(connection, asking, reach, rows[-1].opening_id, now):
                counts[number] = counts.get(number, 0) + urgent
    return counts


def has_room(connection: "Connection", site_id: str, reference: Reference, now: datetime) -> bool:
    """Whether places of a site leave room for somebody who waits. Reads only: a queue that is dry makes no writer wait
    each time that somebody asks for the next patient."""
    calendar = calendar_of(reference.desk)
    services = [service.service_id for service in reference.services_of(site_id)]
    for number, rows in openings.opening_rows(connection, services).items():
        history = read_history(rows)
        if _may_open(history, now, calendar):
            reach, asking = _reach(connection, number, history, reference, calendar, now)
            if _within_reach(connection, asking, reach):
                return True
    return False


def _reach(
    connection: "Connection", service_id: int, history: History, reference: Reference, calendar: Calendar,
    now: datetime,
) -> tuple[Reach, Asking]:  # fmt: skip
    """What the free places of a service leave room for, beside the callbacks that may be rung already."""
    desk, asking = reference.desk, Asking(service_id, history, reference)
    first = first_bookable(service_id, reference, now)
    booked = bookings.booked_by_day(connection, service_id, first)
    limited = bookings.limits_by_day(connection, service_id, first) if asking.is_limited else {}
    taken = {day: Taken(count, limited.get(day)) for day, count in booked.items()}
    places = Places(history, taken, first, calendar)
    reach = within_reach(places, desk.release_days_ahead, desk.release_reserve_percent)
    for asked in openings.asked_out(connection, service_id).values():
        reach.take(asking.of(asked))
    return reach, asking


def _within_reach(connection: "Connection", asking: Asking, reach: Reach) -> Sequence[int]:
    """Callbacks that there is room for, in order."""
    if reach.places <= 0:
        return ()
    released, _staying, _short = _choose(connection, asking, reach)
    return [one.callback_id for one, _asks in released]


def _make_way(connection: "Connection", asking: Asking, reach: Reach, opening_id: int, now: datetime) -> int:
    """Release who is urgent although all is promised: routine callbacks that nobody has rung yet wait again instead,
    place for place, so that no more promises are out than before. Gives how many."""
    head = next(openings.waiting_for(connection, asking.service_id, 1), None)
    if head is None or head.tier > Tier.URGENT:
        return 0
    spare = list(openings.recallable(connection, asking.service_id, tier=Tier.ROUTINE))
    out = {number: asking.of(asked) for number, asked in openings.asked_out(connection, asking.service_id).items()}
    room = Reach(max(reach.places, 0), {code: max(count, 0) for code, count in reach.limited.items()})
    released: list[int] = []
    called_back: list[int] = []
    for candidate, asks in asking.candidates(connection, None):
        if candidate.tier > Tier.URGENT or not spare:
            break
        gone = _gives_way(asks, room, spare, out)
        if gone is not None:
            released.append(candidate.callback_id)
            called_back += gone
            room.take(asks)
    if released:
        openings.unrelease(connection, called_back)
        callbacks.release(connection, released, f"opening:{opening_id}", now)
        detail = {"opening": opening_id, "released": released, "called_back": called_back, "why": "urgent"}
        journal.append(
            connection, agent=callbacks.SYSTEM, action="callbacks.released", subject="service",
            subject_id=asking.service_id, detail=detail, now=now,
        )  # fmt: skip
    return len(released)


def _gives_way(asks: Asks, room: Reach, spare: list[int], out: Mapping[int, Asks]) -> Sequence[int] | None:
    """Take from ``spare`` who makes room for somebody; None where not enough of them would."""
    gone: list[int] = []
    for number in spare:
        if room.has(asks):
            break
        code = "" if room.places < len(asks) else room.lacks(asks)
        if not code or any(code in needs for needs in out.get(number, ())):
            room.give_back(out.get(number, ()))
            gone.append(number)
    if not room.has(asks):
        for number in gone:
            room.take(out.get(number, ()))
        return None
    spare[:] = [number for number in spare if number not in gone]
    return gone


def _may_open(history: History, now: datetime, calendar: Calendar) -> bool:
    """Whether a confirmed row has any room, now or later."""
    today = local_day(now, calendar.zone)
    horizon = today + timedelta(days=366)
    coming = (row for row in history.confirmed if row.opens_on <= horizon and (row.until_on or today) >= today)
    return any(row.places for row in coming)
