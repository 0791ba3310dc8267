"""The queue of a site as statements: what may be rung now, in which order, and what keeps each other line out."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, bindparam, column, select, text
from sqlalchemy.types import Boolean, Integer, String

from crisisdesk.domain.lease import Lease
from crisisdesk.domain.words import CallbackState
from crisisdesk.store import tables
from crisisdesk.store.engine import Connection
from crisisdesk.store.items import unsettled_sql
from crisisdesk.store.reasons import (
    ALL_ON_LINE,
    HELD,
    INSTANT,
    LISTED_REASON,
    NUMBER,
    NUMBER_THERE,
    ON_LINE,
    OTHER,
    READY,
    REASON,
    REASONS,
    RULES,
    Moment,
    statement,
)

__all__ = ["HELD", "READY", "REASONS", "Moment"]

BROKEN = "broken"
"""A filter besides the reasons: promised windows that are over, and nobody rang."""
_IS_BROKEN = "callback.promised_until <= :now"
_ORDER = "ORDER BY tier, due_at, id"
_LEASE = """UPDATE callback SET state = 'leased', leased_by = :agent_id, leased_at = :now, lease_until = :until,
  generation = generation + 1"""
# What the agent promised in person comes first, at whatever site: nobody else is offered it.
_TAKE = statement(
    f"""{_LEASE} WHERE id = (SELECT id FROM (
      SELECT * FROM (SELECT id, 0 AS place, tier, due_at FROM callback WHERE for_agent_id = :agent_id
        AND state <> 'closed' AND released_at IS NOT NULL AND {REASON} = 'ready' {_ORDER} LIMIT 1)
      UNION ALL
      SELECT * FROM (SELECT id, 1 AS place, tier, due_at FROM callback WHERE site_id = :site_id
        AND state = 'waiting' AND released_at IS NOT NULL AND {REASON} = 'ready' {_ORDER} LIMIT 1)
      UNION ALL
      SELECT * FROM (SELECT id, 1 AS place, tier, due_at FROM callback WHERE site_id = :site_id
        AND state = 'leased' AND lease_until <= :now AND {REASON} = 'ready' {_ORDER} LIMIT 1)
    ) ORDER BY place, tier, due_at, id LIMIT 1) RETURNING id, generation""",
    "until",
)
_TAKE_THIS = statement(
    f"""{_LEASE} WHERE id = :callback_id AND state <> 'closed'
    AND {REASON} NOT IN ('held', 'desk_closed', 'confirm_death', 'review', 'settled') AND NOT {ON_LINE}
    RETURNING id, generation""",
    "until",
)
_TALLY = statement(
    f"""{ALL_ON_LINE} SELECT {LISTED_REASON} AS reason, callback.part_of_day, count(*) AS n,
      sum({_IS_BROKEN}) AS broken, min(callback.not_before) AS not_before, min(callback.last_attempt_at) AS tried_at,
      min(callback.promised_until) AS promised_until
    FROM callback WHERE callback.site_id = :site_id AND callback.state <> 'closed' GROUP BY 1, 2"""
).columns(
    column("reason", String), column("part_of_day", String), column("n", Integer), column("broken", Integer),
    column("not_before", INSTANT), column("tried_at", INSTANT), column("promised_until", INSTANT),
)  # fmt: skip
_COUNT_SITES = statement(
    f"{ALL_ON_LINE} SELECT site_id, sum({LISTED_REASON} = 'ready') AS ready, count(*) AS n FROM callback"
    " WHERE state <> 'closed' GROUP BY site_id"
)
_MINE = statement(
    f"SELECT site_id, count(*) AS n FROM callback WHERE for_agent_id = :agent_id AND state <> 'closed'"
    f" AND released_at IS NOT NULL AND {REASON} = 'ready' GROUP BY site_id"
)
_OBSTACLES = statement(
    "SELECT " + ", ".join(f"coalesce({rule}, 0) AS {code}" for code, rule in RULES.items())
    + " FROM callback WHERE callback.id = :callback_id"
).columns(*(column(code, Boolean) for code in RULES))  # fmt: skip
_LINE = f"""callback.id, callback.patient_id, callback.site_id, callback.state, callback.tier, callback.due_at,
  callback.why, callback.released_at, callback.release_why, callback.not_before, callback.promised_from,
  callback.promised_until,
  callback.part_of_day, callback.hold, callback.for_agent_id, callback.attempts, callback.unanswered,
  callback.last_attempt_at, callback.leased_by, callback.leased_at, callback.lease_until, callback.generation,
  callback.note, callback.created_at, callback.closed_at, callback.closed_as, callback.channel, {NUMBER} AS rung,
  {LISTED_REASON} AS reason,
  (SELECT name FROM agent WHERE agent.id = callback.leased_by) AS holder,
  promiser.name AS promised_by, promiser.seen_at AS promiser_seen_at, promiser.is_active AS promiser_is_active,
  patient.last_name, patient.first_name, patient.full_name, patient.birth_on, patient.language"""
_FROM = """FROM callback JOIN patient ON patient.id = callback.patient_id
  LEFT JOIN agent AS promiser ON promiser.id = callback.for_agent_id"""
_LINES = tuple(tables.callback.c[name] for name in (
    "id", "patient_id", "site_id", "state", "tier", "due_at", "why", "released_at", "release_why", "not_before",
    "promised_from", "promised_until", "part_of_day", "hold", "for_agent_id", "attempts", "unanswered",
    "last_attempt_at", "leased_by", "leased_at", "lease_until", "generation", "note", "created_at", "closed_at",
    "closed_as", "channel",
))  # fmt: skip
_MORE = (
    *(column(name, String) for name in ("rung", "reason", "holder", "promised_by")),
    column("promiser_seen_at", INSTANT), column("promiser_is_active", Boolean),
)  # fmt: skip
_NAMES = tuple(tables.patient.c[name] for name in ("last_name", "first_name", "full_name", "birth_on", "language"))


def _lines(where: str) -> Any:
    columns = (*_LINES, *_MORE, *_NAMES)
    return statement(f"{ALL_ON_LINE} SELECT {_LINE} {_FROM} WHERE {where}").columns(*columns)


_LIST = _lines("callback.site_id = :site_id AND callback.state <> 'closed' "
               f"AND (:only = '' OR {LISTED_REASON} = :only OR (:only = '{BROKEN}' AND {_IS_BROKEN}) "
               "OR (:only = 'personal' AND callback.for_agent_id = :agent_id)) "  # one's own promises too
               "ORDER BY callback.tier, callback.due_at, callback.id LIMIT :most")  # fmt: skip
_ONE = _lines("callback.id = :callback_id")
_SOME = _lines("callback.id IN (SELECT value FROM json_each(:ids))")
_OF_PATIENT = _lines("callback.patient_id = :patient_id AND callback.state <> 'closed' ORDER BY callback.site_id")


def take_first(connection: Connection, site_id: str, moment: Moment, until: datetime) -> Lease | None:
    """Lease the first callback of a site that may be rung now; None if there is none. What the agent promised in person
    comes first, at whatever site. One statement, which re-checks every rule; an expired lease is taken over."""
    row = connection.execute(_TAKE, moment.values() | {"site_id": site_id, "until": until}).one_or_none()
    return Lease(row.id, moment.agent_id, row.generation, until) if row else None


def take_this(connection: Connection, callback_id: int, moment: Moment, until: datetime) -> Lease | None:
    """Lease one callback out of turn; None when somebody holds it or rings this person or number now, when it is
    closed or settled, when a clinician or the confirmation of a death comes first, or when the desk is closed."""
    row = connection.execute(_TAKE_THIS, moment.values() | {"callback_id": callback_id, "until": until}).one_or_none()
    return Lease(row.id, moment.agent_id, row.generation, until) if row else None


def list_lines(
    connection: Connection, site_id: str, moment: Moment, *, most: int, only: str = ""
) -> Sequence[Row[Any]]:
    """Open callbacks of a site in order, each with ``reason``; those of one reason where ``only`` names it."""
    values = moment.values() | {"site_id": site_id, "most": most, "only": only}
    return connection.execute(_LIST, values).all()


@dataclass(frozen=True, slots=True)
class Coming:
    """Lines of one reason and part of the day: how many, and the earliest of what they wait for."""

    reason: str
    part_of_day: str
    count: int
    not_before: datetime | None
    tried_at: datetime | None
    promised_until: datetime | None


@dataclass(frozen=True, slots=True)
class Tally:
    """The open callbacks of a site, counted by one statement."""

    reasons: Mapping[str, int]
    """By what keeps them out; "ready" are those that may be rung now."""
    broken: int
    """Those whose promised window is over, whatever keeps them out."""
    coming: Sequence[Coming]


def tally(connection: Connection, site_id: str, moment: Moment) -> Tally:
    """Count the open callbacks of a site, by the same rules that the take uses."""
    rows = connection.execute(_TALLY, moment.values() | {"site_id": site_id}).all()
    reasons: dict[str, int] = {}
    for row in rows:
        reasons[row.reason] = reasons.get(row.reason, 0) + row.n
    coming = [
        Coming(row.reason, row.part_of_day, row.n, row.not_before, row.tried_at, row.promised_until) for row in rows
    ]
    return Tally(reasons, sum(row.broken or 0 for row in rows), coming)


def count_reasons(connection: Connection, site_id: str, moment: Moment) -> Mapping[str, int]:
    """Open callbacks of a site by what keeps them out; "ready" are those that may be rung now."""
    return tally(connection, site_id, moment).reasons


def count_sites(connection: Connection, moment: Moment) -> Mapping[str, tuple[int, int]]:
    """Callbacks that may be rung now, and all open ones, by site; sites without any are left out."""
    return {row.site_id: (row.ready, row.n) for row in connection.execute(_COUNT_SITES, moment.values())}


def obstacles(connection: Connection, callback_id: int, moment: Moment) -> Sequence[str]:
    """Every rule that keeps a callback out now, in the order in which they decide; none exactly when it is ready."""
    row = connection.execute(_OBSTACLES, moment.values() | {"callback_id": callback_id}).one()
    return [code for code in RULES if getattr(row, code)]


def mine_by_site(connection: Connection, moment: Moment) -> dict[str, int]:
    """What the agent promised in person and may ring now, by site."""
    return {row.site_id: row.n for row in connection.execute(_MINE, moment.values())}


def find_line(connection: Connection, callback_id: int, moment: Moment) -> Row[Any] | None:
    """One callback, open or closed, with ``reason``."""
    return connection.execute(_ONE, moment.values() | {"callback_id": callback_id}).one_or_none()


def lines_of_patient(connection: Connection, patient_id: int, moment: Moment) -> Sequence[Row[Any]]:
    """The open callbacks of one person, at all sites."""
    return connection.execute(_OF_PATIENT, moment.values() | {"patient_id": patient_id}).all()


def lines_of(connection: Connection, callback_ids: Sequence[int], moment: Moment) -> Mapping[int, Row[Any]]:
    """Some callbacks by id, open or closed, each with ``reason``."""
    values = moment.values() | {"ids": json.dumps(list(callback_ids))}
    return {row.id: row for row in connection.execute(_SOME, values)}


_POSITION = text(
    """SELECT count(*) FROM callback WHERE site_id = :site_id AND state <> 'closed'
    AND (tier, due_at, id) <= (:tier, :due_at, :callback_id)"""
).bindparams(bindparam("due_at", type_=INSTANT))


def position_of(connection: Connection, line: Row[Any]) -> int:
    """Place of an open callback in the queue of its site, from 1."""
    values = {"site_id": line.site_id, "tier": line.tier, "due_at": line.due_at, "callback_id": line.id}
    return int(connection.execute(_POSITION, values).scalar_one())


_WAITING_SERVICES = text(
    f"""SELECT DISTINCT postponement.service_id FROM callback
    JOIN callback_item ON callback_item.callback_id = callback.id
    JOIN postponement ON postponement.id = callback_item.postponement_id
    WHERE callback.site_id = :site_id AND callback.state <> 'closed' AND callback.released_at IS NULL
      AND postponement.service_id IS NOT NULL AND {unsettled_sql()} ORDER BY 1"""
)
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


def waiting_services(connection: Connection, site_id: str) -> Sequence[int]:
    """Services whose opening callbacks of a site wait for."""
    return list(connection.scalars(_WAITING_SERVICES, {"site_id": site_id}))


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


def free_all_of(connection: Connection, agent_id: int) -> list[int]:
    """End every lease of an agent before its time; gives the callbacks."""
    callback = tables.callback.c
    is_theirs = (callback.state == CallbackState.LEASED, callback.leased_by == agent_id)
    held = connection.execute(select(callback.id, callback.generation).where(*is_theirs)).all()
    return [row.id for row in held if free(connection, row.id, agent_id, row.generation)]


_WHO_RINGS = (
    text(
        f"""SELECT agent.name, other.lease_until FROM callback JOIN callback AS other ON {OTHER}
        JOIN agent ON agent.id = other.leased_by
        WHERE callback.id = :callback_id AND (other.patient_id = callback.patient_id OR {NUMBER_THERE} = {NUMBER})
        ORDER BY other.lease_until DESC LIMIT 1"""
    )
    .bindparams(bindparam("now", type_=INSTANT))
    .columns(column("name", String), column("lease_until", INSTANT))
)
_HOLDERS = text(
    f"""{ALL_ON_LINE} SELECT DISTINCT agent.name FROM callback AS other JOIN agent ON agent.id = other.leased_by
    WHERE other.state = 'leased' AND other.lease_until > :now AND (other.site_id = :site_id
      OR EXISTS (SELECT 1 FROM on_line JOIN callback ON callback.id = on_line.id
        WHERE callback.site_id = :site_id AND (callback.patient_id = other.patient_id OR {NUMBER} = {NUMBER_THERE})))
    ORDER BY agent.name"""
).bindparams(bindparam("now", type_=INSTANT))


def ringing(connection: Connection, callback_id: int, now: datetime) -> tuple[str, datetime] | None:
    """Who is ringing the same person or number for another callback, and until when at the latest; None: nobody."""
    row = connection.execute(_WHO_RINGS, {"callback_id": callback_id, "now": now}).one_or_none()
    return (row.name, row.lease_until) if row else None


def who_rings(connection: Connection, callback_id: int, now: datetime) -> str:
    """Name of the agent who is ringing the same person or number for another callback; empty where nobody is."""
    found = ringing(connection, callback_id, now)
    return found[0] if found else ""


def holders(connection: Connection, site_id: str, now: datetime) -> Sequence[str]:
    """Names of the agents who hold callbacks of a site, or ring a person or number that waits there."""
    return list(connection.scalars(_HOLDERS, {"site_id": site_id, "now": now}))
