"""The only place that asks what time it is. Inside: aware UTC. Outside: the desk's own zone."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo


def now() -> datetime:
    """The present instant, aware, in UTC."""
    return datetime.now(UTC)


def to_local(instant: datetime, zone: str) -> datetime:
    """The same instant on the wall clock of ``zone`` (an IANA name)."""
    return instant.astimezone(ZoneInfo(zone))


def local_day(instant: datetime, zone: str) -> date:
    """The calendar day of an instant in ``zone``."""
    return to_local(instant, zone).date()


def from_local(day: date, at: time, zone: str) -> datetime:
    """The UTC instant of a wall-clock time.

    A time inside the spring gap is moved to after it; of the two instants of an autumn hour the first is taken.
    """
    return datetime.combine(day, at.replace(tzinfo=None, fold=0), ZoneInfo(zone)).astimezone(UTC)


def day_bounds(day: date, zone: str) -> tuple[datetime, datetime]:
    """First instant of a local day and first instant of the next: 23, 24 or 25 hours apart, in UTC."""
    return from_local(day, time.min, zone), from_local(day + timedelta(days=1), time.min, zone)
