"""`crisisdesk day`: the figures of a day, as a table or as a file."""

import re
import sys
from argparse import Namespace
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from crisisdesk import clock
from crisisdesk.cli.context import Context
from crisisdesk.cli.output import say, show_table
from crisisdesk.cli.parser import Subparsers
from crisisdesk.errors import RuleBroken
from crisisdesk.i18n import _

if TYPE_CHECKING:
    from crisisdesk.reports.day import DayReport, Row, Section

BAR_WIDTH = 30


def add_parser(subparsers: Subparsers) -> None:
    """Add `day`. Its own --json takes a file, and is the global one where none is named."""
    parser = subparsers.add_parser("day", help=_("the figures of a day"), conflict_handler="resolve")
    parser.add_argument(
        "day", nargs="?", metavar=_("DATE"), help=_("2022-05-31, 31/05, today or yesterday (today unless named)")
    )
    files = parser.add_mutually_exclusive_group()
    files.add_argument("--csv", metavar=_("FILE"), help=_("write one figure a line as CSV; - is the standard output"))
    words = _("write JSON; - or nothing: standard output")
    files.add_argument("--json", dest="json_file", nargs="?", const="-", metavar=_("FILE"), help=words)
    files.add_argument("--xlsx", metavar=_("FILE"), help=_("write a workbook, a sheet for each part"))
    parser.add_argument("--bom", action="store_true", help=_("begin the CSV with the mark by which Excel knows UTF-8"))
    parser.add_argument("--force", action="store_true", help=_("replace a file that exists already"))
    parser.set_defaults(run=show_day)


def show_day(arguments: Namespace, context: Context) -> int:
    """Print the day, or write it to a file and journal the export.

    Raises:
        RuleBroken: no such date, or the file exists or cannot be written.
    """
    from crisisdesk.reports.day import report_of_day

    _mend_date(arguments, context)
    store, reference = context.open_store(), context.reference()
    day = read_day(arguments.day, clock.local_day(context.now(), reference.desk.time_zone))
    report = report_of_day(store, day, reference=reference, language=context.language, now=context.now())
    if (wanted := _wanted(arguments, context)) is None:
        _print(context, report)
    else:
        _export(arguments, context, report, *wanted)
    return 0


def read_day(text: str | None, today: date) -> date:
    """The day that somebody names: ISO, day/month of the past twelve months, today or yesterday; None is today.

    Raises:
        RuleBroken: it is no date.
    """
    from crisisdesk.domain.dates import read_typed_date

    word = (text or "today").strip().lower()
    if word in {"yesterday", _("yesterday"), "hier", "gisteren", "gestern"}:
        return today - timedelta(days=1)
    if word in {"today", _("today")}:
        return today
    found = _iso(word) or read_typed_date(word, today)
    if found is None:
        raise RuleBroken(
            _("'{text}' is no date. Write 2022-05-31, 31/05/2022, 31/05, today or yesterday.").format(text=text)
        )
    if re.fullmatch(r"\d{1,2}\D\d{1,2}", word) and found > today:
        return found.replace(year=found.year - 1)
    return found


def _iso(word: str) -> date | None:
    try:
        return date.fromisoformat(word)
    except ValueError:
        return None


def _mend_date(arguments: Namespace, context: Context) -> None:
    """In `day --json 2022-05-31` the parser took the date for the file."""
    if not arguments.day and re.fullmatch(r"[\d/.-]{5,10}|today|yesterday", arguments.json_file or ""):
        arguments.day, arguments.json_file = arguments.json_file, "-"


def _wanted(arguments: Namespace, context: Context) -> tuple[str, str] | None:
    """Format and target of the export that was asked for."""
    for form, target in (("csv", arguments.csv), ("json", arguments.json_file), ("xlsx", arguments.xlsx)):
        if target:
            return form, target
    return ("json", "-") if context.json else None


def _export(arguments: Namespace, context: Context, report: "DayReport", form: str, target: str) -> None:
    from crisisdesk.reports import exports

    login, now, store = context.agent().login, context.now(), context.open_store()
    if target != "-":
        number = exports.export_day(
            store, report, form=form, target=Path(target), login=login, now=now,
            overwrite=arguments.force, with_bom=arguments.bom,
        )  # fmt: skip
        say(context, _("{count} figures of {day} written to {path}").format(count=number, day=report.day, path=target))
        return
    content = exports.csv_bytes(report, with_bom=arguments.bom) if form == "csv" else exports.FORMATS[form](report)
    if form == "xlsx" and context.out.isatty():
        raise RuleBroken(_("A workbook is no text for a terminal. Name a file: --xlsx day.xlsx"))
    exports.journal_export(store, report, form=form, target=target, login=login, now=now)
    if context.out is sys.stdout:
        sys.stdout.flush()
        sys.stdout.buffer.write(content)
    else:
        context.out.write(content.decode())


def _print(context: Context, report: "DayReport") -> None:
    from crisisdesk.reports.exports import as_of_words
    from crisisdesk.reports.wording import meanings

    say(context, f"{report.desk} · {as_of_words(report)}")
    for section in report.sections:
        rows = _shown(section)
        if not rows:
            continue
        _title(context, section.title)
        headings = {"label": "", **{str(place): head for place, head in enumerate(section.columns)}}
        lines = [_line(row, section) for row in rows]
        if section.key == "summary":
            headings["of"] = _("of")
        elif section.key == "calls.half_hour" and not context.plain:
            headings["bar"] = ""
        show_table(context, headings, lines)
    _title(context, _("Definitions"))
    for name, meaning in meanings(report):
        say(context, f"{name}: {meaning}")
    context.out.write("\n")
    say(context, _("Journal up to entry {head}").format(head=report.journal_head))


def _title(context: Context, title: str) -> None:
    context.out.write("\n")
    say(context, title if context.plain else f"## {title}")


def _shown(section: "Section") -> "list[Row]":
    """The rows for people: of the half hours only those from the first call to the last, then the total."""
    rows = list(section.rows)
    if section.key == "calls.half_hour":
        busy = [place for place, row in enumerate(rows) if row.cells[0].value]
        rows = rows[busy[0] : busy[-1] + 1] if busy else []
    return [*rows, section.total] if rows and section.total else rows


def _line(row: "Row", section: "Section") -> dict[str, object]:
    from crisisdesk.reports.wording import show_value

    line: dict[str, object] = {"label": row.label}
    line |= {str(place): show_value(figure) for place, figure in enumerate(row.cells)}
    figure = row.cells[0]
    if section.key == "summary" and figure.denominator is not None:
        line["of"] = f"{figure.numerator:g}/{figure.denominator}"
    if section.key == "calls.half_hour" and row is not section.total:
        most = max(int(each.cells[0].value or 0) for each in section.rows)
        line["bar"] = "#" * round(BAR_WIDTH * int(figure.value or 0) / most) if most else ""
    return line
