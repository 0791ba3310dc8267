"""Every kind of terminal gets signs, sequences and looks that it knows, and sends keys that arrive."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from crisisdesk.store.engine import Store
from terminal import Terminal
from waiting import World

OLD = ("linux", "vt220", "vt100")
SIXTEEN = ("screen", "xterm", "putty")
MANY = ("screen-256color", "tmux-256color", "putty-256color")
F1, F2, F3, F7 = b"\x1b[11~", b"\x1b[12~", b"\x1b[13~", b"\x1b[18~"
SEQUENCE = re.compile(r"\x1b\[([<=>?]?)([0-9;]*)([ -/]*)([@-~])")
PRIVATE_MODES = {"1049", "25", "1004", "2004", "7"}
"""Modes that are set; a terminal that does not know one ignores it."""
PLAIN_LOOKS = {"0", "1", "4", "7"}


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("COLORTERM", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def desk(desk_path: Path, desk_store: Store) -> Path:
    """A desk with somebody to ring whose name has letters that old terminals lack."""
    world = World(desk_store, datetime.now(UTC), agents=("amelie", "bruno", "sylvie"))
    for name in ("LŒUVRE-ÈRE", "Dvořák"):
        callback_id = world.callback(released=True, priority="P1a")
        with desk_store.write() as connection:
            patient_id = connection.exec_driver_sql(
                "SELECT patient_id FROM callback WHERE id = ?", (callback_id,)
            ).scalar_one()
            connection.exec_driver_sql("UPDATE patient SET last_name = ? WHERE id = ?", (name, patient_id))
    return desk_path


def walk(desk: Path, term: str, **environ: str) -> Terminal:
    """Home, call form, help, queue, a callback, in French; the terminal has ended."""
    command = ["--desk", str(desk), "--agent", "amelie", "--lang", "fr", "desk"]
    with Terminal(command, environ={"TERM": term, **environ}) as screen:
        screen.see("Arlon")
        screen.type(F2)
        screen.see("Messagerie")
        screen.type(b"\xc3\x89l\xc3\xa9onore\t")
        screen.see("l" + "é" + "onore")
        screen.type(F1)
        screen.see("Aide")
        screen.type(F3)
        screen.see("Messagerie")
        screen.type(F7)
        screen.see("Arlon")
        screen.read(0.5)
        screen.type(b"\x1b[B")
        screen.read(0.3)
        screen.type(b"o")
        screen.see("en lecture")
        screen.read(0.5)
        screen.type(b"\x11")
        screen.see("[o]")
        screen.type(b"o")
        assert screen.ended() == 0
    return screen


def looks_of(text: str) -> Iterator[str]:
    """Every number of every SGR sequence; those of many colours as one: "38;5"."""
    for private, numbers, between, final in SEQUENCE.findall(text):
        if final == "m" and not private and not between:
            yield from re.findall(r"[34]8;[25]|\d+", numbers)


def check_sequences(text: str) -> None:
    rest = SEQUENCE.sub("", text)
    assert "\x1b" not in rest, repr(rest[max(0, rest.find("\x1b") - 20) :][:60])
    for private, numbers, between, final in SEQUENCE.findall(text):
        if private:
            assert (private, between) == ("?", ""), (private, numbers, between, final)
            assert final in "hl", (private, numbers, final)
            assert numbers in PRIVATE_MODES, numbers
        else:
            assert final in "mHCJ", (numbers, final)


@pytest.mark.parametrize("term", OLD)
def test_an_old_terminal_gets_only_what_it_knows(desk: Path, term: str) -> None:
    screen = walk(desk, term)
    text = screen.raw.decode()
    assert SEQUENCE.sub("", text).replace("\r", "").replace("\n", "").encode("cp437")
    assert "œ" not in text
    check_sequences(text)
    colours = {look for look in looks_of(text) if look not in PLAIN_LOOKS}
    if term == "linux":
        assert colours <= {*(str(number) for number in (*range(30, 38), *range(40, 48))), "39", "49"}
        assert colours
    else:
        assert not colours
    assert "7" in set(looks_of(text))
    assert not screen.glass.text.strip()  # no patient stays on the glass


@pytest.mark.parametrize("term", [*SIXTEEN, *MANY])
def test_colours_are_as_many_as_the_terminal_has(desk: Path, term: str) -> None:
    text = walk(desk, term, COLORTERM="" if term == "xterm" else "truecolor").raw.decode()
    looks = set(looks_of(text))
    assert not looks & {"38;2", "48;2"}
    assert bool(looks & {"38;5", "48;5"}) is (term in MANY)
    assert "⚠" in text or "▌" in text


@pytest.mark.parametrize("environ", [{"NO_COLOR": "1"}, {"CRISISDESK_NO_COLOR": "1"}])
def test_no_color_is_none_and_the_looks_say_it(desk: Path, environ: dict[str, str]) -> None:
    text = walk(desk, "xterm-256color", **environ).raw.decode()
    assert set(looks_of(text)) <= {"0", "1", "2", "3", "4", "7", "9"}
    assert {"1", "4", "7"} <= set(looks_of(text))


def test_basic_is_a_flag_and_a_setting(desk: Path) -> None:
    for flags, environ in ((["--basic", "--no-color"], {}), ([], {"CRISISDESK_BASIC": "1", "NO_COLOR": "1"})):
        command = ["--desk", str(desk), "--agent", "amelie", "--lang", "fr", *flags, "desk"]
        with Terminal(command, environ={"TERM": "xterm-256color", **environ}) as screen:
            screen.see("Arlon")
            screen.type(F2)
            screen.see("Messagerie")
            text = screen.raw.decode()
            assert SEQUENCE.sub("", text).replace("\r", "").replace("\n", "").encode("cp437")
            assert set(looks_of(text)) <= PLAIN_LOOKS


# ---------------------------------------------------------------- keys
def numbered(*codes: str) -> list[bytes]:
    return [f"\x1b[{code}~".encode() for code in codes]


UPPER = numbered("15", "17", "18", "19", "20", "21", "23", "24")
PROGRAM_KEYS = [b"\x1bOP", b"\x1bOQ", b"\x1bOR", b"\x1bOS"]
KEYBOARDS = {
    "xterm, tmux, screen": PROGRAM_KEYS + UPPER,
    "PuTTY as it comes, rxvt": numbered("11", "12", "13", "14") + UPPER,
    "Linux console, PuTTY's Linux": [b"\x1b[[A", b"\x1b[[B", b"\x1b[[C", b"\x1b[[D", b"\x1b[[E", *UPPER[1:]],
    "vt220, F1 to F4 on its upper row": PROGRAM_KEYS + UPPER,
    "Esc and a digit": [b"\x1b" + digit for digit in (b"1", b"2", b"3", b"4", b"5", b"6", b"7", b"8", b"9", b"0")],
}


@pytest.mark.parametrize("name", KEYBOARDS)
def test_function_keys_arrive_in_the_application(desk: Path, tmp_path: Path, name: str) -> None:
    """Each is pressed in the real application, which notes the names that its key pump gets."""
    log = tmp_path / "keys"
    program = tmp_path / "noting.py"
    program.write_text(
        "import sys\nfrom crisisdesk.ui.start import settle_environment\nsettle_environment()\n"
        "import crisisdesk.ui.keypump as pump\n"
        f"pump.KeyPump.typed = lambda self, event: open({str(log)!r}, 'a').write(event.key + ' ')\n"
        "from crisisdesk.cli.main import run\nsys.exit(run(sys.argv[1:]))\n"
    )
    command = ["--desk", str(desk), "--agent", "amelie", "--lang", "fr", "desk"]
    with Terminal(command, program=[str(program)]) as screen:
        screen.see("Arlon")
        for keys in KEYBOARDS[name]:
            screen.type(keys)
            screen.read(0.15)
        expected = [f"f{number}" for number in range(1, len(KEYBOARDS[name]) + 1)]
        screen.until(lambda: log.exists() and len(log.read_text().split()) >= len(expected))
        assert log.read_text().split() == expected
