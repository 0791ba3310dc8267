"""On which days a patient can come, from what the agent typed while listening: "après le 12/06", "lundi ou mardi".

Strict, as `domain.wishes`: a phrase counts only when every word of it is understood; otherwise it is kept as words.
"""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

from crisisdesk.domain.dates import month_of, read_typed_date, weekday_of
from crisisdesk.domain.words import PartOfDay

LONGEST_WISH = 200
_ALL_WEEK = frozenset(range(7))


@dataclass(frozen=True, slots=True)
class DateWish:
    """The days that suit a patient; an empty one means any day."""

    earliest: date | None = None
    latest: date | None = None
    weekdays: frozenset[int] = frozenset()
    """Monday = 0; none: any day of the week."""
    part_of_day: PartOfDay = PartOfDay.ANY
    """Told to the service: a place is a day, its hour is the service's."""
    words: str = ""
    """As said; foreign text."""

    @property
    def is_understood(self) -> bool:
        """Whether days can be chosen by it; nothing said is understood too."""
        return not self.words or bool(
            self.earliest or self.latest or self.weekdays or self.part_of_day != PartOfDay.ANY
        )

    def allows(self, day: date) -> bool:
        """Whether the patient can come on a day."""
        if self.earliest is not None and day < self.earliest:
            return False
        if self.latest is not None and day > self.latest:
            return False
        return not self.weekdays or day.weekday() in self.weekdays

    def as_detail(self) -> dict[str, Any]:
        """Plain values for the store and the journal; what is empty is left out."""
        values: dict[str, Any] = {
            "earliest": self.earliest.isoformat() if self.earliest else "",
            "latest": self.latest.isoformat() if self.latest else "",
            "weekdays": sorted(self.weekdays),
            "part_of_day": "" if self.part_of_day == PartOfDay.ANY else self.part_of_day.value,
            "words": self.words,
        }
        return {name: value for name, value in values.items() if value}


def date_wish_from(detail: Mapping[str, Any] | None) -> DateWish:
    """Read back what `DateWish.as_detail` gave; an empty one for nothing."""
    detail = detail or {}
    earliest, latest = (detail.get(name) for name in ("earliest", "latest"))
    return DateWish(
        date.fromisoformat(earliest) if earliest else None, date.fromisoformat(latest) if latest else None,
        frozenset(detail.get("weekdays", ())), PartOfDay(detail.get("part_of_day") or PartOfDay.ANY),
        str(detail.get("words", "")),
    )  # fmt: skip


_PHRASES = (
    (r"semaine prochaine|volgende week|nachste woche|next week", " next:week "),
    (r"apres midi|namiddag|nachmittags?|afternoons?", " part:afternoon "),
    (r"matin(?:ee)?s?|voormiddag|ochtend|vormittags?|mornings?", " part:morning "),
    (r"soir(?:ee)?s?|avond|abends?|evenings?", " part:evening "),
    (r"n importe quand|peu importe|toujours|any time|any day|maakt niet uit|egal wann", " "),
    (r"pas avant|a partir d[eu]s?|a partir|des|niet voor|vanaf|nicht vor|ab|not before|from", " op:from "),
    (r"pas apres|jusqu ?a?u?|niet na|tot|nicht nach|bis|not after|until|by", " op:until "),
    (r"sauf|excepte|pas les?|pas|behalve|niet op|niet|ausser|nicht am|nicht|except|not on|not", " op:except "),
    (r"apres|na|nach|after", " op:after "),
    (r"avant|voor|vor|before", " op:before "),
)
_FILLERS = frozenset((
    "le", "la", "les", "l", "de", "du", "d", "au", "en", "dans", "ou", "et", "of", "or", "and", "und", "oder", "si",
    "plutot", "possible", "svp", "seulement", "uniquement", "only", "alleen", "nur", "jour", "jours", "on", "in",
    "the", "am", "im", "den", "dem", "der", "op", "het", "please", "graag", "liefst", "bitte", "een", "un", "une",
))  # fmt: skip
_DAY_MONTH = re.compile(r"\b(\d{1,2})(?:er|e|st|nd|rd|th)? ([a-z]{3,10})\b(?: (\d{4}))?")


def read_date_wish(text: str, today: date) -> DateWish:
    """Read "après le 12/06", "lundi ou mardi", "matin", "pas avant juillet", "sauf mercredi", "niet voor 12/06".

    "Après le 12/06" begins on the 13th, "à partir du" and "pas avant" on that day; a month means its first day, or its
    last one after "jusqu'à". A day alone means that day only. What is not understood to its last word comes back with
    ``words`` alone.
    """
    words = " ".join(text.split())[:LONGEST_WISH]
    found = _Reader(today).read(_marked(words))
    return replace(found, words=words) if found is not None else DateWish(words=words)


def _marked(text: str) -> str:
    """The text without accents, its phrases replaced by marks ("op:from") that no typed word can be."""
    bare = "".join(c for c in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(c))
    plain = re.sub(r"['\u2019,;!?:()]|(?<=[a-z])[-.](?=[a-z ]|$)", " ", bare)
    plain = re.sub(r"\s+", " ", plain).strip(" .")
    plain = _DAY_MONTH.sub(_numbered, plain)
    for pattern, mark in _PHRASES:
        plain = re.sub(rf"(?<![\w:])(?:{pattern})(?![\w:])", mark, plain)
    return plain


def _numbered(match: re.Match[str]) -> str:
    """'12 juin' as '12/6'; another word than a month stays."""
    month = month_of(match[2])
    if month is None:
        return match[0]
    return f"{match[1]}/{month}/{match[3]}" if match[3] else f"{match[1]}/{month}"


class _Reader:
    """One phrase, word by word; an operator ("not before") waits for its day."""

    def __init__(self, today: date) -> None:
        self.today, self.wish = today, DateWish()
        self.operator = ""
        self.excluded: set[int] = set()

    def read(self, text: str) -> DateWish | None:
        """The wish, or None where a word means nothing here or the ends contradict each other."""
        for word in text.split():
            if word not in _FILLERS and not self._take(word):
                return None
        if self.operator and not (self.operator == "except" and self.excluded):
            return None
        if self.excluded:
            wanted = (self.wish.weekdays or _ALL_WEEK) - self.excluded
            self.wish = replace(self.wish, weekdays=wanted)
        ends = (self.wish.earliest, self.wish.latest)
        return None if ends[0] and ends[1] and ends[1] < ends[0] else self.wish

    def _take(self, word: str) -> bool:
        kind, colon, value = word.partition(":")
        if colon and kind == "op":
            self.operator = value
        elif colon and kind == "part":
            self.wish = replace(self.wish, part_of_day=PartOfDay(value))
        elif word == "next:week":
            monday = self.today + timedelta(days=7 - self.today.weekday())
            self._between(monday, monday + timedelta(days=6))
        else:
            return self._weekday(word) or self._span(word)
        return True

    def _weekday(self, word: str) -> bool:
        number = weekday_of(word)
        if number is None and month_of(word) is None:
            number = weekday_of(word.removesuffix("s"))
        if number is None:
            return False
        if self.operator == "except":
            self.excluded.add(number)
        elif self.operator:
            day = self.today + timedelta(days=(number - self.today.weekday() - 1) % 7 + 1)
            return self._between(day, day)
        else:
            self.wish = replace(self.wish, weekdays=self.wish.weekdays | {number})
        return True

    def _span(self, word: str) -> bool:
        """A day, or a month as its first and last day."""
        if (month := month_of(word)) is not None:
            year = self.today.year + (month < self.today.month)
            following = date(year + month // 12, month % 12 + 1, 1)
            return self._between(date(year, month, 1), following - timedelta(days=1))
        if not any(letter.isdigit() for letter in word) and not word.isalpha():
            return False
        if (day := _typed(word, self.today)) is None:
            return False
        return self._between(day, day)

    def _between(self, first: date, last: date) -> bool:
        operator, self.operator = self.operator, ""
        one = timedelta(days=1)
        if operator == "except":
            return False
        if operator in ("from", "after", ""):
            self.wish = replace(self.wish, earliest=last + one if operator == "after" else first)
        if operator in ("until", "before", ""):
            self.wish = replace(self.wish, latest=first - one if operator == "before" else last)
        return True


def _typed(word: str, today: date) -> date | None:
    """A typed day; one without a year that is long past is that of the next year."""
    day = read_typed_date(word, today)
    if day is not None and re.fullmatch(r"\d{1,2}[-/.]\d{1,2}", word) and day < today - timedelta(days=60):
        day = day.replace(year=day.year + 1)
    return day
