"""Files that leave the desk: written whole or not at all, for their owner only, and told to the journal.

A file appears under its name only when it is complete and the journal has told of it: both happen in one transaction.
"""

import csv
import io
import os
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from crisisdesk.domain.rights import RIGHTS_OF, Right
from crisisdesk.domain.text import inert_text, spreadsheet_safe
from crisisdesk.domain.words import Role
from crisisdesk.errors import RuleBroken
from crisisdesk.i18n import _
from crisisdesk.store import agents, journal
from crisisdesk.store.engine import Store

Cell = str | int | float | date | None


@dataclass(frozen=True)
class Told:
    """What the journal says of an export."""

    subject: str
    subject_id: str
    form: str
    rows: int


@dataclass(frozen=True)
class Sheet:
    """One sheet of a workbook."""

    title: str
    notes: Sequence[str]
    """Lines above the table: of what, as of when."""
    heads: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    shares: frozenset[int] = frozenset()
    """Columns that are shares, shown in percent."""


def permit_names(store: Store, login: str, now: datetime) -> None:
    """Let a list of patients leave the desk only in the hands of those who have the right to it; see `domain.rights`.

    Raises:
        RuleBroken: the login is no active agent, or its role has not the right; the refusal is journalled.
    """
    with store.read() as connection:
        row = agents.find_agent(connection, login)
    if row is not None and row["is_active"] and Right.EXPORT in RIGHTS_OF[Role(row["role"])]:
        return
    detail = {"act": "files.permit_names", "role": row["role"] if row else None, "why": "NotAllowed"}
    with store.write() as connection:
        journal.append(
            connection, agent=login, action="right.refused", subject="right", subject_id=Right.EXPORT.value,
            detail=detail, now=now,
        )  # fmt: skip
    raise RuleBroken(_("Only a supervisor or an auditor takes a list of patients out of the desk: ask one."))


def write_told(
    store: Store, content: bytes, target: Path, told: Told, *, login: str, now: datetime, overwrite: bool = False
) -> None:
    """Write a file and journal it.

    Args:
        target: its folder must exist.
        overwrite: replace a file that is there already.

    Raises:
        RuleBroken: the file exists, is the desk's own, or cannot be written there. Nothing was left behind.
    """
    if target.resolve() in {Path(f"{store.path.resolve()}{end}") for end in ("", "-wal", "-shm", "-gate")}:
        raise RuleBroken(_("{path} is the desk's own file. Choose another name.").format(path=target))
    if target.exists() and not overwrite:
        words = _("{path} exists already. Choose another name, or replace it with --force.")
        raise RuleBroken(words.format(path=target))
    try:
        partial = write_partial(target, content)
        try:
            tell(store, told, target=str(target), login=login, now=now, name=partial)
        except BaseException:
            with suppress(FileNotFoundError):
                os.unlink(partial)
            raise
    except OSError as error:
        words = _("{path} cannot be written: {why}. Choose another place.")
        raise RuleBroken(words.format(path=target, why=error.strerror or str(error))) from error


def tell(store: Store, told: Told, *, target: str, login: str, now: datetime, name: str = "") -> None:
    """Journal who took what out of the desk, and where to ("-": standard output); then give the file its name."""
    detail = {"form": told.form, "file": target, "rows": told.rows}
    with store.write() as connection:
        journal.append(
            connection, agent=login, action="export", subject=told.subject, subject_id=told.subject_id, detail=detail,
            now=now,
        )  # fmt: skip
        if name:
            os.replace(name, target)


def write_partial(target: Path, content: bytes) -> str:
    """A complete, flushed file beside the target; only its owner may read it."""
    handle, name = tempfile.mkstemp(prefix=f".{target.name}.", suffix=".part", dir=target.parent)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    return name


def csv_text(rows: Iterable[Sequence[Cell]], *, separator: str = ",", with_bom: bool = False) -> bytes:
    """Rows as CSV (UTF-8, CRLF). Texts that a spreadsheet would run get a leading apostrophe."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=separator)
    for row in rows:
        writer.writerow([_csv_cell(cell) for cell in row])
    return text.getvalue().encode("utf-8-sig" if with_bom else "utf-8")


def _csv_cell(cell: Cell) -> object:
    if isinstance(cell, str):
        return spreadsheet_safe(inert_text(cell))
    if isinstance(cell, date):
        return cell.isoformat()
    return "" if cell is None else cell


def workbook(sheets: Sequence[Sheet]) -> bytes:
    """A workbook for people. No cell is ever a formula, a link or a number that was a text."""
    import xlsxwriter

    target = io.BytesIO()
    options = dict.fromkeys(("strings_to_formulas", "strings_to_urls", "strings_to_numbers"), False)
    with xlsxwriter.Workbook(target, {**options, "in_memory": True}) as book:
        looks = {
            "bold": book.add_format({"bold": True}), "share": book.add_format({"num_format": "0.0%"}),
            "day": book.add_format({"num_format": "dd/mm/yyyy"}),
        }  # fmt: skip
        for sheet in sheets:
            _write_sheet(book.add_worksheet(sheet_name(sheet.title)), sheet, looks)
    return target.getvalue()


def sheet_name(title: str) -> str:
    """A title as a workbook takes it: at most 31 characters, none of those that Excel refuses."""
    return "".join("-" if letter in "[]:*?/\\'" else letter for letter in title)[:31]


def _write_sheet(page: Any, sheet: Sheet, looks: Mapping[str, Any]) -> None:
    for line, note in enumerate(sheet.notes):
        page.write_string(line, 0, note, looks["bold"] if line == 0 else None)
    top = len(sheet.notes) + 1
    for column, head in enumerate(sheet.heads):
        page.write_string(top, column, head, looks["bold"])
    for line, row in enumerate(sheet.rows, top + 1):
        for column, cell in enumerate(row):
            _write_cell(page, line, column, cell, looks, is_share=column in sheet.shares)
    for column, head in enumerate(sheet.heads):
        widest = max([len(head), *(len(str(row[column])) for row in sheet.rows[:500])])
        page.set_column(column, column, min(60, widest) + 1)
    page.freeze_panes(top + 1, 1)


def _write_cell(page: Any, line: int, column: int, cell: Cell, looks: Mapping[str, Any], *, is_share: bool) -> None:
    if isinstance(cell, str):
        page.write_string(line, column, inert_text(cell))
    elif isinstance(cell, date):
        page.write_datetime(line, column, cell, looks["day"])
    elif cell is not None:
        page.write_number(line, column, cell, looks["share"] if is_share else None)
