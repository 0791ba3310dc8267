"""How far each postponement has come, as one SQL expression that every count and every list shares."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, case, func, select

from crisisdesk.domain.coverage import ALL, CoverageGroup, Wanted, days_of, week_of
from crisisdesk.domain.kpi import COVERAGE_FACTS, CoverageRow
from crisisdesk.domain.words import CallbackState, Coverage
from crisisdesk.store import tables
from crisisdesk.store.engine import Connection
from crisisdesk.store.items import is_unsettled

item, patient = tables.postponement.c, tables.patient.c


def coverage_case(as_of: datetime | None = None) -> ColumnElement[str]:
    """The class of a row of `tables.postponement`: the furthest fact that is set, or was set before ``as_of``."""
    facts = [(item[fact], reached.value) for fact, reached in COVERAGE_FACTS]
    if as_of is None:
        return case(*((column.is_not(None), value) for column, value in facts), else_=Coverage.NEVER_TRIED.value)
    return case(*((column < as_of, value) for column, value in facts), else_=Coverage.NEVER_TRIED.value)


def is_counted(as_of: datetime | None = None) -> ColumnElement[bool]:
    """Which postponements count: all but those a caller reported that turned out to be on a list (they count there)."""
    alone = item.matched_to_id.is_(None)
    return alone if as_of is None else and_(alone, item.created_at < as_of)


def count_coverage(
    connection: Connection, *, start_at: datetime, end_at: datetime, as_of: datetime | None = None
) -> Sequence[CoverageRow]:
    """Count every postponement once, by site and service; one pass over the index `postponement_site`.

    Args:
        start_at: first instant of the span in which decisions and new dates are counted too.
        end_at: first instant after it.
        as_of: facts from this instant on are not known yet; None: everything is known.
    """

    def within(column: ColumnElement[Any]) -> ColumnElement[bool]:
        return and_(column >= start_at, column < end_at)

    state = coverage_case(as_of)
    counted = [state == one.value for one in Coverage] + [within(item.decided_at), within(item.rebooked_at)]
    statement = (
        select(item.site_id, item.service_id, *(func.count(case((condition, 1))) for condition in counted))
        .where(is_counted(as_of))
        .group_by(item.site_id, item.service_id)
    )
    return [
        CoverageRow(site_id, service_id, dict(zip(Coverage, numbers, strict=False)), *numbers[len(Coverage) :])
        for site_id, service_id, *numbers in connection.execute(statement)
    ]


care_kind = func.coalesce(
    select(tables.service.c.kind).where(tables.service.c.id == item.service_id).scalar_subquery(), item.kind, ""
)
"""Care type: that of the service; what a list or a caller said where the service is not known."""
_PLACE = func.coalesce(item.site_id, "")


def is_dead() -> ColumnElement[bool]:
    """Postponements of patients whose death was confirmed."""
    return item.patient_id.in_(select(patient.id).where(patient.death_confirmed_by.is_not(None)))


def is_owed() -> ColumnElement[bool]:
    """Postponements about which the desk still owes a call or a place."""
    return and_(is_unsettled(), ~is_dead())


def is_wanted(wanted: Wanted) -> ColumnElement[bool]:
    """The one condition behind every list, count and file of coverage by site, care type and week."""
    parts = [is_counted()]
    if wanted.site_id is not None:
        parts.append(item.site_id == wanted.site_id if wanted.site_id else item.site_id.is_(None))
    if wanted.kind is not None:
        parts.append(care_kind == wanted.kind)
    if wanted.week:
        first, end = days_of(wanted.week)
        parts += [item.original_on >= first, item.original_on < end]
    elif wanted.week is not None:
        parts.append(item.original_on.is_(None))
    return and_(*parts)


def _times(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.count(case((condition, 1)))


def count_groups(connection: Connection, wanted: Wanted = ALL) -> Sequence[CoverageGroup]:
    """Coverage by site, care type and week; one pass over the index `postponement_site`.

    The statement counts by service and day, which is the order of the index; weeks and care types are added up here.
    Sorted by site, care type and week as texts; screens put them in the order of the reference data.
    """
    state = coverage_case()
    is_never = state == Coverage.NEVER_TRIED.value
    more = (
        func.count(item.handed_over_at), _times(is_dead()), _times(is_owed()), _times(and_(is_never, is_dead())),
        _times(and_(item.handed_over_at.is_not(None), is_never, ~is_dead())),
    )  # fmt: skip
    statement = (
        select(_PLACE, care_kind, item.original_on, *(_times(state == one.value) for one in Coverage), *more)
        .where(is_wanted(wanted))
        .group_by(item.site_id, item.service_id, item.kind, item.original_on)
    )
    sums: dict[tuple[str, str, str], list[int]] = {}
    for site_id, kind, day, *numbers in connection.execute(statement):
        key = (site_id, kind, week_of(day))
        before = sums.get(key)
        sums[key] = [a + b for a, b in zip(before, numbers, strict=True)] if before else numbers
    return [_group(key, numbers) for key, numbers in sorted(sums.items())]


def _group(key: tuple[str, str, str], numbers: Sequence[int]) -> CoverageGroup:
    items = dict(zip(Coverage, numbers, strict=False))
    handed_over, dead, owed, dead_never, handed_never = numbers[len(Coverage) :]
    total = sum(items.values())
    due = total - dead - handed_never
    tried = total - items[Coverage.NEVER_TRIED] - (dead - dead_never)
    return CoverageGroup(*key, items, handed_over, dead, owed, due, tried)


@dataclass(frozen=True, slots=True)
class CoveredItem:
    """One postponement of a list by name."""

    postponement_id: int
    patient_id: int
    last_name: str
    first_name: str
    full_name: str
    birth_on: date | None
    site_id: str
    kind: str
    service_id: int | None
    service_name: str
    procedure: str
    original_on: date | None
    priority: str | None
    coverage: Coverage
    is_owed: bool
    is_dead: bool
    handed_over_at: datetime | None
    decision: str
    callback_id: int | None
    """The open callback that holds it."""


_OPEN_CALLBACK = (
    select(func.max(tables.callback_item.c.callback_id))
    .join(tables.callback, tables.callback.c.id == tables.callback_item.c.callback_id)
    .where(tables.callback_item.c.postponement_id == item.id, tables.callback.c.state != CallbackState.CLOSED)
    .correlate(tables.postponement)
    .scalar_subquery()
)


def list_items(
    connection: Connection, wanted: Wanted, states: Sequence[Coverage], *, most: int | None = None
) -> Sequence[CoveredItem]:
    """The postponements that `count_groups` counts, by name: those of some classes, the oldest original date first."""
    state = coverage_case()
    query = (
        select(
            item.id, item.patient_id, patient.last_name, patient.first_name, patient.full_name, patient.birth_on,
            _PLACE, care_kind, item.service_id, item.service_name, item.procedure, item.original_on, item.priority,
            state, is_owed(), is_dead(), item.handed_over_at, item.decision, _OPEN_CALLBACK,
        )
        .join(tables.patient, patient.id == item.patient_id)
        .where(is_wanted(wanted), state.in_([one.value for one in states]))
        .order_by(item.original_on.is_(None), item.original_on, patient.name_key, patient.first_key, item.id)
        .limit(most)
    )  # fmt: skip
    found = []
    for row in connection.execute(query):
        values = list(row)
        values[13:16] = Coverage(row[13]), bool(row[14]), bool(row[15])
        found.append(CoveredItem(*values))
    return found
