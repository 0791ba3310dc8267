"""Two agents in one patient or call: a field that both changed is told with both versions, nothing is written."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from crisisdesk.desk import patients
from crisisdesk.desk.agents import Agent, find_agent
from crisisdesk.desk.conflicts import Conflict
from crisisdesk.desk.contacts import set_contacts
from crisisdesk.desk.correctcall import correct_call
from crisisdesk.desk.intake import CallForm, record_call
from crisisdesk.domain.words import MayTell, Voicemail
from crisisdesk.errors import RuleBroken
from crisisdesk.store import journal
from crisisdesk.store.engine import Store
from crisisdesk.store.patients import PatientIdentity, add_patient
from moments import DESK_NOW as NOW

LATER = NOW + timedelta(minutes=3)


def agent(store: Store, login: str) -> Agent:
    found = find_agent(store, login)
    assert found
    return found


def value(store: Store, patient_id: int, column: str) -> Any:
    with store.read() as connection:
        sql = f"SELECT {column} FROM patient WHERE id = ?"
        return connection.exec_driver_sql(sql, (patient_id,)).scalar_one()


def changes(store: Store, patient_id: int) -> list[Any]:
    with store.read() as connection:
        found = journal.entries(connection, subject="patient", subject_id=str(patient_id))
    return [dict(entry.detail) for entry in found if entry.action == "patient.changed"]


FIELDS = [
    ("last_name", "Dupont", "Dupond", "Dupont-Leroy"),
    ("first_name", "Marie", "Maria", "Marianne"),
    ("birth", "12/03/1958", "13/03/1958", "14/03/1958"),
    ("language", "", "nl", "de"),
    ("contact_note", "", "sourde d'une oreille", "ne parle qu'au fils"),
]


@pytest.mark.parametrize(("name", "seen", "theirs", "mine"), FIELDS)
def test_a_field_that_two_changed_is_a_conflict_and_the_second_decides(
    desk_store: Store, amelie: Agent, bruno: Agent, marie: int, name: str, seen: str, theirs: str, mine: str
) -> None:
    patients.correct_patient(desk_store, marie, agent=bruno, now=NOW, seen={name: seen}, **{name: theirs})
    with pytest.raises(Conflict) as told:
        patients.correct_patient(desk_store, marie, agent=amelie, now=LATER, seen={name: seen}, **{name: mine})
    (field,) = told.value.fields
    assert (field.name, field.by, field.at) == (name, "Bruno", NOW)
    assert len({field.seen, field.theirs, field.mine}) == 3
    assert field.theirs in str(told.value)
    assert field.mine in str(told.value)
    assert "Bruno" in str(told.value)
    assert len(changes(desk_store, marie)) == 1
    again = {name: field.stands}
    changed = patients.correct_patient(desk_store, marie, agent=amelie, now=LATER, seen=again, **{name: mine})
    ((old, _new),) = [pair for key, pair in changed.items() if key in (name, "birth_on")]
    assert old == field.stands, "the journal keeps what the second saw"


def test_different_fields_do_not_conflict_and_neither_does_the_same_value(
    desk_store: Store, amelie: Agent, bruno: Agent, marie: int
) -> None:
    seen = {"last_name": "Dupont", "first_name": "Marie"}
    patients.correct_patient(desk_store, marie, agent=bruno, now=NOW, seen=seen, last_name="Dupond")
    patients.correct_patient(desk_store, marie, agent=amelie, now=NOW, seen=seen, first_name="Maria")
    assert patients.correct_patient(desk_store, marie, agent=amelie, now=NOW, seen=seen, last_name="Dupond") == {}
    assert (value(desk_store, marie, "last_name"), value(desk_store, marie, "first_name")) == ("Dupond", "Maria")


def test_one_conflict_keeps_the_other_field_from_being_written(
    desk_store: Store, amelie: Agent, bruno: Agent, marie: int
) -> None:
    seen = {"last_name": "Dupont", "first_name": "Marie"}
    patients.correct_patient(desk_store, marie, agent=bruno, now=NOW, last_name="Dupond")
    with pytest.raises(Conflict) as told:
        patients.correct_patient(desk_store, marie, agent=amelie, now=NOW, seen=seen, last_name="X", first_name="Y")
    assert [field.name for field in told.value.fields] == ["last_name"]
    assert value(desk_store, marie, "first_name") == "Marie"


def test_a_third_change_conflicts_again(desk_store: Store, amelie: Agent, bruno: Agent, marie: int) -> None:
    patients.correct_field(desk_store, marie, "last_name", "Dupond", agent=bruno, now=NOW)
    with pytest.raises(Conflict) as told:
        patients.correct_field(desk_store, marie, "last_name", "Leroy", seen="Dupont", agent=amelie, now=NOW)
    patients.correct_field(desk_store, marie, "last_name", "Durand", agent=bruno, now=NOW)
    stands = told.value.fields[0].stands
    with pytest.raises(Conflict, match="Durand"):
        patients.correct_field(desk_store, marie, "last_name", "Leroy", seen=stands, agent=amelie, now=NOW)


def test_without_what_was_seen_it_is_written_over_whatever_stands(
    desk_store: Store, amelie: Agent, bruno: Agent, marie: int
) -> None:
    patients.correct_field(desk_store, marie, "last_name", "Dupond", agent=bruno, now=NOW)
    changed = patients.correct_field(desk_store, marie, "last_name", "Leroy", agent=amelie, now=NOW)
    assert changed["last_name"] == ["Dupond", "Leroy"]


def test_a_national_number_is_masked_where_the_mask_tells_enough(
    desk_store: Store, amelie: Agent, bruno: Agent, marie: int
) -> None:
    patients.correct_field(desk_store, marie, "niss", "85.07.30-033.28", agent=bruno, now=NOW)
    with pytest.raises(Conflict) as told:
        patients.correct_field(desk_store, marie, "niss", "17.07.30-033.84", seen="58031200290", agent=amelie, now=NOW)
    assert "85073003328" not in str(told.value)
    assert "85.07.30-" in str(told.value)


def test_a_merge_since_is_named_as_the_change(desk_store: Store, amelie: Agent, bruno: Agent, marie: int) -> None:
    with desk_store.write() as connection:
        other = add_patient(connection, PatientIdentity(last_name="Dupond"), now=NOW, is_provisional=True)
    patients.merge_patients(desk_store, marie, other, agent=bruno, now=NOW)
    with pytest.raises(Conflict) as told:
        patients.correct_field(desk_store, other, "last_name", "Leroy", seen="Dupond", agent=amelie, now=NOW)
    assert (told.value.fields[0].by, told.value.fields[0].theirs) == ("Bruno", "Dupont")


def test_a_name_in_one_piece_goes_into_the_journal_when_it_is_parted(desk_store: Store, amelie: Agent) -> None:
    with desk_store.write() as connection:
        number = add_patient(connection, PatientIdentity(full_name="DUPONT MARIE"), now=NOW)
    changed = patients.correct_field(desk_store, number, "last_name", "Dupont", seen="", agent=amelie, now=NOW)
    assert changed["full_name"] == ["DUPONT MARIE", ""]


def test_the_voicemail_of_two_agents(desk_store: Store, amelie: Agent, bruno: Agent, marie: int) -> None:
    patients.set_voicemail(desk_store, marie, Voicemail.NONE, agent=bruno, now=NOW, seen="unknown")
    with pytest.raises(Conflict) as told:
        patients.set_voicemail(desk_store, marie, Voicemail.IDENTIFIED, agent=amelie, now=NOW, seen="unknown")
    assert told.value.fields[0].stands == "none"
    patients.set_voicemail(desk_store, marie, Voicemail.NONE, agent=amelie, now=NOW, seen="unknown")
    assert value(desk_store, marie, "voicemail") == "none"


def test_a_number_marked_twice_is_told_once(desk_store: Store, amelie: Agent, bruno: Agent, marie: int) -> None:
    for one, at in ((bruno, NOW), (amelie, LATER)):
        patients.mark_phone_wrong(desk_store, marie, "+3263231111", agent=one, now=at)
    (line,) = patients.open_patient(desk_store, marie, agent=amelie, now=NOW).phones
    assert line.found_wrong_at == NOW
    with desk_store.read() as connection:
        actions = [entry.action for entry in journal.entries(connection, subject="patient")]
    assert actions.count("patient.phone_wrong") == 1


SEEN = {"may_tell": "named", "may_tell_who": "Luc, fils", "gp": "", "next_of_kin": ""}


@pytest.fixture
def told(desk_store: Store, bruno: Agent, marie: int) -> int:
    set_contacts(
        desk_store, marie, may_tell=MayTell.NAMED, may_tell_who="Luc, fils", agent=bruno, now=NOW - timedelta(hours=1)
    )
    return marie


def test_who_may_be_told_is_one_field(desk_store: Store, amelie: Agent, bruno: Agent, told: int) -> None:
    set_contacts(desk_store, told, may_tell=MayTell.NONE, gp="Dr Adam", agent=bruno, now=NOW, seen=SEEN)
    with pytest.raises(Conflict) as refused:
        set_contacts(
            desk_store, told, may_tell=MayTell.NAMED, may_tell_who="Anne, fille", next_of_kin="Anne", agent=amelie,
            now=LATER, seen=SEEN,
        )  # fmt: skip
    (field,) = refused.value.fields
    assert (field.name, field.stands, field.by) == ("may_tell", ("none", ""), "Bruno")
    assert value(desk_store, told, "next_of_kin") == ""
    set_contacts(desk_store, told, next_of_kin="Anne", agent=amelie, now=LATER, seen=SEEN)
    assert value(desk_store, told, "gp") == "Dr Adam"


def test_saying_nobody_does_not_wipe_a_name_that_was_not_seen(
    desk_store: Store, amelie: Agent, bruno: Agent, told: int
) -> None:
    set_contacts(desk_store, told, may_tell=MayTell.NAMED, may_tell_who="Anne", agent=bruno, now=NOW, seen=SEEN)
    with pytest.raises(Conflict, match="Anne"):
        set_contacts(desk_store, told, may_tell=MayTell.NONE, agent=amelie, now=NOW, seen=SEEN)
    with pytest.raises(RuleBroken):
        set_contacts(desk_store, told, may_tell=MayTell.NONE, gp="x" * 500, agent=amelie, now=NOW)


def test_a_name_of_whom_nothing_may_be_told_is_refused(desk_store: Store, amelie: Agent, marie: int) -> None:
    with pytest.raises(RuleBroken, match="Luc"):
        set_contacts(desk_store, marie, may_tell_who="Luc", agent=amelie, now=NOW)


@pytest.fixture
def call(desk_store: Store, amelie: Agent) -> int:
    form = CallForm("one", NOW, "informed", phone="063231111")
    return record_call(desk_store, form, agent=amelie, now=NOW).number


@pytest.fixture
def topics(desk_store: Store) -> Callable[[int], str]:
    from crisisdesk.desk.reference import load_reference

    codes = list(load_reference(desk_store).topics)
    return lambda place: codes[place]


def test_two_supervisors_code_one_call(desk_store: Store, call: int, topics: Callable[[int], str]) -> None:
    sylvie, chef = agent(desk_store, "sylvie"), agent(desk_store, "chef")
    seen = {"disposition": "informed", "topic": None}
    correct_call(desk_store, call, topic=topics(0), reason="x", agent=sylvie, now=NOW, seen=seen)
    with pytest.raises(Conflict) as refused:
        correct_call(desk_store, call, topic=topics(1), reason="x", agent=chef, now=LATER, seen=seen)
    (field,) = refused.value.fields
    assert (field.name, field.by, field.at, field.stands) == ("topic", "Sylvie", NOW, topics(0))
    assert correct_call(desk_store, call, topic=topics(0), reason="x", agent=chef, now=LATER, seen=seen) == {}
    with pytest.raises(RuleBroken):
        correct_call(desk_store, call, topic=topics(0), reason="x", agent=chef, now=LATER)
    changed = correct_call(
        desk_store, call, topic=topics(1), reason="x", agent=chef, now=LATER, seen={**seen, "topic": field.stands}
    )
    assert changed == {"topic": [topics(0), topics(1)]}
