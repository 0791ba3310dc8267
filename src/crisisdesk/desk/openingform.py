"""What a supervisor enters about an opening, and everything that may be wrong with it before it is stored."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import takewhile
from typing import TYPE_CHECKING

from crisisdesk.clock import local_day
from crisisdesk.desk import wording
from crisisdesk.desk.openingwords import version_words
from crisisdesk.desk.rules import calendar_for, reference_of
from crisisdesk.domain.opening import History, OpeningRow, read_history
from crisisdesk.domain.schedule import coming_days, is_service_day
from crisisdesk.domain.words import OpeningStage, OpeningState
from crisisdesk.errors import RuleBroken
from crisisdesk.i18n import _
from crisisdesk.store import openings

if TYPE_CHECKING:
    from crisisdesk.domain.reference import Reference
    from crisisdesk.store.engine import Connection, Store

MOST_A_DAY, MOST_ROOMS = 2000, 200
"""More places a day, or rooms, than any service has: a slip of the finger."""
FARTHEST = timedelta(days=731)
"""Nobody opens a service for a day further away: a slip in the year, and days are shown without it."""
NOTHING_SEEN = 0
"""`OpeningForm.seen_id` of a supervisor who saw a service without any row."""


@dataclass(frozen=True, slots=True)
class OpeningForm:
    """A dated change of one service."""

    service_id: int
    opens_on: date
    state: OpeningState = OpeningState.PARTIAL
    capacity_a_day: int | None = None
    reason: str = ""
    seen_id: int | None = None
    """Newest row of the service that the supervisor saw (`NOTHING_SEEN`: none); another one since then refuses the
    change. None: not checked."""
    until_on: date | None = None
    """Last day that it holds; afterwards what held before holds again."""
    includes_days_off: bool = False
    """Also weekends and public holidays."""
    rooms: int | None = None
    limits: Mapping[str, int] = field(default_factory=dict)
    """Code of a capacity limit -> places a day."""

    @classmethod
    def of(cls, row: OpeningRow, *, seen_id: int | None = None) -> "OpeningForm":
        """The form that stores a row once more: to confirm a plan as it stands."""
        return cls(
            row.service_id, row.opens_on, row.state, row.capacity_a_day, row.reason, seen_id, row.until_on,
            row.includes_days_off, row.rooms, row.limits,
        )  # fmt: skip

    def row(self, stage: OpeningStage) -> OpeningRow:
        """The row that it makes; a closed service has neither places nor limits."""
        is_closed = self.state == OpeningState.CLOSED
        capacity, rooms = (None, None) if is_closed else (self.capacity_a_day, self.rooms)
        return OpeningRow(
            0, self.service_id, stage, self.state, self.opens_on, capacity, self.reason.strip(),
            until_on=self.until_on, includes_days_off=self.includes_days_off, rooms=rooms,
            limits={} if is_closed else dict(self.limits),
        )  # fmt: skip


def check_form(store: "Store", form: OpeningForm, now: datetime) -> "Reference":
    """Everything that is wrong with a form by itself, before any write.

    Raises:
        RuleBroken: says what cannot be, and what may be given instead.
    """
    reference = reference_of(store)
    if form.service_id not in reference.services:
        raise RuleBroken(_("There is no service {number}.").format(number=form.service_id))
    _check_days(form, reference, now)
    _check_places(form, reference)
    return reference


def _check_days(form: OpeningForm, reference: "Reference", now: datetime) -> None:
    long_day, until = wording.long_day, form.until_on
    if form.opens_on < local_day(now, reference.desk.time_zone):
        raise RuleBroken(_("{day} is past: give today or a day to come.").format(day=long_day(form.opens_on)))
    not_too_far(form.opens_on, now, reference)
    not_too_far(until, now, reference)
    if until is not None and until < form.opens_on:
        words = _("It cannot end on {until} before it begins on {day}: give the last day, or leave it empty.")
        raise RuleBroken(words.format(until=long_day(until), day=long_day(form.opens_on)))
    if until is None or form.includes_days_off or form.state == OpeningState.CLOSED:
        return
    calendar = calendar_for(reference)
    days = takewhile(lambda day: day <= until, coming_days(form.opens_on))
    if not any(is_service_day(day, calendar) for day in days):
        words = _("{day} is a day off: say that days off are opened too, or give a working day.")
        raise RuleBroken(words.format(day=wording.day_words(form.opens_on)))


def not_too_far(day: date | None, now: datetime, reference: "Reference") -> None:
    """Refuse a day whose year cannot be meant.

    Raises:
        RuleBroken: names the day with its year.
    """
    if day is not None and day - local_day(now, reference.desk.time_zone) > FARTHEST:
        raise RuleBroken(_("{day} is more than two years away: look at the year.").format(day=wording.long_day(day)))


def _check_places(form: OpeningForm, reference: "Reference") -> None:
    capacity = form.capacity_a_day
    if capacity is not None and not 0 < capacity <= MOST_A_DAY:
        raise RuleBroken(
            _("{count} places a day cannot be: 1 to {most}. To close the service, choose 'closed'.").format(
                count=capacity, most=MOST_A_DAY
            )
        )
    if form.state == OpeningState.PARTIAL and capacity is None:
        raise RuleBroken(_("Partly open: how many patients a day?"))
    if form.rooms is not None and not 0 < form.rooms <= MOST_ROOMS:
        raise RuleBroken(_("{count} rooms cannot be: 1 to {most}.").format(count=form.rooms, most=MOST_ROOMS))
    for code, count in form.limits.items():
        if code not in reference.capacity_limits:
            known = ", ".join(reference.capacity_limits) or _("none")
            raise RuleBroken(_("There is no limit '{name}'. Known: {known}.").format(name=code, known=known))
        if count < 0 or (capacity is not None and count > capacity):
            words = _(
                "{name} {count}: a limit lies between 0 and the {capacity} places a day; leave it out for no limit."
            )
            raise RuleBroken(words.format(name=code, count=count, capacity=capacity or MOST_A_DAY))


def history_for(connection: "Connection", service_id: int, seen_id: int | None, reference: "Reference") -> History:
    """The history that a change is about.

    Raises:
        RuleBroken: somebody changed the service since; tells both versions, the one that was seen and the one there is.
    """
    rows = openings.opening_rows(connection, [service_id]).get(service_id, ())
    newest = rows[-1] if rows else None
    if seen_id is not None and newest is not None and newest.opening_id != seen_id:
        words = _("{name} changed this service meanwhile. You saw: {seen}. Now: {now}. Look at it again, then decide.")
        raise RuleBroken(
            words.format(
                name=newest.by, seen=version_words(_row(rows, seen_id), reference), now=version_words(newest, reference)
            )
        )
    return read_history(rows)


def _row(rows: Sequence[OpeningRow], opening_id: int) -> OpeningRow | None:
    return next((row for row in rows if row.opening_id == opening_id), None)


def nothing_planned(history: History) -> None:
    """Refuse a second plan.

    Raises:
        RuleBroken: names the plan that stands; it can be revised.
    """
    if history.planned is not None:
        day = wording.day_words(history.planned.opens_on)
        raise RuleBroken(_("An opening is planned for {day} already. Revise it.").format(day=day))


def something_to_revise(history: History) -> OpeningRow:
    """The row that a revision or a withdrawal is about.

    Raises:
        RuleBroken: nothing is planned or open.
    """
    newest = history.newest
    if newest is None or (history.planned is None and newest.state == OpeningState.CLOSED and newest.until_on is None):
        raise RuleBroken(_("Nothing is planned or open for this service: plan an opening first."))
    return newest
