"""The door to the store, the belt, the table, the changes of others."""

import asyncio
import threading
from collections.abc import Iterable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.color import ColorSystem
from rich.console import Console
from rich.segment import Segment
from rich.style import Style
from textual._compositor import LayoutUpdate
from textual.color import Color
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from crisisdesk.desk import rules
from crisisdesk.desk.agents import find_agent
from crisisdesk.desk.drafts import list_drafts, save_draft
from crisisdesk.errors import LeaseLost, RuleBroken, StoreUnavailable
from crisisdesk.store.engine import Store, open_desk
from crisisdesk.ui.cells import Diff, Frame, Look, look_of
from crisisdesk.ui.glyphs import Hand, old_glyph
from crisisdesk.ui.inert import inert
from crisisdesk.ui.linefilter import UnsafeCharacters
from crisisdesk.ui.widgets.frame import DeskScreen
from crisisdesk.ui.widgets.table import Column, DeskTable, Row
from moments import DESK_NOW
from screens import open_screens, screen_text, settled
from terminal_glass import Glass


def row(name: str) -> Row:
    return Row(name, (name,))


class ListScreen(DeskScreen):
    """A list of the test's own."""

    def compose_work(self) -> Iterable[Widget]:
        yield DeskTable([Column("name", "Name", 0)], empty="Nothing yet.\nF2 fills it.", id="list")


async def with_list(pilot: Any, *names: str) -> DeskTable:
    pilot.app.push_screen(ListScreen())
    await settled(pilot)
    table: DeskTable = pilot.app.screen.query_one(DeskTable)
    table.show([row(name) for name in names])
    await pilot.pause()
    return table


async def test_lines_do_not_move_under_the_cursor(desk_store: Store) -> None:
    async with open_screens(desk_store) as pilot:
        table = await with_list(pilot, "a", "b", "c")
        await pilot.press("j", "j")
        assert table.current_id == "c"
        assert table.renew([row("z"), row("c"), row("a")])
        assert [one.row_id for one in table.rows] == ["a", "c", "z"]
        assert table.current_id == "c"
        assert not table.renew([row("a"), row("c"), row("z")])
        table.show([row("z"), row("c"), row("a")])
        assert table.current_id == "c"
        table.show([])
        await pilot.pause()
        assert table.current_id is None
        assert "F2 fills it." in screen_text(pilot)
        table.say_empty("What the list is for. " * 8 + "F3 fills it too.")  # longer than a line: nothing is cut
        await pilot.pause()
        assert "F3 fills it too." in " ".join(screen_text(pilot).split())


async def test_a_long_list_follows_the_cursor_under_its_header(desk_store: Store) -> None:
    async with open_screens(desk_store) as pilot:
        await with_list(pilot, *(f"line {number}" for number in range(10_000)))
        await pilot.press("end")
        await settled(pilot)
        assert "line 9999" in screen_text(pilot)
        assert "Name" in screen_text(pilot)
        await pilot.press("pageup", "k")
        await settled(pilot)
        assert "line 9980" in screen_text(pilot)
        await pilot.press("home")
        await settled(pilot)
        assert "line 0\n" in screen_text(pilot)


async def test_what_another_session_writes_shows_by_itself(desk_store: Store) -> None:
    agent = find_agent(desk_store, "amelie")
    assert agent
    async with open_screens(desk_store) as pilot:
        other = open_desk(desk_store.path)
        save_draft(other, uid="x", kind="call", fields={"last": "Dupont"}, agent=agent, now=DESK_NOW)
        other.close()
        for _attempt in range(100):
            await asyncio.sleep(0.05)
            if "Dupont" in screen_text(pilot):
                break
        assert "Dupont" in screen_text(pilot)


async def test_a_desk_where_somebody_always_writes_is_followed(
    desk_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = rules.reference_of

    def slow(store: Store) -> object:
        threading.Event().wait(0.1)
        return known(store)

    monkeypatch.setattr(rules, "reference_of", slow)
    async with open_screens(desk_store) as pilot:
        shown: list[int] = []
        monkeypatch.setattr(pilot.app.screen, "refresh_from_store", lambda: shown.append(1))
        for _write in range(20):
            pilot.app._store_changed()
            await asyncio.sleep(0.05)
        assert shown


@pytest.mark.parametrize(("error", "asks"), [
    (RuleBroken("mend [b] it"), False), (LeaseLost("Bruno has it", "Bruno"), False),
    (StoreUnavailable("disk full"), True),
])  # fmt: skip
async def test_a_failed_write_is_told_and_can_be_tried_again(desk_store: Store, error: Exception, asks: bool) -> None:
    tried = []

    def fail(store: Store, *, agent: object, now: object) -> None:
        tried.append((agent, now))
        raise error

    async with open_screens(desk_store) as pilot:
        pilot.app.screen.write(fail)
        await settled(pilot)
        assert str(error) in screen_text(pilot)
        assert pilot.app.screen.messages.is_asking is asks
        if asks:
            await pilot.press("y")
            await settled(pilot)
            assert len(tried) == 2
            await pilot.press("n")
            await settled(pilot)
        assert tried[0][1] == DESK_NOW


async def test_a_second_question_waits_for_the_answer_to_the_first(desk_store: Store) -> None:
    answers: list[str] = []
    async with open_screens(desk_store, "intake", language="en") as pilot:
        screen = pilot.app.screen
        for question in ("First?", "Second?"):
            screen.confirm(question, partial(answers.append, question))
            await settled(pilot)
        assert "First?" in screen_text(pilot)
        await pilot.press("y")
        assert "Second?" in screen_text(pilot)
        await pilot.press("y")
        await pilot.press("0", "6")
        assert answers == ["First?", "Second?"]
        assert screen.form["phone"].value == "06", "typed letters go where they went before"


async def test_a_write_lands_and_is_told_though_its_screen_has_gone(desk_store: Store) -> None:
    may_end = threading.Event()

    def slow(store: Store) -> None:
        may_end.wait(10)
        raise RuleBroken("too late for this screen")

    async with open_screens(desk_store) as pilot:
        await with_list(pilot)
        pilot.app.screen.write(slow, hold_keys=False)
        await pilot.press("f3")
        may_end.set()
        await settled(pilot)
        assert "too late for this screen" in screen_text(pilot)


async def test_writes_are_made_in_order_and_none_is_lost_by_leaving(desk_store: Store) -> None:
    agent = find_agent(desk_store, "amelie")
    assert agent
    async with open_screens(desk_store) as pilot:
        for number in range(20):
            pilot.app.screen.write(save_draft, uid=str(number), kind="call", fields={"n": str(number)},
                                   now=DESK_NOW + timedelta(seconds=number))  # fmt: skip
        pilot.app.leaving.quit()
    assert [one.uid for one in list_drafts(desk_store, agent=agent)] == [str(number) for number in reversed(range(20))]


async def test_the_newest_read_of_a_group_wins(desk_store: Store) -> None:
    first_may_end, shown = threading.Event(), []

    def read(store: Store, name: str) -> str:
        if name == "first":
            first_may_end.wait(10)
        return name

    async with open_screens(desk_store) as pilot:
        pilot.app.screen.read(read, "first", then=shown.append)
        await asyncio.sleep(0.1)
        pilot.app.screen.read(read, "second", then=shown.append)
        await settled(pilot)
        first_may_end.set()
        await settled(pilot)
        assert shown == ["second"]


class CarelessWidget(Widget):
    """Draws what it is given, as a widget of somebody else's might."""

    def render_line(self, y: int) -> Strip:
        return Strip([Segment("a\x1b]52;c;x\x07\u202eb", Style())])


class CarelessScreen(DeskScreen):
    def compose_work(self) -> Iterable[Widget]:
        yield CarelessWidget()


async def test_the_belt_holds_where_a_widget_is_careless(desk_store: Store) -> None:
    async with open_screens(desk_store) as pilot:
        pilot.app.push_screen(CarelessScreen())
        await settled(pilot)
        text = screen_text(pilot)
        assert "a\ufffd]52;c;x\ufffd\ufffdb" in text
        pilot.app._filters[:] = [one for one in pilot.app._filters if not isinstance(one, UnsafeCharacters)]
        pilot.app.screen.refresh(layout=True)
        pilot.app.screen.query_one(CarelessWidget).refresh()
        await settled(pilot)


@given(st.text())
def test_the_filter_keeps_the_number_of_cells(text: str) -> None:
    (segment,) = UnsafeCharacters().apply([Segment(text)], Color(0, 0, 0))
    assert len(segment.text) == len(text)


@given(st.characters(exclude_categories=["Cs"]))
def test_an_old_terminal_gets_signs_that_it_has_and_as_wide(sign: str) -> None:
    drawn = old_glyph(sign)
    assert cell_len(drawn) == cell_len(sign)
    assert drawn.encode("cp437").decode("cp437") == drawn


def test_accents_that_an_old_terminal_has_stay() -> None:
    assert "".join(map(old_glyph, "éèêëàâçùûîïôöüÉÇ«»°²·")) == "éèêëàâçùûîïôöüÉÇ«»°²·"
    assert "".join(map(old_glyph, "ÀÈÊËÎÔÛœ’…")) == "AEEEIOUo'."
    assert old_glyph("é") == "é"


def test_without_colours_a_ground_is_reversed_and_the_cursor_in_it_is_not() -> None:
    field, cursor = Style(bgcolor="blue"), Style(bgcolor="blue", reverse=True)
    plain, system = Hand(has_colours=False), ColorSystem.STANDARD
    assert look_of(field, system, plain) == Look("7", "", "")
    assert look_of(cursor, system, plain) == Look("", "", "")
    assert look_of(Style(bgcolor="default", dim=True, bold=True), system, Hand(True, False)) == Look("1", "", "")


@given(st.text(max_size=400))
def test_inert_text_has_nothing_that_acts(text: str) -> None:
    content = inert(text)
    assert not content.spans
    assert UnsafeCharacters().apply([Segment(content.plain)], Color(0, 0, 0))[0].text == content.plain


LOOKS = st.sampled_from([Style(), Style(bold=True), Style(color="red"), Style(bgcolor="blue", reverse=True)])
LINES = st.lists(st.tuples(st.text("ab é─▌", min_size=1, max_size=6), LOOKS), max_size=5)


@given(st.lists(st.lists(LINES, min_size=3, max_size=3), min_size=1, max_size=4))
def test_differences_add_up_to_the_last_picture(pictures: list[list[list[tuple[str, Style]]]]) -> None:
    frame, console, glass = Frame(), Console(color_system="256"), Glass(20, 3)
    frame.fit(20, 3)
    for picture in pictures:
        strips = [Strip([Segment(*one) for one in line]).adjust_cell_length(20) for line in picture]
        update = LayoutUpdate([[strip] for strip in strips], Region(0, 0, 20, 3))
        glass.feed(Diff(update, frame).render_segments(console))
        assert glass.text == "\n".join(strip.text.rstrip() for strip in strips)
