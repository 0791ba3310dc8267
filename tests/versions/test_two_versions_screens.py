"""Both versions on the screen, in its frame: chosen field by field, at 80x24; what was typed is kept."""

from datetime import timedelta
from typing import Any

from textual.pilot import Pilot

from crisisdesk.desk import patients
from crisisdesk.desk.agents import Agent, find_agent
from crisisdesk.desk.callbacks import take
from crisisdesk.desk.contacts import set_contacts
from crisisdesk.desk.correctcall import correct_call
from crisisdesk.desk.intake import CallForm, record_call
from crisisdesk.desk.reference import load_reference
from crisisdesk.domain.words import MayTell, Voicemail
from crisisdesk.store.engine import Store
from moments import DESK_NOW as NOW
from screens import open_screens, screen_text, settled, type_text
from waiting import World


def one(store: Store, sql: str) -> tuple[object, ...]:
    with store.read() as connection:
        return tuple(connection.exec_driver_sql(sql).one())


async def open_file(pilot: Pilot[Any], patient_id: int) -> None:
    pilot.app.go("patient", patient_id=patient_id)  # type: ignore[attr-defined]
    await settled(pilot)


async def test_a_name_that_bruno_changed_meanwhile_is_shown_and_written_over(
    desk_store: Store, bruno: Agent, marie: int
) -> None:
    async with open_screens(desk_store, "home", language="en") as pilot:
        await open_file(pilot, marie)
        await pilot.press("f12", "1")
        await settled(pilot)
        patients.correct_field(desk_store, marie, "last_name", "Dupond [b]", agent=bruno, now=NOW)
        await type_text(pilot, "-Leroy\r")
        text = screen_text(pilot)
        assert "Last name · you saw: Dupont" in text
        assert "1 Bruno 14:00: Dupond [b]" in text
        assert "2 you: Dupont-Leroy" in text
        assert one(desk_store, "SELECT last_name FROM patient") == ("Dupond [b]",)
        await pilot.press("enter")
        await settled(pilot)
        assert "Choose: 1 keeps" in screen_text(pilot)
        await pilot.press("2", "enter")
        await settled(pilot)
        text = screen_text(pilot)
    assert one(desk_store, "SELECT last_name FROM patient") == ("Dupont-Leroy",)
    assert "Corrected." in text
    assert "you saw" not in text


async def test_theirs_is_kept_and_nothing_is_written(desk_store: Store, bruno: Agent, marie: int) -> None:
    async with open_screens(desk_store, "home", language="en") as pilot:
        await open_file(pilot, marie)
        await pilot.press("f12", "1")
        await settled(pilot)
        patients.correct_field(desk_store, marie, "last_name", "Dupond", agent=bruno, now=NOW)
        await type_text(pilot, "-Leroy\r")
        await pilot.press("1", "enter")
        await settled(pilot)
        assert "Theirs stays" in screen_text(pilot)
        assert "Dupond Marie" in screen_text(pilot)
    assert one(desk_store, "SELECT last_name FROM patient") == ("Dupond",)


async def test_escape_gives_back_what_was_typed_and_a_third_change_is_told_again(
    desk_store: Store, bruno: Agent, marie: int
) -> None:
    async with open_screens(desk_store, "home", language="en") as pilot:
        await open_file(pilot, marie)
        await pilot.press("f12", "1")
        await settled(pilot)
        patients.correct_field(desk_store, marie, "last_name", "Dupond", agent=bruno, now=NOW)
        await type_text(pilot, "-Leroy\r")
        await pilot.press("escape")
        await settled(pilot)
        assert pilot.app.screen.entry["text"].value == "Dupont-Leroy"  # type: ignore[attr-defined]
        assert pilot.app.focused is pilot.app.screen.entry["text"]  # type: ignore[attr-defined]
        await pilot.press("enter")
        await settled(pilot)
        patients.correct_field(desk_store, marie, "last_name", "Durand", agent=bruno, now=NOW)
        await pilot.press("2", "enter")
        await settled(pilot)
        assert "Bruno 14:00: Durand" in screen_text(pilot)
        assert one(desk_store, "SELECT last_name FROM patient") == ("Durand",)
        await pilot.press("f12")
        await settled(pilot)
        assert pilot.app.screen.versions.is_asking, "no other step begins meanwhile"  # type: ignore[attr-defined]
        await pilot.press("2", "enter")
        await settled(pilot)
    assert one(desk_store, "SELECT last_name FROM patient") == ("Dupont-Leroy",)


async def test_a_voicemail_that_was_changed_meanwhile(desk_store: Store, bruno: Agent, marie: int) -> None:
    async with open_screens(desk_store, "home", language="en") as pilot:
        await open_file(pilot, marie)
        patients.set_voicemail(desk_store, marie, Voicemail.NONE, agent=bruno, now=NOW)
        await pilot.press("f12", "7", "3")
        await settled(pilot)
        assert "leave nothing" in screen_text(pilot)
        await pilot.press("2", "enter")
        await settled(pilot)
    assert one(desk_store, "SELECT voicemail FROM patient") == ("identified",)


async def test_contacts_of_a_card_field_by_field(world: World) -> None:
    callback_id = world.callback(released=True)
    patient_id = world.row(callback_id).patient_id
    async with open_screens(world.store, "home", language="en") as pilot:
        pilot.app.go("callback", card=take(world.store, callback_id, agent=world.amelie, now=NOW))
        await settled(pilot)
        await pilot.press("f4")
        await settled(pilot)
        set_contacts(world.store, patient_id, may_tell=MayTell.NONE, gp="Dr Adam", agent=world.bruno, now=NOW)
        await type_text(pilot, "3\tLuc, fils\tDr Adrien\tAnne\r")
        text = screen_text(pilot)
        assert "May be told · you saw: never asked" in text
        assert "1 Bruno 14:00: nobody" in text
        assert "2 you: one named person: Luc, fils" in text
        assert "1 Bruno 14:00: Dr Adam" in text
        await pilot.press("escape")
        await settled(pilot)
        form = pilot.app.screen._asking._form  # type: ignore[attr-defined]
        assert form.values()["next_of_kin"] == "Anne"
        await pilot.press("ctrl+s")
        await settled(pilot)
        await type_text(pilot, "2\r1\r")
        assert "Noted on the patient's file." in screen_text(pilot)
    row = one(world.store, "SELECT may_tell, may_tell_who, gp, next_of_kin FROM patient")
    assert row == ("named", "Luc, fils", "Dr Adam", "Anne")


async def test_contacts_that_were_left_alone_are_not_written(world: World) -> None:
    callback_id = world.callback(released=True)
    patient_id = world.row(callback_id).patient_id
    async with open_screens(world.store, "home", language="en") as pilot:
        pilot.app.go("callback", card=take(world.store, callback_id, agent=world.amelie, now=NOW))
        await settled(pilot)
        await pilot.press("f4")
        await settled(pilot)
        set_contacts(world.store, patient_id, gp="Dr Adam", agent=world.bruno, now=NOW)
        await type_text(pilot, "\t\t\tAnne\r")
        assert "Noted" in screen_text(pilot)
    assert one(world.store, "SELECT gp, next_of_kin FROM patient") == ("Dr Adam", "Anne")


async def test_the_codes_of_a_call_of_two_supervisors(desk_store: Store, amelie: Agent) -> None:
    sylvie, chef = find_agent(desk_store, "sylvie"), find_agent(desk_store, "chef")
    assert sylvie
    assert chef
    form = CallForm("one", NOW - timedelta(minutes=5), "informed", phone="063231111")
    number = record_call(desk_store, form, agent=sylvie, now=NOW).number
    topics = list(load_reference(desk_store).topics)
    async with open_screens(desk_store, "mine", login="sylvie", language="en") as pilot:
        await pilot.press("c")
        await settled(pilot)
        correct_call(desk_store, number, topic=topics[0], reason="x", agent=chef, now=NOW)
        pilot.app.screen.query_one("#topic").code = topics[1]  # type: ignore[attr-defined]
        await type_text(pilot, "\t\tparce que\r")
        text = screen_text(pilot)
        assert "Topic · you saw: (empty)" in text
        assert "2 you: " in text
        await pilot.press("escape")
        await settled(pilot)
        assert pilot.app.screen.query_one("#reason").value == "parce que"  # type: ignore[attr-defined]
        await pilot.press("tab", "tab", "enter")
        await settled(pilot)
        await pilot.press("2", "enter")
        await settled(pilot)
        assert "coded anew" in screen_text(pilot)
    assert one(desk_store, "SELECT topic FROM call") == (topics[1],)
