"""Which days are offered to a patient, and what is said of each day that is not."""

from datetime import date, time, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crisisdesk.domain.datewish import DateWish, date_wish_from, read_date_wish
from crisisdesk.domain.opening import History, OpeningRow, capacity_on, limits_on
from crisisdesk.domain.reference import CapacityLimit
from crisisdesk.domain.schedule import Calendar, is_service_day
from crisisdesk.domain.slots import (
    CLOSED,
    DAY_OFF,
    FULL,
    LIMIT,
    TOO_SOON,
    WISH,
    LeftOut,
    first_day,
    first_fitting,
    needs_of,
)
from crisisdesk.domain.words import OpeningStage, OpeningState, PartOfDay

HOLIDAYS = ("easter+39", "easter+50", "07-21")
CALENDAR = Calendar("Europe/Brussels", time(8), time(20), frozenset(range(6)), HOLIDAYS)
TODAY = date(2022, 5, 31)  # a Tuesday; Ascension was on 26/05, Whit Monday is 06/06
LIMITS = {
    "implant": CapacityLimit("implant", ("PTH", "prothèse", "salle 3")),
    "isolation": CapacityLimit("isolation", ("MRSA",)),
}


def opening(
    opens_on: date = TODAY, capacity: int = 2, until: date | None = None, *, off: bool = False, **limits: int
) -> OpeningRow:
    return OpeningRow(
        1, 1, OpeningStage.ACTUAL, OpeningState.PARTIAL, opens_on, capacity, until_on=until, includes_days_off=off,
        limits=limits,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("words", "needs"),
    [
        ("PTH hanche", ["implant"]),
        ("pth", ["implant"]),
        ("PTHX", []),
        ("PROTHESE de hanche", ["implant"]),
        ("Prothèse-totale", ["implant"]),
        ("prothe\u0300se", ["implant"]),
        ("PTH(G)+ostéosynthèse", ["implant"]),
        ("en salle-3", ["implant"]),
        ("en salle 30", []),
        ("PTH, porteur MRSA", ["implant", "isolation"]),
        ("", []),
    ],
)
def test_needs_are_read_from_whole_words(words: str, needs: list[str]) -> None:
    assert list(needs_of(None, words, LIMITS)) == needs


def test_what_a_person_said_of_the_needs_counts_more_than_the_words() -> None:
    assert needs_of([], "PTH hanche", LIMITS) == ()
    assert needs_of(["isolation", "gone"], "PTH hanche", LIMITS) == ("isolation",)


@pytest.mark.parametrize(
    ("text", "earliest", "latest", "weekdays"),
    [
        ("après le 12/06", date(2022, 6, 13), None, []),
        ("à partir du 20/06", date(2022, 6, 20), None, []),
        ("pas avant juillet", date(2022, 7, 1), None, []),
        ("niet voor 12/06", date(2022, 6, 12), None, []),
        ("nicht vor dem 12.6", date(2022, 6, 12), None, []),
        ("avant le 30/06", None, date(2022, 6, 29), []),
        ("jusqu'au 15 juillet", None, date(2022, 7, 15), []),
        ("en juillet", date(2022, 7, 1), date(2022, 7, 31), []),
        ("pas avant janvier", date(2023, 1, 1), None, []),
        ("après le 5/1", date(2023, 1, 6), None, []),
        ("lundi ou mardi", None, None, [0, 1]),
        ("les lundis", None, None, [0]),
        ("sauf mercredi", None, None, [0, 1, 3, 4, 5, 6]),
        ("lundi ou mardi, pas avant le 12/06", date(2022, 6, 12), None, [0, 1]),
        ("3 juin", date(2022, 6, 3), date(2022, 6, 3), []),
        ("semaine prochaine", date(2022, 6, 6), date(2022, 6, 12), []),
        ("peu importe", None, None, []),
    ],
)
def test_wishes_are_read(text: str, earliest: date | None, latest: date | None, weekdays: list[int]) -> None:
    wish = read_date_wish(text, TODAY)
    assert (wish.earliest, wish.latest, sorted(wish.weekdays)) == (earliest, latest, weekdays)
    assert wish.words == text
    assert date_wish_from(wish.as_detail()) == wish


def test_the_part_of_the_day_is_kept_for_the_service() -> None:
    assert read_date_wish("l'après-midi", TODAY).part_of_day == PartOfDay.AFTERNOON
    assert read_date_wish("lundi matin", TODAY).part_of_day == PartOfDay.MORNING


@pytest.mark.parametrize(
    "text", ["quand ma fille est là", "pas avant", "fin juin", "avant le 12/06, pas avant juillet"]
)
def test_what_is_not_understood_stays_words_and_binds_no_day(text: str) -> None:
    wish = read_date_wish(text, TODAY)
    assert not wish.is_understood
    assert wish.allows(date(2022, 6, 1))
    assert date_wish_from(wish.as_detail()).words == text


def test_each_day_that_is_left_out_says_why() -> None:
    history = History((opening(date(2022, 6, 1), 2, implant=1),))
    booked = {date(2022, 6, 3): 2, date(2022, 6, 7): 1}
    slots = first_fitting(
        history, booked, {date(2022, 6, 7): {"implant": 1}}, date(2022, 6, 2), read_date_wish("sauf jeudi", TODAY),
        ["implant"], CALENDAR, 2, today=TODAY,
    )  # fmt: skip
    assert [slot.slot_on for slot in slots] == [date(2022, 6, 8), date(2022, 6, 10)]
    assert slots[0].left_out == (
        LeftOut(date(2022, 5, 31), CLOSED), LeftOut(date(2022, 6, 1), TOO_SOON), LeftOut(date(2022, 6, 2), WISH),
        LeftOut(date(2022, 6, 3), FULL), LeftOut(date(2022, 6, 4), DAY_OFF), LeftOut(date(2022, 6, 5), DAY_OFF),
        LeftOut(date(2022, 6, 6), DAY_OFF), LeftOut(date(2022, 6, 7), LIMIT + "implant"),
    )  # fmt: skip
    assert slots[1].left_out[-1] == LeftOut(date(2022, 6, 9), WISH)


def test_who_comes_at_short_notice_is_offered_the_next_day() -> None:
    friday = date(2022, 6, 3)
    assert first_day(friday, 2, CALENDAR) == date(2022, 6, 8)  # Whit Monday does not count
    assert first_day(friday, 2, CALENDAR, at_short_notice=True) == date(2022, 6, 4)
    assert first_day(friday, 0, CALENDAR, at_short_notice=True) == friday
    on_saturday = History((opening(friday, 1, off=True),))
    slots = first_fitting(on_saturday, {}, {}, date(2022, 6, 4), DateWish(), (), CALENDAR, 1)
    assert slots[0].slot_on == date(2022, 6, 4)


days = st.integers(0, 40).map(lambda step: TODAY + timedelta(days=step))
rows = st.builds(
    opening, days, st.integers(0, 3), st.none() | days, off=st.booleans(), implant=st.integers(0, 2),
)  # fmt: skip
wishes = st.builds(DateWish, st.none() | days, st.none() | days, st.frozensets(st.integers(0, 6)))


@settings(max_examples=150, deadline=None)
@given(
    st.lists(rows, max_size=4), st.dictionaries(days, st.integers(0, 4)), st.dictionaries(days, st.integers(0, 3)),
    wishes, st.booleans(), st.integers(0, 4), st.booleans(),
)  # fmt: skip
def test_no_day_beyond_capacity_limits_notice_or_wish_and_every_other_one_explained(
    confirmed: list[OpeningRow],
    booked: dict[date, int],
    implants: dict[date, int],
    wish: DateWish,
    takes_implant: bool,
    lead: int,
    at_short_notice: bool,
) -> None:
    history = History(tuple(confirmed))
    first = first_day(TODAY, lead, CALENDAR, at_short_notice=at_short_notice)
    needs = ("implant",) if takes_implant else ()
    used = {day: {"implant": count} for day, count in implants.items()}
    slots = first_fitting(history, booked, used, first, wish, needs, CALENDAR, 4, today=TODAY)
    offered = {slot.slot_on for slot in slots}
    for slot in slots:
        day = slot.slot_on
        assert slot.free == capacity_on(history, day, CALENDAR) - booked.get(day, 0)
        assert slot.free > 0
        assert day >= first
        assert wish.allows(day)
        assert not takes_implant or implants.get(day, 0) < limits_on(history, day).get("implant", 99)
        told = {one.day: one.why for one in slot.left_out}
        between = [TODAY + timedelta(days=step) for step in range((day - TODAY).days)]
        assert {one for one in between if one not in offered} == told.keys(), "a day is left out without a word"
        for one, why in told.items():
            assert is_true(why, one, history, booked, implants, first, wish), (one, why)
    if len(slots) < 4 and confirmed:
        last = max(offered, default=TODAY - timedelta(days=1))
        missed = [last + timedelta(days=step) for step in range(1, 60)]
        fits = [
            day
            for day in missed
            if capacity_on(history, day, CALENDAR) > booked.get(day, 0)
            and day >= first
            and wish.allows(day)
            and not (takes_implant and implants.get(day, 0) >= limits_on(history, day).get("implant", 99))
        ]
        assert fits == []


def is_true(
    why: str,
    day: date,
    history: History,
    booked: dict[date, int],
    implants: dict[date, int],
    first: date,
    wish: DateWish,
) -> bool:
    capacity = capacity_on(history, day, CALENDAR)
    if why == DAY_OFF:
        return capacity == 0 and not is_service_day(day, CALENDAR)
    return {
        CLOSED: capacity == 0,
        TOO_SOON: capacity > 0 and day < first,
        WISH: not wish.allows(day),
        FULL: booked.get(day, 0) >= capacity > 0,
        LIMIT + "implant": implants.get(day, 0) >= limits_on(history, day).get("implant", 99),
    }[why]
