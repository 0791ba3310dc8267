"""When a queue is empty: the interval of a share, the slower of places and calls, and what one more changes."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import insert, update

from crisisdesk.desk.forecasting import forecast_opening
from crisisdesk.desk.forecastwords import forecast_lines, headline
from crisisdesk.desk.reopening import OpeningForm, confirm_opening, revise_opening
from crisisdesk.domain.forecast import (
    CALLS,
    PLACES,
    Load,
    Pace,
    Range,
    Room,
    look_out,
    measured_rate,
    measured_share,
    wilson,
    with_more_places,
)
from crisisdesk.domain.words import OpeningState
from crisisdesk.errors import RuleBroken
from crisisdesk.store import tables
from waiting import World

TUESDAY = date(2022, 6, 7)
DAYS = [TUESDAY + timedelta(days=step) for step in range(60)]


@pytest.mark.parametrize(
    ("part", "whole", "low", "high"),
    [
        # Brown, Cai, DasGupta 2001 and R's prop.test(correct=FALSE).
        (0, 10, 0.0, 0.2775),
        (5, 10, 0.2366, 0.7634),
        (10, 10, 0.7225, 1.0),
        (81, 263, 0.2553, 0.3662),
        (0, 0, 0.0, 1.0),
    ],
)
def test_the_interval_of_a_share(part: int, whole: int, low: float, high: float) -> None:
    assert wilson(part, whole) == pytest.approx((low, high), abs=0.0005)


def test_too_few_cases_are_not_a_measurement() -> None:
    assert measured_share(20, 29, (0.4, 0.7)) == Range(0.4, 0.7, 20, 29, is_assumed=True)
    assert not measured_share(20, 30, (0.4, 0.7)).is_assumed
    assert measured_rate(10, 2, (40, 70)).is_assumed
    rate = measured_rate(400, 10, (40, 70))
    assert (rate.low, rate.high, rate.is_assumed) == (pytest.approx(36.08), pytest.approx(43.92), False)


def sure(value: float) -> Range:
    return Range(value, value, 0, 0, is_assumed=False)


def outlook(operations: int, places: int, *, calls: float = 1000, needing: dict[str, int] | None = None) -> Any:
    pace = Pace(sure(0.5), sure(calls), 1)
    rooms = [Room(day, places, {"implant": 1}) for day in DAYS]
    load = Load(operations, operations, needing or {})
    return look_out(load, sure(1), pace, lambda: rooms, lambda: iter(DAYS))


def test_the_slower_one_decides() -> None:
    found = outlook(24, 12)
    assert (found.empty.earliest, found.empty.latest, found.bottleneck) == (DAYS[1], DAYS[1], PLACES)
    found = outlook(24, 12, calls=4)  # two patients reached a day
    assert (found.empty.latest, found.bottleneck) == (DAYS[11], CALLS)
    found = outlook(24, 12, needing={"implant": 5})
    assert (found.empty.latest, found.bottleneck) == (DAYS[4], "implant")
    assert outlook(1000, 12).empty.latest is None
    assert outlook(10, 0).empty.latest is None


@given(
    st.integers(1, 200), st.integers(1, 12), st.floats(0.05, 1), st.floats(0.05, 1), st.floats(1, 80), st.integers(1, 5)
)  # fmt: skip
def test_more_of_anything_is_never_later(
    operations: int, places: int, one: float, other: float, calls: float, agents: int
) -> None:
    low, high = sorted((one, other))
    share = Range(low, high, 0, 0, is_assumed=True)
    load, rooms = Load(operations, operations), [Room(day, places) for day in DAYS]

    def empty(places: int = 0, agents: int = agents, load: Load = load) -> date:
        pace = Pace(share, sure(calls), agents)
        found = look_out(load, share, pace, lambda: with_more_places(rooms, places), lambda: iter(DAYS)).empty
        assert (found.earliest or date.max) <= (found.latest or date.max)
        return found.latest or date.max

    assert empty(places=1) <= empty()
    assert empty(agents=agents + 1) <= empty()
    assert empty() <= empty(load=Load(operations + 5, operations + 5))


# ------------------------------------------------------------------ on a desk


def opened(world: World, capacity: int = 12, **more: Any) -> None:
    form = OpeningForm(world.service(), date(2022, 5, 31), capacity_a_day=capacity, **more)
    confirm_opening(world.store, form, agent=world.sonia, now=world.now)


def rung(
    world: World, count: int, reached: int, *, days: int = 2, site_id: str = "arlon", undone: bool = False
) -> None:
    """Attempts of the last days, on a callback of the site."""
    callback_id = world.callback(site_id=site_id, released=True)
    rows = []
    for number in range(count):
        at = world.now - timedelta(days=1 + number % days, minutes=number % 50)
        rows.append({
            "uid": f"{site_id}-{undone}-{number}", "callback_id": callback_id, "agent_id": world.amelie.agent_id,
            "generation": 1, "number": "+32470000000", "started_at": at, "ended_at": at, "entered_at": at,
            "disposition": "informed" if number < reached else "no_answer",
            "reach": "patient" if number < reached else "nobody", "next_step": "retry",
            "undone_at": world.now if undone else None,
        })  # fmt: skip
    with world.store.write() as connection:
        connection.execute(insert(tables.attempt), rows)


def test_too_little_is_assumed_and_said(world: World) -> None:
    opened(world)
    for _number in range(30):
        world.callback()
    found = forecast_opening(world.store, world.service(), now=world.now)
    assert found.contact.is_assumed
    assert found.backlog == {"P3": 30}
    text = "\n".join(forecast_lines(found, world.reference))
    assert "ASSUMED 40 to 70 % (only 0 of 0 attempts of 7 days)" in text
    assert "ASSUMED 40 to 70 a day an agent" in text
    assert "Owed: 30 (P3 30)" in text
    # 30 patients, 12 a day from 2 June (two days of notice): 70 % of them fit in two days, 95 % in three.
    assert (found.now.by[PLACES].earliest, found.now.by[PLACES].latest) == (date(2022, 6, 3), date(2022, 6, 7))


def test_what_was_rung_at_this_site_is_measured_and_undone_counts_nowhere(world: World) -> None:
    opened(world)
    rung(world, 60, 45)
    rung(world, 60, 0, undone=True)
    rung(world, 60, 0, site_id="marche")
    found = forecast_opening(world.store, world.service(), now=world.now)
    assert (found.contact.part, found.contact.whole, found.contact.is_assumed) == (45, 60, False)
    assert (found.calls_per_agent.part, found.calls_per_agent.whole, found.agents) == (60, 2, 1.0)
    text = "\n".join(forecast_lines(found, world.reference))
    assert "measured (45 of 60 attempts of 7 days)" in text
    assert "measured (60 in 2 agent-days); 1 agent rings a day" in text
    later = world.now + timedelta(days=8)
    assert forecast_opening(world.store, world.service(), now=later).contact.whole == 0, "the last seven days only"


def test_one_more_room_and_one_more_agent(world: World) -> None:
    for _number in range(120):
        world.callback()
    opened(world, rooms=4)
    found = forecast_opening(world.store, world.service(), now=world.now)
    assert found.more_places == 3
    assert found.now.bottleneck == PLACES
    assert found.with_room.empty.latest < found.now.empty.latest  # type: ignore[operator]
    assert found.with_agent.empty.latest == found.now.empty.latest
    text = "\n".join(forecast_lines(found, world.reference))
    assert "the number of places decides" in text
    assert "One more room (+3 a day): between" in text
    assert "One more agent: changes nothing." in text


def test_calls_may_be_what_is_short(world: World) -> None:
    for _number in range(100):
        world.callback()
    opened(world, 200)
    rung(world, 40, 8, days=4)  # ten calls a day, one patient in five
    found = forecast_opening(world.store, world.service(), now=world.now)
    assert found.now.bottleneck == CALLS
    assert found.with_agent.empty.earliest < found.now.empty.earliest  # type: ignore[operator]
    assert "the number of calls decides" in headline(found, world.reference)


def test_implants_are_a_bottleneck_of_their_own(world: World) -> None:
    for _number in range(20):
        world.callback()  # PTH hanche
    other = world.callback()
    with world.store.write() as connection:
        where = tables.postponement.c.id == world.items_of(other)[0]
        connection.execute(update(tables.postponement).where(where).values(procedure="Cataracte"))
    opened(world, limits={"implant": 1})
    found = forecast_opening(world.store, world.service(), now=world.now)
    assert found.needing == {"implant": 20}
    assert found.now.bottleneck == "implant"
    text = "\n".join(forecast_lines(found, world.reference))
    assert "the limit 'implant' decides" in text
    assert "Need implant: 20 of 21" in text


def test_a_plan_is_forecast_as_it_stands_and_a_form_before_it_is_stored(world: World) -> None:
    for _number in range(15):
        world.callback()
    planned = forecast_opening(world.store, world.service(), now=world.now)
    assert planned.is_planned
    assert planned.row.limits == {"implant": 2}
    form = OpeningForm(world.service(), date(2022, 6, 20), capacity_a_day=1)
    asked = forecast_opening(world.store, world.service(), now=world.now, form=form)
    assert asked.now.by[PLACES].earliest == date(2022, 7, 4)  # eleven working days of one place
    closed = OpeningForm(world.service("cardiology"), date(2022, 6, 1), OpeningState.CLOSED)
    never = forecast_opening(world.store, closed.service_id, now=world.now, form=closed)
    assert "queue is empty" in headline(never, world.reference)
    with pytest.raises(RuleBroken, match="Nothing is planned or open"):
        forecast_opening(world.store, closed.service_id, now=world.now)


def test_a_slip_is_forecast_without_the_days_that_it_gives_up(world: World) -> None:
    """What was confirmed for the days before the new one counts no more before the slip is stored, as it will after."""
    for _number in range(15):
        world.callback()
    form = OpeningForm(world.service(), date(2022, 6, 1), capacity_a_day=3)
    confirm_opening(world.store, form, agent=world.sonia, now=world.now)
    slip = OpeningForm(world.service(), date(2022, 6, 20), capacity_a_day=3)
    asked = forecast_opening(world.store, world.service(), now=world.now, form=slip, revises=True)
    revise_opening(world.store, slip, agent=world.sonia, now=world.now)
    stored = forecast_opening(world.store, world.service(), now=world.now)
    assert asked.now.by[PLACES] == stored.now.by[PLACES]
    assert asked.now.by[PLACES].earliest > date(2022, 6, 20)


def test_places_told_are_not_given_twice(world: World) -> None:
    opened(world, 1)
    ids = [world.callback(released=True) for _number in range(4)]
    before = forecast_opening(world.store, world.service(), now=world.now)
    world.ring(ids[0], "accepts_date", slots={world.items_of(ids[0])[0]: date(2022, 6, 3)})
    after = forecast_opening(world.store, world.service(), now=world.now)
    assert after.booked == 1
    assert after.operations == 3
    assert after.now.by[PLACES].latest == before.now.by[PLACES].latest == date(2022, 6, 8)


def test_weekends_and_holidays_are_off(world: World) -> None:
    for _number in range(4):
        world.callback()
    world.now = datetime(2022, 6, 1, 8, 0, tzinfo=UTC)
    opened_form = OpeningForm(world.service(), date(2022, 6, 3), capacity_a_day=1)
    confirm_opening(world.store, opened_form, agent=world.sonia, now=world.now)
    found = forecast_opening(world.store, world.service(), now=world.now)
    # Friday 3, then Tuesday 7 (Whit Monday is off), Wednesday 8, Thursday 9: three or four of four accept.
    assert (found.now.by[PLACES].earliest, found.now.by[PLACES].latest) == (date(2022, 6, 8), date(2022, 6, 9))
