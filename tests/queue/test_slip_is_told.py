"""A told day that no longer holds is told before that day, whatever else the patient's callback waits for."""

from datetime import UTC, date, datetime

import pytest

from crisisdesk.desk.attempts import ItemResult
from crisisdesk.desk.callbacks import CallbackCard, NothingNow, explain, take_next
from crisisdesk.desk.reopening import OpeningForm, confirm_opening, revise_opening
from crisisdesk.desk.reviews import list_held
from crisisdesk.domain.wishes import Wish
from waiting import World

TOLD, NOW_ON = date(2022, 6, 2), date(2022, 6, 9)


@pytest.fixture
def slipped(world: World, request: pytest.FixtureRequest) -> int:
    """A patient with two operations: one was told 2 June, the other waits for a clinician or a promised moment."""
    code, asked = request.param
    form = OpeningForm(world.service(), world.now.date(), capacity_a_day=12)
    confirm_opening(world.store, form, agent=world.sonia, now=world.now)
    callback_id = world.callback(released=True, items=2)
    one, other = world.items_of(callback_id)
    items = {one: ItemResult("accepts_date", slot_on=TOLD)} | ({other: ItemResult(code)} if code else {})
    world.ring(callback_id, "asks_later" if asked else "accepts_date", note="voir", items=items, asked=asked)
    form = OpeningForm(world.service(), NOW_ON, capacity_a_day=12)
    revise_opening(world.store, form, agent=world.sonia, now=world.later(hours=1))
    return callback_id


REVIEW = ("declines", None)
PROMISE = ("", Wish(datetime(2022, 6, 8, 8, tzinfo=UTC), datetime(2022, 6, 8, 10, tzinfo=UTC)))


@pytest.mark.parametrize("slipped", [REVIEW, PROMISE], indirect=True, ids=["review", "promise"])
def test_the_patient_is_rung_first_of_all(world: World, slipped: int) -> None:
    assert explain(world.store, slipped, now=world.now).obstacles == ()
    world.callback(released=True, priority="P1a")
    card = take_next(world.store, "arlon", agent=world.amelie, now=world.now)
    assert isinstance(card, CallbackCard)
    assert card.callback_id == slipped
    assert "was told Thu 02/06" in card.why_here


@pytest.mark.parametrize("slipped", [REVIEW], indirect=True)
def test_the_clinician_still_decides_once_it_was_told(world: World, slipped: int) -> None:
    world.ring(slipped, "no_answer")
    assert world.row(slipped).hold == "review"
    world.later(hours=4)
    one = world.items_of(slipped)[0]
    world.ring(slipped, "accepts_date", slots={one: NOW_ON})
    world.later(hours=1)
    assert world.row(slipped).hold == "review"
    assert isinstance(take_next(world.store, "arlon", agent=world.amelie, now=world.now), NothingNow)
    assert [row.callback_id for row in list_held(world.store, "arlon", now=world.now)] == [slipped]


@pytest.mark.parametrize("slipped", [REVIEW], indirect=True)
def test_nobody_rings_on_and_on(world: World, slipped: int) -> None:
    rung = 0
    for _step in range(60):
        answer = take_next(world.store, "arlon", agent=world.amelie, now=world.now)
        if isinstance(answer, CallbackCard):
            rung += 1
            world.ring(slipped, "no_answer")
        world.later(hours=4)
    assert rung == 6, "as often as anybody; then a letter, and the clinician"
