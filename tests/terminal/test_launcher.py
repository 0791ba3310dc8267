"""Sessions that a launcher forked, each through a real terminal: they are as whole as others, and end as others do."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from crew import crew
from crisisdesk.cli import launched, launcher
from crisisdesk.desk.agents import Agent, find_agent
from crisisdesk.desk.drafts import list_drafts
from crisisdesk.store.engine import Store
from terminal import Terminal, desk_command

F2, SAVE, LEAVE = b"\x1bOQ", b"\x13", b"\x11"
ACCOUNT = 12345
"""Who starts launcher and sessions where the tests run as root: a launcher refuses to be root."""


def by_account() -> list[str]:
    """What starts a program as an ordinary account; with the files' rights out of the way, which are not the matter."""
    if os.geteuid() != 0:
        return []
    if (setpriv := shutil.which("setpriv")) is None:
        print("setpriv (util-linux) is not here, and root starts no launcher: skipped")
        pytest.skip("root without setpriv")
    rights = ["--inh-caps", "+dac_override", "--ambient-caps", "+dac_override"]
    return [setpriv, "--reuid", str(ACCOUNT), "--regid", str(ACCOUNT), "--clear-groups", *rights]


@dataclass
class Host:
    """A launcher at work, and what starts sessions on a desk through it."""

    process: "subprocess.Popen[str]"
    socket: Path
    desk: Path
    environ: dict[str, str]

    def session(self, login: str = "amelie", *, desk: Path | None = None, **more: object) -> Terminal:
        """A start in a terminal of its own, like that of any agent."""
        command = desk_command(desk or self.desk, login)
        return Terminal(command, environ=self.environ, run_by=by_account(), **more)  # type: ignore[arg-type]

    def children(self) -> list[int]:
        """Processes of the launcher."""
        return children_of(self.process.pid)

    def gone(self, *pids: int, seconds: float = 20.0) -> bool:
        """Wait until none of the processes is there any more, not even as a zombie."""
        end = time.monotonic() + seconds
        while any(Path(f"/proc/{pid}").exists() for pid in pids):
            if time.monotonic() > end:
                return False
            time.sleep(0.05)
        return True


def children_of(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


@pytest.fixture
def host(tmp_path: Path, desk_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Host]:
    where = tmp_path / "run" / "launcher"
    environ = {"HOME": str(tmp_path), "CRISISDESK_LAUNCHER": str(where)}
    for name in ("XDG_STATE_HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)
    with open(tmp_path / "said", "w+") as said:  # the streams of a service: nothing, a pipe, a file
        said.write("earlier\n")
        said.flush()
        process = subprocess.Popen(
            [*by_account(), sys.executable, "-m", "crisisdesk", "launcher"], env={**os.environ, **environ},
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=said, text=True,
        )  # fmt: skip
    assert process.stdout
    try:
        assert str(where) in process.stdout.readline()
        yield Host(process, where, desk_path, environ)
    finally:
        children = children_of(process.pid) if process.poll() is None else []
        for pid in children:
            os.kill(pid, signal.SIGKILL)
        process.kill()
        process.wait()
        process.stdout.close()


@pytest.fixture
def amelie(desk_store: Store) -> Agent:
    agent = find_agent(desk_store, "amelie")
    assert agent
    return agent


def typed(store: Store, agent: Agent) -> set[str]:
    """Everything in the agent's drafts."""
    return {value for draft in list_drafts(store, agent=agent) for value in dict(draft.fields).values()}


def opened(host: Host) -> tuple[Terminal, int]:
    """A session at its first screen, and the process that draws it."""
    before = set(host.children())
    screen = host.session()
    screen.see("Arlon")
    (drawing,) = set(host.children()) - before
    return screen, drawing


# ---------------------------------------------------------------- a session is a session
def test_a_whole_call_through_the_launcher_is_stored(host: Host, desk_store: Store) -> None:
    screen, drawing = opened(host)
    with screen:
        fields = "063231111\tDupont\tMarie\t12/03/1958\t\ts\t\t\tf\tarlon\to\tle genou à 80 %\t\t\tr\tdemain matin"
        screen.type(F2 + fields.encode() + SAVE)
        screen.see("0 0 0 1 -")
        screen.type(LEAVE)
        screen.see("Quit CrisisDesk?")
        screen.type(b"y")
        assert screen.ended() == 0
        assert screen.modes_now() == screen.modes
        assert b"\x1b[?1049l" in screen.raw[-400:]
    with desk_store.read() as connection:
        call = connection.exec_driver_sql("SELECT caller_phone, words FROM call").one()
    assert tuple(call) == ("+3263231111", "le genou à 80 %")
    assert host.gone(drawing)


def test_a_session_has_nothing_of_the_launcher_and_no_terminal_to_push_keys_into(host: Host) -> None:
    screen, drawing = opened(host)
    with screen:
        stat = Path(f"/proc/{drawing}/stat").read_text().rsplit(")", 1)[1].split()
        session, controlling = int(stat[3]), int(stat[4])
        assert (session, controlling) == (drawing, 0)
        assert (
            not open_files(host.process.pid) & open_files(drawing) & {f for f in open_files(drawing) if "socket" in f}
        )


def open_files(pid: int) -> set[str]:
    return {os.readlink(entry) for entry in Path(f"/proc/{pid}/fd").iterdir() if entry.is_symlink()}


def test_a_new_size_of_the_window_arrives(host: Host) -> None:
    screen, _drawing = opened(host)
    with screen:
        screen.type(F2 + b"063231111\t")
        screen.see("063231111")
        screen.resize(132, 40)
        screen.until(lambda: any(len(line.rstrip()) > 100 for line in screen.glass.text.splitlines()))
        screen.see("063231111")


@pytest.mark.parametrize(("login", "size", "code", "words"), [
    ("amelie", (50, 10), 2, "50x10"), ("nobody", (80, 24), 1, "nobody"),
])  # fmt: skip
def test_a_start_that_fails_says_so_with_its_code(
    host: Host, login: str, size: tuple[int, int], code: int, words: str
) -> None:
    with host.session(login, size=size) as screen:
        assert screen.ended() == code
        assert words.encode() in screen.raw


def test_colours_are_those_of_the_clients_terminal(host: Host) -> None:
    for term, wanted in (("xterm", False), ("xterm-256color", True)):
        host.environ["TERM"] = term
        with host.session() as screen:
            screen.see("Arlon")
            assert (b"38;5;" in screen.raw) is wanted, term


# ---------------------------------------------------------------- ends
def test_a_line_that_drops_leaves_no_process_and_loses_no_field(host: Host, desk_store: Store, amelie: Agent) -> None:
    screen, drawing = opened(host)
    with screen:
        screen.type(F2 + b"063231111\tDupont")
        screen.until(lambda: "063231111" in typed(desk_store, amelie))
        screen.hang_up()
        assert screen.ended() in {-signal.SIGHUP, launched.HANGUP_CODE}
    assert host.gone(drawing)
    assert "063231111" in typed(desk_store, amelie)


def test_a_killed_client_takes_its_session_with_it_and_what_was_typed_is_kept(
    host: Host, desk_store: Store, amelie: Agent
) -> None:
    screen, drawing = opened(host)
    with screen:
        screen.type(F2 + b"063231111\tDupont")
        screen.see("Dupont")
        screen.process.kill()
        screen.process.wait()
        assert host.gone(drawing)
        assert {"063231111", "Dupont"} <= typed(desk_store, amelie)  # also the field that was not left
        screen.read(0.5)
        assert b"\x1b[?1049l" in screen.raw[-400:]
        assert screen.modes_now() == screen.modes


def test_a_stalled_terminal_is_no_hiding_place(host: Host) -> None:
    """Nobody reads the screen any more and the client dies: the session hangs in a write, and ends all the same."""
    screen, drawing = opened(host)
    with screen:
        for _key in range(600):
            screen.type(F2 + b"x\x1bOR")
        screen.process.kill()
        screen.process.wait()
        assert host.gone(drawing)


def test_a_killed_session_leaves_a_terminal_that_can_be_used(host: Host, desk_store: Store, amelie: Agent) -> None:
    screen, drawing = opened(host)
    with screen:
        screen.type(F2 + b"063231111\t")
        screen.until(lambda: "063231111" in typed(desk_store, amelie))
        os.kill(drawing, signal.SIGKILL)
        assert screen.ended() == launched.KILL_CODE
        assert screen.modes_now() == screen.modes
        assert b"\x1b[?1049l" in screen.raw
        assert b"start again" in screen.raw[-300:]
    assert host.gone(drawing)


def test_sigterm_to_the_client_ends_the_session_in_order(host: Host, desk_store: Store, amelie: Agent) -> None:
    screen, drawing = opened(host)
    with screen:
        screen.type(F2 + b"063231111")
        screen.see("063231111")
        screen.process.send_signal(signal.SIGTERM)
        assert screen.ended() == launched.TERM_CODE
        assert screen.modes_now() == screen.modes
    assert host.gone(drawing)
    assert "063231111" in typed(desk_store, amelie)


def test_a_killed_launcher_ends_no_session_and_the_next_start_is_an_ordinary_one(
    host: Host, desk_store: Store, amelie: Agent
) -> None:
    screen, drawing = opened(host)
    with screen:
        host.process.kill()
        host.process.wait()
        screen.type(F2 + b"063231111\tDupont\t")
        screen.until(lambda: "Dupont" in typed(desk_store, amelie))
        with host.session("bruno") as other:
            other.see("Arlon")
        screen.resize(100, 30)
        screen.see("Dupont")
        screen.process.kill()
        screen.process.wait()
    assert host.gone(drawing)


def test_twenty_sessions_at_once(host: Host) -> None:
    screens = [host.session(login) for login in crew(host.desk, 20)]
    try:
        for screen in screens:
            screen.see("Arlon")
        drawing = host.children()
        assert len(drawing) == 20
    finally:
        for screen in screens:
            screen.__exit__(None, None, None)
    assert host.gone(*drawing, seconds=60)
    assert host.children() == []
    assert host.process.poll() is None


# ---------------------------------------------------------------- who is let in, and when it is not used
def test_without_a_launcher_the_start_is_an_ordinary_one(host: Host, tmp_path: Path) -> None:
    for path in ("", str(tmp_path / "none" / "launcher")):
        host.environ["CRISISDESK_LAUNCHER"] = path
        with host.session() as screen:
            screen.see("Arlon")
            assert host.children() == []


def test_a_folder_that_is_open_to_others_is_not_trusted(host: Host) -> None:
    host.socket.parent.chmod(0o755)
    with host.session() as screen:
        screen.see("Arlon")
        assert host.children() == []


def test_another_account_is_not_let_in(host: Host) -> None:
    if os.geteuid() != 0:
        print("only root can be another account here: skipped")
        pytest.skip("not root")
    line = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    line.settimeout(30)
    with line:
        line.connect(str(host.socket))
        assert launched.ask(line, launched.hello([], {}), (0, 1, 2)) in {"refused", "silent"}
    assert host.children() == []


def greet(host: Host, code: str) -> str:
    """What a program of the launcher's account is answered that speaks to it by itself."""
    whole = "import os\nfrom crisisdesk.cli import launched\nline = launched.connect(os.environ)\n" + code
    ran = subprocess.run(
        [*by_account(), sys.executable, "-c", whole], env={**os.environ, **host.environ}, capture_output=True,
        text=True, timeout=60, check=False,
    )  # fmt: skip
    return ran.stdout + ran.stderr


def test_another_program_is_refused_and_a_client_that_does_not_go_on_leaves_nothing(host: Host) -> None:
    ask = "print(launched.ask(line, launched.hello([], {}), (0, 1, 2)))\n"
    assert greet(host, ask).strip().isdigit()
    assert "refused" in greet(host, "launched.package_folder = lambda: '/elsewhere'\n" + ask)
    assert "refused" in greet(host, "launched.PROTOCOL = 'crisisdesk-launcher-0'\n" + ask)
    assert "refused" in greet(host, "print(launched.ask(line, b'\\0\\0nonsense', (0, 1, 2)))\n")
    assert host.gone(*host.children())
    with host.session() as screen:
        screen.see("Arlon")
        assert len(host.children()) == 1


def test_a_launcher_that_does_not_answer_is_given_up(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    folder.mkdir(mode=0o700)
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as door:
        door.bind(str(folder / "launcher"))
        door.listen()
        line = launched.connect({"CRISISDESK_LAUNCHER": str(folder / "launcher")})
        assert not isinstance(line, str)
        line.settimeout(0.2)
        with line:
            assert launched.ask(line, launched.hello([], {}), (0, 1, 2)) == "silent"


def test_a_second_launcher_and_a_launcher_of_root_are_refused(host: Host) -> None:
    command = [sys.executable, "-m", "crisisdesk", "--lang", "en", "launcher"]
    environ = {**os.environ, **host.environ}
    second = subprocess.run(
        [*by_account(), *command], env=environ, capture_output=True, text=True, timeout=60, check=False
    )
    assert (second.returncode, "at work" in second.stderr) == (1, True)
    if os.geteuid() != 0:
        print("only root can be root: skipped")
        pytest.skip("not root")
    root = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=60, check=False)
    assert (root.returncode, "root" in root.stderr) == (1, True)


def test_a_new_program_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "crisisdesk"
    (package / "cli").mkdir(parents=True)
    (package / "cli" / "main.py").write_text("old")
    monkeypatch.setattr(launcher, "package_folder", lambda: str(package))
    monkeypatch.setattr(launcher, "LOOK_SECONDS", 0)
    program = launcher.Program()
    assert not program.is_another()
    (package / "cli" / "__pycache__").mkdir()
    (package / "cli" / "__pycache__" / "main.pyc").write_text("compiled")
    assert not program.is_another()
    stamp = datetime.now(UTC).timestamp() + 5
    os.utime(package / "cli" / "main.py", (stamp, stamp))
    assert program.is_another()


def test_only_what_a_session_needs_goes_with_it() -> None:
    environ = {
        "TERM": "xterm", "LC_ALL": "C.UTF-8", "CRISISDESK_DESK": "d", "SUDO_UID": "7", "NO_COLOR": "1",
        "PYTHONPATH": "/evil", "LD_PRELOAD": "/evil", "TEXTUAL_DRIVER": "evil:Evil", "COLUMNS": "300",
    }  # fmt: skip
    message = launched.hello(["--desk", "d"], environ)
    assert all(
        name in message for name in (b"TERM=xterm", b"LC_ALL=", b"CRISISDESK_DESK=d", b"SUDO_UID=7", b"NO_COLOR")
    )
    assert not any(name in message for name in (b"evil", b"COLUMNS"))


@pytest.mark.parametrize(("words", "is_it"), [
    ([], True), (["desk"], True), (["--desk", "x", "desk", "--agent=y"], True), (["--desk", "desk"], True),
    (["desk", "desk"], False), (["--desk"], False), (["--version"], False), (["desk", "--help"], False),
    (["--json", "desk"], False), (["demo"], False), (["queue", "list"], False),
])  # fmt: skip
def test_only_a_start_of_the_screens_is_handed_on(words: list[str], is_it: bool) -> None:
    assert launched.is_for_screens(words) is is_it


def test_the_light_half_is_light() -> None:
    code = "import sys; before = set(sys.modules); import crisisdesk.cli.launched; print(*(set(sys.modules) - before))"
    loaded = set(
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    )
    ours = {name for name in loaded if name.startswith("crisisdesk")}
    assert ours == {"crisisdesk", "crisisdesk.cli", "crisisdesk.cli.launched"}
    assert not loaded & {"json", "argparse", "asyncio", "gettext", "sqlite3", "textual", "sqlalchemy", "subprocess"}


def test_the_unit_lets_sessions_live() -> None:
    unit = launcher.unit_text().splitlines()
    kept = {"KillMode=process", "OOMPolicy=continue", "RuntimeDirectoryMode=0700", "LimitCORE=0", "UMask=0077"}
    assert kept <= set(unit)
    (command,) = (line for line in unit if line.startswith("ExecStart="))
    assert command.endswith(" launcher")


def test_check_tells_whether_a_launcher_is_there(host: Host) -> None:
    say = "print(launched.probe(os.environ))\n"
    assert greet(host, say).strip() == "ready"
    assert host.gone(*host.children())
    host.socket.parent.chmod(0o755)
    assert greet(host, say).strip() == "foreign"
    assert launched.probe({"CRISISDESK_LAUNCHER": ""}) == "off"
    assert launched.probe({"CRISISDESK_LAUNCHER": str(host.desk.parent / "none")}) == "absent"
