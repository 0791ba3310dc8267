"""The forecast of an opening and the coverage of a site, care type and week at 200,000 postponements.

Each against one statement that somebody would write by hand: the backlog by priority; one scan with a column a class.
"""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from crowd import NOW, crowd
from harness import Result, measure

from crisisdesk.desk.agents import find_agent
from crisisdesk.desk.forecasting import forecast_opening
from crisisdesk.desk.reopening import OpeningForm, confirm_opening
from crisisdesk.desk.rules import reference_of
from crisisdesk.domain.coverage import Wanted
from crisisdesk.domain.kpi import COVERAGE_FACTS
from crisisdesk.domain.words import Coverage
from crisisdesk.reports.coverage import report_of_coverage
from crisisdesk.store.coverage import count_groups, list_items
from crisisdesk.store.sqlite import choose_sqlite

ITEMS = 200_000
_UNSETTLED = """rebooked_at IS NULL AND done_at IS NULL AND matched_to_id IS NULL AND handed_over_at IS NULL
  AND NOT (decided_at IS NOT NULL AND decision IN ('clinician', 'deceased', 'treated_elsewhere', 'accepts_date'))"""
_BACKLOG = f"SELECT priority, count(*) FROM postponement WHERE service_id = ? AND {_UNSETTLED} GROUP BY 1"
_WHENS = " ".join(f"WHEN {fact} IS NOT NULL THEN '{state}'" for fact, state in COVERAGE_FACTS)
_STATE = f"CASE {_WHENS} ELSE 'never_tried' END"
_COVERAGE = f"""SELECT site_id, service_id, strftime('%Y-%W', original_on),
  {", ".join(f"count(CASE WHEN {_STATE} = '{state}' THEN 1 END)" for state in Coverage)}
  FROM postponement WHERE matched_to_id IS NULL GROUP BY 1, 2, 3"""
_UNCOVERED = f"""SELECT p.id, p.patient_id, last_name, first_name, original_on, priority FROM postponement p
  JOIN patient ON patient.id = p.patient_id
  WHERE matched_to_id IS NULL AND site_id = 'arlon' AND original_on >= '2022-05-16' AND original_on < '2022-05-23'
    AND {_STATE} = 'never_tried' ORDER BY original_on, name_key, first_key, p.id"""


def run(folder: Path, runs: int) -> Iterable[Result]:
    """200,000 postponements, a third tried, a ninth reached, and an opening of twelve a day."""
    path = folder / "forecast.db"
    store = crowd(path, ITEMS, released=False)
    agent, reference = find_agent(store, "chef"), reference_of(store)
    assert agent
    service = next(s.service_id for s in reference.services_of("arlon") if s.code == "surgery")
    confirm_opening(store, OpeningForm(service, NOW.date(), capacity_a_day=12), agent=agent, now=NOW)
    hand = choose_sqlite().connect(str(path), isolation_level=None)
    hand.execute("PRAGMA mmap_size=0")

    def by_hand(sql: str, *values: Any) -> Callable[[], object]:
        return lambda: hand.execute(sql, values).fetchall()

    def counted() -> object:
        with store.read() as connection:
            return count_groups(connection)

    week = Wanted("arlon", None, "2022-W20")

    def named() -> object:
        with store.read() as connection:
            return list_items(connection, week, [Coverage.NEVER_TRIED])

    yield measure(
        f"forecast of an opening, {ITEMS:,} postponements / backlog by hand",
        lambda: forecast_opening(store, service, now=NOW), by_hand(_BACKLOG, service), target=3, runs=runs,
    )  # fmt: skip
    yield measure(
        f"coverage by site, care type, week, {ITEMS:,} / one scan by hand", counted, by_hand(_COVERAGE),
        target=1.5, runs=runs,
    )  # fmt: skip
    yield measure(
        "the same in words, with alarms",
        lambda: report_of_coverage(store, reference=reference, now=NOW), by_hand(_COVERAGE), target=1.7, runs=runs,
    )  # fmt: skip
    yield measure(
        "the uncovered of a site and week by name / by hand", named, by_hand(_UNCOVERED), target=2.5, runs=runs
    )
    store.close()
