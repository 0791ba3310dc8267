"""`--seen`: the commands tell both versions and how to confirm; without it a field is written over what stands."""

import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from crisisdesk.cli.main import run
from crisisdesk.desk import patients
from crisisdesk.desk.agents import Agent
from crisisdesk.store.engine import Store
from moments import DESK_NOW as NOW

Command = Callable[..., tuple[int, str, str]]


@pytest.fixture
def command(desk_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Command:
    monkeypatch.setenv("CRISISDESK_DESK", str(desk_path))
    monkeypatch.setenv("CRISISDESK_AGENT", "sylvie")
    monkeypatch.setenv("CRISISDESK_LANGUAGE", "en")
    monkeypatch.setattr("sys.stdin", io.StringIO())

    def call(*words: str) -> tuple[int, str, str]:
        code = run([*words, "--lang", "en"])
        out, err = capsys.readouterr()
        return code, out, err

    return call


def test_a_patient(command: Command, desk_store: Store, bruno: Agent, marie: int) -> None:
    patients.correct_field(desk_store, marie, "last_name", "Dupond", agent=bruno, now=NOW)
    correct = ("patient", "correct", str(marie), "--last-name", "Leroy", "--birth", "13/03/1958")
    code, out, err = command(*correct, "--seen", "last_name=Dupont", "--json")
    assert code == 1
    assert json.loads(out)["conflicts"][0] | {"at": ""} == {
        "field": "last_name", "label": "Last name", "seen": "Dupont", "theirs": "Dupond", "mine": "Leroy",
        "by": "Bruno", "at": "",
    }  # fmt: skip
    assert "Bruno changed “Last name”" in err
    assert "--seen last_name=Dupond" in err
    code, out, err = command(*correct, "--seen", "Dupond")
    assert code == 1
    assert "FIELD=VALUE" in err
    code, out, err = command(*correct, "--seen", "last-name=Dupond", "--seen", "birth=12/03/1958", "--json")
    assert code == 0, err
    assert {row["field"] for row in json.loads(out)} == {"last_name", "birth_on", "is_birth_guessed"} - {
        "is_birth_guessed"
    }
    code, out, err = command("patient", "correct", str(marie), "--voicemail", "none", "--seen", "identified")
    assert code == 1
    assert "--seen voicemail=unknown" in err
    assert command("patient", "correct", str(marie), "--last-name", "Durand")[0] == 0


def test_the_national_number_is_not_spelt_out(command: Command, desk_store: Store, bruno: Agent, marie: int) -> None:
    patients.correct_field(desk_store, marie, "niss", "85.07.30-033.28", agent=bruno, now=NOW)
    code, _out, err = command("patient", "correct", str(marie), "--niss", "17.07.30-033.84", "--seen", "58031200290")
    assert code == 1
    assert "033" not in err
    assert "niss=NUMBER" in err


def test_contacts_and_the_codes_of_a_call(command: Command, marie: int, desk_store: Store) -> None:
    code, out, err = command(
        "call", "add", "callback", "--last-name", "Klein", "--site-id", "arlon", "--phone", "063231112", "--json"
    )
    assert code == 0, err
    number = next(iter(json.loads(out)["callbacks"])).split()[0]
    contacts = ("callback", "contacts", str(number), "--who", "Luc, fils")
    code, _out, err = command(*contacts)
    assert code == 0, err
    seen = ("--seen", "may_tell=unknown", "--seen", "may_tell_who=")
    code, _out, err = command("callback", "contacts", str(number), "--who", "Anne", *seen)
    assert code == 1
    assert "--seen may_tell=named --seen 'may_tell_who=Luc, fils'" in err
    code, _out, err = command("correct-call", "1", "--topic", "nothing", "--reason", "x")
    assert code == 1
    topics = ("operation_postponed", "other")
    assert command("correct-call", "1", "--topic", topics[0], "--reason", "x")[0] == 0
    code, _out, err = command("correct-call", "1", "--topic", topics[1], "--reason", "x", "--seen", "")
    assert code == 1
    assert f"--seen topic={topics[0]}" in err
