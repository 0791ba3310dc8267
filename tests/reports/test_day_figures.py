"""The day's figures against a naive count, on days of every length."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from day_filling import add_calls, add_items, add_patients, empty
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import insert

from crisisdesk import clock
from crisisdesk.domain.kpi import COVERAGE_FACTS, coverage_of, half_hours
from crisisdesk.domain.reference import Reference
from crisisdesk.domain.words import Coverage
from crisisdesk.reports.coverage import by_service, by_site, desk_coverage, in_all
from crisisdesk.reports.day import day_report
from crisisdesk.reports.figures import day_figures
from crisisdesk.store import tables
from crisisdesk.store.engine import Store

ZONE = "Europe/Brussels"
SITES = [None, "arlon", "marche", "libramont", "virton"]
SPRING, PLAIN, AUTUMN = date(2022, 3, 27), date(2022, 5, 31), date(2022, 10, 30)
ON_REAL_FILES = settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


@pytest.mark.parametrize(("day", "hours"), [(SPRING, 23), (PLAIN, 24), (AUTUMN, 25)])
def test_a_local_day_has_its_own_number_of_half_hours(day: date, hours: int) -> None:
    slots = half_hours(*clock.day_bounds(day, ZONE), ZONE)
    assert len(slots) == 2 * hours
    assert len({slot.label for slot in slots}) == len(slots)
    assert {slot.start_at.astimezone(ZoneInfo(ZONE)).date() for slot in slots} == {day}


def test_the_doubled_hour_is_told_by_its_offset() -> None:
    labels = [slot.label for slot in half_hours(*clock.day_bounds(AUTUMN, ZONE), ZONE)]
    assert labels[3:9] == ["01:30", "02:00 +02:00", "02:30 +02:00", "02:00 +01:00", "02:30 +01:00", "03:00"]


def test_the_missing_hour_is_not_shown() -> None:
    labels = [slot.label for slot in half_hours(*clock.day_bounds(SPRING, ZONE), ZONE)]
    assert labels[3:5] == ["01:30", "03:00"]


calls = st.lists(
    st.fixed_dictionaries(
        {
            "day": st.sampled_from([SPRING, PLAIN, AUTUMN]),
            "minute": st.integers(-90, 26 * 60) | st.sampled_from([0, 30, 90, 120, 150, 23 * 60, 24 * 60, 25 * 60]),
            "micro": st.sampled_from([0, 1, 999_999]),
            "site_id": st.sampled_from(SITES),
            "topic": st.sampled_from([None, "results", "operation_postponed"]),
            "caller_kind": st.just(None) | st.just("self"),
            "seconds": st.none() | st.integers(-5, 900),
            "name": st.sampled_from(["", "Marie (papier)", "Jo"]),
        }
    ),
    max_size=40,
)


@ON_REAL_FILES
@given(calls=calls)
def test_every_dimension_adds_up_to_a_naive_count(desk: Store, reference: Reference, calls: list[dict]) -> None:
    empty(desk)
    kinds = [*reference.caller_kinds][:1]
    rows = []
    for call in calls:
        start = clock.day_bounds(call["day"], ZONE)[0] + timedelta(minutes=call["minute"], microseconds=call["micro"])
        end = None if call["seconds"] is None else start + timedelta(seconds=call["seconds"])
        kind = kinds[0] if call["caller_kind"] else None
        names = {"taken_by": None if call["name"] else 1, "taken_by_name": call["name"]}
        kept = {name: call[name] for name in ("site_id", "topic")}
        rows.append({"started_at": start, "ended_at": end, "caller_kind": kind, **kept, **names})
    add_calls(desk, rows)
    for day in (SPRING, PLAIN, AUTUMN):
        figures = day_figures(desk, day, now=datetime(2022, 12, 1, tzinfo=UTC), zone=ZONE)
        mine = [row for row in rows if row["started_at"].astimezone(ZoneInfo(ZONE)).date() == day]
        timed = [row for row in mine if row["ended_at"] and row["ended_at"] >= row["started_at"]]
        assert figures.total.calls == len(mine)
        assert figures.total.timed == len(timed)
        lengths = sum((row["ended_at"] - row["started_at"]).total_seconds() for row in timed)
        assert figures.total.seconds == pytest.approx(lengths, abs=0.002 * len(mine))
        for dimension in ("half_hour", "site", "topic", "caller_kind", "disposition", "agent"):
            assert sum(count.calls for count in figures.by(dimension)) == len(mine), dimension
        for dimension, column in (("site", "site_id"), ("topic", "topic"), ("caller_kind", "caller_kind")):
            found = {count.key: count.calls for count in figures.by(dimension)}
            assert found == Counter(row[column] for row in mine)
        slots = Counter(int((row["started_at"] - figures.start_at) / timedelta(minutes=30)) for row in mine)
        assert {slot.number: number for slot, number in figures.half_hours() if number} == slots
        report = day_report(figures, reference, "fr")
        sites = report.section("calls.site")
        assert sum(row.cells[0].value for row in sites.rows) == sites.total.cells[0].value == len(mine)


items = st.lists(
    st.fixed_dictionaries(
        {
            "site_id": st.sampled_from(SITES),
            "service": st.none() | st.integers(0, 2),
            "created": st.integers(-3, 3),
            "facts": st.dictionaries(st.sampled_from([fact for fact, _class in COVERAGE_FACTS]), st.integers(-3, 3)),
            "matched": st.booleans(),
        }
    ),
    max_size=30,
)


@ON_REAL_FILES
@given(items=items, day=st.sampled_from([SPRING, PLAIN, AUTUMN]), is_over=st.booleans())
def test_coverage_adds_up_and_agrees_with_the_rule_in_python(
    desk: Store, reference: Reference, items: list[dict], day: date, is_over: bool
) -> None:
    empty(desk)
    start, end = clock.day_bounds(day, ZONE)
    [patient] = add_patients(desk, 1, start)
    services = [*reference.services][:3]
    add_items(desk, [{"id": 1, "patient_id": patient, "created_at": start - timedelta(days=9), "site_id": "arlon"}])
    rows = []
    for item in items:
        facts = {fact: start + timedelta(hours=13 + 24 * days) for fact, days in item["facts"].items()}
        service = None if item["service"] is None else services[item["service"]]
        row = {"patient_id": patient, "site_id": item["site_id"], "service_id": service, **facts}
        made = start + timedelta(hours=1 + 24 * item["created"])
        rows.append({**row, "created_at": made, "matched_to_id": 1 if item["matched"] else None})
    add_items(desk, rows)
    figures = day_figures(desk, day, now=end + timedelta(days=9) if is_over else start + timedelta(hours=14), zone=ZONE)
    known = [row for row in rows if row["matched_to_id"] is None and (not is_over or row["created_at"] < end)]
    for row in known:
        row.update({fact: None for fact, _class in COVERAGE_FACTS if is_over and (row.get(fact) or start) >= end})
    expected = Counter((row["site_id"], row["service_id"], coverage_of(row)) for row in known)
    expected["arlon", None, Coverage.NEVER_TRIED] += 1
    found = {(row.site_id, row.service_id, state): number for row in by_service(figures.coverage)
             for state, number in row.items.items() if number}  # fmt: skip
    assert found == expected
    total = in_all(figures.coverage)
    assert total.total == sum(row.total for row in by_site(figures.coverage)) == expected.total()
    assert total.decided == sum(start <= row["decided_at"] < end for row in known if row.get("decided_at"))
    assert total.backlog + total.at_least(Coverage.DECIDED) == total.total
    report = day_report(figures, reference, "en")
    for key in ("coverage.site", "coverage.service"):
        section = report.section(key)
        for place in range(len(section.columns)):
            assert sum(row.cells[place].value for row in section.rows) == section.total.cells[place].value


def _callback(patient: int, site: str, now: datetime, **more: object) -> dict[str, object]:
    blank = {"released_at": None, "promised_from": None, "promised_until": None, "closed_at": None, "state": "waiting"}
    row = {"patient_id": patient, "site_id": site, "tier": 2, "due_at": now, "created_at": now, **blank, **more}
    return {**row, "state": "closed" if row["closed_at"] else "waiting"}


def test_callbacks_of_the_day(desk: Store, reference: Reference) -> None:
    empty(desk)
    start, end = clock.day_bounds(PLAIN, ZONE)
    nine, noon, before = start + timedelta(hours=9), start + timedelta(hours=12), start - timedelta(days=2)
    people = add_patients(desk, 5, before)
    window = {"promised_from": nine, "promised_until": noon}
    made = [
        _callback(people[0], "arlon", before, id=1, released_at=nine, **window),  # kept
        _callback(people[1], "arlon", before, id=2, released_at=before, **window),  # broken: rung too late
        _callback(people[2], "arlon", before, id=3, **window, closed_at=nine),  # the patient rang first
        _callback(people[3], "marche", before, id=4, released_at=end, promised_until=end),  # both of the next day
        _callback(people[4], "marche", nine, id=5),
    ]
    ten, late = nine + timedelta(hours=1), end - timedelta(seconds=1)
    rung = [(1, ten, "patient"), (2, noon, "nobody"), (2, late, "third_party"), (4, end, "patient")]
    with desk.write() as connection:
        connection.execute(insert(tables.callback), made)
        attempts = [
            {"uid": f"a{n}", "callback_id": callback, "agent_id": 1, "generation": 1, "started_at": at, "ended_at": at,
             "entered_at": at, "disposition": "x", "reach": reach, "next_step": "retry"}
            for n, (callback, at, reach) in enumerate(rung)
        ]  # fmt: skip
        connection.execute(insert(tables.attempt), attempts)
    figures = day_figures(desk, PLAIN, now=end + timedelta(days=1), zone=ZONE)
    found = {count.site_id: count for count in figures.callbacks}
    arlon, marche = found["arlon"], found["marche"]
    assert (arlon.released, arlon.attempts, arlon.attempted, arlon.contacts, arlon.right_party) == (1, 3, 2, 2, 1)
    assert (arlon.promised, arlon.kept, arlon.open) == (2, 1, 2)
    assert (marche.released, marche.attempts, marche.promised, marche.open) == (0, 0, 0, 2)
    summary = {figure.key: figure for figure in day_report(figures, reference, "fr").section("summary").figures}
    assert summary["callbacks.contact_rate"].value == pytest.approx(2 / 3)
    assert summary["callbacks.right_party_rate"].value == pytest.approx(1 / 3)
    assert (summary["callbacks.promises_kept"].numerator, summary["callbacks.promises_kept"].denominator) == (1, 2)
    at_eleven = day_figures(desk, PLAIN, now=noon - timedelta(hours=1), zone=ZONE)
    assert sum(count.promised for count in at_eleven.callbacks) == 0, "a window that is still open is no broken promise"


def test_what_was_not_measured_is_said_and_nothing_over_nothing_is_no_share(desk: Store, reference: Reference) -> None:
    empty(desk)
    report = day_report(day_figures(desk, PLAIN, now=datetime(2022, 6, 5, tzinfo=UTC), zone=ZONE), reference, "fr")
    summary = {figure.key: figure for figure in report.section("summary").figures}
    for key in ("offered", "abandoned", "service_level"):
        assert not summary[key].is_measured
        assert summary[key].value is None
    assert summary["red_flags"].value is None
    assert all(figure.definition for figure in report.figures)
    assert len({(figure.section, figure.key) for figure in report.figures}) == len(report.figures)


def test_coverage_now(desk: Store) -> None:
    empty(desk)
    now = datetime(2022, 5, 31, 8, tzinfo=UTC)
    [patient] = add_patients(desk, 1, now)
    add_items(desk, [{"patient_id": patient, "created_at": now, "site_id": "arlon", "tried_at": now}])
    [row] = desk_coverage(desk, now=now)
    assert (row.site_id, row.items[Coverage.TRIED], row.backlog) == ("arlon", 1, 1)
