"""Who was told an instruction before it became another one, and what is still to be done for each."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from crisisdesk.desk.instructions import existing
from crisisdesk.desk.wording import patient_name
from crisisdesk.domain.instructions import Period, periods
from crisisdesk.i18n import N_, _
from crisisdesk.store import instructions as instruction_rows
from crisisdesk.store import journal
from crisisdesk.store import retelling as rows
from crisisdesk.store.instructions import InstructionText
from crisisdesk.store.retelling import Contact, OpenCallback

if TYPE_CHECKING:
    from crisisdesk.desk.agents import Agent
    from crisisdesk.store.engine import Connection, Store


class ToldState(StrEnum):
    """What is still to be done for somebody who was told an instruction."""

    TO_RING = "to_ring"
    TOLD_SINCE = "told_since"
    """The instruction that followed was read out to them later."""
    CALLBACK = "callback"
    """A callback was made or extended for it, and is open."""
    SPOKEN_TO = "spoken_to"
    """That callback has ended."""
    DEAD = "dead"
    """A death was reported: nobody rings."""
    NO_PATIENT = "no_patient"
    """The call is tied to nobody: only its number is known."""
    NO_SITE = "no_site"
    """Nobody knows in whose queue it belongs."""


@dataclass(frozen=True, slots=True)
class ToldLine:
    """One call or attempt in which an instruction was told, for one patient."""

    what: str
    """"call" or "attempt"."""
    contact_id: int
    at: datetime
    reference: str
    was_read_out: bool
    """False: it only stood on the agent's screen."""
    patient_id: int | None
    patient: str
    caller: str
    """Who rang for the patient; foreign text."""
    number: str
    by: str
    site_id: str | None
    state: ToldState
    told_since: datetime | None
    """When what followed was read out to this patient, after this contact."""
    callback_id: int | None
    """The open callback that would be extended, or that was made for this."""


@dataclass(frozen=True, slots=True)
class Change:
    """An instruction with what holds in its place, as of an instant."""

    old: InstructionText
    new: InstructionText | None
    """None: it is still in force, or nothing else is."""
    changed_at: datetime | None
    """When it ceased to be the one in force; None: it is still, or it never was."""


@dataclass(frozen=True, slots=True)
class Telling:
    """Why a callback's patient is rung: old words, new words."""

    old: InstructionText
    new: InstructionText | None
    told_at: datetime
    changed_at: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class Story:
    """Everything that decides who is to be rung, read once."""

    change: Change
    lines: Sequence[ToldLine]
    open: Mapping[int, Sequence[OpenCallback]]


_STATES = {
    ToldState.TO_RING: N_("to be rung"),
    ToldState.TOLD_SINCE: N_("told since"),
    ToldState.CALLBACK: N_("waits in the queue"),
    ToldState.SPOKEN_TO: N_("rung since"),
    ToldState.DEAD: N_("death reported"),
    ToldState.NO_PATIENT: N_("tied to nobody"),
    ToldState.NO_SITE: N_("site not known"),
}


def told_state_words(state: ToldState) -> str:
    """What is still to be done for somebody who was told."""
    return _(_STATES[state])


def change_of(store: "Store", instruction_id: int, *, now: datetime) -> Change:
    """An instruction, what holds in its place, and since when.

    Raises:
        RuleBroken: no such instruction.
    """
    with store.read() as connection:
        return _change(connection, existing(connection, instruction_id), now)


def _change(connection: "Connection", old: InstructionText, now: datetime) -> Change:
    scope = {"site_id": old.site_id, "service_id": old.service_id, "topic": old.topic}
    new = instruction_rows.instruction_in_force(connection, **scope, at=now)  # type: ignore[arg-type]
    if new is not None and new.instruction_id == old.instruction_id:
        return Change(old, None, None)
    versions = instruction_rows.scope_rows(connection, **scope)  # type: ignore[arg-type]
    return Change(old, new, _last_end(periods([one.validity for one in versions]), old.instruction_id, now))


def _last_end(held: Iterable[Period], instruction_id: int, now: datetime) -> datetime | None:
    """When an instruction was last followed by another one."""
    ends = [period.end for period in held if period.instruction_id == instruction_id and period.end]
    return max((end for end in ends if end <= now), default=None)


def who_was_told(store: "Store", instruction_id: int, *, now: datetime) -> Sequence[ToldLine]:
    """Calls and attempts that stored an instruction, one line a patient: those to whom it was read out first, then
    those where it only stood on the screen; each with whether the patient was told what followed, or is to be rung.

    Told what followed: another version of exactly this scope that began later, or that holds in its place, was read
    out in a later contact. A more specific instruction that was read out does not count: it may say nothing of this.

    Raises:
        RuleBroken: no such instruction.
    """
    with store.read() as connection:
        return read_story(connection, instruction_id, now).lines


def read_story(
    connection: "Connection", instruction_id: int, now: datetime, only: Sequence[int] | None = None
) -> Story:
    """Everything that decides who is to be rung; of some patients where ``only`` names them."""
    change = _change(connection, existing(connection, instruction_id), now)
    contacts = rows.contacts_of(connection, instruction_id, only)
    people = sorted({one.patient_id for one in contacts if one.patient_id is not None})
    since = _told_later(connection, change)
    open_ones = rows.open_callbacks(connection, people)
    before = rows.retold(connection, instruction_id)
    waits = rows.waiting_sites(connection, people)
    lines = []
    for one in contacts:
        key = one.patient_id or 0
        site_id = one.site_id or change.old.site_id or _site_of(open_ones.get(key, ()), waits.get(key))
        later = min((at for at in since.get(key, ()) if at > one.at), default=None)
        was_rung = key in before and before[key].made_at >= one.at
        lines.append(_line(one, site_id, later, was_rung, open_ones.get(key, ()), instruction_id))
    return Story(change, lines, open_ones)


def _told_later(connection: "Connection", change: Change) -> Mapping[int, Sequence[datetime]]:
    """When each patient was told something that follows an instruction."""
    old, scope = change.old, {"site_id": change.old.site_id, "service_id": change.old.service_id}
    versions = instruction_rows.scope_rows(connection, **scope, topic=old.topic)  # type: ignore[arg-type]
    others = {one.instruction_id: one for one in versions if one.instruction_id != old.instruction_id}
    if change.new is not None:
        others.setdefault(change.new.instruction_id, change.new)
    found: defaultdict[int, list[datetime]] = defaultdict(list)
    for patient_id, at, number in rows.read_out_since(connection, list(others)) if others else ():
        if _follows(others[number], change, at):
            found[patient_id].append(at)
    return found


def _follows(other: InstructionText, change: Change, at: datetime) -> bool:
    """Whether what was read out at an instant came after the old instruction: a later version, or an earlier one that
    holds again."""
    is_later_version = other.scope == change.old.scope and other.valid_from > change.old.valid_from
    is_in_its_place = change.changed_at is not None and at >= change.changed_at and other.validity.holds_at(at)
    return is_later_version or is_in_its_place


def _site_of(held: Sequence[OpenCallback], waits: str | None) -> str | None:
    return held[0].site_id if held else waits


def _line(
    one: Contact, site_id: str | None, since: datetime | None, was_rung: bool, held: Sequence[OpenCallback], old_id: int
) -> ToldLine:
    to_tell = next((callback.callback_id for callback in held if callback.told == old_id), None)
    here = next((callback.callback_id for callback in held if callback.site_id == site_id), None)
    return ToldLine(
        one.what, one.contact_id, one.at, one.reference, one.was_read_out, one.patient_id,
        patient_name(one.last_name, one.first_name, one.full_name) if one.patient_id is not None else "",
        one.caller, one.number, one.by, site_id,
        _state(one, site_id, since, was_rung, to_tell is not None), since, to_tell or here,
    )  # fmt: skip


def _state(one: Contact, site_id: str | None, since: datetime | None, was_rung: bool, is_held: bool) -> ToldState:
    if one.patient_id is None:
        return ToldState.NO_PATIENT
    if since is not None:
        return ToldState.TOLD_SINCE
    if one.is_said_dead:
        return ToldState.DEAD
    if is_held:
        return ToldState.CALLBACK
    if was_rung:
        return ToldState.SPOKEN_TO
    return ToldState.TO_RING if site_id is not None else ToldState.NO_SITE


def journal_told(store: "Store", instruction_id: int, count: int, *, agent: "Agent", now: datetime) -> None:
    """Note that a list of people who were told an instruction left the desk, before it is written."""
    with store.write() as connection:
        journal.append(
            connection, agent=agent.login, action="export", subject="instruction", subject_id=instruction_id,
            detail={"form": "csv", "file": "-", "rows": count}, now=now,
        )  # fmt: skip


def told_on_card(connection: "Connection", callback_id: int, why: Mapping[str, Any], now: datetime) -> Telling | None:
    """What a callback's patient was told and is to be told instead; None where that is not why it is rung."""
    told = why.get("told")
    if told is None:
        return None
    change = _change(connection, existing(connection, told["instruction"]), now)
    made = rows.retelling_of(connection, callback_id)
    told_at = datetime.fromisoformat(told["at"])
    return Telling(change.old, change.new, told_at, change.changed_at or told_at, made.reason if made else "")
