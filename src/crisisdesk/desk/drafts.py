"""Drafts: what an agent has typed, kept by the form's uid until the form is saved, put aside or thrown away."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import uuid4

from crisisdesk.desk.agents import Agent
from crisisdesk.errors import RuleBroken
from crisisdesk.i18n import _
from crisisdesk.store import drafts
from crisisdesk.store.engine import Connection, Store

LONGEST_DRAFT = 200_000


LATE_OF = "_late_of"
"""Field of a draft that was kept beside another one: the uid of that one."""


@dataclass(frozen=True, slots=True)
class Draft:
    """One form that was not saved."""

    uid: str
    kind: str
    """Which form: "call", "attempt", ..."""
    fields: Mapping[str, str]
    started_at: datetime
    saved_at: datetime

    @property
    def late_of(self) -> str:
        """Uid of the form of which these are the words of another session; empty for most."""
        return self.fields.get(LATE_OF, "")


@dataclass(frozen=True, slots=True)
class SavedDraft:
    """Where what was typed is kept."""

    uid: str
    saved_at: datetime
    is_late: bool = False
    """Another session has gone on with the form meanwhile: this text was kept as a draft of its own."""


def save_draft(
    store: Store,
    *,
    uid: str,
    kind: str,
    fields: Mapping[str, str],
    agent: Agent,
    now: datetime,
    started_at: datetime | None = None,
    seen_at: datetime | None = None,
) -> datetime:
    """Store what was typed so far; gives the time it was saved at. See `keep_text`."""
    kept = keep_text(
        store, uid=uid, kind=kind, fields=fields, agent=agent, now=now, started_at=started_at, seen_at=seen_at
    )
    return kept.saved_at


def keep_text(
    store: Store,
    *,
    uid: str,
    kind: str,
    fields: Mapping[str, str],
    agent: Agent,
    now: datetime,
    started_at: datetime | None = None,
    seen_at: datetime | None = None,
) -> SavedDraft:
    """Store what was typed so far, and say under which uid.

    Not journalled: a draft is no fact yet. A draft of a form that is stored already is dropped silently, unless another
    session stored it.

    Args:
        seen_at: when the draft was saved that this form last knew of. Where the stored draft is newer and says
            otherwise, another session of the agent goes on with it: this text never takes its place, and is kept as a
            draft of its own. So is a text under a uid of another agent's draft. None: not compared.

    Raises:
        RuleBroken: the texts are longer than any form.
    """
    if sum(len(text) for text in fields.values()) > LONGEST_DRAFT:
        raise RuleBroken(_("This draft is too long to be kept: shorten the note."))
    row: dict[str, Any] = {
        "uid": uid, "agent_id": agent.agent_id, "kind": kind, "fields": _pairs(fields), "started_at": started_at or now,
        "saved_at": now,
    }  # fmt: skip
    with store.write() as connection:
        if _is_late(connection, row, seen_at):
            row |= {"uid": uuid4().hex, "fields": _pairs({**fields, LATE_OF: fields.get(LATE_OF, uid)})}
        elif drafts.is_stored(connection, uid):
            return SavedDraft(uid, now)
        drafts.save(connection, row)
    return SavedDraft(row["uid"], now, is_late=row["uid"] != uid)


def _pairs(fields: Mapping[str, str]) -> list[list[str]]:
    return [list(pair) for pair in fields.items()]


def _is_late(connection: Connection, row: Mapping[str, Any], seen_at: datetime | None) -> bool:
    """Whether another session, or another agent, holds the draft of this uid, with other words."""
    stored = drafts.read(connection, row["uid"])
    if stored is None:
        return seen_at is not None and drafts.is_stored(connection, row["uid"])
    if stored["agent_id"] != row["agent_id"]:
        return True
    is_anothers = seen_at is not None and stored["saved_at"] != seen_at  # also where the clock was set back meanwhile
    return is_anothers and dict(stored["fields"]) != dict(row["fields"])


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
