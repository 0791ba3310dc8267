"""`python tests/campaigns cuts`: agents type calls at real terminals whose lines are cut, frozen or stalled."""

import argparse
import random
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import monotonic, sleep, time

from accounts import faults
from campaigns import loopback, processes
from campaigns.aftermath import PATIENCE, Aftermath
from campaigns.deskfacts import file_faults
from campaigns.lines import AgentLine, LocalLine, SshLine
from campaigns.typist import Cut, Typist
from crisisdesk.desk.agents import add_agent, find_agent
from crisisdesk.desk.reference import data_folder, init_desk
from crisisdesk.domain.words import Role
from crisisdesk.store.engine import open_desk
from filling import fill

OLDEST_LOSS = 2.0
"""Seconds: what was typed earlier than that before a cut has to be back."""
LATE = 10.0
"""Seconds that a key may take on a busy machine from the keyboard to the lease that it renews."""
BROKEN = """import sys
from crisisdesk.ui.start import settle_environment
settle_environment()
from crisisdesk.ui.autosave import Autosave
Autosave.save = lambda self: None
from crisisdesk.cli.main import run
sys.exit(run(sys.argv[1:]))
"""
"""The program without autosave, for a control run."""


@dataclass
class Outcome:
    """What one campaign saw."""

    cuts: list[Cut]
    saved: int
    gone: dict[str, list[float]]
    seconds: float
    faults: list[str] = field(default_factory=list)


def prepare(desk: Path, names: Sequence[str], *, lease_seconds: int, callbacks: int = 400) -> None:
    """A desk that may be rung from at any hour, with patients who wait, and an agent for each name."""
    now = datetime.now(UTC)
    init_desk(desk, data_folder(), admin_login="chef", now=now)
    store = open_desk(desk)
    admin = find_agent(store, "chef")
    assert admin
    for name in names:
        add_agent(store, login=name, name=name, role=Role.AGENT, agent=admin, now=now)
    fill(store, callbacks, now)
    with store.write() as connection:
        connection.exec_driver_sql(
            "UPDATE desk SET lease_seconds = ?, calls_from = '00:00:00.000000', calls_until = '23:59:59.000000',"
            " call_weekdays = '[0, 1, 2, 3, 4, 5, 6]', holidays = '[]', rest_seconds = 0",
            (lease_seconds,),
        )
    store.close()


class Campaign:
    """Starts the agents, asks for cuts, watches leases, and adds up."""

    def __init__(self, line: AgentLine, desk: Path, names: Sequence[str], seed: int, *, rest: float = 10) -> None:
        """``rest``: seconds over which the sessions are watched while nobody types."""
        self.store, self._line, self._chance, self._rest = open_desk(desk), line, random.Random(seed), rest
        with self.store.read() as connection:
            self._lease_seconds = connection.exec_driver_sql("SELECT lease_seconds FROM desk").scalar_one()
        self.aftermath = Aftermath(line)
        self.typists = [
            Typist(name, line, self.store, self.aftermath, seed + number) for number, name in enumerate(names)
        ]
        self.faults: list[str] = []

    def run(self, cuts: int, minutes: float) -> Outcome:
        """Type for so long; the cuts come at random moments, evenly spread over the agents and the ways."""
        begin, ways = monotonic(), list(self._line.ways)
        self.aftermath.start()
        for typist in self.typists:
            typist.start()
        pause = minutes * 60 / cuts
        asked, shown, next_at = 0, 0, begin + pause
        while self.done < cuts and monotonic() - begin < minutes * 60 * 1.5 + 60:
            sleep(0.1)
            free = [typist for typist in self.typists if typist.pid and not typist.way]
            if asked < cuts and monotonic() >= next_at and free:
                self._chance.choice(free).way = ways[asked % len(ways)]
                asked, next_at = asked + 1, next_at + self._chance.uniform(0.5, 1.5) * pause
            self._watch_leases()
            if self.done // 25 > shown:
                shown = self.done // 25
                print(f"{self.done} cuts, {monotonic() - begin:.0f} s", file=sys.stderr, flush=True)
        self._until(lambda: all(cut.lost_age is not None for typist in self.typists for cut in typist.cuts), 60)
        self._at_rest()
        for typist in self.typists:
            typist.is_over = True
        for typist in self.typists:
            typist.join(60)
        self._until(lambda: not self.aftermath.open, self._line.gone_within * PATIENCE + 10)
        self.aftermath.is_over = True
        return self._outcome(monotonic() - begin)

    @property
    def done(self) -> int:
        """Cuts so far."""
        return sum(len(typist.cuts) for typist in self.typists)

    def _until(self, reached: object, seconds: float) -> None:
        end = monotonic() + seconds
        while not reached() and monotonic() < end:  # type: ignore[operator]
            sleep(0.2)
            self._watch_leases()

    def _watch_leases(self) -> None:
        """No lease reaches further than the last key of its agent and the length of a lease."""
        latest = {typist.agent.agent_id: typist.last_key for typist in self.typists}
        with self.store.read() as connection:
            held = connection.exec_driver_sql(
                "SELECT id, leased_by, lease_until FROM callback WHERE state = 'leased' AND lease_until IS NOT NULL"
            ).all()
        for number, agent_id, until in held:
            end = datetime.fromisoformat(until).replace(tzinfo=UTC).timestamp()
            if end > latest.get(agent_id, 0.0) + self._lease_seconds + LATE:
                beyond = end - latest[agent_id] - self._lease_seconds
                words = f"callback {number} is held {beyond:.0f} s beyond the lease that its agent's last key gave"
                if words[:20] not in {fault[:20] for fault in self.faults}:
                    self.faults.append(words)

    def _at_rest(self) -> None:
        """Nobody types: no session may use the processor."""
        for typist in self.typists:
            typist.rest()
        sleep(5)
        before = {typist.pid: processes.seconds_used(typist.pid) for typist in self.typists if typist.pid}
        begin = monotonic()
        sleep(self._rest)
        for pid, used in before.items():
            now = processes.seconds_used(pid)
            if now is not None and used is not None and (share := (now - used) / (monotonic() - begin)) > 0.2:
                self.faults.append(f"process {pid} uses {share:.0%} of a processor at rest")

    def _outcome(self, seconds: float) -> Outcome:
        cuts = [cut for typist in self.typists for cut in typist.cuts]
        found = [*self.faults, *self.aftermath.faults]
        found += [trouble for typist in self.typists for trouble in typist.troubles]
        for cut in cuts:
            age = cut.lost_age
            if age is None or age > OLDEST_LOSS:
                what = "was never looked for" if age is None else f"{age:.1f} s old is gone"
                found.append(f"{cut.name}, {cut.way} over a {cut.kind}: text {what}")
        found += [f"{one.login} ({one.way}) was not cleared up" for one in self.aftermath.open]
        saved = Counter(reference for typist in self.typists for reference in typist.saved)
        found += self._desk_faults(saved)
        self.store.close()
        return Outcome(cuts, saved.total(), dict(self.aftermath.gone), seconds, found)

    def _desk_faults(self, saved: Counter[str]) -> list[str]:
        with self.store.read() as connection:
            stored = {row[0] for row in connection.exec_driver_sql("SELECT reference FROM call")}
            left = connection.exec_driver_sql("SELECT draft.uid FROM draft JOIN call USING (uid)").all()
        found = [f"call {reference} was read out and is not there" for reference in saved if reference not in stored]
        found += [f"call {reference} was read out twice" for reference, count in saved.items() if count > 1]
        found += [f"the draft {row[0]} is there beside its call" for row in left]
        end = datetime.fromtimestamp(time(), UTC)
        return [*found, *file_faults(self.store), *faults(self.store, end)]


def report(outcome: Outcome) -> str:
    """The short table."""
    ages = [cut.lost_age for cut in outcome.cuts if cut.lost_age is not None]
    back = sum(age <= OLDEST_LOSS for age in ages)
    looked = [cut.on_screen for cut in outcome.cuts if cut.on_screen is not None]
    lines = [f"{len(outcome.cuts)} cuts in {outcome.seconds:.0f} s, {outcome.saved} calls saved between them"]
    lines.append(f"{'text older than 2 s is back':<40}{back:>6} of {len(outcome.cuts)}")
    if ages:
        typed = [cut.lost_typed_age for cut in outcome.cuts]
        lines.append(
            f"{'  oldest lost letter, s on the screen':<40}{median(ages):>6.1f} median, {max(ages):.1f} at most"
        )
        lines.append(
            f"{'  oldest lost letter, s since its key':<40}{median(typed):>6.1f} median, {max(typed):.1f} at most"
        )
    lines.append(f"{'  looked at on the screen too':<40}{sum(looked):>6} of {len(looked)}")
    for way in sorted({cut.way for cut in outcome.cuts}):
        gone = outcome.gone.get(way, [])
        count = sum(cut.way == way for cut in outcome.cuts)
        times = f"gone after {median(gone):.1f} s median, {max(gone):.1f} s at most" if gone else "none ended"
        lines.append(f"{'  ' + way:<40}{count:>6} cuts; process {times}")
    lines.append(f"{'faults':<40}{len(outcome.faults):>6}")
    return "\n".join(lines + [f"  {words}" for words in outcome.faults[:10]])


def run_over(transport: str, folder: Path, names: Sequence[str], chosen: argparse.Namespace) -> Outcome:
    """One campaign over a transport: local, ssh (this account, keys), sudo or key (the recommended set-ups)."""
    desk = folder / "desk.db"
    prepare(desk, () if transport in ("sudo", "key") else names, lease_seconds=chosen.lease_seconds)
    program: tuple[str, ...] = ("-m", "crisisdesk")
    if chosen.without_autosave:
        (folder / "broken.py").write_text(BROKEN, encoding="utf-8")
        program = (str(folder / "broken.py"),)
    if transport == "local":
        campaign = Campaign(LocalLine(desk, program), desk, names, chosen.seed, rest=chosen.rest)
        return campaign.run(chosen.cuts, chosen.minutes)
    if transport == "ssh":
        rig = loopback.Loopback(desk, names, folder / "ssh", program=program, alive=chosen.alive)
    else:
        from sshd_rig import DeskOverSsh

        rig = DeskOverSsh(way=transport, desk=desk, agents=names)
    with rig:
        line = SshLine(rig)
        try:
            campaign = Campaign(line, rig.desk, names, chosen.seed, rest=chosen.rest)
            return campaign.run(chosen.cuts, chosen.minutes)
        finally:
            line.close()


def main(arguments: list[str]) -> int:
    """Run it; 1 where something was lost or left behind."""
    parser = argparse.ArgumentParser(prog="python tests/campaigns cuts", description=__doc__)
    parser.add_argument("--agents", type=int, default=20, help="terminals at once (default 20)")
    parser.add_argument("--minutes", type=float, default=10, help="over which the cuts are spread (default 10)")
    parser.add_argument("--cuts", type=int, default=200, help="(default 200)")
    parser.add_argument("--over", choices=("local", "ssh", "sudo", "key"), default="ssh", help="(default ssh)")
    parser.add_argument("--lease-seconds", type=int, default=60, help="of the desk (default 60)")
    parser.add_argument("--alive", default=loopback.ALIVE, help="ClientAliveInterval x CountMax, over ssh")
    parser.add_argument("--rest", type=float, default=10, help="seconds of watching idle sessions (default 10)")
    parser.add_argument("--seed", type=int, default=2022)
    parser.add_argument("--without-autosave", action="store_true", help="a control run: must find faults")
    chosen = parser.parse_args(arguments)
    if chosen.over != "local" and (why := loopback.why_not()):
        print(why, file=sys.stderr)
        return 2
    names = [f"typist{number:02}" for number in range(chosen.agents)]
    with TemporaryDirectory(prefix="cuts-") as temporary:
        outcome = run_over(chosen.over, Path(temporary), names, chosen)
    print(report(outcome))
    return 1 if outcome.faults else 0
