"""A session, days or a service put off at once: whoever was told is rung first, nothing of the past changes."""

from datetime import date, time
from typing import Any

import pytest
from sqlalchemy import select

from crisisdesk.desk.booking import offer_slots
from crisisdesk.desk.postponing import PostponeForm, postpone, preview_postponing
from crisisdesk.desk.reopening import OpeningForm, confirm_opening, list_services, withdraw_opening
from crisisdesk.desk.telling import list_told
from crisisdesk.domain.words import OpeningState, PartOfDay
from crisisdesk.errors import RuleBroken
from crisisdesk.store import journal, tables
from waiting import World

WEDNESDAY, THURSDAY, FRIDAY = date(2022, 6, 8), date(2022, 6, 9), date(2022, 6, 10)


def opened(world: World, capacity: int = 4, **more: Any) -> None:
    form = OpeningForm(world.service(), date(2022, 5, 31), capacity_a_day=capacity, **more)
    confirm_opening(world.store, form, agent=world.sonia, now=world.now)


def told(world: World, day: date, at: time | None = None, **about: Any) -> int:
    """A patient who was told a place; gives the postponement."""
    callback_id = world.callback(released=True, **about)
    (item,) = world.items_of(callback_id)
    world.ring(callback_id, "accepts_date", slots={item: day})
    if at is not None:
        with world.store.write() as connection:
            where = tables.booking.c.postponement_id == item
            connection.execute(tables.booking.update().where(where).values(slot_time=at))
    return item


def form(world: World, on: date, **more: Any) -> PostponeForm:
    return PostponeForm(world.service(), on, **{"reason": "seconde panne", **more})


def put_off(world: World, asked: PostponeForm) -> Any:
    ahead = preview_postponing(world.store, asked, now=world.now)
    done = postpone(world.store, asked, agent=world.sonia, now=world.now)
    assert ahead == done
    return done


def line(world: World) -> Any:
    services = list_services(world.store, "arlon", now=world.now)
    return next(one for one in services if one.service_id == world.service())


def test_a_day_is_put_off_and_the_next_one_stands(world: World) -> None:
    opened(world)
    lost, kept = [told(world, WEDNESDAY) for _number in range(3)], told(world, THURSDAY)
    done = put_off(world, form(world, WEDNESDAY, until_on=WEDNESDAY))
    assert [(one.told_on, one.now_on) for one in done.withdrawn] == [(WEDNESDAY, THURSDAY)] * 3
    for item in lost:
        fact = world.fact(item)
        assert fact.rebooked_at is None
        assert fact.original_on == date(2022, 5, 17), "the wait counts from the original day"
    assert world.fact(kept).rebooked_at
    with world.store.read() as connection:
        rows = connection.execute(select(tables.booking).where(tables.booking.c.state == "withdrawn")).all()
        callbacks = connection.execute(select(tables.callback).where(tables.callback.c.state == "waiting")).all()
        entries = journal.entries(connection, limit=50)
    assert {row.withdrawn_why for row in rows} == {"postponed"}
    assert {row.withdrawn_by for row in rows} == {world.sonia.agent_id}
    assert [(row.tier, row.why["slipped"]["told_on"]) for row in callbacks] == [(0, "2022-06-08")] * 3
    assert all(row.released_at for row in callbacks), "they are owed a call although the service is closed"
    (entry,) = [entry for entry in entries if entry.action == "opening.actual" and "panne" in entry.detail["reason"]]
    assert entry.detail["state"] == ["partial", "closed"]
    assert [one.why for one in list_told(world.store, world.service(), now=world.now)].count(
        "all put off again"
    ) == 3  # fmt: skip
    newest = line(world).history[-1]
    assert (newest.state, newest.opens_on, newest.until_on) == (OpeningState.CLOSED, WEDNESDAY, WEDNESDAY)


def test_a_service_is_put_off_until_further_notice(world: World) -> None:
    opened(world)
    told_days = [WEDNESDAY, THURSDAY, date(2022, 6, 20)]
    items = [told(world, day) for day in told_days]
    waiting = world.callback()
    done = put_off(world, form(world, THURSDAY))
    assert [(one.told_on, one.now_on) for one in done.withdrawn] == [(day, date(2022, 6, 2)) for day in told_days[1:]]
    assert world.fact(items[0]).rebooked_at
    assert offer_slots(world.store, world.service(), now=world.now)[-1].slot_on < THURSDAY
    with pytest.raises(RuleBroken, match="closed then already"):
        put_off(world, form(world, FRIDAY))
    done = put_off(world, form(world, date(2022, 5, 31)))
    assert [(one.told_on, one.now_on) for one in done.withdrawn] == [(WEDNESDAY, None)]
    assert offer_slots(world.store, world.service(), now=world.now) == []
    assert world.row(waiting).released_at is None, "nobody else is rung for a service without places"


def test_a_session_leaves_the_other_one(world: World) -> None:
    opened(world, 4, limits={"implant": 4})
    morning, afternoon = told(world, WEDNESDAY, time(8, 30)), told(world, WEDNESDAY, time(14, 0))
    without_hour = [told(world, WEDNESDAY, priority=code) for code in ("P2", "P4")]
    done = put_off(world, form(world, WEDNESDAY, until_on=WEDNESDAY, part=PartOfDay.MORNING))
    assert len(done.withdrawn) == 2
    assert world.fact(morning).rebooked_at is None
    assert world.fact(without_hour[1]).rebooked_at is None, "two places are left: P4 gives way"
    assert world.fact(afternoon).rebooked_at
    assert world.fact(without_hour[0]).rebooked_at
    newest = line(world).history[-1]
    assert (newest.capacity_a_day, newest.opens_on, newest.until_on) == (2, WEDNESDAY, WEDNESDAY)
    assert newest.limits == {"implant": 2}


def test_sessions_of_several_days_and_no_places_left(world: World) -> None:
    opened(world)
    told(world, THURSDAY, time(9, 0))
    done = put_off(world, form(world, WEDNESDAY, until_on=date(2022, 6, 13), part=PartOfDay.MORNING, places_left=0))
    assert len(done.withdrawn) == 1
    history = line(world).history
    closed = [(row.opens_on, row.until_on) for row in history if "panne" in row.reason]
    monday = date(2022, 6, 13)
    assert closed == [(WEDNESDAY, FRIDAY), (monday, monday)], "the weekend between them is off anyway"
    days = [slot.slot_on for slot in offer_slots(world.store, world.service(), now=world.now, count=9)]
    assert not {WEDNESDAY, THURSDAY, FRIDAY, date(2022, 6, 13)} & set(days)


def test_putting_off_can_be_taken_back_while_nobody_was_rung(world: World) -> None:
    opened(world)
    put_off(world, form(world, WEDNESDAY, until_on=THURSDAY))
    withdraw_opening(world.store, world.service(), "réparé", agent=world.sonia, now=world.later(hours=1))
    days = [slot.slot_on for slot in offer_slots(world.store, world.service(), now=world.now, count=9)]
    assert {WEDNESDAY, THURSDAY} <= set(days)


@pytest.mark.parametrize(
    ("on", "more", "words"),
    [
        (date(2022, 5, 30), {}, "30/05/2022 is past"),
        (THURSDAY, {"until_on": WEDNESDAY}, "cannot end on 08/06/2022 before it begins"),
        (THURSDAY, {"until_on": date(2024, 1, 1)}, "more than a year"),
        (WEDNESDAY, {"reason": " "}, "Say why"),
        (WEDNESDAY, {"places_left": -1}, "-1 places left cannot be"),
        (date(2022, 6, 11), {"until_on": date(2022, 6, 12), "part": PartOfDay.MORNING}, "Nothing takes place"),
    ],
)
def test_what_cannot_be_put_off(world: World, on: date, more: dict[str, Any], words: str) -> None:
    opened(world)
    with pytest.raises(RuleBroken, match=words):
        postpone(world.store, form(world, on, **more), agent=world.sonia, now=world.now)


def test_only_supervisors_and_only_what_they_saw(world: World) -> None:
    opened(world)
    with pytest.raises(RuleBroken, match="supervisor"):
        postpone(world.store, form(world, WEDNESDAY), agent=world.amelie, now=world.now)
    seen = line(world).newest_id
    put_off(world, form(world, WEDNESDAY, until_on=WEDNESDAY, seen_id=seen))
    with pytest.raises(RuleBroken, match=r"You saw: confirmed: partly open.*Now: confirmed: closed, on Wed 08/06 only"):
        postpone(world.store, form(world, THURSDAY, seen_id=seen), agent=world.sonia, now=world.now)
