"""Drafts: what an agent has typed, kept by the form's uid until the form is saved, put aside or thrown away."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from crisisdesk.desk.agents import Agent
from crisisdesk.errors import RuleBroken
from crisisdesk.i18n import _
from crisisdesk.store import drafts
from crisisdesk.store.engine import Store

LONGEST_DRAFT = 200_000


@dataclass(frozen=True, slots=True)
class Draft:
    """One form that was not saved."""

    uid: str
    kind: str
    """Which form: "call", "attempt", ..."""
    fields: Mapping[str, str]
    started_at: datetime
    saved_at: datetime


def save_draft(
    store: Store,
    *,
    uid: str,
    kind: str,
    fields: Mapping[str, str],
    agent: Agent,
    now: datetime,
    started_at: datetime | None = None,
) -> datetime:
    """Store what was typed so far; the last save of a uid wins. Gives the time it was saved at.

    Not journalled: a draft is no fact yet. A draft of a form that is stored already is dropped silently.

    Raises:
        RuleBroken: the texts are longer than any form.
    """
    if sum(len(text) for text in fields.values()) > LONGEST_DRAFT:
        raise RuleBroken(_("This draft is too long to be kept: shorten the note."))
    row = {
        "uid": uid, "agent_id": agent.agent_id, "kind": kind, "fields": [list(pair) for pair in fields.items()],
        "started_at": started_at or now, "saved_at": now,
    }  # fmt: skip
    with store.write() as connection:
        drafts.save(connection, row)
    return now


def list_drafts(store: Store, *, agent: Agent) -> tuple[Draft, ...]:
    """An agent's drafts, the newest first."""
    with store.read() as connection:
        rows = drafts.of_agent(connection, agent.agent_id)
    return tuple(
        Draft(row["uid"], row["kind"], dict(row["fields"]), row["started_at"], row["saved_at"]) for row in rows
    )


def drop_draft(store: Store, uid: str, *, agent: Agent, now: datetime) -> bool:
    """Throw a draft away for good; False where the agent has none with this uid."""
    with store.write() as connection:
        return drafts.drop(connection, uid, agent.agent_id)
