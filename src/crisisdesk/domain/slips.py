"""When a call on a paper slip was taken, as an agent copies it: "14:20", "14h20", "hier 9h", "31/05 14:20"."""

import re
from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

from crisisdesk.domain.dates import read_typed_date

_AT = re.compile(r"(?P<day>.*?)\s*\b(?P<hour>[01]?\d|2[0-3])\s*[:h.](?P<minute>[0-5]\d)?\s*$", re.IGNORECASE)


def read_taken_at(text: str, *, now: datetime, zone: str) -> datetime | None:
    """Give the instant (UTC) that a slip names, today where it names no day; None where it cannot be read.

    An hour that a clock change repeats is its first one.
    """
    found = _AT.fullmatch(text.strip())
    if found is None:
        return None
    local = ZoneInfo(zone)
    today = now.astimezone(local).date()
    day = read_typed_date(found["day"], today) if found["day"] else today
    if day is None:
        return None
    at = time(int(found["hour"]), int(found["minute"] or 0))
    return datetime.combine(day, at, local).astimezone(UTC)
