"""The same agent at two terminals, and an agent who is sent out: through real terminals."""

from pathlib import Path

import pytest

from crisisdesk.clock import now
from crisisdesk.desk.agents import find_agent, set_active
from crisisdesk.desk.drafts import list_drafts
from crisisdesk.store.engine import Store
from terminal import Terminal, desk_command

F2 = b"\x1bOQ"


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("XDG_STATE_HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)


def why_ended(store: Store) -> list[str]:
    with store.read() as connection:
        return list(connection.exec_driver_sql("SELECT ended_why FROM session ORDER BY id").scalars())


def test_a_second_sign_in_takes_over_with_what_was_typed(desk_path: Path, desk_store: Store) -> None:
    with Terminal(desk_command(desk_path)) as first:
        first.see("Arlon")
        with Terminal(desk_command(desk_path)) as second:
            second.see("[y/n]")
            first.type(F2 + b"063231111\tDupont")  # the name has not been left, nor two seconds passed
            first.see("Dupont")
            second.type(b"y\n")
            second.see("Arlon")
            assert first.ended() == 1
            assert b"on another terminal" in first.raw
            second.see("Dupont")
    assert why_ended(desk_store)[0] == "replaced"


def test_a_second_sign_in_may_leave_the_first_one_alone(desk_path: Path, desk_store: Store) -> None:
    with Terminal(desk_command(desk_path)) as first:
        first.see("Arlon")
        with Terminal(desk_command(desk_path)) as second:
            second.see("[y/n]")
            second.type(b"n\n")
            assert second.ended() == 1
            assert b"\x1b[?1049h" not in second.raw
        first.type(F2)
        first.see("Phone")
    assert why_ended(desk_store) == [""]


def test_after_a_dropped_line_nobody_is_asked(desk_path: Path, desk_store: Store) -> None:
    with Terminal(desk_command(desk_path)) as first:
        first.see("Arlon")
        first.process.kill()
        first.process.wait()
    with Terminal(desk_command(desk_path)) as again:
        again.see("Arlon")
        assert b"[y/n]" not in again.raw
    assert why_ended(desk_store)[0] == "gone"


def test_a_disabled_agent_is_out_within_seconds_with_the_draft_kept(desk_path: Path, desk_store: Store) -> None:
    admin, amelie = find_agent(desk_store, "chef"), find_agent(desk_store, "amelie")
    assert admin
    assert amelie
    with Terminal(desk_command(desk_path)) as screen:
        screen.see("Arlon")
        screen.type(F2 + b"063231111")
        screen.see("063231111")
        set_active(desk_store, "amelie", False, agent=admin, now=now())
        assert screen.ended() == 1
        assert b"disabled" in screen.raw
    assert "063231111" in list_drafts(desk_store, agent=amelie)[0].fields.values()
    assert why_ended(desk_store) == ["disabled"]
