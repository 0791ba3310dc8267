"""Callbacks taken one at a time and let go. The list of a queue is in `desk.queue`."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from crisisdesk.desk import wording
from crisisdesk.desk.cards import CallbackCard, build_card
from crisisdesk.desk.nothing import NothingNow, nothing_now, outside_hours
from crisisdesk.desk.queue import (
    Explanation,
    Queue,
    QueueRow,
    about_words,
    explain,
    list_queue,
    open_line,
    site_reference,
)
from crisisdesk.desk.releasing import has_room
from crisisdesk.desk.reopening import top_up
from crisisdesk.desk.rights import at_own_site, needs
from crisisdesk.desk.rules import calendar_for, moment_of, reference_of
from crisisdesk.desk.whynot import Setting, why_not
from crisisdesk.domain.lease import Lease
from crisisdesk.domain.reference import Reference
from crisisdesk.domain.rights import Right
from crisisdesk.domain.schedule import is_calling_time, next_calling_time
from crisisdesk.domain.words import CallbackState, WorkState
from crisisdesk.errors import LeaseLost, RuleBroken
from crisisdesk.i18n import _
from crisisdesk.store import attempts, journal, queue, sessions
from crisisdesk.store.agents import mark_seen
from crisisdesk.store.callbacks import agent_name, is_said_dead
from crisisdesk.store.queue import Moment

if TYPE_CHECKING:
    from crisisdesk.desk.agents import Agent
    from crisisdesk.store.engine import Connection, Store

__all__ = [
    "Explanation", "NothingNow", "Queue", "QueueRow", "about_words", "explain", "hold_lost", "list_queue", "lost",
    "open_card", "release_lease", "renew", "take", "take_next", "take_over",
]  # fmt: skip


@needs(Right.RING)
def take_next(store: "Store", site_id: str, *, agent: "Agent", now: datetime) -> CallbackCard | NothingNow:
    """Lease the first callback of a site that may be rung now, and give its card.

    An agent who still holds one gets that one again, at whatever site: a call is ended before the next begins.

    Raises:
        RuleBroken: no such site, or an auditor asks.
    """
    reference = site_reference(store, site_id)
    at_own_site(agent, site_id, reference.sites[site_id].name)
    calendar = calendar_for(reference)
    moment = moment_of(reference, calendar, now, agent.agent_id)
    if reference.desk.closed_at is None and not is_calling_time(now, calendar):
        with store.read() as connection:  # a call that began in time is ended, by whoever made it
            if (held := queue.held_by(connection, agent.agent_id, now)) is not None:
                return build_card(connection, held.callback_id, reference, moment, held)
        return outside_hours(next_calling_time(now, calendar), reference, now)
    top_up(store, now=now)
    lease = _take_first(store, site_id, moment, reference, agent)
    if lease is None and _is_room(store, site_id, reference, now) and top_up(store, now=now, again=True):
        lease = _take_first(store, site_id, moment, reference, agent)
    with store.read() as connection:
        if lease is None:
            return nothing_now(connection, site_id, moment, reference)
        return build_card(connection, lease.callback_id, reference, moment, lease)


def _take_first(store: "Store", site_id: str, moment: Moment, reference: Reference, agent: "Agent") -> Lease | None:
    until = moment.now + timedelta(seconds=reference.desk.lease_seconds)
    with store.write() as connection:
        mark_seen(connection, agent.agent_id, moment.now)
        lease = queue.held_by(connection, agent.agent_id, moment.now)
        if lease is None:
            lease = queue.take_first(connection, site_id, moment, until)
            _note_take(connection, lease, agent, moment.now, site_id)
        else:  # back to the call in hand
            sessions.enter(connection, agent.agent_id, WorkState.CALL, moment.now)
    return lease


def _note_take(connection: "Connection", lease: Lease | None, agent: "Agent", now: datetime, site_id: str) -> None:
    if lease is not None:
        sessions.enter(connection, agent.agent_id, WorkState.CALL, now, site_id=site_id)
        detail = {"generation": lease.generation, "until": lease.until.isoformat()}
        journal.append(
            connection, agent=agent.login, action="callback.taken", subject="callback", subject_id=lease.callback_id,
            detail=detail, now=now,
        )  # fmt: skip


@needs(Right.RING)
def take(store: "Store", callback_id: int, *, agent: "Agent", now: datetime) -> CallbackCard:
    """Lease one callback out of turn: a patient asked for, a promise made in person.

    Raises:
        LeaseLost: another agent holds it, or rings this person or number for another one; names that agent.
        RuleBroken: it is closed or settled, a clinician or the confirmation of a death comes first, the desk is closed,
            or it is outside the calling hours.
    """
    reference = reference_of(store)
    calendar = calendar_for(reference)
    moment = moment_of(reference, calendar, now, agent.agent_id)
    with store.write() as connection:
        mark_seen(connection, agent.agent_id, now)
        line = open_line(connection, callback_id, moment)
        at_own_site(agent, line.site_id, reference.sites[line.site_id].name)
        if line.reason == "held" and line.leased_by == agent.agent_id:
            lease: Lease | None = Lease(callback_id, agent.agent_id, line.generation, line.lease_until)
            sessions.enter(connection, agent.agent_id, WorkState.CALL, now, site_id=line.site_id)
        elif reference.desk.closed_at is None and not is_calling_time(now, calendar):
            raise RuleBroken(outside_hours(next_calling_time(now, calendar), reference, now).words)
        else:
            _one_at_a_time(connection, callback_id, agent, now)
            until = now + timedelta(seconds=reference.desk.lease_seconds)
            lease = queue.take_this(connection, callback_id, moment, until)
            _note_take(connection, lease, agent, now, line.site_id)
        if lease is None:
            _refuse(connection, line, reference, now)
    with store.read() as connection:
        return build_card(connection, callback_id, reference, moment, lease)


def _is_room(store: "Store", site_id: str, reference: Reference, now: datetime) -> bool:
    with store.read() as connection:
        return has_room(connection, site_id, reference, now)


def _one_at_a_time(connection: "Connection", callback_id: int, agent: "Agent", now: datetime) -> None:
    held = queue.held_by(connection, agent.agent_id, now)
    if held is not None and held.callback_id != callback_id:
        words = _("You still hold callback {number}: end that call, or give it back (F12), before the next one.")
        raise RuleBroken(words.format(number=held.callback_id))


def _refuse(connection: "Connection", line: Any, reference: Reference, now: datetime) -> None:
    if line.reason != "held" and (name := queue.who_rings(connection, line.id, now)):
        words = _("{name} is ringing this person or number now: wait until that call has ended.")
        raise LeaseLost(words.format(name=name), holder=name)
    words = why_not(line, Setting(reference, now, now))
    if line.reason == "held":
        raise LeaseLost(words, holder=line.holder)
    raise RuleBroken(_("This callback cannot be rung: {why}.").format(why=words))


@needs(Right.READ)
def open_card(store: "Store", callback_id: int, *, agent: "Agent", now: datetime) -> CallbackCard:
    """The card of a callback, to read; nothing is held. The read is journalled.

    Raises:
        RuleBroken: no such callback.
    """
    reference = reference_of(store)
    moment = moment_of(reference, calendar_for(reference), now, agent.agent_id)
    with store.write() as connection:
        if queue.find_line(connection, callback_id, moment) is None:
            raise RuleBroken(_("There is no callback {number}.").format(number=callback_id))
        journal.append(
            connection, agent=agent.login, action="callback.read", subject="callback", subject_id=callback_id, now=now
        )
    with store.read() as connection:
        line = queue.find_line(connection, callback_id, moment)
        mine = line is not None and line.leased_by == agent.agent_id and line.reason == "held"
        lease = Lease(callback_id, agent.agent_id, line.generation, line.lease_until) if mine and line else None
        return build_card(connection, callback_id, reference, moment, lease)


def renew(store: "Store", lease: Lease, *, now: datetime) -> Lease:
    """Hold a callback longer. Called for keystrokes, not by a timer: a ghost session has timers too. Not journalled.

    Raises:
        LeaseLost: somebody else has it, or a supervisor let it go.
    """
    longer = lease.renewed(now, reference_of(store).desk.lease_seconds)
    with store.write() as connection:
        mark_seen(connection, lease.agent_id, now)
        if not queue.renew(connection, longer):
            raise lost(connection, lease.callback_id)
    return longer


def hold_lost(store: "Store", lease: Lease) -> str:
    """Why a lease no longer holds, in words for its agent; empty while it does. Time alone takes it from nobody who is
    at work: another agent does."""
    with store.read() as connection:
        row = attempts.callback_row(connection, lease.callback_id)
        held = (CallbackState.LEASED, lease.agent_id, lease.generation)
        if row is not None and (row.state, row.leased_by, row.generation) == held:
            return ""
        return str(lost(connection, lease.callback_id))


def lost(connection: "Connection", callback_id: int) -> LeaseLost:
    """The error of a lease that is gone, with the name of who has the callback now."""
    row = attempts.callback_row(connection, callback_id)
    if row is not None and is_said_dead(connection, row.patient_id):
        return LeaseLost(_("A death was reported meanwhile: ring nobody about it. What you typed is kept as a draft."))
    if row is not None and (stands := attempts.stands_for(connection, row)):
        words = _("This patient was merged with another record: go on with callback {number}. Your text is a draft.")
        return LeaseLost(words.format(number=stands))
    if row is None or row.state == CallbackState.CLOSED:
        if row is not None and row.closed_as == "handed_over":
            return LeaseLost(_("This was handed over to the service meanwhile. What you typed is kept as a draft."))
        words = _("This callback was closed meanwhile ({code}). What you typed is kept as a draft.")
        return LeaseLost(words.format(code=wording.closed_words_in(connection, row.closed_as) if row else "?"))
    if row.state == CallbackState.LEASED:
        name = agent_name(connection, row.leased_by)
        words = _("{name} has taken this callback over. What you typed is kept as a draft: speak to each other.")
        return LeaseLost(words.format(name=name), holder=name)
    return LeaseLost(_("This callback was given back to the queue. What you typed is kept as a draft: take it again."))


@needs(Right.RING)
def release_lease(store: "Store", lease: Lease, reason: str, *, agent: "Agent", now: datetime) -> None:
    """Give a callback back to the queue without having rung.

    Raises:
        RuleBroken: no reason was given.
        LeaseLost: it is no longer the agent's.
    """
    if not reason.strip():
        raise RuleBroken(_("Say why nobody was rung: the next agent reads it."))
    with store.write() as connection:
        if not queue.free(connection, lease.callback_id, agent.agent_id, lease.generation):
            raise lost(connection, lease.callback_id)
        sessions.enter(connection, agent.agent_id, WorkState.READY, now)
        journal.append(
            connection, agent=agent.login, action="callback.given_back", subject="callback",
            subject_id=lease.callback_id, detail={"reason": reason.strip()}, now=now,
        )  # fmt: skip


@needs(Right.STEER)
def take_over(store: "Store", callback_id: int, *, agent: "Agent", now: datetime, holder: str = "") -> None:
    """Free a callback that another agent holds; that agent's late writes are refused. For supervisors.

    Args:
        holder: name of who held it when the supervisor looked; empty: whoever holds it.

    Raises:
        RuleBroken: the agent is no supervisor, nobody holds it, or somebody else does by now.
    """
    with store.write() as connection:
        row = attempts.callback_row(connection, callback_id)
        if row is None or row.state != CallbackState.LEASED:
            raise RuleBroken(_("Nobody holds callback {number}.").format(number=callback_id))
        at_own_site(agent, row.site_id)
        name = agent_name(connection, row.leased_by)
        if holder and holder != name:
            words = _("{name} holds callback {number} by now. Nothing was changed: look again.")
            raise RuleBroken(words.format(name=name, number=callback_id))
        queue.free(connection, callback_id, row.leased_by, row.generation)
        journal.append(
            connection, agent=agent.login, action="callback.taken_from", subject="callback", subject_id=callback_id,
            detail={"holder": [name, None]}, now=now,
        )  # fmt: skip
