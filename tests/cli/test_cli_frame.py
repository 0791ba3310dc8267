"""The command line as it is run: real processes, their exit codes, what is on stdout and what on stderr."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Result = subprocess.CompletedProcess[str]
Run = Callable[..., Result]
HOSTILE = "\x1b[2J\x1b]0;owned\x07[@click=app.quit]\u202eevil\u200b\n[/]"


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Run the command line in a process of its own, with an empty home."""
    environment = {
        "PATH": os.environ["PATH"], "HOME": str(tmp_path), "LC_ALL": "C.UTF-8", "CRISISDESK_AGENT": "amelie",
        "CRISISDESK_DESK": str(tmp_path / "crisis.desk"), "CRISISDESK_ALLOW_ROOT": "1",
    }  # fmt: skip

    def run_it(*words: str | bytes, stdin: str = "", **more: str) -> Result:
        return subprocess.run(
            [sys.executable, "-m", "crisisdesk", *words],
            input=stdin, capture_output=True, text=True, env=environment | more, timeout=60, check=False,
        )  # fmt: skip

    return run_it


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A desk made by the command line itself, once."""
    path = tmp_path_factory.mktemp("made") / "crisis.desk"
    words = ["--desk", str(path), "init", "--admin", "amelie", "--admin-name", "Amélie"]
    told = subprocess.run([sys.executable, "-m", "crisisdesk", *words], capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stderr
    return path


@pytest.fixture
def desk(made: Path, tmp_path: Path) -> Path:
    """A copy of it for one test, where the environment of `run` names it."""
    return Path(shutil.copy(made, tmp_path / "crisis.desk"))


def is_inert(text: str) -> bool:
    """Whether a terminal would show the text and do nothing else."""
    return not any(character in text for character in "\x1b\x07\u202e\u200b\x9b")


def test_the_version_loads_nothing_heavy(run: Run) -> None:
    code = (
        "import sys; from crisisdesk.cli.main import run; run(['--version']); "
        "heavy = ('textual', 'rich', 'sqlmodel', 'sqlalchemy', 'phonenumbers', 'platformdirs', 'tomllib'); "
        "print([name for name in heavy if name in sys.modules])"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert told.stdout.splitlines()[1] == "[]"
    assert run("--version").stdout.startswith("crisisdesk 0.")


def test_the_help_lists_every_command_and_the_exit_codes(run: Run) -> None:
    from crisisdesk.cli.main import COMMANDS

    told = run("--help")
    assert told.returncode == 0
    lines = [line.split() for line in told.stdout.splitlines()]
    assert {words[0] for words in lines if words} >= set(COMMANDS)
    assert "exit codes:" in told.stdout


def test_one_command_loads_only_its_own_module() -> None:
    code = (
        "import sys; from crisisdesk.cli.main import run; run(['agent', '--help']); "
        "print([name for name in sys.modules if name.startswith('crisisdesk.cli.')], file=sys.stderr)"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert "crisisdesk.cli.agents" in told.stderr
    assert "crisisdesk.cli.check" not in told.stderr


@pytest.mark.parametrize(
    "words",
    [
        ["bogus"], ["agent"], ["agent", "add"], ["--bogus"], ["agent", "list", "--bogus"], ["completion", "fish"],
        ["--json", "--plain", "paths"],
    ],
)  # fmt: skip
def test_a_wrong_usage_is_2_and_says_so_on_stderr(run: Run, words: list[str]) -> None:
    told = run(*words)
    assert (told.returncode, told.stdout) == (2, "")
    assert "--help" in told.stderr
    assert "Traceback" not in told.stderr


def test_no_terminal_is_a_wrong_usage(run: Run, desk: Path) -> None:
    for words in ([], ["desk"]):
        told = run(*words)
        assert (told.returncode, told.stdout) == (2, "")
        assert len(told.stderr.splitlines()) == 1


def test_no_desk_is_1_and_an_absent_one_is_3(run: Run, tmp_path: Path) -> None:
    named_none = run("agent", "list", CRISISDESK_DESK="")
    assert named_none.returncode == 1
    assert "--desk FILE" in named_none.stderr
    absent = run("agent", "list")
    assert absent.returncode == 3
    assert str(tmp_path / "crisis.desk") in absent.stderr
    assert absent.stdout == ""


def test_a_file_that_is_no_desk_is_3(run: Run, tmp_path: Path) -> None:
    (tmp_path / "crisis.desk").write_bytes(b"hello, this is not a database at all" * 100)
    told = run("check")
    assert told.returncode == 3
    assert "Traceback" not in told.stderr


def test_options_stand_before_or_after_the_command(run: Run, desk: Path) -> None:
    before = run("--desk", str(desk), "--json", "agent", "list", CRISISDESK_DESK="/nowhere")
    after = run("agent", "list", "--json", "--desk", str(desk), CRISISDESK_DESK="/nowhere")
    middle = run("agent", "--json", "list", "--desk", str(desk), CRISISDESK_DESK="/nowhere")
    assert before.returncode == 0, before.stderr
    assert json.loads(before.stdout) == json.loads(after.stdout) == json.loads(middle.stdout)


def test_the_desk_is_named_by_flag_over_environment_over_settings(run: Run, desk: Path, tmp_path: Path) -> None:
    settings = tmp_path / "settings.toml"
    settings.write_text(f'desk = "{desk}"\n', encoding="utf-8")
    by_settings = run("agent", "list", CRISISDESK_DESK="", CRISISDESK_CONFIG=str(settings))
    assert by_settings.returncode == 1, "an empty variable names no desk, and still stands over the settings"
    paths = json.loads(run("paths", "--json", CRISISDESK_CONFIG=str(settings)).stdout)
    assert paths["desk"] == str(desk)
    assert paths["settings"] == str(settings)
    assert json.loads(run("paths", "--json", "--desk", "/x.desk").stdout)["desk"] == "/x.desk"


def test_agents_by_the_command_line(run: Run, desk: Path) -> None:
    assert run("agent", "add", "luc", "Luc Évrard").returncode == 0
    assert run("agent", "role", "luc", "supervisor").returncode == 0
    rows = json.loads(run("agent", "list", "--json").stdout)
    assert {row["login"]: row["role"] for row in rows} == {"amelie": "admin", "luc": "supervisor"}
    refused = run("agent", "add", "eve", "Eve", "--agent", "luc")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "admin" in refused.stderr
    assert run("agent", "disable", "luc").returncode == 0
    assert run("agent", "list", "--agent", "luc").returncode == 1


def test_plain_is_one_fact_a_line(run: Run, desk: Path) -> None:
    told = run("agent", "list", "--plain", "--lang", "en")
    assert told.stdout.splitlines()[:3] == ["Login: amelie", "Name: Amélie", "Role: admin"]


def test_check_finds_a_sound_desk(run: Run, desk: Path) -> None:
    told = run("check", "--json")
    found = json.loads(told.stdout)
    assert found["is_sound"] is True
    assert found["schema"] >= 1
    assert found["journal_entries"] >= 1
    assert found["free_bytes"] > 0
    assert told.returncode == (0 if found["has_room"] else 1)


def test_check_finds_a_changed_journal(run: Run, desk: Path) -> None:
    from crisisdesk.store.sqlite import choose_sqlite

    connection = choose_sqlite().connect(str(desk))
    connection.execute("DROP TRIGGER journal_no_update")
    connection.execute("UPDATE journal SET agent = 'somebody else' WHERE seq = 1")
    connection.commit()
    connection.close()
    told = run("check", "--json")
    assert told.returncode == 1
    assert json.loads(told.stdout)["is_sound"] is False
    assert "backup" in run("check", "--lang", "en").stderr


def test_init_tells_every_mistake_of_a_folder(run: Run, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "desk.toml").write_text("name = 3\n", encoding="utf-8")
    told = run("init", str(tmp_path / "mine"), "--lang", "en")
    assert told.returncode == 1
    assert "desk.toml:1: name: must be a text" in told.stderr
    assert "sites.toml:1:" in told.stderr
    assert not (tmp_path / "crisis.desk").exists()


def test_the_language_is_that_of_the_desk_unless_chosen(run: Run, desk: Path) -> None:
    from crisisdesk.i18n import available_languages

    if "fr" not in available_languages():
        pytest.skip("no French catalogue has been compiled yet")
    assert "Identifiant" in run("agent", "list").stdout
    assert "Login" in run("agent", "list", "--lang", "en").stdout
    assert "Login" in run("agent", "list", CRISISDESK_LANGUAGE="en").stdout


def test_a_wrong_usage_is_told_in_the_language_of_the_agent(run: Run) -> None:
    told = run("agent", "add", "--lang", "fr").stderr
    assert "the following arguments" not in told
    assert "IDENTIFIANT" in told


@pytest.mark.parametrize(
    "words",
    [
        [HOSTILE], ["agent", "add", HOSTILE, "x"], ["agent", "role", HOSTILE, "agent"],
        ["agent", "disable", HOSTILE], ["agent", "list", "--agent", HOSTILE],
        ["agent", "list", "--desk", "/tmp/none/" + HOSTILE], ["init", "/tmp/none" + HOSTILE],
        ["paths", "--desk", HOSTILE], ["--lang", HOSTILE, "agent", "list"], ["agent", "list", HOSTILE],
        [b"agent", b"add", b"caf\xe9", b"\xff\xfe"], ["agent", "add", "x", HOSTILE],
    ],
)  # fmt: skip
def test_hostile_words_are_shown_inert(run: Run, desk: Path, words: list[str | bytes]) -> None:
    told = run(*words)
    assert told.returncode in (0, 1, 2, 3)
    assert is_inert(told.stdout + told.stderr), ascii(told.stdout + told.stderr)
    assert "Traceback" not in told.stderr


def test_a_hostile_name_is_listed_inert(run: Run, desk: Path) -> None:
    run("agent", "add", "eve", HOSTILE)
    for shape in ("--plain", "--json", "--lang=en"):
        listed = run("agent", "list", shape)
        assert listed.returncode == 0
        assert is_inert(listed.stdout), ascii(listed.stdout)


@pytest.mark.parametrize("words", ["completion bash", "--help", "paths"])
def test_a_reader_that_goes_away_is_quiet(words: str) -> None:
    shell = f"{sys.executable} -m crisisdesk {words} | true"
    told = subprocess.run(["bash", "-c", shell], capture_output=True, text=True, timeout=60, check=False)
    assert told.stderr == ""


def test_a_full_device_is_a_sentence(run: Run, desk: Path) -> None:
    shell = f"{sys.executable} -m crisisdesk paths > /dev/full"
    told = subprocess.run(["bash", "-c", shell], capture_output=True, text=True, timeout=60, check=False)
    assert told.returncode == 1
    assert "Traceback" not in told.stderr
    assert told.stderr.startswith("crisisdesk: ")


@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_completion_knows_every_command(run: Run, shell: str) -> None:
    from crisisdesk.cli.main import COMMANDS

    script = run("completion", shell).stdout
    assert all(command in script for command in COMMANDS)


def test_bash_completes(run: Run, tmp_path: Path) -> None:
    script = run("completion", "bash").stdout
    ask = script + '\nCOMP_WORDS=(crisisdesk agent di); COMP_CWORD=2; _crisisdesk; echo "${COMPREPLY[@]}"'
    assert subprocess.run(["bash", "-c", ask], capture_output=True, text=True, check=True).stdout.strip() == "disable"


def test_a_defect_is_told_calmly_and_kept_without_what_it_was_about(tmp_path: Path) -> None:
    code = (
        "import sys; from crisisdesk.cli import main, paths\n"
        "def fail(arguments, context): raise ValueError('DUPONT Marie 85.07.30-033.28')\n"
        "paths.show_paths = fail\n"
        "sys.exit(main.run(['paths']))"
    )
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "CRISISDESK_LOG": str(tmp_path / "log")}
    told = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment, timeout=60, check=False
    )
    assert told.returncode == 70
    log = (tmp_path / "log").read_text(encoding="utf-8")
    assert "ValueError" in log
    assert "DUPONT" not in log + told.stderr
    assert (tmp_path / "log").stat().st_mode & 0o077 == 0
