"""The rules on the screen and on the command line; the card before the first word; letters written down."""

import csv
import io
import json
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update
from textual.pilot import Pilot

from crisisdesk.cli.main import run
from crisisdesk.desk.contacts import set_contacts
from crisisdesk.desk.rules import reference_of
from crisisdesk.desk.ruling import edit_desk_rules, edit_rule
from crisisdesk.domain.words import MayTell, Scope
from crisisdesk.store import tables
from crisisdesk.store.engine import Store
from moments import DESK_NOW
from screens import open_screens, screen_text, settled, type_text
from waiting import World


@pytest.fixture
def world(store: Store) -> World:
    """The clock of the screens."""
    return World(store, DESK_NOW)


async def keys(pilot: Pilot[Any], *names: str) -> str:
    await pilot.press(*names)
    await settled(pilot)
    return screen_text(pilot)


async def test_a_supervisor_changes_a_rule_and_the_key_says_it(world: World) -> None:
    async with open_screens(world.store, "rules", login="sonia", language="en") as pilot:
        assert "again after 3 h" in screen_text(pilot)
        await keys(pilot, "down", "e", "ctrl+u")
        await type_text(pilot, "40 min" + "\t" * 9 + "\r")
        text = screen_text(pilot)
        assert "again after 40 min" in text
        assert pilot.app.session.reference.version == 2  # type: ignore[attr-defined]
    busy = reference_of(world.store).dispositions[Scope.ATTEMPT, "busy"]
    assert busy.delay == timedelta(minutes=40)


async def test_an_agent_reads_the_rules_and_changes_none(world: World) -> None:
    async with open_screens(world.store, "rules", language="en") as pilot:
        assert "Only a supervisor" in await keys(pilot, "enter")
        assert "Only a supervisor" in await keys(pilot, "d")
        assert "a clinician decides" in await keys(pilot, "w")


async def test_two_supervisors_at_once_the_second_sees_both_values(world: World) -> None:
    async with open_screens(world.store, "rules", login="sonia", language="en") as pilot:
        await keys(pilot, "down", "enter", "ctrl+u")
        edit_rule(world.store, Scope.ATTEMPT, "busy", {"delay": "20 min"}, agent=world.sonia, now=world.now)
        await type_text(pilot, "40 min" + "\t" * 9 + "\r")
        text = " ".join(screen_text(pilot).split())
        assert "sonia changed 'delay' meanwhile from '15 min' to '20 min'; you typed '40 min'" in text
    assert reference_of(world.store).dispositions[Scope.ATTEMPT, "busy"].delay == timedelta(minutes=20)


async def test_keys_of_an_open_card_follow_a_rule_that_is_changed_elsewhere(world: World) -> None:
    world.callback(released=True)
    async with open_screens(world.store, "queue", language="en") as pilot:
        await keys(pilot, "enter", "o")
        assert "14:15" in screen_text(pilot)
        changes = {"delay": "1 h", "key": "z", "label.en": "engaged"}
        edit_rule(world.store, Scope.ATTEMPT, "busy", changes, agent=world.sonia, now=world.now)
        pilot.app._store_changed()  # type: ignore[attr-defined]  # what the watch does twice a second
        await settled(pilot)
        text = screen_text(pilot)
        assert "engaged → Rung again from 15:00" in text
        assert "z engaged" in text
        await keys(pilot, "escape", "o")
        assert "engaged →" not in screen_text(pilot), "the old key means nothing any more"


@pytest.mark.parametrize("proof", ["", "cerise moulin"])
async def test_the_card_says_how_either_side_proves_itself(world: World, proof: str) -> None:
    world.callback(released=True)
    with world.store.write() as connection:
        connection.execute(update(tables.patient).values(proof=proof, language="en"))
    async with open_screens(world.store, "queue", language="en") as pilot:
        text = " ".join((await keys(pilot, "enter")).split())
        assert "date of birth?" not in text
        if proof:
            text += await keys(pilot, "pagedown")
            assert "“moulin”" in text
            assert "'cerise'" in text
            assert "moulin'" not in text, "the desk says the first word only"
        else:
            assert "No proof words" in text
            assert "rung back" in " ".join(screen_text(pilot).replace("│", " ").split()) or "0800" in text


async def test_who_may_be_told_is_noted_on_the_card_and_offers_a_key(world: World) -> None:
    callback_id = world.callback(released=True)
    async with open_screens(world.store, "queue", language="en") as pilot:
        text = await keys(pilot, "enter")
        assert "named person told" not in text
        await keys(pilot, "f4")
        await type_text(pilot, "3\tJean, le mari\tDr Dubois\t\r")
        text = screen_text(pilot)
        assert "Noted" in text
        assert "named person told" in text
        assert "Jean, le mari" in text
        await type_text(pilot, "bdit au mari\r")
    assert world.row(callback_id).attempts == 1


async def test_worse_shows_the_way_out_at_once(world: World) -> None:
    world.callback(released=True)
    async with open_screens(world.store, "queue", language="en") as pilot:
        text = await keys(pilot, "enter", "u")
        assert "112" in text
        assert "on-call clinician" in text
        assert "063" in text


async def test_the_other_sites_items_stand_on_the_card(world: World) -> None:
    from test_settle_all import two_sites

    here, _there, _mine, _theirs = two_sites(world)
    async with open_screens(world.store, "queue", size=(120, 40), language="en") as pilot:
        pilot.app.go("callback", callback_id=here)  # type: ignore[attr-defined]
        await settled(pilot)
        assert "Also waits for Marche" in screen_text(pilot)


async def test_a_letter_is_written_down_in_the_queue_by_an_agent(world: World) -> None:
    edit_desk_rules(world.store, {"attempts_in_all": "1"}, agent=world.sonia, now=world.now)
    callback_id = world.callback(released=True)
    world.ring(callback_id, "no_answer")
    async with open_screens(world.store, "queue", language="en") as pilot:
        await type_text(pilot, "d1\tNathalie\t\t\r")
        text = screen_text(pilot)
        assert "Letter sent" in text
    assert world.row(callback_id).channels_done == ["letter"]


async def test_a_draft_of_a_patient_who_died_can_still_be_read(world: World) -> None:
    from crisisdesk.desk.drafts import list_drafts, save_draft
    from crisisdesk.desk.patients import report_death

    callback_id = world.callback(released=True)
    fields = {"callback_id": str(callback_id), "disposition": "worse", "note": "genou chaud"}
    save_draft(world.store, uid="d1", kind="attempt", fields=fields, agent=world.amelie, now=world.now)
    report_death(world.store, world.row(callback_id).patient_id, agent=world.bruno, now=world.now)
    (draft,) = list_drafts(world.store, agent=world.amelie)
    async with open_screens(world.store, language="en") as pilot:
        pilot.app.go("callback", draft=draft)  # type: ignore[attr-defined]
        await settled(pilot)
        assert "genou chaud" in screen_text(pilot)
    assert list_drafts(world.store, agent=world.amelie) == (draft,), "nothing is lost"


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_the_rules_fit(world: World, size: tuple[int, int]) -> None:
    async with open_screens(world.store, "rules", login="sonia", size=size) as pilot:
        for key in ("e", "escape", "d"):
            lines = (await keys(pilot, key)).splitlines()
            assert len(lines) == size[1]
            assert max(map(len, lines)) <= size[0]


# ---------------------------------------------------------------- the command line


def command(
    world: World, capsys: pytest.CaptureFixture[str], *words: str, login: str = "sonia"
) -> tuple[int, str, str]:
    code = run(["--desk", str(world.store.path), "--agent", login, "--lang", "en", *words])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_rules_on_the_command_line(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _err = command(world, capsys, "rule", "set", "no_answer", "--delay", "2 h", "--cap", "3")
    assert (code, "again after 2 h" in out, "after 3: a letter is sent" in out) == (0, True, True)
    code, out, _err = command(world, capsys, "--json", "rule", "list")
    rows = {row["code"]: row for row in json.loads(out)["rows"]}
    assert rows["no_answer"]["texts"]["cap"] == "3"
    code, out, _err = command(world, capsys, "--json", "rule", "desk", "--attempts-in-all", "8")
    assert json.loads(out)["attempts_in_all"] == "8"
    code, _out, err = command(world, capsys, "rule", "set", "item", "declines", "--key", "a")
    assert (code, "taken by 'accepts_date'" in err) == (1, True)
    code, _out, err = command(world, capsys, "rule", "set", "busy", "--delay", "1 h", login="amelie")
    assert (code, "supervisor" in err) == (1, True)
    code, out, _err = command(world, capsys, "rule", "list", "--scope", "item", "--plain")
    assert "declines" in out


def test_letters_on_the_command_line(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    edit_desk_rules(world.store, {"attempts_in_all": "1"}, agent=world.sonia, now=world.now)
    callback_id = world.callback(released=True)
    patient_id = world.row(callback_id).patient_id
    set_contacts(world.store, patient_id, may_tell=MayTell.NONE, agent=world.amelie, now=world.now)
    world.ring(callback_id, "no_answer")
    code, out, _err = command(world, capsys, "callback", "held", "--channel", "letter", "--csv")
    (line,) = csv.DictReader(io.StringIO(out))
    assert (code, line["callback"], line["to do"]) == (0, str(callback_id), "a letter is sent")
    assert "0800" in line["what may be said"]
    words = ("callback", "used", str(callback_id), "--name", "Nathalie")
    code, out, _err = command(world, capsys, *words, login="amelie")
    assert (code, "Letter sent" in out) == (0, True)
    code, _out, err = command(world, capsys, *words, login="amelie")
    assert (code, "besides the telephone" in err) == (1, True)
    code, out, _err = command(world, capsys, "callback", "contacts", str(callback_id), "--who", "Jean", "--gp", "Dr B")
    assert "Dr B" in out
