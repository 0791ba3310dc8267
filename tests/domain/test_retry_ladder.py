"""The ladder of attempts as a property: it always goes on or asks a person, and never closes for want of an answer."""

from dataclasses import replace
from datetime import datetime, time, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from crisisdesk.clock import local_day
from crisisdesk.domain.reference import DeskInfo, Disposition
from crisisdesk.domain.retry import AttemptFacts, follow_up, next_channel
from crisisdesk.domain.schedule import Calendar, is_calling_time
from crisisdesk.domain.words import Channel, NextStep, PartOfDay, Reach, Scope
from moments import DESK_NOW

OPENS, CLOSES = time(8), time(20)
CALENDAR = Calendar("Europe/Brussels", OPENS, CLOSES, frozenset(range(6)))
NUMBERS = ["+3263231111", "+32470123456", "+32470999999"]
DESK = DeskInfo(
    name="x", incident="x", incident_at=DESK_NOW, country="BE", time_zone="Europe/Brussels", languages=("fr",),
    national_number="be.ssn", neighbour_regions=(), calls_from=CALENDAR.opens, calls_until=CALENDAR.closes,
    call_weekdays=tuple(range(6)), lease_seconds=600, rest_seconds=900, attempts_per_number_a_day=3, attempts_in_all=6,
    release_days_ahead=10, public_number="0800",
)  # fmt: skip
dispositions = st.builds(
    Disposition,
    scope=st.just(Scope.ATTEMPT), code=st.just("x"), key=st.just("x"), is_final=st.just(False),
    reach=st.sampled_from([Reach.NOBODY, Reach.THIRD_PARTY]),
    next_step=st.sampled_from([NextStep.RETRY, NextStep.NEXT_NUMBER, NextStep.REVIEW]),
    delay=st.sampled_from([None, *(timedelta(minutes=minutes) for minutes in (5, 15, 180, 1440))]),
    other_part_of_day=st.booleans(), cap=st.one_of(st.none(), st.integers(1, 4)), coverage=st.just("tried"),
    needs_note=st.just(False), needs_clinician=st.just(False), is_quick=st.just(False), makes_callback=st.just(False),
    cap_a_day=st.one_of(st.none(), st.integers(1, 3)), channel=st.one_of(st.none(), st.sampled_from(Channel)),
)  # fmt: skip
facts = st.builds(
    AttemptFacts,
    number=st.sampled_from(NUMBERS),
    numbers=st.lists(st.sampled_from(NUMBERS), unique=True),
    rung_today=st.fixed_dictionaries(dict.fromkeys(NUMBERS, st.integers(0, 3))),
    same_today=st.fixed_dictionaries(dict.fromkeys(NUMBERS, st.integers(0, 3))),
    unanswered=st.integers(0, 8),
    same_before=st.integers(0, 5),
    part_of_day=st.sampled_from(PartOfDay),
    channels_done=st.lists(st.sampled_from(Channel), unique=True),
)
moments = st.integers(0, 90_000).map(lambda minutes: DESK_NOW + timedelta(minutes=minutes))


@settings(max_examples=500)
@given(dispositions, facts, moments)
def test_every_unanswered_attempt_is_rung_again_or_waits_for_a_person(
    row: Disposition, known: AttemptFacts, now: datetime
) -> None:
    follow = follow_up(row, known, desk=DESK, calendar=CALENDAR, now=now)
    assert follow.step != NextStep.CLOSE
    assert (follow.next_at is None) == bool(follow.hold), "either a moment or a person, never neither, never both"
    if follow.next_at is not None:
        assert follow.next_at >= now + timedelta(seconds=DESK.rest_seconds)
        assert is_calling_time(follow.next_at, CALENDAR)
        assert known.unanswered + 1 < DESK.attempts_in_all
        assert row.cap is None or row.next_step != NextStep.RETRY or known.same_before + 1 < row.cap
        keeps_caps(row, known, follow.number or known.number, follow.next_at, now)
    if follow.channel is not None:
        assert follow.hold in ("review", "number_search")
        assert follow.channel not in known.channels_done


def keeps_caps(row: Disposition, known: AttemptFacts, number: str, at: datetime, now: datetime) -> None:
    """On the same day no number is rung more often than the caps allow."""
    if row.next_step != NextStep.RETRY or local_day(at, "Europe/Brussels") != local_day(now, "Europe/Brussels"):
        return
    more = 1 if number == known.number else 0
    assert known.rung_today.get(number, 0) + more < DESK.attempts_per_number_a_day
    assert row.cap_a_day is None or known.same_today.get(number, 0) + more < row.cap_a_day


@given(st.lists(st.sampled_from(Channel), unique=True))
def test_the_channels_are_walked_once_each_in_the_desks_order(order: list[Channel]) -> None:
    desk, done = replace(DESK, channels=tuple(order)), []
    while (channel := next_channel(desk.channels, done)) is not None:
        done.append(channel)
    assert done == order
