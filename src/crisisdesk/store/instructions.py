"""Dated instructions: which one is in force for a call, and their history."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, bindparam, case, func, insert, or_, select, update

from crisisdesk.domain.instructions import Validity
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
    """In the desk's first language."""
    valid_from: datetime
    valid_until: datetime | None
    issued_by: str
    issued_at: datetime
    replaces_id: int | None = None
    translations: Mapping[str, str] = field(default_factory=dict)
    """Language -> words, of the other languages that it was given in."""

    @property
    def validity(self) -> Validity:
        """Its dates alone."""
        return Validity(self.instruction_id, self.valid_from, self.valid_until, self.replaces_id)

    @property
    def scope(self) -> tuple[str | None, int | None, str | None]:
        """Site, service and topic; None is all."""
        return self.site_id, self.service_id, self.topic


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
_APPLIES = (
    or_(column.site_id.is_(None), column.site_id == bindparam("site_id")),
    or_(column.service_id.is_(None), column.service_id == bindparam("service_id")),
    or_(column.topic.is_(None), column.topic == bindparam("topic")),
)
_MOST_SPECIFIC = (
    _IN_FORCE.where(*_APPLIES).order_by(_SPECIFIC.desc(), column.valid_from.desc(), column.id.desc()).limit(1)
)
_NEXT_EDGE = select(
    func.min(case((column.valid_from > bindparam("at"), column.valid_from))),
    func.min(case((column.valid_until > bindparam("at"), column.valid_until))),
).where(*_APPLIES)


def next_edge(
    connection: Connection, *, site_id: str | None, service_id: int | None, topic: str | None, at: datetime
) -> datetime | None:
    """When another instruction may be in force for a site, service and topic, by time alone; None: not by time."""
    values = {"site_id": site_id, "service_id": service_id, "topic": topic, "at": at}
    begins, ends = connection.execute(_NEXT_EDGE, values).one()
    return min((edge for edge in (begins, ends) if edge), default=None)


def _text(row: Row[Any]) -> InstructionText:
    return InstructionText(
        row.id, row.site_id, row.service_id, row.topic, row.version, row.words, row.valid_from, row.valid_until,
        row.issued_by, row.issued_at, row.replaces_id, row.translations,
    )  # fmt: skip


def list_instructions(connection: Connection, *, site_id: str | None = None) -> Sequence[InstructionText]:
    """All that ever were or will be, newest first: those of a site and those of all sites, or all of them."""
    statement = select(tables.instruction)
    if site_id is not None:
        statement = statement.where(or_(column.site_id.is_(None), column.site_id == site_id))
    order = (column.site_id.is_not(None).desc(), column.valid_from.desc(), column.id.desc())
    return [_text(row) for row in connection.execute(statement.order_by(*order))]


def find_instruction(connection: Connection, instruction_id: int) -> InstructionText | None:
    """One instruction, in force or not."""
    row = connection.execute(select(tables.instruction).where(column.id == instruction_id)).one_or_none()
    return _text(row) if row else None


def scope_rows(
    connection: Connection, *, site_id: str | None, service_id: int | None, topic: str | None
) -> Sequence[InstructionText]:
    """Every version of exactly this scope, the one that begins first first."""
    statement: Select[Any] = select(tables.instruction).where(
        column.site_id.is_not_distinct_from(site_id),
        column.service_id.is_not_distinct_from(service_id),
        column.topic.is_not_distinct_from(topic),
    )
    return [_text(row) for row in connection.execute(statement.order_by(column.valid_from, column.id))]


def insert_instruction(connection: Connection, row: Mapping[str, Any]) -> int:
    """Store an instruction; ``row`` holds the columns of its table."""
    return int(connection.execute(insert(tables.instruction).values(row).returning(column.id)).scalar_one())


def change_instruction(connection: Connection, instruction_id: int, values: Mapping[str, Any]) -> None:
    """Write other dates, or what it replaces. Words are never changed: a new version is issued."""
    connection.execute(update(tables.instruction).where(column.id == instruction_id).values(values))
