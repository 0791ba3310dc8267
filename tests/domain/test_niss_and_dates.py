"""National numbers, dates and hours from cells and from keyboards."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum.be import ssn

from crisisdesk.domain.dates import DateReader, is_day_first, read_time, read_typed_date
from crisisdesk.domain.niss import read_niss

TODAY = date(2022, 5, 19)


@pytest.mark.parametrize(
    ("text", "value", "code", "birth"),
    [
        ("85.07.30-033.28", "85073003328", None, date(1985, 7, 30)),
        ("85073003328.0", "85073003328", None, date(1985, 7, 30)),
        ("8,5073003328E+10", "85073003328", None, date(1985, 7, 30)),
        ("98.47.28-997.65", "98472899765", None, date(1998, 7, 28)),
        ("3051700401", "03051700401", None, date(2003, 5, 17)),
        ("8,50730E+10", None, "niss_unreadable", None),
        ("671228", None, "niss_unreadable", None),
        ("99999999999", None, "niss_check_failed", None),
        ("?x", None, "niss_unreadable", None),
    ],
)
def test_niss(text: str, value: str | None, code: str | None, birth: date | None) -> None:
    read = read_niss(text, TODAY)
    assert (read.value, read.code, read.birth_on) == (value, code, birth)


@given(st.dates(date(1920, 1, 1), date(2021, 12, 31)), st.integers(1, 997))
def test_niss_agrees_with_the_library(birth: date, counter: int) -> None:
    base = f"{birth:%y%m%d}{counter:03d}"
    whole = int(base) + (2_000_000_000 if birth.year >= 2000 else 0)
    digits = f"{base}{97 - whole % 97:02d}"
    assert ssn.is_valid(digits)
    assert read_niss(digits, date(2022, 12, 31)).birth_on == birth


@pytest.mark.parametrize(
    ("text", "day", "rest"),
    [
        ("16/05/2022", date(2022, 5, 16), ""), ("16-5-2022", date(2022, 5, 16), ""),
        ("2022-05-16", date(2022, 5, 16), ""),
        ("jeudi 30 juin 2022", date(2022, 6, 30), ""), ("mar. 24/05/2022", date(2022, 5, 24), ""),
        ("30. Juni 2022", date(2022, 6, 30), ""), ("di 17 mei", date(2022, 5, 17), ""),
        ("44697", date(2022, 5, 16), ""),
        ("16/05/22 10:20", date(2022, 5, 16), "10:20"), ("19/05/2022 - 8h30", date(2022, 5, 19), "8h30"),
        ("24/06/22 matin", date(2022, 6, 24), "matin"), ("le 17/05/2022", date(2022, 5, 17), ""),
        ("31/02/2022", None, ""), ("00/00/0000", None, ""), ("à refixer", None, ""), ("juin", None, ""),
        ("1971", None, ""), ("16/05/2022 ou 18/05/2022", None, ""), ("16/05/2022-17/05/2022", None, ""),
    ],
)  # fmt: skip
def test_dates_of_a_file(text: str, day: date | None, rest: str) -> None:
    read = DateReader(about=date(2022, 6, 1)).read(text)
    assert (read.day, read.rest) == (day, rest)


@given(
    st.dates(date(1910, 1, 1), date(2030, 12, 31)), st.sampled_from(["%d/%m/%Y", "%d.%m.%Y", "%Y-%m-%d", "%d-%m-%Y"])
)
def test_a_written_date_comes_back(day: date, shape: str) -> None:
    assert DateReader().read(day.strftime(shape)).day == day


def test_the_order_of_day_and_month_is_the_file_s() -> None:
    assert is_day_first(["01/02/2022", "30/05/2022"])
    assert not is_day_first(["01/02/2022", "05/30/2022"])


@pytest.mark.parametrize(
    ("text", "hour"),
    [
        ("8h30", "08:30"), ("12u30", "12:30"), ("08.15", "08:15"), ("0830", "08:30"), ("0.53125", "12:45"),
        ("13h", "13:00"),
        ("2.30 p.m.", "14:30"), ("8 heures 30", "08:30"), ("25:00", None), ("08:75", None), ("matin", None),
        ("à jeun", None),
    ],
)  # fmt: skip
def test_hours(text: str, hour: str | None) -> None:
    assert read_time(text) == hour


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("12/3/58", date(1958, 3, 12)), ("12.03.1958", date(1958, 3, 12)), ("12031958", date(1958, 3, 12)),
        ("+3", TODAY + timedelta(3)), ("demain", TODAY + timedelta(1)), ("lundi", date(2022, 5, 23)),
        ("3 juin", date(2022, 6, 3)),
        ("32/1", None), ("xyz", None),
    ],
)  # fmt: skip
def test_what_an_agent_types(text: str, day: date | None) -> None:
    assert read_typed_date(text, TODAY) == day


@given(st.text(alphabet="0123456789/.-:²³①٣½ hHuTAPM", max_size=12))
def test_no_text_breaks_the_reading_of_dates_and_hours(text: str) -> None:
    for tried in (text, f"1{text}/05/2022", f"12/0²/195{text}", f"1²:3{text}"):
        read = DateReader(about=TODAY).read(tried)
        assert read.readable or read.day is None
        hour = read_time(tried)
        assert hour is None or len(hour) == 5
        read_typed_date(tried, TODAY)
