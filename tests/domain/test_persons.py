"""Names told apart, people linked, proposed and left apart."""

from datetime import date

import pytest

from crisisdesk.domain.names import likeness, split_name
from crisisdesk.domain.persons import Gathering, Person, judge
from crisisdesk.domain.words import Strength

BORN, OTHER_DAY = date(1958, 3, 12), date(1988, 3, 12)
NISS, OTHER_NISS = "58031204459", "58031204558"
PHONE = "+32451223344"


@pytest.mark.parametrize(
    ("text", "last", "first", "guess"),
    [
        ("NOIRET Marie", "NOIRET", "Marie", False), ("Marie NOIRET", "NOIRET", "Marie", False),
        ("Noiret, Marie", "Noiret", "Marie", False),
        ("van der LINDEN Mathéo Paul", "van der LINDEN", "Mathéo Paul", False),
        ("NOIRET EP. COLLARD Anne", "NOIRET EP. COLLARD", "Anne", False),
        ("NOIRET SERGE PAUL", "NOIRET", "SERGE PAUL", True),
        ("Noiret Serge", "Noiret", "Serge", True), ("VAN DEN BERG", "VAN DEN BERG", "", False),
        ("NOIRET", "NOIRET", "", False),
        ("'T KINDT Koen", "'T KINDT", "Koen", False), ("McDONALD Ian", "McDONALD", "Ian", False),
    ],
)  # fmt: skip
def test_merged_names(text: str, last: str, first: str, guess: bool) -> None:
    split = split_name(text)
    assert (split.last, split.first, split.is_guess) == (last, first, guess)


@pytest.mark.parametrize(
    ("one", "other", "low", "high"),
    [
        (("NOIRET", "Marie"), ("Noiret", "MARIE"), 1, 1), (("NOIRET", "Marie"), ("NORIET", "Marie"), 0.9, 0.99),
        (("NOIRET", "Anne"), ("Noiret ép. Collard", "Anne"), 0.9, 1), (("HUBIN", "J.-C."),
        ("Hubin", "Jean-Claude"), 0.9, 1),
        (("?UCZAK", "Anna"), ("Łuczak", "Anna"), 0.9, 1), (("[bold]NOIRET", "Anna"), ("NOIRET", "Anna"), 0.97, 1),
        (("NOIRET", "Léa"), ("NOIRET", "Luc"), 0, 0.75), (("NOIRET", "Jean"), ("LAMBERT", "Jean"), 0, 0.75),
    ],
)  # fmt: skip
def test_likeness(one: tuple[str, str], other: tuple[str, str], low: float, high: float) -> None:
    assert low <= likeness(*one, *other) <= high


def person(name: tuple[str, str], born: date | None = None, niss: str = "", phone: str = "") -> Person:
    return Person([name], {born} if born else set(), {niss} if niss else set(), {phone} if phone else set())


@pytest.mark.parametrize(
    ("one", "other", "strength"),
    [
        (person(("NOIRET", "Marie"), BORN, NISS), person(("Noiret", "Marie"), None, NISS), Strength.CERTAIN),
        (person(("NOIRET", "Marie"), BORN, "", PHONE), person(("Noiret", "Marie"), BORN, NISS, PHONE), Strength.STRONG),
        (person(("NOIRET", "Marie"), BORN), person(("NOIRET", "Marie"), BORN, NISS), Strength.FAIR),
        (person(("NOIRET", "Marie"), None, "", PHONE), person(("NOIRET", "Marie"), BORN, "", PHONE), Strength.FAIR),
        (person(("NOIRET", "Marie"), BORN, NISS, PHONE), person(("NOIRET", "Marie"), BORN, OTHER_NISS, PHONE), None),
        (person(("NOIRET", "Jean"), BORN, "", PHONE), person(("NOIRET", "Jean"), OTHER_DAY, "", PHONE), None),
        (person(("NOIRET", "Marie")), person(("NOIRET", "Marie")), None),
        (person(("NOIRET", "Mathis"), BORN, "", PHONE), person(("NOIRET", "Mathias"), BORN, "", PHONE), Strength.FAIR),
    ],
    ids=["niss", "name birth phone", "name birth", "name phone", "two niss", "father and son", "name only", "twins"],
)
def test_judging(one: Person, other: Person, strength: Strength | None) -> None:
    found = judge(one, other)
    assert (found.strength if found else None) is strength
    back = judge(other, one)
    assert (back.strength if back else None) is strength


def test_a_row_that_means_two_persons_makes_them_one() -> None:
    gathering = Gathering()
    first, _why = gathering.place(person(("NOIRET", "Marie"), None, NISS))
    second, _why = gathering.place(person(("NOIRET", "Marie"), BORN, "", PHONE))
    assert first is not second
    gathering.place(person(("NOIRET", "Marie"), BORN, NISS, PHONE))
    assert first.root() is second.root()


def test_a_patient_made_from_a_call_is_only_proposed() -> None:
    called = person(("NOIRET", "Marie"), BORN, "", PHONE)
    called.patient_id, called.is_provisional = 7, True
    gathering = Gathering([called])
    listed, why = gathering.place(person(("NOIRET", "Marie"), BORN, "", PHONE))
    assert listed is not called
    assert why is None
    assert [proposal.other for proposal in gathering.settled_proposals()] == [called]
