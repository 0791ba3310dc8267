"""What was promised holds however the patient came to be rung: out of turn, from the reserve list, after a merge."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from crisisdesk.desk.asking import set_reserve
from crisisdesk.desk.callbacks import take_next
from crisisdesk.desk.cancelling import AskedBy, cancel_booking
from crisisdesk.desk.dropping import Dropped, decide_dropped
from crisisdesk.desk.patients import confirm_death, merge_patients, refute_death, report_death
from crisisdesk.desk.reopening import OpeningForm, confirm_opening, revise_opening
from crisisdesk.desk.undoing import undo_attempt
from crisisdesk.domain.wishes import Wish
from crisisdesk.domain.words import OpeningState
from crisisdesk.errors import RuleBroken
from crisisdesk.store import callbacks, tables
from waiting import World

THU = date(2022, 6, 2)


def opened(world: World, capacity: int = 1) -> int:
    form = OpeningForm(world.service(), world.now.date(), capacity_a_day=capacity)
    confirm_opening(world.store, form, agent=world.sonia, now=world.now)
    return world.service()


def told(world: World, day: date = THU) -> int:
    """Somebody accepted a day; gives the booking."""
    callback_id = world.callback(released=True)
    (item,) = world.items_of(callback_id)
    world.ring(callback_id, "accepts_date", slots={item: day})
    with world.store.read() as connection:
        return int(connection.scalars(select(tables.booking.c.id).order_by(tables.booking.c.id.desc())).first())


def kept(world: World, booking_id: int, **about: Any) -> int:
    """A patient of the reserve list for whom a cancelled place is kept."""
    callback_id = world.callback(**about)
    (item,) = world.items_of(callback_id)
    set_reserve(world.store, item, True, agent=world.amelie, now=world.now)
    done = cancel_booking(
        world.store, booking_id, asked_by=AskedBy.PATIENT, reason="au téléphone", agent=world.bruno, now=world.now
    )
    assert done.served is not None
    assert done.served.callback_id == callback_id
    return callback_id


@pytest.mark.parametrize(
    ("disposition", "why", "more"),
    [("asks_later", "promised", {}), ("worse", "escalated", {"note": "fièvre depuis hier"})],
)
def test_who_is_rung_out_of_turn_is_rung_again_as_agreed(
    world: World, disposition: str, why: str, more: dict[str, Any]
) -> None:
    """The service is closed: nothing else would ever let this patient be rung."""
    callback_id = world.callback()
    assert world.row(callback_id).released_at is None
    asked = Wish(not_before=world.now + timedelta(hours=2)) if disposition == "asks_later" else None
    done = world.ring(callback_id, disposition, asked=asked, **more)
    row = world.row(callback_id)
    assert (row.released_at, row.release_why) == (world.now, why)
    world.later(hours=3)
    card = take_next(world.store, "arlon", agent=world.bruno, now=world.now)
    assert getattr(card, "callback_id", None) == callback_id
    assert done.follow.next_at is None or done.follow.next_at <= world.now


def test_an_undo_takes_back_the_release_too(world: World) -> None:
    callback_id = world.callback()
    done = world.ring(callback_id, "asks_later", asked=Wish(not_before=world.now + timedelta(hours=2)))
    undo_attempt(world.store, done.attempt_id, reason="mauvaise touche", agent=world.amelie, now=world.now)
    row = world.row(callback_id)
    assert (row.released_at, row.release_why, row.promised_from) == (None, "", None)


def test_a_place_that_is_kept_goes_with_the_callback_that_stays_of_a_merge(world: World) -> None:
    service = opened(world)
    waiting = kept(world, told(world), priority="P4")
    other = world.callback(priority="P3")
    stays, gone = world.row(other).patient_id, world.row(waiting).patient_id
    assert merge_patients(world.store, stays, gone, agent=world.sonia, now=world.now) == stays
    row = world.row(other)
    assert (row.state, row.release_why) == ("waiting", f"reserve:{service}:{THU}")
    assert row.why["reserve"]["day"] == THU.isoformat()
    assert row.tier == 0
    world.ring(other, "no_answer")  # the place is not taken: the callback is where it stood
    row = world.row(other)
    assert ("reserve" in row.why, row.release_why.startswith("reserve:"), row.tier) == (False, False, 2)


def test_a_merge_leaves_no_release_for_a_place_that_nobody_keeps(world: World) -> None:
    """The one that stays was released already: it keeps both the place and what it goes back to."""
    opened(world)
    waiting = kept(world, told(world), priority="P4")
    other = world.callback(released=True, priority="P3")
    merge_patients(
        world.store, world.row(other).patient_id, world.row(waiting).patient_id, agent=world.sonia, now=world.now
    )
    assert world.row(other).tier == 0
    world.ring(other, "no_answer")
    row = world.row(other)
    assert (row.release_why, row.released_at is not None) == ("promised", True)


def test_a_kept_place_that_a_slip_takes_puts_nobody_first_any_more(world: World) -> None:
    """At once, not at the next morning's run."""
    service = opened(world)
    waiting = kept(world, told(world), priority="P4")
    assert world.row(waiting).tier == 0
    form = OpeningForm(service, date(2022, 6, 7), capacity_a_day=1, reason="stérilisation")
    revise_opening(world.store, form, agent=world.sonia, now=world.now)
    row = world.row(waiting)
    assert (row.tier, "reserve" in row.why, row.release_why.startswith("reserve:")) == (2, False, False)


def test_what_is_asked_for_after_a_confirmed_death_can_be_ended_or_rung(world: World) -> None:
    """It waits on hold, for the confirmation may be the mistake; who confirms once more ends it, a refutation rings."""
    first = world.callback(released=True)
    patient_id = int(world.row(first).patient_id)
    with world.store.write() as connection:  # decided, and owed a place all the same
        table = tables.postponement
        said = {"decided_at": world.now, "decision": "wants_to_wait", "decided_by": "amelie"}
        connection.execute(table.update().where(table.c.id.in_(world.items_of(first))).values(said))
    report_death(world.store, patient_id, agent=world.amelie, now=world.now)
    confirm_death(world.store, patient_id, agent=world.bruno, now=world.later(hours=1))
    with pytest.raises(RuleBroken, match="already"):
        confirm_death(world.store, patient_id, agent=world.bruno, now=world.now)
    item = world.postponement(patient_id)
    with world.store.write() as connection:
        later = callbacks.hold(
            connection, patient_id=patient_id, site_id="arlon", postponement_ids=[item], wish=None, released=True,
            call_id=None, agent_id=world.amelie.agent_id, now=world.later(hours=1),
        )  # fmt: skip
    assert world.row(later).hold == "confirm_death"
    assert confirm_death(world.store, patient_id, agent=world.sonia, now=world.later(hours=1)) == [later]
    assert (world.row(later).state, world.fact(item).decision) == ("closed", "deceased")
    refute_death(world.store, patient_id, agent=world.sonia, now=world.now, why="il a rappelé lui-même")
    assert {world.row(later).state, world.row(later).hold} == {"waiting", ""}
    assert [world.fact(number).decision for number in (*world.items_of(first), item)] == ["wants_to_wait", ""]


def test_a_line_with_nothing_left_can_end_and_not_wait_on(world: World) -> None:
    callback_id = world.callback(released=True)
    (item,) = world.items_of(callback_id)
    with world.store.write() as connection:
        table = tables.postponement
        connection.execute(
            table.update().where(table.c.id == item).values(decided_at=world.later(minutes=1), decision="informed")
        )
    said = {"clinician": "Secrétariat", "reason": "réglé sur place", "agent": world.sonia, "now": world.now}
    with pytest.raises(RuleBroken, match="only end"):
        decide_dropped(world.store, callback_id, Dropped.WAITS, **said)  # type: ignore[arg-type]
    assert decide_dropped(world.store, callback_id, Dropped.ENDS, **said)  # type: ignore[arg-type]


def test_a_slip_that_leaves_the_day_leaves_the_place(world: World) -> None:
    """Only a place that is lost goes: a change that keeps the day keeps the place for the reserve."""
    service = opened(world)
    waiting = kept(world, told(world), priority="P4")
    form = OpeningForm(service, date(2022, 6, 20), state=OpeningState.CLOSED, reason="travaux")
    confirm_opening(world.store, form, agent=world.sonia, now=world.now)
    assert world.row(waiting).release_why == f"reserve:{service}:{THU}"


def test_a_death_that_is_confirmed_after_midnight_leaves_the_day_before_alone(world: World) -> None:
    """00:30 on the hospital's clock is the evening before in UTC: who had a place that day may have come."""
    opened(world)
    booking_id = told(world)
    with world.store.read() as connection:
        table = tables.booking
        item = connection.scalar(select(table.c.postponement_id).where(table.c.id == booking_id))
    assert item is not None
    patient_id = world.fact(item).patient_id
    world.now = datetime(2022, 6, 2, 22, 30, tzinfo=UTC)
    report_death(world.store, patient_id, agent=world.amelie, now=world.now)
    confirm_death(world.store, patient_id, agent=world.bruno, now=world.now)
    with world.store.read() as connection:
        assert connection.scalar(select(table.c.state).where(table.c.id == booking_id)) == "told"
