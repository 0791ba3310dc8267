"""Coverage by site, care type and week: which group a postponement is in, and when a group is an alarm. Pure."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from enum import StrEnum
from functools import lru_cache

from crisisdesk.domain.kpi import share
from crisisdesk.domain.words import Coverage

NO_DATE = ""
"""Week of what has no original date."""
UNCOVERED = (Coverage.NEVER_TRIED, Coverage.TRIED)
"""Classes whose patients nobody has spoken to."""


class Standing(StrEnum):
    """What the share of a group says."""

    ALARM = "alarm"
    COVERED = "covered"
    TO_COME = "to_come"
    """Not measured: its week has not begun."""
    NOTHING_DUE = "nothing_due"
    """Not measured: nobody of it had to be rung."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which postponements are meant. None: all; an empty text: those of which it is not known."""

    site_id: str | None = None
    kind: str | None = None
    week: str | None = None
    """ISO week of the original date, "2022-W22"."""


ALL = Wanted()


@dataclass(frozen=True, slots=True)
class CoverageGroup:
    """The postponements of one site, care type and week; empty texts where one of them is not known."""

    site_id: str
    kind: str
    week: str
    items: Mapping[Coverage, int] = field(default_factory=dict)
    """Each postponement once, in the furthest class that is proved for it."""
    handed_over: int = 0
    """Acknowledged by the service's own secretariat."""
    dead: int = 0
    """Of patients whose death was confirmed."""
    owed: int = 0
    """Those to whom the desk still owes a call or a place."""
    due: int = 0
    """Whom the desk had to ring: all but the dead, and but those handed over before anybody rang."""
    tried: int = 0
    """Of these, tried at least once, or further."""

    @property
    def total(self) -> int:
        """All postponements of the group."""
        return sum(self.items.values())

    @property
    def share(self) -> float | None:
        """Tried of those due; None for nobody."""
        return share(self.tried, self.due)

    @property
    def wanted(self) -> Wanted:
        """The filter that gives exactly this group."""
        return Wanted(self.site_id, self.kind, self.week)


def standing_of(group: CoverageGroup, *, today: date, percent: int) -> Standing:
    """What the share of a group says on a day.

    Args:
        percent: under this share it is an alarm; whole numbers are compared, so that 80 of 100 is none.
    """
    if group.week != NO_DATE and monday_of(group.week) > today:
        return Standing.TO_COME
    if not group.due:
        return Standing.NOTHING_DUE
    return Standing.ALARM if group.tried * 100 < percent * group.due else Standing.COVERED


def add_groups(key: tuple[str, str, str], groups: Iterable[CoverageGroup]) -> CoverageGroup:
    """The sum of groups, under a key of its own (site, care type, week)."""
    groups = list(groups)
    total = CoverageGroup(*key, {state: sum(group.items.get(state, 0) for group in groups) for state in Coverage})
    numbers = ("handed_over", "dead", "owed", "due", "tried")
    return replace(total, **{name: sum(getattr(group, name) for group in groups) for name in numbers})


@lru_cache(4096)
def week_of(day: date | None) -> str:
    """ISO week of a day, "2022-W22"; `NO_DATE` for None."""
    if day is None:
        return NO_DATE
    year, week, _weekday = day.isocalendar()
    return f"{year:04}-W{week:02}"


def monday_of(week: str) -> date:
    """First day of an ISO week.

    Raises:
        ValueError: it is no week of the calendar ("2022-W53").
    """
    found = re.fullmatch(r"(\d{4})-?[Ww](\d{1,2})", week.strip())
    if found is None:
        raise ValueError(week)
    return date.fromisocalendar(int(found[1]), int(found[2]), 1)


def days_of(week: str) -> tuple[date, date]:
    """First day of a week, and first day of the next."""
    monday = monday_of(week)
    return monday, monday + timedelta(days=7)


@dataclass(frozen=True, slots=True)
class NamedItem:
    """One postponement of a group, by name, with what keeps it out of the queue."""

    postponement_id: int
    patient_id: int
    patient: str
    birth_on: date | None
    site_id: str
    kind: str
    week: str
    about: str
    original_on: date | None
    priority: str
    """Empty: uncoded."""
    coverage: Coverage
    is_owed: bool
    callback_id: int | None
    reason: str
    """Code: one of the queue's, or "deceased", "handed_over", "settled", "no_queue"."""
    why_not: str
    """In words; empty where the patient may be rung now."""


@dataclass(frozen=True, slots=True)
class NamedItems:
    """Postponements of a group, the oldest original date first."""

    items: Sequence[NamedItem]
    count: int
    """All that the group counts in these classes, also those beyond the limit."""
