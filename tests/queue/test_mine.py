"""What one did today stays visible; u takes the last of it back, a supervisor puts another one right."""

import json
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import insert, select

from crisisdesk import clock
from crisisdesk.desk.attempts import ItemResult
from crisisdesk.desk.intake import CallForm, record_call
from crisisdesk.desk.mine import items_of_attempt, list_mine
from crisisdesk.desk.reference import data_folder, init_desk
from crisisdesk.desk.undoing import undo_attempt
from crisisdesk.errors import RuleBroken
from crisisdesk.store import tables
from crisisdesk.store.engine import Store, open_desk
from crisisdesk.ui.screens.callback import CallbackScreen
from crisisdesk.ui.screens.mine import MineScreen
from moments import DESK_NOW
from screens import open_screens, screen_text, settled, type_text
from waiting import World

DAY = date(2022, 6, 3)
NOW = datetime(2022, 5, 31, 8, 0, tzinfo=UTC)


def opened(world: World) -> None:
    row = {"service_id": world.service(), "stage": "actual", "state": "partial", "opens_on": world.now.date(),
           "capacity_a_day": 3, "entered_at": world.now}  # fmt: skip
    with world.store.write() as connection:
        connection.execute(insert(tables.opening).values(row))


def call(world: World, patient_id: int) -> None:
    form = CallForm(
        uid=f"call-{patient_id}", started_at=world.now, disposition="callback", site_id="arlon", caller_kind="self",
        topic=next(iter(world.reference.topics)), patient_ids=(patient_id,), words="quand ?",
    )  # fmt: skip
    record_call(world.store, form, agent=world.amelie, now=world.now)


def test_everything_of_the_day_newest_first_with_what_it_led_to(world: World) -> None:
    opened(world)
    first, second = world.callback(released=True), world.callback(released=True)
    (item,) = world.items_of(second)
    world.ring(first, "busy")
    world.later(minutes=1)
    booked = world.ring(second, "accepts_date", slots={item: DAY})
    world.later(minutes=1)
    call(world, world.row(first).patient_id)
    world.ring(world.callback(released=True), "busy", agent=world.bruno)
    mine = list_mine(world.store, agent=world.amelie, now=world.now)
    assert [(line.kind, line.disposition) for line in mine.lines] == [
        ("call", "callback"), ("attempt", "accepts_date"), ("attempt", "busy"),
    ]  # fmt: skip
    assert (mine.attempts, mine.calls) == (2, 1)
    told, busy = mine.lines[1], mine.lines[2]
    assert "03/06" in told.led_to
    assert (told.undo_until, busy.undo_until) == (told.at + timedelta(minutes=15), None)
    undo_attempt(world.store, booked.attempt_id, reason="pas elle", agent=world.amelie, now=world.now)
    mine = list_mine(world.store, agent=world.amelie, now=world.now)
    assert (mine.attempts, mine.lines[1].is_undone, mine.lines[1].undo_until) == (1, True, None)
    assert "pas elle" in mine.lines[1].led_to
    assert list_mine(world.store, agent=world.sonia, now=world.now, login="bruno").attempts == 1
    assert not list_mine(world.store, agent=world.amelie, now=world.later(days=1)).lines
    for login, words in (("bruno", "supervisors"), ("nobody", "no agent")):
        with pytest.raises(RuleBroken, match=words):
            list_mine(world.store, agent=world.amelie, now=world.now, login=login)


def test_the_items_that_a_correction_may_be_about(world: World) -> None:
    callback_id = world.callback(released=True, items=2)
    one, two = world.items_of(callback_id)
    done = world.ring(callback_id, "treated_elsewhere", note="Liège", items={one: ItemResult("treated_elsewhere")})
    assert {item.postponement_id for item in items_of_attempt(world.store, done.attempt_id)} == {one, two}


# ---------------------------------------------------------------- the screen


@pytest.fixture
def shown(store: Store) -> World:
    """The clock of the screens."""
    return World(store, DESK_NOW)


async def test_the_last_one_is_undone_by_keys_alone(shown: World) -> None:
    callback_id = shown.callback(released=True)
    shown.ring(callback_id, "no_answer")
    async with open_screens(shown.store, "mine", language="en") as pilot:
        text = screen_text(pilot)
        assert "no answer" in text
        assert "u takes it back, until" in text
        await type_text(pilot, "u")
        assert "Enter takes it back" in screen_text(pilot)
        await pilot.press("escape")
        await settled(pilot)
        assert "Enter takes it back" not in screen_text(pilot)
        await type_text(pilot, "u\r")
        assert "Say why" in screen_text(pilot)
        assert shown.row(callback_id).attempts == 1
        await type_text(pilot, "mauvaise touche\r")
        assert isinstance(pilot.app.screen, CallbackScreen)
        assert f"Callback {callback_id}" in screen_text(pilot)
        assert "Taken back: no answer." in screen_text(pilot)
        await type_text(pilot, "o\r")  # busy, and stored
        assert shown.row(callback_id).attempts == 1
        await pilot.press("f3")
        await settled(pilot)
        text = screen_text(pilot)
        assert isinstance(pilot.app.screen, MineScreen)
        assert "undone: mauvaise touche" in text
        assert "busy" in text


async def test_a_supervisor_looks_at_anothers_day_and_corrects(shown: World) -> None:
    opened(shown)
    callback_id = shown.callback(released=True)
    shown.ring(callback_id, "no_answer")
    async with open_screens(shown.store, "mine", login="sonia", language="en") as pilot:
        assert "Nothing recorded today" in screen_text(pilot)
        await type_text(pilot, "aAm\r")
        text = screen_text(pilot)
        assert "Amélie" in text.splitlines()[1]
        await type_text(pilot, "c")
        assert "How did it really end?" in screen_text(pilot)
        await type_text(pilot, "a\t03/06\t\t\tnoté par erreur\r")
        text = screen_text(pilot)
    assert "Corrected: accepts the date instead of no answer" in text
    assert shown.row(callback_id).state == "closed"
    with shown.store.read() as connection:
        (booking,) = connection.execute(select(tables.booking)).all()
    assert (booking.state, booking.slot_on) == ("told", DAY)


async def test_keys_typed_ahead_wait_for_the_other_agents_day(shown: World) -> None:
    opened(shown)
    shown.ring(shown.callback(released=True), "no_answer")
    async with open_screens(shown.store, "mine", login="sonia", language="en") as pilot:
        await type_text(pilot, "aAm\rc")
        assert "How did it really end?" in screen_text(pilot)


async def test_a_call_is_coded_anew(shown: World) -> None:
    call(shown, shown.row(shown.callback()).patient_id)
    async with open_screens(shown.store, "mine", login="sonia", language="en") as pilot:
        await type_text(pilot, "aAm\r")
        await type_text(pilot, "c")
        assert "Code call 1 anew" in screen_text(pilot)
        await type_text(pilot, "\tpsychiatr")
        await pilot.press("escape")
        await settled(pilot)
        topic = list(shown.reference.topics)[1]
        await type_text(pilot, f"c\t{topic}\tmauvais code\r")
        text = screen_text(pilot)
    with shown.store.read() as connection:
        row = connection.execute(select(tables.call)).one()
    assert (row.topic, row.disposition) == (topic, "callback"), text


async def test_an_agent_neither_corrects_nor_looks_over_shoulders(shown: World) -> None:
    shown.ring(shown.callback(released=True), "no_answer")
    async with open_screens(shown.store, "mine", language="en") as pilot:
        for key in ("c", "a"):
            await type_text(pilot, key)
            assert "Only supervisors" in screen_text(pilot)


# ---------------------------------------------------------------- the commands


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    path = tmp_path / "desk.db"
    init_desk(path, data_folder(), admin_login="sonia", now=NOW, demo_shift=NOW - clock.now())
    return path


def run(desk: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "crisisdesk", "--desk", str(desk), "--agent", "sonia", "--lang", "en", *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_mine_undo_and_correct_as_commands(desk: Path) -> None:
    store = open_desk(desk)
    world = World(store, NOW, agents=("sonia", "sonia", "sonia"))
    callback_id = world.callback(released=True)
    opened(world)
    store.close()
    assert run(desk, "attempt", str(callback_id), "busy").returncode == 0
    found = json.loads(run(desk, "mine", "--json").stdout)
    (line,) = found["lines"]
    assert (line["disposition"], line["is_undone"]) == ("busy", False)
    done = run(desk, "undo", "--reason", "mauvaise touche")
    assert (done.returncode, "Taken back: busy." in done.stdout) == (0, True), done.stderr
    assert "undone: mauvaise touche" in run(desk, "mine", "--plain").stdout
    stored = json.loads(run(desk, "attempt", str(callback_id), "no_answer", "--json").stdout)
    number = str(stored["attempt_id"])
    wrong = run(desk, "correct", "77", "accepts_date", "--reason", "autre touche")
    assert (wrong.returncode, "no attempt 77" in wrong.stderr) == (1, True)
    right = run(desk, "correct", number, "accepts_date", "--slot", "2022-06-03", "--reason", "autre touche", "--json")
    assert json.loads(right.stdout)["is_open"] is False, right.stderr


async def test_what_was_just_stored_is_undone_on_the_card(shown: World) -> None:
    callback_id = shown.callback(released=True)
    async with open_screens(shown.store, "queue", language="en") as pilot:
        await type_text(pilot, "\rn\r")
        text = screen_text(pilot)
        assert shown.row(callback_id).attempts == 1, text
        assert "u undo" in text.splitlines()[-1]
        await type_text(pilot, "u")
        assert "Enter takes it back" in screen_text(pilot)
        await pilot.press("escape")
        await settled(pilot)
        assert shown.row(callback_id).attempts == 1
        await type_text(pilot, "umauvaise touche\r")
        text = screen_text(pilot)
        assert "Taken back: no answer." in text
        assert (shown.row(callback_id).attempts, shown.row(callback_id).state) == (0, "leased")
        await type_text(pilot, "o\r")
    assert (shown.row(callback_id).attempts, shown.row(callback_id).state) == (1, "waiting")
