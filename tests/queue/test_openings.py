"""Planning, confirming, slipping, withdrawing: what was previewed is what is done, and no promise is forgotten."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from crisisdesk.desk.callbacks import explain, list_queue
from crisisdesk.desk.reopening import (
    OpeningForm,
    OpeningPreview,
    confirm_opening,
    list_services,
    plan_opening,
    preview_opening,
    revise_opening,
    top_up,
    withdraw_opening,
)
from crisisdesk.domain.words import OpeningState
from crisisdesk.errors import RuleBroken
from crisisdesk.store import journal, tables
from waiting import World

TODAY = date(2022, 5, 31)


def surgery(world: World, capacity: int | None = 2, on: date = TODAY, **more: Any) -> OpeningForm:
    return OpeningForm(world.service(), on, capacity_a_day=capacity, **more)


def confirm(world: World, form: OpeningForm) -> OpeningPreview:
    return confirm_opening(world.store, form, agent=world.sonia, now=world.now)


def released(world: World) -> set[int]:
    callback = tables.callback.c
    with world.store.read() as connection:
        return set(connection.scalars(select(callback.id).where(callback.released_at.is_not(None))))


def test_the_preview_is_what_the_confirmation_does(world: World) -> None:
    ids = [world.callback(priority=code) for code in ("P4", "P3", "P2", None, "P1b") * 4]
    before = preview_opening(world.store, surgery(world), now=world.now)
    assert released(world) == set()
    after = confirm(world, surgery(world))
    assert before == after
    assert after.released == len(released(world)) == 2 * world.reference.desk.release_days_ahead
    assert after.staying == len(ids) - after.released
    order = [row.callback_id for row in list_queue(world.store, "arlon", now=world.now).rows]
    assert released(world) == set(order[: after.released]), "released in the order of the queue"


def test_what_stays_says_why(world: World) -> None:
    desk = world.reference.desk
    for _number in range(2 * desk.release_days_ahead * (100 + desk.release_reserve_percent) // 100 + 1):
        world.callback()
    confirm(world, surgery(world))
    last = list_queue(world.store, "arlon", now=world.now).rows[-1]
    assert last.reason == "not_released"
    assert "waits for a free place" in last.why_not
    assert explain(world.store, last.callback_id, now=world.now).why_not == (last.why_not,)


def test_released_callbacks_count_against_the_places(world: World) -> None:
    """A queue never releases more than the hospital can keep, however often it is confirmed."""
    for _number in range(40):
        world.callback()
    confirm(world, surgery(world))
    assert confirm(world, surgery(world)).released == 0
    confirm(world, surgery(world, capacity=3))
    desk = world.reference.desk
    assert len(released(world)) == 3 * desk.release_days_ahead * (100 + desk.release_reserve_percent) // 100


def test_each_day_tops_it_up_once(world: World) -> None:
    for _number in range(30):
        world.callback()
    confirm(world, surgery(world))
    first = sorted(released(world))[0]
    held = world.items_of(first)
    world.ring(first, "accepts_date", slots={held[0]: date(2022, 6, 8)})
    assert top_up(world.store, now=world.later(hours=1)) == 0  # the place is taken, and one callback fewer is out
    tomorrow = datetime(2022, 6, 1, 8, 0, tzinfo=UTC)
    assert top_up(world.store, now=tomorrow) >= 0
    assert top_up(world.store, now=tomorrow + timedelta(hours=1)) == 0
    with world.store.read() as connection:
        days = [
            e for e in journal.entries(connection, limit=500) if e.subject == "top_up" and e.subject_id == "2022-06-01"
        ]
    assert len(days) == 1


def test_a_slip_takes_told_days_back_and_those_patients_come_first(world: World) -> None:
    told = world.callback(priority="P4")
    others = [world.callback(priority="P2") for _number in range(3)]
    confirm(world, surgery(world))
    (item,) = world.items_of(told)
    world.ring(told, "accepts_date", slots={item: date(2022, 6, 7)})
    assert world.row(told).state == "closed"
    world.later(hours=1)
    form = surgery(world, on=date(2022, 6, 13))
    ahead = preview_opening(world.store, form, now=world.now, revises=True)
    done = revise_opening(world.store, form, agent=world.sonia, now=world.now)
    assert ahead == done
    assert [one.told_on for one in done.withdrawn] == [date(2022, 6, 7)]
    rows = list_queue(world.store, "arlon", now=world.now).rows
    again = rows[0]
    assert again.tier == 0
    assert again.patient_id == world.row(told).patient_id
    assert "07/06" in again.why_here
    assert "13/06" in again.why_here
    assert not world.fact(item).rebooked_at
    assert {row.callback_id for row in rows[1:]} == set(others)
    with world.store.read() as connection:
        booking = connection.execute(select(tables.booking)).one()
    assert (booking.state, booking.slot_on) == ("withdrawn", date(2022, 6, 7)), "the old promise stays in the history"


def test_a_smaller_capacity_gives_way_from_the_latest_priority(world: World) -> None:
    ids = {code: world.callback(priority=code) for code in ("P4", "P1b", "P3")}
    confirm(world, surgery(world, capacity=3))
    for callback_id in ids.values():
        world.ring(callback_id, "accepts_date", slots={world.items_of(callback_id)[0]: date(2022, 6, 8)})
    done = confirm(world, surgery(world, capacity=2, on=date(2022, 6, 8)))
    assert len(done.withdrawn) == 1
    assert not world.fact(world.items_of(ids["P4"])[0]).rebooked_at
    assert world.fact(world.items_of(ids["P1b"])[0]).rebooked_at


def test_closing_lets_those_wait_again_whom_nobody_rang(world: World) -> None:
    ids = [world.callback() for _number in range(3)]
    confirm(world, surgery(world))
    world.ring(ids[0], "busy")
    done = confirm(world, OpeningForm(world.service(), TODAY, OpeningState.CLOSED, reason="panne"))
    assert done.called_back == 2
    assert released(world) == {ids[0]}


def test_withdrawn_only_while_nobody_was_told(world: World) -> None:
    callback_id = world.callback()
    confirm(world, surgery(world))
    done = withdraw_opening(world.store, world.service(), "erreur", agent=world.sonia, now=world.now)
    assert done.called_back == 1
    assert released(world) == set()
    confirm(world, surgery(world))
    world.ring(callback_id, "accepts_date", slots={world.items_of(callback_id)[0]: date(2022, 6, 8)})
    with pytest.raises(RuleBroken, match="revise"):
        withdraw_opening(world.store, world.service(), "erreur", agent=world.sonia, now=world.now)


def test_a_protected_service_is_released_at_once(world: World) -> None:
    callback_id = world.callback(code=protected(world), priority="P3")
    row = world.row(callback_id)
    assert row.released_at
    assert row.release_why == "protected"


def protected(world: World) -> str:
    return next(service.code for service in world.reference.services_of("arlon") if service.is_protected)


def test_history_answers_what_was_planned_when(world: World) -> None:
    service_id = world.service(site_id="marche")
    at_first = world.now
    world.later(hours=2)
    form = OpeningForm(service_id, date(2022, 6, 2), capacity_a_day=15)
    revise_opening(world.store, form, agent=world.sonia, now=world.now)
    lines = {line.service_id: line for line in list_services(world.store, now=world.now, as_of=at_first)}
    assert lines[service_id].planned
    assert lines[service_id].planned.opens_on == date(2022, 6, 1)
    lines = {line.service_id: line for line in list_services(world.store, now=world.now)}
    assert lines[service_id].planned
    assert lines[service_id].planned.opens_on == date(2022, 6, 2)


@pytest.mark.parametrize(
    ("capacity", "on", "words"),
    [
        (0, TODAY, "cannot be"),
        (10_000, TODAY, "cannot be"),
        (None, TODAY, "how many"),
        (4, date(2022, 5, 30), "past"),
    ],
)
def test_what_cannot_be_is_refused(world: World, capacity: int | None, on: date, words: str) -> None:
    with pytest.raises(RuleBroken, match=words):
        confirm(world, surgery(world, capacity=capacity, on=on))


def test_only_supervisors_and_only_what_they_saw(world: World) -> None:
    with pytest.raises(RuleBroken, match="supervisor"):
        confirm_opening(world.store, surgery(world), agent=world.amelie, now=world.now)
    seen = next(
        line for line in list_services(world.store, "arlon", now=world.now) if line.service_id == world.service()
    )
    confirm(world, surgery(world, seen_id=seen.newest_id))
    with pytest.raises(RuleBroken, match="meanwhile"):
        confirm(world, surgery(world, capacity=9, seen_id=seen.newest_id))


def test_a_second_plan_is_refused(world: World) -> None:
    with pytest.raises(RuleBroken, match="planned"):
        plan_opening(world.store, surgery(world, on=date(2022, 6, 9)), agent=world.sonia, now=world.now)


def test_full_days_are_refused_and_the_free_ones_named(world: World) -> None:
    confirm(world, surgery(world, capacity=1))
    first, second = world.callback(released=True), world.callback(released=True)
    world.ring(first, "accepts_date", slots={world.items_of(first)[0]: date(2022, 6, 8)})
    with pytest.raises(RuleBroken, match=r"full on .*08/06\. Free: .*02/06"):
        world.ring(second, "accepts_date", slots={world.items_of(second)[0]: date(2022, 6, 8)})
    with pytest.raises(RuleBroken, match="takes nobody"):
        world.ring(second, "accepts_date", slots={world.items_of(second)[0]: date(2022, 6, 6)})  # Whit Monday
    assert world.row(second).attempts == 0
