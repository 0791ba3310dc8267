"""A confirmed death settles everything; a refuted one gives everything back; nobody on the card is surprised by it."""

from datetime import date
from typing import Any

import pytest
from sqlalchemy import insert, select

from crisisdesk.desk.attempts import AttemptForm, record_attempt
from crisisdesk.desk.callbacks import list_queue, take
from crisisdesk.desk.drafts import list_drafts
from crisisdesk.desk.patients import confirm_death, merge_patients, refute_death, report_death
from crisisdesk.desk.unplaced import list_unplaced
from crisisdesk.domain.words import Coverage
from crisisdesk.errors import LeaseLost, RuleBroken
from crisisdesk.store import holding, journal, tables
from crisisdesk.store.coverage import count_coverage
from crisisdesk.store.openings import backlogs
from waiting import World

DAY = date(2022, 6, 3)


def opened(world: World) -> None:
    row = {"service_id": world.service(), "stage": "actual", "state": "partial", "opens_on": world.now.date(),
           "capacity_a_day": 1, "entered_at": world.now}  # fmt: skip
    with world.store.write() as connection:
        connection.execute(insert(tables.opening).values(row))


def reported(world: World, callback_id: int) -> int:
    patient_id = int(world.row(callback_id).patient_id)
    report_death(world.store, patient_id, agent=world.amelie, now=world.now)
    return patient_id


def coverage(world: World) -> dict[Coverage, int]:
    found: dict[Coverage, int] = {}
    with world.store.read() as connection:
        for row in count_coverage(connection, start_at=world.now, end_at=world.now):
            for state, count in row.items.items():
                found[state] = found.get(state, 0) + count
    return {state: count for state, count in found.items() if count}


def form(world: World, card: Any, code: str, **more: Any) -> AttemptForm:
    return AttemptForm(f"on-card-{code}", card.callback_id, card.lease.generation, code, card.number, world.now, **more)


def test_nothing_is_owed_for_somebody_whose_death_was_confirmed(world: World) -> None:
    callback_id = world.callback(released=True, items=2)
    alive = world.callback(released=True)
    patient_id = reported(world, callback_id)
    assert coverage(world) == {Coverage.NEVER_TRIED: 3}, "a report alone settles nothing"
    world.later(hours=1)
    confirm_death(world.store, patient_id, agent=world.bruno, now=world.now)
    for item in world.items_of(callback_id):
        fact = world.fact(item)
        assert (fact.decision, fact.decided_at, fact.decided_by) == ("deceased", world.now, "bruno")
    row = world.row(callback_id)
    assert (row.state, row.closed_as, row.closed_by) == ("closed", "deceased", world.bruno.agent_id)
    assert coverage(world) == {Coverage.DECIDED: 2, Coverage.NEVER_TRIED: 1}
    with world.store.read() as connection:
        (backlog,) = backlogs(connection).values()
    assert backlog.unsettled == 1
    assert list_unplaced(world.store, now=world.now).count == 0
    assert [line.callback_id for line in list_queue(world.store, "arlon", now=world.now).rows] == [alive]


def test_a_refuted_confirmation_gives_back_what_was_decided_before(world: World) -> None:
    callback_id = world.callback(released=True, items=2)
    one, two = world.items_of(callback_id)
    with world.store.write() as connection:
        table = tables.postponement
        connection.execute(
            table.update().where(table.c.id == one).values(
                decided_at=world.now, decision="wants_to_wait", decided_by="amelie"
            )
        )  # fmt: skip
    decided_at = world.now
    patient_id = reported(world, callback_id)
    world.later(hours=1)
    confirm_death(world.store, patient_id, agent=world.bruno, now=world.now)
    refute_death(world.store, patient_id, agent=world.sonia, now=world.now, why="homonyme")
    assert (world.fact(one).decision, world.fact(one).decided_at) == ("wants_to_wait", decided_at)
    assert (world.fact(one).decided_by, world.fact(two).decision, world.fact(two).decided_at) == ("amelie", "", None)
    assert (world.row(callback_id).state, world.row(callback_id).hold) == ("waiting", "")
    assert take(world.store, callback_id, agent=world.amelie, now=world.now).lease


def test_a_refutation_before_the_confirmation_resumes_everything(world: World) -> None:
    callback_id = world.callback(released=True)
    before = world.fact(world.items_of(callback_id)[0])
    patient_id = reported(world, callback_id)
    refute_death(world.store, patient_id, agent=world.bruno, now=world.now, why="homonyme")
    assert world.fact(world.items_of(callback_id)[0]) == before
    assert world.row(callback_id).hold == ""


def test_the_place_of_the_dead_goes_to_the_reserve_list(world: World) -> None:
    opened(world)
    callback_id, reserve = world.callback(released=True), world.callback(released=True)
    (item,), (short,) = world.items_of(callback_id), world.items_of(reserve)
    world.ring(callback_id, "accepts_date", slots={item: DAY})
    with world.store.write() as connection:
        table = tables.postponement
        connection.execute(table.update().where(table.c.id == short).values(is_reserve=True))
    patient_id = reported(world, callback_id)
    confirm_death(world.store, patient_id, agent=world.bruno, now=world.now)
    with world.store.read() as connection:
        (booking,) = connection.execute(select(tables.booking)).all()
    assert (booking.state, booking.withdrawn_why) == ("withdrawn", "deceased")
    assert world.fact(item).decision == "deceased"
    assert world.row(reserve).release_why.startswith("reserve:"), "is rung next for the place"


def test_a_list_owes_nothing_to_the_dead(world: World) -> None:
    callback_id = world.callback(released=True)
    patient_id = reported(world, callback_id)
    confirm_death(world.store, patient_id, agent=world.bruno, now=world.now)
    listed = world.postponement(patient_id, site_id="marche")
    file = {"id": 1, "name": "list", "sha256": "0", "series_key": "", "layout_key": "", "encoding": "utf-8"}
    with world.store.write() as connection:
        connection.execute(insert(tables.source_file).values(**file, staged_at=world.now, published_at=world.now))
        row = {"source_file_id": 1, "row": 1, "status": "accepted", "postponement_id": listed}
        connection.execute(insert(tables.import_row), [row])
        assert holding.hold_imported(connection, 1, world.now) == 0
    assert world.fact(listed).decision == "deceased"
    refute_death(world.store, patient_id, agent=world.sonia, now=world.now, why="homonyme")
    assert world.fact(listed).decided_at is None
    with world.store.read() as connection:
        query = select(tables.callback.c.site_id).where(tables.callback.c.state != "closed")
        assert set(connection.scalars(query)) == {"arlon", "marche"}


# ---------------------------------------------------------------- on the card


def test_the_patient_is_said_dead_while_on_the_card(world: World) -> None:
    callback_id = world.callback(released=True)
    card = take(world.store, callback_id, agent=world.amelie, now=world.now)
    report_death(world.store, card.patient_id, agent=world.bruno, now=world.now)
    with pytest.raises(LeaseLost, match="death was reported"):
        record_attempt(world.store, form(world, card, "no_answer"), agent=world.amelie, now=world.now)
    confirm_death(world.store, card.patient_id, agent=world.sonia, now=world.now)
    late = form(world, card, "declines", note="ne veut plus")
    with pytest.raises(LeaseLost, match="death"):
        record_attempt(world.store, late, agent=world.amelie, now=world.now)
    kept = {draft.fields["disposition"]: draft.fields for draft in list_drafts(world.store, agent=world.amelie)}
    assert kept["declines"]["note"] == "ne veut plus"
    with pytest.raises(RuleBroken):
        take(world.store, callback_id, agent=world.amelie, now=world.now)


def test_a_record_that_is_merged_while_on_the_card_is_saved_for_the_one_that_stands(world: World) -> None:
    callback_id = world.callback(released=True, site_id="marche")
    other = world.callback(released=True)
    card = take(world.store, callback_id, agent=world.amelie, now=world.now)
    stays = merge_patients(world.store, world.row(other).patient_id, card.patient_id, agent=world.sonia, now=world.now)
    done = record_attempt(world.store, form(world, card, "no_answer"), agent=world.amelie, now=world.now)
    assert not done.is_repeat
    assert (world.row(callback_id).patient_id, world.row(callback_id).attempts) == (stays, 1)
    assert world.row(other).last_attempt_at == world.now, "it is one person, who rests everywhere"


def test_a_callback_that_is_joined_to_another_one_while_on_the_card_says_where_to_go_on(world: World) -> None:
    kept, gone = world.callback(released=True), world.callback(released=True)
    take(world.store, kept, agent=world.bruno, now=world.now)  # else the one that is held is kept
    card = take(world.store, gone, agent=world.amelie, now=world.now)
    merge_patients(world.store, world.row(kept).patient_id, card.patient_id, agent=world.sonia, now=world.now)
    late = form(world, card, "declines", note="ne veut plus")
    with pytest.raises(LeaseLost, match=f"callback {kept}"):
        record_attempt(world.store, late, agent=world.amelie, now=world.now)
    (draft,) = list_drafts(world.store, agent=world.amelie)
    assert draft.fields["note"] == "ne veut plus"


def test_a_record_of_somebody_dead_is_merged_with_one_that_is_rung(world: World) -> None:
    dead, rung = world.callback(released=True, site_id="marche"), world.callback(released=True)
    patient_id = reported(world, dead)
    confirm_death(world.store, patient_id, agent=world.bruno, now=world.now)
    card = take(world.store, rung, agent=world.amelie, now=world.now)
    merge_patients(world.store, card.patient_id, patient_id, agent=world.sonia, now=world.now)
    with pytest.raises(LeaseLost, match="death"):
        record_attempt(world.store, form(world, card, "no_answer"), agent=world.amelie, now=world.now)
    assert (world.row(rung).state, world.row(rung).closed_as) == ("closed", "deceased")
    assert world.fact(world.items_of(rung)[0]).decision == "deceased"
    with world.store.read() as connection:
        patient = connection.execute(select(tables.patient).where(tables.patient.c.id == card.patient_id)).one()
        assert journal.verify(connection).first_fault is None
    assert patient.death_confirmed_by == world.bruno.agent_id, "who confirmed it stays"
