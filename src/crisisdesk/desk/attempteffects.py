"""What an attempt changes: its own row, the callback as the step says, and what the journal tells of both."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from crisisdesk.desk.attemptform import AttemptForm
from crisisdesk.desk.attemptitems import PROOF
from crisisdesk.domain.instructions import INFORMED
from crisisdesk.domain.reference import Disposition
from crisisdesk.domain.retry import FollowUp
from crisisdesk.domain.words import CallbackState, NextStep, Reach
from crisisdesk.store import attempts as rows
from crisisdesk.store import callbacks, deaths

if TYPE_CHECKING:
    from crisisdesk.desk.agents import Agent
    from crisisdesk.store.engine import Connection


def is_early(row: Any, at: datetime) -> bool:
    """Whether a moment was promised to the patient that has not come yet."""
    return row.promised_from is not None and at < row.promised_from


def insert_attempt(
    connection: "Connection",
    before: Any,
    form: AttemptForm,
    ends: Disposition,
    number: str,
    follow: FollowUp,
    codes: Mapping[int, str],
    agent: "Agent",
    now: datetime,
) -> int:
    """Store the attempt itself, with what was said of single postponements."""
    row = {
        "uid": form.uid, "callback_id": form.callback_id, "agent_id": agent.agent_id, "generation": form.generation,
        "number": number, "started_at": form.started_at, "ended_at": form.ended_at or now, "entered_at": now,
        "disposition": ends.code, "reach": ends.reach, "note": form.note.strip(), "next_at": follow.next_at,
        "next_step": follow.step, "instruction_id": form.instruction_id,
        "was_read_out": form.was_read_out or (ends.code == INFORMED and form.instruction_id is not None),
    }  # fmt: skip
    if not is_early(before, form.started_at):  # the promise that this attempt keeps, or breaks
        row |= {"promised_from": before.promised_from, "promised_until": before.promised_until}
    return rows.insert_attempt(connection, row, codes)


def change_callback(
    connection: "Connection",
    before: Any,
    form: AttemptForm,
    ends: Disposition,
    follow: FollowUp,
    number: str,
    agent: "Agent",
    now: datetime,
) -> None:
    """Change the callback as the step says; the order of the queue is computed anew."""
    rows.change_callback(connection, form.callback_id, _values(before, form, ends, follow, agent.agent_id, now))
    if follow.step == NextStep.OPENING:
        callbacks.let_wait(connection, form.callback_id, now)
    rows.give_rest(connection, before.patient_id, now)
    if follow.finds_wrong:
        rows.mark_number_wrong(connection, before.patient_id, number, now)
        rows.change_callback(connection, form.callback_id, {"number": follow.number})
    if follow.step == NextStep.CONFIRM:
        deaths.report(connection, before.patient_id, agent_id=agent.agent_id, login=agent.login, call_id=None, now=now)
    why = {"escalated": {"at": now.isoformat(), "by": agent.login}} if follow.step == NextStep.ESCALATE else None
    callbacks.redate(connection, [form.callback_id], add_why=why)
    if follow.step in _RELEASES:  # rung out of turn: what was said now is owed, opening or not
        callbacks.release(connection, [form.callback_id], _RELEASES[follow.step], now)
    if follow.step == NextStep.CLOSE:
        callbacks.close(connection, form.callback_id, ends.code, agent.agent_id, now)


_RELEASES = {NextStep.AT_TIME: callbacks.PROMISED, NextStep.ESCALATE: callbacks.ESCALATED}


def _values(
    before: Any, form: AttemptForm, ends: Disposition, follow: FollowUp, agent_id: int, now: datetime
) -> dict[str, Any]:
    unanswered = 0 if ends.reach == Reach.PATIENT else before.unanswered + 1
    values: dict[str, Any] = {
        "attempts": before.attempts + 1, "unanswered": unanswered, "last_attempt_at": now, "not_before": follow.next_at,
        "part_of_day": follow.part_of_day, "state": CallbackState.WAITING, "leased_by": None, "leased_at": None,
        "lease_until": None,
    }  # fmt: skip
    if before.hold != "review":  # only the clinician lifts that
        values |= {"hold": follow.hold, "channel": follow.channel or ""}
    if ends.reach == Reach.PATIENT or not is_early(before, form.started_at):
        values |= {"promised_from": None, "promised_until": None, "for_agent_id": None}
    if follow.number:
        values["number"] = follow.number
    if follow.step == NextStep.AT_TIME and form.asked is not None and ends.coverage not in PROOF:
        values |= {"promised_from": follow.next_at, "promised_until": form.asked.until, "note": form.asked.words}
        values |= {"for_agent_id": agent_id if form.in_person else None, "asked_at": now}
    return values


_SNAPSHOT = (
    "state", "hold", "channel", "not_before", "number", "part_of_day", "promised_from", "promised_until",
    "for_agent_id", "released_at", "release_why", "attempts", "unanswered", "last_attempt_at",
)  # fmt: skip


def told(connection: "Connection", before: Any, form: AttemptForm, follow: FollowUp, attempt_id: int) -> dict[str, Any]:
    """What the journal keeps of an attempt: each changed column with old and new, and what was settled."""
    after = rows.callback_row(connection, form.callback_id)
    changed = {
        name: [_plain(getattr(before, name)), _plain(getattr(after, name))]
        for name in _SNAPSHOT
        if getattr(before, name) != getattr(after, name)
    }
    items = {
        str(number): {"code": result.code, "slot_on": _plain(result.slot_on)} for number, result in form.items.items()
    }
    return changed | {
        "attempt": attempt_id, "disposition": form.disposition, "step": follow.step.value, "items": items,
        "patient_id": before.patient_id,
    }  # fmt: skip


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date | datetime) else value
