"""Places that are told, given up, moved, kept and missed; the reserve list; what a patient asks of a day."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from crisisdesk.desk.asking import asked_by_patient, set_needs, set_reserve, set_wish
from crisisdesk.desk.booking import offer_for
from crisisdesk.desk.callbacks import NothingNow, explain, open_card, take, take_next
from crisisdesk.desk.cancelling import (
    AskedBy,
    Freed,
    Wants,
    cancel_booking,
    mark_done,
    mark_not_come,
    move_booking,
)
from crisisdesk.desk.diary import list_reserve, read_diary, services_with_days, told_on, told_to_patient
from crisisdesk.desk.reopening import OpeningForm, confirm_opening, top_up
from crisisdesk.desk.slotwords import left_out_words
from crisisdesk.domain.wishes import Wish
from crisisdesk.errors import RuleBroken
from crisisdesk.store import tables
from waiting import World

WED, THU, FRI = date(2022, 6, 1), date(2022, 6, 2), date(2022, 6, 3)
TUE = date(2022, 6, 7)  # after Whit Monday
WEDNESDAY_AFTER = date(2022, 6, 8)


def opened(world: World, capacity: int = 2, **limits: int) -> int:
    """Arlon's theatre, open from today on; two working days of notice: the first day offered is Thursday."""
    form = OpeningForm(world.service(), world.now.date(), capacity_a_day=capacity, limits=limits)
    confirm_opening(world.store, form, agent=world.sonia, now=world.now)
    return world.service()


def told(world: World, day: date, **about: Any) -> tuple[int, int, int]:
    """A patient who accepted a day: callback, postponement, booking."""
    callback_id = world.callback(released=True, **about)
    (item,) = world.items_of(callback_id)
    world.ring(callback_id, "accepts_date", slots={item: day})
    return callback_id, item, bookings(world)[-1].id


def bookings(world: World) -> list[Any]:
    with world.store.read() as connection:
        return list(connection.execute(select(tables.booking).order_by(tables.booking.c.id)))


def entries(world: World, action: str) -> list[Any]:
    journal = tables.journal.c
    with world.store.read() as connection:
        return list(connection.execute(select(tables.journal).where(journal.action == action).order_by(journal.seq)))


def open_callback(world: World, callback_id: int) -> Any:
    """The open callback of the same patient."""
    row, callback = world.row(callback_id), tables.callback.c
    with world.store.read() as connection:
        of_patient = select(tables.callback).where(callback.patient_id == row.patient_id, callback.state != "closed")
        return connection.execute(of_patient).one()


def cancel(world: World, booking_id: int, by: AskedBy = AskedBy.PATIENT, **more: Any) -> Freed:
    more = {"reason": "dit au téléphone", "agent": world.bruno, "now": world.now} | more
    return cancel_booking(world.store, booking_id, asked_by=by, **more)


def reserve(world: World, wish: str = "", **about: Any) -> int:
    callback_id = world.callback(**about)
    (item,) = world.items_of(callback_id)
    set_reserve(world.store, item, True, agent=world.amelie, now=world.now)
    if wish:
        set_wish(world.store, item, wish, agent=world.amelie, now=world.now)
    return callback_id


# ---------------------------------------------------------------- offered and booked


def test_offers_follow_notice_wish_and_limits_and_explain_themselves(world: World) -> None:
    opened(world, 2, implant=1)
    told(world, THU)
    callback_id = world.callback(released=True)
    (item,) = world.items_of(callback_id)
    set_wish(world.store, item, "sauf vendredi", agent=world.amelie, now=world.now)
    slots = offer_for(world.store, item, now=world.now)
    assert [slot.slot_on for slot in slots] == [TUE, WEDNESDAY_AFTER, date(2022, 6, 9)]
    words = left_out_words(slots[0].left_out, world.reference)
    assert words == (
        "too soon to prepare: Tue 31/05, Wed 01/06; no place left for implant: Thu 02/06; the patient's wish: Fri 03/06"
    )
    card = open_card(world.store, callback_id, agent=world.amelie, now=world.now)
    assert card.offers[item] == slots
    assert card.asked[item].needs == ("implant",)
    set_reserve(world.store, item, True, agent=world.amelie, now=world.now)
    set_needs(world.store, item, [], reason="Dr Adam: pas d'implant", agent=world.amelie, now=world.now)
    assert offer_for(world.store, item, now=world.now)[0].slot_on == WED


def test_a_used_up_limit_is_named_with_the_next_days_that_fit(world: World) -> None:
    opened(world, 5, implant=2)
    for _number in range(2):
        told(world, THU)
    third = world.callback(released=True)
    (item,) = world.items_of(third)
    with pytest.raises(RuleBroken, match=r"no place left for implant on Thu 02/06 \(2 of 2\).*Free: Fri 03/06"):
        world.ring(third, "accepts_date", slots={item: THU})
    assert len(bookings(world)) == 2
    assert world.row(third).attempts == 0
    world.ring(third, "accepts_date", slots={item: FRI})
    assert bookings(world)[-1].needs == ["implant"]


def test_a_day_that_is_full_or_closed_is_refused(world: World) -> None:
    opened(world, 1)
    told(world, THU)
    callback_id = world.callback(released=True)
    (item,) = world.items_of(callback_id)
    with pytest.raises(RuleBroken, match=r"is full on Thu 02/06\. Free: Fri 03/06"):
        world.ring(callback_id, "accepts_date", slots={item: THU})
    with pytest.raises(RuleBroken, match=r"takes nobody on Sat 04/06"):
        world.ring(callback_id, "accepts_date", slots={item: date(2022, 6, 4)})


def test_left_to_the_service_is_settled_and_kept_for_the_handover(world: World) -> None:
    callback_id = world.callback(released=True, items=2)
    world.ring(callback_id, "left_to_service")
    assert world.row(callback_id).state == "closed"
    facts = [world.fact(item) for item in world.items_of(callback_id)]
    assert [(fact.decision, fact.rebooked_at) for fact in facts] == [("left_to_service", None)] * 2
    assert all(fact.decided_at == world.now for fact in facts)


# ---------------------------------------------------------------- what a patient asks of a day


def test_needs_wish_and_short_notice_are_journalled_with_old_and_new(world: World) -> None:
    (item,) = world.items_of(world.callback())
    store, amelie, now = world.store, world.amelie, world.now
    assert asked_by_patient(store, item).needs == ("implant",)
    assert set_needs(store, item, ["isolation"], reason="Dr Adam", agent=amelie, now=now) == ("isolation",)
    assert set_needs(store, item, None, reason="erreur", agent=amelie, now=now) == ("implant",)
    set_wish(store, item, "après le 12/06", agent=amelie, now=now)
    set_reserve(store, item, True, agent=amelie, now=now)
    set_reserve(store, item, True, agent=amelie, now=now)  # nothing new: nothing written
    details = [entry.detail for entry in entries(world, "postponement.asked")]
    assert len(details) == 4
    assert '"needs":[null,["isolation"]]' in details[0].replace(" ", "")
    assert '"is_reserve":[false,true]' in details[3].replace(" ", "")
    asked = asked_by_patient(store, item)
    assert (asked.wish.earliest, asked.is_reserve, asked.needs_said_by_words) == (date(2022, 6, 13), True, True)
    with pytest.raises(RuleBroken, match="no limit 'x'"):
        set_needs(store, item, ["x"], reason="r", agent=amelie, now=now)
    with pytest.raises(RuleBroken, match="Say who decided"):
        set_needs(store, item, [], reason=" ", agent=amelie, now=now)
    with pytest.raises(RuleBroken, match="no postponement 999"):
        set_wish(store, 999, "lundi", agent=amelie, now=now)


def test_a_need_that_is_found_later_counts_on_the_day_that_was_told(world: World) -> None:
    opened(world, 3, implant=1)
    _callback, first, _booking = told(world, THU)
    _callback, second, _booking = told(world, FRI)
    set_needs(world.store, second, [], reason="Dr Adam", agent=world.amelie, now=world.now)
    move_booking(
        world.store, bookings(world)[-1].id, THU, asked_by=AskedBy.PATIENT, reason="préfère", agent=world.amelie,
        now=world.now,
    )  # fmt: skip
    with pytest.raises(RuleBroken, match="no place left for implant on Thu 02/06"):
        set_needs(world.store, second, ["implant"], reason="Dr Adam", agent=world.amelie, now=world.now)
    set_needs(world.store, first, [], reason="Dr Adam", agent=world.amelie, now=world.now)
    set_needs(world.store, second, ["implant"], reason="Dr Adam", agent=world.amelie, now=world.now)
    assert {row.postponement_id: row.needs for row in bookings(world) if row.state == "told"} == {
        first: [],
        second: ["implant"],
    }


# ---------------------------------------------------------------- given up, taken back


def test_a_patient_who_wants_another_date_stands_where_the_original_date_puts_him(world: World) -> None:
    opened(world)
    before = world.callback(released=True)
    (item,) = world.items_of(before)
    was = world.row(before)
    world.ring(before, "accepts_date", slots={item: THU})
    (booking_id,) = [row.id for row in bookings(world)]
    world.later(hours=1)
    done = cancel(world, booking_id)
    booking, fact, row = bookings(world)[0], world.fact(item), open_callback(world, before)
    assert (booking.state, booking.withdrawn_why, booking.withdrawn_by) == (
        "withdrawn", "cancelled_by_patient", world.bruno.agent_id,
    )  # fmt: skip
    assert (fact.rebooked_at, fact.decision) == (None, "")
    assert fact.reached_at is not None
    assert (row.id, row.tier, row.due_at, row.hold) == (done.callback_id, was.tier, was.due_at, "")
    assert "free again" in done.words
    assert read_diary(world.store, world.service(), now=world.now).days[0].told == 0


def test_a_patient_who_gives_up_waits_for_a_clinician_and_is_not_rung(world: World) -> None:
    opened(world)
    before, item, booking_id = told(world, THU)
    done = cancel(world, booking_id, wants=Wants.GIVES_UP, reason="ne veut plus")
    row = open_callback(world, before)
    assert (row.hold, row.note) == ("review", "ne veut plus")
    assert world.fact(item).decided_at is None
    with pytest.raises(RuleBroken, match="clinician"):
        take(world.store, done.callback_id or 0, agent=world.amelie, now=world.later(hours=1))


def test_what_the_service_takes_back_is_rung_first_of_all(world: World) -> None:
    opened(world)
    before, _item, booking_id = told(world, THU, priority="P4")
    world.callback(released=True, priority="P1b")
    cancel(world, booking_id, AskedBy.SERVICE, reason="chirurgien absent")
    world.later(hours=1)
    row = open_callback(world, before)
    assert (row.tier, row.released_at is not None) == (0, True)
    assert bookings(world)[0].withdrawn_why == "cancelled_by_service"
    assert "was told Thu 02/06, which no longer holds" in explain(world.store, row.id, now=world.now).row.why_here
    card = take_next(world.store, "arlon", agent=world.amelie, now=world.now)
    assert not isinstance(card, NothingNow)
    assert card.callback_id == row.id
    assert any("02/06" in line.words for line in card.history if line.what == "withdrawn")


def test_what_cannot_be_cancelled_says_so(world: World) -> None:
    opened(world)
    _callback, _item, booking_id = told(world, THU)
    with pytest.raises(RuleBroken, match="Say why"):
        cancel(world, booking_id, reason="  ")
    with pytest.raises(RuleBroken, match="no booking 99"):
        cancel(world, 99)
    cancel(world, booking_id)
    with pytest.raises(RuleBroken, match="holds no longer"):
        cancel(world, booking_id)
    _callback, _item, booking_id = told(world, FRI)
    with pytest.raises(RuleBroken, match="03/06 is past: say whether the patient came"):
        cancel(world, booking_id, now=world.now + timedelta(days=5))


def test_a_booking_moves_and_takes_its_limits_along(world: World) -> None:
    opened(world, 1)
    _callback, item, booking_id = told(world, THU)
    told(world, FRI)
    was = world.fact(item)

    def move(day: date) -> Freed:
        return move_booking(
            world.store, booking_id, day, asked_by=AskedBy.PATIENT, reason="mariage", agent=world.amelie, now=world.now
        )

    with pytest.raises(RuleBroken, match="full on Fri 03/06"):
        move(FRI)
    with pytest.raises(RuleBroken, match="has Thu 02/06 already"):
        move(THU)
    assert [row.state for row in bookings(world)] == ["told", "told"], "nothing was changed"
    move(TUE)
    after = world.fact(item)
    assert (after.rebooked_at, after.decision) == (was.rebooked_at, was.decision)
    assert [(row.slot_on, row.state, row.withdrawn_why) for row in bookings(world)] == [
        (THU, "withdrawn", "moved_by_patient"), (FRI, "told", ""), (TUE, "told", ""),
    ]  # fmt: skip


# ---------------------------------------------------------------- the reserve list


def test_a_freed_place_goes_to_the_first_of_the_reserve_whom_it_fits(world: World) -> None:
    opened(world, 1, implant=1)
    _callback, _item, booking_id = told(world, THU)
    told(world, FRI)
    reserve(world, wish="pas avant le 5/6", priority="P1b")
    on_hold = reserve(world, priority="P2")
    second = reserve(world, priority="P3", original_on=date(2022, 5, 16))
    last = reserve(world, priority="P4")
    with world.store.write() as connection:
        table = tables.callback
        connection.execute(table.update().where(table.c.id == on_hold).values(hold="review"))
    done = cancel(world, booking_id, AskedBy.SERVICE)
    assert done.served is not None
    assert done.served.callback_id == second
    assert "is rung next" in done.words
    row = world.row(second)
    assert (row.release_why, row.tier) == (f"reserve:{world.service()}:2022-06-02", 0)
    found = explain(world.store, second, now=world.now)
    assert "a place is free on Thu 02/06" in found.row.why_here
    assert found.released == "a place is free on Thu 02/06"
    assert not world.row(last).release_why.startswith("reserve:"), "one place, one patient"
    (line,) = [one for one in list_reserve(world.store, world.service(), now=world.now) if one.callback_id == second]
    assert line.state == "a place is free on Thu 02/06"


def test_who_takes_the_kept_place_has_it_and_who_does_not_makes_way(world: World) -> None:
    service = opened(world, 1)
    _callback, _item, booking_id = told(world, THU)
    first, second = reserve(world, priority="P2"), reserve(world, priority="P4")
    was = world.row(first)
    cancel(world, booking_id)
    assert world.row(first).tier == 0
    world.later(hours=1)
    world.ring(first, "no_answer")
    row = world.row(first)
    assert (row.tier, row.due_at, row.released_at, row.release_why) == (
        was.tier, was.due_at, was.released_at, was.release_why,
    )  # fmt: skip
    assert "reserve" not in row.why
    assert world.row(second).release_why == f"reserve:{service}:2022-06-02"
    (item,) = world.items_of(second)
    world.ring(second, "accepts_date", slots={item: THU})
    assert world.row(second).state == "closed"
    assert [row.postponement_id for row in bookings(world) if row.state == "told"] == [item]


def test_a_kept_place_that_is_lost_puts_nobody_first_any_more(world: World) -> None:
    opened(world, 1)
    booking_id = told(world, THU)[2]
    waiting = reserve(world, priority="P4")
    cancel(world, booking_id)
    assert world.row(waiting).tier == 0
    told(world, THU)  # somebody else takes the day
    top_up(world.store, now=world.now, again=True)
    row = world.row(waiting)
    assert (row.tier, "reserve" in row.why) == (2, False)
    assert not row.release_why.startswith("reserve:")


@pytest.mark.parametrize(("disposition", "why"), [("worse", "escalated"), ("asks_later", "promised")])
def test_who_is_worse_or_was_promised_a_call_stays_released_without_the_place(
    world: World, disposition: str, why: str
) -> None:
    opened(world, 1)
    booking_id = told(world, THU)[2]
    waiting = reserve(world)
    cancel(world, booking_id)
    asked = Wish(not_before=world.later(minutes=20) + timedelta(hours=3))
    world.ring(waiting, disposition, note="fièvre", asked=asked)
    row = world.row(waiting)
    assert (row.release_why, row.released_at is not None, "reserve" in row.why) == (why, True, False)


def test_two_freed_days_are_offered_to_two_patients(world: World) -> None:
    opened(world, 1)
    booked = [told(world, day)[2] for day in (THU, FRI)]
    waiting = [reserve(world, priority=code) for code in ("P2", "P3")]
    served = [cancel(world, booking_id).served for booking_id in booked]
    assert [one.callback_id for one in served if one] == waiting


def test_the_patient_who_gave_the_place_up_is_not_asked_for_it(world: World) -> None:
    opened(world, 1)
    _callback, item, booking_id = told(world, THU)
    done = cancel(world, booking_id)
    set_reserve(world.store, item, True, agent=world.amelie, now=world.now)
    assert done.served is None
    with world.store.write() as connection:
        table = tables.postponement
        connection.execute(table.update().values(is_reserve=True))
    _callback, _item, other = told(world, THU)
    served = cancel(world, other).served
    assert served is not None
    assert served.callback_id == done.callback_id, "the other one was given up by somebody else"


def test_nobody_is_called_for_a_place_that_is_no_longer_there(world: World) -> None:
    """The place of today needs preparation; the limit of the day is used up by others."""
    opened(world, 3, implant=1)
    _callback, first, booking_id = told(world, THU)
    set_needs(world.store, first, [], reason="Dr Adam", agent=world.amelie, now=world.now)
    told(world, THU)
    reserve(world)
    assert cancel(world, booking_id).served is None


# ---------------------------------------------------------------- came, did not come


def test_yesterdays_places_are_listed_until_somebody_says_who_came(world: World) -> None:
    service = opened(world)
    _callback, came, one = told(world, THU)
    missed, item, other = told(world, THU)
    with pytest.raises(RuleBroken, match="still to come"):
        mark_done(world.store, [one], agent=world.amelie, now=world.now)
    with pytest.raises(RuleBroken, match="cancel the booking instead"):
        mark_not_come(world.store, one, cause=AskedBy.PATIENT, reason="r", agent=world.amelie, now=world.now)
    later = datetime(2022, 6, 3, 8, tzinfo=world.now.tzinfo)
    diary = read_diary(world.store, service, now=later)
    assert (diary.to_confirm, diary.days[0].day, diary.days[0].is_past) == (2, THU, True)
    assert [line.booking_id for line in told_on(world.store, service, None, now=later)] == [one, other]
    assert mark_done(world.store, [one], agent=world.amelie, now=later) == 1
    assert (world.fact(came).done_at, bookings(world)[0].state) == (later, "done")
    mark_not_come(world.store, other, cause=AskedBy.PATIENT, reason="grippe", agent=world.amelie, now=later)
    row, fact = open_callback(world, missed), world.fact(item)
    assert (row.state, row.tier, fact.rebooked_at, fact.done_at) == ("waiting", 2, None, None)
    assert read_diary(world.store, service, now=later).to_confirm == 0
    with pytest.raises(RuleBroken, match="holds no longer"):
        mark_done(world.store, [other], agent=world.amelie, now=later)


def test_a_patient_whom_the_hospital_sent_home_is_rung_first(world: World) -> None:
    opened(world)
    before, _item, booking_id = told(world, THU)
    later = datetime(2022, 6, 2, 16, tzinfo=world.now.tzinfo)
    mark_not_come(world.store, booking_id, cause=AskedBy.SERVICE, reason="panne", agent=world.amelie, now=later)
    row = open_callback(world, before)
    assert (row.tier, row.why["slipped"]["told_on"]) == (0, "2022-06-02")
    assert bookings(world)[0].withdrawn_why == "not_come_service"


def test_the_diary_shows_what_is_told_free_and_limited(world: World) -> None:
    service = opened(world, 2, implant=2)
    callback_id, _item, _booking = told(world, THU)
    told(world, THU)
    diary = read_diary(world.store, service, now=world.now)
    line = next(day for day in diary.days if day.day == THU)
    assert (line.capacity, line.told, line.free, line.limits, line.limits_words) == (
        2, 2, 0, {"implant": (2, 2)}, "implant 2/2",
    )  # fmt: skip
    assert date(2022, 6, 4) not in [day.day for day in diary.days]
    assert service in services_with_days(world.store, "arlon")
    assert [line.slot_on for line in told_to_patient(world.store, world.row(callback_id).patient_id)] == [THU]


def test_an_auditor_changes_nothing(world: World) -> None:
    from crisisdesk.desk.agents import add_agent
    from crisisdesk.domain.words import Role

    opened(world)
    _callback, item, booking_id = told(world, THU)
    add_agent(world.store, login="audit", name="A", role=Role.AUDITOR, agent=world.agent("chef"), now=world.now)
    auditor = world.agent("audit")
    with pytest.raises(RuleBroken, match="auditor"):
        cancel(world, booking_id, agent=auditor)
    with pytest.raises(RuleBroken, match="auditor"):
        mark_done(world.store, [booking_id], agent=auditor, now=world.now)
    with pytest.raises(RuleBroken, match="auditor"):
        set_reserve(world.store, item, True, agent=auditor, now=world.now)
