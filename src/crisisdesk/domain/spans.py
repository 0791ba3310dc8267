"""Spans of time as people type them: "15 min", "3 h", "2 d"."""

import re
from datetime import timedelta

_SPAN = re.compile(r"\s*(\d{1,5})\s*([a-z]+)\s*\Z", re.IGNORECASE)
_UNITS = {"min": 60, "m": 60, "minutes": 60, "h": 3600, "hours": 3600, "heures": 3600, "d": 86_400, "days": 86_400}
_UNITS |= {"j": 86_400, "jours": 86_400}


def read_span(text: str) -> timedelta | None:
    """The span that a text means: a whole number and min, h or d (French: j); None where it is none."""
    found = _SPAN.match(text)
    if not found or found[2].casefold() not in _UNITS:
        return None
    return timedelta(seconds=int(found[1]) * _UNITS[found[2].casefold()])


def write_span(span: timedelta) -> str:
    """The span in the largest unit that holds it whole, as `read_span` reads it; parts of a minute are dropped."""
    minutes = int(span.total_seconds()) // 60
    if minutes and minutes % 1440 == 0:
        return f"{minutes // 1440} d"
    return f"{minutes // 60} h" if minutes and minutes % 60 == 0 else f"{minutes} min"
