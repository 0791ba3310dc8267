"""Through a real terminal: two calls in one burst stay apart; a colleague's change is told on the line."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from crisisdesk.desk.agents import find_agent
from crisisdesk.desk.drafts import list_drafts
from crisisdesk.store.engine import Store
from terminal import Terminal, desk_command

F2, SAVE = b"\x1bOQ", b"\x13"
CALL = "{phone}\tDupont\tMarie\t12/03/1958\t\ts\t\t\tf\tarlon\to\t{words}\t\t\tr\tdemain matin"


@pytest.fixture
def screen(desk_path: Path, desk_store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Terminal]:
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in [one for one in os.environ if one.startswith("XDG_")]:
        monkeypatch.delenv(name)
    with Terminal(desk_command(desk_path)) as terminal:
        terminal.see("Arlon")
        yield terminal


def test_two_calls_in_one_write_stay_apart(screen: Terminal, desk_store: Store) -> None:
    """The second is typed ahead past the key that saves the first: no key of it lands in the first, nor the reverse."""
    first, second = (
        CALL.format(phone=phone, words=words).encode()
        for phone, words in (("063231111", "le genou"), ("063231112", "la hanche"))
    )
    screen.type(F2 + first + SAVE)
    screen.see("0 0 0 1 -")
    screen.type(second.replace(b"Marie", b"Luc") + SAVE)
    screen.see("0 0 0 2 -")
    with desk_store.read() as connection:
        rows = connection.exec_driver_sql("SELECT caller_phone, words FROM call ORDER BY number").fetchall()
    assert [tuple(row) for row in rows] == [("+3263231111", "le genou"), ("+3263231112", "la hanche")]
    agent = find_agent(desk_store, "amelie")
    assert agent
    assert list_drafts(desk_store, agent=agent) == ()
    assert "hanche" not in screen.glass.text
