"""The room: who does what, freeing a callback, ending a session, writing to agents and seeing who has read it."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update

from crisisdesk.desk.agents import rename, set_sites
from crisisdesk.desk.callbacks import take, take_over
from crisisdesk.desk.drafts import list_drafts, save_draft
from crisisdesk.desk.notices import LONGEST_NOTICE, acknowledge, addressees, send_message, unread_notices
from crisisdesk.desk.sessions import enter_state, list_room, move_to, sign_in
from crisisdesk.domain.words import Ending, PauseReason, WorkState
from crisisdesk.store import journal, tables
from crisisdesk.store.engine import Store
from crisisdesk.ui.widgets.table import DeskTable
from moments import DESK_NOW
from screens import open_screens, screen_text, settled, type_text
from showing import appears, ended, keys
from waiting import World

HOSTILE = "[bold red]Zoé[/] \x1b[2J\u202e[@click=app.quit]x[/]"
OTHER_BOOT = "another-boot:1:1"


def held(world: World) -> int:
    """Amélie holds a callback and has a draft since ten minutes ago."""
    world.now = DESK_NOW - timedelta(minutes=10)
    me = sign_in(world.store, "amelie", now=world.now, origin="10.1.2.3 pts/4")
    callback = world.callback(released=True)
    save_draft(world.store, uid="d1", kind="call", fields={"last": "Dupont"}, agent=me, now=world.now)
    world.now = DESK_NOW
    take(world.store, callback, agent=me, now=world.now)
    with world.store.write() as connection:
        connection.execute(update(tables.session).values(state_at=DESK_NOW - timedelta(minutes=7)))
    return callback


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_the_room_says_who_does_what_and_never_a_patient(world: World, size: tuple[int, int]) -> None:
    callback = held(world)
    sign_in(world.store, "bruno", now=DESK_NOW, process=OTHER_BOOT)
    chef = sign_in(world.store, "chef", now=DESK_NOW)
    enter_state(world.store, WorkState.PAUSE, agent=chef, now=DESK_NOW, reason=PauseReason.MEAL)
    sylvie = sign_in(world.store, "sylvie", now=DESK_NOW)
    move_to(world.store, "libramont", agent=sylvie, now=DESK_NOW)
    async with open_screens(world.store, "room", agent=sylvie, size=size, language="en") as pilot:
        lines = screen_text(pilot).splitlines()
        assert all(len(line) <= size[0] for line in lines)
        assert "ready 1 · on a call 1 · wrap-up 0 · pause 1 · away 0 · gone 1" in lines[2]
        assert lines[3].startswith("Arlon 1 · Libramont 1")
        amelie = next(line for line in lines if line.startswith("Amélie"))
        assert "on a call 7 min" in amelie
        assert "Arlon" in amelie
        assert f"{callback} → 14:" in amelie
        assert "✗ gone" in next(line for line in lines if line.startswith("Bruno"))
        assert "pause (meal)" in screen_text(pilot)
        assert "from 10.1.2.3 pts/4" in screen_text(pilot)
        assert ("supervisor" in next(line for line in lines if line.startswith("Sylvie"))) == (size[0] > 100)
        assert "Patient0" not in screen_text(pilot)


async def test_a_supervisor_frees_a_callback_and_an_agent_does_not(world: World) -> None:
    callback = held(world)
    async with open_screens(world.store, "room", login="bruno", language="en") as pilot:
        assert "Only a supervisor" in await keys(pilot, "l")
        assert "Only a supervisor" in await keys(pilot, "x")
        assert "Only a supervisor" in await keys(pilot, "m")
        assert not pilot.app.screen.query("Form")
    async with open_screens(world.store, "room", login="sylvie", language="en") as pilot:
        text = await keys(pilot, "l")
        assert f"Free callback {callback}? Amélie loses it." in text
        assert f"Callback {callback} is free." in await keys(pilot, "y")
        assert "Amélie holds no callback." in await keys(pilot, "l")
    assert world.row(callback).state == "waiting"


async def test_a_session_is_ended_with_a_reason_and_the_other_screens_close_with_the_draft_kept(world: World) -> None:
    me = sign_in(world.store, "amelie", now=DESK_NOW)
    sylvie = sign_in(world.store, "sylvie", now=DESK_NOW)
    async with open_screens(world.store, "intake", agent=me, language="en") as theirs:
        await type_text(theirs, "063\tDupont")
        async with open_screens(world.store, "room", agent=sylvie, language="en") as pilot:
            assert "drafts are kept" in await keys(pilot, "x")
            assert "Say why" in await keys(pilot, "enter")
            await type_text(pilot, "parti\r")
            assert "The session of Amélie has ended." in screen_text(pilot)
        assert await ended(theirs)
        app: Any = theirs.app
        assert app.return_code == 1
        assert "supervisor ended this session" in app.leaving.farewell
    assert [one.fields["last_name"] for one in list_drafts(world.store, agent=me)] == ["Dupont"]
    with world.store.read() as connection:
        entry = next(one for one in journal.entries(connection, limit=9) if one.action == "session.ended")
    assert (entry.agent, entry.detail["why"]) == ("sylvie", "parti")


async def test_ones_own_session_is_not_ended_here(world: World) -> None:
    sylvie = sign_in(world.store, "sylvie", now=DESK_NOW)
    async with open_screens(world.store, "room", agent=sylvie, language="en") as pilot:
        assert "Ctrl+Q" in await keys(pilot, "x")
        assert not pilot.app.screen.query("Form")


async def test_a_message_is_written_sent_and_its_readers_are_counted(world: World) -> None:
    sign_in(world.store, "amelie", now=DESK_NOW)
    bruno = sign_in(world.store, "bruno", now=DESK_NOW)
    sylvie = sign_in(world.store, "sylvie", now=DESK_NOW)
    async with open_screens(world.store, "room", agent=sylvie, language="en") as pilot:
        await keys(pilot, "m")
        assert "Amélie (amelie)" in screen_text(pilot)  # the marked one, unless another is chosen
        await type_text(pilot, "Réunion à 16 h")
        assert f"{LONGEST_NOTICE - 14} left" in screen_text(pilot)
        await keys(pilot, "up", "y", "up", "e", "v", "enter", "enter", "enter")
        assert "Send this to everybody?" in screen_text(pilot)
        await keys(pilot, "y")
        assert "Sent to: everybody" in screen_text(pilot)
        note = unread_notices(world.store, agent=bruno, now=DESK_NOW)[0]
        assert (note.is_urgent, note.words) == (True, "Réunion à 16 h")
        acknowledge(world.store, note.notice_id, agent=bruno, now=DESK_NOW)
        text = await keys(pilot, "s")
        assert "1 of 2" in text  # chef is not signed in: nobody waits for him to have read it
        text = await appears(pilot, "Not yet  Amélie")
        assert "Read  Bruno 14:00" in text
        assert "The room" in await keys(pilot, "escape")


async def test_a_message_to_one_agent_and_to_a_site(world: World) -> None:
    set_sites(world.store, "bruno", ["libramont"], agent=world.agent("chef"), now=DESK_NOW)
    sign_in(world.store, "amelie", now=DESK_NOW)
    async with open_screens(world.store, "room", login="sylvie", language="en") as pilot:
        await keys(pilot, "m")
        await type_text(pilot, "à toi\r")
        await keys(pilot, "m", "up", "up")
        await type_text(pilot, "Arlon,\r\rà Arlon\r")
        assert "Sent to: Arlon, everybody there" in screen_text(pilot)
        await keys(pilot, "m", "up", "up")
        await type_text(pilot, "zzz\r\rà qui\r")
        assert "not in the list" in screen_text(pilot)
        await keys(pilot, "escape")
        assert not pilot.app.screen.query("Form")
    unread = [one.words for one in unread_notices(world.store, agent=world.agent("bruno"), now=DESK_NOW)]
    assert unread == []
    assert [one.words for one in unread_notices(world.store, agent=world.amelie, now=DESK_NOW)] == ["à toi", "à Arlon"]


async def test_f6_and_home_show_ones_own_sites_and_the_room_shows_where_one_is(world: World) -> None:
    set_sites(world.store, "amelie", ["arlon", "libramont"], agent=world.agent("chef"), now=DESK_NOW)
    me = sign_in(world.store, "amelie", now=DESK_NOW)
    async with open_screens(world.store, agent=me, language="en") as pilot:
        assert "Home screen · your sites, 2 of" in screen_text(pilot)
        assert [row.row_id for row in pilot.app.screen.query_one("#sites", DeskTable).rows] == ["arlon", "libramont"]
        text = await keys(pilot, "f6")
        assert "Libramont" in text
        assert "Marche" not in text
        await keys(pilot, "l", "enter")
        assert pilot.app.site == "libramont"  # type: ignore[attr-defined]
    seat = list_room(world.store)[0]
    assert (seat.site_id, seat.state, seat.state_at) == ("libramont", WorkState.READY, DESK_NOW)


# ------------------------------------------------------------------ notices on the screen in front


@pytest.mark.parametrize("is_urgent", [True, False])
async def test_a_notice_takes_the_place_of_the_heading_and_nothing_moves(world: World, is_urgent: bool) -> None:
    me = sign_in(world.store, "amelie", now=DESK_NOW)
    async with open_screens(world.store, "intake", agent=me, language="en") as pilot:
        await type_text(pilot, "063\tDup")
        before = screen_text(pilot).splitlines()
        focused = pilot.app.focused
        send_message(world.store, "Arrêtez Libramont", agent=world.sonia, now=DESK_NOW, is_urgent=is_urgent)
        after = (await appears(pilot, "Arrêtez Libramont")).splitlines()
        sign = "⚠" if is_urgent else "»"
        assert after[1].startswith(f"^K read  {sign} 14:00 Sylvie: Arrêtez Libramont")
        changed = [number for number, (one, other) in enumerate(zip(before, after, strict=True)) if one != other]
        assert changed in ([1], [1, 23])  # the key bar may name ^K
        assert pilot.app.focused is focused
        await type_text(pilot, "ont")
        text = await keys(pilot, "ctrl+k")
        assert "Arrêtez" not in text
        assert text.splitlines()[1] == before[1]
        assert pilot.app.screen.form["last_name"].value == "Dupont"  # type: ignore[attr-defined]
    notice = 1
    assert [one.name for one in addressees(world.store, notice) if one.read_at] == ["Amélie"]


async def test_a_long_notice_is_shown_whole_before_it_is_read(world: World) -> None:
    words = "Le bloc de Libramont rouvre jeudi. " * 5
    me = sign_in(world.store, "amelie", now=DESK_NOW)
    async with open_screens(world.store, "home", agent=me, language="en") as pilot:
        send_message(world.store, words + "FIN", agent=world.sonia, now=DESK_NOW, is_urgent=True)
        assert "FIN" not in await appears(pilot, "Le bloc de Libramont")
        assert "FIN" in (await keys(pilot, "ctrl+k")).replace("\n", " ")
        assert not [one for one in addressees(world.store, 1) if one.read_at]
        assert "Libramont rouvre" not in await keys(pilot, "ctrl+k")
        await settled(pilot)
    assert len([one for one in addressees(world.store, 1) if one.read_at]) == 1


async def test_a_callback_that_was_freed_is_told_on_its_card(world: World) -> None:
    me = sign_in(world.store, "amelie", now=DESK_NOW)
    card = take(world.store, world.callback(released=True), agent=me, now=DESK_NOW)
    async with open_screens(world.store, "home", agent=me, language="en") as pilot:
        pilot.app.go("callback", card=card)  # type: ignore[attr-defined]
        await settled(pilot)
        take_over(world.store, card.callback_id, agent=world.sonia, now=DESK_NOW)
        assert "given back to the queue" in await appears(pilot, "Do not ring any more")
        await keys(pilot, "n")
        assert "Do not ring any more" in screen_text(pilot)  # no ending can be chosen


async def test_hostile_words_and_names_are_inert(world: World) -> None:
    rename(world.store, "bruno", HOSTILE, "", agent=world.agent("chef"), now=DESK_NOW)
    sign_in(world.store, "bruno", now=DESK_NOW)
    me = sign_in(world.store, "amelie", now=DESK_NOW)
    for first in ("room", "agents"):
        async with open_screens(world.store, first, agent=me, language="en") as pilot:
            assert "[bold red]Zo" in screen_text(pilot)
            if first == "room":
                send_message(world.store, HOSTILE, agent=world.sonia, now=DESK_NOW, is_urgent=True)
            text = await appears(pilot, "Sylvie: [bold red]Zoé[/]")
            assert "Sylvie: [bold red]Zoé[/]" in text
            assert not {"\x1b", "\u202e"} & set(text)


# ------------------------------------------------------------------ state, idle, age


async def test_ctrl_g_tells_the_desk_what_one_does(world: World) -> None:
    me = sign_in(world.store, "amelie", now=DESK_NOW)
    async with open_screens(world.store, agent=me, language="en") as pilot:
        assert "Amélie · agent · ready" in screen_text(pilot)
        await keys(pilot, "ctrl+g", "p", "a", "u", "s", "e", " ", "(", "m", "e", "a", "enter")
        text = await appears(pilot, "agent · pause (meal)")
        assert "You are now: pause (meal)" in text
        assert list_room(world.store)[0].reason == "meal"
        await keys(pilot, "ctrl+g", "r", "enter")
        assert "agent · ready" in await appears(pilot, "agent · ready")


def set_idle(store: Store, seconds: int, end_seconds: int) -> None:
    with store.write() as connection:
        connection.execute(update(tables.desk).values(idle_seconds=seconds, idle_end_seconds=end_seconds))


async def test_nobody_at_the_keyboard_hides_the_screen_and_a_key_does_nothing_but_bring_it_back(world: World) -> None:
    set_idle(world.store, 2, 60)
    me = sign_in(world.store, "amelie", now=DESK_NOW)
    async with open_screens(world.store, "intake", agent=me, language="en") as pilot:
        await type_text(pilot, "063\tDupont")
        text = await appears(pilot, "CrisisDesk is hidden")
        assert "CrisisDesk is hidden: no key for 2 seconds." in text
        assert "Dupont" not in text
        assert pilot.app.presence.state is WorkState.AWAY  # type: ignore[attr-defined]
        text = await keys(pilot, "f7")
        assert "Dupont" in text
        assert pilot.app.screen.form["last_name"].value == "Dupont"  # type: ignore[attr-defined]
        await appears(pilot, "CrisisDesk is hidden")
        assert "Dupont" in await keys(pilot, "x")
        assert pilot.app.screen.form["last_name"].value == "Dupont"  # type: ignore[attr-defined]
        assert list_room(world.store)[0].state is WorkState.CALL


async def test_nobody_comes_back_ends_the_session_with_the_draft_kept(world: World) -> None:
    set_idle(world.store, 1, 1)
    me = sign_in(world.store, "amelie", now=DESK_NOW)
    async with open_screens(world.store, "intake", agent=me, language="en") as pilot:
        await type_text(pilot, "063\tDupont")
        assert await ended(pilot)
        app: Any = pilot.app
        assert (app.return_code, app.leaving.why) == (1, Ending.IDLE)
        assert app.leaving.farewell.startswith("No key for 2 seconds: this session has ended.")
    assert [one.fields["last_name"] for one in list_drafts(world.store, agent=me)] == ["Dupont"]


async def test_a_session_that_is_too_old_ends_with_the_draft_kept(world: World) -> None:
    me = sign_in(world.store, "amelie", now=DESK_NOW - timedelta(hours=12) + timedelta(seconds=2))
    async with open_screens(world.store, "intake", agent=me, language="en") as pilot:
        await type_text(pilot, "063\tDupont")
        assert await ended(pilot)
        app: Any = pilot.app
        assert (app.return_code, app.leaving.why) == (1, Ending.AGED)
        assert "12 h" in app.leaving.farewell
    assert [one.fields["last_name"] for one in list_drafts(world.store, agent=me)] == ["Dupont"]
