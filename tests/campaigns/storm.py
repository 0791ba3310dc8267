"""`python tests/campaigns storm`: many sign-ins at once through a real sshd."""

import argparse
import os
import pwd
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic, sleep
from typing import Any

from campaigns import loopback, processes
from campaigns.cuts import prepare
from terminal import Terminal


@dataclass
class Outcome:
    """What one storm saw."""

    asked: int
    reached: list[float] = field(default_factory=list)
    """Seconds from the start of the client to its first screen."""
    refused: int = 0
    """Clients that ended before it."""
    late: int = 0
    """Clients that were there at the end and had not seen it."""
    processes: int = 0
    pss: int = 0
    """Proportional memory of all server processes together, in bytes."""
    seconds: float = 0.0
    words: list[str] = field(default_factory=list)
    """What refused clients were told, once each."""


def storm(rig: Any, names: Sequence[str], patience: float) -> Outcome:
    """Start all clients at once, wait for their first screens, count, and end them."""
    outcome, begin = Outcome(len(names)), monotonic()
    started = {}
    for name in names:
        arguments, program = rig.session(name)
        at = monotonic()
        started[Terminal(arguments, program=program)] = at
    waiting = set(started)
    while waiting and monotonic() - begin < patience:
        for terminal in list(waiting):
            terminal.read(0.001)
            if "Arlon" in terminal.glass.text:
                outcome.reached.append(monotonic() - started[terminal])
                waiting.discard(terminal)
            elif terminal.process.poll() is not None:
                outcome.refused += 1
                told = terminal.raw.decode("utf-8", "replace").strip()[-200:]
                outcome.words += [told] if told not in outcome.words else []
                waiting.discard(terminal)
    outcome.seconds, outcome.late = monotonic() - begin, len(waiting)
    sleep(2)
    pids = processes_of(rig, names) if outcome.reached else set()
    outcome.processes, outcome.pss = len(pids), sum(processes.memory(pid) for pid in pids)
    for terminal in started:
        terminal.__exit__(None, None, None)
    return outcome


def processes_of(rig: Any, names: Sequence[str]) -> set[int]:
    """The desk's processes on the server: all of its account, where it has one."""
    if hasattr(rig, "server_processes"):
        return set(rig.server_processes())
    return set().union(*(processes.of_login(rig.login(name)) for name in names))


@contextmanager
def launcher_of(rig: Any, *, is_wanted: bool) -> Iterator[None]:
    """`crisisdesk launcher` for a recommended set-up, where its systemd unit would have it."""
    if not is_wanted:
        yield
        return
    account, folder = pwd.getpwnam(rig.account), Path("/run/crisisdesk")
    folder.mkdir(mode=0o700)
    os.chown(folder, account.pw_uid, account.pw_gid)
    environment = {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "HOME": str(rig.desk.parent)}
    command = [str(rig.program), "-I", "-m", "crisisdesk", "launcher"]
    launcher = subprocess.Popen(
        command, user=account.pw_uid, group=account.pw_gid, extra_groups=[], env=environment, stdout=subprocess.PIPE
    )
    try:
        assert launcher.stdout is not None
        print(launcher.stdout.readline().decode().strip(), flush=True)
        yield
    finally:
        launcher.terminate()
        launcher.wait(10)
        shutil.rmtree(folder)


def report(title: str, outcome: Outcome) -> str:
    """The short table of one storm."""
    times = sorted(outcome.reached)
    shown = [times[min(len(times) - 1, int(len(times) * share))] for share in (0.5, 0.95, 1)] if times else []
    words = "p50 {:.1f} s, p95 {:.1f} s, at most {:.1f} s".format(*shown) if shown else ""
    each = outcome.pss / outcome.processes / 2**20 if outcome.processes else 0
    lines = [
        f"{title}: {outcome.asked} sign-ins at once",
        f"  {'at their first screen':<28}{len(times):>6}   {words}",
        f"  {'refused':<28}{outcome.refused:>6}   " + " | ".join(outcome.words[:2]),
        f"  {'not there in time':<28}{outcome.late:>6}",
        f"  {'memory (PSS)':<28}{outcome.pss / 2**20:>6.0f}   MB in {outcome.processes} processes, {each:.1f} MB each",
    ]
    return "\n".join(lines)


def main(arguments: list[str]) -> int:
    """The storm with the recommended settings, then with sshd's own as a control; 1 where the first refuses anybody, or
    the second nobody."""
    parser = argparse.ArgumentParser(prog="python tests/campaigns storm", description=__doc__)
    parser.add_argument("--agents", type=int, default=150, help="sign-ins at once (default 150)")
    parser.add_argument("--patience", type=float, default=300, help="seconds until the last screen (default 300)")
    parser.add_argument("--over", choices=("ssh", "sudo", "key"), default="ssh", help="which set-up (default ssh)")
    parser.add_argument(
        "--program", nargs="+", default=["-m", "crisisdesk"], help="what Python runs, such as a launcher"
    )
    parser.add_argument(
        "--launcher", action="store_true", help="sessions are forked by a launcher (with --over sudo or key)"
    )
    parser.add_argument("--no-control", action="store_true", help="leave out the run with sshd's own MaxStartups")
    chosen = parser.parse_args(arguments)
    if why := loopback.why_not():
        print(why, file=sys.stderr)
        return 2
    names = [f"storm{number:03}" for number in range(chosen.agents)]
    settings = [loopback.RECOMMENDED] if chosen.no_control or chosen.over != "ssh" else loopback.BOTH
    refused = {}
    for max_startups in settings:
        with TemporaryDirectory(prefix="storm-") as temporary:
            folder = Path(temporary)
            desk = folder / "desk.db"
            prepare(desk, names if chosen.over == "ssh" else (), lease_seconds=600)
            with (
                rig_of(chosen.over, desk, names, folder, max_startups, chosen.program) as rig,
                launcher_of(rig, is_wanted=chosen.launcher),
            ):
                outcome = storm(rig, names, chosen.patience)
        print(report(f"MaxStartups {max_startups}", outcome), flush=True)
        refused[max_startups] = outcome.refused + outcome.late
    is_control_blind = len(settings) > 1 and refused[loopback.DEFAULT] == 0
    return 1 if refused[loopback.RECOMMENDED] or is_control_blind else 0


def rig_of(over: str, desk: Path, names: Sequence[str], folder: Path, max_startups: str, program: Sequence[str]) -> Any:
    """The sshd of this account, or that of a recommended set-up."""
    if over == "ssh":
        return loopback.Loopback(desk, names, folder / "ssh", max_startups=max_startups, program=program)
    from sshd_rig import DeskOverSsh

    return DeskOverSsh(way=over, desk=desk, agents=names)
