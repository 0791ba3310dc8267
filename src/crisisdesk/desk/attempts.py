"""An attempt to ring a patient: what each key would lead to, and the attempt recorded with all its consequences."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from crisisdesk.desk.attemptform import (
    AttemptForm,
    ItemResult,
    NextPreview,
    RecordedAttempt,
    check_attempt,
    disposition_of,
    needs_date,
    needs_moment,
)
from crisisdesk.desk.booking import book
from crisisdesk.desk.callbacks import lost
from crisisdesk.desk.rules import calendar_for, reference_of
from crisisdesk.desk.wording import follow_up_words
from crisisdesk.domain.reference import Disposition, Reference
from crisisdesk.domain.retry import AttemptFacts, FollowUp, follow_up
from crisisdesk.domain.schedule import day_start
from crisisdesk.domain.wishes import Wish
from crisisdesk.domain.words import CallbackState, Coverage, NextStep, PartOfDay, Reach, Scope
from crisisdesk.errors import LeaseLost, RuleBroken
from crisisdesk.i18n import _
from crisisdesk.store import attempts as rows
from crisisdesk.store import callbacks, deaths, journal
from crisisdesk.store.items import mark_items, prove

if TYPE_CHECKING:
    from crisisdesk.desk.agents import Agent
    from crisisdesk.store.engine import Connection, Store

__all__ = [
    "AttemptForm", "ItemResult", "NextPreview", "RecordedAttempt", "needs_date", "needs_moment", "preview",
    "record_attempt",
]  # fmt: skip

_PROOF = {Coverage.DECIDED, Coverage.REBOOKED, Coverage.DONE}


def preview(
    store: "Store",
    callback_id: int,
    disposition: str,
    *,
    now: datetime,
    number: str = "",
    asked: Wish | None = None,
) -> NextPreview:
    """What a disposition leads to, from the same row and rules that `record_attempt` uses.

    Raises:
        RuleBroken: an unknown disposition or callback.
    """
    reference = reference_of(store)
    ends = disposition_of(reference, Scope.ATTEMPT, disposition)
    with store.read() as connection:
        row = _existing(connection, callback_id)
        facts = _facts(connection, row, ends, number, reference, now)
    if ends.is_final:  # as if it settled everything; what it leaves open is known only when it is recorded
        facts = replace(facts, unsettled_after=0)
    follow = _follow(ends, facts, reference, now, asked)
    words = follow_up_words(follow, reference, now)
    return NextPreview(follow, words, ends.needs_note, needs_moment(ends), needs_date(ends))


def _existing(connection: "Connection", callback_id: int) -> Any:
    row = rows.callback_row(connection, callback_id)
    if row is None:
        raise RuleBroken(_("There is no callback {number}.").format(number=callback_id))
    return row


def _facts(
    connection: "Connection", row: Any, ends: Disposition, number: str, reference: Reference, now: datetime
) -> AttemptFacts:
    numbers = rows.usable_numbers(connection, row.patient_id)
    rung = number or row.number or (numbers[0] if numbers else "")
    since = day_start(now, calendar_for(reference))
    return AttemptFacts(
        number=rung,
        numbers=numbers,
        rung_today=rows.rung_since(connection, [*numbers, rung], since),
        unanswered=row.unanswered,
        same_before=rows.count_same(connection, row.id, ends.code),
        unsettled_after=len(rows.unsettled_items(connection, row.id)),
        part_of_day=PartOfDay(row.part_of_day),
        promised_from=row.promised_from if _is_early(row, now) else None,
    )


def _is_early(row: Any, at: datetime) -> bool:
    """Whether a moment was promised to the patient that has not come yet."""
    return row.promised_from is not None and at < row.promised_from


def _follow(
    ends: Disposition,
    facts: AttemptFacts,
    reference: Reference,
    now: datetime,
    asked: Wish | None,
) -> FollowUp:
    asked = asked or Wish()
    return follow_up(
        ends, facts, desk=reference.desk, calendar=calendar_for(reference), now=now, asked_at=asked.not_before,
        asked_part=asked.part_of_day,
    )  # fmt: skip


def record_attempt(store: "Store", form: AttemptForm, *, agent: "Agent", now: datetime) -> RecordedAttempt:
    """Store an attempt, what was settled, and what it leads to, in one transaction; ends the lease.

    Raises:
        RuleBroken: something is missing or does not fit (all of it named), or a day is full; nothing was written.
        LeaseLost: the callback is another's, or a later generation's. What was typed is kept as a draft.
    """
    reference = reference_of(store)
    ends = disposition_of(reference, Scope.ATTEMPT, form.disposition)
    form = check_attempt(form, ends, reference, now)
    try:
        with store.write() as connection:
            return _record(connection, form, ends, reference, agent, now)
    except LeaseLost:
        _keep_draft(store, form, agent, now)
        raise


def _record(
    connection: "Connection", form: AttemptForm, ends: Disposition, reference: Reference, agent: "Agent", now: datetime
) -> RecordedAttempt:
    if (stored := rows.attempt_by_uid(connection, form.uid)) is not None:
        follow = FollowUp(NextStep(stored.next_step), stored.next_at)
        return RecordedAttempt(stored.id, follow, follow_up_words(follow, reference, now), is_repeat=True)
    before = _existing(connection, form.callback_id)
    if (before.state, before.leased_by, before.generation) != (CallbackState.LEASED, agent.agent_id, form.generation):
        raise lost(connection, form.callback_id)
    facts = _facts(connection, before, ends, form.number, reference, now)
    held = rows.unsettled_items(connection, form.callback_id)
    codes = _item_codes(form, ends, held)
    _settle_items(connection, form, ends, codes, held, agent, now)
    left = rows.unsettled_items(connection, form.callback_id)
    follow = _follow_items(ends, codes, replace(facts, unsettled_after=len(left)), reference, form, now)
    attempt_id = _insert(connection, before, form, ends, facts.number, follow, codes, agent, now)
    _book_places(connection, form, held, reference, attempt_id, agent, now)
    _apply(connection, before, form, ends, follow, facts.number, agent, now)
    detail = _detail(connection, before, form, follow, attempt_id)
    journal.append(
        connection, agent=agent.login, action="attempt.recorded", subject="callback", subject_id=form.callback_id,
        detail=detail, now=now, happened_at=form.started_at,
    )  # fmt: skip
    rows.drop_draft(connection, form.uid)
    return RecordedAttempt(attempt_id, follow, follow_up_words(follow, reference, now))


def _item_codes(form: AttemptForm, ends: Disposition, held: Mapping[int, int | None]) -> dict[int, str]:
    """What was said of single postponements; those that are not of this callback are refused."""
    foreign = [number for number in form.items if number not in held]
    if foreign:
        raise RuleBroken(_("Item {number} is not owed an answer in this callback.").format(number=foreign[0]))
    return {number: result.code for number, result in form.items.items()}


def _settle_items(
    connection: "Connection",
    form: AttemptForm,
    ends: Disposition,
    codes: Mapping[int, str],
    held: Mapping[int, int | None],
    agent: "Agent",
    now: datetime,
) -> None:
    """Prove for each postponement what was said of it; for the others only how far the attempt came."""
    rest = [number for number in held if number not in codes]
    for number, code in codes.items():
        mark_items(connection, [number], code, scope="item", by=agent.login, now=now)
    if ends.coverage in _PROOF and codes:
        reached = Coverage.REACHED if ends.reach == Reach.PATIENT else Coverage.TRIED
        prove(connection, rest, reached, now)
    else:
        mark_items(connection, rest, ends.code, scope="attempt", by=agent.login, now=now)


def _follow_items(
    ends: Disposition,
    codes: Mapping[int, str],
    facts: AttemptFacts,
    reference: Reference,
    form: AttemptForm,
    now: datetime,
) -> FollowUp:
    """The step of the attempt, unless one of its postponements needs a clinician first."""
    wanted = [reference.dispositions[Scope.ITEM, code].next_step for code in codes.values()]
    if NextStep.REVIEW in wanted and ends.next_step in (NextStep.CLOSE, NextStep.RETRY, NextStep.OPENING):
        return FollowUp(NextStep.REVIEW, hold="review")
    return _follow(ends, facts, reference, now, form.asked)


def _insert(
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
    row = {
        "uid": form.uid, "callback_id": form.callback_id, "agent_id": agent.agent_id, "generation": form.generation,
        "number": number, "started_at": form.started_at, "ended_at": form.ended_at or now, "entered_at": now,
        "disposition": ends.code, "reach": ends.reach, "note": form.note.strip(), "next_at": follow.next_at,
        "next_step": follow.step, "instruction_id": form.instruction_id, "was_read_out": form.was_read_out,
    }  # fmt: skip
    if not _is_early(before, form.started_at):  # the promise that this attempt keeps, or breaks
        row |= {"promised_from": before.promised_from, "promised_until": before.promised_until}
    return rows.insert_attempt(connection, row, codes)


def _book_places(
    connection: "Connection",
    form: AttemptForm,
    held: Mapping[int, int | None],
    reference: Reference,
    attempt_id: int,
    agent: "Agent",
    now: datetime,
) -> None:
    for number, result in form.items.items():
        if result.slot_on is not None:
            book(
                connection, postponement_id=number, service_id=held[number], slot_on=result.slot_on,
                slot_time=result.slot_time, reference=reference, agent_id=agent.agent_id, attempt_id=attempt_id,
                call_id=None, now=now,
            )  # fmt: skip


def _apply(
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
    unanswered = 0 if ends.reach == Reach.PATIENT else before.unanswered + 1
    values: dict[str, Any] = {
        "attempts": before.attempts + 1, "unanswered": unanswered, "last_attempt_at": now, "not_before": follow.next_at,
        "part_of_day": follow.part_of_day, "state": CallbackState.WAITING, "leased_by": None, "leased_at": None,
        "lease_until": None,
    }  # fmt: skip
    if before.hold != "review":  # only the clinician lifts that
        values["hold"] = follow.hold
    if ends.reach == Reach.PATIENT or not _is_early(before, form.started_at):
        values |= {"promised_from": None, "promised_until": None}
    if follow.number:
        values["number"] = follow.number
    if follow.step == NextStep.AT_TIME and form.asked is not None and ends.coverage not in _PROOF:
        values |= {"promised_from": follow.next_at, "promised_until": form.asked.until, "note": form.asked.words}
    rows.change_callback(connection, form.callback_id, values)
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
    if follow.step == NextStep.CLOSE:
        callbacks.close(connection, form.callback_id, ends.code, agent.agent_id, now)


_SNAPSHOT = (
    "state", "hold", "not_before", "number", "part_of_day", "promised_from", "promised_until", "released_at",
    "release_why", "attempts", "unanswered", "last_attempt_at",
)  # fmt: skip


def _detail(
    connection: "Connection", before: Any, form: AttemptForm, follow: FollowUp, attempt_id: int
) -> dict[str, Any]:
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


def _keep_draft(store: "Store", form: AttemptForm, agent: "Agent", now: datetime) -> None:
    """What was typed outlives the lease that was lost. What the screen kept before is only added to."""
    from crisisdesk.desk.drafts import list_drafts, save_draft

    fields = {"callback_id": str(form.callback_id), "disposition": form.disposition, "note": form.note}
    if form.asked is not None and form.asked.words:
        fields["moment"] = form.asked.words
    for number, result in form.items.items():
        fields[f"item.{number}"] = result.code
        if result.slot_on is not None:
            fields[f"slot-{number}"] = result.slot_on.isoformat()
    kept = next((draft.fields for draft in list_drafts(store, agent=agent) if draft.uid == form.uid), {})
    save_draft(store, uid=form.uid, kind="attempt", fields={**kept, **fields}, agent=agent, now=now)
