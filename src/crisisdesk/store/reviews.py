"""Callbacks that nobody rings until a person has decided: a clinician's review, a number to be found, a death."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import and_, case, exists, or_, select, update

from crisisdesk.domain.words import CallbackState
from crisisdesk.store import tables
from crisisdesk.store.callbacks import DEATH
from crisisdesk.store.engine import Connection
from crisisdesk.store.items import CLINICIAN

callback, patient, postponement = tables.callback.c, tables.patient.c, tables.postponement.c


@dataclass(frozen=True, slots=True)
class HeldLine:
    """One callback on hold."""

    callback_id: int
    site_id: str
    patient_id: int
    last_name: str
    first_name: str
    full_name: str
    hold: str
    """"review", "number_search" or "confirm_death"."""
    tier: int
    due_at: datetime
    attempts: int
    note: str
    channel: str
    """What is done besides the telephone before it is rung again; empty: a clinician decides, or nothing is."""
    channels_done: Sequence[str]
    gp: str
    next_of_kin: str


_IS_DEAD = patient.death_reported_at.is_not(None)
_HOLD = case((_IS_DEAD, DEATH), else_=callback.hold)


def held_lines(
    connection: Connection, site_id: str | None, most: int, callback_id: int | None = None
) -> Sequence[HeldLine]:
    """Callbacks on hold at a site (everywhere for None), in the order of the queue; only one where it is named."""
    query = (
        select(
            callback.id, callback.site_id, callback.patient_id, patient.last_name, patient.first_name,
            patient.full_name, _HOLD, callback.tier, callback.due_at, callback.attempts, callback.note,
            callback.channel, callback.channels_done, patient.gp, patient.next_of_kin,
        )
        .join(tables.patient, patient.id == callback.patient_id)
        .where(callback.state != CallbackState.CLOSED, or_(callback.hold != "", _IS_DEAD))
        .order_by(callback.tier, callback.due_at, callback.id)
        .limit(most)
    )  # fmt: skip
    if site_id is not None:
        query = query.where(callback.site_id == site_id)
    if callback_id is not None:
        query = query.where(callback.id == callback_id)
    return [HeldLine(*tuple(row)) for row in connection.execute(query)]


def channel_lines(connection: Connection, site_id: str | None, channel: str | None, most: int) -> Sequence[Any]:
    """Open callbacks for which something is done besides the telephone, with what a letter needs of the patient."""
    phone = tables.phone.c
    has_number = exists().where(phone.patient_id == patient.id, phone.found_wrong_at.is_(None))
    query = (
        select(
            callback.id, callback.site_id, callback.channel, callback.patient_id, callback.attempts, patient.last_name,
            patient.first_name, patient.full_name, patient.town, patient.postcode, patient.language, patient.gp,
            patient.next_of_kin, patient.may_tell, patient.may_tell_who,
        )
        .join(tables.patient, patient.id == callback.patient_id)
        .where(
            callback.state != CallbackState.CLOSED, callback.hold != "", callback.channel != "", ~_IS_DEAD,
            or_(callback.hold != "number_search", ~has_number),
        )
        .order_by(callback.tier, callback.due_at, callback.id)
        .limit(most)
    )  # fmt: skip
    if site_id is not None:
        query = query.where(callback.site_id == site_id)
    if channel:
        query = query.where(callback.channel == channel)
    return connection.execute(query).all()


def end_items(connection: Connection, postponement_ids: Sequence[int], clinician: str, now: datetime) -> None:
    """Settle postponements by a clinician's decision: nobody owes a call for them any more."""
    statement = update(tables.postponement).where(
        and_(postponement.id.in_(postponement_ids), postponement.decided_at.is_(None))
    )
    connection.execute(statement.values(decided_at=now))
    decided = update(tables.postponement).where(postponement.id.in_(postponement_ids))
    connection.execute(decided.values(decision=CLINICIAN, decided_by=clinician))
