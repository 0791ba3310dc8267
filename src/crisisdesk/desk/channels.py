"""What is done besides the telephone for a patient whom nobody reaches: a letter, the general practitioner, the next of
kin. A person does it and writes it down; then the patient is rung again. A clinician decides when all were used.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from crisisdesk.clock import local_day
from crisisdesk.desk import wording
from crisisdesk.desk.contacts import LONGEST_CONTACT, change_contacts
from crisisdesk.desk.rights import needs
from crisisdesk.desk.rules import calendar_for, reference_in, reference_of
from crisisdesk.domain.reference import Reference
from crisisdesk.domain.retry import next_channel
from crisisdesk.domain.rights import Right
from crisisdesk.domain.schedule import next_calling_time
from crisisdesk.domain.text import clean
from crisisdesk.domain.words import CallbackState, Channel
from crisisdesk.errors import LeaseLost, RuleBroken
from crisisdesk.i18n import N_, _
from crisisdesk.store import attempts, callbacks, cards, journal, reviews

if TYPE_CHECKING:
    from crisisdesk.desk.agents import Agent
    from crisisdesk.store.engine import Connection, Store

LONGEST_NOTE = 500


@dataclass(frozen=True, slots=True)
class ChannelRow:
    """One patient for whom something has to be done besides the telephone: a line of the list of letters to write."""

    callback_id: int
    site_id: str
    channel: Channel
    patient_id: int
    patient: str
    town: str
    postcode: str
    language: str
    whom: str
    """Whom to turn to: the patient for a letter, else the general practitioner or the next of kin; may be empty."""
    public_number: str
    may_say: str
    """What may be written or said, and on the envelope."""
    attempts: int


@dataclass(frozen=True, slots=True)
class ChannelUsed:
    """What was written down, and what it leads to."""

    channel: Channel
    rung_from: datetime | None
    """None where a number is still being searched."""
    then: Channel | None
    """What comes after the next cap; None: a clinician decides."""
    words: str


_MAY_SAY = {
    Channel.LETTER: N_(
        "Envelope: name and address only, no service, no sender that tells of an illness. Inside: please ring {number}."
    ),
    Channel.GP: N_("Only the treating doctor: that the hospital looks for this patient; please have {number} rung."),
    Channel.NEXT_OF_KIN: N_("Nothing about care. Only: we look for {patient}; which number? Please ring {number}."),
}
_MAY_SAY_NAMED = N_("{who} may be told, as the patient said. Please ring {number}.")


def list_channel(
    store: "Store", channel: Channel | None = None, site_id: str | None = None, *, limit: int = 5000
) -> Sequence[ChannelRow]:
    """The patients for whom a letter is to be written (or another channel used), in the order of the queue.

    Args:
        channel: of one kind; None: of all.
    """
    with store.read() as connection:
        reference = reference_in(connection, store)
        rows = reviews.channel_lines(connection, site_id, channel, limit)
    return [_row(row, reference) for row in rows]


def _row(row: Any, reference: Reference) -> ChannelRow:
    channel = Channel(row.channel)
    whom = {Channel.LETTER: "", Channel.GP: row.gp, Channel.NEXT_OF_KIN: row.next_of_kin or row.may_tell_who}[channel]
    name = wording.patient_name(row.last_name, row.first_name, row.full_name)
    return ChannelRow(
        callback_id=row.id, site_id=row.site_id, channel=channel, patient_id=row.patient_id, patient=name,
        town=row.town, postcode=row.postcode, language=row.language, whom=whom,
        public_number=reference.desk.public_number, may_say=may_say(channel, row, reference), attempts=row.attempts,
    )  # fmt: skip


def may_say(channel: Channel, patient: Any, reference: Reference) -> str:
    """What may be written or said through a channel about a patient (a row of the store)."""
    name = wording.patient_name(patient.last_name, patient.first_name, patient.full_name)
    is_named = channel == Channel.NEXT_OF_KIN and patient.may_tell == "named"
    words = _MAY_SAY_NAMED if is_named else _MAY_SAY[channel]
    return _(words).format(number=reference.desk.public_number, patient=name, who=patient.may_tell_who)


@needs(Right.RING)
def use_channel(
    store: "Store",
    callback_id: int,
    *,
    name: str,
    agent: "Agent",
    now: datetime,
    note: str = "",
    used_on: date | None = None,
) -> ChannelUsed:
    """Write down that the letter was sent, or that the general practitioner or the next of kin were told.

    The hold ends, the count begins anew, and the patient is rung again after the desk's `channel_wait`; at the next cap
    the next channel follows, at last a clinician.

    Args:
        name: who sent the letter, or who was told.
        used_on: the day on which it was done; None: today.

    Raises:
        RuleBroken: an auditor asks, nothing is to be done for this callback besides the telephone, there is no name,
            the day is to come, or a death was reported.
        LeaseLost: an agent rings this patient at this moment; names that agent.
    """
    reference = reference_of(store)
    who, said = clean(name).text, clean(note).text
    today = local_day(now, reference.desk.time_zone)
    used_on = used_on or today
    if not who or len(who) > LONGEST_CONTACT:
        raise RuleBroken(_("Say who sent it or who was told, {most} characters at most.").format(most=LONGEST_CONTACT))
    if len(said) > LONGEST_NOTE:
        raise RuleBroken(_("The note has {most} characters at most.").format(most=LONGEST_NOTE))
    if used_on > today:
        raise RuleBroken(_("{day} is to come: write it down when it was done.").format(day=wording.day_words(used_on)))
    with store.write() as connection:
        reference = reference_in(connection, store)
        before = _usable(connection, callback_id, now)
        return _use(connection, before, who, said, used_on, reference, agent, now)


def _usable(connection: "Connection", callback_id: int, now: datetime) -> Any:
    row = attempts.callback_row(connection, callback_id)
    if row is None:
        raise RuleBroken(_("There is no callback {number}.").format(number=callback_id))
    if row.state == CallbackState.CLOSED or not row.hold or not row.channel:
        words = _("Nothing is to be done besides the telephone for callback {number}.")
        raise RuleBroken(words.format(number=callback_id))
    if callbacks.is_said_dead(connection, row.patient_id):
        raise RuleBroken(_("A death was reported: write to nobody. A second agent confirms or refutes it first."))
    if row.state == CallbackState.LEASED and row.lease_until > now:
        holder = callbacks.agent_name(connection, row.leased_by)
        words = _("{name} is ringing this patient now: speak to each other.")
        raise LeaseLost(words.format(name=holder), holder=holder)
    return row


def _use(
    connection: "Connection",
    before: Any,
    who: str,
    said: str,
    used_on: date,
    reference: Reference,
    agent: "Agent",
    now: datetime,
) -> ChannelUsed:
    desk, calendar = reference.desk, calendar_for(reference)
    channel, done = Channel(before.channel), [*before.channels_done, before.channel]
    begins = now - (local_day(now, desk.time_zone) - used_on)
    rung_from = next_calling_time(max(begins + desk.channel_wait, now), calendar)
    then = next_channel(desk.channels, done)
    values: dict[str, Any] = {"channels_done": done, "unanswered": 0}
    if is_searched := before.hold == "number_search":  # the search goes on: nobody can be rung before it has found one
        values["channel"] = then or ""
    else:
        values |= {"hold": "", "channel": "", "not_before": rung_from}
    attempts.change_callback(connection, before.id, values)
    _keep_name(connection, before.patient_id, channel, who, agent, now)
    detail = {name: [_plain(getattr(before, name)), _plain(value)] for name, value in values.items()}
    journal.append(
        connection, agent=agent.login, action="callback.channel_used", subject="callback", subject_id=before.id,
        detail=detail | {"used": channel.value, "by": agent.name, "name": who, "words": _joined(who, said)},
        now=now, happened_at=begins if begins <= now else now,
    )  # fmt: skip
    what = _capital(wording.channel_words(channel))
    if is_searched:
        return ChannelUsed(channel, None, then, _("{what}. The number search goes on.").format(what=what))
    at = wording.moment_words(rung_from, desk.time_zone, now)
    return ChannelUsed(channel, rung_from, then, _("{what}. Rung again from {moment}.").format(what=what, moment=at))


def _keep_name(
    connection: "Connection", patient_id: int, channel: Channel, who: str, agent: "Agent", now: datetime
) -> None:
    """A name that was learnt while the practitioner or the next of kin was told stays with the patient."""
    column = {Channel.GP: "gp", Channel.NEXT_OF_KIN: "next_of_kin"}.get(channel)
    if column and not getattr(cards.patient_row(connection, patient_id), column):
        change_contacts(connection, patient_id, {column: who}, login=agent.login, now=now)


def _joined(who: str, said: str) -> str:
    return f"{who}: {said}" if said else who


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]
