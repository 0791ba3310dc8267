"""Text that came from outside: made clean for the store, inert for the eye, folded for the search.

Three different needs, three functions. ``clean`` decides what is *stored* and tells what it took away; ``inert_text``
decides what is *shown* and leaves a visible mark; ``fold`` gives the key under which a name is *found*.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import NamedTuple

MARK = "\N{REPLACEMENT CHARACTER}"

# A terminal escape sequence: OSC/DCS/APC/PM/SOS up to their terminator, CSI with its parameters, or ESC and one
# character.
_ESCAPE = re.compile(
    r"\x1b[\]PX^_][^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)"
    r"|(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"
    r"|\x1b[ -/]*[0-~]?"
)
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f]")
# Zero-width, bidirectional and other format characters, and letters that draw nothing (fillers, grapheme joiner, tags).
_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufeff\uffa0"
    "\ufff9-\ufffb\U000e0000-\U000e007f]"
)
_SPACES = re.compile(r"[^\S\n]+")
_LINES = re.compile(r" *\n[\s]*")
_BREAKS = re.compile("\r\n?|[\x0b\x0c\x85\u2028\u2029]")
_NOT_PLAIN = re.compile(r"[^\x20-\x7e\u00a1-\u00ac\u00ae-\u02ff]")
# A sign before a number is a telephone more often than a sum: only a sum or a function counts there.
_FORMULA = re.compile(r"[\"' ]*(?:[=@\t\r]|[+-](?:\d*[+*/-]\d|[A-Za-z]+\(|\())")
_NAME_SPLITTERS = re.compile(r"[\s'\u2019\u02bc`\u00b4\-\u2010-\u2015.,_/]+")
_PLACEHOLDERS = frozenset([
    "?", "??", "???", "/", "//", "-", "--", "---", ".", "..", "...", "*", "x", "xx", "xxx", "n.c.", "nc", "n.c",
    "n/a", "na", "n.a.", "n.a", "none", "null", "nil", "néant", "neant", "nihil", "nvt", "n.v.t.", "k.a.", "_",
    "\u2013", "\u2014", "#n/a", "#ref!", "#valeur!", "#value!", "(vide)", "(leeg)", "[vide]",
])  # fmt: skip


class Cleaned(NamedTuple):
    """Text as it is stored, and whether something that no eye could see was taken out of it."""

    text: str
    had_controls: bool = False
    had_invisibles: bool = False


def clean(text: str, *, keep_lines: bool = False) -> Cleaned:
    """Give ``text`` as NFC with one space between words, without escape sequences, control or invisible characters.

    ``keep_lines`` keeps line breaks (as ``\\n``), for remarks. Nothing else is changed: case, apostrophes, markup and
    formulas stay as written.
    """
    is_plain = (text.isascii() and text.isprintable()) or not _NOT_PLAIN.search(text)
    if is_plain and "  " not in text:
        return Cleaned(text.strip(" "))
    without = _ESCAPE.sub("", text)
    without = _CONTROL.sub("", without)
    had_controls = len(without) != len(text)
    visible = _INVISIBLE.sub("", without)
    lines = _BREAKS.sub("\n", visible)
    spaced = _LINES.sub("\n", _SPACES.sub(" ", lines)).strip()
    flat = spaced if keep_lines else spaced.replace("\n", " ")
    return Cleaned(unicodedata.normalize("NFC", flat), had_controls, len(visible) != len(without))


def inert_text(text: str, *, keep_lines: bool = False, width: int | None = None) -> str:
    """Give ``text`` so that no terminal acts on it: each control, bidi or zero-width character becomes a visible mark.

    Line breaks become one space unless ``keep_lines``; tabs always do. ``width`` cuts after so many characters, with an
    ellipsis, so that a cell of a megabyte cannot freeze a screen.
    """
    if width is not None and len(text) > width:
        text = text[: max(0, width - 1)] + "\N{HORIZONTAL ELLIPSIS}"
    if not _NOT_PLAIN.search(text):
        return text
    lines = _BREAKS.sub("\n", text)
    marked = _INVISIBLE.sub(MARK, _CONTROL.sub(MARK, lines.replace("\t", " ")))
    marked = "".join(MARK if _is_unsafe(character) else character for character in marked)
    return marked if keep_lines else marked.replace("\n", " ")


def _is_unsafe(character: str) -> bool:
    return ord(character) > 0x2FF and unicodedata.category(character) in {"Cc", "Cf", "Cs", "Co", "Cn"}


@lru_cache(maxsize=65536)
def fold(text: str) -> str:
    """Give the search key of a name: ASCII, lower case, without spaces, apostrophes, hyphens or accents.

    ``Van den Bossche``, ``VANDENBOSSCHE`` and ``van den  bossche`` share one key; so do ``D'Hondt`` and
    ``d\u2019hondt``.
    Letters outside Latin are transliterated.
    """
    return "".join(fold_words(text))


@lru_cache(maxsize=65536)
def fold_words(text: str) -> tuple[str, ...]:
    """Give the words of ``text``, each folded as ``fold`` does; hyphens and apostrophes separate words."""
    plain = text if text.isascii() else _ascii(text)
    return tuple(word for word in (_letters(part) for part in _NAME_SPLITTERS.split(plain)) if word)


def _ascii(text: str) -> str:
    from anyascii import anyascii

    decomposed = unicodedata.normalize("NFKD", text.replace("\N{DEGREE SIGN}", ""))
    bare = "".join(character for character in decomposed if not unicodedata.combining(character))
    return bare if bare.isascii() else anyascii(bare)


def _letters(word: str) -> str:
    return "".join(character for character in word.casefold() if character.isalnum())


def is_placeholder(text: str) -> bool:
    """Tell whether a cell says "nothing here" with a sign or a word instead of being empty ('?', '/', 'n.c.')."""
    return text.casefold().strip() in _PLACEHOLDERS


def looks_like_formula(text: str) -> bool:
    """Tell whether a spreadsheet would run ``text`` (OWASP: a first character of ``= + - @`` tab or return)."""
    return _FORMULA.match(text) is not None


def looks_like_markup(text: str) -> bool:
    """Tell whether a terminal library would read part of ``text`` as markup (``[red]``, ``[/]``, ``[@click=...]``)."""
    return (
        "[" in text and re.search(r"\[/?[a-z@#][^\[\]]*\]|\[/\]|\[(?:bold|red|link)", text, re.IGNORECASE) is not None
    )


def spreadsheet_safe(text: str) -> str:
    """Guard a cell of an export: an apostrophe before what a spreadsheet would run. The stored value stays as it is."""
    return "'" + text if text[:1] in "=+-@\t\r\n" and text else text
