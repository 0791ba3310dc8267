"""Taking the first callback of a site: the whole write (checks, lease, journal) against its bare statement."""

import sys
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median

from harness import Result, measure, timed

sys.path.insert(0, str(Path(__file__).parent.parent))

from crisisdesk.desk.agents import find_agent
from crisisdesk.desk.callbacks import _take_first
from crisisdesk.desk.reference import data_folder, init_desk
from crisisdesk.desk.reopening import OpeningForm, confirm_opening, top_up
from crisisdesk.desk.rules import calendar_for, moment_of, reference_of
from crisisdesk.store import queue
from crisisdesk.store.engine import Store, open_desk
from filling import fill

NOW = datetime(2022, 5, 31, 8, 0, tzinfo=UTC)
BARE = """UPDATE callback
SET state = 'leased', leased_by = 1, leased_at = ?, lease_until = ?, generation = generation + 1
WHERE id = (SELECT id FROM callback WHERE site_id = 'arlon' AND state = 'waiting' AND released_at IS NOT NULL
  ORDER BY tier, due_at, id LIMIT 1) RETURNING id"""


def run(folder: Path, runs: int) -> Iterable[Result]:
    """Queues of 1,000 and 100,000; then the release of one site's callbacks."""
    medians = {}
    for count in (1_000, 100_000):
        store = make(folder / f"{count}.db", count)
        agent, reference = find_agent(store, "chef"), reference_of(store)
        assert agent
        moment = moment_of(reference, calendar_for(reference), NOW, agent.agent_id)
        until = NOW + timedelta(seconds=reference.desk.lease_seconds)
        stamp, end = (f"{at:%Y-%m-%d %H:%M:%S.%f}" for at in (NOW, until))

        def bare(store: Store = store, values: tuple[str, str] = (stamp, end)) -> None:
            with store.write() as connection:
                connection.exec_driver_sql(BARE, values).all()

        def checked(store: Store = store, moment: queue.Moment = moment, until: datetime = until) -> None:
            with store.write() as connection:
                queue.take_first(connection, "arlon", moment, until)

        yield measure(f"take of {count:,}: checked statement / bare one", checked, bare, target=1.3, runs=runs)
        whole = []
        for _round in range(runs):
            free_all(store)
            whole.append(timed(lambda: _take_first(store, "arlon", moment, reference, agent)))  # noqa: B023
        medians[count] = median(whole)
        store.close()
    yield Result("take with journal: 100,000 / 1,000", medians[100_000], medians[1_000], 1.3, runs)
    yield from release(folder, runs)


def free_all(store: Store) -> None:
    """Let go of every lease: an agent who holds one would get that one again."""
    with store.write() as connection:
        connection.exec_driver_sql(
            "UPDATE callback SET state = 'waiting', leased_by = NULL, leased_at = NULL, lease_until = NULL "
            "WHERE state = 'leased'"
        )


def make(path: Path, count: int) -> Store:
    """A desk with so many released callbacks at Arlon."""
    init_desk(path, data_folder(), admin_login="chef", now=NOW)
    store = open_desk(path)
    fill(store, count, NOW)
    return store


def release(folder: Path, runs: int) -> Iterable[Result]:
    """Confirming an opening that releases 300 callbacks of 2,000."""
    times = []
    for number in range(min(runs, 5)):
        store = make(folder / f"release{number}.db", 2_000)
        with store.write() as connection:
            connection.exec_driver_sql("UPDATE callback SET released_at = NULL, release_why = ''")
        agent, reference = find_agent(store, "chef"), reference_of(store)
        assert agent
        service = next(s.service_id for s in reference.services_of("arlon") if s.code == "surgery")
        top_up(store, now=NOW)
        form = OpeningForm(service, NOW.date(), capacity_a_day=300 // reference.desk.release_days_ahead)
        times.append(timed(lambda: confirm_opening(store, form, agent=agent, now=NOW)))  # noqa: B023
        store.close()
    yield Result("confirm an opening: 300 of 2,000 released", median(times), None, 50, len(times))
