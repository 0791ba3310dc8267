"""The pure rules of the queue: place, calendar, what follows an attempt, capacity."""

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crisisdesk.domain.lease import Lease
from crisisdesk.domain.opening import OpeningRow, capacity_on, free_days, free_slots, read_history
from crisisdesk.domain.priority import URGENT, WaitingItem, clinical_limit, place
from crisisdesk.domain.schedule import (
    Calendar,
    add_service_days,
    day_start,
    is_calling_time,
    is_holiday,
    next_calling_time,
    next_in_part,
    next_other_part,
    part_of_day,
)
from crisisdesk.domain.words import OpeningStage, OpeningState, PartOfDay, Tier

ZONE = "Europe/Brussels"
BE = ("01-01", "05-01", "07-21", "08-15", "11-01", "11-11", "12-25", "easter+1", "easter+39", "easter+50")
CALENDAR = Calendar(ZONE, time(8), time(20), frozenset(range(6)), BE)
LIMITS = {
    "P1a": timedelta(hours=24), "P1b": timedelta(hours=72), "P2": timedelta(28), "P3": timedelta(84),
    "P4": timedelta(180), "P5": timedelta(180), "P6": timedelta(180), "uncoded": timedelta(84),
}  # fmt: skip
NOW = datetime(2022, 5, 31, 8, 0, tzinfo=UTC)
instants = st.integers(0, 6 * 365 * 86_400).map(
    lambda seconds: datetime(2022, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
)
items = st.builds(
    WaitingItem,
    st.integers(1, 10**6),
    st.sampled_from([None, "P1a", "P1b", "P2", "P3", "P4", "P5", "P6"]),
    st.one_of(st.none(), st.dates(date(2022, 1, 1), date(2023, 1, 1))),
    instants,
)


@given(st.lists(items, max_size=6), st.one_of(st.none(), instants))
def test_due_at_is_the_earliest_limit_or_promise(held: list[WaitingItem], promised: datetime | None) -> None:
    placed = place(held, limits=LIMITS, zone=ZONE, asked_at=NOW, promised_until=promised)
    limits = [clinical_limit(item, LIMITS, ZONE) for item in held] or [NOW + LIMITS["uncoded"]]
    assert placed.due_at == min([*limits, *([promised] if promised else [])])
    assert (placed.tier == Tier.URGENT) == any(item.priority in URGENT for item in held)


@given(st.lists(items, min_size=1, max_size=6), items)
def test_one_item_more_never_makes_a_patient_wait_longer(held: list[WaitingItem], more: WaitingItem) -> None:
    before = place(held, limits=LIMITS, zone=ZONE, asked_at=NOW)
    after = place([*held, more], limits=LIMITS, zone=ZONE, asked_at=NOW)
    assert (after.tier, after.due_at) <= (before.tier, before.due_at)


@given(st.lists(items, min_size=1, max_size=6), st.randoms())
def test_the_order_of_items_does_not_matter(held: list[WaitingItem], random: object) -> None:
    mixed = list(held)
    random.shuffle(mixed)  # type: ignore[attr-defined]
    first, second = (place(one, limits=LIMITS, zone=ZONE, asked_at=NOW) for one in (held, mixed))
    assert (first.tier, first.due_at) == (second.tier, second.due_at)


def test_uncoded_counts_as_p3() -> None:
    day = date(2022, 5, 17)
    uncoded, coded = (WaitingItem(1, code, day, NOW) for code in (None, "P3"))
    assert clinical_limit(uncoded, LIMITS, ZONE) == clinical_limit(coded, LIMITS, ZONE)


def test_an_escalation_stays_when_the_items_change() -> None:
    item = WaitingItem(1, "P4", date(2022, 5, 17), NOW)
    kept = place([item], limits=LIMITS, zone=ZONE, asked_at=NOW, kept={"escalated": {"at": "x"}, "rule": "asked"})
    assert kept.tier == Tier.ESCALATED
    assert kept.why["rule"] == "limit"


@pytest.mark.parametrize(
    ("day", "is_off"),
    [
        (date(2022, 5, 26), True),  # Ascension
        (date(2022, 6, 6), True),  # Whit Monday: shifted the real restart by a day
        (date(2026, 4, 6), True), (date(2026, 5, 14), True), (date(2026, 5, 25), True),
        (date(2027, 3, 29), True), (date(2027, 5, 6), True), (date(2027, 5, 17), True),
        (date(2022, 7, 21), True), (date(2022, 6, 7), False),
    ],
)  # fmt: skip
def test_belgian_holidays(day: date, is_off: bool) -> None:
    assert is_holiday(day, CALENDAR) == is_off


@given(instants)
def test_the_next_calling_time_is_one_and_not_before(instant: datetime) -> None:
    found = next_calling_time(instant, CALENDAR)
    assert found >= instant
    assert is_calling_time(found, CALENDAR)
    assert next_calling_time(found, CALENDAR) == found


@given(instants, st.sampled_from(PartOfDay))
def test_a_wanted_part_of_the_day_is_kept(instant: datetime, wanted: PartOfDay) -> None:
    found = next_in_part(instant, wanted, CALENDAR)
    assert found >= instant
    assert is_calling_time(found, CALENDAR)
    assert wanted in (PartOfDay.ANY, part_of_day(found, CALENDAR))
    other = next_other_part(instant, instant, CALENDAR)
    assert part_of_day(other, CALENDAR) != part_of_day(instant, CALENDAR)


@pytest.mark.parametrize(("day", "hours"), [(date(2026, 3, 29), 23), (date(2026, 10, 25), 25), (date(2026, 5, 1), 24)])
def test_days_have_23_to_25_hours(day: date, hours: int) -> None:
    noon = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
    start = day_start(noon, CALENDAR)
    assert day_start(noon + timedelta(days=1), CALENDAR) - start == timedelta(hours=hours)


def test_calling_hours_are_those_of_the_wall_clock() -> None:
    winter, summer = datetime(2026, 10, 26, 6, 30, tzinfo=UTC), datetime(2026, 10, 23, 6, 30, tzinfo=UTC)
    assert not is_calling_time(winter, CALENDAR)  # 07:30
    assert is_calling_time(summer, CALENDAR)  # 08:30


def test_a_part_that_calling_hours_never_reach_counts_as_any() -> None:
    short = Calendar(ZONE, time(9), time(16), frozenset(range(5)), ())
    assert next_in_part(NOW, PartOfDay.EVENING, short) == NOW


def test_service_days_skip_weekends_and_holidays() -> None:
    assert add_service_days(date(2022, 6, 3), 1, CALENDAR) == date(2022, 6, 7)  # over Whit Monday
    assert add_service_days(date(2022, 6, 4), 0, CALENDAR) == date(2022, 6, 7)


def row(number: int, stage: OpeningStage, state: OpeningState, on: date, capacity: int | None = None) -> OpeningRow:
    return OpeningRow(number, 1, stage, state, on, capacity, entered_at=NOW + timedelta(hours=number))


def test_history_adds_up() -> None:
    closed = row(1, OpeningStage.ACTUAL, OpeningState.CLOSED, date(2022, 5, 14))
    planned = row(2, OpeningStage.PLANNED, OpeningState.PARTIAL, date(2022, 6, 2), 12)
    revised = row(3, OpeningStage.REVISED, OpeningState.PARTIAL, date(2022, 6, 7), 12)
    actual = row(4, OpeningStage.ACTUAL, OpeningState.PARTIAL, date(2022, 6, 7), 10)
    slipped = row(5, OpeningStage.REVISED, OpeningState.PARTIAL, date(2022, 6, 9), 10)
    gone = row(6, OpeningStage.WITHDRAWN, OpeningState.PARTIAL, date(2022, 6, 9))
    rows = [closed, planned, revised, actual, slipped, gone]
    assert read_history(rows[:2]).planned == planned
    assert read_history(rows[:3]).planned == revised
    assert read_history(rows[:3], as_of=NOW + timedelta(hours=2)).planned == planned
    assert read_history(rows[:3]).on(date(2022, 6, 8)) == closed  # a plan opens nothing
    assert read_history(rows[:4]).on(date(2022, 6, 8)) == actual
    after = read_history(rows[:5])
    assert (after.on(date(2022, 6, 8)), after.on(date(2022, 6, 9))) == (closed, slipped)
    assert read_history(rows).confirmed == (closed,)


rows_strategy = st.lists(
    st.tuples(
        st.sampled_from(OpeningStage), st.sampled_from(OpeningState), st.dates(date(2022, 5, 14), date(2022, 7, 1)),
        st.one_of(st.none(), st.integers(1, 20)),
    ),
    max_size=8,
)  # fmt: skip


@given(rows_strategy, st.dictionaries(st.dates(date(2022, 6, 1), date(2022, 7, 1)), st.integers(0, 30)))
def test_no_day_offers_more_than_it_has(rows: list[tuple], booked: dict[date, int]) -> None:  # type: ignore[type-arg]
    history = read_history(row(n, *values) for n, values in enumerate(rows))
    first = date(2022, 6, 1)
    offered = []
    for day, free in free_days(history, booked, first, CALENDAR):
        assert 0 < free == capacity_on(history, day, CALENDAR) - booked.get(day, 0)
        assert day.weekday() < 5
        offered.append(day)
    assert offered == sorted(set(offered))
    assert free_slots(history, booked, first, 5, CALENDAR) >= 0


def test_a_lease_is_renewed_by_half() -> None:
    lease = Lease(1, 2, 3, NOW + timedelta(seconds=600))
    assert lease.is_live(NOW)
    assert not lease.is_live(lease.until)
    assert not lease.wants_renewal(NOW, 600)
    later = NOW + timedelta(seconds=301)
    assert lease.wants_renewal(later, 600)
    assert lease.renewed(later, 600).until == later + timedelta(seconds=600)
    assert lease.renewed(NOW - timedelta(hours=1), 600).until == lease.until
