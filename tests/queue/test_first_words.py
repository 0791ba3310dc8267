"""Before the first word: words are agreed at the first call, and what is said of others is what the patient said."""

import pytest

from crisisdesk.desk.callbacks import open_card
from crisisdesk.desk.callform import CallForm
from crisisdesk.desk.contacts import set_contacts
from crisisdesk.desk.intake import record_call
from crisisdesk.domain.words import MayTell
from waiting import World


def called(world: World, patient_id: int, disposition: str = "informed", **more: object) -> str:
    form = CallForm(
        uid=f"call-{patient_id}-{world.now}", started_at=world.now, disposition=disposition, caller_kind="self",
        site_id="arlon", topic="operation_postponed", patient_ids=(patient_id,), **more,  # type: ignore[arg-type]
    )  # fmt: skip
    return record_call(world.store, form, agent=world.amelie, now=world.now).proof


def test_a_patient_of_a_list_gets_two_words_at_the_first_call_and_keeps_them(world: World) -> None:
    callback_id = world.callback(released=True)
    patient_id = world.row(callback_id).patient_id
    card = open_card(world.store, callback_id, agent=world.bruno, now=world.now)
    assert not card.is_proven
    assert "No proof words" in card.proof_words
    assert not any("birth" in line for line in card.script), "no identifier is asked for"
    words = called(world, patient_id)
    assert len(words.split()) == 2
    world.later(minutes=1)
    assert called(world, patient_id) == "", "they were agreed before"
    card = open_card(world.store, callback_id, agent=world.bruno, now=world.now)
    first, second = words.split()
    assert card.is_proven
    assert f"'{first}'" in " ".join(card.script)
    assert second not in " ".join(card.script)
    assert f"“{second}”" in card.proof_words


@pytest.mark.parametrize(
    ("may_tell", "who", "words"),
    [
        (MayTell.UNKNOWN, "", "never asked"),
        (MayTell.NONE, "", "nobody may be told"),
        (MayTell.NAMED, "sa fille Anne", "sa fille Anne may be told, nobody else"),
    ],
)
def test_who_else_may_be_told_is_what_the_patient_said(world: World, may_tell: MayTell, who: str, words: str) -> None:
    callback_id = world.callback(released=True)
    patient_id = world.row(callback_id).patient_id
    set_contacts(world.store, patient_id, may_tell=may_tell, may_tell_who=who, agent=world.amelie, now=world.now)
    assert words in open_card(world.store, callback_id, agent=world.amelie, now=world.now).tell_words
