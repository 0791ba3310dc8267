"""When, where and how a patient wants to be rung back, from what the agent typed while listening.

Strict: a phrase counts only when every word of it is understood; otherwise it is kept as words and nothing is promised.
"""

import re
import unicodedata
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta

from crisisdesk import clock
from crisisdesk.domain.dates import read_time, read_typed_date
from crisisdesk.domain.words import PartOfDay
from crisisdesk.i18n import N_, _


@dataclass(frozen=True, slots=True)
class Wish:
    """A window in which a patient wants to be rung.

    ``not_before`` and ``until`` are aware UTC instants, None where that end is open; ``number`` is E.164 or empty
    (any of
    the patient's); ``words`` is what was said.
    """

    not_before: datetime | None = None
    until: datetime | None = None
    part_of_day: PartOfDay = PartOfDay.ANY
    number: str = ""
    words: str = ""

    @property
    def is_understood(self) -> bool:
        """Whether something can be promised from it."""
        return bool(self.not_before or self.until or self.part_of_day != PartOfDay.ANY or not self.words)

    def as_detail(self) -> dict[str, str]:
        """Plain values for the store and the journal; what is empty is left out."""
        values = {
            "not_before": self.not_before.isoformat() if self.not_before else "",
            "until": self.until.isoformat() if self.until else "",
            "part_of_day": "" if self.part_of_day == PartOfDay.ANY else self.part_of_day.value,
            "number": self.number,
            "words": self.words,
        }
        return {name: value for name, value in values.items() if value}


@dataclass(frozen=True, slots=True)
class DayHours:
    """Hours in which patients are rung, on the wall clock of ``zone``."""

    zone: str
    opens: time = time(8)
    closes: time = time(20)

    def at(self, day: date, hour: time) -> datetime:
        """The UTC instant of a wall-clock time."""
        return clock.from_local(day, hour, self.zone)


_NOON, _ONE, _FIVE = time(12), time(13), time(17)
_FILLERS = frozenset(
    [
        "le",
        "la",
        "les",
        "l",
        "de",
        "du",
        "des",
        "d",
        "ce",
        "cet",
        "cette",
        "en",
        "dans",
        "encore",
        "plutot",
        "si",
        "possible",
        "svp",
        "merci",
        "svp",
        "a",
        "h",
        "the",
        "on",
        "in",
        "at",
        "please",
        "only",
        "alleen",
        "bitte",
        "nur",
        "am",
        "im",
        "den",
        "dem",
        "der",
        "het",
        "om",
        "op",
        "graag",
        "liefst",
        "vers",
        "s",
        "vanaf",
        "heel",
    ]
)
_WHENEVER = (
    "quand vous voulez",
    "n importe quand",
    "peu importe",
    "toute la journee",
    "any time",
    "anytime",
    "all day",
    "wanneer u wil",
    "maakt niet uit",
    "hele dag",
    "jederzeit",
    "ganztags",
    "den ganzen tag",
    "egal wann",
)
_PARTS = {
    PartOfDay.MORNING: (
        "matin",
        "matinee",
        "ochtend",
        "ochtends",
        "voormiddag",
        "vormittag",
        "vormittags",
        "fruh",
        "morning",
    ),
    PartOfDay.AFTERNOON: ("apres midi", "namiddag", "middag", "nachmittag", "nachmittags", "afternoon"),
    PartOfDay.EVENING: ("soir", "soiree", "avond", "avonds", "abend", "abends", "evening"),
}
_TODAY_PARTS = {
    "vanochtend": PartOfDay.MORNING, "vanmiddag": PartOfDay.AFTERNOON, "vanavond": PartOfDay.EVENING,
    "tonight": PartOfDay.EVENING,
}  # fmt: skip
_DAY_PHRASES = {
    "apres demain": "apresdemain",
    "aujourd hui": "aujourdhui",
    "day after tomorrow": "overmorgen",
    "ce jour": "aujourdhui",
    "uber morgen": "ubermorgen",
}
_NOT_BEFORE = (
    r"(?:pas avant|niet voor|nicht vor|not before|apres|des|a partir de|a partir du|na|vanaf|nach|ab|after|from)"
)
_BEFORE = r"(?:avant|voor|vor|before)"
_UNTIL = r"(?:jusqu a|jusqu au|jusqu|tot|bis|until|by)"
_NEXT_WEEK = ("semaine prochaine", "volgende week", "nachste woche", "next week")
_TIME = r"(\d{1,2}(?:[:.]\d{2})?(?: ?(?:heures?|uhr|uur|h|u)(?: ?\d{2})?)?(?: ?[ap]m)?)"
_DAY = r"(\+\d{1,3}|\d{1,2}[/.]\d{1,2}(?:[/.]\d{2,4})?|[^\W\d_]{2,12})"
_CLOCK = re.compile(r"\d{1,2}(?:[:.]\d{2})? ?(?:heures?|uhr|uur|h|u|am|pm)(?: ?\d{2})?|\d{1,2}[:.]\d{2}")
_BETWEEN = re.compile(
    rf"(?:entre|tussen|zwischen|between|de|van|von|from)? ?(?<![/\d.]){_TIME}"
    rf" ?(?:et|en|und|and|a|tot|bis|to|-) ?{_TIME}"
)


def read_wish(text: str, *, now: datetime, hours: DayHours, number: str = "") -> Wish:
    """Read "demain matin", "après 16h", "lundi", "avant ven", "niet voor 24/05", "zwischen 10 und 11 Uhr".

    ``now`` is aware. A day without an hour means its calling hours; an hour without a day means the next time that the
    clock shows it. What is not understood to its last word comes back with ``words`` alone.
    """
    words = text.strip()
    plain = _plain(words)
    if not plain or any(plain == phrase for phrase in _WHENEVER):
        return Wish(number=number, words=words)
    reading = _Reading(plain, clock.local_day(now, hours.zone), hours, now)
    found = reading.read()
    return replace(found, number=number, words=words) if found else Wish(number=number, words=words)


def _plain(text: str) -> str:
    bare = "".join(c for c in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(c))
    bare = re.sub(r"['\u2019,;!?]|(?<=[a-z])-(?=[a-z])", " ", bare)
    bare = re.sub(r"\s*-\s*", "-", bare)
    return re.sub(r"\s+", " ", bare).strip(" .")


class _Reading:
    """One phrase, eaten piece by piece; what is left at the end must be words without meaning."""

    def __init__(self, text: str, today: date, hours: DayHours, now: datetime) -> None:
        self.text, self.today, self.hours, self.now = text, today, hours, now
        self.part = PartOfDay.ANY
        self.day: date | None = None
        self.first: time | None = None
        self.last: time | None = None
        self.first_day: date | None = None
        self.last_day: date | None = None

    def read(self) -> Wish | None:
        for phrase, word in _DAY_PHRASES.items():
            self.text = re.sub(rf"\b{phrase}\b", word, self.text)
        for phrase in _WHENEVER:
            self._eat(rf"\b{phrase}\b")
        self._week()
        self._parts()
        self._between()
        self._edges()
        self._whole_day()
        if any(word not in _FILLERS for word in self.text.split()):
            return None
        return self._window()

    def _eat(self, pattern: str) -> re.Match[str] | None:
        match = re.search(pattern, self.text)
        if match:
            self.text = f"{self.text[: match.start()]} {self.text[match.end() :]}".strip()
        return match

    def _week(self) -> None:
        for phrase in _NEXT_WEEK:
            if self._eat(rf"\b(?:la |die |in de |de )?{phrase}\b"):
                monday = self.today + timedelta(days=7 - self.today.weekday())
                self.first_day, self.last_day = monday, monday + timedelta(days=6)

    def _parts(self) -> None:
        for word, part in _TODAY_PARTS.items():
            if self._eat(rf"\b{word}\b"):
                self.day, self.part = self.today, part
        for part, words in _PARTS.items():
            alternatives = "|".join(words)
            match = self._eat(
                rf"\b(cet |ce |cette |deze |heute |this )?(?:l |le |la |de |den |s )?(?:{alternatives})\b"
            )
            if match:
                self.part = part
                self.day = self.today if match[1] else self.day

    def _between(self) -> None:
        match = _BETWEEN.search(self.text)
        if match and (ends := _two_times(match[1], match[2])):
            self.text = f"{self.text[: match.start()]} {self.text[match.end() :]}".strip()
            self.first, self.last = ends

    def _edges(self) -> None:
        """'après 16h', 'pas avant le 24/05', 'avant ven', 'jusqu'à lundi'."""
        for words, apply in ((_NOT_BEFORE, self._from), (_UNTIL, self._till), (_BEFORE, self._before)):
            for pattern in (_TIME, _DAY):
                match = re.search(
                    rf"\b{words} (?:le |la |l |de |den |dem |the |om |um |on |au )?{pattern}(?![\w/])", self.text
                )
                if match and apply(match[1]):
                    self.text = f"{self.text[: match.start()]} {self.text[match.end() :]}".strip()
                    break

    def _from(self, said: str) -> bool:
        hour, day = _hour(said), self._read_day(said)
        self.first, self.first_day = hour or self.first, day or self.first_day
        return bool(hour or day)

    def _till(self, said: str) -> bool:
        hour, day = _hour(said), self._read_day(said)
        self.last, self.last_day = hour or self.last, day or self.last_day
        return bool(hour or day)

    def _before(self, said: str) -> bool:
        """'Before Friday' ends with Thursday's calling hours."""
        hour, day = _hour(said), self._read_day(said)
        self.last, self.last_day = hour or self.last, day - timedelta(days=1) if day else self.last_day
        return bool(hour or day)

    def _whole_day(self) -> None:
        match = _CLOCK.search(self.text)
        if match and self.first is None and (hour := _hour(match[0])):  # "demain 14h": an hour from then on
            self.text = f"{self.text[: match.start()]} {self.text[match.end() :]}".strip()
            self.first = hour
            self.last = time(min(hour.hour + 1, 23), hour.minute)
        for said in re.findall(r"[^\s]+", self.text):
            day = None if said in _FILLERS else self._read_day(said)
            if day:
                self.day = day
                self.text = self.text.replace(said, " ", 1).strip()
                return

    def _read_day(self, said: str) -> date | None:
        if re.fullmatch(r"\d{1,2}(?:[:.]\d{2})?", said) and "/" not in said:
            return None
        day = read_typed_date(said, self.today)
        if day is not None and re.fullmatch(r"\d{1,2}[/.]\d{1,2}", said) and day < self.today - timedelta(days=180):
            day = day.replace(year=day.year + 1)
        return day

    def _window(self) -> Wish | None:
        """The instants. None where the window has passed or is the wrong way round: that is no promise."""
        first_hour, last_hour = self._part_hours()
        day = self.day
        if day is None and (self.first or self.last) and self.first_day is None and self.last_day is None:
            day = self._day_of_hours()
        start_day, end_day = self.first_day or day, self.last_day or (day if self.first_day is None else None)
        start = self.hours.at(start_day, self.first or first_hour) if start_day else None
        end = self.hours.at(end_day, self.last or last_hour) if end_day else None
        if start is not None and start < self.now:
            start = None
        if (end is not None and end <= self.now) or (start and end and end <= start):
            return None
        return Wish(start, end, self.part)

    def _part_hours(self) -> tuple[time, time]:
        opens, closes = self.hours.opens, self.hours.closes
        return {
            PartOfDay.ANY: (opens, closes),
            PartOfDay.MORNING: (opens, _NOON),
            PartOfDay.AFTERNOON: (_ONE, _FIVE),
            PartOfDay.EVENING: (_FIVE, closes),
        }[self.part]

    def _day_of_hours(self) -> date:
        """Today while the clock has not passed the end of what was said, else tomorrow."""
        end = self.hours.at(self.today, self.last or self.hours.closes)
        return self.today if end > self.now else self.today + timedelta(days=1)


def _hour(said: str) -> time | None:
    if "/" in said or said.startswith("+"):
        return None
    text = re.sub(r"\s*(heures?|uhr|uur|h|u)\s*", "h", said).strip()
    if re.fullmatch(r"\d{1,2}", text):
        text += "h"
    text = re.sub(r"^(\d{1,2}) ?([ap]m)$", r"\1:00 \2", text)
    found = read_time(text)
    return time.fromisoformat(found) if found else None


def _two_times(first: str, last: str) -> tuple[time, time] | None:
    """Both ends of a span; an hour sign after the last one counts for both ("10 et 11 h")."""
    half = re.search(r"[ap]m$", last)
    start, end = _hour(first + half[0] if half and not first.endswith("m") else first), _hour(last)
    if start is None or end is None:
        return None
    return (start, end) if start < end else None


_PART_NAMES = {
    PartOfDay.MORNING: N_("in the morning"),
    PartOfDay.AFTERNOON: N_("in the afternoon"),
    PartOfDay.EVENING: N_("in the evening"),
}


def describe_wish(wish: Wish, *, zone: str) -> str:
    """What was understood, in words to read back: "from 24/05 08:00", "25/05 between 08:00 and 12:00"."""
    start = clock.to_local(wish.not_before, zone) if wish.not_before else None
    end = clock.to_local(wish.until, zone) if wish.until else None
    if start and end and start.date() == end.date():
        return _("{day} between {start} and {end}").format(
            day=f"{start:%d/%m}", start=f"{start:%H:%M}", end=f"{end:%H:%M}"
        )
    pieces = []
    if start:
        pieces.append(_("from {moment}").format(moment=f"{start:%d/%m %H:%M}"))
    if end:
        pieces.append(_("until {moment}").format(moment=f"{end:%d/%m %H:%M}"))
    if wish.part_of_day in _PART_NAMES:
        pieces.append(_(_PART_NAMES[wish.part_of_day]))
    if pieces:
        return " ".join(pieces)
    return _("as said: {words}").format(words=wish.words) if wish.words else _("at any time")
