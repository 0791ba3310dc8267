"""What happened in a span of time, counted by SQLite in a few statements. The bounds are instants of a local day."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import bindparam, text

from crisisdesk.store import tables
from crisisdesk.store.engine import Connection

_INSTANT = tables.call.c.started_at.type  # so that an aware datetime is written as the column is
_BOUNDS = (bindparam("start_at", type_=_INSTANT), bindparam("end_at", type_=_INSTANT))


class CallCount(NamedTuple):
    """Calls that share one value of one dimension; seconds of those whose end is known."""

    dimension: str
    key: str | None
    name: str
    calls: int
    timed: int
    seconds: float


# A call belongs to the half hour in which it began (unixepoch cuts to whole seconds). One read of the day feeds every
# count, so that each dimension adds up to the same total.
_CALLS = text(
    """
    WITH day AS MATERIALIZED (
      SELECT site_id, topic, caller_kind, disposition, taken_by, taken_by_name, red_flag, way_out, slip_number,
             (unixepoch(started_at) - unixepoch(:start_at)) / 1800 AS half_hour,
             CASE WHEN ended_at >= started_at
                  THEN unixepoch(ended_at, 'subsec') - unixepoch(started_at, 'subsec') END AS seconds
      FROM call WHERE started_at >= :start_at AND started_at < :end_at
    )
    SELECT 'total', NULL, '', count(*), count(seconds), total(seconds) FROM day
    UNION ALL SELECT 'half_hour', half_hour, '', count(*), count(seconds), total(seconds) FROM day GROUP BY half_hour
    UNION ALL SELECT 'site', site_id, '', count(*), count(seconds), total(seconds) FROM day GROUP BY site_id
    UNION ALL SELECT 'topic', topic, '', count(*), count(seconds), total(seconds) FROM day GROUP BY topic
    UNION ALL SELECT 'caller_kind', caller_kind, '', count(*), count(seconds), total(seconds) FROM day
              GROUP BY caller_kind
    UNION ALL SELECT 'disposition', disposition, '', count(*), count(seconds), total(seconds) FROM day
              GROUP BY disposition
    UNION ALL SELECT 'agent', day.taken_by, coalesce(agent.name, day.taken_by_name), count(*), count(seconds),
                     total(seconds)
              FROM day LEFT JOIN agent ON agent.id = day.taken_by
              GROUP BY day.taken_by, CASE WHEN day.taken_by IS NULL THEN day.taken_by_name END
    UNION ALL SELECT 'way_out', way_out, '', count(*), count(seconds), total(seconds) FROM day
              WHERE red_flag IS NOT NULL GROUP BY way_out
    UNION ALL SELECT 'slip', NULL, '', count(*), count(seconds), total(seconds) FROM day WHERE slip_number <> ''
    """
).bindparams(*_BOUNDS)


def count_calls(connection: Connection, start_at: datetime, end_at: datetime) -> Sequence[CallCount]:
    """Calls that began in the span, by each dimension. All but way_out and slip add up to the row of total."""
    rows = connection.execute(_CALLS, {"start_at": start_at, "end_at": end_at})
    return [CallCount(row[0], None if row[1] is None else str(row[1]), *row[2:]) for row in rows]


@dataclass(frozen=True)
class CallbackCount:
    """What was done for the callbacks of one site in the span."""

    site_id: str
    released: int = 0
    attempts: int = 0
    attempted: int = 0
    """Callbacks with at least one attempt."""
    contacts: int = 0
    """Attempts in which anybody was spoken to."""
    right_party: int = 0
    """Attempts in which the patient was spoken to."""
    promised: int = 0
    """Callbacks whose promised window ended in the span."""
    kept: int = 0
    """Of these, attempted inside the window."""
    open: int = 0
    """Still open at the end of the span (or now)."""


# A promise is told by the attempt that kept or broke it, or by the callback while nobody has tried. One that the
# patient settled by ringing first was neither kept nor broken: it is left out of both counts.
_CALLBACKS = text(
    """
    WITH counted (site_id, released, attempts, attempted, contacts, right_party, promised, kept, open) AS (
      SELECT site_id, count(*), 0, 0, 0, 0, 0, 0, 0 FROM callback
      WHERE released_at >= :start_at AND released_at < :end_at GROUP BY site_id
      UNION ALL
      SELECT callback.site_id, 0, count(*), count(DISTINCT callback.id), sum(attempt.reach <> 'nobody'),
             sum(attempt.reach = 'patient'), 0, 0, 0
      FROM attempt JOIN callback ON callback.id = attempt.callback_id
      WHERE attempt.started_at >= :start_at AND attempt.started_at < :end_at AND attempt.undone_at IS NULL
      GROUP BY callback.site_id
      UNION ALL
      SELECT site_id, 0, 0, 0, 0, 0, count(*), sum(is_kept), 0 FROM (
        SELECT callback.site_id, callback.promised_until, callback.closed_at, EXISTS (
          SELECT 1 FROM attempt WHERE attempt.callback_id = callback.id AND attempt.undone_at IS NULL
          AND attempt.started_at >= coalesce(callback.promised_from, callback.created_at)
          AND attempt.started_at < callback.promised_until) AS is_kept
        FROM callback WHERE callback.promised_until >= :start_at AND callback.promised_until < :until
        UNION ALL
        SELECT callback.site_id, attempt.promised_until, NULL, attempt.started_at < attempt.promised_until
        FROM attempt JOIN callback ON callback.id = attempt.callback_id
        WHERE attempt.promised_until >= :start_at AND attempt.promised_until < :until AND attempt.undone_at IS NULL)
      WHERE is_kept OR closed_at IS NULL OR closed_at >= promised_until GROUP BY site_id
      UNION ALL
      SELECT site_id, 0, 0, 0, 0, 0, 0, 0, count(*) FROM callback
      WHERE created_at < :end_at AND (closed_at IS NULL OR closed_at >= :end_at) GROUP BY site_id
    )
    SELECT site_id, sum(released), sum(attempts), sum(attempted), sum(contacts), sum(right_party), sum(promised),
           sum(kept), sum(open)
    FROM counted GROUP BY site_id
    """
).bindparams(*_BOUNDS, bindparam("until", type_=_INSTANT))


def count_callbacks(
    connection: Connection, start_at: datetime, end_at: datetime, *, until: datetime
) -> Sequence[CallbackCount]:
    """Callbacks of the span by site. A promise counts if its window ended before ``until`` (now, or the end)."""
    rows = connection.execute(_CALLBACKS, {"start_at": start_at, "end_at": end_at, "until": until})
    return [CallbackCount(*row) for row in rows]
