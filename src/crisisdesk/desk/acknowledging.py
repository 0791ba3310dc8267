"""What a service answers to a handover, line by line: acknowledged lines leave the queue, all others stay ours."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from crisisdesk.desk.handovers import existing
from crisisdesk.desk.rights import needs
from crisisdesk.domain.handover import HandoverLine, read_numbers
from crisisdesk.domain.rights import Right
from crisisdesk.domain.text import clean
from crisisdesk.domain.words import HandoverState
from crisisdesk.errors import RuleBroken
from crisisdesk.i18n import _, ngettext
from crisisdesk.store import callbacks, journal
from crisisdesk.store import handovers as rows

if TYPE_CHECKING:
    from crisisdesk.desk.agents import Agent
    from crisisdesk.store.engine import Connection, Store


@dataclass(frozen=True, slots=True)
class Answered:
    """What became of answers that were typed in together."""

    done: Sequence[int]
    """Lines of the list that were changed."""
    skipped: Sequence[tuple[int, str]]
    """Lines that were left as they are, each with why."""
    closed: Sequence[int]
    """Callbacks that ended, because nothing is left in them to ring about."""
    to_tell: Sequence[tuple[int, datetime]] = ()
    """Acknowledged lines whose patient asked to be rung after the list was made: the service does not know that."""


def chosen_numbers(store: "Store", handover_id: int, text: str) -> tuple[int, ...]:
    """Lines of a list that somebody names: "1-40, 44", "all".

    Raises:
        RuleBroken: no such handover, or no such line.
    """
    with store.read() as connection:
        most = existing(connection, handover_id).total
    try:
        return read_numbers(text, most)
    except ValueError as error:
        words = _("'{text}' names no line of this list. Write 7, 1-40 or 1-40,44; the last line is {count}.")
        raise RuleBroken(words.format(text=error.args[0], count=most)) from error


@needs(Right.RECEIPT)
def answer_item(
    store: "Store", handover_id: int, postponement_id: int, state: HandoverState, *, answered_by: str, note: str = "",
    agent: "Agent", now: datetime,
) -> Answered:  # fmt: skip
    """As `answer_lines`, for one postponement of the list.

    Raises:
        RuleBroken: as `answer_lines`; the postponement is not on the list.
    """
    with store.read() as connection:
        found = [one for one in rows.read_lines(connection, handover_id, now) if one.postponement_id == postponement_id]
    if not found:
        raise RuleBroken(_("Postponement {number} is not on this list.").format(number=postponement_id))
    return answer_lines(
        store, handover_id, [found[0].number], state, answered_by=answered_by, note=note, agent=agent, now=now
    )


@needs(Right.RECEIPT)
def answer_lines(
    store: "Store", handover_id: int, numbers: Sequence[int], state: HandoverState, *, answered_by: str,
    note: str = "", agent: "Agent", now: datetime,
) -> Answered:  # fmt: skip
    """Write down what the service answered to lines of the list. What is acknowledged is theirs and is not rung any
    more; what is refused, or not answered, stays ours and is rung. A patient who is being rung at this moment is left
    out and named: answer that line again when the call has ended.

    Args:
        numbers: lines of the list, from 1.
        state: "acknowledged" or "refused".
        answered_by: who answered at the service, by name.
        note: why it was refused; needed then.

    Raises:
        RuleBroken: an auditor, no name, no reason of a refusal, no such handover or line.
    """
    answered_by, note = clean(answered_by).text, clean(note).text
    if state not in (HandoverState.ACKNOWLEDGED, HandoverState.REFUSED):
        raise RuleBroken(_("A line is acknowledged or refused; a supervisor takes an answer back."))
    if not answered_by:
        raise RuleBroken(_("Who answered at the service? Give the name: it is the receipt."))
    if state == HandoverState.REFUSED and not note:
        raise RuleBroken(_("Why was it refused? The next agent reads it."))
    with store.write() as connection:
        made_at = existing(connection, handover_id).made_at
        lines = _chosen(connection, handover_id, numbers, now)
        skipped = [(line.number, why) for line in lines if (why := _why_skipped(line, state))]
        chosen = [line for line in lines if line.number not in dict(skipped)]
        asked = rows.asked_since(connection, [line.postponement_id for line in chosen], made_at)
        closed = _answer(connection, handover_id, chosen, state, answered_by, note, agent, now)
    to_tell = [(line.number, asked[line.postponement_id]) for line in chosen if line.postponement_id in asked]
    is_theirs = state == HandoverState.ACKNOWLEDGED
    return Answered([line.number for line in chosen], skipped, closed, to_tell if is_theirs else ())


def _chosen(connection: "Connection", handover_id: int, numbers: Sequence[int], now: datetime) -> list[HandoverLine]:
    lines = {line.number: line for line in rows.read_lines(connection, handover_id, now)}
    if unknown := [number for number in numbers if number not in lines]:
        words = _("The list has no line {number}: it has {count}.")
        raise RuleBroken(words.format(number=unknown[0], count=len(lines)))
    return [lines[number] for number in dict.fromkeys(numbers)]


def _why_skipped(line: HandoverLine, state: HandoverState) -> str:
    """Why a line cannot be answered so; empty when it can."""
    if line.state == state:
        return _("answered so already by {name}").format(name=line.answered_by)
    if line.state == HandoverState.ACKNOWLEDGED:
        return _("acknowledged by {name}: a supervisor takes that back first").format(name=line.answered_by)
    if state == HandoverState.ACKNOWLEDGED and line.held_by:
        return _("{name} is ringing this patient now: answer the line when that call has ended").format(
            name=line.held_by
        )
    return ""


def _answer(
    connection: "Connection", handover_id: int, lines: Sequence[HandoverLine],
    state: HandoverState, answered_by: str, note: str, agent: "Agent", now: datetime,
) -> list[int]:  # fmt: skip
    ids = [line.postponement_id for line in lines]
    values = {
        "state": state,
        "answered_by": answered_by,
        "answered_at": now,
        "entered_by": agent.agent_id,
        "note": note,
    }
    rows.answer(connection, handover_id, ids, values)
    closed: list[int] = []
    if state == HandoverState.ACKNOWLEDGED:
        taken = rows.set_handed_over(connection, ids, now)
        detail = {"handed_over_at": [None, now.isoformat()], "handover": handover_id, "by": answered_by}
        _tell_items(connection, "postponement.handed_over", taken, detail, agent, now)
        closed = _let_go(connection, handover_id, taken, agent, now)
    if lines:
        _tell(connection, f"handover.{state}", handover_id, _told(lines, state, answered_by, note, closed), agent, now)
    return closed


def _told(
    lines: Sequence[HandoverLine], state: HandoverState, answered_by: str, note: str, closed: Sequence[int]
) -> dict[str, Any]:
    before: defaultdict[str, list[int]] = defaultdict(list)
    for line in lines:
        before[line.state].append(line.postponement_id)
    return {"items": dict(before), "state": state, "answered_by": answered_by, "note": note, "closed": closed}


def _let_go(
    connection: "Connection", handover_id: int, taken: Sequence[int], agent: "Agent", now: datetime
) -> list[int]:
    """What was taken over leaves its callbacks; those with nothing left end, the others are placed anew."""
    held = rows.callbacks_of(connection, taken)
    ended = [number for number, is_left in held if not is_left]
    rows.close_callbacks(connection, ended, agent.agent_id, now)
    callbacks.redate(connection, [number for number, is_left in held if is_left])
    detail = {"closed_as": ["", rows.HANDED_OVER], "handover": handover_id}
    journal.append_all(
        connection, agent=agent.login, action="callback.closed", subject="callback", now=now,
        details=[(number, detail) for number in ended],
    )  # fmt: skip
    return ended


@needs(Right.STEER)
def take_back(
    store: "Store", handover_id: int, numbers: Sequence[int], *, reason: str, agent: "Agent", now: datetime
) -> Answered:
    """Take answers back that were a mistake: the lines wait for an answer again, and what was acknowledged is ours
    again, with its place in the queue and its clock.

    Raises:
        RuleBroken: no supervisor, no reason, no such handover or line.
    """
    if not (reason := clean(reason).text):
        raise RuleBroken(_("Say why the answer is taken back."))
    with store.write() as connection:
        existing(connection, handover_id)
        lines = _chosen(connection, handover_id, numbers, now)
        skipped = [(line.number, _("not answered")) for line in lines if line.state == HandoverState.OFFERED]
        lines = [line for line in lines if line.state != HandoverState.OFFERED]
        ids = [line.postponement_id for line in lines]
        blank = {"state": HandoverState.OFFERED, "answered_by": "", "answered_at": None, "entered_by": None, "note": ""}
        rows.answer(connection, handover_id, ids, blank)
        was = [line.postponement_id for line in lines if line.state == HandoverState.ACKNOWLEDGED]
        ours = rows.set_handed_over(connection, was, None)
        reopened = _hold_again(connection, ours, agent, now)
        if lines:
            detail = {"answers": {line.number: [line.state, line.answered_by] for line in lines}, "reason": reason}
            _tell(connection, "handover.taken_back", handover_id, detail | {"callbacks": reopened}, agent, now)
            mark = {"handed_over_at": ["acknowledged", None], "handover": handover_id, "why": reason}
            _tell_items(connection, "postponement.taken_back", ours, mark, agent, now)
    return Answered([line.number for line in lines], skipped, reopened)


def _hold_again(connection: "Connection", ours: Sequence[int], agent: "Agent", now: datetime) -> list[int]:
    """Open the callbacks of postponements again, or add them to the one that is open at their site by now."""
    reopened = []
    for number in ours:
        again, other = rows.reopen_callback(connection, number)
        if again is not None:
            reopened.append(again)
            continue
        if other is not None:
            patient_id, site_id = rows.owner_of(connection, other)
            release_why = ""
        elif (before := rows.held_before(connection, number)) is not None:  # it ended for another postponement
            patient_id, site_id, release_why = before.patient_id, before.site_id, before.release_why
        else:
            continue
        callback_id = callbacks.hold(
            connection, patient_id=patient_id, site_id=site_id, postponement_ids=[number], wish=None, released=False,
            call_id=None, agent_id=agent.agent_id, now=now,
        )  # fmt: skip
        if release_why and not release_why.startswith("reserve:"):
            callbacks.release(connection, [callback_id], release_why, now)
    callbacks.redate(connection, [number for number, _left in rows.callbacks_of(connection, ours)])
    return reopened


def _tell(
    connection: "Connection", action: str, handover_id: int, detail: Mapping[str, Any], agent: "Agent", now: datetime
) -> None:
    journal.append(
        connection, agent=agent.login, action=action, subject="handover", subject_id=handover_id, detail=detail, now=now
    )


def _tell_items(
    connection: "Connection", action: str, ids: Sequence[int], detail: Mapping[str, Any], agent: "Agent", now: datetime
) -> None:
    journal.append_all(
        connection, agent=agent.login, action=action, subject="postponement", now=now,
        details=[(number, detail) for number in ids],
    )  # fmt: skip


def answered_words(answered: Answered, state: HandoverState) -> str:
    """What became of answers, in a sentence."""
    count = len(answered.done)
    if state == HandoverState.ACKNOWLEDGED:
        words = ngettext(
            "{count} line acknowledged: not rung any more", "{count} lines acknowledged: not rung any more", count
        )
    elif state == HandoverState.OFFERED:
        words = ngettext("{count} answer taken back", "{count} answers taken back", count)
    else:
        words = ngettext("{count} line refused: stays ours", "{count} lines refused: they stay ours", count)
    parts = [words.format(count=count)] if count or not answered.skipped else []
    parts += [_("{line}: {why}").format(line=number, why=why) for number, why in answered.skipped]
    if lines := ", ".join(str(number) for number, _asked_at in answered.to_tell):
        parts.append(_("tell the service: asked to be rung since the list was made: {lines}").format(lines=lines))
    return " · ".join(parts)
