"""Versions of lists on their way in: staged in small transactions, invisible until they are published.

One import at a time: the lock beside the desk's file tells whether an unpublished version is being worked on or was
left
behind by a process that died.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator, Sequence
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
_INSERT_ROW = """
INSERT INTO import_row (source_file_id, sheet, row, first_line, last_line, status, codes, duplicate_of, fields, cells,
  patient_id, patient_why, postponement_id, change, changed, person, facts)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""


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
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


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


def row_values(file_id: int, staged: StagedRow) -> tuple[Any, ...]:
    """Give a row as it is inserted; made outside the transaction."""
    done = staged.done
    first, last = done.lines or (None, None)
    facts = {
        "birth": done.birth_known.isoformat() if done.birth_known else None, "birth_guessed": done.is_birth_guessed,
        "comments": done.phone_comments, "priority_said": done.priority_said, "site": staged.site_id,
        "service": staged.service_id, "protected": staged.is_protected,
    }  # fmt: skip
    return (
        file_id, done.sheet, done.row, first, last, done.status, as_json(done.codes), done.of, as_json(done.values),
        as_json(done.cells), staged.patient_id, staged.why, staged.postponement_id, staged.change,
        as_json(staged.changed or {}), staged.person, as_json(facts),
    )  # fmt: skip


def add_rows(connection: Connection, rows: Sequence[tuple[Any, ...]]) -> None:
    """Add staged rows."""
    connection.exec_driver_sql(_INSERT_ROW, list(rows))


def set_plan(connection: Connection, file_id: int, plan: dict[str, Any]) -> None:
    """Keep what the last slice writes; from here on the version is whole and may be published."""
    connection.exec_driver_sql("UPDATE source_file SET plan = ? WHERE id = ?", (as_json(plan), file_id))


def left_behind(connection: Connection) -> list[tuple[int, bool]]:
    """Unpublished versions, with whether their publication had begun (then it is finished, not taken back)."""
    query = "SELECT id, published_to > 0 FROM source_file WHERE published_at IS NULL ORDER BY id"
    return [(int(file_id), bool(begun)) for file_id, begun in connection.exec_driver_sql(query)]


def drop_some(connection: Connection, file_id: int, limit: int) -> int:
    """Remove a part of a version that was never published; the number of rows removed (0: it is gone)."""
    rows = "DELETE FROM import_row WHERE id IN (SELECT id FROM import_row WHERE source_file_id = ? LIMIT ?)"
    removed = connection.exec_driver_sql(rows, (file_id, limit)).rowcount
    if not removed:
        connection.exec_driver_sql("DELETE FROM source_file WHERE id = ? AND published_at IS NULL", (file_id,))
    return removed
