"""Which instruction is in force: the most specific, then the newest; the history stays."""

from datetime import timedelta
from typing import Any

import pytest

from crisisdesk.desk.instructions import InstructionForm, instruction_in_force, issue_instruction, list_instructions
from crisisdesk.errors import RuleBroken
from waiting import World


def issue(world: World, words: str, **scope: object) -> int:
    return issue_instruction(world.store, InstructionForm(words, **scope), agent=world.sonia, now=world.now)  # type: ignore[arg-type]


def words(world: World, **scope: object) -> str:
    found = instruction_in_force(world.store, **{"site_id": "arlon", "now": world.now, **scope})  # type: ignore[arg-type]
    return found.words if found else ""


def test_topic_before_service_before_site_before_all(world: World) -> None:
    service = world.service()
    issue(world, "all")
    issue(world, "site", site_id="arlon")
    issue(world, "service", site_id="arlon", service_id=service)
    issue(world, "topic", topic="visit")
    assert words(world, site_id="marche", topic="results") != "site"
    assert words(world) == "site"
    assert words(world, service_id=service) == "service"
    assert words(world, service_id=service, topic="visit") == "topic"
    assert words(world, topic="results") == "site"


def test_a_new_version_ends_the_old_one_and_keeps_it(world: World) -> None:
    first = issue(world, "venez", site_id="arlon")
    world.later(hours=1)
    second = issue(world, "ne venez pas", site_id="arlon")
    assert words(world) == "ne venez pas"
    assert words(world, now=world.now - timedelta(minutes=1)) == "venez"
    history = {one.instruction_id: one for one in list_instructions(world.store, now=world.now, history=True)}
    assert history[first].valid_until == world.now
    assert history[second].version == history[first].version + 1


def test_what_cannot_be_issued(world: World) -> None:
    for form in (InstructionForm("  "), InstructionForm("x", valid_until=world.now), InstructionForm("x" * 3000)):
        with pytest.raises(RuleBroken):
            issue_instruction(world.store, form, agent=world.sonia, now=world.now)
    with pytest.raises(RuleBroken, match="supervisor"):
        issue_instruction(world.store, InstructionForm("x"), agent=world.amelie, now=world.now)


@pytest.mark.parametrize("scope", [{"site_id": "nowhere"}, {"topic": "nothing"}, {"service_id": 9999}])
def test_an_instruction_for_what_the_desk_does_not_have_is_refused(world: World, scope: dict[str, Any]) -> None:
    with pytest.raises(RuleBroken, match="There is no"):
        issue_instruction(world.store, InstructionForm("Venez à jeun.", **scope), agent=world.sonia, now=world.now)
