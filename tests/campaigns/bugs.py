"""Bugs to be seeded, for control runs: a checker that finds none of them proves nothing.

Each is what a hurried change might do. `seed` changes the program in this process; only a campaign calls it.
"""

import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from sqlalchemy import text

from campaigns import worker
from crisisdesk.desk import attempts, callbacks
from crisisdesk.domain.lease import Lease
from crisisdesk.store import engine, queue


def early_answer() -> None:
    """The store answers first and commits a moment later, as one that gathers commits would."""

    @contextmanager
    def write(self: Any) -> Iterator[Any]:
        self._gate_lock.acquire()
        self._wait_at_gate()
        connection = self._writer.connect()
        transaction = connection.begin()

        def let_go() -> None:
            connection.close()
            engine.fcntl.flock(self._gate, engine.fcntl.LOCK_UN)
            self._gate_lock.release()

        try:
            yield connection
        except BaseException:
            transaction.rollback()
            let_go()
            raise

        def later() -> None:
            time.sleep(0.004)
            transaction.commit()
            let_go()

        threading.Thread(target=later).start()

    engine.Store.write = write  # type: ignore[method-assign]


def blind_take() -> None:
    """The first line is looked up, and taken by its id without another look at its state."""
    look = queue.statement(
        f"SELECT id FROM callback WHERE site_id = :site_id AND state <> 'closed' AND released_at IS NOT NULL"
        f" AND {queue.REASON} = 'ready' ORDER BY tier, due_at, id LIMIT 1"
    )
    lease = text(
        f"{queue._LEASE} WHERE id = :id AND state <> 'closed' RETURNING id, generation"
    ).bindparams(until=None, now=None)  # fmt: skip
    lease = lease.bindparams(
        *(queue.bindparam(name, type_=queue.INSTANT) for name in ("until", "now"))
    )  # fmt: skip

    def take_first(store: Any, site_id: str, moment: Any, reference: Any, agent: Any) -> Lease | None:
        until = moment.now + callbacks.timedelta(seconds=reference.desk.lease_seconds)
        with store.read() as connection:
            found = connection.execute(look, moment.values() | {"site_id": site_id}).one_or_none()
            held = queue.held_by(connection, agent.agent_id, moment.now)
        if held is not None or found is None:
            return held
        with store.write() as connection:
            values = {"agent_id": agent.agent_id, "now": moment.now, "until": until, "id": found.id}
            row = connection.execute(lease, values).one_or_none()
            taken = Lease(row.id, agent.agent_id, row.generation, until) if row else None
            callbacks._note_take(connection, taken, agent, moment.now, site_id)
        return taken

    callbacks._take_first = take_first


def fresh_key() -> None:
    """A form that is sent again gets a new key: the client makes it when it sends, not when the form opens."""
    record = worker.record_call

    def send(store: Any, form: Any, **more: Any) -> Any:
        return record(store, replace(form, uid=f"{form.uid}-{uuid.uuid4().hex}"), **more)

    worker.record_call = send  # type: ignore[assignment]


def any_generation() -> None:
    """An attempt is stored whoever holds the callback by now."""

    def record(connection: Any, form: Any, ends: Any, reference: Any, agent: Any, now: Any) -> Any:
        if (stored := attempts.rows.attempt_by_uid(connection, form.uid)) is not None:
            follow = attempts.FollowUp(attempts.NextStep(stored.next_step), stored.next_at)
            return attempts.RecordedAttempt(stored.id, follow, "", is_repeat=True)
        before = attempts._existing(connection, form.callback_id)
        return attempts.store_outcome(connection, before, form, ends, reference, agent, now)

    attempts._record = record


def renewed_anyway() -> None:
    """A lease is renewed although another agent has the callback by now."""
    queue.renew = lambda _connection, _lease: True


def draft_first() -> None:
    """The draft of an attempt is not dropped with the transaction that stores it."""
    attempts.rows.drop_draft = lambda _connection, _uid: None


def no_sync() -> None:
    """synchronous=OFF. No bug that a kill can show: what was written is the system's, and outlives the process."""
    engine.PRAGMAS = tuple(one.replace("synchronous=FULL", "synchronous=OFF") for one in engine.PRAGMAS)


BUGS: dict[str, Callable[[], None]] = {
    "early-answer": early_answer, "blind-take": blind_take, "fresh-key": fresh_key, "any-generation": any_generation,
    "renewed-anyway": renewed_anyway, "draft-first": draft_first, "no-sync": no_sync,
}  # fmt: skip
UNSEEN = frozenset({"no-sync"})
"""What SIGKILL cannot show, kept here so that it can be tried: only a cut of the power loses what was not synced."""


def seed(name: str) -> None:
    """Put one bug into the program of this process."""
    BUGS[name]()
