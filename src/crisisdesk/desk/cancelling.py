"""A place that was told is given up, moved, kept or missed. The wait clock runs on from the original date always.

Whoever is to blame for nothing loses nothing: a patient whose place the service takes back is rung first of all; one
who asks for another day stands where the original date puts the callback; only a clinician lets anybody leave the list.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from crisisdesk.clock import local_day
from crisisdesk.desk import wording
from crisisdesk.desk.booking import book
from crisisdesk.desk.releasing import release_free_places
from crisisdesk.desk.reserving import Served, serve_reserve
from crisisdesk.desk.rights import needs
from crisisdesk.desk.rules import reference_of
from crisisdesk.domain.rights import Right
from crisisdesk.domain.text import clean
from crisisdesk.domain.words import Coverage
from crisisdesk.errors import RuleBroken
from crisisdesk.i18n import _
from crisisdesk.store import attempts, bookings, callbacks, journal
from crisisdesk.store.bookings import ToldBooking
from crisisdesk.store.items import prove

if TYPE_CHECKING:
    from crisisdesk.desk.agents import Agent
    from crisisdesk.domain.reference import Reference
    from crisisdesk.store.engine import Connection, Store

LONGEST_REASON = 500


class AskedBy(StrEnum):
    """Whose doing it is."""

    PATIENT = "patient"
    SERVICE = "service"


class Wants(StrEnum):
    """What a patient wants who gives a day up."""

    ANOTHER_DATE = "another_date"
    """Rung again, in the callback's place."""
    GIVES_UP = "gives_up"
    """Leaves the list: a clinician agrees first."""


@dataclass(frozen=True, slots=True)
class Freed:
    """A place that is free again, and what follows."""

    booking_id: int
    patient: str
    slot_on: date
    callback_id: int | None
    """By which the patient is owed a call; None: none is owed."""
    served: Served | None
    """Who is rung next for the place."""
    words: str


@needs(Right.BOOK)
def cancel_booking(
    store: "Store",
    booking_id: int,
    *,
    asked_by: AskedBy,
    reason: str,
    wants: Wants = Wants.ANOTHER_DATE,
    agent: "Agent",
    now: datetime,
) -> Freed:
    """Take back a place that a patient was told; the place goes to the reserve list in the same transaction.

    Args:
        asked_by: the service: the patient is rung first of all (tier 0), the old promise stays in the history.
        wants: what the patient wants, who gave the day up.

    Raises:
        RuleBroken: an auditor; no reason; no such place, or it holds no longer; its day is past.
    """
    reason, reference = _checked(store, reason)
    with store.write() as connection:
        told = _told(connection, booking_id)
        if told.slot_on < local_day(now, reference.desk.time_zone):
            raise RuleBroken(
                _("{day} is past: say whether the patient came.").format(day=wording.day_words(told.slot_on))
            )
        why = f"cancelled_by_{asked_by.value}"
        bookings.withdraw_booking(connection, booking_id, told.postponement_id, why, now, by=agent.agent_id)
        callback_id = _owe(connection, told, asked_by, wants, reason, agent, now)
        detail = {"reason": reason, "wants": wants.value if asked_by == AskedBy.PATIENT else ""}
        _tell(connection, "booking.cancelled", told, {"withdrawn_why": ["", why], **detail}, agent, now)
        served = _serve(connection, told, callback_id, reference, agent, now)
    return _freed(told, callback_id, served)


def _checked(store: "Store", reason: str) -> "tuple[str, Reference]":
    words = clean(reason).text
    if not words or len(words) > LONGEST_REASON:
        raise RuleBroken(_("Say why, {most} characters at most: the journal keeps it.").format(most=LONGEST_REASON))
    return words, reference_of(store)


def _told(connection: "Connection", booking_id: int) -> ToldBooking:
    told = bookings.read_told(connection, booking_id)
    if told is None:
        row = bookings.booking_row(connection, booking_id)
        if row is None:
            raise RuleBroken(_("There is no booking {number}.").format(number=booking_id))
        words = _("Booking {number} of {day} holds no longer: it was settled or taken back.")
        raise RuleBroken(words.format(number=booking_id, day=wording.day_words(row.slot_on)))
    return told


def _owe(
    connection: "Connection",
    told: ToldBooking,
    asked_by: AskedBy,
    wants: Wants | None,
    reason: str,
    agent: "Agent",
    now: datetime,
) -> int:
    """The patient is owed a call again: first of all, in the place of the original date, or after a clinician.

    ``wants`` is None where nobody spoke to the patient.
    """
    gives_up = asked_by == AskedBy.PATIENT and wants == Wants.GIVES_UP
    if asked_by == AskedBy.PATIENT and wants is not None:
        prove(connection, [told.postponement_id], Coverage.REACHED, now)
    callback_id = callbacks.hold(
        connection, patient_id=told.patient_id, site_id=told.site_id, postponement_ids=[told.postponement_id],
        wish=None, released=False, call_id=None, agent_id=agent.agent_id, now=now,
        hold_for="review" if gives_up else "",
        slipped={"told_on": told.slot_on.isoformat(), "now_on": None} if asked_by == AskedBy.SERVICE else None,
    )  # fmt: skip
    if asked_by == AskedBy.PATIENT:
        row = attempts.callback_row(connection, callback_id)
        note = " · ".join(text for text in (row.note if row else "", reason) if text)
        attempts.change_callback(connection, callback_id, {"note": note})
    return callback_id


def _serve(
    connection: "Connection",
    told: ToldBooking,
    callback_id: int | None,
    reference: "Reference",
    agent: "Agent",
    now: datetime,
) -> Served | None:
    """Who is asked to take the freed place; with nobody in reserve it is offered in the order of the queue."""
    if told.service_id not in reference.services:
        return None
    skip = () if callback_id is None else (callback_id,)
    served = serve_reserve(connection, told.service_id, told.slot_on, reference, agent.login, now, skip=skip)
    if served is None and (counts := release_free_places(connection, reference, now, service_id=told.service_id)):
        detail = {"booking": told.booking_id, "released": counts[told.service_id]}
        journal.append(
            connection, agent=agent.login, action="callbacks.released", subject="service",
            subject_id=told.service_id, detail=detail, now=now,
        )  # fmt: skip
    return served


def _tell(
    connection: "Connection", action: str, told: ToldBooking, detail: dict[str, object], agent: "Agent", now: datetime
) -> None:
    known = {"postponement": told.postponement_id, "patient_id": told.patient_id, "slot_on": told.slot_on.isoformat()}
    journal.append(
        connection, agent=agent.login, action=action, subject="booking", subject_id=told.booking_id,
        detail=known | detail, now=now,
    )  # fmt: skip


def _freed(told: ToldBooking, callback_id: int | None, served: Served | None) -> Freed:
    day = wording.day_words(told.slot_on)
    words = _("The place of {day} is free again.").format(day=day)
    if served is not None:
        words = _("The place of {day} goes to the reserve list: {patient} is rung next.").format(
            day=day, patient=served.patient
        )
    name = wording.patient_name(told.last_name, told.first_name)
    return Freed(told.booking_id, name, told.slot_on, callback_id, served, words)


@needs(Right.BOOK)
def move_booking(
    store: "Store", booking_id: int, day: date, *, asked_by: AskedBy, reason: str, agent: "Agent", now: datetime
) -> Freed:
    """Give a patient, who agrees to it on the line, another day in place of the one that was told.

    Raises:
        RuleBroken: an auditor; no reason; no such place, or it holds no longer; the new day is full, closed, past or
            the same (names the next days that fit). Wants nothing is changed.
    """
    reason, reference = _checked(store, reason)
    with store.write() as connection:
        told = _told(connection, booking_id)
        if day == told.slot_on:
            raise RuleBroken(_("The patient has {day} already.").format(day=wording.day_words(day)))
        why = f"moved_by_{asked_by.value}"
        bookings.withdraw_booking(
            connection, booking_id, told.postponement_id, why, now, by=agent.agent_id, stays_settled=True
        )
        number = book(
            connection, postponement_id=told.postponement_id, service_id=told.service_id, slot_on=day, slot_time=None,
            reference=reference, agent_id=agent.agent_id, attempt_id=None, call_id=None, now=now,
        )  # fmt: skip
        _tell(
            connection, "booking.moved", told,
            {"reason": reason, "withdrawn_why": ["", why], "moved_to": [told.slot_on.isoformat(), day.isoformat()],
             "booking": number}, agent, now,
        )  # fmt: skip
        served = _serve(connection, told, None, reference, agent, now)
    return _freed(told, None, served)


@needs(Right.BOOK)
def mark_done(store: "Store", booking_ids: Sequence[int], *, agent: "Agent", now: datetime) -> int:
    """Write down that patients came on their day; their postponements are done. Gives how many.

    Raises:
        RuleBroken: an auditor; one of the places holds no longer, or its day is still to come. Wants none is changed.
    """
    reference = reference_of(store)
    today = local_day(now, reference.desk.time_zone)
    with store.write() as connection:
        for booking_id in dict.fromkeys(booking_ids):
            told = _told(connection, booking_id)
            if told.slot_on > today:
                day = wording.day_words(told.slot_on)
                raise RuleBroken(_("{day} is still to come: nobody can have come yet.").format(day=day))
            bookings.set_done(connection, booking_id)
            prove(connection, [told.postponement_id], Coverage.DONE, now)
            _tell(connection, "booking.done", told, {"state": ["told", "done"]}, agent, now)
    return len(set(booking_ids))


@needs(Right.BOOK)
def mark_not_come(
    store: "Store", booking_id: int, *, cause: AskedBy, reason: str, agent: "Agent", now: datetime
) -> Freed:
    """Write down that a patient did not come on the day. A call is owed again; nothing closes for it.

    Args:
        cause: the service: the patient is rung first of all; the patient: in the place of the original date.

    Raises:
        RuleBroken: an auditor; no reason; no such place, or it holds no longer; its day is still to come.
    """
    reason, reference = _checked(store, reason)
    with store.write() as connection:
        told = _told(connection, booking_id)
        if told.slot_on > local_day(now, reference.desk.time_zone):
            day = wording.day_words(told.slot_on)
            raise RuleBroken(_("{day} is still to come: cancel the booking instead.").format(day=day))
        why = f"not_come_{cause.value}"
        bookings.withdraw_booking(connection, booking_id, told.postponement_id, why, now, by=agent.agent_id)
        callback_id = _owe(connection, told, cause, None, reason, agent, now)
        _tell(connection, "booking.not_come", told, {"reason": reason, "withdrawn_why": ["", why]}, agent, now)
    name = wording.patient_name(told.last_name, told.first_name)
    words = _("{patient} is owed a call again.").format(patient=name)
    return Freed(told.booking_id, name, told.slot_on, callback_id, None, words)
