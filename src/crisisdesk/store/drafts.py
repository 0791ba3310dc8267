"""Rows of drafts: what was typed and not saved yet."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import RowMapping, delete, select
from sqlalchemy.dialects.sqlite import insert

from crisisdesk.store import tables
from crisisdesk.store.engine import Connection

draft = tables.draft.c


def save(connection: Connection, values: Mapping[str, Any]) -> bool:
    """Store or replace a draft; False where the form with this uid is a call already (a late save of a sent form)."""
    call = tables.call.c
    if connection.execute(select(call.id).where(call.uid == values["uid"])).first() is not None:
        return False
    changed = {"fields": values["fields"], "saved_at": values["saved_at"], "agent_id": values["agent_id"]}
    connection.execute(insert(tables.draft).values(values).on_conflict_do_update(index_elements=["uid"], set_=changed))
    return True


def of_agent(connection: Connection, agent_id: int) -> list[RowMapping]:
    """An agent's drafts, the newest first."""
    query = select(tables.draft).where(draft.agent_id == agent_id).order_by(draft.saved_at.desc())
    return list(connection.execute(query).mappings())


def drop(connection: Connection, uid: str, agent_id: int) -> bool:
    """Delete one draft of an agent; False where there is none."""
    return connection.execute(delete(tables.draft).where(draft.uid == uid, draft.agent_id == agent_id)).rowcount > 0
