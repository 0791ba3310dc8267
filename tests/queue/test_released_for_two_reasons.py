"""A callback is released once; what it was promised afterwards holds all the same when the first reason goes."""

from datetime import date, timedelta
from typing import Any

import pytest

from crisisdesk.desk.acknowledging import answer_lines, take_back
from crisisdesk.desk.asking import set_reserve
from crisisdesk.desk.callbacks import list_queue
from crisisdesk.desk.cancelling import AskedBy, cancel_booking
from crisisdesk.desk.handovers import make_handover
from crisisdesk.desk.reopening import OpeningForm, confirm_opening, revise_opening
from crisisdesk.domain.wishes import Wish
from crisisdesk.domain.words import HandoverState, OpeningState
from crisisdesk.store import bookings, callbacks
from crisisdesk.store import retelling as retellings
from waiting import World

THU = date(2022, 6, 2)


def opened(world: World, capacity: int = 12) -> int:
    form = OpeningForm(world.service(), world.now.date(), capacity_a_day=capacity)
    confirm_opening(world.store, form, agent=world.sonia, now=world.now)
    return world.service()


def asks(world: World, callback_id: int, **more: Any) -> None:
    """The patient rings the desk meanwhile, and is promised a call."""
    said: dict[str, Any] = {"wish": None, "released": True, **more}
    with world.store.write() as connection:
        callbacks.hold(
            connection, patient_id=world.row(callback_id).patient_id, site_id="arlon", postponement_ids=[],
            call_id=None, agent_id=world.amelie.agent_id, now=world.now, **said,
        )  # fmt: skip


def tells(world: World, callback_id: int) -> None:
    """An instruction that the patient was told has changed."""
    row = world.row(callback_id)
    one = retellings.ToRing(
        row.patient_id, "arlon", callback_id, world.now, True,
        {"instruction": 1, "words": "x", "at": world.now.isoformat(), "on": "2022-05-31", "changed_on": "2022-05-31"},
    )  # fmt: skip
    with world.store.write() as connection:
        retellings.hold_told(
            connection, 1, [one], reason="", agent_id=world.sonia.agent_id, login="sonia", now=world.now
        )


def reason(world: World, callback_id: int) -> str:
    queue = list_queue(world.store, "arlon", now=world.now)
    return next((row.reason for row in queue.rows if row.callback_id == callback_id), "not there")


LATER = [
    pytest.param({"wish": Wish(words="quand vous voulez")}, id="any time"),
    pytest.param({"is_escalated": True, "released": False}, id="worse"),
    pytest.param({"slipped": {"told_on": "2022-06-01", "now_on": None}, "released": False}, id="slipped"),
    pytest.param(None, id="told"),
]


@pytest.mark.parametrize("more", LATER)
def test_a_slip_calls_back_nobody_who_was_promised_a_call_since(world: World, more: dict[str, Any] | None) -> None:
    service = opened(world)
    plain, promised = world.callback(), world.callback()
    from crisisdesk.desk.reopening import top_up

    top_up(world.store, now=world.now, again=True)
    assert world.row(promised).release_why.startswith("opening:")
    world.later(minutes=10)
    if more is None:
        tells(world, promised)
    else:
        asks(world, promised, **more)
    form = OpeningForm(service, date(2022, 6, 1), state=OpeningState.CLOSED, reason="panne")
    confirm_opening(world.store, form, agent=world.sonia, now=world.now)
    assert world.row(plain).released_at is None, "nothing was promised to this one"
    assert world.row(promised).released_at is not None
    assert reason(world, promised) == "ready"


@pytest.mark.parametrize("more", LATER)
def test_who_loses_the_place_of_the_reserve_keeps_a_call_that_was_promised_since(
    world: World, more: dict[str, Any] | None
) -> None:
    service = opened(world, 1)
    booked = world.callback(released=True)
    (item,) = world.items_of(booked)
    world.ring(booked, "accepts_date", slots={item: THU})
    waiting = world.callback()
    set_reserve(world.store, world.items_of(waiting)[0], True, agent=world.amelie, now=world.now)
    assert world.row(waiting).released_at is None
    with world.store.read() as connection:
        told = bookings.told_booking_of(connection, item)
    assert told
    cancel_booking(world.store, told[0], asked_by=AskedBy.PATIENT, reason="x", agent=world.bruno, now=world.now)
    assert world.row(waiting).release_why.startswith("reserve:")
    world.later(minutes=10)
    if more is None:
        tells(world, waiting)
    else:
        asks(world, waiting, **more)
    form = OpeningForm(service, date(2022, 6, 20), capacity_a_day=1, reason="retard")
    revise_opening(world.store, form, agent=world.sonia, now=world.now)
    row = world.row(waiting)
    assert "reserve" not in row.why
    assert row.released_at is not None
    assert not row.release_why.startswith("reserve:")


def test_what_a_service_gives_back_is_rung_although_the_callback_ended_otherwise(world: World) -> None:
    """Two postponements: one is taken over by the service, the other is booked and the callback closes; then the
    service's answer was a mistake."""
    opened(world)
    callback_id = world.callback(released=True, items=2)
    first, second = world.items_of(callback_id)
    made = make_handover(world.store, "arlon", world.service(), reason="Fin", agent=world.sonia, now=world.now)
    answer_lines(
        world.store, made.handover_id, [1], HandoverState.ACKNOWLEDGED, answered_by="Mme Petit", agent=world.sonia,
        now=world.later(minutes=5),
    )  # fmt: skip
    gone, left = (first, second) if world.fact(first).handed_over_at else (second, first)
    world.ring(callback_id, "accepts_date", slots={left: THU})
    assert world.row(callback_id).state == "closed"
    take_back(
        world.store, made.handover_id, [1], reason="mauvaise ligne", agent=world.sonia, now=world.later(minutes=5)
    )
    assert world.fact(gone).handed_over_at is None
    queue = list_queue(world.store, "arlon", now=world.now)
    assert [world.items_of(row.callback_id) for row in queue.rows] == [[gone]]


def test_who_was_told_what_changed_is_rung_although_nothing_else_is_left(world: World) -> None:
    callback_id = world.callback(released=True)
    (item,) = world.items_of(callback_id)
    world.later(minutes=5)
    with world.store.write() as connection:
        from crisisdesk.store import tables

        table = tables.postponement
        connection.execute(table.update().where(table.c.id == item).values(decided_at=world.now, decision="clinician"))
    world.later(minutes=5)
    assert reason(world, callback_id) == "settled"
    tells(world, callback_id)
    world.now += timedelta(minutes=1)
    assert reason(world, callback_id) == "ready"
