"""A place that comes free goes to the reserve list at once: who comes at short notice, and fits, is rung next.

The callback is put first in its queue with the reason "a place is free on Fri 03/06". One attempt decides: a patient
who does not take the place goes back to where the callback stood, and the next one of the reserve list is asked.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import TYPE_CHECKING, Any

from crisisdesk.clock import from_local, local_day
from crisisdesk.desk import wording
from crisisdesk.desk.booking import asked_of, diary_of
from crisisdesk.domain.reference import Reference
from crisisdesk.domain.slots import Diary, first_day
from crisisdesk.domain.words import CallbackState
from crisisdesk.store import bookings, callbacks, journal, reserves
from crisisdesk.store.reserves import ReserveRow

if TYPE_CHECKING:
    from crisisdesk.store.engine import Connection


@dataclass(frozen=True, slots=True)
class Served:
    """Who is rung next for a place that came free."""

    callback_id: int
    patient_id: int
    patient: str


def serve_reserve(
    connection: "Connection",
    service_id: int,
    day: date,
    reference: Reference,
    login: str,
    now: datetime,
    *,
    skip: Collection[int] = (),
) -> Served | None:
    """Give a free place of a day to the first of the reserve list whom it fits, inside the caller's write.

    Args:
        skip: callbacks that are not asked: of the patient who has just given the place up.

    Returns:
        None where nobody fits: the place is simply free again, and offered like any other.
    """
    code = f"reserve:{service_id}:{day.isoformat()}"
    everybody = reserves.reserve_of(connection, service_id)
    if not everybody:
        return None
    diary = diary_of(connection, service_id, reference, day)
    if diary.free_on(day) <= reserves.kept_days(everybody, service_id)[day]:
        return None
    rows = [row for row in everybody if row.callback_id not in skip]
    asked = bookings.asked_rows(connection, [row.postponement_id for row in rows])
    for row in rows:
        wanted = asked_of(asked[row.postponement_id], reference)
        if _may_be_asked(row, day, reference, now) and _fits(diary, day, wanted, service_id, reference, now):
            reserves.keep_place(connection, row, code, {"service_id": service_id, "day": day.isoformat()}, now)
            detail = {"release_why": [row.release_why, code]}
            journal.append(
                connection, agent=login, action="callback.reserve_called", subject="callback",
                subject_id=row.callback_id, detail=detail, now=now,
            )  # fmt: skip
            name = wording.patient_name(row.last_name, row.first_name, row.full_name)
            return Served(row.callback_id, row.patient_id, name)
    return None


def _may_be_asked(row: ReserveRow, day: date, reference: Reference, now: datetime) -> bool:
    """Not held by an agent or for a clinician, not asked for another place already, and to be rung before the day."""
    is_held = row.state == CallbackState.LEASED and row.lease_until is not None and row.lease_until > now
    begins = from_local(day, time.min, reference.desk.time_zone)
    is_later = row.not_before is not None and row.not_before >= max(begins, now)
    return not (is_held or row.hold or row.is_said_dead or is_later or "reserve" in row.why)


def _fits(diary: Diary, day: date, wanted: Any, service_id: int, reference: Reference, now: datetime) -> bool:
    today = local_day(now, reference.desk.time_zone)
    lead = reference.services[service_id].lead_days
    earliest = first_day(today, lead, diary.calendar, at_short_notice=True)
    return day >= earliest and wanted.wish.allows(day) and not diary.why_not(day, wanted.needs)


def let_lost_places_go(connection: "Connection", service_id: int, reference: Reference, now: datetime) -> None:
    """Places that are kept for the reserve list and are no longer there: the day is past, full or closed."""
    prefix = f"reserve:{service_id}:"
    rows = [row for row in reserves.reserve_of(connection, service_id) if row.release_why.startswith(prefix)]
    if not rows:
        return
    today = local_day(now, reference.desk.time_zone)
    diary = diary_of(connection, service_id, reference, today)
    for row in rows:
        is_held = row.state == CallbackState.LEASED and row.lease_until is not None and row.lease_until > now
        day = date.fromisoformat(row.release_why.removeprefix(prefix))
        if not is_held and (day < today or diary.why_not(day, ())):
            reserves.let_place_go(connection, row.callback_id, now)
            journal.append(
                connection, agent=callbacks.SYSTEM, action="callback.reserve_let_go", subject="callback",
                subject_id=row.callback_id, detail={"release_why": [row.release_why, None]}, now=now,
            )  # fmt: skip


def pass_reserve_on(
    connection: "Connection", callback_id: int, why: Mapping[str, Any], reference: Reference, login: str, now: datetime
) -> Served | None:
    """After a contact with a patient for whom a place was kept: who did not take it makes way for the next one.

    Args:
        why: reasons of the callback's place before the contact (`callback.why`).
    """
    kept = why.get("reserve")
    if not kept:
        return None
    reserves.let_place_go(connection, callback_id, now)
    service_id, day = int(kept["service_id"]), date.fromisoformat(kept["day"])
    if service_id not in reference.services:
        return None
    return serve_reserve(connection, service_id, day, reference, login, now, skip={callback_id})
