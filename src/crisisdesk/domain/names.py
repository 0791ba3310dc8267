"""Names of people as lists write them: titles, merged columns, married names, and how alike two names are.

A name is never refused. What cannot be told apart for certain is told apart as well as can be, and said to be a guess.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from crisisdesk.domain.text import fold, fold_words

_TITLE = re.compile(
    r"^(?:m(?:me|mes|lle|r|rs|s|iss|onsieur|adame|ademoiselle|evr|evrouw|w)\.?"
    r"|m\.|mej\.?|enf(?:ant|\.)?|b(?:b|éb)é\.?|dhr\.?|de heer|"
    r"hr\.|herr|frau|fr\.|kind|baby|juffr\.?|sr\.|sra\.)\s+(?=\S)",
    re.IGNORECASE,
)
# What stands between the name at birth and the name by marriage.
_MARRIED = re.compile(
    r"[\s(,/-]+(?:ép(?:\.|ouse)?|ep(?:\.|ouse)?|vve|veuve|née?|nee|geb\.?|geborene?|geboren|verh\.?|echtg(?:\.|enote)?|e\.?v\.|wed\.?|wwe\.?|born)\s+",
    re.IGNORECASE,
)
_MARRIED_WORDS = frozenset(
    [
        "ép", "ép.", "épouse", "ep", "ep.", "epouse", "vve", "veuve", "né", "née", "nee", "geb", "geb.",
        "geborene", "verh.", "echtg.", "e.v.", "ev", "wed.", "dit", "dite",
    ]
)  # fmt: skip
_PARTICLES = frozenset(
    [
        "de", "la", "le", "les", "l'", "d'", "du", "des", "van", "den", "der", "dem", "het", "'t", "ter", "ten",
        "te", "von", "vom", "zu", "zum", "zur", "del", "della", "dello", "di", "da", "dos", "das", "do", "el",
        "al", "ben", "bin", "ibn", "mac", "mc", "vande", "vanden", "vander", "op", "in", "'n", "y", "e", "san",
        "saint", "st", "st.", "sainte", "ste", "ste.", "o'", "abu", "ait", "bou", "ould",
    ]
)  # fmt: skip
_MARKUP = re.compile(r"\[[^\[\]]*\]")
_DRESSED = re.compile(r"[\[=@\"]|^[+-]")
_QUOTED = re.compile(r'"([^"\[\]=/]*[^\W\d_][^"\[\]=/]*)"')
_LOSSY = re.compile(r"\?(?=[^\W\d_])|(?<=[^\W\d_])\?(?=\s|$|[^\W\d_])")


@dataclass(frozen=True, slots=True)
class NameSplit:
    """A merged name told apart; ``is_guess`` where the writing does not tell which part is which."""

    last: str
    first: str
    is_guess: bool


def drop_title(text: str) -> tuple[str, bool]:
    """Take 'Mme', 'M.', 'Enfant', 'Herr' ... from the front of a name; a name that is only that stays."""
    match = _TITLE.match(text) or re.match(r"M(?=\s+[^\W\d_]{2,})\s+", text)
    return (text[match.end() :], True) if match else (text, False)


def is_lossy(text: str) -> bool:
    """Tell whether a '?' stands where an old system could not write a letter."""
    return "?" in text and _LOSSY.search(text) is not None


def split_name(text: str, *, first_comes_first: bool = False) -> NameSplit:
    """Tell family and first names apart in one cell.

    Certain with a comma ("RASKIN, Dario") or where only the family name is in capitals ("van der LINDEN Mathéo",
    "Mathéo van der LINDEN"). Otherwise by the order that the header says (``first_comes_first``), as a guess.
    """
    if "," in text:
        last, _, first = (part.strip() for part in text.partition(","))
        if last and first:
            return NameSplit(last, first, False)
    words = text.replace(",", " ").split()
    if len(words) < 2 or _is_family_alone(words):
        return NameSplit(" ".join(words) or text.strip(" ,"), "", False)
    return _by_capitals(words) or _by_order(words, first_comes_first)


def _is_family_alone(words: list[str]) -> bool:
    """Tell whether the words are particles and one name ("VAN DEN BERG"), or a name and the married one ("X ép. Y")."""
    marks = [word.strip("()").casefold() for word in words]
    core = [mark for mark in marks if mark not in _PARTICLES and mark not in _MARRIED_WORDS]
    is_married = len(core) == 2 and any(mark in _MARRIED_WORDS for mark in marks[1:-1])
    return (len(core) == 1 and marks[-1] == core[0]) or (is_married and marks[-1] == core[1] and marks[0] != core[1])


def _by_capitals(words: list[str]) -> NameSplit | None:
    marks = [_case(word) for word in words]
    if "U" not in marks or "m" not in marks:
        return None
    head = _family_run(marks)
    if 0 < head < len(words) and "U" not in marks[head:]:
        return NameSplit(" ".join(words[:head]), " ".join(words[head:]), False)
    tail = len(words) - _family_run(marks[::-1])
    while 0 < tail < len(words) and marks[tail - 1] == "p":
        tail -= 1
    if 0 < tail < len(words) and "U" not in marks[:tail]:
        return NameSplit(" ".join(words[tail:]), " ".join(words[:tail]), False)
    return None


def _family_run(marks: list[str]) -> int:
    """Count the words in front that are capitals or particles between them; particles alone are no family name."""
    run = 0
    while run < len(marks) and marks[run] in "Up":
        run += 1
    return run if "U" in marks[:run] else 0


def _case(word: str) -> str:
    """Give U for a word in capitals, p for a particle in small letters, m for anything else."""
    bare = _MARKUP.sub("", word).strip("()").replace("ß", "SS")
    letters = [character for character in bare if character.isalpha()]
    if bare.casefold() in _PARTICLES and bare.islower():
        return "p"
    if bare.casefold() in _MARRIED_WORDS:
        return "p" if bare.islower() else "U"
    if bare.casefold() in _PARTICLES and bare.isupper() and len(bare) > 1:
        return "U"
    if re.match(r"(?:Mc|Mac|Fitz|De|Di|Du|La|Le|Van|O')[A-Z]{2,}$", bare):
        return "U"
    if len(letters) >= 2 and not any(character.islower() for character in letters) and "." not in bare[1:2]:
        return "U"
    return "m"


def _by_order(words: list[str], first_comes_first: bool) -> NameSplit:
    if first_comes_first:
        cut = len(words) - 1
        while cut > 1 and words[cut - 1].casefold() in _PARTICLES:
            cut -= 1
        return NameSplit(" ".join(words[cut:]), " ".join(words[:cut]), True)
    cut = _order_cut(words)
    return NameSplit(" ".join(words[:cut]), " ".join(words[cut:]), True)


def _order_cut(words: list[str]) -> int:
    cut = 0
    while cut < len(words) - 2 and words[cut].casefold() in _PARTICLES:
        cut += 1
    cut += 1
    while cut < len(words) - 2 and words[cut].casefold() in _MARRIED_WORDS:
        cut += 2
    return min(cut, len(words) - 1)


@lru_cache(maxsize=65536)
def family_names(last: str) -> tuple[str, ...]:
    """Give the folded family names in a cell: the whole, and each of 'X ép. Y' or 'X-Y' alone."""
    parts = [part for part in _MARRIED.split(last) if part]
    names = [fold(part) for part in parts]
    for part in parts:
        if "-" in part:
            names += [fold(piece) for piece in part.split("-")]
    return tuple(dict.fromkeys(name for name in [*names, fold(last)] if len(name) > 1)) or (fold(last),)


def likeness(last: str, first: str, other_last: str, other_first: str) -> float:
    """Tell how alike two persons' names are, from 0 to 1 (1: the same but for case, accents and signs).

    Knows married names, initials ('J.-C.'), second first names, a family name without its second half, letters lost
    as '?',
    and names in the wrong column.
    """
    if not (last + first + other_last + other_first).isalnum():
        last, first, other_last, other_first = map(_bare, (last, first, other_last, other_first))
    straight = min(_family_likeness(last, other_last), _first_likeness(first, other_first))
    if straight >= 0.85 or not (first and other_first):
        return straight
    crossed = min(_family_likeness(last, other_first), _family_likeness(first, other_last))
    return max(straight, crossed - 0.03)


@lru_cache(maxsize=65536)
def _bare(name: str) -> str:
    """Give a name without markup and formulas around it; they are kept as text and tell nothing of the person."""
    if not _DRESSED.search(name):
        return name
    quoted = _QUOTED.findall(name)
    bare = quoted[-1] if name.startswith(("=", "+", "@", "-")) and quoted else _MARKUP.sub("", name)
    return re.sub(r"^[^\w?]*(?:[\d+*/-]*\d)?", "", bare) or name


@lru_cache(maxsize=65536)
def _family_likeness(one: str, two: str) -> float:
    if fold(one) == fold(two):
        return 1.0
    best = 0.0
    for a in family_names(one):
        for b in family_names(two):
            best = max(best, _close(a, b) - (0.02 if a != fold(one) or b != fold(two) else 0.0))
    return max(best, _lossy_likeness(one, two))


def is_same_first(first: str, other: str) -> bool:
    """Tell whether two first names are one beyond a slip: twins are often told apart by one letter."""
    return _first_likeness(first, other) >= 0.95


@lru_cache(maxsize=65536)
def _first_likeness(one: str, two: str) -> float:
    if not one and not two:
        return 0.95
    if not one or not two:
        return 0.8  # an absent first name neither helps nor harms
    a, b = fold_words(one), fold_words(two)
    if a == b or "".join(a) == "".join(b):
        return 1.0
    if not a or not b:
        return 0.8
    if _are_initials(one, a) or _are_initials(two, b):
        short, long = (a, b) if _are_initials(one, a) else (b, a)
        return 0.9 if all(x[0] == y[0] for x, y in zip(short, long, strict=False)) else 0.0
    if a[0] == b[0]:
        return 0.97 if len(a) == 1 or len(b) == 1 else 0.88  # 'Jean' and 'Jean Paul'; not 'Jean-Luc' and 'Jean-Marc'
    return max(_close("".join(a), "".join(b)), _close(a[0], b[0]) - 0.02, _lossy_likeness(one, two))


def _are_initials(text: str, words: tuple[str, ...]) -> bool:
    return bool(words) and all(len(word) == 1 for word in words)


@lru_cache(maxsize=65536)
def _close(a: str, b: str) -> float:
    """Compare two folded words: one slip of the fingers in a word of four letters or more is 0.9 or more."""
    if a == b:
        return 1.0
    if not a or not b:
        return 0.0
    from rapidfuzz.distance import DamerauLevenshtein, JaroWinkler

    slips = DamerauLevenshtein.distance(a, b, score_cutoff=2)
    shorter = min(len(a), len(b))
    if slips == 1 and shorter >= 4:
        return 0.94
    if slips == 2 and shorter >= 8:
        return 0.9
    return min(0.89, float(JaroWinkler.similarity(a, b)))


def _lossy_likeness(one: str, two: str) -> float:
    """Compare where one of the two holds '?' for letters that a system could not write."""
    for lossy, whole in ((one, two), (two, one)):
        if not is_lossy(lossy):
            continue
        pattern = "".join(".{0,2}" if character == "?" else re.escape(character) for character in _loose(lossy))
        if re.fullmatch(pattern, _loose(whole).replace("?", "")):
            return 0.95
    return 0.0


def _loose(text: str) -> str:
    return "".join("?" if character == "?" else fold(character) for character in text)
