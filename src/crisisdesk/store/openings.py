"""The history of services, what waits for them, and the release of callbacks in their order."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Row, Select, and_, distinct, func, insert, or_, select, text, update

from crisisdesk.domain.opening import OpeningRow
from crisisdesk.domain.words import CallbackState, OpeningStage, OpeningState
from crisisdesk.store import tables
from crisisdesk.store.callbacks import in_chunks
from crisisdesk.store.engine import Connection
from crisisdesk.store.items import is_unsettled, unsettled_sql

column, callback = tables.opening.c, tables.callback.c
item, postponement, patient = tables.callback_item.c, tables.postponement.c, tables.patient.c


@dataclass(frozen=True, slots=True)
class Candidate:
    """A callback that an opening may release, or release no longer."""

    callback_id: int
    last_name: str
    first_name: str
    tier: int
    due_at: datetime
    why: Mapping[str, Any]
    hold: str
    attempts: int


@dataclass(frozen=True, slots=True)
class Asked:
    """One unsettled postponement of a callback: the callback takes one place for it."""

    callback_id: int
    needs: Sequence[str] | None
    """Codes that a person gave; None: the words decide."""
    words: str
    """Procedure and remark."""


@dataclass(frozen=True, slots=True)
class Backlog:
    """What a service still owes."""

    unsettled: int
    """Postponements without an outcome."""
    released: int
    """Open callbacks about it that may be rung."""
    waiting: int
    """Open callbacks about it that wait for its opening."""


def opening_rows(
    connection: Connection, service_ids: Sequence[int] | None = None
) -> Mapping[int, Sequence[OpeningRow]]:
    """Rows of services in the order they were entered; of all services where none is named."""
    name = select(tables.agent.c.name).where(tables.agent.c.id == column.agent_id).scalar_subquery()
    query = select(tables.opening, name.label("by")).order_by(column.id)
    if service_ids is not None:
        query = query.where(column.service_id.in_(service_ids))
    found: defaultdict[int, list[OpeningRow]] = defaultdict(list)
    for row in connection.execute(query):
        stage, state = OpeningStage(row.stage), OpeningState(row.state)
        found[row.service_id].append(
            OpeningRow(
                row.id, row.service_id, stage, state, row.opens_on, row.capacity_a_day, row.reason, row.by or "",
                row.entered_at, row.until_on, row.includes_days_off, row.rooms, row.limits,
            )
        )  # fmt: skip
    return found


def insert_opening(connection: Connection, row: OpeningRow, agent_id: int, now: datetime) -> int:
    """Add a row to a service's history and give its id; ``row.opening_id`` is not used."""
    values = {
        "service_id": row.service_id, "stage": row.stage, "state": row.state, "opens_on": row.opens_on,
        "capacity_a_day": row.capacity_a_day, "reason": row.reason, "agent_id": agent_id, "entered_at": now,
        "until_on": row.until_on, "includes_days_off": row.includes_days_off, "rooms": row.rooms,
        "limits": dict(row.limits),
    }  # fmt: skip
    return int(connection.execute(insert(tables.opening).values(values).returning(column.id)).scalar_one())


def _about(service_id: int) -> Select[Any]:
    """Ids of callbacks with an unsettled postponement of a service."""
    return (
        select(item.callback_id)
        .join(tables.postponement, postponement.id == item.postponement_id)
        .where(postponement.service_id == service_id, is_unsettled())
    )


def _open_about(service_id: int) -> Any:
    return and_(callback.id.in_(_about(service_id)), callback.state != CallbackState.CLOSED)


_CANDIDATE = (
    callback.id, patient.last_name, patient.first_name, callback.tier, callback.due_at, callback.why, callback.hold,
    callback.attempts,
)  # fmt: skip


# Written by hand, with the literal conditions of its index: the first of them are found without reading the others.
_WAITING = text(
    f"""SELECT callback.id, patient.last_name, patient.first_name, callback.tier, callback.due_at, callback.why,
      callback.hold, callback.attempts
    FROM callback JOIN patient ON patient.id = callback.patient_id
    WHERE callback.site_id = (SELECT site_id FROM service WHERE service.id = :service_id)
      AND callback.state <> 'closed' AND callback.released_at IS NULL AND callback.hold = ''
      AND EXISTS (SELECT 1 FROM callback_item JOIN postponement ON postponement.id = callback_item.postponement_id
        WHERE callback_item.callback_id = callback.id AND postponement.service_id = :service_id AND {unsettled_sql()})
    ORDER BY callback.tier, callback.due_at, callback.id LIMIT :most"""
).columns(*_CANDIDATE)


def waiting_for(connection: Connection, service_id: int, most: int | None) -> Iterator[Candidate]:
    """Callbacks that wait for a service, in the order of the queue; those on hold are left out.

    Args:
        most: how many at most; None: all of them, read as they are asked for.
    """
    values = {"service_id": service_id, "most": -1 if most is None else most}
    return (Candidate(*row) for row in connection.execute(_WAITING, values))


_ASKED = (item.callback_id, postponement.needs, postponement.procedure, postponement.remark)


def asked_by(connection: Connection, service_id: int, callback_ids: Sequence[int]) -> Mapping[int, Sequence[Asked]]:
    """What some callbacks ask of a service: each of their unsettled postponements there."""
    query = (
        select(*_ASKED)
        .join(tables.postponement, postponement.id == item.postponement_id)
        .where(postponement.service_id == service_id, is_unsettled(), item.callback_id.in_(callback_ids))
    )
    return _by_callback(connection.execute(query))


# From the few that are released to what they ask: CROSS JOIN keeps this order.
_OUT = text(
    f"""SELECT callback_item.callback_id, postponement.needs, postponement.procedure, postponement.remark
    FROM callback CROSS JOIN callback_item CROSS JOIN postponement
    WHERE callback.site_id = (SELECT site_id FROM service WHERE service.id = :service_id)
      AND callback.state <> 'closed' AND callback.released_at IS NOT NULL AND callback.hold = ''
      AND callback_item.callback_id = callback.id AND postponement.id = callback_item.postponement_id
      AND postponement.service_id = :service_id AND {unsettled_sql()}
    ORDER BY callback.tier, callback.due_at, callback.id"""
).columns(*_ASKED)


def asked_out(connection: Connection, service_id: int) -> Mapping[int, Sequence[Asked]]:
    """What the callbacks ask that may be rung about a service, in order: each may take places of it."""
    return _by_callback(connection.execute(_OUT, {"service_id": service_id}))


def _by_callback(rows: Iterable[Row[Any]]) -> Mapping[int, Sequence[Asked]]:
    found: defaultdict[int, list[Asked]] = defaultdict(list)
    for row in rows:
        found[row.callback_id].append(Asked(row.callback_id, row.needs, f"{row.procedure} {row.remark}"))
    return found


def count_open(connection: Connection, service_id: int) -> tuple[int, Mapping[str, int]]:
    """Open callbacks about a service: how many `waiting_for` would give, and those that nobody rings, by reason."""
    waits = callback.released_at.is_(None)
    query = select(callback.hold, func.count().filter(waits), func.count()).where(_open_about(service_id))
    counts = {row.hold: (row[1], row[2]) for row in connection.execute(query.group_by(callback.hold))}
    return counts.pop("", (0, 0))[0], {hold: count for hold, (_waiting, count) in counts.items()}


_OWED_SINCE = or_(
    func.coalesce(callback.asked_at >= callback.released_at, False),
    *(func.json_extract(callback.why, f"$.{name}").is_not(None) for name in ("escalated", "slipped", "told")),
)
"""Callbacks with another reason to be rung than the one that released them: the patient asked for it since, is worse,
was told a date that slipped or an instruction that changed. A release keeps its first reason."""


def recallable(connection: Connection, service_id: int, *, tier: int = 0) -> Sequence[int]:
    """Callbacks that an opening released, that nobody has rung yet and that are owed for nothing else, last in the
    order first.

    Args:
        tier: from this one on.
    """
    query = (
        select(callback.id)
        .where(
            _open_about(service_id),
            callback.released_at.is_not(None),
            callback.release_why.like("opening:%"),
            callback.attempts == 0,
            callback.state == CallbackState.WAITING,
            callback.hold == "",
            callback.tier >= tier,
            ~_OWED_SINCE,
        )
        .order_by(callback.tier.desc(), callback.due_at.desc(), callback.id.desc())
    )
    return list(connection.scalars(query))


def unrelease(connection: Connection, callback_ids: Sequence[int]) -> None:
    """Let callbacks wait for the opening again."""
    for numbers in in_chunks(callback_ids):
        statement = update(tables.callback).where(callback.id.in_(numbers))
        connection.execute(statement.values(released_at=None, release_why=""))


def backlogs(connection: Connection) -> Mapping[int | None, Backlog]:
    """What every service still owes, by service; None: postponements whose service is not known."""
    is_open = callback.state != CallbackState.CLOSED
    query = (
        select(
            postponement.service_id,
            func.count(distinct(postponement.id)),
            func.count(distinct(callback.id)).filter(is_open, callback.released_at.is_not(None)),
            func.count(distinct(callback.id)).filter(is_open, callback.released_at.is_(None)),
        )
        .outerjoin(tables.callback_item, item.postponement_id == postponement.id)
        .outerjoin(tables.callback, callback.id == item.callback_id)
        .where(is_unsettled())
        .group_by(postponement.service_id)
    )
    return {service_id: Backlog(*counts) for service_id, *counts in connection.execute(query)}


def unsettled_of(connection: Connection, service_id: int) -> int:
    """Postponements of a service without an outcome."""
    query = select(func.count()).where(postponement.service_id == service_id, is_unsettled())
    return int(connection.execute(query).scalar_one())


def told_since(connection: Connection, service_id: int, since: datetime, first: date, last: date | None) -> int:
    """How many patients were told, since an instant, a place of a service on a day from ``first`` to ``last``."""
    row = tables.booking.c
    days = [row.slot_on >= first] + ([row.slot_on <= last] if last else [])
    query = select(func.count()).where(row.service_id == service_id, row.state == "told", row.told_at >= since, *days)
    return int(connection.execute(query).scalar_one())
