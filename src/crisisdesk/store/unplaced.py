"""Postponements that no queue would ever come to: not settled, and in no open callback or without a service."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Row, and_, exists, func, or_, select, update

from crisisdesk.domain.words import CallbackState
from crisisdesk.store import callbacks, tables
from crisisdesk.store.engine import Connection
from crisisdesk.store.items import is_unsettled

item, postponement = tables.callback_item.c, tables.postponement.c
callback, patient = tables.callback.c, tables.patient.c


@dataclass(frozen=True, slots=True)
class UnplacedItem:
    """One postponement that nobody will be rung for unless a person says where it belongs."""

    postponement_id: int
    patient_id: int
    last_name: str
    first_name: str
    full_name: str
    site_id: str | None
    kind: str | None
    service_name: str
    """As the list or the caller said it."""
    procedure: str
    clinician: str
    original_on: date | None
    priority: str | None
    callback_id: int | None
    """The open callback that holds it, where only its service is missing."""


_OPEN = (
    select(func.min(item.callback_id))
    .join(tables.callback, callback.id == item.callback_id)
    .where(item.postponement_id == postponement.id, callback.state != CallbackState.CLOSED)
    .correlate(tables.postponement)
    .scalar_subquery()
)
_WAITS_FOR_NOTHING = exists(
    select(callback.id)
    .join(tables.callback_item, item.callback_id == callback.id)
    .where(
        item.postponement_id == postponement.id, callback.state != CallbackState.CLOSED, callback.released_at.is_(None)
    )
).correlate(tables.postponement)


def _is_unplaced() -> Any:
    lives = patient.death_confirmed_by.is_(None)
    return and_(
        is_unsettled(), lives, or_(_OPEN.is_(None), and_(postponement.service_id.is_(None), _WAITS_FOR_NOTHING))
    )


def list_unplaced(connection: Connection, most: int) -> Sequence[UnplacedItem]:
    """Unplaced postponements, the oldest original date first."""
    query = (
        select(
            postponement.id, postponement.patient_id, patient.last_name, patient.first_name, patient.full_name,
            postponement.site_id, postponement.kind, postponement.service_name, postponement.procedure,
            postponement.clinician, postponement.original_on, postponement.priority, _OPEN,
        )
        .join(tables.patient, patient.id == postponement.patient_id)
        .where(_is_unplaced())
        .order_by(postponement.original_on.is_(None), postponement.original_on, postponement.id)
        .limit(most)
    )  # fmt: skip
    return [UnplacedItem(*tuple(row)) for row in connection.execute(query)]


def count_unplaced(connection: Connection) -> int:
    """How many `list_unplaced` would give without a limit."""
    query = select(func.count()).select_from(tables.postponement)
    query = query.join(tables.patient, patient.id == postponement.patient_id).where(_is_unplaced())
    return int(connection.execute(query).scalar_one())


def is_unplaced(connection: Connection, postponement_id: int) -> bool:
    """Whether one postponement is."""
    query = select(postponement.id).join(tables.patient, patient.id == postponement.patient_id)
    return connection.execute(query.where(postponement.id == postponement_id, _is_unplaced())).first() is not None


def held_by(connection: Connection, postponement_id: int) -> int | None:
    """The open callback that holds a postponement."""
    return connection.scalar(select(_OPEN).select_from(tables.postponement).where(postponement.id == postponement_id))


def read_item(connection: Connection, postponement_id: int) -> Row[Any] | None:
    """The row of one postponement."""
    return connection.execute(select(tables.postponement).where(postponement.id == postponement_id)).one_or_none()


def set_place(
    connection: Connection, postponement_id: int, *, site_id: str, service_id: int, is_protected: bool
) -> None:
    """Say at which site and service a postponement waits."""
    place = {"site_id": site_id, "service_id": service_id, "is_protected": is_protected}
    connection.execute(update(tables.postponement).where(postponement.id == postponement_id).values(place))


def hold_again(connection: Connection, patient_id: int, *, agent_id: int | None, now: datetime) -> list[int]:
    """Give each unsettled postponement of a patient that has a site but no open callback one; gives their ids."""
    query = select(postponement.id, postponement.site_id).where(
        postponement.patient_id == patient_id, postponement.site_id.is_not(None), is_unsettled(), _OPEN.is_(None)
    )
    by_site: defaultdict[str, list[int]] = defaultdict(list)
    for row in connection.execute(query):
        by_site[row.site_id].append(row.id)
    return [
        callbacks.hold(
            connection, patient_id=patient_id, site_id=site_id, postponement_ids=ids, wish=None, released=False,
            call_id=None, agent_id=agent_id, now=now,
        )
        for site_id, ids in by_site.items()
    ]  # fmt: skip
