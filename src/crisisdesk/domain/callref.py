"""The reference of a call: short, speakable, with a letter that shows when a digit was misheard.

``0412-K``: the running number, then a letter for its remainder modulo 17. Seventeen is prime and ten has order 16
modulo it, so that every wrong digit and every pair of swapped neighbours shows; the seventeen letters leave out
those that are
taken for another (B, D, N, Q) or for a digit or each other in handwriting (I, O, U, W, Y).
"""

import re
from dataclasses import dataclass

LETTERS = "ACEFGHJKLMPRSTVXZ"
_TYPED = re.compile(r"(?:n[°o]?\.?\s*)?(\d{1,12})\s*[-./ ]?\s*([a-z])?", re.I)


@dataclass(frozen=True, slots=True)
class ReferenceRead:
    """A reference as somebody said it.

    ``fits`` is None where no letter was given. Where it is False, ``near`` holds the references that one slip explains:
    the same digits with their own letter first, then one wrong digit or two swapped ones with the letter as given.
    """

    number: int
    fits: bool | None
    near: tuple[str, ...] = ()


def make_reference(number: int) -> str:
    """Give the reference of the call with this running number (from 1)."""
    return f"{number:04d}-{LETTERS[number % len(LETTERS)]}"


def read_reference(text: str) -> ReferenceRead | None:
    """Read "0412-K", "412k", "n° 412 K"; None where it has not the shape of a reference."""
    match = _TYPED.fullmatch(text.strip())
    if not match or int(match[1]) == 0:
        return None
    number, letter = int(match[1]), (match[2] or "").upper()
    if not letter:
        return ReferenceRead(number, None)
    if LETTERS[number % len(LETTERS)] == letter:
        return ReferenceRead(number, True)
    slips = [slip for slip in _slips(match[1].zfill(4)) if LETTERS[slip % len(LETTERS)] == letter]
    return ReferenceRead(number, False, tuple(make_reference(near) for near in dict.fromkeys([number, *slips])))


def _slips(digits: str) -> list[int]:
    """Numbers that differ by one swap of neighbours or by one digit, swaps first: they are the commonest."""
    swaps = [digits[:i] + digits[i + 1] + digits[i] + digits[i + 2 :] for i in range(len(digits) - 1)]
    wrong = [digits[:i] + other + digits[i + 1 :] for i in range(len(digits)) for other in "0123456789"]
    return [int(text) for text in (*swaps, *wrong) if text != digits and int(text) > 0]
