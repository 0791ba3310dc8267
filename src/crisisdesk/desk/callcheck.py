"""What must be right before a call is stored, and what the typed texts mean. All mistakes at once, by field.

A call is recordable with nothing known but how it ended. Only a promise that nobody could keep is refused: a callback
without a site or without a number, an agreed time that was not understood.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from crisisdesk import clock
from crisisdesk.desk.callbooking import read_new_dates
from crisisdesk.desk.callform import CallForm, Mistake
from crisisdesk.domain.dates import read_typed_date
from crisisdesk.domain.niss import is_valid_national_number, read_niss
from crisisdesk.domain.phone import read_phones
from crisisdesk.domain.reference import Disposition, Reference
from crisisdesk.domain.slips import read_taken_at
from crisisdesk.domain.text import clean
from crisisdesk.domain.wishes import DayHours, Wish, read_wish
from crisisdesk.domain.words import NextStep, Reach, Scope, Voicemail
from crisisdesk.errors import RuleBroken
from crisisdesk.i18n import _
from crisisdesk.store import calls, instructions, patients
from crisisdesk.store.engine import Connection

LONGEST = {"words": 4000, "note": 4000, "uid": 64}
LONGEST_FIELD = 200
PROMISES = frozenset({NextStep.OPENING, NextStep.AT_TIME})
"""Next steps that bind the desk to ring: they need a site and a number."""
PASSED_ON = frozenset({NextStep.ESCALATE, NextStep.REVIEW, NextStep.CONFIRM})
"""Next steps that hand the call to somebody who may judge it."""


class FormRefused(RuleBroken):
    """The form has mistakes; the message names each, ``mistakes`` holds them by field."""

    def __init__(self, mistakes: list[Mistake]) -> None:
        super().__init__(" ".join(mistake.words for mistake in mistakes))
        self.mistakes = tuple(mistakes)


@dataclass
class CheckedCall:
    """A form that may be stored, with its texts read."""

    form: CallForm
    ending: Disposition
    texts: Mapping[str, str]
    """Every text field, cleaned."""
    patient_ids: tuple[int, ...] = ()
    items: Mapping[int, str | None] = field(default_factory=dict)
    item_patients: Mapping[int, int] = field(default_factory=dict)
    item_sites: Mapping[int, str | None] = field(default_factory=dict)
    number: str | None = None
    """The caller's number, E.164."""
    is_number_guessed: bool = False
    birth_on: date | None = None
    niss: str | None = None
    wish: Wish | None = None
    said_on: tuple[date | None, ...] = ()
    """Dates of the reported items."""
    deceased_id: int | None = None
    new_dates: Mapping[int, date] = field(default_factory=dict)
    """Day that is given, by postponement."""
    warnings: list[str] = field(default_factory=list)
    taken_at: datetime | None = None
    """When a paper slip says that the call was taken."""

    @property
    def started_at(self) -> datetime:
        """When the call came: what the slip says, else when the form was begun."""
        return self.taken_at or self.form.started_at

    @property
    def ended_at(self) -> datetime | None:
        """When it ended; not known of a slip."""
        return None if self.taken_at else self.form.ended_at

    @property
    def has_person(self) -> bool:
        """Whether the form tells of a patient that is not linked."""
        return bool(self.texts["last_name"] or self.texts["first_name"] or self.birth_on or self.niss)


def check_form(connection: Connection, form: CallForm, reference: Reference, *, now: datetime) -> CheckedCall:
    """Read and check a form against the reference data and the store.

    Raises:
        FormRefused: with every mistake, naming the field and what to do.
    """
    mistakes: list[Mistake] = []

    def wrong(name: str, words: str) -> None:
        mistakes.append(Mistake(name, words))

    ending = _ending(form, reference, wrong)
    texts = _texts(form, wrong)
    _check_codes(form, reference, wrong)
    _check_times(form, now, wrong)
    if ending is None:
        raise FormRefused(mistakes)
    checked = CheckedCall(form, ending, texts)
    _read_slip(checked, reference, now, wrong)
    _read_person(checked, reference, now, wrong)
    _read_links(connection, checked, reference, wrong)
    _read_wish(checked, reference, now, wrong)
    checked.new_dates = read_new_dates(connection, form, ending, checked.items, reference, now, wrong)
    _check_ending(connection, checked, reference, wrong)
    if mistakes:
        raise FormRefused(mistakes)
    return checked


Wrong = Callable[[str, str], None]
_TEXTS = (
    "uid", "taken_by", "slip_number", "taken_at", "phone", "caller_name", "relation", "last_name", "first_name",
    "birth", "niss", "words", "note", "wish", "wish_number",
)  # fmt: skip


def _ending(form: CallForm, reference: Reference, wrong: Wrong) -> Disposition | None:
    ending = reference.dispositions.get((Scope.INBOUND, form.disposition))
    if ending is None:
        known = ", ".join(row.code for row in reference.dispositions_of(Scope.INBOUND))
        words = (
            _("Ending: say how the call ended.") if not form.disposition else _("Ending: '{code}' is none of {known}.")
        )
        wrong("disposition", words.format(code=form.disposition[:40], known=known))
    return ending


def _texts(form: CallForm, wrong: Wrong) -> dict[str, str]:
    texts = {}
    for name in _TEXTS:
        texts[name] = clean(getattr(form, name), keep_lines=name in {"words", "note"}).text
        most = LONGEST.get(name, LONGEST_FIELD)
        if len(texts[name]) > most:
            wrong(
                name,
                _("{field}: {count} characters; {most} at most.").format(field=name, count=len(texts[name]), most=most),
            )
    if not texts["uid"]:
        wrong(
            "uid", _("The form has no number of its own (uid), without which a second save would make a second call.")
        )
    return texts


def _check_codes(form: CallForm, reference: Reference, wrong: Wrong) -> None:
    known: Mapping[str, tuple[str, Mapping[str, Any]]] = {
        "caller_kind": (form.caller_kind, reference.caller_kinds),
        "topic": (form.topic, reference.topics),
        "site_id": (form.site_id, reference.sites),
        "red_flag": (form.red_flag, reference.red_flags),
        "voicemail": (form.voicemail, {choice.value: choice for choice in Voicemail}),
    }
    for name, (code, choices) in known.items():
        if code and code not in choices:
            words = _("{field}: '{code}' is none of {known}.")
            wrong(name, words.format(field=name, code=code[:40], known=", ".join(choices)))
    for item in form.reported:
        if item.site_id and item.site_id not in reference.sites:
            wrong("reported", _("Reported appointment: there is no site '{code}'.").format(code=item.site_id[:40]))


def _check_times(form: CallForm, now: datetime, wrong: Wrong) -> None:
    if form.started_at.tzinfo is None:
        wrong("started_at", _("Start of the call: give the time with its zone."))
    elif form.started_at > now + timedelta(minutes=5):
        wrong("started_at", _("Start of the call: lies in the future."))
    elif form.ended_at and (form.ended_at.tzinfo is None or form.ended_at < form.started_at):
        wrong("ended_at", _("End of the call: lies before its start."))


def _read_slip(checked: CheckedCall, reference: Reference, now: datetime, wrong: Wrong) -> None:
    said = checked.texts["taken_at"]
    if not said:
        return
    checked.taken_at = read_taken_at(said, now=now, zone=reference.desk.time_zone)
    if checked.taken_at is None:
        wrong("taken_at", _("Taken at: '{text}' is no time; type it as 14:20 or 31/05 14:20.").format(text=said[:60]))
    elif checked.taken_at > now:
        wrong("taken_at", _("Taken at: {text} lies in the future; give the day too.").format(text=said[:60]))


def _read_person(checked: CheckedCall, reference: Reference, now: datetime, wrong: Wrong) -> None:
    desk = reference.desk
    today = clock.local_day(now, desk.time_zone)
    texts, warnings = checked.texts, checked.warnings
    if texts["birth"]:
        checked.birth_on = read_typed_date(texts["birth"], today)
        if checked.birth_on is None or not date(1890, 1, 1) <= checked.birth_on <= today:
            checked.birth_on = None
            wrong(
                "birth", _("Birth date: '{text}' is no past date; type it as 12/03/1958.").format(text=texts["birth"])
            )
    checked.niss = read_national_number(texts["niss"], desk.national_number, today)
    if texts["niss"] and checked.niss is None:
        warnings.append(_("National number: the check digits do not agree; it was kept in the journal only."))
    if texts["phone"] and not checked.form.is_withheld:
        read = read_phones(texts["phone"], desk.country)
        checked.number = next(iter(read.certain + read.guessed), None)
        checked.is_number_guessed = not read.certain
        if checked.number is None:
            warnings.append(_("Telephone: '{text}' is no number; it was kept as words.").format(text=texts["phone"]))
    said = [read_typed_date(item.said_on, today) if item.said_on else None for item in checked.form.reported]
    checked.said_on = tuple(said)
    for item, day in zip(checked.form.reported, said, strict=True):
        if item.said_on and day is None:
            warnings.append(_("Reported date: '{text}' was kept as words.").format(text=item.said_on[:60]))


def read_national_number(text: str, kind: str, today: date) -> str | None:
    """The digits of a national number whose check agrees, else None. ``kind`` is the desk's ("be.ssn", "none" ...)."""
    if kind == "be.ssn":
        return read_niss(text, today).value
    digits = "".join(character for character in text if character.isalnum())
    return digits if digits and is_valid_national_number(kind, digits) else None


def _read_links(connection: Connection, checked: CheckedCall, reference: Reference, wrong: Wrong) -> None:
    form = checked.form
    if form.instruction_id is not None and instructions.find_instruction(connection, form.instruction_id) is None:
        wrong("instruction_id", _("There is no instruction {number}.").format(number=form.instruction_id))
    linked: dict[int, None] = {}
    for number in form.patient_ids:
        standing = patients.standing_for(connection, number)
        if standing is None:
            wrong("patients", _("There is no patient {number}.").format(number=number))
        else:
            linked[standing] = None
    rows = calls.read_items(connection, [item.postponement_id for item in form.items])
    items: dict[int, str | None] = {}
    for item in form.items:
        row = rows.get(item.postponement_id)
        if row is None:
            wrong("items", _("There is no postponement {number}.").format(number=item.postponement_id))
            continue
        if item.disposition and (Scope.ITEM, item.disposition) not in reference.dispositions:
            wrong("items", _("Postponement {number}: '{code}' is no ending of an item.").format(
                number=item.postponement_id, code=item.disposition[:40]))  # fmt: skip
        linked[row.patient_id] = None
        items[row.id] = item.disposition or None
    checked.patient_ids, checked.items = tuple(linked), items
    checked.item_sites = {number: row.site_id for number, row in rows.items()}
    checked.item_patients = {number: row.patient_id for number, row in rows.items()}
    for number, open_one in calls.read_callbacks(connection, form.settled).items():
        if open_one.state == "closed" or open_one.patient_id not in linked:
            wrong("settled", _("Callback {number} is not open, or of no patient of this call.").format(number=number))


def _read_wish(checked: CheckedCall, reference: Reference, now: datetime, wrong: Wrong) -> None:
    desk, texts = reference.desk, checked.texts
    number = checked.number or ""
    if texts["wish_number"]:
        number = next(iter(read_phones(texts["wish_number"], desk.country).certain), "")
        if not number:
            wrong("wish_number", _("Number to ring: '{text}' is no number.").format(text=texts["wish_number"]))
    if not texts["wish"] and not texts["wish_number"]:
        checked.wish = Wish(number=number) if number else None
        return
    hours = DayHours(desk.time_zone, desk.calls_from, desk.calls_until)
    checked.wish = read_wish(texts["wish"], now=max(checked.started_at, now), hours=hours, number=number)
    if not checked.wish.is_understood:
        checked.warnings.append(_("Wish: '{text}' was kept as words only.").format(text=texts["wish"]))


def _check_ending(connection: Connection, checked: CheckedCall, reference: Reference, wrong: Wrong) -> None:
    form, ending, texts = checked.form, checked.ending, checked.texts
    if ending.needs_note and not texts["note"] and not texts["words"]:
        wrong("note", _("Note: this ending needs a few words (what was said, by whom)."))
    if form.red_flag and ending.next_step not in PASSED_ON:
        wrong(
            "disposition",
            _(
                "Ending: a red flag is passed on, not answered. Choose an ending that passes the call on, "
                "or take the flag away."
            ),
        )
    if form.in_person and ending.next_step != NextStep.AT_TIME:
        wrong("disposition", _("Ending: a promise to ring in person needs an ending that agrees a moment."))
    if ending.next_step in PROMISES and ending.makes_callback:
        _check_promise(connection, checked, wrong)
    if form.settled and ending.makes_callback:
        wrong(
            "settled", _("Callback: this ending promises to ring back, so the open callback stays. Do not settle it.")
        )
    elif form.settled and ending.reach != Reach.PATIENT:
        wrong("settled", _("Callback: nobody spoke for the patient, so the open callback stays. Do not settle it."))
    if ending.next_step == NextStep.CONFIRM:
        _check_death(checked, wrong)


def _check_promise(connection: Connection, checked: CheckedCall, wrong: Wrong) -> None:
    form = checked.form
    if not form.site_id and not any(checked.item_sites.values()) and not any(item.site_id for item in form.reported):
        wrong("site_id", _("Site: say which hospital will ring back."))
    people = checked.patient_ids
    has_number = bool(checked.wish and checked.wish.number) or (
        bool(people) and all(patients.has_usable_phone(connection, number) for number in people)
    )
    if not has_number:
        wrong("phone", _("Number to ring: without one nobody can ring back."))
    wish = checked.wish
    if checked.ending.next_step == NextStep.AT_TIME and not (wish and (wish.not_before or wish.until)):
        wrong("wish", _("Wish: say when, for example 'demain matin' or '14/06 10h'."))


def _check_death(checked: CheckedCall, wrong: Wrong) -> None:
    chosen = checked.form.deceased_id
    if chosen is not None and chosen in checked.patient_ids:
        checked.deceased_id = chosen
    elif chosen is None and len(checked.patient_ids) <= 1 and (checked.patient_ids or checked.has_person):
        checked.deceased_id = next(iter(checked.patient_ids), None)
    else:
        wrong("patients", _("Death: link the one person who died, and only that one, or say which."))
