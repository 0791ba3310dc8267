"""A new date that is given in an inbound call takes a place of its day, or nothing of the call is stored."""

from datetime import date
from typing import Any

import pytest
from sqlalchemy import select

from crisisdesk.desk.asking import set_reserve
from crisisdesk.desk.cancelling import AskedBy, cancel_booking
from crisisdesk.desk.intake import CallForm, FormRefused, ItemSaid, RecordedCall, record_call
from crisisdesk.desk.reopening import OpeningForm, confirm_opening
from crisisdesk.store import tables
from crisisdesk.store.engine import Store
from moments import DESK_NOW
from screens import open_screens, screen_text, settled, type_text
from waiting import World

THU, FRI = date(2022, 6, 2), date(2022, 6, 3)


@pytest.fixture
def world(store: Store) -> World:
    return World(store, DESK_NOW)


def opened(world: World, capacity: int = 1) -> None:
    form = OpeningForm(world.service(), DESK_NOW.date(), capacity_a_day=capacity, limits={"implant": 1})
    confirm_opening(world.store, form, agent=world.sonia, now=world.now)


def called(world: World, uid: str = "c1", disposition: str = "booked", **more: Any) -> RecordedCall:
    form = CallForm(uid, world.now, disposition, **more)
    return record_call(world.store, form, agent=world.amelie, now=world.now)


def bookings(world: World) -> list[Any]:
    with world.store.read() as connection:
        return list(connection.execute(select(tables.booking).order_by(tables.booking.c.id)))


def mistakes(error: pytest.ExceptionInfo[FormRefused]) -> dict[str, str]:
    return {mistake.field: mistake.words for mistake in error.value.mistakes}


def test_the_day_is_kept_with_the_call_and_the_callback_ends(world: World) -> None:
    opened(world)
    callback_id = world.callback(released=True)
    (item,) = world.items_of(callback_id)
    world.later(minutes=5)
    saved = called(world, items=(ItemSaid(item),), new_date="03/06")
    (booking,) = bookings(world)
    assert (booking.slot_on, booking.call_id, booking.attempt_id, booking.needs) == (
        FRI, saved.call_id, None, ["implant"],
    )  # fmt: skip
    assert (world.fact(item).decision, world.row(callback_id).state) == ("booked", "closed")


def test_ending_the_callback_books_what_it_was_about(world: World) -> None:
    opened(world)
    callback_id = world.callback(released=True)
    patient = world.row(callback_id).patient_id
    called(world, patient_ids=(patient,), settled=(callback_id,), new_date="3/6")
    assert [row.postponement_id for row in bookings(world)] == world.items_of(callback_id)
    assert world.row(callback_id).closed_as == "booked"


def test_a_full_day_refuses_the_whole_call_and_names_the_next_ones(world: World) -> None:
    opened(world)
    other = world.callback(released=True)
    world.ring(other, "accepts_date", slots={world.items_of(other)[0]: FRI})
    callback_id = world.callback(released=True)
    (item,) = world.items_of(callback_id)
    with pytest.raises(FormRefused) as refused:
        called(world, items=(ItemSaid(item),), new_date="03/06")
    assert "is full on Fri 03/06" in mistakes(refused)["new_date"]
    assert "Tue 07/06" in mistakes(refused)["new_date"]
    with world.store.read() as connection:
        assert connection.execute(select(tables.call)).first() is None
    assert world.fact(item).rebooked_at is None
    assert world.row(callback_id).state == "waiting"


def test_a_day_is_asked_for_where_the_desk_gives_the_places(world: World) -> None:
    callback_id = world.callback(released=True)
    (item,) = world.items_of(callback_id)
    called(world, uid="closed", items=(ItemSaid(item),))  # the service gave the date itself
    assert world.fact(item).rebooked_at is not None
    opened(world)
    second = world.callback(released=True)
    (other,) = world.items_of(second)
    for said, why in (("", "which day"), ("bientôt", "is no day")):
        with pytest.raises(FormRefused, match=why):
            called(world, uid="open", items=(ItemSaid(other),), new_date=said)
    with pytest.raises(FormRefused, match="link what it is for"):
        called(world, uid="nothing", disposition="informed", new_date="03/06")


def test_each_item_may_have_its_own_day(world: World) -> None:
    opened(world)
    callback_id = world.callback(released=True, items=2)
    one, other = world.items_of(callback_id)
    items = (ItemSaid(one, "accepts_date", "02/06"), ItemSaid(other, "accepts_date", "03/06"))
    world.later(minutes=5)
    called(world, disposition="informed", items=items)
    assert [(row.postponement_id, row.slot_on) for row in bookings(world)] == [(one, THU), (other, FRI)]
    assert world.row(callback_id).state == "closed"


def test_who_rings_first_and_does_not_take_the_kept_place_makes_way(world: World) -> None:
    opened(world)
    told = world.callback(released=True)
    world.ring(told, "accepts_date", slots={world.items_of(told)[0]: THU})
    first, second = world.callback(priority="P2"), world.callback(priority="P4")
    for callback_id in (first, second):
        set_reserve(world.store, world.items_of(callback_id)[0], True, agent=world.amelie, now=world.now)
    cancel_booking(
        world.store, bookings(world)[0].id, asked_by=AskedBy.PATIENT, reason="r", agent=world.amelie, now=world.now
    )
    assert "reserve" in world.row(first).why
    called(world, items=(ItemSaid(world.items_of(first)[0]),), new_date="03/06")
    assert world.row(first).state == "closed"
    assert world.row(second).release_why.startswith("reserve:")


async def test_the_form_offers_days_and_keeps_the_one_that_is_picked(world: World) -> None:
    opened(world)
    callback_id = world.callback(released=True, phones=["+3263231111"])
    patient = world.row(callback_id).patient_id
    async with open_screens(world.store, "intake", language="en") as pilot:
        screen: Any = pilot.app.screen
        screen._links.patients[patient] = "P"
        screen._links.settled[callback_id] = patient
        field = screen.form["disposition"]
        field.focus()
        await type_text(pilot, "d\r")
        assert screen.form["new_date"].display
        assert "Offered: 1) Thu 02/06  2) Fri 03/06  3) Tue 07/06" in screen_text(pilot)
        await type_text(pilot, "1")
        await pilot.press("ctrl+s")
        await settled(pilot)
    assert [row.slot_on for row in bookings(world)] == [THU]


async def test_a_caller_who_was_told_a_day_is_shown_with_it(world: World) -> None:
    opened(world)
    callback_id = world.callback(released=True, phones=["+3263231188"])
    (item,) = world.items_of(callback_id)
    called(world, items=(ItemSaid(item),), new_date="03/06")
    async with open_screens(world.store, "intake", language="en") as pilot:
        await type_text(pilot, "063231188\t")
        assert "⇒ told Fri 03/06" in screen_text(pilot)
