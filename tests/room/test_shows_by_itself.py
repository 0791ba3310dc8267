"""What others do shows by itself: the line under the cursor stays where it is, and a mark says what is new."""

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert

from crisisdesk.desk.acknowledging import answer_lines
from crisisdesk.desk.agents import add_agent
from crisisdesk.desk.drafts import save_draft
from crisisdesk.desk.handovers import make_handover
from crisisdesk.desk.instructions import InstructionForm, issue_instruction
from crisisdesk.desk.intake import CallForm, record_call
from crisisdesk.desk.notices import send_message
from crisisdesk.desk.reopening import OpeningForm, plan_opening
from crisisdesk.desk.ruling import edit_rule
from crisisdesk.desk.sessions import sign_in
from crisisdesk.domain.words import HandoverState, OpeningState, Role, Scope
from crisisdesk.store import tables
from crisisdesk.store.engine import open_desk
from crisisdesk.ui.widgets.table import DeskTable
from screens import open_screens, screen_text, settled
from showing import appears, cursor_row, keys
from waiting import World

LATE, EARLY = date(2022, 5, 30), date(2022, 5, 16)
Deed = Callable[[World], object]


def callbacks(world: World) -> None:
    for number in range(6):
        world.callback(released=True, original_on=LATE - timedelta(days=number))


def unplaced(world: World, day: date = LATE) -> None:
    row = {
        "patient_id": world.patient(), "kind": "surgery", "original_on": day, "source": "list", "created_at": world.now,
        "is_protected": False, "procedure": "PTH",
    }  # fmt: skip
    with world.store.write() as connection:
        connection.execute(insert(tables.postponement).values(row))


def listed(world: World) -> None:
    row = {"name": "liste.csv", "sha256": str(world.now), "series_key": "", "layout_key": "", "encoding": "utf-8"}
    with world.store.write() as connection:
        connection.execute(
            insert(tables.source_file).values(**row, staged_at=world.now, published_at=world.now)
        )  # fmt: skip


def call(world: World, number: int) -> None:
    form = CallForm(f"u{number}", world.now, "informed", phone="063231111")
    record_call(world.store, form, agent=world.amelie, now=world.later(seconds=1))


def add(world: World, login: str) -> None:
    add_agent(world.store, login=login, name=login, role=Role.AGENT, agent=world.agent("chef"), now=world.now)


def message(world: World, words: str) -> None:
    send_message(world.store, words, agent=world.sonia, now=world.later(seconds=1))


def draft(world: World, uid: str) -> None:
    save_draft(
        world.store, uid=uid, kind="call", fields={"last": uid}, agent=world.sonia, now=world.later(seconds=1)
    )  # fmt: skip


def plan(world: World) -> None:
    form = OpeningForm(world.service("day_surgery"), date(2022, 6, 20), OpeningState.OPEN, reason="inondation")
    plan_opening(world.store, form, agent=world.sonia, now=world.now)


def times(count: int, deed: Callable[[World, int], object]) -> Deed:
    return lambda world: [deed(world, number) for number in range(count)]


@dataclass
class Case:
    """A screen with some lines, and what somebody else does that belongs at its top."""

    place: str
    before: Deed
    deed: Deed
    words: str = "order changed: F5"
    table: str = ""
    login: str = "sylvie"


CASES = [
    Case("queue", callbacks, lambda w: w.callback(released=True, priority="P1a", original_on=EARLY)),
    Case("coding", lambda w: [w.callback(priority=None, original_on=LATE) for _ in range(6)],
         lambda w: w.callback(priority=None, original_on=EARLY)),
    Case("unplaced", lambda w: [unplaced(w) for _ in range(6)], lambda w: unplaced(w, EARLY)),
    Case("lists", lambda w: [listed(w) or w.later(seconds=1) for _ in range(6)], listed, table="history"),
    Case("mine", times(6, call), lambda w: call(w, 99), login="amelie"),
    Case("handovers", lambda w: [w.callback() and make_handover(
        w.store, "arlon", None, reason=f"r{n}", agent=w.sonia, now=w.now) for n in range(5)],
         lambda w: w.callback() and make_handover(w.store, "arlon", None, reason="x", agent=w.sonia, now=w.now)),
    Case("agents", times(3, lambda w, n: add(w, f"m{n}")), lambda w: add(w, "aaron")),
    Case("room", lambda w: [sign_in(w.store, one, now=w.now) for one in ("bruno", "chef", "sylvie")],
         lambda w: sign_in(w.store, "amelie", now=w.now)),
    Case("sent", times(5, lambda w, n: message(w, f"m{n}")), lambda w: message(w, "un autre")),
    Case("home", times(5, lambda w, n: draft(w, f"d{n}")), lambda w: draft(w, "plus tard"), table="drafts"),
    Case("instructions", times(4, lambda w, n: issue_instruction(
        w.store, InstructionForm(f"c{n}", topic="results", valid_from=w.now + timedelta(days=n + 1)),
        agent=w.sonia, now=w.now)),
         lambda w: issue_instruction(w.store, InstructionForm("à lire", "arlon"), agent=w.sonia, now=w.now)),
    Case("coverage_names", lambda w: [w.callback(original_on=date(2022, 6, 2)) for _ in range(6)],
         lambda w: w.callback(original_on=LATE)),
    # Lists that have always the same lines: what others did shows in them.
    Case("openings", lambda w: None, plan, "Mon 20/06"),
    Case("rules", lambda w: None, lambda w: edit_rule(
        w.store, Scope.ATTEMPT, "no_answer", {"delay": "77 min"}, seen={}, agent=w.sonia, now=w.now), "version 2"),
    Case("handover_lines", lambda w: [w.callback() for _ in range(5)] and make_handover(
        w.store, "arlon", None, reason="r", agent=w.sonia, now=w.now),
         lambda w: answer_lines(w.store, 1, (5,), HandoverState.ACKNOWLEDGED, answered_by="Dr X", note="",
                                agent=w.sonia, now=w.now), "1 theirs"),
    # Screens that stand still on purpose.
    Case("day", lambda w: None, lambda w: call(w, 99), "newer figures: F5"),
    Case("coverage", callbacks, lambda w: call(w, 99), "newer figures: F5"),
    Case("journal", lambda w: None, lambda w: call(w, 99), "newer entr"),
]  # fmt: skip


@pytest.fixture
def other(world: World, desk_path: Path) -> Iterator[World]:
    """The same desk as somebody else has it open."""
    store = open_desk(desk_path)
    yield World(store, world.now, ("amelie", "bruno", "sylvie"))
    store.close()


async def go(pilot: Any, place: str) -> None:
    """To a screen, also to one that is reached from another only."""
    if place == "sent":
        await keys(pilot, "a", "s")
    elif place == "handover_lines":
        await keys(pilot, "h", "enter")
    elif place == "coverage_names":
        await keys(pilot, "c", "enter")
    elif place != "home":
        pilot.app.go(place)
        await settled(pilot)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.place)
async def test_the_line_under_the_cursor_stays_and_a_mark_says_what_is_new(
    world: World, other: World, case: Case
) -> None:
    case.before(world)
    other.now = world.now
    async with open_screens(world.store, login=case.login, language="en") as pilot:
        await go(pilot, case.place)
        screen = pilot.app.screen
        table = screen.query_one(f"#{case.table}", DeskTable) if case.table else screen.query(DeskTable).first()
        table.focus()
        await keys(pilot, "down", "down")
        here, row = table.current_id, cursor_row(table)
        assert table.cursor == min(2, len(table.rows) - 1)
        assert case.words not in screen_text(pilot)
        case.deed(other)
        text = await appears(pilot, case.words)
        assert case.words in text
        assert (table.current_id, cursor_row(table)) == (here, row)
        if case.words == "order changed: F5":
            assert "1 new · order changed: F5" in text
            text = await keys(pilot, "f5")
            assert case.words not in text
            assert "1 new" not in text
            assert table.current_id == here
            assert table.cursor > 2 or case.place in ("room", "instructions")


async def test_a_file_that_is_read_says_that_there_is_something_newer(world: World, other: World) -> None:
    patient_id = world.patient("Dupont")
    async with open_screens(world.store, language="en") as pilot:
        pilot.app.go("patient", patient_id=patient_id)  # type: ignore[attr-defined]
        await settled(pilot)
        send_message(other.store, "rien de ce patient", agent=other.sonia, now=other.now)
        await appears(pilot, "rien de ce patient")
        assert "something newer" not in screen_text(pilot)
        with other.store.write() as connection:
            connection.execute(tables.patient.update().values(town="Arlon"))
        assert "something newer: F5" in await appears(pilot, "something newer: F5")
        assert "something newer" not in await keys(pilot, "f5")


async def test_a_line_that_goes_takes_the_cursor_nowhere(world: World, other: World) -> None:
    for _number in range(40):
        unplaced(world)
    async with open_screens(world.store, "unplaced", login="sylvie", language="en") as pilot:
        table = pilot.app.screen.query_one("#items", DeskTable)
        await keys(pilot, "pagedown", "pagedown", "up", "up")
        here, row = table.current_id, cursor_row(table)
        assert table.scroll_offset.y > 3
        gone = [unplaced_row.row_id for unplaced_row in table.rows[:2]]
        with other.store.write() as connection:
            connection.exec_driver_sql(f"""UPDATE patient SET death_confirmed_by = 1 WHERE id IN
                (SELECT patient_id FROM postponement WHERE id IN ({", ".join(gone)}))""")
        await appears(pilot, "38 in no queue")
        assert (table.current_id, cursor_row(table)) == (here, row)


def test_no_screen_shows_a_list_afresh_when_others_write() -> None:
    """`DeskTable.show` moves lines under the cursor: what is read again takes `take`."""
    screens = Path(__file__).resolve().parents[2] / "src" / "crisisdesk" / "ui" / "screens"
    found = []
    for path in sorted(screens.glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "show":
                words = ast.unparse(node.func.value)
                if "DeskTable" in words or words == "table":
                    found.append(f"{path.stem}: {words}")
    assert found == [
        "bookings: self.query_one(f'#{TOLD}', DeskTable)",
        "coverage: table", "journal: table",
        "lists: self.query_one(f'#{PREVIEW}', DeskTable)",
        "patient: self.query_one('#events', DeskTable)", "patient: self.query_one('#facts', DeskTable)",
    ]  # fmt: skip
