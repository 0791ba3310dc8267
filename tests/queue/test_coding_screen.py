"""Coding by keys alone, the queue's new words, and the commands; on a real desk at 80x24."""

import csv
import io
import json
from contextlib import redirect_stdout
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from crisisdesk.cli.main import run
from crisisdesk.desk.callbacks import list_queue
from crisisdesk.domain.wishes import Wish
from crisisdesk.store.agents import mark_seen
from crisisdesk.store.engine import Store
from moments import DESK_NOW
from screens import open_screens, screen_text, settled, type_text
from waiting import World

TODAY = DESK_NOW.date()


@pytest.fixture
def world(store: Store) -> World:
    """The clock of the screens."""
    return World(store, DESK_NOW)


async def keys(pilot: Pilot[Any], *names: str) -> str:
    await pilot.press(*names)
    await settled(pilot)
    return screen_text(pilot)


def waiting(world: World, priority: str | None, days: int, **more: Any) -> int:
    about = {"priority": priority, "original_on": TODAY - timedelta(days=days)} | more
    return world.items_of(world.callback(released=True, **about))[0]


async def test_a_name_once_then_one_key_a_line(world: World) -> None:
    items = [waiting(world, None, days) for days in (14, 12, 10, 8)]
    async with open_screens(world.store, "coding", login="sonia", language="en") as pilot:
        text = screen_text(pilot)
        assert "u uncoded 4" in text
        await type_text(pilot, "\rDr Lambert\r23b")  # all of it typed ahead
        text = screen_text(pilot)
        (line,) = (line for line in text.splitlines() if "P1b ✓" in line)
        assert not line.split("✓")[1].strip(), "days to the limit of the old code are not those of the new one"
        assert [world.fact(item).priority for item in items] == ["P2", "P3", "P1b", None]
        assert {world.fact(item).priority_by for item in items[:3]} == {"Dr Lambert"}
        text = await keys(pilot, "escape")
        assert "u uncoded 1" in text
        assert "P2 ✓" not in text
        await type_text(pilot, "\r\ra")  # the name is still there
    assert world.fact(items[3]).priority == "P1a"
    assert [row.priority for row in list_queue(world.store, "arlon", now=world.now).rows] == ["P1b", "P1a", "P2", "P3"]


async def test_a_longer_wait_asks_for_the_reason(world: World) -> None:
    item = waiting(world, "P2", 40)
    async with open_screens(world.store, "coding", login="sonia", language="en") as pilot:
        text = await keys(pilot, "x")
        assert "12 days past its limit" in text
        await type_text(pilot, "\rDr Lambert\r4")
        assert "Give the clinician's reason" in screen_text(pilot)
        assert world.fact(item).priority == "P2"
        await type_text(pilot, "rrevu au lit\r4")
        text = await keys(pilot, "escape")
        assert "Nothing here is past its clinical limit" in text
    assert world.fact(item).priority == "P4"


async def test_lists_do_not_move_under_the_cursor_and_agents_only_look(world: World) -> None:
    items = [waiting(world, None, days) for days in (14, 12, 10)]
    async with open_screens(world.store, "coding", language="en") as pilot:
        await keys(pilot, "down")
        waiting(world, None, 60)  # more urgent than all
        pilot.app.screen.refresh_from_store()  # type: ignore[attr-defined]
        await settled(pilot)
        table = pilot.app.screen.query_one("#items")
        assert table.current_id == str(items[1])  # type: ignore[attr-defined]
        assert [row.row_id for row in table.rows][:3] == [str(item) for item in items]  # type: ignore[attr-defined]
        text = await keys(pilot, "enter", "2")
        assert "supervisor" in text
    assert world.fact(items[1]).priority is None


async def test_the_queue_shows_promises_limits_and_its_keys(world: World) -> None:
    waiting(world, "P2", 25)
    kept = world.callback(released=True, wish=Wish(not_before=world.now, until=world.now + timedelta(hours=1)))
    broken = world.callback(
        released=True,
        wish=Wish(not_before=world.now - timedelta(hours=2), until=world.now - timedelta(hours=1)),
    )
    async with open_screens(world.store, "queue", language="en") as pilot:
        text = screen_text(pilot)
        assert "promises broken: 1" in text
        assert "P2 3 d" in text
        assert "f filter" in text
        assert "h on hold" in text
        assert "⚠ promised" in text
        text = await keys(pilot, "f", "f")
        assert "only: promise broken" in text
        assert len(pilot.app.screen.query_one("#queue").rows) == 1  # type: ignore[attr-defined]
        assert "broken since" in text
        text = await keys(pilot, "w")
        assert "Nothing keeps this line out" in text
    assert {kept, broken} <= {row.callback_id for row in list_queue(world.store, "arlon", now=world.now).rows}


async def test_i_ring_back_myself_by_key(world: World) -> None:
    callback_id = world.callback(released=True)
    async with open_screens(world.store, "queue", language="en") as pilot:
        await type_text(pilot, "\rhdemain matin")
        text = await keys(pilot, "ctrl+y")
        assert "by me" in text
        await keys(pilot, "enter")
    assert world.row(callback_id).for_agent_id == world.amelie.agent_id
    with world.store.write() as connection:
        mark_seen(connection, world.bruno.agent_id, world.now)
    async with open_screens(world.store, "intake", login="bruno", language="en") as pilot:
        await type_text(pilot, "063231111\tDupont\tMarie")
        form = pilot.app.screen.form  # type: ignore[attr-defined]
        form.choice("site").code, form.choice("disposition").code = "arlon", "callback_at"
        form["wish"].value = "demain matin"
        text = await keys(pilot, "ctrl+y")
        assert "by me" in text
        text = await keys(pilot, "ctrl+s")
        assert "saved" in text
    rows = list_queue(world.store, "arlon", now=world.now).rows
    owners = {world.row(row.callback_id).for_agent_id for row in rows}
    assert owners == {world.amelie.agent_id, world.bruno.agent_id}


async def test_what_a_list_dropped_is_decided_on_the_queue(world: World) -> None:
    callback_id = world.callback(released=True)
    with world.store.write() as connection:
        connection.exec_driver_sql(
            "INSERT INTO source_file (id, name, sha256, series_key, layout_key, encoding, staged_at, published_at)"
            " VALUES (1, 'bloc.csv', 'x', 's', 'l', 'utf-8', ?, ?)",
            (f"{DESK_NOW:%Y-%m-%d %H:%M:%S.%f}",) * 2,
        )
        connection.exec_driver_sql("UPDATE postponement SET missing_since_id = 1")
    async with open_screens(world.store, "queue", login="sonia", language="en") as pilot:
        assert "no longer on the list «bloc.csv» since version 1" in screen_text(pilot)
        await type_text(pilot, "d2\rsecrétariat\rdoublon\r")
        assert "nobody rings for it any more" in screen_text(pilot)
    assert world.row(callback_id).state == "closed"
    (item,) = world.items_of(callback_id)
    assert (world.fact(item).decision, world.fact(item).decided_by) == ("clinician", "secrétariat")


def command(path: Path, *words: str) -> str:
    out = io.StringIO()
    with redirect_stdout(out):
        assert run(["--desk", str(path), "--agent", "sonia", "--lang", "en", *words]) == 0
    return out.getvalue()


def test_the_commands_list_and_set_the_same(world: World, path: Path) -> None:
    item = waiting(world, None, 1, code="surgery")
    other = waiting(world, "P2", 4000)
    listed = json.loads(command(path, "priority", "list", "uncoded", "Arlon", "--json"))
    assert [row["postponement_id"] for row in listed["rows"]] == [item]
    assert listed["counts"]["breaches"] >= 1
    rows = list(csv.DictReader(io.StringIO(command(path, "priority", "list", "breaches", "--csv"))))
    assert str(other) in [row["postponement"] for row in rows]
    assert date.fromisoformat(rows[0]["limit_on"])
    assert "P2" in command(path, "priority", "list", "breaches", "arlon", "--plain")
    done = json.loads(command(path, "priority", "set", str(item), "p1B", "--clinician", "Dr Lambert", "--json"))
    assert (done["before"], done["after"]) == ("", "P1b")
    assert "Everything is coded" in command(path, "priority", "list", "uncoded", "arlon")
    assert "place" in command(path, "priority", "set", str(item), "P2", "--clinician", "Dr Lambert", "--reason", "x")
    assert "P2" in command(path, "callback", "explain", str(world.row(1).id))
