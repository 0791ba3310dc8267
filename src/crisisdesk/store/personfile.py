"""Everything the desk knows about one person, in the order in which it happened."""

import json
from collections.abc import Iterator
from typing import Any

from sqlalchemy import RowMapping, Select, select

from crisisdesk.domain.person import Event, EventKind, ListedIn
from crisisdesk.store import journal, tables
from crisisdesk.store.engine import Connection

call, item, callback = tables.call.c, tables.postponement.c, tables.callback.c
attempt, booking, agent = tables.attempt.c, tables.booking.c, tables.agent.c


def read_row(connection: Connection, patient_id: int) -> RowMapping | None:
    """The patient's own columns."""
    return connection.execute(select(tables.patient).where(tables.patient.c.id == patient_id)).mappings().one_or_none()


def values_of(connection: Connection, patient_id: int) -> dict[str, Any]:
    """The same, of a patient who is known to be there."""
    row = read_row(connection, patient_id)
    return {str(name): value for name, value in row.items()} if row is not None else {}


def merged_ids(connection: Connection, patient_id: int) -> list[int]:
    """Records that this patient stands for beside its own."""
    return list(connection.scalars(select(tables.patient.c.id).where(tables.patient.c.merged_into_id == patient_id)))


def events(connection: Connection, patient_id: int) -> tuple[Event, ...]:
    """Calls, attempts, callbacks, bookings and what stands in the journal about the person, oldest first."""
    found = [*_calls(connection, patient_id), *_attempts(connection, patient_id), *_callbacks(connection, patient_id)]
    found += [*_bookings(connection, patient_id), *_changes(connection, patient_id)]
    return tuple(sorted(found, key=lambda event: (event.at, event.kind.value, event.number)))


def _calls(connection: Connection, patient_id: int) -> Iterator[Event]:
    query = (
        select(tables.call, agent.name)
        .join(tables.call_patient, tables.call_patient.c.call_id == call.id)
        .outerjoin(tables.agent, agent.id == call.taken_by)
        .where(tables.call_patient.c.patient_id == patient_id)
    )
    for row in connection.execute(query).mappings():
        words = " · ".join(text for text in (row["caller_name"], row["words"], row["note"]) if text)
        yield Event(
            row["started_at"], EventKind.CALL, row["id"], row["name"] or row["taken_by_name"], row["disposition"],
            row["site_id"], words, row["reference"],
        )  # fmt: skip


def _attempts(connection: Connection, patient_id: int) -> Iterator[Event]:
    query = (
        select(tables.attempt, callback.site_id, agent.name)
        .join(tables.callback, callback.id == attempt.callback_id)
        .outerjoin(tables.agent, agent.id == attempt.agent_id)
        .where(callback.patient_id == patient_id)
    )
    for row in connection.execute(query).mappings():
        yield Event(
            row["started_at"], EventKind.ATTEMPT, row["id"], row["name"] or "", row["disposition"], row["site_id"],
            row["note"], row["number"], is_undone=row["undone_at"] is not None,
        )  # fmt: skip


def _callbacks(connection: Connection, patient_id: int) -> Iterator[Event]:
    closer = select(agent.name).where(agent.id == callback.closed_by).scalar_subquery()
    query: Select[Any] = select(tables.callback, closer.label("closer")).where(callback.patient_id == patient_id)
    for row in connection.execute(query).mappings():
        yield Event(row["created_at"], EventKind.CALLBACK_MADE, row["id"], "", "", row["site_id"], row["note"])
        if row["released_at"]:
            yield Event(row["released_at"], EventKind.CALLBACK_RELEASED, row["id"], "", "", row["site_id"], "")
        if row["closed_at"]:
            yield Event(
                row["closed_at"],
                EventKind.CALLBACK_CLOSED,
                row["id"],
                row["closer"] or "",
                row["closed_as"],
                row["site_id"],
                "",
            )


def _bookings(connection: Connection, patient_id: int) -> Iterator[Event]:
    query = (
        select(tables.booking, item.site_id, item.service_name, agent.name)
        .join(tables.postponement, item.id == booking.postponement_id)
        .outerjoin(tables.agent, agent.id == booking.agent_id)
        .where(item.patient_id == patient_id)
    )
    for row in connection.execute(query).mappings():
        words = f"{row['slot_on']:%d/%m/%Y} {row['slot_time'] or ''} {row['service_name']}".replace("  ", " ").strip()
        yield Event(row["told_at"], EventKind.BOOKED, row["id"], row["name"] or "", row["state"], row["site_id"], words)
        if row["withdrawn_at"]:
            yield Event(
                row["withdrawn_at"],
                EventKind.BOOKING_WITHDRAWN,
                row["id"],
                "",
                "",
                row["site_id"],
                row["withdrawn_why"],
            )


def _changes(connection: Connection, patient_id: int) -> Iterator[Event]:
    """Corrections, numbers, merges and deaths; reads of the file are left to the journal."""
    entry = tables.journal.c
    query = select(tables.journal).where(
        entry.subject == "patient", entry.subject_id == str(patient_id), entry.action != "patient.read"
    )
    for row in connection.execute(query):
        yield Event(row.entered_at, EventKind.CHANGED, row.seq, row.agent, row.action, None, _changed(row.detail))


def _changed(detail: str) -> str:
    """What a journal entry says was changed, "field: old → new"; a national number is only named."""
    parts = []
    for name, value in json.loads(detail).items():
        if name == journal.REQUEST:
            continue
        if name in {"niss", "moved"}:
            parts += [name] if value not in ([None, None], "", None) else []
        elif isinstance(value, list) and len(value) == 2 and value != [None, None]:
            old, new = (_plain(one) for one in value)
            parts.append(f"{name}: {old} → {new}" if old else f"{name}: {new}")
        elif isinstance(value, str | int) and value not in ("", False):
            parts.append(f"{name}: {_plain(value)}")
    return " · ".join(parts)


def _plain(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(str(one) for one in value)
    return "" if value is None else str(value)


def listed_in(connection: Connection, postponement_ids: list[int]) -> dict[int, list[ListedIn]]:
    """Files and lines in which postponements stand, by postponement; published versions only."""
    row, file = tables.import_row.c, tables.source_file.c
    query = (
        select(row.postponement_id, file.name, row.first_line, row.row, file.published_at)
        .join(tables.source_file, file.id == row.source_file_id)
        .where(row.postponement_id.in_(postponement_ids), file.published_at.is_not(None))
        .order_by(file.published_at, row.row)
    )
    found: dict[int, list[ListedIn]] = {}
    for number, name, line, record, published_at in connection.execute(query) if postponement_ids else ():
        found.setdefault(number, []).append(ListedIn(name, line or record, published_at))
    return found
