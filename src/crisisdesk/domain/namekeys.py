"""The keys under which a person is found: whole names, words in any order, and what names sound like.

The same functions fill the index (one patient or a whole list) and read what is typed, so that both sides agree.
"""

import re
from collections.abc import Iterable
from functools import lru_cache

from crisisdesk.domain.text import fold, fold_words

SOUND_MARK = "~"
"""First character of a sound key among the words of a patient; no folded word has it."""

# One sound, many spellings, over French, Dutch, German, Luxembourgish and Slavic names; longest first.
_SOUNDS = (
    ("ssch", "s"), ("schtsch", "x"), ("tsch", "x"), ("tch", "x"), ("tsj", "x"),
    ("dsch", "x"), ("cz", "x"), ("sch", "x"), ("sz", "x"),
    ("sh", "x"), ("ch", "x"), ("tj", "x"), ("dj", "x"), ("ph", "f"), ("th", "t"), ("dt", "t"),
    ("ck", "k"), ("qu", "k"), ("gh", "k"),
    ("bv", "v"), ("gn", "n"), ("ll", "l"), ("ij", "i"), ("aj", "a"), ("ej", "e"), ("oj", "o"),
    ("uj", "u"), ("gue", "ke"), ("gui", "ki"),
    ("ge", "je"), ("gi", "ji"), ("ce", "se"), ("ci", "si"), ("cy", "sy"),
)  # fmt: skip
_CLASSES = str.maketrans({
    "b": "p", "d": "t", "g": "k", "c": "k", "q": "k", "w": "f", "v": "f", "z": "s", "m": "n", "h": "",
})  # fmt: skip
_VOWELS = re.compile(r"[aeiouy]+")
_DOUBLES = re.compile(r"(.)\1+")
_MIN_SOUND = 2


def name_keys(last_name: str, first_name: str, full_name: str = "") -> tuple[str, str]:
    """Give (name_key, first_key) of a patient; a name that could not be split counts as a last name."""
    return fold(last_name or full_name), fold(first_name)


@lru_cache(maxsize=65536)
def sound_key(word: str) -> str:
    """Give what a folded word sounds like: consonant classes, vowels only in front ("czajkowski": "xkfsk").

    Empty where too little is left to tell names apart.
    """
    text = word.removesuffix("e")
    text = text[:-3] + "s" if text.endswith("sch") else text  # Dutch: Vandenbosch, Vandenbossche
    for spelling, sound in _SOUNDS:
        text = text.replace(spelling, sound)
    text = text.translate(_CLASSES)
    head = "a" if _VOWELS.match(text) else ""
    text = head + _VOWELS.sub("", text)
    text = _DOUBLES.sub(r"\1", text)
    return text if len(text) >= _MIN_SOUND else ""


def words_of(*names: str) -> frozenset[str]:
    """Give the rows of the word index for a patient's names: folded words, names run together, and their sounds."""
    words: set[str] = set()
    for name in names:
        parts = fold_words(name)
        words.update(word for word in parts if len(word) > 1)
        words.update("".join(parts[place:]) for place in range(len(parts)))  # with and without its particles
    return frozenset({*words, *sounds_of(words), *pair_sound(*map(fold, names[:2]))})


def pair_sound(last_key: str = "", first_key: str = "") -> tuple[str, ...]:
    """Give the one key of what a whole name sounds like, in either order; none where a half has no sound.

    A common name alone leads to thousands; both together lead to a few, in one step.
    """
    sounds = sorted((sound_key(last_key), sound_key(first_key)))
    return (SOUND_MARK + SOUND_MARK.join(sounds),) if all(sounds) else ()


def sounds_of(words: Iterable[str]) -> frozenset[str]:
    """Give the sound keys of folded words, marked."""
    return frozenset(SOUND_MARK + sound for word in words if (sound := sound_key(word)))
