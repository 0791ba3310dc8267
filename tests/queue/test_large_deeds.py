"""Deeds about thousands go in several transactions: agents store calls in between, and what was left out is done by
asking again."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from crisisdesk.desk import closing, retelling
from crisisdesk.desk.callform import CallForm
from crisisdesk.desk.instructions import InstructionForm, issue_instruction
from crisisdesk.desk.intake import record_call
from crisisdesk.errors import RuleBroken, StoreUnavailable
from crisisdesk.store import tables
from crisisdesk.store.engine import Store
from waiting import World


def told(world: World, count: int) -> tuple[list[int], int, int]:
    """Patients who were told an instruction that changed since; both instructions."""
    with world.store.write() as connection:
        connection.execute(tables.instruction.delete().where(tables.instruction.c.site_id == "arlon"))
    first = issue(world, "Considérez votre rendez-vous comme annulé.")
    people = [world.patient() for _one in range(count)]
    for place, patient_id in enumerate(people):
        call(world, patient_id, first, f"first-{place}")
    world.later(days=1)
    return people, first, issue(world, "Attendez notre appel.")


def issue(world: World, words: str) -> int:
    return issue_instruction(world.store, InstructionForm(words, site_id="arlon"), agent=world.sonia, now=world.now)


def call(world: World, patient_id: int, instruction_id: int, uid: str) -> None:
    form = CallForm(
        uid, world.now, "informed", ended_at=world.now, site_id="arlon", caller_kind="self", patient_ids=(patient_id,),
        instruction_id=instruction_id, was_read_out=True,
    )  # fmt: skip
    record_call(world.store, form, agent=world.amelie, now=world.now)


def count(world: World, action: str) -> int:
    entry = tables.journal.c
    with world.store.read() as connection:
        return connection.scalar(select(func.count()).where(entry.action == action)) or 0


class Interrupted:
    """The real store; before each write after the first, something happens on the desk."""

    def __init__(self, store: Store, happens: Any) -> None:
        self._store, self._happens, self._writes = store, happens, 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    @contextmanager
    def write(self) -> Iterator[Any]:
        self._writes += 1
        if self._writes > 1:
            self._happens(self._writes)
        with self._store.write() as connection:
            yield connection


def test_those_who_were_told_are_rung_in_parts_each_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    people, first, second = told(world, 5)
    monkeypatch.setattr(retelling, "AT_A_TIME", 2)

    def somebody_rings(writes: int) -> None:
        if writes == 2:  # the last one is told the new words by an agent while the first two are put in the queue
            call(world, people[-1], second, "meanwhile")

    world.later(hours=1)
    done = retelling.ring_them(Interrupted(world.store, somebody_rings), first, agent=world.sonia, now=world.now)  # type: ignore[arg-type]
    assert (done.told, done.made, done.extended, len(done.first)) == (5, 4, 0, 4)
    assert count(world, "instruction.retold") == 2, "nothing is journalled for a part in which nobody is left"
    again = retelling.ring_them(world.store, first, agent=world.sonia, now=world.later(minutes=1))
    assert (again.rung, again.rung_before, again.told_since) == (0, 4, 1)


def test_what_a_failure_left_out_is_rung_by_asking_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    _people, first, _second = told(world, 3)
    monkeypatch.setattr(retelling, "AT_A_TIME", 1)

    def disk_is_full(writes: int) -> None:
        if writes == 3:
            raise StoreUnavailable("full")

    with pytest.raises(StoreUnavailable):
        retelling.ring_them(Interrupted(world.store, disk_is_full), first, agent=world.sonia, now=world.now)  # type: ignore[arg-type]
    assert count(world, "instruction.retold") == 2
    assert retelling.ring_them(world.store, first, agent=world.sonia, now=world.now).made == 1
    assert retelling.ring_them(world.store, first, agent=world.sonia, now=world.now).rung == 0


def test_a_closing_that_broke_off_is_finished_by_closing_again(world: World) -> None:
    for site in ("arlon", "marche"):
        world.callback(released=True, site_id=site)

    def disk_is_full(writes: int) -> None:
        if writes == 3:
            raise StoreUnavailable("full")

    broken = Interrupted(world.store, disk_is_full)
    said: dict[str, Any] = {"reason": "Fin de crise", "agent": world.sonia}
    with pytest.raises(StoreUnavailable):
        closing.close_desk(broken, now=world.now, **said)  # type: ignore[arg-type]
    assert closing.preview_closing(world.store, now=world.now).closed_at == world.now, "nobody is rung any more"
    assert count(world, "handover.made") == 1
    closed_at = world.now
    done = closing.close_desk(world.store, now=world.now + timedelta(minutes=5), **said)
    assert [one.count for one in done.handovers] == [1]
    assert (count(world, "handover.made"), count(world, "desk.closed")) == (2, 1)
    assert closing.preview_closing(world.store, now=world.now).closed_at == closed_at
    with pytest.raises(RuleBroken, match="closed already"):
        closing.close_desk(world.store, now=world.now, **said)


def test_a_call_that_is_being_made_while_the_desk_closes_is_stored(world: World) -> None:
    """It ends between the lists: what it settles is on none, and nothing of it is lost."""
    from crisisdesk.desk.attempts import AttemptForm, record_attempt
    from crisisdesk.desk.callbacks import take

    world.callback(released=True)
    ringing = world.callback(released=True, site_id="marche")
    card = take(world.store, ringing, agent=world.bruno, now=world.now)
    assert card.lease
    form = AttemptForm(
        "late", ringing, card.lease.generation, "treated_elsewhere", card.number, world.now, note="Liège"
    )

    def it_ends(writes: int) -> None:
        if writes == 2:
            record_attempt(world.store, form, agent=world.bruno, now=world.now)

    done = closing.close_desk(
        Interrupted(world.store, it_ends), reason="Fin", agent=world.sonia, now=world.now  # type: ignore[arg-type]
    )  # fmt: skip
    assert [one.count for one in done.handovers] == [1]
    assert world.row(ringing).closed_as == "treated_elsewhere"
