"""What the program says is readable in full at 80 columns; what is masked in a field stays masked elsewhere."""

from crisisdesk.desk.agents import find_agent
from crisisdesk.desk.drafts import save_draft
from crisisdesk.store.engine import Store
from moments import DESK_NOW
from screens import open_screens, screen_text, settled

LONG = "Le programme ne peut pas enregistrer ceci parce que la raison est longue, et la fin de la phrase compte : fin."


async def test_a_long_message_is_wrapped_and_a_short_one_gives_the_line_back(desk_store: Store) -> None:
    async with open_screens(desk_store) as pilot:
        pilot.app.screen.warn(LONG)
        await settled(pilot)
        lines = screen_text(pilot).splitlines()
        assert " ".join(line.strip() for line in lines[-3:-1]) == "⚠ " + LONG
        pilot.app.screen.say("court")
        await settled(pilot)
        lines = screen_text(pilot).splitlines()
        assert lines[-2].strip() == "court"
        assert "fin." not in lines[-3]


async def test_a_long_question_keeps_its_answers_in_sight(desk_store: Store) -> None:
    async with open_screens(desk_store) as pilot:
        pilot.app.screen.confirm(LONG, lambda: None)
        await settled(pilot)
        text = " ".join(line.strip() for line in screen_text(pilot).splitlines()[-4:])
        assert LONG in text
        assert "[o] oui" in text
        await pilot.press("n")
        await settled(pilot)
        assert "[o] oui" not in screen_text(pilot)


async def test_the_list_of_drafts_shows_no_national_number(desk_store: Store) -> None:
    agent = find_agent(desk_store, "amelie")
    assert agent
    fields = {"last_name": "Noiret", "niss": "85073003328"}
    save_draft(desk_store, uid="d1", kind="call", fields=fields, agent=agent, now=DESK_NOW)
    async with open_screens(desk_store) as pilot:
        text = screen_text(pilot)
    assert "Noiret" in text
    assert "85073003328" not in text
