"""The frame, the home screen and the keys that work everywhere."""

import pytest

from crisisdesk.store.engine import Store
from screens import open_screens, screen_text, settled


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_home_shows_who_where_when_sites_and_keys(desk_store: Store, size: tuple[int, int]) -> None:
    async with open_screens(desk_store, size=size) as pilot:
        lines = screen_text(pilot).splitlines()
        assert len(lines) == size[1]
        assert lines[0].startswith("CrisisDesk · ")
        assert lines[0].endswith("14:00")
        assert "Amélie" in lines[0]
        assert any(line.startswith("Arlon") for line in lines)
        assert lines[-1].startswith("F2 ")
        assert "F1 " in lines[-1]


async def test_help_names_every_key_of_the_screen_and_goes_back(desk_store: Store) -> None:
    async with open_screens(desk_store) as pilot:
        await pilot.press("f1")
        await settled(pilot)
        text = screen_text(pilot)
        assert all(key in text for key in ("F2", "F3", "F6", "F7", "F8"))
        await pilot.press("f3")
        await settled(pilot)
        assert "Arlon" in screen_text(pilot)


async def test_quit_asks_and_any_other_key_is_dead_while_it_asks(desk_store: Store) -> None:
    async with open_screens(desk_store) as pilot:
        await pilot.press("ctrl+q")
        await settled(pilot)
        assert pilot.app.screen.messages.is_asking
        await pilot.press("f1", "x")
        await settled(pilot)
        assert pilot.app.screen.messages.is_asking
        await pilot.press("n")
        await settled(pilot)
        assert not pilot.app.screen.messages.is_asking
        assert pilot.app.focused is not None
        await pilot.press("ctrl+q", "y")
        await pilot.pause()
        assert pilot.app.return_code == 0


async def test_f6_sets_the_site_for_the_screens(desk_store: Store) -> None:
    async with open_screens(desk_store) as pilot:
        await pilot.press("f6", "m", "a", "r", "enter")
        await settled(pilot)
        assert pilot.app.site == "marche"
