"""The throttle: promises out at a time are what the coming days have free, and a set reserve; limits count too."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select
from test_openings_history import CALENDAR, MONDAY, confirmed_rows, read_history

from crisisdesk.desk.openingpreview import OpeningPreview
from crisisdesk.desk.reopening import OpeningForm, confirm_opening, preview_opening, revise_opening, top_up
from crisisdesk.domain.places import DayRoom, Places, Reach, Taken, within_reach
from crisisdesk.domain.words import OpeningState
from crisisdesk.store import tables
from waiting import World

TODAY = date(2022, 5, 31)


def surgery(world: World, capacity: int, **more: Any) -> OpeningForm:
    return OpeningForm(world.service(), more.pop("on", TODAY), capacity_a_day=capacity, **more)


def confirm(world: World, form: OpeningForm) -> OpeningPreview:
    return confirm_opening(world.store, form, agent=world.sonia, now=world.now)


def out(world: World) -> set[int]:
    """Callbacks that may be rung: promises that are out."""
    callback = tables.callback.c
    with world.store.read() as connection:
        found = select(callback.id).where(callback.released_at.is_not(None), callback.state != "closed")
        return set(connection.scalars(found))


def waiting(world: World, procedure: str = "Cataracte", **about: Any) -> int:
    callback_id = world.callback(**about)
    (item,) = world.items_of(callback_id)
    with world.store.write() as connection:
        where = tables.postponement.c.id == item
        connection.execute(tables.postponement.update().where(where).values(procedure=procedure))
    return callback_id


def test_twelve_a_day_for_ten_days_and_the_reserve(world: World) -> None:
    """12 a day, 10 days ahead, 10 % in reserve: 132 out; topped up as places are given, never beyond."""
    desk = world.reference.desk
    most = 12 * desk.release_days_ahead * (100 + desk.release_reserve_percent) // 100
    assert most == 132
    ids = [world.callback() for _number in range(150)]
    confirm(world, surgery(world, 12))
    assert out(world) == set(ids[:most])
    for number in ids[:20]:  # 20 places given: 100 are free, 112 are out
        world.ring(number, "accepts_date", slots={world.items_of(number)[0]: date(2022, 6, 3 if number % 2 else 7)})
    world.later(hours=1)
    assert top_up(world.store, now=world.now, again=True) == 0
    assert len(out(world)) == most - 20
    for number in ids[20:40]:
        world.ring(number, "declines", note="ne veut plus")
    # With a clinician now: nobody rings them, so that others may be promised those places.
    assert top_up(world.store, now=world.now, service_id=world.service()) == 18
    assert len(out(world) - set(ids[20:40])) == (12 * desk.release_days_ahead - 20) * 110 // 100 - 2 + 2


def test_the_next_day_brings_one_more_day_within_reach(world: World) -> None:
    for _number in range(40):
        world.callback()
    confirm(world, surgery(world, 3))
    before = len(out(world))
    first = sorted(out(world))[:3]
    for number in first:
        world.ring(number, "accepts_date", slots={world.items_of(number)[0]: date(2022, 6, 2)})
    world.now = datetime(2022, 6, 1, 8, 0, tzinfo=UTC)
    top_up(world.store, now=world.now)
    assert len(out(world)) == before, "a full day went by: another one came within reach"


def test_implants_are_released_only_where_implant_places_are(world: World) -> None:
    hips = [waiting(world, "PTH droite", priority="P2") for _number in range(30)]
    others = [waiting(world, priority="P3") for _number in range(30)]
    form = surgery(world, 4, limits={"implant": 1})
    ahead = preview_opening(world.store, form, now=world.now)
    assert confirm(world, form) == ahead
    released = out(world)
    assert released & set(hips) == set(hips[:11]), "one a day for ten days, and the reserve of 10 %"
    assert released >= set(others), "whoever needs no implant is not kept back by those who do"
    assert any("19 of them: implant" in reason for reason in ahead.stay_reasons)
    # The days offered: one hip a day, in order, from the first that the patient can prepare for.
    days = [one.slots[0] for one in ahead.first]
    assert len(set(days)) == len(days) == 10
    assert days == sorted(days)


def test_several_operations_of_one_patient_count_each(world: World) -> None:
    double = world.callback(items=2, priority="P2")
    single = [world.callback() for _number in range(3)]
    form = surgery(world, 1, on=date(2022, 6, 7), until_on=date(2022, 6, 9))
    confirm(world, form)
    assert out(world) == {double, single[0]}, "three days of one place: two operations, then one"


def test_told_places_and_callbacks_out_count_together_after_a_slip(world: World) -> None:
    """Whoever loses a day is owed one: those places are not promised to somebody else as well."""
    ids = [world.callback() for _number in range(20)]
    confirm(world, surgery(world, 1))
    for number in ids[:8]:
        day = date(2022, 6, 2) + timedelta(days=[0, 1, 5, 6, 7, 8, 11, 12][ids.index(number)])
        world.ring(number, "accepts_date", slots={world.items_of(number)[0]: day})
    done = revise_opening(
        world.store, surgery(world, 1, on=date(2022, 6, 20)), agent=world.sonia, now=world.later(hours=1)
    )
    assert len(done.withdrawn) == 8
    assert len(out(world)) == 11, "ten days and the reserve: eight are owed to those who were told"


def test_closing_calls_back_whoever_nobody_rang(world: World) -> None:
    ids = [world.callback() for _number in range(5)]
    confirm(world, surgery(world, 2))
    world.ring(ids[0], "busy")
    done = confirm(world, OpeningForm(world.service(), TODAY, OpeningState.CLOSED, reason="panne"))
    assert done.called_back == 4
    assert any("4 released callbacks that nobody has rung yet wait again" in note for note in done.notes)
    assert out(world) == {ids[0]}


def test_a_service_nobody_waits_for_says_so(world: World) -> None:
    seen = preview_opening(world.store, surgery(world, 2), now=world.now)
    assert seen.released == seen.staying == 0
    assert any("Nobody waits for this service" in note for note in seen.notes)


# ------------------------------------------------------------------ the rules alone


@given(
    confirmed_rows(), st.dictionaries(st.integers(0, 20), st.integers(0, 3), max_size=6), st.integers(1, 12),
    st.integers(0, 50),
)  # fmt: skip
def test_within_reach_is_what_the_days_have_free(rows: Any, booked: dict[int, int], days: int, percent: int) -> None:
    taken = {MONDAY + timedelta(days=step): Taken(count) for step, count in booked.items()}
    places = Places(read_history(rows), taken, MONDAY, CALENDAR)
    rooms = list(places)[:days]
    free = sum(room.places for room in rooms)
    reach = within_reach(places, days, percent)
    assert reach == Reach(free + free * percent // 100, {})
    given_away = [places.take(()) for _number in range(free)]
    assert None not in given_away
    assert [day for day in given_away if day] == sorted(day for day in given_away if day)


@given(st.lists(st.sets(st.sampled_from("ab")).map(sorted), max_size=12), st.integers(0, 8), st.integers(0, 4))
def test_a_day_never_gives_more_than_it_has(wanted: list[list[str]], places: int, limit: int) -> None:
    room = DayRoom(MONDAY, places, {"a": limit})
    taken = []
    for needs in wanted:
        if room.has(needs):
            room.take(needs)
            taken.append(needs)
    assert len(taken) <= places
    assert sum("a" in needs for needs in taken) <= limit
