"""Who was told what: each promise of a day at a service, why it no longer holds, what the patient was told since."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING

from crisisdesk.clock import local_day
from crisisdesk.desk import wording
from crisisdesk.desk.rules import reference_of
from crisisdesk.domain.phone import group_phone
from crisisdesk.domain.words import BookingState
from crisisdesk.errors import RuleBroken
from crisisdesk.i18n import _, current_language
from crisisdesk.store.told import ToldRow, told_rows

if TYPE_CHECKING:
    from crisisdesk.domain.reference import Reference
    from crisisdesk.store.engine import Store


@dataclass(frozen=True, slots=True)
class ToldLine:
    """One patient, the day that was told, and what holds now."""

    booking_id: int
    service_id: int
    patient_id: int
    patient: str
    procedure: str
    original_on: date | None
    told_on: date
    told_by: str
    told_at: datetime
    why: str
    """Why it no longer holds; empty while it holds."""
    withdrawn_at: datetime | None
    withdrawn_by: str
    again_on: date | None
    """The day that the patient was told instead."""
    now: str
    """What holds now, in words: a day, "to be rung", a decision."""
    is_owed_a_call: bool
    number: str
    """To ring, grouped as it is read aloud; empty where none is known."""


def list_told(
    store: "Store", where: int | str, opening_id: int | None = None, *, now: datetime, from_today: bool = False
) -> Sequence[ToldLine]:
    """Everybody who was told a day at a service or site: those whose day no longer holds first.

    Args:
        where: a service's id, or a site's.
        opening_id: only those whose day this row of the history took back.
        from_today: leave out days that are past.

    Raises:
        RuleBroken: no such service or site.
    """
    reference = reference_of(store)
    if isinstance(where, int):
        service_ids = [where] if where in reference.services else []
    else:
        service_ids = [number for number, service in reference.services.items() if service.site_id == where]
    if not service_ids:
        raise RuleBroken(_("There is no service or site '{name}'.").format(name=where))
    since = local_day(now, reference.desk.time_zone) if from_today else None
    with store.read() as connection:
        rows = told_rows(connection, service_ids, opening_id=opening_id, since=since)
    return [_line(row, reference) for row in rows]


def _line(row: ToldRow, reference: "Reference") -> ToldLine:
    is_withdrawn = row.state == BookingState.WITHDRAWN
    return ToldLine(
        row.booking_id, row.service_id, row.patient_id, wording.patient_name(row.last_name, row.first_name),
        row.procedure, row.original_on, row.told_on, row.told_by, row.told_at,
        wording.withdrawn_words(row.withdrawn_why) if is_withdrawn else "", row.withdrawn_at, row.withdrawn_by,
        row.again_on,
        _now_words(row, reference), is_withdrawn and row.is_to_be_rung and not row.hold,
        group_phone(row.number, reference.desk.country) if row.number else "",
    )  # fmt: skip


def _now_words(row: ToldRow, reference: "Reference") -> str:
    if row.state == BookingState.DONE:
        return _("came")
    if row.state == BookingState.TOLD:
        return _("holds")
    if row.again_on is not None:
        return _("told {day}").format(day=wording.day_words(row.again_on))
    if row.is_to_be_rung:
        return wording.reason_words(row.hold) if row.hold else _("to be rung")
    if row.decision:
        return _decision_words(row.decision, reference)
    return _("nothing open")


def _decision_words(code: str, reference: "Reference") -> str:
    """A decision as its key says it: of an operation, an attempt or a call."""
    language = current_language()
    found = (reference.label(f"disposition.{scope}", code, language) for scope in ("item", "attempt", "inbound"))
    return next((words for words in found if words != code), code)
