"""Places and wishes in words: why this day and no earlier one, what a day has left, which days suit a patient."""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import TYPE_CHECKING

from crisisdesk.desk.wording import day_words
from crisisdesk.domain.datewish import DateWish
from crisisdesk.domain.opening import limits_on
from crisisdesk.domain.reference import Reference
from crisisdesk.domain.slots import CLOSED, DAY_OFF, FULL, LIMIT, TOO_SOON, WISH, Diary, LeftOut
from crisisdesk.domain.words import PartOfDay
from crisisdesk.i18n import N_, _, current_language, labelled

if TYPE_CHECKING:
    from crisisdesk.desk.booking import Asked

_WHY = {
    TOO_SOON: N_("too soon to prepare"),
    WISH: N_("the patient's wish"),
    FULL: N_("full"),
    CLOSED: N_("closed"),
}
_PARTS = {
    PartOfDay.MORNING: N_("in the morning"),
    PartOfDay.AFTERNOON: N_("in the afternoon"),
    PartOfDay.EVENING: N_("in the evening"),
}
_WEEK = (N_("Mon"), N_("Tue"), N_("Wed"), N_("Thu"), N_("Fri"), N_("Sat"), N_("Sun"))


def limit_words(code: str, reference: Reference) -> str:
    """A capacity limit, as the desk calls it: "implant"."""
    return reference.label("capacity_limit", code, current_language())


def needs_words(needs: Iterable[str], reference: Reference) -> str:
    """The limits that a patient takes one of: "implant, isolation room"; empty for none."""
    return ", ".join(limit_words(code, reference) for code in needs)


def asked_words(asked: "Asked | None", reference: Reference) -> str:
    """What a patient asks of a day, in a line: "implant · Mon/Tue · at short notice"; empty for nothing."""
    if asked is None:
        return ""
    notice = _("at short notice") if asked.is_reserve else ""
    parts = (needs_words(asked.needs, reference), date_wish_words(asked.wish), notice)
    return " · ".join(part for part in parts if part)


def why_words(why: str, reference: Reference) -> str:
    """One reason for which a day is left out."""
    if why.startswith(LIMIT):
        return _("no place left for {limit}").format(limit=limit_words(why.removeprefix(LIMIT), reference))
    return _(_WHY.get(why, why))


def left_out_words(left_out: Sequence[LeftOut], reference: Reference) -> str:
    """Why no earlier day: "too soon to prepare: Tue 31/05, Wed 01/06; full: Thu 02/06". Days off need no words."""
    days: dict[str, list[date]] = {}
    for one in left_out:
        if one.why != DAY_OFF:
            days.setdefault(one.why, []).append(one.day)
    return "; ".join(labelled(why_words(why, reference), _span(found)) for why, found in days.items())


def _span(days: Sequence[date]) -> str:
    if len(days) <= 2:
        return ", ".join(day_words(day) for day in days)
    return _("{first} to {last}").format(first=day_words(days[0]), last=day_words(days[-1]))


def refusal(why: str, day: date, diary: Diary, service: str, reference: Reference) -> str:
    """Why nobody, or not this patient, can be given a place on a day, in a sentence."""
    if why in (CLOSED, DAY_OFF):
        return _("{service} takes nobody on {day}.").format(service=service, day=day_words(day))
    if why == FULL:
        return _("{service} is full on {day}.").format(service=service, day=day_words(day))
    code = why.removeprefix(LIMIT)
    most = limits_on(diary.history, day).get(code, 0)
    return _("{service} has no place left for {limit} on {day} ({used} of {most}).").format(
        service=service, limit=limit_words(code, reference), day=day_words(day), most=most,
        used=diary.booked_limits.get(day, {}).get(code, 0),
    )  # fmt: skip


def date_wish_words(wish: DateWish) -> str:
    """The days that suit a patient, as they were understood; as said where nothing was; empty for any day."""
    parts = []
    if wish.earliest and wish.earliest == wish.latest:
        parts.append(_("only on {day}").format(day=day_words(wish.earliest)))
    else:
        parts += [_("from {day} on").format(day=day_words(wish.earliest))] if wish.earliest else []
        parts += [_("until {day}").format(day=day_words(wish.latest))] if wish.latest else []
    parts += [_weekday_words(wish.weekdays)] if wish.weekdays else []
    parts += [_(_PARTS[wish.part_of_day])] if wish.part_of_day in _PARTS else []
    if parts:
        return " ".join(parts)
    return _("as said: {words}").format(words=wish.words) if wish.words else ""


def _weekday_words(weekdays: frozenset[int]) -> str:
    """ "Mon/Tue"; of many, those that are left out: "not on Fri"."""
    left_out = [day for day in range(7) if day not in weekdays]
    if 0 < len(left_out) <= 2:
        return _("not on {days}").format(days="/".join(_(_WEEK[day]) for day in left_out))
    return "/".join(_(_WEEK[day]) for day in sorted(weekdays))
