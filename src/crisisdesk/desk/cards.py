"""The card of one callback: everything an agent needs before and while ringing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from crisisdesk.clock import local_day
from crisisdesk.desk import wording
from crisisdesk.desk.booking import Slot, slots_of
from crisisdesk.domain.lease import Lease
from crisisdesk.domain.reference import Reference
from crisisdesk.domain.words import Scope, Voicemail
from crisisdesk.i18n import N_, _, current_language, translate
from crisisdesk.store import cards, queue
from crisisdesk.store import instructions as instruction_rows
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
    """"call", "attempt" or "withdrawn"."""
    words: str
    by: str
    note: str
    """Exact words or note; foreign text."""


@dataclass(frozen=True, slots=True)
class OtherCallback:
    """An open callback of the same person at another site: one call can settle all."""

    callback_id: int
    site_id: str
    is_held: bool


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
    """First free places by postponement."""
    history: Sequence[HistoryLine]
    instruction: InstructionText | None
    others: Sequence[OtherCallback]
    why_here: str
    why_not: str
    released: str
    note: str
    promised_from: datetime | None
    promised_until: datetime | None
    attempts: int
    is_open: bool
    script: Sequence[str]
    """What to say first, in the patient's language where there is a catalogue for it."""
    voicemail_words: str
    """What may be left on a machine, in the agent's language."""


def build_card(
    connection: Connection, callback_id: int, reference: Reference, moment: Moment, lease: Lease | None
) -> CallbackCard:
    """Read the card of a callback that exists."""
    line = queue.find_line(connection, callback_id, moment)
    assert line is not None, "the caller has just held it"
    patient = cards.patient_row(connection, line.patient_id)
    items = cards.held_items(connection, [callback_id]).get(callback_id, ())
    voicemail = Voicemail(patient.voicemail)
    others = queue.lines_of_patient(connection, line.patient_id, moment)
    return CallbackCard(
        callback_id=callback_id, lease=lease, site_id=line.site_id, patient_id=line.patient_id,
        patient=wording.patient_name(patient.last_name, patient.first_name, patient.full_name),
        first_name=patient.first_name, last_name=patient.last_name, birth_on=patient.birth_on,
        language=patient.language, voicemail=voicemail, proof=patient.proof, contact_note=patient.contact_note,
        number=line.rung or "", numbers=cards.numbers_of(connection, line.patient_id), items=items,
        offers=_offers(connection, items, reference, moment.now),
        history=_history(connection, line.patient_id, reference),
        instruction=_instruction(connection, line.site_id, items, moment.now),
        others=[OtherCallback(o.id, o.site_id, o.reason == "held") for o in others if o.id != callback_id],
        why_here=wording.why_here(line.why, line.tier, line.due_at, reference),
        why_not=wording.why_not(line, reference, moment.now, moment.now),
        released=wording.release_words(line.release_why) if line.released_at else "", note=line.note,
        promised_from=line.promised_from, promised_until=line.promised_until, attempts=line.attempts,
        is_open=line.state != "closed", script=_script(patient, line.site_id, reference),
        voicemail_words=_(_VOICEMAIL[voicemail]).format(number=reference.desk.public_number),
    )  # fmt: skip


_VOICEMAIL = {
    Voicemail.UNKNOWN: N_("Machine: leave no name and no hospital; only 'please ring {number} back'."),
    Voicemail.NONE: N_("Machine: leave nothing."),
    Voicemail.IDENTIFIED: N_("Machine: first name and hospital, as the patient agreed; nothing about health."),
}


def _offers(
    connection: Connection, items: Sequence[HeldItem], reference: Reference, now: datetime
) -> dict[int, Sequence[Slot]]:
    found: dict[int, Sequence[Slot]] = {}
    for item in items:
        if item.is_unsettled and item.service_id is not None and item.service_id in reference.services:
            found[item.postponement_id] = slots_of(connection, item.service_id, reference, now, SLOTS_OFFERED)
    return found


def _history(connection: Connection, patient_id: int, reference: Reference) -> list[HistoryLine]:
    lines = []
    for entry in cards.history_of(connection, patient_id):
        if entry.what == "withdrawn":
            words = _("the date of {day} was taken back").format(day=wording.day_words(entry.code))
        else:
            scope = Scope.ATTEMPT if entry.what == "attempt" else Scope.INBOUND
            words = reference.label(f"disposition.{scope.value}", entry.code, current_language())
        lines.append(HistoryLine(entry.at, entry.what, words, entry.by, entry.note))
    return lines


def _instruction(
    connection: Connection, site_id: str, items: Sequence[HeldItem], now: datetime
) -> InstructionText | None:
    services = {item.service_id for item in items if item.is_unsettled}
    service_id = services.pop() if len(services) == 1 else None
    return instruction_rows.instruction_in_force(connection, site_id=site_id, service_id=service_id, at=now)


def _script(patient: Any, site_id: str, reference: Reference) -> list[str]:
    """The first words, before anything is disclosed."""
    site = reference.sites[site_id]
    name = wording.patient_name(patient.last_name, patient.first_name, patient.full_name)
    first, *rest = patient.proof.split() or [""]
    day = local_day(reference.desk.incident_at, reference.desk.time_zone)
    said = [
        N_("Good day. May I speak to {name}?"),
        N_("I am ringing for {hospital}, {site}."),
        N_("Our first word is '{first}'. Which word did we give you?") if rest else N_("What is your date of birth?"),
        N_("Your appointment was put off after {day}."),
    ]
    facts = {"name": name, "hospital": site.hospital or site.name, "site": site.name}
    facts |= {"first": first, "day": f"{day:%d/%m}"}
    return [translate(line, patient.language or current_language()).format(**facts) for line in said]
