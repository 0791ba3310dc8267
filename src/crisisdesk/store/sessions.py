"""Statements about sessions: who is at which terminal, doing what, and the sites that each agent may work."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import Row, delete, func, insert, select, update

from crisisdesk.domain.words import CallbackState, Ending, Role, WorkState
from crisisdesk.store import tables
from crisisdesk.store.engine import Connection
from crisisdesk.store.raw import rows, run, stamp

session, spell = tables.session.c, tables.work_state.c


class Standing(NamedTuple):
    """What holds now of an agent who acts."""

    role: Role
    is_active: bool
    ended_why: str
    """Why the session that acts is over; empty while it lives, and for a command that has none."""
    sites: frozenset[str]
    """Sites of the agent; none: all."""


_STANDING = """SELECT agent.role, agent.is_active,
  CASE WHEN session.ended_why = '' AND session.started_at <= ? THEN 'aged' ELSE coalesce(session.ended_why, '') END,
  (SELECT group_concat(site_id) FROM agent_site WHERE agent_site.agent_id = agent.id)
  FROM agent LEFT JOIN session ON session.id = ? AND session.agent_id = agent.id WHERE agent.id = ?"""


def standing(connection: Connection, agent_id: int, session_id: int, now: datetime) -> Standing | None:
    """Role, sites and whether the session lives and is not too old, as of now; None where there is no such agent."""
    ((longest,),) = rows(connection, "SELECT session_seconds FROM desk")
    values = (stamp(now - timedelta(seconds=longest)), session_id, agent_id)
    for role, is_active, ended_why, sites in rows(connection, _STANDING, values):
        return Standing(Role(role), bool(is_active), ended_why, frozenset(sites.split(",") if sites else ()))
    return None


def sites_of(connection: Connection, agent_id: int) -> frozenset[str]:
    """The sites that an agent may work; none: all of them."""
    site = tables.agent_site.c
    return frozenset(connection.scalars(select(site.site_id).where(site.agent_id == agent_id)))


def give_sites(connection: Connection, agent_id: int, sites: Iterable[str]) -> None:
    """Replace the sites of an agent."""
    connection.execute(delete(tables.agent_site).where(tables.agent_site.c.agent_id == agent_id))
    new = [{"agent_id": agent_id, "site_id": site_id} for site_id in sorted(sites)]
    if new:
        connection.execute(insert(tables.agent_site), new)


def live_of(connection: Connection, agent_id: int) -> Row[Any] | None:
    """The live session of an agent."""
    query = select(tables.session).where(session.agent_id == agent_id, session.ended_at.is_(None))
    return connection.execute(query).one_or_none()


def find(connection: Connection, session_id: int) -> Row[Any] | None:
    """One session, live or over."""
    return connection.execute(select(tables.session).where(session.id == session_id)).one_or_none()


def begin(
    connection: Connection, *, agent_id: int, process: str, origin: str, attested_by: str, site_id: str | None,
    now: datetime,
) -> int:  # fmt: skip
    """Begin a session in the state ready; the agent has none that lives. Gives its id."""
    row = {
        "agent_id": agent_id, "started_at": now, "seen_at": now, "process": process, "origin": origin,
        "attested_by": attested_by, "state": WorkState.READY, "state_at": now, "site_id": site_id,
    }  # fmt: skip
    number = int(connection.execute(insert(tables.session).values(row).returning(session.id)).scalar_one())
    _begin_spell(connection, number, WorkState.READY, "", site_id, now)
    return number


def end(connection: Connection, session_id: int, why: Ending, by: int | None, now: datetime) -> bool:
    """End a session; False where it is over already."""
    over = {"ended_at": now, "ended_why": why.value, "ended_by": by}
    which = update(tables.session).where(session.id == session_id, session.ended_at.is_(None))
    return connection.execute(which.values(over)).rowcount > 0


_ENTER = """UPDATE session SET state = ?, state_at = ?, reason = ?, site_id = coalesce(?, site_id), seen_at = ?
  WHERE agent_id = ? AND ended_at IS NULL AND (state <> ? OR reason <> ? OR coalesce(?, site_id) IS NOT site_id)
  RETURNING id, site_id"""


def enter(
    connection: Connection, agent_id: int, state: WorkState, now: datetime, reason: str = "", site_id: str | None = None
) -> bool:
    """An agent does something else from now on; False where nothing changes, or nobody is signed in (a command)."""
    at = stamp(now)
    values = (state.value, at, reason, site_id, at, agent_id, state.value, reason, site_id)
    for session_id, place in rows(connection, _ENTER, values):
        _begin_spell(connection, session_id, state, reason, place, now)
        return True
    return False


_MOVE = """UPDATE session SET site_id = ? WHERE id = ? AND ended_at IS NULL AND site_id IS NOT ?
  RETURNING state, reason"""


def move(connection: Connection, session_id: int, site_id: str | None, now: datetime) -> bool:
    """An agent works at another site from now on; since when the agent does so in this state stays as it is."""
    for state, reason in rows(connection, _MOVE, (site_id, session_id, site_id)):
        _begin_spell(connection, session_id, WorkState(state), reason, site_id, now)
        return True
    return False


def _begin_spell(
    connection: Connection, session_id: int, state: WorkState, reason: str, site_id: str | None, now: datetime
) -> None:
    words = "INSERT INTO work_state (session_id, started_at, state, reason, site_id) VALUES (?, ?, ?, ?, ?)"
    run(connection, words, (session_id, stamp(now), state.value, reason, site_id))


def seen(connection: Connection, session_id: int, now: datetime) -> None:
    """A key was typed in a session."""
    connection.execute(update(tables.session).where(session.id == session_id).values(seen_at=now))


def live(connection: Connection) -> Sequence[Any]:
    """All live sessions with their agents, the callback that each holds and how many drafts are kept."""
    agent, callback, draft = tables.agent.c, tables.callback.c, tables.draft.c
    first, until = func.min(callback.id).label("callback_id"), func.max(callback.lease_until).label("until")
    held = (
        select(callback.leased_by, first, until)
        .where(callback.state == CallbackState.LEASED)
        .group_by(callback.leased_by)
        .subquery()
    )
    drafts = select(draft.agent_id, func.count().label("n")).group_by(draft.agent_id).subquery()
    query = (
        select(
            session.id, session.agent_id, agent.login, agent.name, agent.role, session.state, session.state_at,
            session.reason, session.site_id, session.started_at, session.seen_at, session.origin, session.process,
            held.c.callback_id, held.c.until, func.coalesce(drafts.c.n, 0).label("drafts"),
        )
        .join(tables.agent, agent.id == session.agent_id)
        .join(held, held.c.leased_by == session.agent_id, isouter=True)
        .join(drafts, drafts.c.agent_id == session.agent_id, isouter=True)
        .where(session.ended_at.is_(None))
        .order_by(agent.name, agent.login)
    )  # fmt: skip
    return connection.execute(query).all()


def held_by(connection: Connection, agent_id: int) -> int | None:
    """The callback that an agent holds."""
    callback = tables.callback.c
    query = select(func.min(callback.id)).where(
        callback.state == CallbackState.LEASED, callback.leased_by == agent_id
    )  # fmt: skip
    number: int | None = connection.execute(query).scalar_one()
    return number
