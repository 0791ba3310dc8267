"""Who sits at the desk: signing in, and an admin's changes to the list of agents."""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from crisisdesk.domain.text import clean
from crisisdesk.domain.words import Role
from crisisdesk.errors import RuleBroken
from crisisdesk.i18n import _

if TYPE_CHECKING:
    from crisisdesk.store.agents import AgentRow
    from crisisdesk.store.engine import Store

LONGEST_LOGIN, LONGEST_NAME = 32, 80
# Letters of any alphabet, as operating systems write logins; nothing that a terminal or a shell would act on.
LOGIN = re.compile(r"[^\W\d_][\w.@-]*\Z")


@dataclass(frozen=True)
class Agent:
    """One agent who signed in. Every act at the desk carries one."""

    agent_id: int
    login: str
    name: str
    role: Role
    language: str = ""
    """Language of the screens; empty: the desk's."""
    is_active: bool = True


def check_login(login: str) -> str:
    """The login, if it may be one.

    Raises:
        RuleBroken: it is empty, too long, or holds something else than letters, digits and . @ _ -
    """
    if not LOGIN.match(login) or len(login) > LONGEST_LOGIN:
        raise RuleBroken(
            _(
                "'{login}' cannot be a login: a letter, then letters, digits, '.', '@', '_', '-'; {most} at most."
            ).format(login=login[:40], most=LONGEST_LOGIN)
        )
    return login


def identify(store: "Store", login: str) -> Agent:
    """The active agent of a login, for one command.

    Raises:
        RuleBroken: the login is unknown or was disabled; the message says who can mend it.
    """
    agent = find_agent(store, login)
    if agent is None:
        raise RuleBroken(
            _(
                "'{login}' is no agent of this desk. Give --agent LOGIN, or ask an admin for: "
                "crisisdesk agent add LOGIN NAME"
            ).format(login=login)
        )
    if not agent.is_active:
        raise RuleBroken(
            _("'{login}' was disabled at this desk. An admin can undo it: crisisdesk agent enable {login}").format(
                login=login
            )
        )
    return agent


def sign_in(store: "Store", login: str, *, now: datetime) -> Agent:
    """Begin a session at the screens: the active agent of a login. The sign-in is journalled.

    Raises:
        RuleBroken: as `identify`.
    """
    from crisisdesk.store.agents import mark_seen
    from crisisdesk.store.journal import append

    agent = identify(store, login)
    with store.write() as connection:
        mark_seen(connection, agent.agent_id, now)
        append(connection, agent=login, action="agent.signed_in", subject="agent", subject_id=agent.agent_id, now=now)
    return agent


def find_agent(store: "Store", login: str) -> Agent | None:
    """The agent of a login, disabled or not; None if there is none."""
    from crisisdesk.store import agents as rows

    with store.read() as connection:
        row = rows.find_agent(connection, login)
    return _agent(row) if row else None


def list_agents(store: "Store") -> tuple[Agent, ...]:
    """All agents of the desk, by login."""
    from crisisdesk.store import agents as rows

    with store.read() as connection:
        return tuple(_agent(row) for row in rows.list_agents(connection))


def add_agent(
    store: "Store", *, login: str, name: str, role: Role, agent: Agent, now: datetime, language: str = ""
) -> Agent:
    """Add an agent to the desk; ``agent`` is the admin who does it.

    Raises:
        RuleBroken: not an admin, no usable login or name, or the login is taken.
    """
    from crisisdesk.store import agents as rows
    from crisisdesk.store.journal import append

    _only_admins(agent)
    shown = clean(name).text
    if not shown or len(shown) > LONGEST_NAME:
        raise RuleBroken(_("Give the agent's name, {most} characters at most.").format(most=LONGEST_NAME))
    check_login(login)
    with store.write() as connection:
        if rows.find_agent(connection, login):
            raise RuleBroken(_("'{login}' is an agent of this desk already.").format(login=login))
        number = rows.insert_agent(connection, login=login, name=shown, role=role, language=language, now=now)
        detail = {"login": [None, login], "name": [None, shown], "role": [None, str(role)]}
        append(
            connection,
            agent=agent.login,
            action="agent.added",
            subject="agent",
            subject_id=number,
            detail=detail,
            now=now,
        )
    return Agent(number, login, shown, role, language)


def change_role(store: "Store", login: str, role: Role, *, agent: Agent, now: datetime) -> Agent:
    """Give an agent another role.

    Raises:
        RuleBroken: not an admin, an unknown login, or the desk would be left without an admin.
    """
    return _change(store, login, lambda found: replace(found, role=role), agent=agent, now=now)


def set_active(store: "Store", login: str, is_active: bool, *, agent: Agent, now: datetime) -> Agent:
    """Disable an agent, or enable one again. Nothing that the agent did is touched.

    Raises:
        RuleBroken: as `change_role`.
    """
    return _change(store, login, lambda found: replace(found, is_active=is_active), agent=agent, now=now)


def _change(store: "Store", login: str, change: Callable[[Agent], Agent], *, agent: Agent, now: datetime) -> Agent:
    from crisisdesk.store import agents as rows
    from crisisdesk.store.journal import append

    _only_admins(agent)
    with store.write() as connection:
        row = rows.find_agent(connection, login)
        if row is None:
            raise RuleBroken(_("'{login}' is no agent of this desk.").format(login=login))
        before = _agent(row)
        after = change(before)
        if _is_admin(before) and not _is_admin(after) and rows.count_admins(connection) == 1:
            raise RuleBroken(_("'{login}' is the only admin. Make somebody else admin first.").format(login=login))
        names = [name for name in ("role", "is_active") if getattr(before, name) != getattr(after, name)]
        if names:
            rows.change_agent(connection, before.agent_id, {name: getattr(after, name) for name in names})
            append(
                connection,
                agent=agent.login,
                action="agent.changed",
                subject="agent",
                subject_id=before.agent_id,
                detail={name: [getattr(before, name), getattr(after, name)] for name in names},
                now=now,
            )
    return after


def _agent(row: "AgentRow") -> Agent:
    return Agent(row["id"], row["login"], row["name"], Role(row["role"]), row["language"], row["is_active"])


def _is_admin(agent: Agent) -> bool:
    return agent.is_active and agent.role is Role.ADMIN


def _only_admins(agent: Agent) -> None:
    if not _is_admin(agent):
        raise RuleBroken(_("Only an admin changes the list of agents; {login} is none.").format(login=agent.login))
