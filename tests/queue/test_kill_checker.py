"""The checker of the kill campaign finds what it is there for; and two hundred kills leave it nothing to find.

The whole campaign, with 10,000: python tests/campaigns kill
"""

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from campaigns.checker import CHECKS, Entry, Facts, check
from campaigns.history import FAIL, INVOKE, OK, Line, Writer, read, unanswered

LEASE = {"callback_id": 7, "generation": 1}
CAMPAIGNS = Path(__file__).resolve().parent.parent / "campaigns"
Story = tuple[list[list[Line]], Facts]


def line(worker: str, op: str, phase: str, op_id: str, at: float, **what: object) -> Line:
    return Line(worker, op, phase, op_id, at, what)


def both(worker: str, op: str, op_id: str, at: float, sent: dict[str, object], **said: object) -> list[Line]:
    """The question and its answer, a second apart."""
    return [line(worker, op, INVOKE, op_id, at, **sent), line(worker, op, OK, op_id, at + 1, **sent, **said)]


def story() -> Story:
    """Two workers: one records a call whose answer was lost and rings a patient, the other takes the same patient
    after that, falls asleep over another one, writes late, and leaves a draft."""
    one = [
        *both("one", "draft", "one-1-0", 10, {"uid": "call-one-1", "text": "half"}),
        line("one", "call", INVOKE, "one-1", 12, uid="call-one-1"),
        *both("one", "call", "one-1", 14, {"uid": "call-one-1"}, call_id=1, number=1, reference="0001-A"),
        *both("one", "take", "one-2", 20, {}, **LEASE, rung="+3201", until=140),
        *both("one", "renew", "one-3", 60, LEASE, until=180),
        *both("one", "attempt", "one-4", 90, LEASE | {"uid": "attempt-one-4"}, attempt_id=1),
        *both("one", "take", "one-5", 400, {}, callback_id=8, generation=2, rung="+3202", until=520),
    ]
    late = {"callback_id": 8, "generation": 1, "uid": "attempt-two-4"}
    two = [
        *both("two", "draft", "two-1", 5, {"uid": "call-two-1", "text": "kept"}),
        *both("two", "take", "two-2", 200, {}, callback_id=8, generation=1, rung="+3202", until=320),
        line("two", "attempt", INVOKE, "two-4", 600, **late),
        line("two", "attempt", FAIL, "two-4", 601, **late, why="lost"),
        *both("two", "take", "two-5", 610, {}, callback_id=7, generation=2, rung="+3201", until=730),
        *both("two", "give", "two-6", 620, {"callback_id": 7, "generation": 2}),
    ]
    return [one, two], Facts(
        calls=[{"id": 1, "uid": "call-one-1", "number": 1, "reference": "0001-A", "words": "call one-1"}],
        attempts=[{
            "id": 1, "uid": "attempt-one-4", "callback_id": 7, "agent": "one", "generation": 1, "rung": "+3201",
            "day": "2022-05-31", "note": "one-4",
        }],
        drafts={"call-two-1": {"note": "kept"}, "attempt-two-4": {"note": "two-4"}},
        journal=[
            Entry(1, 14, "one", "call.recorded", "1"),
            Entry(2, 20, "one", "callback.taken", "7", {"generation": 1, "until": 140}),
            Entry(3, 90, "one", "attempt.recorded", "7", {"attempt": 1}),
            Entry(4, 200, "two", "callback.taken", "8", {"generation": 1, "until": 320}),
            Entry(5, 400, "one", "callback.taken", "8", {"generation": 2, "until": 520}),
            Entry(6, 610, "two", "callback.taken", "7", {"generation": 2, "until": 730}),
            Entry(7, 620, "two", "callback.given_back", "7"),
        ],
        attempts_per_number_a_day=3, head=7,
    )  # fmt: skip


def test_a_lawful_story_has_no_fault() -> None:
    assert check(*story()) == []


def lose_call(_histories: list[list[Line]], facts: Facts) -> None:
    facts.calls.clear()


def other_reference(_histories: list[list[Line]], facts: Facts) -> None:
    facts.calls[0]["reference"] = "0001-B"


def double_call(_histories: list[list[Line]], facts: Facts) -> None:
    facts.calls.append(facts.calls[0] | {"id": 2, "uid": "another", "number": 2})


def skip_number(_histories: list[list[Line]], facts: Facts) -> None:
    facts.calls[0]["number"] = 2


def strange_call(_histories: list[list[Line]], facts: Facts) -> None:
    facts.calls.append(facts.calls[0] | {"id": 2, "uid": "strange", "number": 2, "words": "call nobody-1"})


def lose_attempt(_histories: list[list[Line]], facts: Facts) -> None:
    facts.attempts.clear()


def other_agents_attempt(_histories: list[list[Line]], facts: Facts) -> None:
    facts.attempts[0]["agent"] = "two"


def ring_twice(_histories: list[list[Line]], facts: Facts) -> None:
    facts.attempts.append(facts.attempts[0] | {"id": 2, "uid": "again", "note": "two-9"})


def ring_too_often(_histories: list[list[Line]], facts: Facts) -> None:
    for number in (2, 3, 4):
        other = {"id": number, "uid": str(number), "note": str(number), "callback_id": number}
        facts.attempts.append(facts.attempts[0] | other)


def overlap(histories: list[list[Line]], _facts: Facts) -> None:
    histories[1][3] = replace(histories[1][3], what={**histories[1][3].what, "callback_id": 7})
    histories[1][3] = replace(histories[1][3], at=50)


def same_number(histories: list[list[Line]], _facts: Facts) -> None:
    histories[1][3] = replace(histories[1][3], at=50, what={**histories[1][3].what, "rung": "+3201"})


def steal(_histories: list[list[Line]], facts: Facts) -> None:
    facts.journal[4] = replace(facts.journal[4], at=300)


def steal_renewed(histories: list[list[Line]], _facts: Facts) -> None:
    lease = {"callback_id": 8, "generation": 1}
    histories[1][4:4] = both("two", "renew", "two-3", 310, lease, until=430)


def old_generation(_histories: list[list[Line]], facts: Facts) -> None:
    facts.journal[5] = replace(facts.journal[5], detail={"generation": 1, "until": 730})


def accept_late(_histories: list[list[Line]], facts: Facts) -> None:
    facts.attempts.append(facts.attempts[0] | {
        "id": 2, "uid": "attempt-two-4", "note": "two-4", "callback_id": 8, "generation": 1, "agent": "two",
    })  # fmt: skip
    facts.journal.append(Entry(8, 600, "two", "attempt.recorded", "8", {"attempt": 2}))
    facts.head = 8


def lose_draft(_histories: list[list[Line]], facts: Facts) -> None:
    del facts.drafts["call-two-1"]


def older_draft(_histories: list[list[Line]], facts: Facts) -> None:
    facts.drafts["call-two-1"] = {"note": "older"}


def lose_late_draft(_histories: list[list[Line]], facts: Facts) -> None:
    del facts.drafts["attempt-two-4"]


def leave_draft(_histories: list[list[Line]], facts: Facts) -> None:
    facts.drafts["call-one-1"] = {"note": "half"}


def cut_journal(_histories: list[list[Line]], facts: Facts) -> None:
    facts.journal.pop()


def gap_in_journal(_histories: list[list[Line]], facts: Facts) -> None:
    facts.journal[6] = replace(facts.journal[6], seq=8)


def silent_call(_histories: list[list[Line]], facts: Facts) -> None:
    facts.journal[0] = replace(facts.journal[0], action="patient.changed")


def told_twice(_histories: list[list[Line]], facts: Facts) -> None:
    facts.journal[6] = replace(facts.journal[6], action="call.recorded", subject_id="1")


def bad_file(_histories: list[list[Line]], facts: Facts) -> None:
    facts.faults.append("row 3 missing from index call_number")


def answer_unasked(histories: list[list[Line]], _facts: Facts) -> None:
    del histories[0][0]


MUTATIONS: dict[Callable[[list[list[Line]], Facts], None], str] = {
    lose_call: "lost", other_reference: "changed", double_call: "doubled", skip_number: "numbers",
    strange_call: "unasked", lose_attempt: "lost", other_agents_attempt: "changed", ring_twice: "rung twice",
    ring_too_often: "too often", overlap: "shared", same_number: "shared", steal: "stolen", steal_renewed: "stolen",
    old_generation: "generation", accept_late: "late write", lose_draft: "draft", older_draft: "draft",
    lose_late_draft: "draft", leave_draft: "draft", cut_journal: "gap", gap_in_journal: "gap", silent_call: "untold",
    told_twice: "untold", bad_file: "desk", answer_unasked: "history",
}  # fmt: skip


@pytest.mark.parametrize("mutate", MUTATIONS, ids=lambda mutate: mutate.__name__)
def test_each_kind_of_damage_is_found(mutate: Callable[[list[list[Line]], Facts], None]) -> None:
    histories, facts = story()
    mutate(histories, facts)
    assert MUTATIONS[mutate] in {fault.kind for fault in check(histories, facts)}


def test_no_check_is_idle() -> None:
    found = set()
    for mutate in MUTATIONS:
        for look in CHECKS:
            histories, facts = story()
            mutate(histories, facts)
            found |= {look} if list(look(histories, facts)) else set()
    assert found == set(CHECKS)


def test_an_unknown_answer_allows_both_states_of_a_draft() -> None:
    histories, facts = story()
    histories[1].append(line("two", "draft", INVOKE, "two-7", 700, uid="call-two-1", text="newer"))
    for text in ("kept", "newer"):
        facts.drafts["call-two-1"] = {"note": text}
        assert check(histories, facts) == []


def test_a_torn_line_counts_as_never_written(tmp_path: Path) -> None:
    path = tmp_path / "one.history"
    Writer(path, "one").add("call", INVOKE, "one-1", 1.0, uid="u")
    with path.open("ab") as file:
        file.write(b'["call", "ok", "one-1", 2.0, {"ca')
    left = unanswered(path, "one")
    assert left
    assert (left.op_id, left.what) == ("one-1", {"uid": "u"})
    Writer(path, "one").add("call", OK, "one-1", 3.0, uid="u", call_id=1)
    assert [(one.phase, one.at) for one in read(path, "one")] == [(INVOKE, 1.0), (OK, 3.0)]
    assert unanswered(path, "one") is None


def campaign(*options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(CAMPAIGNS), "kill", "--workers", "8", *options]
    return subprocess.run(command, capture_output=True, text=True, timeout=170, check=False)


def test_two_hundred_kills_lose_double_and_share_nothing() -> None:
    done = campaign("--kills", "200", "--steps", "2")
    print(done.stdout)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_seeded_bug_is_found() -> None:
    done = campaign("--kills", "30", "--bug", "blind-take")
    print(done.stdout)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "shared:" in done.stdout or "stolen:" in done.stdout  # by two at once, or from one whose lease still ran
