"""Places of a service while they are given away: by capacity and by each limit, day by day.

What a patient needs (codes of a capacity limit) counts against the places of the day and against each limit named.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import islice
from typing import Protocol, TypeVar

from crisisdesk.domain.opening import UNLIMITED, History, capacity_on, limits_on, open_days
from crisisdesk.domain.schedule import Calendar

_RANK = {"P1a": 0, "P1b": 1, "P2": 2, "P3": 3, None: 3, "P4": 4, "P5": 5, "P6": 6}


class HasPlace(Protocol):
    """Somebody who was told a day."""

    @property
    def booking_id(self) -> int: ...
    @property
    def slot_on(self) -> date: ...
    @property
    def priority(self) -> str | None: ...
    @property
    def original_on(self) -> date | None: ...
    @property
    def needs(self) -> Sequence[str]: ...


Told = TypeVar("Told", bound=HasPlace)


@dataclass(frozen=True, slots=True)
class Taken:
    """What is given away of a day."""

    places: int = 0
    limited: Mapping[str, int] | None = None
    """Code of a capacity limit -> places given to those who need it."""


def count_taken(told: Iterable[HasPlace]) -> Mapping[date, Taken]:
    """What a list of told places takes of each day."""
    places: Counter[date] = Counter()
    limited: defaultdict[date, Counter[str]] = defaultdict(Counter)
    for booking in told:
        places[booking.slot_on] += 1
        limited[booking.slot_on].update(booking.needs)
    return {day: Taken(count, limited[day]) for day, count in places.items()}


def give_way(told: Iterable[Told], history: History, calendar: Calendar) -> list[Told]:
    """Who no longer fits the capacity and the limits of their day, by day.

    The latest priority gives way first, then the later original date; whoever still fits beside those who come before
    stays, so that no place is taken back in vain.
    """
    days: defaultdict[date, list[Told]] = defaultdict(list)
    for booking in told:
        days[booking.slot_on].append(booking)
    over: list[Told] = []
    for day in sorted(days):
        room = DayRoom(day, capacity_on(history, day, calendar), dict(limits_on(history, day)))
        for booking in sorted(days[day], key=_order):
            if room.has(booking.needs):
                room.take(booking.needs)
            else:
                over.append(booking)
    return over


def _order(booking: HasPlace) -> tuple[int, date, int]:
    return _RANK.get(booking.priority, 3), booking.original_on or date.max, booking.booking_id


@dataclass(slots=True)
class DayRoom:
    """What is left of one day."""

    day: date
    places: int
    limited: dict[str, int]

    def has(self, needs: Iterable[str]) -> bool:
        """Whether somebody who needs this still fits."""
        return self.places > 0 and all(self.limited.get(code, 1) > 0 for code in needs)

    def take(self, needs: Iterable[str]) -> None:
        """One place less."""
        self.places -= 1
        for code in needs:
            if code in self.limited:
                self.limited[code] -= 1


class Places:
    """The days of a service from one on, with what is left of each; days are made as they are looked at."""

    def __init__(self, history: History, taken: Mapping[date, Taken], first: date, calendar: Calendar) -> None:
        self._coming = self._rooms(history, taken, first, calendar)
        self._days: list[DayRoom] = []

    @staticmethod
    def _rooms(history: History, taken: Mapping[date, Taken], first: date, calendar: Calendar) -> Iterator[DayRoom]:
        for day, capacity in open_days(history, first, calendar):
            gone = taken.get(day, Taken())
            limited = {
                code: max(count - (gone.limited or {}).get(code, 0), 0)
                for code, count in limits_on(history, day).items()
            }
            yield DayRoom(day, max(capacity - gone.places, 0), limited)

    def __iter__(self) -> Iterator[DayRoom]:
        """Every day on which the service takes anybody, full ones too."""
        yield from self._days
        for room in self._coming:
            self._days.append(room)
            yield room

    def first_days(self, needs: Sequence[str], count: int) -> Sequence[date]:
        """The first days on which somebody with these needs fits."""
        return [room.day for room in islice((room for room in self if room.has(needs)), count)]

    def day_instead_of(self, told: date, needs: Sequence[str]) -> date | None:
        """The first day with room that is no earlier than the one somebody was told; where there is none, the first."""
        fitting = [room.day for room in self if room.has(needs)]
        return next((day for day in fitting if day >= told), fitting[0] if fitting else None)

    def take(self, needs: Sequence[str]) -> date | None:
        """Give away the first place that fits; None where there is none for a year."""
        for room in self:
            if room.has(needs):
                room.take(needs)
                while self._days and self._days[0].places <= 0:
                    self._days.pop(0)
                return room.day
        return None


@dataclass(slots=True)
class Reach:
    """How many promises may be out at a time: what the next days have free, and a reserve for those who decline."""

    places: int
    limited: dict[str, int]
    """By code, where one of the days limits it."""

    def has(self, asks: Sequence[Sequence[str]]) -> bool:
        """Whether one more patient, with the needs of each of their operations, may be told to expect a place."""
        return self.places >= len(asks) and not self.lacks(asks)

    def lacks(self, asks: Sequence[Sequence[str]]) -> str:
        """The code of a limit that has no room for a patient; empty where all have."""
        wanted = Counter(code for needs in asks for code in needs)
        return next((code for code, count in wanted.items() if self.limited.get(code, count) < count), "")

    def take(self, asks: Sequence[Sequence[str]]) -> None:
        """One promise more is out; the numbers may fall below zero."""
        self.places -= len(asks)
        for needs in asks:
            for code in needs:
                if code in self.limited:
                    self.limited[code] -= 1

    def give_back(self, asks: Sequence[Sequence[str]]) -> None:
        """One promise less is out."""
        self.places += len(asks)
        for needs in asks:
            for code in needs:
                if code in self.limited:
                    self.limited[code] += 1


def within_reach(places: Places, days: int, reserve_percent: int) -> Reach:
    """What the next ``days`` days on which a service takes anybody have free, and ``reserve_percent`` of it more."""
    rooms = list(islice(places, days))
    codes = {code for room in rooms for code in room.limited}
    limited = {code: sum(min(room.limited.get(code, room.places), room.places) for room in rooms) for code in codes}
    total = min(sum(room.places for room in rooms), UNLIMITED)
    return Reach(
        total + total * reserve_percent // 100,
        {code: count + count * reserve_percent // 100 for code, count in limited.items()},
    )
