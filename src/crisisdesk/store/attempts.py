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


def stands_for(connection: Connection, row: Row[Any]) -> int:
    """The open callback that a merge of two records left in place of one that it closed; 0 where there is none."""
    if row.closed_as != "merged":
        return 0
    is_open = (callback.patient_id == row.patient_id) & (callback.site_id == row.site_id)
    query = select(callback.id).where(is_open, callback.state != CallbackState.CLOSED)
    return int(connection.execute(query).scalar() or 0)


def attempt_by_uid(connection: Connection, uid: str) -> Row[Any] | None:
    """The attempt that was stored under a client's own key, if it was."""
    return connection.execute(select(tables.attempt).where(attempt.uid == uid)).one_or_none()


def usable_numbers(connection: Connection, patient_id: int) -> Sequence[str]:
    """Numbers of a patient that are not known to be wrong, best first."""
    query = select(phone.number).where(phone.patient_id == patient_id, phone.found_wrong_at.is_(None))
    return list(connection.scalars(query.order_by(phone.is_guessed, phone.position, phone.id)))


_COUNTS = attempt.undone_at.is_(None)
"""An attempt that was taken back stays, and counts nowhere."""


def rung_since(
    connection: Connection, numbers: Sequence[str], since: datetime, disposition: str = ""
) -> Mapping[str, int]:
    """Attempts on numbers since an instant, whoever was meant; those of one disposition where it is named."""
    query = select(attempt.number, func.count()).where(
        attempt.number.in_(numbers), attempt.started_at >= since, _COUNTS
    )
    if disposition:
        query = query.where(attempt.disposition == disposition)
    return {row.number: row[1] for row in connection.execute(query.group_by(attempt.number))}


def count_same(connection: Connection, callback_id: int, disposition: str, among: int | None = None) -> int:
    """Earlier attempts of a callback that ended with a disposition; only the last ``among`` are looked at, if given."""
    ended = select(attempt.disposition).where(attempt.callback_id == callback_id, _COUNTS)
    if among is not None:
        ended = ended.order_by(attempt.started_at.desc(), attempt.id.desc()).limit(among)
    looked_at = ended.subquery()
    query = select(func.count()).select_from(looked_at).where(looked_at.c.disposition == disposition)
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


_ELSEWHERE = (
    select(callback.id, callback.site_id, postponement.id.label("postponement_id"), postponement.service_id)
    .join(tables.callback_item, item.callback_id == callback.id)
    .join(tables.postponement, postponement.id == item.postponement_id)
    .where(
        callback.patient_id == bindparam("patient_id"), callback.id != bindparam("callback_id"),
        callback.state != CallbackState.CLOSED, is_unsettled(),
    )
)  # fmt: skip


def items_elsewhere(connection: Connection, patient_id: int, callback_id: int) -> Mapping[int, Any]:
    """What the same patient is owed an answer for in open callbacks at other sites: rows of ``id`` (the callback),
    ``site_id`` and ``service_id`` by postponement."""
    rows = connection.execute(_ELSEWHERE, {"patient_id": patient_id, "callback_id": callback_id})
    return {row.postponement_id: row for row in rows}


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


def free_from(connection: Connection, callback_id: int, **values: Any) -> None:
    """Let a callback of the same patient wait again after another call has spoken of it: an old lease is over."""
    freed = {"state": CallbackState.WAITING, "leased_by": None, "leased_at": None, "lease_until": None}
    statement = update(tables.callback).where(callback.id == callback_id)
    connection.execute(statement.values(**freed, generation=callback.generation + 1, **values))


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
