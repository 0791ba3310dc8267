"""When a call on paper was taken."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crisisdesk.domain.slips import read_taken_at

BRUSSELS = "Europe/Brussels"
NOW = datetime(2022, 5, 31, 12, 0, tzinfo=UTC)  # a Tuesday, 14:00 in Brussels


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("9h20", datetime(2022, 5, 31, 7, 20, tzinfo=UTC)),
        ("9:20", datetime(2022, 5, 31, 7, 20, tzinfo=UTC)),
        ("09.20", datetime(2022, 5, 31, 7, 20, tzinfo=UTC)),
        ("9h", datetime(2022, 5, 31, 7, 0, tzinfo=UTC)),
        ("hier 9h", datetime(2022, 5, 30, 7, 0, tzinfo=UTC)),
        ("-1 23:59", datetime(2022, 5, 30, 21, 59, tzinfo=UTC)),
        ("16/05 14h20", datetime(2022, 5, 16, 12, 20, tzinfo=UTC)),
        ("16/05/2022 14:20", datetime(2022, 5, 16, 12, 20, tzinfo=UTC)),
        ("31/01/2022 14:20", datetime(2022, 1, 31, 13, 20, tzinfo=UTC)),
        ("", None),
        ("14", None),
        ("25:00", None),
        ("12:75", None),
        ("31/02 14:20", None),
        ("tantôt", None),
    ],
)
def test_times_of_slips(text: str, wanted: datetime | None) -> None:
    assert read_taken_at(text, now=NOW, zone=BRUSSELS) == wanted


@given(st.text(max_size=30))
def test_any_text_is_a_time_or_none(text: str) -> None:
    found = read_taken_at(text, now=NOW, zone=BRUSSELS)
    assert found is None or found.tzinfo is UTC
