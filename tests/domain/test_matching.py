"""Names that sound alike, dates one slip apart, and what outweighs what."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crisisdesk.domain.matches import Reason
from crisisdesk.domain.matching import Candidate, MatchQuery, likely_same, near_dates, read_query, similarity, weigh
from crisisdesk.domain.namekeys import pair_sound, sound_key, words_of
from crisisdesk.domain.text import fold, fold_words
from crisisdesk.domain.words import Strength

TODAY = date(2022, 5, 31)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Lefevre", "Lefebvre"),
        ("D'Hondt", "Dhont"),
        ("Czajkowski", "Tchaikovski"),
        ("Dupont", "Dupond"),
        ("Schmit", "Schmidt"),
        ("Müller", "Mueller"),
        ("Jacquemin", "Jacqmin"),
        ("Philippe", "Filip"),
        ("Vandenbossche", "Vandenbosch"),
        ("Thiry", "Tiry"),
    ],
)
def test_spellings_of_one_sound(one: str, other: str) -> None:
    assert sound_key(fold(one)) == sound_key(fold(other)) != ""


@pytest.mark.parametrize(("one", "other"), [("Dupont", "Lambert"), ("Martin", "Simon"), ("Li", "Lu")])
def test_other_names_stay_other_names(one: str, other: str) -> None:
    assert similarity(fold(one), fold(other)) < 72


@given(st.text(min_size=1, max_size=30))
def test_a_name_is_found_by_each_of_its_words(name: str) -> None:
    words = words_of(name)
    assert {word for word in fold_words(name) if len(word) > 1} <= words
    assert not fold(name) or fold(name) in words


@given(st.dates(date(1920, 1, 1), TODAY))
def test_slips_go_both_ways_and_never_hold_the_date_itself(day: date) -> None:
    near = near_dates(day, TODAY)
    assert day not in near
    if day.day <= 12 and day.day != day.month and date(day.year, day.day, day.month) <= TODAY:
        assert date(day.year, day.day, day.month) in near


def person(last: str, first: str, born: date | None, *numbers: str, niss: str | None = None) -> Candidate:
    return Candidate(1, fold(last), fold(first), (*fold_words(last), *fold_words(first)), born, niss, "", numbers)


MARIE = person("Dupont", "Marie", date(1958, 3, 12), "+3263231111", niss="85073003328")


@pytest.mark.parametrize(
    ("query", "reasons"),
    [
        (MatchQuery(last_name="dupont"), {Reason.NAME}),
        (MatchQuery(last_name="dup"), {Reason.NAME_PART}),
        (MatchQuery(last_name="Dupond", first_name="Marie"), {Reason.NAME_LIKE, Reason.FIRST}),
        (MatchQuery(last_name="Marie", first_name="Dupont"), {Reason.NAME, Reason.FIRST, Reason.SWAPPED}),
        (MatchQuery(birth="12/3/58"), {Reason.BIRTH}),
        (MatchQuery(birth="03/12/1958"), {Reason.BIRTH_NEAR}),
        (MatchQuery(phone="063/23.11.11"), {Reason.PHONE}),
        (MatchQuery(phone="231111"), {Reason.PHONE_PART}),
        (MatchQuery(niss="85.07.30-033.28"), {Reason.NISS}),
        (MatchQuery(text="marie dupont 12/03/1958"), {Reason.NAME, Reason.FIRST, Reason.BIRTH}),
        (MatchQuery(phone="063231111", last_name="Lambert"), {Reason.PHONE, Reason.NAME_DIFFERS}),
    ],
)
def test_why(query: MatchQuery, reasons: set[Reason]) -> None:
    assert set(weigh(read_query(query, today=TODAY, region="BE"), MARIE).reasons) == reasons


def test_more_agreement_never_weighs_less() -> None:
    steps = (
        MatchQuery(last_name="Dupond"),
        MatchQuery(last_name="Dupont"),
        MatchQuery(last_name="Dupont", first_name="Marie"),
        MatchQuery(last_name="Dupont", first_name="Marie", birth="12/03/1958"),
        MatchQuery(last_name="Dupont", first_name="Marie", birth="12/03/1958", phone="063231111"),
    )
    points = [weigh(read_query(query, today=TODAY, region="BE"), MARIE).points for query in steps]
    assert points == sorted(points)
    assert len(set(points)) == len(points)


@pytest.mark.parametrize(
    ("shared", "one", "other", "strength"),
    [
        ({"niss"}, ("dupont", "marie", None, "1"), ("dupont", "marie", None, "1"), Strength.STRONG),
        (
            {"number", "birth"},
            ("dupond", "marie", "1958-03-12", None),
            ("dupont", "marie", "1958-03-12", None),
            Strength.STRONG,
        ),
        ({"number"}, ("dupont", "luc", None, None), ("dupont", "marie", None, None), None),
        ({"number"}, ("dupont", "marie", None, None), ("dupont", "marie", "1958-03-12", None), Strength.FAIR),
        ({"birth", "name"}, ("dupont", "marie", "1958-03-12", "1"), ("dupont", "marie", "1958-03-12", "2"), None),
        ({"name"}, ("dupont", "marie", "1950-01-01", None), ("dupont", "marie", "1958-03-12", None), None),
    ],
)
def test_two_signs_make_a_proposal_and_family_is_none(
    shared: set[str], one: tuple[str | None, ...], other: tuple[str | None, ...], strength: Strength | None
) -> None:
    assert likely_same(shared, one, other)[0] == strength


@given(
    st.sampled_from(["Dupont", "Müller", "Van den Bossche", "Lambert"]),
    st.sampled_from(["Marie", "Jean-Luc", "Claire"]),
)
def test_a_whole_name_has_one_sound_in_either_order(last: str, first: str) -> None:
    (pair,) = pair_sound(fold(last), fold(first))
    assert pair_sound(fold(first), fold(last)) == (pair,)
    assert pair in words_of(last, first)
    assert pair not in words_of(last) | words_of(first)


def test_half_a_name_without_a_sound_has_no_pair() -> None:
    assert pair_sound(fold("Dupont"), fold("Zoé")) == ()
    assert pair_sound(fold("Dupont")) == ()
