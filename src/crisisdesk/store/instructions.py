"""Dated instructions: which one is in force for a call, and their history."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, bindparam, case, insert, or_, select, update

from crisisdesk.store import tables
from crisisdesk.store.engine import Connection

column = tables.instruction.c


@dataclass(frozen=True, slots=True)
class InstructionText:
    """What agents read out, and for whom and how long it holds."""

    instruction_id: int
    site_id: str | None
    service_id: int | None
    topic: str | None
    version: int
    words: str
    valid_from: datetime
    valid_until: datetime | None
    issued_by: str


def instruction_in_force(
    connection: Connection,
    *,
    site_id: str | None,
    service_id: int | None = None,
    topic: str | None = None,
    at: datetime,
) -> InstructionText | None:
    """The instruction for a site, service and topic at an instant; None where there is none.

    One that names the topic goes before one that names the service, that before one that names the site, and the newer
    of two alike before the older.
    """
    values = {"site_id": site_id, "service_id": service_id, "topic": topic, "at": at}
    row = connection.execute(_MOST_SPECIFIC, values).one_or_none()
    return _text(row) if row else None


_IN_FORCE = select(tables.instruction).where(
    column.valid_from <= bindparam("at"), or_(column.valid_until.is_(None), column.valid_until > bindparam("at"))
)
_SPECIFIC = (
    case((column.topic.is_not(None), 4), else_=0)
    + case((column.service_id.is_not(None), 2), else_=0)
    + case((column.site_id.is_not(None), 1), else_=0)
)
_MOST_SPECIFIC = (
    _IN_FORCE.where(
        or_(column.site_id.is_(None), column.site_id == bindparam("site_id")),
        or_(column.service_id.is_(None), column.service_id == bindparam("service_id")),
        or_(column.topic.is_(None), column.topic == bindparam("topic")),
    )
    .order_by(_SPECIFIC.desc(), column.valid_from.desc(), column.id.desc())
    .limit(1)
)


def _text(row: Row[Any]) -> InstructionText:
    return InstructionText(
        row.id, row.site_id, row.service_id, row.topic, row.version, row.words, row.valid_from, row.valid_until,
        row.issued_by,
    )  # fmt: skip


def list_instructions(
    connection: Connection, *, site_id: str | None = None, at: datetime | None = None
) -> Sequence[InstructionText]:
    """Instructions, newest first: those of a site and those of all sites, or all of them.

    Args:
        at: only those in force at this instant; None: the whole history.
    """
    statement = select(tables.instruction) if at is None else _IN_FORCE
    if site_id is not None:
        statement = statement.where(or_(column.site_id.is_(None), column.site_id == site_id))
    order = (column.site_id.is_not(None).desc(), column.valid_from.desc(), column.id.desc())
    return [_text(row) for row in connection.execute(statement.order_by(*order), {"at": at} if at else {})]


def find_instruction(connection: Connection, instruction_id: int) -> InstructionText | None:
    """One instruction, in force or not."""
    row = connection.execute(select(tables.instruction).where(column.id == instruction_id)).one_or_none()
    return _text(row) if row else None


def same_scope(
    connection: Connection, *, site_id: str | None, service_id: int | None, topic: str | None, at: datetime
) -> InstructionText | None:
    """The instruction that a new one of exactly this scope replaces at ``at``."""
    statement = _IN_FORCE.where(
        column.site_id.is_not_distinct_from(site_id),
        column.service_id.is_not_distinct_from(service_id),
        column.topic.is_not_distinct_from(topic),
    )
    statement = statement.order_by(column.valid_from.desc(), column.id.desc()).limit(1)
    row = connection.execute(statement, {"at": at}).one_or_none()
    return _text(row) if row else None


def insert_instruction(
    connection: Connection,
    *,
    site_id: str | None,
    service_id: int | None,
    topic: str | None,
    words: str,
    valid_from: datetime,
    valid_until: datetime | None,
    replaces: InstructionText | None,
    issued_by: str,
    now: datetime,
) -> int:
    """Store an instruction; the one that it replaces ends where it begins."""
    if replaces is not None:
        statement = update(tables.instruction).where(column.id == replaces.instruction_id)
        connection.execute(statement.values(valid_until=valid_from))
    row = {
        "site_id": site_id, "service_id": service_id, "topic": topic, "words": words, "valid_from": valid_from,
        "valid_until": valid_until, "version": replaces.version + 1 if replaces else 1, "issued_by": issued_by,
        "replaces_id": replaces.instruction_id if replaces else None, "issued_at": now,
    }  # fmt: skip
    return int(connection.execute(insert(tables.instruction).values(row).returning(column.id)).scalar_one())
