"""The dated history of a service: what is in force on a day, what is planned, and what it can take.

Rows are only ever added. A *planned* row waits for confirmation; an *actual* row confirms what was planned or changes
the service from its day on; a *revised* row puts another day or number in the place of the newest row, confirmed or
not; a *withdrawn* row takes the newest row back.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from crisisdesk.domain.schedule import Calendar, is_service_day, service_days
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
        """The row in force on a day; None where nothing was ever entered (the service works as usual)."""
        return next((row for row in reversed(self.confirmed) if row.opens_on <= day), None)

    @property
    def newest(self) -> OpeningRow | None:
        """The row that a revision or a withdrawal is about."""
        return self.planned or (self.confirmed[-1] if self.confirmed else None)

    def coming(self, today: date) -> OpeningRow | None:
        """A confirmed row whose day is still to come."""
        newest = self.confirmed[-1] if self.confirmed else None
        return newest if newest and newest.opens_on > today else None


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
            confirmed, planned = [*confirmed, row], None
        elif row.stage == OpeningStage.REVISED:
            if planned is None and confirmed:
                confirmed = [*confirmed[:-1], row]
            else:
                planned = row
        elif planned is not None:
            planned = None
        else:
            confirmed = confirmed[:-1]
    return History(tuple(confirmed), planned)


def capacity_on(history: History, day: date, calendar: Calendar) -> int:
    """Places of a service on a day: none at weekends and on public holidays, nor while it is closed."""
    row = history.on(day)
    return row.places if row is not None and is_service_day(day, calendar) else 0


def free_days(
    history: History, booked: Mapping[date, int], first: date, calendar: Calendar
) -> Iterator[tuple[date, int]]:
    """Working days from ``first`` on with the places that are still free there, in order; full days are left out."""
    if not any(row.places for row in history.confirmed):
        return
    for day in service_days(first, calendar):
        free = capacity_on(history, day, calendar) - booked.get(day, 0)
        if free > 0:
            yield day, free


def free_slots(history: History, booked: Mapping[date, int], first: date, days: int, calendar: Calendar) -> int:
    """Free places on the next ``days`` working days on which the service takes anybody, from ``first`` on."""
    total = seen = 0
    for day in service_days(first, calendar):
        capacity = capacity_on(history, day, calendar)
        if capacity:
            total += max(capacity - booked.get(day, 0), 0)
            seen += 1
        if seen == days:
            break
    return min(total, UNLIMITED)
