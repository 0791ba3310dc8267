"""The screen of a call: typed in bursts, linked, saved, gone on with; nothing of one call in the next."""

from collections.abc import Callable
from datetime import date

from crisisdesk.desk.agents import Agent
from crisisdesk.desk.drafts import list_drafts
from crisisdesk.desk.intake import ItemSaid, RecordedCall, ReportedItem
from crisisdesk.desk.patients import report_death
from crisisdesk.store.engine import Store
from crisisdesk.ui.widgets.table import DeskTable
from moments import DESK_NOW
from screens import open_screens, screen_text, settled, type_text

WHOLE_FORM = "063231111\tDupont\tMarie\t12/03/1958\t\ts\t\t\tf\tarlon\to\tle genou\t\t\tr\tdemain matin\t\t\t"


def one(store: Store, sql: str) -> tuple[object, ...]:
    with store.read() as connection:
        return tuple(connection.exec_driver_sql(sql).one())


async def test_a_whole_form_in_one_burst_lands_in_the_right_fields(store: Store) -> None:
    async with open_screens(store, "intake", login="amelie") as pilot:
        await type_text(pilot, WHOLE_FORM)
        await pilot.press("ctrl+s")
        await settled(pilot)
        text = screen_text(pilot)
    call = one(store, "SELECT caller_phone, caller_kind, language, site_id, topic, words, disposition FROM call")
    assert call == ("+3263231111", "self", "fr", "arlon", "operation_postponed", "le genou", "callback")
    assert one(store, "SELECT last_name, first_name, birth_on FROM patient") == ("Dupont", "Marie", "1958-03-12")
    assert "0 0 0 1 - " in text
    assert "Dupont" not in text
    assert "genou" not in text


SURGERY = {"site_id": "arlon", "kind": "surgery", "service_name": "Bloc", "original_on": date(2022, 5, 17)}


async def test_the_matches_follow_the_typing_and_a_digit_links(store: Store, add_person: Callable[..., int]) -> None:
    marie = add_person("Dupont", "Marie", date(1958, 3, 12), phones=("+3263231111",), items=(SURGERY,))
    add_person("Dupont", "Luc", date(1955, 1, 2), phones=("+3263231111",))
    async with open_screens(store, "intake", login="amelie") as pilot:
        await type_text(pilot, "063231111\tdupont\tmar")
        assert "Dupont Marie" in screen_text(pilot)
        assert "Autres sur ce numéro" in screen_text(pilot)
        await pilot.press("ctrl+l", "1", "escape")
        await settled(pilot)
        assert "✓1 Dupont Marie" in screen_text(pilot)
        await pilot.press("ctrl+s")
        await settled(pilot)
        assert one(store, "SELECT count(*) FROM call") == (0,)
        assert pilot.app.screen.focused.id == "disposition"
        await type_text(pilot, "r\t")
        await pilot.press("ctrl+s")
        await settled(pilot)
    assert one(store, "SELECT patient_id FROM call_patient") == (marie,)
    assert one(store, "SELECT postponement_id FROM call_item") == (1,)
    assert one(store, "SELECT state, site_id FROM callback") == ("waiting", "arlon")


async def test_a_callback_ends_with_one_key(
    store: Store, add_person: Callable[..., int], record: Callable[..., RecordedCall]
) -> None:
    marie = add_person("Dupont", "Marie", phones=("+3263231111",), items=(SURGERY,))
    record("callback", patient_ids=(marie,), items=(ItemSaid(1),))
    async with open_screens(store, "intake", login="amelie") as pilot:
        await type_text(pilot, "063231111")
        await pilot.press("ctrl+l", "1", "escape", "f10")
        await settled(pilot)
        assert "rappel clos par cet appel" in screen_text(pilot)
        pilot.app.screen.form.choice("disposition").code = "booked"
        await pilot.press("ctrl+s")
        await settled(pilot)
    assert one(store, "SELECT state, closed_as FROM callback") == ("closed", "booked")


async def test_a_call_that_was_none_takes_two_keys(store: Store) -> None:
    async with open_screens(store, "intake", login="amelie") as pilot:
        await pilot.press("f5", "1")
        await settled(pilot)
    assert one(store, "SELECT disposition FROM call") == ("silent",)


async def test_a_red_flag_shows_the_way_out_large(store: Store) -> None:
    async with open_screens(store, "intake", login="amelie") as pilot:
        await pilot.press("f9", "1")
        await settled(pilot)
        text = screen_text(pilot)
    assert "112 TOUT DE SUITE" in text
    assert "ALERTE" in text


async def test_a_draft_comes_back_with_links_and_flag(
    store: Store, amelie: Agent, add_person: Callable[..., int]
) -> None:
    add_person("Dupont", "Marie", phones=("+3263231111",), items=(SURGERY,))
    async with open_screens(store, "intake", login="amelie") as pilot:
        await type_text(pilot, "063231111\tdupont\t")
        await pilot.press("ctrl+l", "1", "escape", "f9", "3", "escape")
        await settled(pilot)
    (draft,) = list_drafts(store, agent=amelie)
    async with open_screens(store, "home", login="amelie") as pilot:
        pilot.app.go("intake", draft=draft)
        await settled(pilot)
        text = screen_text(pilot)
    assert "dupont" in text
    assert "✓1 Dupont Marie" in text
    assert "ALERTE" in text


async def test_the_file_of_a_person(
    store: Store, add_person: Callable[..., int], record: Callable[..., RecordedCall]
) -> None:
    marie = add_person(
        "[red]Dupont", "Marie", date(1958, 3, 12), phones=("+3263231111",), niss="85073003328", items=(SURGERY,)
    )
    record("callback", patient_ids=(marie,), items=(ItemSaid(1),), words="le [b]genou[/b]")
    async with open_screens(store, "home", login="amelie") as pilot:
        pilot.app.go("patient", patient_id=marie)
        await settled(pilot)
        text = screen_text(pilot)
    assert "[red]Dupont Marie" in text
    assert "85.07.30-•••.••" in text
    assert "le [b]genou[/b]" in text
    assert "063 23 11 11" in text


async def test_a_paper_slip_is_entered_by_a_key(store: Store) -> None:
    async with open_screens(store, "intake", login="amelie") as pilot:
        assert "Slip" not in screen_text(pilot)
        await pilot.press("ctrl+t")
        await type_text(pilot, "S-12\tLuc le concierge\t9h20")
        pilot.app.screen.form.choice("disposition").code = "informed"
        await pilot.press("ctrl+s")
        await settled(pilot)
    row = one(store, "SELECT slip_number, taken_by, taken_by_name, started_at, ended_at FROM call")
    assert row == ("S-12", None, "Luc le concierge", "2022-05-31 07:20:00.000000", None)


async def test_seldom_fields_do_not_hide_what_they_hold(store: Store) -> None:
    async with open_screens(store, "intake", login="amelie") as pilot:
        await pilot.press("ctrl+t")
        await type_text(pilot, "S-12\t")
        await pilot.press("ctrl+t")
        await settled(pilot)
        assert pilot.app.screen.form["slip_number"].display
        pilot.app.screen.form["slip_number"].value = ""
        await pilot.press("ctrl+t")
        await settled(pilot)
        assert not pilot.app.screen.form["slip_number"].display
        assert pilot.app.screen.focused.id == "phone"


async def test_a_tall_screen_asks_for_service_and_doctor(store: Store) -> None:
    async with open_screens(store, "intake", login="amelie", size=(120, 40)) as pilot:
        form = pilot.app.screen.form
        form.fill({"last_name": "Dupont", "said_kind": "consultation", "site": "arlon", "disposition": "informed"})
        form["said_service"].focus()
        await type_text(pilot, "cardiologie\tDr Adam")
        await pilot.press("ctrl+s")
        await settled(pilot)
    assert one(store, "SELECT service_name, clinician, kind FROM postponement") == (
        "cardiologie", "Dr Adam", "consultation",
    )  # fmt: skip


async def test_one_item_ends_otherwise_than_the_call(store: Store, add_person: Callable[..., int]) -> None:
    add_person("Dupont", "Marie", phones=("+3263231111",), items=(SURGERY, {**SURGERY, "service_name": "Cardiologie"}))
    async with open_screens(store, "intake", login="amelie") as pilot:
        await type_text(pilot, "063231111")
        await pilot.press("ctrl+l", "1", "down", "enter", "down", "e", "e")
        await settled(pilot)
        assert "= déjà traité ailleurs" in screen_text(pilot)
        pilot.app.screen.form.choice("disposition").code = "callback"
        await pilot.press("ctrl+s")
        await settled(pilot)
    with store.read() as connection:
        items = connection.exec_driver_sql("SELECT disposition FROM call_item ORDER BY postponement_id").fetchall()
    assert [row[0] for row in items] == [None, "treated_elsewhere"]


async def test_a_repeat_caller_is_offered_before_a_second_record_is_made(
    store: Store, record: Callable[..., RecordedCall]
) -> None:
    record(phone="063231111", last_name="Dupont", first_name="Marie", caller_kind="self")
    for answer, people in (("y", 1), ("n", 2)):
        async with open_screens(store, "intake", login="amelie") as pilot:
            await type_text(pilot, "063231111\tDupont\tMarie")
            pilot.app.screen.form.choice("disposition").code = "informed"
            await pilot.press("ctrl+s")
            await settled(pilot)
            await pilot.press(answer)
            await settled(pilot)
        assert one(store, "SELECT count(*) FROM patient") == (people,)
    assert one(store, "SELECT count(*) FROM call") == (3,)
    assert one(store, "SELECT state FROM likeness") == ("proposed",)


async def test_names_and_voicemail_are_corrected_by_keys(store: Store, add_person: Callable[..., int]) -> None:
    marie = add_person("Dupont", "Marie", date(1958, 3, 12))
    async with open_screens(store, "home", login="amelie") as pilot:
        pilot.app.go("patient", patient_id=marie)
        await settled(pilot)
        await pilot.press("f12", "2")
        await type_text(pilot, " Anne\r")
        await pilot.press("f12", "3")
        await settled(pilot)
        pilot.app.screen.entry["text"].value = "31/02/1958"
        await pilot.press("enter")
        await settled(pilot)
        assert "31/02/1958" in screen_text(pilot)
        pilot.app.screen.entry["text"].value = "13/03/1958"
        await pilot.press("enter")
        await settled(pilot)
        await pilot.press("f12", "7", "2")
        await settled(pilot)
        assert "Dupont Marie Anne  13/03/1958" in screen_text(pilot)
        await pilot.press("f12", "1", "escape")
        await settled(pilot)
        assert "Dupont Marie Anne" in screen_text(pilot)
    row = one(store, "SELECT first_name, birth_on, voicemail FROM patient")
    assert row == ("Marie Anne", "1958-03-13", "none")


async def test_a_death_is_refuted_by_keys(
    store: Store, bruno: Agent, add_person: Callable[..., int], record: Callable[..., RecordedCall]
) -> None:
    marie = add_person("Dupont", "Marie", phones=("+3263231111",), items=(SURGERY,))
    record("callback", patient_ids=(marie,), items=(ItemSaid(1),))
    report_death(store, marie, agent=bruno, now=DESK_NOW)
    async with open_screens(store, "home", login="amelie") as pilot:
        pilot.app.go("patient", patient_id=marie)
        await settled(pilot)
        await pilot.press("f9", "2")
        await type_text(pilot, "elle a rappelé\r")
        await settled(pilot)
    assert one(store, "SELECT death_reported_at FROM patient") == (None,)
    assert one(store, "SELECT hold FROM callback") == ("",)


async def test_what_a_caller_told_of_is_tied_to_the_list_and_untied(
    store: Store, add_person: Callable[..., int], record: Callable[..., RecordedCall]
) -> None:
    marie = add_person("Dupont", "Marie", phones=("+3263231111",), items=(SURGERY,))
    told = ReportedItem(kind="surgery", site_id="arlon", said_on="17/05/2022")
    record(patient_ids=(marie,), reported=(told,), site_id="arlon")
    for wanted in (1, None):
        async with open_screens(store, "home", login="amelie") as pilot:
            pilot.app.go("patient", patient_id=marie)
            await settled(pilot)
            table = pilot.app.screen.query_one("#facts", DeskTable)
            table.go_to("u:2" if wanted is None else "r:2:1")
            await pilot.press("enter", "y")
            await settled(pilot)
        assert one(store, "SELECT matched_to_id FROM postponement WHERE id = 2") == (wanted,)


async def test_a_choice_that_means_nothing_is_not_lost(store: Store) -> None:
    async with open_screens(store, "intake", login="amelie") as pilot:
        pilot.app.screen.form.fill({"last_name": "Dupont", "said_kind": "xyz", "disposition": "informed"})
        await settled(pilot)
        await pilot.press("ctrl+s")
        await settled(pilot)
        assert one(store, "SELECT count(*) FROM call") == (0,)
        assert pilot.app.screen.focused.id == "said_kind"
        assert screen_text(pilot).count("xyz") == 2


async def test_the_note_is_one_key_away(store: Store) -> None:
    async with open_screens(store, "intake", login="amelie") as pilot:
        await type_text(pilot, "063231111\tDupont")
        await pilot.press("ctrl+n")
        await type_text(pilot, "joindre le fils")
        assert pilot.app.screen.form.texts() == {
            "phone": "063231111", "last_name": "Dupont", "note": "joindre le fils"
        }  # fmt: skip


async def test_a_second_new_call_keeps_the_first_as_a_draft(store: Store) -> None:
    async with open_screens(store, "intake", login="amelie") as pilot:
        await type_text(pilot, "063231111\tDupont")
        await pilot.press("f2")
        await settled(pilot)
        assert pilot.app.screen.form.texts() == {}
        agent = pilot.app.session.agent
    assert [draft.fields["last_name"] for draft in list_drafts(store, agent=agent)] == ["Dupont"]


async def test_a_reference_is_not_read_out_to_the_next_caller(store: Store) -> None:
    async with open_screens(store, "intake", login="amelie") as pilot:
        await type_text(pilot, WHOLE_FORM)
        await pilot.press("ctrl+s")
        await settled(pilot)
        assert "À lire" in screen_text(pilot)
        await type_text(pilot, "0470")
        assert "À lire" not in screen_text(pilot)


async def test_a_silent_call_has_nothing_to_read_out_and_loses_no_name(store: Store) -> None:
    async with open_screens(store, "intake", login="amelie") as pilot:
        await type_text(pilot, "\tDupont")
        await pilot.press("f5")
        await settled(pilot)
        assert "[o] oui" in screen_text(pilot)
        await pilot.press("o")
        await settled(pilot)
        await pilot.press("enter")
        await settled(pilot)
        assert "À lire" not in screen_text(pilot)
    assert one(store, "SELECT count(*) FROM call") == (1,)
