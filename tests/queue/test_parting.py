"""Two records that were one are parted again, whatever came in between: each has what is theirs, nobody is lost."""

import pytest

from accounts import faults
from crisisdesk.desk.patients import confirm_death, merge_patients, report_death, split_pair
from crisisdesk.desk.unplaced import place_item
from crisisdesk.errors import RuleBroken
from crisisdesk.store import callbacks
from waiting import World


@pytest.fixture
def two(world: World) -> tuple[int, int]:
    """Two records with an operation each."""
    return tuple(world.row(world.callback()).patient_id for _number in range(2))  # type: ignore[return-value]


def merge(world: World, stays: int, gone: int) -> None:
    assert merge_patients(world.store, stays, gone, agent=world.bruno, now=world.now) == stays
    assert faults(world.store, world.now) == []


def split(world: World, stays: int, gone: int) -> None:
    split_pair(world.store, stays, gone, agent=world.bruno, now=world.later(minutes=1))
    assert faults(world.store, world.now) == []


def owners(world: World) -> list[tuple[int, int]]:
    """(patient, patient of the open callback) of every postponement that waits in one."""
    sql = """SELECT p.patient_id, c.patient_id FROM postponement p JOIN callback_item i ON i.postponement_id = p.id
        JOIN callback c ON c.id = i.callback_id WHERE c.state <> 'closed' ORDER BY p.id"""
    with world.store.read() as connection:
        return [tuple(row) for row in connection.exec_driver_sql(sql)]  # type: ignore[misc]


def test_what_came_after_the_merge_is_not_read_by_the_other(world: World, two: tuple[int, int]) -> None:
    """A postponement of the one was put into the callback that then goes back to the other."""
    stays = world.row(world.callback(site_id="marche")).patient_id
    merge(world, stays, two[1])
    late = world.postponement(stays, site_id="arlon")
    place_item(world.store, late, "arlon", world.service(), agent=world.sonia, now=world.now)
    split(world, stays, two[1])
    assert all(one == other for one, other in owners(world))
    assert len(owners(world)) == 4


def test_an_inner_pair_is_parted_after_the_outer_one(world: World, two: tuple[int, int]) -> None:
    third = world.row(world.callback()).patient_id
    merge(world, two[0], two[1])
    merge(world, third, two[0])
    with pytest.raises(RuleBroken, match=f"patient {third} afterwards"):
        split_pair(world.store, *two, agent=world.bruno, now=world.now)
    split(world, third, two[0])
    split(world, *two)
    assert [one for one, _other in owners(world)] == [two[0], two[1], third]


def test_a_callback_that_was_replaced_meanwhile_is_not_opened_twice(world: World) -> None:
    """The kept callback was on the line at the merge, was settled, and the other record has a new one at the site."""
    kept, closed = world.callback(released=True), world.callback(released=True)
    gone, stays = world.row(kept).patient_id, world.row(closed).patient_id
    from crisisdesk.desk.callbacks import take

    take(world.store, kept, agent=world.amelie, now=world.now)
    merge(world, stays, gone)
    assert world.row(closed).state == "closed"
    world.later(minutes=20)
    world.ring(kept, "treated_elsewhere", note="à Liège")
    late = world.postponement(stays)
    place_item(world.store, late, "arlon", world.service(), agent=world.sonia, now=world.now)
    split(world, stays, gone)
    assert all(one == other for one, other in owners(world))


def test_who_was_taken_for_dead_by_a_merge_is_rung_again(world: World, two: tuple[int, int]) -> None:
    dead, lives = two
    report_death(world.store, dead, agent=world.amelie, now=world.now)
    confirm_death(world.store, dead, agent=world.bruno, now=world.now)
    merge(world, lives, dead)
    with world.store.read() as connection:
        assert callbacks.is_said_dead(connection, lives)
    split(world, lives, dead)
    with world.store.read() as connection:
        assert not callbacks.is_said_dead(connection, lives)
        assert callbacks.is_said_dead(connection, dead)
    assert owners(world) == [(lives, lives)]
