"""Sessions: signing in and out, what an agent is doing, and the room as supervisors see it.

An agent has one live session. Nothing depends on a clean end: a session whose process is gone is over for whoever
looks, and its agent signs in anew without being asked.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from crisisdesk.desk.agents import Agent, identify
from crisisdesk.desk.rights import SessionOver, needs, over_words
from crisisdesk.desk.rules import reference_of
from crisisdesk.domain.rights import Right
from crisisdesk.domain.words import Ending, PauseReason, Role, WorkState
from crisisdesk.errors import RuleBroken
from crisisdesk.i18n import _
from crisisdesk.store import journal, sessions
from crisisdesk.store.agents import mark_seen

if TYPE_CHECKING:
    from crisisdesk.store.engine import Connection, Store


class SignedInElsewhere(RuleBroken):
    """The agent has a live session; signing in with ``take_over`` ends that one, whose drafts are kept."""

    def __init__(self, message: str, since: datetime, origin: str) -> None:
        super().__init__(message)
        self.since, self.origin = since, origin


@dataclass(frozen=True, slots=True)
class OwnSession:
    """One's own session, as the desk knows it."""

    agent: Agent
    """With the role and the sites of this moment."""
    state: WorkState
    state_at: datetime
    reason: str
    ends_at: datetime
    """No session lives longer."""

    def changed(self, state: WorkState, reason: str, now: datetime) -> "OwnSession":
        """The same session, its agent doing something else from now on."""
        return replace(self, state=state, reason=reason, state_at=now)


@dataclass(frozen=True, slots=True)
class Seat:
    """One agent who is signed in, as the room shows it."""

    session_id: int
    agent_id: int
    login: str
    name: str
    role: Role
    state: WorkState
    state_at: datetime
    reason: str
    """Code of `PauseReason` while the state is pause; else empty."""
    site_id: str | None
    signed_in_at: datetime
    seen_at: datetime
    """Last key, to some minutes."""
    origin: str
    """Address and terminal that the agent came from."""
    callback_id: int | None
    """What the agent holds, with the instant at which the hold ends; a past one holds nothing back."""
    lease_until: datetime | None
    drafts: int
    is_gone: bool
    """The process is no longer there: the line dropped, and the agent has not signed in again."""


# ------------------------------------------------------------------ in and out


def sign_in(
    store: "Store",
    login: str,
    *,
    now: datetime,
    origin: str = "",
    attested_by: str = "",
    take_over: bool = False,
    process: str = "",
) -> Agent:
    """Begin a session at the screens: the active agent of a login, with the session's number. Journalled.

    Args:
        origin: address and terminal, as supervisors and the other session's agent will read it.
        attested_by: who says that it is this agent ("sudo:amelie", "key:amelie", "host:amelie").
        take_over: end the agent's other session; its drafts are kept, and it can no longer change anything.
        process: of the session; this one unless a test says otherwise.

    Raises:
        SignedInElsewhere: a session of this agent lives, and ``take_over`` was not given.
        RuleBroken: as `agents.identify`.
    """
    agent = identify(store, login)
    longest = timedelta(seconds=reference_of(store).desk.session_seconds)
    site_id = min(agent.sites) if len(agent.sites) == 1 else None
    with store.write() as connection:
        if (other := sessions.live_of(connection, agent.agent_id)) is not None:
            _end_other(connection, other, agent, longest, take_over, now)
        number = sessions.begin(
            connection, agent_id=agent.agent_id, process=process or this_process(), origin=origin,
            attested_by=attested_by, site_id=site_id, now=now,
        )  # fmt: skip
        mark_seen(connection, agent.agent_id, now)
        detail = {"session": number, "origin": origin, "attested_by": attested_by}
        _note(connection, agent, "agent.signed_in", agent.agent_id, detail, now)
    return replace(agent, session_id=number)


def _end_other(
    connection: "Connection", other: Any, agent: Agent, longest: timedelta, take_over: bool, now: datetime
) -> None:
    if not process_lives(other.process):
        why = Ending.GONE
    elif now - other.started_at >= longest:
        why = Ending.AGED
    elif take_over:
        why = Ending.REPLACED
    else:
        words = _("{name} is signed in already, on {origin}.")
        message = words.format(name=agent.name, origin=other.origin or _("another terminal"))
        raise SignedInElsewhere(message, other.started_at, other.origin)
    sessions.end(connection, other.id, why, agent.agent_id if why is Ending.REPLACED else None, now)
    _note(connection, agent, "session.ended", other.id, {"why": why.value}, now, subject="session")


def sign_out(store: "Store", why: Ending, *, agent: Agent, now: datetime) -> bool:
    """End the agent's own session; False where it is over already. What is held stays held until its time is over."""
    with store.write() as connection:
        is_ended = sessions.end(connection, agent.session_id, why, None, now)
        if is_ended:
            _note(connection, agent, "session.ended", agent.session_id, {"why": why.value}, now, subject="session")
    return is_ended


def own_session(store: "Store", *, agent: Agent, now: datetime) -> OwnSession:
    """The session of an agent as of now: role, sites and state may have changed while it lives.

    Raises:
        SessionOver: it was ended elsewhere, or the agent was disabled; the words say why.
    """
    longest = timedelta(seconds=reference_of(store).desk.session_seconds)
    with store.read() as connection:
        standing = sessions.standing(connection, agent.agent_id, agent.session_id, now)
        found = sessions.find(connection, agent.session_id)
    if standing is None or not standing.is_active or found is None:
        raise SessionOver(over_words(Ending.DISABLED))
    if standing.ended_why:
        raise SessionOver(over_words(standing.ended_why))
    fresh = replace(agent, role=standing.role, sites=standing.sites)
    return OwnSession(fresh, WorkState(found.state), found.state_at, found.reason, found.started_at + longest)


# ------------------------------------------------------------------ what an agent is doing


def enter_state(
    store: "Store",
    state: WorkState,
    *,
    agent: Agent,
    now: datetime,
    reason: str = "",
    site_id: str | None = None,
) -> bool:
    """The agent does something else from now on; False where nothing changes or the session is over.

    Calls, wrap-up and what follows are entered by the acts themselves; this is for what no act tells of. Not
    journalled: `work_state` is its own history.

    Raises:
        RuleBroken: a pause without one of the known reasons.
    """
    if state is WorkState.PAUSE and reason not in tuple(PauseReason):
        raise RuleBroken(_("Say what the pause is for: {reasons}.").format(reasons=", ".join(PauseReason)))
    with store.write() as connection:
        found = sessions.standing(connection, agent.agent_id, agent.session_id, now)
        if found is None or found.ended_why:  # the agent's other session does what it does
            return False
        mark_seen(connection, agent.agent_id, now)
        return sessions.enter(connection, agent.agent_id, state, now, reason, site_id)


def move_to(store: "Store", site_id: str | None, *, agent: Agent, now: datetime) -> bool:
    """The agent works at a site from now on (None: at all of them); what the agent is doing goes on as it was.

    False where the session is over, or is there already.
    """
    with store.write() as connection:
        return sessions.move(connection, agent.session_id, site_id, now)


def mark_key(store: "Store", *, agent: Agent, now: datetime) -> None:
    """A key was typed. Called now and then, not at each key: each write makes every other screen look."""
    with store.write() as connection:
        mark_seen(connection, agent.agent_id, now)
        sessions.seen(connection, agent.session_id, now)


# ------------------------------------------------------------------ the room


def list_room(store: "Store") -> tuple[Seat, ...]:
    """Everybody who is signed in, by name."""
    with store.read() as connection:
        rows: Sequence[Any] = sessions.live(connection)
    return tuple(
        Seat(
            row.id, row.agent_id, row.login, row.name, Role(row.role), WorkState(row.state), row.state_at, row.reason,
            row.site_id, row.started_at, row.seen_at, row.origin, row.callback_id, row.until, row.drafts,
            is_gone=not process_lives(row.process),
        )
        for row in rows
    )  # fmt: skip


def held_by(store: "Store", agent_id: int) -> int | None:
    """The callback that an agent holds, signed in or not; None where there is none."""
    with store.read() as connection:
        return sessions.held_by(connection, agent_id)


@needs(Right.LEAD_ROOM)
def end_session(store: "Store", session_id: int, reason: str, *, agent: Agent, now: datetime) -> None:
    """End the session of an agent: the screen closes within seconds, drafts are kept, nothing more can be done in it.

    Raises:
        NotAllowed: no supervisor.
        RuleBroken: no reason, or that session is over already.
    """
    why = reason.strip()
    if not why:
        raise RuleBroken(_("Say why this session is ended: it stands in the journal."))
    with store.write() as connection:
        found = sessions.find(connection, session_id)
        if found is None or not sessions.end(connection, session_id, Ending.ENDED, agent.agent_id, now):
            raise RuleBroken(_("This session is over already."))
        detail = {"why": why, "agent_id": found.agent_id}
        _note(connection, agent, "session.ended", session_id, detail, now, subject="session")


# ------------------------------------------------------------------ processes of this host


def this_process() -> str:
    """Boot, number and start of this process: no other one ever has the same three."""
    return f"{_boot()}:{os.getpid()}:{_started(os.getpid())}"


def process_lives(process: str) -> bool:
    """Whether the process of a session is still there, on this boot of this host.

    Where the kernel hides what it knows of a process (hidepid), one of that number counts as the one that is meant: a
    question too many at a sign-in harms less than two sessions.
    """
    boot, _colon, rest = process.partition(":")
    number, _colon, started = rest.partition(":")
    if boot != _boot() or not number.isdigit():
        return False
    try:
        os.kill(int(number), 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return _started(int(number)) in {"", started}


@lru_cache
def _boot() -> str:
    try:
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
            return file.read().strip()
    except OSError:
        return "unknown"


def _started(number: int) -> str:
    """Ticks after boot at which a process began, as the kernel tells it; empty where it does not tell, "over" for one
    that has ended and was not collected yet."""
    try:
        with open(f"/proc/{number}/stat", encoding="utf-8", errors="replace") as file:
            fields = file.read().rpartition(")")[2].split()
    except OSError:
        return ""
    return "over" if fields[0] in {"Z", "X"} else fields[19]


def _note(
    connection: "Connection", agent: Agent, action: str, subject_id: int, detail: dict[str, Any], now: datetime,
    subject: str = "agent",
) -> None:  # fmt: skip
    journal.append(
        connection, agent=agent.login, action=action, subject=subject, subject_id=subject_id, detail=detail, now=now
    )
