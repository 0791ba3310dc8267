"""`crisisdesk call` and `crisisdesk patient`, as a script runs them."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from crisisdesk.domain.callref import make_reference


@pytest.fixture
def run(desk_path: Path, tmp_path: Path) -> object:
    def call(*words: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        known = {
            "CRISISDESK_DESK": str(desk_path),
            "CRISISDESK_ALLOW_ROOT": "1",
            "CRISISDESK_AGENT": "amelie",
            "HOME": str(tmp_path),
            "LC_ALL": "C.UTF-8",
        }
        command = [sys.executable, "-m", "crisisdesk", *words]
        environ = {**os.environ, **known}
        return subprocess.run(
            command, input=stdin, capture_output=True, text=True, timeout=60, env=environ, check=False
        )

    return call


def test_add_list_show_find(run) -> None:  # type: ignore[no-untyped-def]
    person = ("--last-name", "Dupont", "--first-name", "Marie", "--birth", "12/3/58", "--phone", "063 23 11 11")
    added = run("call", "add", "callback", *person, "--site-id", "arlon", "--words", "le genou \x1b[2J", "--json")
    assert added.returncode == 0, added.stderr
    saved = json.loads(added.stdout)
    assert saved["reference"] == make_reference(1)
    listed = json.loads(run("call", "list", "--json").stdout)
    assert [row["reference"] for row in listed] == [saved["reference"]]
    shown = run("call", "show", saved["reference"])
    assert "le genou" in shown.stdout
    assert "\x1b" not in shown.stdout
    found = json.loads(run("patient", "find", "dupond", "marie", "12/03/1958", "--json").stdout)
    assert [row["name"] for row in found] == ["Dupont Marie"]
    file = json.loads(run("patient", "show", "1", "--json").stdout)
    assert [line["number"] for line in file["phones"]] == ["+3263231111"]


def test_what_is_wrong_is_told_with_code_1(run) -> None:  # type: ignore[no-untyped-def]
    refused = run("call", "add", "callback", "--birth", "31/02/1958")
    assert refused.returncode == 1
    assert "31/02/1958" in refused.stderr
    assert refused.stdout == ""
    letter = next(letter for letter in "ACE" if letter != make_reference(1)[-1])
    assert run("call", "show", f"0001-{letter}").returncode == 1
    assert run("call", "nonsense").returncode == 2


def test_a_file_of_calls_is_stored_once_and_its_bad_lines_are_named(run) -> None:  # type: ignore[no-untyped-def]
    good = {"uid": "a", "disposition": "informed", "started_at": "2022-05-31T10:00:00+02:00", "last_name": "Klein"}
    lines = "\n".join([json.dumps(good), json.dumps(good), '{"weather": 1}', "nonsense", '{"disposition": ["x"]}'])
    done = run("call", "add", "--file", "-", stdin=lines)
    assert done.returncode == 1
    for number in ("3", "4", "5"):
        assert number in done.stderr
    assert len(json.loads(run("call", "list", "--day", "2022-05-31", "--json").stdout)) == 1


def test_the_file_of_a_patient_from_the_command_line(run) -> None:  # type: ignore[no-untyped-def]
    person = ("--last-name", "Dupont", "--first-name", "Marie", "--birth", "30/7/85", "--niss", "85073003328")
    run("call", "add", "callback", *person, "--phone", "063 23 11 11", "--site-id", "arlon")
    run("call", "add", "informed", "--last-name", "Dupond", "--first-name", "Marie", "--phone", "063 23 11 22")
    masked = json.loads(run("patient", "show", "1", "--json").stdout)["niss"]
    assert masked.startswith("85.07.30")
    assert "033" not in masked
    assert json.loads(run("patient", "show", "1", "--json", "--full").stdout)["niss"] == "85073003328"

    changed = json.loads(
        run("patient", "correct", "2", "--last-name", "Dupont", "--voicemail", "none", "--json").stdout
    )
    assert {row["field"]: (row["old"], row["new"]) for row in changed} == {
        "last_name": ("Dupond", "Dupont"), "voicemail": ("unknown", "none"),
    }  # fmt: skip
    assert run("patient", "correct", "2").returncode == 1
    assert run("patient", "correct", "2", "--birth", "31/02/1958").returncode == 1

    assert json.loads(run("patient", "merge", "1", "2", "--json").stdout) == {"patient_id": 1, "merged": 2}
    assert json.loads(run("patient", "show", "2", "--json").stdout)["patient_id"] == 1
    assert run("patient", "split", "1", "2").returncode == 0
    assert run("patient", "split", "1", "2").returncode == 1

    stopped = json.loads(run("patient", "death", "1", "report", "--json").stdout)
    assert stopped["callbacks"] == [1]
    assert run("patient", "death", "1", "confirm").returncode == 1
    assert run("patient", "death", "1", "refute").returncode == 1
    assert run("patient", "death", "1", "refute", "--why", "elle a rappelé").returncode == 0
