"""A folder of reference data is read whole: all mistakes at once, each with file, line and reason."""

import re
import shutil
import tomllib
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crisisdesk.desk.reference import data_folder
from crisisdesk.desk.reference_data.reading import read_folder
from crisisdesk.desk.reference_data.source import find_lines
from crisisdesk.domain.words import NextStep, Scope
from crisisdesk.errors import RuleBroken

NL = Path(__file__).parent / "hospital_nl"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the shipped data that a test may spoil."""
    shutil.copytree(data_folder(), tmp_path / "data", ignore=shutil.ignore_patterns("samples"))
    return tmp_path / "data"


def spoil(folder: Path, name: str, old: str, new: str) -> int:
    """Replace the first ``old`` of a file by ``new``; the line where it stood."""
    text = (folder / name).read_text(encoding="utf-8")
    assert old in text
    (folder / name).write_text(text.replace(old, new, 1), encoding="utf-8")
    return text[: text.index(old)].count("\n") + 1


def mistakes(folder: Path) -> list[str]:
    """The mistakes told about a folder, without the headline."""
    with pytest.raises(RuleBroken) as told:
        read_folder(folder, data_folder())
    return [line.strip() for line in str(told.value).splitlines()[1:]]


def test_the_shipped_folder_is_without_mistake() -> None:
    rows = read_folder(data_folder(), data_folder())
    assert {row["id"] for row in rows["site"]} >= {
        "arlon",
        "marche",
        "libramont",
        "bastogne",
        "virton",
        "bertrix",
        "vielsalm",
    }
    limits = {row["code"]: timedelta(seconds=row["limit_seconds"]) for row in rows["priority_limit"]}
    assert limits["P1a"] < limits["P1b"] < limits["P2"] < limits["P3"] < limits["P4"]
    assert limits["uncoded"] == limits["P3"], "uncoded is placed as P3, never as low"


def test_protected_services_are_not_closed_by_the_general_closing() -> None:
    rows = read_folder(data_folder(), data_folder())
    protected = {row["id"] for row in rows["service"] if row["is_protected"]}
    codes = {row["code"] for row in rows["service"] if row["is_protected"]}
    assert codes >= {"oncology", "chemotherapy", "obstetrics", "diabetology", "cast_follow_up", "psychiatry"}
    assert not protected & {row["service_id"] for row in rows["opening"]}


def test_no_attempt_that_reached_nobody_closes_anything() -> None:
    rows = read_folder(data_folder(), data_folder())
    attempts = [row for row in rows["disposition"] if row["scope"] == Scope.ATTEMPT]
    assert attempts
    for row in attempts:
        assert row["reach"] != "nobody" or row["next_step"] != NextStep.CLOSE, row["code"]


def test_every_code_has_words_in_the_first_language() -> None:
    rows = read_folder(data_folder(), data_folder())
    words = {(row["kind"], row["code"]) for row in rows["label"] if row["language"] == rows["desk"][0]["languages"][0]}
    for row in rows["disposition"]:
        assert (f"disposition.{row['scope']}", row["code"]) in words
    for table in ("topic", "caller_kind", "red_flag"):
        assert {(table, row["code"]) for row in rows[table]} <= words


MISTAKES = [
    ("desk.toml", 'country = "BE"', 'country = "XX"', "no country code"),
    ("desk.toml", 'time_zone = "Europe/Brussels"', 'time_zone = "Europe/Brusels"', "no time zone"),
    ("desk.toml", 'national_number = "be.ssn"', 'national_number = "be.nn2"', "must be one of"),
    ("desk.toml", 'name = "Vivalia"', 'name = ""', "is empty"),
    ("desk.toml", 'name = "Vivalia"', 'nom = "Vivalia"', "unknown key"),
    ("desk.toml", "+02:00", "", "needs an offset"),
    ("desk.toml", "until = 20:00:00", "until = 07:00:00", "later than"),
    ("desk.toml", '"sat"]', '"sam"]', "is none of"),
    ("desk.toml", "lease_minutes = 10", "lease_minutes = 0", "at least 1"),
    ("desk.toml", "lease_minutes = 10", 'lease_minutes = "10"', "whole number"),
    ("holidays.toml", '"05-01"', '"13-01"', "month-day"),
    ("sites.toml", 'id = "virton"', 'id = "arlon"', "twice"),
    ("sites.toml", 'id = "virton"', 'id = "Virton!"', "no code"),
    ("sites.toml", 'phone = "063 23 11 11"', 'phone = "063 23 11 1"', "no telephone number"),
    ("services.toml", 'kind = "surgery"', 'kind = "operation"', "is none of"),
    ("services.toml", 'sites = ["arlon", "marche"', 'sites = ["arlo", "marche"', "no site"),
    ("services.toml", 'code = "day_surgery"', 'code = "surgery"', "twice"),
    ("topics.toml", 'key = "d"', 'key = "o"', "taken by"),
    ("topics.toml", "concerns_postponement = true\n", "", "is missing"),
    ("caller_kinds.toml", 'key = "s"', 'key = "soi"', "one small letter"),
    ("dispositions.toml", 'delay = "3 h"', 'delay = "3 hours"', "no delay"),
    ("dispositions.toml", 'delay = "3 h"\n', "", "needs to know when"),
    ("dispositions.toml", 'next_step = "close"', 'next_step = "clos"', "is none of"),
    ("dispositions.toml", "[attempt.busy]", "[outbound.busy]", "must be under"),
    ("dispositions.toml", 'coverage = "tried"', 'coverage = "phoned"', "is none of"),
    (
        "dispositions.toml",
        '[attempt.busy]\nkey = "o"',
        '[attempt.busy]\nkey = "o"\nfinal = true',
        "must lead to 'close'",
    ),
    (
        "dispositions.toml",
        '[inbound.informed]\nkey = "i"\nfinal = true',
        '[inbound.informed]\nkey = "i"',
        "must be final",
    ),
    (
        "dispositions.toml",
        '"a"\nfinal = true\nreach = "patient"',
        '"a"\nfinal = true\nreach = "nobody"',
        "closes nothing",
    ),
    ("dispositions.toml", '[attempt.busy]\nkey = "o"', '[attempt.busy]\nkey = "o"\nquick = true', "come in only"),
    ("red_flags.toml", '"1"\nway_out = "emergency"', '"1"\nway_out = "hospital"', "is none of"),
    ("red_flags.toml", 'label = { fr = "', 'label = { xx = "', "needs words in fr"),
    ("priorities.toml", "limit_days = 28", "limit_days = 0", "limit_days"),
    ("priorities.toml", "[uncoded]", "[uncodable]", "is none of"),
    ("labels.toml", "emergency = {", "emergencies = {", "needs words for 'emergency'"),
    ("openings.toml", 'services = ["surgery"]', 'services = ["surgeries"]', "has no service"),
    ("openings.toml", "from = 2022-05-31", 'from = "31/05"', "a date"),
    ("openings.toml", "limits = { implant = 2 }", "limits = { robot = 2 }", "no limit 'robot' in limits.toml"),
    ("openings.toml", "limits = { implant = 2 }", 'limits = { implant = "deux" }', "a whole number of places"),
    ("openings.toml", "limits = { implant = 2 }", "until = 2022-05-30", "must not be earlier than 'from'"),
    ("openings.toml", "rooms = 4", "rooms = 0", "at least 1"),
    ("instructions.toml", 'topic = "data_leak"', 'topic = "leak"', "no topic"),
    ("columns.toml", "[last_name]", "stray = 3\n[last_name]", "list of texts"),
]


@pytest.mark.parametrize(("name", "old", "new", "why"), MISTAKES)
def test_a_mistake_is_told_with_file_line_and_reason(folder: Path, name: str, old: str, new: str, why: str) -> None:
    line = spoil(folder, name, old, new)
    told = mistakes(folder)
    fitting = [mistake for mistake in told if mistake.startswith(f"{name}:") and why in mistake]
    assert fitting, told
    lines = [int(re.match(r"[^:]+:(\d+):", mistake)[1]) for mistake in fitting]  # type: ignore[index]
    assert any(abs(line - found) <= 5 for found in lines) or lines == [1], (line, told)


def test_all_mistakes_are_told_at_once(folder: Path) -> None:
    for name, old, new, _why in (MISTAKES[0], MISTAKES[11], MISTAKES[17], MISTAKES[29]):
        spoil(folder, name, old, new)
    told = mistakes(folder)
    assert {mistake.split(":")[0] for mistake in told} >= {"desk.toml", "sites.toml", "topics.toml", "red_flags.toml"}


@pytest.mark.parametrize("content", [b"name = 'a\n", b"\xff\xfe\x00", b""])
def test_a_file_that_is_no_toml_is_one_mistake(folder: Path, content: bytes) -> None:
    (folder / "sites.toml").write_bytes(content)
    assert any(mistake.startswith("sites.toml:") for mistake in mistakes(folder))


def test_a_mistyped_file_name_is_told(folder: Path) -> None:
    (folder / "columns.toml").rename(folder / "colums.toml")
    assert [mistake for mistake in mistakes(folder) if mistake.startswith("colums.toml:1:")]


def test_a_missing_file_is_named(folder: Path) -> None:
    (folder / "services.toml").unlink()
    assert "services.toml:1: the file is missing from the folder" in mistakes(folder)


def test_a_hospital_elsewhere_needs_no_code() -> None:
    rows = read_folder(NL, data_folder())
    desk = rows["desk"][0]
    assert (desk["country"], desk["languages"][0], desk["national_number"]) == ("NL", "nl", "nl.bsn")
    assert "04-27" in desk["holidays"], "from the file that ships: this folder leaves it out"
    assert [row["code"] for row in rows["service"]] == ["ok", "poli_oogheelkunde", "oncologie", "poli_oogheelkunde"]
    assert rows["column_name"]


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.sampled_from(["a", "b", "c"]), min_size=1, max_size=6, unique=True), st.integers(0, 5))
def test_lines_are_those_of_the_text(names: list[str], blanks: int) -> None:
    text = "".join("\n" * blanks + f"[{name}]\nkey = 1\nother = 2\n" for name in names)
    assert tomllib.loads(text)
    lines, places = text.splitlines(), find_lines(text)
    for name in names:
        assert lines[places[name,] - 1] == f"[{name}]"
        assert lines[places[name, "other"] - 1] == "other = 2"
