"""Who may be meant: reads what was typed so far and weighs candidates against it; finding them is the store's."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache

from crisisdesk.domain.callref import ReferenceRead, read_reference
from crisisdesk.domain.dates import read_typed_date
from crisisdesk.domain.matches import Reason
from crisisdesk.domain.namekeys import sound_key
from crisisdesk.domain.phone import country_code, read_phones
from crisisdesk.domain.text import fold, fold_words
from crisisdesk.domain.words import Strength

_DIGITS = re.compile(r"\D+")
_DATE_SHAPE = re.compile(r"\d{1,2}[/.\-]\d{1,2}[/.\-]\d{2,4}|\d{8}|\d{4}-\d{2}-\d{2}")
_TOKEN = re.compile(r"\S+")
MIN_NAME, MIN_PHONE, MIN_NISS = 2, 4, 6
"""Fewer characters than this find too many to be of use."""

POINTS = {
    Reason.NISS: 100, Reason.NISS_PART: 45, Reason.CALL: 90, Reason.RECORD: 80, Reason.PHONE: 45, Reason.PHONE_PART: 28,
    Reason.NAME: 36, Reason.NAME_PART: 28, Reason.NAME_LIKE: 22, Reason.SWAPPED: -3,
    Reason.FIRST: 22, Reason.FIRST_PART: 17, Reason.FIRST_LIKE: 12, Reason.BIRTH: 42, Reason.BIRTH_NEAR: 22,
    Reason.NAME_DIFFERS: -32, Reason.FIRST_DIFFERS: -14, Reason.BIRTH_DIFFERS: -24, Reason.NISS_DIFFERS: -40,
}  # fmt: skip
LIKE = 72.0
"""Similarity (0 to 100) from which two names count as one misheard."""


@dataclass(frozen=True, slots=True)
class MatchQuery:
    """What has been typed so far, field by field; ``text`` is anything in any order. Every field may be partial."""

    phone: str = ""
    last_name: str = ""
    first_name: str = ""
    birth: str = ""
    niss: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A query as keys. Empty strings and tuples where nothing usable was typed."""

    numbers: tuple[str, ...] = ()
    """Whole numbers, E.164."""
    suffix: str = ""
    """Last digits, reversed."""
    prefix: str = ""
    """First digits, as E.164 begins."""
    last_key: str = ""
    first_key: str = ""
    words: tuple[str, ...] = ()
    """All folded words of the names, longest first."""
    birth_on: date | None = None
    birth_near: tuple[date, ...] = ()
    niss: str = ""
    record: str = ""
    reference: ReferenceRead | None = None

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to search with."""
        return not (self.suffix or self.words or self.birth_on or self.niss or self.record or self.reference)

    @property
    def has_person(self) -> bool:
        """Whether something beyond the number tells who is meant."""
        return bool(self.words or self.birth_on or self.niss)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A patient that one of the keys led to."""

    patient_id: int
    name_key: str
    first_key: str
    names: tuple[str, ...]
    birth_on: date | None
    niss: str | None
    record_number: str
    numbers: tuple[str, ...] = ()
    by: frozenset[Reason] = frozenset()
    """Reasons that only the store can know (the reference of a call)."""


@dataclass
class Score:
    """Points and reasons of one candidate."""

    points: float = 0.0
    reasons: list[Reason] = field(default_factory=list)

    def add(self, reason: Reason, share: float = 1.0) -> None:
        """Count a reason, in full or in part."""
        self.points += POINTS[reason] * share
        self.reasons.append(reason)


def read_query(query: MatchQuery, *, today: date, region: str) -> Wanted:
    """Turn what was typed into keys. ``region`` is the home country of numbers without a prefix."""
    query, reference, record = _sorted_text(query, today)
    numbers, suffix, prefix = _phone_keys(query.phone, region)
    last, first = fold(query.last_name), fold(query.first_name)
    words = {word for name in (query.last_name, query.first_name) for word in fold_words(name)}
    words = {word for word in words if len(word) >= MIN_NAME} or {key for key in (last, first) if key}
    birth = read_typed_date(query.birth, today) if len(query.birth.strip()) >= 6 else None
    birth = birth if birth and birth <= today else None
    niss = _DIGITS.sub("", query.niss)
    return Wanted(
        numbers=numbers,
        suffix=suffix,
        prefix=prefix,
        last_key=last if len(last) >= MIN_NAME else "",
        first_key=first if len(first) >= MIN_NAME else "",
        words=tuple(sorted((word for word in words if len(word) >= MIN_NAME), key=lambda word: (-len(word), word))),
        birth_on=birth,
        birth_near=near_dates(birth, today) if birth else (),
        niss=niss if len(niss) >= MIN_NISS else "",
        record=record,
        reference=reference,
    )


def _sorted_text(query: MatchQuery, today: date) -> tuple[MatchQuery, ReferenceRead | None, str]:
    """Put the words of the free field into the fields that they look like; fields that were typed win."""
    text = query.text.strip()
    if not text:
        return query, None, ""
    reference = read_reference(text)
    names: list[str] = []
    digits: list[str] = []
    birth = ""
    for token in _TOKEN.findall(text):
        if _DATE_SHAPE.fullmatch(token) and read_typed_date(token, today):
            birth = token
        elif any(character.isdigit() for character in token) or token[0] in "+(":
            digits.append(token)
        else:
            names.append(token)
    run = " ".join(digits)
    count = len(_DIGITS.sub("", run))
    sorted_query = MatchQuery(
        phone=query.phone or run,
        last_name=query.last_name or " ".join(names),
        first_name=query.first_name,
        birth=query.birth or birth,
        niss=query.niss or (run if (count == 11 and not run.startswith(("0", "+"))) or count == 11 else ""),
    )
    record = "".join(digits) if len(digits) == 1 and not names and count >= MIN_PHONE else ""
    return sorted_query, reference if reference and reference.number else None, record


def _phone_keys(text: str, region: str) -> tuple[tuple[str, ...], str, str]:
    digits = _DIGITS.sub("", text)
    if len(digits) < MIN_PHONE:
        return (), "", ""
    read = read_phones(text, region)
    numbers = read.certain + read.guessed
    if numbers:
        return numbers, _DIGITS.sub("", numbers[0])[::-1], ""
    if text.lstrip().startswith("+") or digits.startswith("00"):
        prefix = "+" + digits.removeprefix("00")
    elif digits.startswith("0"):
        prefix = country_code(region) + digits[1:]
    else:
        prefix = ""
    return (), digits[::-1], prefix


def near_dates(day: date, today: date) -> tuple[date, ...]:
    """Dates that one slip away from ``day`` was meant: day and month swapped, two digits swapped, one digit wrong by
    one, another decade or century."""
    text = f"{day.day:02d}{day.month:02d}{day.year:04d}"
    texts = {text[2:4] + text[:2] + text[4:]}
    texts |= {text[:i] + text[i + 1] + text[i] + text[i + 2 :] for i in (0, 2, 4, 5, 6)}
    for place in (0, 1, 2, 3, 6, 7):
        texts |= {text[:place] + str((int(text[place]) + step) % 10) + text[place + 1 :] for step in (1, 9)}
    texts |= {f"{text[:4]}{day.year + step:04d}" for step in (-100, -10, 10, 100)}
    found = {made for made in map(_date_of, texts) if made and date(1900, 1, 1) <= made <= today}
    return tuple(sorted(found - {day}))


def _date_of(text: str) -> date | None:
    try:
        return date(int(text[4:]), int(text[2:4]), int(text[:2]))
    except ValueError:
        return None


def weigh(wanted: Wanted, candidate: Candidate) -> Score:
    """Add up what agrees and what disagrees. Below zero the candidate is somebody else."""
    score = Score()
    for reason in candidate.by:
        score.add(reason)
    _weigh_numbers(wanted, candidate, score)
    _weigh_names(wanted, candidate, score)
    if wanted.birth_on and candidate.birth_on:
        if wanted.birth_on == candidate.birth_on:
            score.add(Reason.BIRTH)
        else:
            score.add(Reason.BIRTH_NEAR if candidate.birth_on in wanted.birth_near else Reason.BIRTH_DIFFERS)
    return score


def _weigh_numbers(wanted: Wanted, candidate: Candidate, score: Score) -> None:
    if wanted.niss and candidate.niss:
        if candidate.niss == wanted.niss:
            score.add(Reason.NISS)
        elif len(wanted.niss) < 11 and candidate.niss.startswith(wanted.niss):
            score.add(Reason.NISS_PART)
        elif len(wanted.niss) == 11:
            score.add(Reason.NISS_DIFFERS)
    if wanted.record and candidate.record_number == wanted.record:
        score.add(Reason.RECORD)
    if any(number in wanted.numbers for number in candidate.numbers):
        score.add(Reason.PHONE)
    elif any(_ends_or_begins(number, wanted) for number in candidate.numbers):
        score.add(Reason.PHONE_PART, min(1.0, len(wanted.suffix) / 6))


def _ends_or_begins(number: str, wanted: Wanted) -> bool:
    tail = bool(wanted.suffix) and not wanted.numbers and number.endswith(wanted.suffix[::-1])
    return tail or bool(wanted.prefix and number.startswith(wanted.prefix))


def _weigh_names(wanted: Wanted, candidate: Candidate, score: Score) -> None:
    if not wanted.words:
        return
    if not wanted.first_key:
        _weigh_loose(wanted, candidate, score)
        return
    if not wanted.last_key:
        _one(wanted.first_key, candidate.first_key, candidate.names, score, _FIRST)
        return
    straight, swapped = Score(), Score()
    _one(wanted.last_key, candidate.name_key, candidate.names, straight, _LAST)
    _one(wanted.first_key, candidate.first_key, candidate.names, straight, _FIRST)
    _one(wanted.last_key, candidate.first_key, (), swapped, _FIRST)
    _one(wanted.first_key, candidate.name_key, (), swapped, _LAST)
    swapped.add(Reason.SWAPPED)
    best = straight if straight.points >= swapped.points else swapped
    score.points += best.points
    score.reasons += best.reasons


_LAST = (Reason.NAME, Reason.NAME_PART, Reason.NAME_LIKE, Reason.NAME_DIFFERS)
_FIRST = (Reason.FIRST, Reason.FIRST_PART, Reason.FIRST_LIKE, Reason.FIRST_DIFFERS)


def _one(typed: str, key: str, others: tuple[str, ...], score: Score, kinds: tuple[Reason, ...]) -> None:
    """One typed name against one name of the candidate, or a word of it ('Bossche' for 'Van den Bossche')."""
    same, part, like, differs = kinds
    if not key and not others:
        return
    if typed == key:
        score.add(same)
    elif key.startswith(typed) or (typed.startswith(key) and len(key) > MIN_NAME) or typed in others:
        score.add(part, 1.0 if typed not in others else 0.95)
    elif (share := similarity(typed, key)) >= LIKE:
        score.add(like, share / 100)
    else:
        score.add(differs)


def _weigh_loose(wanted: Wanted, candidate: Candidate, score: Score) -> None:
    """Names typed into one field, in any order: each typed word against its best word of the candidate."""
    whole = candidate.name_key + candidate.first_key
    if wanted.last_key in {candidate.name_key, whole, candidate.first_key + candidate.name_key}:
        score.add(Reason.NAME)
        if wanted.last_key != candidate.name_key:
            score.add(Reason.FIRST)
        return
    shares = [_best_share(word, candidate.names) for word in wanted.words]
    if min(shares, default=0.0) < LIKE / 100 and (joined := similarity(wanted.last_key, candidate.name_key)) >= LIKE:
        score.add(Reason.NAME_LIKE, joined / 100)
    elif min(shares, default=0.0) >= 0.9:
        score.add(Reason.NAME_PART, sum(shares) / len(shares) + 0.5 * (len(shares) - 1))
    elif min(shares, default=0.0) >= LIKE / 100:
        score.add(Reason.NAME_LIKE, sum(shares) / len(shares) + 0.5 * (len(shares) - 1))
    else:
        score.add(Reason.NAME_DIFFERS)


def _best_share(typed: str, names: tuple[str, ...]) -> float:
    """How well a typed word fits the best of some names, 0 to 1; likeness is asked only where no name begins so."""
    if typed in names:
        return 1.0
    if any(name.startswith(typed) for name in names):
        return 0.92
    return max((similarity(typed, name) for name in names), default=0.0) / 100 * 0.95


@lru_cache(maxsize=32768)
def similarity(typed: str, name: str) -> float:
    """How alike two folded names are, 0 to 100; a typed beginning is held against the beginning of the name."""
    from rapidfuzz import fuzz

    if not typed or not name:
        return 0.0
    share = fuzz.ratio(typed, name)
    if len(typed) < len(name):
        share = max(share, fuzz.ratio(typed, name[: len(typed)]) - 6)
    sound = sound_key(typed)
    return max(share, 84.0) if sound and sound == sound_key(name) and typed[:1] and len(sound) > 2 else share


def likely_same(
    shared: set[str], one: Sequence[str | None], other: Sequence[str | None]
) -> tuple[Strength | None, str]:
    """How likely a caller's own account and a line of a list are one person, and why; (None, "") where they are not.

    Args:
        shared: what both have ("number", "birth", "niss", "name").
        one, other: name_key, first_key, birth date (ISO) and national number of each.
    """
    last = similarity(one[0] or "", other[0] or "")
    first = similarity(one[1] or "", other[1] or "")
    swapped = min(similarity(one[0] or "", other[1] or ""), similarity(one[1] or "", other[0] or ""))
    alike = max(min(last, first), swapped) >= LIKE or (last >= 90 and not (one[1] and other[1]))
    if one[3] and other[3] and one[3] != other[3]:
        return None, ""
    why = " + ".join(sorted(shared | ({"name alike"} if alike and "name" not in shared else set())))
    if "niss" in shared:
        return (Strength.STRONG if alike else Strength.FAIR), why
    if not alike:
        return None, ""
    born_apart = bool(one[2] and other[2] and one[2] != other[2])
    if "birth" in shared and "number" in shared:
        return Strength.STRONG, why
    if "birth" in shared or ("number" in shared and not born_apart):
        return Strength.FAIR, why
    return (None, "") if born_apart or "name" not in shared else (Strength.WEAK, why)
