"""A desk behind a real sshd on loopback, built from what `crisisdesk ssh-setup` writes; real accounts, real sudo.

    with DeskOverSsh(way="sudo", desk=path, agents=["amelie"]) as rig:
        Terminal(*rig.session("amelie"))        # or subprocess.run(rig.command("amelie", "id"))
        rig.server_processes()

Everything has names of its own (accounts, group, sudoers file), so that several rigs may stand on one machine, and
everything is taken away at the end. The desk is a copy: `rig.desk`. Needs root, sshd and sudo: `why_not()` says what is
missing.
"""

import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType

from crisisdesk.desk.agents import add_agent, find_agent
from crisisdesk.domain.words import Role
from crisisdesk.store.engine import open_desk

ROOT = Path(__file__).resolve().parents[1]
EXEC = "import os, sys; os.execvp(sys.argv[1], sys.argv[1:])"
QUIET = ("-F", "none", "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR")
PLAIN_SSHD = """
PermitUserEnvironment yes
PermitUserRC yes
AcceptEnv *
X11Forwarding yes
AllowAgentForwarding yes
AllowTcpForwarding yes
AllowStreamLocalForwarding yes
PermitTunnel yes
Subsystem sftp internal-sftp
"""


def why_not() -> str:
    """Why no rig can be built here; empty when it can."""
    if os.geteuid() != 0:
        return "needs root: it makes accounts and starts an sshd"
    missing = [name for name in ("sshd", "ssh", "ssh-keygen", "sudo", "visudo", "useradd") if not _which(name)]
    if missing:
        return f"not installed: {', '.join(missing)} (Debian: openssh-server sudo)"
    if not _base_python():
        return "no Python of this version that another account can run"
    return ""


class DeskOverSsh:
    """One desk, one sshd. Use it as a context manager."""

    def __init__(
        self, way: str, desk: Path, agents: Sequence[str], *, admin: str = "chef", compression: bool = True,
        homes: bool = False,
    ) -> None:  # fmt: skip
        """``agents`` are names; each gets the desk's login `login(name)`, with role agent. ``desk`` is copied.

        Args:
            admin: an admin of that desk, who adds them.
            homes: agents have folders of their own (as logins that were there before), not root's empty one.
        """
        self.way, self.agents, self.compression, self._homes = way, tuple(agents), compression, homes
        self._tag = f"cd{secrets.token_hex(3)}"
        self.account, self.group = f"{self._tag}svc", f"{self._tag}grp"
        self.folder = Path(tempfile.mkdtemp(prefix=f"{self._tag}-", dir="/var/lib"))  # sshd trusts no /tmp
        self.folder.chmod(0o755)
        self.desk = self.folder / "srv" / "rig.desk"
        self.settings, self.launchers = self.folder / "settings", self.folder / "launchers"
        self.setup = self.folder / "setup"
        self._source, self._admin = desk, admin
        self._sshds: list[subprocess.Popen[bytes]] = []
        self.port = self.plain_port = 0
        self._undo: list[Callable[[], object]] = [lambda: shutil.rmtree(self.folder, ignore_errors=True)]

    # ------------------------------------------------------------ building
    def __enter__(self) -> "DeskOverSsh":
        try:
            self._build()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, kind: object, error: object, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """End every process of the rig and take its accounts and files away."""
        for sshd in self._sshds:
            sshd.terminate()
            sshd.wait(10)
        self._sshds.clear()
        self.end_sessions()
        while self._undo:
            self._undo.pop()()

    def _build(self) -> None:
        self._make_program()
        with _umask(0o022):
            self._make_keys()
            self._write_setup()
            self._install()
            self._make_homes()
        self._place_desk()
        self.port = self.start_sshd("sshd", f"Include {self.settings}/sshd.conf\nSubsystem sftp internal-sftp\n")

    def _make_program(self) -> None:
        """A Python that every account can run, with this project and what it needs, readable for all."""
        with _umask(0o022):
            venv = self.folder / "program"
            _run(str(_base_python()), "-m", "venv", "--without-pip", str(venv))
            libraries = Path(sysconfig.get_path("purelib"))
            source = _readable(ROOT / "src", self.folder / "copy" / "src")
            libraries = _readable(libraries, self.folder / "copy" / "libraries")
            packages = next((venv / "lib").glob("python3*")) / "site-packages"
            (packages / "rig.pth").write_text(f"{source}\n{libraries}\n", encoding="utf-8")
        self.program = venv / "bin" / "python"

    def _make_keys(self) -> None:
        keys = self.folder / "client"
        keys.mkdir(mode=0o700)
        for name in (*self.agents, "host"):
            _run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", str(keys / name))

    def _write_setup(self) -> None:
        lines = [f"{self.login(name)};{name};agent;{self.public_key(name)}\n" for name in self.agents]
        listed = self.folder / "agents.txt"
        listed.write_text("".join(lines), encoding="utf-8")
        self.crisisdesk("ssh-setup", "--agents", str(listed), "--write", str(self.setup), *self.options)

    def _install(self) -> None:
        """Run the commands of install.sh, with the three files of /etc and /usr under names of the rig's own."""
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
        self._undo.append(self._remove_accounts)
        sudoers = Path(f"/etc/sudoers.d/{self._tag}")
        self._undo.append(lambda: sudoers.unlink(missing_ok=True))
        own_places = {
            "/etc/ssh/sshd_config.d/10-crisisdesk.conf": f"{self.settings}/sshd.conf",
            "/etc/sudoers.d/crisisdesk": str(sudoers),
            "/usr/local/sbin/crisisdesk-admin": f"{self.launchers}/admin",
        }
        script = (self.setup / "install.sh").read_text(encoding="utf-8")
        for theirs, ours in own_places.items():
            script = script.replace(f" {theirs}\n", f" {ours}\n")
        (self.setup / "install.sh").write_text(script.replace("\nsshd -t\n", "\n"), encoding="utf-8")
        self.folder.joinpath("srv").mkdir(exist_ok=True)
        _run("sh", str(self.setup / "install.sh"), tries=5)

    def _make_homes(self) -> None:
        for name in self.agents if self._homes else ():
            home = self.home(name)
            home.mkdir(parents=True)
            shutil.chown(home, self.login(name), self.login(name))
            _run("usermod", "--home", str(home), self.login(name))

    def _place_desk(self) -> None:
        owner = pwd.getpwnam(self.account)
        shutil.copyfile(self._source, self.desk)
        store = open_desk(self.desk)
        admin = find_agent(store, self._admin)
        assert admin, f"{self._admin} is no agent of {self._source}"
        for name in self.agents:
            add_agent(store, login=self.login(name), name=name, role=Role.AGENT, agent=admin, now=datetime.now(UTC))
        store.close()
        for file in self.desk.parent.iterdir():
            os.chown(file, owner.pw_uid, owner.pw_gid)
            file.chmod(0o600)

    def start_sshd(self, name: str, settings: str) -> int:
        """Start an sshd with its own file and host key; its port."""
        port = _free_port()
        file = self.folder / f"{name}.conf"
        file.write_text(
            f"Port {port}\nListenAddress 127.0.0.1\nHostKey {self.folder}/client/host\nPidFile none\nUsePAM yes\n"
            f"PasswordAuthentication no\nKbdInteractiveAuthentication no\n{settings}",
            encoding="utf-8",
        )
        _run(_which("sshd"), "-t", "-f", str(file))
        log = open(self.folder / f"{name}.log", "wb")  # noqa: SIM115  # sshd's own end of it outlives this function
        self._sshds.append(
            subprocess.Popen(
                [_which("sshd"), "-D", "-e", "-f", str(file)], stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        )
        log.close()
        _wait_for(lambda: _answers(port), f"sshd on {port}: {(self.folder / f'{name}.log').read_text()}")
        return port

    def start_plain_sshd(self) -> None:
        """A second sshd that forbids nothing, for the same accounts and keys: there each attack must succeed."""
        keys = self.folder / "plain_keys"
        keys.mkdir()
        for name in self.agents:
            with (keys / self._os_login(name)).open("a", encoding="utf-8") as file:
                file.write(self.public_key(name) + "\n")
        keys.chmod(0o755)
        for one in keys.iterdir():
            one.chmod(0o644)
        self.plain_port = self.start_sshd("plain", f"AuthorizedKeysFile {keys}/%u\n{PLAIN_SSHD}")

    # ------------------------------------------------------------ using
    @property
    def options(self) -> list[str]:
        """What `ssh-setup` and `check --ssh` are told about this rig."""
        return [
            "--way", self.way, "--account", self.account, "--group", self.group, "--program", str(self.program),
            "--settings", str(self.settings), "--launchers", str(self.launchers), "--desk", str(self.desk),
        ]  # fmt: skip

    def crisisdesk(self, *words: str, code: int | None = 0) -> str:
        """Run a command of CrisisDesk as root; its stdout."""
        config = {"CRISISDESK_CONFIG": str(file)} if (file := self.settings / "config.toml").exists() else {}
        environment = {"PATH": os.environ["PATH"], "HOME": str(self.folder), "LC_ALL": "C.UTF-8", **config}
        ran = subprocess.run(
            [sys.executable, "-m", "crisisdesk", *words], capture_output=True, text=True, env=environment, check=False
        )
        assert code is None or ran.returncode == code, f"{ran.returncode}: {ran.stderr}{ran.stdout}"
        return ran.stdout

    def login(self, name: str) -> str:
        """The login of an agent at the desk; with way "sudo" also of the host."""
        return f"{self._tag}{name}"

    def home(self, name: str) -> Path:
        """The agent's own folder, with ``homes``."""
        return self.folder / "homes" / name

    def public_key(self, name: str) -> str:
        return (self.folder / "client" / f"{name}.pub").read_text(encoding="utf-8").strip()

    def command(
        self, name: str, *words: str, options: Sequence[str] = (), tty: bool = True, plain: bool = False,
        program: str = "ssh", port: int = 0,
    ) -> list[str]:  # fmt: skip
        """The client's command line for an agent.

        Args:
            words: the remote command, if any.
            options: further options of ssh.
            tty: ask for a terminal.
            plain: at the sshd that forbids nothing (`start_plain_sshd`).
            port: another port of this machine, such as a proxy in front of the sshd.
        """
        identity = ["-i", str(self.folder / "client" / name), "-o", "IdentitiesOnly=yes", "-o", "IdentityAgent=none"]
        compression = ["-o", f"Compression={'yes' if self.compression else 'no'}"]
        at = ["-p", str(port or (self.plain_port if plain else self.port)), "-l", self._os_login(name)]
        terminal = ["-tt"] if tty else ["-T"]
        return [program, *QUIET, *identity, *compression, *terminal, *at, *options, "127.0.0.1", *words]

    def copy_options(self, name: str, *, plain: bool = False) -> list[str]:
        """Options for sftp and scp, which take the port and the login otherwise."""
        identity = ["-i", str(self.folder / "client" / name), "-o", "IdentitiesOnly=yes"]
        return [
            *QUIET,
            *identity,
            "-o",
            f"User={self._os_login(name)}",
            "-P",
            str(self.plain_port if plain else self.port),
        ]

    def session(self, name: str, *words: str, **options: object) -> tuple[list[str], tuple[str, str]]:
        """Arguments and program for `terminal.Terminal(arguments, program=program)`: the agent's ssh in a terminal."""
        return self.command(name, *words, **options), ("-c", EXEC)  # type: ignore[arg-type]

    def server_processes(self) -> list[int]:
        """Numbers of the desk's processes on the server: Python, run by the desk's account."""
        return [pid for pid in _processes(pwd.getpwnam(self.account).pw_uid) if b"crisisdesk" in _words(pid)]

    def processes(self) -> list[int]:
        """Numbers of every process of the rig's accounts: launchers, shells, desks."""
        return [pid for uid in self._uids() for pid in _processes(uid)]

    def end_sessions(self) -> None:
        """Kill every process of the rig's accounts."""
        for uid in self._uids():
            _kill_all_of(uid)

    def wait_until(self, reached: Callable[[], object], what: str, seconds: float = 20) -> None:
        """Look until something is so; fail with what is still running when it does not come."""
        try:
            _wait_for(reached, what, seconds)
        except AssertionError as error:
            left = "\n".join(f"{pid} {_words(pid)!r}" for pid in self.processes())
            raise AssertionError(f"{error}\n{left}\n{self.server_log()[-1500:]}") from error

    def server_log(self) -> str:
        """What the sshd has written."""
        return (self.folder / "sshd.log").read_text(encoding="utf-8", errors="replace")

    # ------------------------------------------------------------ ending
    def _os_login(self, name: str) -> str:
        return self.login(name) if self.way == "sudo" else self.account

    def _uids(self) -> list[int]:
        names = {self.account, *(self._os_login(name) for name in self.agents)}
        return [entry.pw_uid for entry in pwd.getpwall() if entry.pw_name in names]

    def _remove_accounts(self) -> None:
        for name in sorted({self.account, *(self._os_login(one) for one in self.agents)}):
            subprocess.run(["userdel", "--force", name], capture_output=True, check=False)
        subprocess.run(["groupdel", self.group], capture_output=True, check=False)


# ---------------------------------------------------------------- the machine
def _which(name: str) -> str:
    return shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin") or ""


def _run(*command: str, tries: int = 1) -> None:
    """Run a command; useradd of several rigs at once may find the password file locked."""
    for left in range(tries, 0, -1):
        ran = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
        if ran.returncode == 0:
            return
        told = f"{' '.join(command)}: {ran.returncode}\n{ran.stdout}{ran.stderr}"
        assert left > 1, told
        assert "lock" in ran.stderr, told
        time.sleep(1)


def _base_python() -> Path | None:
    """A Python of our version that every account can start."""
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    own = Path(sys.base_prefix) / "bin" / f"python{version}"
    return next((path for path in (own, Path(f"/usr/bin/python{version}")) if path.is_file() and _all_may(path)), None)


def _all_may(path: Path) -> bool:
    path = path.resolve()
    needed = 0o005 if path.is_dir() or path.parent.name == "bin" else 0o004
    return all(one.stat().st_mode & 0o001 for one in path.parents) and path.stat().st_mode & needed == needed


def _readable(path: Path, copy: Path) -> Path:
    """The folder, or a copy of it where others cannot read it."""
    if _all_may(path) and _all_may(next(path.iterdir())):
        return path
    shutil.copytree(path, copy)
    subprocess.run(["chmod", "-R", "a+rX", str(copy)], check=True)
    return copy


@contextmanager
def _umask(mask: int) -> Iterator[None]:
    before = os.umask(mask)
    try:
        yield
    finally:
        os.umask(before)


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def _answers(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), 1) as one:
            return one.recv(4) == b"SSH-"
    except OSError:
        return False


def _wait_for(reached: Callable[[], object], what: str, seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not reached():
        assert time.monotonic() < end, f"did not come: {what}"
        time.sleep(0.05)


def _processes(uid: int) -> list[int]:
    found = []
    for entry in os.scandir("/proc"):
        if entry.name.isdigit():
            try:
                status = Path(entry.path, "status").read_text(encoding="utf-8")
            except OSError:
                continue
            fields = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
            if fields["Uid"].split()[0] == str(uid) and not fields["State"].startswith("Z"):
                found.append(int(entry.name))
    return found


def _words(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def _kill_all_of(uid: int) -> None:
    for pid in _processes(uid):
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue
