"""Openings that cannot be, and two supervisors at once: a sentence that says what is wrong and what to do."""

from datetime import date
from pathlib import Path
from threading import Barrier, Thread
from typing import Any

import pytest
from sqlalchemy import func, select

from crisisdesk.desk.openingwords import limits_words, read_limits
from crisisdesk.desk.reopening import (
    OpeningForm,
    confirm_opening,
    list_services,
    plan_opening,
    preview_opening,
    revise_opening,
    withdraw_opening,
)
from crisisdesk.domain.words import OpeningState
from crisisdesk.errors import RuleBroken
from crisisdesk.store import tables
from crisisdesk.store.engine import open_desk
from waiting import World

TODAY = date(2022, 5, 31)
SATURDAY = date(2022, 6, 4)


def surgery(world: World, **more: Any) -> OpeningForm:
    return OpeningForm(world.service(), more.pop("on", TODAY), capacity_a_day=more.pop("capacity", 4), **more)


def rows_stored(world: World) -> int:
    with world.store.read() as connection:
        return int(connection.execute(select(func.count()).select_from(tables.opening)).scalar_one())


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"on": date(2022, 5, 30)}, "30/05/2022 is past"),
        ({"on": date(2052, 5, 31)}, "31/05/2052 is more than two years away: look at the year"),
        ({"until_on": date(2052, 6, 2)}, "02/06/2052 is more than two years away: look at the year"),
        ({"capacity": 0}, "0 places a day cannot be: 1 to 2000"),
        ({"capacity": 10_000}, "10000 places a day cannot be"),
        ({"capacity": None}, "how many patients a day"),
        ({"until_on": date(2022, 5, 30)}, "cannot end on 30/05/2022 before it begins on 31/05/2022"),
        ({"limits": {"robot": 1}}, "no limit 'robot'. Known: implant, isolation"),
        ({"limits": {"implant": 5}}, "a limit lies between 0 and the 4 places"),
        ({"limits": {"implant": -1}}, "a limit lies between 0 and the 4 places"),
        ({"rooms": 0}, "0 rooms cannot be"),
        ({"rooms": 900}, "900 rooms cannot be"),
        ({"on": SATURDAY, "until_on": SATURDAY}, "Sat 04/06 is a day off: say that days off are opened too"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_is_stored(world: World, change: dict[str, Any], words: str) -> None:
    before = rows_stored(world)
    form = surgery(world, **change)
    with pytest.raises(RuleBroken, match=words):
        preview_opening(world.store, form, now=world.now)
    with pytest.raises(RuleBroken, match=words):
        confirm_opening(world.store, form, agent=world.sonia, now=world.now)
    with pytest.raises(RuleBroken, match=words):
        revise_opening(world.store, form, agent=world.sonia, now=world.now)
    assert rows_stored(world) == before


def test_a_saturday_may_be_opened_by_saying_so(world: World) -> None:
    callback_id = world.callback(released=True)
    form = surgery(world, on=SATURDAY, until_on=SATURDAY, includes_days_off=True)
    done = confirm_opening(world.store, form, agent=world.sonia, now=world.now)
    assert any("The plan stands beside it" in note for note in done.notes)
    (item,) = world.items_of(callback_id)
    world.ring(callback_id, "accepts_date", slots={item: SATURDAY})
    assert world.fact(item).rebooked_at
    line = next(one for one in list_services(world.store, "arlon", now=world.now) if one.service_id == world.service())
    assert line.planned is not None


def test_a_second_plan_names_the_first_and_offers_to_revise_it(world: World) -> None:
    with pytest.raises(RuleBroken, match="planned for Tue 31/05 already"):
        plan_opening(world.store, surgery(world, on=date(2022, 6, 9)), agent=world.sonia, now=world.now)


def test_a_plan_that_slips_does_not_say_that_places_are_lacking(world: World) -> None:
    world.callback()
    form = surgery(world, on=date(2022, 6, 9), capacity=12)
    seen = preview_opening(world.store, form, now=world.now, revises=True)
    assert list(seen.stay_reasons)[:1] == [f"{seen.staying}: a plan releases nobody, confirming it does"]


def test_an_opening_over_another_one_says_which(world: World) -> None:
    confirm_opening(world.store, surgery(world), agent=world.sonia, now=world.now)
    closed = surgery(
        world, on=date(2022, 6, 8), until_on=date(2022, 6, 9), state=OpeningState.CLOSED, capacity=None, reason="panne"
    )
    confirm_opening(world.store, closed, agent=world.sonia, now=world.now)
    seen = preview_opening(world.store, surgery(world, on=date(2022, 6, 7), capacity=6), now=world.now)
    assert any("overlaps what is confirmed: closed, from Wed 08/06 to Thu 09/06" in note for note in seen.notes)


def test_the_second_supervisor_sees_both_versions(world: World) -> None:
    def line() -> Any:
        services = list_services(world.store, "arlon", now=world.now)
        return next(one for one in services if one.service_id == world.service())

    seen = line().newest_id
    first = surgery(world, capacity=12, limits={"implant": 2}, seen_id=seen)
    confirm_opening(world.store, first, agent=world.sonia, now=world.now)
    before = rows_stored(world)
    with pytest.raises(RuleBroken) as refused:
        confirm_opening(world.store, surgery(world, capacity=6, seen_id=seen), agent=world.agent("chef"), now=world.now)
    words = str(refused.value)
    assert "Sonia changed this service meanwhile" in words
    assert "You saw: planned: partly open, from Tue 31/05, 12 a day, implant 2, 4 rooms" in words
    assert "Now: confirmed: partly open, from Tue 31/05, 12 a day, implant 2 (Sonia)" in words
    assert rows_stored(world) == before
    confirm_opening(world.store, surgery(world, seen_id=line().newest_id), agent=world.agent("chef"), now=world.now)


def test_a_service_that_nobody_had_touched_is_checked_too(world: World) -> None:
    service_id = world.service("oncology")
    line = next(one for one in list_services(world.store, "arlon", now=world.now) if one.service_id == service_id)
    assert line.history == []
    form = OpeningForm(service_id, TODAY, capacity_a_day=3, seen_id=line.newest_id)
    confirm_opening(world.store, form, agent=world.sonia, now=world.now)
    with pytest.raises(RuleBroken, match="You saw: nothing entered yet"):
        confirm_opening(world.store, form, agent=world.sonia, now=world.now)


def test_of_two_at_the_same_moment_one_is_stored(world: World, path: Path) -> None:
    service_id = world.service()
    seen = next(one for one in list_services(world.store, now=world.now) if one.service_id == service_id).newest_id
    start, outcomes = Barrier(2), []

    def decide(capacity: int) -> None:
        store = open_desk(path)
        form = OpeningForm(service_id, TODAY, capacity_a_day=capacity, seen_id=seen)
        start.wait()
        try:
            confirm_opening(store, form, agent=world.sonia, now=world.now)
            outcomes.append("stored")
        except RuleBroken as error:
            outcomes.append(str(error))
        finally:
            store.close()

    threads = [Thread(target=decide, args=(capacity,)) for capacity in (5, 6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes)[1] == "stored"
    assert "You saw" in sorted(outcomes)[0]


def test_an_opening_is_taken_back_only_while_nobody_was_told(world: World) -> None:
    callback_id = world.callback()
    confirm_opening(world.store, surgery(world), agent=world.sonia, now=world.now)
    world.later(hours=1)
    confirm_opening(world.store, surgery(world, capacity=6), agent=world.sonia, now=world.now)
    done = withdraw_opening(world.store, world.service(), "erreur", agent=world.sonia, now=world.now)
    assert done.withdrawn == []
    world.ring(callback_id, "accepts_date", slots={world.items_of(callback_id)[0]: date(2022, 6, 8)})
    with pytest.raises(RuleBroken, match="1 patient was told a day since then: revise the opening"):
        withdraw_opening(world.store, world.service(), "erreur", agent=world.sonia, now=world.now)


def test_days_that_nobody_was_told_of_may_be_taken_back_although_others_were(world: World) -> None:
    callback_id = world.callback()
    confirm_opening(world.store, surgery(world), agent=world.sonia, now=world.now)
    closed = surgery(world, on=date(2022, 6, 20), until_on=date(2022, 6, 21), state=OpeningState.CLOSED, capacity=None)
    confirm_opening(world.store, closed, agent=world.sonia, now=world.later(minutes=5))
    world.later(minutes=5)
    world.ring(callback_id, "accepts_date", slots={world.items_of(callback_id)[0]: date(2022, 6, 8)})
    done = withdraw_opening(world.store, world.service(), "panne finie", agent=world.sonia, now=world.now)
    assert done.withdrawn == []


@pytest.mark.parametrize(
    ("text", "limits"),
    [
        ("", {}),
        ("implant 2", {"implant": 2}),
        ("implants 2, isolation 1", {"implant": 2, "isolation": 1}),
        ("2 implants; 1 x isolation room", {"implant": 2, "isolation": 1}),
        ("Chambre d'isolement: 1", {"isolation": 1}),
        ("IMPLANT=0", {"implant": 0}),
    ],
)
def test_limits_are_read_as_people_write_them(world: World, text: str, limits: dict[str, int]) -> None:
    assert read_limits(text, world.reference) == limits
    assert read_limits(limits_words(limits, world.reference), world.reference) == limits


@pytest.mark.parametrize("text", ["implant", "robot 2", "2", "implant deux"])
def test_limits_that_mean_nothing_are_refused(world: World, text: str) -> None:
    with pytest.raises(RuleBroken, match="Known: implant, isolation"):
        read_limits(text, world.reference)


@pytest.mark.parametrize("text", ["implant -1", "implant: -2", "-1 implant"])
def test_a_limit_below_nothing_is_not_read_as_one_above(world: World, text: str) -> None:
    with pytest.raises(RuleBroken, match="Known: implant, isolation"):
        read_limits(text, world.reference)
