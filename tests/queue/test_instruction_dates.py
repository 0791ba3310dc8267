"""How long an instruction holds: planned ones, ones with an end, ended and withdrawn ones; no gap, no two at once."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crisisdesk.desk.instructions import (
    InstructionForm,
    InstructionState,
    end_instruction,
    instruction_in_force,
    instruction_now,
    issue_instruction,
    scope_history,
    spoken,
    withdraw_instruction,
)
from crisisdesk.desk.reference import data_folder
from crisisdesk.desk.reference_data.reading import read_folder
from crisisdesk.domain.instructions import Validity, in_force, periods
from crisisdesk.errors import RuleBroken
from crisisdesk.store import tables
from crisisdesk.store.engine import Store
from waiting import World

START = datetime(2022, 5, 20, 8, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def world(store: Store) -> World:
    """No instruction is in force anywhere."""
    with store.write() as connection:
        connection.execute(tables.instruction.delete())
    return World(store, START)


def issue(world: World, words: str, begins: float | None = None, ends: float | None = None, **more: Any) -> int:
    """``begins`` and ``ends`` in hours from the start of the test."""
    form = InstructionForm(
        words, "arlon", valid_from=None if begins is None else START + begins * HOUR,
        valid_until=None if ends is None else START + ends * HOUR, **more,
    )  # fmt: skip
    return issue_instruction(world.store, form, agent=world.sonia, now=world.now)


def at(world: World, hours: float) -> str:
    found = instruction_in_force(world.store, site_id="arlon", now=START + hours * HOUR)
    return found.words if found else ""


def states(world: World, instruction_id: int) -> list[tuple[int, InstructionState]]:
    lines = scope_history(world.store, instruction_id, now=world.now)
    return [(line.instruction.version, line.state) for line in lines]


def test_one_with_an_end_only_covers_the_earlier_one(world: World) -> None:
    issue(world, "lasting")
    world.later(hours=2)
    brief = issue(world, "brief", ends=5)
    assert [at(world, hours) for hours in (1, 2, 4, 5, 500)] == ["lasting", "brief", "brief", "lasting", "lasting"]
    assert states(world, brief) == [(2, InstructionState.IN_FORCE), (1, InstructionState.COVERED)]


def test_one_without_an_end_replaces_for_good_also_when_it_is_ended(world: World) -> None:
    issue(world, "first")
    world.later(hours=1)
    second = issue(world, "second")
    world.later(hours=1)
    assert end_instruction(world.store, second, agent=world.sonia, now=world.now) is None
    assert at(world, 2) == "", "the first one was replaced: it does not come back"
    assert [at(world, hours) for hours in (0.5, 1.5)] == ["first", "second"]


def test_a_planned_one_takes_over_at_its_hour_and_without_a_gap(world: World) -> None:
    first = issue(world, "first")
    issue(world, "planned", begins=24)
    assert [at(world, hours) for hours in (23.99, 24)] == ["first", "planned"]
    seen = instruction_now(world.store, site_id="arlon", now=world.now)
    assert seen.changes_at == START + 24 * HOUR, "the screens look again then"
    world.later(hours=2)
    issue(world, "between")
    assert [at(world, hours) for hours in (1, 2, 23.99, 24)] == ["first", "between", "between", "planned"]
    assert [version for version, _state in states(world, first)] == [2, 3, 1]
    world.later(hours=28)
    planned = next(line.instruction for line in scope_history(world.store, first, now=world.now))
    end_instruction(world.store, planned.instruction_id, agent=world.sonia, now=world.now)
    assert at(world, 30) == "", "what it replaced does not come back"


def test_a_withdrawn_plan_leaves_everything_as_it_was(world: World) -> None:
    first = issue(world, "first")
    planned = issue(world, "planned", begins=24)
    later = issue(world, "later", begins=48)
    withdraw_instruction(world.store, planned, agent=world.sonia, now=world.now)
    assert [at(world, hours) for hours in (23, 25, 47, 48)] == ["first", "first", "first", "later"]
    withdraw_instruction(world.store, later, agent=world.sonia, now=world.now)
    assert at(world, 100) == "first"
    assert (2, InstructionState.WITHDRAWN) in states(world, first)
    assert issue(world, "again", begins=24)


def test_only_what_is_planned_is_withdrawn_and_only_what_holds_is_ended(world: World) -> None:
    first = issue(world, "first")
    with pytest.raises(RuleBroken, match="planned instruction"):
        withdraw_instruction(world.store, first, agent=world.sonia, now=world.now)
    planned = issue(world, "planned", begins=24)
    with pytest.raises(RuleBroken, match="withdraw"):
        end_instruction(world.store, planned, agent=world.sonia, now=world.now)
    for deed in (withdraw_instruction, end_instruction):
        with pytest.raises(RuleBroken, match="supervisor"):
            deed(world.store, first, agent=world.amelie, now=world.now)
        with pytest.raises(RuleBroken, match="no instruction 999"):
            deed(world.store, 999, agent=world.sonia, now=world.now)
    world.later(hours=1)
    end_instruction(world.store, first, agent=world.sonia, now=world.now)
    with pytest.raises(RuleBroken, match="over already"):
        end_instruction(world.store, first, agent=world.sonia, now=world.now)
    assert at(world, 24) == "planned"


@pytest.mark.parametrize(
    ("begins", "ends", "words"),
    [
        (-1, None, "in the past"), (5, 4, "end before it begins"), (24, None, "planned from"), (10, 30, "planned from"),
        (None, 30, "planned from"), (7, 12, "planned from"), (8, None, "planned from"), (2, 5, "Version 2 holds until"),
        (2, None, "Version 2 holds until"),
    ],
)  # fmt: skip
def test_odd_and_crossing_dates_are_refused_with_a_sentence(
    world: World, begins: float | None, ends: float | None, words: str
) -> None:
    issue(world, "first")
    issue(world, "brief, from now", ends=4)
    issue(world, "planned for good", begins=24)
    issue(world, "planned with an end", begins=6, ends=10)
    with pytest.raises(RuleBroken, match=words):
        issue(world, "new", begins, ends)
    for good in ((1, 3), (4, 6), (7, 9), (12, 24)):
        assert issue(world, "fits", *good)


def test_callers_hear_their_own_language_where_there_are_words(world: World) -> None:
    issue(world, "Venez.", translations={"en": " Come. ", "nl": ""})
    found = instruction_in_force(world.store, site_id="arlon", now=world.now)
    assert found
    said = [spoken(found, language, world.reference) for language in ("en", "nl", "fr", "")]
    assert [(one.words, one.is_fallback) for one in said] == [
        ("Come.", False), ("Venez.", True), ("Venez.", False), ("Venez.", False)]  # fmt: skip
    with pytest.raises(RuleBroken, match="'fr' is no language to translate into"):
        issue(world, "x", translations={"fr": "y"})


def test_a_service_brings_its_site(world: World) -> None:
    service = world.service("surgery", "marche")
    form = InstructionForm("bloc", service_id=service)
    issue_instruction(world.store, form, agent=world.sonia, now=world.now)
    found = instruction_in_force(world.store, site_id="marche", service_id=service, now=world.now)
    assert found
    assert found.scope == ("marche", service, None)
    wrong = InstructionForm("bloc", "arlon", service_id=service)
    with pytest.raises(RuleBroken, match="is a service of"):
        issue_instruction(world.store, wrong, agent=world.sonia, now=world.now)


def test_reference_data_say_which_version_replaces_which(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    for file in data_folder().glob("*.toml"):
        folder.joinpath(file.name).write_bytes(file.read_bytes())
    folder.joinpath("instructions.toml").write_text(
        '[[instruction]]\nsites = ["arlon"]\nfrom = 2022-06-01T08:00:00+02:00\nissued_by = "x"\nwords = "b"\n'
        '[[instruction]]\nsites = ["arlon"]\nfrom = 2022-05-23T08:00:00+02:00\nissued_by = "x"\n'
        'words = { fr = "a", en = "A" }\n'
    )
    rows = read_folder(folder, data_folder())["instruction"]
    first, second = sorted(rows, key=lambda row: row["version"])
    assert (first["words"], first["translations"], second["words"]) == ("a", {"en": "A"}, "b")
    assert first["valid_until"] == second["valid_from"]
    assert second["replaces_id"] == first["id"]


SPANS = st.lists(st.tuples(st.integers(0, 30), st.none() | st.integers(0, 30)), min_size=1, max_size=8)


@given(spans=SPANS, hour=st.integers(-1, 31))
def test_the_periods_are_what_is_in_force_at_every_instant(spans: list[tuple[int, int | None]], hour: int) -> None:
    rows = [
        Validity(number, START + begins * HOUR, None if ends is None else START + ends * HOUR)
        for number, (begins, ends) in enumerate(spans)
    ]
    held = periods(rows)
    assert all(one.end is not None and one.end <= two.start for one, two in pairwise(held))
    moment = START + hour * HOUR
    now = [one.instruction_id for one in held if one.start <= moment and (one.end is None or moment < one.end)]
    current = in_force(rows, moment)
    assert now == ([current.instruction_id] if current else [])
