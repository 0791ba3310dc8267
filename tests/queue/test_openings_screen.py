"""The openings screen by keys alone at 80x24, and its twin on the command line."""

import json
from argparse import Namespace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from crisisdesk.cli.main import run
from crisisdesk.desk.reopening import OpeningForm, confirm_opening, list_services, revise_opening
from crisisdesk.domain.words import OpeningState
from crisisdesk.store.engine import Store
from crisisdesk.ui.screens.openings import OpeningsScreen
from crisisdesk.ui.widgets.form import Form
from moments import DESK_NOW
from screens import open_screens, screen_text, settled, type_text
from waiting import World


@pytest.fixture
def world(store: Store) -> World:
    """The clock of the screens."""
    return World(store, DESK_NOW)


def opened(world: World, capacity: int = 3, **more: Any) -> None:
    form = OpeningForm(world.service(), DESK_NOW.date(), capacity_a_day=capacity, **more)
    confirm_opening(world.store, form, agent=world.sonia, now=world.now)


def told(world: World, day: date) -> int:
    callback_id = world.callback(released=True)
    (item,) = world.items_of(callback_id)
    world.ring(callback_id, "accepts_date", slots={item: day})
    return item


def line(world: World) -> Any:
    services = list_services(world.store, "arlon", now=world.now)
    return next(one for one in services if one.service_id == world.service())


async def keys(pilot: Pilot[Any], *names: str) -> str:
    await pilot.press(*names)
    await settled(pilot)
    return screen_text(pilot)


async def test_confirming_shows_who_comes_first_the_days_and_the_forecast(world: World) -> None:
    for _number in range(3):
        world.callback(priority="P2")
    async with open_screens(world.store, "openings", login="sonia", language="en") as pilot:
        await keys(pilot, "c")
        form = pilot.app.screen.query_one(Form)
        assert (form["limits"].value, form["rooms"].value) == ("implant 2", "4"), "what was planned"
        text = await keys(pilot, "ctrl+s")
        assert "What follows · Arlon" in text
        assert "3 callbacks released; 0 stay" in text
        assert "→ Thu 02/06, Fri 03/06, Tue 07/06" in " ".join(text.split())
        assert "Queue empty" in text
        assert "One more room (+3 a day)" in text
        assert line(world).planned is not None, "nothing is stored yet"
        await keys(pilot, "escape")
        assert isinstance(pilot.app.screen, OpeningsScreen)
        assert pilot.app.screen.query_one(Form)["capacity"].value == "12", "the form is still there"
        await keys(pilot, "ctrl+s")
        text = await keys(pilot, "y")
        assert "Stored: 3 released" in text
        assert "12/d · implant 2" in text
    assert line(world).current.limits == {"implant": 2}
    assert line(world).current.rooms == 4


async def test_limits_and_ends_that_cannot_be_are_said_in_their_field(world: World) -> None:
    async with open_screens(world.store, "openings", login="sonia", language="en") as pilot:
        await keys(pilot, "c")
        form = pilot.app.screen.query_one(Form)
        for name, text, words in (
            ("limits", "robot 2", "There is no limit 'robot'. Known: implant, isolation"),
            ("until", "01/05", "01/05/2022 is past"),
            ("rooms", "quatre", "'quatre' is no number of rooms"),
            ("capacity", "beaucoup", "is no number of patients a day"),
        ):
            before = form[name].value
            form[name].value = text
            assert words in await keys(pilot, "ctrl+s")
            assert pilot.app.screen.focused is form[name]
            form[name].value = before
        form["capacity"].value = "10000"
        assert "10000 places a day cannot be" in await keys(pilot, "ctrl+s")


async def test_another_supervisor_was_quicker_and_both_versions_are_shown(world: World) -> None:
    async with open_screens(world.store, "openings", login="sonia", language="en") as pilot:
        await keys(pilot, "c", "ctrl+s")
        form = OpeningForm(world.service(), DESK_NOW.date(), capacity_a_day=7)
        confirm_opening(world.store, form, agent=world.agent("chef"), now=world.now)
        text = await keys(pilot, "y")
        assert "You saw: planned: partly open" in text
        assert "Now: confirmed: partly open" in " ".join(text.split())
        assert "Nothing was stored" in text
    assert line(world).current.capacity_a_day == 7


async def test_the_form_keeps_what_was_seen_while_the_list_below_it_is_read_again(world: World) -> None:
    opened(world, 4)
    async with open_screens(world.store, "openings", login="sonia", language="en") as pilot:
        await keys(pilot, "r", "tab", "tab", "6")
        other = OpeningForm(world.service(), DESK_NOW.date(), capacity_a_day=9)
        revise_opening(world.store, other, agent=world.sonia, now=world.now)
        screen = pilot.app.screen
        assert isinstance(screen, OpeningsScreen)
        screen.refresh_from_store()
        await settled(pilot)
        text = " ".join((await keys(pilot, "ctrl+s")).split())
        assert "changed this service meanwhile" in text
        assert "4 a day" in text
        assert "9 a day" in text


async def test_another_site_does_not_change_the_service_that_the_form_is_about(world: World) -> None:
    opened(world, 4)
    async with open_screens(world.store, "openings", login="sonia", language="en") as pilot:
        await keys(pilot, "r", "tab", "tab", "6")
        await keys(pilot, "f6")
        await type_text(pilot, "libramont")
        await keys(pilot, "enter")
        assert "What follows · Arlon" in await keys(pilot, "ctrl+s")


async def test_a_slip_and_the_list_of_who_was_told(world: World) -> None:
    opened(world)
    told(world, date(2022, 6, 2))
    async with open_screens(world.store, "openings", login="sonia", language="en") as pilot:
        await keys(pilot, "r")
        pilot.app.screen.query_one(Form)["day"].value = "07/06/2022"
        text = await keys(pilot, "ctrl+s")
        assert "told Thu 02/06, now Tue 07/06: to be rung first" in text
        assert "1 to be told again" in await keys(pilot, "y")
        text = await keys(pilot, "t")
        assert "Who was told what" in text
        assert "1 taken back, 1 to be rung" in text
        assert "the service slipped" in text
        assert "to be rung" in text
        assert "told Thu 02/06 by Amélie" in text
        text = await keys(pilot, "enter")
        assert "Marie" in text  # the patient's own screen
        await keys(pilot, "f3", "escape")
        assert isinstance(pilot.app.screen, OpeningsScreen)


async def test_a_day_is_put_off_on_the_screen(world: World) -> None:
    opened(world)
    told(world, date(2022, 6, 8))
    async with open_screens(world.store, "openings", login="sonia", language="en") as pilot:
        await keys(pilot, "x")
        assert "Say why it is put off" in await keys(pilot, "ctrl+s")
        form = pilot.app.screen.query_one(Form)
        form["day"].value = form["until"].value = "08/06/2022"
        form["reason"].value = "seconde panne"
        text = await keys(pilot, "ctrl+s")
        assert "told Wed 08/06, now Thu 09/06: to be rung first" in text
        assert "ring these patients first" in text
        assert "1 to be told again" in await keys(pilot, "y")
        assert "seconde panne" in screen_text(pilot)
    assert line(world).history[-1].state == OpeningState.CLOSED


async def test_what_was_known_on_an_earlier_evening(world: World) -> None:
    world.later(hours=1)
    form = OpeningForm(world.service(), date(2022, 6, 7), capacity_a_day=5)
    revise_opening(world.store, form, agent=world.sonia, now=world.now)
    async with open_screens(world.store, "openings", login="sonia", language="en") as pilot:
        assert "Tue 07/06" in screen_text(pilot).splitlines()[3]
        await keys(pilot, "d")
        await type_text(pilot, "hier\r")
        text = screen_text(pilot)
        assert "as known on the evening of 30/05/2022" in text
        assert "Tue 31/05" not in text.splitlines()[3]
        assert "An earlier day is shown" in await keys(pilot, "c")
        await keys(pilot, "d", "ctrl+u")
        text = await keys(pilot, "enter")
        assert "as known on" not in text
        assert "Tue 07/06" in text


async def test_agents_look_and_only_supervisors_change(world: World) -> None:
    async with open_screens(world.store, "openings", login="amelie", language="en") as pilot:
        for key in ("c", "p", "r", "x"):
            assert "Only a supervisor" in await keys(pilot, key)
            assert not pilot.app.screen.query(Form)
        assert "Queue empty" in await keys(pilot, "f") or "the queue is empty" in screen_text(pilot)


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_each_part_fits(world: World, size: tuple[int, int]) -> None:
    opened(world, limits={"implant": 2})
    told(world, date(2022, 6, 2))
    async with open_screens(world.store, "openings", login="sonia", size=size) as pilot:
        for key in "cxftd":
            lines = (await keys(pilot, key)).splitlines()
            assert len(lines) == size[1]
            assert max(map(len, lines)) <= size[0]
            await keys(pilot, "escape")


# ------------------------------------------------------------------ command line


def command(path: Path, capsys: pytest.CaptureFixture[str], *words: str, login: str = "sonia") -> Namespace:
    code = run(["--desk", str(path), "--agent", login, "--lang", "en", *words])
    said = capsys.readouterr()
    return Namespace(code=code, out=said.out, err=said.err)


def test_the_command_line_does_the_same(
    path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("crisisdesk.clock.now", lambda: DESK_NOW)

    def said(*words: str) -> Namespace:
        return command(path, capsys, "opening", *words)

    found = said("preview", "arlon", "surgery", "--capacity", "12")
    assert "0 callbacks would be released" in found.out
    assert "Nobody waits for this service" in found.out
    assert said("confirm", "arlon", "surgery", "--capacity", "12").code == 0
    found = said("list", "arlon", "--json")
    (theatre,) = [one for one in json.loads(found.out) if one["current"] and one["current"]["limits"]]
    assert theatre["current"]["limits"] == {"implant": 2}, "what the plan said is kept"
    assert (
        said("revise", "arlon", "surgery", "--capacity", "1", "--on", "2022-06-08", "--until", "2022-06-09").code == 0
    )
    assert "partly open, from Wed 08/06 to Thu 09/06, 1 a day, implant 1" in said("list", "arlon").out
    found = said("confirm", "arlon", "surgery", "--capacity", "4", "--limits", "robot 1")
    assert (found.code, "There is no limit 'robot'" in found.err) == (1, True)
    found = said("forecast", "arlon", "surgery", "--json")
    assert json.loads(found.out)["forecast"]["contact"]["is_assumed"] is True
    assert "queue is empty" in said("forecast", "arlon", "surgery").out
    assert "Nobody was told a day there" in said("told", "arlon", "surgery").out
    assert json.loads(said("told", "arlon", "--json").out) == []
    found = said("postpone", "arlon", "surgery", "--on", "2022-06-13", "--reason", "panne", "--preview")
    assert found.code == 0
    assert "closed, on" not in said("list", "arlon").out
    found = said("postpone", "arlon", "surgery", "--on", "2022-06-13", "--part", "morning", "--reason", "panne")
    assert found.code == 0
    found = said("postpone", "arlon", "surgery", "--on", "2022-06-13", "--reason", "")
    assert (found.code, "Say why" in found.err) == (1, True)
    found = said("list", "arlon", "--as-of", "2022-05-30")
    assert "partly open, from Tue 31/05" not in found.out
