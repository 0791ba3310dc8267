"""The accounts of a desk: what must hold at every moment, counted by statements that the program does not share.

`faults` reads the desk as an inspector would, table by table, and says in words what does not add up. The statements
are written by hand on purpose: an expression of the program that is wrong must not agree with itself here.
"""

import json
import os
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import select

from crisisdesk.clock import local_day
from crisisdesk.desk.queue import list_queue
from crisisdesk.desk.rules import reference_of
from crisisdesk.domain.opening import capacity_on, limits_on, read_history
from crisisdesk.domain.schedule import calendar_of
from crisisdesk.store import callbacks, journal, openings, tables
from crisisdesk.store.coverage import count_coverage
from crisisdesk.store.engine import Connection, Store
from crisisdesk.store.unplaced import list_unplaced

UNSETTLED = """p.rebooked_at IS NULL AND p.done_at IS NULL AND p.matched_to_id IS NULL AND p.handed_over_at IS NULL
  AND NOT (p.decided_at IS NOT NULL AND (p.decision IN ('clinician', 'deceased')
    OR p.decision IN (SELECT code FROM disposition WHERE is_final = 1)))"""
"""Of `postponement AS p`: somebody still owes this patient a call about it."""
_KNOWN = os.environ.get("CRISISDESK_KNOWN_FAULTS", "")
"""Faults to look past while a campaign looks for others: a regular expression."""
FACTS = ("tried_at", "reached_at", "decided_at", "rebooked_at", "done_at")

_SQL: dict[str, str] = {
    "patient {0} has {2} open callbacks at {1}": """
        SELECT patient_id, site_id, count(*) FROM callback WHERE state <> 'closed' GROUP BY 1, 2 HAVING count(*) > 1""",
    "agent {0} holds {1} live leases": """
        SELECT leased_by, count(*) FROM callback WHERE state = 'leased' AND lease_until > :now
        GROUP BY 1 HAVING count(*) > 1""",
    "callback {0} is {1} with a lease of agent {2} until {3}": """
        SELECT id, state, leased_by, lease_until FROM callback
        WHERE (state = 'leased') <> (leased_by IS NOT NULL) OR (state = 'leased') <> (lease_until IS NOT NULL)""",
    "postponement {0} of patient {1} at {2} is owed a call and in no open callback": f"""
        SELECT p.id, p.patient_id, p.site_id FROM postponement p JOIN patient ON patient.id = p.patient_id
        WHERE {UNSETTLED} AND p.source = 'list' AND p.site_id IS NOT NULL AND patient.death_confirmed_by IS NULL
          AND NOT EXISTS (SELECT 1 FROM callback_item i JOIN callback c ON c.id = i.callback_id
            WHERE i.postponement_id = p.id AND c.state <> 'closed')""",
    "postponement {0} of patient {1} at {2} waits in callback {3} of patient {4} at {5}": f"""
        SELECT p.id, p.patient_id, p.site_id, c.id, c.patient_id, c.site_id FROM postponement p
        JOIN callback_item i ON i.postponement_id = p.id JOIN callback c ON c.id = i.callback_id
        WHERE c.state <> 'closed' AND {UNSETTLED} AND (c.patient_id <> p.patient_id OR c.site_id <> p.site_id)""",
    "postponement {0} waits in {1} open callbacks": f"""
        SELECT p.id, count(*) FROM postponement p JOIN callback_item i ON i.postponement_id = p.id
        JOIN callback c ON c.id = i.callback_id WHERE c.state <> 'closed' AND {UNSETTLED}
        GROUP BY 1 HAVING count(*) > 1""",
    "callback {0} is open for patient {1}, for whom patient {2} stands": """
        SELECT c.id, c.patient_id, patient.merged_into_id FROM callback c JOIN patient ON patient.id = c.patient_id
        WHERE c.state <> 'closed' AND patient.merged_into_id IS NOT NULL""",
    "postponement {0} is of patient {1}, for whom patient {2} stands": """
        SELECT p.id, p.patient_id, patient.merged_into_id FROM postponement p
        JOIN patient ON patient.id = p.patient_id WHERE patient.merged_into_id IS NOT NULL""",
    "callback {0} is open, but the death of patient {1} is confirmed": """
        SELECT c.id, c.patient_id FROM callback c JOIN patient ON patient.id = c.patient_id
        WHERE c.state <> 'closed' AND patient.death_confirmed_by IS NOT NULL AND c.hold <> 'confirm_death'""",
    "postponement {0} of patient {1} is settled by a death that nobody confirmed": """
        SELECT p.id, p.patient_id FROM postponement p JOIN patient ON patient.id = p.patient_id
        WHERE p.decision = 'deceased' AND p.rebooked_at IS NULL AND patient.death_confirmed_by IS NULL""",
    "booking {0} is told for {1}, but the death of patient {2} is confirmed": """
        SELECT b.id, b.slot_on, p.patient_id FROM booking b JOIN postponement p ON p.id = b.postponement_id
        JOIN patient ON patient.id = p.patient_id
        WHERE b.state = 'told' AND b.slot_on >= :today AND patient.death_confirmed_by IS NOT NULL""",
    "booking {0} is told for {2}, but postponement {1} is still owed a call": f"""
        SELECT b.id, p.id, b.slot_on FROM booking b JOIN postponement p ON p.id = b.postponement_id
        WHERE b.state = 'told' AND {UNSETTLED}""",
    "booking {0} ({2}) and booking {1} hold two places for postponement {3}": """
        SELECT a.id, b.id, a.slot_on, a.postponement_id FROM booking a
        JOIN booking b ON b.postponement_id = a.postponement_id AND b.id > a.id
        WHERE a.state = 'told' AND b.state = 'told'""",
    "postponement {0} accepted a day in an attempt, and has no place": """
        SELECT p.id FROM postponement p JOIN attempt_item i ON i.postponement_id = p.id
        JOIN attempt a ON a.id = i.attempt_id
        WHERE p.rebooked_at IS NOT NULL AND p.decision = 'accepts_date' AND i.disposition = 'accepts_date'
          AND a.undone_at IS NULL AND p.matched_to_id IS NULL
          AND p.decided_at >= (SELECT max(started_at) FROM attempt x JOIN attempt_item y ON y.attempt_id = x.id
            WHERE y.postponement_id = p.id)
          AND NOT EXISTS (SELECT 1 FROM booking b WHERE b.postponement_id = p.id AND b.state IN ('told', 'done'))""",
    "callback {0} is closed and on hold for {1}": """
        SELECT id, hold FROM callback WHERE state = 'closed' AND hold <> ''
          AND closed_as NOT IN ('merged', 'handed_over')""",
    "callback {0} was rung at {1} and again at {2}, within the rest": """
        SELECT a.callback_id, a.ended_at, b.started_at FROM attempt a
        JOIN attempt b ON b.callback_id = a.callback_id AND b.id > a.id
        WHERE a.undone_at IS NULL AND unixepoch(b.started_at) - unixepoch(a.entered_at) < :rest AND :in_turn = 1""",
}
"""Words of a fault -> the statement that finds it; a row fills the words."""


def faults(store: Store, now: datetime, *, in_turn: bool = False) -> list[str]:
    """Everything that does not hold, in words; an empty list where all is well.

    Args:
        in_turn: nobody took a callback out of turn: no patient may have been rung twice within the rest.
    """
    reference = reference_of(store)
    values = {
        "now": stamp(now), "today": local_day(now, reference.desk.time_zone).isoformat(),
        "rest": reference.desk.rest_seconds, "in_turn": int(in_turn),
    }  # fmt: skip
    found = []
    with store.read() as connection:
        for words, sql in _SQL.items():
            found += [words.format(*row) for row in connection.exec_driver_sql(sql, used(sql, values))]
        for check in (overbooked, miscounted, forgotten, withdrawn_and_forgotten):
            found += check(connection, now, reference)
    found += [*misplaced(store), *unexplained(store, now)]
    return [words for words in found if not _KNOWN or not re.search(_KNOWN, words)]


def used(sql: str, values: dict[str, Any]) -> dict[str, Any]:
    """Those of the values that a statement names."""
    return {name: value for name, value in values.items() if f":{name}" in sql}


def stamp(at: datetime) -> str:
    """An instant as the file has it."""
    return at.strftime("%Y-%m-%d %H:%M:%S.%f")


def overbooked(connection: Connection, now: datetime, reference: Any) -> Iterator[str]:
    """Told places beyond what their day takes, in all or of one limit. What was is past: only days from today on."""
    calendar = calendar_of(reference.desk)
    rows = connection.exec_driver_sql(
        "SELECT service_id, slot_on, needs FROM booking WHERE state = 'told' AND slot_on >= ?",
        (local_day(now, reference.desk.time_zone).isoformat(),),
    ).all()
    told: Counter[tuple[int, str]] = Counter((row[0], row[1]) for row in rows)
    needed = Counter((row[0], row[1], code) for row in rows for code in json.loads(row[2]))
    histories = {key: read_history(found) for key, found in openings.opening_rows(connection).items()}
    for (service_id, day), count in told.items():
        most = capacity_on(histories[service_id], date.fromisoformat(day), calendar)
        if count > most:
            yield f"service {service_id} on {day}: {count} told, {most} places"
    for (service_id, day, code), count in needed.items():
        most = limits_on(histories[service_id], date.fromisoformat(day)).get(code, count)
        if count > most:
            yield f"service {service_id} on {day}: {count} told who need {code}, {most} places for them"


def miscounted(connection: Connection, now: datetime, reference: Any) -> Iterator[str]:
    """Every postponement is in exactly one class, and the classes of the coverage add up to all of them."""
    del reference
    by_hand: Counter[tuple[Any, Any, str]] = Counter()
    for row in connection.exec_driver_sql(
        f"SELECT site_id, service_id, {', '.join(FACTS)} FROM postponement WHERE matched_to_id IS NULL"
    ):
        reached = [name for name, at in zip(FACTS, row[2:], strict=True) if at is not None]
        by_hand[row[0], row[1], reached[-1].removesuffix("_at") if reached else "never_tried"] += 1
    counted: Counter[tuple[Any, Any, str]] = Counter()
    for line in count_coverage(connection, start_at=now, end_at=now):
        for state, count in line.items.items():
            counted[line.site_id, line.service_id, state.value] += count
    for key in by_hand.keys() | counted.keys():
        if by_hand[key] != counted[key]:
            yield f"coverage {key}: counted {counted[key]}, there are {by_hand[key]}"


def forgotten(connection: Connection, now: datetime, reference: Any) -> Iterator[str]:
    """What a caller told of and nobody has settled is in a queue, or on the list of what is in none."""
    del now, reference
    listed = {row.postponement_id for row in list_unplaced(connection, 10_000)}
    held = (
        "SELECT p.id FROM postponement p JOIN patient ON patient.id = p.patient_id"
        f" WHERE {UNSETTLED} AND patient.death_confirmed_by IS NULL AND NOT EXISTS (SELECT 1 FROM callback_item i"
        " JOIN callback c ON c.id = i.callback_id WHERE i.postponement_id = p.id AND c.state <> 'closed')"
    )
    for (number,) in connection.exec_driver_sql(held):
        if number not in listed:
            yield f"postponement {number} is owed a call, in no queue and not listed as unplaced"


def withdrawn_and_forgotten(connection: Connection, now: datetime, reference: Any) -> Iterator[str]:
    """Whoever was told a day that was taken back is told another, rung again, or was settled in another way."""
    del now, reference
    sql = f"""
        SELECT b.id, b.slot_on, p.id FROM booking b JOIN postponement p ON p.id = b.postponement_id
        JOIN patient ON patient.id = p.patient_id
        WHERE b.state = 'withdrawn' AND {UNSETTLED} AND patient.death_confirmed_by IS NULL
          AND NOT EXISTS (SELECT 1 FROM booking o WHERE o.postponement_id = p.id AND o.state IN ('told', 'done'))
          AND NOT EXISTS (SELECT 1 FROM callback_item i JOIN callback c ON c.id = i.callback_id
            WHERE i.postponement_id = p.id AND c.state <> 'closed')"""
    for row in connection.exec_driver_sql(sql):
        yield "booking {} of {} was taken back and nobody rings about postponement {}".format(*row)


def misplaced(store: Store) -> list[str]:
    """Open callbacks that stand elsewhere than their postponements put them: computed anew, and not kept."""
    column = tables.callback.c
    query = select(column.id, column.tier, column.due_at, column.why).where(column.state != "closed")
    placed: list[tuple[Any, Any]] = []

    class _Look(Exception):
        pass

    try:
        with store.write() as connection:
            before = connection.execute(query).all()
            callbacks.redate(connection, [row.id for row in before])
            placed = list(zip(before, connection.execute(query).all(), strict=True))
            raise _Look
    except _Look:
        pass
    return [f"callback {old.id} stands at {old[1:3]}, belongs to {new[1:3]}" for old, new in placed if old != new]


def unexplained(store: Store, now: datetime) -> list[str]:
    """The listed order is total and strict, counted in full, and each line says why here and why not now."""
    found = []
    column = tables.callback.c
    with store.read() as connection:
        rows = connection.execute(select(column.site_id, column.id).where(column.state != "closed"))
        by_site: defaultdict[str, set[int]] = defaultdict(set)
        for site_id, number in rows:
            by_site[site_id].add(number)
    for site_id, ids in by_site.items():
        queue = list_queue(store, site_id, now=now, limit=100_000)
        keys = [(int(row.tier), row.due_at, row.callback_id) for row in queue.rows]
        if keys != sorted(set(keys)) or {row.callback_id for row in queue.rows} != ids:
            found.append(f"{site_id}: the list is no order of the open callbacks: {keys} for {sorted(ids)}")
        if [row.position for row in queue.rows] != list(range(1, len(ids) + 1)):
            found.append(f"{site_id}: positions {[row.position for row in queue.rows]}")
        if queue.counts != Counter(row.reason for row in queue.rows):
            found.append(f"{site_id}: counts {dict(queue.counts)} are not those of the list")
        found += [f"callback {row.callback_id} does not say why here" for row in queue.rows if not row.why_here]
        may_ring = queue.calls_at <= now  # outside the calling hours even those that are ready say so
        silent = [row for row in queue.rows if bool(row.why_not) == (row.reason == "ready" and may_ring)]
        found += [f"callback {row.callback_id} is {row.reason} and says {row.why_not!r}" for row in silent]
    return found


def journal_fault(store: Store) -> str:
    """Why the journal's chain is broken; empty where it is not."""
    with store.read() as connection:
        verdict = journal.verify(connection)
    return "" if verdict.first_fault is None else f"journal {verdict.first_fault}: {verdict.why}"


CHECKS: Sequence[Callable[..., Any]] = (
    overbooked,
    miscounted,
    forgotten,
    withdrawn_and_forgotten,
    misplaced,
    unexplained,
)
"""Every check that is no single statement."""
