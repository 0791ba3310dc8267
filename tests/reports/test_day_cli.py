"""`crisisdesk day` and `crisisdesk journal`, as a script calls them."""

import json
import os
import subprocess
import sys
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from day_filling import add_calls

from crisisdesk.cli.day import read_day
from crisisdesk.desk.reference import data_folder, init_desk
from crisisdesk.errors import RuleBroken
from crisisdesk.store.engine import open_desk
from crisisdesk.store.sqlite import choose_sqlite

TODAY = date(2022, 5, 31)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (None, TODAY), ("today", TODAY), ("yesterday", date(2022, 5, 30)), ("hier", date(2022, 5, 30)),
        ("2022-05-14", date(2022, 5, 14)), ("31/05", TODAY), ("14/05/2022", date(2022, 5, 14)),
        ("31/12", date(2021, 12, 31)), ("14.05.22", date(2022, 5, 14)),
    ],
)  # fmt: skip
def test_a_day_is_named_in_many_ways(text: str | None, expected: date) -> None:
    assert read_day(text, TODAY) == expected


@pytest.mark.parametrize("text", ["31/02", "2022-13-01", "soon", "x"])
def test_what_is_no_day_is_refused(text: str) -> None:
    with pytest.raises(RuleBroken, match=text):
        read_day(text, TODAY)


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("cli") / "a.desk"
    init_desk(path, data_folder(), admin_login="chef", now=datetime(2022, 5, 16, tzinfo=UTC))
    store = open_desk(path)
    nine = datetime(2022, 5, 31, 7, 12, tzinfo=UTC)
    add_calls(store, [{"started_at": nine, "site_id": "arlon", "taken_by": 1, "topic": "results"}] * 3)
    store.close()
    return path


def run(desk: Path, *words: str, code: int = 0) -> "subprocess.CompletedProcess[str]":
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("CRISISDESK_", "LC_", "LANG"))}
    environ |= {"CRISISDESK_DESK": str(desk), "CRISISDESK_AGENT": "chef", "HOME": str(desk.parent), "LANG": "C.UTF-8"}
    environ["CRISISDESK_ALLOW_ROOT"] = "1"
    command = [sys.executable, "-m", "crisisdesk", "--lang", "en", *words]
    ran = subprocess.run(command, capture_output=True, text=True, env=environ, cwd=desk.parent)
    assert ran.returncode == code, ran.stderr
    return ran


def test_the_table_shows_figures_and_what_they_mean(desk: Path) -> None:
    shown = run(desk, "day", "2022-05-31").stdout
    assert "a local day of 24 hours (Europe/Brussels)" in shown
    assert "09:00      3" in shown
    assert "not measured" in shown
    assert "Promises kept: Callbacks attempted inside the promised window" in shown
    assert "Journal up to entry 1:" in shown


def test_plain_is_one_fact_a_line(desk: Path) -> None:
    lines = run(desk, "--plain", "day", "2022-05-31").stdout.splitlines()
    assert "Calls: 3" in lines or "Value: 3" in lines
    assert not any("##" in line for line in lines)


@pytest.mark.parametrize(
    "words",
    [("day", "2022-05-31", "--json"), ("day", "--json", "2022-05-31"), ("--json", "day", "2022-05-31"),
     ("day", "2022-05-31", "--json", "-")],
)  # fmt: skip
def test_json_on_the_standard_output(desk: Path, words: tuple[str, ...]) -> None:
    value = json.loads(run(desk, *words).stdout)
    calls = next(figure for figure in value["figures"] if (figure["section"], figure["key"]) == ("summary", "calls"))
    assert (value["day"], calls["value"]) == ("2022-05-31", 3)


@pytest.mark.parametrize(("form", "magic"), [("csv", b"\xef\xbb\xbfsection,"), ("json", b"{"), ("xlsx", b"PK")])
def test_files(desk: Path, form: str, magic: bytes) -> None:
    path = desk.parent / f"day.{form}"
    assert str(path) in run(desk, "day", "2022-05-31", f"--{form}", str(path), "--bom").stdout
    assert path.read_bytes().startswith(magic)
    assert "--force" in run(desk, "day", "2022-05-31", f"--{form}", str(path), code=1).stderr
    run(desk, "day", "2022-05-31", f"--{form}", str(path), "--force")


def test_a_stranger_exports_nothing(desk: Path) -> None:
    assert "nobody" in run(desk, "--agent", "nobody", "day", "--csv", "-", code=1).stderr
    assert run(desk, "day", "soon", code=1).stderr.startswith("crisisdesk: 'soon' is no date")


def test_the_journal_is_listed_and_verified(desk: Path) -> None:
    head = run(desk, "journal", "head").stdout.strip()
    run(desk, "day", "--csv", "-")
    assert "The journal is whole" in run(desk, "journal", "verify", "--anchor", head).stdout
    listed = json.loads(run(desk, "--json", "journal", "list", "--subject", "day", "--limit", "1").stdout)
    assert [(entry["action"], entry["detail"]["file"]) for entry in listed] == [("export", "-")]
    assert "desk.opened" in run(desk, "journal", "list").stdout
    assert "SEQ:HASH" in run(desk, "journal", "verify", "--anchor", "12", code=1).stderr


def test_a_forged_journal_ends_with_1_and_a_sentence(desk: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.desk"
    store = open_desk(desk)
    store.backup(copy)
    store.close()
    connection = choose_sqlite().connect(str(copy))
    connection.execute("DROP TRIGGER journal_no_update")
    connection.execute("UPDATE journal SET agent = 'somebody' WHERE seq = 1")
    connection.commit()
    connection.close()
    told = run(copy, "journal", "verify", code=1).stderr
    assert "entry 1 was changed" in told
    assert json.loads(run(copy, "--json", "journal", "verify", code=1).stdout)["first_fault"] == 1
