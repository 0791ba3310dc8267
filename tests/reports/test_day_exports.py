"""The day as files: every figure in each of them, nothing that a spreadsheet would run, whole or not at all."""

import csv
import io
import json
import stat
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from day_filling import add_calls, empty
from python_calamine import CalamineWorkbook

from crisisdesk import clock
from crisisdesk.domain.reference import Reference
from crisisdesk.errors import RuleBroken
from crisisdesk.i18n import in_language
from crisisdesk.reports import exports
from crisisdesk.reports.day import DayReport, day_report
from crisisdesk.reports.figures import day_figures
from crisisdesk.store.engine import Store
from crisisdesk.store.journal import entries, verify

DAY, ZONE, NOW = date(2022, 5, 31), "Europe/Brussels", datetime(2022, 5, 31, 18, 0, tzinfo=UTC)
NASTY = [
    "=1+1", "+32 470 12 34 56", "-2", "@SUM(A1)", "\tx", "\rx", "[bold red]x[/]", "\x1b[31mrouge", "a\u202eb", "Hélène",
]  # fmt: skip


@pytest.fixture(scope="module")
def report(desk: Store, reference: Reference) -> DayReport:
    empty(desk)
    start = clock.day_bounds(DAY, ZONE)[0] + timedelta(hours=9)
    add_calls(desk, [{"started_at": start, "ended_at": start + timedelta(seconds=90), "taken_by_name": name,
                      "site_id": "arlon"} for name in NASTY])  # fmt: skip
    return day_report(day_figures(desk, DAY, now=NOW, zone=ZONE), reference, "fr")


def read_csv(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))


def test_csv_is_tidy_and_guarded(report: DayReport) -> None:
    content = exports.csv_bytes(report)
    rows = read_csv(content)
    assert tuple(rows[0]) == exports.COLUMNS
    assert exports.COLUMNS[:7] == ("section", "key", "label", "numerator", "denominator", "value", "definition")
    assert len(rows) == len(report.figures)
    assert not any(cell[:1] in set("=+-@\t\r") for row in rows for cell in row.values())
    labels = [row["label"] for row in rows if row["section"] == "calls.agent"]
    assert "'+32 470 12 34 56: " in " ".join(labels), "a number stays readable behind its apostrophe"
    assert "\x1b" not in content.decode()
    assert "\u202e" not in content.decode()
    offered = next(row for row in rows if row["key"] == "offered")
    assert (offered["value"], offered["is_measured"], offered["numerator"]) == ("not measured", "false", "")
    assert {row["time_zone"] for row in rows} == {ZONE}
    assert {row["as_of"] for row in rows} == {"2022-05-31T20:00:00+02:00"}
    assert {row["day"] for row in rows} == {"2022-05-31"}


def test_the_mark_of_utf_8_is_there_when_asked_for(report: DayReport) -> None:
    assert exports.csv_bytes(report, with_bom=True) == b"\xef\xbb\xbf" + exports.csv_bytes(report)


def test_json_and_csv_hold_the_same_figures(report: DayReport) -> None:
    value = json.loads(exports.json_bytes(report))
    assert (value["day"], value["time_zone"], value["hours"], value["is_over"]) == ("2022-05-31", ZONE, 24, False)
    rows = read_csv(exports.csv_bytes(report))
    assert [figure["definition"] for figure in value["figures"]] == [row["definition"] for row in rows]
    numbers = [float(row["numerator"]) if row["numerator"] else None for row in rows]
    assert [figure["numerator"] for figure in value["figures"]] == numbers
    assert all(figure["definition"] for figure in value["figures"])
    offered = next(figure for figure in value["figures"] if figure["key"] == "offered")
    assert (offered["value"], offered["is_measured"]) == (None, False)


@pytest.mark.parametrize("language", ["fr", "en"])
def test_the_workbook_reads_back(desk: Store, reference: Reference, tmp_path: Path, language: str) -> None:
    with in_language(language):
        report = day_report(day_figures(desk, DAY, now=NOW, zone=ZONE), reference, language)
        content = exports.xlsx_bytes(report)
    book = CalamineWorkbook.from_filelike(io.BytesIO(content))
    assert len(book.sheet_names) == len(report.sections) + 1
    for name, section in zip(book.sheet_names, report.sections, strict=False):
        rows = book.get_sheet_by_name(name).to_python(skip_empty_area=False)
        assert rows[3][1 : 1 + len(section.columns)] == list(section.columns)
        assert len(rows) == 4 + len(section.rows) + bool(section.total)
        for row, line in zip(section.rows, rows[4:], strict=False):
            for figure, cell in zip(row.cells, line[1:], strict=False):
                assert cell == (figure.value if figure.value is not None else cell)
    agents = book.get_sheet_by_name(book.sheet_names[6]).to_python()
    assert "=1+1" in [row[0] for row in agents], "a text stays a text"
    assert len(book.get_sheet_by_name(book.sheet_names[-1]).to_python()) == 1 + len(report.figures)


def write(desk: Store, report: DayReport, target: Path, form: str = "csv", *, overwrite: bool = False) -> int:
    return exports.export_day(desk, report, form=form, target=target, login="chef", now=NOW, overwrite=overwrite)


@pytest.mark.parametrize("form", sorted(exports.FORMATS))
def test_an_export_is_private_and_journalled(desk: Store, report: DayReport, tmp_path: Path, form: str) -> None:
    target = tmp_path / f"jour.{form}"
    assert write(desk, report, target, form) == len(report.figures)
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == [target.name], "no half file is left"
    with desk.read() as connection:
        [entry] = entries(connection, limit=1)
        assert verify(connection).first_fault is None
    assert (entry.agent, entry.action, entry.subject, entry.subject_id) == ("chef", "export", "day", "2022-05-31")
    assert entry.detail == {"form": form, "file": str(target), "rows": len(report.figures)}


@pytest.mark.parametrize("end", ["", "-wal", "-gate"])
def test_the_desk_itself_is_never_overwritten(desk: Store, report: DayReport, tmp_path: Path, end: str) -> None:
    before = desk.path.stat().st_ino
    (tmp_path / "link").symlink_to(desk.path.parent)
    for target in (Path(f"{desk.path}{end}"), tmp_path / "link" / f"{desk.path.name}{end}"):
        with pytest.raises(RuleBroken, match="desk's own file"):
            write(desk, report, target, overwrite=True)
    assert desk.path.stat().st_ino == before


def test_nothing_is_overwritten_unless_asked(desk: Store, report: DayReport, tmp_path: Path) -> None:
    target = tmp_path / "jour.csv"
    target.write_text("mine")
    with desk.read() as connection:
        before = entries(connection, limit=1)
    with pytest.raises(RuleBroken, match=r"jour\.csv exists already.*--force"):
        write(desk, report, target)
    assert target.read_text() == "mine"
    with desk.read() as connection:
        assert entries(connection, limit=1) == before
    write(desk, report, target, overwrite=True)
    assert target.read_bytes() == exports.csv_bytes(report)


def test_a_place_that_refuses_is_named_and_nothing_journalled(desk: Store, report: DayReport, tmp_path: Path) -> None:
    (tmp_path / "folder.csv").mkdir()
    with desk.read() as connection:
        before = entries(connection, limit=1)
    for target, overwrite in ((tmp_path / "nowhere" / "a.csv", False), (tmp_path / "folder.csv", True)):
        with pytest.raises(RuleBroken, match="cannot be written"):
            write(desk, report, target, overwrite=overwrite)
    with desk.read() as connection:
        assert entries(connection, limit=1) == before
    assert [path.name for path in tmp_path.iterdir()] == ["folder.csv"]
