"""Taking the first callback of a site, and releasing what an opening has places for, against their bare statements.

Neither may grow with the queue: 1,000, 100,000 and 1,000,000 callbacks. The biggest needs 1 GB in the temporary folder.
Of a confirmed opening the write is measured, for which others wait; how many are left is counted after it.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

from crowd import NOW, STAMP, crowd
from harness import Result, measure, timed

from crisisdesk.desk.agents import Agent, find_agent
from crisisdesk.desk.callbacks import _take_first
from crisisdesk.desk.reopening import OpeningForm, confirm_opening, preview_opening, top_up
from crisisdesk.desk.rules import calendar_for, moment_of, reference_of
from crisisdesk.store import queue
from crisisdesk.store.engine import Store

SIZES = (1_000, 100_000, 1_000_000)
PLACES_A_DAY, MOST = 12, 10_000
BARE_TAKE = """UPDATE callback
SET state = 'leased', leased_by = 1, leased_at = ?, lease_until = ?, generation = generation + 1
WHERE id = (SELECT id FROM callback WHERE site_id = 'arlon' AND state = 'waiting' AND released_at IS NOT NULL
  ORDER BY tier, due_at, id LIMIT 1) RETURNING id"""
BARE_RELEASE = """UPDATE callback SET released_at = ?, release_why = 'opening:1' WHERE id IN
  (SELECT id FROM callback WHERE site_id = 'arlon' AND state <> 'closed' AND released_at IS NULL AND hold = ''
  ORDER BY tier, due_at, id LIMIT ?)"""
FREE_ALL = """UPDATE callback SET state = 'waiting', leased_by = NULL, leased_at = NULL, lease_until = NULL
  WHERE state = 'leased'"""
UNRELEASE = """UPDATE callback SET released_at = NULL, release_why = ''
  WHERE site_id = 'arlon' AND state = 'waiting' AND released_at IS NOT NULL"""


def run(folder: Path, runs: int) -> Iterable[Result]:
    """Queues of three sizes, all released (to take from), then none (to release)."""
    taken: dict[int, float] = {}
    freed: dict[int, float] = {}
    for count in SIZES:
        path = folder / f"{count}.db"
        store = crowd(path, count, released=True)
        yield from take(store, count, runs, taken)
        run_sql(store, UNRELEASE)
        yield from release(store, count, min(runs, 7), freed)
        if count == SIZES[1]:
            yield from release_many(store, min(runs, 5))
        store.close()
        for left in folder.glob(f"{count}.db*"):
            left.unlink()
    for count in SIZES[1:]:
        yield Result(f"take with journal: {count:,} / {SIZES[0]:,}", taken[count], taken[SIZES[0]], 1.3, runs)
        yield Result(f"release by an opening: {count:,} / {SIZES[0]:,}", freed[count], freed[SIZES[0]], 1.3, runs)


def run_sql(store: Store, sql: str, values: tuple[Any, ...] = ()) -> None:
    """One statement in a write of its own."""
    with store.write() as connection:
        connection.exec_driver_sql(sql, values)


@contextmanager
def locks_of(store: Store) -> Iterator[list[float]]:
    """Milliseconds of each write of a block, commit included."""
    held: list[float] = []
    write = store.write

    @contextmanager
    def measured() -> Iterator[Any]:
        begun = perf_counter()
        with write() as connection:
            yield connection
        held.append(1000 * (perf_counter() - begun))

    store.write = measured  # type: ignore[method-assign]
    try:
        yield held
    finally:
        store.write = write  # type: ignore[method-assign]


def chef_of(store: Store) -> Agent:
    found = find_agent(store, "chef")
    assert found
    return found


def take(store: Store, count: int, runs: int, medians: dict[int, float]) -> Iterable[Result]:
    """The statement that checks everything against the bare one; then the whole write with presence and journal."""
    agent, reference = chef_of(store), reference_of(store)
    moment = moment_of(reference, calendar_for(reference), NOW, agent.agent_id)
    until = NOW + timedelta(seconds=reference.desk.lease_seconds)
    end = f"{until:%Y-%m-%d %H:%M:%S.%f}"

    def bare() -> None:
        run_sql(store, BARE_TAKE, (STAMP, end))

    def checked() -> None:
        with store.write() as connection:
            queue.take_first(connection, "arlon", moment, until)

    yield measure(f"take of {count:,}: checked statement / bare one", checked, bare, target=1.3, runs=runs)
    whole = []
    for _round in range(runs):
        run_sql(store, FREE_ALL)  # an agent who holds one would get that one again
        whole.append(timed(lambda: _take_first(store, "arlon", moment, reference, agent)))
    medians[count] = median(whole)
    run_sql(store, FREE_ALL)


def release(store: Store, count: int, runs: int, medians: dict[int, float]) -> Iterable[Result]:
    """Confirming an opening of twelve a day, as a supervisor does; the preview; and a top-up that finds no place."""
    agent, reference = chef_of(store), reference_of(store)
    service = next(s.service_id for s in reference.services_of("arlon") if s.code == "surgery")
    form = OpeningForm(service, NOW.date(), capacity_a_day=PLACES_A_DAY)
    ours, whole, bare, seen, dry, released = [], [], [], [], [], 0
    for _round in range(runs):
        withdrawn = "DELETE FROM opening WHERE service_id = ? AND stage = 'actual' AND state = 'partial'"
        run_sql(store, withdrawn, (service,))
        run_sql(store, UNRELEASE)
        seen.append(timed(lambda: preview_opening(store, form, now=NOW)))
        with locks_of(store) as held:
            whole.append(timed(lambda: confirm_opening(store, form, agent=agent, now=NOW)))
        ours.append(sum(held))
        with store.read() as connection:
            of_these = "SELECT count(*) FROM callback WHERE released_at IS NOT NULL"
            released = connection.exec_driver_sql(of_these).scalar_one()
        dry.append(timed(lambda: top_up(store, now=NOW, again=True)))
        run_sql(store, UNRELEASE)
        bare.append(timed(lambda: run_sql(store, BARE_RELEASE, (STAMP, released))))  # noqa: B023
    run_sql(store, UNRELEASE)
    medians[count] = median(ours)
    yield Result(f"release {released} of {count:,}: write of an opening / bare", median(ours), median(bare), 3, runs)
    yield Result(f"release {released} of {count:,}: with its counts", median(whole), None, 50, runs)
    yield Result(f"release of {count:,}: preview", median(seen), None, 50, runs)
    yield Result(f"release of {count:,}: a top-up that finds no place", median(dry), None, 20, runs)


def release_many(store: Store, runs: int) -> Iterable[Result]:
    """10,000 callbacks at once: how long everybody else waits for the lock."""
    agent, reference = chef_of(store), reference_of(store)
    service = next(s.service_id for s in reference.services_of("arlon") if s.code == "surgery")
    form = OpeningForm(service, NOW.date(), capacity_a_day=MOST // reference.desk.release_days_ahead)
    ours, bare = [], []
    for _round in range(runs):
        withdrawn = "DELETE FROM opening WHERE service_id = ? AND stage = 'actual' AND state = 'partial'"
        run_sql(store, withdrawn, (service,))
        run_sql(store, UNRELEASE)
        ours.append(timed(lambda: confirm_opening(store, form, agent=agent, now=NOW)))
        run_sql(store, UNRELEASE)
        bare.append(timed(lambda: run_sql(store, BARE_RELEASE, (STAMP, MOST))))
    yield Result(f"release {MOST:,} at once: opening / bare statement", median(ours), median(bare), 3, runs)
