"""Foreign text: cleaned for the store, inert for the eye, folded for the search."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crisisdesk.domain.text import clean, fold, inert_text, is_placeholder, looks_like_formula, spreadsheet_safe


@pytest.mark.parametrize(
    ("raw", "kept", "controls", "invisibles"),
    [
        ("\x1b]0;liste\x07NOIRET", "NOIRET", True, False),
        ("Beno\u00eet\x1b[2J\x1b[H", "Benoît", True, False),
        ("MA\u00adILLET", "MAILLET", False, True),
        ("Flo\ufeffrent", "Florent", False, True),
        ("\u202aMa\u202cria", "Maria", False, True),
        ("Zoe\u0301", "Zoé", False, False),
        ("  Van\u00a0 den   Bos ", "Van den Bos", False, False),
        ("a\r\nb", "a b", False, False),
        ("sonnette \x07", "sonnette", True, False),
    ],
)
def test_clean(raw: str, kept: str, controls: bool, invisibles: bool) -> None:
    cleaned = clean(raw)
    assert (cleaned.text, cleaned.had_controls, cleaned.had_invisibles) == (kept, controls, invisibles)


def test_clean_keeps_the_lines_of_a_remark() -> None:
    assert clean("à jeun\r\n  diabétique ", keep_lines=True).text == "à jeun\ndiabétique"


@given(st.text())
def test_cleaning_twice_is_cleaning_once(text: str) -> None:
    once = clean(text).text
    assert clean(once).text == once
    assert not any(unicodedata.category(character) == "Cc" for character in once)


@given(st.text())
def test_inert_text_holds_nothing_that_acts(text: str) -> None:
    shown = inert_text(text)
    assert not any(unicodedata.category(character) in {"Cc", "Cf", "Cs"} for character in shown)


@pytest.mark.parametrize(
    ("one", "other"),
    [("Van den Bossche", "VANDENBOSSCHE"), ("D'Hondt", "d\u2019hondt"), ("Łuczak", "luczak"), ("Strauß", "STRAUSS")],
)
def test_fold_brings_spellings_together(one: str, other: str) -> None:
    assert fold(one) == fold(other)


@pytest.mark.parametrize("text", ["?", "/", "n.c.", "-", "N.C."])
def test_placeholders(text: str) -> None:
    assert is_placeholder(text)


@pytest.mark.parametrize(
    ("text", "runs"),
    [("=1+1", True), ("@cmd", True), ("+32 63 23 11 11 (fils)", False), ("-1+1X", True), ("- PMR", False)],
)
def test_formulas(text: str, runs: bool) -> None:
    assert looks_like_formula(text) is runs


def test_an_export_guards_what_a_spreadsheet_would_run() -> None:
    assert spreadsheet_safe("=1+1") == "'=1+1"
    assert spreadsheet_safe("PTG") == "PTG"
