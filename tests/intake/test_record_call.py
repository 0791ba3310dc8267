"""A call is stored whole or not at all, once, whatever is known; what it promises is there."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from crisisdesk.desk.agents import Agent
from crisisdesk.desk.drafts import list_drafts, save_draft
from crisisdesk.desk.intake import CallForm, FormRefused, ItemSaid, RecordedCall, ReportedItem, record_call
from crisisdesk.domain.callref import read_reference
from crisisdesk.domain.reference import Reference
from crisisdesk.domain.words import Role
from crisisdesk.errors import LeaseLost, RuleBroken
from crisisdesk.store import journal
from crisisdesk.store.calls import read_call
from crisisdesk.store.engine import Store

NOW = datetime(2022, 5, 31, 12, 0, tzinfo=UTC)
SURGERY = {"site_id": "arlon", "kind": "surgery", "service_name": "Bloc", "original_on": date(2022, 5, 17)}
Record = Callable[..., RecordedCall]


def rows(store: Store, sql: str, *values: object) -> list[tuple[object, ...]]:
    with store.read() as connection:
        return [tuple(row) for row in connection.exec_driver_sql(sql, values)]


def test_a_call_with_nothing_known_is_stored(store: Store, record: Record) -> None:
    saved = record("informed")
    assert saved.patient_ids == ()
    assert saved.callbacks == {}
    assert rows(store, "SELECT number, reference, disposition, caller_phone FROM call") == [
        (1, saved.reference, "informed", None)
    ]
    read = read_reference(saved.reference)
    assert read
    assert read.fits
    assert read.number == 1


@pytest.mark.parametrize("code", ["silent", "hung_up", "wrong_number", "abusive", "test"])
def test_a_call_that_was_none_needs_its_code_only(record: Record, store: Store, code: str) -> None:
    record(code, phone="063 23 11 11")
    assert rows(store, "SELECT count(*) FROM patient") == [(0,)]
    assert rows(store, "SELECT caller_phone FROM call") == [("+3263231111",)]


def test_without_an_ending_nothing_is_stored(record: Record, store: Store) -> None:
    with pytest.raises(FormRefused) as refused:
        record("")
    assert [mistake.field for mistake in refused.value.mistakes] == ["disposition"]
    assert rows(store, "SELECT count(*) FROM call") == [(0,)]


def test_all_mistakes_are_told_at_once(record: Record) -> None:
    with pytest.raises(FormRefused) as refused:
        record("callback", birth="31/02/1958", topic="weather", site_id="paris", wish_number="abc", patient_ids=(99,))
    fields = {mistake.field for mistake in refused.value.mistakes}
    assert fields == {"birth", "topic", "site_id", "wish_number", "patients", "phone"}


def test_a_promise_without_site_or_number_is_refused(record: Record) -> None:
    with pytest.raises(FormRefused) as refused:
        record("callback", last_name="Dupont")
    assert {mistake.field for mistake in refused.value.mistakes} == {"site_id", "phone"}


def test_an_unknown_caller_becomes_a_provisional_patient(record: Record, store: Store) -> None:
    saved = record(
        "callback", last_name="Dupont", first_name="Marie", birth="12/3/58", phone="063/23.11.11", caller_kind="self",
        site_id="arlon", topic="operation_postponed", language="fr", wish="demain matin",
        reported=(ReportedItem(kind="surgery", said_on="17/05", clinician="Dr Leroy"),),
    )  # fmt: skip
    assert saved.provisional_id
    assert list(saved.callbacks.values()) == ["arlon"]
    assert len(saved.proof.split()) == 2
    assert rows(store, "SELECT last_name, birth_on, is_provisional FROM patient") == [("Dupont", "1958-03-12", 1)]
    assert rows(store, "SELECT number, reversed FROM phone") == [("+3263231111", "1111326323")] or rows(
        store, "SELECT number FROM phone"
    ) == [("+3263231111",)]
    item = rows(store, "SELECT source, kind, original_on, site_id, service_id IS NOT NULL FROM postponement")
    assert item == [("caller", "surgery", "2022-05-17", "arlon", 1)]
    held = rows(store, "SELECT state, released_at, promised_from, part_of_day FROM callback")
    assert held == [("waiting", None, "2022-06-01 06:00:00.000000", "morning")]


def test_two_persons_and_three_items_in_one_call(record: Record, store: Store, add_person: Callable[..., int]) -> None:
    exam = {"site_id": "marche", "kind": "exam", "original_on": date(2022, 5, 20)}
    one = add_person("Dupont", "Marie", phones=("+3263231111",), items=(SURGERY, exam))
    two = add_person("Dupont", "Luc", phones=("+3263231111",), items=(SURGERY,))
    items = [row[0] for row in rows(store, "SELECT id FROM postponement ORDER BY id")]
    saved = record("callback", patient_ids=(one, two), items=tuple(ItemSaid(number) for number in items))
    assert sorted(saved.callbacks.values()) == ["arlon", "arlon", "marche"]
    assert len(rows(store, "SELECT * FROM call_patient")) == 2
    assert len(rows(store, "SELECT * FROM call_item")) == 3


def test_an_item_may_end_in_its_own_way(record: Record, store: Store, add_person: Callable[..., int]) -> None:
    add_person("Dupont", "Marie", phones=("+3263231111",), items=(SURGERY, SURGERY))
    record("informed", items=(ItemSaid(1, "done"), ItemSaid(2)))
    facts = rows(store, "SELECT done_at IS NOT NULL, reached_at IS NOT NULL, decision FROM postponement ORDER BY id")
    assert facts == [(1, 1, "done"), (0, 1, "")]


def test_the_same_form_twice_is_one_call(store: Store, amelie: Agent, reference: Reference) -> None:
    form = CallForm(
        uid="u-1", started_at=NOW, disposition="callback", last_name="Klein", phone="0470 12 34 56", site_id="arlon"
    )
    first = record_call(store, form, agent=amelie, now=NOW, reference=reference)
    again = record_call(store, replace(form, words="other"), agent=amelie, now=NOW + timedelta(minutes=1))
    assert again.is_repeat
    assert (again.call_id, again.reference) == (first.call_id, first.reference)
    assert rows(store, "SELECT count(*) FROM call") == [(1,)]
    assert rows(store, "SELECT count(*) FROM patient") == [(1,)]


def test_the_draft_goes_with_the_save_and_does_not_come_back(store: Store, amelie: Agent, record: Record) -> None:
    save_draft(store, uid="form-1", kind="call", fields={"words": "le genou"}, agent=amelie, now=NOW)
    assert [draft.fields for draft in list_drafts(store, agent=amelie)] == [{"words": "le genou"}]
    record("informed")
    save_draft(store, uid="form-1", kind="call", fields={"words": "late"}, agent=amelie, now=NOW)
    assert list_drafts(store, agent=amelie) == ()


def test_a_red_flag_is_passed_on(record: Record, store: Store, add_person: Callable[..., int]) -> None:
    add_person("Dupont", "Marie", phones=("+3263231111",), items=(SURGERY,))
    with pytest.raises(FormRefused):
        record("informed", patient_ids=(1,), red_flag="chest_pain", words="ça serre")
    saved = record("emergency", items=(ItemSaid(1),), red_flag="chest_pain", words="ça serre dans la poitrine")
    assert rows(store, "SELECT red_flag, way_out FROM call") == [("chest_pain", "emergency")]
    held = rows(store, "SELECT tier, released_at IS NOT NULL FROM callback WHERE id = ?", *saved.callbacks)
    assert held == [(0, 1)]


def test_an_emergency_is_never_refused_for_want_of_a_number(record: Record) -> None:
    saved = record("emergency", red_flag="stroke", words="visage tombant", is_withheld=True)
    assert saved.callbacks == {}
    assert saved.warnings


def test_the_patient_rings_first_and_the_callback_ends(
    record: Record, store: Store, add_person: Callable[..., int]
) -> None:
    patient = add_person("Dupont", "Marie", phones=("+3263231111",), items=(SURGERY,))
    (held,) = record("callback", patient_ids=(patient,), items=(ItemSaid(1),)).callbacks
    record("booked", patient_ids=(patient,), settled=(held,))
    assert rows(store, "SELECT state, closed_as FROM callback") == [("closed", "booked")]
    assert rows(store, "SELECT rebooked_at IS NOT NULL FROM postponement") == [(1,)]


def test_a_callback_that_another_agent_rings_is_not_settled(
    record: Record, store: Store, add_person: Callable[..., int], bruno: Agent
) -> None:
    patient = add_person("Dupont", "Marie", phones=("+3263231111",), items=(SURGERY,))
    (held,) = record("callback", patient_ids=(patient,), items=(ItemSaid(1),)).callbacks
    with store.write() as connection:
        connection.exec_driver_sql(
            "UPDATE callback SET state = 'leased', leased_by = ?, lease_until = '2022-05-31 13:00:00.000000'",
            (bruno.agent_id,),
        )
    with pytest.raises(LeaseLost, match="Bruno"):
        record("booked", patient_ids=(patient,), settled=(held,))
    assert rows(store, "SELECT count(*) FROM call") == [(1,)]


def test_paper_is_entered_later(record: Record, store: Store, amelie: Agent) -> None:
    morning = NOW - timedelta(days=3)
    record(
        "informed", started_at=morning, ended_at=morning + timedelta(minutes=4), taken_by="bruno", slip_number="P-17"
    )
    again = record("informed", started_at=morning, taken_by="Sœur Agnès", slip_number="P-17")
    assert again.warnings
    kept = rows(
        store, "SELECT started_at, entered_at, taken_by, taken_by_name, entered_by, slip_number FROM call ORDER BY id"
    )
    assert kept[0] == ("2022-05-28 12:00:00.000000", "2022-05-31 12:00:00.000000", 3, "", amelie.agent_id, "P-17")
    assert kept[1][2:4] == (None, "Sœur Agnès")
    assert rows(store, "SELECT happened_at FROM journal WHERE action = 'call.recorded' LIMIT 1") == [
        ("2022-05-28 12:00:00.000000",)
    ]


def test_a_wish_not_understood_is_kept_as_words(record: Record, store: Store) -> None:
    saved = record("callback", last_name="K", phone="0470123456", site_id="arlon", wish="quand ma fille est là")
    assert saved.warnings
    assert rows(store, "SELECT promised_from, promised_until, note FROM callback") == [
        (None, None, "quand ma fille est là")
    ]
    with pytest.raises(FormRefused) as refused:
        record("callback_at", last_name="K", phone="0470123456", site_id="arlon", wish="quand ma fille est là")
    assert [mistake.field for mistake in refused.value.mistakes] == ["wish"]


def test_a_wrong_national_number_is_a_warning(record: Record, store: Store) -> None:
    saved = record("informed", last_name="Klein", niss="12345678901")
    assert saved.warnings
    assert rows(store, "SELECT niss FROM patient") == [(None,)]
    record("informed", last_name="Klein", niss="85.07.30-033.28")
    assert rows(store, "SELECT niss FROM patient ORDER BY id") == [(None,), ("85073003328",)]


def test_hostile_text_is_stored_without_its_controls(record: Record, store: Store) -> None:
    record("informed", last_name="[red]Dupont\x1b[2J", words="=1+1\x00 [@click=quit]x[/]\u202e", first_name="\u200bEve")
    name, first, words = rows(store, "SELECT last_name, first_name, (SELECT words FROM call) FROM patient")[0]
    assert (name, first, words) == ("[red]Dupont", "Eve", "=1+1 [@click=quit]x[/]")


def test_every_call_is_journalled_and_read_back(record: Record, store: Store) -> None:
    record("callback", last_name="Klein", phone="0470123456", site_id="arlon", topic="rebook", words="genou")
    with store.read() as connection:
        assert journal.verify(connection).first_fault is None
        actions = [entry.action for entry in journal.entries(connection)]
        call = read_call(connection, 1)
    assert "call.recorded" in actions
    assert "patient.added" in actions
    assert call
    assert call["words"] == "genou"
    assert len(call["patients"]) == 1


def test_an_auditor_records_no_call(store: Store, amelie: Agent) -> None:
    auditor = replace(amelie, role=Role.AUDITOR)
    form = CallForm("a" * 32, NOW, "informed", phone="063231111")
    with pytest.raises(RuleBroken):
        record_call(store, form, agent=auditor, now=NOW)
