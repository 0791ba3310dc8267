"""Coverage and handover by keys alone, at 80x24, and as a script calls them."""

import json
import os
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from crisisdesk.desk.handovers import list_handovers, make_handover, read_handover
from crisisdesk.domain.words import HandoverState
from crisisdesk.store.engine import Store
from moments import DESK_NOW
from screens import open_screens, screen_text, settled, type_text
from waiting import World


@pytest.fixture
def world(store: Store) -> World:
    """The clock of the screens; two weeks of Arlon, one of Marche."""
    world = World(store, DESK_NOW)
    for number in range(4):
        world.callback(original_on=date(2022, 5, 17 + 7 * (number % 2)), priority="P3" if number else None)
    number = world.callback(released=True, original_on=date(2022, 5, 17))
    world.ring(number, "no_answer")
    world.callback(site_id="marche", original_on=date(2022, 6, 21))
    return world


async def keys(pilot: Pilot[Any], *names: str) -> str:
    await pilot.press(*names)
    await settled(pilot)
    return screen_text(pilot)


async def test_coverage_alarms_names_and_reasons(world: World) -> None:
    async with open_screens(world.store, "coverage", login="sonia", language="en") as pilot:
        text = screen_text(pilot)
        assert "2022-W20" in text
        assert "⚠ alarm" in text
        assert "to come" in text
        assert "Total" in text
        assert "1 / 3" in text, "numerator and denominator of the marked line"
        text = await keys(pilot, "a")
        assert "to come" not in text
        assert "weeks hidden: 1 (a)" in text
        text = await keys(pilot, "enter")
        assert "not spoken to: 3" in text
        assert "Bloc opératoire closed" in text
        text = await keys(pilot, "f3")
        assert "2022-W21" in text


async def test_coverage_is_exported_from_the_screen(world: World, tmp_path: Path) -> None:
    target = tmp_path / "a.csv"
    async with open_screens(world.store, "coverage", login="sonia", language="en") as pilot:
        await keys(pilot, "e", "ctrl+a")
        await keys(pilot, "ctrl+u", "ctrl+k")
        await type_text(pilot, str(target) + "\r")
        assert "lines written" in screen_text(pilot)
    assert len(target.read_text().splitlines()) == 4


async def test_a_list_is_made_answered_and_taken_back_by_keys(world: World) -> None:
    async with open_screens(world.store, "handovers", login="sonia", language="en") as pilot:
        assert "Nothing was handed over yet" in screen_text(pilot)
        await keys(pilot, "n")
        await type_text(pilot, "Arlon, Bloc\tReprise\r")
        text = screen_text(pilot)
        assert "Make this list? 5 lines" in text
        text = await keys(pilot, "y")
        assert "Handover 1 made: 5 lines" in text
        await keys(pilot, "enter")
        assert " unco" not in screen_text(pilot), "a code that is cut says something else"
        await keys(pilot, "a")
        await type_text(pilot, "Mme Petit\r")
        text = await keys(pilot, "a")
        assert "3 not answered, 2 theirs, 0 refused" in text, "the name is asked once, the cursor goes on"
        await keys(pilot, "r")
        await type_text(pilot, "pas chez nous\r")
        assert "2 not answered, 2 theirs, 1 refused" in screen_text(pilot)
        await keys(pilot, "l")
        await type_text(pilot, "4-5\r\r")
        assert "0 not answered, 4 theirs, 1 refused" in screen_text(pilot)
        await keys(pilot, "home", "u")
        await type_text(pilot, "erreur\r")
        assert "1 not answered, 3 theirs, 1 refused" in screen_text(pilot)
        text = await keys(pilot, "f")
        assert len([line for line in text.splitlines() if "PATIENT" in line]) == 1
    states = [line.state for line in read_handover(world.store, 1, now=world.now).lines]
    assert states.count(HandoverState.ACKNOWLEDGED) == 3


async def test_the_list_is_printed_from_the_screen(world: World, tmp_path: Path) -> None:
    make_handover(world.store, "arlon", world.service(), reason="Reprise", agent=world.sonia, now=world.now)
    target = tmp_path / "list.pdf"
    async with open_screens(world.store, "handovers", login="sonia", language="en") as pilot:
        await keys(pilot, "enter", "e")
        await keys(pilot, "ctrl+u", "ctrl+k")
        await type_text(pilot, str(target) + "\r")
        assert "5 lines written" in screen_text(pilot)
    assert target.read_bytes().startswith(b"%PDF")


async def test_the_desk_is_closed_and_opened_by_keys(world: World) -> None:
    async with open_screens(world.store, "handovers", login="sonia", language="en") as pilot:
        await keys(pilot, "n")
        await type_text(pilot, "the whole desk")
        assert "6 lines; nobody is rung any more" in screen_text(pilot)
        await type_text(pilot, "\tFin\r")
        assert "Close the desk?" in screen_text(pilot)
        text = await keys(pilot, "y")
        assert "desk closed since" in text
        assert len(list_handovers(world.store)) == 2
        await keys(pilot, "n")
        await type_text(pilot, "reopen\tVague 2\r")
        text = await keys(pilot, "y")
        assert "desk closed since" not in text


async def test_an_agent_answers_but_does_not_make(world: World) -> None:
    async with open_screens(world.store, "handovers", login="amelie", language="en") as pilot:
        assert "Only a supervisor" in await keys(pilot, "n")


def run(desk: Path, *words: str, code: int = 0) -> str:
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("CRISISDESK_", "LC_", "LANG"))}
    environ |= {"CRISISDESK_DESK": str(desk), "CRISISDESK_AGENT": "sonia", "HOME": str(desk.parent), "LANG": "C.UTF-8"}
    environ["CRISISDESK_ALLOW_ROOT"] = "1"
    command = [sys.executable, "-m", "crisisdesk", "--lang", "en", *words]
    ran = subprocess.run(command, capture_output=True, text=True, env=environ, cwd=desk.parent)
    assert ran.returncode == code, ran.stderr + ran.stdout
    return ran.stdout + ran.stderr


def test_the_command_line_does_it_too(world: World, path: Path) -> None:
    report = json.loads(run(path, "coverage", "arlon", "--names", "--week", "2022-W21", "--json"))
    assert (report["total"]["total"], len(report["names"])) == (2, 2)
    assert "Bloc opératoire closed" in report["names"][0]["why_not"]
    assert "Handover 1" in run(path, "handover", "make", "arlon", "surgery", "--reason", "Reprise")
    run(path, "handover", "answer", "1", "1-2,4", "acknowledged", "--by", "Mme Petit")
    states = [line.state for line in read_handover(world.store, 1, now=world.now).lines]
    assert states.count(HandoverState.ACKNOWLEDGED) == 3
    run(path, "handover", "export", "1", "list.csv")
    assert "as it was signed" in run(path, "handover", "verify", "list.csv")
    changed = path.with_name("list.csv")
    changed.write_text(changed.read_text("utf-8-sig").replace("PTH", "PTG"), "utf-8")
    assert "not handover 1" in run(path, "handover", "verify", "list.csv", code=1)
    assert "Nobody is rung any more" in run(path, "close", "--reason", "Fin")
