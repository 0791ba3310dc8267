"""Priorities of postponements: those that nobody has coded, those near or past their limit, and a clinician's entry."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, false, func, literal, or_, select, update

from crisisdesk.domain.priority import UNCODED, URGENT, last_day_past
from crisisdesk.domain.words import CallbackState
from crisisdesk.store import tables
from crisisdesk.store.callbacks import PlacementRules
from crisisdesk.store.engine import Connection
from crisisdesk.store.items import is_unsettled

postponement, patient = tables.postponement.c, tables.patient.c
callback, item = tables.callback.c, tables.callback_item.c
LISTED = ("", "list")
"""Values of ``priority_by`` that are no clinician's name."""


class CodingList(StrEnum):
    """What a clinician looks through."""

    UNCODED = "uncoded"
    """Nobody has given a priority: they wait as P3."""
    NEAR = "near"
    """The clinical limit comes within the desk's ``near_limit_days``."""
    BREACHES = "breaches"
    """The clinical limit has passed, and nothing is settled."""
    DIFFERS = "differs"
    """A later list says otherwise than the clinician who coded it."""


@dataclass(frozen=True, slots=True)
class CodingItem:
    """One postponement as a clinician codes it."""

    postponement_id: int
    callback_id: int | None
    """The open callback that holds it."""
    patient_id: int
    last_name: str
    first_name: str
    full_name: str
    birth_on: date | None
    site_id: str | None
    service_id: int | None
    service_name: str
    procedure: str
    clinician: str
    remark: str
    original_on: date | None
    created_at: datetime
    priority: str | None
    priority_said: str
    """As the list wrote it."""
    priority_by: str
    """ "list", or the name of the clinician who coded it."""
    priority_listed: str | None
    """What the newest list says where that is not what the clinician said."""


@dataclass(frozen=True, slots=True)
class Look:
    """Which postponements a list holds, as of one instant."""

    kind: CodingList
    now: datetime
    near: timedelta
    rules: PlacementRules
    site_id: str | None = None
    service_id: int | None = None


@cache
def _callback_of() -> Any:
    return (
        select(func.min(item.callback_id))
        .join(tables.callback, callback.id == item.callback_id)
        .where(item.postponement_id == postponement.id, callback.state != CallbackState.CLOSED)
        .correlate(tables.postponement)
        .scalar_subquery()
    )


def _past(look: Look, at: datetime) -> ColumnElement[bool]:
    """Postponements whose clinical limit has passed at an instant; the day as `domain.priority.clinical_limit` does."""
    limits, coded = look.rules.limits, [code for code in look.rules.limits if code != UNCODED]
    parts = []
    for code in (*coded, UNCODED):
        is_this = postponement.priority == code
        if code == UNCODED:
            is_this = or_(postponement.priority.is_(None), postponement.priority.not_in(coded))
        day = last_day_past(at, limits[code], look.rules.zone)
        asked = and_(postponement.original_on.is_(None), postponement.created_at <= at - limits[code])
        parts.append(and_(is_this, or_(postponement.original_on <= day, asked)))
    return or_(*parts)


def _where(look: Look) -> ColumnElement[bool]:
    wanted = [is_unsettled(), patient.death_confirmed_by.is_(None)]
    if look.site_id is not None:
        wanted.append(postponement.site_id == look.site_id)
    if look.service_id is not None:
        wanted.append(postponement.service_id == look.service_id)
    if look.kind == CodingList.UNCODED:
        wanted.append(postponement.priority.is_(None))
    elif look.kind == CodingList.DIFFERS:
        wanted.append(postponement.priority_listed.is_not(None))
    elif look.kind == CodingList.BREACHES:
        wanted.append(_past(look, look.now))
    else:
        wanted += [_past(look, look.now + look.near), func.coalesce(_past(look, look.now), false()).is_(false())]
    return and_(*wanted)


def _from(query: Select[Any], look: Look) -> Select[Any]:
    joined = tables.postponement.join(tables.patient, patient.id == postponement.patient_id)
    return query.select_from(joined).where(_where(look))


def list_items(connection: Connection, look: Look, most: int | None) -> Sequence[CodingItem]:
    """Postponements of a list, the most urgent first: P1a, P1b and P2 before the others, then by their limit."""
    days = case(
        {code: limit.total_seconds() / 86400 for code, limit in look.rules.limits.items() if code != UNCODED},
        value=postponement.priority, else_=look.rules.limits[UNCODED].total_seconds() / 86400,
    )  # fmt: skip
    began = func.julianday(func.coalesce(postponement.original_on, postponement.created_at))
    query = select(
        postponement.id, _callback_of(), postponement.patient_id, patient.last_name, patient.first_name,
        patient.full_name, patient.birth_on, postponement.site_id, postponement.service_id, postponement.service_name,
        postponement.procedure, postponement.clinician, postponement.remark, postponement.original_on,
        postponement.created_at, postponement.priority, postponement.priority_said, postponement.priority_by,
        postponement.priority_listed,
    )  # fmt: skip
    order = (case((postponement.priority.in_(URGENT), literal(0)), else_=literal(1)), began + days, postponement.id)
    return [CodingItem(*row) for row in connection.execute(_from(query, look).order_by(*order).limit(most))]


def count_items(connection: Connection, look: Look) -> Sequence[tuple[str | None, int | None, int]]:
    """How many postponements a list holds, by site and service."""
    query = _from(select(postponement.site_id, postponement.service_id, func.count()), look)
    grouped = query.group_by(postponement.site_id, postponement.service_id)
    return [tuple(row) for row in connection.execute(grouped.order_by(postponement.site_id, postponement.service_id))]


def read_item(connection: Connection, postponement_id: int) -> Any:
    """The row of one postponement with ``is_unsettled`` and the open callback that holds it; None: there is none."""
    query = select(tables.postponement, is_unsettled().label("is_unsettled"), _callback_of().label("callback_id"))
    return connection.execute(query.where(postponement.id == postponement_id)).one_or_none()


def set_priority(
    connection: Connection, postponement_id: int, priority: str | None, clinician: str, now: datetime
) -> None:
    """Write down a clinician's entry. What a list said otherwise counts as decided."""
    values = {"priority": priority, "priority_by": clinician, "priority_at": now, "priority_listed": None}
    connection.execute(update(tables.postponement).where(postponement.id == postponement_id).values(values))


def forget_missing(connection: Connection, postponement_ids: Sequence[int]) -> None:
    """A supervisor says that these still wait, although their list no longer has them."""
    statement = update(tables.postponement).where(postponement.id.in_(postponement_ids))
    connection.execute(statement.values(missing_since_id=None))
