"""Telephones as people write them. The numbers belong to nobody as far as known."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crisisdesk.domain.phone import group_phone, read_phones, suffix_key

ONE = "+32451223344"


@pytest.mark.parametrize(
    "text",
    [
        "0451223344", "451223344", "0451/22.33.44", "0451 / 22 33 44", "(0451) 22 33 44", "+32 451 22 33 44",
        "0032451223344", "+32 (0)451 22 33 44", "32 451 22 33 44", "GSM: 0451 22 33 44", "0451223344 (fille)",
        "fille: 0451 22 33 44", "0451 22 33 44 après 17h", "0451_22_33_44", "451223344.0", "0451.22.33.44 poste 12",
    ],
)  # fmt: skip
def test_one_certain_number(text: str) -> None:
    read = read_phones(text, "BE")
    assert (read.certain, read.guessed, read.unusable) == ((ONE,), (), ())


@pytest.mark.parametrize(
    ("text", "certain", "guessed", "unusable"),
    [
        ("0451223344 / 063 04 05 06", (ONE, "+3263040506"), (), ()),
        ("0451223344-063040506", (ONE, "+3263040506"), (), ()),
        ("086-85-32-67 061/04.05.06", ("+3286853267", "+3261040506"), (), ()),
        ("0451223344\n+352 621 012 345", (ONE, "+352621012345"), (), ()),
        ("+32451223344;0451223345", (ONE, "+32451223345"), (), ()),
        ("32 451 22 33 44 / 082001", (ONE,), (), ("082001",)),
        ("086-85-32-67 / 045321", ("+3286853267",), (), ("045321",)),
        ("661 012 345", (), ("+352661012345",), ()),
        ("352661012345", (), ("+352661012345",), ()),
        ("06-12345678", (), ("+33612345678",), ()),
        ("063/01.23", (), (), ("063/01.23",)),
        ("idem", (), (), ("idem",)),
        ("0", (), (), ("0",)),
        ("112", (), (), ("112",)),
        ("", (), (), ()),
    ],
)
def test_several_numbers_guesses_and_leftovers(
    text: str, certain: tuple[str, ...], guessed: tuple[str, ...], unusable: tuple[str, ...]
) -> None:
    read = read_phones(text, "BE")
    assert (read.certain, read.guessed, read.unusable) == (certain, guessed, unusable)


def test_another_country_is_at_home_there() -> None:
    assert read_phones("06 12345678", "NL").certain == ("+31612345678",)


@given(
    st.lists(st.integers(451000000, 459999999), min_size=1, max_size=4, unique=True),
    st.sampled_from([" / ", ";", "\n", " et ", ", "]),
)
def test_every_number_of_a_cell_is_found(numbers: list[int], separator: str) -> None:
    cell = separator.join(f"0{number}" for number in numbers)
    assert read_phones(cell, "BE").certain == tuple(f"+32{number}" for number in numbers)


@given(st.text(max_size=40))
def test_no_text_is_too_odd(text: str) -> None:
    read = read_phones(text, "BE")
    assert all(number.startswith("+") for number in (*read.certain, *read.guessed))


def test_shown_as_it_is_read_aloud() -> None:
    assert group_phone("+3263231111", "BE") == "063 23 11 11"
    assert group_phone("+352621123456", "BE") == "+352 621 123 456"
    assert suffix_key("+3263231111") == "1111323623"
