"""What one line of a handover says, in words: all that the service's secretariat needs to go on without the desk."""

from collections.abc import Sequence
from typing import Any

from crisisdesk.clock import to_local
from crisisdesk.desk import wording
from crisisdesk.desk.slotwords import date_wish_words
from crisisdesk.domain.datewish import date_wish_from
from crisisdesk.domain.phone import group_phone
from crisisdesk.domain.reference import Reference
from crisisdesk.domain.words import BookingState, Coverage, MayTell, Voicemail
from crisisdesk.i18n import N_, _, current_language, labelled, ngettext
from crisisdesk.store.handoverfacts import HandoverFacts, Number, Place

GAP = " / "
"""Between several things in one cell: a line of the list is one line of the file."""
_MACHINE = {
    Voicemail.UNKNOWN: N_("voicemail: never asked, leave no name"),
    Voicemail.NONE: N_("voicemail: leave nothing"),
    Voicemail.IDENTIFIED: N_("voicemail: name and hospital allowed"),
}
_OTHERS = {
    MayTell.UNKNOWN: N_("others: never asked, say nothing"),
    MayTell.NONE: N_("others: nobody may be told"),
    MayTell.NAMED: N_("others: {who} may be told, nobody else"),
}
STATES = {
    Coverage.NEVER_TRIED: N_("never tried"),
    Coverage.TRIED: N_("tried, not reached"),
    Coverage.REACHED: N_("reached, no decision"),
    Coverage.DECIDED: N_("decided, no date"),
    Coverage.REBOOKED: N_("rebooked"),
    Coverage.DONE: N_("done"),
}
"""How far a line had come, in words."""
_HOLDS = {
    "review": N_("a clinician decides first"),
    "number_search": N_("no working number: search one"),
    "confirm_death": N_("a death was reported, not confirmed yet"),
}
_WITHDRAWN = {"slipped": N_("slipped"), "postponed": N_("put off again")}


def compose_line(number: int, facts: HandoverFacts, reference: Reference) -> dict[str, str]:
    """The cells of one postponement, by `domain.handover.COLUMNS`."""
    item = facts.items[number]
    who = facts.patients[item.patient_id]
    service = reference.services.get(item.service_id or 0)
    language = current_language()
    return {
        "patient": wording.patient_name(who.last_name, who.first_name, who.full_name),
        "born": wording.long_day(who.birth_on) if who.birth_on else "",
        "record": who.record_number,
        "language": reference.label("language", who.language, language) if who.language else "",
        "phones": GAP.join(_number_words(one, reference) for one in facts.phones.get(item.patient_id, ())),
        "telling": GAP.join(_telling(who)),
        "service": service.name if service else item.service_name,
        "what": GAP.join(text for text in (item.procedure, item.clinician, item.remark) if text),
        "original": wording.long_day(item.original_on),
        "priority": _priority(item, reference),
        "state": _state(item, reference),
        "promises": GAP.join(_promises(item, facts.places.get(number, ()), reference)),
        "places": GAP.join(_places(facts.places.get(number, ()))),
        "history": _history(item.patient_id, facts, reference),
        "words": facts.words.get(item.patient_id, ""),
        "item": str(number),
    }


def _number_words(number: Number, reference: Reference) -> str:
    marks = [number.comment, _("guessed") if number.is_guessed else "", _("found wrong") if number.is_wrong else ""]
    more = ", ".join(mark for mark in marks if mark)
    shown = group_phone(number.number, reference.desk.country)
    return f"{shown} ({more})" if more else shown


def _telling(who: Any) -> list[str]:
    """What may be said to a machine and to others, and what to know before ringing."""
    parts = [
        _(_MACHINE[Voicemail(who.voicemail)]),
        _(_OTHERS[MayTell(who.may_tell)]).format(who=who.may_tell_who or "?"),
    ]
    for label, text in (
        (_("before ringing"), who.contact_note), (_("next of kin"), who.next_of_kin),
        (_("general practitioner"), who.gp), (_("words agreed with the patient"), who.proof),
    ):  # fmt: skip
        parts += [labelled(label, text)] if text else []
    return parts


def _priority(item: Any, reference: Reference) -> str:
    """The code and the clinical limit that follows from it."""
    code = item.priority or _("uncoded")
    limit = reference.priority_limits.get(item.priority or "uncoded")
    parts = [code, item.priority_by] if item.priority_by else [code]
    if limit is not None and item.original_on is not None:
        parts.append(_("by {due}").format(due=wording.long_day(item.original_on + limit)))
    if item.is_protected:
        parts.append(_("protected"))
    return " · ".join(parts)


def _state(item: Any, reference: Reference) -> str:
    """How far it has come, what was decided, and what it waits for."""
    parts = [_(STATES[Coverage(item.coverage)])]
    if item.decision:
        parts.append(reference.label("disposition.item", item.decision, current_language()))
    if item.hold:
        parts.append(_(_HOLDS.get(item.hold, item.hold)))
    if (item.why or {}).get("escalated"):
        parts.append(_("passed on as urgent"))
    return GAP.join(parts)


def _promises(item: Any, places: Sequence[Place], reference: Reference) -> list[str]:
    """What the patient was promised and nobody has kept: a moment to be rung, a day that slipped, a wish."""
    zone, promises = reference.desk.time_zone, []
    if item.promised_from or item.promised_until:
        words = _("to be rung until {moment}") if item.promised_until else _("to be rung from {moment}")
        promises.append(words.format(moment=wording.moment_words(item.promised_until or item.promised_from, zone)))
    for place in places:
        if place.state == BookingState.WITHDRAWN and place.why in _WITHDRAWN:
            told = _("was told {day}: {why}").format(day=wording.long_day(place.slot_on), why=_(_WITHDRAWN[place.why]))
            promises.append(told)
    if item.is_reserve:
        promises.append(_("wants an earlier place (reserve list)"))
    wish = date_wish_words(date_wish_from(item.wish))
    promises += [_("can come {words}").format(words=wish)] if wish else []
    promises += [item.ring_note] if item.ring_note else []
    return promises


def _places(places: Sequence[Place]) -> list[str]:
    """Days that still hold, and days that were taken back."""
    return [
        f"{wording.long_day(place.slot_on)}{f' {place.slot_time:%H:%M}' if place.slot_time else ''}"
        + (f" ({_('taken back')})" if place.state == BookingState.WITHDRAWN else "")
        for place in places
    ]


def _history(patient_id: int, facts: HandoverFacts, reference: Reference) -> str:
    """The last contacts, newest first, after how many there were in all."""
    entries, zone = facts.history.get(patient_id, ()), reference.desk.time_zone
    if not entries:
        return _("no contact")
    count = facts.contacts[patient_id]
    parts = [ngettext("{count} contact", "{count} contacts", count).format(count=count)]
    for entry in entries:
        scope = "disposition.attempt" if entry.what == "attempt" else "disposition.inbound"
        what = _("rung") if entry.what == "attempt" else _("call in")
        ending = reference.label(scope, entry.code, current_language())
        by = f" ({entry.by})" if entry.by else ""
        words = f"{to_local(entry.at, zone):%d/%m %H:%M} {what}, {ending}{by}"
        parts.append(f"{words}: {entry.note}" if entry.note else words)
    return GAP.join(parts)
