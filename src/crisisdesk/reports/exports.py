"""The day as files: CSV and JSON for programs, a workbook for people. Written whole or not at all, and journalled."""

import csv
import io
import json
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from crisisdesk.domain.kpi import Figure, Unit
from crisisdesk.domain.text import inert_text, spreadsheet_safe
from crisisdesk.i18n import _
from crisisdesk.reports import files
from crisisdesk.reports.day import DayReport, Section
from crisisdesk.store.engine import Store

COLUMNS = (
    "section",
    "key",
    "label",
    "numerator",
    "denominator",
    "value",
    "definition",
    "unit",
    "is_measured",
    "day",
    "time_zone",
    "as_of",
)
"""Columns of the tidy form: one figure a line. Names and codes are the same in every language."""

NOT_MEASURED = "not measured"
"""The value of a figure that the desk cannot know, in CSV; in JSON it is null with is_measured false."""


def tidy_rows(report: DayReport) -> list[dict[str, Any]]:
    """Every figure of the day as one flat record, in the order of `COLUMNS`."""
    return [
        {
            "section": figure.section,
            "key": inert_text(figure.key),
            "label": inert_text(figure.label),
            "numerator": _rounded(figure.numerator),
            "denominator": figure.denominator,
            "value": _rounded(figure.value),
            "definition": figure.definition,
            "unit": figure.unit.value,
            "is_measured": figure.is_measured,
            "day": report.day.isoformat(),
            "time_zone": report.zone,
            "as_of": report.as_of.isoformat(timespec="seconds"),
        }
        for figure in report.figures
    ]


def csv_bytes(report: DayReport, *, with_bom: bool = False) -> bytes:
    """The tidy form as CSV (comma, UTF-8, CRLF). Texts a spreadsheet would run get a leading apostrophe.

    Args:
        report: the day.
        with_bom: start with the mark by which Excel knows UTF-8.
    """
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    for row in tidy_rows(report):
        value = row["value"] if row["is_measured"] else NOT_MEASURED
        writer.writerow(_csv_cell(cell) for cell in {**row, "value": value}.values())
    return text.getvalue().encode("utf-8-sig" if with_bom else "utf-8")


def json_bytes(report: DayReport) -> bytes:
    """The day as one JSON object: what it is of, and the tidy rows as ``figures``."""
    value = {
        "desk": report.desk,
        "day": report.day.isoformat(),
        "time_zone": report.zone,
        "hours": report.hours,
        "as_of": report.as_of.isoformat(timespec="seconds"),
        "is_over": report.is_over,
        "journal_head": report.journal_head,
        "figures": tidy_rows(report),
    }
    return json.dumps(value, ensure_ascii=False, indent=1).encode() + b"\n"


def xlsx_bytes(report: DayReport) -> bytes:
    """The day as a workbook: a sheet for each section, and one with every definition. No cell is ever a formula."""
    import xlsxwriter

    target = io.BytesIO()
    options = {
        "in_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
    }
    with xlsxwriter.Workbook(target, options) as book:
        styles = {
            "bold": book.add_format({"bold": True}),
            Unit.COUNT: book.add_format({"num_format": "0"}),
            Unit.SHARE: book.add_format({"num_format": "0.0%"}),
            Unit.SECONDS: book.add_format({"num_format": "0"}),
        }
        for section in report.sections:
            _write_section(book.add_worksheet(files.sheet_name(section.title)), report, section, styles)
        _write_definitions(book.add_worksheet(files.sheet_name(_("Definitions"))), report, styles["bold"])
    return target.getvalue()


FORMATS: Mapping[str, Callable[[DayReport], bytes]] = {"csv": csv_bytes, "json": json_bytes, "xlsx": xlsx_bytes}
"""Name of a format, also the ending of its files -> what makes it."""


def export_day(
    store: Store,
    report: DayReport,
    *,
    form: str,
    target: Path,
    login: str,
    now: datetime,
    overwrite: bool = False,
    with_bom: bool = False,
) -> int:
    """Write the day to a file, journal it, and return the number of figures.

    Args:
        form: "csv", "json" or "xlsx".
        target: the file; its folder must exist.
        login: who exports.
        overwrite: replace a file that is there already.
        with_bom: see `csv_bytes`.

    Raises:
        RuleBroken: the file exists, or cannot be written there. Nothing was left behind.
    """
    content = csv_bytes(report, with_bom=with_bom) if form == "csv" else FORMATS[form](report)
    files.write_told(store, content, target, _told(report, form), login=login, now=now, overwrite=overwrite)
    return len(report.figures)


def journal_export(store: Store, report: DayReport, *, form: str, target: str, login: str, now: datetime) -> None:
    """Journal an export that goes to no file of ours ("-": the standard output), before it is written."""
    files.tell(store, _told(report, form), target=target, login=login, now=now)


def _told(report: DayReport, form: str) -> files.Told:
    return files.Told("day", report.day.isoformat(), form, len(report.figures))


def _csv_cell(value: object) -> object:
    if isinstance(value, bool):
        return "true" if value else "false"
    return spreadsheet_safe(value) if isinstance(value, str) else "" if value is None else value


def _rounded(value: float | None) -> float | None:
    return round(value, 6) if isinstance(value, float) else value


def _write_section(sheet: Any, report: DayReport, section: Section, styles: Mapping[Any, Any]) -> None:
    sheet.write_string(0, 0, f"{section.title} · {report.desk} · {report.day.isoformat()}", styles["bold"])
    sheet.write_string(1, 0, as_of_words(report))
    for column, head in enumerate(("", *section.columns)):
        sheet.write_string(3, column, head, styles["bold"])
    rows = (*section.rows, section.total) if section.total else section.rows
    for line, row in enumerate(rows, 4):
        sheet.write_string(line, 0, inert_text(row.label))
        for column, figure in enumerate(row.cells, 1):
            _write_figure(sheet, line, column, figure, styles)
    sheet.set_column(0, 0, max([12, *(len(row.label) for row in rows)]) + 1)
    sheet.set_column(1, len(section.columns), 15)
    sheet.freeze_panes(4, 1)


def _write_figure(sheet: Any, line: int, column: int, figure: Figure, styles: Mapping[Any, Any]) -> None:
    if not figure.is_measured:
        sheet.write_string(line, column, _("not measured"))
    elif figure.value is not None:
        sheet.write_number(line, column, figure.value, styles[figure.unit])


def _write_definitions(sheet: Any, report: DayReport, bold: Any) -> None:
    heads = (_("Section"), _("Figure"), _("Numerator"), _("Denominator"), _("Definition"))
    for column, head in enumerate(heads):
        sheet.write_string(0, column, head, bold)
    for line, figure in enumerate(report.figures, 1):
        sheet.write_string(line, 0, figure.section)
        sheet.write_string(line, 1, inert_text(figure.label))
        for column, number in ((2, figure.numerator), (3, figure.denominator)):
            if number is not None:
                sheet.write_number(line, column, number)
        sheet.write_string(line, 4, figure.definition)
    sheet.set_column(0, 1, 32)
    sheet.set_column(4, 4, 100)


def as_of_words(report: DayReport) -> str:
    """Of which day, how long it was, and as of when the figures are."""
    words = _("{day}, a local day of {hours} hours ({zone}), as of {as_of}")
    return words.format(
        day=report.day.isoformat(), hours=report.hours, zone=report.zone, as_of=f"{report.as_of:%Y-%m-%d %H:%M}"
    )
