"""Places given, on the screens and on the command line, in French at 80x24."""

import json
import time
from datetime import date
from typing import Any

import pytest
from sqlalchemy import select
from textual.pilot import Pilot

from crisisdesk.cli.main import run
from crisisdesk.desk.asking import set_reserve
from crisisdesk.desk.reopening import OpeningForm, confirm_opening
from crisisdesk.store import tables
from crisisdesk.store.engine import Store
from moments import DESK_NOW
from screens import open_screens, screen_text, settled, type_text
from waiting import World

THU, FRI = date(2022, 6, 2), date(2022, 6, 3)


@pytest.fixture
def world(store: Store) -> World:
    """The clock of the screens; Arlon's theatre is open with two places a day, one of them with an implant."""
    world = World(store, DESK_NOW)
    form = OpeningForm(world.service(), DESK_NOW.date(), capacity_a_day=2, limits={"implant": 1})
    confirm_opening(store, form, agent=world.sonia, now=world.now)
    return world


async def keys(pilot: Pilot[Any], *names: str) -> str:
    await pilot.press(*names)
    await settled(pilot)
    return screen_text(pilot)


def bookings(world: World) -> list[Any]:
    with world.store.read() as connection:
        return list(connection.execute(select(tables.booking).order_by(tables.booking.c.id)))


def told(world: World, day: date) -> int:
    callback_id = world.callback(released=True)
    (item,) = world.items_of(callback_id)
    world.ring(callback_id, "accepts_date", slots={item: day})
    return callback_id


async def test_one_digit_accepts_the_offered_day_and_says_why_it_is_that_day(world: World) -> None:
    told(world, THU)
    callback_id = world.callback(released=True)
    async with open_screens(world.store, "queue", language="en") as pilot:
        await keys(pilot, "enter")
        text = await keys(pilot, "1")
        assert "Booked: Fri 03/06." in text
        assert "no place left for implant: Thu 02/06" in text
        assert len(bookings(world)) == 1, "nothing is stored yet"
        await keys(pilot, "enter")
    assert [row.slot_on for row in bookings(world)] == [THU, FRI]
    assert world.row(callback_id).state == "closed"


async def test_a_french_keyboard_has_its_digits_under_other_signs(world: World) -> None:
    world.callback(released=True)
    async with open_screens(world.store, "queue", language="fr") as pilot:
        text = await keys(pilot, "enter", "é")
        assert "ven. 03/06" in text
        await keys(pilot, "enter")
    assert [row.slot_on for row in bookings(world)] == [FRI]


async def test_left_to_the_service_for_one_item_and_a_day_for_the_other(world: World) -> None:
    callback_id = world.callback(released=True, items=2)
    one, other = world.items_of(callback_id)
    async with open_screens(world.store, "queue", language="en") as pilot:
        await keys(pilot, "enter", "a")
        await type_text(pilot, "1\rs")
        assert "Left to the service." in screen_text(pilot)
        await keys(pilot, "enter")
    assert [row.postponement_id for row in bookings(world)] == [one]
    assert world.fact(other).decision == "left_to_service"
    assert world.row(callback_id).state == "closed"


async def test_a_patient_who_wants_another_date_says_which_days_suit(world: World) -> None:
    callback_id = world.callback(released=True)
    (item,) = world.items_of(callback_id)
    async with open_screens(world.store, "queue", language="en") as pilot:
        await keys(pilot, "enter", "d")
        await type_text(pilot, "pas jeudi\rsauf jeudi\r")
        assert "not on Thu" in screen_text(pilot)
        await type_text(pilot, "y")
        await keys(pilot, "ctrl+s")
    fact = world.fact(item)
    assert (fact.wish["weekdays"], fact.is_reserve) == ([0, 1, 2, 4, 5, 6], True)


async def test_a_place_is_cancelled_from_its_day_and_the_reserve_is_rung_next(world: World) -> None:
    told(world, THU)
    waiting = world.callback()
    (item,) = world.items_of(waiting)
    set_reserve(world.store, item, True, agent=world.amelie, now=world.now)
    async with open_screens(world.store, "bookings", language="en") as pilot:
        text = screen_text(pilot)
        assert "implant 1/1" in text
        assert "1 in reserve" in text
        await keys(pilot, "down", "down")
        text = await keys(pilot, "enter")
        assert "PATIENT" in text
        assert "implant" in text
        await keys(pilot, "x")
        await type_text(pilot, "1\r\rpart en vacances\r")
        text = screen_text(pilot)
        assert "goes to the reserve list" in text
        await keys(pilot, "escape")
        assert "1 kept for the reserve" in screen_text(pilot)
        assert "a place is free on" in await keys(pilot, "r")
    assert bookings(world)[0].withdrawn_why == "cancelled_by_patient"
    assert world.row(waiting).tier == 0


async def test_a_place_moves_to_an_offered_day(world: World) -> None:
    told(world, THU)
    async with open_screens(world.store, "bookings", language="en") as pilot:
        await keys(pilot, "down", "down", "enter")
        for _reader in range(3):
            pilot.app.backend._readers.submit(time.sleep, 0.5)  # type: ignore[attr-defined]  # a slow disk
        await type_text(pilot, "v1\r1\rmariage\r")  # typed ahead: the digit waits for the offers that it means
    assert [(row.slot_on, row.state) for row in bookings(world)] == [(THU, "withdrawn"), (FRI, "told")]


async def test_what_is_missing_is_said_at_its_field_and_escape_changes_nothing(world: World) -> None:
    told(world, THU)
    async with open_screens(world.store, "bookings", language="en") as pilot:
        await keys(pilot, "down", "down", "enter", "x")
        await type_text(pilot, "\r\r\r")
        assert "Say whose doing it is" in screen_text(pilot)
        await type_text(pilot, "1\r\r\r")
        assert "Say why" in screen_text(pilot)
        await keys(pilot, "escape")
        assert "PATIENT" in screen_text(pilot)
    assert bookings(world)[0].state == "told"


async def test_past_places_stand_on_top_until_somebody_says_who_came(world: World) -> None:
    told(world, THU)
    with world.store.write() as connection:
        connection.execute(tables.booking.update().values(slot_on=date(2022, 5, 30)))
    async with open_screens(world.store, "bookings", language="en") as pilot:
        assert "1 place: did the patient come?" in screen_text(pilot)
        await keys(pilot, "enter", "d", "y")
        await keys(pilot, "escape")
        assert "did the patient come?" not in screen_text(pilot)
    assert bookings(world)[0].state == "done"


async def test_the_file_of_the_patient_shows_and_cancels_the_date_told(world: World) -> None:
    callback_id = told(world, THU)
    patient_id = world.row(callback_id).patient_id
    async with open_screens(world.store, language="en") as pilot:
        pilot.app.go("patient", patient_id=patient_id)  # type: ignore[attr-defined]
        await settled(pilot)
        text = screen_text(pilot)
        assert "date told" in text
        assert "callback closed" in text
        assert "accepts_date" not in text, "an ending is told in words"
        await keys(pilot, "home", "enter", "1")
        await type_text(pilot, "2\r\rchirurgien absent\r")
        assert "free again" in screen_text(pilot)
    assert bookings(world)[0].withdrawn_why == "cancelled_by_service"


async def test_the_file_says_which_days_suit(world: World) -> None:
    callback_id = world.callback()
    (item,) = world.items_of(callback_id)
    async with open_screens(world.store, language="en") as pilot:
        pilot.app.go("patient", patient_id=world.row(callback_id).patient_id)  # type: ignore[attr-defined]
        await settled(pilot)
        await keys(pilot, "home", "down", "enter")
        assert "Takes one of: implant" in screen_text(pilot)
        await keys(pilot, "1")
        await type_text(pilot, "pas avant juillet\r")
        assert "from Fri 01/07 on" in screen_text(pilot)
    assert world.fact(item).wish["earliest"] == "2022-07-01"


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_the_screen_fits_and_an_empty_one_says_what_it_is_for(world: World, size: tuple[int, int]) -> None:
    told(world, THU)
    async with open_screens(world.store, "bookings", size=size, login="sonia") as pilot:
        lines = screen_text(pilot).splitlines()
        assert len(lines) == size[1]
        assert max(map(len, lines)) <= size[0]
        pilot.app.site = "marche"  # type: ignore[attr-defined]
        pilot.app.screen.site_changed()  # type: ignore[attr-defined]
        await settled(pilot)
        assert "F6" in screen_text(pilot)


def test_the_commands_do_what_the_screen_does(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    told(world, THU)
    waiting = world.callback()
    (item,) = world.items_of(waiting)
    desk = ["--desk", str(world.store.path), "--agent", "amelie", "--lang", "en"]

    def said(*words: str, code: int = 0) -> str:
        assert run(["booking", *words, *desk]) == code
        out, err = capsys.readouterr()
        return out or err

    assert "implant 1/1" in said("list", "arlon", "surgery")
    (line,) = json.loads(said("list", "arlon", "surgery", "--day", "2022-06-02", "--json"))
    assert (line["slot_on"], line["needs"]) == ("2022-06-02", ["implant"])
    assert "at short notice" in said("ask", str(item), "--days", "sauf lundi", "--short-notice", "yes")
    assert "waits for a free place" in said("reserve", "arlon", "surgery")
    assert said("cancel", str(line["booking_id"]), "--by", "patient", code=1).startswith("crisisdesk: Say why")
    assert said("move", str(line["booking_id"]), "xx", "--by", "patient", "--reason", "r", code=1)
    assert "is no day" in said("list", "arlon", "surgery", "--day", "xx", code=1)
