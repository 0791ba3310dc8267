"""One's own last attempt taken back: everything that it changed is as it was, and the patient is held again."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from crisisdesk.desk import wording
from crisisdesk.desk.cards import CallbackCard, build_card
from crisisdesk.desk.reserving import serve_reserve
from crisisdesk.desk.rights import needs
from crisisdesk.desk.rules import calendar_for, moment_of, reference_of
from crisisdesk.domain.lease import Lease
from crisisdesk.domain.reference import Reference
from crisisdesk.domain.rights import Right
from crisisdesk.domain.text import clean
from crisisdesk.domain.words import BookingState, CallbackState, Scope
from crisisdesk.errors import RuleBroken
from crisisdesk.i18n import _, current_language, ngettext
from crisisdesk.store import agents, attempts, callbacks, deaths, journal, queue, reserves, undo, undoable

if TYPE_CHECKING:
    from crisisdesk.desk.agents import Agent
    from crisisdesk.store.engine import Connection, Store

LONGEST_REASON = 500
UNDONE = "undone"
"""Why a place was withdrawn that an undone attempt had given."""


@dataclass(frozen=True, slots=True)
class UndoneAttempt:
    """An attempt that was taken back."""

    attempt_id: int
    callback_id: int
    withdrawn: Sequence[date]
    """Days of the places that it had given and that are free again."""
    card: CallbackCard | None
    """Held again for the right outcome; None: it waits in the queue."""
    words: str
    """What was taken back and what comes next, in one sentence."""


@dataclass(frozen=True, slots=True)
class LastAttempt:
    """What an undo would take back."""

    attempt_id: int
    callback_id: int
    patient: str
    disposition: str
    recorded_at: datetime
    until: datetime
    """End of the time in which its agent may take it back."""


@needs(Right.RING)
def undo_attempt(
    store: "Store", attempt_id: int | None, *, reason: str, agent: "Agent", now: datetime
) -> UndoneAttempt:
    """Take back one's own last attempt, within the desk's undo time; the callback is held again under a new generation.

    The row stays, marked, and counts nowhere; what it had changed is as it was before; its places are free at once.

    Args:
        attempt_id: the agent's last one; None finds it.

    Raises:
        RuleBroken: no reason; nothing to undo; another's, not the last one, too late; or something has happened to
            the patient since (says what). Nothing was changed.
    """
    why = clean(reason).text
    if not why or len(why) > LONGEST_REASON:
        raise RuleBroken(_("Say why it is taken back, {most} characters at most.").format(most=LONGEST_REASON))
    reference = reference_of(store)
    with store.write() as connection:
        row = _undoable(connection, attempt_id, reference, agent, now)
        agents.mark_seen(connection, agent.agent_id, now)
        withdrawn = _take_back(connection, row, why, reference, agent, now)
        lease, ringing = _hold_again(connection, row.callback_id, reference, agent, now)
    words = _words(row, withdrawn, lease, ringing, reference)
    if lease is None:
        return UndoneAttempt(row.id, row.callback_id, withdrawn, None, words)
    with store.read() as connection:
        moment = moment_of(reference, calendar_for(reference), now, agent.agent_id)
        card = build_card(connection, row.callback_id, reference, moment, lease)
    return UndoneAttempt(row.id, row.callback_id, withdrawn, card, words)


def last_attempt(store: "Store", *, agent: "Agent", now: datetime) -> LastAttempt:
    """What `undo_attempt` would take back now, to be shown before it is confirmed.

    Raises:
        RuleBroken: nothing can be taken back; says why.
    """
    reference = reference_of(store)
    with store.read() as connection:
        row = _undoable(connection, None, reference, agent, now)
    label = reference.label("disposition.attempt", row.disposition, current_language())
    patient = wording.patient_name(row.last_name, row.first_name, row.full_name)
    until = row.entered_at + timedelta(seconds=reference.desk.undo_seconds)
    return LastAttempt(row.id, row.callback_id, patient, label, row.entered_at, until)


def _undoable(
    connection: "Connection", attempt_id: int | None, reference: Reference, agent: "Agent", now: datetime
) -> Any:
    last = undoable.last_of(connection, agent.agent_id)
    row = last if attempt_id is None else undoable.find(connection, attempt_id)
    if row is None:
        words = _("You have recorded no attempt.") if attempt_id is None else _("There is no attempt {number}.")
        raise RuleBroken(words.format(number=attempt_id))
    if row.agent_id != agent.agent_id:
        name = row.agent_name
        raise RuleBroken(_("{name} recorded this attempt: only {name} or a supervisor changes it.").format(name=name))
    if row.undone_at is not None or row.corrected_by is not None or row.corrects_id is not None:
        raise RuleBroken(
            _("This attempt was undone or corrected already. What came before it, a supervisor corrects (screen m).")
        )
    if last is not None and row.id != last.id:
        raise RuleBroken(_("Only your last attempt can be undone. A supervisor can correct this one (screen m)."))
    _in_time(row, reference, now)
    _refuse_if_changed(connection, row, agent)
    return row


def _in_time(row: Any, reference: Reference, now: datetime) -> None:
    seconds = reference.desk.undo_seconds
    if now - row.entered_at > timedelta(seconds=seconds):
        minutes = seconds // 60
        words = ngettext(
            "Too late: it was recorded at {time}, and can be undone for {count} minute. A supervisor can correct it.",
            "Too late: it was recorded at {time}, and can be undone for {count} minutes. A supervisor can correct it.",
            minutes,
        )
        time = wording.moment_words(row.entered_at, reference.desk.time_zone, now)
        raise RuleBroken(words.format(time=time, count=minutes))


def _refuse_if_changed(connection: "Connection", row: Any, agent: "Agent") -> None:
    """Whatever happened to the patient since is worth more than the undo: a supervisor sorts it out."""
    kept = undo.kept_with(connection, row.id)
    if kept is None:
        raise RuleBroken(
            _("This attempt was stored by an earlier version and stays. Ring again or enter a call (F2): that counts.")
        )
    what = _what_happened(connection, row, kept, agent)
    if what:
        raise RuleBroken(_("It cannot be undone any more: {what}. A supervisor can correct it.").format(what=what))


def _what_happened(connection: "Connection", row: Any, kept: undo.Kept, agent: "Agent") -> str:
    if row.patient_id != kept.patient_id:
        return _("two records of this person were merged since")
    if (name := undoable.newer_attempt_by(connection, row.patient_id, row.id)) is not None:
        return _("{name} has rung this person since").format(name=name)
    if undo.is_matched(connection, kept):
        return _("what it settled was matched with a list since")
    for callback_id, generation in kept.dealt_with.items():
        now = attempts.callback_row(connection, callback_id)
        if now is None or (now.generation != generation and not _is_own_hold(now, generation, agent)):
            return _moved_on(connection, now)
    if undoable.is_open_elsewhere(connection, kept.generations):
        return _("another callback of this person was opened at the same site since")
    if (reference := undoable.call_since(connection, row.patient_id, row.entered_at)) is not None:
        return _("the patient rang since (call {reference})").format(reference=reference)
    if any(place.state != BookingState.TOLD for place in undo.places_given(connection, row.id)):
        return _("the place that was given has been taken back or used since")
    if "patient" in kept.changed and deaths.state_of(connection, row.patient_id)["death_confirmed_by"] is not None:
        return _("a second agent has confirmed the death")
    return _by_whom(connection, row) if undo.changed_since(connection, kept) else ""


def _is_own_hold(now: Any, generation: int, agent: "Agent") -> bool:
    """Whether nothing happened but that the same agent took the callback again, to mend it."""
    return bool(now.leased_by == agent.agent_id and now.generation == generation + 1)


def _moved_on(connection: "Connection", now: Any) -> str:
    if now is not None and now.state == CallbackState.LEASED:
        return _("{name} has taken this callback since").format(name=callbacks.agent_name(connection, now.leased_by))
    if now is not None and now.state == CallbackState.CLOSED:
        code = wording.closed_words_in(connection, now.closed_as)
        return _("the callback was closed since ({code})").format(code=code)
    return _("somebody has held this callback since")


def _by_whom(connection: "Connection", row: Any) -> str:
    who = undoable.last_change_by(connection, row.callback_id, row.patient_id, row.id)
    return _("{name} changed something about it since").format(name=who) if who else _("something was changed since")


def _take_back(
    connection: "Connection", row: Any, why: str, reference: Reference, agent: "Agent", now: datetime
) -> list[date]:
    kept = undo.kept_with(connection, row.id)
    assert kept is not None, "checked before"
    given = undo.places_given(connection, row.id)
    undo.withdraw_places(connection, given, UNDONE, agent.agent_id, now)
    restored = undo.restore(connection, kept)
    undo.mark_undone(connection, row.id, agent.agent_id, why, now)
    callbacks.redate(connection, list(kept.generations))
    reserves.let_place_go(connection, row.callback_id, now)  # it was passed on to the next of the reserve list
    for place in given:
        serve_reserve(
            connection, place.service_id, place.slot_on, reference, agent.login, now, skip={row.callback_id}
        )  # fmt: skip
    detail = {"attempt": row.id, "disposition": [row.disposition, None], "why": why, "restored": restored}
    detail |= {"withdrawn": [place.booking_id for place in given], "patient_id": row.patient_id}
    journal.append(
        connection, agent=agent.login, action="attempt.undone", subject="callback", subject_id=row.callback_id,
        detail=detail, now=now,
    )  # fmt: skip
    return [place.slot_on for place in given]


def _hold_again(
    connection: "Connection", callback_id: int, reference: Reference, agent: "Agent", now: datetime
) -> tuple[Lease | None, str]:
    """The agent's lease under a new generation; none where this person or number is being rung now, and by whom."""
    ringing = queue.who_rings(connection, callback_id, now)
    row = attempts.callback_row(connection, callback_id)
    assert row is not None, "an attempt has a callback"
    is_stopped = row.hold in ("review", callbacks.DEATH) or callbacks.is_said_dead(connection, row.patient_id)
    until = now + timedelta(seconds=reference.desk.lease_seconds)
    held = queue.held_by(connection, agent.agent_id, now)
    is_busy = held is not None and held.callback_id != callback_id  # one patient at a time, also here
    holder = None if ringing or is_stopped or is_busy else agent.agent_id
    undo.lease_again(connection, callback_id, holder, until, now)
    lease = Lease(callback_id, agent.agent_id, row.generation + 1, until) if holder else None
    return lease, ringing


def _words(row: Any, withdrawn: Sequence[date], lease: Lease | None, ringing: str, reference: Reference) -> str:
    label = reference.label(f"disposition.{Scope.ATTEMPT.value}", row.disposition, current_language())
    said = [_("Taken back: {disposition}.").format(disposition=label)]
    if withdrawn:
        days = ", ".join(wording.day_words(day) for day in withdrawn)
        said.append(_("Free again: {days}.").format(days=days))
    if lease is not None:
        said.append(_("The patient is held for you again: record how it really ended."))
    elif ringing:
        said.append(_("{name} is ringing this person or number now: it waits in the queue.").format(name=ringing))
    else:
        said.append(_("It waits in the queue."))
    return " ".join(said)
