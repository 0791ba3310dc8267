"""docs/night.md, followed to the letter: from a bare host to agents at their desk.

The sheet's indented lines run as root, in order, in a mount namespace in which /etc, /opt, /srv and /usr/local are
copies that vanish. Not as written are only the port of sshd, the keys and the further agents of agents.txt, and the
pager. The wheels are made as the sheet says where an index of packages can be reached, or are in the folder that
`CRISISDESK_WHEELS` names.

`CRISISDESK_NIGHT_AGENTS=50` lets fifty agents in, as the sheet promises; else there are four.
"""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from sshd_rig import EXEC, QUIET, why_not
from terminal import Terminal

ROOT = Path(__file__).resolve().parents[2]
SHEET = ROOT / "docs" / "night.md"
SYSTEM_PYTHON = Path("/usr/bin/python3")
COUNT = int(os.environ.get("CRISISDESK_NIGHT_AGENTS", "4"))
PATH = "/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin"


def missing() -> str:
    if reason := why_not():
        return reason
    version = [str(SYSTEM_PYTHON), "-c", "import ensurepip, sys; sys.exit(sys.version_info < (3, 11))"]
    if not SYSTEM_PYTHON.exists() or subprocess.run(version, capture_output=True, check=False).returncode:
        return f"no {SYSTEM_PYTHON} of 3.11 or later with venv"
    if not namespace_works():
        return "no mount namespace with an overlay here"
    return ""


def namespace_works() -> bool:
    """Whether this root may have folders of its own (a container's often may not)."""
    with tempfile.TemporaryDirectory() as folder:
        layers = f"lowerdir=/srv,upperdir={folder}/u,workdir={folder}/w"
        script = (
            f"mount -t tmpfs none {folder} && mkdir {folder}/u {folder}/w && mount -t overlay -o {layers} none /srv"
        )
        tried = subprocess.run(["unshare", "-m", "sh", "-c", script], capture_output=True, check=False)
    return tried.returncode == 0


REASON = missing()
if REASON:
    print(f"the first night is not followed: {REASON}")
pytestmark = [pytest.mark.skipif(bool(REASON), reason=REASON or "-"), pytest.mark.timeout(900)]


class OwnHost:
    """A host of its own, as far as files go: what is written to its folders is gone at the end."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="night-", dir="/var/lib"))
        self.folder.chmod(0o755)
        self.keeper = subprocess.Popen(["unshare", "-m", "--propagation", "private", "sleep", "infinity"])
        self.port = 0
        time.sleep(0.5)
        layers = self.folder / "layers"
        layers.mkdir()
        self.sh(f"mount -t tmpfs none {layers}")
        for name in ("etc", "opt", "srv", "usr/local"):
            upper, work = f"{layers}/{name}", f"{layers}/work/{name}"
            options = f"lowerdir=/{name},upperdir={upper},workdir={work}"
            self.sh(f"umask 022; mkdir -p {upper} {work} /{name} && mount -t overlay -o {options} none /{name}")

    def command(self, *words: str) -> list[str]:
        return ["nsenter", f"--mount=/proc/{self.keeper.pid}/ns/mnt", "--wd=" + str(self.folder), "--", *words]

    def sh(self, script: str) -> str:
        """Run lines as root on this host; what they say. Fails with them."""
        ran = subprocess.run(
            self.command("sh", "-eu", "-c", script), capture_output=True, text=True, check=False,
            stdin=subprocess.DEVNULL, env={"PATH": PATH, "HOME": str(self.folder), "LC_ALL": "C.UTF-8"},
        )  # fmt: skip
        assert ran.returncode == 0, f"{script}\n{ran.returncode}\n{ran.stdout}{ran.stderr}"
        return ran.stdout

    def start_sshd(self) -> None:
        """What `systemctl reload ssh` is elsewhere."""
        self.sh("mkdir -p -m 0755 /run/sshd; ssh-keygen -A")
        with socket.socket() as one:
            one.bind(("127.0.0.1", 0))
            self.port = one.getsockname()[1]
        command = self.command("/usr/sbin/sshd", "-D", "-e", "-p", str(self.port), "-o", "ListenAddress=127.0.0.1")
        log = open(self.folder / "sshd.log", "wb")  # noqa: SIM115  # the sshd's own
        self.sshd = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        log.close()
        time.sleep(1)

    def close(self) -> None:
        if self.port:
            self.sshd.terminate()
            self.sshd.wait(10)
        self.keeper.send_signal(signal.SIGKILL)
        self.keeper.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


@pytest.fixture(scope="module")
def host() -> Iterator[OwnHost]:
    one = OwnHost()
    try:
        yield one
    finally:
        one.close()


@pytest.fixture(scope="module")
def wheels(host: OwnHost) -> Path:
    """Made as the sheet's first step says; pip is that of this environment, which knows where packages come from."""
    (line,) = blocks("elsewhere")
    assert line.startswith("python3 -m pip wheel ")
    if made := os.environ.get("CRISISDESK_WHEELS"):
        return Path(shutil.copytree(made, host.folder / "desk-wheels"))
    words = line.replace("python3", sys.executable).replace("desk-wheels", str(host.folder / "desk-wheels"))
    ran = subprocess.run([*words.split(), "-q"], cwd=ROOT, capture_output=True, text=True, check=False)
    if ran.returncode:
        print(f"no wheels can be made here: {ran.stderr[-300:]}")
        pytest.skip("no wheels can be made here (no index of packages)")
    return host.folder / "desk-wheels"


def blocks(where: str) -> list[str]:
    """The indented blocks of the sheet: those of the step marked ``elsewhere``, or those of the "host"."""
    text = SHEET.read_text(encoding="utf-8")
    found = []
    for part in re.split(r"(?m)^(?=\*\*\d)", text):
        is_elsewhere = "<!-- elsewhere -->" in part
        if is_elsewhere == (where == "elsewhere"):
            indented = re.findall(r"(?m)(?:^ {4}.*\n)+", part)
            found += ["\n".join(line[4:] for line in one.splitlines()) for one in indented]
    return found


def agents(folder: Path) -> list[str]:
    """Lines of agents.txt: those of the sheet with keys that are real, and the others of the night."""
    lines = []
    for number in range(COUNT):
        login = ["chef", "amelie", *(f"agent{place}" for place in range(COUNT))][number]
        key = folder / login
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
        public = Path(f"{key}.pub").read_text(encoding="utf-8").strip()
        role = {0: "admin", 1: "supervisor"}.get(number, "agent")
        lines.append(f"{login};Agent {number};{role};{public}")
    return lines


def test_the_sheet_fits_a_page() -> None:
    lines = SHEET.read_text(encoding="utf-8").splitlines()
    assert sum(max(1, -(-len(line) // 100)) for line in lines if line.strip()) <= 60


def test_the_first_night(host: OwnHost, wheels: Path, tmp_path: Path) -> None:
    began = time.monotonic()
    listed = agents(tmp_path)
    umask = "umask 077"  # as a careful root may have it, until the sheet says otherwise
    for line in host_lines(listed):
        if line.startswith("umask "):
            umask = line
        elif line == "systemctl reload ssh":
            host.start_sshd()
        else:
            said = host.sh(f"{umask}\n{line}")
            print(said if "check --ssh" in line else line)
    print(f"the sheet took {time.monotonic() - began:.0f} s with {COUNT} agents")
    command = ["ssh", *QUIET, "-o", "IdentitiesOnly=yes", "-C", "-t", "-p", str(host.port)]
    sessions = []
    try:
        for login in (line.partition(";")[0] for line in listed):
            words = [*command, "-i", str(tmp_path / login), f"{login}@127.0.0.1"]
            sessions.append((login, Terminal(words, program=("-c", EXEC))))
        for _login, screen in sessions:
            screen.until(lambda: "F8" in screen.glass.text, 60 + 3 * COUNT)  # noqa: B023
        print(f"{len(sessions)} agents were at their desk after {time.monotonic() - began:.0f} s")
    finally:
        for _login, screen in sessions:
            screen.__exit__(None, None, None)
    journal = json.loads(host.sh("crisisdesk-admin --agent chef journal list --limit 1000 --json"))
    came = sorted(entry["agent"] for entry in journal if entry["action"] == "agent.signed_in")
    assert came == sorted(line.partition(";")[0] for line in listed)


def host_lines(listed: list[str]) -> Iterator[str]:
    """The sheet's lines for the host, one command each; the list of agents is the night's, and no pager waits."""
    for block in blocks("host"):
        if "<<END" in block:
            yield re.sub(r"(?s)(?<=<<END\n).*(?=\nEND)", lambda _found: "\n".join(listed), block)
        else:
            yield from (re.sub("^less ", "cat ", line) for line in block.split("\n"))
