"""Figures that explain themselves, and the half hours of a local day. Pure: counts come in, nothing is fetched."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from crisisdesk.domain.words import Coverage

HALF_HOUR = timedelta(minutes=30)
BACKLOG = frozenset({Coverage.NEVER_TRIED, Coverage.TRIED, Coverage.REACHED})
"""Classes in which a decision is still owed to the patient."""


class Unit(StrEnum):
    """What the value of a figure counts."""

    COUNT = "count"
    SHARE = "share"
    """Between 0 and 1."""
    SECONDS = "seconds"


@dataclass(frozen=True)
class Figure:
    """One number with everything needed to doubt it.

    ``value`` is None when nothing was measured (``is_measured`` False) or when the denominator is zero.
    """

    section: str
    key: str
    label: str
    numerator: float | None
    denominator: int | None
    value: float | None
    unit: Unit
    definition: str
    is_measured: bool = True


def count_of(section: str, key: str, label: str, number: int, definition: str, *, of: int | None = None) -> Figure:
    """A plain count; ``of`` is the whole that it is part of, where there is one."""
    return Figure(section, key, label, number, of, number, Unit.COUNT, definition)


def share_of(section: str, key: str, label: str, part: int, whole: int, definition: str) -> Figure:
    """A share of a whole; no value when the whole is empty, because nothing over nothing is not 0 %."""
    return Figure(section, key, label, part, whole, share(part, whole), Unit.SHARE, definition)


def mean_of(section: str, key: str, label: str, seconds: float, number: int, definition: str) -> Figure:
    """A mean duration over ``number`` cases."""
    return Figure(section, key, label, seconds, number, share(seconds, number), Unit.SECONDS, definition)


def not_measured(section: str, key: str, label: str, unit: Unit, definition: str) -> Figure:
    """A figure that the desk cannot know; it is shown, so that nobody takes its absence for a zero."""
    return Figure(section, key, label, None, None, None, unit, definition, is_measured=False)


def share(part: float, whole: int) -> float | None:
    """Part over whole, None for an empty whole."""
    return part / whole if whole else None


@dataclass(frozen=True)
class HalfHour:
    """Half an hour of a local day; on a day of 25 hours some wall-clock times come twice."""

    number: int
    start_at: datetime
    label: str
    """Wall clock, "02:30"; with its offset where the day shows that time twice: "02:30 +01:00"."""


def half_hours(start_at: datetime, end_at: datetime, zone: str) -> tuple[HalfHour, ...]:
    """The half hours between two instants (aware, UTC) that bound a local day: 46, 48 or 50 of them."""
    starts = [start_at + number * HALF_HOUR for number in range(-(-(end_at - start_at) // HALF_HOUR))]
    clocks = [start.astimezone(ZoneInfo(zone)) for start in starts]
    walls = [f"{clock:%H:%M}" for clock in clocks]
    return tuple(
        HalfHour(number, start, wall if walls.count(wall) == 1 else f"{wall} {clock.isoformat()[-6:]}")
        for number, (start, clock, wall) in enumerate(zip(starts, clocks, walls, strict=True))
    )


@dataclass(frozen=True)
class CoverageRow:
    """How far the postponements of a site and service have come; None where that is not known, or not told apart."""

    site_id: str | None
    service_id: int | None
    items: Mapping[Coverage, int] = field(default_factory=dict)
    decided: int = 0
    """Decided in the span that was asked for."""
    rebooked: int = 0

    @property
    def total(self) -> int:
        """All postponements of the row."""
        return sum(self.items.values())

    @property
    def backlog(self) -> int:
        """Those to whom a decision is still owed: never tried, tried or reached."""
        return sum(number for state, number in self.items.items() if state in BACKLOG)

    def at_least(self, state: Coverage) -> int:
        """Those that came at least as far as ``state``."""
        order = list(Coverage)
        return sum(number for found, number in self.items.items() if order.index(found) >= order.index(state))


def coverage_of(facts: Mapping[str, object]) -> Coverage:
    """The furthest class that is proved by ``tried_at`` .. ``done_at``: the rule that `store.coverage` says in SQL."""
    for fact, reached in COVERAGE_FACTS:
        if facts.get(fact) is not None:
            return reached
    return Coverage.NEVER_TRIED


COVERAGE_FACTS = (
    ("done_at", Coverage.DONE),
    ("rebooked_at", Coverage.REBOOKED),
    ("decided_at", Coverage.DECIDED),
    ("reached_at", Coverage.REACHED),
    ("tried_at", Coverage.TRIED),
)
"""Furthest first."""
