"""A recorded outcome put right by a supervisor: the first row stays as it was typed, a second one counts instead."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from crisisdesk.desk import wording
from crisisdesk.desk.attempteffects import insert_attempt
from crisisdesk.desk.attemptform import AttemptForm, ItemResult, check_attempt, disposition_of
from crisisdesk.desk.attemptitems import PROOF, book_places, find_owed, settle_items
from crisisdesk.desk.attempts import store_outcome
from crisisdesk.desk.reserving import serve_reserve
from crisisdesk.desk.rights import needs
from crisisdesk.desk.rules import reference_in
from crisisdesk.domain.reference import Disposition, Reference
from crisisdesk.domain.retry import FollowUp
from crisisdesk.domain.rights import Right
from crisisdesk.domain.text import clean
from crisisdesk.domain.wishes import Wish
from crisisdesk.domain.words import BookingState, CallbackState, Coverage, NextStep, Reach, Scope
from crisisdesk.errors import LeaseLost, RuleBroken
from crisisdesk.i18n import _, current_language
from crisisdesk.store import attempts, callbacks, corrections, deaths, journal, undo, undoable
from crisisdesk.store.items import FACTS

if TYPE_CHECKING:
    from crisisdesk.desk.agents import Agent
    from crisisdesk.store.engine import Connection, Store

LONGEST_REASON = 500
CORRECTED = "corrected"
"""Why an attempt counts no longer, or why a place was withdrawn: another row stands in its place."""


@dataclass(frozen=True, slots=True)
class CorrectedAttempt:
    """An attempt that was put right."""

    attempt_id: int
    """The row that counts."""
    corrects_id: int
    callback_id: int
    """The callback that is open for what is owed, or the one that was closed."""
    is_open: bool
    words: str


@needs(Right.STEER)
def correct_attempt(
    store: "Store",
    attempt_id: int,
    disposition: str,
    items: Mapping[int, ItemResult] | None = None,
    *,
    reason: str,
    agent: "Agent",
    now: datetime,
    note: str | None = None,
    asked: Wish | None = None,
) -> CorrectedAttempt:
    """Say how an attempt really ended. The call was when it was; what only the wrong outcome proved is taken back.

    Places given by mistake are free again; a callback that was closed by mistake is open again (the open one of that
    patient and site is extended), one that should have been closed is closed. Where others have dealt with the patient
    since, what they did stands.

    Args:
        items: what was settled for single postponements, as in an attempt.
        note: None keeps the note of the attempt.

    Raises:
        RuleBroken: no supervisor, no reason, nothing to correct, or an outcome that lacks something (names it).
        LeaseLost: an agent is ringing this patient now; names that agent.
    """
    why = clean(reason).text
    if not why or len(why) > LONGEST_REASON:
        raise RuleBroken(_("Say why it is corrected, {most} characters at most.").format(most=LONGEST_REASON))
    with store.write() as connection:
        reference = reference_in(connection, store)
        ends = disposition_of(reference, Scope.ATTEMPT, disposition)
        row, kept = _correctable(connection, attempt_id, now)
        form = AttemptForm(
            uid=f"{row.uid}:{row.id}", callback_id=row.callback_id, generation=row.generation, disposition=ends.code,
            number=row.number, started_at=row.started_at, ended_at=row.ended_at,
            note=row.note if note is None else note, asked=asked, items=items or {},
            instruction_id=row.instruction_id, was_read_out=row.was_read_out,
        )  # fmt: skip
        form = check_attempt(form, ends, reference, now)
        return _Correction(connection, row, kept, reference, agent, now).run(form, ends, why)


def _correctable(connection: "Connection", attempt_id: int, now: datetime) -> tuple[Any, undo.Kept]:
    row = undoable.find(connection, attempt_id)
    if row is None:
        raise RuleBroken(_("There is no attempt {number}.").format(number=attempt_id))
    if row.undone_at is not None:
        words = _("Attempt {number} was undone: it counts nowhere.")
        if row.corrected_by is not None:
            words = _("Attempt {number} was corrected already: correct attempt {other}.")
        raise RuleBroken(words.format(number=attempt_id, other=row.corrected_by))
    if (name := corrections.who_holds(connection, row.patient_id, now)) is not None:
        raise LeaseLost(_("{name} is ringing this patient now: speak to each other.").format(name=name), holder=name)
    kept = undo.kept_with(connection, attempt_id)
    if kept is None:
        words = _("Attempt {number} was stored by an earlier version and stays. Enter a call (F2): that counts.")
        raise RuleBroken(words.format(number=attempt_id))
    if undo.is_matched(connection, kept):
        words = _("What attempt {number} settled was matched with a list since: take that match back first.")
        raise RuleBroken(words.format(number=attempt_id))
    told_dead = any("death_reported_at" in columns for columns in kept.changed.get("patient", {}).values())
    if told_dead and deaths.state_of(connection, row.patient_id)["death_confirmed_by"] is not None:
        raise RuleBroken(_("This death is confirmed: refute it on the patient's file first."))
    return row, replace(kept, patient_id=row.patient_id)  # of two records that were merged since, the one that stands


class _Correction:
    """One correction, inside its transaction."""

    def __init__(
        self,
        connection: "Connection",
        row: Any,
        kept: undo.Kept,
        reference: Reference,
        agent: "Agent",
        now: datetime,
    ) -> None:
        self.connection, self.row, self.kept = connection, row, kept
        self.reference, self.agent, self.now = reference, agent, now

    def run(self, form: AttemptForm, ends: Disposition, why: str) -> CorrectedAttempt:
        """Take back, prove again, record anew, open or close."""
        stays = self._free_places(form)
        is_last = self._is_last()
        undo.mark_undone(self.connection, self.row.id, self.agent.agent_id, CORRECTED, self.now)
        restored = undo.restore(self.connection, self.kept, but=() if is_last else ("callback",))
        callbacks.redate(self.connection, list(self.kept.generations))
        self._prove_again()
        seen = undo.look(self.connection, self.row.patient_id)
        number, follow = self._record(self._without_stays(form, stays), ends, is_last)
        corrections.give_places(self.connection, [place.booking_id for place in stays], number)
        corrections.stand_for(self.connection, number, self.row)
        opened = self._open_or_close(ends)
        corrections.set_event_time(self.connection, self.row.patient_id, self.row.ended_at, self.now)
        self._prove_again()
        undo.keep(self.connection, number, self.row.patient_id, seen)
        self._tell(number, ends, why, restored)
        now = attempts.callback_row(self.connection, opened)
        is_open = now is not None and now.state != CallbackState.CLOSED
        return CorrectedAttempt(number, self.row.id, opened, is_open, self._words(ends, follow, is_open))

    def _is_last(self) -> bool:
        """Whether the callback still stands as the attempt left it: nothing was recorded, decided or opened since."""
        if not undoable.is_newest_of_callback(self.connection, self.row):
            return False
        row = attempts.callback_row(self.connection, self.row.callback_id)
        left = self.kept.changed.get("callback", {}).get(self.row.callback_id, {})
        closed_here = "closed_at" in left
        if row is None or (row.state == CallbackState.CLOSED) != closed_here:
            return False
        return not undoable.is_open_elsewhere(self.connection, self.kept.generations)

    def _free_places(self, form: AttemptForm) -> list[undo.GivenPlace]:
        """Withdraw places that were not accepted after all; gives those that still hold."""
        stays: list[undo.GivenPlace] = []
        gone: list[undo.GivenPlace] = []
        for place in undo.places_given(self.connection, self.row.id):
            said = form.items.get(place.postponement_id)
            is_same = said is not None and said.slot_on == place.slot_on
            if place.state == BookingState.DONE and not is_same:
                day = wording.day_words(place.slot_on)
                raise RuleBroken(_("The patient has come on {day}: that place cannot be taken back.").format(day=day))
            if place.state != BookingState.WITHDRAWN:
                (stays if is_same else gone).append(place)
        undo.withdraw_places(self.connection, gone, CORRECTED, self.agent.agent_id, self.now)
        for place in gone:
            serve_reserve(
                self.connection, place.service_id, place.slot_on, self.reference, self.agent.login, self.now,
                skip={self.row.callback_id},
            )  # fmt: skip
        self.withdrawn = [place.booking_id for place in gone]
        return stays

    def _prove_again(self) -> None:
        numbers = list(self.kept.facts)
        found = corrections.evidence_of(self.connection, numbers)
        proven = (entry for one in found for entry in _facts(one, self.reference))
        corrections.prove_again(self.connection, corrections.earliest(proven))

    def _without_stays(self, form: AttemptForm, stays: Sequence[undo.GivenPlace]) -> AttemptForm:
        """The form without days that need no new place."""
        held = {place.postponement_id for place in stays}
        items = {
            number: replace(result, slot_on=None) if number in held else result for number, result in form.items.items()
        }
        return replace(form, items=items)

    def _record(self, form: AttemptForm, ends: Disposition, is_last: bool) -> tuple[int, FollowUp | None]:
        before = attempts.callback_row(self.connection, self.row.callback_id)
        assert before is not None, "an attempt has a callback"
        if is_last:
            done = store_outcome(self.connection, before, form, ends, self.reference, self.agent, self.now)
            return done.attempt_id, done.follow
        owed = find_owed(self.connection, form, self.row.patient_id, self.agent.agent_id, self.now)
        settle_items(self.connection, ends, owed, self.agent, self.now)
        follow = FollowUp(ends.next_step)
        number = insert_attempt(
            self.connection, before, form, ends, form.number, follow, owed.codes, self.agent, self.now
        )
        book_places(self.connection, form, owed, self.reference, number, self.agent, self.now)
        if ends.next_step == NextStep.NEXT_NUMBER:
            attempts.mark_number_wrong(self.connection, self.row.patient_id, form.number, self.now)
        if ends.next_step == NextStep.CONFIRM:
            deaths.report(
                self.connection, self.row.patient_id, agent_id=self.agent.agent_id, login=self.agent.login,
                call_id=None, now=self.now,
            )  # fmt: skip
        count = corrections.count_unanswered(self.connection, self.row.callback_id)
        attempts.change_callback(self.connection, self.row.callback_id, {"unanswered": count})
        return number, None

    def _open_or_close(self, ends: Disposition) -> int:
        """What is owed is in an open callback, and a callback of which nothing is owed is closed; gives the one."""
        opened = int(self.row.callback_id)
        for callback_id in dict.fromkeys([self.row.callback_id, *self.kept.generations]):
            row = attempts.callback_row(self.connection, callback_id)
            left = list(attempts.unsettled_items(self.connection, callback_id))
            assert row is not None
            if row.state == CallbackState.CLOSED and left:
                now_open = corrections.open_again(self.connection, row, left, self.agent.agent_id, self.now)
                opened = now_open if callback_id == self.row.callback_id else opened
            elif row.state != CallbackState.CLOSED and not left and ends.next_step == NextStep.CLOSE:
                callbacks.close(self.connection, callback_id, ends.code, self.agent.agent_id, self.now)
        return opened

    def _tell(self, number: int, ends: Disposition, why: str, restored: Mapping[str, Any]) -> None:
        detail = {
            "attempt": [self.row.id, number], "disposition": [self.row.disposition, ends.code], "why": why,
            "restored": restored, "withdrawn": self.withdrawn, "patient_id": self.row.patient_id,
            "agent": self.row.agent_id,
        }  # fmt: skip
        journal.append(
            self.connection, agent=self.agent.login, action="attempt.corrected", subject="callback",
            subject_id=self.row.callback_id, detail=detail, now=self.now, happened_at=self.row.started_at,
        )  # fmt: skip

    def _words(self, ends: Disposition, follow: FollowUp | None, is_open: bool) -> str:
        language = current_language()
        old, new = (
            self.reference.label("disposition.attempt", code, language) for code in (self.row.disposition, ends.code)
        )
        said = _("Corrected: {new} instead of {old}.").format(new=new, old=old)
        if follow is not None:
            return f"{said} {wording.follow_up_words(follow, self.reference, self.now)}"
        where = _("The callback is open.") if is_open else _("The callback is closed.")
        return f"{said} {where}"


def _facts(one: corrections.Evidence, reference: Reference) -> Iterator[tuple[int, str, datetime]]:
    """What a contact proves of a postponement: the fact and those before it, by the same rule as when it was stored."""
    row = reference.dispositions.get((Scope(one.scope), one.code))
    if row is None:
        return
    proven = row.coverage or (Coverage.REACHED if row.reach == Reach.PATIENT else None)
    if one.names_others and proven in PROOF:
        proven = Coverage.REACHED if row.reach == Reach.PATIENT else Coverage.TRIED
    if proven in FACTS:
        columns = list(FACTS.values())[: list(FACTS).index(Coverage(proven)) + 1]
        yield from ((one.postponement_id, column, one.at) for column in columns)
