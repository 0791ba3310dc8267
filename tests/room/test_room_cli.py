"""`crisisdesk room`, `message` and the changes of agents as a script calls them."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from crisisdesk import clock
from crisisdesk.cli.main import run
from crisisdesk.desk.agents import find_agent
from crisisdesk.desk.callbacks import take
from crisisdesk.desk.notices import acknowledge, unread_notices
from crisisdesk.desk.sessions import list_room, sign_in
from crisisdesk.i18n import in_language
from waiting import World

Say = Callable[..., tuple[int, str, str]]
HOSTILE = "\x1b[2J\u202eabc[/]"


@pytest.fixture
def say(desk_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Say:
    """A command by an agent: exit code, stdout, stderr."""
    monkeypatch.setenv("CRISISDESK_DESK", str(desk_path))

    def said(login: str, *words: str) -> tuple[int, str, str]:
        with in_language("en"):
            code = run([*words, "--agent", login, "--lang", "en"])
        told = capsys.readouterr()
        return code, told.out, told.err

    return said


@pytest.fixture
def now(world: World, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The commands live on the day of the tests: it is a calling hour."""
    monkeypatch.setattr(clock, "now", lambda: world.now)
    return world.now


def test_the_room_is_listed_for_people_and_programs(world: World, now: Any, say: Say) -> None:
    assert say("bruno", "room")[1] == "Nobody is signed in.\n"
    me = sign_in(world.store, "amelie", now=now, origin="10.1.2.3 pts/4")
    callback = world.callback(released=True)
    take(world.store, callback, agent=me, now=now)
    code, told, _err = say("bruno", "room")
    assert code == 0
    assert "on a call" in told
    assert f"{callback} → " in told
    assert "Patient" not in told
    (seat,) = json.loads(say("bruno", "room", "--json")[1])
    assert (seat["login"], seat["state"], seat["callback_id"], seat["is_gone"]) == ("amelie", "call", callback, False)
    assert "Does: on a call" in say("bruno", "room", "--plain")[1]


def test_a_session_is_ended_and_a_callback_freed(world: World, now: Any, say: Say) -> None:
    me = sign_in(world.store, "amelie", now=now)
    callback = world.callback(released=True)
    take(world.store, callback, agent=me, now=now)
    assert say("bruno", "room", "free", "amelie")[0] == 1
    assert say("sylvie", "room", "free", "amelie")[1] == f"Callback {callback} is free.\n"
    code, _out, err = say("sylvie", "room", "free", "amelie")
    assert (code, err) == (1, "crisisdesk: Amélie holds no callback.\n")
    assert say("sylvie", "room", "end", "amelie")[0] == 2  # no reason
    assert say("bruno", "room", "end", "amelie", "--reason", "parti")[0] == 1
    number = str(list_room(world.store)[0].session_id)
    assert say("sylvie", "room", "end", number, "--reason", "parti")[1] == "The session of Amélie has ended.\n"
    assert list_room(world.store) == ()
    code, _out, err = say("sylvie", "room", "end", "amelie", "--reason", "parti")
    assert code == 1
    assert "is not signed in" in err


def test_messages_are_sent_and_their_readers_listed(world: World, now: Any, say: Say) -> None:
    me = sign_in(world.store, "amelie", now=now)
    assert say("bruno", "message", "bonjour")[0] == 1
    assert say("sylvie", "message", "À tous " + HOSTILE, "--urgent")[1] == "Sent, to 1 agent who is signed in.\n"
    assert say("sylvie", "message", "À Bruno", "--to", "bruno")[0] == 0
    assert say("sylvie", "message", "Ici", "--site", "Arlon")[0] == 0
    assert say("sylvie", "message", "x", "--site", "arlon", "--to", "bruno")[0] == 2
    assert say("sylvie", "message", "x", "--to", "nobody")[0] == 1
    first = unread_notices(world.store, agent=me, now=now)[0]
    assert first.is_urgent
    acknowledge(world.store, first.notice_id, agent=me, now=now)
    assert say("bruno", "message")[0] == 1  # what others were written is not for everybody
    sent = json.loads(say("sylvie", "message", "--json")[1])
    assert [(one["to"], one["urgent"], one["read"], one["missing"]) for one in sent] == [
        ("Arlon", False, [], ["Amélie"]), ("Bruno", False, [], ["Bruno"]), ("", True, ["Amélie"], []),
    ]  # fmt: skip
    told = say("sylvie", "message")[1]
    assert "everybody" in told
    assert not {"\x1b", "\u202e"} & set(told)


def test_agents_get_sites_and_names(world: World, say: Say) -> None:
    assert say("sylvie", "agent", "add", "zoe", "Zoé")[0] == 1
    assert say("chef", "agent", "add", "zoe", "Zoé", "--site", "arlon", "--site", "Libramont")[0] == 0
    assert find_agent(world.store, "zoe").sites == {"arlon", "libramont"}  # type: ignore[union-attr]
    assert json.loads(say("chef", "agent", "sites", "zoe", "marche", "--json")[1])["sites"] == ["marche"]
    assert say("chef", "agent", "sites", "zoe")[0] == 0
    assert find_agent(world.store, "zoe").sites == frozenset()  # type: ignore[union-attr]
    assert say("chef", "agent", "rename", "zoe", "Zoé Petit", "--language", "fr")[0] == 0
    assert say("chef", "agent", "rename", "zoe", "Zoé Grand")[0] == 0
    found = find_agent(world.store, "zoe")
    assert found
    assert (found.name, found.language) == ("Zoé Grand", "fr")
    code, _out, err = say("chef", "agent", "sites", "zoe", "namur")
    assert code == 1
    assert "namur" in err
