"""One call settles all: what the same patient waits for at other sites, in the transaction that ends the call."""

from datetime import timedelta

import pytest
from sqlalchemy import update

from crisisdesk.desk.attempts import AttemptForm, ItemResult, record_attempt
from crisisdesk.desk.callbacks import open_card, take
from crisisdesk.desk.cards import CallbackCard
from crisisdesk.desk.drafts import list_drafts
from crisisdesk.desk.patients import merge_patients, report_death
from crisisdesk.desk.reopening import OpeningForm, confirm_opening
from crisisdesk.domain.words import NextStep
from crisisdesk.errors import LeaseLost, RuleBroken
from crisisdesk.store import callbacks, journal, tables
from waiting import World


def two_sites(world: World) -> tuple[int, int, int, int]:
    """A patient with an operation at Arlon and one at Marche: both callbacks and both items."""
    here = world.callback(released=True)
    patient_id = world.row(here).patient_id
    there_item = world.postponement(patient_id, site_id="marche")
    with world.store.write() as connection:
        there = callbacks.hold(
            connection, patient_id=patient_id, site_id="marche", postponement_ids=[there_item], wish=None,
            released=True, call_id=None, agent_id=None, now=world.now,
        )  # fmt: skip
    return here, there, world.items_of(here)[0], there_item


def taken(world: World, callback_id: int) -> CallbackCard:
    card = take(world.store, callback_id, agent=world.amelie, now=world.now)
    assert card.lease
    return card


def form(world: World, card: CallbackCard, disposition: str, **more: object) -> AttemptForm:
    assert card.lease
    return AttemptForm(
        "one-call", card.callback_id, card.lease.generation, disposition, card.number, world.now, **more  # type: ignore[arg-type]
    )  # fmt: skip


def opened(world: World, site_id: str) -> None:
    what = OpeningForm(world.service(site_id=site_id), world.now.date(), capacity_a_day=3)
    confirm_opening(world.store, what, agent=world.sonia, now=world.now)


def test_the_card_shows_what_waits_at_other_sites(world: World) -> None:
    here, there, _mine, theirs = two_sites(world)
    card = open_card(world.store, here, agent=world.amelie, now=world.now)
    (other,) = card.others
    assert (other.callback_id, other.site_id, other.is_held) == (there, "marche", False)
    assert [item.postponement_id for item in card.others_items] == [theirs]
    assert card.site_of(card.others_items[0]) == "marche"


def test_both_are_booked_and_both_callbacks_close_in_one_transaction(world: World) -> None:
    here, there, mine, theirs = two_sites(world)
    opened(world, "arlon")
    opened(world, "marche")
    card = taken(world, here)
    days = {number: slots[0].slot_on for number, slots in card.offers.items() if slots}
    assert set(days) == {mine, theirs}, "places of both sites are offered"
    items = {number: ItemResult("accepts_date", slot_on=day) for number, day in days.items()}
    sent = form(world, card, "accepts_date", items=items)
    done = record_attempt(world.store, sent, agent=world.amelie, now=world.now)
    assert done.follow.step == NextStep.CLOSE
    assert (world.row(here).state, world.row(there).state) == ("closed", "closed")
    assert world.fact(theirs).rebooked_at
    with world.store.read() as connection:
        told = [entry.action for entry in journal.entries(connection, subject="callback", subject_id=str(there))]
    assert "callback.settled_in_one_call" in told


def test_what_needs_a_clinician_there_holds_only_that_one(world: World) -> None:
    here, there, mine, theirs = two_sites(world)
    items = {mine: ItemResult("treated_elsewhere"), theirs: ItemResult("declines")}
    sent = form(world, taken(world, here), "treated_elsewhere", note="à Luxembourg", items=items)
    record_attempt(world.store, sent, agent=world.amelie, now=world.now)
    assert world.row(here).state == "closed"
    assert (world.row(there).state, world.row(there).hold) == ("waiting", "review")
    assert world.row(there).generation > 0, "an old lease on it is over"


def test_what_is_left_there_waits_for_its_place(world: World) -> None:
    here, there, mine, theirs = two_sites(world)
    items = {mine: ItemResult("treated_elsewhere"), theirs: ItemResult("wants_to_wait")}
    sent = form(world, taken(world, here), "treated_elsewhere", note="à Luxembourg", items=items)
    record_attempt(world.store, sent, agent=world.amelie, now=world.now)
    after = world.row(there)
    assert (after.state, after.released_at) == ("waiting", None)
    assert world.fact(theirs).decided_at


def test_what_was_not_spoken_of_stays_as_it_was_but_rests(world: World) -> None:
    here, there, mine, theirs = two_sites(world)
    before = world.row(there)
    sent = form(world, taken(world, here), "treated_elsewhere", note="x", items={mine: ItemResult("treated_elsewhere")})
    record_attempt(world.store, sent, agent=world.amelie, now=world.now)
    after = world.row(there)
    assert (after.state, after.generation, after.released_at) == (before.state, before.generation, before.released_at)
    assert after.last_attempt_at == world.now
    assert not world.fact(theirs).decided_at


def lease_there(world: World, there: int, until: timedelta) -> int:
    """Bruno holds the other one (a take refuses that while the patient is on the line; a lease may be older)."""
    values = {
        "state": "leased", "leased_by": world.bruno.agent_id, "leased_at": world.now,
        "lease_until": world.now + until, "generation": 7,
    }  # fmt: skip
    with world.store.write() as connection:
        connection.execute(update(tables.callback).where(tables.callback.c.id == there).values(values))
    return 7


def test_one_that_a_colleague_holds_is_refused_by_name_and_nothing_is_written(world: World) -> None:
    here, there, mine, theirs = two_sites(world)
    card = taken(world, here)
    lease_there(world, there, timedelta(minutes=5))
    items = {mine: ItemResult("treated_elsewhere"), theirs: ItemResult("treated_elsewhere")}
    sent = form(world, card, "treated_elsewhere", note="x", items=items)
    with pytest.raises(RuleBroken, match="Bruno holds"):
        record_attempt(world.store, sent, agent=world.amelie, now=world.now)
    assert not world.fact(mine).decided_at
    read = open_card(world.store, here, agent=world.sonia, now=world.now)
    assert (read.others[0].is_held, read.others[0].holder, read.others_items) == (True, "Bruno", [])


def test_the_late_write_of_the_other_agent_is_refused(world: World) -> None:
    """His lease ended before the call that settled all; what he typed is kept."""
    here, there, mine, theirs = two_sites(world)
    generation = lease_there(world, there, timedelta(minutes=-1))
    items = {mine: ItemResult("treated_elsewhere"), theirs: ItemResult("wants_to_wait")}
    sent = form(world, taken(world, here), "treated_elsewhere", note="x", items=items)
    record_attempt(world.store, sent, agent=world.amelie, now=world.now)
    late = AttemptForm("late", there, generation, "busy", "+3263231111", world.now, note="il rappelle")
    with pytest.raises(LeaseLost):
        record_attempt(world.store, late, agent=world.bruno, now=world.now)
    assert [draft.fields["note"] for draft in list_drafts(world.store, agent=world.bruno)] == ["il rappelle"]
    assert world.row(there).attempts == 0


def test_an_item_of_another_patient_is_refused(world: World) -> None:
    here, _there, _mine, _theirs = two_sites(world)
    (strange,) = world.items_of(world.callback(released=True))
    sent = form(world, taken(world, here), "treated_elsewhere", note="x", items={strange: ItemResult("informed")})
    with pytest.raises(RuleBroken, match="not owed"):
        record_attempt(world.store, sent, agent=world.amelie, now=world.now)


def test_a_patient_who_dies_while_on_the_card_is_said_and_the_text_is_kept(world: World) -> None:
    here, _there, _mine, _theirs = two_sites(world)
    card = taken(world, here)
    report_death(world.store, card.patient_id, agent=world.bruno, now=world.now)
    sent = form(world, card, "no_answer", note="sonne dans le vide")
    with pytest.raises(LeaseLost, match="death was reported"):
        record_attempt(world.store, sent, agent=world.amelie, now=world.now)
    (draft,) = list_drafts(world.store, agent=world.amelie)
    assert draft.fields["note"] == "sonne dans le vide"


def test_a_patient_who_is_merged_while_on_the_card_is_said_and_nothing_is_lost(world: World) -> None:
    """Both records had a callback at the same site: one is closed by the merge, and the agent is told which is left."""
    first, second = world.callback(released=True), world.callback(released=True)
    ringing = {first: world.amelie, second: world.bruno}
    cards = {key: take(world.store, key, agent=agent, now=world.now) for key, agent in ringing.items()}
    patients = [world.row(callback_id).patient_id for callback_id in (first, second)]
    merge_patients(world.store, *patients, agent=world.sonia, now=world.now, why="même personne")
    (closed,) = [key for key in (first, second) if world.row(key).state == "closed"]
    (left,) = [key for key in (first, second) if key != closed]
    sent = form(world, cards[closed], "no_answer", note="sonne")
    with pytest.raises(LeaseLost, match=f"callback {left}"):
        record_attempt(world.store, sent, agent=ringing[closed], now=world.now)
    assert list_drafts(world.store, agent=ringing[closed])[0].fields["note"] == "sonne"


def test_a_patient_who_is_merged_without_another_callback_is_rung_as_if_nothing_were(world: World) -> None:
    callback_id = world.callback(released=True)
    card = taken(world, callback_id)
    stays = merge_patients(
        world.store, card.patient_id, world.patient(), agent=world.sonia, now=world.now, why="même personne"
    )
    record_attempt(world.store, form(world, card, "busy"), agent=world.amelie, now=world.now)
    row = world.row(callback_id)
    assert (row.attempts, row.patient_id) == (1, stays)
