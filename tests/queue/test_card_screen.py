"""The card at 80x24: what is needed before the first word stands on it whole, and its keys say what they do."""

from datetime import date

import pytest
from sqlalchemy import update

from crisisdesk.desk.contacts import set_contacts
from crisisdesk.desk.reopening import OpeningForm, confirm_opening
from crisisdesk.domain.words import MayTell
from crisisdesk.store import tables
from crisisdesk.store.engine import Store
from crisisdesk.ui.screens.callback import CallbackScreen
from crisisdesk.ui.screens.settling import MomentField
from moments import DESK_NOW
from screens import open_screens, screen_text, settled, type_text
from waiting import World

FIRST_DAY = date(2022, 6, 2)


@pytest.fixture
def world(store: Store) -> World:
    """The clock of the screens."""
    return World(store, DESK_NOW)


def opened(world: World) -> None:
    form = OpeningForm(world.service(), DESK_NOW.date(), capacity_a_day=3)
    confirm_opening(world.store, form, agent=world.sonia, now=world.now)


def agreed(world: World, callback_id: int, words: str) -> None:
    """Proof words of the first call, and a promise that was not kept."""
    row = world.row(callback_id)
    with world.store.write() as connection:
        connection.execute(update(tables.patient).where(tables.patient.c.id == row.patient_id).values(proof=words))
        broken = {"promised_from": DESK_NOW.replace(day=24), "promised_until": DESK_NOW.replace(day=25)}
        connection.execute(update(tables.callback).where(tables.callback.c.id == callback_id).values(**broken))


@pytest.mark.parametrize("proof", ["", "noisette tracteur"])
@pytest.mark.parametrize("language", ["fr", "en"])
async def test_the_first_words_and_the_offered_days_stand_above_the_keys(
    world: World, proof: str, language: str
) -> None:
    opened(world)
    callback_id = world.callback(released=True, phones=["+32470123456"])
    if proof:
        agreed(world, callback_id, proof)
    async with open_screens(world.store, "queue", language=language) as pilot:
        await type_text(pilot, "\r")
        lines = screen_text(pilot).splitlines()
    text, whole = "\n".join(lines), " ".join(lines)
    says = {"fr": ("Bonjour.", "noisette", "tracteur", "0800 35 168"), "en": ("Good day.", "noisette", "tracteur")}
    wanted = [says[language][0], "1) ", "F12", *(says[language][1:] if proof else ["0800 35 168"])]
    assert not [word for word in wanted if word not in whole], text
    spoken = [place for place, line in enumerate(lines) if line.startswith("» ")]
    offered = next(place for place, line in enumerate(lines) if "1) " in line)
    assert spoken, text
    assert max(spoken) < offered, text
    assert "┌" in lines[2], "a mobile number is large too"


async def test_enter_is_named_for_what_it_does(world: World) -> None:
    first = world.callback(released=True, priority="P1b")
    world.callback(released=True, priority="P4")
    async with open_screens(world.store, "queue", language="en") as pilot:
        await type_text(pilot, "\r")
        assert "Enter" not in screen_text(pilot).splitlines()[-1], "nothing is chosen: nothing can be stored"
        await type_text(pilot, "\r")
        assert "Choose first how it ended" in screen_text(pilot)
        await type_text(pilot, "n")
        assert "Enter store" in screen_text(pilot).splitlines()[-1]
        await type_text(pilot, "\r")
        assert "Enter next patient" in screen_text(pilot).splitlines()[-1]
    assert world.row(first).attempts == 1


async def test_the_promise_in_person_is_kept_in_the_draft(world: World) -> None:
    callback_id = world.callback(released=True)
    async with open_screens(world.store, "queue", language="en") as pilot:
        await type_text(pilot, "\rhdemain matin")
        await pilot.press("ctrl+y")
        await settled(pilot)
        await pilot.press("f3", "f3")
        await settled(pilot)
        await pilot.press("tab")
        await type_text(pilot, "\r")
        assert isinstance(pilot.app.screen, CallbackScreen), screen_text(pilot)
        assert "by me" in screen_text(pilot)
        await type_text(pilot, "\r")
    assert world.row(callback_id).for_agent_id == world.amelie.agent_id


async def test_a_promise_of_a_field_that_is_gone_does_not_count(world: World) -> None:
    callback_id = world.callback(released=True)
    async with open_screens(world.store, "queue", language="en") as pilot:
        await type_text(pilot, "\rh")
        await pilot.press("ctrl+y", "escape", "h")
        await settled(pilot)
        assert not any(field.in_person for field in pilot.app.screen.query(MomentField))
        await type_text(pilot, "demain matin\r")
    assert world.row(callback_id).for_agent_id is None


async def test_what_to_do_at_once_stays_in_sight_when_it_is_stored(world: World) -> None:
    world.callback(released=True)
    world.callback(released=True)
    async with open_screens(world.store, "queue", language="en") as pilot:
        await type_text(pilot, "\ru")
        assert "! on-call clinician" in screen_text(pilot)
        await type_text(pilot, "elle étouffe\r")
        text = screen_text(pilot)
        assert "✓" in text
        assert "! on-call clinician" in text
        await type_text(pilot, "\r")
        assert "! on-call clinician" not in screen_text(pilot)


async def test_what_was_said_of_one_site_is_not_said_of_the_next(world: World) -> None:
    world.callback(released=True)
    async with open_screens(world.store, "queue", language="en") as pilot:
        pilot.app.site = "virton"  # type: ignore[attr-defined]
        await type_text(pilot, "\r")
        pilot.app.screen.warn("no callback of this site is open")  # type: ignore[attr-defined]
        await pilot.press("f6")
        await type_text(pilot, "arl\r")
        text = screen_text(pilot)
    assert "Arlon" in text.splitlines()[1]
    assert "no callback of this site is open" not in text


async def test_the_file_says_in_words_whom_the_patient_named(world: World) -> None:
    patient_id = world.row(world.callback()).patient_id
    set_contacts(
        world.store, patient_id, may_tell=MayTell.NAMED, may_tell_who="Anne", agent=world.amelie, now=world.now
    )
    async with open_screens(world.store) as pilot:
        pilot.app.go("patient", patient_id=patient_id)  # type: ignore[attr-defined]
        await settled(pilot)
        text = screen_text(pilot)
    assert "may_tell" not in text, text
    assert "corrigé · Peut être informé : jamais d" in text, text
