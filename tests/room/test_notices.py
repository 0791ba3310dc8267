"""What agents are told on their screens, for whom it is, and who has read it."""

from datetime import timedelta

import pytest

from crisisdesk.desk.agents import set_sites
from crisisdesk.desk.closing import close_desk, reopen_desk
from crisisdesk.desk.instructions import InstructionForm, end_instruction, issue_instruction
from crisisdesk.desk.notices import (
    LONGEST_NOTICE,
    acknowledge,
    addressees,
    send_message,
    sent_notices,
    unread_notices,
)
from crisisdesk.desk.rights import NotAllowed
from crisisdesk.domain.words import NoticeKind
from crisisdesk.errors import RuleBroken
from waiting import World


def unread(world: World, login: str = "amelie") -> list[str]:
    return [one.words for one in unread_notices(world.store, agent=world.agent(login), now=world.now)]


def test_a_message_reaches_those_it_is_for_until_they_have_read_it(world: World) -> None:
    set_sites(world.store, "amelie", ["libramont"], agent=world.agent("chef"), now=world.now)
    send_message(world.store, "à tous", agent=world.sonia, now=world.now)
    send_message(world.store, "Arlon", agent=world.sonia, now=world.later(minutes=1), site_id="arlon")
    world.later(minutes=1)
    send_message(world.store, "Amélie", agent=world.sonia, now=world.now, to_login="amelie", is_urgent=True)
    assert unread(world) == ["Amélie", "à tous"]  # urgent first; Arlon is not hers
    assert unread(world, "bruno") == ["à tous", "Arlon"]
    assert unread(world, "sylvie") == []  # one's own
    first = unread_notices(world.store, agent=world.amelie, now=world.now)[0]
    assert acknowledge(world.store, first.notice_id, agent=world.amelie, now=world.later(minutes=1))
    assert not acknowledge(world.store, first.notice_id, agent=world.amelie, now=world.later(minutes=1))
    assert unread(world) == ["à tous"]
    assert addressees(world.store, first.notice_id) == (("Amélie", world.now - timedelta(minutes=1)),)
    assert {one.words: one.readers for one in sent_notices(world.store, agent=world.sonia, now=world.now)}[
        "Amélie"
    ] == 1


def test_a_retry_whose_answer_was_lost_sends_nothing_twice(world: World) -> None:
    numbers = {send_message(world.store, "une fois", agent=world.sonia, now=world.now, uid="m1") for _ in range(2)}
    assert len(numbers) == 1
    assert unread(world) == ["une fois"]


def test_only_supervisors_write_and_only_what_fits(world: World) -> None:
    with pytest.raises(NotAllowed):
        send_message(world.store, "bonjour", agent=world.bruno, now=world.now)
    for words in ("", " \x1b ", "x" * (LONGEST_NOTICE + 1)):
        with pytest.raises(RuleBroken, match="characters"):
            send_message(world.store, words, agent=world.sonia, now=world.now)
    with pytest.raises(RuleBroken, match="nobody"):
        send_message(world.store, "bonjour", agent=world.sonia, now=world.now, to_login="nobody")


def test_an_instruction_that_replaces_another_is_urgent_a_first_one_is_not(world: World) -> None:
    form = InstructionForm("Première consigne", topic="results")
    issue_instruction(world.store, form, agent=world.sonia, now=world.now)
    first = unread_notices(world.store, agent=world.amelie, now=world.now)[0]
    assert (first.kind, first.is_urgent) == (NoticeKind.INSTRUCTION, False)
    form = InstructionForm("Autre consigne", topic="results")
    issue_instruction(world.store, form, agent=world.sonia, now=world.later(minutes=10))
    assert unread_notices(world.store, agent=world.amelie, now=world.now)[0].is_urgent
    assert unread(world)[0] == "Autre consigne"
    world.later(hours=5)
    assert unread(world) == []  # by then the screens themselves have read the new one


def test_one_that_begins_later_says_from_when(world: World) -> None:
    form = InstructionForm("Bientôt", topic="results", valid_from=world.now + timedelta(hours=2))
    issue_instruction(world.store, form, agent=world.sonia, now=world.now)
    assert unread(world) == ["from 16:00: Bientôt"]
    late = InstructionForm("Demain", topic="worse", valid_from=world.now + timedelta(days=1))
    issue_instruction(world.store, late, agent=world.sonia, now=world.now)
    assert unread(world) == ["from 16:00: Bientôt"]


def test_the_end_of_an_instruction_is_told_too(world: World) -> None:
    number = issue_instruction(world.store, InstructionForm("Seule", topic="results"), agent=world.sonia, now=world.now)
    end_instruction(world.store, number, agent=world.sonia, now=world.later(minutes=5))
    assert unread(world) == ["no longer holds: Seule", "Seule"]


def test_the_closing_of_the_desk_must_be_read_by_everybody(world: World) -> None:
    close_desk(world.store, reason="fin de crise", agent=world.sonia, now=world.now)
    reopen_desk(world.store, reason="deuxième vague", agent=world.sonia, now=world.later(minutes=1))
    found = unread_notices(world.store, agent=world.amelie, now=world.now)
    assert [(one.kind, one.is_urgent, one.subject_id, one.words) for one in found] == [
        (NoticeKind.DESK, True, "closed", "fin de crise"), (NoticeKind.DESK, True, "reopened", "deuxième vague"),
    ]  # fmt: skip


def test_what_does_not_fit_says_that_there_is_more(world: World) -> None:
    form = InstructionForm("Venir à jeun. " * 40, topic="results")
    issue_instruction(world.store, form, agent=world.sonia, now=world.now)
    (words,) = unread(world)
    assert len(words) <= LONGEST_NOTICE
    assert words.endswith("…")
