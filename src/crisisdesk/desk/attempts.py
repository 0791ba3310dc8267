"""An attempt to ring a patient: what each key would lead to, and the attempt recorded with all its consequences."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from crisisdesk.desk.asking import keep_asked
from crisisdesk.desk.attempteffects import change_callback, insert_attempt, is_early, told
from crisisdesk.desk.attemptform import (
    AttemptForm,
    ItemResult,
    NextPreview,
    RecordedAttempt,
    check_attempt,
    disposition_of,
    keep_draft,
    needs_date,
    needs_moment,
)
from crisisdesk.desk.attemptitems import PROOF, book_places, find_owed, settle_elsewhere, settle_items
from crisisdesk.desk.callbacks import lost
from crisisdesk.desk.firstwords import act_now, refuse_untold
from crisisdesk.desk.reserving import pass_reserve_on
from crisisdesk.desk.rights import needs
from crisisdesk.desk.rules import calendar_for, reference_in, reference_of
from crisisdesk.desk.wording import follow_up_words
from crisisdesk.domain.reference import Disposition, Reference
from crisisdesk.domain.retry import AttemptFacts, FollowUp, follow_up
from crisisdesk.domain.rights import Right
from crisisdesk.domain.schedule import day_start
from crisisdesk.domain.wishes import Wish
from crisisdesk.domain.words import CallbackState, NextStep, PartOfDay, Reach, Scope, WorkState
from crisisdesk.errors import LeaseLost, RuleBroken
from crisisdesk.i18n import _
from crisisdesk.store import attempts as rows
from crisisdesk.store import journal, sessions, undo
from crisisdesk.store.agents import mark_seen

if TYPE_CHECKING:
    from crisisdesk.desk.agents import Agent
    from crisisdesk.store.engine import Connection, Store

__all__ = [
    "AttemptForm", "ItemResult", "NextPreview", "RecordedAttempt", "needs_date", "needs_moment", "preview",
    "record_attempt", "store_outcome",
]  # fmt: skip


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
    with store.read() as connection:
        reference = reference_in(connection, store)
        ends = disposition_of(reference, Scope.ATTEMPT, disposition)
        row = _existing(connection, callback_id)
        facts = _facts(connection, row, ends, number, reference, now)
    if ends.is_final and ends.coverage in PROOF:  # as if it settled all; what it leaves is known when it is recorded
        facts = replace(facts, unsettled_after=0)
    follow = _follow(ends, facts, reference, now, asked)
    words = follow_up_words(follow, reference, now)
    urgent = act_now(follow, row.site_id, reference)
    return NextPreview(follow, words, ends.needs_note, needs_moment(ends), needs_date(ends), urgent)


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
    known = [*numbers, rung]
    return AttemptFacts(
        number=rung,
        numbers=numbers,
        rung_today=rows.rung_since(connection, known, since),
        unanswered=row.unanswered,
        # Where the patient was not reached, what was tried before a letter or a clinician's decision counts no longer.
        same_before=rows.count_same(
            connection, row.id, ends.code, None if ends.reach == Reach.PATIENT else row.unanswered
        ),
        unsettled_after=len(rows.unsettled_items(connection, row.id)),
        part_of_day=PartOfDay(row.part_of_day),
        promised_from=row.promised_from if is_early(row, now) else None,
        same_today=rows.rung_since(connection, known, since, ends.code) if ends.cap_a_day else {},
        channels_done=row.channels_done,
    )


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


@needs(Right.RING)
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
            if (current := reference_in(connection, store)) is not reference:  # a supervisor changed a rule meanwhile
                ends = disposition_of(current, Scope.ATTEMPT, form.disposition)
                form = check_attempt(form, ends, current, now)
            return _record(connection, form, ends, current, agent, now)
    except LeaseLost:
        keep_draft(store, form, agent, now)
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
    refuse_untold(connection, ends, before.patient_id)
    mark_seen(connection, agent.agent_id, now)
    sessions.enter(connection, agent.agent_id, WorkState.READY, now)
    return store_outcome(connection, before, form, ends, reference, agent, now)


def store_outcome(
    connection: "Connection",
    before: Any,
    form: AttemptForm,
    ends: Disposition,
    reference: Reference,
    agent: "Agent",
    now: datetime,
) -> RecordedAttempt:
    """Everything that an attempt leads to, with what an undo needs; the caller has checked form and lease.

    Args:
        before: the callback's row.
    """
    seen = undo.look(connection, before.patient_id)  # every change of this patient's rows comes after this
    facts = _facts(connection, before, ends, form.number, reference, now)
    owed = find_owed(connection, form, before.patient_id, agent.agent_id, now)
    settle_items(connection, ends, owed, agent, now)
    left = rows.unsettled_items(connection, form.callback_id)
    facts = replace(facts, unsettled_after=len(left))
    follow = _follow_items(ends, owed.codes_here, facts, reference, form, now)
    attempt_id = insert_attempt(connection, before, form, ends, facts.number, follow, owed.codes, agent, now)
    book_places(connection, form, owed, reference, attempt_id, agent, now)
    change_callback(connection, before, form, ends, follow, facts.number, agent, now)
    settle_elsewhere(connection, ends, owed, reference, attempt_id, agent, now)
    keep_asked(connection, list(owed.here), form.days, form.short_notice, reference, agent, now)
    pass_reserve_on(connection, form.callback_id, before.why, reference, agent.login, now)
    undo.keep(connection, attempt_id, before.patient_id, seen)  # and before this
    journal.append(
        connection, agent=agent.login, action="attempt.recorded", subject="callback", subject_id=form.callback_id,
        detail=told(connection, before, form, follow, attempt_id), now=now, happened_at=form.started_at,
    )  # fmt: skip
    rows.drop_draft(connection, form.uid)
    return RecordedAttempt(attempt_id, follow, follow_up_words(follow, reference, now))


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
