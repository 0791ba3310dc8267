"""What holds on a day: ends, days off, limits; plans and confirmed rows beside each other."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crisisdesk.domain.opening import (
    History,
    OpeningRow,
    capacity_on,
    free_days,
    free_slots,
    limits_on,
    open_days,
    read_history,
)
from crisisdesk.domain.schedule import Calendar, is_service_day
from crisisdesk.domain.words import OpeningStage, OpeningState

MONDAY = date(2022, 6, 6)  # Whit Monday, a public holiday
CALENDAR = Calendar("Europe/Brussels", time(8), time(20), frozenset(range(6)), ("easter+50",))
DAYS = [MONDAY + timedelta(days=step) for step in range(30)]
PLANNED, ACTUAL = OpeningStage.PLANNED, OpeningStage.ACTUAL
REVISED, WITHDRAWN = OpeningStage.REVISED, OpeningStage.WITHDRAWN


def row(
    number: int, on: date, until: date | None = None, *, stage: OpeningStage = ACTUAL, places: int = 4
) -> OpeningRow:
    return OpeningRow(number, 1, stage, OpeningState.PARTIAL, on, places, until_on=until)


@st.composite
def confirmed_rows(draw: st.DrawFn) -> Sequence[OpeningRow]:
    rows = []
    for number in range(draw(st.integers(0, 6))):
        on = draw(st.sampled_from(DAYS))
        until = draw(st.none() | st.integers(0, 8).map(lambda step, on=on: on + timedelta(days=step)))
        rows.append(row(number, on, until, places=number + 1))
    return rows


@given(confirmed_rows())
def test_the_newest_row_that_covers_a_day_holds_on_it(rows: Sequence[OpeningRow]) -> None:
    history = read_history(rows)
    for day in DAYS:
        covering = [one for one in rows if one.opens_on <= day and (one.until_on is None or day <= one.until_on)]
        assert history.on(day) == (covering[-1] if covering else None)


@given(confirmed_rows(), st.sampled_from(DAYS), st.integers(0, 5))
def test_after_its_end_what_held_before_holds_again(rows: Sequence[OpeningRow], on: date, length: int) -> None:
    before = read_history(rows)
    until = on + timedelta(days=length)
    after = read_history([*rows, row(99, on, until)])
    for day in DAYS:
        if on <= day <= until:
            assert after.on(day) == row(99, on, until)
        else:
            assert after.on(day) == before.on(day)


@given(confirmed_rows(), st.sampled_from(DAYS))
def test_free_days_are_the_days_with_places(rows: Sequence[OpeningRow], first: date) -> None:
    history = read_history(rows)
    wanted = [(day, capacity_on(history, day, CALENDAR)) for day in DAYS if day >= first]
    found = [one for one in free_days(history, {}, first, CALENDAR) if one[0] <= DAYS[-1]]
    assert found == [pair for pair in wanted if pair[1]]
    assert free_slots(history, {}, first, 3, CALENDAR) == sum(
        count for _day, count in list(open_days(history, first, CALENDAR))[:3]
    )


def test_a_saturday_is_open_only_where_it_was_opened() -> None:
    saturday, sunday = date(2022, 6, 11), date(2022, 6, 12)
    usual = row(1, MONDAY)
    assert capacity_on(read_history([usual]), saturday, CALENDAR) == 0
    assert capacity_on(read_history([usual]), MONDAY, CALENDAR) == 0, "a public holiday"
    opened = replace(row(2, saturday, saturday, places=6), includes_days_off=True)
    history = read_history([usual, opened])
    assert capacity_on(history, saturday, CALENDAR) == 6
    assert capacity_on(history, sunday, CALENDAR) == 0
    assert [day for day, _free in free_days(history, {}, saturday, CALENDAR)][:2] == [saturday, date(2022, 6, 13)]
    assert not is_service_day(saturday, CALENDAR)


def test_limits_follow_the_row_in_force() -> None:
    usual = replace(row(1, MONDAY), limits={"implant": 2})
    less = replace(row(2, date(2022, 6, 8), date(2022, 6, 9)), limits={"implant": 0})
    history = read_history([usual, less])
    found = [limits_on(history, date(2022, 6, day)).get("implant") for day in (7, 8, 9, 10)]
    assert found == [2, 0, 0, 2]
    assert limits_on(History(), MONDAY) == {}


@pytest.mark.parametrize(
    ("rows", "planned", "held"),
    [
        ([row(1, DAYS[5], stage=PLANNED), row(2, DAYS[1])], None, [2]),
        # Some days that are confirmed leave a plan without an end where it was; one beside it too.
        ([row(1, DAYS[5], stage=PLANNED), row(2, DAYS[1], DAYS[2])], 1, [2]),
        ([row(1, DAYS[5], DAYS[6], stage=PLANNED), row(2, DAYS[1], DAYS[2])], 1, [2]),
        ([row(1, DAYS[5], DAYS[6], stage=PLANNED), row(2, DAYS[6], DAYS[8])], None, [2]),
        # A revision with an end changes its days; without one it takes the place of what it revises.
        ([row(1, DAYS[0]), row(2, DAYS[3], DAYS[4], stage=REVISED)], None, [1, 2]),
        ([row(1, DAYS[0]), row(2, DAYS[3], stage=REVISED)], None, [2]),
        (
            [row(1, DAYS[0]), row(2, DAYS[3], DAYS[4], stage=REVISED), row(3, DAYS[3], DAYS[5], stage=REVISED)],
            None, [1, 3],
        ),
        ([row(1, DAYS[0]), row(2, DAYS[3], DAYS[4]), row(3, DAYS[3], DAYS[4], stage=WITHDRAWN)], None, [1]),
    ],
)  # fmt: skip
def test_rows_add_up(rows: Sequence[OpeningRow], planned: int | None, held: Sequence[int]) -> None:
    history = read_history(rows)
    assert (history.planned.opening_id if history.planned else None) == planned
    assert [one.opening_id for one in history.confirmed] == held


def test_what_was_planned_on_any_day() -> None:
    evenings = [datetime.fromisoformat(f"2022-05-{day}T20:00:00+00:00") for day in (29, 30, 31)]
    rows = [
        replace(row(1, date(2022, 5, 31), stage=PLANNED), entered_at=evenings[0]),
        replace(row(2, date(2022, 6, 1), stage=REVISED), entered_at=evenings[1]),
        replace(row(3, date(2022, 6, 1)), entered_at=evenings[2]),
    ]
    known = [read_history(rows, as_of=evening) for evening in evenings]
    assert [one.planned.opens_on if one.planned else None for one in known] == [
        date(2022, 5, 31),
        date(2022, 6, 1),
        None,
    ]
    assert known[-1].on(date(2022, 6, 1)) == rows[2]
    assert read_history(rows, as_of=evenings[0] - timedelta(hours=1)) == History()


def test_the_next_change_and_the_next_opening() -> None:
    closed = replace(row(3, DAYS[4], DAYS[5]), state=OpeningState.CLOSED)
    history = read_history([row(1, DAYS[0]), row(2, DAYS[9]), closed])
    assert history.coming(DAYS[0]) is closed
    assert history.next_open(DAYS[3]) == DAYS[6], "what held before holds again"
    assert read_history([closed]).next_open(DAYS[0]) is None
    assert history.coming(DAYS[5]) == row(2, DAYS[9])
    assert history.coming(DAYS[9]) is None
    covered = read_history([row(1, DAYS[3]), row(2, DAYS[2])])
    assert covered.coming(DAYS[0]) == row(2, DAYS[2]), "what a newer row covers never comes"
    assert covered.coming(DAYS[2]) is None
