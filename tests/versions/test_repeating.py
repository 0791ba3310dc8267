"""A wish whose answer was lost and that is tried again: stored once, and no false error."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from functools import partial
from typing import Any

import pytest
from sqlalchemy import select

from crisisdesk.desk import patients
from crisisdesk.desk.acknowledging import answer_lines, take_back
from crisisdesk.desk.asking import set_needs, set_reserve, set_wish
from crisisdesk.desk.attempts import AttemptForm, record_attempt
from crisisdesk.desk.callbacks import release_lease, take, take_next, take_over
from crisisdesk.desk.cancelling import AskedBy, cancel_booking, mark_done, mark_not_come, move_booking
from crisisdesk.desk.closing import close_desk, reopen_desk
from crisisdesk.desk.coding import code_priority
from crisisdesk.desk.contacts import set_contacts
from crisisdesk.desk.correctcall import correct_call
from crisisdesk.desk.correcting import correct_attempt
from crisisdesk.desk.drafts import list_drafts
from crisisdesk.desk.handovers import make_handover
from crisisdesk.desk.instructions import InstructionForm, end_instruction, issue_instruction
from crisisdesk.desk.intake import CallForm, record_call
from crisisdesk.desk.postponing import PostponeForm, postpone
from crisisdesk.desk.reopening import (
    OpeningForm,
    confirm_opening,
    list_services,
    plan_opening,
    revise_opening,
    withdraw_opening,
)
from crisisdesk.desk.repeating import run_once
from crisisdesk.desk.reviews import Decision, decide_review
from crisisdesk.desk.ruling import edit_rule
from crisisdesk.desk.undoing import undo_attempt
from crisisdesk.domain.words import HandoverState, MayTell, Scope, Voicemail
from crisisdesk.errors import AlreadyStored, RuleBroken, StoreUnavailable
from crisisdesk.store import journal, tables
from crisisdesk.store.engine import Connection, Store
from crisisdesk.store.patients import PatientIdentity, add_patient
from moments import DESK_NOW as NOW
from screens import open_screens, screen_text, settled, type_text
from waiting import World

Step = Callable[[], Any]
DAY = date(2022, 6, 8)


@contextmanager
def answer_lost(store: Store, monkeypatch: pytest.MonkeyPatch, after: int = 1) -> Iterator[None]:
    """The disk fails when the answer of a write is on its way: it is stored, and nobody knows."""
    write, left = Store.write, after

    @contextmanager
    def losing(self: Store) -> Iterator[Connection]:
        nonlocal left
        with write(self) as connection:
            yield connection
        left -= 1
        if left == 0:
            raise StoreUnavailable("the disk went away")

    with monkeypatch.context() as patched:
        patched.setattr(Store, "write", losing)
        yield


def dump(store: Store) -> dict[str, Any]:
    with store.read() as connection:
        found = {}
        for table in tables.patient.metadata.sorted_tables:
            if table.name not in {"draft", "agent"}:  # last seen
                found[table.name] = [tuple(row) for row in connection.execute(select(table))]
    return found


def about(world: World, login: str = "amelie") -> dict[str, Any]:
    return {"agent": world.agent(login), "now": world.now}


def two_records(world: World) -> tuple[int, int]:
    one = world.patient("Dupont")
    with world.store.write() as connection:
        other = add_patient(connection, PatientIdentity(last_name="Dupond"), now=NOW, is_provisional=True)
    return one, other


def merge(world: World) -> Step:
    return partial(patients.merge_patients, world.store, *two_records(world), **about(world))


def split(world: World) -> Step:
    one, other = two_records(world)
    patients.merge_patients(world.store, one, other, **about(world))
    return partial(patients.split_pair, world.store, one, other, **about(world))


def refuse(world: World) -> Step:
    one, other = two_records(world)
    with world.store.write() as connection:
        from crisisdesk.store import likenesses

        row = {"patient_id": one, "other_id": other, "strength": "fair", "why": "x", "proposed_at": NOW}
        likenesses.propose(connection, [row])
    return partial(patients.refuse_likeness, world.store, 1, **about(world))


def death(world: World, step: str) -> Step:
    patient_id = world.row(world.callback(released=True)).patient_id
    if step != "report":
        patients.report_death(world.store, patient_id, **about(world))
    if step == "refute":
        return partial(patients.refute_death, world.store, patient_id, why="vue", **about(world, "bruno"))
    fn = patients.report_death if step == "report" else patients.confirm_death
    return partial(fn, world.store, patient_id, **about(world, "bruno"))


def on_patient(world: World, fn: Callable[..., Any], *args: Any, **more: Any) -> Step:
    return partial(fn, world.store, world.patient("Dupont"), *args, **about(world), **more)


def wrong_number(world: World) -> Step:
    patient_id = world.patient(phones=["+3263231111"])
    return partial(patients.mark_phone_wrong, world.store, patient_id, "+3263231111", **about(world))


def call(world: World) -> Step:
    return partial(record_call, world.store, CallForm("c", NOW, "informed", words="x"), **about(world))


def recode(world: World) -> Step:
    number = record_call(world.store, CallForm("c", NOW, "informed"), **about(world)).number
    topic = next(iter(world.reference.topics))
    return partial(correct_call, world.store, number, topic=topic, reason="x", **about(world, "sylvie"))


def attempt(world: World) -> Step:
    card = take(world.store, world.callback(released=True), **about(world))
    assert card.lease
    form = AttemptForm("a", card.callback_id, card.lease.generation, "no_answer", card.number, world.now)
    return partial(record_attempt, world.store, form, **about(world))


def undo(world: World) -> Step:
    done = world.ring(world.callback(released=True), "no_answer")
    return partial(undo_attempt, world.store, done.attempt_id, reason="x", **about(world))


def correct(world: World) -> Step:
    done = world.ring(world.callback(released=True), "no_answer")
    return partial(correct_attempt, world.store, done.attempt_id, "busy", reason="x", **about(world, "sylvie"))


def taking(world: World, step: str) -> Step:
    callback_id = world.callback(released=True)
    if step == "next":
        return partial(take_next, world.store, "arlon", **about(world))
    if step == "this":
        return partial(take, world.store, callback_id, **about(world))
    card = take(world.store, callback_id, **about(world))
    if step == "over":
        return partial(take_over, world.store, callback_id, **about(world, "sylvie"))
    return partial(release_lease, world.store, card.lease, "parti", **about(world))


def opening(world: World, step: str) -> Step:
    world.callback()
    said = about(world, "sylvie")

    def form(places: int) -> OpeningForm:
        return OpeningForm(world.service(), NOW.date(), capacity_a_day=places, seen_id=newest())

    def newest() -> int:
        lines = list_services(world.store, "arlon", now=NOW)
        return next(line.newest_id for line in lines if line.service_id == world.service())

    if any(line.planned for line in list_services(world.store, "arlon", now=NOW) if line.service_id == world.service()):
        withdraw_opening(world.store, world.service(), "x", **said)
    if step in ("plan", "confirm"):
        return partial(plan_opening if step == "plan" else confirm_opening, world.store, form(3), **said)
    (confirm_opening if step == "postpone" else plan_opening)(world.store, form(3), **said)
    if step == "withdraw":
        return partial(withdraw_opening, world.store, world.service(), "x", seen_id=newest(), **said)
    if step == "postpone":
        put_off = PostponeForm(world.service(), DAY, DAY, reason="x", seen_id=newest())
        return partial(postpone, world.store, put_off, **said)
    return partial(revise_opening, world.store, form(5), **said)


def booked(world: World) -> int:
    form = OpeningForm(world.service(), NOW.date(), capacity_a_day=3)
    confirm_opening(world.store, form, **about(world, "sylvie"))
    callback_id = world.callback(released=True)
    world.ring(callback_id, "accepts_date", slots=dict.fromkeys(world.items_of(callback_id), DAY))
    with world.store.read() as connection:
        return int(connection.execute(select(tables.booking.c.id)).scalar_one())


def booking(world: World, step: str) -> Step:
    number, said = booked(world), {"reason": "x", **about(world)}
    if step == "cancel":
        return partial(cancel_booking, world.store, number, asked_by=AskedBy.SERVICE, **said)
    if step == "move":
        return partial(move_booking, world.store, number, date(2022, 6, 9), asked_by=AskedBy.PATIENT, **said)
    world.later(days=9)
    if step == "done":
        return partial(mark_done, world.store, [number], **about(world))
    return partial(mark_not_come, world.store, number, cause=AskedBy.PATIENT, reason="x", **about(world))


def on_item(world: World, fn: Callable[..., Any], *args: Any, **more: Any) -> Step:
    (item,) = world.items_of(world.callback())
    return partial(fn, world.store, item, *args, **{**about(world), **more})


def instruction(world: World, step: str) -> Step:
    form = InstructionForm("Venez à jeun", site_id="arlon")
    if step == "issue":
        return partial(issue_instruction, world.store, form, **about(world, "sylvie"))
    number = issue_instruction(world.store, form, **about(world, "sylvie"))
    world.later(hours=1)
    return partial(end_instruction, world.store, number, **about(world, "sylvie"))


def rule(world: World) -> Step:
    return partial(edit_rule, world.store, Scope.ATTEMPT, "busy", {"short.fr": "occ."}, **about(world, "sylvie"))


def review(world: World) -> Step:
    callback_id = world.callback(released=True)
    world.ring(callback_id, "declines", note="x")
    said = {"clinician": "Dr Adam", "reason": "x"}
    return partial(decide_review, world.store, callback_id, Decision.RESUME, **said, **about(world, "sylvie"))


def handover(world: World, step: str) -> Step:
    world.callback(released=True)
    said = {"reason": "x", **about(world, "sylvie")}
    if step == "close":
        return partial(close_desk, world.store, **said)
    if step == "reopen":
        close_desk(world.store, **said)
        return partial(reopen_desk, world.store, **said)
    make = partial(make_handover, world.store, "arlon", world.service(), **said)
    if step == "make":
        return make
    number = make().handover_id
    answer = partial(
        answer_lines, world.store, number, [1], HandoverState.ACKNOWLEDGED, answered_by="Anne", **about(world, "sylvie")
    )
    if step == "answer":
        return answer
    answer()
    return partial(take_back, world.store, number, [1], **said)


OPENINGS = ("plan", "confirm", "revise", "withdraw", "postpone")
STEPS: dict[str, Callable[[World], Step]] = {
    "correct_field": lambda world: on_patient(world, patients.correct_field, "last_name", "Leroy", seen="Dupont"),
    "add_phone": lambda world: on_patient(world, patients.add_phone, "063 23 22 22"),
    "mark_phone_wrong": wrong_number,
    "set_voicemail": lambda world: on_patient(world, patients.set_voicemail, Voicemail.NONE, seen="unknown"),
    "set_contacts": lambda world: on_patient(world, set_contacts, may_tell=MayTell.NAMED, may_tell_who="Luc"),
    "merge_patients": merge, "split_pair": split, "refuse_likeness": refuse,
    **{f"{step}_death": partial(death, step=step) for step in ("report", "confirm", "refute")},
    "record_call": call, "correct_call": recode,
    "record_attempt": attempt, "undo_attempt": undo, "correct_attempt": correct,
    **{f"take_{step}": partial(taking, step=step) for step in ("next", "this", "over")},
    "release_lease": partial(taking, step="release"),
    **{f"{step}_opening": partial(opening, step=step) for step in OPENINGS},
    **{f"{step}_booking": partial(booking, step=step) for step in ("cancel", "move", "done", "not_come")},
    "set_wish": lambda world: on_item(world, set_wish, "lundi"),
    "set_reserve": lambda world: on_item(world, set_reserve, True),
    "set_needs": lambda world: on_item(world, set_needs, [], reason="x"),
    "code_priority": lambda world: on_item(
        world, code_priority, "P2", clinician="Dr Adam", reason="x", agent=world.agent("sylvie")
    ),
    **{f"{step}_instruction": partial(instruction, step=step) for step in ("issue", "end")},
    "edit_rule": rule, "decide_review": review,
    **{f"{step}_handover": partial(handover, step=step) for step in ("make", "answer", "back", "close", "reopen")},
}  # fmt: skip
GIVES_ITS_RESULT = {"record_call", "record_attempt", "take_next", "take_this"}
"""What has an id or a state of its own, and answers the second try as it would have answered the first."""


@pytest.mark.parametrize("name", STEPS)
def test_a_second_try_stores_nothing_twice(name: str, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    step = STEPS[name](world)
    login = step.keywords["agent"].login  # type: ignore[attr-defined]
    before = dump(world.store)
    after = 2 if name == "take_next" else 1  # the day's releases come first, in a transaction of their own
    with answer_lost(world.store, monkeypatch, after=after), pytest.raises(StoreUnavailable):
        run_once(world.store, "key", login, step, is_again=False)
    stored = dump(world.store)
    assert stored != before, "it was stored"
    try:
        result = run_once(world.store, "key", login, step, is_again=True, may_go_on=name == "close_handover")
    except AlreadyStored as news:
        print(f"{name}: told that it was stored ({news})")
    else:
        print(f"{name}: gives {str(result)[:80]}")
    if name in GIVES_ITS_RESULT:
        assert result
    if name != "close_handover":  # goes on with the lists that the failure left out
        assert dump(world.store) == stored
    with world.store.read() as connection:
        assert journal.verify(connection).first_fault is None


def test_a_wish_that_was_not_stored_is_stored_at_the_second_try(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    step = STEPS["merge_patients"](world)

    @contextmanager
    def failing(self: Store) -> Iterator[Connection]:
        raise StoreUnavailable("no disk")
        yield

    with monkeypatch.context() as patched:
        patched.setattr(Store, "write", failing)
        with pytest.raises(StoreUnavailable):
            run_once(world.store, "key", "amelie", step, is_again=False)
    run_once(world.store, "key", "amelie", step, is_again=True)
    with pytest.raises(RuleBroken, match="one already"):
        run_once(world.store, "another", "amelie", step, is_again=False)


async def test_yes_to_try_again_stores_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    patient_id = world.patient("Dupont")
    async with open_screens(world.store, "home", language="en") as pilot:
        pilot.app.go("patient", patient_id=patient_id)  # type: ignore[attr-defined]
        await settled(pilot)
        await pilot.press("f9")
        await settled(pilot)
        with answer_lost(world.store, monkeypatch):
            await type_text(pilot, "y")
            assert "Try again?" in screen_text(pilot)
        await type_text(pilot, "y")
        text = screen_text(pilot)
        assert "only the answer was lost" in text
    with world.store.read() as connection:
        actions = [entry.action for entry in journal.entries(connection, subject="patient")]
    assert actions.count("patient.death_reported") == 1


async def test_a_call_whose_answer_was_lost_is_one_call_though_its_last_word_was_no_draft_yet(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_screens(world.store, "intake", language="en") as pilot:
        await type_text(pilot, "063231111\tDupont\t")
        pilot.app.screen.form.choice("disposition").code = "informed"  # type: ignore[attr-defined]
        pilot.app.screen.autosave.save()  # type: ignore[attr-defined]
        await settled(pilot)
        pilot.app.screen.form["words"].value = "typed just before saving"  # type: ignore[attr-defined]
        with answer_lost(world.store, monkeypatch):
            await pilot.press("ctrl+s")
            await settled(pilot)
            assert "Try again?" in screen_text(pilot)
        await settled(pilot)
        await type_text(pilot, "y")
        await settled(pilot)
    with world.store.read() as connection:
        assert len(connection.execute(select(tables.call.c.id)).all()) == 1
    assert list_drafts(world.store, agent=world.amelie) == ()
