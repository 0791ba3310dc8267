"""What is typing and what is not, byte by byte, on a clock of the test's own."""

from collections.abc import Iterable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual import events

from crisisdesk.ui.inputgate import BURST_MOST, END, PASTE_MOST, START, Gate, Pasted, Piece, Refusal
from crisisdesk.ui.keyboard import Keyboard, Refused

LINE = b"063231111\tDupont\tMarie\r"


def through(gate: Gate, parts: Iterable[tuple[float, bytes]], until: float = 100.0) -> list[Piece]:
    """Pieces of parts that come at their seconds, with the gate asked in between, as the driver does."""
    pieces: list[Piece] = []
    now = 50.0
    for after, data in [*parts, (until, b"")]:
        end = now + after
        while (now + gate.wait()) < end and after < until:
            now += gate.wait()
            pieces += gate.take(b"", now)
        now = end
        pieces += gate.take(data, now)
    return pieces


def at_once(data: bytes, size: int = 4095) -> list[tuple[float, bytes]]:
    return [(0.0001, data[at : at + size]) for at in range(0, len(data), size)]


def keys_of(pieces: Sequence[Piece]) -> bytes:
    return b"".join(piece for piece in pieces if isinstance(piece, bytes))


@pytest.mark.parametrize(
    "key", [b"a", "é".encode(), "€".encode(), b"\t", b"\x1bOP", b"\x1b[20~", b"\x1b[[A", b"\x1b[Z"]
)
def test_a_key_passes_without_waiting(key: bytes) -> None:
    assert list(Gate().take(key, 50.0)) == [key]


@pytest.mark.parametrize("size", [len(LINE), 400, 4000])
def test_a_burst_of_a_form_is_typing(size: int) -> None:
    burst = (LINE * 200)[:size]
    assert through(Gate(), at_once(burst)) == [burst]


def test_a_file_is_refused_whole_and_once() -> None:
    assert through(Gate(), at_once(LINE * 200_000)) == [Refusal.BURST]


@pytest.mark.parametrize("size", [1, 7, 100, 4095])
def test_the_first_bytes_of_a_file_do_not_slip_through(size: int) -> None:
    pieces = through(Gate(), [(0.0, LINE[:2]), *at_once(LINE * 2000, size)])
    assert pieces == [Refusal.BURST]


def test_after_a_flood_keys_are_heard_again() -> None:
    gate = Gate()
    assert through(gate, at_once(LINE * 1000), until=0.0) == [Refusal.BURST]
    assert through(gate, [(1.0, LINE), (1.0, b"x")]) == [LINE, b"x"]


def test_a_slow_flood_is_found_out() -> None:
    pieces = through(Gate(), [(0.18, LINE * 60)] * 40)
    assert Refusal.BURST in pieces
    assert len(keys_of(pieces)) <= 2 * BURST_MOST


@pytest.mark.parametrize("size", [1, 3, 4095])
def test_a_marked_paste_comes_whole_however_it_is_cut(size: int) -> None:
    assert through(Gate(), at_once(START + b"\x1b[31mDu\rpont" + END, size)) == [Pasted(b"\x1b[31mDu\rpont")]


@pytest.mark.parametrize("size", [100, 4095])
def test_a_marked_file_is_refused_and_what_follows_is_heard(size: int) -> None:
    pieces = through(Gate(), [*at_once(START + LINE * 50_000 + END, size), (0.2, b"x")])
    assert pieces == [Refusal.PASTE, b"x"]


def test_a_text_that_holds_an_end_types_nothing() -> None:
    """The terminal's own end is the last one."""
    assert through(Gate(), at_once(START + b"x" + END + b"\x13y\r" + END)) == [Pasted(b"x" + END + b"\x13y\r")]
    late = through(Gate(), [(0.0, START + b"x" + END + b"\x13y"), (0.001, b"\r" + END)])
    assert keys_of(late) == b""


def test_a_paste_that_never_ends_is_given_up() -> None:
    assert through(Gate(), [(0.0, START + b"Dupont"), (1.5, LINE)]) == [Refusal.CUT, LINE]
    assert through(Gate(), [(0.0, START + b"Dupont"), (0.6, b"x"), (0.1, b"y")]) == [Refusal.CUT, b"x", b"y"]
    assert through(Gate(), [*at_once(START + LINE * 5000), (1.5, b"x")]) == [Refusal.PASTE, b"x"]


def test_the_late_end_of_a_paste_types_nothing() -> None:
    assert through(Gate(), [(0.0, START + b"Dupont"), (1.5, LINE + END), (0.1, b"x")]) == [Refusal.CUT, b"x"]


@given(st.lists(st.tuples(st.sampled_from([0.0, 0.005, 0.05, 0.6, 2.0]), st.binary(max_size=300)), max_size=30))
def test_nothing_is_held_for_ever(parts: list[tuple[float, bytes]]) -> None:
    gate = Gate()
    through(gate, parts)
    assert list(gate.take(b"x", 1_000_000.0)) == [b"x"]
    assert len(gate._held) <= PASTE_MOST


def pressed(data: bytes) -> list[str]:
    keyboard = Keyboard()
    messages = [*keyboard.take(data, 50.0), *keyboard.take(b"", 51.0), *keyboard.take(b"", 53.0)]
    return [one.key for one in messages if isinstance(one, events.Key)]


@pytest.mark.parametrize(("data", "keys"), [
    (b"\x1b1", ["f1"]), (b"\x1b0", ["f10"]), ("\x1bé".encode(), ["f2"]), (b"\x1b&", ["f1"]),
    (b"\x1b\x1b", ["escape", "escape"]),
    (b"\x1bab", ["escape", "a", "b"]), (b"x\x1b1", ["x", "escape", "1"]), (b"\x1b\t\t", ["escape", "tab", "tab"]),
])  # fmt: skip
def test_escape_before_another_key(data: bytes, keys: list[str]) -> None:
    assert pressed(data) == keys


def test_a_start_that_reaches_the_parser_does_not_deafen_it() -> None:
    keyboard = Keyboard()
    list(keyboard._feed("\x1b[200~" + "a" * 40))
    assert [one for one in keyboard._feed("b") if isinstance(one, events.Key)]


def test_a_refusal_is_no_paste_of_anything() -> None:
    refused = Refused(Refusal.BURST)
    assert refused.text == ""
    assert refused.words
