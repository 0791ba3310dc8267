"""Who is who across lists: one patient where the evidence is strong, a proposal where it is fair, apart where it is
weak.

Strong: the same valid national number with names that agree, or name, birth date and a telephone together. Two valid
national numbers that differ mean two people, whatever else agrees (twins, father and son). Families share a telephone.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date

from crisisdesk.domain.names import family_names, is_same_first, likeness
from crisisdesk.domain.text import fold, fold_words
from crisisdesk.domain.words import Strength

SAME, CLOSE, LIKE = 0.97, 0.9, 0.75
MOST_CANDIDATES = 60  # one telephone or name that stands for more people than this tells nothing
_ORDER = {Strength.CERTAIN: 3, Strength.STRONG: 2, Strength.FAIR: 1, Strength.WEAK: 0}

# Why, as codes; the words are the screen's (see WHY in desk/importing/wording).
NISS, NAME, NAME_CLOSE, BIRTH, BIRTH_CLOSE, PHONE, EARLIER = (
    "same_niss", "same_name", "close_name", "same_birth_date", "close_birth_date", "same_phone", "same_item_earlier",
)  # fmt: skip


@dataclass(eq=False)  # two persons of whom the same is known are two
class Person:
    """What is known of one person: gathered over the rows of a list, or read from the desk (``patient_id``)."""

    names: list[tuple[str, str]] = field(default_factory=list)
    births: set[date] = field(default_factory=set)
    nisses: set[str] = field(default_factory=set)
    phones: set[str] = field(default_factory=set)
    patient_id: int | None = None
    is_provisional: bool = False
    number: int = 0
    """Its place among the persons of an import, from 1; 0 for a patient of the desk that no row means."""
    stands_for: Person | None = None

    def root(self) -> Person:
        """The person that this one turned out to be."""
        return self.stands_for.root() if self.stands_for else self

    def take_in(self, other: Person) -> None:
        """Learn what another record of the same person tells."""
        self.names += [name for name in other.names if name not in self.names]
        self.births |= other.births
        self.nisses |= other.nisses
        self.phones |= other.phones


@dataclass(frozen=True, slots=True)
class Judgement:
    """How sure it is that two persons are one, and why (codes)."""

    strength: Strength
    why: tuple[str, ...]
    alike: float = 1.0


@dataclass(frozen=True, slots=True)
class Proposal:
    """Two persons that somebody should look at."""

    one: Person
    other: Person
    judgement: Judgement


def judge(one: Person, other: Person) -> Judgement | None:
    """Weigh two persons; None where they are left apart."""
    if one.nisses and other.nisses:
        if not one.nisses & other.nisses:
            return None
        return _with_one_niss(one, other)
    alike, is_first_sure = _alike(one, other)
    if alike < LIKE:
        return None
    has_phone = bool(one.phones & other.phones)
    born_alike, born_close, is_unknown = _births(one.births, other.births)
    if has_phone and not (born_alike or born_close):
        born_close = any(
            a.year == b.year and (a.month == b.month or a.day == b.day) for a in one.births for b in other.births
        )
    why = [NAME if alike >= SAME else NAME_CLOSE]
    why += [BIRTH] if born_alike else [BIRTH_CLOSE] if born_close else []
    why += [PHONE] if has_phone else []
    strength = _strength(alike, born_alike, born_close, is_unknown, has_phone, bool(one.phones and other.phones))
    if strength is Strength.STRONG and not is_first_sure:
        strength = Strength.FAIR
    return Judgement(strength, tuple(why), alike) if strength else None


def _strength(
    alike: float, born_alike: bool, born_close: bool, is_unknown: bool, has_phone: bool, both_have_phones: bool
) -> Strength | None:
    if alike >= CLOSE:
        if born_alike:
            return Strength.STRONG if has_phone else Strength.FAIR
        if has_phone and (is_unknown or born_close):
            return Strength.FAIR
        return Strength.FAIR if alike >= SAME and born_close and not both_have_phones else None
    return Strength.FAIR if alike >= 0.8 and born_alike and has_phone else None


def _with_one_niss(one: Person, other: Person) -> Judgement:
    alike, _is_sure = _alike(one, other)
    born_alike, _, _ = _births(one.births, other.births)
    if alike >= LIKE:
        return Judgement(Strength.CERTAIN, (NISS, NAME if alike >= SAME else NAME_CLOSE), alike)
    return Judgement(Strength.FAIR, (NISS, BIRTH) if born_alike else (NISS,))


def _alike(one: Person, other: Person) -> tuple[float, bool]:
    """How alike the names are, and whether the first names are the same beyond a slip."""
    best = (0.0, False)
    for mine in one.names:
        for theirs in other.names:
            best = max(best, (likeness(*mine, *theirs), is_same_first(mine[1], theirs[1])))
    return best


def _births(ones: set[date], others: set[date]) -> tuple[bool, bool, bool]:
    """(the same, within a slip of the fingers, unknown for at least one)."""
    if not ones or not others:
        return False, False, True
    if ones & others:
        return True, False, False
    return False, any(is_slip(a, b) for a in ones for b in others), False


def is_slip(a: date, b: date) -> bool:
    """Tell whether two birth dates are one typed wrong: a digit, two parts swapped, a century. Not a generation
    apart.
    """
    if ((a.month, a.day) == (b.day, b.month) and a.year == b.year) or abs((a - b).days) <= 1:
        return True
    same = (a.year == b.year, a.month == b.month, a.day == b.day)
    if sum(same) != 2:
        return False
    if same[1] and same[2]:
        years = abs(a.year - b.year)
        return years in {1, 2, 10, 100} or sorted(f"{a.year}") == sorted(f"{b.year}")
    x, y = (f"{a.month:02d}", f"{b.month:02d}") if same[2] else (f"{a.day:02d}", f"{b.day:02d}")
    return x == y[::-1] or sum(p != q for p, q in zip(x, y, strict=True)) == 1


def keys_of(person: Person) -> set[str]:
    """Give the keys under which a person may be the same as another: number, telephones, birth date, name."""
    keys = {f"n{niss}" for niss in person.nisses} | {f"p{number}" for number in person.phones}
    for last, first in person.names:
        initial = fold_words(first)[:1]
        start = initial[0][:1] if initial else ""
        keys |= {f"k{name}{start}" for name in family_names(last)}
        keys |= {f"b{birth}{fold(last)[:1]}" for birth in person.births}
        keys |= {f"b{birth}{fold(first)[:1]}" for birth in person.births if first}
    return keys


class Gathering:
    """Sorts the rows of an import into persons, patients of the desk included; finds whom to propose."""

    def __init__(self, known: Iterable[Person] = ()) -> None:
        self.persons: list[Person] = []
        self.proposals: list[Proposal] = []
        self._by_key: defaultdict[str, list[Person]] = defaultdict(list)
        self._known: dict[int, Person] = {}
        for person in known:
            self.add_known(person)

    def add_known(self, person: Person) -> Person:
        """Add a patient of the desk."""
        if person.patient_id is not None:
            self._known[person.patient_id] = person
        self._index(person)
        return person

    def known(self, patient_id: int) -> Person | None:
        """The patient of the desk with an id, if he was added."""
        return self._known.get(patient_id)

    def _index(self, person: Person) -> None:
        for key in keys_of(person):
            if person not in self._by_key[key]:
                self._by_key[key].append(person)

    def place(self, row: Person) -> tuple[Person, Judgement | None]:
        """Give the person that a row means (a new one where none is strong enough) and why."""
        judged = self._candidates(row)
        strong = sorted(
            ((person, found) for person, found in judged if self._may_link(person, found)),
            key=lambda pair: _rank(pair[1]), reverse=True,
        )  # fmt: skip
        if strong and not self._is_torn(strong):
            chosen, why = strong[0]
            self.join(chosen, row)
            for person, _found in strong[1:]:
                self._unite(chosen, person)
            self._propose_others(chosen, [pair for pair in judged if pair[0] is not chosen])
            return chosen, why
        new = self._number(row)
        self._propose_others(new, judged)
        self._index(new)
        return new, None

    @staticmethod
    def _is_torn(strong: Sequence[tuple[Person, Judgement]]) -> bool:
        """Two persons who are certainly not one fit a row equally well: nobody can say which of them is meant."""
        (best, why), *others = strong
        return any(_rank(found) == _rank(why) and judge(best, person) is None for person, found in others)

    def _unite(self, chosen: Person, other: Person) -> None:
        """A row that surely means two persons made one after the other from lists makes them one."""
        if other.patient_id is not None and chosen.patient_id is not None:
            return
        found = judge(chosen, other)
        if found is None or found.strength not in {Strength.CERTAIN, Strength.STRONG}:
            return
        if other.patient_id is not None:
            chosen.patient_id = other.patient_id
        chosen.take_in(other)
        other.stands_for = chosen
        self._index(chosen)

    def join(self, chosen: Person, row: Person) -> Person:
        """Put a row with a person: the item is known to be his."""
        if not chosen.number:
            self._number(chosen)
        chosen.take_in(row)
        self._index(chosen)
        return chosen

    def _number(self, person: Person) -> Person:
        self.persons.append(person)
        person.number = len(self.persons)
        return person

    def _candidates(self, row: Person) -> list[tuple[Person, Judgement]]:
        seen: dict[int, Person] = {}
        for key in keys_of(row):
            found = self._by_key.get(key, ())
            if len(found) <= MOST_CANDIDATES:
                for person in found:
                    root = person.root() if person.stands_for else person
                    seen[id(root)] = root
        judged = [(person, judge(row, person)) for person in seen.values()]
        return [(person, found) for person, found in judged if found is not None]

    @staticmethod
    def _may_link(person: Person, found: Judgement) -> bool:
        """A provisional patient was made from what a caller said: that match is confirmed by a person."""
        return not person.is_provisional and found.strength in {Strength.CERTAIN, Strength.STRONG}

    def _propose_others(self, person: Person, judged: Sequence[tuple[Person, Judgement]]) -> None:
        self.proposals += [Proposal(person, other, found) for other, found in judged]

    def settled_proposals(self) -> list[Proposal]:
        """The proposals that still stand when everything is known: the best one of each pair, none against a NISS."""
        best: dict[tuple[int, int], Proposal] = {}
        for proposal in self.proposals:
            one, other = proposal.one.root(), proposal.other.root()
            if one is other:
                continue
            found = judge(one, other)
            if found is None:
                continue
            pair = (min(id(one), id(other)), max(id(one), id(other)))
            if pair not in best or _rank(found) > _rank(best[pair].judgement):
                best[pair] = Proposal(one, other, found)
        return list(best.values())


def _rank(found: Judgement) -> tuple[int, float, int]:
    return _ORDER[found.strength], round(found.alike, 2), len(found.why)
