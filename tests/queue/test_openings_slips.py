"""A slip, a smaller capacity or limit, some days only: just what no longer fits is taken back."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, time, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from crisisdesk.desk.diary import read_diary
from crisisdesk.desk.openingpreview import OpeningPreview
from crisisdesk.desk.reopening import OpeningForm, confirm_opening, preview_opening, revise_opening
from crisisdesk.desk.telling import list_told
from crisisdesk.domain.opening import OpeningRow, capacity_on, limits_on, read_history
from crisisdesk.domain.places import give_way
from crisisdesk.domain.schedule import Calendar
from crisisdesk.domain.words import OpeningStage, OpeningState
from crisisdesk.store import journal, tables
from crisisdesk.store.cards import history_of
from waiting import World

TUESDAY = date(2022, 6, 7)
CALENDAR = Calendar("Europe/Brussels", time(8), time(20), frozenset(range(6)), ())
CODES = ("P1a", "P1b", "P2", "P3", None, "P4")
RANK = {"P1a": 0, "P1b": 1, "P2": 2, "P3": 3, None: 3, "P4": 4}


@dataclass(frozen=True)
class Told:
    booking_id: int
    slot_on: date
    priority: str | None
    original_on: date | None
    needs: tuple[str, ...]


@st.composite
def told_days(draw: st.DrawFn) -> Sequence[Told]:
    needs = st.sets(st.sampled_from(("implant", "isolation"))).map(lambda found: tuple(sorted(found)))
    return [
        Told(
            number, TUESDAY + timedelta(days=draw(st.integers(0, 3))), draw(st.sampled_from(CODES)),
            draw(st.none() | st.dates(date(2022, 5, 1), date(2022, 5, 30))), draw(needs),
        )
        for number in range(draw(st.integers(0, 25)))
    ]  # fmt: skip


def fits(held: Sequence[Told], history: Any) -> bool:
    for day in {one.slot_on for one in held}:
        there = [one for one in held if one.slot_on == day]
        used = Counter(code for one in there for code in one.needs)
        limits = limits_on(history, day)
        if len(there) > capacity_on(history, day, CALENDAR) or any(used[code] > n for code, n in limits.items()):
            return False
    return True


@given(
    told_days(), st.integers(0, 6), st.dictionaries(st.sampled_from(("implant", "isolation")), st.integers(0, 3)),
    st.none() | st.integers(0, 3),
)  # fmt: skip
def test_what_is_taken_back_is_just_what_no_longer_fits(
    told: Sequence[Told], places: int, limits: dict[str, int], length: int | None
) -> None:
    wide = OpeningRow(1, 1, OpeningStage.ACTUAL, OpeningState.PARTIAL, TUESDAY, 30)
    until = None if length is None else TUESDAY + timedelta(days=length)
    state = OpeningState.PARTIAL if places else OpeningState.CLOSED
    narrow = replace(wide, opening_id=2, state=state, capacity_a_day=places or None, limits=limits, until_on=until)
    history = read_history([wide, narrow])
    gone = give_way(told, history, CALENDAR)
    kept = [one for one in told if one not in gone]
    assert fits(kept, history)
    for one in gone:
        assert not fits([*kept, one], history), "nobody loses a place in vain"
        same = [other for other in kept if other.slot_on == one.slot_on and set(other.needs) >= set(one.needs)]
        assert all(RANK[other.priority] <= RANK[one.priority] for other in same), "the latest priority gives way first"
    assert all(one.slot_on <= until for one in gone) if until else True


# ------------------------------------------------------------------ on a desk


def opened(world: World, capacity: int = 12, **more: Any) -> OpeningPreview:
    form = OpeningForm(world.service(), date(2022, 5, 31), capacity_a_day=capacity, **more)
    return confirm_opening(world.store, form, agent=world.sonia, now=world.now)


def told(world: World, day: date, *, procedure: str = "Cataracte", **about: Any) -> int:
    """A patient who was told a day; gives the postponement."""
    callback_id = world.callback(released=True, **about)
    (item,) = world.items_of(callback_id)
    with world.store.write() as connection:
        where = tables.postponement.c.id == item
        connection.execute(tables.postponement.update().where(where).values(procedure=procedure))
    world.ring(callback_id, "accepts_date", slots={item: day})
    return item


def booking_of(world: World, item: int) -> Any:
    row = tables.booking
    with world.store.read() as connection:
        return connection.execute(select(row).where(row.c.postponement_id == item).order_by(row.c.id)).first()


def test_a_revision_of_some_days_touches_no_other_day(world: World) -> None:
    opened(world)
    wednesday, thursday = date(2022, 6, 8), date(2022, 6, 9)
    lost, kept = told(world, wednesday), told(world, thursday)
    form = OpeningForm(
        world.service(), wednesday, OpeningState.CLOSED, None, "panne de stérilisation", until_on=wednesday
    )
    done = revise_opening(world.store, form, agent=world.sonia, now=world.later(hours=1))
    assert [(one.told_on, one.now_on) for one in done.withdrawn] == [(wednesday, thursday)]
    assert not world.fact(lost).rebooked_at
    assert world.fact(kept).rebooked_at
    assert world.fact(lost).original_on == date(2022, 5, 17)
    row = booking_of(world, lost)
    assert (row.state, row.slot_on, row.withdrawn_why) == ("withdrawn", wednesday, "slipped")
    assert row.withdrawn_by == world.sonia.agent_id
    with world.store.read() as connection:
        newest = connection.execute(select(tables.opening).order_by(tables.opening.c.id.desc())).first()
        entries = journal.entries(connection, limit=50)
    assert newest is not None
    assert row.withdrawn_opening_id == newest.id
    changed = next(entry for entry in entries if entry.action == "opening.revised")
    assert changed.detail["until_on"] == [None, "2022-06-08"]
    assert changed.detail["state"] == ["partial", "closed"]
    assert any(entry.action == "booking.withdrawn" and entry.detail["why"] == "slipped" for entry in entries)


def test_a_smaller_limit_takes_back_only_who_needs_it(world: World) -> None:
    opened(world, limits={"implant": 2})
    day = date(2022, 6, 8)
    hips = [told(world, day, procedure="PTH gauche", priority=code) for code in ("P4", "P2")]
    others = [told(world, day, priority="P4") for _number in range(3)]
    assert list(booking_of(world, hips[0]).needs) == ["implant"]
    form = OpeningForm(world.service(), day, capacity_a_day=12, limits={"implant": 1}, until_on=day)
    ahead = preview_opening(world.store, form, now=world.later(hours=1), revises=True)
    done = revise_opening(world.store, form, agent=world.sonia, now=world.now)
    assert ahead == done
    assert len(done.withdrawn) == 1
    assert not world.fact(hips[0]).rebooked_at, "P4 gives way, P2 stays"
    assert all(world.fact(item).rebooked_at for item in [hips[1], *others])


def test_a_slip_says_what_was_told_and_what_holds_now(world: World) -> None:
    opened(world)
    item = told(world, date(2022, 6, 2))
    form = OpeningForm(world.service(), TUESDAY, capacity_a_day=12)
    revise_opening(world.store, form, agent=world.sonia, now=world.later(hours=1))
    (line,) = list_told(world.store, world.service(), now=world.now)
    assert (line.told_on, line.told_by, line.why, line.now) == (
        date(2022, 6, 2), "Amélie", "the service slipped", "to be rung",
    )  # fmt: skip
    assert line.is_owed_a_call
    assert line.number.startswith("047")
    with world.store.read() as connection:
        callback = connection.execute(select(tables.callback).where(tables.callback.c.state == "waiting")).one()
    assert callback.tier == 0
    assert callback.why["slipped"] == {"told_on": "2022-06-02", "now_on": "2022-06-07"}
    world.ring(callback.id, "accepts_date", slots={item: date(2022, 6, 8)})
    (first, second) = list_told(world.store, "arlon", now=world.now)
    assert (first.now, first.again_on, first.is_owed_a_call) == ("told Wed 08/06", date(2022, 6, 8), False)
    assert second.now == "holds"
    opening_id = booking_of(world, item).withdrawn_opening_id
    assert [one.told_on for one in list_told(world.store, world.service(), opening_id, now=world.now)] == [line.told_on]


def test_an_earlier_day_takes_nothing_back_and_says_so(world: World) -> None:
    form = OpeningForm(world.service(), date(2022, 6, 8), capacity_a_day=2)
    confirm_opening(world.store, form, agent=world.sonia, now=world.now)
    item = told(world, date(2022, 6, 9))
    waiting = [world.callback() for _number in range(3)]
    earlier = replace(form, opens_on=date(2022, 6, 1))
    done = revise_opening(world.store, earlier, agent=world.sonia, now=world.later(hours=1))
    assert done.withdrawn == []
    assert done.released == len(waiting)
    assert any("Earlier than before: Wed 01/06 instead of Wed 08/06" in note for note in done.notes)
    assert world.fact(item).rebooked_at


def test_the_card_names_who_took_a_day_back_not_who_had_given_it(world: World) -> None:
    opened(world)
    item = told(world, date(2022, 6, 2))
    later = OpeningForm(world.service(), date(2022, 6, 7), capacity_a_day=12)
    revise_opening(world.store, later, agent=world.agent("chef"), now=world.later(minutes=1))
    with world.store.read() as connection:
        (line,) = (one for one in history_of(connection, world.fact(item).patient_id) if one.what == "withdrawn")
    assert line.by == world.agent("chef").name


def test_a_revision_says_which_days_it_leaves_as_they_are(world: World) -> None:
    today = date(2022, 5, 31)
    opened = OpeningForm(world.service(), today, capacity_a_day=12)
    confirm_opening(world.store, opened, agent=world.sonia, now=world.now)
    few = OpeningForm(world.service(), today, capacity_a_day=8, until_on=date(2022, 6, 2))
    revise_opening(world.store, few, agent=world.sonia, now=world.later(minutes=1))
    more = OpeningForm(world.service(), today, capacity_a_day=10)
    done = revise_opening(world.store, more, agent=world.sonia, now=world.later(minutes=2))
    words = "On its days this stays as it is: partly open, from Tue 31/05 to Thu 02/06, 8 a day"
    assert any(words in note for note in done.notes)
    places = {day.day: day.capacity for day in read_diary(world.store, world.service(), now=world.now).days}
    assert (places[date(2022, 6, 2)], places[date(2022, 6, 3)]) == (8, 10)
