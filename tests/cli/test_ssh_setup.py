"""What `ssh-setup` prints: read, not run; tests/terminal/test_sshd.py runs it."""

import json
import os
import re
import shutil
import stat
import subprocess
from argparse import ArgumentParser
from pathlib import Path

import pytest

from crisisdesk.cli.main import run
from crisisdesk.cli.sshfacts import wanted_of_sshd
from crisisdesk.cli.sshfiles import key_files, setup_files, sshd_snippet
from crisisdesk.cli.sshplan import Newcomer, Plan, add_plan_options, make_plan, read_agents
from crisisdesk.config import Settings
from crisisdesk.domain.words import Role
from crisisdesk.errors import RuleBroken

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ1nCkdsmvXaVvDnW8Yx7sYQZb3pZlL9sT5n0kq4k2vR"


def plan(way: str = "sudo", **more: object) -> Plan:
    settings = {
        "desk": Path("/srv/desk/vivalia.desk"), "account": "crisisdesk", "group": "desk",
        "program": Path("/opt/crisisdesk/bin/python"),
        "agents": (Newcomer("chef", "Le Chef", Role.ADMIN, KEY), Newcomer("amelie", "Amélie D'Hondt")),
    } | more  # fmt: skip
    return Plan(way, **settings)  # type: ignore[arg-type]


def lines_of(text: str) -> list[str]:
    """The lines that do something."""
    return [line.strip() for line in text.splitlines() if line.strip() and not line.strip().startswith("#")]


@pytest.mark.parametrize("way", ["sudo", "key"])
def test_every_block_of_lines_has_its_reason(way: str) -> None:
    for file in setup_files(plan(way)):
        if "/keys/" not in str(file.path):
            assert file.content.count("# ") * 3 >= len(lines_of(file.content)), file.path
        assert file.why


@pytest.mark.parametrize("way", ["sudo", "key"])
def test_what_is_printed_is_what_is_checked(way: str) -> None:
    """Each value that `check --ssh` asks for stands in the snippet, or is what sshd does by itself."""
    printed = dict(line.lower().split(" ", 1) for line in lines_of(sshd_snippet(plan(way))))
    by_default = {"strictmodes": "yes"} | ({"forcecommand": "none"} if way == "key" else {})
    for keyword, values in wanted_of_sshd(plan(way)).items():
        value = printed.get(keyword) or by_default[keyword]
        assert value in {one.lower() for one in values}, keyword


def test_the_penalties_depend_on_the_version() -> None:
    assert "PerSourcePenaltyExemptList" not in sshd_snippet(plan(openssh=(9, 7)))
    assert "\n#PerSourcePenaltyExemptList" in sshd_snippet(plan(openssh=(9, 8)))
    assert "\nPerSourcePenaltyExemptList 10.20.0.0/16\n" in sshd_snippet(
        plan(openssh=(10, 0), addresses="10.20.0.0/16")
    )


def test_nobody_is_shut_out_unless_it_was_asked_for() -> None:
    assert not any(line.startswith("AllowGroups") for line in lines_of(sshd_snippet(plan())))
    assert "AllowGroups desk keepers" in lines_of(sshd_snippet(plan(admins="keepers")))


def test_key_lines_name_their_agent() -> None:
    (file,) = key_files(plan("key"))
    (line,) = lines_of(file.content)
    assert line == f'restrict,pty,command="/usr/local/lib/crisisdesk/sign-in --agent chef" {KEY} chef'
    assert [str(one.path) for one in key_files(plan("sudo"))] == ["/etc/crisisdesk/keys/chef"]


def test_the_scripts_are_shell(tmp_path: Path) -> None:
    for way in ("sudo", "key"):
        for file in setup_files(plan(way)):
            if file.content.startswith("#!/bin/sh"):
                subprocess.run(["sh", "-n"], input=file.content, text=True, check=True)


@pytest.mark.skipif(not shutil.which("visudo", path="/usr/sbin:/usr/bin"), reason="no visudo here")
def test_sudo_takes_its_rules(tmp_path: Path) -> None:
    rules = next(file for file in setup_files(plan()) if "sudoers" in str(file.path))
    other = next(file for file in setup_files(plan(account="desk-2", group="desk2")) if "sudoers" in str(file.path))
    (tmp_path / "rules").write_text(rules.content + other.content, encoding="utf-8")  # two desks on one host
    subprocess.run(["/usr/sbin/visudo", "-c", "-f", str(tmp_path / "rules")], check=True, capture_output=True)


# ---------------------------------------------------------------- the command
def test_nothing_is_installed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    listed = tmp_path / "agents.txt"
    listed.write_text(
        f"# the first shift\nchef;Le Chef;admin;{KEY} chef@pc\n\namelie;Amélie D'Hondt\n", encoding="utf-8"
    )
    target = tmp_path / "setup"
    assert run(["ssh-setup", "--agents", str(listed), "--write", str(target), "--lang", "en"]) == 0
    assert "Nothing is installed yet" in capsys.readouterr().out
    modes = {
        path.relative_to(target).as_posix(): stat.S_IMODE(path.stat().st_mode)
        for path in target.rglob("*")
        if path.is_file()
    }
    assert modes["etc/sudoers.d/crisisdesk"] == 0o440
    assert modes["usr/local/lib/crisisdesk/sign-in"] == 0o755
    assert {"install.sh", "agents.sh", "ssh_config", "etc/crisisdesk/keys/chef"} <= set(modes)
    agents = (target / "agents.sh").read_text(encoding="utf-8")
    assert "init --admin chef" in agents
    assert "--agent chef agent add amelie 'Amélie D'\"'\"'Hondt' --role agent" in agents
    assert run(["ssh-setup", "--write", str(target), "--lang", "en"]) == 1
    assert "exists already" in capsys.readouterr().err


def test_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["ssh-setup", "--way", "key", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert {file["path"] for file in told["files"]} >= {
        "/usr/local/lib/crisisdesk/sign-in",
        "/etc/crisisdesk/config.toml",
    }
    assert all(re.fullmatch("0[0-7]{3}", file["mode"]) and file["owner"] == "root:root" for file in told["files"])
    assert told["install"][-1]["command"] == "sshd -t"


def test_agents_from_a_desk(tmp_path: Path) -> None:
    rows = [{"login": "chef", "name": "Chef", "role": "admin", "is_active": True},
            {"login": "bruno", "name": "Bruno", "role": "agent", "is_active": False}]  # fmt: skip
    file = tmp_path / "agents.json"
    file.write_text(json.dumps(rows), encoding="utf-8")
    assert read_agents(file) == (Newcomer("chef", "Chef", Role.ADMIN),)


@pytest.mark.parametrize(("line", "words"), [
    ("a b;x", "agents.txt:1: 'a b'"), ("$(id);x", "cannot be a login"), ("-x;x", "cannot be"), ("../x;y", "cannot be"),
    ("amélie;Amélie", "cannot be a login of the host"), ("x" * 33, "cannot be a login"), ("bruno;B;boss", "is no role"),
    ("bruno;B;agent;AAAA", "no public SSH key"), ("bruno;B;agent;command=\"sh\" ssh-ed25519 AAAA", "no public SSH key"),
    ("chef\nchef", "agents.txt:2: 'chef' stands there twice"), ("[1]", "no list of agents"), ("[", "no list of agents"),
])  # fmt: skip
def test_a_line_that_cannot_be_used(tmp_path: Path, line: str, words: str) -> None:
    file = tmp_path / "agents.txt"
    file.write_text(line + "\n", encoding="utf-8")
    with pytest.raises(RuleBroken) as refused:
        read_agents(file)
    assert words in str(refused.value)


@pytest.mark.parametrize(("words", "told"), [
    (["--account", "a b"], "'a b' cannot be an account"), (["--group", "$(id)"], "cannot be an account or a group"),
    (["--settings", "/etc/a b"], "a path of letters"), (["--program", "/x;id"], "a path of letters"),
])  # fmt: skip
def test_names_that_cannot_stand_in_a_script(words: list[str], told: str) -> None:
    parser = ArgumentParser()
    add_plan_options(parser)
    with pytest.raises(RuleBroken) as refused:
        make_plan(parser.parse_args(words), Settings())
    assert told in str(refused.value)


def test_the_account_of_the_desk_and_root_are_no_agents() -> None:
    parser = ArgumentParser()
    add_plan_options(parser)
    for login in ("root", "crisisdesk"):
        with pytest.raises(RuleBroken, match=login):
            make_plan(parser.parse_args(["--way", "sudo"]), Settings(), (Newcomer(login, "X"),))
    for option in ("--account", "--group"):
        with pytest.raises(RuleBroken, match="root"):
            make_plan(parser.parse_args([option, "root"]), Settings())


def test_an_address_that_is_none(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["ssh-setup", "--addresses", "10.20.0.0/99", "--lang", "en"]) == 1
    assert "'10.20.0.0/99' is no network" in capsys.readouterr().err


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root: else everything is 'not known'")
def test_the_check_of_a_host_where_nothing_was_set_up(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    words = ["--account", "nosuchaccount", "--group", "nosuchgroup", "--settings", str(tmp_path / "none")]
    assert run(["check", "--ssh", *words, "--lang", "en"]) == 1
    told = capsys.readouterr()
    assert "nobody is in it" in told.out
    assert "no such account" in told.out
    assert "agents must not come in yet" in told.err
