"""One's own last attempt taken back: everything is as it was, nothing that happened since is lost."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import insert, select, update

from crisisdesk.desk.attempts import ItemResult, RecordedAttempt, record_attempt
from crisisdesk.desk.callbacks import release_lease, take
from crisisdesk.desk.patients import confirm_death, merge_patients, open_patient, report_death
from crisisdesk.desk.reviews import Decision, decide_review
from crisisdesk.desk.undoing import UndoneAttempt, last_attempt, undo_attempt
from crisisdesk.domain.person import EventKind
from crisisdesk.domain.wishes import Wish
from crisisdesk.errors import LeaseLost, RuleBroken
from crisisdesk.store import attempts, callbacks, journal, tables
from crisisdesk.store.engine import Store, open_desk
from moments import DESK_NOW
from waiting import World

DAY = date(2022, 6, 3)
IGNORED = {"journal", "journal_head", "attempt", "attempt_item", "draft", "agent"}
LEASE = {"leased_by", "leased_at", "lease_until", "generation", "state"}


def opened(world: World, capacity: int = 3) -> None:
    row = {"service_id": world.service(), "stage": "actual", "state": "partial", "opens_on": world.now.date(),
           "capacity_a_day": capacity, "entered_at": world.now}  # fmt: skip
    with world.store.write() as connection:
        connection.execute(insert(tables.opening).values(row))


def undone(world: World, attempt_id: int | None = None, **more: Any) -> UndoneAttempt:
    said = {"reason": "mauvaise touche", "agent": world.amelie, "now": world.now, **more}
    return undo_attempt(world.store, attempt_id, **said)


def attempt_row(world: World, attempt_id: int) -> Any:
    with world.store.read() as connection:
        return connection.execute(select(tables.attempt).where(tables.attempt.c.id == attempt_id)).one()


def everything(store: Store) -> dict[str, list[dict[str, Any]]]:
    """Every row of every table that an attempt may change, but leases."""
    found = {}
    with store.read() as connection:
        for table in tables.attempt.metadata.sorted_tables:
            if table.name not in IGNORED:
                rows = connection.execute(select(table).order_by(*table.primary_key.columns)).mappings()
                hidden = LEASE if table.name == "callback" else set()
                found[table.name] = [{k: v for k, v in row.items() if k not in hidden} for row in rows]
    return found


def test_an_undone_attempt_leaves_the_patient_held_for_the_right_outcome(world: World) -> None:
    callback_id = world.callback(released=True)
    done = world.ring(callback_id, "wants_to_wait", asked=Wish(not_before=world.now + timedelta(days=3)))
    (item,) = world.items_of(callback_id)
    assert world.fact(item).decided_at
    world.later(minutes=3)
    back = undone(world)
    assert back.attempt_id == done.attempt_id
    assert back.card is not None
    assert back.card.lease is not None
    row = world.row(callback_id)
    assert (row.state, row.leased_by, row.attempts, row.not_before) == ("leased", world.amelie.agent_id, 0, None)
    assert (world.fact(item).tried_at, world.fact(item).decided_at, world.fact(item).decision) == (None, None, "")
    kept = attempt_row(world, done.attempt_id)
    assert (kept.disposition, kept.undone_at, kept.undone_by) == ("wants_to_wait", world.now, world.amelie.agent_id)
    assert kept.undone_why == "mauvaise touche"
    with world.store.read() as connection:
        told = journal.entries(connection, subject="callback", subject_id=str(callback_id))
        assert journal.verify(connection).first_fault is None
    (entry,) = [entry for entry in told if entry.action == "attempt.undone"]
    assert (entry.agent, entry.detail["why"], entry.detail["disposition"]) == (
        "amelie", "mauvaise touche", ["wants_to_wait", None],
    )  # fmt: skip
    assert entry.detail["restored"][f"postponement.{item}.decision"] == ["wants_to_wait", ""]
    file = open_patient(world.store, row.patient_id, agent=world.amelie, now=world.now)
    assert [event.is_undone for event in file.events if event.kind == EventKind.ATTEMPT] == [True]
    assert [line.is_undone for line in back.card.history if line.what == "attempt"] == [True]


def test_the_right_outcome_is_stored_next_and_a_late_second_copy_of_the_wrong_one_is_refused(world: World) -> None:
    callback_id = world.callback(released=True)
    old = take(world.store, callback_id, agent=world.amelie, now=world.now)
    assert old.lease
    world.ring(callback_id, "busy")
    card = undone(world).card
    assert card is not None
    assert card.lease is not None
    assert card.lease.generation > old.lease.generation
    world.ring(callback_id, "no_answer")
    assert world.row(callback_id).attempts == 1
    with world.store.read() as connection:
        assert attempts.count_same(connection, callback_id, "busy") == 0
        assert attempts.count_same(connection, callback_id, "no_answer") == 1
        rung = attempts.rung_since(connection, [card.number], world.now - timedelta(hours=1))
    assert rung == {card.number: 1}, "the undone one counts against no cap"


def test_a_place_that_was_given_is_free_at_once(world: World) -> None:
    opened(world, capacity=1)
    first, second = world.callback(released=True), world.callback(released=True)
    (item,), (other,) = world.items_of(first), world.items_of(second)
    done = world.ring(first, "accepts_date", slots={item: DAY})
    assert world.row(first).state == "closed"
    with pytest.raises(RuleBroken):
        world.ring(second, "accepts_date", agent=world.bruno, slots={other: DAY})
    back = undone(world, done.attempt_id)
    assert back.withdrawn == [DAY]
    assert (world.row(first).state, world.row(first).closed_at) == ("leased", None)
    assert world.fact(item).rebooked_at is None
    with world.store.read() as connection:
        (booking,) = connection.execute(select(tables.booking)).all()
    assert (booking.state, booking.withdrawn_why, booking.withdrawn_by) == (
        "withdrawn", "undone", world.amelie.agent_id,
    )  # fmt: skip
    world.ring(second, "accepts_date", agent=world.bruno, slots={other: DAY})


def test_a_wrong_number_is_right_again(world: World) -> None:
    callback_id = world.callback(released=True, phones=["+3263231111", "+32470111222"])
    world.ring(callback_id, "wrong_number")
    assert world.row(callback_id).number == "+32470111222"
    undone(world)
    assert world.row(callback_id).number == ""
    with world.store.read() as connection:
        assert len(attempts.usable_numbers(connection, world.row(callback_id).patient_id)) == 2


def two_sites(world: World) -> tuple[int, int]:
    first = world.callback(released=True)
    item = held_at_marche(world, first)
    with world.store.read() as connection:
        holder = tables.callback_item.c
        return first, connection.scalars(select(holder.callback_id).where(holder.postponement_id == item)).one()


def test_a_death_said_by_mistake_is_taken_back_at_every_site(world: World) -> None:
    first, second = two_sites(world)
    world.ring(first, "deceased", note="autre personne")
    assert {world.row(key).hold for key in (first, second)} == {"confirm_death"}
    undone(world)
    assert {world.row(key).hold for key in (first, second)} == {""}
    with world.store.read() as connection:
        patient = connection.execute(
            select(tables.patient).where(tables.patient.c.id == world.row(first).patient_id)
        ).one()
    assert (patient.death_reported_at, patient.death_reported_by) == (None, None)


def test_only_ones_own_last_attempt_in_time_and_with_a_reason(world: World) -> None:
    with pytest.raises(RuleBroken, match="no attempt"):
        undone(world)
    first, second = world.callback(released=True), world.callback(released=True)
    one = world.ring(first, "busy")
    two = world.ring(second, "busy")
    for more, words in (
        ({"reason": " "}, "why"), ({"attempt_id": 999}, "no attempt 999"),
        ({"attempt_id": one.attempt_id}, "Only your last"), ({"agent": world.bruno, "attempt_id": 2}, "Amélie"),
    ):  # fmt: skip
        with pytest.raises(RuleBroken, match=words):
            undone(world, **more)
    world.later(minutes=15)
    assert last_attempt(world.store, agent=world.amelie, now=world.now).until == world.now
    world.later(seconds=1)
    with pytest.raises(RuleBroken, match=r"15 minutes.*supervisor"):
        undone(world)
    world.later(seconds=-1)
    undone(world, two.attempt_id)
    for number in (None, two.attempt_id):
        with pytest.raises(RuleBroken, match="already"):
            undone(world, number)


def test_what_happened_since_is_not_undone(world: World) -> None:
    opened(world)

    def refuses(words: str) -> None:
        before = everything(world.store)
        with pytest.raises(RuleBroken, match=words):
            undone(world)
        assert everything(world.store) == before

    taken = world.callback(released=True)
    world.ring(taken, "worse", note="jambe froide")
    world.later(minutes=14, seconds=59)
    with world.store.write() as connection:
        attempts.change_callback(connection, taken, {"not_before": None, "last_attempt_at": None})
    card = take(world.store, taken, agent=world.bruno, now=world.now)
    refuses("Bruno has taken")
    assert card.lease
    release_lease(world.store, card.lease, "pause", agent=world.bruno, now=world.now)
    refuses("has held")

    reviewed = world.callback(released=True)
    world.ring(reviewed, "declines", note="non")
    decide_review(
        world.store, reviewed, Decision.RESUME, clinician="Dr Lambert", reason="vu", agent=world.sonia, now=world.now
    )
    refuses("sonia changed something")

    dead = world.callback(released=True)
    world.ring(dead, "deceased", note="sa fille")
    confirm_death(world.store, world.row(dead).patient_id, agent=world.bruno, now=world.now)
    refuses("closed since|confirmed the death")

    merged, other = world.callback(released=True), world.callback(released=True)
    world.ring(merged, "busy")
    merge_patients(
        world.store, world.row(other).patient_id, world.row(merged).patient_id, agent=world.sonia, now=world.now
    )
    refuses("merged since")

    booked = world.callback(released=True)
    (item,) = world.items_of(booked)
    world.ring(booked, "accepts_date", slots={item: DAY})
    with world.store.write() as connection:
        connection.execute(update(tables.booking).values(state="done"))
    refuses("place that was given")


def test_a_patient_who_rang_since_is_not_forgotten(world: World) -> None:
    from crisisdesk.desk.intake import CallForm, record_call

    callback_id = world.callback(released=True)
    patient_id = world.row(callback_id).patient_id
    world.ring(callback_id, "no_answer")
    world.later(minutes=2)
    form = CallForm(
        uid="rang-first", started_at=world.now, disposition="informed", site_id="arlon",
        caller_kind="self", patient_ids=(patient_id,),
        topic=next(iter(world.reference.topics)),
    )  # fmt: skip
    record_call(world.store, form, agent=world.bruno, now=world.now)
    with pytest.raises(RuleBroken, match="the patient rang since"):
        undone(world)


def test_another_agent_who_rings_the_patient_now_keeps_the_patient(world: World) -> None:
    """Rung at the other site, or on the number that they share: the undo stands, the callback waits."""
    first, second = two_sites(world)
    world.ring(first, "technical")
    take(world.store, second, agent=world.bruno, now=world.now)
    back = undone(world)
    assert back.card is None
    assert "Bruno" in back.words
    assert (world.row(first).state, world.row(first).attempts) == ("waiting", 0)


def test_taking_the_callback_again_oneself_is_no_obstacle(world: World) -> None:
    callback_id = world.callback(released=True)
    world.ring(callback_id, "technical")
    take(world.store, callback_id, agent=world.amelie, now=world.now)
    assert undone(world).card is not None
    assert world.row(callback_id).attempts == 0


def test_a_late_write_of_the_first_lease_is_refused_after_the_undo(world: World) -> None:
    callback_id = world.callback(released=True)
    card = take(world.store, callback_id, agent=world.amelie, now=world.now)
    assert card.lease
    world.ring(callback_id, "busy")
    undone(world)
    from crisisdesk.desk.attempts import AttemptForm

    late = AttemptForm("late", callback_id, card.lease.generation, "no_answer", card.number, world.now)
    with pytest.raises(LeaseLost):
        record_attempt(world.store, late, agent=world.amelie, now=world.now)


# ---------------------------------------------------------------- the property


NOTED = {"note": "dit par le patient"}
OUTCOMES = st.sampled_from((
    "no_answer", "busy", "voicemail_left", "voicemail_none", "technical", "wrong_number", "not_in_service",
    "third_party", "language", "identity_refused", "asks_later", "other_date", "wants_to_wait", "declines",
    "treated_elsewhere", "no_longer_needed", "unfit", "worse", "deceased", "accepts_date",
))  # fmt: skip
ITEM_CODES = st.sampled_from(("informed", "wants_to_wait", "declines", "treated_elsewhere", "done", "accepts_date"))


@contextmanager
def desk_at(path: Path) -> Iterator[World]:
    store = open_desk(path)
    try:
        yield World(store, DESK_NOW)
    finally:
        store.close()


def held_at_marche(world: World, callback_id: int) -> int:
    """Another callback of the same patient; gives its postponement."""
    patient_id = world.row(callback_id).patient_id
    item = world.postponement(patient_id, site_id="marche")
    with world.store.write() as connection:
        callbacks.hold(
            connection, patient_id=patient_id, site_id="marche", postponement_ids=[item], wish=None, released=True,
            call_id=None, agent_id=None, now=world.now,
        )  # fmt: skip
    return item


def ring_somehow(world: World, callback_id: int, code: str, said: list[str], there: int = 0) -> RecordedAttempt:
    """An attempt with that ending; its items as said, where the patient was reached, also ``there``."""
    items = {}
    if code in ("accepts_date", "wants_to_wait", "other_date", "treated_elsewhere"):
        for number, item_code in zip(world.items_of(callback_id), [*said, "accepts_date"], strict=False):
            items[number] = ItemResult(item_code, slot_on=DAY if item_code == "accepts_date" else None)
        if code == "accepts_date" and not any(one.slot_on for one in items.values()):
            items[world.items_of(callback_id)[0]] = ItemResult("accepts_date", slot_on=DAY)
        if there:
            items[there] = ItemResult("treated_elsewhere" if code == "accepts_date" else "declines")
    asked = Wish(not_before=world.now + timedelta(days=2), words="jeudi")
    return world.ring(callback_id, code, items=items, asked=asked, **NOTED)


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture],
    phases=(Phase.explicit, Phase.reuse, Phase.generate),  # an example takes 0.1 s: shrinking would take minutes
)  # fmt: skip
@given(
    code=OUTCOMES, said=st.lists(ITEM_CODES, max_size=2), numbers=st.integers(1, 2), items=st.integers(1, 2),
    before=st.lists(st.sampled_from(("no_answer", "asks_later", "worse")), max_size=2), elsewhere=st.booleans(),
)  # fmt: skip
def test_record_and_undo_leave_every_table_as_it_was(
    made_desk: Path, tmp_path_factory: pytest.TempPathFactory, code: str, said: list[str], numbers: int, items: int,
    before: list[str], elsewhere: bool,
) -> None:  # fmt: skip
    path = tmp_path_factory.mktemp("undo") / "desk.db"
    path.write_bytes(made_desk.read_bytes())
    with desk_at(path) as world:
        opened(world)
        phones = [f"+3247055500{number}" for number in range(numbers)]
        callback_id = world.callback(released=True, items=items, phones=phones)
        there = held_at_marche(world, callback_id) if elsewhere else 0
        for earlier in before:
            ring_somehow(world, callback_id, earlier, [])
            world.later(days=1)
        as_it_was = everything(world.store)
        done = ring_somehow(world, callback_id, code, said, there)
        world.later(minutes=1)
        undone(world, done.attempt_id)
        after = everything(world.store)
        given = [row for row in after["booking"] if row["attempt_id"] == done.attempt_id]
        assert {row["state"] for row in given} <= {"withdrawn"}
        after["booking"] = [row for row in after["booking"] if row not in given]
        assert after == as_it_was
        assert world.row(callback_id).leased_by == world.amelie.agent_id
        report_death(world.store, world.row(callback_id).patient_id, agent=world.bruno, now=world.now)


def test_an_undo_while_another_patient_is_held_lets_the_first_one_wait(world: World) -> None:
    first, second = world.callback(released=True), world.callback(released=True)
    world.ring(first, "technical")
    take(world.store, second, agent=world.amelie, now=world.now)
    done = undone(world)
    assert done.card is None
    assert "waits in the queue" in done.words
    assert (world.row(first).state, world.row(second).state) == ("waiting", "leased")
