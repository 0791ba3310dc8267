"""Not as root, not where others have rights, no dump, and no closed stream that a desk could be opened as."""

import os
import resource
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from crisisdesk.cli import guard
from crisisdesk.config import Settings
from crisisdesk.errors import RuleBroken, StoreUnavailable

Told = subprocess.CompletedProcess[str]


def crisisdesk(*words: str, home: Path, shell: str = "", **more: str) -> Told:
    """Run the program with a bare environment; ``shell`` is what the shell does with its streams ("<&-")."""
    environment = {"PATH": os.environ["PATH"], "HOME": str(home), "LC_ALL": "C.UTF-8", **more}
    command = f"{shlex.join([sys.executable, '-m', 'crisisdesk', *words])} {shell}"
    return subprocess.run(
        ["sh", "-c", command], capture_output=True, text=True, env=environment, timeout=60, check=False
    )


as_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root: what it refuses is root")


# ---------------------------------------------------------------- root
@as_root
def test_root_opens_no_real_desk(desk_path: Path, tmp_path: Path) -> None:
    before = sorted(desk_path.parent.iterdir())
    os.chown(desk_path, 12345, 12345)
    for words in (["agent", "list"], ["check"], ["import", "x.csv", "--site", "arlon"]):
        told = crisisdesk("--desk", str(desk_path), "--agent", "amelie", *words, home=tmp_path)
        assert told.returncode == 1
        assert "does not open a desk as root" in told.stderr
    assert sorted(desk_path.parent.iterdir()) == before, "nothing of root's lies beside a desk of another account"


@as_root
def test_root_opens_no_real_desk_of_its_own_and_makes_none(desk_path: Path, tmp_path: Path) -> None:
    told = crisisdesk("--desk", str(desk_path), "--agent", "amelie", "agent", "list", home=tmp_path)
    assert (told.returncode, told.stdout) == (1, "")
    assert "as root" in told.stderr
    told = crisisdesk("--desk", str(tmp_path / "new.desk"), "init", "--admin", "amelie", home=tmp_path)
    assert told.returncode == 1
    assert not (tmp_path / "new.desk").exists()


@as_root
def test_root_may_where_it_is_allowed_and_locks_nobody_out(desk_path: Path, tmp_path: Path) -> None:
    os.chown(desk_path, 12345, 12345)
    words = ("--desk", str(desk_path), "--agent", "amelie", "agent", "list")
    told = crisisdesk(*words, home=tmp_path, CRISISDESK_ALLOW_ROOT="1")
    assert told.returncode == 0, told.stderr
    assert {file.stat().st_uid for file in desk_path.parent.glob("desk.db*")} == {12345}


@as_root
@pytest.mark.parametrize("words", [["paths"], ["--help"], ["--version"], ["completion", "bash"], ["ssh-setup"]])
def test_what_touches_no_desk_works_as_root(words: list[str], tmp_path: Path) -> None:
    assert crisisdesk(*words, home=tmp_path).returncode == 0


def test_who_is_not_root_is_not_asked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    guard.refuse_root(tmp_path, Settings())
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    guard.refuse_root(tmp_path, Settings(allow_root=True))
    with pytest.raises(RuleBroken):
        guard.refuse_root(tmp_path, Settings())


# ---------------------------------------------------------------- files
@pytest.mark.parametrize("suffix", guard.BESIDE)
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o602, 0o666])
def test_a_file_on_which_others_have_rights_is_refused(desk_path: Path, suffix: str, mode: int) -> None:
    file = Path(f"{desk_path}{suffix}")
    file.touch(0o600)
    guard.refuse_open_files(desk_path, is_attested=False)
    file.chmod(mode)
    with pytest.raises(StoreUnavailable) as refused:
        guard.refuse_open_files(desk_path, is_attested=False)
    _told, _mend, command = str(refused.value).rpartition("Mend it with: ")
    subprocess.run(command, shell=True, check=True)
    guard.refuse_open_files(desk_path, is_attested=False)


def test_a_folder_that_everybody_can_write_is_refused(desk_path: Path) -> None:
    folder = desk_path.parent
    for mode, is_refused in ((0o777, True), (0o703, True), (0o1777, False), (0o770, False), (0o755, False)):
        folder.chmod(mode)
        problems = [one for one in guard.open_files(desk_path) if str(folder) in one]
        assert bool(problems) == is_refused, f"{mode:o}"
    folder.chmod(0o700)


def test_an_attested_desk_lies_in_a_folder_of_its_own(desk_path: Path) -> None:
    folder = desk_path.parent
    assert not list(guard.foreign_folder(folder, folder.stat().st_uid))
    folder.chmod(0o750)
    assert "chmod 700" in next(guard.foreign_folder(folder, folder.stat().st_uid))
    folder.chmod(0o700)
    assert "chown 4242" in next(guard.foreign_folder(folder, 4242))


def test_a_link_does_not_hide_the_folder(desk_path: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "link.desk"
    elsewhere.symlink_to(desk_path)
    desk_path.parent.chmod(0o777)
    assert any(str(desk_path.parent) in one for one in guard.open_files(elsewhere))
    desk_path.parent.chmod(0o700)


def test_the_program_refuses_with_the_code_of_a_desk_that_cannot_be_used(desk_path: Path, tmp_path: Path) -> None:
    desk_path.chmod(0o644)
    words = ("--desk", str(desk_path), "--agent", "amelie", "agent", "list")
    told = crisisdesk(*words, home=tmp_path, CRISISDESK_ALLOW_ROOT="1")
    assert (told.returncode, told.stdout) == (3, "")
    assert f"chmod 600 {desk_path}" in told.stderr


# ---------------------------------------------------------------- the process
def test_no_core_no_reading_of_memory_no_rights_for_others(desk_path: Path, tmp_path: Path) -> None:
    code = (
        "import os, sys, resource, ctypes; from crisisdesk import __main__ as entry; "
        "sys.argv = ['crisisdesk', *sys.argv[1:]]; code = entry.main(); "
        "print(resource.getrlimit(resource.RLIMIT_CORE), ctypes.CDLL(None).prctl(3), oct(os.umask(0)))"
    )
    command = [sys.executable, "-c", code, "--desk", str(desk_path), "--agent", "amelie", "agent", "list"]
    told = subprocess.run(command, capture_output=True, text=True, check=True, cwd=tmp_path)
    assert told.stdout.splitlines()[-1] == "(0, 0) 0 0o77"
    assert resource.getrlimit(resource.RLIMIT_CORE)[1] != 0 or os.geteuid() != 0, "this process itself may dump"


def test_the_version_needs_no_ctypes() -> None:
    code = (
        "import sys; from crisisdesk import __main__ as entry; sys.argv = ['x', '--version']; entry.main(); "
        "print('ctypes' in sys.modules)"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.splitlines()[-1] == "False"


# ---------------------------------------------------------------- closed streams
def test_closed_stdin(desk_path: Path, tmp_path: Path) -> None:
    more = {"CRISISDESK_ALLOW_ROOT": "1", "CRISISDESK_DESK": str(desk_path), "CRISISDESK_AGENT": "amelie"}
    told = crisisdesk("agent", "list", home=tmp_path, shell="<&-", **more)
    assert told.returncode == 0, told.stderr
    assert "sylvie" in told.stdout
    told = crisisdesk(home=tmp_path, shell="<&-", **more)
    assert told.returncode == 2
    assert "need a terminal" in told.stderr


@pytest.mark.parametrize("words", [[], ["agent", "list"], ["--version"], ["paths"], ["--help"]])
def test_closed_stdout(words: list[str], desk_path: Path, tmp_path: Path) -> None:
    more = {"CRISISDESK_ALLOW_ROOT": "1", "CRISISDESK_DESK": str(desk_path), "CRISISDESK_AGENT": "amelie"}
    told = crisisdesk(*words, home=tmp_path, shell=">&-", **more)
    assert told.returncode == 2
    assert "standard output is closed" in told.stderr
    assert told.stderr.count("\n") == 1


@pytest.mark.parametrize("shell", ["2>&-", "<&- 2>&-", "<&- >&- 2>&-"])
def test_closed_stderr(shell: str, desk_path: Path, tmp_path: Path) -> None:
    """Nothing can be said; what matters is that no file of the desk becomes stream 0, 1 or 2."""
    before = desk_path.read_bytes()
    more = {"CRISISDESK_ALLOW_ROOT": "1", "CRISISDESK_DESK": str(desk_path), "CRISISDESK_AGENT": "nobody"}
    told = crisisdesk("agent", "list", home=tmp_path, shell=shell, **more)
    assert told.returncode == (2 if ">&- 2" in shell else 1)
    assert told.stdout + told.stderr == ""
    assert desk_path.read_bytes() == before
    assert crisisdesk(home=tmp_path, shell=shell, **more).returncode == 2
