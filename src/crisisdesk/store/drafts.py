"""Rows of drafts: what was typed and not saved yet."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import RowMapping, delete, select
from sqlalchemy.dialects.sqlite import insert

from crisisdesk.store import tables
from crisisdesk.store.engine import Connection

draft = tables.draft.c


def is_stored(connection: Connection, uid: str) -> bool:
    """Whether the form with this uid is a call or an attempt already."""
    return any(
        connection.execute(select(table.c.id).where(table.c.uid == uid)).first() is not None
        for table in (tables.call, tables.attempt)
    )


def read(connection: Connection, uid: str) -> RowMapping | None:
    """One draft, whoever wrote it."""
    return connection.execute(select(tables.draft).where(draft.uid == uid)).mappings().one_or_none()


def save(connection: Connection, values: Mapping[str, Any]) -> None:
    """Store or replace a draft."""
    changed = {"fields": values["fields"], "saved_at": values["saved_at"]}
    connection.execute(insert(tables.draft).values(values).on_conflict_do_update(index_elements=["uid"], set_=changed))


def of_agent(connection: Connection, agent_id: int) -> list[RowMapping]:
    """An agent's drafts, the newest first."""
    query = select(tables.draft).where(draft.agent_id == agent_id).order_by(draft.saved_at.desc())
    return list(connection.execute(query).mappings())


def drop(connection: Connection, uid: str, agent_id: int) -> bool:
    """Delete one draft of an agent; False where there is none."""
    return connection.execute(delete(tables.draft).where(draft.uid == uid, draft.agent_id == agent_id)).rowcount > 0
