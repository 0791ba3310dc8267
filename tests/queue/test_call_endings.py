"""Every ending of an inbound call, walked to where it leaves the patient: the callback, its moment, who acts next."""

import tomllib
from datetime import UTC, date, datetime
from itertools import count
from typing import Any

import pytest

from crisisdesk.desk.callbacks import explain
from crisisdesk.desk.callcheck import FormRefused
from crisisdesk.desk.callform import CallForm, ItemSaid, RecordedCall
from crisisdesk.desk.intake import record_call
from crisisdesk.desk.reference import data_folder
from crisisdesk.desk.reopening import OpeningForm, confirm_opening
from crisisdesk.domain.reference import Disposition
from crisisdesk.domain.words import NextStep, Reach, Scope
from waiting import World

ENDINGS = sorted(tomllib.loads((data_folder() / "dispositions.toml").read_text("utf-8"))["inbound"])
TOMORROW = datetime(2022, 6, 1, 8, 0, tzinfo=UTC)
"""10:00 in Brussels."""
WAITS_FOR = {
    NextStep.OPENING: "not_released", NextStep.AT_TIME: "not_before", NextStep.REVIEW: "review",
    NextStep.ESCALATE: "ready", NextStep.CONFIRM: "confirm_death",
}  # fmt: skip
"""What keeps the patient's callback out after a call that ends with a step; nothing for an escalation."""
_serial = count(1)


def call(world: World, ending: Disposition, patient_id: int, **more: Any) -> RecordedCall:
    form = CallForm(
        f"ending-{next(_serial)}", world.now, ending.code, patient_ids=(patient_id,), site_id="arlon",
        caller_kind="self", words="et mon opération ?", note="ce qui a été dit" if ending.needs_note else "",
        wish="demain 10h" if ending.next_step == NextStep.AT_TIME else "",
        new_date="8/6" if ending.coverage == "rebooked" else "", **more,
    )  # fmt: skip
    return record_call(world.store, form, agent=world.amelie, now=world.now)


def opened(world: World) -> None:
    form = OpeningForm(world.service(), date(2022, 6, 8), capacity_a_day=12)
    confirm_opening(world.store, form, agent=world.sonia, now=world.now)


@pytest.mark.parametrize("code", ENDINGS)
def test_an_ending_of_a_call_leads_to_its_step_and_moment(world: World, code: str) -> None:
    """The patient waits for the theatre, which is closed: one postponement, one callback that is not released."""
    ending = world.reference.dispositions[Scope.INBOUND, code]
    if ending.coverage == "rebooked":
        opened(world)
    callback_id = world.callback()
    (item,) = world.items_of(callback_id)
    patient_id = world.row(callback_id).patient_id
    before = world.row(callback_id)
    done = call(world, ending, patient_id, items=(ItemSaid(item),))
    after, fact = world.row(callback_id), world.fact(item)

    assert list(done.callbacks) == ([callback_id] if ending.makes_callback else [])
    if ending.coverage:
        assert getattr(fact, f"{ending.coverage}_at") == world.now
    elif ending.reach == Reach.PATIENT:
        assert fact.reached_at == world.now
    else:
        assert (fact.tried_at, fact.reached_at) == (None, None)
    if ending.coverage in ("decided", "rebooked", "done") and ending.is_final:
        assert (after.state, after.closed_as) == ("closed", ending.code)
        return
    assert after.state == "waiting"
    if ending.next_step == NextStep.CLOSE:  # says nothing of what is owed: it stands where it stood
        assert (after.released_at, after.hold, after.tier) == (before.released_at, before.hold, before.tier)
        return
    explained = explain(world.store, callback_id, now=world.now)
    assert explained.row.reason == WAITS_FOR[ending.next_step]
    assert explained.row.why_not or explained.row.reason == "ready"
    moment = TOMORROW if ending.next_step == NextStep.AT_TIME else None
    assert (after.not_before, after.promised_from) == (moment, moment)
    assert after.tier == (0 if ending.next_step == NextStep.ESCALATE else before.tier)
    if moment:
        assert explain(world.store, callback_id, now=moment).row.reason == "ready", "at the moment that was agreed"


@pytest.mark.parametrize("code", ENDINGS)
def test_a_call_that_ends_a_promised_callback_forgets_nobody(world: World, code: str) -> None:
    """The agent marks that the open callback is no longer needed. It ends only where nothing is owed any more; where
    nobody spoke for the patient, or the call promises another, the promise stays."""
    ending = world.reference.dispositions[Scope.INBOUND, code]
    if ending.coverage == "rebooked":
        opened(world)
    callback_id = world.callback(released=True)
    (item,) = world.items_of(callback_id)
    before = world.row(callback_id)
    world.later(minutes=5)
    if ending.makes_callback or ending.reach != Reach.PATIENT:
        with pytest.raises(FormRefused, match="stays"):
            call(world, ending, before.patient_id, settled=(callback_id,))
        assert world.row(callback_id) == before
        return
    call(world, ending, before.patient_id, settled=(callback_id,))
    after, fact = world.row(callback_id), world.fact(item)
    assert (after.state == "closed") == bool(fact.rebooked_at or fact.decided_at)
    assert after.state == "closed" or after.hold == ""


def test_every_step_is_walked(world: World) -> None:
    steps = {world.reference.dispositions[Scope.INBOUND, code].next_step for code in ENDINGS}
    assert steps == {*WAITS_FOR, NextStep.CLOSE}
    assert {row.code for row in world.reference.dispositions_of(Scope.INBOUND)} == set(ENDINGS)
