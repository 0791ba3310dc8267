"""The card of one callback: everything an agent needs before and while ringing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from crisisdesk.desk import wording
from crisisdesk.desk.booking import Asked, Slot, asked_for, slots_for
from crisisdesk.desk.cardinstruction import CardInstruction, card_instruction
from crisisdesk.desk.firstwords import first_words
from crisisdesk.desk.linenotes import line_notes
from crisisdesk.desk.whynot import Setting, why_not
from crisisdesk.domain.lease import Lease
from crisisdesk.domain.reference import Reference
from crisisdesk.domain.words import Channel, MayTell, Scope, Voicemail
from crisisdesk.i18n import _, current_language
from crisisdesk.store import attempts, cards, queue
from crisisdesk.store.cards import CardNumber, HeldItem
from crisisdesk.store.engine import Connection
from crisisdesk.store.instructions import InstructionText
from crisisdesk.store.queue import Moment

__all__ = ["CallbackCard", "CardNumber", "HeldItem", "HistoryLine", "OtherCallback", "build_card"]

SLOTS_OFFERED = 3


@dataclass(frozen=True, slots=True)
class HistoryLine:
    """One earlier contact in words."""

    at: datetime
    what: str
    """"call", "attempt", "withdrawn" or "channel"."""
    words: str
    by: str
    note: str
    """Exact words or note; foreign text."""
    is_undone: bool = False
    """An attempt that was taken back: it counts nowhere."""


@dataclass(frozen=True, slots=True)
class OtherCallback:
    """An open callback of the same person at another site: one call can settle all."""

    callback_id: int
    site_id: str
    is_held: bool
    """Another agent rings for it at this moment."""
    holder: str = ""
    items: Sequence[HeldItem] = ()


@dataclass(frozen=True, slots=True)
class CallbackCard:
    """Everything of one callback as of the moment it was taken."""

    callback_id: int
    lease: Lease | None
    """The agent's own hold; None on a card that is only read."""
    site_id: str
    patient_id: int
    patient: str
    first_name: str
    last_name: str
    birth_on: date | None
    language: str
    voicemail: Voicemail
    proof: str
    """Two spoken words given at the first call: the desk says the first, the patient answers the second."""
    contact_note: str
    number: str
    """To ring now, E.164; empty where none is known."""
    numbers: Sequence[CardNumber]
    items: Sequence[HeldItem]
    offers: Mapping[int, Sequence[Slot]]
    """First places that fit, by postponement, each with why no earlier day."""
    asked: Mapping[int, Asked]
    """What each postponement asks of a day: limits, wish, short notice."""
    history: Sequence[HistoryLine]
    reading: CardInstruction
    """What is read out: the instruction in force, and what replaces words told earlier."""
    others: Sequence[OtherCallback]
    others_items: Sequence[HeldItem]
    """What those at other sites are owed an answer for and no other agent holds: `AttemptForm.items` may name them."""
    why_here: str
    why_not: str
    notes: Sequence[str]
    """What else is to be known of it: a promise to keep or broken, who promised, the limit, a list that dropped it."""
    released: str
    note: str
    promised_from: datetime | None
    promised_until: datetime | None
    attempts: int
    is_open: bool
    script: Sequence[str]
    """What to say first, in the patient's language where there is a catalogue for it."""
    is_proven: bool
    """Proof words were agreed."""
    proof_words: str
    """How the patient's answer is checked, or the warning where no proof words were agreed."""
    may_tell: MayTell
    may_tell_who: str
    tell_words: str
    """Who else may be told what."""
    voicemail_words: str
    """What may be left on a machine, in the agent's language."""
    gp: str
    next_of_kin: str
    channel: Channel | None
    """With a hold: what is done besides the telephone; None: nothing, or a clinician decides."""

    @property
    def instruction(self) -> InstructionText | None:
        """The one to read out, which the attempt stores."""
        return self.reading.to_read

    def site_of(self, item: HeldItem) -> str:
        """The site at which an item waits."""
        sites = {other.callback_id: other.site_id for other in self.others}
        return sites.get(item.callback_id, self.site_id)


def build_card(
    connection: Connection, callback_id: int, reference: Reference, moment: Moment, lease: Lease | None
) -> CallbackCard:
    """Read the card of a callback that exists."""
    line = queue.find_line(connection, callback_id, moment)
    assert line is not None, "the caller has just held it"
    patient = cards.patient_row(connection, line.patient_id)
    lines = [one for one in queue.lines_of_patient(connection, line.patient_id, moment) if one.id != callback_id]
    held = cards.held_items(connection, [callback_id, *(one.id for one in lines)])
    items = held.get(callback_id, ())
    others = [_other(one, held.get(one.id, ()), moment.agent_id) for one in lines]
    elsewhere = [item for other in others if not other.is_held for item in other.items if item.is_unsettled]
    words = first_words(patient, line.site_id, reference)
    return CallbackCard(
        callback_id=callback_id, lease=lease, site_id=line.site_id, patient_id=line.patient_id,
        patient=wording.patient_name(patient.last_name, patient.first_name, patient.full_name),
        first_name=patient.first_name, last_name=patient.last_name, birth_on=patient.birth_on,
        language=patient.language, voicemail=Voicemail(patient.voicemail), proof=patient.proof,
        contact_note=patient.contact_note,
        number=line.rung or "", numbers=cards.numbers_of(connection, line.patient_id), items=items,
        offers=_offers(connection, [*items, *elsewhere], reference, moment.now),
        asked=asked_for(connection, [item.postponement_id for item in (*items, *elsewhere)], reference),
        history=_history(connection, line.patient_id, reference),
        reading=card_instruction(connection, callback_id, line.site_id, line.why, items, moment.now),
        others=others, others_items=elsewhere,
        why_here=wording.why_here(line.why, line.tier, line.due_at, reference),
        why_not=why_not(line, Setting(reference, moment.now, moment.now)),
        notes=line_notes(connection, line, items, reference, moment),
        released=wording.release_words(line.release_why) if line.released_at else "", note=line.note,
        promised_from=line.promised_from, promised_until=line.promised_until, attempts=line.attempts,
        is_open=line.state != "closed", script=words.script, is_proven=words.is_proven, proof_words=words.check,
        may_tell=MayTell(patient.may_tell), may_tell_who=patient.may_tell_who, tell_words=words.tell,
        voicemail_words=words.machine, gp=patient.gp, next_of_kin=patient.next_of_kin,
        channel=_channel(connection, callback_id),
    )  # fmt: skip


def _other(line: Any, items: Sequence[HeldItem], agent_id: int) -> OtherCallback:
    is_held = line.reason == "held" and line.leased_by != agent_id
    return OtherCallback(line.id, line.site_id, is_held, line.holder or "", items)


def _channel(connection: Connection, callback_id: int) -> Channel | None:
    row = attempts.callback_row(connection, callback_id)
    return Channel(row.channel) if row is not None and row.channel else None


def _offers(
    connection: Connection, items: Sequence[HeldItem], reference: Reference, now: datetime
) -> dict[int, Sequence[Slot]]:
    found: dict[int, Sequence[Slot]] = {}
    for item in items:
        if item.is_unsettled and item.service_id is not None and item.service_id in reference.services:
            found[item.postponement_id] = slots_for(connection, item.postponement_id, reference, now, SLOTS_OFFERED)
    return found


def _history(connection: Connection, patient_id: int, reference: Reference) -> list[HistoryLine]:
    return [
        HistoryLine(
            entry.at,
            entry.what,
            history_words(entry, reference),
            entry.by,
            "" if entry.what == "withdrawn" else entry.note,
            entry.is_undone,
        )
        for entry in cards.history_of(connection, patient_id)
    ]


def history_words(entry: cards.HistoryEntry, reference: Reference) -> str:
    """What one line of the history is called."""
    if entry.what == "withdrawn":
        words = _("the date of {day} was taken back").format(day=wording.day_words(entry.code))
        return f"{words} ({wording.withdrawn_words(entry.note)})" if entry.note else words
    if entry.what == "channel":
        return wording.channel_words(entry.code)
    scope = Scope.ATTEMPT if entry.what == "attempt" else Scope.INBOUND
    words = reference.label(f"disposition.{scope.value}", entry.code, current_language())
    return _("{what} (taken back)").format(what=words) if entry.is_undone else words
