"""A new call never shows a field of the last one, by whichever way it is begun; nothing typed is lost on the way."""

from typing import Any

import pytest
from textual.pilot import Pilot

from crisisdesk.desk.agents import Agent
from crisisdesk.desk.drafts import list_drafts, save_draft
from crisisdesk.store.engine import Store
from crisisdesk.ui.screens.intake import IntakeScreen
from moments import DESK_NOW as NOW
from screens import open_screens, screen_text, settled, type_text
from waiting import World

FIRST = "063231111\tDupont\tMarie\t12/03/1958\t\ts\t\t\tf\tarlon\to\tle genou\t\t\tr\tdemain matin\t\t\t"
SAID = ("063231111", "063 23 11 11", "Dupont", "Marie", "12/03/1958", "le genou", "demain matin")


def calls(store: Store) -> list[tuple[Any, ...]]:
    with store.read() as connection:
        sql = "SELECT caller_phone, words, disposition FROM call ORDER BY number"
        return [tuple(row) for row in connection.exec_driver_sql(sql)]


def is_fresh(pilot: Pilot[Any]) -> bool:
    """Nothing of the first call in a field, a link, a flag, or on the screen outside of the reference."""
    screen = pilot.app.screen
    assert isinstance(screen, IntakeScreen)
    text = screen_text(pilot)
    links = screen._links
    return (
        not set(screen.form.texts()) - {"site"}
        and not links.patients
        and not links.red_flag
        and not any(words in text for words in SAID)
        and screen.form["phone"].has_focus
    )


async def by_saving(pilot: Pilot[Any]) -> None:
    await pilot.press("ctrl+s")


async def by_no_call(pilot: Pilot[Any]) -> None:
    await pilot.press("f5")
    await type_text(pilot, "y1")


async def by_f2(pilot: Pilot[Any]) -> None:
    await pilot.press("f2")


async def by_putting_aside(pilot: Pilot[Any]) -> None:
    await pilot.press("escape")
    await settled(pilot)
    await pilot.press("f2")


WAYS = {"saved": by_saving, "none": by_no_call, "f2": by_f2, "aside": by_putting_aside}


@pytest.mark.parametrize("way", WAYS)
async def test_the_next_call_begins_empty(way: str, desk_store: Store, amelie: Agent) -> None:
    async with open_screens(desk_store, "intake", language="en") as pilot:
        await type_text(pilot, FIRST)
        first = pilot.app.screen.autosave.uid  # type: ignore[attr-defined]
        await WAYS[way](pilot)
        await settled(pilot)
        assert is_fresh(pilot), screen_text(pilot)
        assert pilot.app.screen.autosave.uid != first  # type: ignore[attr-defined]
        await type_text(pilot, "0470123456")
        assert "0470" in pilot.app.screen.form["phone"].value  # type: ignore[attr-defined]
    kept = {draft.fields.get("words", "") for draft in list_drafts(desk_store, agent=amelie)}
    assert kept == ({"le genou", ""} if way in ("f2", "aside") else {""}), "the first call is stored, or a draft"
    assert len(calls(desk_store)) == (way in ("saved", "none"))


async def test_two_calls_in_one_burst(desk_store: Store, amelie: Agent) -> None:
    """Typed ahead past the key that saves: each key is the next call's."""
    async with open_screens(desk_store, "intake", language="en") as pilot:
        second = FIRST.replace("063231111", "063231112").replace("le genou", "la hanche").replace("Marie", "Luc")
        await type_text(pilot, FIRST)
        pilot.app.screen.action_save()  # type: ignore[attr-defined]
        await type_text(pilot, second)
        await pilot.press("ctrl+s")
        await settled(pilot)
        assert is_fresh(pilot)
    assert [row[:2] for row in calls(desk_store)] == [("+3263231111", "le genou"), ("+3263231112", "la hanche")]
    assert list_drafts(desk_store, agent=amelie) == ()


async def test_a_draft_gone_on_with_and_left_does_not_show_in_the_next(desk_store: Store, amelie: Agent) -> None:
    fields = {"last_name": "Dupont", "words": "le genou"}
    save_draft(desk_store, uid="d", kind="call", fields=fields, agent=amelie, now=NOW)
    async with open_screens(desk_store, "home", language="en") as pilot:
        await pilot.press("tab", "enter")
        await settled(pilot)
        assert "Dupont" in screen_text(pilot)
        await pilot.press("f2")
        await settled(pilot)
        assert is_fresh(pilot)
    (draft,) = list_drafts(desk_store, agent=amelie)
    assert (draft.uid, dict(draft.fields)) == ("d", fields)


async def test_the_next_patient_shows_nothing_of_the_last_attempt(world: World) -> None:
    one, _two = world.callback(released=True), world.callback(released=True)
    async with open_screens(world.store, "queue", language="en") as pilot:
        pilot.app.site = "arlon"  # type: ignore[attr-defined]
        pilot.app.go("callback", callback_id=one)  # type: ignore[attr-defined]
        await settled(pilot)
        await pilot.press("f5")
        await settled(pilot)
        key = next(row.key for row in world.reference.dispositions.values() if row.code == "worse")
        await type_text(pilot, f"{key}genou chaud")
        await pilot.press("ctrl+s")
        await settled(pilot)
        await pilot.press("enter")
        await settled(pilot)
        assert "genou chaud" not in screen_text(pilot)
        await type_text(pilot, key)
        assert pilot.app.screen._ends.values()["note"] == ""  # type: ignore[attr-defined]
        assert list_drafts(world.store, agent=world.amelie) == ()
        await pilot.press("escape")
        await settled(pilot)
