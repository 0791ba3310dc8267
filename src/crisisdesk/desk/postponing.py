"""A session, some days or a whole service put off at once: a new incident, a second outage.

One act of a supervisor: the history gets its rows, every told place of those days is taken back, and each of those
patients is rung first. Each postponement keeps its own record and its original date; the old promise stays.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from crisisdesk.clock import local_day
from crisisdesk.desk import wording
from crisisdesk.desk.openingform import MOST_A_DAY, history_for, not_too_far
from crisisdesk.desk.openingpreview import OpeningPreview, preview_of
from crisisdesk.desk.releasing import Consequence, apply_consequence, foresee
from crisisdesk.desk.reopening import add_row
from crisisdesk.desk.rights import at_own_service, needs
from crisisdesk.desk.rules import calendar_for, reference_of
from crisisdesk.domain.opening import UNLIMITED, History, OpeningRow, capacity_on
from crisisdesk.domain.rights import Right
from crisisdesk.domain.schedule import EVENING, NOON
from crisisdesk.domain.words import OpeningStage, OpeningState, PartOfDay
from crisisdesk.errors import RuleBroken
from crisisdesk.i18n import _

if TYPE_CHECKING:
    from crisisdesk.desk.agents import Agent
    from crisisdesk.domain.reference import Reference
    from crisisdesk.store.bookings import ToldBooking
    from crisisdesk.store.engine import Connection, Store

POSTPONED = "postponed"
MOST_DAYS = 366


@dataclass(frozen=True, slots=True)
class PostponeForm:
    """What is put off."""

    service_id: int
    from_on: date
    until_on: date | None = None
    """Last day that is put off; None: the service, until further notice."""
    part: PartOfDay = PartOfDay.ANY
    """A session: morning, afternoon or evening of each of those days."""
    places_left: int | None = None
    """For a session: places a day that remain; None: half of them, rounded down."""
    reason: str = ""
    seen_id: int | None = None


def preview_postponing(store: "Store", form: PostponeForm, *, now: datetime) -> OpeningPreview:
    """Who was told those days and would be rung again. Changes nothing.

    Raises:
        RuleBroken: as `postpone`, except that anybody may look.
    """
    reference = _check(store, form, now, with_reason=False)
    with store.read() as connection:
        return _look(connection, form, reference, now)[0]


@needs(Right.OPEN_SERVICE)
def postpone(store: "Store", form: PostponeForm, *, agent: "Agent", now: datetime) -> OpeningPreview:
    """Put a session, days or a service off, and owe each patient who was told those days a call, first of all.

    Raises:
        RuleBroken: no supervisor; no reason; a past day; an end before the beginning; nothing takes place then;
            somebody changed the service meanwhile (tells both versions).
    """
    reference = _check(store, form, now, with_reason=True)
    at_own_service(agent, reference, form.service_id)
    with store.write() as connection:
        preview, history, rows, consequence = _look(connection, form, reference, now)
        number = 0
        for row in rows:
            number = add_row(connection, row, history, agent, now)
        apply_consequence(connection, consequence, number, reference, agent, now, why=POSTPONED)
    return preview


def _look(
    connection: "Connection", form: PostponeForm, reference: "Reference", now: datetime
) -> tuple[OpeningPreview, History, Sequence[OpeningRow], Consequence]:
    history = history_for(connection, form.service_id, form.seen_id, reference)
    rows = _rows(form, history, reference)
    consequence = foresee(
        connection, form.service_id, rows, reference, now, is_hit=lambda booking: _is_hit(booking, form)
    )
    seen = preview_of(rows[0], history, consequence, reference, local_day(now, reference.desk.time_zone))
    return seen, history, rows, consequence


def _rows(form: PostponeForm, history: History, reference: "Reference") -> Sequence[OpeningRow]:
    """What the history gets: closed from a day on, or on some days; for a session fewer places on those days."""
    closed = OpeningRow(
        0, form.service_id, OpeningStage.ACTUAL, OpeningState.CLOSED, form.from_on, None, form.reason.strip(),
        until_on=form.until_on,
    )  # fmt: skip
    if form.part == PartOfDay.ANY:
        if all(row.state == OpeningState.CLOSED for row in _in_force(form, history)) and history.on(form.from_on):
            raise RuleBroken(
                _("This service is closed then already: nothing takes place from {day} on.").format(
                    day=wording.day_words(form.from_on)
                )
            )
        return [closed]
    rows: list[OpeningRow] = []
    day, last, calendar = form.from_on, form.until_on or form.from_on, calendar_for(reference)
    while day <= last:
        places, base = capacity_on(history, day, calendar), history.on(day)
        if base is not None and places:
            left = _left(form, places)
            follows = (
                rows and rows[-1].until_on == day - timedelta(days=1) and rows[-1].capacity_a_day == (left or None)
            )
            if follows and rows[-1].limits == base.limits:
                rows[-1] = replace(rows[-1], until_on=day)
            else:
                rows.append(_session_row(closed, base, day, left))
        day += timedelta(days=1)
    if not rows:
        raise RuleBroken(_("Nothing takes place on those days: give days on which the service takes patients."))
    return rows


def _in_force(form: PostponeForm, history: History) -> Sequence[OpeningRow]:
    """The rows that hold on the days to be put off."""
    last = form.until_on or form.from_on
    coming = [row for row in history.confirmed if form.until_on is None and row.opens_on > form.from_on]
    days = (form.from_on + timedelta(days=step) for step in range((last - form.from_on).days + 1))
    return [*coming, *(row for day in days if (row := history.on(day)) is not None)]


def _left(form: PostponeForm, places: int) -> int:
    if form.places_left is not None:
        return min(form.places_left, places)
    if places >= UNLIMITED:
        raise RuleBroken(_("This service is open without a number: say how many places a day are left."))
    return places // 2


def _session_row(closed: OpeningRow, base: OpeningRow, day: date, left: int) -> OpeningRow:
    """Fewer places on a day; none at all closes it."""
    if not left:
        return replace(closed, opens_on=day, until_on=day)
    return replace(
        closed, state=OpeningState.PARTIAL, opens_on=day, until_on=day, capacity_a_day=left, rooms=base.rooms,
        includes_days_off=base.includes_days_off, limits={code: min(n, left) for code, n in base.limits.items()},
    )  # fmt: skip


def _is_hit(booking: "ToldBooking", form: PostponeForm) -> bool:
    """Whether a told place is put off itself: of those days, and for a session of that part of the day.

    A place without an hour belongs to no session: it gives way only where the day has no room left for it.
    """
    if booking.slot_on < form.from_on or (form.until_on is not None and booking.slot_on > form.until_on):
        return False
    if form.part == PartOfDay.ANY:
        return True
    if booking.slot_time is None or (form.until_on is None and booking.slot_on != form.from_on):
        return False
    at = booking.slot_time
    part = PartOfDay.MORNING if at < NOON else PartOfDay.AFTERNOON if at < EVENING else PartOfDay.EVENING
    return part == form.part


def _check(store: "Store", form: PostponeForm, now: datetime, *, with_reason: bool) -> "Reference":
    reference = reference_of(store)
    if form.service_id not in reference.services:
        raise RuleBroken(_("There is no service {number}.").format(number=form.service_id))
    if form.from_on < local_day(now, reference.desk.time_zone):
        raise RuleBroken(_("{day} is past: give today or a day to come.").format(day=wording.long_day(form.from_on)))
    not_too_far(form.from_on, now, reference)
    if form.until_on is not None and not 0 <= (form.until_on - form.from_on).days <= MOST_DAYS:
        words = _("It cannot end on {until} before it begins on {day}, nor last more than a year.")
        raise RuleBroken(words.format(until=wording.long_day(form.until_on), day=wording.long_day(form.from_on)))
    if form.places_left is not None and not 0 <= form.places_left <= MOST_A_DAY:
        raise RuleBroken(
            _("{count} places left cannot be: 0 to {most}.").format(count=form.places_left, most=MOST_A_DAY)
        )
    if with_reason and not form.reason.strip():
        raise RuleBroken(_("Say why it is put off: the patients will ask."))
    return reference
