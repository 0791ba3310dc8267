"""Rows for a day's figures, written as the store writes them."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from itertools import count
from typing import Any

from sqlalchemy import delete, insert

from crisisdesk.store import tables
from crisisdesk.store.engine import Store

_numbers = count(1)
_DEFAULTS: Mapping[str, Any] = {
    "site_id": None, "topic": None, "caller_kind": None, "disposition": "informed", "taken_by": None,
    "taken_by_name": "", "red_flag": None, "way_out": "", "slip_number": "", "ended_at": None, "entered_by": 1,
}  # fmt: skip


def empty(store: Store) -> None:
    """Take every call, callback and postponement out again."""
    with store.write() as connection:
        for table in (tables.attempt, tables.callback, tables.postponement, tables.call, tables.patient):
            connection.execute(delete(table))


def add_calls(store: Store, calls: Iterable[Mapping[str, Any]]) -> None:
    """Calls; each needs ``started_at`` only."""
    rows = []
    for call in calls:
        number = next(_numbers)
        row = {**_DEFAULTS, **call, "number": number, "uid": f"u{number}", "reference": f"r{number}"}
        rows.append({**row, "entered_at": row["started_at"]})
    if rows:
        with store.write() as connection:
            connection.execute(insert(tables.call), rows)


def add_patients(store: Store, number: int, now: datetime) -> list[int]:
    """So many nameless patients; their ids."""
    with store.write() as connection:
        first = connection.execute(insert(tables.patient).values(created_at=now)).inserted_primary_key[0]
        rows = [{"id": first + more, "created_at": now} for more in range(1, number)]
        if rows:
            connection.execute(insert(tables.patient), rows)
    return [first + more for more in range(number)]


def add_items(store: Store, items: Iterable[Mapping[str, Any]]) -> None:
    """Postponements; each needs ``patient_id`` and ``created_at``."""
    facts = ("tried_at", "reached_at", "decided_at", "rebooked_at", "done_at")
    blank = {"site_id": None, "service_id": None, "matched_to_id": None, "source": "list", **dict.fromkeys(facts)}
    if rows := [{**blank, **item} for item in items]:
        with store.write() as connection:
            connection.execute(insert(tables.postponement), rows)
