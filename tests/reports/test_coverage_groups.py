"""Coverage by site, care type and week: sums hold for random data, one condition feeds count, list and file."""

import csv
import io
import json
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, insert, select, update

from crisisdesk.desk.reference import data_folder, init_desk, load_reference
from crisisdesk.desk.uncovered import list_named
from crisisdesk.domain.coverage import (
    ALL,
    CoverageGroup,
    Standing,
    Wanted,
    days_of,
    monday_of,
    standing_of,
    week_of,
)
from crisisdesk.domain.kpi import COVERAGE_FACTS, coverage_of
from crisisdesk.domain.reference import Reference
from crisisdesk.domain.words import Coverage
from crisisdesk.errors import RuleBroken
from crisisdesk.reports.coverage import read_wanted, report_of_coverage
from crisisdesk.reports.coveragefiles import COLUMNS, coverage_bytes, export_coverage
from crisisdesk.store import tables
from crisisdesk.store.coverage import count_groups, list_items
from crisisdesk.store.engine import Store, open_desk
from crisisdesk.store.items import is_unsettled

NOW = datetime(2022, 5, 31, 8, 0, tzinfo=UTC)
SITES = (None, "arlon", "marche")
DAYS = (None, date(2022, 5, 29), date(2022, 5, 30), date(2022, 6, 5), date(2022, 6, 6), date(2021, 1, 3))
DECISIONS = ("", "treated_elsewhere", "wants_to_wait", "left_to_service", "clinician", "deceased")


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    path = tmp_path_factory.mktemp("coverage") / "a.desk"
    init_desk(path, data_folder(), admin_login="chef", now=NOW)
    store = open_desk(path)
    with store.write() as connection:
        people = [{"id": n, "created_at": NOW, "last_name": f"P{n}", "name_key": f"p{n}"} for n in range(1, 7)]
        connection.execute(insert(tables.patient), people)
        dead = update(tables.patient).where(tables.patient.c.id == 6)
        connection.execute(dead.values(death_reported_at=NOW, death_confirmed_by=1))
    yield store
    store.close()


@st.composite
def postponements(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Rows with any facts, also such as no path of the desk leaves behind."""
    rows = []
    for number in range(1, draw(st.integers(0, 25)) + 1):
        site = draw(st.sampled_from(SITES))
        service = draw(st.sampled_from((None, 1, 2, 3))) if site == "arlon" else None
        facts = {fact: draw(st.sampled_from((None, NOW))) for fact, _state in COVERAGE_FACTS}
        rows.append({
            "id": number, "patient_id": draw(st.integers(1, 6)), "site_id": site, "service_id": service,
            "kind": draw(st.sampled_from((None, "surgery", "exam"))), "original_on": draw(st.sampled_from(DAYS)),
            "matched_to_id": 1 if number > 1 and draw(st.booleans()) and draw(st.booleans()) else None,
            "decision": draw(st.sampled_from(DECISIONS)), "handed_over_at": draw(st.sampled_from((None, None, NOW))),
            "source": "list", "created_at": NOW, **facts,
        })  # fmt: skip
    return rows


def fill(store: Store, rows: list[dict[str, Any]]) -> None:
    with store.write() as connection:
        for table in (tables.callback_item, tables.callback):
            connection.execute(delete(table))
        connection.execute(update(tables.postponement).values(matched_to_id=None))
        connection.execute(delete(tables.postponement))
        if rows:
            connection.execute(insert(tables.postponement), rows)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=postponements())
def test_every_postponement_is_counted_once_and_named_where_it_is_counted(
    desk: Store, rows: list[dict[str, Any]]
) -> None:
    fill(desk, rows)
    reference = load_reference(desk)
    counted = {row["id"]: row for row in rows if row["matched_to_id"] is None}
    with desk.read() as connection:
        groups = count_groups(connection)
        named = [(group, list_items(connection, group.wanted, list(Coverage))) for group in groups]
        owed = set(connection.scalars(select(tables.postponement.c.id).where(is_unsettled()))) - {
            row["id"] for row in rows if row["patient_id"] == 6
        }
        parts = [count_groups(connection, Wanted(site_id=site or "")) for site in SITES]
    assert sum(group.total for group in groups) == len(counted)
    assert sorted(item.postponement_id for _group, items in named for item in items) == sorted(counted)
    for group, items in named:
        assert Counter(item.coverage for item in items) == Counter({k: n for k, n in group.items.items() if n})
        assert all(item.coverage == coverage_of(counted[item.postponement_id]) for item in items)
        assert {(item.site_id, item.kind, week_of(item.original_on)) for item in items} == {
            (group.site_id, group.kind, group.week)
        }
        assert group.owed == sum(item.is_owed for item in items) == len(owed & {one.postponement_id for one in items})
        assert group.dead == sum(item.is_dead for item in items)
        assert group.handed_over == sum(item.handed_over_at is not None for item in items)
        due = [
            item for item in items
            if not item.is_dead and not (item.coverage is Coverage.NEVER_TRIED and item.handed_over_at)
        ]  # fmt: skip
        assert (group.due, group.tried) == (len(due), sum(item.coverage is not Coverage.NEVER_TRIED for item in due))
    assert sum(group.total for part in parts for group in part) == len(counted), "sites add up, none too"
    report = report_of_coverage(desk, reference=reference, now=NOW)
    assert report.total.group.total == len(counted)
    assert report.alarms == sum(line.standing is Standing.ALARM for line in report.lines)
    only = report_of_coverage(desk, reference=reference, now=NOW, alarms_only=True)
    assert (len(only.lines), only.hidden) == (report.alarms, len(report.lines) - report.alarms)
    rows_of_file = list(csv.DictReader(io.StringIO(coverage_bytes(report, "csv").decode())))
    assert sum(int(row["total"]) for row in rows_of_file) == len(counted)


def item(number: int, **values: Any) -> dict[str, Any]:
    blank = dict.fromkeys(("service_id", "matched_to_id", "handed_over_at", *(fact for fact, _s in COVERAGE_FACTS)))
    row = {"id": number, "patient_id": 1, "site_id": "arlon", "kind": "surgery", "original_on": date(2022, 5, 30)}
    return {**blank, **row, "decision": "", "source": "list", "created_at": NOW, **values}


@pytest.mark.parametrize(
    ("tried", "due", "standing"),
    [
        (80, 100, Standing.COVERED), (79, 100, Standing.ALARM), (4, 5, Standing.COVERED), (0, 1, Standing.ALARM),
        (0, 0, Standing.NOTHING_DUE), (799, 1000, Standing.ALARM),
    ],
)  # fmt: skip
def test_an_alarm_is_under_the_share_and_not_at_it(tried: int, due: int, standing: Standing) -> None:
    group = CoverageGroup("arlon", "surgery", "2022-W22", {}, due=due, tried=tried)
    assert standing_of(group, today=date(2022, 5, 30), percent=80) is standing


@pytest.mark.parametrize(
    ("today", "standing"), [(date(2022, 5, 29), Standing.TO_COME), (date(2022, 5, 30), Standing.ALARM)]
)
def test_a_week_that_has_not_begun_is_not_measured(
    desk: Store, reference: Reference, today: date, standing: str
) -> None:
    fill(desk, [item(1)])
    now = datetime(today.year, today.month, today.day, 10, tzinfo=UTC)
    (line,) = report_of_coverage(desk, reference=reference, now=now).lines
    assert line.standing is standing
    assert line.figure.is_measured == (standing is Standing.ALARM)
    csv_line = coverage_bytes(report_of_coverage(desk, reference=reference, now=now), "csv").decode()
    assert ("not measured" in csv_line) == (standing is Standing.TO_COME)


def test_weeks_are_those_of_the_calendar() -> None:
    assert week_of(date(2021, 1, 3)) == "2020-W53"
    assert week_of(None) == ""
    assert days_of("2022-W22") == (date(2022, 5, 30), date(2022, 6, 6))
    assert monday_of("2022w5") == date(2022, 1, 31)
    for day in (date(2019, 12, 30) + timedelta(days=n) for n in range(1500)):
        first, end = days_of(week_of(day))
        assert first <= day < end


@pytest.mark.parametrize(
    ("typed", "wanted"),
    [
        ({}, ALL), ({"week": "2022-w5"}, Wanted(week="2022-W05")), ({"week": "-", "kind": "-"}, Wanted(None, "", "")),
        ({"site_id": "arlon", "kind": "exam"}, Wanted("arlon", "exam")),
    ],
)  # fmt: skip
def test_a_filter_is_read(reference: Reference, typed: dict[str, str], wanted: Wanted) -> None:
    assert read_wanted(reference, **typed) == wanted


@pytest.mark.parametrize("typed", [{"kind": "garden"}, {"week": "2022-W53"}, {"week": "22"}, {"week": "2022-W00"}])
def test_what_is_no_filter_is_refused(reference: Reference, typed: dict[str, str]) -> None:
    with pytest.raises(RuleBroken, match=next(iter(typed.values()))):
        read_wanted(reference, **typed)


def test_the_uncovered_are_named_with_what_keeps_them_out(desk: Store) -> None:
    fill(desk, [
        item(1), item(2, patient_id=2, handed_over_at=NOW), item(3, patient_id=6),
        item(4, patient_id=3, tried_at=NOW, decided_at=NOW, decision="treated_elsewhere"),
        item(5, patient_id=4, tried_at=NOW, site_id=None), item(6, patient_id=5, service_id=1),
    ])  # fmt: skip
    with desk.write() as connection:
        row = {"patient_id": 5, "site_id": "arlon", "tier": 2, "due_at": NOW, "created_at": NOW, "hold": "review"}
        number = connection.execute(insert(tables.callback).values(row).returning(tables.callback.c.id)).scalar_one()
        connection.execute(insert(tables.callback_item).values(callback_id=number, postponement_id=6, added_at=NOW))
    found = {one.postponement_id: one for one in list_named(desk, ALL, now=NOW).items}
    assert {number: one.reason for number, one in found.items()} == {
        1: "no_queue", 2: "handed_over", 3: "deceased", 5: "no_queue", 6: "review",
    }  # fmt: skip
    assert "clinician" in found[6].why_not
    everybody = list_named(desk, ALL, tuple(Coverage), now=NOW)
    assert everybody.count == 6
    assert next(one for one in everybody.items if one.postponement_id == 4).reason == "settled"
    first = list_named(desk, ALL, now=NOW, limit=2)
    assert (len(first.items), first.count) == (2, 5)


def test_files_hold_what_the_screen_shows(desk: Store, reference: Reference, tmp_path: Path) -> None:
    fill(desk, [item(1), item(2, tried_at=NOW), item(3, site_id=None, kind=None, original_on=None)])
    with desk.write() as connection:
        patient = tables.patient
        connection.execute(update(patient).where(patient.c.id == 1).values(last_name="=1+1"))
    report = report_of_coverage(desk, reference=reference, now=NOW)
    names = list_named(desk, ALL, now=NOW).items
    rows = list(csv.reader(io.StringIO(coverage_bytes(report, "csv").decode())))
    assert tuple(rows[0]) == COLUMNS
    assert [row[:3] for row in rows[1:]] == [["arlon", "surgery", "2022-W22"], ["", "", ""]]
    named = coverage_bytes(report, "csv", names).decode()
    assert "'=1+1" in named
    value = json.loads(coverage_bytes(report, "json", names))
    assert value["total"]["total"] == 3
    assert len(value["names"]) == 3
    assert value["groups"][0]["share"] == 0.5
    import python_calamine

    target = tmp_path / "a.xlsx"
    assert export_coverage(desk, report, form="xlsx", target=target, login="chef", now=NOW, names=names) == 3
    book = python_calamine.CalamineWorkbook.from_path(str(target))
    assert len(book.sheet_names) == 3
    assert any(str(cell) == "=1+1" for row in book.get_sheet_by_index(1).to_python() for cell in row)
    journal = tables.journal.c
    with desk.read() as connection:
        told = connection.execute(select(journal.subject, journal.subject_id).where(journal.action == "export")).all()
    assert tuple(told[-1]) == ("coverage", "names")


def test_the_count_reads_the_index_alone(desk: Store) -> None:
    seen: list[str] = []
    with desk.read() as connection:
        driver: Any = connection.connection.driver_connection
        driver.set_trace_callback(seen.append)
        count_groups(connection)
        driver.set_trace_callback(None)
        plans = [row[3] for sql in seen for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}")]
    assert any("COVERING INDEX postponement_site" in plan for plan in plans)
    assert not any("TEMP B-TREE" in plan for plan in plans)
