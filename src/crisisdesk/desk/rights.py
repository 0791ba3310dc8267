"""Every act of the desk says above itself which right it needs; here it is asked, and a refusal is journalled.

The role, the sites and the session are read from the desk at each act, never believed from a screen: a role that was
taken away, an agent who was disabled and a session that a supervisor ended count from the next act on (ASVS 8.3.2).
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar, cast

from crisisdesk.domain.rights import RIGHTS_OF, Right
from crisisdesk.domain.words import Ending, Role
from crisisdesk.errors import RuleBroken
from crisisdesk.i18n import N_, _

if TYPE_CHECKING:
    from crisisdesk.desk.agents import Agent
    from crisisdesk.domain.reference import Reference
    from crisisdesk.store.engine import Store
    from crisisdesk.store.sessions import Standing

Act = TypeVar("Act", bound=Callable[..., Any])
NEEDED: dict[str, Right] = {}
"""What each act needs, by "module.function": filled as the acts are defined."""

_REFUSALS: Mapping[Right, str] = {
    Right.READ: N_("You may not look at this desk: ask an admin."),
    Right.MANAGE_AGENTS: N_("Only an admin changes the list of agents: ask one."),
    Right.CODE: N_("Only a supervisor writes a clinician's priority down: ask one."),
    Right.INSTRUCT: N_("Only a supervisor issues instructions: ask one."),
}
_SUPERVISORS = N_("Only a supervisor may do this: ask one.")
_IS_OVER = N_("This session is over. What you typed is kept as a draft: sign in again.")
_OVER: Mapping[str, str] = {
    Ending.REPLACED: N_("You signed in on another terminal: go on there. What you typed here is kept as a draft."),
    Ending.ENDED: N_("A supervisor ended this session. What you typed is kept as a draft: sign in again."),
    Ending.DISABLED: N_("Your account at this desk was disabled. What you typed is kept: ask an admin."),
}


class NotAllowed(RuleBroken):
    """The role, the sites or the session of an agent forbid an act; nothing was done, and the refusal is journalled."""


class SessionOver(NotAllowed):
    """The session that acts was ended elsewhere; drafts are kept."""


def needs(right: Right) -> Callable[[Act], Act]:
    """Let only those who have ``right`` do this act.

    The act is a public function of `desk`: its first argument is the store, and it takes ``agent`` and ``now``.

    Raises:
        NotAllowed: from the act, before anything else is looked at; journalled as ``right.refused``.
    """

    def guard(act: Act) -> Act:
        name = f"{act.__module__.rpartition('.')[2]}.{act.__name__}"
        NEEDED[name] = right

        @wraps(act)
        def guarded(store: "Store", *args: Any, agent: "Agent", now: datetime, **kwargs: Any) -> Any:
            try:
                fresh = permit(store, agent, right, now)
                return act(store, *args, agent=fresh, now=now, **kwargs)
            except NotAllowed as refusal:
                _note(store, agent, right, name, now, refusal)
                raise

        return cast(Act, guarded)

    return guard


def permit(store: "Store", agent: "Agent", right: Right, now: datetime) -> "Agent":
    """Check that an agent has a right at this moment; gives the agent with the sites of this moment.

    Raises:
        NotAllowed: no such agent, disabled, the session is over, or the role has it not.
    """
    from crisisdesk.store import sessions

    with store.read() as connection:
        found = sessions.standing(connection, agent.agent_id, agent.session_id, now)
    if (why := _obstacle(found, agent, right)) is not None:
        raise why
    return agent if found is None or agent.sites == found.sites else replace(agent, sites=found.sites)


def _obstacle(found: "Standing | None", agent: "Agent", right: Right) -> NotAllowed | None:
    if found is None or not found.is_active:
        return SessionOver(_(_OVER[Ending.DISABLED]))
    if found.ended_why:
        return SessionOver(over_words(found.ended_why))
    # A role that was raised counts when the screen has read it; one that was lowered counts at once.
    if right in RIGHTS_OF[found.role] and right in RIGHTS_OF[agent.role]:
        return None
    return _refusal(found.role if right not in RIGHTS_OF[found.role] else agent.role, right)


def _refusal(role: Role, right: Right) -> NotAllowed:
    if role is Role.AUDITOR and right is not Right.MANAGE_AGENTS:
        return NotAllowed(_("An auditor only reads: ask an agent or a supervisor."))
    return NotAllowed(_(_REFUSALS.get(right, _SUPERVISORS)))


def over_words(ended_why: str) -> str:
    """Why this session is over and what to do."""
    return _(_OVER.get(ended_why, _IS_OVER))


def may(agent: "Agent", right: Right) -> bool:
    """Whether an agent's role has a right: what a screen shows. The act itself asks again."""
    return right in RIGHTS_OF[agent.role]


def expect(agent: "Agent", right: Right) -> None:
    """Say before anything is typed that an agent has not the right to it.

    Raises:
        NotAllowed: not journalled, since nothing was tried yet.
    """
    if not may(agent, right):
        raise _refusal(agent.role, right)


def at_own_site(agent: "Agent", site_id: str | None, site_name: str = "") -> None:
    """Refuse an act for a site that is not the agent's, inside an act that `needs` a right.

    Raises:
        NotAllowed: the agent works for other sites only.
    """
    if site_id is not None and agent.sites and site_id not in agent.sites:
        words = _("You do not work for {site}: an admin can add it to your sites.")
        raise NotAllowed(words.format(site=site_name or site_id))


def at_own_service(agent: "Agent", reference: "Reference", service_id: int) -> None:
    """As `at_own_site`, for the site of a service; an unknown service is refused by the act itself."""
    service = reference.services.get(service_id)
    if service is not None:
        at_own_site(agent, service.site_id, reference.sites[service.site_id].name)


def _note(store: "Store", agent: "Agent", right: Right, act: str, now: datetime, refusal: NotAllowed) -> None:
    from crisisdesk.store import journal

    detail = {"act": act, "role": str(agent.role), "why": type(refusal).__name__}
    with store.write() as connection:
        journal.append(
            connection, agent=agent.login, action="right.refused", subject="right", subject_id=right.value,
            detail=detail, now=now,
        )  # fmt: skip
