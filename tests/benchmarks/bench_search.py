"""The search as one types, at 100,000 patients: what the store takes (candidates, weighing, details), 95th
percentile."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from time import perf_counter
from typing import Any

from harness import Result, percentile
from people import NOW, make_desk

from crisisdesk.desk.linking import MatchQuery, find_matches
from crisisdesk.desk.reference import load_reference

PATIENTS = 100_000
ASKED = 200
_ROWS = (
    "SELECT p.last_name, p.first_name, p.birth_on, p.niss, f.number FROM patient p JOIN phone f ON f.patient_id = p.id"
    " ORDER BY p.id * 7919 % 100003 LIMIT ?"
)


def _day(text: str) -> str:
    return f"{text[8:10]}/{text[5:7]}/{text[:4]}"


QUERIES: dict[str, Callable[[Any], MatchQuery]] = {
    "three letters": lambda row: MatchQuery(last_name=row[0][:3]),
    "last and first name": lambda row: MatchQuery(last_name=row[0], first_name=row[1]),
    "whole number": lambda row: MatchQuery(phone="0" + row[4][3:]),
    "last six digits": lambda row: MatchQuery(phone=row[4][-6:]),
    "birth date": lambda row: MatchQuery(birth=_day(row[2])),
    "national number": lambda row: MatchQuery(niss=row[3]),
    "name, number and birth date": lambda row: MatchQuery("0" + row[4][3:], row[0], row[1], _day(row[2])),
    "misspelt name and birth date": lambda row: MatchQuery(last_name=row[0][:-2] + row[0][:-3:-1], birth=_day(row[2])),
}


def run(folder: Path, runs: int) -> Iterable[Result]:
    """One line for each way of asking; the unit is one search."""
    store = make_desk(folder / "desk.db", PATIENTS)
    reference = load_reference(store)
    with store.read() as connection:
        rows = connection.exec_driver_sql(_ROWS, (ASKED,)).fetchall()
    try:
        yield from _lines(store, reference, rows)
    finally:
        store.close()


def _lines(store: Any, reference: Any, rows: Any) -> Iterator[Result]:
    for name, make in QUERIES.items():
        queries = [make(row) for row in rows]
        times = list(_times(store, reference, queries))
        yield Result(f"search, {name}, {PATIENTS} patients, p95", percentile(times, 0.95), None, 1.0, ASKED)


def _times(store: Any, reference: Any, queries: Iterable[MatchQuery]) -> Iterator[float]:
    """Milliseconds of each search, one after the other as agents send them; the first ones warm the caches."""
    for query in (*queries, *queries):
        begin = perf_counter()
        find_matches(store, query, now=NOW, reference=reference)
        yield (perf_counter() - begin) * 1000
