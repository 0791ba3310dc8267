"""What a correction puts right in the store: facts proven by what still counts, callbacks opened again, event times."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, func, select, text, update

from crisisdesk.domain.words import CallbackState
from crisisdesk.store import callbacks, tables
from crisisdesk.store.engine import Connection
from crisisdesk.store.items import FACTS

attempt, callback, postponement = tables.attempt.c, tables.callback.c, tables.postponement.c
_INSTANT = callback.due_at.type


@dataclass(frozen=True, slots=True)
class Evidence:
    """One contact that says how far a postponement has come."""

    postponement_id: int
    at: datetime
    scope: str
    """"item", "attempt" or "inbound"."""
    code: str
    names_others: bool
    """An attempt that said something of other postponements, and of this one only that it was spoken or tried."""


# Attempts that count, with what was said of the item; calls about the item; calls in which its callback was settled.
_EVIDENCE = text(
    """
    WITH wanted (id) AS (SELECT value FROM json_each(:ids))
    SELECT wanted.id, a.ended_at AS at, CASE WHEN ai.disposition IS NULL THEN 'attempt' ELSE 'item' END AS scope,
      coalesce(ai.disposition, a.disposition) AS code,
      ai.disposition IS NULL AND EXISTS (SELECT 1 FROM attempt_item o WHERE o.attempt_id = a.id) AS names_others
    FROM wanted JOIN callback_item ci ON ci.postponement_id = wanted.id JOIN attempt a ON a.callback_id = ci.callback_id
      LEFT JOIN attempt_item ai ON ai.attempt_id = a.id AND ai.postponement_id = wanted.id
    WHERE a.undone_at IS NULL AND (ai.disposition IS NOT NULL OR ci.added_at <= a.entered_at)
    UNION SELECT ai.postponement_id, a.ended_at, 'item', ai.disposition, 0
    FROM wanted JOIN attempt_item ai ON ai.postponement_id = wanted.id JOIN attempt a ON a.id = ai.attempt_id
    WHERE a.undone_at IS NULL
    UNION SELECT ci.postponement_id, call.entered_at, CASE WHEN ci.disposition IS NULL THEN 'inbound' ELSE 'item' END,
      coalesce(ci.disposition, call.disposition), 0
    FROM wanted JOIN call_item ci ON ci.postponement_id = wanted.id JOIN call ON call.id = ci.call_id
    UNION SELECT wanted.id, j.entered_at, 'inbound', json_extract(j.detail, '$.disposition'), 0
    FROM wanted JOIN callback_item ci ON ci.postponement_id = wanted.id
      JOIN journal j ON j.subject = 'callback' AND j.subject_id = CAST(ci.callback_id AS TEXT)
        AND j.action = 'callback.settled' AND j.entered_at >= ci.added_at
    """
).columns(at=_INSTANT)


def evidence_of(connection: Connection, postponement_ids: Sequence[int]) -> Sequence[Evidence]:
    """Every contact that still counts and says something of some postponements."""
    rows = connection.execute(_EVIDENCE, {"ids": f"[{','.join(str(int(number)) for number in postponement_ids)}]"})
    return [Evidence(row[0], row.at, row.scope, row.code, bool(row.names_others)) for row in rows]


def prove_again(connection: Connection, proven: Mapping[int, Mapping[str, datetime]]) -> None:
    """Set facts that contacts prove, at the earliest instant: postponement -> column -> instant."""
    for number, facts in proven.items():
        values = {column: func.min(func.coalesce(postponement[column], at), at) for column, at in facts.items()}
        if values:
            connection.execute(update(tables.postponement).where(postponement.id == number).values(values))


def set_event_time(connection: Connection, patient_id: int, ended_at: datetime, now: datetime) -> None:
    """What a correction stored now was so when the attempt was made: facts and the rest of the patient's callbacks."""
    for column in FACTS.values():
        facts = update(tables.postponement).where(postponement.patient_id == patient_id, postponement[column] == now)
        connection.execute(facts.values({column: ended_at}))
    rung = update(tables.callback).where(callback.patient_id == patient_id, callback.last_attempt_at == now)
    connection.execute(rung.values(last_attempt_at=ended_at))


def stand_for(connection: Connection, attempt_id: int, corrected: Any) -> None:
    """An attempt that corrects another is told of the same agent, promise and call."""
    values = {"corrects_id": corrected.id, "agent_id": corrected.agent_id}
    values |= {"promised_from": corrected.promised_from, "promised_until": corrected.promised_until}
    connection.execute(update(tables.attempt).where(attempt.id == attempt_id).values(values))


def give_places(connection: Connection, booking_ids: Iterable[int], attempt_id: int) -> None:
    """Places that still hold belong to the attempt that stands."""
    booking = tables.booking
    connection.execute(update(booking).where(booking.c.id.in_(list(booking_ids))).values(attempt_id=attempt_id))


def count_unanswered(connection: Connection, callback_id: int) -> int:
    """Attempts that count since the patient was last reached."""
    reached = select(func.max(attempt.ended_at)).where(
        attempt.callback_id == callback_id, attempt.reach == "patient", attempt.undone_at.is_(None)
    )
    since = func.coalesce(reached.scalar_subquery(), "")
    query = select(func.count()).where(attempt.callback_id == callback_id, attempt.undone_at.is_(None))
    query = query.where(attempt.reach != "patient", attempt.ended_at > since)
    return int(connection.execute(query).scalar_one())


_LEASED = (
    select(tables.agent.c.name)
    .join(tables.callback, callback.leased_by == tables.agent.c.id)
    .where(callback.patient_id == bindparam("patient_id"), callback.state == CallbackState.LEASED)
    .where(callback.lease_until > bindparam("now", type_=_INSTANT))
)


def who_holds(connection: Connection, patient_id: int, now: datetime) -> str | None:
    """Name of an agent who holds a callback of a patient at this moment."""
    return connection.scalar(_LEASED, {"patient_id": patient_id, "now": now})


def open_again(connection: Connection, row: Any, left: Sequence[int], agent_id: int, now: datetime) -> int:
    """A closed callback with postponements that are owed is open again, or the site's open one holds them: its id."""
    other = select(callback.id).where(
        callback.patient_id == row.patient_id, callback.site_id == row.site_id, callback.state != CallbackState.CLOSED
    )
    if connection.scalar(other) is not None:
        return callbacks.hold(
            connection, patient_id=row.patient_id, site_id=row.site_id, postponement_ids=left, wish=None,
            released=False, call_id=None, agent_id=agent_id, now=now,
        )  # fmt: skip
    again = {"state": CallbackState.WAITING, "closed_at": None, "closed_by": None, "closed_as": "", "hold": ""}
    waits = update(tables.callback).where(callback.id == row.id)
    connection.execute(waits.values(again | {"generation": callback.generation + 1}))
    callbacks.redate(connection, [row.id])
    return int(row.id)


def earliest(found: Iterable[tuple[int, str, datetime]]) -> dict[int, dict[str, datetime]]:
    """The first instant of each fact of each postponement."""
    facts: defaultdict[int, dict[str, datetime]] = defaultdict(dict)
    for number, column, at in found:
        facts[number][column] = min(at, facts[number].get(column, at))
    return facts
