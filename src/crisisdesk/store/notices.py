"""Statements about what agents are told on their screens, and who has read it."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Row, and_, or_, select
from sqlalchemy.dialects.sqlite import insert as insert_or

from crisisdesk.store import tables
from crisisdesk.store.engine import Connection
from crisisdesk.store.raw import rows

_senders, _receivers = tables.agent.alias("sender"), tables.agent.alias("receiver")
notice, reading, sender, receiver = tables.notice.c, tables.notice_reading.c, _senders.c, _receivers.c


def send(connection: Connection, values: Mapping[str, Any]) -> int:
    """Store a notice and give its id; one that is stored already (same ``uid``) stays as it is."""
    statement = insert_or(tables.notice).values(dict(values)).on_conflict_do_nothing(index_elements=["uid"])
    connection.execute(statement)
    return int(connection.execute(select(notice.id).where(notice.uid == values["uid"])).scalar_one())


def unread_of(connection: Connection, agent_id: int, now: datetime) -> Sequence[Row[Any]]:
    """What an agent has not read and is meant for: urgent ones first, then the oldest."""
    site = tables.agent_site.c
    works_there = select(site.site_id).where(site.agent_id == agent_id)
    is_theirs = or_(
        notice.to_agent_id == agent_id,
        and_(
            notice.to_agent_id.is_(None),
            or_(notice.site_id.is_(None), ~works_there.exists(), notice.site_id.in_(works_there)),
        ),
    )
    was_there = select(tables.agent.c.id).where(  # who came later reads what holds by now
        tables.agent.c.id == agent_id, tables.agent.c.created_at <= notice.sent_at).exists()  # fmt: skip
    is_read = select(reading.notice_id).where(reading.notice_id == notice.id, reading.agent_id == agent_id).exists()
    query = (
        select(tables.notice, sender.name.label("sender"))
        .select_from(tables.notice)
        .join(_senders, sender.id == notice.sent_by)
        .where(notice.until > now, notice.sent_by != agent_id, is_theirs, ~is_read, was_there)
        .order_by(notice.is_urgent.desc(), notice.sent_at, notice.id)
    )
    return connection.execute(query).all()


def mark_read(connection: Connection, notice_id: int, agent_id: int, now: datetime) -> bool:
    """An agent has read a notice; False where that was known already."""
    row = {"notice_id": notice_id, "agent_id": agent_id, "read_at": now}
    statement = insert_or(tables.notice_reading).values(row).on_conflict_do_nothing()
    return connection.execute(statement).rowcount > 0


def sent_since(connection: Connection, since: datetime) -> Sequence[Row[Any]]:
    """Notices sent since an instant, the newest first, with their sender and the name of whom each was sent to."""
    query = (
        select(tables.notice, sender.name.label("sender"), receiver.name.label("receiver"))
        .select_from(tables.notice)
        .join(_senders, sender.id == notice.sent_by)
        .outerjoin(_receivers, receiver.id == notice.to_agent_id)
        .where(notice.sent_at >= since)
        .order_by(notice.sent_at.desc(), notice.id.desc())
    )
    return connection.execute(query).all()


_ADDRESSED = """SELECT notice.id, agent.name, reading.read_at FROM notice
  JOIN agent ON agent.id <> notice.sent_by AND (notice.to_agent_id IS NULL OR notice.to_agent_id = agent.id)
  LEFT JOIN notice_reading AS reading ON reading.notice_id = notice.id AND reading.agent_id = agent.id
  WHERE notice.id IN ({marks}) AND (reading.read_at IS NOT NULL OR (
    (notice.to_agent_id IS NOT NULL OR notice.site_id IS NULL
      OR NOT EXISTS (SELECT 1 FROM agent_site WHERE agent_id = agent.id)
      OR notice.site_id IN (SELECT site_id FROM agent_site WHERE agent_id = agent.id))
    AND (notice.to_agent_id IS NOT NULL OR EXISTS (SELECT 1 FROM session WHERE session.agent_id = agent.id
      AND started_at < notice.until AND (ended_at IS NULL OR ended_at > notice.sent_at)))))
  ORDER BY reading.read_at IS NULL, reading.read_at, agent.name"""


def addressed(connection: Connection, notice_ids: Sequence[int]) -> Sequence[tuple[int, str, datetime | None]]:
    """Whom notices are for: notice, name, and when that agent read it; who read it first comes first.

    Of those of a site or of all only agents count who have been signed in since it was sent: nobody else can have
    seen it.
    """
    found = rows(connection, _ADDRESSED.format(marks=", ".join("?" * len(notice_ids))), tuple(notice_ids))
    return [
        (number, name, datetime.fromisoformat(read_at).replace(tzinfo=UTC) if read_at else None)
        for number, name, read_at in found
    ]
