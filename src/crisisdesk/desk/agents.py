"""Who sits at the desk, and an admin's changes to that list. Signing in is in `desk.sessions`."""

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from crisisdesk.desk.rights import needs
from crisisdesk.domain.rights import Right
from crisisdesk.domain.text import clean
from crisisdesk.domain.words import Ending, Role
from crisisdesk.errors import RuleBroken
from crisisdesk.i18n import _, available_languages

if TYPE_CHECKING:
    from crisisdesk.store.agents import AgentRow
    from crisisdesk.store.engine import Connection, Store

LONGEST_LOGIN, LONGEST_NAME = 32, 80
# Letters of any alphabet, as operating systems write logins; nothing that a terminal or a shell would act on.
LOGIN = re.compile(r"[^\W\d_][\w.@-]*\Z")


@dataclass(frozen=True)
class Agent:
    """One agent of the desk. Every act carries one."""

    agent_id: int
    login: str
    name: str
    role: Role
    language: str = ""
    """Language of the screens; empty: the desk's."""
    is_active: bool = True
    sites: frozenset[str] = frozenset()
    """Sites for which the agent rings and steers; none: all of them. Calls are taken for every site."""
    session_id: int = 0
    """The session at whose screens the agent acts; 0 for a command."""


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


def find_agent(store: "Store", login: str) -> Agent | None:
    """The agent of a login, disabled or not; None if there is none."""
    from crisisdesk.store import agents as rows

    with store.read() as connection:
        row = rows.find_agent(connection, login)
        return _agent(connection, row) if row else None


def list_agents(store: "Store") -> tuple[Agent, ...]:
    """All agents of the desk, by login."""
    from crisisdesk.store import agents as rows

    with store.read() as connection:
        return tuple(_agent(connection, row) for row in rows.list_agents(connection))


@needs(Right.MANAGE_AGENTS)
def add_agent(
    store: "Store",
    *,
    login: str,
    name: str,
    role: Role,
    agent: Agent,
    now: datetime,
    language: str = "",
    sites: Collection[str] = (),
) -> Agent:
    """Add an agent to the desk; ``agent`` is the admin who does it.

    Raises:
        NotAllowed: not an admin.
        RuleBroken: no usable login or name, an unknown site or language, or the login is taken.
    """
    from crisisdesk.store import agents as rows
    from crisisdesk.store import journal, sessions

    shown, spoken = _checked_name(name), _checked_language(language)
    check_login(login)
    _check_sites(store, sites)
    with store.write() as connection:
        if rows.find_agent(connection, login):
            raise RuleBroken(_("'{login}' is an agent of this desk already.").format(login=login))
        number = rows.insert_agent(connection, login=login, name=shown, role=role, language=spoken, now=now)
        sessions.give_sites(connection, number, sites)
        detail = {
            "login": [None, login],
            "name": [None, shown],
            "role": [None, str(role)],
            "sites": [[], sorted(sites)],
        }
        journal.append(
            connection, agent=agent.login, action="agent.added", subject="agent", subject_id=number, detail=detail,
            now=now,
        )  # fmt: skip
    return Agent(number, login, shown, role, spoken, sites=frozenset(sites))


@needs(Right.MANAGE_AGENTS)
def change_role(store: "Store", login: str, role: Role, *, agent: Agent, now: datetime) -> Agent:
    """Give an agent another role; it counts from that agent's next act on.

    Raises:
        NotAllowed: not an admin.
        RuleBroken: an unknown login, or the desk would be left without an admin.
    """
    return _change(store, login, lambda found: replace(found, role=role), agent=agent, now=now)


@needs(Right.MANAGE_AGENTS)
def set_active(store: "Store", login: str, is_active: bool, *, agent: Agent, now: datetime) -> Agent:
    """Disable an agent, whose session ends with it, or enable one again. Nothing that the agent did is touched.

    Raises:
        NotAllowed: not an admin.
        RuleBroken: as `change_role`.
    """
    return _change(store, login, lambda found: replace(found, is_active=is_active), agent=agent, now=now)


@needs(Right.MANAGE_AGENTS)
def set_sites(store: "Store", login: str, sites: Collection[str], *, agent: Agent, now: datetime) -> Agent:
    """Say for which sites an agent rings and steers; none: all of them.

    Raises:
        NotAllowed: not an admin.
        RuleBroken: an unknown login, or no site of this desk.
    """
    _check_sites(store, sites)
    return _change(store, login, lambda found: replace(found, sites=frozenset(sites)), agent=agent, now=now)


@needs(Right.MANAGE_AGENTS)
def change_agent(
    store: "Store",
    login: str,
    *,
    name: str,
    role: Role,
    language: str,
    sites: Collection[str],
    agent: Agent,
    now: datetime,
) -> Agent:
    """Change all that an admin may change of an agent, in one go: a form.

    Raises:
        NotAllowed: not an admin.
        RuleBroken: as `add_agent` and `change_role`; then nothing is changed.
    """
    shown, spoken = _checked_name(name), _checked_language(language)
    _check_sites(store, sites)
    wanted = {"name": shown, "role": role, "language": spoken, "sites": frozenset(sites)}
    return _change(store, login, lambda found: replace(found, **wanted), agent=agent, now=now)  # type: ignore[arg-type]


@needs(Right.MANAGE_AGENTS)
def rename(store: "Store", login: str, name: str, language: str, *, agent: Agent, now: datetime) -> Agent:
    """Change the name that colleagues see, and the language of the screens (empty: the desk's).

    Raises:
        NotAllowed: not an admin.
        RuleBroken: an unknown login, no usable name, or a language without a catalogue.
    """
    shown, spoken = _checked_name(name), _checked_language(language)
    return _change(store, login, lambda found: replace(found, name=shown, language=spoken), agent=agent, now=now)


def _checked_name(name: str) -> str:
    shown = clean(name).text
    if not shown or len(shown) > LONGEST_NAME:
        raise RuleBroken(_("Give the agent's name, {most} characters at most.").format(most=LONGEST_NAME))
    return shown


def _checked_language(language: str) -> str:
    if language and language not in available_languages():
        words = _("There are no screens in '{language}'. Known: {known}; empty: the desk's language.")
        raise RuleBroken(words.format(language=language[:20], known=", ".join(available_languages())))
    return language


def _check_sites(store: "Store", sites: Collection[str]) -> None:
    from crisisdesk.desk.rules import reference_of

    known = reference_of(store).sites if sites else {}
    if unknown := sorted(set(sites) - set(known)):
        words = _("'{site}' is no site of this desk. Its sites: {known}")
        raise RuleBroken(words.format(site=unknown[0][:40], known=", ".join(known)))


_COLUMNS = ("name", "role", "language", "is_active")


def _change(store: "Store", login: str, change: Callable[[Agent], Agent], *, agent: Agent, now: datetime) -> Agent:
    from crisisdesk.store import agents as rows
    from crisisdesk.store import journal, queue, sessions

    with store.write() as connection:
        row = rows.find_agent(connection, login)
        if row is None:
            raise RuleBroken(_("'{login}' is no agent of this desk.").format(login=login))
        before = _agent(connection, row)
        after = change(before)
        if _is_admin(before) and not _is_admin(after) and rows.count_admins(connection) == 1:
            raise RuleBroken(_("'{login}' is the only admin. Make somebody else admin first.").format(login=login))
        names = [name for name in _COLUMNS if getattr(before, name) != getattr(after, name)]
        detail = {name: [getattr(before, name), getattr(after, name)] for name in names}
        if names:
            rows.change_agent(connection, before.agent_id, {name: getattr(after, name) for name in names})
        if before.sites != after.sites:
            sessions.give_sites(connection, before.agent_id, after.sites)
            detail["sites"] = [sorted(before.sites), sorted(after.sites)]
        if before.is_active and not after.is_active and (live := sessions.live_of(connection, before.agent_id)):
            sessions.end(connection, live.id, Ending.DISABLED, agent.agent_id, now)
        if before.is_active and not after.is_active and (freed := queue.free_all_of(connection, before.agent_id)):
            detail["freed"] = [freed, []]
        if detail:
            journal.append(
                connection, agent=agent.login, action="agent.changed", subject="agent", subject_id=before.agent_id,
                detail=detail, now=now,
            )  # fmt: skip
    return after


def _agent(connection: "Connection", row: "AgentRow") -> Agent:
    from crisisdesk.store.sessions import sites_of

    sites = sites_of(connection, row["id"])
    return Agent(row["id"], row["login"], row["name"], Role(row["role"]), row["language"], row["is_active"], sites)


def _is_admin(agent: Agent) -> bool:
    return agent.is_active and agent.role is Role.ADMIN
