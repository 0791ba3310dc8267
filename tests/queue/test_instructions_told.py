"""The instruction that reversed three times: who was told which version, and who has to be rung for it.

The real case: 23 May "not contacted = cancelled", 1 June "each person is phoned individually", 15 June "not cancelled =
come" (three versions within four weeks).
"""

from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select, update

from crisisdesk.desk.callbacks import explain, list_queue, open_card
from crisisdesk.desk.callform import CallForm
from crisisdesk.desk.instructions import InstructionForm, end_instruction, instruction_in_force, issue_instruction
from crisisdesk.desk.intake import record_call
from crisisdesk.desk.patients import merge_patients
from crisisdesk.desk.retelling import RingResult, ToldState, preview_ring, ring_them, who_was_told
from crisisdesk.errors import RuleBroken
from crisisdesk.store import tables
from crisisdesk.store.engine import Store
from waiting import World

MAY_23 = datetime(2022, 5, 23, 6, 0, tzinfo=UTC)
JUNE_1 = datetime(2022, 6, 1, 6, 0, tzinfo=UTC)
JUNE_15 = datetime(2022, 6, 15, 6, 0, tzinfo=UTC)
CANCELLED = "Un patient qui n'a pas été contacté doit considérer son rendez-vous comme annulé."
PHONED = "Chaque personne est appelée individuellement. Attendre cet appel."
COME = "Un rendez-vous qui n'a pas été annulé est maintenu : venir."
_serial = count(1)


@pytest.fixture
def world(store: Store) -> World:
    """Arlon has no instruction of its own yet."""
    with store.write() as connection:
        connection.execute(tables.instruction.delete().where(tables.instruction.c.site_id == "arlon"))
    return World(store, MAY_23)


def issue(world: World, words: str, **scope: Any) -> int:
    return issue_instruction(world.store, InstructionForm(words, **scope), agent=world.sonia, now=world.now)


def call(world: World, patient_id: int | None, instruction_id: int | None = None, **more: Any) -> int:
    """A call at this moment, in which the instruction in force was read out."""
    if instruction_id is None:
        found = instruction_in_force(world.store, site_id="arlon", now=world.now)
        instruction_id = found.instruction_id if found else None
    values = {
        "site_id": "arlon", "topic": "operation_date", "caller_kind": "self", "was_read_out": True,
        "instruction_id": instruction_id, "patient_ids": (patient_id,) if patient_id else (),
    }  # fmt: skip
    form = CallForm(f"call-{next(_serial)}", world.now, "informed", ended_at=world.now, **{**values, **more})
    return record_call(world.store, form, agent=world.amelie, now=world.now).call_id


def states(world: World, instruction_id: int) -> dict[int | None, ToldState]:
    """State by patient; the last line of each patient decides."""
    return {line.patient_id: line.state for line in who_was_told(world.store, instruction_id, now=world.now)}


def ring(world: World, instruction_id: int, **more: Any) -> RingResult:
    return ring_them(world.store, instruction_id, agent=world.sonia, now=world.now, **more)


def open_of(world: World, patient_id: int) -> list[Any]:
    table = tables.callback
    with world.store.read() as connection:
        wanted = select(table).where(table.c.patient_id == patient_id, table.c.state != "closed")
        return list(connection.execute(wanted))


def test_the_real_reversal_with_calls_in_between(world: World) -> None:
    """Three versions; at each step the lists hold who was told what, and nobody is rung for what they know."""
    first = issue(world, CANCELLED, site_id="arlon")
    anne, bert, carl, dora = (world.patient(name) for name in ("Anne", "Bert", "Carl", "Dora"))
    for person in (anne, bert, carl):
        world.later(hours=1)
        call(world, person)
    assert states(world, first) == dict.fromkeys((anne, bert, carl), ToldState.TO_RING)
    with pytest.raises(RuleBroken, match="holds since"):
        ring(world, first)

    world.now = JUNE_1
    second = issue(world, PHONED, site_id="arlon")
    world.later(hours=1)
    call(world, bert)  # rang himself again, and was told the second version
    call(world, dora)
    assert states(world, first) == {anne: ToldState.TO_RING, bert: ToldState.TOLD_SINCE, carl: ToldState.TO_RING}
    done = ring(world, first, reason="revirement du 1er juin")
    assert (done.told, done.made, done.extended, done.told_since) == (3, 2, 0, 1)
    assert [len(open_of(world, person)) for person in (anne, bert, carl, dora)] == [1, 0, 1, 0]
    (to_anne,) = open_of(world, anne)
    assert to_anne.release_why == f"instruction:{first}"
    why = list_queue(world.store, "arlon", now=world.now).rows[0].why_here
    assert "was told on 23/05: «Un patient qui" in why
    assert "which changed on 01/06" in why
    assert explain(world.store, to_anne.id, now=world.now).released == "was told an instruction that changed"

    world.later(days=1, hours=3)
    card = open_card(world.store, to_anne.id, agent=world.amelie, now=world.now)
    assert card.reading.told
    assert (card.reading.told.old.words, card.reading.told.new and card.reading.told.new.words) == (CANCELLED, PHONED)
    assert card.reading.told.reason == "revirement du 1er juin"
    world.ring(to_anne.id, "informed", instruction_id=card.instruction and card.instruction.instruction_id)
    assert open_of(world, anne) == []
    assert states(world, first) == {anne: ToldState.TOLD_SINCE, bert: ToldState.TOLD_SINCE, carl: ToldState.CALLBACK}
    assert ring(world, first).rung == 0, "Carl waits in the queue already"

    world.now = JUNE_15
    third = issue(world, COME, site_id="arlon")
    assert states(world, second) == dict.fromkeys((anne, bert, dora), ToldState.TO_RING)
    assert states(world, first)[carl] == ToldState.CALLBACK
    assert ring(world, second).made == 3
    (to_carl,) = open_of(world, carl)
    told = open_card(world.store, to_carl.id, agent=world.amelie, now=world.now).reading.told
    assert told
    assert told.new
    assert told.new.instruction_id == third, "the words of today, not those of the day on which he was put in the queue"
    assert ring(world, second).rung == 0
    assert states(world, third) == {}


def test_only_supervisors_ring_and_it_is_journalled(world: World) -> None:
    first = issue(world, CANCELLED, site_id="arlon")
    call(world, world.patient())
    world.later(days=1)
    issue(world, PHONED, site_id="arlon")
    with pytest.raises(RuleBroken, match="supervisor"):
        ring_them(world.store, first, agent=world.amelie, now=world.now)
    with pytest.raises(RuleBroken, match="supervisor"):
        preview_ring(world.store, first, agent=world.amelie, now=world.now)
    ring(world, first)
    with world.store.read() as connection:
        actions = list(
            connection.scalars(select(tables.journal.c.action).order_by(tables.journal.c.seq.desc()).limit(3))
        )
    assert actions == ["instruction.retold", "callback.made", "right.refused"]


def test_the_preview_says_what_the_deed_does(world: World) -> None:
    first = issue(world, CANCELLED, site_id="arlon")
    known, dead, held = world.patient("Connu"), world.patient("Mort"), world.callback(released=False)
    for person in (known, dead, world.row(held).patient_id):
        call(world, person)
    call(world, None, phone="063 23 11 11")
    call(world, known, was_read_out=False)
    unread = world.patient("Ecran")
    call(world, unread, was_read_out=False)
    with world.store.write() as connection:
        died = update(tables.patient).where(tables.patient.c.id == dead)
        connection.execute(died.values(death_reported_at=world.now))
    world.later(days=1)
    issue(world, PHONED, site_id="arlon")
    seen = preview_ring(world.store, first, agent=world.sonia, now=world.now)
    assert (seen.made, seen.extended, seen.dead, seen.without_patient) == (1, 1, 1, 1)
    assert ring(world, first) == seen
    row = world.row(held)
    assert row.released_at == world.now
    assert row.why["told"]["instruction"] == first
    assert open_of(world, dead) == []
    both = preview_ring(world.store, first, only_read_out=False, agent=world.sonia, now=world.now)
    assert both.rung == 1, "who only had it on the screen is asked for by name"
    assert [line.was_read_out for line in who_was_told(world.store, first, now=world.now)] == [True] * 4 + [False] * 2


def test_informed_with_something_unsettled_waits_for_the_opening_again(world: World) -> None:
    first = issue(world, CANCELLED, site_id="arlon")
    callback_id = world.callback(released=False)
    patient_id = world.row(callback_id).patient_id
    call(world, patient_id)
    before = world.row(callback_id)
    world.later(days=1)
    second = issue(world, PHONED, site_id="arlon")
    ring(world, first)
    after = world.row(callback_id)
    assert (after.tier, after.due_at) == (before.tier, before.due_at), "its place is that of the rules"
    world.later(hours=2)
    world.ring(callback_id, "informed", instruction_id=second)
    row = world.row(callback_id)
    assert (row.state, row.released_at, "told" in row.why) == ("waiting", None, False)
    assert ring(world, first).rung == 0
    (item,) = world.items_of(callback_id)
    assert world.fact(item).reached_at


def test_no_answer_keeps_the_reason_and_an_undone_attempt_tells_nobody(world: World) -> None:
    first = issue(world, CANCELLED, site_id="arlon")
    person = world.patient()
    call(world, person)
    world.later(days=1)
    second = issue(world, PHONED, site_id="arlon")
    ring(world, first)
    (row,) = open_of(world, person)
    world.later(hours=2)
    world.ring(row.id, "no_answer", instruction_id=second)
    assert "told" in world.row(row.id).why
    assert states(world, first)[person] == ToldState.CALLBACK
    assert states(world, second) == {}, "an attempt that reached nobody told nobody"
    world.later(days=1)
    done = world.ring(row.id, "informed", instruction_id=second)
    assert states(world, first)[person] == ToldState.TOLD_SINCE
    with world.store.write() as connection:
        undo = update(tables.attempt).where(tables.attempt.c.id == done.attempt_id)
        connection.execute(undo.values(undone_at=world.now))
    assert states(world, first)[person] != ToldState.TOLD_SINCE


def test_a_merged_patient_is_rung_once_and_still_told(world: World) -> None:
    first = issue(world, CANCELLED, site_id="arlon")
    gone, stays = world.patient("Dupont"), world.patient("Dupont")
    call(world, gone)
    call(world, stays)
    world.later(days=1)
    issue(world, PHONED, site_id="arlon")
    assert ring(world, first).made == 2
    merge_patients(world.store, stays, gone, agent=world.sonia, now=world.now)
    assert set(states(world, first)) == {stays}
    assert states(world, first)[stays] == ToldState.CALLBACK
    (kept,) = open_of(world, stays)
    assert open_card(world.store, kept.id, agent=world.amelie, now=world.now).reading.told
    assert ring(world, first).rung == 0


def test_what_a_merge_closes_is_told_in_what_it_keeps(world: World) -> None:
    first = issue(world, CANCELLED, site_id="arlon")
    gone, kept = world.patient("Dupont"), world.callback(released=True)
    call(world, gone)
    world.later(days=1)
    issue(world, PHONED, site_id="arlon")
    assert ring(world, first).made == 1
    merge_patients(world.store, world.row(kept).patient_id, gone, agent=world.sonia, now=world.now)
    assert "told" in world.row(kept).why
    assert ring(world, first).rung == 0


def test_a_callback_that_ended_otherwise_is_not_made_again(world: World) -> None:
    """The patient was spoken to, with both wordings on the card: treated elsewhere, for example."""
    first = issue(world, CANCELLED, site_id="arlon")
    person = world.patient()
    call(world, person)
    world.later(days=1)
    issue(world, PHONED, site_id="arlon")
    ring(world, first)
    (row,) = open_of(world, person)
    world.later(hours=2)
    world.ring(row.id, "treated_elsewhere", note="opéré à Liège")
    assert open_of(world, person) == []
    assert states(world, first)[person] == ToldState.SPOKEN_TO
    assert ring(world, first).rung == 0


def test_one_with_an_end_is_told_like_any_other(world: World) -> None:
    """For a day something else held; who was told that is rung when the earlier one holds again."""
    lasting = issue(world, PHONED, site_id="arlon")
    morning = world.patient()
    call(world, morning)
    world.later(hours=1)
    brief = issue(
        world, "Centrale coupée : rappeler demain.", site_id="arlon", valid_until=world.now + timedelta(hours=8)
    )
    world.later(hours=1)
    noon, again = world.patient(), world.patient()
    call(world, noon)
    call(world, again)
    world.later(hours=8)
    call(world, again)
    assert states(world, brief) == {noon: ToldState.TO_RING, again: ToldState.TOLD_SINCE}
    assert ring(world, brief).made == 1
    with pytest.raises(RuleBroken, match="holds since"):
        ring(world, lasting)


def test_nothing_in_its_place_is_refused(world: World) -> None:
    with world.store.write() as connection:
        connection.execute(tables.instruction.delete())
    only = issue(world, CANCELLED, site_id="arlon")
    call(world, world.patient(), only)
    world.later(hours=1)
    end_instruction(world.store, only, agent=world.sonia, now=world.now)
    with pytest.raises(RuleBroken, match="issue first"):
        ring(world, only)


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["call", "call", "call", "screen", "issue", "brief", "ring", "inform", "no_answer"]),
        st.integers(0, 4),
    ),
    max_size=25,
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_whoever_was_told_what_changed_is_rung_exactly_once_unless_told_since(path: Any, steps: Any) -> None:
    """A model beside the desk: the last thing read out to each person, and what is in force."""
    from crisisdesk.store.engine import open_desk

    copy = path.with_name(f"copy{next(_serial)}.db")
    copy.write_bytes(path.read_bytes())
    store = open_desk(copy)
    try:
        with store.write() as connection:
            connection.execute(tables.instruction.delete())
        Model(World(store, MAY_23)).run(steps)
    finally:
        store.close()
        copy.unlink()


class Model:
    """What each person heard, in order, and for which instruction a callback was made."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.people = [world.patient() for _number in range(5)]
        self.heard: dict[int, list[int]] = {person: [] for person in self.people}
        self.rung: set[tuple[int, int]] = set()
        self.ids = [issue(world, "v0", site_id="arlon")]

    def run(self, steps: list[tuple[str, int]]) -> None:
        for step, number in steps:
            self.world.later(minutes=7)
            getattr(self, f"do_{step}")(number)
            self.check()

    def current(self) -> int:
        found = instruction_in_force(self.world.store, site_id="arlon", now=self.world.now)
        assert found
        return found.instruction_id

    def do_call(self, number: int) -> None:
        person = self.people[number]
        call(self.world, person)
        self.heard[person].append(self.current())

    def do_screen(self, number: int) -> None:
        call(self.world, self.people[number], was_read_out=False)

    def do_issue(self, number: int) -> None:
        self.ids.append(issue(self.world, f"v{len(self.ids)}", site_id="arlon"))

    def do_brief(self, number: int) -> None:
        until = self.world.now + timedelta(minutes=20)
        self.ids.append(issue(self.world, f"v{len(self.ids)}", site_id="arlon", valid_until=until))

    def do_ring(self, number: int) -> None:
        old = self.ids[number % len(self.ids)]
        if old == self.current():
            return
        owed = {person for person in self.people if self.is_owed(person, old)}
        done = ring(self.world, old)
        assert done.rung == len(owed)
        self.rung |= {(person, old) for person in owed}
        assert ring(self.world, old).rung == 0, "the key pressed again"

    def is_owed(self, person: int, old: int) -> bool:
        heard = self.heard[person]
        return old in heard and heard[-1] == old and (person, old) not in self.rung

    def do_inform(self, number: int) -> None:
        if callbacks := open_of(self.world, self.people[number]):
            self.world.later(days=1)
            self.world.ring(callbacks[0].id, "informed", instruction_id=self.current())
            self.heard[self.people[number]].append(self.current())

    def do_no_answer(self, number: int) -> None:
        if callbacks := open_of(self.world, self.people[number]):
            self.world.later(days=1)
            self.world.ring(callbacks[0].id, "no_answer", instruction_id=self.current())

    def check(self) -> None:
        table = tables.callback.c
        with self.world.store.read() as connection:
            several = select(table.patient_id).where(table.state != "closed").group_by(table.patient_id)
            assert connection.execute(several.having(func.count() > 1)).all() == []
        for old in self.ids:
            lines = who_was_told(self.world.store, old, now=self.world.now)
            read = {line.patient_id for line in lines if line.was_read_out}
            assert read == {person for person, heard in self.heard.items() if old in heard}
            for person in read:
                last = [line for line in lines if line.patient_id == person and line.was_read_out][-1]
                is_to_ring = last.state == ToldState.TO_RING
                assert is_to_ring == self.is_owed(person, old), (old, person, self.heard[person], last)
