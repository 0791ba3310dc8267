"""What an attempt costs, with what makes it undoable, against the statements alone; and an undo against the attempt."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path
from statistics import median

from crowd import NOW, crowd
from harness import Result, timed

from crisisdesk.desk.agents import find_agent
from crisisdesk.desk.attempts import AttemptForm, record_attempt
from crisisdesk.desk.callbacks import release_lease, take_next
from crisisdesk.desk.cards import CallbackCard
from crisisdesk.desk.undoing import undo_attempt
from crisisdesk.store import undo
from crisisdesk.store.engine import Store

_BARE = (
    "SELECT * FROM callback WHERE id = ?1",
    "SELECT number FROM phone WHERE patient_id = (SELECT patient_id FROM callback WHERE id = ?1)"
    " AND found_wrong_at IS NULL",
    "UPDATE postponement SET tried_at = coalesce(tried_at, ?2) WHERE id IN"
    " (SELECT postponement_id FROM callback_item WHERE callback_id = ?1)",
    "INSERT INTO attempt (uid, callback_id, agent_id, generation, started_at, ended_at, entered_at, disposition, reach,"
    " next_step) VALUES (hex(randomblob(8)), ?1, 1, 1, ?2, ?2, ?2, 'no_answer', 'nobody', 'retry')",
    "UPDATE callback SET attempts = attempts + 1, last_attempt_at = ?2, not_before = ?2, state = 'waiting',"
    " leased_by = NULL, leased_at = NULL, lease_until = NULL WHERE id = ?1",
)


def run(folder: Path, runs: int) -> Iterable[Result]:
    """One agent at a queue of 10,000: ring, no answer; then the same taken back."""
    store = crowd(folder / "attempts.db", 10_000, released=True)
    agent = find_agent(store, "chef")
    assert agent
    serial, now = count(1), NOW
    recorded, undone, bare = [], [], []
    for _round in range(runs + 2):
        now += timedelta(seconds=40)
        card = take_next(store, "arlon", agent=agent, now=now)
        assert isinstance(card, CallbackCard)
        assert card.lease
        form = AttemptForm(f"a{next(serial)}", card.callback_id, card.lease.generation, "no_answer", card.number, now)
        recorded.append(timed(lambda: record_attempt(store, form, agent=agent, now=now)))  # noqa: B023
        at = now + timedelta(seconds=20)
        back = []
        undone.append(
            timed(lambda: back.append(undo_attempt(store, None, reason="erreur", agent=agent, now=at)))  # noqa: B023
        )
        if back[0].card is not None and back[0].card.lease is not None:
            release_lease(store, back[0].card.lease, "mesure", agent=agent, now=at)
        with store.write() as connection:
            connection.exec_driver_sql("UPDATE callback SET state = 'closed', closed_at = created_at, hold = ''"
                                       " WHERE id = ?", (card.callback_id,))  # fmt: skip
        bare.append(timed(lambda: statements(store, 5_000 + next(serial), now)))  # noqa: B023
    yield Result("an attempt with its journal / bare statements", median(recorded[2:]), median(bare[2:]), 8, runs)
    yield Result("an undo / the attempt that it takes back", median(undone[2:]), median(recorded[2:]), 2.5, runs)
    yield from snapshot(store, runs)
    store.close()


def statements(store: Store, callback_id: int, now: datetime) -> None:
    """What an attempt changes, written by hand, in one write."""
    stamp = f"{now:%Y-%m-%d %H:%M:%S.%f}"
    with store.write() as connection:
        for sql in _BARE:
            connection.exec_driver_sql(sql, (callback_id, stamp)[: 2 if "?2" in sql else 1])


def snapshot(store: Store, runs: int) -> Iterable[Result]:
    """What looking at everything before and after an attempt adds, so that it can be taken back."""
    times = []
    with store.write() as connection:
        for patient_id in range(1, runs + 3):
            times.append(timed(lambda: undo.look(connection, patient_id)))  # noqa: B023
    yield Result("one look at a patient's rows, of two an attempt takes", median(times[2:]), None, 2, runs)
