"""Every action can be reached on every terminal and keyboard of the house."""

from collections.abc import Iterator
from importlib import import_module
from pkgutil import walk_packages
from typing import Any

import pytest
from textual.binding import Binding
from textual.dom import DOMNode

import crisisdesk.ui
from crisisdesk.store.engine import Store
from crisisdesk.ui.keys import digit_keys
from crisisdesk.ui.palette import _actions
from crisisdesk.ui.places import PLACES, is_there
from crisisdesk.ui.widgets.keybar import live_bindings
from screens import open_screens, screen_text, settled
from test_docs import go_to

LOST = {
    "ctrl+a": "GNU screen", "ctrl+b": "tmux", "ctrl+enter": "no old terminal has it", "ctrl+i": "is Tab",
    "ctrl+m": "is Enter", "ctrl+j": "is Enter on some", "ctrl+left_square_bracket": "is Esc", "ctrl+h": "is Backspace",
    "ctrl+space": "input methods", "ctrl+at": "is Ctrl+Space", "quotation_mark": "Shift+F4 of some terminals",
    "ctrl+z": "suspends where a shell is behind",
}  # fmt: skip
SPARE = {"ctrl+z"}
"""Allowed as a second key of an action that has a better one."""
MOVES = {
    "enter", "tab", "shift+tab", "escape", "up", "down", "left", "right", "home", "end", "pageup", "pagedown",
    "backspace", "delete", "space", "j", "k", "full_stop",
}  # fmt: skip


def own_bindings() -> Iterator[tuple[str, Binding]]:
    """Every binding of this program's own classes, with keys not yet taken apart."""
    seen = set()
    for module in walk_packages(crisisdesk.ui.__path__, "crisisdesk.ui."):
        for kind in vars(import_module(module.name)).values():
            is_ours = isinstance(kind, type) and issubclass(kind, DOMNode) and kind.__module__.startswith("crisisdesk.")
            if is_ours and kind not in seen:
                seen.add(kind)
                for one in kind.__dict__.get("BINDINGS", ()):
                    yield kind.__name__, one if isinstance(one, Binding) else Binding(*one)


def test_no_key_is_one_that_something_on_the_way_takes() -> None:
    found = list(own_bindings())
    assert len(found) > 100
    wrong = []
    for place, binding in found:
        keys = binding.key.split(",")
        for key in keys:
            modified = key.startswith(("shift+f", "ctrl+f")) and key[6:].lstrip("f").isdigit()
            beyond = key[:1] == "f" and key[1:].isdigit() and int(key[1:]) > 12
            is_lost = key in LOST and not (key in SPARE and len(keys) > 1)
            if is_lost or modified or beyond or key.startswith(("alt+", "super+", "ctrl+shift+")):
                wrong.append(f"{place}: {key}: {LOST.get(key, 'does not arrive everywhere')}")
    assert not wrong


def test_a_digit_is_bound_with_the_sign_of_its_key_on_azerty() -> None:
    alone = [
        f"{place}: {binding.key}"
        for place, binding in own_bindings()
        for key in binding.key.split(",")
        if key.isdigit() and binding.key != digit_keys(int(key))
    ]
    assert not alone


def keys_of(screen: Any, action: str) -> set[str]:
    return {key for key, active in screen.active_bindings.items() if active.binding.action == action}


@pytest.mark.parametrize("name", [name for name in PLACES if name != "help" and is_there(name)])
async def test_every_action_is_in_the_list_of_all_actions(desk_store: Store, name: str) -> None:
    """From wherever the focus is; what is on arrows, Enter or a digit is a move, and has a key that nobody takes."""
    async with open_screens(desk_store, login="sylvie") as pilot:
        await go_to(pilot, desk_store, name)
        screen: Any = pilot.app.screen
        unreachable = []
        for widget in [None, *(one for one in screen.query("*") if one.focusable)]:
            if widget is not None:
                widget.focus()
                await pilot.pause()
            offered = {action for action, _more in _actions(pilot.app, screen)}
            for active in live_bindings(screen):
                action = active.binding.action
                commands = {key for key in keys_of(screen, action) if key not in MOVES and not is_digit(key)}
                if commands and action not in offered | {"palette"}:
                    unreachable.append(f"{widget}: {action} ({commands})")
        assert not unreachable


def is_digit(key: str) -> bool:
    return any(key in digit_keys(number).split(",") for number in range(10))


async def test_an_ending_is_picked_from_the_list_of_all_actions(desk_store: Store) -> None:
    async with open_screens(desk_store, login="sylvie") as pilot:
        await go_to(pilot, desk_store, "callback")
        await pilot.press("f8")
        await settled(pilot)
        await pilot.press(*"pas de r")
        await pilot.press("enter")
        await settled(pilot)
        assert "pas de réponse →" in screen_text(pilot)


@pytest.mark.parametrize(("key", "screen"), [("question_mark", "HelpScreen"), ("colon", "ChoiceScreen")])
async def test_help_and_actions_have_a_sign_outside_fields(desk_store: Store, key: str, screen: str) -> None:
    async with open_screens(desk_store) as pilot:
        await pilot.press(key)
        await settled(pilot)
        assert type(pilot.app.screen).__name__ == screen


async def test_the_signs_are_letters_in_a_field(desk_store: Store) -> None:
    async with open_screens(desk_store, "intake") as pilot:
        await pilot.press("question_mark", "colon")
        await settled(pilot)
        screen: Any = pilot.app.screen
        assert screen.focused.value == "?:"
