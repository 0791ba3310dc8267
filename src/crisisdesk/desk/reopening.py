"""Services close and open: planned, revised, confirmed; an opening releases callbacks, a slip takes promises back.

The preview and the confirmation run the same computation; the confirmation runs it inside its write.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from crisisdesk.clock import from_local, local_day
from crisisdesk.desk.openingform import (
    NOTHING_SEEN,
    OpeningForm,
    check_form,
    history_for,
    nothing_planned,
    something_to_revise,
)
from crisisdesk.desk.openingpreview import OpeningPreview, preview_of
from crisisdesk.desk.releasing import Consequence, apply_consequence, foresee, release_free_places, with_counts
from crisisdesk.desk.rights import at_own_service, expect, needs
from crisisdesk.desk.rules import calendar_for, reference_of
from crisisdesk.domain.opening import History, OpeningRow, read_history
from crisisdesk.domain.rights import Right
from crisisdesk.domain.words import OpeningStage, OpeningState
from crisisdesk.errors import RuleBroken
from crisisdesk.i18n import ngettext
from crisisdesk.store import journal, openings
from crisisdesk.store.callbacks import SYSTEM
from crisisdesk.store.openings import Backlog

__all__ = [
    "OpeningForm", "OpeningPreview", "ServiceLine", "add_row", "check_change", "confirm_opening", "journal_has",
    "list_services", "plan_opening", "preview_opening", "revise_opening", "top_up", "top_up_after_list",
    "withdraw_opening",
]  # fmt: skip

if TYPE_CHECKING:
    from crisisdesk.desk.agents import Agent
    from crisisdesk.domain.reference import Reference
    from crisisdesk.store.engine import Connection, Store


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

    current: OpeningRow | None = None
    """In force today."""

    @property
    def newest_id(self) -> int:
        """For `OpeningForm.seen_id`."""
        return self.history[-1].opening_id if self.history else NOTHING_SEEN


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
        entered = rows.get(service.service_id, ())
        known = [row for row in entered if as_of is None or row.entered_at is None or row.entered_at <= as_of]
        history = read_history(known)
        current = history.on(today)
        lines.append(
            ServiceLine(
                service.service_id, service.site_id, service.name, service.is_protected,
                current.state if current else None, current.capacity_a_day if current else None,
                current.opens_on if current else None, history.coming(today), history.planned,
                known, backlogs.get(service.service_id, Backlog(0, 0, 0)), current,
            )
        )  # fmt: skip
    return lines


@needs(Right.OPEN_SERVICE)
def plan_opening(store: "Store", form: OpeningForm, *, agent: "Agent", now: datetime) -> int:
    """Announce a dated change; nothing is released before it is confirmed. Gives the row's id.

    Raises:
        RuleBroken: no supervisor; a past day; something is planned already; a capacity or a limit that cannot be.
    """
    reference = check_form(store, form, now)
    at_own_service(agent, reference, form.service_id)
    with store.write() as connection:
        history = history_for(connection, form.service_id, form.seen_id, reference)
        nothing_planned(history)
        return add_row(connection, form.row(OpeningStage.PLANNED), history, agent, now)


@needs(Right.OPEN_SERVICE)
def revise_opening(store: "Store", form: OpeningForm, *, agent: "Agent", now: datetime) -> OpeningPreview:
    """Put another day or capacity in the place of the newest plan or opening, or change some days of it (with an end).

    Patients who were told a day that no longer holds are owed a call first of all: their places are withdrawn, the
    promise stays in the history. For a plan nothing else changes.

    Raises:
        RuleBroken: no supervisor; nothing is planned or open; a past day; a capacity or a limit that cannot be.
    """
    reference = check_form(store, form, now)
    at_own_service(agent, reference, form.service_id)
    return _change(store, form.row(OpeningStage.REVISED), form, reference, agent, now)


def preview_opening(store: "Store", form: OpeningForm, *, now: datetime, revises: bool = False) -> OpeningPreview:
    """What confirming (or revising) would do. Changes nothing.

    Raises:
        RuleBroken: as `confirm_opening`, except that anybody may look.
    """
    reference = check_form(store, form, now)
    row = form.row(OpeningStage.REVISED if revises else OpeningStage.ACTUAL)
    with store.read() as connection:
        history = history_for(connection, form.service_id, form.seen_id, reference)
        if revises:
            something_to_revise(history)
        consequence = foresee(connection, row.service_id, [row], reference, now)
    return preview_of(row, history, consequence, reference, local_day(now, reference.desk.time_zone))


@needs(Right.OPEN_SERVICE)
def confirm_opening(store: "Store", form: OpeningForm, *, agent: "Agent", now: datetime) -> OpeningPreview:
    """Make a change of a service hold from its day on, and release callbacks in order up to its free places.

    Raises:
        RuleBroken: no supervisor; a past day; a capacity or a limit that cannot be; somebody changed the service
            meanwhile.
    """
    reference = check_form(store, form, now)
    at_own_service(agent, reference, form.service_id)
    return _change(store, form.row(OpeningStage.ACTUAL), form, reference, agent, now)


@needs(Right.OPEN_SERVICE)
def withdraw_opening(
    store: "Store", service_id: int, reason: str, *, agent: "Agent", now: datetime, seen_id: int | None = None
) -> OpeningPreview:
    """Take the newest plan or opening back. Where patients were told a place because of it, revise it instead.

    Raises:
        RuleBroken: no supervisor; nothing to take back; patients were told.
    """
    reference = reference_of(store)
    today = local_day(now, reference.desk.time_zone)
    at_own_service(agent, reference, service_id)
    with store.write() as connection:
        history = history_for(connection, service_id, seen_id, reference)
        newest = something_to_revise(history)
        row = replace(newest, stage=OpeningStage.WITHDRAWN, reason=reason.strip())
        consequence = foresee(connection, service_id, [row], reference, now)
        if newest is not history.planned:
            _nobody_told(connection, newest, consequence, now)
        number = add_row(connection, row, history, agent, now)
        apply_consequence(connection, consequence, number, reference, agent, now)
    return preview_of(row, history, consequence, reference, today)


def _nobody_told(connection: "Connection", newest: OpeningRow, consequence: Consequence, now: datetime) -> None:
    """Refuse to take back an opening that patients were told of: since it was entered, or whose place hangs on it."""
    since = newest.entered_at or now
    told = openings.told_since(connection, newest.service_id, since, newest.opens_on, newest.until_on)
    if told or consequence.withdrawn:
        count = max(told, len(consequence.withdrawn))
        words = ngettext(
            "{count} patient was told a day since then: revise the opening, so that this patient is rung again.",
            "{count} patients were told a day since then: revise the opening, so that they are rung again.",
            count,
        )
        raise RuleBroken(words.format(count=count))


def check_change(line: ServiceLine, stage: OpeningStage, *, agent: "Agent") -> None:
    """Say before a form is filled that a service cannot be planned or revised now.

    Raises:
        RuleBroken: no supervisor; something is planned already; nothing to revise.
    """
    expect(agent, Right.OPEN_SERVICE)
    if stage == OpeningStage.PLANNED:
        nothing_planned(read_history(line.history))
    elif stage == OpeningStage.REVISED:
        something_to_revise(read_history(line.history))


def _change(
    store: "Store", row: OpeningRow, form: OpeningForm, reference: "Reference", agent: "Agent", now: datetime
) -> OpeningPreview:
    with store.write() as connection:
        history = history_for(connection, form.service_id, form.seen_id, reference)
        if row.stage == OpeningStage.REVISED:
            something_to_revise(history)
        consequence = foresee(connection, row.service_id, [row], reference, now, is_counted=False)
        number = add_row(connection, row, history, agent, now)
        apply_consequence(connection, consequence, number, reference, agent, now)
    with store.read() as connection:
        consequence = with_counts(connection, consequence, reference, now)
    return preview_of(row, history, consequence, reference, local_day(now, reference.desk.time_zone))


def add_row(connection: "Connection", row: OpeningRow, history: History, agent: "Agent", now: datetime) -> int:
    """Add a row to the history of its service, and tell the journal what held before it. Gives the row's id."""
    number = openings.insert_opening(connection, row, agent.agent_id, now)
    new, old = _values(row), _values(history.newest)
    detail = {name: [old.get(name), value] for name, value in new.items()}
    journal.append(
        connection, agent=agent.login, action=f"opening.{row.stage.value}", subject="service",
        subject_id=row.service_id, detail={**detail, "opening": number, "reason": row.reason}, now=now,
    )  # fmt: skip
    return number


def _values(row: OpeningRow | None) -> dict[str, Any]:
    """What the journal keeps of a row."""
    if row is None:
        return {}
    return {
        "opens_on": row.opens_on.isoformat(), "until_on": row.until_on.isoformat() if row.until_on else None,
        "state": row.state.value, "capacity_a_day": row.capacity_a_day, "rooms": row.rooms,
        "limits": dict(row.limits), "includes_days_off": row.includes_days_off,
    }  # fmt: skip


def top_up(store: "Store", *, now: datetime, again: bool = False, service_id: int | None = None) -> int:
    """Once a local day: release more callbacks for the places that have come within reach. Gives how many.

    Cheap when it was done today: one indexed look into the journal.

    Args:
        again: also when it was done today; for a queue that has run dry since (a list that came after the opening), and
            after a place was given or came free.
        service_id: this service only; such a run never counts as the one of the day.
    """
    reference = reference_of(store)
    today = local_day(now, reference.desk.time_zone)
    begun = from_local(today, calendar_for(reference).opens, reference.desk.time_zone)
    if now < begun:
        return 0
    again = again or service_id is not None
    with store.read() as connection:
        if not again and journal_has(connection, today):
            return 0
    with store.write() as connection:
        was_done = journal_has(connection, today)
        if was_done and not again:
            return 0
        counts = release_free_places(connection, reference, now, service_id=service_id)
        if not counts and (was_done or service_id is not None):
            return 0
        subject = ("top_up", today) if service_id is None else ("service", service_id)
        journal.append(
            connection, agent=SYSTEM, action="callbacks.topped_up", subject=subject[0], subject_id=subject[1],
            detail={"released": {str(key): count for key, count in counts.items()}}, now=now,
        )  # fmt: skip
    return sum(counts.values())


def top_up_after_list(store: "Store", *, now: datetime) -> int:
    """Once today's run has been: see again to the free places, and to whoever of a list that came is urgent. Gives how
    many were released; before today's run nothing is done, which will see to them."""
    with store.read() as connection:
        is_done = journal_has(connection, local_day(now, reference_of(store).desk.time_zone))
    return top_up(store, now=now, again=True) if is_done else 0


def journal_has(connection: "Connection", day: date) -> bool:
    """Whether the callbacks of a local day were topped up."""
    query = "SELECT 1 FROM journal WHERE subject = 'top_up' AND subject_id = ? LIMIT 1"
    return connection.exec_driver_sql(query, (day.isoformat(),)).first() is not None
