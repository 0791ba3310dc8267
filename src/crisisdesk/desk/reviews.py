"""What waits for a person before anybody rings: listed, and decided by a clinician, by name."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from crisisdesk.desk import wording
from crisisdesk.desk.cards import history_words
from crisisdesk.desk.rights import at_own_site, needs
from crisisdesk.desk.rules import reference_in, reference_of
from crisisdesk.domain.rights import Right
from crisisdesk.domain.text import clean
from crisisdesk.domain.words import CallbackState, Channel
from crisisdesk.errors import LeaseLost, RuleBroken
from crisisdesk.i18n import _
from crisisdesk.store import attempts, callbacks, cards, journal, reviews
from crisisdesk.store.items import CLINICIAN

if TYPE_CHECKING:
    from crisisdesk.desk.agents import Agent
    from crisisdesk.domain.reference import Reference
    from crisisdesk.store.engine import Connection, Store

LONGEST_NAME, LONGEST_REASON = 80, 500


class Decision(StrEnum):
    """What becomes of a callback on hold."""

    RESUME = "resume"
    """It may be rung again, in its place of the queue."""
    CLOSE = "close"
    """Nobody rings; what it is about is settled."""


@dataclass(frozen=True, slots=True)
class HeldRow:
    """One callback that waits for a person."""

    callback_id: int
    site_id: str
    patient_id: int
    patient: str
    hold: str
    """"review", "number_search" or "confirm_death"."""
    waits_for: str
    due_at: datetime
    attempts: int
    said_at: datetime | None
    said: str
    """How the last contact ended, and who says so."""
    note: str
    """Words of the last contact, or the wish that was noted; foreign text."""
    channel: Channel | None = None
    """What is done besides the telephone (see `desk.channels`); None: a clinician decides, or a number is searched."""
    channels_done: Sequence[str] = ()
    gp: str = ""
    next_of_kin: str = ""


def list_held(store: "Store", site_id: str | None = None, *, now: datetime, limit: int = 200) -> Sequence[HeldRow]:
    """Callbacks that nobody rings before a person has decided, in the order of the queue.

    Args:
        site_id: those of one site; None: of all.
    """
    reference = reference_of(store)
    with store.read() as connection:
        return [_row(connection, line, reference) for line in reviews.held_lines(connection, site_id, limit)]


def find_held(store: "Store", callback_id: int) -> HeldRow | None:
    """One callback that nobody rings before a person has decided; None where it is on no hold."""
    with store.read() as connection:
        lines = reviews.held_lines(connection, None, 1, callback_id)
        return _row(connection, lines[0], reference_in(connection, store)) if lines else None


def _row(connection: "Connection", line: reviews.HeldLine, reference: "Reference") -> HeldRow:
    last = next(iter(cards.history_of(connection, line.patient_id, 1)), None)
    said = ""
    if last is not None:
        label = history_words(last, reference)
        said = f"{label} ({last.by})" if last.by else label
    return HeldRow(
        line.callback_id, line.site_id, line.patient_id,
        wording.patient_name(line.last_name, line.first_name, line.full_name), line.hold,
        _waits_for(line), line.due_at, line.attempts, last.at if last else None, said,
        (last.note if last else "") or line.note, Channel(line.channel) if line.channel else None,
        tuple(line.channels_done), line.gp, line.next_of_kin,
    )  # fmt: skip


def _waits_for(line: reviews.HeldLine) -> str:
    """What has to be done, in words; a number search goes on beside a letter."""
    heading = wording.reason_words(line.hold)
    if not line.channel:
        return heading
    words = wording.review_words(line.channel)
    return words if line.hold == "review" else f"{heading}, {words}"


@needs(Right.STEER)
def decide_review(
    store: "Store",
    callback_id: int,
    decision: Decision,
    *,
    clinician: str,
    reason: str,
    agent: "Agent",
    now: datetime,
) -> None:
    """Write down what a clinician decided of a callback on hold.

    Args:
        clinician: who decided; a name, for the journal and the postponements.

    Raises:
        RuleBroken: no supervisor, no name or reason, nothing to decide, a death that is to be confirmed first, or no
            number to ring.
        LeaseLost: an agent is at work on it; names that agent.
    """
    name, why = clean(clinician).text, clean(reason).text
    if not name or len(name) > LONGEST_NAME:
        raise RuleBroken(_("Name the clinician who decided, {most} characters at most.").format(most=LONGEST_NAME))
    if not why or len(why) > LONGEST_REASON:
        raise RuleBroken(_("Give the clinician's reason, {most} characters at most.").format(most=LONGEST_REASON))
    with store.write() as connection:
        before = _decidable(connection, callback_id, now)
        at_own_site(agent, before.site_id)
        if decision == Decision.RESUME:
            ended = _resume(connection, before)
        else:
            ended = _close(connection, before, name, agent, now)
        detail = {"decision": decision.value, "clinician": name, "reason": why, "hold": [before.hold, ""]}
        journal.append(
            connection, agent=agent.login, action="callback.review_decided", subject="callback",
            subject_id=callback_id, detail=detail | {"postponements": ended}, now=now,
        )  # fmt: skip


def _decidable(connection: "Connection", callback_id: int, now: datetime) -> Any:
    row = attempts.callback_row(connection, callback_id)
    if row is None:
        raise RuleBroken(_("There is no callback {number}.").format(number=callback_id))
    if row.state == CallbackState.CLOSED or not row.hold:
        raise RuleBroken(_("Callback {number} waits for no decision.").format(number=callback_id))
    if callbacks.is_said_dead(connection, row.patient_id):
        raise RuleBroken(_("A death was reported: a second agent confirms or refutes it first, on the patient's file."))
    if row.state == CallbackState.LEASED and row.lease_until > now:
        name = callbacks.agent_name(connection, row.leased_by)
        raise LeaseLost(_("{name} is ringing this patient now: speak to each other.").format(name=name), holder=name)
    return row


def _resume(connection: "Connection", before: Any) -> list[int]:
    """Back into the queue; the attempts so far count no longer against the cap."""
    if not before.number and not attempts.usable_numbers(connection, before.patient_id):
        raise RuleBroken(_("No number of this patient can be rung: add one on the patient's file first."))
    attempts.change_callback(connection, before.id, {"hold": "", "channel": "", "unanswered": 0})
    return []


def _close(connection: "Connection", before: Any, clinician: str, agent: "Agent", now: datetime) -> list[int]:
    ids = list(attempts.unsettled_items(connection, before.id))
    reviews.end_items(connection, ids, clinician, now)
    callbacks.close(connection, before.id, CLINICIAN, agent.agent_id, now)
    return ids
