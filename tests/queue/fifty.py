"""Many agents at one queue, each a process forked from this one: `fifty.py DESK AGENTS ATTEMPTS SEED BEGIN`.

This process imports everything and rehearses on a copy; only its children open the desk. They share a clock, which
runs with the calls that are recorded and jumps when nobody has anything to do. Some are killed, at any moment,
with SIGKILL: half of them come back under the same name and send their last form again, the others stay away, and
their leases run out. Prints one JSON object: what was acknowledged, refused, killed.
"""

import json
import os
import random
import select
import signal
import struct
import sys
from datetime import UTC, datetime, timedelta
from mmap import mmap
from pathlib import Path
from time import monotonic, sleep
from typing import Any

from crisisdesk.desk.agents import Agent, find_agent
from crisisdesk.desk.attempts import AttemptForm, ItemResult, record_attempt
from crisisdesk.desk.callbacks import NothingNow, take_next
from crisisdesk.desk.cards import CallbackCard
from crisisdesk.desk.reference import load_reference
from crisisdesk.domain.schedule import calendar_of, is_calling_time, next_calling_time
from crisisdesk.domain.wishes import Wish
from crisisdesk.errors import LeaseLost, RuleBroken
from crisisdesk.store.engine import Store, open_desk

SECONDS_A_CALL = 4
"""By which the clock moves with each attempt of any agent: fifty calls at once take 200 s of the ten minutes."""
OUTCOMES = (
    ("accepts_date", 30), ("busy", 26), ("no_answer", 18), ("treated_elsewhere", 12), ("asks_later", 5),
    ("voicemail_none", 3), ("wrong_number", 2), ("declines", 2), ("worse", 2),
)  # fmt: skip
MOST_SECONDS = 110
"""However slow the machine is: then the day ends early."""


class Shared:
    """What all processes see: the clock, and whether the day is over."""

    def __init__(self, begin: datetime) -> None:
        self._memory = mmap(-1, 16)
        self.at(begin)

    @property
    def now(self) -> datetime:
        return datetime.fromtimestamp(struct.unpack_from("d", self._memory, 0)[0], UTC)

    def at(self, moment: datetime) -> None:
        struct.pack_into("d", self._memory, 0, moment.timestamp())

    def later(self, **span: float) -> None:
        self.at(self.now + timedelta(**span))

    def wait(self, then: datetime) -> None:
        """Until the clock shows an instant; a clock that stands costs nothing."""
        while self.now < then and not self.is_over:
            sleep(0.02)

    @property
    def is_over(self) -> bool:
        return self._memory[8] == 1

    def end(self) -> None:
        self._memory[8] = 1


def say(pipe: int, **what: Any) -> None:
    """One line, whole: a write of less than PIPE_BUF is not mixed with others'."""
    os.write(pipe, (json.dumps(what) + "\n").encode())


def work(
    desk: Path, login: str, shared: Shared, pipe: int, chance: random.Random, unsent: dict[str, Any] | None
) -> None:
    """An agent's day: take the next, ring, record; first of all the form that was never acknowledged."""
    store = open_desk(desk)
    agent = find_agent(store, login)
    assert agent
    if unsent is not None:
        send(store, agent, form_of(unsent), shared, pipe, unsent)
    number = 0
    while not shared.is_over:
        card = take_next(store, "arlon", agent=agent, now=shared.now)
        if isinstance(card, NothingNow):
            then = min(card.until or shared.now, shared.now + timedelta(hours=2)) + timedelta(
                minutes=chance.randrange(40)
            )
            say(pipe, idle=login, until=then.isoformat())
            shared.wait(then)
            say(pipe, awake=login)
            continue
        number += 1
        said = outcome(card, chance, shared.now) | {"uid": f"{login}-{os.getpid()}-{number}"}
        say(pipe, intent=login, form=said)
        send(store, agent, form_of(said), shared, pipe, said)
    store.close()


def outcome(card: CallbackCard, chance: random.Random, now: datetime) -> dict[str, Any]:
    """What comes of a call, as plain values: they are sent again by whoever comes after a kill."""
    assert card.lease
    code = chance.choices([name for name, _weight in OUTCOMES], [weight for _name, weight in OUTCOMES])[0]
    days = {}
    if code == "accepts_date":
        days = {str(key): offers[0].slot_on.isoformat() for key, offers in card.offers.items() if offers}
        code = code if days else "no_answer"
    return {
        "callback_id": card.callback_id, "generation": card.lease.generation, "code": code, "number": card.number,
        "started_at": now.isoformat(), "days": days,
    }  # fmt: skip


def form_of(said: dict[str, Any]) -> AttemptForm:
    started = datetime.fromisoformat(said["started_at"])
    asked = (
        Wish(started + timedelta(days=1), started + timedelta(days=1, hours=2))
        if said["code"] == "asks_later"
        else None
    )
    items = {
        int(key): ItemResult("accepts_date", datetime.fromisoformat(day).date()) for key, day in said["days"].items()
    }
    return AttemptForm(
        said["uid"], said["callback_id"], said["generation"], said["code"], said["number"], started,
        note="dit au téléphone", asked=asked, items=items,
    )  # fmt: skip


def send(store: Store, agent: Agent, form: AttemptForm, shared: Shared, pipe: int, said: dict[str, Any]) -> None:
    """Record; where the day has filled meanwhile the agent says so and rings again later."""
    try:
        done = record_attempt(store, form, agent=agent, now=shared.now)
    except LeaseLost:
        say(pipe, lost=form.uid)
    except RuleBroken as refusal:
        say(pipe, refused=str(refusal)[:200])
        said |= {"code": "busy", "days": {}}
        say(pipe, intent=agent.login, form=said)
        send(store, agent, form_of(said), shared, pipe, said)
    else:
        shared.later(seconds=SECONDS_A_CALL)
        say(pipe, acked=form.uid, callback=form.callback_id, code=form.disposition, repeat=done.is_repeat)


class Day:
    """The process that starts agents, kills some, moves the clock when all wait, and counts."""

    def __init__(self, desk: Path, agents: int, wanted: int, seed: int, begin: datetime) -> None:
        self.desk, self.wanted, self.chance = desk, wanted, random.Random(seed)
        self.shared, self.seed = Shared(begin), seed
        self.read, self.write = os.pipe()
        self.pids: dict[str, int] = {}
        self.unsent: dict[str, dict[str, Any]] = {}
        self.idle: dict[str, str] = {}
        """Agents who wait, with the moment at which something may be due."""
        self.said: dict[str, Any] = {"acked": [], "repeats": 0, "refused": 0, "lost": 0, "killed": 0, "back": 0}
        self.logins = [f"agent{number}" for number in range(agents)]
        self.rehearse()

    def start(self, login: str) -> None:
        unsent = self.unsent.pop(login, None)
        seed = self.chance.random()
        pid = os.fork()
        if pid == 0:
            status = 1
            try:
                work(self.desk, login, self.shared, self.write, random.Random(seed), unsent)
                status = 0
            finally:
                sys.stderr.flush()
                os._exit(status)
        self.pids[login] = pid

    def kill_one(self) -> None:
        """At any moment of any agent, in the middle of a write as well."""
        login = self.chance.choice([*self.pids])
        pid = self.pids.pop(login)
        self.idle.pop(login, None)
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        self.said["killed"] += 1
        self.listen(0)
        if self.chance.random() < 0.5:
            self.said["back"] += 1
            self.start(login)

    def listen(self, seconds: float) -> int:
        """Hear what agents say for a while; gives how many attempts were acknowledged."""
        before, end, left = len(self.said["acked"]), monotonic() + seconds, b""
        while select.select([self.read], [], [], max(0.0, end - monotonic()))[0]:
            left += os.read(self.read, 65536)
            *lines, left = left.split(b"\n")
            for line in lines:
                self.hear(json.loads(line))
            if not left and monotonic() > end:
                break
        return len(self.said["acked"]) - before

    def hear(self, what: dict[str, Any]) -> None:
        if "idle" in what:
            self.idle[what["idle"]] = what["until"]
        elif "awake" in what:
            self.idle.pop(what["awake"], None)
        elif "intent" in what:
            self.unsent[what["intent"]] = what["form"]
        elif "acked" in what:
            self.unsent.pop(what["acked"].split("-")[0], None)
            self.said["acked"].append([what["acked"], what["callback"], what["code"]])
            self.said["repeats"] += what["repeat"]
        elif "lost" in what:
            self.unsent.pop(what["lost"].split("-")[0], None)
            self.said["lost"] += 1
        elif "refused" in what:
            self.said["refused"] += 1

    def rehearse(self) -> None:
        """One call on a copy of the desk, closed again before anybody is forked: what it imports, all share."""
        copy = self.desk.with_name("rehearsal.db")
        copy.write_bytes(self.desk.read_bytes())
        store = open_desk(copy)
        self.calendar = calendar_of(load_reference(store).desk)
        agent = find_agent(store, self.logins[0])
        assert agent
        card = take_next(store, "arlon", agent=agent, now=self.shared.now)
        assert isinstance(card, CallbackCard)
        said = outcome(card, random.Random(1), self.shared.now) | {"uid": "rehearsal"}
        record_attempt(store, form_of(said), agent=agent, now=self.shared.now)
        store.close()

    def run(self) -> dict[str, Any]:
        begin, next_kill = monotonic(), 40
        for login in self.logins:
            self.start(login)
        self.said["started_seconds"] = round(monotonic() - begin, 1)
        while len(self.said["acked"]) < self.wanted and monotonic() - begin < MOST_SECONDS:
            if not self.listen(0.1) and self.idle.keys() >= self.pids.keys():  # everybody waits: time passes
                self.pass_time()
            if len(self.said["acked"]) > next_kill and len(self.pids) > 2:
                self.kill_one()
                next_kill = len(self.said["acked"]) + self.chance.randrange(8, 24)
        self.shared.end()
        self.finish()
        self.said["seconds"] = round(monotonic() - begin, 1)
        self.said["until"] = self.shared.now.isoformat()
        return self.said

    def pass_time(self) -> None:
        now = self.shared.now
        moment = max(min(map(datetime.fromisoformat, self.idle.values()), default=now), now) + timedelta(minutes=1)
        self.shared.at(moment if is_calling_time(moment, self.calendar) else next_calling_time(moment, self.calendar))

    def finish(self) -> None:
        end = monotonic() + 30
        for pid in self.pids.values():
            while os.waitpid(pid, os.WNOHANG) == (0, 0) and monotonic() < end:
                self.listen(0.02)
        self.listen(0)


if __name__ == "__main__":
    where, how_many, attempts, seeded, start = sys.argv[1:]
    day = Day(Path(where), int(how_many), int(attempts), int(seeded), datetime.fromisoformat(start))
    print(json.dumps(day.run()))
