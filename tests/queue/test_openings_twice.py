"""A service that is changed for some days and then changed again: nothing said before is undone in silence."""

from datetime import date

from sqlalchemy import func, select

from crisisdesk.desk.booking import offer_slots
from crisisdesk.desk.reopening import OpeningForm, confirm_opening, preview_opening, revise_opening
from crisisdesk.domain.words import OpeningState
from crisisdesk.store import tables
from waiting import World

WEDNESDAY, THURSDAY, NEXT = date(2022, 6, 8), date(2022, 6, 9), date(2022, 6, 15)


def opened(world: World) -> None:
    form = OpeningForm(world.service(), world.now.date(), capacity_a_day=12)
    confirm_opening(world.store, form, agent=world.sonia, now=world.now)


def revise(world: World, day: date, capacity: int | None, until: date | None = None) -> int:
    """Revise the service; gives how many told days were taken back, which the preview said too."""
    state = OpeningState.CLOSED if capacity is None else OpeningState.PARTIAL
    form = OpeningForm(world.service(), day, state, capacity, "panne", until_on=until)
    ahead = preview_opening(world.store, form, now=world.later(minutes=1), revises=True)
    done = revise_opening(world.store, form, agent=world.sonia, now=world.now)
    assert ahead.withdrawn == done.withdrawn
    return len(done.withdrawn)


def told(world: World, day: date) -> None:
    callback_id = world.callback(released=True)
    world.ring(callback_id, "accepts_date", slots={world.items_of(callback_id)[0]: day})
    world.later(minutes=1)


def places_told(world: World) -> int:
    booking = tables.booking
    with world.store.read() as connection:
        query = select(func.count()).where(booking.c.state == "told").select_from(booking)
        return int(connection.execute(query).scalar_one())


def test_the_whole_opening_slips_after_one_of_its_days_was_changed(world: World) -> None:
    opened(world)
    for day in (date(2022, 6, 2), date(2022, 6, 3), WEDNESDAY):
        told(world, day)
    assert revise(world, date(2022, 6, 2), 8, until=date(2022, 6, 2)) == 0
    assert revise(world, WEDNESDAY, 12) == 2, "2 and 3 June hold no longer, 8 June does"
    assert places_told(world) == 1
    days = [slot.slot_on for slot in offer_slots(world.store, world.service(), now=world.now)]
    assert days == [WEDNESDAY, THURSDAY, date(2022, 6, 10)]


def test_a_closed_day_stays_closed_when_the_opening_slips(world: World) -> None:
    opened(world)
    revise(world, THURSDAY, None, until=THURSDAY)
    revise(world, WEDNESDAY, 12)
    days = [slot.slot_on for slot in offer_slots(world.store, world.service(), now=world.now)]
    assert days == [WEDNESDAY, date(2022, 6, 10), date(2022, 6, 13)]


def test_days_that_are_fewer_end_where_the_slipped_opening_begins(world: World) -> None:
    opened(world)
    told(world, date(2022, 6, 3))
    revise(world, date(2022, 6, 3), 4, until=THURSDAY)
    assert revise(world, WEDNESDAY, 12) == 1
    free = [(slot.slot_on, slot.free) for slot in offer_slots(world.store, world.service(), now=world.now)]
    assert free == [(WEDNESDAY, 4), (THURSDAY, 4), (date(2022, 6, 10), 12)]


def test_a_second_closed_day_does_not_open_the_first_again(world: World) -> None:
    opened(world)
    revise(world, WEDNESDAY, None, until=WEDNESDAY)
    revise(world, NEXT, None, until=NEXT)
    days = [slot.slot_on for slot in offer_slots(world.store, world.service(), now=world.now, count=10)]
    assert WEDNESDAY not in days
    assert NEXT not in days
    assert THURSDAY in days


def test_a_closure_that_moves_by_a_day_is_moved_and_a_session_that_slips_too(world: World) -> None:
    opened(world)
    revise(world, WEDNESDAY, None, until=THURSDAY)
    revise(world, THURSDAY, None, until=date(2022, 6, 10))
    assert WEDNESDAY in [slot.slot_on for slot in offer_slots(world.store, world.service(), now=world.now, count=10)]
    saturday, later = date(2022, 6, 18), date(2022, 6, 25)
    for day in (saturday, later):
        form = OpeningForm(world.service(), day, capacity_a_day=6, until_on=day, includes_days_off=True)
        act = confirm_opening if day == saturday else revise_opening
        act(world.store, form, agent=world.sonia, now=world.later(minutes=1))
    days = [slot.slot_on for slot in offer_slots(world.store, world.service(), now=world.now, count=20)]
    assert saturday not in days
    assert later in days
