"""Do the histories of all workers and the desk that they left agree? Pure: no desk is opened, nothing is timed.

The two witnesses are independent. The histories say what was acknowledged to whom; the facts say what the desk holds.
Each check names what it looks for; every one is seen to find its fault in tests/queue/test_kill_checker.py.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from campaigns.history import FAIL, INVOKE, OK, Line

Histories = Sequence[Sequence[Line]]
"""One list a worker, in the order in which the lines were written."""


@dataclass(frozen=True)
class Entry:
    """One entry of the journal."""

    seq: int
    at: float
    """The desk's clock, seconds since 1970."""
    agent: str
    action: str
    subject_id: str
    detail: Mapping[str, Any] = field(default_factory=dict)


@dataclass
class Facts:
    """What the desk holds at the end."""

    calls: list[dict[str, Any]]
    """id, uid, number, reference, words (which hold the operation's id), entered_at."""
    attempts: list[dict[str, Any]]
    """id, uid, callback_id, agent, generation, rung (number), day (local), note (the operation's id)."""
    drafts: dict[str, dict[str, str]]
    """Fields by uid."""
    journal: list[Entry]
    attempts_per_number_a_day: int
    head: int = 0
    """The journal's own count of its entries."""
    faults: list[str] = field(default_factory=list)
    """What the file itself and its accounts say is wrong, in words."""


@dataclass(frozen=True)
class Fault:
    """One thing that must never be."""

    kind: str
    words: str


@dataclass(frozen=True)
class Hold:
    """A stretch of time in which a worker rightly believed that a callback was his alone."""

    worker: str
    callback_id: int
    rung: str
    generation: int
    begin: float
    end: float


def check(histories: Histories, facts: Facts) -> list[Fault]:
    """Everything that is wrong; an empty list where all is well."""
    found = [Fault("desk", words) for words in facts.faults]
    for look in CHECKS:
        found += look(histories, facts)
    return found


def answers(histories: Histories, op: str, phase: str = OK) -> Iterator[Line]:
    """The lines of one kind of operation and one phase, of all workers."""
    return (line for lines in histories for line in lines if line.op == op and line.phase == phase)


def disordered(histories: Histories, _facts: Facts) -> Iterator[Fault]:
    """A worker does one thing at a time: an answer follows its own question. Else the rig is wrong, not the desk."""
    for lines in histories:
        for before, line in zip([None, *lines], lines, strict=False):
            is_asked = before is not None and (before.phase, before.op_id) == (INVOKE, line.op_id)
            if line.phase != INVOKE and not is_asked:
                yield Fault("history", f"{line.worker}: {line.op} {line.op_id} was answered without being asked")


def lost_calls(histories: Histories, facts: Facts) -> Iterator[Fault]:
    """Each acknowledged call is there, under the number and reference that were read out."""
    stored = {row["words"].split()[-1]: row for row in reversed(facts.calls)}
    for line in answers(histories, "call"):
        row = stored.get(line.op_id)
        told = (line.what["call_id"], line.what["number"], line.what["reference"])
        if row is None:
            yield Fault("lost", f"call {line.op_id} ({told[2]}) was acknowledged to {line.worker} and is not there")
        elif (row["id"], row["number"], row["reference"]) != told:
            yield Fault("changed", f"call {line.op_id} was acknowledged as {told} and is {row}")


def doubled_calls(_histories: Histories, facts: Facts) -> Iterator[Fault]:
    """What a caller said once stands once, however often it was sent. By its words: a second uid must not hide it."""
    counts = Counter(row["words"] for row in facts.calls)
    yield from (Fault("doubled", f"{words} is stored {n} times") for words, n in counts.items() if n > 1)
    numbers = sorted(row["number"] for row in facts.calls)
    if numbers != list(range(1, len(numbers) + 1)):
        yield Fault("numbers", f"calls are not numbered 1 to {len(numbers)}")


def unasked_calls(histories: Histories, facts: Facts) -> Iterator[Fault]:
    """Nothing is stored that nobody sent."""
    sent = {line.op_id for line in answers(histories, "call", INVOKE)}
    for row in facts.calls:
        if row["words"].split()[-1] not in sent:
            yield Fault("unasked", f"call {row['reference']} was sent by nobody")


def lost_attempts(histories: Histories, facts: Facts) -> Iterator[Fault]:
    """Each acknowledged attempt is there, by the agent and under the lease that made it."""
    stored = {row["note"]: row for row in facts.attempts}
    for line in answers(histories, "attempt"):
        row = stored.get(line.op_id)
        if row is None:
            yield Fault("lost", f"attempt {line.op_id} was acknowledged to {line.worker} and is not there")
            continue
        told = (line.what["attempt_id"], line.what["callback_id"], line.what["generation"], line.worker)
        if (row["id"], row["callback_id"], row["generation"], row["agent"]) != told:
            yield Fault("changed", f"attempt {line.op_id} was acknowledged as {told} and is {row}")


def rung_twice(_histories: Histories, facts: Facts) -> Iterator[Fault]:
    """One attempt a lease, one attempt a form, and no number rung more often in a day than the desk allows."""
    for key in ("note", "uid"):
        counts = Counter(row[key] for row in facts.attempts)
        yield from (Fault("doubled", f"attempt {name} is stored {n} times") for name, n in counts.items() if n > 1)
    leases = Counter((row["callback_id"], row["generation"]) for row in facts.attempts)
    for (callback_id, generation), count in leases.items():
        if count > 1:
            yield Fault("rung twice", f"callback {callback_id} was rung {count} times under lease {generation}")
    days = Counter((row["rung"], row["day"]) for row in facts.attempts if row["rung"])
    for (number, day), count in days.items():
        if count > facts.attempts_per_number_a_day:
            yield Fault("too often", f"{number} was rung {count} times on {day}")


def holds_of(lines: Sequence[Line]) -> Iterator[Hold]:
    """When a worker held what, by his own history: from the answer to the take until he asked to end it, or until the
    last end that he was told."""
    now: Hold | None = None
    for line in lines:
        if line.op == "take" and line.phase == OK:
            what = line.what
            same = now is not None and (now.callback_id, now.generation) == (what["callback_id"], what["generation"])
            if now is not None and not same:
                yield now
            begin = now.begin if now is not None and same else line.at
            end = max(what["until"], now.end) if now is not None and same else what["until"]
            now = Hold(line.worker, what["callback_id"], what["rung"], what["generation"], begin, end)
        elif now is not None and line.what.get("generation") == now.generation and line.phase != FAIL:
            if line.op == "renew" and line.phase == OK:
                now = Hold(**{**vars(now), "end": max(now.end, line.what["until"])})
            elif line.op in ("attempt", "give") and line.what["callback_id"] == now.callback_id:
                yield Hold(**{**vars(now), "end": max(now.begin, min(now.end, line.at))})
                now = None
    if now is not None:
        yield now


def shared_holds(histories: Histories, _facts: Facts) -> Iterator[Fault]:
    """No two workers ever believed at once that a callback, or the number it rings, was theirs; nor one of two."""
    holds = [hold for lines in histories for hold in holds_of(lines) if hold.end > hold.begin]
    for name in ("callback_id", "rung"):
        by_key: defaultdict[Any, list[Hold]] = defaultdict(list)
        for hold in holds:
            by_key[getattr(hold, name)].append(hold)
        for key, same in by_key.items():
            yield from _overlaps(key, sorted(same, key=lambda hold: hold.begin))


def _overlaps(key: object, holds: Sequence[Hold]) -> Iterator[Fault]:
    for one, other in pairwise(holds):
        if other.begin < one.end and key:
            early = f"{one.end - other.begin:.1f} s before its end"
            who = f"{one.worker} (lease {one.generation}) and, {early}, by {other.worker} (lease {other.generation})"
            yield Fault("shared", f"{key} was held by {who}")


def stolen_leases(histories: Histories, facts: Facts) -> Iterator[Fault]:
    """By the journal: a callback is taken when it is free, or its lease is over; each take has a higher generation."""
    renewed: dict[tuple[int, int], float] = {}
    for line in answers(histories, "renew"):
        key = (line.what["callback_id"], line.what["generation"])
        renewed[key] = max(renewed.get(key, 0.0), line.what["until"])
    held: dict[str, tuple[str, int, float]] = {}
    newest: dict[str, int] = {}
    for entry in facts.journal:
        number = entry.subject_id
        if entry.action == "callback.taken":
            generation = entry.detail["generation"]
            if generation <= newest.get(number, 0):
                yield Fault("generation", f"callback {number} was taken as lease {generation} after {newest[number]}")
            if number in held and entry.at < held[number][2]:
                yield Fault("stolen", f"{entry.agent} took callback {number} {held[number][2] - entry.at:.1f} s before"
                                      f" the lease of {held[number][0]} ended")  # fmt: skip
            until = max(entry.detail["until"], renewed.get((int(number), generation), 0.0))
            held[number], newest[number] = (entry.agent, generation, until), generation
        elif entry.action in ENDS:
            held.pop(number, None)


ENDS = ("attempt.recorded", "callback.given_back", "callback.taken_from", "callback.settled")


def late_writes(_histories: Histories, facts: Facts) -> Iterator[Fault]:
    """An attempt is recorded by whoever took the callback last, under that lease, and ends it."""
    generations = {row["id"]: row["generation"] for row in facts.attempts}
    holder: dict[str, tuple[str, int] | None] = {}
    for entry in facts.journal:
        if entry.action == "callback.taken":
            holder[entry.subject_id] = (entry.agent, entry.detail["generation"])
        elif entry.action == "attempt.recorded":
            wrote = (entry.agent, generations.get(entry.detail["attempt"], 0))
            if holder.get(entry.subject_id) != wrote:
                yield Fault("late write", f"attempt {entry.detail['attempt']} on callback {entry.subject_id} by"
                                          f" {wrote}, while {holder.get(entry.subject_id)} held it")  # fmt: skip
            holder[entry.subject_id] = None
        elif entry.action in ENDS:
            holder[entry.subject_id] = None


def drafts_kept(histories: Histories, facts: Facts) -> Iterator[Fault]:
    """The last acknowledged text of a draft is there, unless its form was stored or it was dropped; then it is not."""
    for uid, states in sorted(draft_states(histories).items()):
        text = facts.drafts.get(uid, {}).get("note")
        if text not in states:
            wanted = " or ".join(repr(state) for state in states)
            yield Fault("draft", f"the draft {uid} holds {text!r}, not {wanted}")


def draft_states(histories: Histories) -> dict[str, list[str | None]]:
    """By uid: what its draft may hold at the end; several where the answer to a write was never seen."""
    states: dict[str, list[str | None]] = {}
    for lines in histories:
        for line in lines:
            uid = line.what.get("uid")
            if not uid or line.op not in ("draft", "drop", "call", "attempt"):
                continue
            before = states.setdefault(uid, [None])
            after = line.what["text"] if line.op == "draft" else None
            if line.phase == INVOKE:
                states[uid] = [*before, *([after] if after not in before else [])]
            elif line.phase == OK:
                states[uid] = [after]
            elif line.op == "attempt" and line.what.get("why") == "lost":
                states[uid] = [line.op_id]  # what was typed outlives the lease that was lost
            else:
                states[uid] = before
    return states


def gaps(_histories: Histories, facts: Facts) -> Iterator[Fault]:
    """The journal counts 1, 2, 3 ... and its head knows how far."""
    seen = [entry.seq for entry in facts.journal]
    if seen != list(range(1, len(seen) + 1)):
        wrong = next(n for n, seq in enumerate([*seen, None], 1) if seq != n)
        yield Fault("gap", f"the journal's entry {wrong} is missing or stands elsewhere")
    if facts.head != len(seen):
        yield Fault("gap", f"the journal has {len(seen)} entries, its head says {facts.head}")


def untold(_histories: Histories, facts: Facts) -> Iterator[Fault]:
    """Each call and each attempt is told once in the journal, and nothing is told that is not there."""
    told_calls = Counter(entry.subject_id for entry in facts.journal if entry.action == "call.recorded")
    told = Counter(entry.detail["attempt"] for entry in facts.journal if entry.action == "attempt.recorded")
    for what, stored, counted in (
        ("call", {str(row["id"]) for row in facts.calls}, told_calls),
        ("attempt", {row["id"] for row in facts.attempts}, told),
    ):
        for number in sorted(stored | counted.keys(), key=str):
            if counted[number] != 1 or number not in stored:
                yield Fault("untold", f"{what} {number} is told {counted[number]} times in the journal")


CHECKS = (
    disordered, lost_calls, doubled_calls, unasked_calls, lost_attempts, rung_twice, shared_holds, stolen_leases,
    late_writes, drafts_kept, gaps, untold,
)  # fmt: skip
"""Every check, in the order in which their faults are told."""
