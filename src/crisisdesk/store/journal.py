"""The journal: append-only, dense, hash-chained, written in the same transaction as the change that it tells.

Each entry's hash covers the hash before it, so a changed, removed, inserted or swapped entry shows. A rewrite of the
whole tail shows only against a head that was kept elsewhere (`verify(..., anchor=...)`): print it, or send it away.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Row, select

from crisisdesk.errors import AlreadyStored
from crisisdesk.i18n import _
from crisisdesk.store import tables
from crisisdesk.store.engine import Connection
from crisisdesk.store.raw import rows, run, stamp


@dataclass(frozen=True)
class JournalEntry:
    """One event, as it is read back."""

    seq: int
    entered_at: datetime
    happened_at: datetime
    agent: str
    action: str
    subject: str
    subject_id: str
    detail: Mapping[str, Any]
    hash: str


@dataclass(frozen=True)
class Verdict:
    """What a verification found."""

    entries: int
    head: str
    first_fault: int | None
    """Number of the first entry that does not fit, or None."""
    why: str


REQUEST = "_request"
"""In the detail of an entry: the id that the client gave to the wish that led to it."""


@dataclass(frozen=True, slots=True)
class Request:
    """One wish of an agent at a screen: it is tried again under the same key where the answer was lost."""

    key: str
    login: str
    is_stored: bool = False
    """An earlier try was stored, and would be repeated by the next entry of the agent's."""


_request: ContextVar[Request | None] = ContextVar("request", default=None)


@contextmanager
def under_request(request: Request) -> Iterator[None]:
    """What this thread appends inside belongs to a wish; what was stored already raises AlreadyStored."""
    token = _request.set(request)
    try:
        yield
    finally:
        _request.reset(token)


def is_stored_under(connection: Connection, key: str) -> bool:
    """Whether any entry belongs to a wish. Reads the journal from its end: for a second try only."""
    query = "SELECT 1 FROM journal WHERE instr(detail, ?) ORDER BY seq DESC LIMIT 1"
    return bool(rows(connection, query, (f'"{REQUEST}":"{key}"',)))


def _requested(agent: str, action: str, detail: Mapping[str, Any] | None) -> str:
    """The words of a detail, with the key of the wish for entries of the agent's own. A second reading is no repeat,
    and a refusal no proof that something was stored."""
    request = _request.get()
    if request is None or agent != request.login or action.endswith(".read") or action in ("export", "right.refused"):
        return _words(detail)
    if request.is_stored:
        raise AlreadyStored(_("It was stored the first time; only the answer was lost. Nothing was stored twice."))
    return _words({**(detail or {}), REQUEST: request.key})


def append(
    connection: Connection,
    *,
    agent: str,
    action: str,
    subject: str,
    subject_id: object,
    detail: Mapping[str, Any] | None = None,
    now: datetime,
    happened_at: datetime | None = None,
) -> int:
    """Append one event and return its number.

    ``detail`` holds plain JSON values; a change is ``{"field": [old, new]}``. Must be called inside a write: the number
    is the one after the head, which only the holder of the write lock may read.
    """
    ((seq, previous),) = rows(connection, "SELECT seq, hash FROM journal_head")
    entered, happened = stamp(now), stamp(happened_at or now)
    words = _requested(agent, action, detail)
    entry = (seq + 1, entered, happened, agent, action, subject, str(subject_id), words, previous)
    digest = _digest(entry)
    run(connection, _APPEND, (*entry, digest))
    run(connection, _HEAD, (seq + 1, digest))
    return int(seq) + 1


def append_all(
    connection: Connection,
    *,
    agent: str,
    action: str,
    subject: str,
    details: Sequence[tuple[object, Mapping[str, Any]]],
    now: datetime,
) -> None:
    """Append one event for each (subject_id, detail), all of one kind and moment: as `append`, many at a time."""
    ((seq, previous),) = rows(connection, "SELECT seq, hash FROM journal_head")
    at, entries = stamp(now), []
    for number, (subject_id, detail) in enumerate(details, start=seq + 1):
        words = _requested(agent, action, detail)
        entry = (number, at, at, agent, action, subject, str(subject_id), words, previous)
        previous = _digest(entry)
        entries.append((*entry, previous))
    if entries:
        connection.exec_driver_sql(_APPEND, entries)
        run(connection, _HEAD, (seq + len(entries), previous))


def _words(detail: Mapping[str, Any] | None) -> str:
    return json.dumps(detail or {}, ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=str)


_COVERED = ("seq", "entered_at", "happened_at", "agent", "action", "subject", "subject_id", "detail", "previous")
"""Columns that an entry's hash covers, in this order."""
_APPEND = f"INSERT INTO journal ({', '.join(_COVERED)}, hash) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_HEAD = "UPDATE journal_head SET seq = ?, hash = ?"
_TEXT = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


def _digest(entry: Sequence[object]) -> str:
    return hashlib.sha256(_TEXT.encode(list(entry)).encode()).hexdigest()


def head(connection: Connection) -> tuple[int, str]:
    """Number and hash of the last entry; (0, "") for an empty journal."""
    row = connection.execute(select(tables.journal_head.c.seq, tables.journal_head.c.hash)).one()
    return int(row.seq), str(row.hash)


def verify(connection: Connection, anchor: tuple[int, str] | None = None) -> Verdict:
    """Walk the chain from the first entry to the head, and past an anchor that was kept elsewhere.

    A chain that was rewritten whole from some entry on, head included, fits in itself: only an anchor shows that.
    """
    previous, count, anchored = "", 0, anchor is None or anchor == (0, "")
    for row in connection.exec_driver_sql("SELECT * FROM journal ORDER BY seq").mappings():
        if why := _misfit(dict(row), count + 1, previous):
            return Verdict(count, previous, count + 1, why)
        previous, count = row["hash"], row["seq"]
        anchored = anchored or anchor == (count, previous)
    if why := _head_misfit(connection, count, previous):
        return Verdict(count, previous, count + 1, why)
    if not anchored and anchor is not None:
        why = _("entry {seq} is not the one of the anchor: the journal was rewritten").format(seq=anchor[0])
        return Verdict(count, previous, anchor[0], why)
    return Verdict(count, previous, None, _("every entry fits"))


def _misfit(row: Mapping[str, Any], seq: int, previous: str) -> str:
    """Why a row cannot be entry ``seq`` after the hash ``previous``; empty when it fits."""
    if row["seq"] < seq:
        return _("entry {seq} was put before the first").format(seq=row["seq"])
    if row["seq"] != seq:
        return _("entry {seq} is missing").format(seq=seq)
    if row["previous"] != previous:
        words = _("entry {seq} does not follow the one before it: one was changed, inserted, swapped or removed")
        return words.format(seq=seq)
    digest = _digest([row[name] for name in _COVERED])
    return "" if digest == row["hash"] else _("entry {seq} was changed").format(seq=seq)


def _head_misfit(connection: Connection, count: int, previous: str) -> str:
    """Why the head is not that of a chain that ends with entry ``count``; empty when it is."""
    row = connection.execute(select(tables.journal_head.c.seq, tables.journal_head.c.hash)).one_or_none()
    if row is None:
        return _("the head of the journal was removed")
    if row.seq > count:
        return _("entries after {seq} were removed").format(seq=count)
    if row.seq < count:
        return _("entries after {seq} were added by other means").format(seq=row.seq)
    return "" if row.hash == previous else _("the head of the journal was changed")


def entries(
    connection: Connection, *, before: int | None = None, subject: str = "", subject_id: str = "", limit: int = 200
) -> tuple[JournalEntry, ...]:
    """The newest entries first, from before a number, of one kind of subject or one subject where named."""
    journal = tables.journal
    query = select(journal).order_by(journal.c.seq.desc()).limit(limit)
    if before is not None:
        query = query.where(journal.c.seq < before)
    if subject:
        query = query.where(journal.c.subject == subject)
    if subject_id:
        query = query.where(journal.c.subject_id == subject_id)
    return tuple(_entry(row) for row in connection.execute(query))


_LAST_CHANGE = """
SELECT agent, entered_at FROM journal WHERE subject = ?1 AND subject_id = ?2 AND (
  action = 'patient.merged' OR EXISTS (SELECT 1 FROM json_each(?3)
    WHERE CASE WHEN json_valid(detail) THEN json_type(detail, '$."' || value || '"') END = 'array')
) ORDER BY seq DESC LIMIT 1
"""


def last_change(
    connection: Connection, subject: str, subject_id: object, names: Sequence[str]
) -> tuple[str, datetime] | None:
    """Who last changed one of these fields of a subject (login), and when; a merge of patients changes all of them."""
    found = rows(connection, _LAST_CHANGE, (subject, str(subject_id), json.dumps(list(names))))
    return (found[0][0], datetime.fromisoformat(found[0][1]).replace(tzinfo=UTC)) if found else None


def _entry(row: Row[Any]) -> JournalEntry:
    try:
        detail = json.loads(row.detail)
    except json.JSONDecodeError:  # changed by other means: shown as it is, `verify` tells the rest
        detail = {"?": row.detail}
    if isinstance(detail, dict):
        detail.pop(REQUEST, None)  # of the program, not of what happened; the row and its hash hold it
    return JournalEntry(
        row.seq,
        row.entered_at,
        row.happened_at,
        row.agent,
        row.action,
        row.subject,
        row.subject_id,
        detail,
        row.hash,
    )
