"""Workbooks: unpacked with suspicion, then read with python-calamine. Runs only inside the child process (see child).

What calamine does not tell (hidden columns, how far a lone cell lies) is read from the archive first, as a stream and
with limits: sizes in a zip directory may lie, and a 4 kB file can claim a cell a million rows away.
"""

from __future__ import annotations

import re
import zipfile
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

from crisisdesk.desk.importing.refusal import Refused
from crisisdesk.domain.sheets import Record, Sheet

UNPACKED_LIMIT = 120_000_000  # bytes of all parts together; 50,000 rows of a real list are about 40 MB
AREA_LIMIT = 8_000_000  # cells that the declared corner of a sheet may span
LAST_COLUMN = 1_000
_CHUNK = 1 << 20
_CELL = re.compile(rb'<c\b[^>]*?\br="([A-Z]{1,3})(\d{1,7})"')
_HIDDEN_COLUMN = re.compile(rb"<col\b([^>]*?)/?>")
_ATTRIBUTE = re.compile(rb'\b(min|max|hidden)="([^"]*)"')
_SHEET = re.compile(r"<sheet\b([^>]*?)/?>")
_NAME = re.compile(r'\bname="([^"]*)"')
_RELATION = re.compile(r'\br:id="([^"]*)"|\bid="([^"]*)"')
_TARGET = re.compile(r"<Relationship\b([^>]*?)/?>")
_PAIR = re.compile(r'\b(Id|Target)="([^"]*)"')
_ODS_COLUMN = re.compile(r"<table:table-column\b([^>]*)>")
_ENTITIES = {"&amp;": "&", "&lt;": "<", "&gt;": ">", "&quot;": '"', "&apos;": "'"}


def read_workbook(path: Path, wanted_sheet: str | None) -> list[Sheet]:
    """Read the sheets of an XLSX, ODS or XLS file as text cells.

    Raises:
        Refused: ``file_corrupt``, ``file_encrypted``, ``uncompressed_too_large``, ``sheet_unknown``, ``too_many_rows``.
    """
    hidden = _inspect(path) if zipfile.is_zipfile(path) else {}
    if not hidden and path.read_bytes()[:2] == b"PK" and not zipfile.is_zipfile(path):
        raise Refused("file_corrupt")
    return _sheets(path, wanted_sheet, hidden)


def _sheets(path: Path, wanted: str | None, hidden: dict[str, frozenset[int]]) -> list[Sheet]:
    import python_calamine as calamine

    try:
        book = calamine.CalamineWorkbook.from_path(path)
        visible = {meta.name: meta.visible == calamine.SheetVisibleEnum.Visible for meta in book.sheets_metadata
                   if meta.typ == calamine.SheetTypeEnum.WorkSheet}  # fmt: skip
        if wanted is not None and wanted not in visible:
            raise Refused("sheet_unknown", ", ".join(visible)[:200])
        names = [wanted] if wanted is not None else list(visible)
        return [
            _sheet(book, name, hidden.get(name, frozenset()), not visible[name] and wanted is None) for name in names
        ]
    except calamine.PasswordError as error:
        raise Refused("file_encrypted") from error
    except (calamine.CalamineError, OSError, ValueError) as error:
        raise Refused("file_corrupt") from error


def _sheet(book: Any, name: str, hidden: frozenset[int], is_hidden: bool) -> Sheet:
    sheet = book.get_sheet_by_name(name)
    rows = [[cell_text(cell) for cell in row] for row in sheet.to_python(skip_empty_area=False)]
    if len(rows) > 500_000:
        raise Refused("too_many_rows")
    _fill_merged(rows, sheet)
    records = [Record(number, None, tuple(row)) for number, row in enumerate(rows, start=1)]
    return Sheet(name, records, hidden, is_hidden)


def _fill_merged(rows: list[list[str]], sheet: Any) -> None:
    """Repeat a cell that was merged downwards, as people do for one day's date; merges across stay where they are."""
    for (top, left), (bottom, right) in sheet.merged_cell_ranges or ():
        if left != right or bottom == top or top >= len(rows) or left >= len(rows[top]):
            continue
        for row in rows[top + 1 : bottom + 1]:
            if left < len(row) and any(cell for cell in row) and not row[left]:
                row[left] = rows[top][left]


def cell_text(cell: Any) -> str:
    """Give a cell as text that reads the same: whole numbers without a point, dates and hours in ISO form."""
    if isinstance(cell, str):
        return cell
    if isinstance(cell, bool):
        return str(cell).upper()
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < 1e16 else repr(cell)
    if isinstance(cell, datetime):
        return cell.strftime("%Y-%m-%d" if cell.time() == time.min else "%Y-%m-%d %H:%M")
    if isinstance(cell, date):
        return cell.isoformat()
    if isinstance(cell, time):
        return cell.strftime("%H:%M")
    if isinstance(cell, timedelta):
        minutes = round(cell.total_seconds() / 60)
        return f"{minutes // 60:02d}:{minutes % 60:02d}"
    return "" if cell is None else str(cell)


def _inspect(path: Path) -> dict[str, frozenset[int]]:
    """Unpack every part within the limits; give the hidden columns (from 0) by sheet name."""
    try:
        with zipfile.ZipFile(path) as archive:
            if sum(part.file_size for part in archive.infolist()) > UNPACKED_LIMIT:
                raise Refused("uncompressed_too_large")
            if any(part.flag_bits & 1 for part in archive.infolist()):
                raise Refused("file_encrypted")
            left = UNPACKED_LIMIT
            hidden: dict[str, frozenset[int]] = {}
            for part in archive.infolist():
                found, size = _stream(archive, part, left)
                left -= size
                hidden[part.filename] = found
            if "content.xml" in archive.namelist():
                return _hidden_in_ods(archive)
            return {name: hidden.get(part_name, frozenset()) for name, part_name in _parts(archive).items()}
    except (zipfile.BadZipFile, EOFError, OSError, NotImplementedError, ValueError) as error:
        raise Refused("file_corrupt") from error


def _stream(archive: zipfile.ZipFile, part: zipfile.ZipInfo, left: int) -> tuple[frozenset[int], int]:
    """Unpack one part in pieces: its hidden columns and its size. A sheet whose last cell lies too far is refused."""
    is_sheet = "worksheets/" in part.filename and part.filename.endswith(".xml")
    hidden: set[int] = set()
    size, tail = 0, b""
    corner = (0, 0)
    with archive.open(part) as stream:
        while chunk := stream.read(_CHUNK):
            size += len(chunk)
            if size > left:
                raise Refused("uncompressed_too_large")
            if is_sheet:
                piece = tail + chunk
                if size == len(chunk):
                    hidden = _hidden_columns(piece)
                corner = _corner(piece, corner)
                tail = piece[-200:]
    if is_sheet and (corner[0] * corner[1] > AREA_LIMIT or corner[1] > LAST_COLUMN):
        raise Refused("uncompressed_too_large")
    return frozenset(hidden), size


def _corner(piece: bytes, corner: tuple[int, int]) -> tuple[int, int]:
    last_row, last_column = corner
    for letters, digits in _CELL.findall(piece):
        last_row = max(last_row, int(digits))
        if len(letters) > 1 or last_column < 27:
            last_column = max(last_column, _column(letters))
    return last_row, last_column


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number


def _hidden_columns(piece: bytes) -> set[int]:
    hidden: set[int] = set()
    for match in _HIDDEN_COLUMN.finditer(piece.partition(b"<sheetData")[0]):
        said = dict(_ATTRIBUTE.findall(match[1]))
        if said.get(b"hidden") in {b"1", b"true"}:
            first, last = int(said.get(b"min", b"1")), int(said.get(b"max", b"1"))
            hidden.update(range(first - 1, min(last, LAST_COLUMN)))
    return hidden


def _parts(archive: zipfile.ZipFile) -> dict[str, str]:
    """Give the archive's part of each sheet, by the sheet's name (XLSX only)."""
    if "xl/workbook.xml" not in archive.namelist() or "xl/_rels/workbook.xml.rels" not in archive.namelist():
        return {}
    relations = archive.read("xl/_rels/workbook.xml.rels").decode("utf-8", "replace")
    targets = {
        pair.get("Id", ""): pair.get("Target", "")
        for pair in (dict(_PAIR.findall(text)) for text in _TARGET.findall(relations))
    }
    parts: dict[str, str] = {}
    for text in _SHEET.findall(archive.read("xl/workbook.xml").decode("utf-8", "replace")):
        name, relation = _NAME.search(text), _RELATION.search(text)
        if name and relation:
            target = targets.get(relation[1] or relation[2] or "", "").lstrip("/")
            parts[_unescape(name[1])] = target if target.startswith("xl/") else f"xl/{target}"
    return parts


def _hidden_in_ods(archive: zipfile.ZipFile) -> dict[str, frozenset[int]]:
    """Give the hidden columns of each table of an OpenDocument file; its size was checked before."""
    hidden: dict[str, frozenset[int]] = {}
    content = archive.read("content.xml").decode("utf-8", "replace")
    for table in content.split("<table:table ")[1:]:
        name = re.search(r'table:name="([^"]*)"', table)
        found: set[int] = set()
        place = 0
        for said in _ODS_COLUMN.findall(table.partition("<table:table-row")[0]):
            repeated = re.search(r'number-columns-repeated="(\d+)"', said)
            count = int(repeated[1]) if repeated else 1
            if 'table:visibility="collapse"' in said or 'table:visibility="filter"' in said:
                found.update(range(place, min(place + count, LAST_COLUMN)))
            place += count
        if name:
            hidden[_unescape(name[1])] = frozenset(found)
    return hidden


def _unescape(text: str) -> str:
    for entity, character in _ENTITIES.items():
        text = text.replace(entity, character)
    return text
