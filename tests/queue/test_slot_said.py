"""A day that is typed beside an answer that takes none: the patient who declines is given no place."""

from datetime import date

import pytest
from sqlalchemy import func, select

from crisisdesk.desk.attempts import ItemResult
from crisisdesk.desk.reopening import OpeningForm, confirm_opening
from crisisdesk.errors import RuleBroken
from crisisdesk.store import tables
from waiting import World


@pytest.mark.parametrize("code", ["declines", "informed", "treated_elsewhere", "left_to_service"])
def test_a_day_goes_with_an_accepted_date_alone(world: World, code: str) -> None:
    form = OpeningForm(world.service(), world.now.date(), capacity_a_day=12)
    confirm_opening(world.store, form, agent=world.sonia, now=world.now)
    callback_id = world.callback(released=True)
    (item,) = world.items_of(callback_id)
    said = {item: ItemResult(code, slot_on=date(2022, 6, 9))}
    with pytest.raises(RuleBroken, match="a day goes with"):
        world.ring(callback_id, "informed", note="non", items=said)
    with world.store.read() as connection:
        assert connection.execute(select(func.count()).select_from(tables.booking)).scalar_one() == 0
    assert not world.fact(item).decided_at
