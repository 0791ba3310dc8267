"""When the queue of a service will be empty: a range, from its places and from the calls that can be made.

Two things end a queue, and the slower one decides: places on days, and telephone calls that reach the patient. Limits
(implants, an isolation room) are places of their own. Everything that goes in is measured, or assumed and marked so.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from itertools import islice
from math import ceil, sqrt

LEAST_MEASURED = 30
"""With fewer cases a share says too little: an assumed range stands in, and is marked as such."""
PLACES, CALLS = "places", "calls"
"""What a queue waits for longest; or the code of a limit."""
_Z = 1.96  # 95 %
_HORIZON = 400


@dataclass(frozen=True, slots=True)
class Range:
    """A number between two bounds, with where it comes from."""

    low: float
    high: float
    part: int
    whole: int
    """What was counted: ``part`` of ``whole``."""
    is_assumed: bool


@dataclass(frozen=True, slots=True)
class Span:
    """The first and the last day on which something may be reached; None: not within a year."""

    earliest: date | None
    latest: date | None


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast patients can be rung."""

    contact: Range
    """Share of attempts that reach the patient."""
    calls_per_agent: Range
    """Attempts that one agent makes on a calling day."""
    agents: float
    """Agents who ring on a calling day, at this site."""
    share: float = 1.0
    """Share of the site's calls that goes to this service."""

    def reached_a_day(self, *, best: bool) -> float:
        """Patients reached on a calling day, at best or at worst."""
        bound = (self.contact.high, self.calls_per_agent.high) if best else (self.contact.low, self.calls_per_agent.low)
        return bound[0] * bound[1] * self.agents * self.share


@dataclass(frozen=True, slots=True)
class Room:
    """What one day takes: places that are still free, and by code of a limit."""

    day: date
    places: int
    limited: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Load:
    """What a service owes."""

    patients: int
    """To be reached by telephone."""
    operations: int
    """Without a place."""
    needing: Mapping[str, int] = field(default_factory=dict)
    """Code of a limit -> operations that need one."""


@dataclass(frozen=True, slots=True)
class Outlook:
    """When the queue is empty, and what it waits for."""

    empty: Span
    by: Mapping[str, Span]
    """The same for each thing alone: places, calls, each limit."""
    bottleneck: str
    """The one that decides at worst."""


def wilson(part: int, whole: int) -> tuple[float, float]:
    """The Wilson score interval of a share, 95 %. Wilson 1927; Brown, Cai, DasGupta 2001 (sound for small numbers)."""
    if whole == 0:
        return 0.0, 1.0
    share, square = part / whole, _Z * _Z
    middle = share + square / (2 * whole)
    spread = _Z * sqrt(share * (1 - share) / whole + square / (4 * whole * whole))
    scale = 1 + square / whole
    return max(0.0, (middle - spread) / scale), min(1.0, (middle + spread) / scale)


def measured_share(part: int, whole: int, assumed: tuple[float, float]) -> Range:
    """A share with its interval; the assumed one where fewer than `LEAST_MEASURED` cases were counted."""
    is_assumed = whole < LEAST_MEASURED
    return Range(*(assumed if is_assumed else wilson(part, whole)), part, whole, is_assumed)


def measured_rate(count: int, spans: int, assumed: tuple[float, float]) -> Range:
    """Events a span with the interval of a Poisson count (its normal approximation); assumed where too few."""
    if count < LEAST_MEASURED or spans == 0:
        return Range(*assumed, count, spans, is_assumed=True)
    spread = _Z * sqrt(count)
    return Range((count - spread) / spans, (count + spread) / spans, count, spans, is_assumed=False)


def look_out(
    load: Load,
    accepted: Range,
    pace: Pace,
    rooms: Callable[[], Iterable[Room]],
    calling_days: Callable[[], Iterator[date]],
) -> Outlook:
    """When everybody was reached and everybody who accepts has a place.

    Args:
        accepted: share of those reached who take a place.
        rooms: the days of the service with what is free, in order.
        calling_days: days on which patients may be rung, from today on.
    """
    spans: dict[str, Span] = {
        PLACES: Span(
            _day_of(load.operations * accepted.low, ((room.day, room.places) for room in rooms())),
            _day_of(load.operations * accepted.high, ((room.day, room.places) for room in rooms())),
        ),
        CALLS: Span(
            _called(load.patients, pace.reached_a_day(best=True), calling_days()),
            _called(load.patients, pace.reached_a_day(best=False), calling_days()),
        ),
    }
    for code, count in load.needing.items():
        spans[code] = Span(
            _day_of(count * accepted.low, _limited(rooms(), code)),
            _day_of(count * accepted.high, _limited(rooms(), code)),
        )
    empty = Span(_last(span.earliest for span in spans.values()), _last(span.latest for span in spans.values()))
    bottleneck = max(spans, key=lambda name: (spans[name].latest or date.max, spans[name].earliest or date.max))
    return Outlook(empty, spans, bottleneck)


def with_more_places(rooms: Iterable[Room], more: int) -> Iterator[Room]:
    """The same days with more places on each; the limits stay."""
    return (replace(room, places=room.places + more) for room in rooms)


def _limited(rooms: Iterable[Room], code: str) -> Iterator[tuple[date, int]]:
    return ((room.day, min(room.places, room.limited.get(code, room.places))) for room in rooms)


def _day_of(wanted: float, days: Iterable[tuple[date, int]]) -> date | None:
    """The day on which so many places have been given; None: not within the days, or nothing is wanted."""
    left = ceil(wanted - 1e-9)
    for day, count in days:
        left -= max(count, 0)
        if left <= 0:
            return day
    return None


def _called(patients: int, a_day: float, days: Iterator[date]) -> date | None:
    """The day on which everybody was reached."""
    if a_day <= 0:
        return None
    steps = max(ceil(patients / a_day - 1e-9), 1)
    return next(islice(days, steps - 1, None), None) if steps <= _HORIZON else None


def _last(days: Iterable[date | None]) -> date | None:
    found = list(days)
    return None if None in found else max(day for day in found if day is not None)
