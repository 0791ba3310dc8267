"""What an agent sees on arriving: where work waits."""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from crisisdesk.desk.rules import calendar_for, moment_of, reference_of
from crisisdesk.store import queue
from crisisdesk.store.engine import Store

if TYPE_CHECKING:
    from crisisdesk.desk.agents import Agent


@dataclass(frozen=True, slots=True)
class SiteCount:
    """One site's open callbacks."""

    site_id: str
    ringable: int
    """What the queue calls ready, by the same rule. Calling hours are not looked at."""
    open: int


def count_sites(store: Store, *, now: datetime, agent: "Agent | None" = None) -> tuple[SiteCount, ...]:
    """Every site of the desk in the order of the reference data, with its open callbacks.

    Args:
        agent: who would ring: what this agent promised in person counts.
    """
    reference = reference_of(store)
    moment = moment_of(reference, calendar_for(reference), now, agent.agent_id if agent else 0)
    with store.read() as connection:
        counts = queue.count_sites(connection, moment)
    return tuple(SiteCount(site_id, *counts.get(site_id, (0, 0))) for site_id in reference.sites)
