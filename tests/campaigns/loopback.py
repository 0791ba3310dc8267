"""A real sshd on loopback for campaigns: its own port, keys and file; each key's forced command names the agent.

It serves the account that starts it, so it needs no root and makes no accounts. What matters to a campaign is as
recommended: ClientAlive 15 s three times, compression, MaxStartups.
"""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from time import monotonic, sleep
from types import TracebackType

BOTH = RECOMMENDED, DEFAULT = "300:30:400", "10:30:100"
"""MaxStartups: ours, and sshd's own."""
ALIVE = "5x4"
"""ClientAliveInterval and ClientAliveCountMax. OpenSSH 9.2p1 lets up to two intervals pass for each probe that is not
answered: 5x4 ends a dead session after 25 to 50 s, 15x3 after 60 to 120 s (104 and 108 s were seen)."""
EXEC = "import os, sys; os.execvp(sys.argv[1], sys.argv[1:])"


def why_not() -> str:
    """Why there can be no sshd here; empty where there can."""
    missing = [name for name in ("sshd", "ssh", "ssh-keygen") if not find(name)]
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
    return f"not installed: {', '.join(missing)} (Debian: openssh-server)" if missing else ""


def find(name: str) -> str:
    """Where a program is; empty where it is not."""
    return shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin") or ""


class Loopback:
    """One desk behind one sshd."""

    def __init__(
        self, desk: Path, agents: Sequence[str], folder: Path, *, max_startups: str = RECOMMENDED,
        program: Sequence[str] = ("-m", "crisisdesk"), alive: str = ALIVE,
    ) -> None:  # fmt: skip
        """``program``: what Python is told to run, with the desk's arguments after it."""
        self.desk, self.agents, self.folder = desk, tuple(agents), folder
        self.max_startups, self.program = max_startups, program
        self.alive = alive.split("x")
        self.port = 0

    def __enter__(self) -> "Loopback":
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for name in ("host", "client"):
            words = ("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(self.folder / name))
            subprocess.run(words, check=True, stdin=subprocess.DEVNULL)
        with socket.socket() as one:
            one.bind(("127.0.0.1", 0))
            self.port = int(one.getsockname()[1])
        (self.folder / "sshd.conf").write_text(self._settings(), encoding="utf-8")
        with (self.folder / "sshd.log").open("wb") as log:
            words = (find("sshd"), "-D", "-e", "-f", str(self.folder / "sshd.conf"))
            self._sshd = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        end = monotonic() + 20
        while not self._answers():
            assert monotonic() < end, self.log
            sleep(0.05)
        return self

    def __exit__(self, kind: object, error: object, trace: TracebackType | None) -> None:
        self._sshd.send_signal(signal.SIGTERM)
        self._sshd.wait(10)

    def _settings(self) -> str:
        keys = self.folder / "keys"
        keys.write_text((self.folder / "client.pub").read_text(encoding="utf-8"), encoding="utf-8")
        forced = self.folder / "launcher"
        words = " ".join(f"'{word}'" for word in (sys.executable, *self.program, "--desk", str(self.desk)))
        home = "".join(f"export {name}='{os.environ[name]}'\n" for name in ("PATH", "HOME") if name in os.environ)
        forced.write_text(
            f"#!/bin/sh\n{home}export CRISISDESK_ALLOW_ROOT=1 LC_ALL=C.UTF-8\n"
            f'exec {words} --agent "$SSH_ORIGINAL_COMMAND" --lang en desk\n',
            encoding="utf-8",
        )
        forced.chmod(0o700)
        return (
            f"Port {self.port}\nListenAddress 127.0.0.1\nHostKey {self.folder}/host\nPidFile none\nUsePAM no\n"
            f"StrictModes no\nAuthorizedKeysFile {keys}\nPasswordAuthentication no\nPermitRootLogin yes\n"
            f"KbdInteractiveAuthentication no\nForceCommand {forced}\nDisableForwarding yes\nMaxSessions 1\n"
            f"ClientAliveInterval {self.alive[0]}\nClientAliveCountMax {self.alive[1]}\n"
            f"TCPKeepAlive yes\nCompression yes\nPrintMotd no\n"
            f"MaxStartups {self.max_startups}\nLogLevel VERBOSE\n"
        )

    def _answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), 1) as one:
                return one.recv(4) == b"SSH-"
        except OSError:
            return False

    def login(self, name: str) -> str:
        """The agent's login at the desk."""
        return name

    def session(self, name: str, *, port: int = 0) -> tuple[list[str], tuple[str, str]]:
        """Arguments and program for `Terminal`: the agent's ssh in a terminal of its own."""
        quiet = ("-F", "none", "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null")
        quiet += ("-o", "LogLevel=ERROR", "-o", "IdentitiesOnly=yes", "-o", "IdentityAgent=none")
        account = pwd.getpwuid(os.getuid()).pw_name
        where = ("-i", str(self.folder / "client"), "-p", str(port or self.port), "-l", account)
        return ["ssh", *quiet, "-o", "Compression=yes", "-tt", *where, "127.0.0.1", name], ("-c", EXEC)

    @property
    def log(self) -> str:
        """What the sshd wrote."""
        return (self.folder / "sshd.log").read_text(encoding="utf-8", errors="replace")
