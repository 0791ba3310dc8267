"""Statements about agents."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping as AgentRow
from sqlalchemy import func, insert, or_, select, update

from crisisdesk.domain.words import Role
from crisisdesk.store import tables
from crisisdesk.store.engine import Connection

__all__ = ["AgentRow", "change_agent", "count_admins", "find_agent", "insert_agent", "list_agents", "mark_seen"]


def find_agent(connection: Connection, login: str) -> AgentRow | None:
    """The agent of a login, disabled or not."""
    return connection.execute(select(tables.agent).where(tables.agent.c.login == login)).mappings().one_or_none()


def list_agents(connection: Connection) -> list[AgentRow]:
    """All agents, by login."""
    return list(connection.execute(select(tables.agent).order_by(tables.agent.c.login)).mappings())


def insert_agent(connection: Connection, *, login: str, name: str, role: Role, language: str, now: datetime) -> int:
    """Add an agent and return the id."""
    row = {"login": login, "name": name, "role": str(role), "language": language, "is_active": True, "created_at": now}
    return int(connection.execute(insert(tables.agent).returning(tables.agent.c.id), [row]).scalar_one())


def change_agent(connection: Connection, agent_id: int, values: Mapping[str, Any]) -> None:
    """Change some columns of one agent."""
    connection.execute(update(tables.agent).where(tables.agent.c.id == agent_id).values(dict(values)))


def count_admins(connection: Connection) -> int:
    """How many active admins there are."""
    query = select(func.count()).where(tables.agent.c.role == str(Role.ADMIN), tables.agent.c.is_active)
    return int(connection.execute(query).scalar_one())


def mark_seen(connection: Connection, agent_id: int, now: datetime) -> None:
    """An agent does something at this moment: what was promised in person stays that agent's. Never set back."""
    agent = tables.agent.c
    before = or_(agent.seen_at.is_(None), agent.seen_at < now)
    connection.execute(update(tables.agent).where(agent.id == agent_id, before).values(seen_at=now))
