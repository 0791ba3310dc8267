"""Ringing those who were told an instruction that changed: looked ahead first, then put in the queue."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from crisisdesk.clock import local_day
from crisisdesk.desk.repeating import goes_on
from crisisdesk.desk.rights import needs
from crisisdesk.desk.rules import reference_of
from crisisdesk.desk.told import (
    Change,
    Story,
    ToldLine,
    ToldState,
    change_of,
    journal_told,
    read_story,
    told_state_words,
    who_was_told,
)
from crisisdesk.desk.wording import moment_words
from crisisdesk.domain.rights import Right
from crisisdesk.errors import RuleBroken
from crisisdesk.i18n import N_, _, ngettext
from crisisdesk.store import journal
from crisisdesk.store import retelling as rows
from crisisdesk.store.callbacks import in_chunks
from crisisdesk.store.retelling import ToRing

if TYPE_CHECKING:
    from crisisdesk.desk.agents import Agent
    from crisisdesk.store.engine import Store

__all__ = [
    "Change", "RingResult", "ToldLine", "ToldState", "change_of", "journal_told", "preview_ring", "ring_them",
    "ring_words", "told_state_words", "who_was_told",
]  # fmt: skip

WORDS_IN_QUEUE = 40
AT_A_TIME = 2000
"""People in one transaction: about a second on a busy host. A town in one would keep agents from storing calls."""
LONGEST_REASON = 500


@dataclass(frozen=True, slots=True)
class RingResult:
    """What ringing them means or did, in people; counts of people, but ``without_patient`` of calls."""

    told: int
    """Patients who were told, in the contacts that were asked for."""
    made: int
    extended: int
    """They had an open callback already: it says what they were told, too."""
    on_hold: int
    """Of those extended: they wait for a clinician, a number or a confirmation first."""
    told_since: int
    rung_before: int
    """A callback was made for this earlier."""
    dead: int
    without_site: int
    without_patient: int
    first: Sequence[str]
    """Names of the first ten."""

    @property
    def rung(self) -> int:
        """People who are rung."""
        return self.made + self.extended


def ring_words(result: RingResult, *, is_preview: bool) -> list[str]:
    """How many are rung, and who is not, a sentence each."""
    words = (
        ngettext("{count} person would be rung", "{count} persons would be rung", result.rung)
        if is_preview
        else ngettext("{count} person is put in the queue", "{count} persons are put in the queue", result.rung)
    )
    said = [words.format(count=result.rung)]
    if result.extended:
        said[0] += _(" ({count} of them had a callback already)").format(count=result.extended)
    said[0] += "."
    for count, text in (
        (result.on_hold, N_("Wait for a clinician or a number first: {count}.")),
        (result.told_since, N_("Told since: {count}.")),
        (result.rung_before, N_("In the queue or rung for it: {count}.")),
        (result.dead, N_("Death reported: {count}.")),
        (result.without_site, N_("No site known: {count}.")),
        (result.without_patient, N_("Calls tied to nobody, to be rung by hand: {count}.")),
    ):
        said += [_(text).format(count=count)] if count else []
    return said


@needs(Right.STEER)
def preview_ring(
    store: "Store", instruction_id: int, *, only_read_out: bool = True, agent: "Agent", now: datetime
) -> RingResult:
    """What `ring_them` would do now. Changes nothing.

    Raises:
        RuleBroken: as `ring_them`.
    """
    with store.read() as connection:
        story = read_story(connection, instruction_id, now)
    _check_change(story.change, reference_of(store).desk.time_zone)
    return _count(story, only_read_out)


@needs(Right.STEER)
@goes_on
def ring_them(
    store: "Store",
    instruction_id: int,
    *,
    only_read_out: bool = True,
    reason: str = "",
    agent: "Agent",
    now: datetime,
) -> RingResult:
    """Make or extend the callbacks of all who were told an instruction and not what followed, and release them.

    Each patient once, at the site of the last contact; nobody twice, however often it is asked for. Their place in the
    queue follows the usual rules. Thousands go in several transactions, so that calls can be stored in between: whoever
    was told meanwhile is left out, and what a failure leaves undone is done by asking again.

    Args:
        only_read_out: leave out those where it only stood on the agent's screen.
        reason: said on the card, beside the old and the new words.

    Raises:
        RuleBroken: the agent is no supervisor, there is no such instruction, it is still in force, or nothing is in
            force in its place.
    """
    if len(reason) > LONGEST_REASON:
        raise RuleBroken(_("The reason is longer than {most} characters.").format(most=LONGEST_REASON))
    zone = reference_of(store).desk.time_zone
    with store.read() as connection:
        story = read_story(connection, instruction_id, now)
    _check_change(story.change, zone)
    last = _last_lines(story.lines, only_read_out)
    to_ring = [patient_id for patient_id, line in last.items() if line.state == ToldState.TO_RING]
    done = [
        _ring_some(store, instruction_id, some, only_read_out, reason.strip(), agent, now)
        for some in in_chunks(to_ring, AT_A_TIME)
    ]
    counts = {name: sum(getattr(one, name) for one in done) for name in ("made", "extended", "on_hold")}
    first = [name for one in done for name in one.first][:10]
    return replace(_count(story, only_read_out), first=first, **counts)


def _ring_some(
    store: "Store",
    instruction_id: int,
    people: Sequence[int],
    only_read_out: bool,
    reason: str,
    agent: "Agent",
    now: datetime,
) -> RingResult:
    """Ring those of some patients who still have to be told, in one transaction."""
    zone = reference_of(store).desk.time_zone
    with store.write() as connection:
        story = read_story(connection, instruction_id, now, people)
        _check_change(story.change, zone)
        result = _count(story, only_read_out)
        to_ring = [_to_ring(line, story, zone) for line in _last_lines(story.lines, only_read_out).values()
                   if line.state == ToldState.TO_RING]  # fmt: skip
        if to_ring:
            rows.hold_told(
                connection, instruction_id, to_ring, reason=reason, agent_id=agent.agent_id, login=agent.login, now=now
            )
            journal.append(
                connection, agent=agent.login, action="instruction.retold", subject="instruction",
                subject_id=instruction_id, now=now,
                detail={"made": result.made, "extended": result.extended, "reason": reason,
                        "only_read_out": only_read_out},
            )  # fmt: skip
    return result


def _check_change(change: Change, zone: str) -> None:
    if change.new is None and change.changed_at is None:
        if change.old.validity.is_withdrawn:
            raise RuleBroken(_("This instruction never held: nobody has to be told otherwise."))
        since = moment_words(change.old.valid_from, zone)
        words = _("This instruction holds since {since}: nobody has to be told otherwise.")
        raise RuleBroken(words.format(since=since))
    if change.new is None:
        raise RuleBroken(_("Nothing is in force in its place: issue first what they are to be told."))


def _last_lines(lines: Iterable[ToldLine], only_read_out: bool) -> Mapping[int, ToldLine]:
    """The last contact of each patient."""
    found: dict[int, ToldLine] = {}
    for line in lines:
        if line.patient_id is None or (only_read_out and not line.was_read_out):
            continue
        known = found.get(line.patient_id)
        if known is None or line.at >= known.at:
            found[line.patient_id] = line
    return found


def _count(story: Story, only_read_out: bool) -> RingResult:
    last = list(_last_lines(story.lines, only_read_out).values())
    by_state = {state: [line for line in last if line.state == state] for state in ToldState}
    to_ring = by_state[ToldState.TO_RING]
    held = {callback.callback_id: callback for several in story.open.values() for callback in several}
    extended = [held[line.callback_id] for line in to_ring if line.callback_id is not None]
    calls = {
        line.contact_id
        for line in story.lines
        if line.state == ToldState.NO_PATIENT and (line.was_read_out or not only_read_out)
    }
    return RingResult(
        told=len(last), made=len(to_ring) - len(extended), extended=len(extended),
        on_hold=sum(bool(one.hold) for one in extended), told_since=len(by_state[ToldState.TOLD_SINCE]),
        rung_before=len(by_state[ToldState.CALLBACK]) + len(by_state[ToldState.SPOKEN_TO]),
        dead=len(by_state[ToldState.DEAD]), without_site=len(by_state[ToldState.NO_SITE]), without_patient=len(calls),
        first=[line.patient for line in to_ring[:10]],
    )  # fmt: skip


def _to_ring(line: ToldLine, story: Story, zone: str) -> ToRing:
    change = story.change
    assert line.patient_id is not None
    assert line.site_id is not None
    changed_at = change.changed_at or line.at
    words = change.old.words
    cut = words if len(words) <= WORDS_IN_QUEUE else words[:WORDS_IN_QUEUE].rstrip() + "…"
    why = {
        "instruction": change.old.instruction_id, "words": cut, "at": line.at.isoformat(),
        "on": local_day(line.at, zone).isoformat(),
        "changed_on": local_day(changed_at, zone).isoformat(),
    }  # fmt: skip
    return ToRing(line.patient_id, line.site_id, line.callback_id, line.at, line.was_read_out, why)
