"""The list of agents as an admin keeps it: with who is signed in, and when each was last seen."""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from crisisdesk.desk.agents import Agent, list_agents
from crisisdesk.desk.sessions import list_room
from crisisdesk.store import agents

if TYPE_CHECKING:
    from crisisdesk.store.engine import Store


@dataclass(frozen=True, slots=True)
class RosterLine:
    """One agent, active or disabled."""

    agent: Agent
    seen_at: datetime | None
    """When the agent last did something, to some minutes; None: never."""
    is_signed_in: bool


def list_roster(store: "Store") -> tuple[RosterLine, ...]:
    """All agents of the desk, by login."""
    with store.read() as connection:
        seen = {row["id"]: row["seen_at"] for row in agents.list_agents(connection)}
    there = {seat.agent_id for seat in list_room(store) if not seat.is_gone}
    return tuple(
        RosterLine(one, seen.get(one.agent_id), one.agent_id in there) for one in list_agents(store)
    )  # fmt: skip
