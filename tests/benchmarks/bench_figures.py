"""A day's figures and the coverage of every postponement against the statements somebody would write by hand."""

import random
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from harness import Result, measure
from sqlalchemy import insert

from crisisdesk.clock import day_bounds
from crisisdesk.desk.reference import data_folder, init_desk, load_reference
from crisisdesk.domain.kpi import COVERAGE_FACTS
from crisisdesk.domain.reference import Reference
from crisisdesk.domain.words import Coverage
from crisisdesk.reports.day import report_of_day
from crisisdesk.reports.figures import day_figures
from crisisdesk.store import tables
from crisisdesk.store.coverage import count_coverage
from crisisdesk.store.engine import Store, open_desk
from crisisdesk.store.figures import _CALLS, count_calls
from crisisdesk.store.sqlite import choose_sqlite

CALLS, ITEMS, PEOPLE, DAYS = 200_000, 200_000, 50_000, 60
DAY, ZONE = date(2022, 5, 31), "Europe/Brussels"
NOW = datetime(2022, 8, 1, tzinfo=UTC)


def run(folder: Path, runs: int) -> Iterable[Result]:
    """200,000 calls over 60 days and 200,000 postponements."""
    path = folder / "figures.desk"
    init_desk(path, data_folder(), admin_login="chef", now=NOW)
    store = open_desk(path)
    reference = load_reference(store)
    fill(store, reference)
    by_hand = Hand(path)
    start, end = day_bounds(DAY, ZONE)

    def reading(work: Callable[[Any], object]) -> Callable[[], object]:
        def ours() -> object:
            with store.read() as connection:
                return work(connection)

        return ours

    yield measure(
        f"a day's calls, {CALLS:,} in the desk",
        reading(lambda connection: count_calls(connection, start, end)), by_hand.calls, target=1.3, runs=runs,
    )  # fmt: skip
    yield measure(
        f"coverage of {ITEMS:,} postponements",
        reading(lambda connection: count_coverage(connection, start_at=start, end_at=end)), by_hand.coverage,
        target=1.5, runs=runs,
    )  # fmt: skip
    yield measure(
        "all figures of a past day",
        lambda: day_figures(store, DAY, now=NOW, zone=ZONE), by_hand.everything, target=1.3, runs=runs,
    )  # fmt: skip
    yield measure(
        "the same with words and definitions",
        lambda: report_of_day(store, DAY, reference=reference, language="fr", now=NOW), by_hand.everything,
        target=1.5, runs=runs,
    )  # fmt: skip
    store.close()


class Hand:
    """The same counts as bare statements on a bare connection."""

    def __init__(self, path: Path) -> None:
        self.connection = choose_sqlite().connect(str(path), isolation_level=None)
        self.connection.execute("PRAGMA mmap_size=0")
        bounds = (instant.strftime("%Y-%m-%d %H:%M:%S.%f") for instant in day_bounds(DAY, ZONE))
        self.names = dict(zip(("start_at", "end_at"), bounds, strict=True))

    def calls(self) -> list[Any]:
        """The one statement of ours, without anything around it."""
        return list(self.connection.execute(str(_CALLS), self.names))

    def coverage(self, as_of: str = "IS NOT NULL", made: str = "") -> list[Any]:
        """One scan, a column for each class."""
        whens = " ".join(f"WHEN {fact} {as_of} THEN '{state}'" for fact, state in COVERAGE_FACTS)
        classes = ", ".join(
            f"count(CASE WHEN CASE {whens} ELSE 'never_tried' END = '{state}' THEN 1 END)" for state in Coverage
        )
        return list(
            self.connection.execute(
                f"SELECT site_id, service_id, {classes},"
                " count(CASE WHEN decided_at >= :start_at AND decided_at < :end_at THEN 1 END),"
                " count(CASE WHEN rebooked_at >= :start_at AND rebooked_at < :end_at THEN 1 END)"
                f" FROM postponement WHERE matched_to_id IS NULL {made} GROUP BY 1, 2",
                self.names,
            )
        )

    def everything(self) -> None:
        """Calls, callbacks and coverage as of the end of the day."""
        self.calls()
        self.coverage("< :end_at", "AND created_at < :end_at")
        for statement in (
            "SELECT site_id, count(*) FROM callback"
            " WHERE released_at >= :start_at AND released_at < :end_at GROUP BY 1",
            "SELECT c.site_id, count(*), count(DISTINCT c.id), sum(a.reach <> 'nobody'), sum(a.reach = 'patient')"
            " FROM attempt a JOIN callback c ON c.id = a.callback_id"
            " WHERE a.started_at >= :start_at AND a.started_at < :end_at GROUP BY 1",
            "SELECT site_id, count(*), sum(EXISTS (SELECT 1 FROM attempt a WHERE a.callback_id = callback.id"
            " AND a.started_at < promised_until)) FROM callback"
            " WHERE promised_until >= :start_at AND promised_until < :end_at GROUP BY 1",
            "SELECT site_id, count(*) FROM callback"
            " WHERE created_at < :end_at AND (closed_at IS NULL OR closed_at >= :end_at) GROUP BY 1",
        ):
            self.connection.execute(statement, self.names).fetchall()


def fill(store: Store, reference: Reference) -> None:
    """Calls by day with a rush in the morning; postponements at every stage; a callback for each fifth patient."""
    chance, begin = random.Random(2022), datetime(2022, 5, 15, tzinfo=UTC)
    sites, services = [*reference.sites, None], [*reference.services.values()]

    def some_instant() -> datetime:
        hours = min(19.9, max(5.0, chance.gauss(9, 3)))
        return begin + timedelta(days=chance.randrange(DAYS), hours=hours, microseconds=chance.randrange(10**6))

    def call(number: int) -> dict[str, Any]:
        start = some_instant()
        return {
            "uid": f"u{number}", "number": number, "reference": f"r{number}", "started_at": start, "entered_at": start,
            "ended_at": start + timedelta(seconds=chance.randrange(30, 600)), "entered_by": 1, "taken_by": 1,
            "site_id": chance.choice(sites), "topic": chance.choice([*reference.topics]),
            "caller_kind": chance.choice([*reference.caller_kinds]), "disposition": "informed",
        }  # fmt: skip

    def item(number: int) -> dict[str, Any]:
        service, stage = chance.choice(services), chance.choice((0, 0, 0, 1, 2, 3, 4, 5))
        facts = {fact: None for fact, _state in COVERAGE_FACTS}
        facts |= {fact: some_instant() for fact, _state in list(reversed(COVERAGE_FACTS))[:stage]}
        return {"patient_id": number % PEOPLE + 1, "site_id": service.site_id, "service_id": service.service_id,
                "source": "list", "created_at": begin, **facts}  # fmt: skip

    with store.write() as connection:
        connection.execute(insert(tables.patient), [{"id": n, "created_at": begin} for n in range(1, PEOPLE + 1)])
        connection.execute(insert(tables.call), [call(number) for number in range(CALLS)])
        connection.execute(insert(tables.postponement), [item(number) for number in range(ITEMS)])
        callbacks = [
            {"patient_id": n, "site_id": chance.choice(sites[:-1]), "tier": 2, "due_at": begin, "created_at": begin,
             "released_at": some_instant(), "promised_until": some_instant()}
            for n in range(1, PEOPLE, 5)
        ]  # fmt: skip
        connection.execute(insert(tables.callback), callbacks)
    with store.write() as connection:
        connection.exec_driver_sql("ANALYZE")
