"""Endings nobody asked for, bursts, wrong bytes, wrong terminals: through a real terminal."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from crisisdesk.desk.agents import Agent, find_agent
from crisisdesk.desk.drafts import list_drafts, save_draft
from crisisdesk.store.engine import Store
from terminal import Terminal, desk_command

F2, REDRAW, SAVE = b"\x1bOQ", b"\x12", b"\x13"


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("XDG_STATE_HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def amelie(desk_store: Store) -> Agent:
    agent = find_agent(desk_store, "amelie")
    assert agent
    return agent


@pytest.fixture
def screen(desk_path: Path, desk_store: Store) -> Iterator[Terminal]:
    with Terminal(desk_command(desk_path)) as terminal:
        terminal.see("Arlon")
        yield terminal


def drafts(store: Store, agent: Agent) -> list[dict[str, str]]:
    return [dict(draft.fields) for draft in list_drafts(store, agent=agent)]


def test_a_call_written_in_one_go_lands_in_its_fields(screen: Terminal, desk_store: Store, amelie: Agent) -> None:
    screen.type(F2 + b"063231111\tDupont\tMarie\t12/03/1958\r\t\t")
    wanted = {"063231111", "Dupont", "Marie", "12/03/1958"}
    screen.until(lambda: any(wanted <= set(one.values()) for one in drafts(desk_store, amelie)))
    screen.see("12/03/1958")
    names = {name for name, value in drafts(desk_store, amelie)[0].items() if value in wanted}
    assert len(names) == 4


def test_a_whole_call_in_one_write_is_stored_field_by_field(screen: Terminal, desk_store: Store) -> None:
    """From the key of a new call to the key that saves it, without a look at the screen in between."""
    fields = "063231111\tDupont\tMarie\t12/03/1958\t\ts\t\t\tf\tarlon\to\tle genou à 80 %\t\t\tr\tdemain matin"
    screen.type(F2 + fields.encode() + SAVE)
    screen.see("0 0 0 1 -")
    with desk_store.read() as connection:
        call = connection.exec_driver_sql(
            "SELECT caller_phone, caller_kind, language, site_id, topic, words, disposition FROM call"
        ).one()
        patient = connection.exec_driver_sql("SELECT last_name, first_name, birth_on FROM patient").one()
        callback = connection.exec_driver_sql("SELECT site_id, part_of_day FROM callback").one()
    assert tuple(call) == ("+3263231111", "self", "fr", "arlon", "operation_postponed", "le genou à 80 %", "callback")
    assert tuple(patient) == ("Dupont", "Marie", "1958-03-12")
    assert tuple(callback) == ("arlon", "morning")


def test_sigterm_keeps_the_field_and_mends_the_terminal(screen: Terminal, desk_store: Store, amelie: Agent) -> None:
    screen.type(F2 + b"063231111")
    screen.see("063231111")
    screen.process.send_signal(signal.SIGTERM)
    assert screen.ended() == 143
    assert b"\x1b[?1049l" in screen.raw[-400:]
    assert "063231111" in drafts(desk_store, amelie)[0].values()


@pytest.mark.parametrize(("ignored", "code"), [(False, -signal.SIGHUP), (True, 129)])
def test_a_line_that_drops_leaves_no_process_and_loses_no_field(
    desk_path: Path, desk_store: Store, amelie: Agent, ignored: bool, code: int
) -> None:
    with Terminal(desk_command(desk_path), ignore_hangup=ignored) as screen:
        screen.see("Arlon")
        screen.type(F2 + b"063231111\tDupont")
        screen.until(lambda: drafts(desk_store, amelie))
        screen.hang_up()
        # Either way out is right where the system's own signal is not ignored: it races the watchdog.
        assert screen.ended() in {code, 129}
    assert "063231111" in drafts(desk_store, amelie)[0].values()


def test_after_kill_9_the_next_session_offers_to_go_on(desk_path: Path, desk_store: Store, amelie: Agent) -> None:
    with Terminal(desk_command(desk_path)) as screen:
        screen.see("Arlon")
        screen.type(F2 + b"063231111\tDupont\t")
        screen.until(lambda: any("Dupont" in one.values() for one in drafts(desk_store, amelie)))
        screen.process.kill()
    with Terminal(desk_command(desk_path)) as again:
        again.see("Dupont")
        again.type(b"\t\r")
        again.see("063231111")


def test_a_latin_1_keyboard_is_understood(screen: Terminal, desk_store: Store, amelie: Agent) -> None:
    screen.type(F2 + b"1\tL\xe9on\xff\x80\xc3\t")
    screen.until(lambda: any("1" in one.values() and len(one) > 1 for one in drafts(desk_store, amelie)))
    assert any(value.startswith("Léon") for value in drafts(desk_store, amelie)[0].values())
    assert screen.process.poll() is None


def test_hostile_words_do_not_reach_the_terminal(desk_path: Path, desk_store: Store, amelie: Agent) -> None:
    words = "Q\x1b]52;c;UVE=\x07Z\x1b[31m\u202e\x9b5m[@click=app.leave]x[/]"
    save_draft(desk_store, uid="d", kind="call", fields={"last": words}, agent=amelie, now=datetime.now(UTC))
    with Terminal(desk_command(desk_path)) as screen:
        screen.see("[@click=app.leave]x[/]")
        assert b"\x1b]52" not in screen.raw
        assert b"\x1b[31m" not in screen.raw
        assert "\u202e" not in screen.raw.decode("utf-8", "replace")


def test_only_changes_are_sent_and_they_add_up_to_the_picture(screen: Terminal) -> None:
    back, f3, f6, down, escape = b"\x1b[Z", b"\x1bOR", b"\x1b[17~", b"\x1b[B", b"\x1b"
    for keys in (F2, b"063231111\t", b"Dupont\t", back, back, f3, down, f6, down, escape):
        screen.type(keys)
        screen.read(0.4)
    built_up = screen.glass.text
    before = len(screen.raw)
    screen.type(REDRAW)
    screen.until(lambda: len(screen.raw) - before > 1000)
    screen.read(0.4)
    assert screen.glass.text == built_up


def test_an_idle_screen_writes_next_to_nothing(screen: Terminal) -> None:
    screen.read(1.0)
    before = len(screen.raw)
    screen.read(3.0)
    assert len(screen.raw) - before <= 100  # the minute may change meanwhile


@pytest.mark.parametrize(("environ", "size", "words"), [
    ({"TERM": "dumb"}, (80, 24), "TERM"), ({"TERM": ""}, (80, 24), "TERM"), ({}, (50, 10), "50x10"),
    ({"PYTHONIOENCODING": "latin-1"}, (80, 24), "UTF-8"),
])  # fmt: skip
def test_a_terminal_that_cannot_show_the_screens_is_told_so(
    desk_path: Path, environ: dict[str, str], size: tuple[int, int], words: str
) -> None:
    with Terminal(desk_command(desk_path), environ=environ, size=size) as screen:
        assert screen.ended() == 2
        assert words.encode() in screen.raw
        assert b"\x1b[?1049h" not in screen.raw


def test_without_a_terminal_there_is_a_sentence_and_code_2(desk_path: Path) -> None:
    command = [sys.executable, "-m", "crisisdesk", *desk_command(desk_path)]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert "terminal" in done.stderr
    assert not done.stdout


def test_a_clients_environment_runs_and_writes_nothing(desk_path: Path, tmp_path: Path) -> None:
    log = tmp_path / "log"
    environ = {"TEXTUAL_DRIVER": "nowhere:Evil", "TEXTUAL_LOG": str(log), "TEXTUAL_PRESS": "ctrl+q,y"}
    with Terminal(desk_command(desk_path), environ=environ) as screen:
        screen.see("Arlon")
        screen.read(0.5)
        assert screen.process.poll() is None
    assert not log.exists()


def test_a_defect_ends_in_a_sentence_without_what_was_on_the_screen(desk_path: Path, tmp_path: Path) -> None:
    program = tmp_path / "defect.py"
    program.write_text(
        "import sys\nfrom crisisdesk.ui.start import settle_environment\nsettle_environment()\n"
        "import crisisdesk.ui.app as app\n"
        "def broken(self):\n    secret = 'CANARY Dupont'\n    raise ValueError(secret)\n"
        "app.CrisisDeskApp.action_palette = broken\n"
        "from crisisdesk.cli.main import run\nsys.exit(run(sys.argv[1:]))\n"
    )
    with Terminal(desk_command(desk_path), program=[str(program)]) as screen:
        screen.see("Arlon")
        screen.type(b"\x1b[19~")
        assert screen.ended() == 70, screen.glass.text
        assert b"CANARY" not in screen.raw
        assert b"Traceback" not in screen.raw
        assert b"\x1b[?1049l" in screen.raw
    logs = list(tmp_path.rglob("*.log"))
    assert logs
    assert "CANARY" not in logs[0].read_text()
    assert "broken" in logs[0].read_text()


@pytest.mark.parametrize("size", [(20, 5), (1, 1), (300, 100)])
def test_any_size_of_window_is_survived(
    screen: Terminal, desk_store: Store, amelie: Agent, size: tuple[int, int]
) -> None:
    screen.type(F2 + b"063231111\t")
    screen.until(lambda: drafts(desk_store, amelie))
    screen.resize(*size)
    screen.type(b"Dupont\t")
    screen.until(lambda: "Dupont" in drafts(desk_store, amelie)[0].values())
    screen.resize(80, 24)
    screen.see("Dupont")
