"""Instructions on the screens: the agent always sees the one in force, and what was read stays what is stored."""

import asyncio
from datetime import datetime, timedelta
from time import monotonic
from typing import Any

import pytest
from sqlalchemy import select
from textual.pilot import Pilot

from crisisdesk.desk.callbacks import take
from crisisdesk.desk.instructions import InstructionForm, issue_instruction
from crisisdesk.desk.retelling import ring_them
from crisisdesk.store import callbacks, tables
from crisisdesk.store.engine import Store
from crisisdesk.ui.screens.intake import IntakeScreen
from moments import DESK_NOW
from screens import open_screens, screen_text, settled, type_text
from waiting import World

LONG = "Chaque personne est appelée individuellement, dans l'ordre fixé par les médecins. " * 8


@pytest.fixture
def world(store: Store) -> World:
    """Arlon has no instruction of its own yet; the clock is that of the screens, an hour ago."""
    with store.write() as connection:
        connection.execute(tables.instruction.delete().where(tables.instruction.c.site_id == "arlon"))
    return World(store, DESK_NOW - timedelta(hours=1))


def issue(world: World, words: str, **more: Any) -> int:
    """An instruction, without the notice of it: that one shows its words in the heading, see tests/room."""
    number = issue_instruction(world.store, InstructionForm(words, "arlon", **more), agent=world.sonia, now=world.now)
    with world.store.write() as connection:
        connection.execute(tables.notice.delete())
    return number


def set_clock(pilot: Pilot[Any], now: Any) -> None:
    object.__setattr__(pilot.app.session, "now", now)  # type: ignore[attr-defined]


async def keys(pilot: Pilot[Any], *names: str) -> str:
    await pilot.press(*names)
    await settled(pilot)
    return screen_text(pilot)


async def fill(pilot: Pilot[Any], **fields: str) -> str:
    """Fields of the call form, by name."""
    screen = pilot.app.screen
    assert isinstance(screen, IntakeScreen)
    for name, text in fields.items():
        screen.form[name].value = text
    await settled(pilot)
    return screen_text(pilot)


def last_call(world: World) -> Any:
    with world.store.read() as connection:
        return connection.execute(select(tables.call).order_by(tables.call.c.id.desc())).first()


async def test_the_version_that_was_read_is_stored_although_another_came_into_force(world: World) -> None:
    first = issue(world, "Ne pas venir.")
    async with open_screens(world.store, "intake", language="en") as pilot:
        text = await fill(pilot, site="Arlon", phone="063231111", last_name="Dupont", words="x")
        assert "Ne pas venir." in text
        assert "✓ read out" in await keys(pilot, "f12")
        world.now = DESK_NOW
        second = issue(world, "Venir.")
        pilot.app.screen.refresh_from_store()  # type: ignore[attr-defined]
        await settled(pilot)
        text = screen_text(pilot)
        assert "The instruction changed at" in text
        assert "Venir." in text
        assert "v1 was read" in text
        await fill(pilot, disposition="informed")
        await keys(pilot, "ctrl+s")
    stored = last_call(world)
    assert (stored.instruction_id, stored.was_read_out) == (first, True)
    assert second != first


async def test_reading_the_new_one_too_stores_the_new_one(world: World) -> None:
    issue(world, "Ne pas venir.")
    async with open_screens(world.store, "intake", language="en") as pilot:
        await fill(pilot, site="Arlon", phone="063231111", last_name="Dupont", words="x", disposition="informed")
        await keys(pilot, "f12")
        world.now = DESK_NOW
        second = issue(world, "Venir.")
        pilot.app.screen.refresh_from_store()  # type: ignore[attr-defined]
        await settled(pilot)
        await keys(pilot, "f12")
        await keys(pilot, "ctrl+s")
    assert (last_call(world).instruction_id, last_call(world).was_read_out) == (second, True)


async def test_what_only_stood_on_the_screen_is_stored_as_not_read(world: World) -> None:
    first = issue(world, "Ne pas venir.")
    async with open_screens(world.store, "intake", language="en") as pilot:
        await fill(pilot, site="Arlon", phone="063231111", last_name="Dupont", words="x", disposition="informed")
        await keys(pilot, "ctrl+s")
        assert (last_call(world).instruction_id, last_call(world).was_read_out) == (first, False)
        await fill(pilot, site="Arlon", phone="063231112", last_name="Durand", words="x", disposition="informed",
                   slip_number="12", taken_at="07:00")  # fmt: skip
        await keys(pilot, "ctrl+s")
    assert last_call(world).slip_number == "12"
    assert last_call(world).instruction_id is None, "it did not stand beside a slip that was written earlier"


async def test_a_planned_one_appears_at_its_hour_while_the_call_is_open(world: World) -> None:
    """Nobody writes to the desk at that moment: the screen wakes by itself."""
    issue(world, "Ne pas venir.")
    world.now = DESK_NOW
    issue(world, "Venir.", valid_from=DESK_NOW + timedelta(seconds=2))
    async with open_screens(world.store, "intake", language="en") as pilot:
        start = monotonic()
        set_clock(pilot, lambda: DESK_NOW + timedelta(seconds=monotonic() - start))
        await fill(pilot, site="Arlon")
        for _attempt in range(400):
            if "Venir." in screen_text(pilot):
                break
            await asyncio.sleep(0.05)
        await settled(pilot)
        assert "The instruction changed at" in screen_text(pilot)


async def test_a_long_one_says_that_there_is_more_and_is_read_whole(world: World) -> None:
    issue(world, LONG + "Fin.", translations={"en": "Everybody is phoned."})
    async with open_screens(world.store, "intake", language="fr") as pilot:
        text = await fill(pilot, site="Arlon")
        assert "^O" in text
        assert "Fin." not in text
        text = await keys(pilot, "ctrl+o")
        assert "Fin." in text
        assert "Everybody is phoned." in text
        await keys(pilot, "escape")
        assert isinstance(pilot.app.screen, IntakeScreen)
        assert pilot.app.screen.form["site"].value == "Arlon"


async def test_the_caller_hears_his_language_and_a_missing_one_is_said(world: World) -> None:
    issue(world, "Ne pas venir.", translations={"en": "Do not come."})
    async with open_screens(world.store, "intake", language="fr") as pilot:
        text = await fill(pilot, site="Arlon", language="anglais")
        assert "Do not come." in text
        assert "[fr] Ne pas venir." in text, "the agent's own below"
        text = await fill(pilot, language="néerlandais")
        assert "Do not come." not in text
        assert "Ne pas venir." in text
        assert "néerlandais" in text.split("Ne pas venir.")[0].splitlines()[-2]


async def test_the_card_keeps_what_was_read_and_shows_what_came(world: World) -> None:
    first = issue(world, "Ne pas venir.")
    callback_id = world.callback(released=True)
    world.now = DESK_NOW
    async with open_screens(world.store, "queue", language="en") as pilot:
        assert "Ne pas venir." in await keys(pilot, "enter")
        await keys(pilot, "f9")
        issue(world, "Venir.")
        pilot.app.screen.refresh_from_store()  # type: ignore[attr-defined]
        await settled(pilot)
        text = screen_text(pilot)
        assert "The instruction changed at" in text
        assert "Venir." in text
        await keys(pilot, "n")
        await keys(pilot, "enter")
    with world.store.read() as connection:
        stored = connection.execute(select(tables.attempt).where(tables.attempt.c.callback_id == callback_id)).one()
    assert (stored.instruction_id, stored.was_read_out) == (first, True)


def told_callback(world: World) -> tuple[int, int]:
    """A patient who was told the first version, in the queue because of the second: callback, second version."""
    from test_instructions_told import call

    first = issue(world, "Un patient non contacté est annulé.")
    patient_id = world.patient("Dupont")
    call(world, patient_id, first)
    world.now = DESK_NOW - timedelta(minutes=5)
    second = issue(world, "Chaque personne est appelée.")
    ring_them(world.store, first, agent=world.sonia, now=world.now)
    with world.store.read() as connection:
        wanted = select(tables.callback.c.id).where(tables.callback.c.patient_id == patient_id)
        return connection.execute(wanted).scalar_one(), second


async def test_old_words_stand_over_new_words_on_the_card(world: World) -> None:
    callback_id, second = told_callback(world)
    world.now = DESK_NOW
    async with open_screens(world.store, "queue", language="en") as pilot:
        text = await keys(pilot, "enter")
        lines = text.splitlines()
        old = next(at for at, line in enumerate(lines) if "Was told on" in line)
        new = next(at for at, line in enumerate(lines) if "Tell now" in line)
        assert old < new
        assert "«Un patient" in text
        await keys(pilot, "c")
        await keys(pilot, "enter")
    assert world.row(callback_id).state == "closed"
    with world.store.read() as connection:
        stored = connection.execute(select(tables.attempt)).one()
    assert (stored.instruction_id, stored.was_read_out) == (second, True), "to inform is to read it out"


async def test_who_was_told_and_ringing_them_by_keys(world: World) -> None:
    from test_instructions_told import call

    first = issue(world, "Un patient non contacté est annulé.")
    people = [world.patient(name) for name in ("Dupont", "Lambert")]
    for person in people:
        call(world, person, first)
    call(world, None, first, phone="063 23 11 11", caller_name="Voisine")
    world.now = DESK_NOW
    issue(world, "Chaque personne est appelée.")
    async with open_screens(world.store, "instructions", login="sonia", language="en") as pilot:
        text = await keys(pilot, "h")
        assert "no longer in force:" in text
        text = await keys(pilot, "j", "w")
        assert "2 to be rung · 1 tied to nobody" in text
        assert "Voisine" in text
        text = await keys(pilot, "r")
        assert "2 persons would be rung" in text
        await type_text(pilot, "revirement\r")
        text = await keys(pilot, "y")
        assert "2 persons are put in the queue" in text
        assert "2 waits in the queue" in text
        assert "0 persons would be rung" in await keys(pilot, "r")
    with world.store.read() as connection:
        reasons = set(connection.scalars(select(tables.callback.c.release_why)))
        assert list(connection.scalars(select(tables.retelling.c.reason))) == ["revirement", "revirement"]
    assert reasons == {f"instruction:{first}"}


async def test_plan_with_words_in_two_languages_then_withdraw_by_keys(world: World) -> None:
    issue(world, "Ne pas venir.")
    async with open_screens(world.store, "instructions", login="sonia", language="en") as pilot:
        await keys(pilot, "n", "ctrl+u")
        await type_text(pilot, "Venir.")
        form = pilot.app.screen.query_one("#entry")
        form["from"].value = "+1 8h"  # type: ignore[index]
        form["words-en"].value = "Come."  # type: ignore[index]
        text = await keys(pilot, "ctrl+s")
        assert "Issue this instruction from" in text
        text = await keys(pilot, "y")
        assert "planned: Venir." in text
        await keys(pilot, "end")
        for _line in range(20):
            if "planned: v2" in screen_text(pilot):
                break
            await keys(pilot, "k")
        assert "[en] Come." in screen_text(pilot)
        text = await keys(pilot, "x")
        assert "Withdraw this planned" in text
        text = await keys(pilot, "y")
        assert "planned: Venir." not in text
        assert "holds on" in text


async def test_a_time_that_is_none_is_said_at_its_field(world: World) -> None:
    async with open_screens(world.store, "instructions", login="sonia", language="en") as pilot:
        await keys(pilot, "n", "ctrl+u")
        await type_text(pilot, "Venir.")
        pilot.app.screen.query_one("#entry")["from"].value = "bientôt"  # type: ignore[index]
        text = await keys(pilot, "ctrl+s")
        assert "no time: 01/06 14:00" in text
        assert not pilot.app.screen.messages.is_asking  # type: ignore[attr-defined]


async def test_a_callback_that_was_extended_while_it_is_rung_shows_it(world: World) -> None:
    """The lease stays: only the words come."""
    from test_instructions_told import call

    first = issue(world, "Ancienne.")
    patient_id = world.patient("Dupont")
    call(world, patient_id, first)
    with world.store.write() as connection:
        callback_id = callbacks.hold(
            connection, patient_id=patient_id, site_id="arlon", postponement_ids=[], wish=None, released=True,
            call_id=None, agent_id=world.amelie.agent_id, now=world.now,
        )  # fmt: skip
    world.now = DESK_NOW
    card = take(world.store, callback_id, agent=world.amelie, now=world.now)
    issue(world, "Nouvelle.")
    done = ring_them(world.store, first, agent=world.sonia, now=world.now)
    assert done.extended == 1
    row = world.row(callback_id)
    assert card.lease
    assert (row.leased_by, row.generation) == (world.amelie.agent_id, card.lease.generation)
    assert row.release_why == "promised"
    assert isinstance(row.due_at, datetime)
