"""The queue of a site as statements: what may be rung now, in which order, and what keeps each other line out.

One CASE says why a callback may not be rung; the take, the list and the counts all use it, so that they agree.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, TextClause, bindparam, text

from crisisdesk.domain.lease import Lease
from crisisdesk.domain.words import PartOfDay
from crisisdesk.store import tables
from crisisdesk.store.engine import Connection

INSTANT = tables.callback.c.due_at.type
READY, HELD = "ready", "held"
REASONS = (
    "held", "confirm_death", "review", "number_search", "not_released", "not_before", "rest", "part_of_day", "personal",
    "no_number", "on_line", "capped", "ready",
)  # fmt: skip
"""Every value of the CASE, in the order in which it decides."""


@dataclass(frozen=True, slots=True)
class Moment:
    """What "now" means for a queue: all of it computed before the statement."""

    now: datetime
    rested: datetime
    """Patients who were tried after this instant are left in peace."""
    day_start: datetime
    part: PartOfDay
    cap_a_day: int
    agent_id: int

    def values(self) -> dict[str, Any]:
        """Values of the statements' parameters."""
        return {
            "now": self.now, "rested": self.rested, "day_start": self.day_start, "part": self.part.value,
            "cap": self.cap_a_day, "agent_id": self.agent_id,
        }  # fmt: skip


NUMBER = """CASE WHEN callback.number <> '' AND NOT EXISTS (SELECT 1 FROM phone
    WHERE phone.patient_id = callback.patient_id AND phone.number = callback.number
      AND phone.found_wrong_at IS NOT NULL) THEN callback.number
  ELSE (SELECT phone.number FROM phone WHERE phone.patient_id = callback.patient_id AND phone.found_wrong_at IS NULL
    ORDER BY phone.is_guessed, phone.position, phone.id LIMIT 1) END"""
_NUMBER_THERE = NUMBER.replace("callback.", "other.")
_OTHER = "other.state = 'leased' AND other.lease_until > :now AND other.id <> callback.id"
# Somebody rings this patient, or this number for another patient, at this moment: a second agent would hear "busy".
# Asked of one callback (the take), or found once for all (lists and counts, where the first would cost too much).
_ON_LINE = f"""(
    EXISTS (SELECT 1 FROM callback AS other WHERE other.patient_id = callback.patient_id AND {_OTHER})
    OR EXISTS (SELECT 1 FROM phone JOIN callback AS other ON other.patient_id = phone.patient_id AND {_OTHER}
      WHERE phone.number = {NUMBER} AND {_NUMBER_THERE} = phone.number))"""
_ALL_ON_LINE = f"""WITH ringing AS MATERIALIZED (SELECT other.id, other.patient_id, {_NUMBER_THERE} AS number
    FROM callback AS other WHERE other.state = 'leased' AND other.lease_until > :now),
  on_line (id) AS MATERIALIZED (
    SELECT callback.id FROM ringing JOIN callback ON callback.patient_id = ringing.patient_id
    WHERE callback.id <> ringing.id AND callback.state <> 'closed'
    UNION SELECT callback.id FROM ringing JOIN phone ON phone.number = ringing.number
      JOIN callback ON callback.patient_id = phone.patient_id
    WHERE callback.id <> ringing.id AND callback.state <> 'closed' AND {NUMBER} = ringing.number) """


def _reason(on_line: str) -> str:
    return f"""CASE
  WHEN callback.state = 'leased' AND callback.lease_until > :now THEN 'held'
  WHEN (SELECT death_reported_at FROM patient WHERE patient.id = callback.patient_id) IS NOT NULL THEN 'confirm_death'
  WHEN callback.hold <> '' AND NOT (callback.hold = 'number_search' AND {NUMBER} IS NOT NULL) THEN callback.hold
  WHEN callback.released_at IS NULL THEN 'not_released'
  WHEN callback.not_before > :now THEN 'not_before'
  WHEN callback.last_attempt_at > :rested THEN 'rest'
  WHEN callback.part_of_day NOT IN ('any', :part) THEN 'part_of_day'
  WHEN callback.for_agent_id <> :agent_id AND callback.promised_until > :now THEN 'personal'
  WHEN {NUMBER} IS NULL THEN 'no_number'
  WHEN {on_line} THEN 'on_line'
  WHEN (SELECT count(*) FROM attempt WHERE attempt.number = {NUMBER} AND attempt.started_at >= :day_start) >= :cap
    THEN 'capped'
  ELSE 'ready' END"""


REASON = _reason(_ON_LINE)
_LISTED_REASON = _reason("callback.id IN (SELECT id FROM on_line)")
_ORDER = "ORDER BY tier, due_at, id"
_LEASE = """UPDATE callback SET state = 'leased', leased_by = :agent_id, leased_at = :now, lease_until = :until,
  generation = generation + 1"""


def _statement(sql: str, *instants: str) -> TextClause:
    return text(sql).bindparams(*(bindparam(name, type_=INSTANT) for name in ("now", "rested", "day_start", *instants)))


_TAKE = _statement(
    f"""{_LEASE} WHERE id = (SELECT id FROM (
      SELECT * FROM (SELECT id, tier, due_at FROM callback WHERE site_id = :site_id
        AND state = 'waiting' AND released_at IS NOT NULL AND {REASON} = 'ready' {_ORDER} LIMIT 1)
      UNION ALL
      SELECT * FROM (SELECT id, tier, due_at FROM callback WHERE site_id = :site_id
        AND state = 'leased' AND lease_until <= :now AND {REASON} = 'ready' {_ORDER} LIMIT 1)
    ) {_ORDER} LIMIT 1) RETURNING id, generation""",
    "until",
)
_TAKE_THIS = _statement(
    f"""{_LEASE} WHERE id = :callback_id AND state <> 'closed'
    AND {REASON} NOT IN ('held', 'confirm_death', 'review') AND NOT {_ON_LINE} RETURNING id, generation""",
    "until",
)
_COUNT = _statement(
    f"{_ALL_ON_LINE} SELECT {_LISTED_REASON} AS reason, count(*) AS n FROM callback"
    " WHERE site_id = :site_id AND state <> 'closed' GROUP BY 1"
)
_COUNT_SITES = _statement(
    f"{_ALL_ON_LINE} SELECT site_id, sum({_LISTED_REASON} = 'ready') AS ready, count(*) AS n FROM callback"
    " WHERE state <> 'closed' GROUP BY site_id"
)
_LINE = f"""callback.id, callback.patient_id, callback.site_id, callback.state, callback.tier, callback.due_at,
  callback.why, callback.released_at, callback.release_why, callback.not_before, callback.promised_from,
  callback.promised_until,
  callback.part_of_day, callback.hold, callback.for_agent_id, callback.attempts, callback.unanswered,
  callback.last_attempt_at, callback.leased_by, callback.leased_at, callback.lease_until, callback.generation,
  callback.note, callback.created_at, callback.closed_at, callback.closed_as, {NUMBER} AS rung,
  {_LISTED_REASON} AS reason,
  (SELECT name FROM agent WHERE agent.id = callback.leased_by) AS holder,
  (SELECT name FROM agent WHERE agent.id = callback.for_agent_id) AS promised_by,
  patient.last_name, patient.first_name, patient.full_name, patient.birth_on, patient.language"""
_FROM = "FROM callback JOIN patient ON patient.id = callback.patient_id"
_LINES = tuple(tables.callback.c[name] for name in (
    "id", "patient_id", "site_id", "state", "tier", "due_at", "why", "released_at", "release_why", "not_before",
    "promised_from", "promised_until", "part_of_day", "hold", "for_agent_id", "attempts", "unanswered",
    "last_attempt_at", "leased_by", "leased_at", "lease_until", "generation", "note", "created_at", "closed_at",
    "closed_as",
))  # fmt: skip
_MORE = ("rung", "reason", "holder", "promised_by")
_NAMES = tuple(tables.patient.c[name] for name in ("last_name", "first_name", "full_name", "birth_on", "language"))


def _lines(where: str) -> Any:
    from sqlalchemy import String, column

    columns = (*_LINES, *(column(name, String) for name in _MORE), *_NAMES)
    return _statement(f"{_ALL_ON_LINE} SELECT {_LINE} {_FROM} WHERE {where}").columns(*columns)


_LIST = _lines("callback.site_id = :site_id AND callback.state <> 'closed' "
               f"AND (:only = '' OR {_LISTED_REASON} = :only) "
               "ORDER BY callback.tier, callback.due_at, callback.id LIMIT :most")  # fmt: skip
_ONE = _lines("callback.id = :callback_id")
_OF_PATIENT = _lines("callback.patient_id = :patient_id AND callback.state <> 'closed' ORDER BY callback.site_id")


def take_first(connection: Connection, site_id: str, moment: Moment, until: datetime) -> Lease | None:
    """Lease the first callback of a site that may be rung now; None if there is none. One statement, which re-checks
    everything: state, release, not-before, rest, part of day, number and its cap. An expired lease is taken over."""
    row = connection.execute(_TAKE, moment.values() | {"site_id": site_id, "until": until}).one_or_none()
    return Lease(row.id, moment.agent_id, row.generation, until) if row else None


def take_this(connection: Connection, callback_id: int, moment: Moment, until: datetime) -> Lease | None:
    """Lease one callback out of turn; None when somebody holds it or rings this person or number now, when it is
    closed, or when a clinician or the confirmation of a death comes first."""
    row = connection.execute(_TAKE_THIS, moment.values() | {"callback_id": callback_id, "until": until}).one_or_none()
    return Lease(row.id, moment.agent_id, row.generation, until) if row else None


def list_lines(
    connection: Connection, site_id: str, moment: Moment, *, most: int, only: str = ""
) -> Sequence[Row[Any]]:
    """Open callbacks of a site in order, each with ``reason``; those of one reason where ``only`` names it."""
    values = moment.values() | {"site_id": site_id, "most": most, "only": only}
    return connection.execute(_LIST, values).all()


def count_reasons(connection: Connection, site_id: str, moment: Moment) -> Mapping[str, int]:
    """Open callbacks of a site by what keeps them out; "ready" are those that may be rung now."""
    return {row.reason: row.n for row in connection.execute(_COUNT, moment.values() | {"site_id": site_id})}


def count_sites(connection: Connection, moment: Moment) -> Mapping[str, tuple[int, int]]:
    """Callbacks that may be rung now, and all open ones, by site; sites without any are left out."""
    return {row.site_id: (row.ready, row.n) for row in connection.execute(_COUNT_SITES, moment.values())}


def find_line(connection: Connection, callback_id: int, moment: Moment) -> Row[Any] | None:
    """One callback, open or closed, with ``reason``."""
    return connection.execute(_ONE, moment.values() | {"callback_id": callback_id}).one_or_none()


def lines_of_patient(connection: Connection, patient_id: int, moment: Moment) -> Sequence[Row[Any]]:
    """The open callbacks of one person, at all sites."""
    return connection.execute(_OF_PATIENT, moment.values() | {"patient_id": patient_id}).all()


_POSITION = text(
    """SELECT count(*) FROM callback WHERE site_id = :site_id AND state <> 'closed'
    AND (tier, due_at, id) <= (:tier, :due_at, :callback_id)"""
).bindparams(bindparam("due_at", type_=INSTANT))


def position_of(connection: Connection, line: Row[Any]) -> int:
    """Place of an open callback in the queue of its site, from 1."""
    values = {"site_id": line.site_id, "tier": line.tier, "due_at": line.due_at, "callback_id": line.id}
    return int(connection.execute(_POSITION, values).scalar_one())


_NEXT = text(
    """SELECT min(not_before) FROM callback
    WHERE site_id = :site_id AND state = 'waiting' AND released_at IS NOT NULL AND hold = '' AND not_before > :now"""
).bindparams(bindparam("now", type_=INSTANT)).columns(tables.callback.c.not_before)  # fmt: skip
_CLOSED_TODAY = text(
    "SELECT count(*) FROM callback WHERE site_id = :site_id AND closed_at >= :day_start AND state = 'closed'"
).bindparams(bindparam("day_start", type_=INSTANT))
_HELD_BY = (
    text(
        """SELECT id, generation, lease_until FROM callback
        WHERE state = 'leased' AND leased_by = :agent_id AND lease_until > :now ORDER BY leased_at LIMIT 1"""
    )
    .bindparams(bindparam("now", type_=INSTANT))
    .columns(tables.callback.c.id, tables.callback.c.generation, tables.callback.c.lease_until)
)


def next_due(connection: Connection, site_id: str, now: datetime) -> datetime | None:
    """When the next released callback of a site may be rung that may not be rung yet."""
    return connection.execute(_NEXT, {"site_id": site_id, "now": now}).scalar()


def closed_since(connection: Connection, site_id: str, day_start: datetime) -> int:
    """Callbacks of a site that were closed since an instant."""
    return int(connection.execute(_CLOSED_TODAY, {"site_id": site_id, "day_start": day_start}).scalar_one())


def held_by(connection: Connection, agent_id: int, now: datetime) -> Lease | None:
    """The live lease of an agent, the oldest if there are several."""
    row = connection.execute(_HELD_BY, {"agent_id": agent_id, "now": now}).one_or_none()
    return Lease(row.id, agent_id, row.generation, row.lease_until) if row else None


_RENEW = text(
    """UPDATE callback SET lease_until = max(lease_until, :until)
    WHERE id = :callback_id AND state = 'leased' AND leased_by = :agent_id AND generation = :generation"""
).bindparams(bindparam("until", type_=INSTANT))
_FREE = text(
    """UPDATE callback SET state = 'waiting', leased_by = NULL, leased_at = NULL, lease_until = NULL,
      generation = generation + 1
    WHERE id = :callback_id AND state = 'leased' AND leased_by = :agent_id AND generation = :generation"""
)


def renew(connection: Connection, lease: Lease) -> bool:
    """Store a longer end of a lease; False when it is no longer this agent's."""
    values = {"callback_id": lease.callback_id, "agent_id": lease.agent_id, "generation": lease.generation}
    return connection.execute(_RENEW, values | {"until": lease.until}).rowcount == 1


def free(connection: Connection, callback_id: int, agent_id: int, generation: int) -> bool:
    """End a lease before its time; False when it is no longer that agent's."""
    values = {"callback_id": callback_id, "agent_id": agent_id, "generation": generation}
    return connection.execute(_FREE, values).rowcount == 1


_WHO_RINGS = text(
    f"""SELECT agent.name FROM callback JOIN callback AS other ON {_OTHER} JOIN agent ON agent.id = other.leased_by
    WHERE callback.id = :callback_id AND (other.patient_id = callback.patient_id
      OR {_NUMBER_THERE} = {NUMBER}) LIMIT 1"""
).bindparams(bindparam("now", type_=INSTANT))


def who_rings(connection: Connection, callback_id: int, now: datetime) -> str:
    """Name of the agent who is ringing the same person or number for another callback; empty where nobody is."""
    return str(connection.execute(_WHO_RINGS, {"callback_id": callback_id, "now": now}).scalar() or "")
