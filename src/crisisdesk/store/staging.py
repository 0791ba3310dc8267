"""Versions of lists on their way in: staged in small transactions, in tables that no reader knows, until all is there.

One import at a time: the lock beside the desk's file tells whether an unpublished version is being worked on or was
left
behind by a process that died.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from time import monotonic, sleep
from typing import Any

from crisisdesk.domain.rows import Concluded
from crisisdesk.errors import RuleBroken
from crisisdesk.i18n import _
from crisisdesk.store.engine import Connection, Store

_INSERT_FILE = """
INSERT INTO source_file (name, sha256, series_key, layout_key, earlier_id, encoding, site_id, kind, counts, warnings,
  options, agent_id, staged_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id
"""
_INSERTS = {
    "rows": """INSERT INTO import_row (source_file_id, sheet, row, first_line, last_line, status, codes, duplicate_of,
  fields, cells, patient_id, patient_why, postponement_id, change, changed)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)""",
    "patients": "INSERT INTO staged_patient VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    "words": "INSERT INTO staged_word VALUES (?, ?)",
    "phones": "INSERT INTO staged_phone VALUES (NULL, ?, ?, ?, ?, ?, ?)",
    "items": "INSERT INTO staged_postponement VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    "callbacks": "INSERT INTO staged_callback VALUES (?, ?, ?, ?, ?, ?, ?)",
}
CACHE_KIB, USUAL_KIB = 65_536, 2_000
USUAL_PAGES = 1_000  # both usual values are SQLite's own
_STAGED = ("staged_patient", "staged_word", "staged_phone", "staged_postponement", "staged_callback")
_JSON = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


@dataclass(frozen=True)
class FileFacts:
    """What is kept of one version of a list."""

    name: str
    sha256: str
    series_key: str
    layout_key: str
    earlier_id: int | None
    encoding: str
    site_id: str | None
    kind: str | None
    counts: dict[str, int]
    warnings: list[str]
    options: dict[str, Any]


@dataclass
class StagedRow:
    """A concluded record with what it means for the desk."""

    done: Concluded
    person: int = 0
    patient_id: int | None = None
    why: str = ""
    postponement_id: int | None = None
    change: str | None = None
    changed: dict[str, Any] | None = None
    site_id: str | None = None
    service_id: int | None = None
    is_protected: bool = False


def stamp(now: datetime) -> str:
    """Give an instant as the tables hold it."""
    return now.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")


def as_json(value: object) -> str:
    """Give JSON as the tables hold it."""
    return _JSON.encode(value)


@contextmanager
def alone(store: Store, *, wait_seconds: float = 60) -> Iterator[None]:
    """Hold the import lock of a desk: one import at a time, so that one never cleans up after another that still works.

    Raises:
        RuleBroken: another import is still running after the wait.
    """
    descriptor = os.open(
        store.path.with_name(store.path.name + "-import"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600
    )
    try:
        end = monotonic() + wait_seconds
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if monotonic() > end:
                    raise RuleBroken(
                        _("Another list is being imported. Wait until it is done, then try again.")
                    ) from None
                sleep(0.1)
        yield
    finally:
        os.close(descriptor)


@contextmanager
def unhurried(store: Store) -> Iterator[None]:
    """Keep checkpoints out of the import's own transactions, where they would lengthen the wait of everybody else; call
    `checkpoint` between them. The cache grows so that the last step does not read and write its pages twice.
    """
    with store.write() as connection:
        connection.exec_driver_sql("PRAGMA wal_autocheckpoint=0")
        connection.exec_driver_sql(f"PRAGMA cache_size={-CACHE_KIB}")
    try:
        yield
    finally:
        with store.write() as connection:
            connection.exec_driver_sql(f"PRAGMA wal_autocheckpoint={USUAL_PAGES}")
            connection.exec_driver_sql(f"PRAGMA cache_size={-USUAL_KIB}")


def checkpoint(store: Store) -> None:
    """Move what was written into the desk's file, as far as nobody reads what was before; makes nobody wait."""
    with store.read() as connection:  # nothing was read yet: a checkpoint is refused inside a transaction that has
        connection.exec_driver_sql("PRAGMA wal_checkpoint(PASSIVE)").all()


def add_file(connection: Connection, facts: FileFacts, agent_id: int, now: datetime) -> int:
    """Begin a version; nobody sees it yet."""
    values = (
        facts.name, facts.sha256, facts.series_key, facts.layout_key, facts.earlier_id, facts.encoding, facts.site_id,
        facts.kind, as_json(facts.counts), as_json(facts.warnings), options_key(facts.options), agent_id, stamp(now),
    )  # fmt: skip
    return int(connection.exec_driver_sql(_INSERT_FILE, values).scalar_one())


def options_key(options: dict[str, Any]) -> str:
    """Give the options of an import as one text, the same for the same options."""
    return json.dumps(options, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def reserve(connection: Connection, table: str, count: int) -> int:
    """Give the first of ``count`` ids of patient or postponement that nobody else will get; unused ones stay unused."""
    largest = f"max(seq, (SELECT coalesce(max(id), 0) FROM {table}))"
    move = f"UPDATE sqlite_sequence SET seq = {largest} + ? WHERE name = ? RETURNING seq"
    last = connection.exec_driver_sql(move, (count, table)).scalar()
    if last is None:  # not one row was ever made
        connection.exec_driver_sql("INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)", (table, count))
        last = count
    return int(last) - count + 1


def add_part(connection: Connection, drafted: Mapping[str, Sequence[tuple[Any, ...]]], part: int, parts: int) -> None:
    """Write one of so many parts of a version, as `drafting` made it, where nobody sees it."""
    for name, values in drafted.items():
        chosen = values[len(values) * part // parts : len(values) * (part + 1) // parts]
        if chosen:
            connection.exec_driver_sql(_INSERTS[name], list(chosen))


def clear(connection: Connection) -> None:
    """Empty what is staged; a table at a time is dropped whole, so this takes milliseconds."""
    for table in _STAGED:
        connection.exec_driver_sql(f"DELETE FROM {table}")


def left_behind(connection: Connection) -> list[int]:
    """Versions that a killed import never published."""
    query = "SELECT id FROM source_file WHERE published_at IS NULL ORDER BY id"
    return [int(row[0]) for row in connection.exec_driver_sql(query)]


def is_staged(connection: Connection) -> bool:
    """Whether anything stands in the staging tables."""
    tables = " UNION ALL ".join(f"SELECT 1 FROM (SELECT 1 FROM {table} LIMIT 1)" for table in _STAGED)
    return connection.exec_driver_sql(tables).first() is not None


def drop_some(connection: Connection, file_id: int, limit: int) -> int:
    """Remove a part of a version that was never published; the number of rows removed (0: it is gone)."""
    rows = "DELETE FROM import_row WHERE id IN (SELECT id FROM import_row WHERE source_file_id = ? LIMIT ?)"
    removed = connection.exec_driver_sql(rows, (file_id, limit)).rowcount
    if not removed:
        connection.exec_driver_sql("DELETE FROM source_file WHERE id = ? AND published_at IS NULL", (file_id,))
    return removed
