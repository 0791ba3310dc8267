"""When patients may be rung and on which days a service works: hours, weekdays, public holidays, parts of the day.

All of it on the wall clock of the desk's zone: a day has 23, 24 or 25 hours.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache

from crisisdesk.clock import from_local, local_day, to_local
from crisisdesk.domain.reference import DeskInfo
from crisisdesk.domain.words import PartOfDay

NOON, EVENING = time(12), time(17)
SERVICE_WEEKDAYS = frozenset(range(5))
_HORIZON_DAYS = 400  # a calendar without any calling day in a year is a mistake of its reference data


@dataclass(frozen=True)
class Calendar:
    """Calling hours and days off of one desk."""

    zone: str
    opens: time
    closes: time
    weekdays: frozenset[int]
    """Days on which patients may be rung, Monday = 0."""
    holidays: tuple[str, ...] = ()
    """Rules: "12-25" (month-day) or "easter+39"."""


def calendar_of(desk: DeskInfo) -> Calendar:
    """The calendar of a desk's reference data."""
    return Calendar(desk.time_zone, desk.calls_from, desk.calls_until, frozenset(desk.call_weekdays), desk.holidays)


@lru_cache(maxsize=64)
def _holidays(rules: tuple[str, ...], year: int) -> frozenset[date]:
    """Public holidays of a year. The Easter of the Western churches, from dateutil."""
    from dateutil.easter import easter

    days = set()
    for rule in rules:
        if rule.startswith("easter"):
            days.add(easter(year) + timedelta(days=int(rule.removeprefix("easter") or 0)))
        else:
            month, day = rule.split("-")
            if (int(month), int(day)) != (2, 29) or year % 4 == 0:
                days.add(date(year, int(month), int(day)))
    return frozenset(days)


def is_holiday(day: date, calendar: Calendar) -> bool:
    """Whether a day is a public holiday of the desk's country."""
    return day in _holidays(calendar.holidays, day.year)


def is_calling_day(day: date, calendar: Calendar) -> bool:
    """Whether patients may be rung on a day."""
    return day.weekday() in calendar.weekdays and not is_holiday(day, calendar)


def is_service_day(day: date, calendar: Calendar) -> bool:
    """Whether services see patients on a day: Monday to Friday, public holidays off."""
    return day.weekday() in SERVICE_WEEKDAYS and not is_holiday(day, calendar)


def coming_days(first: date) -> Iterator[date]:
    """Every day from ``first`` on, for a year and a bit."""
    return (first + timedelta(days=step) for step in range(_HORIZON_DAYS))


def service_days(first: date, calendar: Calendar) -> Iterator[date]:
    """Days on which services see patients, from ``first`` on, for a year and a bit."""
    return (day for day in coming_days(first) if is_service_day(day, calendar))


def add_service_days(day: date, count: int, calendar: Calendar) -> date:
    """The day after ``count`` whole service days from ``day``; the first service day from ``day`` on for 0."""
    days = service_days(day if count == 0 else day + timedelta(days=1), calendar)
    for _step in range(max(count - 1, 0)):
        next(days)
    return next(days)


def part_of_day(instant: datetime, calendar: Calendar) -> PartOfDay:
    """Morning until noon, afternoon until 17:00, evening after that."""
    hour = to_local(instant, calendar.zone).time()
    return PartOfDay.MORNING if hour < NOON else PartOfDay.AFTERNOON if hour < EVENING else PartOfDay.EVENING


def parts_within(calendar: Calendar) -> frozenset[PartOfDay]:
    """Parts of the day that the calling hours reach; a wish for another one counts as any."""
    spans = {
        PartOfDay.MORNING: (time.min, NOON),
        PartOfDay.AFTERNOON: (NOON, EVENING),
        PartOfDay.EVENING: (EVENING, time.max),
    }
    return frozenset(
        part for part, (start, end) in spans.items() if max(calendar.opens, start) < min(calendar.closes, end)
    )


def is_calling_time(instant: datetime, calendar: Calendar) -> bool:
    """Whether patients may be rung at an instant."""
    local = to_local(instant, calendar.zone)
    return is_calling_day(local.date(), calendar) and calendar.opens <= local.time() < calendar.closes


def day_start(instant: datetime, calendar: Calendar) -> datetime:
    """First instant of the local day of an instant."""
    return from_local(local_day(instant, calendar.zone), time.min, calendar.zone)


def next_calling_time(instant: datetime, calendar: Calendar) -> datetime:
    """The instant itself while patients may be rung, else the next opening of the calling hours."""
    if is_calling_time(instant, calendar):
        return instant
    start = local_day(instant, calendar.zone)
    for step in range(_HORIZON_DAYS):
        day = start + timedelta(days=step)
        opens = from_local(day, calendar.opens, calendar.zone)
        if opens >= instant and is_calling_day(day, calendar):
            return opens
    raise ValueError("the calendar has no calling day")


def next_in_part(instant: datetime, wanted: PartOfDay, calendar: Calendar) -> datetime:
    """The first calling time from an instant on that lies in a part of the day; any calling time for ANY.

    A part that the calling hours never reach (an evening that ends at 17:00) counts as any.
    """
    found = next_calling_time(instant, calendar)
    for _step in range(_HORIZON_DAYS):
        if wanted in (PartOfDay.ANY, part_of_day(found, calendar)):
            return found
        found = next_calling_time(_next_part_start(found, calendar), calendar)
    return next_calling_time(instant, calendar)


def next_other_part(instant: datetime, tried_at: datetime, calendar: Calendar) -> datetime:
    """The first calling time from an instant on in another part of the day than ``tried_at`` was."""
    found, tried = next_calling_time(instant, calendar), part_of_day(tried_at, calendar)
    for _step in range(_HORIZON_DAYS):
        if part_of_day(found, calendar) != tried:
            return found
        found = next_calling_time(_next_part_start(found, calendar), calendar)
    return next_calling_time(instant, calendar)


def _next_part_start(instant: datetime, calendar: Calendar) -> datetime:
    local = to_local(instant, calendar.zone)
    for start in (NOON, EVENING):
        if local.time() < start:
            return from_local(local.date(), start, calendar.zone)
    return from_local(local.date() + timedelta(days=1), time.min, calendar.zone)
