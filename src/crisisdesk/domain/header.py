"""Where a list begins: its header, on one line or on two, under whatever titles; or none, where a person numbered
columns.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from crisisdesk.domain.columns import IGNORED, Mapped, is_header, map_header
from crisisdesk.domain.sheets import Record, Setting, Sheet
from crisisdesk.domain.text import clean, fold

HEADER_WITHIN = 60  # records


@dataclass(frozen=True)
class Header:
    """The header of a sheet: its place among the records, how many of them it takes, its cells (none: no header)."""

    at: int
    lines: int
    cells: tuple[str, ...]
    mapped: Mapped


def find_header(sheet: Sheet, setting: Setting) -> Header | None:
    """Give the richest header among the first records; None where no record is one."""
    numbered = {key: name for key, name in setting.by_hand.items() if key.isdigit()}
    named = {key: name for key, name in setting.by_hand.items() if key not in numbered}
    best: Header | None = None
    for place, record in enumerate(sheet.records[:HEADER_WITHIN]):
        for header in _readings(sheet, place, record, setting, named):
            if best is None or header.mapped.score > best.mapped.score:
                best = header
    if best is not None:
        return replace(best, mapped=by_hand(best.mapped, best.cells, numbered))
    return _unnamed(sheet, numbered) if numbered else None


def _readings(sheet: Sheet, place: int, record: Record, setting: Setting, named: Mapping[str, str]) -> Iterable[Header]:
    """Read a record as a header, alone and joined with the one below it ("Date de" over "naissance")."""
    cells = tuple(clean(cell).text for cell in record.cells)
    alone = by_hand(map_header(cells, setting.names, sheet.hidden_columns), cells, named)
    if is_header(cells, alone):
        yield Header(place, 1, cells, alone)
    if place + 1 >= len(sheet.records) or _has_digit(cells):
        return
    below = tuple(clean(cell).text for cell in sheet.records[place + 1].cells)
    if not any(below) or _has_digit(below) or len(filled(cells)) < 2:
        return
    width = max(len(cells), len(below))
    pairs = zip(_padded(cells, width), _padded(below, width), strict=True)
    joined = tuple(" ".join(part for part in pair if part) for pair in pairs)
    both = by_hand(map_header(joined, setting.names, sheet.hidden_columns), joined, named)
    lower = map_header(below, setting.names, sheet.hidden_columns)
    if is_header(joined, both) and both.score > max(alone.score, lower.score):
        yield Header(place, 2, joined, both)


def _has_digit(cells: Iterable[str]) -> bool:
    return sum(1 for cell in cells if sum(character.isdigit() for character in cell) > 1) > 0


def _padded(cells: tuple[str, ...], width: int) -> tuple[str, ...]:
    return cells + ("",) * (width - len(cells))


def _unnamed(sheet: Sheet, numbered: Mapping[str, str]) -> Header:
    """A list whose columns a person numbered: its first full record without a digit is a header, else it has none."""
    for place, record in enumerate(sheet.records[:HEADER_WITHIN]):
        if len(filled(record.cells)) > 1:
            mapped = by_hand(Mapped({}), record.cells, numbered)
            if any(character.isdigit() for cell in record.cells for character in cell):
                return Header(0, 0, (), mapped)
            return Header(place, 1, tuple(clean(cell).text for cell in record.cells), mapped)
    return Header(0, 0, (), by_hand(Mapped({}), (), numbered))


def by_hand(mapped: Mapped, header: Sequence[str], said: Mapping[str, str]) -> Mapped:
    """Give the mapping with what a person said of some columns (by name, or by number from 1)."""
    columns = {name: list(places) for name, places in mapped.columns.items()}
    for column, name in said.items():
        place = _place(column, header)
        if place is None:
            continue
        for places in columns.values():
            if place in places:
                places.remove(place)
        columns[name] = [*columns.get(name, []), place] if name in {"phone", "remark"} else [place]
    kept = {name: tuple(places) for name, places in columns.items() if places}
    ambiguous = tuple(name for name in mapped.ambiguous if name not in said.values())
    return replace(mapped, columns=kept, score=sum(1 for name in kept if name != IGNORED), ambiguous=ambiguous)


def _place(said: str, header: Sequence[str]) -> int | None:
    for place, cell in enumerate(header):
        if fold(cell) == fold(said):
            return place
    return int(said) - 1 if said.isdigit() else None


def filled(cells: Iterable[str]) -> list[str]:
    """Give the cells that hold something."""
    return [cell.strip() for cell in cells if cell.strip()]
