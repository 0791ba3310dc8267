"""A reference is short, and a slip in it shows."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crisisdesk.domain.callref import make_reference, read_reference

numbers = st.integers(1, 10_000_000)


@given(numbers)
def test_a_reference_reads_back(number: int) -> None:
    text = make_reference(number)
    for said in (text, text.lower(), text.replace("-", " "), text.replace("-", ""), "n° " + text):
        read = read_reference(said)
        assert read is not None
        assert (read.number, read.fits) == (number, True)


@given(numbers, st.data())
def test_one_wrong_digit_or_two_swapped_ones_show_and_the_right_one_is_near(number: int, data: st.DataObject) -> None:
    digits, letter = make_reference(number).split("-")
    place = data.draw(st.integers(0, len(digits) - 1))
    other = data.draw(st.sampled_from("0123456789"))
    wrong = digits[:place] + other + digits[place + 1 :]
    if data.draw(st.booleans()) and place + 1 < len(digits):
        wrong = digits[:place] + digits[place + 1] + digits[place] + digits[place + 2 :]
    if int(wrong) in {0, number}:
        return
    read = read_reference(wrong + letter)
    assert read is not None
    assert read.fits is False
    assert make_reference(number) in read.near


@pytest.mark.parametrize("text", ["", "K", "412-KK", "0-A", "abc", "41 2 K x", "0412--K"])
def test_what_is_no_reference(text: str) -> None:
    assert read_reference(text) is None


def test_a_number_alone_cannot_be_checked() -> None:
    read = read_reference("412")
    assert read is not None
    assert (read.number, read.fits) == (412, None)
