"""Agents in numbers: one live session an agent, so that a full room needs as many."""

from pathlib import Path

from crisisdesk.desk.agents import add_agent, find_agent
from crisisdesk.domain.words import Role
from crisisdesk.store.engine import open_desk
from moments import DESK_NOW


def crew(desk: Path, count: int, *, admin: str = "chef") -> list[str]:
    """Add agents to a desk; their logins, "agent001" and on."""
    logins = [f"agent{number:03}" for number in range(1, count + 1)]
    store = open_desk(desk)
    try:
        chief = find_agent(store, admin)
        assert chief
        for login in logins:
            add_agent(store, login=login, name=login, role=Role.AGENT, agent=chief, now=DESK_NOW)
    finally:
        store.close()
    return logins
