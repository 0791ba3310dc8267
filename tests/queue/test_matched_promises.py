"""A date that was given for what a caller told of, before the list came: it is the list's own from the match on."""

from datetime import date

import pytest

from crisisdesk.desk.callbacks import list_queue
from crisisdesk.desk.correcting import correct_attempt
from crisisdesk.desk.linking import confirm_reported, undo_reported
from crisisdesk.desk.reopening import OpeningForm, confirm_opening
from crisisdesk.desk.undoing import undo_attempt
from crisisdesk.domain.words import OpeningState
from crisisdesk.errors import RuleBroken
from crisisdesk.store import callbacks, tables
from waiting import World

THU = date(2022, 6, 2)


@pytest.fixture
def told(world: World) -> tuple[int, int, int]:
    """A caller told of an operation and accepted a day for it; then a list has it: reported, listed, attempt."""
    form = OpeningForm(world.service(), world.now.date(), capacity_a_day=2)
    confirm_opening(world.store, form, agent=world.sonia, now=world.now)
    patient_id = world.patient()
    reported = world.postponement(patient_id)
    with world.store.write() as connection:
        table = tables.postponement
        connection.execute(table.update().where(table.c.id == reported).values(source="caller"))
        callback_id = callbacks.hold(
            connection, patient_id=patient_id, site_id="arlon", postponement_ids=[reported], wish=None, released=True,
            call_id=None, agent_id=world.amelie.agent_id, now=world.now,
        )  # fmt: skip
    done = world.ring(callback_id, "accepts_date", slots={reported: THU})
    world.later(minutes=1)
    listed = world.postponement(patient_id)
    with world.store.write() as connection:
        callbacks.hold(
            connection, patient_id=patient_id, site_id="arlon", postponement_ids=[listed], wish=None, released=False,
            call_id=None, agent_id=None, now=world.now,
        )  # fmt: skip
    confirm_reported(world.store, reported, listed, agent=world.amelie, now=world.now)
    return reported, listed, done.attempt_id


def test_a_slip_of_a_day_that_was_told_before_the_list_came_is_rung(world: World, told: tuple[int, int, int]) -> None:
    _reported, listed, _attempt = told
    assert world.fact(listed).rebooked_at is not None
    form = OpeningForm(world.service(), date(2022, 6, 1), state=OpeningState.CLOSED, reason="panne")
    world.later(hours=1)
    seen = confirm_opening(world.store, form, agent=world.sonia, now=world.now)
    assert seen
    assert world.fact(listed).rebooked_at is None
    (row,) = list_queue(world.store, "arlon", now=world.now).rows
    assert (row.reason, row.tier) == ("ready", 0)
    assert listed in world.items_of(row.callback_id)


def test_a_decision_is_the_listed_ones_too(world: World) -> None:
    """Treated elsewhere, says the caller; then the list has it: nobody rings for it again."""
    patient_id = world.patient()
    reported, listed = world.postponement(patient_id), world.postponement(patient_id)
    with world.store.write() as connection:
        table = tables.postponement
        said = {"source": "caller", "decided_at": world.now, "decision": "treated_elsewhere", "decided_by": "amelie"}
        connection.execute(table.update().where(table.c.id == reported).values(said))
    confirm_reported(world.store, reported, listed, agent=world.amelie, now=world.now)
    fact = world.fact(listed)
    assert (fact.decision, fact.decided_by, fact.decided_at) == ("treated_elsewhere", "amelie", world.now)


def test_neither_undo_nor_correction_forgets_the_listed_one(world: World, told: tuple[int, int, int]) -> None:
    reported, listed, attempt_id = told
    with pytest.raises(RuleBroken, match="matched"):
        undo_attempt(world.store, attempt_id, reason="mauvaise touche", agent=world.amelie, now=world.now)
    with pytest.raises(RuleBroken, match="matched"):
        correct_attempt(world.store, attempt_id, "no_answer", reason="x", agent=world.sonia, now=world.now)
    undo_reported(world.store, reported, agent=world.amelie, now=world.now)
    assert (world.fact(listed).rebooked_at, world.fact(listed).decision) == (None, ""), "it is owed for itself again"
    assert world.fact(reported).rebooked_at is not None
    correct_attempt(world.store, attempt_id, "no_answer", reason="x", agent=world.sonia, now=world.now)
    assert world.fact(reported).rebooked_at is None
