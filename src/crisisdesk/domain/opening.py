"""The dated history of a service: what is in force on a day, what is planned, and what it can take.

Rows are only ever added. A *planned* row waits for confirmation; an *actual* row confirms what was planned or changes
the service from its day on; a *revised* row puts another day or number in the place of the newest row, confirmed or
not; a *withdrawn* row takes the newest row back. A row with an end covers only its days: afterwards what held before
holds again. A revision with an end of a row without one changes those days and leaves the rest as it was. A revision
without an end is about the opening itself, also where some of its days were changed since.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from itertools import islice

from crisisdesk.domain.schedule import Calendar, coming_days, is_service_day
from crisisdesk.domain.words import OpeningStage, OpeningState

UNLIMITED = 1_000_000
"""Places a day of a service that is open without a number."""


@dataclass(frozen=True, slots=True)
class OpeningRow:
    """One row of a service's history."""

    opening_id: int
    service_id: int
    stage: OpeningStage
    state: OpeningState
    opens_on: date
    capacity_a_day: int | None
    reason: str = ""
    by: str = ""
    entered_at: datetime | None = None
    until_on: date | None = None
    """Last day that it covers; None: until something else is entered."""
    includes_days_off: bool = False
    """Also weekends and public holidays among its days."""
    rooms: int | None = None
    """Rooms that make its places, where known."""
    limits: Mapping[str, int] = field(default_factory=dict)
    """Code of a capacity limit -> places a day for those who need it; a code that is missing is not limited."""

    def covers(self, day: date) -> bool:
        """Whether a day is among its days."""
        return self.opens_on <= day and (self.until_on is None or day <= self.until_on)

    @property
    def places(self) -> int:
        """Places a working day; a partial opening without a number offers none of itself."""
        if self.state == OpeningState.CLOSED:
            return 0
        if self.capacity_a_day is not None:
            return self.capacity_a_day
        return UNLIMITED if self.state == OpeningState.OPEN else 0


@dataclass(frozen=True, slots=True)
class History:
    """What the rows of one service add up to."""

    confirmed: tuple[OpeningRow, ...] = ()
    """Rows that hold, each from its day on; a newer one wins."""
    planned: OpeningRow | None = None
    """What is announced but not confirmed."""

    def on(self, day: date) -> OpeningRow | None:
        """The row in force on a day: the newest that covers it; None where none does (the service works as usual)."""
        return next((row for row in reversed(self.confirmed) if row.covers(day)), None)

    @property
    def newest(self) -> OpeningRow | None:
        """The row that a revision or a withdrawal is about."""
        return self.planned or (self.confirmed[-1] if self.confirmed else None)

    def coming(self, today: date) -> OpeningRow | None:
        """The next confirmed change whose day is still to come."""
        later = (row for row in self.confirmed if row.opens_on > today and self.on(row.opens_on) is row)
        return min(later, key=lambda row: row.opens_on, default=None)

    def next_open(self, today: date) -> date | None:
        """The first day after ``today`` from which it is confirmed that patients come: a row begins, or one ends.

        Weekends and public holidays are not looked at.
        """
        starts = {row.opens_on for row in self.confirmed}
        ends = {row.until_on + timedelta(days=1) for row in self.confirmed if row.until_on}
        for day in sorted(day for day in starts | ends if day > today):
            row = self.on(day)
            if row is not None and row.places:
                return day
        return None


def read_history(rows: Iterable[OpeningRow], *, as_of: datetime | None = None) -> History:
    """Add up the rows of one service, in the order they were entered.

    Args:
        as_of: leave out what was entered after this instant ("what was planned on the evening of 30 May?").
    """
    confirmed: list[OpeningRow] = []
    planned: OpeningRow | None = None
    for row in rows:
        if as_of is not None and row.entered_at is not None and row.entered_at > as_of:
            continue
        if row.stage == OpeningStage.PLANNED:
            planned = row
        elif row.stage == OpeningStage.ACTUAL:
            confirmed, planned = [*confirmed, row], planned if _leaves_standing(row, planned) else None
        elif row.stage == OpeningStage.REVISED:
            if planned is None and confirmed:
                confirmed = _revised(confirmed, row)
            else:
                planned = row
        elif planned is not None:
            planned = None
        else:
            confirmed = confirmed[:-1]
    return History(tuple(confirmed), planned)


def _revised(confirmed: Sequence[OpeningRow], row: OpeningRow) -> list[OpeningRow]:
    """The confirmed rows after a revision. Days that were taken away before stay away, but for those that it moves."""
    *before, newest = confirmed
    if row.until_on is not None:
        beside = newest.until_on is None or (_takes_away(before, newest) and not _overlap(newest, row))
        return [*confirmed, row] if beside else [*before, row]
    at = max((place for place, one in enumerate(confirmed) if one.until_on is None), default=0)
    if row.state == OpeningState.CLOSED or not confirmed[at].places:
        return [*before, row]
    later = (one for one in confirmed[at + 1 :] if one.until_on is not None and one.until_on >= row.opens_on)
    return [*confirmed[:at], row, *(replace(one, opens_on=max(one.opens_on, row.opens_on)) for one in later)]


def _takes_away(before: Sequence[OpeningRow], newest: OpeningRow) -> bool:
    """Whether a row leaves fewer places than what holds on its days without it: a closure, not a session of its own."""
    below = History(tuple(before)).on(newest.opens_on)
    if below is None or (newest.includes_days_off and newest.places and not below.includes_days_off):
        return False
    return newest.places < below.places


def _overlap(one: OpeningRow, other: OpeningRow) -> bool:
    """Whether two rows with an end have a day in common."""
    return one.covers(other.opens_on) or other.covers(one.opens_on)


def _leaves_standing(row: OpeningRow, planned: OpeningRow | None) -> bool:
    """Whether a confirmed row says nothing about a plan: it has an end, and the plan has none or lies beside it."""
    if planned is None or row.until_on is None:
        return False
    return planned.until_on is None or planned.until_on < row.opens_on or row.until_on < planned.opens_on


def capacity_on(history: History, day: date, calendar: Calendar) -> int:
    """Places of a service on a day: none while it is closed, nor on a day off that was not opened explicitly."""
    row = history.on(day)
    return row.places if row is not None and (row.includes_days_off or is_service_day(day, calendar)) else 0


def limits_on(history: History, day: date) -> Mapping[str, int]:
    """Code of a capacity limit -> places of that kind on a day; what is not named is limited by the capacity alone."""
    row = history.on(day)
    return row.limits if row is not None else {}


def open_days(history: History, first: date, calendar: Calendar) -> Iterator[tuple[date, int]]:
    """Days from ``first`` on, for a year and a bit, on which the service takes anybody, with their places."""
    if not any(row.places for row in history.confirmed):
        return
    for day in coming_days(first):
        if capacity := capacity_on(history, day, calendar):
            yield day, capacity


def free_days(
    history: History, booked: Mapping[date, int], first: date, calendar: Calendar
) -> Iterator[tuple[date, int]]:
    """Days from ``first`` on with the places that are still free there, in order; full days are left out."""
    for day, capacity in open_days(history, first, calendar):
        if (free := capacity - booked.get(day, 0)) > 0:
            yield day, free


def free_slots(history: History, booked: Mapping[date, int], first: date, days: int, calendar: Calendar) -> int:
    """Free places on the next ``days`` days on which the service takes anybody, from ``first`` on."""
    found = islice(open_days(history, first, calendar), days)
    return min(sum(max(capacity - booked.get(day, 0), 0) for day, capacity in found), UNLIMITED)
