"""The reasons of the queue in words: why here, why not now, what a disposition leads to."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from crisisdesk.clock import to_local
from crisisdesk.domain.opening import History
from crisisdesk.domain.phone import group_phone
from crisisdesk.domain.reference import Reference
from crisisdesk.domain.retry import FollowUp
from crisisdesk.domain.words import NextStep, OpeningState
from crisisdesk.i18n import N_, _, current_language, joined, ngettext

if TYPE_CHECKING:
    from crisisdesk.store.engine import Connection

_DAYS = (N_("Mon"), N_("Tue"), N_("Wed"), N_("Thu"), N_("Fri"), N_("Sat"), N_("Sun"))
_RELEASES = {
    "protected": N_("protected service: never put off by default"),
    "promised": N_("promised in a call"),
    "slipped": N_("told a date that slipped"),
    "escalated": N_("passed on as urgent"),
}
_STATES = {"closed": N_("closed"), "partial": N_("partly open"), "open": N_("fully open")}


def day_words(day: date | str | None) -> str:
    """A day of these weeks: "Tue 31/05"; empty for None."""
    if not day:
        return ""
    day = date.fromisoformat(day) if isinstance(day, str) else day
    return f"{_(_DAYS[day.weekday()])} {day:%d/%m}"


def long_day(day: date | str | None) -> str:
    """A day that may be far away: "31/05/2022"."""
    if not day:
        return _("unknown date")
    return f"{date.fromisoformat(day) if isinstance(day, str) else day:%d/%m/%Y}"


def moment_words(instant: datetime, zone: str, now: datetime | None = None) -> str:
    """An instant on the desk's clock: "14:30" on the day of ``now``, else "Tue 31/05 14:30"."""
    local = to_local(instant, zone)
    is_today = now is not None and to_local(now, zone).date() == local.date()
    return f"{local:%H:%M}" if is_today else f"{day_words(local.date())} {local:%H:%M}"


def state_words(state: str) -> str:
    """How far a service is open."""
    return _(_STATES.get(state, state))


def patient_name(last_name: str, first_name: str, full_name: str = "") -> str:
    """A name as the lists of the house write it: "DUPONT Marie"; what is unknown is said."""
    return " ".join(part for part in (last_name.upper(), first_name) if part) or full_name or _("name unknown")


def why_here(why: Mapping[str, Any], tier: int, due_at: datetime, reference: Reference) -> str:
    """Why a callback stands where it stands, in one sentence."""
    zone = reference.desk.time_zone
    due = long_day(to_local(due_at, zone).date())
    if why.get("rule") == "promise":
        clock = _("promised by {moment}").format(moment=moment_words(due_at, zone))
    elif why.get("rule") == "limit":
        clock = _limit_words(why, due, reference)
    else:
        clock = _("asked to be rung, by {due}").format(due=due)
    first = []
    if "escalated" in why:
        first.append(_("passed on as urgent"))
    if slipped := why.get("slipped"):
        first.append(_slip_words(slipped))
    if kept := why.get("reserve"):
        first.append(_free_words(kept.get("day")))
    if told := why.get("told"):
        first.append(told_words(told))
    return joined([*first, clock])


def _limit_words(why: Mapping[str, Any], due: str, reference: Reference) -> str:
    code = why.get("priority") or "uncoded"
    words = reference.label("priority", code, current_language()).split("·")[0].strip()
    if not why.get("original_on"):
        return _("{priority}, original date unknown, by {due}").format(priority=words, due=due)
    return _("{priority}, was on {original}, by {due}").format(
        priority=words, original=long_day(why["original_on"]), due=due
    )


def _slip_words(slipped: Mapping[str, Any]) -> str:
    told = day_words(slipped.get("told_on"))
    if slipped.get("now_on"):
        return _("was told {told}, now {now}").format(told=told, now=day_words(slipped["now_on"]))
    return _("was told {told}, which no longer holds").format(told=told)


def told_words(told: Mapping[str, Any]) -> str:
    """What a patient was told that no longer holds: "was told on 23/05: «…», which changed on 01/06"."""
    on, changed = (date.fromisoformat(told[name]) for name in ("on", "changed_on"))
    words = _("was told on {day}: «{words}», which changed on {changed}")
    return words.format(day=f"{on:%d/%m}", words=told["words"], changed=f"{changed:%d/%m}")


_WITHDRAWN = {
    "slipped": N_("the service slipped"),
    "postponed": N_("all put off again"),
    "cancelled_by_patient": N_("the patient gave it up"),
    "cancelled_by_service": N_("the service took it back"),
    "moved_by_patient": N_("another day, for the patient"),
    "moved_by_service": N_("another day, for the service"),
    "not_come_patient": N_("the patient did not come"),
    "not_come_service": N_("the service could not take the patient"),
    "undone": N_("the attempt was undone"),
    "corrected": N_("the attempt was corrected"),
    "deceased": N_("the patient has died"),
}


def withdrawn_words(code: str) -> str:
    """Why a day that was told holds no longer."""
    return _(_WITHDRAWN.get(code, code))


def _free_words(day: str | None) -> str:
    """A place came free and is kept for this patient, who comes at short notice."""
    return _("a place is free on {day}").format(day=day_words(day))


def release_words(code: str) -> str:
    """Why a callback may be rung."""
    if code.startswith("reserve:"):
        return _free_words(code.rpartition(":")[2])
    if code.startswith("instruction"):
        return _("was told an instruction that changed")
    return _("its service opens") if code.startswith("opening") else _(_RELEASES.get(code, code))


_CHANNELS = {
    "": N_("a clinician decides"),
    "letter": N_("a letter is sent"),
    "gp": N_("the general practitioner is told"),
    "next_of_kin": N_("the next of kin are asked"),
}
_CHANNELS_USED = {
    "letter": N_("letter sent"),
    "gp": N_("general practitioner told"),
    "next_of_kin": N_("next of kin asked"),
}


def review_words(channel: str | None) -> str:
    """What has to be done before a callback on hold is rung again: a channel besides the telephone, or a decision."""
    return _(_CHANNELS.get(channel or "", channel or ""))


def channel_words(channel: str) -> str:
    """A channel besides the telephone as something that was done."""
    return _(_CHANNELS_USED.get(channel, channel))


_CLOSED = {
    "merged": N_("two records made one"), "handed_over": N_("handed over"), "clinician": N_("decided by a clinician"),
}  # fmt: skip


def closed_words(code: str, reference: Reference) -> str:
    """Why a callback was closed: the ending of the attempt, or what else closed it."""
    return _(_CLOSED[code]) if code in _CLOSED else reference.label("disposition.attempt", code, current_language())


def closed_words_in(connection: "Connection", code: str) -> str:
    """The same, where only a connection is at hand."""
    from crisisdesk.store.reference import label_of

    kinds = ("disposition.attempt", "disposition.inbound", "disposition.item")
    return _(_CLOSED[code]) if code in _CLOSED else label_of(connection, kinds, code, current_language())


def reason_words(code: str) -> str:
    """Heading of a count: what keeps callbacks out."""
    return _(_HEADINGS.get(code, code))


_HEADINGS = {
    "ready": N_("may be rung now"),
    "held": N_("held by an agent"),
    "desk_closed": N_("desk closed"),
    "settled": N_("nothing left to settle"),
    "broken": N_("promise broken"),
    "review": N_("with a clinician"),
    "number_search": N_("number search"),
    "confirm_death": N_("death to be confirmed"),
    "not_released": N_("wait for an opening"),
    "not_before": N_("later, as agreed"),
    "rest": N_("tried a moment ago"),
    "part_of_day": N_("another part of the day"),
    "personal": N_("promised by an agent"),
    "no_number": N_("no number"),
    "on_line": N_("number in use"),
    "capped": N_("rung often enough today"),
}


def waits_for(
    service_ids: Iterable[int | None], histories: Mapping[int, History], reference: Reference, today: date
) -> str:
    """What an unreleased callback waits for, from the services of its postponements."""
    known = [number for number in service_ids if number is not None and number in reference.services]
    if not known:
        return _("its service is not known: a supervisor decides")
    services = dict.fromkeys(known)
    words = [_service_wait(number, histories.get(number, History()), reference, today) for number in services]
    return joined(words)


def _service_wait(service_id: int, history: History, reference: Reference, today: date) -> str:
    name, current = reference.services[service_id].name, history.on(today)
    if current is not None and current.state != OpeningState.CLOSED:
        return _("{service}: waits for a free place").format(service=name)
    if (opens_on := history.next_open(today)) is not None:
        return _("{service} opens {day}: waits for a free place").format(service=name, day=day_words(opens_on))
    if history.planned is not None:
        return _("{service} closed, planned for {day}").format(service=name, day=day_words(history.planned.opens_on))
    return _("{service} closed, no date yet").format(service=name)


def follow_up_words(follow: FollowUp, reference: Reference, now: datetime) -> str:
    """What a disposition leads to, as the key shows it before it is confirmed."""
    zone = reference.desk.time_zone
    at = moment_words(follow.next_at, zone, now) if follow.next_at else ""
    if follow.step == NextStep.RETRY:
        again = _("Rung again from {moment}.").format(moment=at)
        return _("{again} This number was rung often enough today.").format(again=again) if follow.why else again
    if follow.step == NextStep.NEXT_NUMBER:
        if not follow.number:
            return _("No other number: goes to the number search. Meanwhile: {channel}.").format(
                channel=review_words(follow.channel)
            )
        number = group_phone(follow.number, reference.desk.country)
        return _("Next number {number}, from {moment}.").format(number=number, moment=at)
    if follow.step == NextStep.AT_TIME:
        return _("Rung again from {moment}, as agreed.").format(moment=at)
    if follow.step == NextStep.ESCALATE:
        return _("Pass on to the clinician now. First in the queue; rung again from {moment}.").format(moment=at)
    if follow.step == NextStep.REVIEW and (follow.why or follow.channel):
        then = _("{next}; nobody rings meanwhile.").format(next=review_words(follow.channel))
        if not follow.why:
            return then
        if follow.why == "cap":
            return _("Often enough of this kind: {then}").format(then=then)
        count = reference.desk.attempts_in_all
        tried = ngettext("{count} attempt in all", "{count} attempts in all", count).format(count=count)
        return _("Tried often enough ({tried}): {then}").format(tried=tried, then=then)
    return _(_STEPS[follow.step] if not follow.why else N_("What is not settled yet waits for its opening."))


_STEPS = {
    NextStep.CLOSE: N_("The callback ends."),
    NextStep.REVIEW: N_("A clinician decides, nobody rings meanwhile."),
    NextStep.CONFIRM: N_("All callbacks of this person stop now; a second agent confirms."),
    NextStep.OPENING: N_("Waits for the opening of the service."),
}
