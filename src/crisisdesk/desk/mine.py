"""What an agent did today: attempts and calls, newest first, each with what it led to. It stays visible."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from crisisdesk.desk import wording
from crisisdesk.desk.correcting import CORRECTED
from crisisdesk.desk.rules import calendar_for, reference_of
from crisisdesk.domain.reference import Reference
from crisisdesk.domain.retry import FollowUp
from crisisdesk.domain.schedule import day_start
from crisisdesk.domain.words import NextStep, Role, Scope
from crisisdesk.errors import RuleBroken
from crisisdesk.i18n import _, current_language
from crisisdesk.store import agents, cards, undo
from crisisdesk.store import mine as rows
from crisisdesk.store.cards import HeldItem
from crisisdesk.store.mine import RecordedRow
from crisisdesk.store.undoable import find

if TYPE_CHECKING:
    from crisisdesk.desk.agents import Agent
    from crisisdesk.store.engine import Connection, Store

LINES = 500
_AUDIENCE = {Role.SUPERVISOR, Role.ADMIN, Role.AUDITOR}


@dataclass(frozen=True, slots=True)
class DoneLine:
    """One attempt or call of today."""

    kind: str
    """"attempt" or "call"."""
    number: int
    """Id of the attempt; running number of the call."""
    at: datetime
    patient_id: int | None
    patient: str
    callback_id: int | None
    site_id: str | None
    disposition: str
    """Code of the disposition."""
    ending: str
    """Its label."""
    led_to: str
    """What came of it, in words; why it counts no longer, where it was undone."""
    note: str
    """Foreign text."""
    is_undone: bool
    undo_until: datetime | None
    """The agent may take it back until then; None where nobody may."""
    topic: str | None = None
    """Code of the topic of a call."""


@dataclass(frozen=True, slots=True)
class Mine:
    """What one agent did today."""

    agent_id: int
    login: str
    name: str
    lines: Sequence[DoneLine]
    attempts: int
    """That count: neither undone nor corrected."""
    calls: int


def list_mine(store: "Store", *, agent: "Agent", now: datetime, login: str = "", limit: int = LINES) -> Mine:
    """Attempts made and calls entered on this day of the desk, newest first.

    Args:
        login: of another agent, for supervisors and auditors; empty: one's own.

    Raises:
        RuleBroken: no such agent, or another's day was asked for by somebody who may not see it.
    """
    reference = reference_of(store)
    since = day_start(now, calendar_for(reference))
    with store.read() as connection:
        whose = agents.find_agent(connection, login) if login else agents.find_agent(connection, agent.login)
        if whose is None:
            raise RuleBroken(_("There is no agent '{login}'.").format(login=login))
        if whose.id != agent.agent_id and agent.role not in _AUDIENCE:
            raise RuleBroken(_("Only supervisors look at another agent's day."))
        found = rows.recorded_since(connection, whose.id, since, limit)
        days = rows.days_given(connection, [row.number for row in found if row.kind == "attempt"])
    last = max((row.number for row in found if row.kind == "attempt" and not row.is_correction), default=0)
    lines = [_line(row, days, last, reference, now) for row in found]
    attempts = sum(line.kind == "attempt" and not line.is_undone for line in lines)
    return Mine(whose.id, whose.login, whose.name, lines, attempts, sum(line.kind == "call" for line in lines))


def items_of_attempt(store: "Store", attempt_id: int) -> Sequence[HeldItem]:
    """The postponements that a corrected outcome may be about: those that are owed, and those that the attempt
    settled.

    Raises:
        RuleBroken: no such attempt.
    """
    with store.read() as connection:
        row = find(connection, attempt_id)
        if row is None:
            raise RuleBroken(_("There is no attempt {number}.").format(number=attempt_id))
        return _correctable_items(connection, row.id, row.callback_id)


def _correctable_items(connection: "Connection", attempt_id: int, callback_id: int) -> Sequence[HeldItem]:
    kept = undo.kept_with(connection, attempt_id)
    touched = set(kept.facts) if kept else set()
    held = cards.held_items(connection, [callback_id]).get(callback_id, ())
    return [item for item in held if item.is_unsettled or item.postponement_id in touched]


def _line(
    row: RecordedRow, days: Mapping[int, Sequence[date]], last: int, reference: Reference, now: datetime
) -> DoneLine:
    is_attempt = row.kind == "attempt"
    scope = Scope.ATTEMPT if is_attempt else Scope.INBOUND
    until = row.entered_at + timedelta(seconds=reference.desk.undo_seconds)
    may_undo = is_attempt and row.number == last and row.undone_at is None and now <= until
    name = wording.patient_name(row.last_name, row.first_name, row.full_name)
    return DoneLine(
        kind=row.kind, number=row.number, at=row.at, patient_id=row.patient_id, patient=name,
        callback_id=row.callback_id, site_id=row.site_id, disposition=row.code,
        ending=reference.label(f"disposition.{scope.value}", row.code, current_language()),
        led_to=_led_to(row, days.get(row.number, ()) if is_attempt else (), reference, now), note=row.note,
        is_undone=row.undone_at is not None, undo_until=until if may_undo else None, topic=row.topic,
    )  # fmt: skip


def _led_to(row: RecordedRow, days: Sequence[date], reference: Reference, now: datetime) -> str:
    if row.undone_at is not None:
        if row.undone_why == CORRECTED:
            return _("corrected: attempt {number} counts instead").format(number=row.stands_for)
        return _("undone: {why}").format(why=row.undone_why)
    if row.kind == "call":
        return _("callback {number}").format(number=row.callback_id) if row.callback_id else ""
    words = [_("corrects attempt {number}").format(number=row.stands_for)] if row.is_correction else []
    words += [_("booked {day}").format(day=wording.day_words(day)) for day in days]
    step = NextStep(row.next_step)
    if step == NextStep.NEXT_NUMBER and row.next_at is not None:  # which number, the callback says
        step = NextStep.RETRY
    words.append(wording.follow_up_words(FollowUp(step, row.next_at), reference, now))
    return " · ".join(words)
