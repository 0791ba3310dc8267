"""Telephone numbers as people write them: several in a cell, with comments, with and without a country.

Certain is only what is valid *as written*, for the home country or with an explicit country prefix. What becomes valid
after trying a neighbour is a guess and stays one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

# Where people who live near a border have their numbers: tried in this order when a number is not valid at home.
NEIGHBOURS = {
    "BE": ("LU", "FR", "DE", "NL"),
    "LU": ("BE", "FR", "DE"),
    "FR": ("BE", "LU", "DE", "CH", "ES", "IT"),
    "NL": ("BE", "DE"),
    "DE": ("NL", "BE", "LU", "FR", "AT", "CH"),
}
# Digits that a number typed without its country must have to be believed as a guess (national prefix included).
_GUESS_SHAPE = {
    "LU": re.compile(r"6[2-9]1\d{6}|2[4-7]\d{6}"),
    "FR": re.compile(r"0[1-79]\d{8}|[67]\d{8}"),
    "NL": re.compile(r"0\d{9}"),
    "DE": re.compile(r"01[5-7]\d{8,9}"),
    "BE": re.compile(r"0?4[5-9]\d{7}|0[1-9]\d{7}"),
}
_COMMENT = re.compile(r"\((?=[^()]*[^\W\d_])[^()]*\)|\[[^\[\]]*\]")
_TIME = re.compile(
    r"\b(?:après|apres|avant|dès|des|na|voor|vanaf|nach|vor|ab|after|before)?\s*\d{1,2}\s*(?:h|u|uhr|heures?)\b\s*(?:\d{2}\b)?",
    re.I,
)
_EXTENSION = re.compile(r"\b(?:poste|ext|extension|bte|toestel|durchwahl|interne|int)\b\.?\s*:?\s*\d{1,5}", re.I)
_HARD = re.compile(r"(?<=\d)\s*\+(?=\s)|[;,\n\r|&]|[^\W\d_]+\.?\s*[:°]?|\s[-\u2013\u2014]\s(?=\s*\+)")
_STARTS = re.compile(r"(?<=\d)\s*[-/]?\s*(?=\+)|(?<=\d)\s*[-/]\s*(?=00[1-9])")
_PARTING = frozenset("/-\\\u2013\u2014")
_EDGES = " -/.\\\t\u2013\u2014"
_ODD_SEPARATORS = str.maketrans(dict.fromkeys("_'’·•*=:", " "))
_GROUP = re.compile(r"\d+")
_DIGITS = re.compile(r"\D+")
_FLOAT = re.compile(r"^\s*(\d{8,15})[.,]0+\s*$")  # a number cell that some program wrote with its decimals


@dataclass(frozen=True, slots=True)
class PhonesRead:
    """What one cell says: numbers in E.164, guesses in E.164, pieces that are no number, and comments beside them."""

    certain: tuple[str, ...] = ()
    guessed: tuple[str, ...] = ()
    unusable: tuple[str, ...] = ()
    comments: tuple[str, ...] = ()


def read_phones(text: str, region: str, neighbours: tuple[str, ...] = ()) -> PhonesRead:
    """Read every telephone number in ``text`` for the home country ``region`` (ISO 3166, "BE").

    ``neighbours`` are the countries tried, in order, for a number that is not valid as written. A cell with words or
    digits that make no number gives them in ``unusable``; an empty cell gives nothing at all.
    """
    text = _FLOAT.sub(r"\1", text)
    simple = _home_number(text, region)
    if simple is not None:
        return PhonesRead((simple,))
    return _read_cell(text, region, neighbours or NEIGHBOURS.get(region, ()))


@lru_cache(maxsize=8192)
def _read_cell(text: str, region: str, neighbours: tuple[str, ...]) -> PhonesRead:
    plain = "".join(str(int(c)) if c.isdecimal() and not c.isascii() else c for c in text)
    bare, comments = _without_comments(plain.translate(_ODD_SEPARATORS))
    certain: list[str] = []
    guessed: list[str] = []
    unusable: list[str] = []
    for piece in _pieces(bare):
        for number in _segment(piece, region):
            e164 = _certain(number, region)
            guess = None if e164 else _guess(number, region, neighbours)
            if e164:
                certain.append(e164)
            elif guess:
                guessed.append(guess)
            else:
                unusable.append(number.strip())
    if not (certain or guessed or unusable) and text.strip():
        unusable.append(text.strip())
    firm = _unique(certain)
    return PhonesRead(firm, _unique([g for g in guessed if g not in firm]), _unique(unusable), comments)


def _unique(values: list[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(values))


def _without_comments(text: str) -> tuple[str, tuple[str, ...]]:
    """Give the cell without its comments, and them ('(fille)', 'après 17h', 'poste 12'); a line break stands in
    between.
    """
    comments: list[str] = []

    def keep(match: re.Match[str]) -> str:
        comments.append(match.group().strip("()[] "))
        return "\n"

    for pattern in (_COMMENT, _EXTENSION, _TIME):
        text = pattern.sub(keep, text)
    return text, tuple(comment for comment in comments if comment)


def _pieces(text: str) -> Iterator[str]:
    """Cut at what never stands inside a number: words, commas, semicolons, line breaks, a new country prefix."""
    for piece in _HARD.split(text):
        for part in _STARTS.split(piece):
            if _GROUP.search(part):
                yield part


def _segment(piece: str, region: str) -> list[str]:
    """Cut a run of digits into numbers, each valid, at the clearest separators that it has; as it is where that fails.

    A cut that leaves nothing over comes first; a rest may only stand after a slash or a dash, never after a mere space.
    """
    if _certain(piece, region):
        return [piece]
    groups = list(_GROUP.finditer(piece))
    if not 1 < len(groups) <= 20:
        return [piece]
    gaps = [piece[one.end() : two.start()] for one, two in pairwise(groups)]
    for may_lose, is_parting in _WAYS_TO_CUT:
        starts = [0] + [two.start() for two, gap in zip(groups[1:], gaps, strict=True) if is_parting(gap)]
        cut = _best_cut(piece, starts, region, may_lose=may_lose) if len(starts) > 1 else None
        if cut:
            return cut
    return [piece]


def _is_spaced(gap: str) -> bool:
    return gap[:1].isspace() and gap[-1:] in " (+" and bool(set(gap) & _PARTING)


def _is_sign(gap: str) -> bool:
    return bool(set(gap) & _PARTING)


def _is_any(gap: str) -> bool:
    return bool(gap)


_WAYS_TO_CUT = (
    (False, _is_spaced), (False, _is_sign), (False, _is_any), (True, _is_spaced), (True, _is_sign),
)  # fmt: skip


def _best_cut(piece: str, starts: list[int], region: str, *, may_lose: bool) -> list[str] | None:
    """Find the cut at some of these places with the fewest digits left over, then the fewest numbers."""
    best: dict[int, tuple[int, int, list[str]]] = {len(starts): (0, 0, [])}
    for first in range(len(starts) - 1, -1, -1):
        for after in range(first + 1, len(starts) + 1):
            if after not in best:
                continue
            end = starts[after] if after < len(starts) else len(piece)
            number = piece[_with_sign(piece, starts[first]) : end].strip(_EDGES)
            valid = _is_whole(number, region) and _certain(number, region) is not None
            if not valid and not may_lose:
                continue
            lost, count, rest = best[after]
            candidate = (lost + (0 if valid else len(_DIGITS.sub("", number))), count + 1, [number, *rest])
            if first not in best or candidate[:2] < best[first][:2]:
                best[first] = candidate
    found = best.get(0)
    return found[2] if found and found[0] < len(_DIGITS.sub("", piece)) else None


def _is_whole(number: str, region: str) -> bool:
    """Tell whether a part of a cell begins as a number does; the rest of one that was cut never counts as a number."""
    digits = number.lstrip("(")
    return digits.startswith(("+", "0")) or _DIGITS.sub("", number).startswith(country_code(region)[1:])


def _with_sign(piece: str, start: int) -> int:
    while start and piece[start - 1] in "+(":
        start -= 1
    return start


@lru_cache(maxsize=32)
def _home_patterns(region: str) -> tuple[str, int, re.Pattern[str]] | None:
    """Give (national prefix, country code, fixed or mobile numbers) of a country without special prefix rules."""
    from phonenumbers import PhoneMetadata

    data = PhoneMetadata.metadata_for_region(region, None)
    if data is None or data.national_prefix is None or data.country_code is None or data.national_prefix_transform_rule:
        return None
    kinds = [
        kind.national_number_pattern for kind in (data.fixed_line, data.mobile) if kind and kind.national_number_pattern
    ]
    return data.national_prefix, data.country_code, re.compile("|".join(f"(?:{kind})" for kind in kinds))


def _home_number(text: str, region: str) -> str | None:
    """The strict fast path: digits and usual separators, no comment, valid at home (the library is four times
    slower).
    """
    patterns = _home_patterns(region)
    if patterns is None or len(text) > 24:
        return None
    prefix, code, numbers = patterns
    if text.isdigit():
        digits = text
    elif _DIGITS.sub("", text) and not set(text) - set("0123456789 ./-+()"):
        digits = _DIGITS.sub("", text)
        if text[0] == "+":
            digits = "00" + digits
        elif "+" in text or "(" in text[1:]:
            return None
    else:
        return None
    if digits.startswith(f"00{code}"):
        digits = digits[2 + len(str(code)) :].removeprefix(prefix)
    else:
        digits = digits.removeprefix(prefix)
    return f"+{code}{digits}" if numbers.fullmatch(digits) else None


@lru_cache(maxsize=65536)
def _certain(text: str, region: str) -> str | None:
    """Give the E.164 of a number that is valid as written, at home or with an explicit country prefix."""
    stripped = text.strip()
    fast = _home_number(stripped, region)
    if fast is not None:
        return fast
    if sum(character.isdigit() for character in stripped) > 17:
        return None
    return _library(stripped, region)


def _library(text: str, region: str) -> str | None:
    import phonenumbers

    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _guess(text: str, region: str, neighbours: tuple[str, ...]) -> str | None:
    """Give the E.164 that the number has in a neighbouring country, or with a plus sign that was left out."""
    digits = _DIGITS.sub("", text)
    if text.lstrip(" (").startswith(("+", "00")):
        return None
    for neighbour in neighbours:
        shape = _GUESS_SHAPE.get(neighbour)
        if shape is not None and not shape.fullmatch(digits):
            continue
        e164 = _library(digits, neighbour)
        if e164:
            return e164
    if len(digits) >= 11 and digits[0] != "0":
        return _library("+" + digits, region)
    return None


@lru_cache(maxsize=64)
def country_code(region: str) -> str:
    """Give the calling code of a country with its plus sign ("+32")."""
    import phonenumbers

    return f"+{phonenumbers.country_code_for_region(region)}"


def is_home(e164: str, region: str) -> bool:
    """Tell whether a number belongs to the home country."""
    return e164.startswith(country_code(region))


def group_phone(e164: str, home_region: str) -> str:
    """Group a number as people read it aloud: "063 23 11 11" at home, "+352 621 123 456" elsewhere."""
    import phonenumbers

    try:
        number = phonenumbers.parse(e164, home_region)
    except phonenumbers.NumberParseException:
        return e164
    at_home = phonenumbers.region_code_for_country_code(number.country_code or 0) == home_region
    style = phonenumbers.PhoneNumberFormat.NATIONAL if at_home else phonenumbers.PhoneNumberFormat.INTERNATIONAL
    return phonenumbers.format_number(number, style)


def suffix_key(e164: str) -> str:
    """Give the digits in reverse, so that the end of a number, which is what people remember, is found by prefix."""
    return _DIGITS.sub("", e164)[::-1]
