"""What follows an attempt: the next step and its time, from the row of the disposition and the desk's caps.

The same row is what the screen shows before the key is confirmed. Nothing closes for want of an answer. The ladder:
the same number later and in another part of the day, within the caps of a number and day; the patient's other numbers;
after the last attempt the desk's channels besides the telephone (a letter, the general practitioner, the next of kin),
one after the other, each followed by new attempts; then a clinician decides, by name.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from crisisdesk.domain.reference import DeskInfo, Disposition
from crisisdesk.domain.schedule import Calendar, day_start, next_calling_time, next_in_part, next_other_part
from crisisdesk.domain.words import Channel, NextStep, PartOfDay, Reach


@dataclass(frozen=True, slots=True)
class AttemptFacts:
    """What is known of a callback when an attempt ends."""

    number: str
    """The number that was rung, E.164."""
    numbers: Sequence[str]
    """The patient's numbers that are not known to be wrong, best first."""
    rung_today: Mapping[str, int] = field(default_factory=dict)
    """Attempts on each of these numbers today, before this one, whoever was meant."""
    unanswered: int = 0
    """Attempts of this callback since the patient was last reached, before this one."""
    same_before: int = 0
    """Earlier attempts of this callback with this same disposition, as far as they count still."""
    unsettled_after: int = 0
    """Postponements that nobody will have settled after this attempt."""
    part_of_day: PartOfDay = PartOfDay.ANY
    """When the patient wants to be rung."""
    promised_from: datetime | None = None
    """Begin of a window promised to the patient that is still to come."""
    same_today: Mapping[str, int] = field(default_factory=dict)
    """Attempts on each number today that ended with this same disposition, before this one, whoever was meant."""
    channels_done: Sequence[str] = ()
    """Channels besides the telephone that were used for this callback."""


@dataclass(frozen=True, slots=True)
class FollowUp:
    """What an attempt leads to."""

    step: NextStep
    next_at: datetime | None = None
    """Earliest next attempt; None: nobody rings until something else happens."""
    number: str = ""
    """Number to ring then; empty: as before."""
    hold: str = ""
    """"review", "number_search" or "confirm_death": why nobody rings meanwhile."""
    why: str = ""
    """"" (the row of the disposition), "cap" (of this disposition), "cap_in_all", "cap_a_day", "no_number" or
    "unsettled" (something is left to settle)."""
    part_of_day: PartOfDay = PartOfDay.ANY
    finds_wrong: bool = False
    """The number that was rung is wrong."""
    channel: Channel | None = None
    """With a hold: what is done besides the telephone before it is rung again; None: a clinician decides."""


def follow_up(
    disposition: Disposition,
    facts: AttemptFacts,
    *,
    desk: DeskInfo,
    calendar: Calendar,
    now: datetime,
    asked_at: datetime | None = None,
    asked_part: PartOfDay = PartOfDay.ANY,
) -> FollowUp:
    """The step after an attempt that ended now. A promise that is still to come stands, unless the patient was reached.

    Args:
        asked_at: the moment the patient asked for, where the disposition needs one.
        asked_part: the part of the day the patient asked for.
    """
    follow = _step(disposition, facts, desk, calendar, now, asked_at or now + timedelta(days=1), asked_part)
    promised = facts.promised_from
    if promised is None or disposition.reach == Reach.PATIENT or follow.next_at is None:
        return follow
    return replace(follow, next_at=max(follow.next_at, promised))


def _step(
    disposition: Disposition,
    facts: AttemptFacts,
    desk: DeskInfo,
    calendar: Calendar,
    now: datetime,
    asked_at: datetime,
    asked_part: PartOfDay,
) -> FollowUp:
    step = disposition.next_step
    if step == NextStep.NEXT_NUMBER:
        return _next_number(disposition, facts, desk, calendar, now)
    if step == NextStep.RETRY:
        return _retry(disposition, facts, desk, calendar, now)
    if step == NextStep.AT_TIME:
        return FollowUp(step, next_in_part(max(asked_at, now), asked_part, calendar), part_of_day=asked_part)
    if step == NextStep.CLOSE and facts.unsettled_after:
        return FollowUp(NextStep.OPENING, why="unsettled")
    if step == NextStep.ESCALATE:
        rest = now + timedelta(seconds=_rest(disposition, desk))
        return FollowUp(step, next_calling_time(rest, calendar))
    if step == NextStep.REVIEW and disposition.channel is not None:
        is_used = disposition.channel in facts.channels_done
        channel = next_channel(desk.channels, facts.channels_done) if is_used else disposition.channel
        return FollowUp(step, hold="review", channel=channel)
    holds = {NextStep.REVIEW: "review", NextStep.CONFIRM: "confirm_death"}
    return FollowUp(step, hold=holds.get(step, ""))


def next_channel(channels: Sequence[Channel], done: Sequence[str]) -> Channel | None:
    """The first of the desk's channels that was not used yet; None when a clinician decides."""
    return next((channel for channel in channels if channel not in done), None)


def _enough(why: str, facts: AttemptFacts, desk: DeskInfo) -> FollowUp:
    """Tried often enough: nobody rings until the next channel was used, or until a clinician has decided."""
    return FollowUp(NextStep.REVIEW, hold="review", why=why, channel=next_channel(desk.channels, facts.channels_done))


def _retry(
    disposition: Disposition, facts: AttemptFacts, desk: DeskInfo, calendar: Calendar, now: datetime
) -> FollowUp:
    if disposition.reach != Reach.PATIENT and facts.unanswered + 1 >= desk.attempts_in_all:
        return _enough("cap_in_all", facts, desk)
    if disposition.cap is not None and facts.same_before + 1 >= disposition.cap:
        if disposition.reach == Reach.PATIENT:  # a letter finds nobody who was not found by telephone
            return FollowUp(NextStep.REVIEW, hold="review", why="cap")
        return _enough("cap", facts, desk)
    earliest = now + timedelta(seconds=_rest(disposition, desk))
    later = next_other_part(earliest, now, calendar) if disposition.other_part_of_day else earliest
    if facts.part_of_day != PartOfDay.ANY:  # what the patient asked for counts more than variety
        later = earliest
    return _within_caps(disposition, next_in_part(later, facts.part_of_day, calendar), facts, desk, calendar, now)


def _next_number(
    disposition: Disposition, facts: AttemptFacts, desk: DeskInfo, calendar: Calendar, now: datetime
) -> FollowUp:
    others = [number for number in facts.numbers if number != facts.number]
    if not others:
        channel = next_channel(desk.channels, facts.channels_done)
        return FollowUp(NextStep.NEXT_NUMBER, hold="number_search", why="no_number", finds_wrong=True, channel=channel)
    if facts.unanswered + 1 >= desk.attempts_in_all:
        return replace(_enough("cap_in_all", facts, desk), finds_wrong=True)
    rest = next_calling_time(now + timedelta(seconds=_rest(disposition, desk)), calendar)
    return FollowUp(NextStep.NEXT_NUMBER, rest, number=others[0], finds_wrong=True)


def _rest(disposition: Disposition, desk: DeskInfo) -> float:
    """Seconds before the next attempt: the delay of the row, but the desk's rest at least."""
    return max(disposition.delay.total_seconds() if disposition.delay else 0, desk.rest_seconds)


def _within_caps(
    disposition: Disposition, at: datetime, facts: AttemptFacts, desk: DeskInfo, calendar: Calendar, now: datetime
) -> FollowUp:
    """The caps of a number and day: another number is rung meanwhile, else the first hour of another day."""

    def is_full(number: str, more: int) -> bool:
        same = facts.same_today.get(number, 0) + more
        is_rung = facts.rung_today.get(number, 0) + more >= desk.attempts_per_number_a_day
        return is_rung or (disposition.cap_a_day is not None and same >= disposition.cap_a_day)

    tomorrow = day_start(day_start(now, calendar) + timedelta(hours=36), calendar)
    if at >= tomorrow or not is_full(facts.number, 1):
        return FollowUp(NextStep.RETRY, at, part_of_day=facts.part_of_day)
    for number in facts.numbers:
        if number != facts.number and not is_full(number, 0):
            return FollowUp(NextStep.NEXT_NUMBER, at, number, why="cap_a_day", part_of_day=facts.part_of_day)
    later = next_in_part(tomorrow, facts.part_of_day, calendar)
    return FollowUp(NextStep.RETRY, later, why="cap_a_day", part_of_day=facts.part_of_day)
