"""The three shapes of the output, over any values."""

import io
import json
import unicodedata
from datetime import UTC, date, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crisisdesk.cli.context import Context
from crisisdesk.cli.output import show_json, show_record, show_table
from crisisdesk.config import Settings

cells = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=20)
    | st.dates()
    | st.lists(st.text(max_size=5), max_size=3)
)
rows = st.lists(st.fixed_dictionaries({"a": cells, "b": cells}), max_size=5)
# No timed assertion: the first draw of letters builds a table, and the machine may be busy.
unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
HEADINGS = {"a": "First", "b": "Second"}


def shown(shape: str, table: list[dict[str, object]]) -> str:
    """What a table looks like in a shape."""
    context = Context(Settings(), json=shape == "json", plain=shape == "plain", out=io.StringIO(), err=io.StringIO())
    show_table(context, HEADINGS, table)
    text = context.out.getvalue()  # type: ignore[attr-defined]
    assert isinstance(text, str)
    return text


@unhurried
@given(table=rows, shape=st.sampled_from(["table", "plain", "json"]))
def test_nothing_that_is_shown_can_act_on_a_terminal(table: list[dict[str, object]], shape: str) -> None:
    text = shown(shape, table).replace("\n", "")
    assert not {letter for letter in text if unicodedata.category(letter) in {"Cc", "Cf", "Cs", "Zl", "Zp"}}, ascii(
        text
    )


@unhurried
@given(table=rows)
def test_json_keeps_every_value(table: list[dict[str, object]]) -> None:
    read = json.loads(shown("json", table))
    expected = [
        {key: value.isoformat() if isinstance(value, date) else value for key, value in row.items()} for row in table
    ]
    assert read == expected


@unhurried
@given(table=rows.filter(bool))
def test_plain_is_one_fact_a_line_and_a_table_one_row_a_line(table: list[dict[str, object]]) -> None:
    facts = shown("plain", table).rstrip("\n").split("\n")
    assert len(facts) == len(table) * len(HEADINGS) + len(table) - 1
    assert len(shown("table", table).rstrip("\n").split("\n")) <= len(table) + 1


def test_numbers_stand_right_and_words_left() -> None:
    lines = shown("table", [{"a": 5, "b": "x"}, {"a": 1234, "b": "long"}]).splitlines()
    assert lines == ["First  Second", "    5  x", " 1234  long"]


def test_a_record_aligns_its_labels() -> None:
    context = Context(Settings(), out=io.StringIO())
    show_record(context, {"a": "Short", "b": "Much longer"}, {"a": 1, "b": True})
    assert context.out.getvalue() == "Short        1\nMuch longer  yes\n"  # type: ignore[attr-defined]


def test_instants_are_iso_in_json() -> None:
    context = Context(Settings(), json=True, out=io.StringIO())
    show_json(context, {"at": datetime(2022, 5, 31, 7, tzinfo=UTC), "who": {"é"}})
    assert json.loads(context.out.getvalue()) == {"at": "2022-05-31T07:00:00+00:00", "who": ["é"]}  # type: ignore[attr-defined]


def test_a_value_without_a_form_is_a_defect() -> None:
    with pytest.raises(TypeError):
        show_json(Context(Settings(), json=True, out=io.StringIO()), object())
