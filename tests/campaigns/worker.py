"""A worker: records calls, rings patients, types drafts, one after the other, and writes each into its history.

Each operation is plain data before it is done, so that the next life of the same worker can send it again unchanged.
"""

import os
import random
import signal
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from campaigns.deskclock import DeskClock
from campaigns.history import FAIL, INVOKE, OK, Writer, unanswered
from crisisdesk.desk.agents import find_agent
from crisisdesk.desk.attempts import AttemptForm, record_attempt
from crisisdesk.desk.callbacks import NothingNow, release_lease, renew, take_next
from crisisdesk.desk.drafts import drop_draft, save_draft
from crisisdesk.desk.intake import CallForm, record_call
from crisisdesk.domain.lease import Lease
from crisisdesk.errors import LeaseLost, RuleBroken
from crisisdesk.store.engine import open_desk

ENDINGS = ("treated_elsewhere", "treated_elsewhere", "busy", "no_answer", "voicemail_none")
CALL_ENDINGS = ("informed", "informed", "informed", "callback")
LEASE_SECONDS, SPEED = 120, 60.0
"""Of the desk: a lease of two minutes lasts two of our seconds, the rest of a patient fifteen."""


class Worker:
    """One life of a worker, from its fork to its death."""

    def __init__(
        self, desk: Path, login: str, clock: DeskClock, folder: Path, chance: random.Random, *, unheard: float = 0.0
    ) -> None:
        """Opens the desk: only ever called in the worker's own process.

        Args:
            unheard: share of operations after which the worker kills itself before it has heard the answer; a kill from
                outside hits that moment once in hundreds.
        """
        path = folder / f"{login}.history"
        self._left, self._history = unanswered(path, login), Writer(path, login)
        self._clock, self._chance, self._login = clock, chance, login
        self._unheard = unheard
        self._store = open_desk(desk)
        agent = find_agent(self._store, login)
        assert agent
        self._agent = agent

    def work(self, *, drain: bool = False) -> None:
        """Send again what was not answered, then work until it is over (or, ``drain``, stop there)."""
        if self._left is not None:
            self._do(self._left.op, self._left.op_id, **self._left.what)
        while not drain and not self._clock.is_over:
            self._answer() if self._chance.random() < 0.45 else self._ring()
        self._store.close()

    def _new_id(self) -> str:
        return f"{self._login}-{self._chance.getrandbits(48):012x}"

    def _do(self, op: str, op_id: str, **what: Any) -> dict[str, Any] | None:
        """One operation with its lines; what came of it, or None where it was refused."""
        self._clock.count(int(self._login.removeprefix("agent")))
        self._history.add(op, INVOKE, op_id, self._clock.now().timestamp(), **what)
        try:
            said: dict[str, Any] = getattr(self, f"do_{op}")(op_id, what, self._clock.now())
        except LeaseLost:
            self._history.add(op, FAIL, op_id, self._clock.now().timestamp(), **what, why="lost")
            return None
        except RuleBroken as refusal:
            self._history.add(op, FAIL, op_id, self._clock.now().timestamp(), **what, why=str(refusal))
            return None
        if self._chance.random() < self._unheard:
            os.kill(os.getpid(), signal.SIGKILL)
        phase = FAIL if "why" in said else OK
        self._history.add(op, phase, op_id, self._clock.now().timestamp(), **(dict(what) | said))
        return None if "why" in said else said

    # ------------------------------------------------------------ what a worker does

    def _answer(self) -> None:
        """A call: typed in one or two steps, then stored, given up, or left as a draft."""
        op_id, chance = self._new_id(), self._chance
        uid = f"call-{op_id}"
        for step in range(chance.choice((0, 1, 1, 2))):
            self._do("draft", f"{op_id}-{step}", uid=uid, kind="call", text=f"step {step} of {op_id}")
        ends = chance.random()
        if ends < 0.8:
            phone = f"+3263{chance.randrange(10**6):06}"
            self._do("call", op_id, uid=uid, code=chance.choice(CALL_ENDINGS), phone=phone)
        elif ends < 0.9:
            self._do("drop", f"{op_id}-x", uid=uid)

    def _ring(self) -> None:
        """Take the next patient; ring, or give back, or fall asleep over it and write late."""
        chance = self._chance
        held = self._do("take", self._new_id())
        if held is None:
            self._clock.nap(0.05)
            return
        lease = {"callback_id": held["callback_id"], "generation": held["generation"]}
        op_id = self._new_id()
        if chance.random() < 0.3:
            self._do("draft", f"{op_id}-0", uid=f"attempt-{op_id}", kind="attempt", text=f"said in {op_id}")
        if (asleep := chance.random()) < 0.06:
            self._clock.nap(chance.uniform(0.5, 2) * LEASE_SECONDS / SPEED)
        if asleep < 0.03 or chance.random() < 0.3:
            self._do("renew", self._new_id(), **lease)
        ends = chance.random()
        if ends < 0.8:
            more = {"number": held["rung"], "started_at": self._clock.now().isoformat(), "uid": f"attempt-{op_id}"}
            self._do("attempt", op_id, **lease, code=chance.choice(ENDINGS), **more)
        elif ends < 0.92:
            self._do("give", self._new_id(), **lease)

    # ------------------------------------------------------------ the operations: data in, data out

    def do_call(self, op_id: str, what: Mapping[str, Any], now: datetime) -> dict[str, Any]:
        names = {"last_name": f"Nom{op_id[-6:]}", "first_name": "Marie", "site_id": "arlon"}
        form = CallForm(
            what["uid"], now, what["code"], phone=what["phone"], words=f"call {op_id}",
            **(names if what["code"] == "callback" else {}),
        )  # fmt: skip
        done = record_call(self._store, form, agent=self._agent, now=now)
        return {"call_id": done.call_id, "number": done.number, "reference": done.reference, "repeat": done.is_repeat}

    def do_take(self, _op_id: str, _what: Mapping[str, Any], now: datetime) -> dict[str, Any]:
        card = take_next(self._store, "arlon", agent=self._agent, now=now)
        if isinstance(card, NothingNow):
            return {"why": card.reason}
        assert card.lease
        lease = {"generation": card.lease.generation, "until": card.lease.until.timestamp()}
        return {"callback_id": card.callback_id, "rung": card.number, **lease}

    def do_renew(self, _op_id: str, what: Mapping[str, Any], now: datetime) -> dict[str, Any]:
        lease = Lease(what["callback_id"], self._agent.agent_id, what["generation"], now)
        return {"until": renew(self._store, lease, now=now).until.timestamp()}

    def do_attempt(self, op_id: str, what: Mapping[str, Any], now: datetime) -> dict[str, Any]:
        form = AttemptForm(
            what["uid"], what["callback_id"], what["generation"], what["code"], what["number"],
            datetime.fromisoformat(what["started_at"]), note=op_id,
        )  # fmt: skip
        done = record_attempt(self._store, form, agent=self._agent, now=now)
        return {"attempt_id": done.attempt_id, "repeat": done.is_repeat}

    def do_give(self, _op_id: str, what: Mapping[str, Any], now: datetime) -> dict[str, Any]:
        lease = Lease(what["callback_id"], self._agent.agent_id, what["generation"], now)
        release_lease(self._store, lease, "wrong moment", agent=self._agent, now=now)
        return {}

    def do_draft(self, _op_id: str, what: Mapping[str, Any], now: datetime) -> dict[str, Any]:
        fields = {"note": what["text"]}
        save_draft(self._store, uid=what["uid"], kind=what["kind"], fields=fields, agent=self._agent, now=now)
        return {}

    def do_drop(self, _op_id: str, what: Mapping[str, Any], now: datetime) -> dict[str, Any]:
        return {"dropped": drop_draft(self._store, what["uid"], agent=self._agent, now=now)}
