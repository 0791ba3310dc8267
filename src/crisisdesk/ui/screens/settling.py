"""The few fields that some dispositions need: a note, a moment, the day that is accepted."""

from collections.abc import Mapping
from datetime import date

from crisisdesk import clock
from crisisdesk.desk.attempts import ItemResult, needs_date, needs_moment
from crisisdesk.desk.callbacks import about_words
from crisisdesk.desk.cards import CallbackCard, HeldItem
from crisisdesk.domain.dates import read_typed_date
from crisisdesk.domain.reference import Disposition
from crisisdesk.i18n import _
from crisisdesk.ui.format import show_day
from crisisdesk.ui.session import Session
from crisisdesk.ui.widgets.form import Field

NOTE, MOMENT, SLOT = "note", "moment", "slot"


def settling_fields(row: Disposition, card: CallbackCard, session: Session) -> list[Field]:
    """The fields of a disposition, in the order they are filled; none for one that needs only its key."""
    fields = []
    if needs_date(row):
        fields += [_slot_field(item, card, session) for item in unsettled(card)]
    if needs_moment(row):
        words = _("When the patient wants to be rung: demain matin, 03/06 14h, lundi.")
        fields.append(Field(MOMENT, _("When"), help=words))
    if row.needs_note:
        fields.append(Field(NOTE, _("What was said"), max_length=2000, help=_("The patient's own words.")))
    return fields


def unsettled(card: CallbackCard) -> list[HeldItem]:
    """The items that are owed an answer."""
    return [item for item in card.items if item.is_unsettled]


def _slot_field(item: HeldItem, card: CallbackCard, session: Session) -> Field:
    slots = card.offers.get(item.postponement_id, ())
    offered = "  ".join(f"{place}) {show_day(slot.slot_on)}" for place, slot in enumerate(slots, 1))
    field = Field(
        f"{SLOT}-{item.postponement_id}", about_words(item, session.reference)[:22], width=10,
        help=_("The number of an offered day, or a day; empty: not settled today."),
    )  # fmt: skip
    field.remark(offered or _("no place can be offered"))
    return field


def slots_from(values: Mapping[str, str], card: CallbackCard, session: Session) -> dict[int, ItemResult]:
    """The accepted day of each item, from the number of an offer or a typed day."""
    found = {}
    today = clock.local_day(session.now(), session.zone)
    for item in unsettled(card):
        text = values.get(f"{SLOT}-{item.postponement_id}", "")
        day = _offered(text, item, card) or (read_typed_date(text, today) if text else None)
        if day is not None:
            found[item.postponement_id] = ItemResult("accepts_date", slot_on=day)
    return found


def _offered(text: str, item: HeldItem, card: CallbackCard) -> date | None:
    slots = card.offers.get(item.postponement_id, ())
    place = int(text) if text.isdecimal() and len(text) == 1 else 0
    return slots[place - 1].slot_on if 1 <= place <= len(slots) else None
