"""Wishes as agents type them: understood to the last word, or kept as words."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crisisdesk import clock
from crisisdesk.domain.wishes import DayHours, describe_wish, read_wish
from crisisdesk.domain.words import PartOfDay

NOW = datetime(2022, 5, 31, 12, 30, tzinfo=UTC)  # Tuesday, 14:30 in Brussels
HOURS = DayHours("Europe/Brussels")


def window(text: str, now: datetime = NOW) -> tuple[str, str, PartOfDay]:
    wish = read_wish(text, now=now, hours=HOURS)
    ends = [f"{clock.to_local(end, HOURS.zone):%d/%m %H:%M}" if end else "" for end in (wish.not_before, wish.until)]
    return ends[0], ends[1], wish.part_of_day


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("demain matin", "01/06 08:00", "01/06 12:00"),
        ("morgen früh", "01/06 08:00", "01/06 12:00"),
        ("tomorrow afternoon", "01/06 13:00", "01/06 17:00"),
        ("demain soir", "01/06 17:00", "01/06 20:00"),
        ("cet après-midi", "", "31/05 17:00"),
        ("vanavond", "31/05 17:00", "31/05 20:00"),
        ("lundi", "06/06 08:00", "06/06 20:00"),
        ("vrijdag voormiddag", "03/06 08:00", "03/06 12:00"),
        ("overmorgen", "02/06 08:00", "02/06 20:00"),
        ("après-demain après 17h", "02/06 17:00", "02/06 20:00"),
        ("après 16h", "31/05 16:00", "31/05 20:00"),
        ("avant 16h", "", "31/05 16:00"),
        ("avant 10h", "01/06 08:00", "01/06 10:00"),
        ("avant ven", "", "02/06 20:00"),
        ("jusqu'à vendredi", "", "03/06 20:00"),
        ("pas avant le 24/06", "24/06 08:00", ""),
        ("niet voor 24/06", "24/06 08:00", ""),
        ("demain entre 10 et 11 h", "01/06 10:00", "01/06 11:00"),
        ("zwischen 10 und 11 Uhr", "01/06 10:00", "01/06 11:00"),
        ("between 4 and 6 pm", "31/05 16:00", "31/05 18:00"),
        ("le 3/6 à 14h30", "03/06 14:30", "03/06 15:30"),
        ("la semaine prochaine", "06/06 08:00", "12/06 20:00"),
        ("demain toute la journée", "01/06 08:00", "01/06 20:00"),
        ("quand vous voulez", "", ""),
    ],
)
def test_what_is_understood(text: str, start: str, end: str) -> None:
    assert window(text)[:2] == (start, end)


@pytest.mark.parametrize(
    "text",
    [
        "quand ma fille est là",
        "lundi ou mardi",
        "pas le matin",
        "32/06",
        "25h",
        "demain hier",
        "avant 31/05 2021",
        "=1+1",
    ],
)
def test_what_is_not_understood_stays_as_words(text: str) -> None:
    wish = read_wish(text, now=NOW, hours=HOURS)
    assert not wish.is_understood
    assert wish.words == text
    assert text in describe_wish(wish, zone=HOURS.zone)


def test_a_part_of_day_without_a_day_is_any_day() -> None:
    assert window("le soir") == ("", "", PartOfDay.EVENING)


@given(st.text(max_size=40))
def test_any_text_is_read_without_a_window_in_the_past_or_the_wrong_way_round(text: str) -> None:
    wish = read_wish(text, now=NOW, hours=HOURS)
    assert wish.until is None or wish.until > NOW
    assert not (wish.not_before and wish.until) or wish.not_before < wish.until


def test_the_night_of_the_clock_change_keeps_the_wall_clock() -> None:
    assert window("demain matin", datetime(2022, 10, 29, 12, tzinfo=UTC))[:2] == ("30/10 08:00", "30/10 12:00")
