"""Coverage in a shape that reads: one row a site, or a site and service, one column a class."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from crisisdesk.domain.kpi import CoverageRow
from crisisdesk.domain.words import Coverage
from crisisdesk.store.coverage import count_coverage
from crisisdesk.store.engine import Store


def by_site(counts: Iterable[CoverageRow]) -> tuple[CoverageRow, ...]:
    """One row a site, "no site" included: they add up to the total."""
    return _rows((count.site_id, None, count) for count in counts)


def by_service(counts: Iterable[CoverageRow]) -> tuple[CoverageRow, ...]:
    """One row a site and service; what is tied to no service has a row of its own in each site."""
    return _rows((count.site_id, count.service_id, count) for count in counts)


def in_all(counts: Iterable[CoverageRow]) -> CoverageRow:
    """The whole desk in one row."""
    return add_up(None, None, list(counts))


def desk_coverage(store: Store, *, now: datetime) -> tuple[CoverageRow, ...]:
    """Coverage by site and service as it is now."""
    with store.read() as connection:
        return by_service(count_coverage(connection, start_at=now, end_at=now))


def _rows(keyed: Iterable[tuple[str | None, int | None, CoverageRow]]) -> tuple[CoverageRow, ...]:
    found: dict[tuple[str | None, int | None], list[CoverageRow]] = {}
    for site_id, service_id, row in keyed:
        found.setdefault((site_id, service_id), []).append(row)
    return tuple(add_up(*key, rows) for key, rows in found.items())


def add_up(site_id: str | None, service_id: int | None, rows: Sequence[CoverageRow]) -> CoverageRow:
    """The sum of rows, under ids of its own."""
    items = {state: sum(row.items.get(state, 0) for row in rows) for state in Coverage}
    return CoverageRow(site_id, service_id, items, sum(row.decided for row in rows), sum(row.rebooked for row in rows))
