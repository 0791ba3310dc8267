"""The fields of a patient that are corrected: read as they are typed, shown as people read them, compared with what was
seen."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from crisisdesk import clock
from crisisdesk.desk.callcheck import read_national_number
from crisisdesk.desk.conflicts import Compared, refuse_unseen
from crisisdesk.domain.dates import read_typed_date
from crisisdesk.domain.person import mask_national_number
from crisisdesk.domain.reference import Reference
from crisisdesk.domain.text import clean
from crisisdesk.domain.words import MayTell, Voicemail
from crisisdesk.errors import RuleBroken
from crisisdesk.i18n import N_, _, current_language

if TYPE_CHECKING:
    from crisisdesk.store.engine import Connection

LONGEST_NAME = 200
COLUMNS = {"birth": "birth_on"}
"""Fields whose column has another name."""
PLAIN = frozenset({"last_name", "first_name", "language", "contact_note"})
VOICEMAIL_WORDS = {
    Voicemail.UNKNOWN: N_("never asked: leave no name"),
    Voicemail.NONE: N_("leave nothing"),
    Voicemail.IDENTIFIED: N_("may say the name and the hospital"),
}
MAY_TELL_WORDS = {
    MayTell.UNKNOWN: N_("never asked"), MayTell.NONE: N_("nobody"), MayTell.NAMED: N_("one named person"),
}  # fmt: skip


def read_correction(said: Mapping[str, str], reference: Reference, now: datetime) -> dict[str, Any]:
    """Typed texts as values, by field.

    Raises:
        RuleBroken: a field is unknown, or a text cannot be read.
    """
    return {name: _read(name, clean(text).text[:LONGEST_NAME], reference, now) for name, text in said.items()}


def _read(name: str, text: str, reference: Reference, now: datetime) -> Any:
    today = clock.local_day(now, reference.desk.time_zone)
    if name == "birth":
        day = read_typed_date(text, today) if text else None
        if text and (day is None or day > today):
            raise RuleBroken(_("Birth date: '{text}' is no past date; type it as 12/03/1958.").format(text=text))
        return day
    if name == "niss":
        number = read_national_number(text, reference.desk.national_number, today) if text else None
        if text and number is None:
            raise RuleBroken(_("National number: the check digits of '{text}' do not agree.").format(text=text))
        return number
    if name in PLAIN or (name == "voicemail" and text in set(Voicemail)):
        return text
    raise RuleBroken(_("'{name}' of a patient cannot be corrected.").format(name=name))


def compared(
    wanted: Mapping[str, Any], seen: Mapping[str, Any] | None, stored: Mapping[str, Any], reference: Reference,
    now: datetime,
) -> Iterator[Compared]:  # fmt: skip
    """What is wanted beside what was seen and what stands there; a field that nobody said to have seen is not compared.

    Args:
        wanted: by field, as `read_correction` gives it.
        seen: by field, the stored value or a text that reads as one.
        stored: the patient's row.
    """
    seen = seen or {}
    for name in (name for name in wanted if name in seen):
        value, column = seen[name], COLUMNS.get(name, name)
        meant = [_plain(name, value)]
        if isinstance(value, str) and name in PLAIN | {"birth", "niss"}:
            meant += _as_read(name, value, reference, now)
        there = stored[column]
        words = words_of(name, reference, among=(there, wanted[name], *meant))
        yield Compared(name, meant, there, wanted[name], [column], words)


def refuse_unseen_fields(
    connection: "Connection", patient_id: int, wanted: Mapping[str, Any], seen: Mapping[str, Any] | None,
    stored: Mapping[str, Any], reference: Reference, now: datetime,
) -> None:  # fmt: skip
    """`refuse_unseen` for fields of a patient; the arguments are those of `compared`.

    Raises:
        Conflict: somebody changed one of them since it was seen.
    """
    fields = compared(wanted, seen, stored, reference, now)
    refuse_unseen(connection, "patient", patient_id, fields, zone=reference.desk.time_zone, now=now)


def _plain(name: str, value: Any) -> Any:
    """A value as the store keeps it, where it was given as such."""
    return None if value == "" and name in {"birth", "niss"} else value


def _as_read(name: str, text: str, reference: Reference, now: datetime) -> list[Any]:
    try:
        return [_read(name, clean(text).text[:LONGEST_NAME], reference, now)]
    except RuleBroken:
        return []  # what was seen need not be readable: it is compared as it is


def words_of(name: str, reference: Reference, among: Iterable[Any] = ()) -> Callable[[Any], str]:
    """How a value of a field is shown. ``among``: national numbers that must be told apart."""
    if name == "birth":
        return lambda day: f"{day:%d/%m/%Y}" if isinstance(day, date) else str(day or "")
    if name == "niss":
        kind, numbers = reference.desk.national_number, {number or "" for number in among}
        is_masked = len({mask_national_number(number, kind) for number in numbers}) == len(numbers)
        return lambda digits: mask_national_number(digits, kind) if is_masked else str(digits or "")
    if name == "language":
        return lambda code: reference.label("language", code, current_language()) if code else ""
    if name == "voicemail":
        return lambda code: _(VOICEMAIL_WORDS[Voicemail(code)])
    if name == "may_tell":
        return _may_tell_words
    return str


def _may_tell_words(said: tuple[str, str]) -> str:
    may_tell, who = said
    words = _(MAY_TELL_WORDS[MayTell(may_tell)])
    return f"{words}: {who}" if who else words
