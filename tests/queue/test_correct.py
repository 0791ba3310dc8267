"""A supervisor puts a recorded outcome right: the first row stays, the second one counts instead."""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import insert, select, update

from crisisdesk.desk.attempts import ItemResult
from crisisdesk.desk.callbacks import take
from crisisdesk.desk.correctcall import correct_call
from crisisdesk.desk.correcting import CorrectedAttempt, correct_attempt
from crisisdesk.desk.intake import CallForm, record_call
from crisisdesk.desk.patients import confirm_death
from crisisdesk.desk.reviews import Decision, decide_review
from crisisdesk.desk.undoing import undo_attempt
from crisisdesk.domain.wishes import Wish
from crisisdesk.errors import LeaseLost, RuleBroken
from crisisdesk.store import attempts, callbacks, figures, journal, tables
from crisisdesk.store.engine import open_desk
from moments import DESK_NOW
from waiting import World

DAY, OTHER_DAY = date(2022, 6, 3), date(2022, 6, 7)


def opened(world: World, capacity: int = 3) -> None:
    row = {"service_id": world.service(), "stage": "actual", "state": "partial", "opens_on": world.now.date(),
           "capacity_a_day": capacity, "entered_at": world.now}  # fmt: skip
    with world.store.write() as connection:
        connection.execute(insert(tables.opening).values(row))


def corrected(world: World, attempt_id: int, disposition: str, **more: Any) -> CorrectedAttempt:
    said = {"reason": "l'agent s'est trompé de touche", "agent": world.sonia, "now": world.now, **more}
    return correct_attempt(world.store, attempt_id, disposition, **said)


def row_of(world: World, attempt_id: int) -> Any:
    with world.store.read() as connection:
        return connection.execute(select(tables.attempt).where(tables.attempt.c.id == attempt_id)).one()


def bookings_of(world: World) -> list[Any]:
    with world.store.read() as connection:
        return list(connection.execute(select(tables.booking).order_by(tables.booking.c.id)).all())


def facts(world: World, number: int) -> tuple[bool, ...]:
    row = world.fact(number)
    return tuple(bool(row[f"{name}_at"] if isinstance(row, dict) else getattr(row, f"{name}_at"))
                 for name in ("tried", "reached", "decided", "rebooked", "done"))  # fmt: skip


def test_an_acceptance_that_was_none(world: World) -> None:
    opened(world, capacity=1)
    callback_id = world.callback(released=True)
    (item,) = world.items_of(callback_id)
    wrong = world.ring(callback_id, "accepts_date", slots={item: DAY})
    rung_at = world.now
    assert world.row(callback_id).state == "closed"
    world.later(hours=5)
    right = corrected(world, wrong.attempt_id, "other_date", note="veut le 20")
    assert (right.is_open, right.callback_id, right.corrects_id) == (True, callback_id, wrong.attempt_id)
    row = world.row(callback_id)
    assert (row.state, row.closed_at, row.closed_as, row.attempts, row.unanswered) == ("waiting", None, "", 1, 0)
    assert row.last_attempt_at == rung_at, "nobody rang now"
    assert facts(world, item) == (True, True, False, False, False)
    assert (world.fact(item).reached_at, world.fact(item).decision) == (rung_at, "")
    (booking,) = bookings_of(world)
    assert (booking.state, booking.withdrawn_why, booking.withdrawn_by) == (
        "withdrawn", "corrected", world.sonia.agent_id,
    )  # fmt: skip
    old, new = row_of(world, wrong.attempt_id), row_of(world, right.attempt_id)
    assert (old.disposition, old.undone_why, old.undone_by) == ("accepts_date", "corrected", world.sonia.agent_id)
    assert (new.corrects_id, new.agent_id, new.started_at, new.entered_at) == (
        old.id, world.amelie.agent_id, old.started_at, world.now,
    )  # fmt: skip
    with world.store.read() as connection:
        told = journal.entries(connection, subject="callback", subject_id=str(callback_id))
    (entry,) = [entry for entry in told if entry.action == "attempt.corrected"]
    assert (entry.agent, entry.detail["disposition"]) == ("sonia", ["accepts_date", "other_date"])
    assert entry.detail["attempt"] == [old.id, new.id]
    assert entry.detail["restored"][f"postponement.{item}.decision"] == ["accepts_date", ""]
    other = world.callback(released=True)
    world.ring(other, "accepts_date", agent=world.bruno, slots={world.items_of(other)[0]: DAY})  # the place is free


def test_a_no_answer_that_was_an_acceptance(world: World) -> None:
    opened(world)
    callback_id = world.callback(released=True)
    (item,) = world.items_of(callback_id)
    wrong = world.ring(callback_id, "no_answer")
    rung_at = world.now
    world.later(hours=1)
    items = {item: ItemResult("accepts_date", slot_on=DAY)}
    right = corrected(world, wrong.attempt_id, "accepts_date", items=items)
    assert (right.is_open, world.row(callback_id).state, world.row(callback_id).unanswered) == (False, "closed", 0)
    assert facts(world, item) == (True, True, True, True, False)
    assert world.fact(item).rebooked_at == rung_at
    (booking,) = bookings_of(world)
    assert (booking.state, booking.slot_on, booking.attempt_id) == ("told", DAY, right.attempt_id)


def test_the_same_place_stays_another_one_is_exchanged(world: World) -> None:
    opened(world, capacity=1)
    callback_id = world.callback(released=True, items=2)
    one, two = world.items_of(callback_id)
    wrong = world.ring(callback_id, "accepts_date", slots={one: DAY, two: OTHER_DAY})
    items = {one: ItemResult("accepts_date", slot_on=DAY), two: ItemResult("wants_to_wait")}
    right = corrected(world, wrong.attempt_id, "accepts_date", items=items)
    first, second = bookings_of(world)
    assert (first.state, first.attempt_id, second.state) == ("told", right.attempt_id, "withdrawn")
    assert (world.fact(one).rebooked_at is not None, world.fact(two).rebooked_at) == (True, None)
    assert right.is_open, "one of the two is still owed a place"
    again = corrected(world, right.attempt_id, "no_answer", items={})
    assert [row.state for row in bookings_of(world)] == ["withdrawn", "withdrawn"]
    assert facts(world, one) == facts(world, two) == (True, False, False, False, False)
    assert row_of(world, again.attempt_id).corrects_id == right.attempt_id


def test_what_other_contacts_proved_stays(world: World) -> None:
    callback_id = world.callback(released=True)
    (item,) = world.items_of(callback_id)
    wrong = world.ring(callback_id, "other_date", note="dit-on")
    world.later(days=1)
    reached_at = world.now
    world.ring(callback_id, "asks_later", asked=Wish(not_before=world.now + timedelta(days=1)))
    world.later(minutes=5)
    schedule = world.row(callback_id).not_before
    corrected(world, wrong.attempt_id, "no_answer", note="")
    row = world.fact(item)
    assert row.reached_at == reached_at, "the second call reached the patient"
    assert row.tried_at is not None
    assert row.tried_at < reached_at
    assert world.row(callback_id).not_before == schedule, "what was agreed since stands"
    assert (world.row(callback_id).attempts, world.row(callback_id).unanswered) == (2, 0)


def test_a_callback_closed_by_mistake_joins_the_one_that_was_opened_since(world: World) -> None:
    callback_id = world.callback(released=True)
    patient_id, (item,) = world.row(callback_id).patient_id, world.items_of(callback_id)
    wrong = world.ring(callback_id, "treated_elsewhere", note="à Liège")
    world.later(hours=1)
    listed = world.postponement(patient_id)
    with world.store.write() as connection:
        since = callbacks.hold(
            connection, patient_id=patient_id, site_id="arlon", postponement_ids=[listed], wish=None, released=False,
            call_id=None, agent_id=None, now=world.now,
        )  # fmt: skip
    right = corrected(world, wrong.attempt_id, "no_answer", note="")
    assert (right.callback_id, right.is_open) == (since, True)
    assert set(world.items_of(since)) == {item, listed}
    assert world.row(callback_id).state == "closed"


def test_numbers_and_deaths_said_by_mistake(world: World) -> None:
    callback_id = world.callback(released=True, phones=["+3263231111", "+32470111222"])
    patient_id = world.row(callback_id).patient_id
    wrong = world.ring(callback_id, "wrong_number")
    world.later(hours=1)
    right = corrected(world, wrong.attempt_id, "no_answer")
    with world.store.read() as connection:
        assert len(attempts.usable_numbers(connection, patient_id)) == 2
    dead = corrected(world, right.attempt_id, "deceased", note="sa fille")
    assert world.row(callback_id).hold == "confirm_death"
    corrected(world, dead.attempt_id, "no_answer")
    assert world.row(callback_id).hold == ""
    world.later(days=1)
    said = world.ring(callback_id, "deceased", note="sa fille")
    confirm_death(world.store, patient_id, agent=world.bruno, now=world.now)
    with pytest.raises(RuleBroken, match="refute it"):
        corrected(world, said.attempt_id, "no_answer")


def test_what_a_clinician_decided_since_stands(world: World) -> None:
    callback_id = world.callback(released=True)
    (item,) = world.items_of(callback_id)
    wrong = world.ring(callback_id, "declines", note="non")
    world.later(hours=1)
    decide_review(
        world.store, callback_id, Decision.CLOSE, clinician="Dr Lambert", reason="vu", agent=world.sonia, now=world.now
    )
    right = corrected(world, wrong.attempt_id, "unfit", note="grippe")
    assert (right.is_open, world.fact(item).decision) == (False, "clinician")


def test_refused_with_a_sentence(world: World) -> None:
    callback_id = world.callback(released=True)
    done = world.ring(callback_id, "busy")
    for attempt_id, code, more, words in (
        (done.attempt_id, "no_answer", {"agent": world.amelie}, "supervisor"),
        (done.attempt_id, "no_answer", {"reason": ""}, "why"),
        (done.attempt_id, "nothing", {}, "no disposition"),
        (done.attempt_id, "accepts_date", {}, "day"),
        (99, "no_answer", {}, "no attempt 99"),
    ):
        with pytest.raises(RuleBroken, match=words):
            corrected(world, attempt_id, code, **more)
    card = take(world.store, callback_id, agent=world.bruno, now=world.later(hours=1))
    assert card.lease
    with pytest.raises(LeaseLost, match="Bruno"):
        corrected(world, done.attempt_id, "no_answer")
    world.later(hours=1)
    right = corrected(world, done.attempt_id, "no_answer")
    with pytest.raises(RuleBroken, match=f"correct attempt {right.attempt_id}"):
        corrected(world, done.attempt_id, "busy")
    with pytest.raises(RuleBroken, match="already"):
        undo_attempt(world.store, done.attempt_id, reason="moi", agent=world.amelie, now=world.now)


def test_a_place_that_was_used_is_not_taken_back(world: World) -> None:
    opened(world)
    callback_id = world.callback(released=True)
    wrong = world.ring(callback_id, "accepts_date", slots={world.items_of(callback_id)[0]: DAY})
    with world.store.write() as connection:
        connection.execute(update(tables.booking).values(state="done"))
    with pytest.raises(RuleBroken, match="has come"):
        corrected(world, wrong.attempt_id, "no_answer")


def test_the_figures_count_the_corrected_row_once(world: World) -> None:
    first, second = world.callback(released=True), world.callback(released=True)
    wrong = world.ring(first, "wants_to_wait", asked=Wish(not_before=world.now + timedelta(days=3)))
    world.ring(second, "no_answer")

    def counted() -> tuple[int, int]:
        day = timedelta(days=1)
        with world.store.read() as connection:
            (count,) = figures.count_callbacks(connection, world.now - day, world.now + day, until=world.now)
        return count.attempts, count.right_party

    assert counted() == (2, 1)
    corrected(world, wrong.attempt_id, "busy")
    assert counted() == (2, 0)
    undo_attempt(world.store, None, reason="mauvaise touche", agent=world.amelie, now=world.now)
    assert counted() == (1, 0)


# ---------------------------------------------------------------- calls that came in


def test_a_call_is_coded_anew_and_the_old_code_stays_in_the_journal(world: World) -> None:
    patient_id = world.row(world.callback()).patient_id
    topics = list(world.reference.topics)
    form = CallForm(
        uid="coded", started_at=world.now, disposition="informed", site_id="arlon", caller_kind="self",
        topic=topics[0], patient_ids=(patient_id,),
    )  # fmt: skip
    number = record_call(world.store, form, agent=world.amelie, now=world.now).number
    said: dict[str, Any] = {"reason": "mauvais code", "agent": world.sonia, "now": world.now}
    changed = correct_call(world.store, number, disposition="transferred", topic=topics[1], **said)
    assert changed == {"disposition": ["informed", "transferred"], "topic": [topics[0], topics[1]]}
    for more, words in (
        ({"disposition": "callback"}, "leads to something else"), ({"disposition": "transferred"}, "Nothing changes"),
        ({"topic": "nothing"}, "no topic"), ({"disposition": "nothing"}, "no disposition"),
        ({"topic": topics[0], "reason": ""}, "why"), ({"topic": topics[0], "agent": world.amelie}, "supervisor"),
    ):  # fmt: skip
        with pytest.raises(RuleBroken, match=words):
            correct_call(world.store, number, **{**said, **more})
    with pytest.raises(RuleBroken, match="no call 99"):
        correct_call(world.store, 99, topic=topics[0], **said)
    with world.store.read() as connection:
        row = connection.execute(select(tables.call)).one()
        (entry,) = [one for one in journal.entries(connection, subject="call") if one.action == "call.corrected"]
    assert (row.disposition, row.topic) == ("transferred", topics[1])
    assert entry.detail["disposition"] == ["informed", "transferred"]


# ---------------------------------------------------------------- the property


ENDINGS = st.sampled_from((
    "no_answer", "busy", "wrong_number", "third_party", "asks_later", "other_date", "wants_to_wait", "declines",
    "treated_elsewhere", "worse", "deceased", "accepts_date",
))  # fmt: skip
KEPT_APART = {"journal", "journal_head", "attempt", "attempt_item", "booking", "draft", "agent"}


def state_of(world: World) -> dict[str, Any]:
    """Every table but the history, without leases; the places that hold."""
    found: dict[str, Any] = {}
    hidden = {"generation", "leased_by", "leased_at", "lease_until"}
    with world.store.read() as connection:
        for table in tables.attempt.metadata.sorted_tables:
            if table.name not in KEPT_APART:
                rows = connection.execute(select(table).order_by(*table.primary_key.columns)).mappings()
                found[table.name] = [{k: v for k, v in row.items() if k not in hidden} for row in rows]
        booking = tables.booking.c
        told = select(booking.postponement_id, booking.slot_on, booking.agent_id).where(booking.state == "told")
        found["told"] = sorted(tuple(row) for row in connection.execute(told))
    return found


def said_of(world: World, callback_id: int, code: str) -> dict[str, Any]:
    items = {}
    if code == "accepts_date":
        items = {number: ItemResult("accepts_date", slot_on=DAY) for number in world.items_of(callback_id)[:1]}
    return {"items": items, "asked": Wish(not_before=world.now + timedelta(days=2), words="jeudi"), "note": "dit"}


@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture],
    phases=(Phase.explicit, Phase.reuse, Phase.generate),  # an example takes 0.3 s: shrinking would take minutes
)  # fmt: skip
@given(wrong=ENDINGS, right=ENDINGS, items=st.integers(1, 2), numbers=st.integers(1, 2), tried=st.booleans())
def test_a_correction_at_once_leads_to_what_the_right_key_would_have_led_to(
    made_desk: Path, tmp_path_factory: pytest.TempPathFactory, wrong: str, right: str, items: int, numbers: int,
    tried: bool,
) -> None:  # fmt: skip
    folder = tmp_path_factory.mktemp("correct")
    one, other = folder / "one.db", folder / "other.db"
    one.write_bytes(made_desk.read_bytes())
    store = open_desk(one)
    world = World(store, DESK_NOW)
    opened(world)
    callback_id = world.callback(
        released=True, items=items, phones=[f"+3247055500{number}" for number in range(numbers)]
    )
    if tried:
        world.ring(callback_id, "no_answer")
        world.later(hours=4)
    now = world.now
    store.backup(other)
    done = world.ring(callback_id, wrong, **said_of(world, callback_id, wrong))
    corrected(world, done.attempt_id, right, **said_of(world, callback_id, right))
    after = state_of(world)
    store.close()
    store = open_desk(other)
    world = World(store, now)
    world.ring(callback_id, right, **said_of(world, callback_id, right))
    at_first = state_of(world)
    store.close()
    for state in (after, at_first):
        for row in state["patient"]:  # who wrote it down is the supervisor, or the agent
            row.pop("death_reported_by")
        for row in state["postponement"]:
            row.pop("decided_by")
        for row in state["callback"]:
            row.pop("closed_by")
            row["why"] = {name: value for name, value in row["why"].items() if name != "escalated"}
        state["told"] = [row[:2] for row in state["told"]]
    assert after == at_first
