"""A queue is handed over: what is offered, what an acknowledgement does to the queue, and how it is taken back."""

import random
from datetime import date

import pytest
from sqlalchemy import select, update

from crisisdesk.desk.acknowledging import answer_item, answer_lines, chosen_numbers, take_back
from crisisdesk.desk.attempts import AttemptForm, record_attempt
from crisisdesk.desk.callbacks import take, take_next
from crisisdesk.desk.cards import CallbackCard
from crisisdesk.desk.drafts import list_drafts
from crisisdesk.desk.handovers import Made, list_offers, make_handover, read_handover, taken_words
from crisisdesk.desk.patients import open_patient
from crisisdesk.domain.handover import read_numbers
from crisisdesk.domain.wishes import Wish
from crisisdesk.domain.words import HandoverState
from crisisdesk.errors import LeaseLost, RuleBroken
from crisisdesk.store import callbacks, tables
from waiting import World

ACKNOWLEDGED, REFUSED = HandoverState.ACKNOWLEDGED, HandoverState.REFUSED


def made(world: World, code: str | None = "surgery") -> Made:
    service = world.service(code) if code else None
    return make_handover(world.store, "arlon", service, reason="Reprise", agent=world.sonia, now=world.now)


def answered(world: World, numbers: list[int], state: HandoverState = ACKNOWLEDGED, note: str = "") -> list[int]:
    world.later(minutes=1)
    found = answer_lines(
        world.store, 1, numbers, state, answered_by="Mme Petit", note=note, agent=world.sonia, now=world.now
    )
    return list(found.done)


def actions(world: World, subject: str) -> list[str]:
    journal = tables.journal.c
    with world.store.read() as connection:
        query = select(journal.action).where(journal.subject == subject).order_by(journal.seq)
        return list(connection.scalars(query))


def test_a_list_tells_all_that_the_service_needs(world: World) -> None:
    wish = Wish(not_before=None, words="après 16 h")
    number = world.callback(released=True, wish=wish, phones=["+3263231111"], priority="P2")
    world.ring(number, "no_answer", note="sonne longtemps")
    made(world)
    (line,) = read_handover(world.store, 1, now=world.now).lines
    told = line.content
    assert told["patient"].startswith("PATIENT")
    assert told["phones"] == "063 23 11 11"
    assert told["what"] == "PTH hanche"
    assert told["priority"].startswith("P2 · by ")
    assert told["original"] == "17/05/2022"
    assert "sonne longtemps" in told["history"]
    assert told["history"].startswith("1 contact / 31/05 10:00 rung, no answer (Amélie)")
    assert "never asked" in told["telling"]
    assert "après 16 h" in told["promises"]


def test_an_undone_attempt_is_not_on_the_list(world: World) -> None:
    number = world.callback(released=True)
    world.ring(number, "no_answer")
    with world.store.write() as connection:
        connection.execute(update(tables.attempt).values(undone_at=world.now))
    made(world)
    assert read_handover(world.store, 1, now=world.now).lines[0].content["history"] == "no contact"


def test_what_is_offered_is_still_rung_and_is_not_offered_twice(world: World) -> None:
    number = world.callback(released=True)
    assert made(world).count == 1
    with pytest.raises(RuleBroken, match="open"):
        made(world)
    card = take_next(world.store, "arlon", agent=world.amelie, now=world.now)
    assert isinstance(card, CallbackCard)
    assert card.callback_id == number


def test_acknowledged_is_theirs_and_is_not_rung(world: World) -> None:
    number = world.callback(released=True, items=2)
    made(world)
    assert answered(world, [1]) == [1]
    assert world.row(number).state == "waiting", "another postponement is left in it"
    assert answered(world, [2]) == [2]
    row = world.row(number)
    assert (row.state, row.closed_as) == ("closed", "handed_over")
    assert all(world.fact(item).handed_over_at for item in world.items_of(number))
    assert not isinstance(take_next(world.store, "arlon", agent=world.amelie, now=world.now), CallbackCard)
    assert actions(world, "handover") == ["handover.made", "handover.acknowledged", "handover.acknowledged"]
    assert actions(world, "postponement").count("postponement.handed_over") == 2


def test_what_is_left_in_a_callback_gives_it_its_place(world: World) -> None:
    patient_id = world.patient()
    urgent = world.postponement(patient_id, priority="P1b")
    calm = world.postponement(patient_id, priority="P4")
    with world.store.write() as connection:
        number = callbacks.hold(
            connection, patient_id=patient_id, site_id="arlon", postponement_ids=[urgent, calm], wish=None,
            released=True, call_id=None, agent_id=1, now=world.now,
        )  # fmt: skip
    assert world.row(number).tier == 1
    made(world)
    lines = read_handover(world.store, 1, now=world.now).lines
    answered(world, [line.number for line in lines if line.postponement_id == urgent])
    assert world.row(number).tier == 2


def test_refused_and_unanswered_stay_ours(world: World) -> None:
    first, second = world.callback(released=True), world.callback(released=True)
    made(world)
    with pytest.raises(RuleBroken, match="Why"):
        answered(world, [1], REFUSED)
    answered(world, [1], REFUSED, note="pas de notre service")
    detail = read_handover(world.store, 1, now=world.now)
    assert [line.state for line in detail.lines] == [REFUSED, HandoverState.OFFERED]
    assert detail.lines[0].note == "pas de notre service"
    assert {world.row(number).state for number in (first, second)} == {"waiting"}
    assert made(world).count == 1, "a refused line may be offered again, the one that waits may not"


def test_a_patient_who_is_being_rung_is_left_out_and_named(world: World) -> None:
    number = world.callback(released=True)
    card = take(world.store, number, agent=world.amelie, now=world.now)
    made(world)
    found = answer_lines(world.store, 1, [1], ACKNOWLEDGED, answered_by="Mme Petit", agent=world.sonia, now=world.now)
    assert found.done == []
    assert "Amélie" in found.skipped[0][1]
    assert world.row(number).state == "leased"
    assert card.lease
    assert read_handover(world.store, 1, now=world.now).lines[0].held_by == "Amélie"


def test_who_saves_after_an_expired_lease_is_told_and_keeps_the_draft(world: World) -> None:
    number = world.callback(released=True)
    card = take(world.store, number, agent=world.amelie, now=world.now)
    assert card.lease
    made(world)
    world.later(hours=1)
    assert answered(world, [1]) == [1]
    form = AttemptForm(
        uid="late", callback_id=number, generation=card.lease.generation, disposition="no_answer", number=card.number,
        started_at=world.now, note="la fille rappelle",
    )  # fmt: skip
    with pytest.raises(LeaseLost, match="handed over"):
        record_attempt(world.store, form, agent=world.amelie, now=world.now)
    (draft,) = list_drafts(world.store, agent=world.amelie)
    assert "la fille rappelle" in draft.fields.values()


def test_taken_back_it_has_its_place_and_its_clock_again(world: World) -> None:
    number = world.callback(released=True, priority="P2")
    world.ring(number, "declines", note="ne veut plus")  # a clinician decides first
    before = world.row(number)
    made(world)
    answered(world, [1])
    with pytest.raises(RuleBroken, match="supervisor"):
        take_back(world.store, 1, [1], reason="erreur", agent=world.amelie, now=world.now)
    take_back(world.store, 1, [1], reason="erreur de ligne", agent=world.sonia, now=world.now)
    after = world.row(number)
    same = ("state", "tier", "due_at", "released_at", "hold", "attempts", "unanswered", "not_before", "closed_as")
    assert [getattr(after, name) for name in same] == [getattr(before, name) for name in same]
    assert world.fact(world.items_of(number)[0]).handed_over_at is None
    assert read_handover(world.store, 1, now=world.now).lines[0].state == HandoverState.OFFERED


def test_taken_back_it_joins_the_callback_that_was_opened_meanwhile(world: World) -> None:
    number = world.callback(released=True)
    (item,) = world.items_of(number)
    made(world)
    answered(world, [1])
    with world.store.write() as connection:
        newer = callbacks.hold(
            connection, patient_id=world.row(number).patient_id, site_id="arlon", postponement_ids=[], wish=Wish(),
            released=True, call_id=None, agent_id=1, now=world.now,
        )  # fmt: skip
    take_back(world.store, 1, [1], reason="erreur", agent=world.sonia, now=world.now)
    assert newer != number
    assert world.items_of(newer) == [item]
    assert world.row(number).state == "closed"


def test_left_to_the_service_is_on_its_list(world: World) -> None:
    world.callback()
    patient_id = world.patient()
    left = world.postponement(patient_id)
    with world.store.write() as connection:
        row = tables.postponement
        values = {"decided_at": world.now, "decision": "left_to_service"}
        connection.execute(update(row).where(row.c.id == left).values(values))
    assert made(world).count == 2
    number = next(
        one.number for one in read_handover(world.store, 1, now=world.now).lines if one.patient_id == patient_id
    )
    answered(world, [number])
    assert world.fact(left).handed_over_at


def test_the_dead_and_the_settled_are_on_no_list(world: World) -> None:
    gone, done = world.callback(), world.callback(released=True)
    patient = tables.patient
    with world.store.write() as connection:
        dead = update(patient).where(patient.c.id == world.row(gone).patient_id)
        connection.execute(dead.values(death_reported_at=world.now, death_confirmed_by=world.sonia.agent_id))
    world.ring(done, "treated_elsewhere", note="à Liège")
    assert list_offers(world.store) == []


def test_settled_by_us_after_the_list_was_made(world: World) -> None:
    number = world.callback(released=True)
    made(world)
    world.ring(number, "treated_elsewhere", note="à Liège")
    assert read_handover(world.store, 1, now=world.now).lines[0].settled == "decided"
    answered(world, [1])
    assert world.fact(world.items_of(number)[0]).handed_over_at is None
    assert world.row(number).closed_as == "treated_elsewhere"


def test_who_asked_to_be_rung_after_the_list_is_named_to_the_service(world: World) -> None:
    number = world.callback(released=False)
    made(world)
    world.later(hours=1)
    with world.store.write() as connection:
        callbacks.hold(
            connection, patient_id=world.row(number).patient_id, site_id="arlon", postponement_ids=[], wish=Wish(),
            released=True, call_id=None, agent_id=1, now=world.now,
        )  # fmt: skip
    world.later(minutes=5)
    found = answer_lines(world.store, 1, [1], ACKNOWLEDGED, answered_by="Mme Petit", agent=world.sonia, now=world.now)
    assert [line for line, _at in found.to_tell] == [1]
    assert world.row(number).state == "closed"


def test_a_patient_who_only_asked_to_be_rung_gets_a_line_of_a_site(world: World) -> None:
    who = world.patient()
    with world.store.write() as connection:
        number = callbacks.hold(
            connection, patient_id=who, site_id="arlon", postponement_ids=[], wish=Wish(words="rappeler svp"),
            released=True, call_id=None, agent_id=1, now=world.now,
        )  # fmt: skip
    assert made(world, None).count == 1
    line = read_handover(world.store, 1, now=world.now).lines[0]
    assert line.patient_id == who
    assert "rappeler svp" in line.content["what"]
    answered(world, [1])
    assert world.row(number).closed_as == "handed_over"


def test_many_at_once_one_by_one_and_by_ranges(world: World) -> None:
    held = [world.callback() for _number in range(6)]
    made(world)
    lines = read_handover(world.store, 1, now=world.now).lines
    assert chosen_numbers(world.store, 1, "1-3, 5") == (1, 2, 3, 5)
    with pytest.raises(RuleBroken, match="7"):
        chosen_numbers(world.store, 1, "5-7")
    assert answered(world, [1, 2, 3, 5]) == [1, 2, 3, 5]
    world.later(minutes=1)
    answer_item(
        world.store, 1, lines[3].postponement_id, ACKNOWLEDGED, answered_by="M. Leroy", agent=world.amelie,
        now=world.now,
    )  # fmt: skip
    assert sum(world.row(number).state == "closed" for number in held) == 5
    again = answer_lines(world.store, 1, [4], ACKNOWLEDGED, answered_by="Mme Petit", agent=world.sonia, now=world.now)
    assert "M. Leroy" in again.skipped[0][1]


@pytest.mark.parametrize(
    ("text", "lines"),
    [("7", (7,)), ("1-4, 6", (1, 2, 3, 4, 6)), ("2,2 3", (2, 3)), ("all", tuple(range(1, 11))), ("1 - 3", (1, 2, 3))],
)
def test_lines_are_named_in_many_ways(text: str, lines: tuple[int, ...]) -> None:
    assert read_numbers(text, 10) == lines


@pytest.mark.parametrize("text", ["0", "11", "4-2", "x", "", "1-", "1,,x", "²"])
def test_what_names_no_line_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        read_numbers(text, 10)


def test_bad_questions_get_a_sentence(world: World) -> None:
    world.callback()
    for message, agent, reason, service in (
        ("supervisor", world.amelie, "x", world.service()), ("why", world.sonia, "  ", world.service()),
        ("none of that site", world.sonia, "x", 9999), ("characters", world.sonia, "x" * 300, world.service()),
    ):  # fmt: skip
        with pytest.raises(RuleBroken, match=message):
            make_handover(world.store, "arlon", service, reason=reason, agent=agent, now=world.now)
    with pytest.raises(RuleBroken, match="no handover 5"):
        read_handover(world.store, 5, now=world.now)
    made(world)
    with pytest.raises(RuleBroken, match="no line 3"):
        answered(world, [3])
    with pytest.raises(RuleBroken, match="Who answered"):
        answer_lines(world.store, 1, [1], ACKNOWLEDGED, answered_by=" ", agent=world.sonia, now=world.now)


def test_no_patient_is_lost_between_the_desk_and_the_services(world: World) -> None:
    """Whatever is answered in whatever order: each open item is ours in an open callback, or theirs by name."""
    chance = random.Random(2022)
    held = [world.callback(released=bool(n % 2), items=1 + n % 2, original_on=date(2022, 5, 16 + n)) for n in range(8)]
    items = [item for number in held for item in world.items_of(number)]
    count = made(world).count
    assert count == len(items)
    for _round in range(40):
        numbers = chance.sample(range(1, count + 1), 3)
        step = chance.choice(["acknowledge", "refuse", "take back"])
        world.later(minutes=1)
        if step == "take back":
            take_back(world.store, 1, numbers, reason="x", agent=world.sonia, now=world.now)
        else:
            answered(world, numbers, ACKNOWLEDGED if step == "acknowledge" else REFUSED, note="x")
        states = {line.postponement_id: line.state for line in read_handover(world.store, 1, now=world.now).lines}
        for number in held:
            theirs = [states[item] == ACKNOWLEDGED for item in world.items_of(number)]
            assert all(theirs) == (world.row(number).state == "closed")
            assert theirs == [bool(world.fact(item).handed_over_at) for item in world.items_of(number)]


def test_who_rings_in_learns_that_the_service_has_it(world: World) -> None:
    number = world.callback(released=True)
    made(world)
    answered(world, [1])
    patient_id = world.row(number).patient_id
    file = open_patient(world.store, patient_id, agent=world.amelie, now=world.now)
    (item,) = file.items
    assert item.handed_over
    assert taken_words(item.handed_over, world.reference) == (
        "handed over 31/05: Arlon, Bloc opératoire", "acknowledged by Mme Petit",
    )  # fmt: skip
    take_back(world.store, 1, [1], reason="erreur", agent=world.sonia, now=world.now)
    (item,) = open_patient(world.store, patient_id, agent=world.amelie, now=world.now).items
    assert item.handed_over is None


def test_a_line_of_its_own_keeps_the_clock_of_the_asking(world: World) -> None:
    who = world.patient()
    with world.store.write() as connection:
        number = callbacks.hold(
            connection, patient_id=who, site_id="arlon", postponement_ids=[], wish=Wish(), released=True,
            call_id=None, agent_id=1, now=world.now,
        )  # fmt: skip
    before = world.row(number)
    world.later(days=14)
    made(world, None)
    after = world.row(number)
    assert (after.tier, after.due_at) == (before.tier, before.due_at)
    with world.store.write() as connection:
        callbacks.redate(connection, [number])
    assert world.row(number).why == after.why
