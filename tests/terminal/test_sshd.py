"""Both ways in, on a real sshd with real accounts and real sudo, built from what `ssh-setup` writes; then the attacks.

An attack is a command of the client. Each has a control: the same command against an sshd that forbids nothing, where
it must succeed, so that the check can fail.
"""

import json
import os
import pty
import pwd
import re
import secrets
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sshd_rig import DeskOverSsh, why_not
from terminal import Terminal

MISSING = why_not()
if MISSING:
    print(f"no sshd tests: {MISSING}")
pytestmark = [pytest.mark.skipif(bool(MISSING), reason=MISSING or "-"), pytest.mark.timeout(300)]
SAW = "S4W-"
Told = subprocess.CompletedProcess[str]


@pytest.fixture(scope="module", params=["sudo", "key"])
def rig(request: pytest.FixtureRequest, desk_template: Path) -> Iterator[DeskOverSsh]:
    """A desk over SSH with two agents who have folders of their own; beside it an sshd that forbids nothing."""
    with DeskOverSsh(request.param, desk_template, ["amelie", "bruno"], homes=request.param == "sudo") as one:
        one.start_plain_sshd()
        yield one


@contextmanager
def at_desk(rig: DeskOverSsh, name: str = "amelie", *words: str, **options: object) -> Iterator[Terminal]:
    """The agent's screens, once they are there."""
    environ = options.pop("environ", None)
    arguments, program = rig.session(name, *words, **options)
    with Terminal(arguments, program=program, environ=environ) as screen:  # type: ignore[arg-type]
        screen.until(lambda: "F8" in screen.glass.text and "· agent" in screen.glass.text)
        yield screen
    rig.wait_until(lambda: not rig.processes(), "every process of the session is gone")


def ask(rig: DeskOverSsh, *words: str, plain: bool = False, options: tuple[str, ...] = (), tty: bool = False) -> Told:
    """Run the client to its end, with nothing to read."""
    command = rig.command("amelie", *words, options=options, tty=tty, plain=plain)
    return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False)


# ---------------------------------------------------------------- the way in
def test_an_agent_comes_in_under_her_own_login(rig: DeskOverSsh) -> None:
    with at_desk(rig) as screen:
        assert "amelie · agent" in screen.glass.text.splitlines()[0]
        assert len(rig.server_processes()) == 1
    with at_desk(rig, "bruno") as screen:
        assert "bruno · agent" in screen.glass.text.splitlines()[0]


def test_leaving_leaves_no_shell_and_a_whole_terminal(rig: DeskOverSsh) -> None:
    with at_desk(rig) as screen:
        screen.type(b"\x11")  # ^Q
        screen.see("[o]")
        screen.type(b"o")
        assert screen.ended() == 0
        assert screen.raw.rfind(b"\x1b[?1049l") > screen.raw.rfind(b"\x1b[?1049h")
        assert b"$ " not in screen.raw[screen.raw.rfind(b"\x1b[?1049l") :]


def test_a_killed_client_leaves_no_process(rig: DeskOverSsh) -> None:
    with at_desk(rig) as screen:
        screen.process.kill()
        rig.wait_until(lambda: not rig.processes(), "gone", 10)


def test_a_killed_desk_leaves_a_whole_terminal(rig: DeskOverSsh) -> None:
    with at_desk(rig) as screen:
        before = len(screen.raw)
        os.kill(rig.server_processes()[0], signal.SIGKILL)
        assert screen.ended() == 137
        last = screen.raw[before:]
        for mode in (b"\x1b[?1049l", b"\x1b[?25h", b"\x1b[?2004l"):
            assert mode in last


def test_the_checker_finds_nothing_wrong_and_finds_each_fault(
    rig: DeskOverSsh, monkeypatch: pytest.MonkeyPatch
) -> None:
    def wrong(expected: int) -> set[str]:
        told = rig.crisisdesk("check", "--ssh", "--json", *rig.options, "--sshd-config", str(config), code=expected)
        return {one["what"] for one in json.loads(told) if one["state"] == "wrong"}

    config = rig.folder / "sshd.conf"
    assert wrong(0) == set()
    for fault, mend, what in faults(rig):
        fault()
        try:
            assert any(what in one for one in wrong(1)), what
        finally:
            mend()
    assert wrong(0) == set()


def faults(rig: DeskOverSsh) -> Iterator[tuple[Callable[[], object], Callable[[], object], str]]:
    """What can be wrong: how to make it so, how to mend it, and which finding names it."""
    keys = next((rig.settings / "keys").iterdir())
    for file, bad, good in (
        (rig.launchers / "sign-in", 0o777, 0o755),
        (rig.launchers, 0o775, 0o755),
        (rig.settings / "config.toml", 0o664, 0o644),
        (keys, 0o666, 0o644),
        (rig.desk, 0o640, 0o600),
        (rig.desk.parent, 0o755, 0o700),
    ):
        what = str(rig.launchers / "sign-in") if file == rig.launchers else str(file)
        yield (lambda file=file, bad=bad: file.chmod(bad)), (lambda file=file, good=good: file.chmod(good)), what
    owner = pwd.getpwnam(rig.account)
    yield lambda: os.chown(keys, owner.pw_uid, 0), lambda: os.chown(keys, 0, 0), str(keys)
    snippet = rig.settings / "sshd.conf"
    whole = snippet.read_text(encoding="utf-8")
    for keyword in (
        "ForceCommand",
        "PermitUserRC",
        "MaxSessions",
        "MaxStartups",
        "AuthorizedKeysFile",
        "X11Forwarding",
    ):
        if keyword in re.sub("#.*", "", whole):
            without = re.sub(rf"(?m)^ *{keyword} .*\n", "", whole) + ("X11Forwarding yes\n" if "X11" in keyword else "")
            yield (
                lambda text=without: snippet.write_text(text, encoding="utf-8"),  # type: ignore[misc]
                lambda: snippet.write_text(whole, encoding="utf-8"),
                keyword.lower(),
            )
    if rig.way == "sudo":
        rules = Path("/etc/sudoers.d") / rig.account.removesuffix("svc")
        text = rules.read_text(encoding="utf-8")
        for bad_rules in (text.replace(' ""', ""), re.sub("NOPASSWD: .*", "NOPASSWD: ALL", text)):
            yield (
                lambda bad=bad_rules: rules.write_text(bad, encoding="utf-8"),  # type: ignore[misc]
                lambda: rules.write_text(text, encoding="utf-8"),
                "sudo ",
            )
    else:
        lines = keys.read_text(encoding="utf-8")
        yield (
            lambda: keys.write_text(lines.replace("restrict,pty,", ""), encoding="utf-8"),
            lambda: keys.write_text(lines, encoding="utf-8"),
            "command=",
        )


# ---------------------------------------------------------------- commands
@pytest.mark.parametrize("words", [
    (f"echo {SAW}$((40+2))",), ("sh", "-c", f"'echo {SAW}$((40+2))'"), ("crisisdesk", "--agent", "bruno"),
    ("sftp", "-s"),
])  # fmt: skip
def test_exec(rig: DeskOverSsh, words: tuple[str, ...]) -> None:
    told = ask(rig, *words)
    assert told.returncode == 2
    assert told.stdout == ""
    assert told.stderr == (
        "CrisisDesk takes no commands over SSH. Connect with a terminal, without a command: ssh -t LOGIN@HOST\n"
    )
    if SAW in words[-1]:
        assert f"{SAW}42" in ask(rig, *words, plain=True).stdout


def test_exec_with_a_terminal_is_the_desk(rig: DeskOverSsh) -> None:
    with at_desk(rig, "amelie", f"echo {SAW}$((40+2))") as screen:
        assert f"{SAW}42".encode() not in screen.raw
    arguments, program = rig.session("amelie", f"echo {SAW}$((40+2))", plain=True)
    with Terminal(arguments, program=program) as screen:
        screen.see(f"{SAW}42")


def copy(rig: DeskOverSsh, program: str, *words: str, plain: bool = False) -> Told:
    command = [program, *rig.copy_options("amelie", plain=plain), *words]
    return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize("old", [(), ("-O",)])
def test_scp_and_sftp(rig: DeskOverSsh, tmp_path: Path, old: tuple[str, ...]) -> None:
    for plain in (True, False):
        target = tmp_path / f"passwd-{plain}"
        told = copy(rig, "scp", *old, "127.0.0.1:/etc/passwd", str(target), plain=plain)
        assert target.exists() == plain, told.stderr
        batch = tmp_path / "batch"
        batch.write_text(f"get /etc/passwd {target}.sftp\n", encoding="utf-8")
        told = copy(rig, "sftp", "-b", str(batch), "127.0.0.1", plain=plain)
        assert Path(f"{target}.sftp").exists() == plain, told.stderr
        up = rig.folder / f"up-{plain}"
        copy(rig, "scp", *old, "/etc/hostname", f"127.0.0.1:/tmp/{up.name}", plain=plain)
        assert Path(f"/tmp/{up.name}").exists() == plain
        Path(f"/tmp/{up.name}").unlink(missing_ok=True)


# ---------------------------------------------------------------- forwards
@contextmanager
def echo_server() -> Iterator[int]:
    """Something in the rest of the network that an agent must not reach: it says a word to whoever connects."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            while True:
                try:
                    one, _address = server.accept()
                except OSError:
                    return
                with one:
                    one.sendall(b"INNER-NETWORK")

        threading.Thread(target=serve, daemon=True).start()
        yield server.getsockname()[1]


def says(where: tuple[str, int] | str, first: bytes = b"") -> bytes:
    """What a port or a socket file says, empty when it does not answer."""
    family = socket.AF_UNIX if isinstance(where, str) else socket.AF_INET
    with socket.socket(family) as one:
        one.settimeout(3)
        try:
            one.connect(where)
            if first:
                one.sendall(first[:3])
                one.recv(2)
                one.sendall(first[3:])
                one.recv(10)
            return one.recv(100)
        except OSError:
            return b""


@contextmanager
def client(rig: DeskOverSsh, *options: str, plain: bool) -> Iterator[None]:
    """An ssh that stays, with a terminal and a session of its own (so that the desk is there), and these options."""
    words = ("sleep 60",) if plain else ()
    command = rig.command("amelie", *words, options=options, plain=plain)
    master, slave = pty.openpty()
    process = subprocess.Popen(command, stdin=slave, stdout=slave, stderr=slave, start_new_session=True)
    os.close(slave)
    drain = threading.Thread(target=read_all, args=(master,), daemon=True)
    drain.start()
    try:
        yield
    finally:
        process.kill()
        process.wait()
        drain.join(10)
        os.close(master)
        # What a control leaves behind is not the desk's; it may come up only after its client was killed.
        rig.wait_until(lambda: (plain and rig.end_sessions()) or not rig.processes(), "gone")


def read_all(fd: int) -> None:
    try:
        while os.read(fd, 65536):
            pass
    except OSError:
        return


def comes(reached: Callable[[], bool], seconds: float) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if reached():
            return True
        time.sleep(0.2)
    return False


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@pytest.mark.parametrize("kind", ["-L", "-R", "-D", "-L socket", "-R socket"])
def test_forwards(rig: DeskOverSsh, kind: str) -> None:
    with echo_server() as inner:
        for plain in (True, False):
            port, file = free_port(), f"/tmp/{secrets.token_hex(6)}.sock"
            option, where, first = {
                "-L": (f"-L{port}:127.0.0.1:{inner}", ("127.0.0.1", port), b""),
                "-R": (f"-R{port}:127.0.0.1:{inner}", ("127.0.0.1", port), b""),
                "-D": (f"-D{port}", ("127.0.0.1", port), b"\5\1\0" + b"\5\1\0\1\x7f\0\0\1" + inner.to_bytes(2)),
                "-L socket": (f"-L{file}:127.0.0.1:{inner}", file, b""),
                "-R socket": (f"-R{file}:127.0.0.1:{inner}", file, b""),
            }[kind]
            with client(rig, option, plain=plain):
                reached = comes(lambda: says(where, first) == b"INNER-NETWORK", 10 if plain else 2)  # noqa: B023
                if not plain:
                    rig.wait_until(rig.server_processes, "the desk itself is there")
                    reached = reached or comes(lambda: says(where, first) == b"INNER-NETWORK", 1)  # noqa: B023
            Path(file).unlink(missing_ok=True)
            assert reached == plain, kind


def test_stdio_forward(rig: DeskOverSsh) -> None:
    with echo_server() as inner:
        for plain in (True, False):
            told = ask(rig, plain=plain, options=("-W", f"127.0.0.1:{inner}"))
            assert ("INNER-NETWORK" in told.stdout) == plain, told.stderr


def test_tunnel(rig: DeskOverSsh) -> None:
    """A tun device needs rights on both sides; here it is enough that the server says no to the request."""
    with client(rig, "-o", "Tunnel=point-to-point", "-w", "any:any", plain=False):
        rig.wait_until(rig.server_processes, "the desk is there")
        assert not list(Path("/sys/class/net").glob("tun*"))
    login = rig.login("amelie") if rig.way == "sudo" else rig.account
    asked = ["/usr/sbin/sshd", "-T", "-f", str(rig.folder / "sshd.conf"), "-C", f"user={login},host=x,addr=127.0.0.1"]
    values = subprocess.run(asked, capture_output=True, text=True, check=True).stdout
    assert "permittunnel no" in values


def test_agent_and_x11_forwarding(rig: DeskOverSsh) -> None:
    """What a process was started with shows it: the launcher takes the variables away only later."""
    agent = subprocess.run(["ssh-agent", "-s"], capture_output=True, text=True, check=True).stdout
    found = dict(re.findall(r"(\w+)=([^;]+);", agent))
    environment = {**os.environ, **found, "DISPLAY": "127.0.0.1:7"}
    own = {entry.pw_uid for entry in pwd.getpwall() if entry.pw_name in {rig.login("amelie"), rig.account}}

    def forwarding(*words: str, plain: bool) -> list[str]:
        command = rig.command("amelie", *words, options=("-A", "-Y"), plain=plain)
        command[command.index("IdentityAgent=none")] = f"IdentityAgent={found['SSH_AUTH_SOCK']}"
        return command

    try:
        command = forwarding("env", plain=True)
        told = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=60, check=False)
        assert "SSH_AUTH_SOCK=/tmp/ssh-" in told.stdout, "the control"
        rig.end_sessions()
        left = set(Path("/tmp").glob("ssh-*"))  # by the control, which was killed
        with Terminal(forwarding(plain=False), program=EXEC, environ=environment) as screen:
            screen.see("F8")
            found_now = set(Path("/tmp").glob("ssh-*")) - left
            sockets = [path for path in found_now if path.exists() and path.stat().st_uid in own]
            shown = b"".join(environment_of(pid) for pid in rig.processes())
        assert shown
        assert sockets == []
        assert b"SSH_AUTH_SOCK=" not in shown
        assert b"DISPLAY=" not in shown
        rig.wait_until(lambda: not rig.processes(), "gone")
    finally:
        os.kill(int(found["SSH_AGENT_PID"]), signal.SIGTERM)


EXEC = ("-c", "import os, sys; os.execvp(sys.argv[1], sys.argv[1:])")


def environment_of(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/environ").read_bytes() + b"\0"
    except OSError:
        return b""


# ---------------------------------------------------------------- environment and files of the agent
SENT = {
    "TEXTUAL_DRIVER": "evil.driver:Driver", "TEXTUAL_LOG": "/tmp/{tag}-log", "TEXTUAL_SCREENSHOT": "1",
    "PYTHONPATH": "/tmp/{tag}", "PYTHONSTARTUP": "/tmp/{tag}/start.py", "PYTHONINSPECT": "1",
    "CRISISDESK_AGENT": "bruno", "CRISISDESK_IDENTITY": "key", "CRISISDESK_DESK": "/tmp/{tag}/desk",
    "CRISISDESK_CONFIG": "/tmp/{tag}/config.toml", "CRISISDESK_ALLOW_ROOT": "1", "LD_PRELOAD": "/tmp/{tag}/evil.so",
    "SUDO_UID": "0", "SUDO_USER": "root", "BASH_ENV": "/tmp/{tag}/start.sh", "ENV": "/tmp/{tag}/start.sh",
    "PATH": "/tmp/{tag}", "IFS": "/", "HOME": "/tmp/{tag}", "XDG_CONFIG_HOME": "/tmp/{tag}", "SHELLOPTS": "xtrace",
}  # fmt: skip


def test_nothing_that_the_client_sends_arrives(rig: DeskOverSsh) -> None:
    tag = secrets.token_hex(4)
    sent = {name: value.format(tag=tag) for name, value in SENT.items()}
    options = ("-o", "SetEnv=" + " ".join(f"{name}={value}" for name, value in sent.items()))
    harmless = {name: value for name, value in sent.items() if name not in {"LD_PRELOAD", "PATH", "IFS", "HOME"}}
    plain = ("-o", "SetEnv=" + " ".join(f"{name}={value}" for name, value in harmless.items()))
    arrived = ask(rig, "env", plain=True, options=plain).stdout
    assert all(f"{name}={value}" in arrived for name, value in harmless.items() if name != "SHELLOPTS"), arrived
    with at_desk(rig, "amelie", options=options) as screen:
        assert "amelie · agent" in screen.glass.text.splitlines()[0]
        shown = b"".join(environment_of(pid) for pid in rig.processes())
        assert tag.encode() not in shown
        assert b"CRISISDESK_AGENT" not in shown
        assert b"TEXTUAL_DRIVER" not in shown
        desk = environment_of(rig.server_processes()[0]).split(b"\0")
        if rig.way == "sudo":
            amelie = pwd.getpwnam(rig.login("amelie")).pw_uid
            assert f"SUDO_UID={amelie}".encode() in desk
        assert f"CRISISDESK_CONFIG={rig.settings}/config.toml".encode() in desk
    assert not list(Path("/tmp").glob(f"{tag}*"))


@contextmanager
def planted(rig: DeskOverSsh, files: dict[str, str]) -> Iterator[Path]:
    """Files in the folder of the agent's login, as if it could write there; gives what their scripts would make."""
    home = rig.home("amelie") if rig.way == "sudo" else rig.desk.parent
    owner = pwd.getpwnam(rig.login("amelie") if rig.way == "sudo" else rig.account)
    mark = home / "was-run"
    (home / ".ssh").mkdir(mode=0o700)
    for name, text in files.items():
        (home / name).write_text(text.format(mark=mark), encoding="utf-8")
    try:
        for one in (home / ".ssh", *(home / name for name in files)):
            os.chown(one, owner.pw_uid, owner.pw_gid)
            one.chmod(0o700)
        yield mark
    finally:
        for name in files:
            (home / name).unlink()
        (home / ".ssh").rmdir()
        mark.unlink(missing_ok=True)


def test_files_of_the_agent_are_not_run(rig: DeskOverSsh) -> None:
    """~/.ssh/rc, ~/.ssh/environment and the files of shells."""
    run = dict.fromkeys((".ssh/rc", ".profile", ".bashrc", ".bash_profile", ".zshenv", ".kshrc"), "touch {mark}\n")
    with planted(rig, run | {".ssh/environment": "STOLEN=1\n", ".hushlogin": ""}) as mark:
        assert "STOLEN=1" in ask(rig, "env", plain=True).stdout, "the control: an sshd that reads them"
        assert mark.exists()
        mark.unlink()
        with at_desk(rig):
            assert b"STOLEN" not in b"".join(environment_of(pid) for pid in rig.processes())
        assert not mark.exists()


def test_variables_of_the_agents_login_stop_at_sudo(rig: DeskOverSsh) -> None:
    """Debian's PAM reads ~/.pam_environment at sign-in: it reaches the agent's own launcher, and no further."""
    if rig.way == "key":
        pytest.skip("the one login's folder is the desk's own: no agent can write there")
    with (
        planted(rig, {".pam_environment": "STOLEN=1\nPYTHONPATH=/stolen\nCRISISDESK_AGENT=bruno\n"}),
        at_desk(rig) as screen,
    ):
        assert "amelie · " in screen.glass.text.splitlines()[0]
        shown = b"".join(environment_of(pid) for pid in rig.server_processes())
        assert shown
        assert b"STOLEN" not in shown
        assert b"stolen" not in shown


def test_the_folder_that_the_set_up_gives_takes_no_files(rig: DeskOverSsh) -> None:
    agent = pwd.getpwnam(rig.login("amelie") if rig.way == "sudo" else rig.account)
    home = rig.settings / "home"
    for name in (".pam_environment", ".ssh", ".bashrc"):
        told = subprocess.run(
            ["touch", str(home / name)], user=agent.pw_uid, group=agent.pw_gid, extra_groups=[], capture_output=True
        )
        assert told.returncode != 0, name


def test_a_key_of_ones_own_is_not_taken(rig: DeskOverSsh, tmp_path: Path) -> None:
    if rig.way == "key":
        pytest.skip("the one login's folder is nobody's own; its keys are root's as well")
    home, login = rig.home("amelie"), rig.login("amelie")
    key = tmp_path / "own"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    (home / ".ssh").mkdir(mode=0o700)
    (home / ".ssh" / "authorized_keys").write_text(Path(f"{key}.pub").read_text(encoding="utf-8"), encoding="utf-8")
    for file in (home / ".ssh", home / ".ssh" / "authorized_keys"):
        os.chown(file, pwd.getpwnam(login).pw_uid, -1)
    command = [word if not word.endswith("client/amelie") else str(key) for word in rig.command("amelie", tty=False)]
    told = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False)
    assert told.returncode == 255
    assert "Permission denied" in told.stderr


# ---------------------------------------------------------------- multiplexing, TERM, keys
def test_a_shared_connection_carries_one_session(rig: DeskOverSsh, tmp_path: Path) -> None:
    path = f"/tmp/{secrets.token_hex(6)}"
    shared = ("-o", "ControlMaster=auto", "-o", f"ControlPath={path}")
    for plain in (True, False):
        with client(rig, *shared, plain=plain):
            assert comes(Path(path).exists, 10)
            if not plain:
                rig.wait_until(rig.server_processes, "the desk is there")
            command = ["ssh", "-F", "none", "-o", f"ControlPath={path}", "-o", "ControlMaster=no", "-T"]
            command += ["nowhere.invalid", f"echo {SAW}$((40+2))"]
            told = subprocess.run(
                command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False
            )
            assert (f"{SAW}42" in told.stdout) == plain, told.stderr
            assert len(rig.server_processes()) == (0 if plain else 1)
        Path(path).unlink(missing_ok=True)


@pytest.mark.parametrize("term", [
    "\x1b]0;owned\x07", "../../../tmp/evil", "xterm-256color;id", "$(id)", "%n%n", "a" * 5000, "unknown-terminal",
    "x\ny",
])  # fmt: skip
def test_a_hostile_term_does_nothing(rig: DeskOverSsh, term: str) -> None:
    arguments, program = rig.session("amelie")
    with Terminal(arguments, program=program, environ={"TERM": term}) as screen:
        screen.until(lambda: "F8" in screen.glass.text or screen.process.poll() is not None)
        assert b"owned" not in screen.raw
        assert b"uid=" not in screen.raw
        assert b"Traceback" not in screen.raw
        if screen.process.poll() is not None:
            assert screen.process.returncode == 2
            assert "TERM" in screen.glass.text
    rig.wait_until(lambda: not rig.processes(), "gone")


@pytest.mark.parametrize("key", [b"\x1a", b"\x03", b"\x1c", b"\x00", b"\x1a\x03\x1c" * 50])
def test_no_key_leads_out(rig: DeskOverSsh, key: bytes) -> None:
    """^Z, ^C, ^\\, at the desk and, which is harder, while it starts."""
    with at_desk(rig) as screen:
        screen.type(key)
        screen.read(0.5)
        screen.type(b"\x1bOQ")
        screen.read(0.5)
        assert screen.process.poll() is None
        assert rig.server_processes()
    arguments, program = rig.session("amelie")
    with Terminal(arguments, program=program) as screen:
        screen.until(rig.processes)
        for _again in range(10):
            screen.type(key)
            screen.read(0.05)
        screen.type(f"echo {SAW}$((40+2))\r".encode())
        screen.until(lambda: "F8" in screen.glass.text or screen.process.poll() is not None)
        assert f"{SAW}42" not in screen.glass.text
    rig.wait_until(lambda: not rig.processes(), "gone")


# ---------------------------------------------------------------- what the agent's account can do with a shell
OUT_OF_REACH = {
    "read the desk": "cat {desk}",
    "open it to write": ": >> {desk}",
    "list its folder": "ls {folder}",
    "copy it": "cp {desk} /tmp/{tag}-stolen",
    "enter its folder": "cd {folder}",
    "link to it": "ln {desk} /tmp/{tag}-stolen",
    "a file in its folder": "touch {folder}/x",
    "memory": "dd if=/proc/{pid}/mem of=/tmp/{tag}-mem bs=1 count=1 skip=4194304",
    "memory map": "cat /proc/{pid}/maps",
    "environment": "cat /proc/{pid}/environ",
    "open files": "ls /proc/{pid}/fd/",
    "its folder by /proc": "ls /proc/{pid}/cwd/",
    "signal": "kill -0 {pid}",
    "kill": "kill -9 {pid}",
    "trace": "strace -o /dev/null -p {pid}",
    "another command by sudo": "sudo -n -u {account} /bin/sh -c id",
    "the launcher with an argument": "sudo -n -u {account} {launcher} agent list",
    "the launcher with a variable": "sudo -n -u {account} CRISISDESK_AGENT=bruno {launcher}",
    "the launcher as root": "sudo -n {launcher}",
    "sudo that keeps the environment": "sudo -n -E -u {account} {launcher}",
    "an editor by sudo": "sudo -n -u {account} -e {desk}",
    "the program without sudo": "CRISISDESK_CONFIG={config} {program} -I -m crisisdesk agent list",
    "the program with a borrowed SUDO_UID":
        "SUDO_UID=0 CRISISDESK_CONFIG={config} {program} -I -m crisisdesk --agent bruno agent list",
    "the settings": "echo x >> {config}",
    "the launcher": "echo x >> {launcher}",
    "the keys": "echo x >> {keys}",
}  # fmt: skip


def test_the_agents_account_reaches_nothing_even_with_a_shell(rig: DeskOverSsh) -> None:
    """Way "sudo" only: there the agent is another account."""
    if rig.way == "key":
        pytest.skip("with one login for all there is no other account: the limit of this way, told in docs/host.md")
    agent = pwd.getpwnam(rig.login("amelie"))
    tag = secrets.token_hex(4)
    with at_desk(rig, "bruno"):
        pid = rig.server_processes()[0]
        words = {
            "desk": rig.desk, "folder": rig.desk.parent, "pid": pid, "tag": tag, "account": rig.account,
            "launcher": rig.launchers / "desk", "config": rig.settings / "config.toml", "program": rig.program,
            "keys": rig.settings / "keys" / rig.login("amelie"),
        }  # fmt: skip
        got = []
        for what, line in OUT_OF_REACH.items():
            told = subprocess.run(
                ["/bin/sh", "-c", line.format(**words)], user=agent.pw_uid, group=agent.pw_gid, cwd="/", text=True,
                extra_groups=os.getgrouplist(agent.pw_name, agent.pw_gid), capture_output=True,
                stdin=subprocess.DEVNULL, env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}, timeout=30, check=False,
            )  # fmt: skip
            if told.returncode == 0:
                got.append(what)
            assert "Traceback" not in told.stderr, f"{what}: {told.stderr}"
        assert got == []
        assert rig.server_processes() == [pid]
        served = subprocess.run(["cat", str(rig.desk), f"/proc/{pid}/environ"], capture_output=True, check=False)
        assert served.returncode == 0, "the control: root can"
    assert not list(Path("/tmp").glob(f"{tag}*"))


def test_processes_of_the_desk_cannot_read_each_other(rig: DeskOverSsh) -> None:
    """Sessions share an account: not dumpable means that one cannot read the memory or environment of another."""
    service = pwd.getpwnam(rig.account)
    with at_desk(rig):
        pid = rig.server_processes()[0]
        own = subprocess.Popen(["sleep", "30"], user=service.pw_uid, group=service.pw_gid, extra_groups=[])
        try:
            for target, is_reached in ((own.pid, True), (pid, False)):
                for file in ("environ", "maps"):
                    told = subprocess.run(
                        ["cat", f"/proc/{target}/{file}"], user=service.pw_uid, group=service.pw_gid, extra_groups=[],
                        capture_output=True, check=False,
                    )  # fmt: skip
                    assert (told.returncode == 0) == is_reached, f"{target} {file}"
        finally:
            own.kill()
            own.wait()
