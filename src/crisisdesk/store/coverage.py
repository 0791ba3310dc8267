"""How far each postponement has come, as one SQL expression that every count and every list shares."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, case, func, select

from crisisdesk.domain.kpi import COVERAGE_FACTS, CoverageRow
from crisisdesk.domain.words import Coverage
from crisisdesk.store import tables
from crisisdesk.store.engine import Connection


def coverage_case(as_of: datetime | None = None) -> ColumnElement[str]:
    """The class of a row of `tables.postponement`: the furthest fact that is set, or was set before ``as_of``."""
    item = tables.postponement.c
    facts = [(item[fact], reached.value) for fact, reached in COVERAGE_FACTS]
    if as_of is None:
        return case(*((column.is_not(None), value) for column, value in facts), else_=Coverage.NEVER_TRIED.value)
    return case(*((column < as_of, value) for column, value in facts), else_=Coverage.NEVER_TRIED.value)


def is_counted(as_of: datetime | None = None) -> ColumnElement[bool]:
    """Which postponements count: all but those a caller reported that turned out to be on a list (they count there)."""
    item = tables.postponement.c
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
    item = tables.postponement.c

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
