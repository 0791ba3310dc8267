"""Who is at the desk, and who says so: what an agent can send chooses nothing."""

import os
import pwd
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from crisisdesk.cli import identity
from crisisdesk.cli.identity import Identity, who_comes
from crisisdesk.config import Settings, load_settings
from crisisdesk.errors import RuleBroken

SUDO, KEY = Settings(identity="sudo"), Settings(identity="key")


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch) -> None:
    """A host that knows amelie as 1002; this process is account 990."""
    known = {1002: "amelie", 990: "crisisdesk", 0: "root"}

    class Entry:
        def __init__(self, uid: int) -> None:
            self.pw_name = known[uid]

    monkeypatch.setattr(identity.pwd, "getpwuid", Entry)
    monkeypatch.setattr(identity.os, "getuid", lambda: 990)


@pytest.mark.usefixtures("host")
def test_sudo_says_who_comes() -> None:
    assert who_comes(SUDO, "", {"SUDO_UID": "1002"}) == Identity("amelie", "sudo:amelie")
    assert who_comes(SUDO, "amelie", {"SUDO_UID": "1002", "SUDO_USER": "bruno"}).login == "amelie"


@pytest.mark.usefixtures("host")
@pytest.mark.parametrize(("named", "setting", "environ", "words"), [
    ("", "", {}, "sudo did not start"),
    ("amelie", "", {}, "sudo did not start"),
    ("", "amelie", {"LOGNAME": "amelie", "SUDO_USER": "amelie"}, "sudo did not start"),
    ("", "", {"SUDO_UID": "amelie"}, "sudo did not start"),
    ("", "", {"SUDO_UID": "-1"}, "sudo did not start"),
    ("", "", {"SUDO_UID": "990"}, "sudo did not start"),
    ("", "", {"SUDO_UID": "4242"}, "4242"),
    ("bruno", "", {"SUDO_UID": "1002"}, "cannot be 'bruno'"),
    ("", "bruno", {"SUDO_UID": "1002"}, "cannot be 'bruno'"),
    ("", "", {"SUDO_UID": "0"}, "--agent LOGIN"),
])  # fmt: skip
def test_without_an_attested_login_nobody_comes_in(
    monkeypatch: pytest.MonkeyPatch, named: str, setting: str, environ: dict[str, str], words: str
) -> None:
    known = identity.pwd.getpwuid
    monkeypatch.setattr(identity.pwd, "getpwuid", lambda uid: known(uid))
    with pytest.raises(RuleBroken, match=words):
        who_comes(replace(SUDO, agent=setting), named, environ)


@pytest.mark.usefixtures("host")
def test_root_acts_for_somebody_by_name() -> None:
    assert who_comes(SUDO, "bruno", {"SUDO_UID": "0"}) == Identity("bruno", "root")


def test_a_key_names_its_agent_by_an_argument_alone() -> None:
    assert who_comes(KEY, "amelie", {"SSH_ORIGINAL_COMMAND": "--agent bruno"}) == Identity("amelie", "key:amelie")
    with pytest.raises(RuleBroken, match="restrict,pty,command="):
        who_comes(replace(KEY, agent="bruno"), "", {"CRISISDESK_AGENT": "bruno", "SSH_ORIGINAL_COMMAND": "bruno"})


def test_on_ones_own_machine_the_account_is_told_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGNAME", "somebody")
    account = pwd.getpwuid(os.getuid()).pw_name
    assert who_comes(Settings(), "", {}) == Identity("somebody", f"host:{account}")
    assert who_comes(Settings(agent="bruno"), "", {}).login == "bruno"
    assert who_comes(Settings(agent="bruno"), "amelie", {}) == Identity("amelie", f"host:{account}")


def test_the_environment_cannot_loosen_what_the_file_says(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text('identity = "sudo"\n', encoding="utf-8")
    named = {"CRISISDESK_CONFIG": str(file)}
    assert load_settings(named).identity == "sudo"
    for other in ("", "key"):
        with pytest.raises(RuleBroken, match="CRISISDESK_IDENTITY"):
            load_settings(named | {"CRISISDESK_IDENTITY": other})
    with pytest.raises(RuleBroken, match='"sudo", "key"'):
        load_settings({"CRISISDESK_IDENTITY": "password"})


def test_a_desk_with_attested_agents_is_not_opened_by_a_name(desk_path: Path, tmp_path: Path) -> None:
    """The whole program: refused before the desk is touched, by a command and by the screens' door alike."""
    environment = {
        "PATH": os.environ["PATH"], "HOME": str(tmp_path), "LC_ALL": "C.UTF-8", "CRISISDESK_ALLOW_ROOT": "1",
        "CRISISDESK_DESK": str(desk_path), "CRISISDESK_IDENTITY": "sudo", "CRISISDESK_AGENT": "amelie",
    }  # fmt: skip
    for words in (["agent", "list"], ["--agent", "sylvie", "queue", "arlon"]):
        told = subprocess.run(
            [sys.executable, "-m", "crisisdesk", *words], capture_output=True, text=True, env=environment, check=False
        )
        assert told.returncode == 1
        assert "sudo did not start this process" in told.stderr
        assert told.stdout == ""
