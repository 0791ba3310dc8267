"""The forms of the openings screen: a dated change, and what is put off; read with the field that is wrong."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from crisisdesk import clock
from crisisdesk.desk.openingform import OpeningForm
from crisisdesk.desk.openingwords import limits_words, read_limits
from crisisdesk.desk.postponing import PostponeForm
from crisisdesk.desk.reopening import ServiceLine
from crisisdesk.desk.wording import state_words
from crisisdesk.domain.dates import read_typed_date
from crisisdesk.domain.words import OpeningState, PartOfDay
from crisisdesk.errors import RuleBroken
from crisisdesk.i18n import N_, _
from crisisdesk.ui.format import show_date
from crisisdesk.ui.session import Session
from crisisdesk.ui.widgets.choices import Choice
from crisisdesk.ui.widgets.form import ChoiceField, Field, Form

PARTS = {
    PartOfDay.ANY: (N_("whole days"), "w"),
    PartOfDay.MORNING: (N_("mornings"), "m"),
    PartOfDay.AFTERNOON: (N_("afternoons"), "a"),
    PartOfDay.EVENING: (N_("evenings"), "e"),
}


@dataclass(frozen=True)
class FieldWrong(Exception):
    """What is wrong in one field of a form."""

    field: str
    words: str


def today_of(session: Session) -> date:
    """The desk's own day."""
    return clock.local_day(session.now(), session.zone)


def opening_fields(line: ServiceLine, session: Session, *, revises: bool) -> Sequence[Field]:
    """Fields of a plan, a revision or a confirmation, filled from what is planned, coming or in force."""
    before = line.planned or line.coming or (line.current if revises else None)
    today = today_of(session)
    day = before.opens_on if before and before.opens_on >= today else today
    state = before.state if before else OpeningState.PARTIAL
    kept = before or line.current
    until = before.until_on if before and before.until_on and before.until_on >= today else None
    choices = [Choice(one.value, state_words(one), key) for one, key in zip(OpeningState, "fpo", strict=True)]
    yes_no = [Choice("no", _("no"), "n"), Choice("yes", _("yes"), "y")]
    limits = limits_words(kept.limits, session.reference) if kept else ""
    return (
        Field("day", _("From"), value=show_date(day), width=14, is_replaced=True, help=_("First day that it holds.")),
        ChoiceField("state", _("State"), choices, code=state.value),
        Field(
            "capacity", _("Patients a day"), value=str((kept and kept.capacity_a_day) or ""), width=8, max_length=6,
            is_replaced=True,
            help=_("Places a day; empty for a service that is closed, or fully open without a limit."),
        ),
        Field(
            "limits", _("Limits a day"), value=limits, is_replaced=True,
            help=_("What a day takes only so many of, such as: implant 2, isolation 1. Empty: no limit."),
        ),
        Field(
            "rooms", _("Rooms"), value=str((kept and kept.rooms) or ""), width=8, max_length=4, is_replaced=True,
            help=_("Rooms that make these places, where known: the forecast says what one more would change."),
        ),
        Field(
            "until", _("Until"), value=show_date(until), width=14, is_replaced=True,
            help=_("Last day that it holds; afterwards what held before holds again. Empty: no end."),
        ),
        ChoiceField(
            "days_off", _("Days off too"), yes_no, code="yes" if kept and kept.includes_days_off else "no",
            help=_("Whether weekends and public holidays among these days are opened."),
        ),
        Field("reason", _("Reason"), max_length=200, value=before.reason if before else ""),
    )  # fmt: skip


def read_opening(form: Form, line: ServiceLine, session: Session) -> OpeningForm:
    """What was typed.

    Raises:
        FieldWrong: names the field.
    """
    values = form.values()
    day = _day(values, "day", session)
    assert day is not None
    if not values["state"]:
        raise FieldWrong("state", _("Choose a state: closed, partly open or open."))
    capacity = _whole(values, "capacity", N_("'{text}' is no number of patients a day."))
    if values["state"] == OpeningState.PARTIAL and capacity is None:
        raise FieldWrong("capacity", _("Partly open: how many patients a day?"))
    try:
        limits = read_limits(values["limits"], session.reference)
    except RuleBroken as error:
        raise FieldWrong("limits", str(error)) from error
    is_closed = values["state"] == OpeningState.CLOSED
    return OpeningForm(
        line.service_id, day, OpeningState(values["state"]), capacity, values["reason"], line.newest_id,
        _day(values, "until", session, may_be_empty=True), values["days_off"] == "yes",
        _whole(values, "rooms", N_("'{text}' is no number of rooms.")), {} if is_closed else limits,
    )  # fmt: skip


def postpone_fields(session: Session) -> Sequence[Field]:
    """Fields of what is put off."""
    parts = [Choice(part.value, _(words), key) for part, (words, key) in PARTS.items()]
    today = show_date(today_of(session))
    return (
        Field("day", _("From"), value=today, width=14, is_replaced=True, help=_("First day that is put off.")),
        Field(
            "until", _("Until"), value=today, width=14, is_replaced=True,
            help=_("Last day that is put off. Empty: the whole service, until further notice."),
        ),
        ChoiceField("part", _("Session"), parts, code=PartOfDay.ANY.value),
        Field(
            "left", _("Places left"), width=8, max_length=4,
            help=_("For a session: places a day that remain. Empty: half of them."),
        ),
        Field("reason", _("Reason"), max_length=200),
    )  # fmt: skip


def read_postponement(form: Form, line: ServiceLine, session: Session) -> PostponeForm:
    """What was typed.

    Raises:
        FieldWrong: names the field.
    """
    values = form.values()
    day = _day(values, "day", session)
    assert day is not None
    if not values["reason"]:
        raise FieldWrong("reason", _("Say why it is put off: the patients will ask."))
    return PostponeForm(
        line.service_id, day, _day(values, "until", session, may_be_empty=True),
        PartOfDay(values["part"] or PartOfDay.ANY), _whole(values, "left", N_("'{text}' is no number of places.")),
        values["reason"], line.newest_id,
    )  # fmt: skip


def read_day_before(text: str, session: Session) -> date | None:
    """A day that is past or today, for "as it was known then"; None for an empty text.

    Raises:
        FieldWrong: no day, or one to come.
    """
    if not text:
        return None
    today = today_of(session)
    day = read_typed_date(text, today)
    if day is None:
        raise FieldWrong("as_of", _("'{text}' is no day: 03/06, +3 or lundi.").format(text=text))
    if day > today:
        raise FieldWrong("as_of", _("{day} is still to come: what is planned now is shown.").format(day=show_date(day)))
    return day


def _day(values: dict[str, str], name: str, session: Session, *, may_be_empty: bool = False) -> date | None:
    text, today = values[name], today_of(session)
    if may_be_empty and not text:
        return None
    day = read_typed_date(text, today)
    if day is None:
        raise FieldWrong(name, _("'{text}' is no day: 03/06, +3 or lundi.").format(text=text))
    if day < today:
        raise FieldWrong(name, _("{day} is past: give today or a day to come.").format(day=show_date(day)))
    return day


def _whole(values: dict[str, str], name: str, words: str) -> int | None:
    text = values[name]
    if text and not text.isdecimal():
        raise FieldWrong(name, _(words).format(text=text))
    return int(text) if text else None
