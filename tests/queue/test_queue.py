"""The queue of a site: its order, its reasons, and what is said when nobody can be rung."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crisisdesk.desk.callbacks import (
    NothingNow,
    explain,
    list_queue,
    open_card,
    release_lease,
    renew,
    take,
    take_next,
    take_over,
)
from crisisdesk.desk.home import count_sites
from crisisdesk.domain.wishes import Wish
from crisisdesk.domain.words import PartOfDay, Role
from crisisdesk.errors import LeaseLost, RuleBroken
from crisisdesk.i18n import in_language
from crisisdesk.store import callbacks
from crisisdesk.store.agents import mark_seen
from waiting import World


def nothing(world: World) -> NothingNow:
    answer = take_next(world.store, "arlon", agent=world.amelie, now=world.now)
    assert isinstance(answer, NothingNow)
    return answer


def test_the_empty_queue_says_which_of_them_it_is(world: World) -> None:
    assert nothing(world).reason == "all_done"
    waiting = world.callback()
    assert nothing(world).reason == "closed"
    later = world.callback(wish=Wish(not_before=world.now + timedelta(hours=3)), released=True)
    answer = nothing(world)
    assert answer.reason == "later"
    assert "13:00" in answer.words
    world.now = datetime(2022, 5, 31, 19, 0, tzinfo=UTC)
    assert nothing(world).reason == "outside_hours"
    world.now = datetime(2022, 6, 6, 9, 0, tzinfo=UTC)
    assert "Tue 07/06 08:00" in nothing(world).words  # Whit Monday
    world.now = datetime(2022, 5, 31, 12, 0, tzinfo=UTC)
    take(world.store, later, agent=world.bruno, now=world.now)
    with world.store.write() as connection:
        callbacks.close(connection, waiting, "test", None, world.now)
    assert nothing(world).reason == "all_held"


def test_every_line_says_why_here_and_why_not(world: World) -> None:
    world.callback()
    world.callback(released=True, priority="P2")
    world.callback(released=True, wish=Wish(part_of_day=PartOfDay.EVENING))
    world.callback(released=True, phones=[])
    world.callback(released=True, original_on=None, priority=None)
    held = world.callback(released=True, priority="P1a")
    take(world.store, held, agent=world.bruno, now=world.now)
    queue = list_queue(world.store, "arlon", now=world.now)
    assert [row.position for row in queue.rows] == list(range(1, 7))
    assert [(int(row.tier), row.due_at) for row in queue.rows] == sorted((int(r.tier), r.due_at) for r in queue.rows)
    assert all(row.why_here for row in queue.rows)
    assert all(bool(row.why_not) == (row.reason != "ready") for row in queue.rows)
    assert "Bruno" in queue.rows[0].why_not
    assert queue.counts == {"held": 1, "ready": 2, "not_released": 1, "part_of_day": 1, "no_number": 1}
    only = list_queue(world.store, "arlon", now=world.now, only="no_number")
    assert [row.position for row in only.rows] == [row.position for row in queue.rows if row.reason == "no_number"]
    assert only.hidden == 5
    for row in queue.rows:
        assert (row.why_not in explain(world.store, row.callback_id, now=world.now).why_not) or not row.why_not


def test_next_takes_in_order_and_never_a_line_that_says_why_not(world: World) -> None:
    for code in ("P4", "P3", None, "P1b", "P2"):
        world.callback(released=True, priority=code)
        world.callback(priority=code)
    wanted = [row.callback_id for row in list_queue(world.store, "arlon", now=world.now).rows if not row.why_not]
    taken = []
    while not isinstance(card := take_next(world.store, "arlon", agent=world.amelie, now=world.now), NothingNow):
        taken.append(card.callback_id)
        world.ring(card.callback_id, "treated_elsewhere", note="à Luxembourg")
    assert taken == wanted


def test_an_agent_who_holds_one_gets_it_again(world: World) -> None:
    world.callback(released=True)
    world.callback(released=True)
    first, again = (take_next(world.store, "arlon", agent=world.amelie, now=world.now) for _time in range(2))
    assert not isinstance(first, NothingNow)
    assert not isinstance(again, NothingNow)
    assert first.lease == again.lease


def test_expiry_frees_it_for_the_next_and_renewal_keeps_it(world: World) -> None:
    callback_id = world.callback(released=True)
    card = take_next(world.store, "arlon", agent=world.amelie, now=world.now)
    assert not isinstance(card, NothingNow)
    assert card.lease
    world.later(minutes=6)
    longer = renew(world.store, card.lease, now=world.now)
    world.later(minutes=9)
    assert isinstance(take_next(world.store, "arlon", agent=world.bruno, now=world.now), NothingNow)
    world.later(minutes=2)
    other = take_next(world.store, "arlon", agent=world.bruno, now=world.now)
    assert not isinstance(other, NothingNow)
    assert other.lease
    assert (other.callback_id, other.lease.generation) == (callback_id, longer.generation + 1)
    with pytest.raises(LeaseLost, match="Bruno"):
        renew(world.store, longer, now=world.now)


def test_giving_back_and_taking_away(world: World) -> None:
    callback_id = world.callback(released=True)
    card = take(world.store, callback_id, agent=world.amelie, now=world.now)
    assert card.lease
    with pytest.raises(RuleBroken, match="why"):
        release_lease(world.store, card.lease, " ", agent=world.amelie, now=world.now)
    release_lease(world.store, card.lease, "appelée ailleurs", agent=world.amelie, now=world.now)
    again = take(world.store, callback_id, agent=world.bruno, now=world.now)
    with pytest.raises(RuleBroken, match="supervisor"):
        take_over(world.store, callback_id, agent=world.amelie, now=world.now)
    with pytest.raises(RuleBroken, match="Bruno holds"):  # the supervisor saw another one hold it
        take_over(world.store, callback_id, agent=world.sonia, now=world.now, holder="Amélie")
    take_over(world.store, callback_id, agent=world.sonia, now=world.now)
    assert again.lease
    with pytest.raises(LeaseLost):
        renew(world.store, again.lease, now=world.now)


def test_a_personal_callback_goes_back_to_the_pool(world: World) -> None:
    patient_id = world.patient()
    with world.store.write() as connection:
        callbacks.hold(
            connection, patient_id=patient_id, site_id="arlon", postponement_ids=[], released=True, call_id=None,
            wish=Wish(until=world.now + timedelta(hours=2)), agent_id=None, now=world.now,
            for_agent_id=world.bruno.agent_id,
        )  # fmt: skip
        mark_seen(connection, world.bruno.agent_id, world.now)
    assert isinstance(take_next(world.store, "arlon", agent=world.amelie, now=world.now), NothingNow)
    assert "Bruno" in list_queue(world.store, "arlon", now=world.now).rows[0].why_not
    world.later(hours=3)
    assert not isinstance(take_next(world.store, "arlon", agent=world.amelie, now=world.now), NothingNow)


def test_the_card_has_what_an_agent_needs(world: World) -> None:
    callback_id = world.callback(released=True, items=2, phones=["+3263231111", "+32470123456"])
    world.ring(callback_id, "third_party", note="sa fille, rappeler le soir")
    card = open_card(world.store, callback_id, agent=world.amelie, now=world.now)
    assert card.lease is None
    assert [line.note for line in card.history] == ["sa fille, rappeler le soir"]
    assert card.history[0].by == "Amélie"
    assert [number.number for number in card.numbers] == ["+3263231111", "+32470123456"]
    assert len(card.items) == 2
    assert card.instruction
    assert world.reference.desk.public_number in card.voicemail_words


def test_one_open_callback_a_patient_and_site(world: World) -> None:
    callback_id = world.callback()
    row = world.row(callback_id)
    more = world.postponement(row.patient_id, priority="P1b", original_on=date(2022, 5, 20))
    with world.store.write() as connection:
        same = callbacks.hold(
            connection, patient_id=row.patient_id, site_id="arlon", postponement_ids=[more, more], wish=None,
            released=False, call_id=None, agent_id=None, now=world.now,
        )  # fmt: skip
    assert same == callback_id
    assert len(world.items_of(callback_id)) == 2
    after = world.row(callback_id)
    assert (after.tier, after.due_at) < (row.tier, row.due_at)


def test_a_settled_callback_cannot_be_served(world: World) -> None:
    callback_id = world.callback(released=True)
    take(world.store, callback_id, agent=world.bruno, now=world.now)
    with world.store.write() as connection, pytest.raises(LeaseLost, match="Bruno"):
        callbacks.settle(connection, callback_id, "treated_elsewhere", world.amelie.agent_id, world.now, None)
    world.later(minutes=11)
    with world.store.write() as connection:
        callbacks.settle(connection, callback_id, "treated_elsewhere", world.amelie.agent_id, world.now, None)
    assert world.fact(world.items_of(callback_id)[0]).reached_at
    with pytest.raises(RuleBroken, match="closed"):
        take(world.store, callback_id, agent=world.bruno, now=world.now)


WAYS = ("no_answer", "busy", "worse", "treated_elsewhere", "skip", "expire")
steps = st.lists(
    st.tuples(st.sampled_from(WAYS), st.integers(0, 300)),
    min_size=1,
    max_size=12,
)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps, st.lists(st.sampled_from([None, "P1a", "P2", "P3", "P4"]), min_size=1, max_size=6))
def test_the_order_is_total_and_what_is_served_is_the_first_that_may(
    world: World, steps: list[tuple[str, int]], codes: list[str | None]
) -> None:
    """Whatever happened before: positions are 1..n, and Next is the first line without a reason against it."""
    world.now = datetime(2022, 5, 31, 8, 0, tzinfo=UTC)
    with world.store.write() as connection:
        connection.exec_driver_sql(
            "UPDATE callback SET state='closed', closed_at='x', leased_by=NULL WHERE state<>'closed'"
        )
    for code in codes:
        world.callback(released=True, priority=code)
    for what, minutes in steps:
        world.later(minutes=minutes)
        queue = list_queue(world.store, "arlon", now=world.now)
        assert [row.position for row in queue.rows] == list(range(1, len(queue.rows) + 1))
        first = next((row.callback_id for row in queue.rows if not row.why_not), None)
        answer = take_next(world.store, "arlon", agent=world.amelie, now=world.now)
        assert (None if isinstance(answer, NothingNow) else answer.callback_id) == first
        if isinstance(answer, NothingNow):
            continue
        if what == "skip":
            assert answer.lease
            release_lease(world.store, answer.lease, "suivant", agent=world.amelie, now=world.now)
        elif what == "expire":
            world.later(minutes=11)
        else:
            world.ring(answer.callback_id, what, note="note")


def test_the_home_screen_counts_what_the_queue_calls_ready(world: World) -> None:
    world.callback(released=True)
    world.callback(released=True, phones=[])
    tried = world.callback(released=True)
    world.ring(tried, "busy")
    held = world.callback(released=True)
    take(world.store, held, agent=world.bruno, now=world.now)
    world.callback()
    counts = list_queue(world.store, "arlon", now=world.now).counts
    (arlon,) = [site for site in count_sites(world.store, now=world.now) if site.site_id == "arlon"]
    assert (arlon.ringable, arlon.open) == (counts["ready"], sum(counts.values())) == (1, 5)
    world.later(hours=1)  # the lease ran out, the tried one has rested
    (arlon,) = [site for site in count_sites(world.store, now=world.now) if site.site_id == "arlon"]
    assert arlon.ringable == list_queue(world.store, "arlon", now=world.now).counts["ready"] == 3


def test_an_auditor_reads_and_rings_nobody(world: World) -> None:
    callback_id = world.callback(released=True)
    auditor = replace(world.amelie, role=Role.AUDITOR)
    with pytest.raises(RuleBroken, match="auditor"):
        take(world.store, callback_id, agent=auditor, now=world.now)
    with pytest.raises(RuleBroken, match="auditor"):
        take_next(world.store, "arlon", agent=auditor, now=world.now)
    assert open_card(world.store, callback_id, agent=auditor, now=world.now).lease is None


def test_one_patient_at_a_time(world: World) -> None:
    first, second = world.callback(released=True), world.callback(released=True)
    take(world.store, first, agent=world.amelie, now=world.now)
    with pytest.raises(RuleBroken, match=f"still hold callback {first}"):
        take(world.store, second, agent=world.amelie, now=world.now)
    assert take(world.store, first, agent=world.amelie, now=world.now).lease is not None  # the same one again
    assert take(world.store, second, agent=world.bruno, now=world.now).lease is not None


def test_a_closed_callback_is_refused_in_words(world: World) -> None:
    callback_id = world.callback(released=True)
    world.ring(callback_id, "treated_elsewhere", note="à Namur")
    with in_language("fr"), pytest.raises(RuleBroken, match="déjà traité ailleurs"):
        explain(world.store, callback_id, now=world.now)
