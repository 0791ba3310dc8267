"""Dates and times as people type them and as files hold them: read strictly, never guessed into being.

``read_typed_date`` is for an agent at the keyboard (short forms, relative days). ``DateReader`` is for the cells of one
file, whose day/month order and period hold for all of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache

from crisisdesk.domain.text import fold

# Three letters are enough in each language; longer keys first where the first three would be two months.
_MONTHS = {
    "janvier": 1, "januari": 1, "january": 1, "januar": 1, "janner": 1, "jan": 1, "janv": 1,
    "fevrier": 2, "februari": 2, "february": 2, "februar": 2, "feb": 2, "fev": 2, "fevr": 2,
    "mars": 3, "maart": 3, "march": 3, "marz": 3, "maerz": 3, "mar": 3, "mrt": 3, "mrz": 3,
    "avril": 4, "april": 4, "apr": 4, "avr": 4,
    "mai": 5, "mei": 5, "may": 5,
    "juin": 6, "juni": 6, "june": 6, "jun": 6,
    "juillet": 7, "juli": 7, "july": 7, "jul": 7, "juil": 7,
    "aout": 8, "augustus": 8, "august": 8, "aug": 8,
    "septembre": 9, "september": 9, "sept": 9, "sep": 9,
    "octobre": 10, "oktober": 10, "october": 10, "oct": 10, "okt": 10,
    "novembre": 11, "november": 11, "nov": 11,
    "decembre": 12, "december": 12, "dezember": 12, "dec": 12, "dez": 12,
}  # fmt: skip
_WEEKDAYS = {
    "lundi": 0, "lun": 0, "maandag": 0, "ma": 0, "monday": 0, "mon": 0, "montag": 0, "mo": 0, "lu": 0,
    "mardi": 1, "mar": 1, "dinsdag": 1, "di": 1, "tuesday": 1, "tue": 1, "tues": 1, "dienstag": 1, "din": 1, "die": 1,
    "mercredi": 2, "mer": 2, "woensdag": 2, "wo": 2, "woe": 2, "wednesday": 2, "wed": 2, "mittwoch": 2, "mi": 2,
    "me": 2,
    "jeudi": 3, "jeu": 3, "donderdag": 3, "do": 3, "don": 3, "thursday": 3, "thu": 3, "thur": 3, "thurs": 3,
    "donnerstag": 3, "je": 3,
    "vendredi": 4, "ven": 4, "vrijdag": 4, "vr": 4, "vri": 4, "friday": 4, "fri": 4, "freitag": 4, "fr": 4, "ve": 4,
    "samedi": 5, "sam": 5, "zaterdag": 5, "za": 5, "zat": 5, "saturday": 5, "sat": 5, "samstag": 5, "sa": 5,
    "sonnabend": 5,
    "dimanche": 6, "dim": 6, "zondag": 6, "zo": 6, "zon": 6, "sunday": 6, "sun": 6, "sonntag": 6, "so": 6,
}  # fmt: skip
_TODAY = {"aujourdhui": 0, "auj": 0, "vandaag": 0, "today": 0, "heute": 0, "demain": 1, "morgen": 1, "tomorrow": 1,
          "apresdemain": 2, "overmorgen": 2, "ubermorgen": 2, "hier": -1, "gisteren": -1, "gestern": -1,
          "yesterday": -1, "avanthier": -2, "eergisteren": -2, "vorgestern": -2}  # fmt: skip
_LEAD = re.compile(r"^(?:le|op|am|on|du|den|vom|the|prévu le|gepland op)\s+(?=\S)", re.I)
_NUMBERS = re.compile(r"(\d{1,4})\s*[-/.\s,]\s*(\d{1,2})\s*[-/.\s,]\s*(\d{1,4})")
_ISO = re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})")
_WORDED = re.compile(
    r"(\d{1,2})\s*(?:er|e|st|nd|rd|th|ste|de|\.)?[\s\-/.]*(?:de\s+|of\s+)?([^\W\d_]{3,10})\.?[\s\-/.,]*(\d{4}|\d{2})?",
    re.I,
)
_MONTH_FIRST = re.compile(r"([^\W\d_]{3,10})\.?\s+(\d{1,2})(?:st|nd|rd|th)?,?\s+(\d{4})", re.I)
_WEEKDAY = re.compile(r"^([^\W\d_]{2,11})\.?,?\s+(?=\S)")
_CLOCK_TAIL = re.compile(
    r"(?:\s+[-\u2013(]?\s*|T)(?:à\s+|om\s+|at\s+|um\s+)?(\d{1,2}\s*(?:[:hHuU.]\s*\d{0,2}(?::\d{2}(?:\.\d+)?)?)\s*(?:uhr|uur|u|am|pm)?)\s*\)?$",
    re.I,
)
_CLOCK = re.compile(
    r"(\d{1,2})\s*(?:[:.,hHuU]|uhr|uur)\s*(\d{2})?(?:[:.]\d{2}(?:\.\d+)?)?\s*(?:uhr|uur|u|h)?\s*(am|pm)?", re.I
)
_SERIAL = re.compile(r"\d{4,6}(?:[.,]\d+)?")
_ANOTHER_DAY = re.compile(r"\d{1,2}/\d{1,2}|\d{1,2}[-.]\d{1,2}[-.]\d{4}|\b(?:ou|of|or|oder)\s+\d", re.I)
_EXCEL_EPOCH = date(1899, 12, 30)


@dataclass(frozen=True, slots=True)
class DateRead:
    """A cell of a date column.

    ``day`` is None when there is none; ``century_open`` says that the year was written with two digits (``day`` then
    holds
    19yy or 20yy as the text stands, 20yy first); ``rest`` is what followed the date (an hour, usually).
    """

    day: date | None = None
    century_open: bool = False
    rest: str = ""
    readable: bool = True


@dataclass(frozen=True, slots=True)
class DateReader:
    """Reads the cells of one file.

    ``day_first`` is the file's order; ``about`` is a day in the middle of its appointments, for dates without a year
    (None: those stay unread).
    """

    day_first: bool = True
    about: date | None = None

    def read(self, text: str) -> DateRead:
        """Read one cell; ``readable`` is False where it holds something that is no date."""
        is_bare = len(text) == 10 and text[0].isdecimal() and text[9].isdecimal()  # nearly all: nothing to take off
        stripped = text if is_bare else _LEAD.sub("", text.strip())
        if len(stripped) == 10 and stripped[2] == stripped[5] and self.day_first:
            quick = _quick(stripped)
            if quick is not None:
                return quick
        if len(stripped) > 60:
            return DateRead(readable=False)
        return self._slow(stripped)

    def _slow(self, text: str) -> DateRead:
        weekday, bare = _without_weekday(text)
        found = self._day_and_rest(bare, weekday)
        if found.day is None and weekday is not None:  # 'mar.' is Tuesday in French and March in English
            whole = self._day_and_rest(text, None)
            return whole if whole.day else found
        return found

    def _day_and_rest(self, bare: str, weekday: int | None) -> DateRead:
        body, clock = _split_clock(bare)
        found = self._numeric(body) or self._worded(body, weekday) or self._serial(body)
        if found is None and clock:
            found = self._numeric(bare) or self._worded(bare, weekday)
            clock = "" if found else clock
        if found is None or found.day is None:
            return DateRead(readable=False, rest=clock)
        return DateRead(found.day, found.century_open, found.rest or clock)

    def _numeric(self, text: str) -> DateRead | None:
        iso = _ISO.match(text)
        if iso:
            return _tail(_safe(int(iso[1]), int(iso[2]), int(iso[3])), False, text[iso.end() :])
        if len(text) == 8 and text.isdecimal():
            return self._compact(text)
        match = _NUMBERS.match(text)
        if not match:
            return None
        first, second, third = match.groups()
        if len(first) > 2:
            return None
        day, month = (first, second) if self.day_first else (second, first)
        if len(third) == 2:
            return _tail(_safe(2000 + int(third), int(month), int(day)), True, text[match.end() :])
        if len(third) == 4:
            return _tail(_safe(int(third), int(month), int(day)), False, text[match.end() :])
        return None

    def _compact(self, text: str) -> DateRead | None:
        year_first = _safe(int(text[:4]), int(text[4:6]), int(text[6:]))
        if year_first and 1900 <= year_first.year <= 2100:
            return DateRead(year_first)
        first, second = int(text[:2]), int(text[2:4])
        day, month = (first, second) if self.day_first else (second, first)
        return DateRead(_safe(int(text[4:]), month, day))

    def _worded(self, text: str, weekday: int | None) -> DateRead | None:
        match = _WORDED.match(text)
        if match and fold(match[2]) in _MONTHS:
            month = _MONTHS[fold(match[2])]
            if match[3] is None:
                return DateRead(self._nearest(month, int(match[1]), weekday))
            year = int(match[3]) + (2000 if len(match[3]) == 2 else 0)
            return _tail(_safe(year, month, int(match[1])), len(match[3]) == 2, text[match.end() :])
        match = _MONTH_FIRST.match(text)
        if match and fold(match[1]) in _MONTHS:
            return _tail(_safe(int(match[3]), _MONTHS[fold(match[1])], int(match[2])), False, text[match.end() :])
        return None

    def _nearest(self, month: int, day: int, weekday: int | None) -> date | None:
        """Give the year to "di 17 mei": the one nearest to the file's appointments in which that day has that name."""
        if self.about is None or weekday is None:
            return None
        years = (self.about.year, self.about.year + 1, self.about.year - 1)
        days = [found for found in (_safe(year, month, day) for year in years) if found and found.weekday() == weekday]
        return days[0] if days else None

    def _serial(self, text: str) -> DateRead | None:
        """Read a day count since 30 December 1899, as spreadsheets store dates (44697 is 16 May 2022)."""
        if not _SERIAL.fullmatch(text):
            return None
        days, _, fraction = text.replace(",", ".").partition(".")
        if not 366 <= int(days) <= 73415 or 1900 <= int(days) <= 2100:  # a bare year is no date
            return None
        return DateRead(_EXCEL_EPOCH + timedelta(days=int(days)), rest=f"0.{fraction}" if fraction.strip("0") else "")


@lru_cache(maxsize=65_536)
def _quick(text: str) -> DateRead | None:
    day, month, year = text[:2], text[3:5], text[6:]
    if text[2] not in "/.-" or not (day.isdecimal() and month.isdecimal() and year.isdecimal()):
        return None
    found = _safe(int(year), int(month), int(day))
    return DateRead(found, readable=found is not None)


def _tail(day: date | None, century_open: bool, rest: str) -> DateRead | None:
    """Accept what follows a date only where it is an hour or an aside: '18/05/2022 (matin)', not '18/05/2022/3'.

    Two days in one cell ("16/05/2022 ou 18/05/2022") are no date: nobody can tell which one holds.
    """
    if day is None or (rest and rest[0].isalnum() and rest[0] != "T") or _ANOTHER_DAY.search(rest):
        return None
    return DateRead(day, century_open, rest.strip(" ,;T-\u2013()"))


def _safe(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _without_weekday(text: str) -> tuple[int | None, str]:
    match = _WEEKDAY.match(text)
    if match and fold(match[1]) in _WEEKDAYS:
        return _WEEKDAYS[fold(match[1])], text[match.end() :]
    return None, text


def _split_clock(text: str) -> tuple[str, str]:
    match = _CLOCK_TAIL.search(text)
    if match and match.start() >= 6:
        return text[: match.start()].rstrip(" ,(-\u2013"), match[1].strip()
    return text, ""


def is_day_first(samples: Iterable[str]) -> bool:
    """Decide the order of day and month for a whole file from its numeric dates; day first where nothing tells."""
    day_first = month_first = 0
    for text in samples:
        match = _NUMBERS.match(_without_weekday(text.strip())[1])
        if not match or len(match[1]) > 2 or _ISO.match(text):
            continue
        first, second = int(match[1]), int(match[2])
        day_first += 12 < first <= 31 and second <= 12
        month_first += 12 < second <= 31 and first <= 12
    return month_first <= day_first


def read_time(text: str) -> str | None:
    """Give "HH:MM" from an hour cell ('8h30', '12u30', '08.15', '0830', '2:30 pm', a day fraction), else None."""
    stripped = text.strip()
    if len(stripped) == 5 and stripped[2] == ":" and stripped[:2].isdecimal() and stripped[3:].isdecimal():
        return _hour(int(stripped[:2]), int(stripped[3:]))
    stamped = re.fullmatch(r"\d{4}-\d\d-\d\d[ T](\d\d:\d\d).*", stripped)
    if stamped:  # a spreadsheet's hour that carries its day 0
        return read_time(stamped[1])
    fraction = _fraction(stripped)
    if fraction is not None:
        return fraction
    if stripped.isdecimal():
        if len(stripped) in {3, 4}:
            return _hour(int(stripped[:-2]), int(stripped[-2:]))
        return _hour(int(stripped), 0) if len(stripped) <= 2 and stripped != "0" else None
    bare = re.sub(r"^(?:à|a|om|at|um|vers|v\.?)\s+", "", stripped, flags=re.I)
    bare = re.sub(r"\s*heures?", "h", re.sub(r"([ap])\.m\.?", r"\1m", bare, flags=re.I), flags=re.I)
    bare = re.sub(r"^(\d{1,2})\s*(?=[ap]m$)", r"\1:00 ", bare, flags=re.I)
    match = _CLOCK.fullmatch(bare)
    if not match or (match[2] is None and stripped[-1:] in ":.,"):
        return None
    hour = int(match[1])
    if match[3]:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if match[3].lower() == "pm" else 0)
    return _hour(hour, int(match[2] or 0))


def _fraction(text: str) -> str | None:
    """Read a part of a day, as spreadsheets store hours (0.53125 is 12:45); '0.5' counts, '8.5' does not."""
    if not re.fullmatch(r"0[.,]\d+", text):
        return None
    minutes = round(float(text.replace(",", ".")) * 1440)
    return f"{minutes // 60:02d}:{minutes % 60:02d}" if minutes < 1440 else None


def _hour(hour: int, minute: int) -> str | None:
    return f"{hour:02d}:{minute:02d}" if hour < 24 and minute < 60 else None


def weekday_of(word: str) -> int | None:
    """The day of the week (Monday = 0) that a word names in any of the desk's languages ("lundi", "ma", "Fri")."""
    return _WEEKDAYS.get(fold(word))


def month_of(word: str) -> int | None:
    """The month (1 to 12) that a word names in any of the desk's languages ("juillet", "mrt")."""
    return _MONTHS.get(fold(word))


def read_typed_date(text: str, today: date) -> date | None:
    """Read what an agent types, for a date near ``today`` or a birth date.

    '12/3/58', '12.03.1958', '12031958', '120358', '12/3' (this year), '+3' and '-3' (days), 'hier', 'demain', 'lundi'
    (the next one).
    A two-digit year is the last one that is not more than a year ahead. None where it is no date.
    """
    stripped = text.strip()
    folded = fold(stripped)
    if re.fullmatch(r"[+-]\d{1,3}", stripped):
        return today + timedelta(days=int(stripped))
    if folded in _TODAY:
        return today + timedelta(days=_TODAY[folded])
    if folded in _WEEKDAYS:
        return today + timedelta(days=(_WEEKDAYS[folded] - today.weekday() - 1) % 7 + 1)
    if re.fullmatch(r"\d{6}", stripped):
        stripped = f"{stripped[:2]}/{stripped[2:4]}/{stripped[4:]}"
    short = re.fullmatch(r"(\d{1,2})[-/. ](\d{1,2})", stripped)
    if short:
        return _safe(today.year, int(short[2]), int(short[1]))
    reader = DateReader(about=today)
    found = reader.read(stripped)
    return _settle_century(found if found.readable else reader.read(f"{stripped} {today.year}"), today)


def _settle_century(read: DateRead, today: date) -> date | None:
    if read.day is not None and read.century_open and read.day > today + timedelta(days=366):
        return _safe(read.day.year - 100, read.day.month, read.day.day)
    return read.day
