"""Services close and open: planned, revised, confirmed; an opening releases callbacks, a slip takes promises back.

The preview and the confirmation run the same computation; the confirmation runs it inside its write.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import TYPE_CHECKING

from crisisdesk.clock import from_local, local_day
from crisisdesk.desk import wording
from crisisdesk.desk.releasing import Consequence, apply_consequence, foresee, release_free_places
from crisisdesk.desk.rules import calendar_for, only_supervisors, reference_of
from crisisdesk.domain.opening import History, OpeningRow, read_history
from crisisdesk.domain.words import OpeningStage, OpeningState
from crisisdesk.errors import RuleBroken
from crisisdesk.i18n import _
from crisisdesk.store import journal, openings
from crisisdesk.store.callbacks import SYSTEM
from crisisdesk.store.openings import Backlog

if TYPE_CHECKING:
    from crisisdesk.desk.agents import Agent
    from crisisdesk.domain.reference import Reference
    from crisisdesk.store.engine import Connection, Store

MOST_A_DAY = 2000
"""More places a day than any service has: a slip of the finger."""


@dataclass(frozen=True, slots=True)
class OpeningForm:
    """A dated change of one service."""

    service_id: int
    opens_on: date
    state: OpeningState = OpeningState.PARTIAL
    capacity_a_day: int | None = None
    reason: str = ""
    seen_id: int | None = None
    """Newest row of the service that the supervisor saw; another one since then refuses the change."""


@dataclass(frozen=True, slots=True)
class OpeningPreview:
    """What confirming would do; `confirm_opening` gives the same with what it did."""

    service_id: int
    row: OpeningRow
    released: int
    """Callbacks that may then be rung and wait now."""
    first: Sequence[tuple[str, str]]
    """The first ten of them: patient, why there."""
    staying: int
    """Callbacks that go on waiting."""
    stay_reasons: Sequence[str]
    empty_on: date | None
    """Working day on which the last of the service's backlog has a place, at this capacity; None: never or unknown."""
    withdrawn: Sequence[tuple[str, date]]
    """Patients who were told a day that then no longer holds, with that day."""
    called_back: int
    """Callbacks not rung yet that then wait again."""


@dataclass(frozen=True, slots=True)
class ServiceLine:
    """One service on the board of openings."""

    service_id: int
    site_id: str
    name: str
    is_protected: bool
    state: OpeningState | None
    """In force today; None: never closed."""
    capacity_a_day: int | None
    since: date | None
    coming: OpeningRow | None
    """A confirmed change whose day is to come."""
    planned: OpeningRow | None
    history: Sequence[OpeningRow]
    backlog: Backlog

    @property
    def newest_id(self) -> int | None:
        """For `OpeningForm.seen_id`."""
        return self.history[-1].opening_id if self.history else None


def list_services(
    store: "Store", site_id: str | None = None, *, now: datetime, as_of: datetime | None = None
) -> Sequence[ServiceLine]:
    """Every service of a site (of all sites for None): its state, plan, capacity and backlog.

    Args:
        as_of: states and plans as they were known at that instant ("what was planned on 30 May?"); the backlog is
            always that of now.
    """
    reference = reference_of(store)
    today = local_day(as_of or now, reference.desk.time_zone)
    with store.read() as connection:
        rows, backlogs = openings.opening_rows(connection), openings.backlogs(connection)
    lines = []
    for service in reference.services.values():
        if site_id not in (None, service.site_id):
            continue
        history = read_history(rows.get(service.service_id, ()), as_of=as_of)
        current = history.on(today)
        lines.append(
            ServiceLine(
                service.service_id, service.site_id, service.name, service.is_protected,
                current.state if current else None, current.capacity_a_day if current else None,
                current.opens_on if current else None, history.coming(today), history.planned,
                rows.get(service.service_id, ()), backlogs.get(service.service_id, Backlog(0, 0, 0)),
            )
        )  # fmt: skip
    return lines


def plan_opening(store: "Store", form: OpeningForm, *, agent: "Agent", now: datetime) -> int:
    """Announce a dated change; nothing is released before it is confirmed. Gives the row's id.

    Raises:
        RuleBroken: no supervisor; a past day; something is planned already; a capacity that cannot be.
    """
    only_supervisors(agent)
    _check(store, form, now)
    with store.write() as connection:
        history = _history(connection, form)
        _nothing_planned(history)
        return _add(connection, _row(form, OpeningStage.PLANNED), history, agent, now)


def revise_opening(store: "Store", form: OpeningForm, *, agent: "Agent", now: datetime) -> OpeningPreview:
    """Put another day or capacity in the place of the newest plan or opening.

    Patients who were told a day that no longer holds are owed a call first of all: their places are withdrawn, the
    promise stays in the history. For a plan nothing else changes.

    Raises:
        RuleBroken: no supervisor; nothing is planned or open; a past day; a capacity that cannot be.
    """
    only_supervisors(agent)
    _check(store, form, now)
    return _change(store, _row(form, OpeningStage.REVISED), form, agent, now)


def preview_opening(store: "Store", form: OpeningForm, *, now: datetime, revises: bool = False) -> OpeningPreview:
    """What confirming (or revising) would do. Changes nothing.

    Raises:
        RuleBroken: as `confirm_opening`, except that anybody may look.
    """
    reference = _check(store, form, now)
    row = _row(form, OpeningStage.REVISED if revises else OpeningStage.ACTUAL)
    with store.read() as connection:
        history = _history(connection, form)
        if revises:
            _something_to_revise(history)
        return _told(row, foresee(connection, row, reference, now), reference)


def confirm_opening(store: "Store", form: OpeningForm, *, agent: "Agent", now: datetime) -> OpeningPreview:
    """Make a change of a service hold from its day on, and release callbacks in order up to its free places.

    Raises:
        RuleBroken: no supervisor; a past day; a capacity that cannot be; somebody changed the service meanwhile.
    """
    only_supervisors(agent)
    _check(store, form, now)
    return _change(store, _row(form, OpeningStage.ACTUAL), form, agent, now)


def withdraw_opening(
    store: "Store", service_id: int, reason: str, *, agent: "Agent", now: datetime, seen_id: int | None = None
) -> OpeningPreview:
    """Take the newest plan or opening back. Where patients were told a place since then, revise it instead.

    Raises:
        RuleBroken: no supervisor; nothing to take back; patients were told.
    """
    only_supervisors(agent)
    reference = reference_of(store)
    with store.write() as connection:
        form = OpeningForm(service_id, local_day(now, reference.desk.time_zone), seen_id=seen_id)
        history = _history(connection, form)
        newest = _something_to_revise(history)
        since = newest.entered_at or now
        if newest is not history.planned and openings.has_bookings(connection, service_id, since, newest.opens_on):
            raise RuleBroken(_("Patients were told a day since then: revise the opening, so that they are rung again."))
        row = replace(newest, stage=OpeningStage.WITHDRAWN, reason=reason.strip())
        consequence = foresee(connection, row, reference, now)
        number = _add(connection, row, history, agent, now)
        apply_consequence(connection, consequence, number, agent, now)
        return _told(row, consequence, reference)


def check_change(line: ServiceLine, stage: OpeningStage, *, agent: "Agent") -> None:
    """Say before a form is filled that a service cannot be planned or revised now.

    Raises:
        RuleBroken: no supervisor; something is planned already; nothing to revise.
    """
    only_supervisors(agent)
    if stage == OpeningStage.PLANNED:
        _nothing_planned(read_history(line.history))
    elif stage == OpeningStage.REVISED:
        _something_to_revise(read_history(line.history))


def _nothing_planned(history: History) -> None:
    if history.planned is not None:
        day = wording.day_words(history.planned.opens_on)
        raise RuleBroken(_("An opening is planned for {day} already. Revise it.").format(day=day))


def _something_to_revise(history: History) -> OpeningRow:
    newest = history.newest
    if newest is None or (history.planned is None and newest.state == OpeningState.CLOSED):
        raise RuleBroken(_("Nothing is planned or open for this service: plan an opening first."))
    return newest


def _change(store: "Store", row: OpeningRow, form: OpeningForm, agent: "Agent", now: datetime) -> OpeningPreview:
    reference = reference_of(store)
    with store.write() as connection:
        history = _history(connection, form)
        if row.stage == OpeningStage.REVISED:
            _something_to_revise(history)
        consequence = foresee(connection, row, reference, now)
        number = _add(connection, row, history, agent, now)
        apply_consequence(connection, consequence, number, agent, now)
    return _told(row, consequence, reference)


def _check(store: "Store", form: OpeningForm, now: datetime) -> "Reference":
    """Everything that is wrong with a form by itself, before any write."""
    reference = reference_of(store)
    if form.service_id not in reference.services:
        raise RuleBroken(_("There is no service {number}.").format(number=form.service_id))
    if form.opens_on < local_day(now, reference.desk.time_zone):
        raise RuleBroken(_("{day} is past: give today or a day to come.").format(day=wording.long_day(form.opens_on)))
    capacity = form.capacity_a_day
    if capacity is not None and not 0 < capacity <= MOST_A_DAY:
        raise RuleBroken(
            _("{count} places a day cannot be: 1 to {most}. To close the service, choose 'closed'.").format(
                count=capacity, most=MOST_A_DAY
            )
        )
    if form.state == OpeningState.PARTIAL and capacity is None:
        raise RuleBroken(_("Partly open: how many patients a day?"))
    return reference


def _history(connection: "Connection", form: OpeningForm) -> History:
    rows = openings.opening_rows(connection, [form.service_id]).get(form.service_id, ())
    newest = rows[-1] if rows else None
    if form.seen_id is not None and newest is not None and newest.opening_id != form.seen_id:
        raise RuleBroken(
            _("{name} changed this service meanwhile: {state} from {day}. Look at it again, then decide.").format(
                name=newest.by, state=wording.state_words(newest.state), day=wording.day_words(newest.opens_on)
            )
        )
    return read_history(rows)


def _row(form: OpeningForm, stage: OpeningStage) -> OpeningRow:
    capacity = None if form.state == OpeningState.CLOSED else form.capacity_a_day
    return OpeningRow(0, form.service_id, stage, form.state, form.opens_on, capacity, form.reason.strip())


def _add(connection: "Connection", row: OpeningRow, history: History, agent: "Agent", now: datetime) -> int:
    number = openings.insert_opening(connection, row, agent.agent_id, now)
    old = history.newest
    detail = {
        "opens_on": [old.opens_on.isoformat() if old else None, row.opens_on.isoformat()],
        "state": [old.state.value if old else None, row.state.value],
        "capacity_a_day": [old.capacity_a_day if old else None, row.capacity_a_day], "reason": row.reason,
    }  # fmt: skip
    journal.append(
        connection, agent=agent.login, action=f"opening.{row.stage.value}", subject="service",
        subject_id=row.service_id, detail=detail, now=now,
    )  # fmt: skip
    return number


def _told(row: OpeningRow, consequence: Consequence, reference: "Reference") -> OpeningPreview:
    first = [
        (wording.patient_name(c.last_name, c.first_name), wording.why_here(c.why, c.tier, c.due_at, reference))
        for c in consequence.released[:10]
    ]
    withdrawn = [(wording.patient_name(b.last_name, b.first_name), b.slot_on) for b in consequence.withdrawn]
    stay = list(_stay_words(consequence))
    staying = consequence.without_place + sum(consequence.kept_back.values())
    return OpeningPreview(
        row.service_id, row, len(consequence.released), first, staying, stay, consequence.empty_on, withdrawn,
        len(consequence.called_back),
    )  # fmt: skip


def _stay_words(consequence: Consequence) -> Sequence[str]:
    words = []
    if consequence.without_place:
        words.append(
            _("{count}: no free place in the next {days} working days").format(
                count=consequence.without_place, days=consequence.days_ahead
            )
        )
    for hold, count in sorted(consequence.kept_back.items()):
        words.append(_("{count}: {reason}").format(count=count, reason=wording.reason_words(hold)))
    return words


def top_up(store: "Store", *, now: datetime, again: bool = False) -> int:
    """Once a local day: release more callbacks for the places that have come within reach. Gives how many.

    Cheap when it was done today: one indexed look into the journal.

    Args:
        again: also when it was done today; for a queue that has run dry since (a list that came after the opening).
    """
    reference = reference_of(store)
    today = local_day(now, reference.desk.time_zone)
    begun = from_local(today, calendar_for(reference).opens, reference.desk.time_zone)
    if now < begun:
        return 0
    with store.read() as connection:
        if not again and journal_has(connection, today):
            return 0
    with store.write() as connection:
        was_done = journal_has(connection, today)
        if was_done and not again:
            return 0
        counts = release_free_places(connection, reference, now)
        if was_done and not counts:
            return 0
        journal.append(
            connection, agent=SYSTEM, action="callbacks.topped_up", subject="top_up", subject_id=today.isoformat(),
            detail={"released": {str(key): count for key, count in counts.items()}}, now=now,
        )  # fmt: skip
    return sum(counts.values())


def journal_has(connection: "Connection", day: date) -> bool:
    """Whether the callbacks of a local day were topped up."""
    query = "SELECT 1 FROM journal WHERE subject = 'top_up' AND subject_id = ? LIMIT 1"
    return connection.exec_driver_sql(query, (day.isoformat(),)).first() is not None
