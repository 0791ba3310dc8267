"""A window in which nobody rings is promised to no patient: Sunday, a holiday, the night, yesterday."""

from datetime import UTC, datetime, timedelta

import pytest

from crisisdesk.domain.wishes import Wish
from crisisdesk.errors import RuleBroken
from waiting import World


def window(day: int, start: int, end: int) -> Wish:
    """Hours of Brussels, summer time."""
    return Wish(*(datetime(2022, 5, 1, hour, tzinfo=UTC) + timedelta(days=day - 1, hours=-2) for hour in (start, end)))


@pytest.mark.parametrize(
    ("asked", "instead"),
    [
        (window(36, 10, 12), "Tue 07/06 08:00"),  # Sunday 5 June; Monday is Whit Monday
        (window(37, 10, 12), "Tue 07/06 08:00"),
        (window(31, 21, 22), "Wed 01/06 08:00"),
        (window(30, 10, 12), "10:00"),  # yesterday
    ],
)
def test_a_window_without_calling_hours_is_refused_with_the_first_that_can_be_kept(
    world: World, asked: Wish, instead: str
) -> None:
    callback_id = world.callback(released=True)
    with pytest.raises(RuleBroken, match=f"agree on another one, from {instead} on"):
        world.ring(callback_id, "asks_later", asked=asked)
    assert world.row(callback_id).promised_until is None


def test_a_window_that_reaches_into_the_calling_hours_is_kept(world: World) -> None:
    callback_id = world.callback(released=True)
    world.ring(callback_id, "asks_later", asked=window(31, 19, 22))
    row = world.row(callback_id)
    assert row.promised_from < row.promised_until
