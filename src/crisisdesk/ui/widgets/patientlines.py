"""The lines of a person's file: who, the facts, what happened."""

from collections.abc import Iterable

from textual.content import Content

from crisisdesk.desk.handovers import taken_words
from crisisdesk.desk.linking import why_not_now
from crisisdesk.desk.patientfields import MAY_TELL_WORDS, VOICEMAIL_WORDS
from crisisdesk.desk.wording import closed_words, withdrawn_words
from crisisdesk.domain.matches import ItemLine
from crisisdesk.domain.person import Event, EventKind, PatientFile, mask_national_number
from crisisdesk.domain.words import Voicemail
from crisisdesk.i18n import N_, _, labelled
from crisisdesk.reports.definitions import COVERAGE
from crisisdesk.ui.format import show_age, show_date, show_moment, show_phone
from crisisdesk.ui.inert import inert
from crisisdesk.ui.session import Session
from crisisdesk.ui.widgets.table import Cell, Row

_EVENTS = {
    EventKind.CALL: N_("call"),
    EventKind.ATTEMPT: N_("attempt"),
    EventKind.CALLBACK_MADE: N_("callback made"),
    EventKind.CALLBACK_RELEASED: N_("callback released"),
    EventKind.CALLBACK_CLOSED: N_("callback closed"),
    EventKind.BOOKED: N_("date given"),
    EventKind.BOOKING_WITHDRAWN: N_("date withdrawn"),
    EventKind.CHANGED: N_("changed"),
}

_CHANGES = {
    "patient.added": N_("known from a call"),
    "patient.changed": N_("corrected"),
    "patient.phone_added": N_("number added"),
    "patient.phone_wrong": N_("number found wrong"),
    "patient.phone_right": N_("number right after all"),
    "patient.merged": N_("two records made one"),
    "patient.split": N_("records parted"),
    "patient.likeness_refused": N_("found to be two persons"),
    "patient.death_reported": N_("death reported"),
    "patient.death_confirmed": N_("death confirmed"),
    "patient.death_refuted": N_("death refuted"),
}
_FIELDS = {
    "last_name": N_("Last name"), "first_name": N_("First name"), "full_name": N_("Name"), "name": N_("Name"),
    "birth_on": N_("Born on"), "niss": N_("National no."), "language": N_("Language"), "voicemail": N_("Voicemail"),
    "contact_note": N_("Before ringing"), "numbers": N_("Numbers"), "number": N_("number"), "why": N_("why"),
    "may_tell": N_("May be told"), "may_tell_who": N_("Who"), "gp": N_("General practitioner"),
    "next_of_kin": N_("Next of kin"),
}  # fmt: skip
_VALUES = {
    "may_tell": {choice.value: words for choice, words in MAY_TELL_WORDS.items()},
    "voicemail": {choice.value: words for choice, words in VOICEMAIL_WORDS.items()},
}
"""Fields whose values are words of the program."""


def who_lines(file: PatientFile, session: Session) -> Content:
    """Who it is, in at most four lines."""
    kind = session.reference.desk.national_number
    born = (
        f"{show_date(file.birth_on)} ({show_age(file.birth_on, session)})"
        if file.birth_on
        else _("birth date not known")
    )
    facts = [
        born,
        mask_national_number(file.niss, kind),
        file.town,
        session.label("language", file.language) if file.language else "",
        _(VOICEMAIL_WORDS[Voicemail(file.voicemail)]) if file.voicemail != Voicemail.UNKNOWN else "",
    ]
    lines = [
        Content.assemble(
            inert(file.name or _("(no name)"), tone="bold"), "  ", inert(" · ".join(fact for fact in facts if fact))
        )
    ]
    if file.contact_note:
        lines.append(Content.assemble(_("Before ringing: "), inert(file.contact_note)))
    if file.proof:
        lines.append(Content.assemble(_("Words agreed with the caller: "), inert(file.proof, tone="bold")))
    if file.is_provisional:
        lines.append(Content(_("Provisional: known from calls, on no list yet.")))
    if file.death_reported_at:
        words = (
            _("⚠ Death confirmed.") if file.is_death_confirmed else _("⚠ Death reported: a second agent confirms (F9).")
        )
        lines.append(Content.styled(words, "bold $warning"))
    return Content("\n").join(lines)


def fact_rows(file: PatientFile, session: Session) -> Iterable[Row]:
    """Lines with ids "n:+32..." (number), "i:5" (postponement), "r:6:5" (may be on a list), "u:6" (found on a list),
    "c:7" (callback), "l:2" (likeness)."""
    for line in file.phones:
        state = _("wrong") if line.found_wrong_at else _("guessed") if line.is_guessed else ""
        words = " · ".join(text for text in (show_phone(line.number, session), line.comment, state) if text)
        yield Row(f"n:{line.number}", (_("number"), Cell(words, "muted" if line.found_wrong_at else "strong")))
    for item in file.items:
        lists = ", ".join(f"{one.file} l. {one.line}" for one in file.listed.get(item.postponement_id, []))
        what = item.procedure or item.service_name or session.label("service_kind", item.kind or "")
        site, day = session.site_name(item.site_id), show_date(item.original_on)
        source = _("said by a caller") if item.is_reported else lists
        words = " · ".join(
            text
            for text in (what, site, day, item.priority or _("uncoded"), _(COVERAGE[item.coverage].name), source)
            if text
        )
        yield Row(f"i:{item.postponement_id}", (_("postponement"), words))
        if item.handed_over:
            taken = " · ".join(part for part in taken_words(item.handed_over, session.reference) if part)
            yield Row(f"w:{item.postponement_id}", ("", Cell(f"⇒ {taken}", "warn")))
    yield from _reported_rows(file, session)
    for callback in file.callbacks:
        words = why_not_now(callback, now=session.now(), zone=session.zone)
        yield Row(
            f"c:{callback.callback_id}",
            (_("callback"), Cell(f"{session.site_name(callback.site_id)} · {words}", "warn")),
        )
    for likeness in file.likenesses:
        state = {"merged": _("merged"), "refused": _("two persons"), "split": _("parted")}.get(
            likeness.state, _("same person?")
        )
        words = f"{state} · {likeness.other_name} {show_date(likeness.other_birth_on)} · {likeness.why}"
        yield Row(
            f"l:{likeness.likeness_id}",
            (_("likeness"), Cell(words, "warn" if likeness.state == "proposed" else "muted")),
        )


def _reported_rows(file: PatientFile, session: Session) -> Iterable[Row]:
    """What callers told of, and the line of a list that it may be, or was found to be."""
    items = {item.postponement_id: item for item in file.items}
    for match in file.reported:
        listed = items.get(match.listed_id)
        what = _what(listed, session) if listed else _("no. {number}").format(number=match.listed_id)
        if match.is_confirmed:
            words = " · ".join((_("what a caller told of"), _("is {item}").format(item=what), _("Enter takes it back")))
            yield Row(f"u:{match.reported_id}", (_("on the list"), Cell(words, "muted")))
        elif match.reported_id in items:
            told = _what(items[match.reported_id], session)
            words = _("{told} = {item}?").format(told=told, item=what) + " · " + ", ".join(match.why)
            yield Row(f"r:{match.reported_id}:{match.listed_id}", (_("same one?"), Cell(words, "warn")))


def _what(item: ItemLine, session: Session) -> str:
    words = item.procedure or item.service_name or session.label("service_kind", item.kind or "")
    return " ".join(text for text in (words, session.site_name(item.site_id), show_date(item.original_on)) if text)


def event_row(event: Event, session: Session) -> Row:
    """One thing that happened."""
    words = _event_words(event, session)
    return Row(f"{event.kind.value}:{event.number}", (show_moment(event.at, session), _(_EVENTS[event.kind]), words))


def _event_words(event: Event, session: Session) -> str:
    if event.kind == EventKind.CHANGED:
        what = _(_CHANGES[event.code]) if event.code in _CHANGES else event.code
        told = " · ".join(_field_named(part) for part in event.words.split(" · "))
        parts = [what, told, event.agent]
    else:
        scope = "disposition.attempt" if event.kind == EventKind.ATTEMPT else "disposition.inbound"
        ending = session.label(scope, event.code) if event.code and event.kind != EventKind.BOOKED else ""
        if event.kind == EventKind.CALLBACK_CLOSED:
            ending = closed_words(event.code, session.reference)
        undone = _("undone, counts nowhere") if event.is_undone else ""
        words = withdrawn_words(event.words) if event.kind == EventKind.BOOKING_WITHDRAWN else event.words
        parts = [undone, words, ending, session.site_name(event.site_id), event.agent, event.reference]
    return " · ".join(text for text in parts if text)


def _field_named(part: str) -> str:
    """One "field: old → new" of the journal, its field named as on the screen, and its values too."""
    name, colon, rest = part.partition(": ")
    if name == "proof":
        return _("words agreed with the caller")  # which ones stays between the two
    if name in _VALUES:
        rest = " → ".join(_(_VALUES[name].get(value, value)) if value else value for value in rest.split(" → "))
    if name not in _FIELDS:
        return part
    return labelled(_(_FIELDS[name]), rest) if colon else _(_FIELDS[name])
