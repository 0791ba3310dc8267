"""The screens of the queue, worked by keys alone, on a real desk at 80x24."""

from datetime import date
from typing import Any

import pytest
from textual.pilot import Pilot

from crisisdesk.desk.callbacks import take
from crisisdesk.desk.drafts import list_drafts, save_draft
from crisisdesk.desk.reopening import OpeningForm, confirm_opening
from crisisdesk.store import queue
from crisisdesk.store.engine import Store
from crisisdesk.ui.screens.callback import CallbackScreen
from crisisdesk.ui.screens.queue import QueueScreen
from moments import DESK_NOW
from screens import open_screens, screen_text, settled, type_text
from waiting import World


@pytest.fixture
def world(store: Store) -> World:
    """The clock of the screens."""
    return World(store, DESK_NOW)


def opened(world: World) -> None:
    form = OpeningForm(world.service(), DESK_NOW.date(), capacity_a_day=3)
    confirm_opening(world.store, form, agent=world.sonia, now=world.now)


async def keys(pilot: Pilot[Any], *names: str) -> str:
    await pilot.press(*names)
    await settled(pilot)
    return screen_text(pilot)


def shown(pilot: Pilot[Any]) -> CallbackScreen:
    assert isinstance(pilot.app.screen, CallbackScreen)
    return pilot.app.screen


async def test_queue_to_card_to_stored_to_the_next(world: World) -> None:
    opened(world)
    late = world.callback(released=True, priority="P4")
    first = world.callback(released=True, priority="P1b", phones=["+3263231111"])
    async with open_screens(world.store, "queue", language="en") as pilot:
        text = screen_text(pilot)
        assert "P1b, was on 17/05/2022" in text
        assert "may be rung now" in text
        text = await keys(pilot, "enter")
        assert f"Callback {first}" in text
        assert "1) " in text  # a free day is offered
        text = await keys(pilot, "n")
        assert "Rung again from" in text
        assert world.row(first).attempts == 0, "nothing is stored before it is confirmed"
        await keys(pilot, "escape", "o")
        text = await keys(pilot, "enter")
        assert "✓" in text
        assert world.row(first).attempts == 1
        assert world.row(first).last_attempt_at == DESK_NOW
        text = await keys(pilot, "enter")
        assert f"Callback {late}" in text
        await keys(pilot, "f3")
        assert isinstance(pilot.app.screen, QueueScreen)


async def test_a_burst_of_keys_takes_chooses_fills_and_stores(world: World) -> None:
    """Type-ahead: take the next, accept the first offered day, all in one go."""
    opened(world)
    callback_id = world.callback(released=True)
    async with open_screens(world.store, "queue") as pilot:
        await type_text(pilot, "\ra1\r")
        text = screen_text(pilot)
    assert world.row(callback_id).state == "closed", text
    (item,) = world.items_of(callback_id)
    assert world.fact(item).rebooked_at


async def test_the_accepted_day_is_said_before_and_after_it_is_stored(world: World) -> None:
    opened(world)
    world.callback(released=True, priority="P1b")
    world.callback(released=True, priority="P4")
    async with open_screens(world.store, "queue", language="en") as pilot:
        await keys(pilot, "enter")
        text = await keys(pilot, "a")
        assert "Type the number of a day" in text, "no day is chosen: nothing may be announced"
        text = await keys(pilot, "1")
        assert "Booked: " in text
        text = await keys(pilot, "enter")
        assert "✓ Booked: " in text
        text = await keys(pilot, "enter")
        assert "stored" not in text.splitlines()[1], "that was said of the patient before"


async def test_a_note_and_a_moment_are_asked_for(world: World) -> None:
    worse, later = world.callback(released=True, priority="P1a"), world.callback(released=True, priority="P4")
    async with open_screens(world.store, "queue", language="en") as pilot:
        await type_text(pilot, "\ru")
        assert "What was said" in screen_text(pilot)
        await type_text(pilot, "\r")
        assert "note" in screen_text(pilot)  # refused: the note is missing
        assert world.row(worse).attempts == 0
        await type_text(pilot, "jambe froide\r")
        assert world.row(worse).tier == 0
        await type_text(pilot, "\rh")
        await type_text(pilot, "demain matin")
        assert "Wed 01/06 08:00" in screen_text(pilot)
        await type_text(pilot, "\r")
    row = world.row(later)
    assert row.not_before.date() == date(2022, 6, 1)
    assert row.promised_until


async def test_reading_a_card_holds_nothing(world: World) -> None:
    callback_id = world.callback(released=True)
    async with open_screens(world.store, "queue", language="en") as pilot:
        text = await keys(pilot, "o")
        assert "only read" in text
        assert world.row(callback_id).leased_by is None
        await keys(pilot, "f5")
        assert world.row(callback_id).leased_by == world.amelie.agent_id
        await keys(pilot, "f12")
        await type_text(pilot, "appelée ailleurs\r")
        assert world.row(callback_id).leased_by is None
        assert isinstance(pilot.app.screen, QueueScreen)


async def test_the_outside_hours_and_empty_queue_say_so(world: World) -> None:
    async with open_screens(world.store, "queue", language="en") as pilot:
        assert "No open callback here" in screen_text(pilot)
        assert "All done" in await keys(pilot, "enter")


async def test_what_another_agent_does_shows_without_moving_lines(world: World) -> None:
    first, second = world.callback(released=True, priority="P2"), world.callback(released=True, priority="P3")
    async with open_screens(world.store, "queue", language="en") as pilot:
        take(world.store, first, agent=world.bruno, now=world.now)
        pilot.app.screen.refresh_from_store()  # type: ignore[attr-defined]
        await settled(pilot)
        assert "held by Bruno" in screen_text(pilot)
        await keys(pilot, "enter")
        assert shown(pilot)._panel.card.callback_id == second  # type: ignore[union-attr]


async def test_a_lease_that_was_lost_names_the_holder(world: World) -> None:
    callback_id = world.callback(released=True)
    async with open_screens(world.store, "queue", language="en") as pilot:
        await keys(pilot, "enter", "n")
        with world.store.write() as connection:
            queue.free(connection, callback_id, world.amelie.agent_id, 1)
        take(world.store, callback_id, agent=world.bruno, now=world.now)
        text = await keys(pilot, "enter")
        assert "Bruno" in text
    assert [draft.fields["disposition"] for draft in list_drafts(world.store, agent=world.amelie)] == ["no_answer"]


async def test_a_draft_is_gone_on_with(world: World) -> None:
    callback_id = world.callback(released=True)
    fields = {"callback_id": str(callback_id), "disposition": "worse", "note": "genou chaud"}
    save_draft(world.store, uid="d1", kind="attempt", fields=fields, agent=world.amelie, now=world.now)
    (draft,) = list_drafts(world.store, agent=world.amelie)
    async with open_screens(world.store, language="en") as pilot:
        pilot.app.go("callback", draft=draft)  # type: ignore[attr-defined]
        await settled(pilot)
        assert "genou chaud" in screen_text(pilot)
        await keys(pilot, "ctrl+s")
    assert world.row(callback_id).tier == 0
    assert list_drafts(world.store, agent=world.amelie) == ()


async def test_a_supervisor_opens_a_service_after_looking_ahead(world: World) -> None:
    ids = [world.callback() for _number in range(4)]
    async with open_screens(world.store, "openings", login="sonia", language="en") as pilot:
        await keys(pilot, "c")
        text = await keys(pilot, "ctrl+s")
        assert "4 callbacks released" in text
        assert world.row(ids[0]).released_at is None
        text = await keys(pilot, "y")
        assert "Stored: 4 released" in text
    assert all(world.row(number).released_at for number in ids)


async def test_a_supervisor_issues_an_instruction(world: World) -> None:
    async with open_screens(world.store, "instructions", login="sonia", language="en") as pilot:
        await keys(pilot, "n", "ctrl+u")
        await type_text(pilot, "Venez a jeun\r")
        text = await keys(pilot, "y")
        assert "Venez a jeun" in text


@pytest.mark.parametrize("name", ["queue", "openings", "instructions"])
@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_each_screen_fits(world: World, name: str, size: tuple[int, int]) -> None:
    opened(world)
    world.callback(released=True)
    async with open_screens(world.store, name, login="sonia", size=size) as pilot:
        lines = screen_text(pilot).splitlines()
        assert len(lines) == size[1]
        assert max(map(len, lines)) <= size[0]


async def test_foreign_text_on_the_card_is_inert(world: World) -> None:
    hostile = "[@click=app.quit]x[/] \x1b[31m\u202e"
    callback_id = world.callback(released=True)
    world.ring(callback_id, "third_party", note=hostile)
    async with open_screens(world.store, "queue") as pilot:
        text = await keys(pilot, "o")
        assert "[@click=app.quit]" in text
        assert "\x1b" not in text
        assert "\u202e" not in text
