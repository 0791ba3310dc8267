"""The screen of a call: typed in bursts, linked, saved, gone on with; nothing of one call in the next."""

from collections.abc import Callable
from datetime import date

from crisisdesk.desk.agents import Agent
from crisisdesk.desk.drafts import list_drafts
from crisisdesk.desk.intake import ItemSaid, RecordedCall
from crisisdesk.store.engine import Store
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
