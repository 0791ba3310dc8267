"""The diary of a service: its days with what they take and who was told, and who comes at short notice. Reads only."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from itertools import islice
from typing import TYPE_CHECKING

from crisisdesk.clock import local_day
from crisisdesk.desk import wording
from crisisdesk.desk.booking import asked_for, diary_of
from crisisdesk.desk.rules import reference_of
from crisisdesk.desk.slotwords import date_wish_words, needs_words
from crisisdesk.domain.opening import UNLIMITED, capacity_on, limits_on, open_days, read_history
from crisisdesk.domain.reference import Reference, Service
from crisisdesk.domain.slots import Diary
from crisisdesk.errors import RuleBroken
from crisisdesk.i18n import _
from crisisdesk.store import diaries, openings, reserves
from crisisdesk.store.reserves import ReserveRow

if TYPE_CHECKING:
    from crisisdesk.store.engine import Store

DAYS_SHOWN = 20


@dataclass(frozen=True, slots=True)
class DayLine:
    """One day of a service."""

    day: date
    capacity: int | None
    """Places; None where the service is open without a number."""
    told: int
    free: int | None
    limits: Mapping[str, tuple[int, int]]
    """Code of a limit -> places told, places there are; only those that the day limits."""
    limits_words: str
    """ "implant 2/2"."""
    kept: int
    """Places for which somebody of the reserve list is asked at present."""
    is_past: bool
    """Past, and it is not known of everybody whether they came."""


@dataclass(frozen=True, slots=True)
class ServiceDiary:
    """The days of one service."""

    service_id: int
    site_id: str
    name: str
    days: Sequence[DayLine]
    to_confirm: int
    """Told places of past days of which nobody said whether the patient came."""
    reserve: int
    """Patients who come at short notice."""


@dataclass(frozen=True, slots=True)
class ToldLine:
    """One patient who was told a place. Names and procedure are foreign text."""

    booking_id: int
    postponement_id: int
    patient_id: int
    patient: str
    procedure: str
    priority: str | None
    original_on: date | None
    slot_on: date
    slot_time: time | None
    needs: Sequence[str]
    needs_words: str
    told_at: datetime
    told_by: str
    number: str
    """To ring, E.164; empty where none is known."""


@dataclass(frozen=True, slots=True)
class ReserveLine:
    """One patient who comes at short notice."""

    callback_id: int
    postponement_id: int
    patient_id: int
    patient: str
    priority: str | None
    original_on: date | None
    needs_words: str
    wish_words: str
    state: str
    """Where the callback stands, in words."""


def service_of(reference: Reference, service_id: int) -> Service:
    """A service by its id.

    Raises:
        RuleBroken: there is none.
    """
    if service_id not in reference.services:
        raise RuleBroken(_("There is no service {number}.").format(number=service_id))
    return reference.services[service_id]


def services_with_days(store: "Store", site_id: str | None) -> Sequence[int]:
    """Services of a site (of all for None) that ever took anybody or told anybody a day; those with most told first."""
    reference = reference_of(store)
    with store.read() as connection:
        rows, told = openings.opening_rows(connection), diaries.told_by_service(connection)
    open_ones = {number for number, of_it in rows.items() if any(row.places for row in read_history(of_it).confirmed)}
    wanted = [s.service_id for s in reference.services.values() if site_id in (None, s.site_id)]
    found = [number for number in wanted if number in open_ones or told.get(number)]
    return sorted(found, key=lambda number: -told.get(number, 0))


def read_diary(store: "Store", service_id: int, *, now: datetime, days: int = DAYS_SHOWN) -> ServiceDiary:
    """The next ``days`` days on which a service takes anybody, or on which somebody was told a place; before them the
    past days of which it is not known who came.

    Raises:
        RuleBroken: no such service.
    """
    reference = reference_of(store)
    service = service_of(reference, service_id)
    today = local_day(now, reference.desk.time_zone)
    with store.read() as connection:
        diary = diary_of(connection, service_id, reference, date.min)
        in_reserve = reserves.reserve_of(connection, service_id)
    kept = reserves.kept_days(in_reserve, service_id)
    coming = {day for day, _capacity in islice(open_days(diary.history, today, diary.calendar), days)}
    shown = sorted(coming | {day for day in diary.booked if day >= today})[:days]
    past = sorted(day for day in diary.booked if day < today)
    lines = [_day_line(diary, day, today, kept[day], reference) for day in (*past, *shown)]
    return ServiceDiary(
        service_id, service.site_id, service.name, lines, sum(diary.booked[day] for day in past), len(in_reserve)
    )


def _day_line(diary: Diary, day: date, today: date, kept: int, reference: Reference) -> DayLine:
    capacity, told = capacity_on(diary.history, day, diary.calendar), diary.booked.get(day, 0)
    taken = diary.booked_limits.get(day, {})
    limits = {code: (taken.get(code, 0), most) for code, most in limits_on(diary.history, day).items()}
    words = ", ".join(f"{needs_words([code], reference)} {used}/{most}" for code, (used, most) in limits.items())
    is_open_ended = capacity >= UNLIMITED
    free = None if is_open_ended else max(capacity - told, 0)
    return DayLine(day, None if is_open_ended else capacity, told, free, limits, words, kept, day < today)


def told_on(store: "Store", service_id: int, day: date | None, *, now: datetime) -> Sequence[ToldLine]:
    """Who was told a place of a service on a day; None: on any past day, to be said whether they came.

    Raises:
        RuleBroken: no such service.
    """
    reference = reference_of(store)
    service_of(reference, service_id)
    today = local_day(now, reference.desk.time_zone)
    with store.read() as connection:
        return [_told_line(row, reference) for row in diaries.told_rows(connection, service_id, day, today)]


def told_to_patient(store: "Store", patient_id: int) -> Sequence[ToldLine]:
    """The places that a patient was told and that still hold, by day."""
    reference = reference_of(store)
    with store.read() as connection:
        return [_told_line(row, reference) for row in diaries.told_rows_of_patient(connection, patient_id)]


def find_told(store: "Store", booking_id: int) -> ToldLine | None:
    """One told place that still holds."""
    reference = reference_of(store)
    with store.read() as connection:
        row = diaries.told_row(connection, booking_id)
        return _told_line(row, reference) if row is not None else None


def _told_line(row: diaries.ToldRow, reference: Reference) -> ToldLine:
    name = wording.patient_name(row.last_name, row.first_name, row.full_name)
    return ToldLine(
        row.booking_id, row.postponement_id, row.patient_id, name, row.procedure or row.service_name, row.priority,
        row.original_on, row.slot_on, row.slot_time, row.needs, needs_words(row.needs, reference), row.told_at,
        row.told_by, row.number or "",
    )  # fmt: skip


def list_reserve(store: "Store", service_id: int, *, now: datetime) -> Sequence[ReserveLine]:
    """Who comes at short notice for a service, in the order in which they are asked.

    Raises:
        RuleBroken: no such service.
    """
    reference = reference_of(store)
    service_of(reference, service_id)
    with store.read() as connection:
        rows = reserves.reserve_of(connection, service_id)
        asked = asked_for(connection, [row.postponement_id for row in rows], reference)
    return [
        ReserveLine(
            row.callback_id, row.postponement_id, row.patient_id,
            wording.patient_name(row.last_name, row.first_name, row.full_name), row.priority, row.original_on,
            needs_words(asked[row.postponement_id].needs, reference),
            date_wish_words(asked[row.postponement_id].wish), _state_words(row, now),
        )
        for row in rows
    ]  # fmt: skip


def _state_words(row: ReserveRow, now: datetime) -> str:
    if row.is_said_dead:
        return wording.reason_words("confirm_death")
    if row.hold:
        return wording.reason_words(row.hold)
    if row.state == "leased" and row.lease_until is not None and row.lease_until > now:
        return wording.reason_words("held")
    if row.release_why.startswith("reserve:"):
        return wording.release_words(row.release_why)
    return _("waits for a free place")
