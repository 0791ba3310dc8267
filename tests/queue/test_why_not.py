"""What keeps a line out: each rule told with its end, the same rules that the take asks; and the empty queue."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crisisdesk.desk.agents import set_active
from crisisdesk.desk.callbacks import (
    Explanation,
    NothingNow,
    explain,
    list_queue,
    open_card,
    release_lease,
    take,
    take_next,
    take_over,
)
from crisisdesk.desk.patients import merge_patients, report_death
from crisisdesk.desk.reopening import OpeningForm, confirm_opening
from crisisdesk.domain.wishes import Wish
from crisisdesk.domain.words import OpeningState, PartOfDay
from crisisdesk.errors import LeaseLost, RuleBroken
from crisisdesk.store import callbacks
from crisisdesk.store.agents import mark_seen
from waiting import World


def told(world: World, callback_id: int) -> Explanation:
    return explain(world.store, callback_id, now=world.now)


def codes(world: World, callback_id: int) -> list[str]:
    return [one.code for one in told(world, callback_id).obstacles]


def change(world: World, table: str, number: int, **values: Any) -> None:
    """Change a row as nobody does, so that one rule alone is at stake."""
    names = ", ".join(f"{name} = ?" for name in values)
    cells = [f"{value:%Y-%m-%d %H:%M:%S.%f}" if isinstance(value, datetime) else value for value in values.values()]
    with world.store.write() as connection:
        connection.exec_driver_sql(f"UPDATE {table} SET {names} WHERE id = ?", (*cells, number))


def nothing(world: World) -> NothingNow:
    answer = take_next(world.store, "arlon", agent=world.amelie, now=world.now)
    assert isinstance(answer, NothingNow)
    return answer


# ---------------------------------------------------------------- each rule, alone


def _desk_closed(world: World, _one: int) -> None:
    change(world, "desk", 1, closed_at=world.now)


def _death(world: World, one: int) -> None:
    change(world, "patient", world.row(one).patient_id, death_reported_at=world.now)


def _settled(world: World, one: int) -> None:
    change(world, "postponement", world.items_of(one)[0], rebooked_at=world.now + timedelta(seconds=1))


def _handed_over(world: World, one: int) -> None:
    change(world, "postponement", world.items_of(one)[0], handed_over_at=world.now + timedelta(seconds=1))


def _matched(world: World, one: int) -> None:
    other = world.postponement(world.patient())
    change(world, "postponement", world.items_of(one)[0], matched_to_id=other)
    change(world, "callback", one, asked_at=None)  # a list brought it, nobody asked


def _personal(world: World, one: int) -> None:
    change(world, "callback", one, for_agent_id=world.bruno.agent_id)
    with world.store.write() as connection:
        mark_seen(connection, world.bruno.agent_id, world.now)


def _no_number(world: World, one: int) -> None:
    with world.store.write() as connection:
        connection.exec_driver_sql(
            "UPDATE phone SET found_wrong_at = 'x' WHERE patient_id = ?", (world.row(one).patient_id,)
        )


def _on_line(world: World, one: int) -> None:
    patient_id = world.row(one).patient_id
    item = world.postponement(patient_id, site_id="marche")
    with world.store.write() as connection:
        other = callbacks.hold(
            connection, patient_id=patient_id, site_id="marche", postponement_ids=[item], wish=None, released=True,
            call_id=None, agent_id=None, now=world.now,
        )  # fmt: skip
    take(world.store, other, agent=world.bruno, now=world.now)


def _capped(world: World, one: int) -> None:
    number = open_card(world.store, one, agent=world.sonia, now=world.now).number
    other = world.callback(phones=[number])
    with world.store.write() as connection:
        for place in range(world.reference.desk.attempts_per_number_a_day):
            connection.exec_driver_sql(
                "INSERT INTO attempt (uid, callback_id, agent_id, generation, number, started_at, ended_at, entered_at,"
                " disposition, reach, next_step) VALUES (?, ?, 1, 1, ?, ?, ?, ?, 'no_answer', 'nobody', 'retry')",
                (f"cap{place}", other, number, *[f"{world.now:%Y-%m-%d %H:%M:%S.%f}"] * 3),
            )


Keeping = Callable[[World, int], Any]
ALONE: dict[str, tuple[Keeping, str, str | None]] = {
    "held": (lambda world, one: take(world.store, one, agent=world.bruno, now=world.now), "held by Bruno until 10:10",
             "2022-05-31 08:10"),
    "desk_closed": (_desk_closed, "the desk is closed", None),
    "confirm_death": (_death, "a second agent confirms", None),
    "review": (lambda world, one: change(world, "callback", one, hold="review"), "a clinician decides", None),
    "number_search": (lambda world, one: (_no_number(world, one), change(world, "callback", one, hold="number_search")),
                      "a number is being searched", None),
    "settled": (_settled, "nothing is left to settle", None),
    "settled ": (_handed_over, "handed over", None),
    "settled  ": (_matched, "nothing is left to settle", None),
    "not_released": (lambda world, one: change(world, "callback", one, released_at=None, release_why=""),
                     "Operating theatre", None),
    "not_before": (lambda world, one: change(world, "callback", one, not_before=world.now + timedelta(hours=3)),
                   "not before 13:00", "2022-05-31 11:00"),
    "rest": (lambda world, one: change(world, "callback", one, last_attempt_at=world.now - timedelta(minutes=5)),
             "was tried at 09:55: left in peace until 10:10", "2022-05-31 08:10"),
    "part_of_day": (lambda world, one: change(world, "callback", one, part_of_day="evening"),
                    "in the evening, from 17:00", "2022-05-31 15:00"),
    "personal": (_personal, "Bruno promised to ring in person", None),
    "no_number": (_no_number, "no telephone number is known", None),
    "on_line": (_on_line, "Bruno is ringing this person or number now, until 10:10 at the latest", "2022-05-31 08:10"),
    "capped": (_capped, "rung 3 times today: again from Wed 01/06 08:00", "2022-06-01 06:00"),
}  # fmt: skip
REFUSED_OUT_OF_TURN = {"held", "desk_closed", "confirm_death", "review", "settled", "on_line"}


@pytest.mark.parametrize("name", ALONE)
def test_each_rule_alone_keeps_it_out_of_everything_and_says_until_when(world: World, name: str) -> None:
    """List, counts, explanation, Next and taking out of turn: the same rule, asked by each of them."""
    one = world.callback(released=True, priority="P1a")
    assert codes(world, one) == []
    keep, words, until = ALONE[name]
    keep(world, one)
    name = name.strip()
    assert codes(world, one) == [name]
    (obstacle,) = told(world, one).obstacles
    assert words in obstacle.words or name == "not_released"
    assert (f"{obstacle.until:%Y-%m-%d %H:%M}" if obstacle.until else None) == until
    assert told(world, one).earliest == obstacle.until
    queue = list_queue(world.store, "arlon", now=world.now)
    (line,) = [row for row in queue.rows if row.callback_id == one]
    assert (line.reason, line.why_not) == (name, obstacle.words)
    assert queue.counts[name] >= 1
    assert queue.counts.get("ready", 0) == 0
    assert nothing(world).reason != "all_done"
    if name in REFUSED_OUT_OF_TURN:
        with pytest.raises((RuleBroken, LeaseLost)):
            take(world.store, one, agent=world.amelie, now=world.now)
    elif name not in ("number_search", "no_number"):
        assert take(world.store, one, agent=world.amelie, now=world.now).lease


def test_all_rules_are_told_and_the_last_of_them_says_when(world: World) -> None:
    one = world.callback(released=True)
    change(
        world, "callback", one, not_before=world.now + timedelta(hours=1), part_of_day="evening",
        last_attempt_at=world.now,
    )  # fmt: skip
    assert codes(world, one) == ["not_before", "rest", "part_of_day"]
    assert told(world, one).earliest == datetime(2022, 5, 31, 15, 0, tzinfo=UTC)
    world.now = datetime(2022, 5, 31, 19, 0, tzinfo=UTC)
    assert codes(world, one) == ["outside_hours"]
    assert told(world, one).why_not == ("outside calling hours until Wed 01/06 08:00",)
    assert told(world, one).earliest == datetime(2022, 6, 1, 15, 0, tzinfo=UTC)
    change(world, "callback", one, released_at=None, hold="review")
    assert codes(world, one) == ["review", "not_released", "outside_hours"]
    assert told(world, one).earliest is None, "it waits for somebody"


def test_an_undone_attempt_counts_nowhere(world: World) -> None:
    one = world.callback(released=True)
    _capped(world, one)
    assert codes(world, one) == ["capped"]
    with world.store.write() as connection:
        connection.exec_driver_sql("UPDATE attempt SET undone_at = started_at WHERE uid = 'cap0'")
    assert codes(world, one) == []
    assert take_next(world.store, "arlon", agent=world.amelie, now=world.now).callback_id == one  # type: ignore[union-attr]


def test_a_part_of_the_day_that_no_calling_hours_reach_counts_as_any(world: World) -> None:
    with world.store.write() as connection:
        connection.exec_driver_sql(
            "UPDATE desk SET calls_until = '16:00:00.000000', reference_version = reference_version + 1"
        )
    one = world.callback(released=True, wish=Wish(part_of_day=PartOfDay.EVENING))
    assert codes(world, one) == []


def test_asked_after_all_was_settled_is_still_rung(world: World) -> None:
    """She has her new date and asks to be rung about it: that is a promise, whatever is settled."""
    one = world.callback(released=True)
    _settled(world, one)
    assert codes(world, one) == ["settled"]
    world.later(minutes=30)
    row = world.row(one)
    with world.store.write() as connection:
        callbacks.hold(
            connection, patient_id=row.patient_id, site_id="arlon", postponement_ids=world.items_of(one), wish=None,
            released=True, call_id=None, agent_id=None, now=world.now,
        )  # fmt: skip
    assert codes(world, one) == []
    world.later(minutes=30)
    _handed_over(world, one)
    assert codes(world, one) == ["settled"]


def test_a_patient_who_only_asked_to_be_rung_has_nothing_to_settle(world: World) -> None:
    patient_id = world.patient()
    with world.store.write() as connection:
        one = callbacks.hold(
            connection, patient_id=patient_id, site_id="arlon", postponement_ids=[], wish=None,
            released=True, call_id=None, agent_id=None, now=world.now,
        )  # fmt: skip
    assert codes(world, one) == []


def test_close_settled_ends_what_has_no_reason_left_and_nothing_else(world: World) -> None:
    done, half, held = (
        world.callback(released=True),
        world.callback(released=True, items=2),
        world.callback(released=True),
    )
    take(world.store, held, agent=world.bruno, now=world.now)
    for one in (done, half, held):
        _settled(world, one)
    with world.store.write() as connection:
        change = callbacks.close_settled(connection, [done, half, held], "handed_over", world.sonia.agent_id, world.now)
    assert change == [done]
    assert world.row(done).closed_as == "handed_over"
    assert [world.row(one).state for one in (half, held)] == ["waiting", "leased"]


# ---------------------------------------------------------------- lines that change while they are looked at


def test_released_for_an_opening_that_is_closed_again(world: World) -> None:
    """A slip calls back whom nobody has rung; whoever was rung stays, and the line says that there is no place."""
    form = OpeningForm(world.service(), world.now.date(), capacity_a_day=5)
    first, second = world.callback(), world.callback()
    confirm_opening(world.store, form, agent=world.sonia, now=world.now)
    world.ring(first, "no_answer")
    closed = OpeningForm(world.service(), world.now.date(), OpeningState.CLOSED)
    confirm_opening(world.store, closed, agent=world.sonia, now=world.later(minutes=1))
    assert world.row(second).released_at is None
    assert codes(world, second) == ["not_released"]
    assert world.row(first).release_why.startswith("opening:")
    assert "closed again" in " ".join(told(world, first).row.notes)
    world.later(hours=5)
    card = take(world.store, first, agent=world.amelie, now=world.now)
    assert "closed again" in " ".join(card.notes)


def test_a_patient_merged_while_on_the_card_is_saved_to_who_stands(world: World) -> None:
    """Both have a callback here: the one on the line is kept, with what the other promised; the attempt is stored."""
    there, on_line = world.callback(released=True, priority="P1b"), world.callback(released=True)
    stays, gone = world.row(there).patient_id, world.row(on_line).patient_id
    items = {*world.items_of(there), *world.items_of(on_line)}
    card = take(world.store, on_line, agent=world.amelie, now=world.now)
    merge_patients(world.store, stays, gone, agent=world.sonia, now=world.later(minutes=1))
    row = world.row(on_line)
    assert (row.patient_id, row.state, row.tier) == (stays, "leased", 1)
    assert set(world.items_of(on_line)) == items
    assert world.row(there).closed_as == "merged"
    assert card.lease
    world.ring(on_line, "treated_elsewhere", note="à Luxembourg")
    assert world.row(on_line).state == "closed"
    assert all(world.fact(item).decided_at for item in items)


def test_merged_with_no_callback_there_keeps_the_lease(world: World) -> None:
    on_line, stays = world.callback(released=True), world.patient()
    take(world.store, on_line, agent=world.amelie, now=world.now)
    merge_patients(world.store, stays, world.row(on_line).patient_id, agent=world.sonia, now=world.now)
    world.ring(on_line, "busy")
    assert (world.row(on_line).patient_id, world.row(on_line).attempts) == (stays, 1)


def test_a_death_while_on_the_card_stops_it_and_the_words_are_kept(world: World) -> None:
    one = world.callback(released=True)
    take(world.store, one, agent=world.amelie, now=world.now)
    report_death(world.store, world.row(one).patient_id, agent=world.bruno, now=world.now)
    assert codes(world, one) == ["confirm_death"]
    with pytest.raises(RuleBroken, match="second agent"):
        take(world.store, one, agent=world.amelie, now=world.now)


# ---------------------------------------------------------------- the empty queue


def test_the_empty_queue_names_what_it_waits_for(world: World) -> None:
    assert nothing(world).reason == "all_done"
    world.callback()
    answer = nothing(world)
    assert answer.reason == "closed"
    assert "planned for Tue 31/05" in answer.words
    assert "1 callback waits" in answer.words
    tried = world.callback(released=True)
    world.ring(tried, "worse", note="jambe froide")
    answer = nothing(world)
    assert answer.reason == "later"
    assert answer.until == world.row(tried).not_before
    held = world.callback(released=True)
    take(world.store, held, agent=world.bruno, now=world.now)
    change(world, "callback", tried, state="closed", closed_at=world.now)
    answer = nothing(world)
    assert answer.reason == "all_held"
    assert "held by Bruno; 2 callbacks" in answer.words


def test_the_empty_queue_names_who_rings_the_same_number_elsewhere(world: World) -> None:
    _on_line(world, world.callback(released=True))
    answer = nothing(world)
    assert answer.reason == "all_held"
    assert "Bruno" in answer.words


def test_the_empty_queue_waits_for_others(world: World) -> None:
    change(world, "callback", world.callback(released=True), hold="review")
    world.callback(released=True, phones=[])
    answer = nothing(world)
    assert answer.reason == "with_others"
    assert "with a clinician 1" in answer.words
    assert "no number 1" in answer.words


def test_a_closed_desk_rings_nobody(world: World) -> None:
    one = world.callback(released=True)
    _desk_closed(world, 1)
    assert nothing(world).reason == "desk_closed"
    with pytest.raises(RuleBroken, match="desk is closed"):
        take(world.store, one, agent=world.amelie, now=world.now)


def test_later_is_the_earliest_of_all_that_wait(world: World) -> None:
    world.callback(released=True, wish=Wish(not_before=world.now + timedelta(hours=5)))
    evening = world.callback(released=True, wish=Wish(part_of_day=PartOfDay.EVENING))
    assert nothing(world).until == datetime(2022, 5, 31, 13, 0, tzinfo=UTC)
    change(world, "callback", evening, part_of_day="any", last_attempt_at=world.now - timedelta(minutes=10))
    assert nothing(world).until == world.now + timedelta(minutes=5)


# ---------------------------------------------------------------- whatever happened before

steps = st.lists(
    st.tuples(
        st.sampled_from(
            ["not_before", "evening", "morning", "review", "unreleased", "personal", "no_phone", "settled", "ring",
             "hold", "give_back", "absent", "inactive", "broken"]
        ),
        st.integers(0, 3), st.integers(0, 400),
    ),
    max_size=12,
)  # fmt: skip


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps)
def test_explained_exactly_when_it_may_not_be_rung(world: World, steps: list[tuple[str, int, int]]) -> None:
    """For any moment and line: no obstacle is told exactly when its reason is "ready", when Next would serve it, and
    when nothing but its turn keeps it; the order is total."""
    world.now = datetime(2022, 5, 31, 8, 0, tzinfo=UTC)
    with world.store.write() as connection:
        connection.exec_driver_sql(
            "UPDATE callback SET state='closed', closed_at='x', leased_by=NULL WHERE state<>'closed'"
        )
        connection.exec_driver_sql("UPDATE agent SET seen_at = NULL, is_active = 1")
    ones = [world.callback(released=True, priority=priority) for priority in ("P2", "P4", None, "P1a")]
    for what, which, minutes in steps:
        _happen(world, what, ones[which])
        world.later(minutes=minutes)
        queue = list_queue(world.store, "arlon", now=world.now, agent=world.amelie)
        assert [row.position for row in queue.rows] == list(range(1, len(queue.rows) + 1))
        places = [(int(row.tier), row.due_at, row.callback_id) for row in queue.rows]
        assert places == sorted(places)
        assert len(set(places)) == len(places)
        free = []
        for row in queue.rows:
            found = explain(world.store, row.callback_id, now=world.now, agent=world.amelie)
            assert found.row == row
            assert all(one.words for one in found.obstacles)
            first = found.obstacles[0].code if found.obstacles else "ready"
            assert first == row.reason or (first, row.reason) == ("outside_hours", "ready")
            assert bool(found.obstacles) == bool(row.why_not)
            if not found.obstacles:
                free.append(row.callback_id)
        answer = take_next(world.store, "arlon", agent=world.amelie, now=world.now)
        mine = [one for one in free if world.row(one).for_agent_id == world.amelie.agent_id]
        assert (None if isinstance(answer, NothingNow) else answer.callback_id) == next(iter(mine or free), None)
        if not isinstance(answer, NothingNow):
            assert answer.lease
            release_lease(world.store, answer.lease, "essai", agent=world.amelie, now=world.now)


def _happen(world: World, what: str, one: int) -> None:
    row = world.row(one)
    if row.state == "closed":
        return
    agents = {"personal": world.bruno, "absent": world.amelie}
    values: dict[str, dict[str, Any]] = {
        "not_before": {"not_before": world.now + timedelta(hours=2)}, "evening": {"part_of_day": "evening"},
        "morning": {"part_of_day": "morning"}, "review": {"hold": "review"},
        "unreleased": {"released_at": None}, "broken": {"promised_until": world.now + timedelta(minutes=90)},
        "personal": {"for_agent_id": world.bruno.agent_id}, "absent": {"for_agent_id": world.amelie.agent_id},
    }  # fmt: skip
    if what in values:
        change(world, "callback", one, **values[what])
    if what in agents:
        with world.store.write() as connection:
            mark_seen(connection, agents[what].agent_id, world.now)
    elif what == "no_phone":
        _no_number(world, one)
    elif what == "settled":
        _settled(world, one)
    elif what == "inactive":
        set_active(world.store, "bruno", False, agent=world.agent("chef"), now=world.now)
    elif what in ("ring", "hold", "give_back"):
        _work(world, what, one)


def _work(world: World, what: str, one: int) -> None:
    try:
        if what == "ring":
            world.ring(one, "no_answer", agent=world.sonia)
        elif what == "hold":
            take(world.store, one, agent=world.sonia, now=world.now)
        else:
            take_over(world.store, one, agent=world.sonia, now=world.now)
    except (RuleBroken, LeaseLost):
        pass  # it may not be rung now: that is what the test looks at
