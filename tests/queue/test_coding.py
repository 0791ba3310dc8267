"""Priorities: a named clinician's entry, what it does to the queue, the lists of what is uncoded, near or past."""

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from crisisdesk.desk.callbacks import list_queue, take
from crisisdesk.desk.coding import CodingList, code_priority, list_coding
from crisisdesk.desk.linking import confirm_reported, undo_reported
from crisisdesk.domain.priority import WaitingItem, clinical_limit, last_day_past
from crisisdesk.errors import RuleBroken
from crisisdesk.store import tables
from waiting import World


def code(world: World, item: int, priority: str | None, **more: Any) -> Any:
    about = {"clinician": "Dr Lambert", "agent": world.sonia, "now": world.now} | more
    return code_priority(world.store, item, priority, **about)


def journal_of(world: World, item: int) -> list[Any]:
    entry = tables.journal.c
    with world.store.read() as connection:
        query = select(entry.detail).where(entry.subject == "postponement", entry.subject_id == str(item))
        found = connection.scalars(query.where(entry.action == "postponement.priority_coded").order_by(entry.seq)).all()
    return [json.loads(one) if isinstance(one, str) else one for one in found]


def item_of(world: World, **about: Any) -> int:
    return world.items_of(world.callback(**about))[0]


def rows(world: World, kind: CodingList, site_id: str | None = "arlon") -> list[int]:
    return [row.postponement_id for row in list_coding(world.store, kind, site_id, now=world.now).rows]


def test_a_clinicians_entry_moves_the_callback_and_is_kept_with_the_old_value(world: World) -> None:
    world.callback(released=True, priority="P3")
    callback_id = world.callback(released=True, priority=None)
    item = world.items_of(callback_id)[0]
    before = world.row(callback_id)
    done = code(world, item, "P1b", reason="douleurs")
    after, fact = world.row(callback_id), world.fact(item)
    assert (before.tier, after.tier) == (2, 1)
    assert after.due_at < before.due_at
    assert (fact.priority, fact.priority_by, fact.priority_at) == ("P1b", "Dr Lambert", world.now)
    assert (done.before, done.after, done.position) == ("", "P1b", 1)
    assert (done.due_before, done.due_after) == (before.due_at, after.due_at)
    first = list_queue(world.store, "arlon", now=world.now).rows[0]
    assert (first.callback_id, first.priority) == (callback_id, "P1b")
    (told,) = journal_of(world, item)
    assert told["priority"] == [None, "P1b"]
    assert told["tier"] == [2, 1]
    assert told["clinician"] == "Dr Lambert"


def test_only_a_supervisor_writes_down_what_a_named_clinician_said(world: World) -> None:
    item = item_of(world, priority=None)
    with pytest.raises(RuleBroken, match="supervisor"):
        code(world, item, "P2", agent=world.amelie)
    for nobody in ("", "  ", "list"):
        with pytest.raises(RuleBroken, match="clinician"):
            code(world, item, "P2", clinician=nobody)
    with pytest.raises(RuleBroken, match="P1a, P1b"):
        code(world, item, "urgent")
    with pytest.raises(RuleBroken, match="no priority"):
        code(world, item, "uncoded")
    with pytest.raises(RuleBroken, match="no postponement"):
        code(world, 999_999, "P2")
    assert world.fact(item).priority is None


def test_waiting_longer_needs_a_reason_and_waiting_less_does_not(world: World) -> None:
    item = item_of(world, priority="P2")
    with pytest.raises(RuleBroken, match="waits longer"):
        code(world, item, "P4")
    with pytest.raises(RuleBroken, match="waits longer"):
        code(world, item, None)
    code(world, item, "P4", reason="revu au lit")
    assert code(world, item, "P2").after == "P2"
    assert [entry["priority"] for entry in journal_of(world, item)] == [["P2", "P4"], ["P4", "P2"]]


def test_a_settled_postponement_takes_no_code(world: World) -> None:
    callback_id = world.callback(released=True)
    world.ring(callback_id, "treated_elsewhere", note="à Luxembourg")
    with pytest.raises(RuleBroken, match="settled"):
        code(world, world.items_of(callback_id)[0], "P1a")


def test_coding_while_somebody_rings_neither_frees_nor_renews_the_lease(world: World) -> None:
    callback_id = world.callback(released=True, priority=None)
    card = take(world.store, callback_id, agent=world.bruno, now=world.now)
    code(world, world.items_of(callback_id)[0], "P1a")
    row = world.row(callback_id)
    assert card.lease
    assert (row.leased_by, row.generation, row.tier) == (world.bruno.agent_id, card.lease.generation, 1)


def test_the_lists_hold_what_they_say_and_the_most_urgent_comes_first(world: World) -> None:
    today = date(2022, 5, 31)
    late_p4 = item_of(world, priority="P4", original_on=today - timedelta(days=190))
    late_p2 = item_of(world, priority="P2", original_on=today - timedelta(days=29))
    just_p2 = item_of(world, priority="P2", original_on=today - timedelta(days=28))
    near_p2 = item_of(world, priority="P2", original_on=today - timedelta(days=27))
    near_p3 = item_of(world, priority="P3", original_on=today - timedelta(days=77))
    far_p3 = item_of(world, priority="P3", original_on=today - timedelta(days=76))
    bare = item_of(world, priority=None, original_on=today - timedelta(days=80))
    fresh = item_of(world, priority=None)
    elsewhere = item_of(world, priority=None, site_id="marche")
    assert rows(world, CodingList.BREACHES) == [late_p2, just_p2, late_p4]
    assert rows(world, CodingList.NEAR) == [near_p2, bare, near_p3]
    assert rows(world, CodingList.UNCODED) == [bare, fresh]
    assert rows(world, CodingList.UNCODED, None) == [bare, fresh, elsewhere]
    found = list_coding(world.store, CodingList.BREACHES, "arlon", now=world.now)
    assert found.counts == {"uncoded": 2, "near": 3, "breaches": 3, "differs": 0}
    assert [row.days_left for row in found.rows] == [-1, 0, -10]
    assert "10 days past" in found.rows[2].words
    near = list_coding(world.store, CodingList.NEAR, "arlon", now=world.now).rows
    assert [row.days_left for row in near] == [1, 4, 7]
    assert near[1].words == "uncoded: 4 days left to its limit"
    assert far_p3 not in rows(world, CodingList.NEAR)
    code(world, bare, "P2")
    assert rows(world, CodingList.UNCODED) == [fresh]
    assert rows(world, CodingList.BREACHES)[0] == bare


codes = st.sampled_from([None, "P1a", "P1b", "P2", "P3", "P4", "P6"])
days = st.one_of(st.none(), st.dates(date(2021, 10, 1), date(2022, 6, 5)))


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(codes, days), min_size=1, max_size=8), st.integers(0, 60 * 24 * 120))
def test_lists_counts_and_the_rule_agree_at_any_moment(
    world: World, waiting: list[tuple[str | None, date | None]], minutes: int
) -> None:
    """Each postponement stands in the lists where `clinical_limit` puts it; near and past never share one."""
    world.now = datetime(2022, 5, 31, 8, 0, tzinfo=UTC)
    with world.store.write() as connection:
        connection.exec_driver_sql("UPDATE postponement SET done_at = '2022-05-01 00:00:00.000000'")
    made = {item_of(world, priority=priority, original_on=day): (priority, day) for priority, day in waiting}
    begun, now = world.now, world.now + timedelta(minutes=minutes)
    limits, zone = world.reference.priority_limits, world.reference.desk.time_zone
    near = timedelta(days=world.reference.desk.near_limit_days)
    ends = {key: clinical_limit(WaitingItem(key, *about, begun), limits, zone) for key, about in made.items()}
    found = {kind: list_coding(world.store, kind, "arlon", now=now) for kind in CodingList}
    listed = {kind: {row.postponement_id for row in one.rows} for kind, one in found.items()}
    assert listed[CodingList.BREACHES] == {key for key, end in ends.items() if end <= now}
    assert listed[CodingList.NEAR] == {key for key, end in ends.items() if now < end <= now + near}
    assert listed[CodingList.UNCODED] == {key for key, (priority, _day) in made.items() if priority is None}
    for kind, one in found.items():
        assert one.count == len(one.rows) == found[CodingList.NEAR].counts[kind] == sum(n for *_who, n in one.groups)
        assert all(row.days_left <= 0 for row in one.rows if kind == CodingList.BREACHES)


@given(
    st.integers(0, 60 * 24 * 1000).map(lambda minutes: datetime(2021, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)),
    st.sampled_from([timedelta(hours=24), timedelta(hours=72), timedelta(days=28), timedelta(days=84)]),
)
def test_the_last_day_past_is_the_last_one(at: datetime, limit: timedelta) -> None:
    """Also where the clock changed in between (a day of 23 or 25 hours)."""
    zone = "Europe/Brussels"
    day = last_day_past(at, limit, zone)

    def is_past(day: date) -> bool:
        return clinical_limit(WaitingItem(1, "X", day, at), {"X": limit, "uncoded": limit}, zone) <= at

    assert is_past(day)
    assert not is_past(day + timedelta(days=1))


def test_what_a_caller_told_keeps_its_code_when_a_list_tells_the_same(world: World) -> None:
    listed = item_of(world, priority="P4")
    patient_id = world.fact(listed).patient_id
    told = world.postponement(patient_id, priority=None)
    with world.store.write() as connection:
        connection.exec_driver_sql("UPDATE postponement SET source = 'caller' WHERE id = ?", (told,))
        connection.exec_driver_sql(
            "UPDATE postponement SET priority_said = 'P4', priority_by = 'list' WHERE id = ?", (listed,)
        )
    code(world, told, "P2")
    confirm_reported(world.store, told, listed, agent=world.sonia, now=world.now)
    fact = world.fact(listed)
    assert (fact.priority, fact.priority_by, fact.priority_listed) == ("P2", "Dr Lambert", "P4")
    assert rows(world, CodingList.DIFFERS) == [listed]
    (waiting,) = list_queue(world.store, "arlon", now=world.now).rows
    assert int(waiting.tier) == 1
    with pytest.raises(RuleBroken, match="code that one"):
        code(world, told, "P3", reason="x")
    undo_reported(world.store, told, agent=world.sonia, now=world.now)
    fact = world.fact(listed)
    assert (fact.priority, fact.priority_by, fact.priority_listed) == ("P4", "list", None)
