"""Ways in which a patient might be forgotten, rung twice, or a promise lost: each tried on a real desk."""

from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import insert, select, update

from crisisdesk.desk.attempts import AttemptForm, ItemResult, record_attempt
from crisisdesk.desk.booking import offer_slots
from crisisdesk.desk.callbacks import NothingNow, list_queue, take, take_next
from crisisdesk.desk.drafts import list_drafts, save_draft
from crisisdesk.desk.patients import (
    add_phone,
    confirm_death,
    mark_phone_wrong,
    merge_patients,
    refute_death,
    report_death,
)
from crisisdesk.desk.reopening import OpeningForm, confirm_opening, revise_opening
from crisisdesk.domain.wishes import Wish
from crisisdesk.domain.words import OpeningState
from crisisdesk.errors import LeaseLost, RuleBroken
from crisisdesk.store import callbacks, holding, journal, tables
from waiting import World

SHARED = "+3263231111"


def hold(world: World, patient_id: int, items: list[int], site_id: str = "arlon", **more: Any) -> int:
    said: dict[str, Any] = {"wish": None, "released": True, "call_id": None, "agent_id": None, **more}
    with world.store.write() as connection:
        return callbacks.hold(
            connection, patient_id=patient_id, site_id=site_id, postponement_ids=items, now=world.now, **said
        )


def reason(world: World, callback_id: int, site_id: str = "arlon") -> str:
    queue = list_queue(world.store, site_id, now=world.now)
    return next((row.reason for row in queue.rows if row.callback_id == callback_id), "not there")


def nobody(world: World) -> bool:
    return isinstance(take_next(world.store, "arlon", agent=world.bruno, now=world.now), NothingNow)


# ---------------------------------------------------------------- the dead, and those who are not


def test_nobody_rings_for_somebody_whose_death_was_reported_before(world: World) -> None:
    patient_id = world.patient()
    item = world.postponement(patient_id)
    report_death(world.store, patient_id, agent=world.amelie, now=world.now)
    callback_id = hold(world, patient_id, [item])
    assert reason(world, callback_id) == "confirm_death"
    assert nobody(world)
    with pytest.raises(RuleBroken, match="death"):
        take(world.store, callback_id, agent=world.bruno, now=world.now)


def test_a_refuted_death_gives_the_review_back(world: World) -> None:
    callback_id = world.callback(released=True)
    world.ring(callback_id, "declines", note="ne veut plus")
    patient_id = world.row(callback_id).patient_id
    report_death(world.store, patient_id, agent=world.amelie, now=world.now)
    assert reason(world, callback_id) == "confirm_death"
    refute_death(world.store, patient_id, agent=world.bruno, now=world.now, why="homonyme")
    assert reason(world, callback_id) == "review"


def test_a_confirmed_death_that_was_none_is_rung_again(world: World) -> None:
    callback_id = world.callback(released=True)
    patient_id = world.row(callback_id).patient_id
    report_death(world.store, patient_id, agent=world.amelie, now=world.now)
    listed_meanwhile = world.postponement(patient_id, code="surgery", site_id="marche")
    import_as_list(world, [listed_meanwhile])
    confirm_death(world.store, patient_id, agent=world.bruno, now=world.now)
    refute_death(world.store, patient_id, agent=world.sonia, now=world.now, why="homonyme")
    waiting = {item for item, state in held_items(world) if state != "closed"}
    assert waiting == {*world.items_of(callback_id), listed_meanwhile}


def held_items(world: World) -> set[tuple[int, str]]:
    item, callback = tables.callback_item.c, tables.callback.c
    with world.store.read() as connection:
        query = select(item.postponement_id, callback.state).join(tables.callback, callback.id == item.callback_id)
        return {(row[0], row[1]) for row in connection.execute(query)}


def import_as_list(world: World, items: list[int]) -> None:
    listed = {"id": 1, "name": "list", "sha256": "0", "series_key": "", "layout_key": "", "encoding": "utf-8"}
    with world.store.write() as connection:
        connection.execute(insert(tables.source_file).values(**listed, staged_at=world.now, published_at=world.now))
        rows = [{"source_file_id": 1, "row": item, "status": "accepted", "postponement_id": item} for item in items]
        connection.execute(insert(tables.import_row), rows)
        holding.hold_imported(connection, 1, world.now)


def test_the_patients_history_tells_of_a_death_said_at_the_telephone(world: World) -> None:
    callback_id = world.callback(released=True)
    patient_id = world.row(callback_id).patient_id
    world.ring(callback_id, "deceased", note="la fille")
    with world.store.read() as connection:
        told = journal.entries(connection, subject="patient", subject_id=str(patient_id))
    assert [entry.action for entry in told] == ["patient.death_reported"]


# ---------------------------------------------------------------- a clinician decides


def test_nobody_rings_what_a_clinician_decides_first(world: World) -> None:
    callback_id = world.callback(released=True)
    world.ring(callback_id, "declines", note="ne veut plus")
    world.later(hours=5)
    with pytest.raises(RuleBroken, match="clinician"):
        take(world.store, callback_id, agent=world.bruno, now=world.now)


def test_an_attempt_does_not_lift_a_review_that_came_while_ringing(world: World) -> None:
    callback_id = world.callback(released=True)
    card = take(world.store, callback_id, agent=world.amelie, now=world.now)
    hold(world, world.row(callback_id).patient_id, [], hold_for="review")
    assert card.lease
    form = AttemptForm("late", callback_id, card.lease.generation, "no_answer", card.number, world.now)
    record_attempt(world.store, form, agent=world.amelie, now=world.now)
    assert world.row(callback_id).hold == "review"


def test_a_number_that_was_found_ends_the_search(world: World) -> None:
    callback_id = world.callback(released=True)
    world.ring(callback_id, "wrong_number")
    assert reason(world, callback_id) == "number_search"
    world.later(hours=1)
    add_phone(world.store, world.row(callback_id).patient_id, SHARED, agent=world.amelie, now=world.now)
    assert reason(world, callback_id) == "ready"


# ---------------------------------------------------------------- the patient rings first


def test_who_rings_first_and_is_only_informed_still_waits(world: World) -> None:
    callback_id = world.callback(released=True)
    with world.store.write() as connection:
        callbacks.settle(connection, callback_id, "informed", world.amelie.agent_id, world.now, None)
    assert reason(world, callback_id) == "not_released"


# ---------------------------------------------------------------- rung twice


def test_two_agents_never_ring_one_number_at_the_same_time(world: World) -> None:
    first = world.callback(released=True, phones=[SHARED])
    second = world.callback(released=True, phones=[SHARED])
    take(world.store, first, agent=world.amelie, now=world.now)
    assert nobody(world)
    assert reason(world, second) == "on_line"
    with pytest.raises(LeaseLost, match="Amélie"):
        take(world.store, second, agent=world.bruno, now=world.now)
    world.later(hours=1)
    assert reason(world, second) == "ready"  # the lease ran out


def test_one_person_is_not_rung_for_two_sites_at_once(world: World) -> None:
    here = world.callback(released=True)
    patient_id = world.row(here).patient_id
    there = hold(world, patient_id, [world.postponement(patient_id, site_id="marche")], "marche")
    take(world.store, here, agent=world.amelie, now=world.now)
    answer = take_next(world.store, "marche", agent=world.bruno, now=world.now)
    assert isinstance(answer, NothingNow)
    assert reason(world, there, "marche") == "on_line"


def test_a_number_found_wrong_is_not_rung_because_it_was_wished(world: World) -> None:
    callback_id = world.callback(released=True, wish=Wish(number=SHARED), phones=[SHARED, "+32470123456"])
    patient_id = world.row(callback_id).patient_id
    mark_phone_wrong(world.store, patient_id, SHARED, agent=world.amelie, now=world.now)
    assert take(world.store, callback_id, agent=world.amelie, now=world.now).number == "+32470123456"


def test_a_number_typed_by_hand_is_the_number(world: World) -> None:
    callback_id = world.callback(released=True, phones=[SHARED, "+32470123456"])
    card = take(world.store, callback_id, agent=world.amelie, now=world.now)
    assert card.lease
    form = AttemptForm("typed", callback_id, card.lease.generation, "wrong_number", "063 23 11 11", world.now)
    record_attempt(world.store, form, agent=world.amelie, now=world.now)
    world.later(hours=1)
    card = take(world.store, callback_id, agent=world.amelie, now=world.now)
    assert [number.is_wrong for number in card.numbers] == [False, True]
    assert card.lease
    unread = AttemptForm("unread", callback_id, card.lease.generation, "busy", "tante", world.now)
    with pytest.raises(RuleBroken, match="tante"):
        record_attempt(world.store, unread, agent=world.amelie, now=world.now)


def test_nobody_answers_for_a_patient_who_was_not_reached(world: World) -> None:
    form = OpeningForm(world.service(), date(2022, 5, 31), capacity_a_day=12)
    confirm_opening(world.store, form, agent=world.sonia, now=world.now)
    callback_id = world.callback(released=True)
    with pytest.raises(RuleBroken, match="reached"):
        world.ring(callback_id, "no_answer", slots=dict.fromkeys(world.items_of(callback_id), date(2022, 6, 8)))
    (item,) = world.items_of(callback_id)
    assert world.fact(item).rebooked_at is None


# ---------------------------------------------------------------- promises


def window(world: World, begins: float, ends: float) -> Wish:
    return Wish(world.now + timedelta(hours=begins), world.now + timedelta(hours=ends), words="comme promis")


def test_an_attempt_before_its_hour_leaves_the_promise(world: World) -> None:
    callback_id = world.callback(released=True, wish=window(world, 24, 27))
    promised = world.row(callback_id)
    world.ring(callback_id, "no_answer")
    after = world.row(callback_id)
    assert (after.promised_from, after.promised_until) == (promised.promised_from, promised.promised_until)
    assert after.not_before == promised.promised_from


def test_a_kept_promise_is_counted_as_kept_and_a_late_one_as_broken(world: World) -> None:
    from crisisdesk.store.figures import count_callbacks

    begin, end = world.now, world.now + timedelta(hours=12)
    kept = world.callback(released=True, wish=window(world, 0, 2))
    late = world.callback(released=True, wish=window(world, 0, 2))
    world.callback(released=True, wish=window(world, 0, 2))  # nobody tried
    world.later(hours=1)
    world.ring(kept, "no_answer")
    world.later(hours=2)
    world.ring(late, "no_answer")
    assert world.row(kept).promised_until is None, "a promise that was kept does not stay first in the queue"
    with world.store.read() as connection:
        (arlon,) = count_callbacks(connection, begin, end, until=end)
    assert (arlon.promised, arlon.kept) == (3, 1)


def test_what_was_promised_before_a_merge_holds_after_it(world: World) -> None:
    """Somebody rang before any list came, was promised a moment, and is then found on a list."""
    caller = world.patient("Dupont")
    wish = window(world, 24, 27)
    promised = hold(world, caller, [], wish=wish, for_agent_id=world.amelie.agent_id)
    listed = world.callback()
    merge_patients(world.store, world.row(listed).patient_id, caller, agent=world.amelie, now=world.now)
    kept = world.row(listed)
    assert world.row(promised).state == "closed"
    assert (kept.promised_from, kept.promised_until, kept.note) == (wish.not_before, wish.until, "comme promis")
    assert kept.released_at is not None
    assert kept.due_at == wish.until


def test_a_merge_keeps_the_hold_the_rest_and_the_death(world: World) -> None:
    one, other = world.callback(released=True), world.callback(released=True)
    world.ring(other, "declines", note="ne veut plus")
    stays, gone = world.row(one).patient_id, world.row(other).patient_id
    report_death(world.store, gone, agent=world.amelie, now=world.now)
    merge_patients(world.store, stays, gone, agent=world.amelie, now=world.now)
    kept = world.row(one)
    assert (kept.hold, kept.last_attempt_at) == ("review", world.now)
    assert reason(world, one) == "confirm_death"


def test_what_was_typed_outlives_the_lease_in_full(world: World) -> None:
    callback_id = world.callback(released=True)
    card = take(world.store, callback_id, agent=world.amelie, now=world.now)
    assert card.lease
    typed = {"callback_id": str(callback_id), "disposition": "asks_later", "moment": "demain matin", "note": "vite"}
    save_draft(world.store, uid="form", kind="attempt", fields=typed, agent=world.amelie, now=world.now)
    world.later(hours=1)
    take(world.store, callback_id, agent=world.bruno, now=world.now)
    asked = Wish(world.now + timedelta(days=1), world.now + timedelta(days=1, hours=2))
    form = AttemptForm(
        "form", callback_id, card.lease.generation, "asks_later", card.number, world.now, note="vite", asked=asked,
        items={world.items_of(callback_id)[0]: ItemResult("informed")},
    )  # fmt: skip
    with pytest.raises(LeaseLost):
        record_attempt(world.store, form, agent=world.amelie, now=world.now)
    (draft,) = list_drafts(world.store, agent=world.amelie)
    assert draft.fields["moment"] == "demain matin"


def test_who_was_told_a_day_that_slips_is_rung_even_where_the_list_named_no_site(world: World) -> None:
    form = OpeningForm(world.service(), date(2022, 5, 31), capacity_a_day=12)
    confirm_opening(world.store, form, agent=world.sonia, now=world.now)
    callback_id = world.callback(released=True)
    (item,) = world.items_of(callback_id)
    world.ring(callback_id, "accepts_date", slots={item: date(2022, 6, 8)})
    with world.store.write() as connection:
        connection.execute(update(tables.postponement).values(site_id=None))
    slipped = OpeningForm(world.service(), date(2022, 6, 20), OpeningState.PARTIAL, 12)
    revise_opening(world.store, slipped, agent=world.sonia, now=world.now)
    assert any(state != "closed" for held, state in held_items(world) if held == item)


def test_the_place_of_somebody_who_died_is_free_again(world: World) -> None:
    form = OpeningForm(world.service(), date(2022, 5, 31), capacity_a_day=1)
    confirm_opening(world.store, form, agent=world.sonia, now=world.now)
    callback_id = world.callback(released=True)
    (item,) = world.items_of(callback_id)
    first = offer_slots(world.store, world.service(), now=world.now)[0].slot_on
    world.ring(callback_id, "accepts_date", slots={item: first})
    assert offer_slots(world.store, world.service(), now=world.now)[0].slot_on > first
    patient_id = world.row(callback_id).patient_id
    report_death(world.store, patient_id, agent=world.amelie, now=world.now)
    confirm_death(world.store, patient_id, agent=world.bruno, now=world.now)
    assert offer_slots(world.store, world.service(), now=world.now)[0].slot_on == first


def test_what_is_protected_never_waits_for_an_opening(world: World) -> None:
    """One of two items is settled; the other is of a service that was never closed: nothing would release it."""
    service = next(service for service in world.reference.services.values() if service.is_protected)
    callback_id = world.callback(items=2, code=service.code, site_id=service.site_id)
    settled, left = world.items_of(callback_id)
    world.ring(callback_id, "treated_elsewhere", note="à Liège", items={settled: ItemResult("treated_elsewhere")})
    assert world.row(callback_id).released_at is not None
    assert world.fact(left).decided_at is None


def test_an_earlier_wish_stays_in_the_journal(world: World) -> None:
    callback_id = world.callback(released=True, wish=window(world, 24, 27))
    hold(world, world.row(callback_id).patient_id, [], wish=Wish(number=SHARED, words="plutôt chez ma fille"))
    with world.store.read() as connection:
        newest = journal.entries(connection, subject="callback", subject_id=str(callback_id))[0]
    assert newest.detail["replaced"]["note"] == "comme promis"
