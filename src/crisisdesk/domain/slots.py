"""Places on a day that fit one patient: the notice, the wish, the capacity and the limits; and why not an earlier day.

A *need* is the code of a capacity limit (an implant, an isolation room) that a patient takes one of.
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache

from crisisdesk.domain.datewish import DateWish
from crisisdesk.domain.opening import UNLIMITED, History, capacity_on, limits_on
from crisisdesk.domain.reference import CapacityLimit
from crisisdesk.domain.schedule import Calendar, add_service_days, coming_days, is_service_day
from crisisdesk.domain.text import fold_words

_SIGNS = re.compile(r"[^\w\s]+")  # "PTH(G)+ostéosynthèse" is three words
DAY_OFF, CLOSED, TOO_SOON, WISH, FULL, LIMIT = "day_off", "closed", "too_soon", "wish", "full", "limit:"
"""Why a day is left out; `LIMIT` is followed by the code of the limit."""


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A day that was not offered, and the first rule against it."""

    day: date
    why: str


@dataclass(frozen=True, slots=True)
class Slot:
    """A day on which a service has room for the patient."""

    slot_on: date
    free: int | None
    """Places left; None where the service is open without a number."""
    left_out: tuple[LeftOut, ...] = ()
    """Days from today until this one that were not offered, in order."""


@dataclass(frozen=True, slots=True)
class Diary:
    """What a service can take and has promised: all that the choice of a day depends on besides the patient."""

    history: History
    booked: Mapping[date, int]
    booked_limits: Mapping[date, Mapping[str, int]]
    """Day -> code of a limit -> places of that kind that are told."""
    calendar: Calendar

    def free_on(self, day: date) -> int:
        """Places that are left on a day; below nought where more were told than there are now."""
        return capacity_on(self.history, day, self.calendar) - self.booked.get(day, 0)

    def used_up(self, day: date, needs: Sequence[str]) -> str:
        """The first of some needs of which a day has none left; empty where there is one of each."""
        limits, taken = limits_on(self.history, day), self.booked_limits.get(day, {})
        return next((code for code in needs if code in limits and taken.get(code, 0) >= limits[code]), "")

    def why_not(self, day: date, needs: Sequence[str]) -> str:
        """Why nobody with these needs can be given a place on a day; empty where somebody can."""
        if capacity_on(self.history, day, self.calendar) == 0:
            row = self.history.on(day)
            is_off = row is not None and row.places and not is_service_day(day, self.calendar)
            return DAY_OFF if is_off else CLOSED
        if self.free_on(day) <= 0:
            return FULL
        code = self.used_up(day, needs)
        return LIMIT + code if code else ""


def needs_of(stored: Sequence[str] | None, words: str, limits: Mapping[str, CapacityLimit]) -> tuple[str, ...]:
    """The limits that a patient takes one of, in the order of the reference data.

    Args:
        stored: what a person said of it; None: the words decide.
        words: procedure and remark of the list. A limit is needed where one of its words stands in them as a whole
            word, whatever its case, accents and hyphens.
    """
    if stored is not None:
        return tuple(code for code in limits if code in stored)
    return tuple(code for code, limit in limits.items() if _asks_for(words, limit))


@lru_cache(maxsize=65536)  # a list names the same few hundred procedures again and again
def _asks_for(words: str, limit: CapacityLimit) -> bool:
    said = fold_words(_SIGNS.sub(" ", unicodedata.normalize("NFC", words)))
    return any(_stands_in(fold_words(word), said) for word in limit.words)


def _stands_in(wanted: tuple[str, ...], said: tuple[str, ...]) -> bool:
    """Whether the words stand in a text one after the other."""
    size = len(wanted)
    return bool(size) and any(said[at : at + size] == wanted for at in range(len(said) - size + 1))


def first_day(today: date, lead_days: int, calendar: Calendar, *, at_short_notice: bool = False) -> date:
    """The first day that a patient can still prepare for.

    Args:
        lead_days: working days of notice of the service.
        at_short_notice: the patient is on the reserve list: the next day will do, where a notice is needed at all.
    """
    if at_short_notice:
        return today + timedelta(days=1) if lead_days else today
    return add_service_days(today, lead_days, calendar)


def first_fitting(
    history: History,
    booked: Mapping[date, int],
    booked_limits: Mapping[date, Mapping[str, int]],
    first: date,
    wish: DateWish,
    needs: Sequence[str],
    calendar: Calendar,
    count: int,
    *,
    today: date | None = None,
) -> Sequence[Slot]:
    """The first ``count`` days from ``first`` on that have room for a patient, each with why no earlier day.

    Args:
        first: from `first_day`.
        today: where the explanation begins; ``first`` where it is not given.
    """
    diary = Diary(history, booked, booked_limits, calendar)
    found: list[Slot] = []
    left_out: list[LeftOut] = []
    for day, why in fitting_days(diary, first, wish, needs, today or first):
        if why:
            left_out.append(LeftOut(day, why))
            continue
        free = diary.free_on(day)
        found.append(Slot(day, None if free > UNLIMITED // 2 else free, tuple(left_out)))
        if len(found) >= count:
            break
    return found


def fitting_days(
    diary: Diary, first: date, wish: DateWish, needs: Sequence[str], today: date
) -> Iterator[tuple[date, str]]:
    """Days from ``today`` on for a year and a bit, each with why it does not fit, or an empty text where it does.

    None at all where the service never opens, so that nobody looks through a year for nothing.
    """
    if not any(row.places for row in diary.history.confirmed):
        return
    for day in coming_days(today):
        why = diary.why_not(day, needs)
        if why in (DAY_OFF, CLOSED):
            yield day, why
        elif day < first:
            yield day, TOO_SOON
        else:
            yield day, why if wish.allows(day) else WISH
