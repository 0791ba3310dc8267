"""Attempts: what was known before one, and one stored with what it leads to."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, bindparam, func, insert, select, update

from crisisdesk.domain.words import CallbackState
from crisisdesk.store import tables
from crisisdesk.store.engine import Connection
from crisisdesk.store.items import is_unsettled

attempt, callback, phone = tables.attempt.c, tables.callback.c, tables.phone.c
item, postponement = tables.callback_item.c, tables.postponement.c


def callback_row(connection: Connection, callback_id: int) -> Row[Any] | None:
    """The row of one callback."""
    return connection.execute(select(tables.callback).where(callback.id == callback_id)).one_or_none()


def attempt_by_uid(connection: Connection, uid: str) -> Row[Any] | None:
    """The attempt that was stored under a client's own key, if it was."""
    return connection.execute(select(tables.attempt).where(attempt.uid == uid)).one_or_none()


def usable_numbers(connection: Connection, patient_id: int) -> Sequence[str]:
    """Numbers of a patient that are not known to be wrong, best first."""
    query = select(phone.number).where(phone.patient_id == patient_id, phone.found_wrong_at.is_(None))
    return list(connection.scalars(query.order_by(phone.is_guessed, phone.position, phone.id)))


def rung_since(connection: Connection, numbers: Sequence[str], since: datetime) -> Mapping[str, int]:
    """Attempts on numbers since an instant, whoever was meant."""
    query = select(attempt.number, func.count()).where(attempt.number.in_(numbers), attempt.started_at >= since)
    return {row.number: row[1] for row in connection.execute(query.group_by(attempt.number))}


def count_same(connection: Connection, callback_id: int, disposition: str) -> int:
    """Earlier attempts of a callback that ended with a disposition."""
    query = select(func.count()).where(attempt.callback_id == callback_id, attempt.disposition == disposition)
    return int(connection.execute(query).scalar_one())


_UNSETTLED = (
    select(postponement.id, postponement.service_id)
    .join(tables.callback_item, item.postponement_id == postponement.id)
    .where(item.callback_id == bindparam("callback_id"), is_unsettled())
)


def unsettled_items(connection: Connection, callback_id: int) -> Mapping[int, int | None]:
    """Postponements of a callback that are owed an answer, with their service."""
    rows = connection.execute(_UNSETTLED, {"callback_id": callback_id})
    return {row.id: row.service_id for row in rows}


def insert_attempt(connection: Connection, row: Mapping[str, Any], items: Mapping[int, str]) -> int:
    """Store an attempt with the dispositions of its postponements, and give its id."""
    number = int(connection.execute(insert(tables.attempt).values(row).returning(attempt.id)).scalar_one())
    if items:
        rows = [{"attempt_id": number, "postponement_id": key, "disposition": code} for key, code in items.items()]
        connection.execute(insert(tables.attempt_item), rows)
    return number


def change_callback(connection: Connection, callback_id: int, values: Mapping[str, Any]) -> None:
    """Set columns of one callback."""
    connection.execute(update(tables.callback).where(callback.id == callback_id).values(values))


def give_rest(connection: Connection, patient_id: int, now: datetime) -> None:
    """The patient was tried now: every open callback of the same person rests, at every site."""
    theirs = update(tables.callback).where(callback.patient_id == patient_id, callback.state != CallbackState.CLOSED)
    connection.execute(theirs.values(last_attempt_at=now))


def mark_number_wrong(connection: Connection, patient_id: int, number: str, now: datetime) -> None:
    """Nobody rings this number for this patient any more. Others who share it keep it."""
    theirs = update(tables.phone).where(phone.patient_id == patient_id, phone.number == number)
    connection.execute(theirs.where(phone.found_wrong_at.is_(None)).values(found_wrong_at=now))
    waiting = update(tables.callback).where(callback.patient_id == patient_id, callback.number == number)
    connection.execute(waiting.where(callback.state != CallbackState.CLOSED).values(number=""))


def drop_draft(connection: Connection, uid: str) -> None:
    """The draft of what is now stored is needed no longer."""
    connection.execute(tables.draft.delete().where(tables.draft.c.uid == uid))
