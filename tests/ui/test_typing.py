"""Forms under the fingers: bursts, choices, pastes, drafts."""

import asyncio
from collections.abc import Iterable
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from textual import events
from textual.widget import Widget

from crisisdesk.desk.agents import find_agent
from crisisdesk.desk.drafts import list_drafts
from crisisdesk.store.engine import Store
from crisisdesk.ui.autosave import Autosave
from crisisdesk.ui.widgets.choices import Choice, find_choices
from crisisdesk.ui.widgets.form import ChoiceField, Field, Form
from crisisdesk.ui.widgets.frame import DeskScreen
from screens import open_screens, screen_text, settled, type_text

KINDS = (Choice("self", "soi-même", "1"), Choice("near", "proche", "2"), Choice("pro", "professionnel", "3"))


class PaperScreen(DeskScreen):
    """A form of the test's own."""

    HEADING = "Paper"
    BINDINGS: ClassVar[list[tuple[str, str, str]]] = [("ctrl+s", "save", "save"), ("ctrl+t", "again", "again")]
    saved: dict[str, str] | None = None

    def compose_work(self) -> Iterable[Widget]:
        self.form = Form(
            Field("phone", "Phone", width=20), Field("name", "Name", max_length=30),
            ChoiceField("kind", "For", KINDS), Field("words", "Words", max_length=100),
        )  # fmt: skip
        self.form.draft = Autosave(self, "call", self.form.texts)
        yield self.form

    def action_save(self) -> None:
        self.saved = self.form.values()

    def action_again(self) -> None:
        self.app.push_screen(PaperScreen())


async def with_paper(pilot: Any) -> PaperScreen:
    pilot.app.push_screen(PaperScreen())
    await settled(pilot)
    screen = pilot.app.screen
    assert isinstance(screen, PaperScreen)
    return screen


async def test_a_whole_form_typed_ahead_lands_in_its_fields(desk_store: Store) -> None:
    async with open_screens(desk_store) as pilot:
        screen = await with_paper(pilot)
        await type_text(pilot, "063231111\tDupont [b]\rpr")
        assert screen.form.choice("kind").code is None
        await type_text(pilot, "oc\tle genou")
        assert screen.form.values() == {"phone": "063231111", "name": "Dupont [b]", "kind": "near", "words": "le genou"}
        assert screen.form["kind"].value == "proche"


async def test_keys_after_a_key_that_opens_a_screen_go_to_its_first_field(desk_store: Store) -> None:
    async with open_screens(desk_store) as pilot:
        first = await with_paper(pilot)
        app = pilot.app
        for key, character in (("1", "1"), ("ctrl+s", None), ("ctrl+t", None), ("2", "2"), ("tab", None), ("x", "x")):
            app.post_message(events.Key(key, character))
        await settled(pilot)
        second = app.screen
        assert isinstance(second, PaperScreen)
        assert second is not first
        assert first.saved is not None
        assert first.saved["phone"] == "1"
        assert second.form.texts() == {"phone": "2", "name": "x"}


async def test_f4_lists_the_choices_and_esc_changes_nothing(desk_store: Store) -> None:
    async with open_screens(desk_store) as pilot:
        screen = await with_paper(pilot)
        await pilot.press("tab", "tab", "f4")
        await settled(pilot)
        assert "professionnel" in screen_text(pilot)
        await pilot.press("down", "down", "enter")
        await settled(pilot)
        assert screen.form.choice("kind").code == "pro"
        await pilot.press("f4", "up", "escape")
        await settled(pilot)
        assert screen.form.choice("kind").code == "pro"
        await pilot.press("f4", "2")
        await settled(pilot)
        assert screen.form.choice("kind").code == "near"


@pytest.mark.parametrize("text", ["two\nlines", "x" * 5000, "y" * 31])
async def test_a_paste_that_does_not_fit_is_refused_whole_and_said(desk_store: Store, text: str) -> None:
    async with open_screens(desk_store) as pilot:
        screen = await with_paper(pilot)
        screen.form["name"].focus()
        await pilot.pause()
        pilot.app.post_message(events.Paste(text))
        await settled(pilot)
        assert screen.form["name"].value == ""
        assert "Name" in screen_text(pilot).splitlines()[-2]
        pilot.app.post_message(events.Paste("Ma\x1b[31mrie\n"))
        await settled(pilot)
        assert screen.form["name"].value == "Marie"


async def test_what_is_typed_is_a_draft_as_soon_as_its_field_is_left(desk_store: Store) -> None:
    agent = find_agent(desk_store, "amelie")
    assert agent
    async with open_screens(desk_store) as pilot:
        screen = await with_paper(pilot)
        await type_text(pilot, "063231111\tDup")
        assert [draft.fields for draft in list_drafts(desk_store, agent=agent)] == [{"phone": "063231111"}]
        assert "14:00:00" in screen_text(pilot).splitlines()[1]
        await pilot.press("f3")
        await settled(pilot)
        kept = [dict(one.fields) for one in list_drafts(desk_store, agent=agent)]
        assert kept == [{"phone": "063231111", "name": "Dup"}]
        assert screen.form.draft is not None


async def test_a_field_is_stored_when_typing_stops_though_it_is_not_left(desk_store: Store) -> None:
    agent = find_agent(desk_store, "amelie")
    assert agent
    async with open_screens(desk_store) as pilot:
        await with_paper(pilot)
        await type_text(pilot, "063231111")
        assert list_drafts(desk_store, agent=agent) == ()
        for _attempt in range(200):
            await asyncio.sleep(0.05)
            if kept := list_drafts(desk_store, agent=agent):
                break
        assert dict(kept[0].fields) == {"phone": "063231111"}


async def test_a_draft_that_is_over_is_not_stored_again(desk_store: Store) -> None:
    agent = find_agent(desk_store, "amelie")
    assert agent
    async with open_screens(desk_store) as pilot:
        screen = await with_paper(pilot)
        assert screen.form.draft
        screen.form.draft.stop()
        await type_text(pilot, "063231111\tDup")
        assert list_drafts(desk_store, agent=agent) == ()


LETTERS = st.text(alphabet=st.characters(codec="latin-1", categories=("L", "N", "P")), max_size=12)


@given(st.lists(LETTERS, min_size=4, max_size=4))
@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_any_burst_ends_where_it_was_meant(desk_store: Store, texts: list[str]) -> None:
    async with open_screens(desk_store) as pilot:
        screen = await with_paper(pilot)
        await type_text(pilot, "\t".join(texts))
        fields = ("phone", "name", "words")
        assert [screen.form[name].value for name in fields] == [texts[0], texts[1], texts[3]]


@pytest.mark.parametrize(("typed", "codes"), [
    ("", []), ("1", ["self"]), ("near", ["near"]), ("PRO", ["pro"]), ("pr", ["near", "pro"]), ("proc", ["near"]),
    ("fess", ["pro"]), ("soi meme", ["self"]), ("zz", []),
])  # fmt: skip
def test_what_a_typed_choice_may_mean(typed: str, codes: list[str]) -> None:
    assert [choice.code for choice in find_choices(KINDS, typed)] == codes
