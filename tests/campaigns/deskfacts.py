"""What a desk holds, read once for the checker."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from accounts import faults, journal_fault
from campaigns.checker import Entry, Facts
from crisisdesk.clock import local_day
from crisisdesk.desk.reference import load_reference
from crisisdesk.store.engine import Connection, Store, open_desk

_CALLS = "SELECT id, uid, number, reference, words FROM call ORDER BY number"
_ATTEMPTS = """SELECT t.id, t.uid, t.callback_id, a.login AS agent, t.generation, t.number AS rung, t.started_at AS day,
  t.note FROM attempt t JOIN agent a ON a.id = t.agent_id WHERE t.undone_at IS NULL ORDER BY t.id"""
_JOURNAL = "SELECT seq, entered_at, agent, action, subject_id, detail FROM journal ORDER BY seq"


def read_facts(path: Path, now: datetime) -> Facts:
    """Everything, with what the file itself and its accounts say is wrong."""
    store = open_desk(path)
    desk = load_reference(store).desk
    with store.read() as connection:
        attempts = _rows(connection, _ATTEMPTS)
        for row in attempts:
            row["day"] = local_day(_instant(row["day"]), desk.time_zone).isoformat()
        drafts = dict(connection.exec_driver_sql("SELECT uid, fields FROM draft").tuples().all())
        found = Facts(
            _rows(connection, _CALLS), attempts, {uid: dict(json.loads(text)) for uid, text in drafts.items()},
            [_entry(row) for row in _rows(connection, _JOURNAL)], desk.attempts_per_number_a_day,
            connection.exec_driver_sql("SELECT seq FROM journal_head").scalar_one(),
        )  # fmt: skip
    found.faults = [*file_faults(store), *faults(store, now, in_turn=True)]
    store.close()
    return found


def file_faults(store: Store) -> list[str]:
    """What SQLite and the journal's chain say of the file."""
    with store.read() as connection:
        said = [str(row[0]) for row in connection.exec_driver_sql("PRAGMA integrity_check")]
        said += [f"foreign key: {tuple(row)}" for row in connection.exec_driver_sql("PRAGMA foreign_key_check")]
    chain = journal_fault(store)
    return [words for words in [*said, chain] if words not in ("ok", "")]


def _rows(connection: Connection, sql: str) -> list[dict[str, Any]]:
    return [dict(row) for row in connection.exec_driver_sql(sql).mappings()]


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def _entry(row: dict[str, Any]) -> Entry:
    detail = json.loads(row["detail"])
    if row["action"] == "callback.taken":
        detail["until"] = datetime.fromisoformat(detail["until"]).timestamp()
    at = _instant(row["entered_at"]).timestamp()
    return Entry(row["seq"], at, row["agent"], row["action"], row["subject_id"], detail)
