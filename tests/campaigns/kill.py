"""`python tests/campaigns kill`: workers at one desk, killed with SIGKILL at random moments."""

import argparse
import gc
import os
import random
import signal
import sys
import traceback
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic, sleep

from campaigns import bugs, history
from campaigns.checker import Fault, Histories, check
from campaigns.deskclock import MORNING, DeskClock
from campaigns.deskfacts import read_facts
from campaigns.worker import LEASE_SECONDS, SPEED, Worker
from crisisdesk.desk.agents import add_agent, find_agent
from crisisdesk.desk.reference import data_folder, init_desk
from crisisdesk.domain.words import Role
from crisisdesk.store.engine import open_desk
from filling import fill

UNHEARD = 0.02
"""Share of operations whose worker dies with the answer in hand."""


@dataclass
class Outcome:
    """What one campaign saw."""

    kills: int
    unheard: int
    """Of these: at the moment of the answer, by the worker's own hand."""
    seconds: float
    acked: Counter[str] = field(default_factory=Counter)
    """Acknowledged operations by kind."""
    resent: int = 0
    """Operations that a later life sent again, because the answer was lost."""
    repeats: int = 0
    """Of these: the desk had them already."""
    refused: int = 0
    """Late writes that found the lease gone."""
    faults: list[Fault] = field(default_factory=list)


def prepare(desk: Path, workers: int, callbacks: int) -> None:
    """A desk with patients to ring (two to a number), short leases and an agent for each worker."""
    init_desk(desk, data_folder(), admin_login="chef", now=MORNING)
    store = open_desk(desk)
    admin = find_agent(store, "chef")
    assert admin
    for number in range(workers):
        login = login_of(number)
        add_agent(store, login=login, name=login, role=Role.AGENT, agent=admin, now=MORNING)
    fill(store, callbacks, MORNING, phone=lambda number: f"+3247{number // 2:07}")
    with store.write() as connection:
        connection.exec_driver_sql("UPDATE desk SET lease_seconds = ?", (LEASE_SECONDS,))
        connection.exec_driver_sql("ANALYZE")
    store.close()


def login_of(number: int) -> str:
    return f"agent{number:02}"


class Campaign:
    """The process that starts the workers and kills them. It never opens the desk while one of them lives."""

    def __init__(self, folder: Path, workers: int, seed: int, *, bug: str = "", callbacks: int = 1000) -> None:
        """Make the desk in ``folder`` and rehearse on a copy, so that all that a worker imports is shared."""
        self.desk, self.folder, self.workers = folder / "desk.db", folder, workers
        self.chance, self.bug = random.Random(seed), bug
        self.pids: dict[int, int] = {}
        self.away: dict[int, float] = {}
        """Workers who come back when the lease they may have held is over, by the moment."""
        self.died: list[str] = []
        self.kills = self.unheard = 0
        prepare(self.desk, workers, callbacks)
        self.rehearse()
        if bug:
            bugs.seed(bug)
        self.clock = DeskClock(SPEED)

    def rehearse(self) -> None:
        copy = self.folder / "rehearsal.db"
        copy.write_bytes(self.desk.read_bytes())
        clock = DeskClock(SPEED)
        one = Worker(copy, login_of(0), clock, self.folder, random.Random(1))
        for _step in range(3):
            one._answer()
            one._ring()
        one._store.close()
        (self.folder / f"{login_of(0)}.history").unlink()

    def start(self, number: int, *, drain: bool = False) -> None:
        """Fork a life of a worker; it opens the desk by itself."""
        seed = self.chance.getrandbits(64)
        pid = os.fork()
        if pid:
            self.pids[number] = pid
            return
        code = 1
        try:
            unheard = 0.0 if drain else UNHEARD
            life = Worker(self.desk, login_of(number), self.clock, self.folder, random.Random(seed), unheard=unheard)
            life.work(drain=drain)
            code = 0
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stderr.flush()
            os._exit(code)

    def kill(self, number: int) -> None:
        """End a life; the next one begins at once, or when a lease of this one is over."""
        os.kill(self.pids[number], signal.SIGKILL)
        self.bury(number, os.waitpid(self.pids[number], 0)[1])

    def bury(self, number: int, status: int) -> None:
        del self.pids[number]
        self.kills += 1
        if status != signal.SIGKILL:
            self.died.append(f"{login_of(number)} ended by itself with {os.waitstatus_to_exitcode(status)}")
        if self.chance.random() < 0.04:
            self.away[number] = monotonic() + self.chance.uniform(1, 2) * LEASE_SECONDS / SPEED
        else:
            self.start(number)

    def run(self, kills: int, steps: float) -> Outcome:
        """Kill so often, each time after so many operations of all workers on average, and at any point within them;
        then let everybody finish, and check. Not by time: on a busy machine nobody would live to do anything."""
        begin, shown = monotonic(), 0
        gc.collect()
        gc.freeze()
        for number in range(self.workers):
            self.start(number)
        while self.kills < kills:
            self.wait_for(self.clock.done + self.chance.expovariate(1 / steps))
            for number in [number for number, then in self.away.items() if monotonic() > then]:
                del self.away[number]
                self.start(number)
            for number in list(self.pids):
                if (ended := os.waitpid(self.pids[number], os.WNOHANG)) != (0, 0):
                    self.unheard += 1
                    self.bury(number, ended[1])
            if self.pids:
                self.kill(self.chance.choice(list(self.pids)))
            if self.kills // 500 > shown:
                shown = self.kills // 500
                print(f"{self.kills} kills, {monotonic() - begin:.0f} s", file=sys.stderr, flush=True)
        self.clock.end()
        self.wait()
        for number in range(self.workers):  # whatever was not answered is sent once more
            self.start(number, drain=True)
        self.wait()
        return self.outcome(monotonic() - begin)

    def wait_for(self, done: float) -> None:
        """Until all together have begun so many operations, or a second; then up to 20 ms into the next."""
        end = monotonic() + 1
        while self.clock.done < done and monotonic() < end:
            sleep(0.002)
        sleep(self.chance.uniform(0, 0.02))

    def wait(self) -> None:
        for number, pid in self.pids.items():
            status = os.waitpid(pid, 0)[1]
            if status not in (0, signal.SIGKILL):
                self.died.append(f"{login_of(number)} ended by itself with {os.waitstatus_to_exitcode(status)}")
        self.pids.clear()

    def outcome(self, seconds: float) -> Outcome:
        logins = [login_of(number) for number in range(self.workers)]
        histories: Histories = [list(history.read(self.folder / f"{login}.history", login)) for login in logins]
        faults = check(histories, read_facts(self.desk, self.clock.now()))
        lines = [line for one in histories for line in one]
        asked = Counter(line.op_id for line in lines if line.phase == history.INVOKE)
        acked = [line for line in lines if line.phase == history.OK]
        return Outcome(
            self.kills, self.unheard, seconds, Counter(line.op for line in acked), sum(n - 1 for n in asked.values()),
            sum(bool(line.what.get("repeat")) for line in acked), sum(line.what.get("why") == "lost" for line in lines),
            [*(Fault("died", words) for words in self.died), *faults],
        )  # fmt: skip


def report(outcome: Outcome, workers: int) -> str:
    """The short table."""
    kinds = Counter(fault.kind for fault in outcome.faults)
    lines = [
        f"{'kills':<34}{outcome.kills:>8}   of {workers} workers, in {outcome.seconds:.0f} s;"
        f" {outcome.unheard} between the commit and its answer",
        f"{'acknowledged operations':<34}{outcome.acked.total():>8}   "
        + ", ".join(f"{name} {n}" for name, n in sorted(outcome.acked.items())),
        f"{'sent again, answer lost':<34}{outcome.resent:>8}   of these stored before: {outcome.repeats}",
        f"{'late writes refused':<34}{outcome.refused:>8}",
        f"{'faults':<34}{len(outcome.faults):>8}   " + ", ".join(f"{name} {n}" for name, n in kinds.most_common()),
    ]
    return "\n".join(lines + [f"  {fault.kind}: {fault.words}" for fault in outcome.faults[:8]])


def main(arguments: list[str]) -> int:
    """Run it; 1 where the checker finds a fault."""
    parser = argparse.ArgumentParser(prog="python tests/campaigns kill", description=__doc__)
    parser.add_argument("--kills", type=int, default=10_000, help="SIGKILLs (default 10000)")
    parser.add_argument("--workers", type=int, default=20, help="processes at the desk (default 20)")
    parser.add_argument("--steps", type=float, default=3, help="operations between two kills, on average (default 3)")
    parser.add_argument("--seed", type=int, default=2022, help="of the kills and of what workers do (default 2022)")
    parser.add_argument("--bug", choices=sorted(bugs.BUGS), default="", help="a control run: must find faults")
    parser.add_argument("--keep", type=Path, help="a folder for the desk and the histories, kept afterwards")
    chosen = parser.parse_args(arguments)
    with TemporaryDirectory(prefix="kill-") as temporary:
        folder = chosen.keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        waiting = max(400, chosen.kills)
        campaign = Campaign(folder, chosen.workers, chosen.seed, bug=chosen.bug, callbacks=waiting)
        outcome = campaign.run(chosen.kills, chosen.steps)
    print(report(outcome, chosen.workers))
    return 1 if outcome.faults else 0
