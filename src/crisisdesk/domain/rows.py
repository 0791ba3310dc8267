"""What a careful reader concludes of one record of a list: its values, what is wrong with them, and what to note.

The policy is fixed: only what is certain is kept as certain, nothing is invented, a wrong value is null with a
warning and
the row stays, because the patient still has to be called.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from typing import Any

from crisisdesk.domain import kinds
from crisisdesk.domain.columns import Mapped
from crisisdesk.domain.dates import DateReader, read_time
from crisisdesk.domain.names import drop_title, is_lossy, split_name
from crisisdesk.domain.niss import NissRead, read_national_number
from crisisdesk.domain.phone import country_code, read_phones
from crisisdesk.domain.text import Cleaned, clean, is_placeholder, looks_like_formula, looks_like_markup

VALUES = (
    "last_name", "first_name", "full_name", "birth_date", "niss", "phones", "phones_guessed", "kind", "service",
    "clinician",
    "procedure", "planned_date", "planned_time", "room", "priority", "remark", "record_number", "postcode", "town",
)  # fmt: skip
NOTES = frozenset({
    "birth_date_from_niss", "contact_restriction_mentioned", "deceased_mentioned", "formula_like_text", "lossy_name",
    "markup_like_text", "niss_is_bis", "niss_leading_zero_restored", "phone_shared", "placeholder_value",
    "title_removed",
})  # fmt: skip
REJECTIONS = frozenset({"columns_mismatch", "name_missing"})
OLDEST = 120  # years; nobody who waits for an appointment is older
SENSE = 5  # years around the list's other appointments; a date beyond is a slip, not a plan
_PRIORITY = re.compile(r"(?:p(?:rio(?:\.|rit(?:é|e|y|eit|ät|aet))?)?\s*[.:]?\s*)?(1a|1b|[2-6])\s*\.?", re.IGNORECASE)
_DECEASED = re.compile(
    r"\bd[ée]c[ée]d[ée]|\bd[ée]c[èe]s\b|\bmort[e]?\b|overleden|verstorben|deceased|\bdied\b|\bDCD\b|gestorben",
    re.IGNORECASE,
)
_RESTRICTED = re.compile(
    r"pas (?:de|laisser de) (?:msg|message|messag)|uniquement par sms|sms uniquement"
    r"|ne (?:pas|parler|plus) |geen (?:bericht|voicemail)|"
    r"enkel sms|nur sms|keine nachricht|no (?:voicemail|message)|text only"
    r"|sms only|sourd|malentendant|doof|deaf|gehörlos",
    re.IGNORECASE,
)
_ODD_STARTS = frozenset("=+-@\"'")
_WRITTEN = ("service", "clinician", "procedure", "room", "record_number", "postcode", "town")


@dataclass(frozen=True)
class Rules:
    """What holds for every record of one sheet."""

    mapped: Mapped
    reader: DateReader
    region: str
    today: date
    neighbours: tuple[str, ...] = ()
    national_number: str = "be.ssn"
    kind: str | None = None
    service: str | None = None


@dataclass
class Concluded:
    """One record: how it ends, with codes, values by field, and what only the desk needs (not the report)."""

    sheet: str | None
    row: int
    lines: tuple[int, int] | None
    status: str
    codes: list[str] = field(default_factory=list)
    of: int | None = None
    values: dict[str, Any] = field(default_factory=dict)
    cells: Sequence[str] = ()
    birth_known: date | None = None
    """The birth date, or the one that the NISS tells where the row has none."""
    is_birth_guessed: bool = False
    phone_comments: tuple[str, ...] = ()
    priority_said: str = ""
    site_said: str = ""
    section: str = ""
    """The heading inside the list above it, which often names a service."""

    @property
    def is_item(self) -> bool:
        """Whether the record is an item of the list (not a repeat, a heading or a reject)."""
        return self.status in {"accepted", "accepted_with_warnings"}


class _Record:
    """The cells of one record by field, cleaned once; collects codes in the order of their discovery."""

    def __init__(self, cells: Sequence[str], mapped: Mapped) -> None:
        self.codes: dict[str, None] = {}
        self._columns = mapped.columns
        self._texts: dict[int, str] = {}  # filled cells alone
        lined = _lined(self._columns.get("remark", ()), self._columns.get("phone", ()))
        for column, cell in enumerate(cells):
            if cell.isascii() and cell.isprintable() and "  " not in cell:  # nearly all: nothing to clean
                text = cell.strip(" ")
            elif cell:
                cleaned = clean(cell, keep_lines=column in lined)
                text = cleaned.text
                self._note_hidden(cleaned)
            else:
                continue
            if text:
                self._texts[column] = text
                if text[0] in _ODD_STARTS or "[" in text:
                    self._note_odd(text)

    def _note_hidden(self, cleaned: Cleaned) -> None:
        if cleaned.had_controls:
            self.note("control_characters_removed")
        if cleaned.had_invisibles:
            self.note("invisible_characters_removed")

    def _note_odd(self, text: str) -> None:
        if text[0] in _ODD_STARTS and looks_like_formula(text):
            self.note("formula_like_text")
        if "[" in text and looks_like_markup(text):
            self.note("markup_like_text")

    def note(self, code: str) -> None:
        self.codes[code] = None

    def all(self, name: str) -> list[str]:
        """The filled cells of a field."""
        columns = self._columns.get(name)
        return [self._texts[column] for column in columns if column in self._texts] if columns else []

    def get(self, name: str) -> str:
        """The cell of a field; empty where it is absent, empty, or holds a sign for "nothing"."""
        found = self.all(name)
        if not found:
            return ""
        text = found[0]
        if text[0] == "'":  # an apostrophe makes a spreadsheet keep a text
            text = text[1:].lstrip()
        return "" if not text or self.is_nothing(text) else text

    def is_nothing(self, text: str) -> bool:
        if len(text) <= 8 and is_placeholder(text):
            self.note("placeholder_value")
            return True
        return False


@lru_cache(maxsize=64)
def _lined(remarks: tuple[int, ...], phones: tuple[int, ...]) -> frozenset[int]:
    """Columns whose line breaks are kept: there they part remarks and numbers."""
    return frozenset((*remarks, *phones))


def conclude(cells: Sequence[str], rules: Rules) -> Concluded:
    """Conclude one record; its place in the file (sheet, row, lines) is for the caller to fill in."""
    record = _Record(cells, rules.mapped)
    values: dict[str, Any] = dict.fromkeys(VALUES)
    done = Concluded(None, 0, None, "accepted", values=values, cells=cells)
    _names(record, values, rules)
    niss = _niss(record, values, rules)
    if not (values["last_name"] or values["first_name"] or values["full_name"] or niss.value):
        done.status, done.codes = "rejected", ["name_missing"]
        return done
    if not values["first_name"] or not values["last_name"]:
        record.note("first_name_missing")
    rest = _planned(record, values, rules)
    _time(record, values, rest, rules)
    _birth(record, values, niss, rules, done)
    _phones(record, values, rules, done)
    _priority(record, values, done)
    _written(record, values, rules, done)
    for name in ("birth_date", "planned_date"):
        if values[name]:
            values[name] = values[name].isoformat()
    done.codes = list(record.codes)
    done.status = "accepted" if NOTES.issuperset(done.codes) else "accepted_with_warnings"
    return done


def _names(record: _Record, values: dict[str, Any], rules: Rules) -> None:
    if rules.mapped.has("full_name"):
        whole = _without_title(record, _name(record, "full_name"))
        if whole:
            split = split_name(whole, first_comes_first=rules.mapped.first_comes_first)
            values["full_name"], values["last_name"], values["first_name"] = (
                whole,
                split.last or None,
                split.first or None,
            )
            is_said = rules.mapped.says_order and len(whole.split()) == 2
            if split.is_guess and not is_said:
                record.note("name_split_guessed")
    else:
        values["last_name"] = _without_title(record, _name(record, "last_name")) or None
        values["first_name"] = _without_title(record, _name(record, "first_name")) or None
    if any(is_lossy(values[name] or "") for name in ("last_name", "first_name", "full_name")):
        record.note("lossy_name")


def _name(record: _Record, name: str) -> str:
    """A name is only absent where the cell holds no letter at all, or 'n.c.': Na, So and Xx are names of people."""
    found = record.all(name)
    if not found:
        return ""
    text = found[0]
    if not any(character.isalpha() for character in text) or text.casefold() in {"n.c.", "n/a"}:
        record.note("placeholder_value")
        return ""
    return text


def _without_title(record: _Record, text: str) -> str:
    bare, had_title = drop_title(text)
    if had_title:
        record.note("title_removed")
    return bare


def _niss(record: _Record, values: dict[str, Any], rules: Rules) -> NissRead:
    text = record.get("niss")
    if not text:
        return NissRead()
    read = read_national_number(rules.national_number, text, rules.today)
    values["niss"] = read.value
    for code, holds in (
        (read.code, read.code),
        ("niss_is_bis", read.is_bis),
        ("niss_leading_zero_restored", read.zero_restored),
    ):
        if holds and code:
            record.note(code)
    return read


def _planned(record: _Record, values: dict[str, Any], rules: Rules) -> str:
    """Read the appointment's date; give what else stood in its cell."""
    text = record.get("planned_date")
    if not text:
        record.note("date_missing")
        return ""
    read = rules.reader.read(text)
    if read.day is None:
        record.note("date_unreadable")
    elif not _makes_sense(read.day, rules):
        record.note("date_out_of_range")
    else:
        values["planned_date"] = read.day
    return read.rest


def _makes_sense(day: date, rules: Rules) -> bool:
    if rules.reader.about is None:
        return 2000 <= day.year <= 2100
    return abs((day - rules.reader.about).days) <= SENSE * 366


def _time(record: _Record, values: dict[str, Any], rest: str, rules: Rules) -> None:
    text = record.get("planned_time") or (rest if not rules.mapped.has("planned_time") or read_time(rest) else "")
    if text:
        values["planned_time"] = read_time(text)
        if values["planned_time"] is None:
            record.note("time_unreadable")


def _birth(record: _Record, values: dict[str, Any], niss: NissRead, rules: Rules, done: Concluded) -> None:
    text = record.get("birth_date")
    read = rules.reader.read(text)
    day = read.day
    if not text:
        record.note("birth_date_missing")
    elif day is None:
        record.note("date_unreadable")
    elif read.century_open:
        day = _century(record, day, niss, values["planned_date"], rules, done)
    day = _plausible_birth(record, day, values["planned_date"], rules)
    values["birth_date"], done.birth_known = day, day or niss.birth_on
    if day is None and niss.birth_on:
        record.note("birth_date_from_niss")
    elif day and (niss.birth_on != day if niss.birth_on else niss.birth_year not in {None, day.year}):
        record.note("niss_birth_date_mismatch")


def _century(
    record: _Record, late: date, niss: NissRead, planned: date | None, rules: Rules, done: Concluded
) -> date | None:
    """Settle a two-digit year: the NISS decides, else 20yy where that is not after the appointment, which is a
    guess.
    """
    early = years_before(late, 100)
    if niss.birth_year is not None and niss.birth_year % 100 == late.year % 100:
        return late if niss.birth_year == late.year else early
    if late <= (planned or rules.reader.about or rules.today):
        record.note("birth_century_guessed")
        done.is_birth_guessed = True
        return late
    return early


def years_before(day: date, years: int) -> date | None:
    """Give the same day so many years earlier; None for 29 February of a year without one."""
    try:
        return day.replace(year=day.year - years)
    except ValueError:
        return None


def _plausible_birth(record: _Record, day: date | None, planned: date | None, rules: Rules) -> date | None:
    if day is None:
        return None
    if day > (planned or rules.today) or day > rules.today:
        record.note("birth_date_in_future")
        return None
    if day.year < (planned or rules.reader.about or rules.today).year - OLDEST:
        record.note("date_out_of_range")
        return None
    return day


def _phones(record: _Record, values: dict[str, Any], rules: Rules, done: Concluded) -> None:
    certain: list[str] = []
    guessed: list[str] = []
    comments: list[str] = []
    is_said = False
    for text in record.all("phone"):
        if record.is_nothing(text):
            continue
        is_said = True
        read = read_phones(text, rules.region, rules.neighbours)
        certain += read.certain
        guessed += read.guessed
        comments += read.comments
        if read.unusable:
            record.note("phone_unusable")
    values["phones"] = list(dict.fromkeys(certain)) or None
    values["phones_guessed"] = [number for number in dict.fromkeys(guessed) if number not in certain] or None
    done.phone_comments = tuple(comments)
    _phone_codes(record, values, is_said, rules)


def _phone_codes(record: _Record, values: Mapping[str, Any], is_said: bool, rules: Rules) -> None:
    if not is_said:
        record.note("phone_missing")
    if values["phones_guessed"] and not values["phones"]:
        record.note("phone_country_guessed")
    home = country_code(rules.region)
    if any(not number.startswith(home) for number in values["phones"] or ()):
        record.note("phone_foreign")


def _priority(record: _Record, values: dict[str, Any], done: Concluded) -> None:
    text = record.get("priority")
    if not text:
        return
    done.priority_said = text
    match = _PRIORITY.fullmatch(text)
    if match:
        values["priority"] = "P" + match[1].lower()
    else:
        record.note("priority_unknown")


def _written(record: _Record, values: dict[str, Any], rules: Rules, done: Concluded) -> None:
    """Take the fields that are words, as they are written on that list."""
    for name in _WRITTEN:
        values[name] = record.get(name) or None
    values["service"] = values["service"] or rules.service
    values["kind"] = kinds.kind_of_text(record.get("kind")) or rules.kind
    remarks = [text for text in record.all("remark") if not record.is_nothing(text)]
    values["remark"] = "\n".join(remarks) or None
    done.site_said = record.get("site")
    if values["remark"] and _DECEASED.search(values["remark"]):
        record.note("deceased_mentioned")
    if _RESTRICTED.search("\n".join([*remarks, *done.phone_comments])):
        record.note("contact_restriction_mentioned")
