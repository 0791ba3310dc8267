"""The history of services, what waits for them, and the release of callbacks in their order."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Select, and_, distinct, func, insert, or_, select, update

from crisisdesk.domain.opening import OpeningRow
from crisisdesk.domain.words import CallbackState, OpeningStage, OpeningState
from crisisdesk.store import tables
from crisisdesk.store.engine import Connection
from crisisdesk.store.items import is_unsettled

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
                row.entered_at,
            )
        )  # fmt: skip
    return found


def insert_opening(connection: Connection, row: OpeningRow, agent_id: int, now: datetime) -> int:
    """Add a row to a service's history and give its id; ``row.opening_id`` is not used."""
    values = {
        "service_id": row.service_id, "stage": row.stage, "state": row.state, "opens_on": row.opens_on,
        "capacity_a_day": row.capacity_a_day, "reason": row.reason, "agent_id": agent_id, "entered_at": now,
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


def waiting_for(connection: Connection, service_id: int, most: int) -> Sequence[Candidate]:
    """Callbacks that wait for a service, in the order of the queue; those on hold are left out."""
    query = (
        select(*_CANDIDATE)
        .join(tables.patient, patient.id == callback.patient_id)
        .where(_open_about(service_id), callback.released_at.is_(None), callback.hold == "")
        .order_by(callback.tier, callback.due_at, callback.id)
        .limit(most)
    )
    return [Candidate(*row) for row in connection.execute(query)]


def count_waiting(connection: Connection, service_id: int) -> int:
    """How many `waiting_for` would give without a limit."""
    waits = and_(_open_about(service_id), callback.released_at.is_(None), callback.hold == "")
    return int(connection.execute(select(func.count()).select_from(tables.callback).where(waits)).scalar_one())


def kept_back(connection: Connection, service_id: int) -> Mapping[str, int]:
    """Open callbacks about a service that nobody rings for another reason, by that reason."""
    query = (
        select(callback.hold, func.count()).where(_open_about(service_id), callback.hold != "").group_by(callback.hold)
    )
    return {row.hold: row[1] for row in connection.execute(query)}


def released_out(connection: Connection, service_id: int) -> int:
    """Open callbacks about a service that may be rung: each may take one of its places."""
    is_out = and_(_open_about(service_id), callback.released_at.is_not(None), callback.hold == "")
    return int(connection.execute(select(func.count()).select_from(tables.callback).where(is_out)).scalar_one())


def recallable(connection: Connection, service_id: int, most: int) -> Sequence[int]:
    """Callbacks that an opening released and nobody has rung yet, last in the order first."""
    query = (
        select(callback.id)
        .where(
            _open_about(service_id),
            callback.released_at.is_not(None),
            callback.release_why.like("opening:%"),
            callback.attempts == 0,
            callback.state == CallbackState.WAITING,
        )
        .order_by(callback.tier.desc(), callback.due_at.desc(), callback.id.desc())
        .limit(most)
    )
    return list(connection.scalars(query))


def unrelease(connection: Connection, callback_ids: Sequence[int]) -> None:
    """Let callbacks wait for the opening again."""
    statement = update(tables.callback).where(callback.id.in_(callback_ids))
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


def has_bookings(connection: Connection, service_id: int, since: datetime, first: date) -> bool:
    """Whether anybody was told a place of a service since an instant, or on a day from ``first`` on."""
    row = tables.booking.c
    told = or_(row.told_at >= since, row.slot_on >= first)
    query = select(row.id).where(row.service_id == service_id, row.state == "told", told)
    return connection.execute(query).first() is not None
