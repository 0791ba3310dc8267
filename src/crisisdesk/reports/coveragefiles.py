"""Coverage as files: the groups as CSV, JSON or a workbook, and the postponements by name."""

import json
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from crisisdesk.domain.coverage import NamedItem
from crisisdesk.domain.words import Coverage
from crisisdesk.i18n import _
from crisisdesk.reports import definitions as means
from crisisdesk.reports.coverage import CoverageLine, CoverageReport
from crisisdesk.reports.exports import NOT_MEASURED
from crisisdesk.reports.files import Cell, Sheet, Told, csv_text, permit_names, workbook, write_told
from crisisdesk.store.engine import Store

COLUMNS = (
    "site", "kind", "week", *(state.value for state in Coverage), "total", "handed_over", "died", "owed",
    "tried_of_due", "due", "share", "is_measured", "standing", "alarm_under", "definition", "time_zone", "as_of",
)  # fmt: skip
"""One group a line. Names and codes are the same in every language; empty where one is not known."""
NAME_COLUMNS = (
    "postponement", "patient", "born", "site", "kind", "week", "about", "original_on", "priority", "coverage", "owed",
    "callback", "reason", "why_not",
)  # fmt: skip


def group_record(line: CoverageLine, report: CoverageReport) -> dict[str, Any]:
    """One group as a flat record, by `COLUMNS`."""
    group, figure = line.group, line.figure
    counts = {state.value: group.items.get(state, 0) for state in Coverage}
    return {
        "site": group.site_id, "kind": group.kind, "week": group.week, **counts, "total": group.total,
        "handed_over": group.handed_over, "died": group.dead, "owed": group.owed, "tried_of_due": group.tried,
        "due": group.due, "share": None if figure.value is None else round(figure.value, 6),
        "is_measured": figure.is_measured, "standing": line.standing.value, "alarm_under": report.percent / 100,
        "definition": figure.definition, "time_zone": report.zone, "as_of": report.as_of.isoformat(timespec="seconds"),
    }  # fmt: skip


def name_record(item: NamedItem) -> dict[str, Any]:
    """One postponement by name, by `NAME_COLUMNS`."""
    values = (
        item.postponement_id, item.patient, item.birth_on, item.site_id, item.kind, item.week, item.about,
        item.original_on, item.priority, item.coverage.value, item.is_owed, item.callback_id, item.reason, item.why_not,
    )  # fmt: skip
    return dict(zip(NAME_COLUMNS, values, strict=True))


def coverage_csv(report: CoverageReport, names: Sequence[NamedItem] | None, *, with_bom: bool = False) -> bytes:
    """The groups, or the postponements by name where these are given, as CSV."""
    if names is not None:
        rows: list[Sequence[Cell]] = [NAME_COLUMNS]
        rows += [[_plain(cell) for cell in name_record(item).values()] for item in names]
        return csv_text(rows, with_bom=with_bom)
    rows = [COLUMNS]
    for line in report.lines:
        record = group_record(line, report)
        rows.append([_plain(cell) for cell in (record | {"share": _shown_share(record)}).values()])
    return csv_text(rows, with_bom=with_bom)


def coverage_json(report: CoverageReport, names: Sequence[NamedItem] | None) -> bytes:
    """The groups and their total as one JSON object, with the postponements by name where these are given."""
    value = {
        "desk": report.desk, "time_zone": report.zone, "as_of": report.as_of.isoformat(timespec="seconds"),
        "journal_head": report.journal_head, "alarms": report.alarms, "hidden": report.hidden,
        "groups": [group_record(line, report) for line in report.lines], "total": group_record(report.total, report),
    }  # fmt: skip
    value |= {} if names is None else {"names": [name_record(item) for item in names]}
    return json.dumps(value, ensure_ascii=False, indent=1, default=str).encode() + b"\n"


def coverage_workbook(report: CoverageReport, names: Sequence[NamedItem] | None) -> bytes:
    """Groups, names where these are given, and what each figure means, each on a sheet."""
    notes = (f"{_('Coverage')} · {report.desk}", as_of_words(report))
    heads = (
        _("Site"), _("Care type"), _("Week"), *(_(means.COVERAGE_HEADS[state]) for state in Coverage), _("total"),
        *(_(one.name) for one in (means.HANDED_OVER, means.DEAD, means.OWED)), _("tried"), _("due"), _("share"), "",
    )  # fmt: skip
    rows = [_sheet_row(line) for line in (*report.lines, report.total)]
    share = len(heads) - 2
    sheets = [Sheet(_("Coverage"), notes, heads, rows, frozenset({share}))]
    if names is not None:
        columns = (
            _("Patient"), _("Born on"), _("What was put off"), _("Was on"), _("Code"), _("How far"), _("Why not now")
        )  # fmt: skip
        sheets.append(Sheet(_("By name"), notes, columns, [_name_row(item) for item in names]))
    every = (*means.COVERAGE.values(), means.HANDED_OVER, means.DEAD, means.OWED, means.COVERED_SHARE)
    sheets.append(Sheet(_("Definitions"), notes, (_("Figure"), _("Definition")), [one.shown() for one in every]))
    return workbook(sheets)


FORMATS = ("csv", "json", "xlsx")


def coverage_bytes(
    report: CoverageReport, form: str, names: Sequence[NamedItem] | None = None, *, with_bom: bool = False
) -> bytes:
    """Coverage in one of `FORMATS`."""
    if form == "csv":
        return coverage_csv(report, names, with_bom=with_bom)
    return coverage_json(report, names) if form == "json" else coverage_workbook(report, names)


def export_coverage(
    store: Store, report: CoverageReport, *, form: str, target: Path, login: str, now: datetime,
    names: Sequence[NamedItem] | None = None, overwrite: bool = False, with_bom: bool = False,
) -> int:  # fmt: skip
    """Write coverage to a file, journal it, and give the number of its lines.

    Raises:
        RuleBroken: the file exists, or cannot be written there. Nothing was left behind.
    """
    if names is not None:
        permit_names(store, login, now)
    told = told_of(report, form, names)
    content = coverage_bytes(report, form, names, with_bom=with_bom)
    write_told(store, content, target, told, login=login, now=now, overwrite=overwrite)
    return told.rows


def told_of(report: CoverageReport, form: str, names: Sequence[NamedItem] | None) -> Told:
    """What the journal says of an export: by name or in numbers, and how many lines."""
    return Told(
        "coverage", "numbers" if names is None else "names", form, len(report.lines if names is None else names)
    )


def as_of_words(report: CoverageReport) -> str:
    """As of when, in which zone, and under which share a group is an alarm."""
    words = _("as of {as_of} ({zone}), alarm under {percent} %")
    return words.format(as_of=f"{report.as_of:%Y-%m-%d %H:%M}", zone=report.zone, percent=report.percent)


def _sheet_row(line: CoverageLine) -> list[Cell]:
    group = line.group
    counts: list[Cell] = [group.items.get(state, 0) for state in Coverage]
    share = line.figure.value if line.figure.is_measured else _("not measured")
    return [
        line.site, line.kind, line.week, *counts, group.total, group.handed_over, group.dead, group.owed, group.tried,
        group.due, share, _(means.STANDINGS[line.standing]),
    ]  # fmt: skip


def _name_row(item: NamedItem) -> list[Cell]:
    return [
        item.patient, item.birth_on, item.about, item.original_on, item.priority, _(means.COVERAGE[item.coverage].name),
        item.why_not,
    ]  # fmt: skip


def _shown_share(record: dict[str, Any]) -> Cell:
    share: float | None = record["share"]
    return share if record["is_measured"] else NOT_MEASURED


def _plain(cell: Any) -> Cell:
    if isinstance(cell, bool):
        return "true" if cell else "false"
    plain: Cell = cell
    return plain
