"""A field that holds something: the first letter replaces it; what means nothing is an error that names the field."""

from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from crisisdesk.desk.callbacks import list_queue
from crisisdesk.desk.importing.looking import list_imports
from crisisdesk.desk.reopening import list_services
from crisisdesk.store.engine import Store
from crisisdesk.ui.widgets.form import Form
from crisisdesk.ui.widgets.table import DeskTable
from moments import DESK_NOW
from screens import open_screens, screen_text, settled, type_text

ROWS = "Nom;Prénom;Né le;Téléphone;Date op.;Couleur\nDUPONT;Anne;12/03/1958;0470123456;30/05/2022;bleu\n"


@pytest.fixture
def nowhere(tmp_path: Path) -> Path:
    """A list of which nobody knows the hospital."""
    path = tmp_path / "operations.csv"
    path.write_text(ROWS, encoding="utf-8")
    return path


async def typed(pilot: Pilot[Any], text: str) -> str:
    await type_text(pilot, text)
    await settled(pilot)
    return screen_text(pilot)


async def test_the_first_letter_replaces_a_choice_that_is_there(desk_store: Store, nowhere: Path) -> None:
    async with open_screens(desk_store, "lists", language="en", login="sylvie") as pilot:
        await typed(pilot, "i")
        await typed(pilot, f"{nowhere}\rarlon\r")
        form = pilot.app.screen.query_one(Form)
        assert form["site"].value == "Arlon"
        await pilot.press("up", "right", "x", "enter", "enter", "enter", "enter")
        await settled(pilot)
        text = screen_text(pilot)
        assert "Site: “Arlonx” is not in the list (F4)." in text
        assert pilot.app.screen.focused is form["site"]


async def test_a_list_of_no_hospital_is_asked_about_before_it_is_stored(desk_store: Store, nowhere: Path) -> None:
    async with open_screens(desk_store, "lists", language="en", login="sylvie") as pilot:
        await typed(pilot, "i")
        text = await typed(pilot, f"{nowhere}\r\r\r\r\r")
        assert "30/05/2022" in text
        assert "no site" in text
        await pilot.press("ctrl+s")
        await settled(pilot)
        assert "in no queue. Take it in?" in screen_text(pilot)
        await pilot.press("n")
        await settled(pilot)
        assert list_imports(desk_store) == []
        await pilot.press("ctrl+s", "y")
        await settled(pilot)
        assert [line.site_id for line in list_imports(desk_store)] == [None]


async def test_a_number_of_places_is_replaced_not_lengthened(desk_store: Store) -> None:
    async with open_screens(desk_store, "openings", login="sylvie", language="en") as pilot:
        await typed(pilot, "c")
        await typed(pilot, "+1\rpartly\r12\r")
        form = pilot.app.screen.query_one(Form)
        await pilot.press("up", "5")
        await settled(pilot)
        assert form["capacity"].value == "5"


async def test_a_wrong_day_takes_the_focus_back(desk_store: Store) -> None:
    async with open_screens(desk_store, "openings", login="sylvie", language="en") as pilot:
        await typed(pilot, "c")
        await typed(pilot, "32/13\r")
        await pilot.press("ctrl+s")
        await settled(pilot)
        text = screen_text(pilot)
        assert "'32/13' is no day" in text
        assert pilot.app.screen.focused is pilot.app.screen.query_one(Form)["day"]


async def test_what_cannot_be_planned_is_said_before_the_form(desk_store: Store) -> None:
    first = list_services(desk_store, now=DESK_NOW)[0]
    assert first.planned, "the shipped data plan an opening of the first service"
    async with open_screens(desk_store, "openings", login="sylvie", language="en") as pilot:
        assert "is planned for" in await typed(pilot, "p")
        assert not pilot.app.screen.query(Form)
    async with open_screens(desk_store, "openings", login="amelie", language="en") as pilot:
        assert "Only a supervisor" in await typed(pilot, "c")
        assert not pilot.app.screen.query(Form)


async def test_a_filter_that_shows_nothing_says_so(desk_store: Store) -> None:
    async with open_screens(desk_store, "queue", language="en") as pilot:
        assert "No open callback here" in screen_text(pilot)
        assert "f: next filter" in await typed(pilot, "f")
        assert list_queue(desk_store, "arlon", now=DESK_NOW).open == 0
        assert pilot.app.screen.query_one("#queue", DeskTable).rows == []
