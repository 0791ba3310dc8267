"""Why a callback is not rung now, in words: one sentence a rule, with when it passes; and what else its line says."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from crisisdesk.clock import local_day
from crisisdesk.desk.wording import day_words, long_day, moment_words, review_words
from crisisdesk.domain.reference import Reference
from crisisdesk.domain.schedule import Calendar, calendar_of, day_start, next_calling_time, next_in_part
from crisisdesk.domain.words import PartOfDay
from crisisdesk.i18n import N_, _, ngettext

OUTSIDE = "outside_hours"
_PARTS = {"morning": N_("morning"), "afternoon": N_("afternoon"), "evening": N_("evening")}


@dataclass(frozen=True, slots=True)
class Setting:
    """What the words of a rule need beside the line itself."""

    reference: Reference
    now: datetime
    calls_at: datetime
    """Next instant at which patients may be rung; ``now`` within the calling hours."""
    waits: str = ""
    """What an unreleased callback waits for (`wording.waits_for`)."""
    ringing: tuple[str, datetime] | None = None
    """Who is ringing the same person or number for another callback, and until when at the latest."""

    @property
    def calendar(self) -> Calendar:
        """Calling hours and days off of the desk."""
        return calendar_of(self.reference.desk)

    def at(self, instant: datetime) -> str:
        """An instant in words, without its day where that is today's."""
        return moment_words(instant, self.reference.desk.time_zone, self.now)


@dataclass(frozen=True, slots=True)
class Obstacle:
    """One rule that keeps a callback out."""

    code: str
    """One of `store.reasons.RULES`, or "outside_hours"."""
    words: str
    until: datetime | None = None
    """When it passes by itself; None: when somebody has done what the words say."""


def obstacle(code: str, line: Any, setting: Setting) -> Obstacle:
    """A rule in words, from a line of the queue."""
    words, until = _WORDS[code](line, setting)
    return Obstacle(code, words, until)


def why_not(line: Any, setting: Setting) -> str:
    """What keeps a callback out now: the first rule that does; empty when it may be rung."""
    if line.reason == "ready":
        return obstacle(OUTSIDE, line, setting).words if setting.calls_at > setting.now else ""
    return obstacle(line.reason, line, setting).words


_Told = tuple[str, datetime | None]


def _outside(_line: Any, setting: Setting) -> _Told:
    return _("outside calling hours until {moment}").format(moment=setting.at(setting.calls_at)), setting.calls_at


def _held(line: Any, setting: Setting) -> _Told:
    words = _("held by {name} until {moment}").format(name=line.holder, moment=setting.at(line.lease_until))
    return words, line.lease_until


def _review(line: Any, _setting: Setting) -> _Told:
    if line.channel:
        return _("{channel}: waits for an answer").format(channel=review_words(line.channel)), None
    return _("a clinician decides first"), None


def _not_released(_line: Any, setting: Setting) -> _Told:
    return setting.waits or _("waits for the opening"), None


def _not_before(line: Any, setting: Setting) -> _Told:
    return _("not before {moment}").format(moment=setting.at(line.not_before)), line.not_before


def _rest(line: Any, setting: Setting) -> _Told:
    until = line.last_attempt_at + timedelta(seconds=setting.reference.desk.rest_seconds)
    tried, again = setting.at(line.last_attempt_at), setting.at(until)
    return _("was tried at {moment}: left in peace until {until}").format(moment=tried, until=again), until


def _part_of_day(line: Any, setting: Setting) -> _Told:
    until = next_in_part(setting.now, PartOfDay(line.part_of_day), setting.calendar)
    part = _(_PARTS.get(line.part_of_day, line.part_of_day))
    return _("wants to be rung in the {part}, from {moment}").format(part=part, moment=setting.at(until)), until


def _personal(line: Any, setting: Setting) -> _Told:
    if line.promised_until is None:
        return _("{name} promised to ring in person").format(name=line.promised_by), None
    until = line.promised_until - timedelta(seconds=setting.reference.desk.lease_seconds)
    words = _("{name} promised to ring in person; anybody from {moment}")
    return words.format(name=line.promised_by, moment=setting.at(until)), until


def _on_line(_line: Any, setting: Setting) -> _Told:
    if setting.ringing is None:
        return _("a colleague is ringing this person or number now"), None
    name, until = setting.ringing
    words = _("{name} is ringing this person or number now, until {moment} at the latest")
    return words.format(name=name, moment=setting.at(until)), until


def _capped(_line: Any, setting: Setting) -> _Told:
    calendar, count = setting.calendar, setting.reference.desk.attempts_per_number_a_day
    until = next_calling_time(tomorrow(setting.now, calendar), calendar)
    words = ngettext(
        "this number was rung {count} time today: again from {moment}",
        "this number was rung {count} times today: again from {moment}",
        count,
    )
    return words.format(count=count, moment=setting.at(until)), until


def tomorrow(now: datetime, calendar: Calendar) -> datetime:
    """First instant of the next local day; a day has 23, 24 or 25 hours."""
    return day_start(day_start(now, calendar) + timedelta(hours=36), calendar)


def _plainly(words: str) -> Callable[[Any, Setting], _Told]:
    return lambda _line, _setting: (_(words), None)


_WORDS: Mapping[str, Callable[[Any, Setting], _Told]] = {
    OUTSIDE: _outside,
    "held": _held,
    "desk_closed": _plainly(N_("the desk is closed: nobody is rung from here any more")),
    "confirm_death": _plainly(N_("a death was reported: a second agent confirms")),
    "review": _review,
    "number_search": _plainly(N_("a number is being searched: until one is added to the patient's file")),
    "settled": _plainly(N_("nothing is left to settle: rebooked, decided or handed over")),
    "not_released": _not_released,
    "not_before": _not_before,
    "rest": _rest,
    "part_of_day": _part_of_day,
    "personal": _personal,
    "no_number": _plainly(N_("no telephone number is known: until one is added to the patient's file")),
    "on_line": _on_line,
    "capped": _capped,
}


def earliest(obstacles: tuple[Obstacle, ...], line: Any, setting: Setting) -> datetime | None:
    """When a callback may be rung if nobody does anything: the last of its rules has passed, within the calling hours.

    None: one of them waits for somebody.
    """
    ends = [one.until for one in obstacles if one.until is not None]
    if not obstacles or len(ends) < len(obstacles):
        return None
    return next_in_part(max(ends), PartOfDay(line.part_of_day), setting.calendar)


def promise_words(line: Any, setting: Setting) -> str:
    """The window that was promised to the patient, and whether it can still be kept; empty where none was."""
    first, last = line.promised_from, line.promised_until
    if last is None:
        return _("promised from {moment}").format(moment=setting.at(first)) if first is not None else ""
    window = window_words(first, last, setting)
    if last <= setting.now:
        return _("promised {window}: broken since {moment}").format(window=window, moment=setting.at(last))
    return _("promised {window}: to be kept until {moment}").format(window=window, moment=setting.at(last))


def window_words(first: datetime | None, last: datetime, setting: Setting) -> str:
    """A span of time: "10:00-12:00", "Tue 31/05 10:00-12:00", "until Fri 03/06 12:00"."""
    zone = setting.reference.desk.time_zone
    if first is None:
        return _("before {moment}").format(moment=setting.at(last))
    is_one_day = local_day(first, zone) == local_day(last, zone)
    return f"{setting.at(first)}-{moment_words(last, zone, last) if is_one_day else setting.at(last)}"


def personal_words(line: Any, setting: Setting, agent_id: int, absent: datetime) -> str:
    """Who promised to ring in person, where it does not keep the line out: one's own, or anybody's by now."""
    if not line.for_agent_id or line.reason == "personal":
        return ""
    if line.for_agent_id == agent_id:
        return _("you promised to ring in person")
    name = line.promised_by
    if not line.promiser_is_active:
        return _("promised by {name}, who is no longer at this desk: anybody may ring").format(name=name)
    if line.promiser_seen_at is None:
        return _("promised by {name}, who was not seen yet: anybody may ring").format(name=name)
    if line.promiser_seen_at <= absent:
        since = setting.at(line.promiser_seen_at)
        return _("promised by {name}, who is absent since {moment}: anybody may ring").format(name=name, moment=since)
    return _("promised by {name}, whose time is nearly over: anybody may ring").format(name=name)


def limit_days(why: Mapping[str, Any], due_at: datetime, reference: Reference, now: datetime) -> int | None:
    """Days left until a line's clinical limit, 0 or less when it has passed; None while it is far or not known."""
    if why.get("rule") != "limit":
        return None
    zone = reference.desk.time_zone
    left = (local_day(due_at, zone) - local_day(now, zone)).days
    return left if left <= reference.desk.near_limit_days else None


def limit_words(code: str | None, left: int) -> str:
    """How near an item is to its clinical limit: "P3: 4 days left", "P3: 2 days past its limit"."""
    code = code or _("uncoded")
    if left > 0:
        words = ngettext("{code}: {count} day left to its limit", "{code}: {count} days left to its limit", left)
        return words.format(code=code, count=left)
    if left == 0:
        return _("{code}: its limit is reached today").format(code=code)
    words = ngettext("{code}: {count} day past its limit", "{code}: {count} days past its limit", -left)
    return words.format(code=code, count=-left)


def missing_words(item: Any, reference: Reference) -> str:
    """What the card and the line say of an item that a later version of its list has no more; else empty."""
    if item.missing_version is None:
        return ""
    since = local_day(item.missing_at, reference.desk.time_zone) if item.missing_at else None
    words = _("no longer on the list «{list}» since version {version} of {day}: a supervisor decides")
    return words.format(list=item.missing_list, version=item.missing_version, day=_day(since))


def _day(day: date | None) -> str:
    return day_words(day) or long_day(None)
