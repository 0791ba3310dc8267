"""Agents: added, changed, disabled and enabled on the screen; everybody may look, only admins change."""

from typing import Any

import pytest

from crisisdesk.desk.agents import find_agent, list_agents
from crisisdesk.desk.drafts import list_drafts
from crisisdesk.desk.sessions import sign_in
from crisisdesk.domain.words import Role
from crisisdesk.ui.widgets.table import DeskTable
from moments import DESK_NOW
from screens import open_screens, screen_text, settled, type_text
from showing import appears, ended, keys
from waiting import World


def mark(pilot: Any, login: str) -> None:
    pilot.app.screen.query_one("#agents", DeskTable).go_to(login)


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_the_list_says_role_sites_and_who_is_signed_in(world: World, size: tuple[int, int]) -> None:
    sign_in(world.store, "amelie", now=DESK_NOW)
    async with open_screens(world.store, "agents", login="bruno", size=size, language="en") as pilot:
        lines = screen_text(pilot).splitlines()
        assert all(len(line) <= size[0] for line in lines)
        assert "4 active · 1 signed in" in lines[1]
        amelie = next(line for line in lines if line.startswith("amelie"))
        assert "Amélie" in amelie
        assert amelie.endswith("at the desk")
        assert "never" in next(line for line in lines if line.startswith("bruno"))
        for key in ("n", "enter", "d"):
            assert "Only an admin" in await keys(pilot, key)
            assert not pilot.app.screen.query("Form")


async def test_an_admin_adds_an_agent(world: World) -> None:
    async with open_screens(world.store, "agents", login="chef", language="en") as pilot:
        await keys(pilot, "n")
        await type_text(pilot, "1x\rZoé\rsup\rfr\rArlon, lib\r")
        assert "cannot be a login" in screen_text(pilot)
        await keys(pilot, "up", "up", "up", "up", "ctrl+u")
        await type_text(pilot, "zoe\r\r\r\r\r")
        assert "Zoé may sign in as zoe." in screen_text(pilot)
        assert next(line for line in screen_text(pilot).splitlines() if line.startswith("zoe"))
    found = find_agent(world.store, "zoe")
    assert found
    assert (found.role, found.language, found.sites) == (Role.SUPERVISOR, "fr", frozenset({"arlon", "libramont"}))


async def test_a_site_that_is_not_known_is_said_at_its_field(world: World) -> None:
    async with open_screens(world.store, "agents", login="chef", language="en") as pilot:
        await keys(pilot, "n")
        await type_text(pilot, "zoe\rZoé\r\r\rArlon, Namur\r")
        assert "Namur?" in screen_text(pilot)
        assert pilot.app.focused.id == "sites"  # type: ignore[union-attr]
        await keys(pilot, "escape")
    assert find_agent(world.store, "zoe") is None


async def test_an_admin_changes_an_agent_in_one_go(world: World) -> None:
    async with open_screens(world.store, "agents", login="chef", language="en") as pilot:
        mark(pilot, "bruno")
        await keys(pilot, "enter")
        await type_text(pilot, " Petit\rsup\r\rMarche\r")
        assert "Bruno Petit is changed" in screen_text(pilot)
    found = find_agent(world.store, "bruno")
    assert found
    assert (found.name, found.role, len(found.sites)) == ("Bruno Petit", Role.SUPERVISOR, 1)


async def test_a_disabled_agent_is_out_and_comes_back(world: World) -> None:
    me = sign_in(world.store, "amelie", now=DESK_NOW)
    async with open_screens(world.store, "intake", agent=me, language="en") as theirs:
        await type_text(theirs, "063\tDupont")
        async with open_screens(world.store, "agents", login="chef", language="en") as pilot:
            mark(pilot, "amelie")
            assert "The session ends at once" in await keys(pilot, "d")
            assert "Amélie is disabled, and the session has ended." in await keys(pilot, "y")
            assert "✗ disabled" in screen_text(pilot)
            assert await ended(theirs)
            app: Any = theirs.app
            assert "account at this desk was disabled" in app.leaving.farewell
            assert "Let Amélie sign in again?" in await keys(pilot, "d")
            assert "Amélie may sign in again." in await keys(pilot, "y")
    assert [one.fields["last_name"] for one in list_drafts(world.store, agent=me)] == ["Dupont"]


async def test_the_last_admin_cannot_be_lost(world: World) -> None:
    async with open_screens(world.store, "agents", login="chef", language="en") as pilot:
        mark(pilot, "chef")
        await keys(pilot, "d", "y")
        assert "only admin" in screen_text(pilot)
        await keys(pilot, "enter", "enter")
        await type_text(pilot, "agent\r\r\r")
        assert "only admin" in screen_text(pilot)
        await settled(pilot)
    assert [one.login for one in list_agents(world.store) if one.role is Role.ADMIN and one.is_active] == ["chef"]


async def test_a_role_that_is_given_shows_on_the_screens_of_that_agent(world: World) -> None:
    me = sign_in(world.store, "bruno", now=DESK_NOW)
    async with open_screens(world.store, "home", agent=me, language="en") as theirs:
        async with open_screens(world.store, "agents", login="chef", language="en") as pilot:
            mark(pilot, "bruno")
            await keys(pilot, "e", "enter")
            await type_text(pilot, "sup\r\r\r")
        assert "Bruno · supervisor" in await appears(theirs, "Bruno · supervisor")
