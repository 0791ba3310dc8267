"""A whole sheet: where its list begins, what each record is, and what only the list as a whole can tell.

The day/month order, the middle of its appointments, its repeated rows, its own total and its shared telephones.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from crisisdesk.domain import kinds
from crisisdesk.domain.columns import FIELDS, IGNORED, Mapped, Names, field_of, guess_columns
from crisisdesk.domain.dates import DateReader, is_day_first, read_time
from crisisdesk.domain.header import Header, filled, find_header
from crisisdesk.domain.names import split_name
from crisisdesk.domain.repeats import mark_repeats, mark_shared_phones
from crisisdesk.domain.rows import Concluded, Rules, conclude
from crisisdesk.domain.sheets import Record, Setting, Sheet
from crisisdesk.domain.text import clean, fold, fold_words

_TOTAL = re.compile(
    r"^\W*(?:(?:sous[- ]?|sub)?total\w*|totaal|gesamt\w*|summe|aantal|anzahl|nombre|number|count|somme)\b"
    r"[^\d]{0,40}(\d{1,6})?\W*(?:patients?|rdv|lignes?|"
    r"rows?|patiënten|patienten|records?|rijen|zeilen|interventions?|consultations?)?\W*$|^\W*(\d{1,6})\s*(?:patients?|rdv|patiënten|patienten|records?|lignes?)\W*$",
    re.IGNORECASE,
)
_DATE_FIELDS = ("planned_date", "birth_date")
_SINGLE = frozenset({"last_name", "first_name", "full_name", "birth_date", "niss", "planned_date", "planned_time"})


@dataclass
class Listed:
    """What a sheet holds. ``refused`` is a code where it holds no list."""

    sheet: Sheet
    rows: list[Concluded] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    mapped: Mapped = field(default_factory=lambda: Mapped({}))
    header: tuple[str, ...] = ()
    titles: tuple[str, ...] = ()
    kind: str | None = None
    refused: str | None = None
    claimed_total: int | None = None
    data_rows: int = 0
    has_days: bool = False
    """Whether any column holds days."""


def read_list(sheet: Sheet, setting: Setting) -> Listed:
    """Conclude every record of a sheet."""
    listed = Listed(sheet)
    found = find_header(sheet, setting)
    if found is None:
        has_text = any(filled(record.cells) for record in sheet.records)
        listed.refused = "no_usable_columns" if has_text else "no_data_rows"
        return listed
    at, listed.mapped, listed.header = found.at, found.mapped, found.cells
    body = sheet.records[at + found.lines :] if found.cells else sheet.records
    above = sheet.records[: max(at, 0)]
    listed.titles = tuple(" ".join(filled(record.cells)) for record in above if filled(record.cells))
    marks = _marks(body, listed)
    data = [record for record, mark in zip(body, marks, strict=True) if not mark]
    reader = _learn(listed, data, setting)
    listed.refused = _refusal(listed, data)
    if listed.refused:
        return listed
    _head_rows(sheet, found, listed)
    rules = _rules(listed, setting, reader)
    section = ""
    for record, mark in zip(body, marks, strict=True):
        if mark == "section_row":
            section = " ".join(filled(record.cells))[:80]
        done = _ignored(record, mark) if mark else conclude(record.cells, rules)
        done.section = section
        listed.rows.append(_placed(done, sheet, record))
    _whole(listed)
    return listed


def _marks(body: Sequence[Record], listed: Listed) -> list[str]:
    """Give what each record under the header is: an ignored kind, 'columns_mismatch', or '' for a row."""
    header = [fold(cell) for cell in listed.header]
    marks = [_mark(record, header, listed) for record in body]
    if any(record.lines for record in body[:1]):
        _mark_mismatches(body, marks, listed)
    return marks


def _mark(record: Record, header: list[str], listed: Listed) -> str:
    filled = _first_filled(record.cells)
    if not filled:
        return "blank_row"
    if len(filled) <= 3 and _is_total(filled, listed):
        return "total_row"
    if (
        len(filled) == 1
        and len(listed.header or listed.mapped.columns) > 2
        and not _is_lone_name(record, filled[0], listed)
    ):
        return "section_row"
    if header and fold(filled[0]) in header and _repeats(record.cells, header):
        return "repeated_header"
    return ""


def _first_filled(cells: Sequence[str], most: int = 4) -> list[str]:
    """The first few cells with something in them: more than three of them make a row whatever the others hold."""
    found: list[str] = []
    for cell in cells:
        if cell and not cell.isspace() and (text := clean(cell).text):
            found.append(text)
            if len(found) == most:
                break
    return found


def _is_total(filled: list[str], listed: Listed) -> bool:
    match = _TOTAL.match(" ".join(filled))
    if match is None:
        return False
    number = match[1] or match[2]
    if number:
        listed.claimed_total = (listed.claimed_total or 0) + int(number) if _is_part(filled) else int(number)
    return True


def _is_part(filled: list[str]) -> bool:
    return filled[0].casefold().startswith(("sous", "sub"))


def _is_lone_name(record: Record, text: str, listed: Listed) -> bool:
    """A cell alone in the column of merged names that is written as a name is a patient of whom nothing else is
    known.
    """
    places = listed.mapped.columns.get("full_name")
    if not places or places[0] >= len(record.cells) or not record.cells[places[0]].strip():
        return False
    split = split_name(text)
    return bool(split.first) and not split.is_guess and not any(character.isdigit() for character in text)


def _repeats(cells: Sequence[str], header: list[str]) -> bool:
    named = [name for name in header if name]
    same = sum(1 for cell, name in zip(cells, header, strict=False) if name and fold(cell) == name)
    return same * 5 >= len(named) * 4


def _mark_mismatches(body: Sequence[Record], marks: list[str], listed: Listed) -> None:
    """Mark the rows of a text file that have too few or too many cells, unless the whole file is written so."""
    width = len(listed.header) or max((len(record.cells) for record in body), default=0)
    needed = 1 + max((place for places in listed.mapped.columns.values() for place in places), default=0)
    short = [at for at, record in enumerate(body) if not marks[at] and len(record.cells) < min(width, needed)]
    long = [at for at, record in enumerate(body) if not marks[at] and len(record.cells) > width]
    rows = sum(1 for mark in marks if not mark)
    trims = len(short) > 3 and len(short) * 6 >= rows  # the program that wrote it leaves empty cells at the end out
    pads = len(long) * 2 >= rows  # or puts a separator after the last cell
    for at in [] if trims else short:
        marks[at] = "columns_mismatch"
    for at in long:
        if not pads or filled(body[at].cells[width:]):
            marks[at] = "columns_mismatch"


def _learn(listed: Listed, data: Sequence[Record], setting: Setting) -> DateReader:
    """Learn the file's order of day and month and the middle of its appointments; find columns by their content."""
    cells = [record.cells for record in data]
    hidden = listed.sheet.hidden_columns
    places = [place for name in _DATE_FIELDS for place in listed.mapped.columns.get(name, ())]
    samples = (row[place] for row in cells for place in places if place < len(row))
    reader = DateReader(is_day_first(samples))
    settled = _settle_moments(listed.mapped, cells, reader)
    barren = _barren(settled, cells, reader)
    fertile = {name: places for name, places in settled.columns.items() if name not in barren}
    found = guess_columns(replace(settled, columns=fertile), cells, hidden, reader, setting.region)
    listed.has_days = any(found.has(name) for name in _DATE_FIELDS)
    taken = {place for places in found.columns.values() for place in places}
    rest = {name: settled.columns[name] for name in barren if not taken.intersection(settled.columns[name])}
    listed.mapped = replace(found, columns={**rest, **found.columns})
    days = sorted(_planned_days(listed.mapped, cells, reader))
    return replace(reader, about=days[len(days) // 2] if days else None)


def _planned_days(mapped: Mapped, cells: Sequence[Sequence[str]], reader: DateReader) -> Iterable[date]:
    for place in mapped.columns.get("planned_date", ()):
        for row in cells:
            if place < len(row) and row[place]:
                day = reader.read(row[place]).day
                if day and 1990 <= day.year <= 2100:
                    yield day


def _barren(mapped: Mapped, cells: Sequence[Sequence[str]], reader: DateReader) -> list[str]:
    """Give the fields of dates whose column holds not one: it is empty, or named so and something else."""
    barren = []
    for name in _DATE_FIELDS:
        for place in mapped.columns.get(name, ()):
            texts = [clean(row[place]).text for row in cells if place < len(row) and row[place].strip()]
            if (not texts or len(texts) >= 5) and not any(reader.read(text).day for text in texts):
                barren.append(name)
    return barren


def _settle_moments(mapped: Mapped, cells: Sequence[Sequence[str]], reader: DateReader) -> Mapped:
    """Where the names of the day and the hour columns are contradicted by what they hold, what they hold decides."""
    columns = dict(mapped.columns)
    for named, other in (("planned_date", "planned_time"), ("planned_time", "planned_date")):
        places = columns.get(named)
        if not places:
            continue
        texts = [clean(row[places[0]]).text for row in cells[:50] if places[0] < len(row) and row[places[0]].strip()]
        days = sum(1 for text in texts if reader.read(text).day)
        hours = sum(1 for text in texts if read_time(text))
        is_wrong = hours > days == 0 if named == "planned_date" else days > hours
        if texts and is_wrong:
            columns.setdefault(other, places)
            del columns[named]
    return replace(mapped, columns=columns)


def _refusal(listed: Listed, data: Sequence[Record]) -> str | None:
    if not data:
        return "no_data_rows"
    if not any(listed.mapped.has(name) for name in ("last_name", "full_name", "niss")):
        return "no_name_column"
    if not listed.has_days:
        return "no_date_column"
    if _doubled(listed, data):
        return "duplicate_header"
    return None


def _doubled(listed: Listed, data: Sequence[Record]) -> bool:
    """Two visible columns of one name that say different things: nobody can tell which one is meant."""
    for name in _SINGLE.intersection(listed.mapped.ambiguous):
        place = listed.mapped.columns.get(name, (0,))[0]
        twins = [
            at for at, cell in enumerate(listed.header) if at != place and fold(cell) == fold(listed.header[place])
        ]
        for at in (twin for twin in twins if twin not in listed.sheet.hidden_columns):
            if any(at < len(row.cells) and row.cells[at].strip() not in {"", row.cells[place].strip()} for row in data):
                return True
    return False


def _head_rows(sheet: Sheet, found: Header, listed: Listed) -> None:
    for place, record in enumerate(sheet.records[: found.at + found.lines] if found.cells else ()):
        code = "header_row" if place >= found.at else "title_row" if filled(record.cells) else "blank_row"
        listed.rows.append(_placed(_ignored(record, code), sheet, record))


def _ignored(record: Record, code: str) -> Concluded:
    status = "rejected" if code == "columns_mismatch" else "ignored"
    return Concluded(None, 0, None, status, [code], cells=record.cells)


def _placed(done: Concluded, sheet: Sheet, record: Record) -> Concluded:
    done.sheet, done.row, done.lines = sheet.name, record.number, record.lines
    return done


def _rules(listed: Listed, setting: Setting, reader: DateReader) -> Rules:
    listed.kind = setting.kind or _kind(listed, setting)
    return Rules(
        listed.mapped, reader, setting.region, setting.today, setting.neighbours, setting.national_number, listed.kind
    )


def _kind(listed: Listed, setting: Setting) -> str | None:
    """Name the kind of the list: by its sheet, its title, its file, its column names, in this order."""
    said = kinds.first_kind([listed.sheet.name or "", *listed.titles, *setting.kind_hints])
    if said:
        return said
    columns = listed.mapped.columns
    named = [
        listed.header[columns[name][0]]
        for name in ("procedure", "clinician", "planned_date")
        if name in columns and listed.header
    ]
    found = kinds.first_kind(named)
    if found:
        return found
    return "consultation" if "service" in columns or _asks_reason(named, setting.names) else None


def _asks_reason(named: Sequence[str], names: Names) -> bool:
    return any(
        set(fold_words(text)) & {"motif", "reason", "reden", "grund", "rdv", "appointment", "afspraak"}
        for text in named
        if field_of(text, names)
    )


def _whole(listed: Listed) -> None:
    listed.data_rows = sum(1 for row in listed.rows if row.status != "ignored")
    if listed.claimed_total is not None and listed.claimed_total != listed.data_rows:
        listed.warnings.append("total_mismatch")
    mark_repeats(listed.rows)


def read_sheets(sheets: Sequence[Sheet], setting: Setting) -> tuple[list[Listed], list[str], str | None]:
    """Conclude the sheets of a file: the lists found, the file's warnings, and a refusal where there is no list
    at all.
    """
    found = [read_list(sheet, setting) for sheet in sheets]
    lists = [listed for listed in found if listed.refused is None and not (listed.sheet.is_hidden and len(sheets) > 1)]
    if not lists:
        reasons = Counter(listed.refused or "no_data_rows" for listed in found)
        order = ("duplicate_header", "no_date_column", "no_name_column", "no_data_rows", "no_usable_columns")
        return [], [], next((code for code in order if code in reasons), "no_data_rows")
    warnings = [code for listed in lists for code in listed.warnings]
    if len(lists) < len(found):
        warnings.append("sheet_ignored")
    mark_shared_phones([row for listed in lists for row in listed.rows])
    return lists, list(dict.fromkeys(warnings)), None


KNOWN_FIELDS = frozenset({*FIELDS, IGNORED})
