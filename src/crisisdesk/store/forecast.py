"""Counts that a forecast rests on: what a service owes, and how its site was ringing in the last days."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, String, and_, cast, distinct, func, or_, select, type_coerce

from crisisdesk.domain.words import Coverage, Reach
from crisisdesk.store import tables
from crisisdesk.store.engine import Connection
from crisisdesk.store.items import is_unsettled

postponement, attempt = tables.postponement.c, tables.attempt.c


@dataclass(frozen=True, slots=True)
class Ringing:
    """What was rung at a site in a span; undone attempts count nowhere."""

    attempts: int
    reached: int
    """Attempts that spoke to the patient."""
    agent_days: int
    """Agents times the days on which each of them rang."""
    days: int
    """Days on which anybody rang."""


@dataclass(frozen=True, slots=True)
class Owed:
    """What a service owes."""

    by_priority: Mapping[str | None, int]
    """Postponements without an outcome; None: uncoded."""
    patients: int


def owed_by(connection: Connection, service_id: int) -> Owed:
    """What a service owes, in one pass: filters instead of groups, which would sort every row."""
    codes = (*_CODES, None)
    query = select(
        func.count(distinct(postponement.patient_id)),
        *(func.count().filter(postponement.priority.is_not_distinct_from(code)) for code in codes),
    ).where(postponement.service_id == service_id, is_unsettled())
    patients, *counts = connection.execute(query).one()
    return Owed({code: count for code, count in zip(codes, counts, strict=True) if count}, patients)


_CODES = ("P1a", "P1b", "P2", "P3", "P4", "P5", "P6")


def owed_at(connection: Connection, service_ids: Sequence[int]) -> int:
    """Postponements of some services without an outcome."""
    where = and_(postponement.service_id.in_(service_ids), is_unsettled())
    return int(connection.execute(select(func.count()).select_from(tables.postponement).where(where)).scalar_one())


def asked_words(connection: Connection, service_id: int) -> Mapping[tuple[Sequence[str] | None, str, str], int]:
    """What the backlog of a service says of its needs (needs that a person gave, procedure, remark), with how often.

    Counted here: SQLite would sort the texts.
    """
    columns = (type_coerce(postponement.needs, String), postponement.procedure, postponement.remark)
    query = select(*columns).where(postponement.service_id == service_id, is_unsettled())
    found = Counter(tuple(row) for row in connection.execute(query))
    return {(_codes(needs), procedure, remark): count for (needs, procedure, remark), count in found.items()}


def _codes(stored: str | None) -> tuple[str, ...] | None:
    given = json.loads(stored) if stored else None
    return None if given is None else tuple(given)


def ringing_at(connection: Connection, site_id: str, since: datetime, until: datetime) -> Ringing:
    """Attempts at a site in a span. Days are those of UTC: patients are rung by day, when both calendars agree."""
    day = func.substr(type_coerce(attempt.started_at, String), 1, 10)
    query = (
        select(
            func.count(),
            func.count().filter(attempt.reach == Reach.PATIENT.value),
            func.count(distinct(cast(attempt.agent_id, String) + day)),
            func.count(distinct(day)),
        )
        .select_from(tables.attempt)
        .join(tables.callback, tables.callback.c.id == attempt.callback_id)
        .where(*_counted(site_id, since, until))
    )
    return Ringing(*connection.execute(query).one())


def _counted(site_id: str, since: datetime, until: datetime) -> Sequence[ColumnElement[bool]]:
    return (
        attempt.started_at >= since, attempt.started_at <= until, attempt.undone_at.is_(None),
        tables.callback.c.site_id == site_id,
    )  # fmt: skip


def accepted_at(connection: Connection, site_id: str, since: datetime, until: datetime) -> tuple[int, int]:
    """Operations and consultations for which a place was accepted, and all that an attempt settled, at a site."""
    ends: Any = tables.disposition.c
    result = tables.attempt_item.c
    is_accepted = ends.coverage == Coverage.REBOOKED.value
    query = (
        select(func.count().filter(is_accepted), func.count())
        .select_from(tables.attempt)
        .join(tables.callback, tables.callback.c.id == attempt.callback_id)
        .join(tables.attempt_item, result.attempt_id == attempt.id)
        .join(tables.disposition, and_(ends.scope == "item", ends.code == result.disposition))
        .where(*_counted(site_id, since, until), or_(is_accepted, ends.is_final))
    )
    accepted, settled = connection.execute(query).one()
    return int(accepted), int(settled)


def ringing_agents(connection: Connection) -> int:
    """Agents who may ring: active, of the role that does."""
    query = select(func.count()).where(tables.agent.c.is_active, tables.agent.c.role == "agent")
    return int(connection.execute(query).scalar_one())
