"""What is said when nobody can be rung: which of all the reasons it is, and when that may change."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from crisisdesk.clock import local_day
from crisisdesk.desk import wording
from crisisdesk.desk.rules import calendar_for
from crisisdesk.desk.whynot import tomorrow
from crisisdesk.domain.opening import History, read_history
from crisisdesk.domain.reference import Reference
from crisisdesk.domain.schedule import next_calling_time, next_in_part
from crisisdesk.domain.words import PartOfDay
from crisisdesk.i18n import N_, _, ngettext
from crisisdesk.store import openings, queue
from crisisdesk.store.queue import Coming, Moment

if TYPE_CHECKING:
    from crisisdesk.store.engine import Connection

MOST_SERVICES = 3


@dataclass(frozen=True, slots=True)
class NothingNow:
    """Why nobody can be rung at a site now."""

    reason: str
    """"all_done", "later", "outside_hours", "closed" (nothing is released), "all_held", "with_others" or
    "desk_closed"."""
    words: str
    until: datetime | None = None
    """When that may change, where it is known."""


_WHY_NOTHING = {
    "desk_closed": ("desk_closed",),
    "later": ("not_before", "rest", "part_of_day", "personal", "capped", "ready"),
    "all_held": ("held", "on_line"),
    "closed": ("not_released",),
}
_OTHERS = {
    "review": N_("with a clinician"),
    "number_search": N_("number search"),
    "no_number": N_("no number"),
    "confirm_death": N_("death to be confirmed"),
    "settled": N_("nothing left to settle"),
}


def outside_hours(calls_at: datetime, reference: Reference, now: datetime) -> NothingNow:
    """It is night, or a day on which nobody is rung."""
    at = wording.moment_words(calls_at, reference.desk.time_zone, now)
    return NothingNow(
        "outside_hours", _("Patients are not rung now: calling hours begin {moment}.").format(moment=at), calls_at
    )


def nothing_now(connection: "Connection", site_id: str, moment: Moment, reference: Reference) -> NothingNow:
    """Why no line of a site may be rung, from the counts of its queue."""
    found = queue.tally(connection, site_id, moment)
    reason = _reason(found.reasons)
    count = sum(found.reasons.values())
    if reason == "later":
        until = _earliest(found.coming, moment, reference)
        return NothingNow(reason, _later(until, found.reasons, count, reference, moment.now), until)
    if reason == "all_held":
        names = queue.holders(connection, site_id, moment.now)
        return NothingNow(reason, _held(names, count))
    if reason == "closed":
        return _closed(connection, site_id, found.reasons["not_released"], reference, moment.now)
    if reason == "with_others":
        return NothingNow(reason, _others(found.reasons))
    if reason == "desk_closed":
        return NothingNow(reason, _("The desk is closed: nobody is rung from here any more."))
    return NothingNow(reason, _("All done: this site has no open callback."))


def _reason(counts: Mapping[str, int]) -> str:
    if not counts:
        return "all_done"
    return next(
        (name for name, codes in _WHY_NOTHING.items() if any(counts.get(code) for code in codes)), "with_others"
    )


def _earliest(coming: Iterable[Coming], moment: Moment, reference: Reference) -> datetime | None:
    """No line may be rung before this instant; None: not known."""
    calendar = calendar_for(reference)
    ends = [end for one in coming if (end := _end(one, moment, reference)) is not None]
    return next_calling_time(max(min(ends), moment.now), calendar) if ends else None


def _end(one: Coming, moment: Moment, reference: Reference) -> datetime | None:
    calendar, desk = calendar_for(reference), reference.desk
    if one.reason == "not_before":
        return one.not_before
    if one.reason == "rest" and one.tried_at is not None:
        return one.tried_at + timedelta(seconds=desk.rest_seconds)
    if one.reason == "part_of_day":
        return next_in_part(moment.now, PartOfDay(one.part_of_day), calendar)
    if one.reason == "personal" and one.promised_until is not None:
        return one.promised_until - timedelta(seconds=desk.lease_seconds)
    return tomorrow(moment.now, calendar) if one.reason == "capped" else None


def _later(until: datetime | None, counts: Mapping[str, int], count: int, reference: Reference, now: datetime) -> str:
    at = wording.moment_words(until, reference.desk.time_zone, now) if until else _("a while")
    words = ngettext(
        "Nothing is due before {moment}; {count} callback is open.",
        "Nothing is due before {moment}; {count} callbacks are open.",
        count,
    ).format(moment=at, count=count)
    said = [_part(wording.reason_words(code), counts[code]) for code in _WHY_NOTHING["later"] if counts.get(code)]
    return f"{words} ({', '.join(said)})" if len(said) > 1 else words


def _held(names: Sequence[str], count: int) -> str:
    if not names:
        return ngettext(
            "All that may be rung is held by other agents; {count} callback is open.",
            "All that may be rung is held by other agents; {count} callbacks are open.",
            count,
        ).format(count=count)
    return ngettext(
        "All that may be rung is held by {names}; {count} callback is open.",
        "All that may be rung is held by {names}; {count} callbacks are open.",
        count,
    ).format(names=", ".join(names), count=count)


def _closed(connection: "Connection", site_id: str, count: int, reference: Reference, now: datetime) -> NothingNow:
    """Nothing is released: which services callbacks wait for, and when those are planned to open."""
    today = local_day(now, reference.desk.time_zone)
    services = [number for number in queue.waiting_services(connection, site_id) if number in reference.services]
    histories = {key: read_history(rows) for key, rows in openings.opening_rows(connection, services).items()}
    words = ngettext(
        "Nothing is released: {count} callback waits for an opening.",
        "Nothing is released: {count} callbacks wait for an opening.",
        count,
    ).format(count=count)
    services.sort(key=lambda number: _opens_on(histories.get(number, History()), today) or today.max)
    said = [wording.waits_for([number], histories, reference, today) for number in services[:MOST_SERVICES]]
    more = (
        [_("{count} more services").format(count=len(services) - MOST_SERVICES)]
        if len(services) > MOST_SERVICES
        else []
    )
    return NothingNow("closed", " ".join([words, "; ".join([*said, *more])]).strip())


def _opens_on(history: History, today: date) -> date | None:
    return history.next_open(today) or (history.planned.opens_on if history.planned else None)


def _others(counts: Mapping[str, int]) -> str:
    said = [_part(_(words), counts[code]) for code, words in _OTHERS.items() if counts.get(code)]
    return _("What is left waits for somebody: {what}.").format(what=", ".join(said))


def _part(words: str, count: int) -> str:
    return f"{words} {count}"
