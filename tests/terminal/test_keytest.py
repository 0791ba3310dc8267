"""`crisisdesk keys` at a real terminal: what arrives, what does not, and what is said about it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from terminal import Terminal

GOOD = {
    **{f"F{number}": f"\x1bO{'PQRS'[number - 1]}".encode() for number in range(1, 5)},
    **{f"F{number}": f"\x1b[{code}~".encode() for number, code in enumerate((15, 17, 18, 19, 20, 21, 23, 24), 5)},
    "Tab": b"\t", "Shift+Tab": b"\x1b[Z", "Enter": b"\r", "Esc": b"\x1b", "↑": b"\x1b[A", "↓": b"\x1b[B",
    "←": b"\x1b[D", "→": b"\x1b[C", "PgUp": b"\x1b[5~", "PgDn": b"\x1b[6~", "Del": b"\x1b[3~", "Backspace": b"\x7f",
    **{letter: letter.encode() for letter in "éàçù"},
    **{digit: sign.encode() for digit, sign in zip("1234567890", "&é\"'(§è!çà", strict=True)},
}  # fmt: skip
COMMAND = ["--lang", "en", "keys"]


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))


def press_all(screen: Terminal, keys: dict[str, bytes]) -> None:
    """Press each key when it is asked for: its name is the last word on the screen."""
    for name, sent in keys.items():
        screen.until(lambda name=name: screen.raw.decode().rstrip(" ").endswith(f" {name}"))  # type: ignore[misc]
        screen.type(sent)


def test_every_key_of_a_belgian_keyboard_arrives() -> None:
    with Terminal(COMMAND) as screen:
        press_all(screen, GOOD)
        assert screen.ended() == 0, screen.raw.decode()
        said = screen.raw.decode()
    assert f"All {len(GOOD)} keys" in said
    assert "xterm-256color" in said
    assert "✗" not in said


def test_what_does_not_arrive_is_named_with_what_to_change(tmp_path: Path) -> None:
    """A PuTTY in its SCO mode, a Latin-1 keyboard, an F10 that the window keeps."""
    with Terminal([*COMMAND, "--json"], environ={"TERM": "linux"}) as screen:
        keys = dict(list(GOOD.items())[:4])
        press_all(screen, keys)
        screen.until(lambda: screen.raw.decode().rstrip(" ").endswith(" F5"))
        screen.type(b"\x1b[Q")
        screen.until(lambda: screen.raw.decode().rstrip(" ").endswith("again: F5"))
        screen.type(b"\x1b[Q")
        screen.until(lambda: screen.raw.decode().rstrip(" ").endswith(" F6"))
        screen.type(b"  ")
        screen.until(lambda: screen.raw.decode().rstrip(" ").endswith(" F7"))
        screen.type(b"q")
        screen.type(b"q")
        assert screen.ended() == 1
        said = screen.raw.decode()
    told = json.loads(said[said.index("\n{") :])
    assert told["missing"] == ["f5", "f6"]
    assert [one["is_right"] for one in told["keys"]] == [True] * 4 + [False] * 2
    assert told["keys"][4]["sent"] == "1b 5b 51"
    assert (told["term"], told["colours"], told["basic"]) == ("linux", "16", True)
    assert "PuTTY" in told["advice"][0]


def test_waiting_goes_on_and_ctrl_c_ends_with_a_whole_terminal() -> None:
    with Terminal([*COMMAND, "--wait", "0.3"]) as screen:
        screen.until(lambda: "F3" in screen.raw.decode())
        screen.type(b"\x03")
        assert screen.ended() == 1
        assert "nothing" in screen.raw.decode()


def test_without_a_terminal_there_is_a_sentence_and_code_2() -> None:
    command = [sys.executable, "-m", "crisisdesk", *COMMAND]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert "terminal" in done.stderr
    assert "Traceback" not in done.stderr
