"""Hostile text in every column that people fill goes through every screen and comes out as plain characters.

The belt (the line filter) is taken off here, so that what is tested is each screen's own care.
"""

import inspect
import re
from importlib import import_module
from typing import Any

import pytest
from textual.pilot import Pilot

from crisisdesk.desk.agents import find_agent
from crisisdesk.desk.drafts import save_draft
from crisisdesk.desk.intake import CallForm, ReportedItem, record_call
from crisisdesk.desk.reference import load_reference
from crisisdesk.store.engine import Store
from crisisdesk.ui.linefilter import UnsafeCharacters
from crisisdesk.ui.places import PLACES, is_there
from moments import DESK_NOW
from screens import open_screens, screen_text, settled

ATTACKS = {
    "markup": "[red]M[/red] [@click=app.leave]Jean[/] [link=http://x]y[/link] Dupont [/] [b",
    "control": "A\x1b[31mB\x1b]0;t\x07C\x1b]52;c;QQ==\x07D\x1b]8;;http://x\x1b\\E\x1bc\x9b31mb\x85c\x9dd\x08f\x7f\u202edcba\u202c"
    "\u2066x\u2069\u200b\ufeff\u061cy\U000e0041",
    "wide": "\u65e5\u672c\u8a9e e\u0301 \U0001f468\u200d\U0001f469\u200d\U0001f467",
    "long": "Zz" * 5000,
}
FILLED_BY_PEOPLE = {
    "patient": ("last_name", "first_name", "full_name", "town", "contact_note", "record_number"),
    "call": ("words", "note", "caller_name", "relation", "slip_number", "taken_by_name", "caller_phone_said"),
    "postponement": ("service_name", "procedure", "clinician", "room", "remark", "priority_said"),
    "callback": ("note", "release_why"), "phone": ("comment",), "agent": ("name",), "site": ("name", "hospital"),
    "service": ("name",), "instruction": ("words",), "opening": ("reason",), "desk": ("name",), "label": ("words",),
    "source_file": ("name",),
}  # fmt: skip
UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\U000e0000-\U000e007f]")
GIVEN: dict[str, Any] = {"patient_id": 1, "callback_id": 1, "call_id": 1, "site_id": "arlon"}
"""Arguments of screens that are only opened from another one."""


@pytest.fixture(params=ATTACKS)
def hostile_store(request: pytest.FixtureRequest, desk_store: Store) -> Store:
    attack = ATTACKS[request.param]
    agent = find_agent(desk_store, "amelie")
    assert agent
    form = CallForm(
        "one", DESK_NOW, "callback", phone="063 23 11 11", last_name="Dupont", first_name="Marie", birth="12/3/1958",
        site_id="arlon", topic="operation_postponed", caller_kind="self", words="x", wish="demain matin",
        reported=(ReportedItem(kind="surgery", said_on="17/05"),),
    )  # fmt: skip
    record_call(desk_store, form, agent=agent, now=DESK_NOW, reference=load_reference(desk_store))
    save_draft(desk_store, uid="d", kind="call", fields={"words": attack, "last": attack}, agent=agent, now=DESK_NOW)
    with desk_store.write() as connection:
        for table, columns in FILLED_BY_PEOPLE.items():
            for column in columns:
                connection.exec_driver_sql(f"UPDATE {table} SET {column} = ?", (attack,))
    return desk_store


def check_all_lines(pilot: Pilot[Any]) -> None:
    for strip in pilot.app.screen._compositor.render_strips():
        assert strip.cell_length == pilot.app.size.width
        for segment in strip:
            assert not UNSAFE.search(segment.text), segment
            meta = segment.style.meta if segment.style else {}
            assert not any(key.startswith("@click") for key in meta), segment
            assert not (segment.style and segment.style.link), segment
    assert pilot.app.return_code is None


def no_belt(pilot: Pilot[Any]) -> None:
    pilot.app._filters[:] = [one for one in pilot.app._filters if not isinstance(one, UnsafeCharacters)]


@pytest.mark.parametrize("name", [name for name in PLACES if is_there(name) and name != "help"])
async def test_screen_shows_hostile_text_as_plain_characters(hostile_store: Store, name: str) -> None:
    async with open_screens(hostile_store) as pilot:
        no_belt(pilot)
        wanted = inspect.signature(screen_class(name).__init__).parameters.values()
        given = {one.name: GIVEN[one.name] for one in wanted if one.name in GIVEN and one.default is one.empty}
        pilot.app.go(name, **given)
        await settled(pilot)
        check_all_lines(pilot)
        for key in ("tab", "down", "enter", "f4"):
            await pilot.press(key)
            await settled(pilot)
            check_all_lines(pilot)
        await pilot.press("f1")
        await settled(pilot)
        check_all_lines(pilot)


def screen_class(name: str) -> type:
    place = PLACES[name]
    return getattr(import_module(f"crisisdesk.ui.screens.{place.module}"), place.name)  # type: ignore[no-any-return]


async def test_markup_is_there_to_be_read(desk_store: Store) -> None:
    agent = find_agent(desk_store, "amelie")
    assert agent
    text = "[@click=app.leave]Jean[/] \x1b[31m"
    save_draft(desk_store, uid="d", kind="call", fields={"last": text}, agent=agent, now=DESK_NOW)
    async with open_screens(desk_store) as pilot:
        assert "[@click=app.leave]Jean[/] \ufffd[31m" in screen_text(pilot)
        pilot.app.screen.say(text)
        await pilot.pause()
        assert "[@click=app.leave]Jean[/]" in screen_text(pilot)
        pilot.app.screen.confirm(text, lambda: None)
        await pilot.pause()
        check_all_lines(pilot)
