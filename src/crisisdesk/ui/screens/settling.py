"""The few fields that some dispositions need: a note, a moment, the day that is accepted."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, ClassVar

from textual.binding import Binding, BindingType

from crisisdesk import clock
from crisisdesk.desk.attempts import ItemResult, needs_date, needs_moment
from crisisdesk.desk.booking import Slot
from crisisdesk.desk.callbacks import about_words
from crisisdesk.desk.cards import CallbackCard, HeldItem
from crisisdesk.desk.slotwords import date_wish_words, left_out_words, why_words
from crisisdesk.domain.dates import read_typed_date
from crisisdesk.domain.datewish import LONGEST_WISH, read_date_wish
from crisisdesk.domain.reference import Disposition
from crisisdesk.domain.words import Coverage, NextStep, Reach, Scope
from crisisdesk.i18n import N_, _
from crisisdesk.ui.format import show_day
from crisisdesk.ui.session import Session
from crisisdesk.ui.widgets.choices import Choice
from crisisdesk.ui.widgets.form import ChoiceField, Field, Form

NOTE, MOMENT, SLOT = "note", "moment", "slot"
DAYS, SHORT_NOTICE = "days", "short_notice"
IN_PERSON = "_in_person"
LEFT_TO_SERVICE = "left_to_service"
LABEL_CELLS, DAY_CELLS = 22, 10


class MomentField(Field):
    """When the patient wants to be rung, and whether the agent promised to do it in person."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+y", "in_person", N_("I ring back myself"), priority=True),
    ]
    in_person = False

    def action_in_person(self) -> None:
        """Promise to ring back in person, or take that back."""
        self.promise(not self.in_person)
        form = next((one for one in self.ancestors if isinstance(one, Form)), None)
        if form is not None and form.draft:
            form.draft.save()

    def promise(self, in_person: bool) -> None:
        """Say whether the agent does it in person."""
        self.in_person = in_person
        self.remark(_("by me") if in_person else "")


def _moment_of(form: Form) -> MomentField | None:
    """The field of the moment, if the form has one (it may not be mounted yet)."""
    field = form[MOMENT] if MOMENT in form.values() else None
    return field if isinstance(field, MomentField) else None


def is_in_person(form: Form | None) -> bool:
    """Whether the agent promises, in this form, to ring back in person."""
    field = _moment_of(form) if form is not None else None
    return field is not None and field.in_person


def fill_again(form: Form, texts: Mapping[str, str]) -> None:
    """What a draft kept, back in its fields; the promise in person too."""
    form.fill(texts)
    if (field := _moment_of(form)) is not None:
        field.promise(bool(texts.get(IN_PERSON)))


def settling_fields(row: Disposition, card: CallbackCard, session: Session) -> list[Field]:
    """The fields of a disposition, in the order they are filled; none for one that needs only its key."""
    fields = []
    if needs_date(row):
        fields += [_slot_field(item, card, session) for item in owed(card)]
    if needs_moment(row):
        words = _("When the patient wants to be rung: demain matin, 03/06 14h, lundi.")
        fields.append(MomentField(MOMENT, _("When"), help=words))
    if row.needs_note:
        fields.append(Field(NOTE, _("What was said"), max_length=2000, help=_("The patient's own words.")))
    if asks_for_days(row):
        fields += _asked_fields(session)
    return fields


def asks_for_days(row: Disposition) -> bool:
    """Whether the patient goes on waiting and may say which days would suit: wants another date, prefers to wait."""
    waits = {(NextStep.RETRY, Coverage.REACHED), (NextStep.AT_TIME, Coverage.DECIDED)}
    return row.reach == Reach.PATIENT and (row.next_step, row.coverage) in waits


class DaysField(Field):
    """Days that suit a patient; what is understood of them stands beside."""

    def __init__(self, session: Session, name: str, label: str, **more: Any) -> None:
        self._session = session
        super().__init__(name, label, **more)

    def watch_value(self) -> None:
        """The remark follows the text."""
        wish = read_date_wish(self.value, clock.local_day(self._session.now(), self._session.zone))
        self.remark(date_wish_words(wish), wrong=not wish.is_understood)


def _asked_fields(session: Session) -> list[Field]:
    choices = [Choice("yes", _("yes"), _("yes")[0]), Choice("no", _("no"), _("no")[0])]
    words = _("Which days suit: après le 12/06, lundi ou mardi, pas avant juillet. Empty: as before.")
    return [
        DaysField(session, DAYS, _("Days that suit"), max_length=LONGEST_WISH, help=words),
        ChoiceField(
            SHORT_NOTICE, _("At short notice"), choices, width=DAY_CELLS,
            help=_("Comes the next day when a place comes free: goes on the reserve list."),
        ),
    ]  # fmt: skip


def unsettled(card: CallbackCard) -> list[HeldItem]:
    """The items of this callback that are owed an answer."""
    return [item for item in card.items if item.is_unsettled]


def owed(card: CallbackCard) -> list[HeldItem]:
    """All that one call can settle: the items of this callback, then those that wait at other sites."""
    return [*unsettled(card), *card.others_items]


def _slot_field(item: HeldItem, card: CallbackCard, session: Session) -> Field:
    slots = card.offers.get(item.postponement_id, ())
    offered = "  ".join(f"{place}) {show_day(slot.slot_on)}" for place, slot in enumerate(slots, 1))
    about = about_words(item, session.reference)
    if (site_id := card.site_of(item)) != card.site_id:
        about = f"{session.site_name(site_id)} · {about}"
    field = Field(
        f"{SLOT}-{item.postponement_id}", about[:LABEL_CELLS], width=DAY_CELLS,
        help=_("The number of an offered day, a day, or s: left to the service. Empty: not settled today."),
    )  # fmt: skip
    field.remark(offered or _("no place can be offered · s: service"))
    return field


def slots_from(values: Mapping[str, str], card: CallbackCard, session: Session) -> dict[int, ItemResult]:
    """What is settled for each item: the number of an offer, a typed day, or left to the service."""
    found = {}
    for item in owed(card):
        text = values.get(f"{SLOT}-{item.postponement_id}", "")
        if text.casefold() == _service_key(session):
            found[item.postponement_id] = ItemResult(LEFT_TO_SERVICE)
        elif (day := _day_of(text, item, card, session)) is not None:
            found[item.postponement_id] = ItemResult("accepts_date", slot_on=day)
    return found


def _service_key(session: Session) -> str:
    row = session.reference.dispositions.get((Scope.ITEM, LEFT_TO_SERVICE))
    return row.key if row else ""


def _day_of(text: str, item: HeldItem, card: CallbackCard, session: Session) -> date | None:
    today = clock.local_day(session.now(), session.zone)
    slot = _offered(text, item, card)
    return slot.slot_on if slot else read_typed_date(text, today) if text else None


def _offered(text: str, item: HeldItem, card: CallbackCard) -> Slot | None:
    slots = card.offers.get(item.postponement_id, ())
    place = int(text) if text.isdecimal() and len(text) == 1 else 0
    return slots[place - 1] if 1 <= place <= len(slots) else None


def chosen_words(values: Mapping[str, str], card: CallbackCard, session: Session, *, with_reason: bool = True) -> str:
    """What will be stored of each item, and why the last chosen day and no earlier one."""
    found = slots_from(values, card, session)
    days = sorted({result.slot_on for result in found.values() if result.slot_on is not None})
    parts = [_("Booked: {days}.").format(days=", ".join(show_day(day) for day in days))] if days else []
    if any(result.code == LEFT_TO_SERVICE for result in found.values()):
        parts.append(_("Left to the service."))
    if found and with_reason:
        last = list(found)[-1]
        parts.append(why_this_day(found[last].slot_on, card.offers.get(last, ()), session))
    return " ".join(part for part in parts if part)


def why_this_day(day: date | None, slots: Sequence[Slot], session: Session) -> str:
    """Why no earlier day than an offered one; why one that is not offered was left out."""
    for slot in slots:
        if slot.slot_on == day:
            words = left_out_words(slot.left_out, session.reference)
            return _("No earlier day: {reasons}.").format(reasons=words) if words else ""
    for one in slots[-1].left_out if slots else ():
        if one.day == day:
            return _("Not offered: {reason}.").format(reason=why_words(one.why, session.reference))
    return ""


def accepting(card: CallbackCard, place: int, session: Session) -> tuple[Disposition, dict[str, str]] | None:
    """What one digit on the card means: the first item's offered day of that number is accepted, the others wait.

    None where no such day is offered.
    """
    item = next(iter(owed(card)), None)
    rows = [row for row in session.reference.dispositions_of(Scope.ATTEMPT) if needs_date(row)]
    if item is None or not rows or _offered(str(place), item, card) is None:
        return None
    return rows[0], {f"{SLOT}-{item.postponement_id}": str(place)}


def short_notice(values: Mapping[str, str]) -> bool | None:
    """Whether the patient comes at short notice; None: nothing was said."""
    return {"yes": True, "no": False}.get(values.get(SHORT_NOTICE, ""))
