"""A callback's card: left with F3 it says who is still held; its keys have short words, F1 has the whole ones."""

import pytest

from crisisdesk.store.engine import Store
from crisisdesk.ui.screens.help import gather_help
from moments import DESK_NOW
from screens import open_screens, screen_text, settled
from waiting import World


@pytest.fixture
def world(store: Store) -> World:
    """The clock of the screens."""
    return World(store, DESK_NOW)


async def test_leaving_says_that_the_patient_is_still_held(world: World) -> None:
    world.callback(released=True)
    async with open_screens(world.store, "queue", language="en") as pilot:
        await pilot.press("enter")
        await settled(pilot)
        await pilot.press("f3")
        await settled(pilot)
        assert "stays yours until" in screen_text(pilot)


async def test_no_key_of_an_ending_is_cut_and_help_has_the_whole_words(world: World) -> None:
    world.callback(released=True)
    async with open_screens(world.store, "queue") as pilot:
        await pilot.press("enter")
        await settled(pilot)
        text = screen_text(pilot)
        grid = text.splitlines()[-9:]
        assert not any("…" in line for line in grid), text
        assert "F12" in text.splitlines()[-1]
        keys = dict(gather_help(pilot.app.screen).keys)
        assert keys["p"] == "un tiers a répondu, rien n'est dit du dossier"
