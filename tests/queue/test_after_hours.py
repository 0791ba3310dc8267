"""A call that began within the calling hours is ended after them: the agent who holds the callback finds it again."""

from datetime import UTC, datetime

import pytest

from crisisdesk.desk.attempts import AttemptForm, record_attempt
from crisisdesk.desk.callbacks import CallbackCard, NothingNow, take, take_next
from crisisdesk.errors import RuleBroken
from waiting import World

LATE, AFTER = datetime(2022, 5, 31, 17, 57, tzinfo=UTC), datetime(2022, 5, 31, 18, 2, tzinfo=UTC)  # 19:57 and 20:02


def test_what_one_holds_is_found_again_after_hours_and_nothing_else(world: World) -> None:
    held, other = world.callback(released=True), world.callback(released=True)
    world.now = LATE
    take(world.store, held, agent=world.amelie, now=LATE)
    card = take_next(world.store, "arlon", agent=world.amelie, now=AFTER)
    assert isinstance(card, CallbackCard)
    assert card.callback_id == held
    again = take(world.store, held, agent=world.amelie, now=AFTER)
    assert again.lease
    form = AttemptForm("late", held, again.lease.generation, "worse", card.number, LATE, note="douleurs")
    assert record_attempt(world.store, form, agent=world.amelie, now=AFTER).attempt_id
    nothing = take_next(world.store, "arlon", agent=world.amelie, now=AFTER)
    assert isinstance(nothing, NothingNow)
    assert nothing.reason == "outside_hours"
    with pytest.raises(RuleBroken, match="calling hours begin"):
        take(world.store, other, agent=world.amelie, now=AFTER)
