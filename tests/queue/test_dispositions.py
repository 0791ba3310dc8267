"""Every row of the shipped disposition table leads to its next step and date, in the preview and in the deed."""

import re
from datetime import date, timedelta
from typing import Any

import pytest

from crisisdesk.desk.attempts import AttemptForm, ItemResult, preview, record_attempt
from crisisdesk.desk.callbacks import NothingNow, take, take_next
from crisisdesk.desk.contacts import set_contacts
from crisisdesk.desk.patients import report_death
from crisisdesk.desk.reopening import OpeningForm, confirm_opening
from crisisdesk.desk.wording import moment_words
from crisisdesk.domain.reference import Disposition
from crisisdesk.domain.schedule import calendar_of, is_calling_time, part_of_day
from crisisdesk.domain.wishes import Wish
from crisisdesk.domain.words import MayTell, NextStep, Scope
from crisisdesk.errors import LeaseLost, RuleBroken
from waiting import World

SLOT = date(2022, 6, 8)


def opened(world: World, capacity: int = 12) -> None:
    form = OpeningForm(world.service(), date(2022, 5, 31), capacity_a_day=capacity)
    confirm_opening(world.store, form, agent=world.sonia, now=world.now)


def extras(world: World, code: str, callback_id: int) -> dict[str, object]:
    row = world.reference.dispositions[Scope.ATTEMPT, code]
    found: dict[str, object] = {"note": "ce qui a été dit"} if row.needs_note else {}
    if row.next_step == NextStep.AT_TIME:
        found["asked"] = Wish(world.now + timedelta(days=2), world.now + timedelta(days=2, hours=2))
    if row.coverage == "rebooked":
        found["slots"] = dict.fromkeys(world.items_of(callback_id), SLOT)
    return found


def test_every_disposition_does_what_its_preview_says(world: World) -> None:
    opened(world)
    calendar = calendar_of(world.reference.desk)
    rows = world.reference.dispositions_of(Scope.ATTEMPT)
    assert rows
    for place, row in enumerate(rows):
        callback_id = world.callback(released=True, phones=[f"+3263{place:06}", f"+32470{place:06}"])
        if row.needs_permission:
            named(world, callback_id)
        more = extras(world, row.code, callback_id)
        seen = preview(world.store, callback_id, row.code, now=world.now, asked=more.get("asked"))  # type: ignore[arg-type]
        done = world.ring(callback_id, row.code, **more)  # type: ignore[arg-type]
        assert (done.follow, done.words) == (seen.follow, seen.words), row.code
        after = world.row(callback_id)
        assert after.leased_by is None
        assert (after.state == "closed") == (done.follow.step == NextStep.CLOSE), row.code
        if row.coverage != "reached":  # who was only informed is still owed a place
            assert (row.next_step == NextStep.CLOSE) == (after.state == "closed"), row.code
        assert after.hold == done.follow.hold
        if row.next_step == NextStep.RETRY and not done.follow.hold:
            assert row.delay is not None
            assert after.not_before >= world.now + row.delay, row.code
            assert is_calling_time(after.not_before, calendar), row.code
            if row.other_part_of_day and after.not_before.date() == world.now.date():
                assert part_of_day(after.not_before, calendar) != part_of_day(world.now, calendar)
        says_the_stored_moment(world, row, seen.words, after)


def named(world: World, callback_id: int) -> None:
    """The patient named somebody who may be told."""
    patient_id = world.row(callback_id).patient_id
    set_contacts(
        world.store, patient_id, may_tell=MayTell.NAMED, may_tell_who="Jean, le mari", agent=world.amelie, now=world.now
    )


def says_the_stored_moment(world: World, row: Disposition, words: str, after: Any) -> None:
    """The words of the key name the moment that is stored, and name none where none is."""
    said = re.findall(r"(?:\w{3} \d\d/\d\d )?\d\d:\d\d", words)
    if after.state == "closed" or after.hold or row.next_step == NextStep.OPENING or after.not_before is None:
        assert said == [], (row.code, words)
    else:
        assert said == [moment_words(after.not_before, world.reference.desk.time_zone, world.now)], (row.code, words)


def item_extras(row: Disposition) -> ItemResult:
    return ItemResult(row.code, slot_on=SLOT if row.coverage == "rebooked" else None)


def test_every_ending_of_a_single_item_leads_to_its_step(world: World) -> None:
    """One item is settled by the row, one is left: what is final is gone, what needs a clinician holds the callback."""
    opened(world)
    rows = world.reference.dispositions_of(Scope.ITEM)
    assert rows
    for place, row in enumerate(rows):
        callback_id = world.callback(released=True, items=2, phones=[f"+3264{place:06}"])
        first, second = world.items_of(callback_id)
        done = world.ring(callback_id, "accepts_date", slots={first: SLOT}, items={second: item_extras(row)})
        after, fact = world.row(callback_id), world.fact(second)
        expected = {NextStep.CLOSE: "closed", NextStep.REVIEW: "review"}.get(row.next_step, "waiting")
        assert expected in (after.state, after.hold), row.code
        assert done.follow.hold == after.hold, row.code
        if row.coverage:
            assert getattr(fact, f"{row.coverage}_at") is not None, row.code
        assert after.not_before is None, row.code


def test_no_answer_never_closes_and_ends_with_a_clinician(world: World) -> None:
    callback_id = world.callback(released=True)
    tries = 0
    while not world.row(callback_id).hold:
        world.now = max(world.now, world.row(callback_id).not_before or world.now)
        world.ring(callback_id, "no_answer")
        tries += 1
        assert world.row(callback_id).state == "waiting"
    assert tries == world.reference.desk.attempts_in_all
    assert world.row(callback_id).hold == "review"
    assert isinstance(take_next(world.store, "arlon", agent=world.amelie, now=world.now), NothingNow)


def test_a_wrong_number_goes_to_the_next_one_then_to_the_search(world: World) -> None:
    callback_id = world.callback(released=True, phones=["+3263231111", "+32470123456"])
    first = world.ring(callback_id, "wrong_number")
    assert first.follow.number == "+32470123456"
    world.later(minutes=16)
    card = take(world.store, callback_id, agent=world.bruno, now=world.now)
    assert card.number == "+32470123456"
    assert [number.is_wrong for number in card.numbers] == [False, True]
    second = world.ring(callback_id, "not_in_service", agent=world.bruno)
    assert second.follow.hold == "number_search"
    assert "search" in second.words


def test_the_cap_of_a_number_counts_whoever_is_rung_on_it(world: World) -> None:
    """Three attempts a day on one number, also when a whole family shares it."""
    family = [world.callback(released=True, phones=["+3263231111"]) for _member in range(4)]
    for callback_id in family[:3]:
        world.ring(callback_id, "busy")
    world.later(minutes=16)
    answer = take_next(world.store, "arlon", agent=world.amelie, now=world.now)
    assert isinstance(answer, NothingNow)
    assert answer.reason == "later"


def test_escalated_goes_first(world: World) -> None:
    urgent = world.callback(released=True, priority="P1a")
    worse = world.callback(released=True, priority="P4")
    world.ring(worse, "worse", note="le genou a doublé")
    assert world.row(worse).tier == 0
    world.later(minutes=20)
    card = take_next(world.store, "arlon", agent=world.amelie, now=world.now)
    assert not isinstance(card, NothingNow)
    assert card.callback_id == worse != urgent


def test_death_stops_every_callback_of_the_person_and_no_other(world: World) -> None:
    here = world.callback(released=True, phones=["+3263231111"])
    other = world.callback(released=True, phones=["+3263231111"])
    patient_id = world.row(here).patient_id
    from crisisdesk.store import callbacks

    with world.store.write() as connection:
        there = callbacks.hold(
            connection, patient_id=patient_id, site_id="marche", postponement_ids=[], wish=None, released=True,
            call_id=None, agent_id=None, now=world.now,
        )  # fmt: skip
    world.ring(here, "deceased", note="annoncé par la fille")
    assert {world.row(here).hold, world.row(there).hold} == {"confirm_death"}
    assert world.row(other).hold == ""


def test_a_death_reported_meanwhile_refuses_the_call_that_is_going_on(world: World) -> None:
    there = world.callback(released=True)
    held = take(world.store, there, agent=world.bruno, now=world.now)
    report_death(world.store, world.row(there).patient_id, agent=world.amelie, now=world.now)
    form = AttemptForm("late", there, held.lease.generation, "busy", held.number, world.now)  # type: ignore[union-attr]
    with pytest.raises(LeaseLost):
        record_attempt(world.store, form, agent=world.bruno, now=world.now)


def test_an_accepted_date_books_and_ends(world: World) -> None:
    opened(world)
    callback_id = world.callback(released=True, items=2)
    first, second = world.items_of(callback_id)
    done = world.ring(callback_id, "accepts_date", slots={first: SLOT})
    assert done.follow.step == NextStep.OPENING  # the other item is owed an answer still
    assert world.fact(first).rebooked_at
    assert not world.fact(second).decided_at
    assert world.fact(second).reached_at
    assert world.row(callback_id).state == "waiting"


def test_an_item_that_needs_a_clinician_keeps_the_callback(world: World) -> None:
    opened(world)
    callback_id = world.callback(released=True, items=2)
    first, second = world.items_of(callback_id)
    world.ring(callback_id, "accepts_date", slots={first: SLOT}, items={second: ItemResult("declines")})
    assert world.row(callback_id).hold == "review"


@pytest.mark.parametrize(
    ("disposition", "more", "words"),
    [
        ("worse", {}, "note"),
        ("asks_later", {}, "moment"),
        ("accepts_date", {}, "day"),
        ("nonsense", {}, "nonsense"),
    ],
)
def test_what_is_missing_is_named_and_nothing_is_written(
    world: World, disposition: str, more: dict[str, str], words: str
) -> None:
    callback_id = world.callback(released=True)
    with pytest.raises(RuleBroken, match=words):
        world.ring(callback_id, disposition, **more)
    assert world.row(callback_id).attempts == 0


def test_the_same_attempt_twice_is_stored_once(world: World) -> None:
    callback_id = world.callback(released=True)
    card = take(world.store, callback_id, agent=world.amelie, now=world.now)
    assert card.lease
    form = AttemptForm("same", callback_id, card.lease.generation, "busy", card.number, world.now)
    first = record_attempt(world.store, form, agent=world.amelie, now=world.now)
    again = record_attempt(world.store, form, agent=world.amelie, now=world.later(minutes=1))
    assert again.is_repeat
    assert again.attempt_id == first.attempt_id
    assert world.row(callback_id).attempts == 1


def test_a_lost_lease_names_the_holder_and_keeps_the_text(world: World) -> None:
    from crisisdesk.desk.drafts import list_drafts

    callback_id = world.callback(released=True)
    card = take(world.store, callback_id, agent=world.amelie, now=world.now)
    assert card.lease
    world.later(minutes=11)
    taken = take(world.store, callback_id, agent=world.bruno, now=world.now)
    assert taken.lease
    assert taken.lease.generation == card.lease.generation + 1
    form = AttemptForm("late", callback_id, card.lease.generation, "busy", card.number, world.now, note="il rappelle")
    with pytest.raises(LeaseLost, match="Bruno") as raised:
        record_attempt(world.store, form, agent=world.amelie, now=world.now)
    assert raised.value.holder == "Bruno"
    assert [draft.fields["note"] for draft in list_drafts(world.store, agent=world.amelie)] == ["il rappelle"]
    assert world.row(callback_id).attempts == 0


def test_an_expired_lease_that_nobody_took_still_counts(world: World) -> None:
    callback_id = world.callback(released=True)
    card = take(world.store, callback_id, agent=world.amelie, now=world.now)
    assert card.lease
    form = AttemptForm("slow", callback_id, card.lease.generation, "busy", card.number, world.now)
    done = record_attempt(world.store, form, agent=world.amelie, now=world.later(hours=1))
    assert done.follow.step == NextStep.RETRY
