"""One person's file: corrected, merged and parted, a death confirmed by a second agent; every step journalled."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import pytest

from crisisdesk.desk import patients
from crisisdesk.desk.agents import Agent
from crisisdesk.desk.intake import ItemSaid, RecordedCall, ReportedItem
from crisisdesk.desk.linking import (
    MatchQuery,
    confirm_reported,
    find_matches,
    propose_matches_for_reported,
    undo_reported,
)
from crisisdesk.domain.person import EventKind
from crisisdesk.domain.words import Voicemail
from crisisdesk.errors import RuleBroken
from crisisdesk.store import journal
from crisisdesk.store.engine import Store
from crisisdesk.store.patients import propose_provisional

NOW = datetime(2022, 5, 31, 12, 0, tzinfo=UTC)
SURGERY = {"site_id": "arlon", "kind": "surgery", "service_name": "Bloc", "original_on": date(2022, 5, 17)}
People = Callable[..., int]
Record = Callable[..., RecordedCall]
TABLES = ("patient", "phone", "postponement", "call_patient", "callback", "callback_item", "patient_word")


def dump(store: Store) -> dict[str, list[Any]]:
    """Every row that hangs on a person, without what merging may not restore (generations, reasons of the clock)."""
    skipped = {"generation", "why", "due_at", "tier"}
    with store.read() as connection:
        found = {}
        for table in TABLES:
            rows = connection.exec_driver_sql(f"SELECT * FROM {table}").mappings()
            found[table] = sorted(str({key: value for key, value in row.items() if key not in skipped}) for row in rows)
        return found


def actions(store: Store) -> list[str]:
    with store.read() as connection:
        assert journal.verify(connection).first_fault is None
        return [entry.action for entry in journal.entries(connection)]


def test_a_file_holds_everything_in_order_and_its_reading_is_journalled(
    store: Store, amelie: Agent, add_person: People, record: Record
) -> None:
    patient = add_person("Dupont", "Marie", date(1958, 3, 12), phones=("+3263231111",), items=(SURGERY,))
    record("callback", patient_ids=(patient,), items=(ItemSaid(1),), words="le genou")
    file = patients.open_patient(store, patient, agent=amelie, now=NOW)
    assert file.name == "Dupont Marie"
    assert len(file.items) == 1
    assert len(file.callbacks) == 1
    assert [event.kind for event in file.events][:2] == [EventKind.CALL, EventKind.CALLBACK_MADE]
    assert list(file.events) == sorted(file.events, key=lambda event: event.at)
    assert actions(store)[0] == "patient.read"
    with pytest.raises(RuleBroken):
        patients.open_patient(store, 999, agent=amelie, now=NOW)


def test_a_correction_keeps_the_old_value_and_the_old_name_is_still_found(
    store: Store, amelie: Agent, add_person: People
) -> None:
    patient = add_person("Dupont", "Marie", date(1958, 3, 12))
    changed = patients.correct_patient(store, patient, agent=amelie, now=NOW, last_name="Lambert", birth="13/3/58")
    assert changed["last_name"] == ["Dupont", "Lambert"]
    assert changed["birth_on"] == [date(1958, 3, 12), date(1958, 3, 13)]
    for name in ("Lambert", "Dupont"):
        assert find_matches(store, MatchQuery(text=f"{name} 13/03/1958"), now=NOW).matches[0].patient_id == patient
    with pytest.raises(RuleBroken, match="31/2/58"):
        patients.correct_patient(store, patient, agent=amelie, now=NOW, birth="31/2/58")


def test_numbers_are_added_and_marked_wrong(store: Store, amelie: Agent, add_person: People) -> None:
    patient = add_person("Dupont", "Marie")
    assert patients.add_phone(store, patient, "0470/12.34.56 (fille)", agent=amelie, now=NOW) == ("+32470123456",)
    patients.mark_phone_wrong(store, patient, "+32470123456", agent=amelie, now=NOW)
    patients.set_voicemail(store, patient, Voicemail.NONE, agent=amelie, now=NOW)
    (line,) = patients.open_patient(store, patient, agent=amelie, now=NOW).phones
    assert line.comment == "fille"
    assert line.found_wrong_at == NOW
    with pytest.raises(RuleBroken):
        patients.add_phone(store, patient, "no number", agent=amelie, now=NOW)


def test_a_merge_moves_everything_and_parting_brings_it_back(
    store: Store, amelie: Agent, add_person: People, record: Record
) -> None:
    listed = add_person("Dupont", "Marie", date(1958, 3, 12), phones=("+3263231111",), items=(SURGERY,))
    record("callback", patient_ids=(listed,), items=(ItemSaid(1),))
    said = ReportedItem(kind="surgery", site_id="arlon", said_on="17/05")
    heard = record(
        "callback", last_name="Dupond", first_name="Marie", phone="0470123456", site_id="arlon", reported=(said,)
    )
    assert heard.provisional_id
    before = dump(store)
    assert patients.merge_patients(store, heard.provisional_id, listed, agent=amelie, now=NOW) == listed
    file = patients.open_patient(store, heard.provisional_id, agent=amelie, now=NOW)
    assert file.patient_id == listed
    assert len(file.items) == 2
    assert len(file.phones) == 2
    assert len(file.callbacks) == 1
    (likeness,) = file.likenesses
    with pytest.raises(RuleBroken):
        patients.merge_patients(store, listed, heard.provisional_id, agent=amelie, now=NOW)
    patients.split_patients(store, likeness.likeness_id, agent=amelie, now=NOW)
    assert dump(store) == before
    assert {"patient.merged", "patient.split"} <= set(actions(store))


def test_a_provisional_patient_is_proposed_for_the_one_on_the_list(
    store: Store, add_person: People, record: Record
) -> None:
    heard = record(
        "callback", last_name="Dupond", first_name="Marie", phone="063231111", site_id="arlon", birth="12/3/58"
    )
    listed = add_person("Dupont", "Marie", date(1958, 3, 12), phones=("+3263231111",))
    add_person("Dupont", "Luc", date(1955, 1, 2), phones=("+3263231111",))
    with store.write() as connection:
        assert propose_provisional(connection, NOW) == 1
        assert propose_provisional(connection, NOW) == 0
    with store.read() as connection:
        row = connection.exec_driver_sql("SELECT patient_id, other_id, strength FROM likeness").one()
    assert tuple(row) == (heard.provisional_id, listed, "strong")


def test_what_a_caller_reported_is_matched_to_the_list_and_can_be_undone(
    store: Store, amelie: Agent, add_person: People, record: Record
) -> None:
    patient = add_person("Dupont", "Marie", phones=("+3263231111",), items=(SURGERY,))
    record(
        "informed", patient_ids=(patient,), reported=(ReportedItem(kind="surgery", site_id="arlon", said_on="17/05"),)
    )
    (proposal,) = propose_matches_for_reported(store)
    assert (proposal.reported_id, proposal.listed_id) == (2, 1)
    assert proposal.why
    confirm_reported(store, 2, 1, agent=amelie, now=NOW)
    assert propose_matches_for_reported(store) == ()
    with pytest.raises(RuleBroken):
        confirm_reported(store, 2, 1, agent=amelie, now=NOW)
    undo_reported(store, 2, agent=amelie, now=NOW)
    assert len(propose_matches_for_reported(store)) == 1


def test_a_death_stops_that_person_only_and_a_second_agent_confirms(
    store: Store, amelie: Agent, bruno: Agent, add_person: People, record: Record
) -> None:
    marie = add_person("Dupont", "Marie", phones=("+3263231111",), items=(SURGERY,))
    luc = add_person("Dupont", "Luc", phones=("+3263231111",), items=(SURGERY,))
    record("callback", patient_ids=(marie, luc), items=(ItemSaid(1), ItemSaid(2)))
    record("deceased", patient_ids=(marie,), note="le fils l'annonce")
    with store.read() as connection:
        holds = dict(tuple(row) for row in connection.exec_driver_sql("SELECT patient_id, hold FROM callback"))
    assert holds == {marie: "confirm_death", luc: ""}
    with pytest.raises(RuleBroken, match="second"):
        patients.confirm_death(store, marie, agent=amelie, now=NOW)
    assert len(patients.refute_death(store, marie, agent=bruno, now=NOW, why="homonyme")) == 1
    patients.report_death(store, marie, agent=amelie, now=NOW)
    assert len(patients.confirm_death(store, marie, agent=bruno, now=NOW)) == 1
    with store.read() as connection:
        states = dict(tuple(row) for row in connection.exec_driver_sql("SELECT patient_id, state FROM callback"))
    assert states == {marie: "closed", luc: "waiting"}


def test_a_file_names_a_changed_national_number_but_does_not_show_it(
    store: Store, amelie: Agent, add_person: People, record: Record
) -> None:
    heard = record("informed", last_name="Klein", niss="85.07.30-033.28")
    assert heard.provisional_id
    patients.correct_patient(
        store, heard.provisional_id, agent=amelie, now=NOW, niss="17.07.30-033.84", last_name="Kleyn"
    )
    file = patients.open_patient(store, heard.provisional_id, agent=amelie, now=NOW)
    told = " ".join(event.words for event in file.events)
    assert "niss" in told
    assert "Klein → Kleyn" in told
    assert "85073003328" not in told
    assert "17073003384" not in told
