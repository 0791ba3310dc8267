"""The queue of a site as people read it: every line with why here and why not now."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from crisisdesk.clock import local_day
from crisisdesk.desk import wording
from crisisdesk.desk.reopening import top_up
from crisisdesk.desk.rules import calendar_for, moment_of, reference_of
from crisisdesk.domain.opening import read_history
from crisisdesk.domain.reference import Reference
from crisisdesk.domain.schedule import next_calling_time
from crisisdesk.domain.words import CallbackState, Tier
from crisisdesk.errors import RuleBroken
from crisisdesk.i18n import _
from crisisdesk.store import cards, openings, queue
from crisisdesk.store.queue import REASONS as REASONS
from crisisdesk.store.queue import Moment

if TYPE_CHECKING:
    from crisisdesk.store.engine import Connection, Store


@dataclass(frozen=True, slots=True)
class QueueRow:
    """One line of a site's queue."""

    callback_id: int
    position: int
    patient_id: int
    patient: str
    about: tuple[str, ...]
    """What was put off: service and procedure, one text each."""
    priority: str
    """Worst code among the items; empty: uncoded."""
    tier: Tier
    due_at: datetime
    why_here: str
    reason: str
    """"ready", or the code of what keeps it out (`store.queue.REASONS`)."""
    why_not: str
    """Empty when it may be rung now."""
    holder: str
    attempts: int
    number: str


@dataclass(frozen=True, slots=True)
class Queue:
    """A site's open callbacks as of one instant."""

    site_id: str
    rows: Sequence[QueueRow]
    counts: Mapping[str, int]
    """Open callbacks by reason; all of them, whatever filter is on."""
    closed_today: int
    only: str
    """The filter that is on: one reason, or empty."""
    as_of: datetime
    calls_at: datetime
    """Next instant at which patients may be rung; not after ``as_of`` within the calling hours."""

    @property
    def open(self) -> int:
        """All open callbacks of the site."""
        return sum(self.counts.values())

    @property
    def hidden(self) -> int:
        """Open callbacks that the filter or the limit hides."""
        return self.open - len(self.rows)


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a callback stands where it stands, and everything that keeps it out."""

    row: QueueRow
    released: str
    """Why it may be rung at all; empty while it waits for an opening."""
    why_not: tuple[str, ...]
    """One sentence a rule, with when it passes; none when it may be rung now."""


def list_queue(store: "Store", site_id: str, *, now: datetime, limit: int = 200, only: str = "") -> Queue:
    """A site's open callbacks in their order, each with its reasons.

    Args:
        only: lists one reason alone ("ready", "held", "not_released" ...); the counts stay those of all.

    Raises:
        RuleBroken: no such site.
    """
    reference = site_reference(store, site_id)
    top_up(store, now=now)
    calendar = calendar_for(reference)
    moment, calls_at = moment_of(reference, calendar, now), next_calling_time(now, calendar)
    with store.read() as connection:
        lines = queue.list_lines(connection, site_id, moment, most=limit, only=only)
        rows = _rows(connection, lines, reference, now, calls_at, only)
        counts = queue.count_reasons(connection, site_id, moment)
        closed = queue.closed_since(connection, site_id, moment.day_start)
    return Queue(site_id, rows, counts, closed, only, now, calls_at)


def site_reference(store: "Store", site_id: str) -> Reference:
    """The reference data, if it has the site.

    Raises:
        RuleBroken: it has not.
    """
    reference = reference_of(store)
    if site_id not in reference.sites:
        sites = ", ".join(reference.sites)
        raise RuleBroken(_("There is no site '{site}'. Sites: {sites}.").format(site=site_id, sites=sites))
    return reference


def _rows(
    connection: "Connection",
    lines: Sequence[Any],
    reference: Reference,
    now: datetime,
    calls_at: datetime,
    only: str = "",
) -> list[QueueRow]:
    held = cards.held_items(connection, [line.id for line in lines])
    histories = {key: read_history(rows) for key, rows in openings.opening_rows(connection).items()}
    today = local_day(now, reference.desk.time_zone)
    rows = []
    for place, line in enumerate(lines, 1):
        items = [item for item in held.get(line.id, ()) if item.is_unsettled]
        services = [item.service_id for item in items]
        waits = wording.waits_for(services, histories, reference, today) if line.reason == "not_released" else ""
        coded = [item.priority for item in items if item.priority]
        rows.append(
            QueueRow(
                line.id,
                queue.position_of(connection, line) if only or len(lines) == 1 else place,
                line.patient_id,
                wording.patient_name(line.last_name, line.first_name, line.full_name),
                tuple(about_words(item, reference) for item in items),
                min(coded, default=""),
                Tier(line.tier),
                line.due_at,
                wording.why_here(line.why, line.tier, line.due_at, reference),
                line.reason,
                wording.why_not(line, reference, calls_at, now, waits),
                line.holder or "",
                line.attempts,
                line.rung or "",
            )
        )
    return rows


def about_words(item: cards.HeldItem, reference: Reference) -> str:
    """What was put off, in a few words, what tells patients apart first: "PTH hanche · Bloc opératoire"."""
    service = reference.services.get(item.service_id or 0)
    name = service.name if service else item.service_name or _("service not known")
    return f"{item.procedure} · {name}" if item.procedure else name


def explain(store: "Store", callback_id: int, *, now: datetime) -> Explanation:
    """Why a callback stands where it stands, and each rule that keeps it out, with when that passes.

    Raises:
        RuleBroken: no such callback, or it is closed.
    """
    reference = reference_of(store)
    calendar = calendar_for(reference)
    moment, calls_at = moment_of(reference, calendar, now), next_calling_time(now, calendar)
    with store.read() as connection:
        line = open_line(connection, callback_id, moment)
        row = _rows(connection, [line], reference, now, calls_at)[0]
    obstacles = [row.why_not] if row.why_not else []
    obstacles += _more_obstacles(line, reference, moment, calls_at)
    released = wording.release_words(line.release_why) if line.released_at else ""
    return Explanation(row, released, tuple(dict.fromkeys(obstacles)))


def open_line(connection: "Connection", callback_id: int, moment: Moment) -> Any:
    """The line of an open callback.

    Raises:
        RuleBroken: no such callback, or it is closed.
    """
    line = queue.find_line(connection, callback_id, moment)
    if line is None:
        raise RuleBroken(_("There is no callback {number}.").format(number=callback_id))
    if line.state == CallbackState.CLOSED:
        raise RuleBroken(_("Callback {number} is closed: {code}.").format(number=callback_id, code=line.closed_as))
    return line


@dataclass(frozen=True, slots=True)
class _Obstacle:
    """A line as if one rule alone kept it out."""

    line: Any
    reason: str

    def __getattr__(self, name: str) -> Any:
        return getattr(self.line, name)


def _more_obstacles(line: Any, reference: Reference, moment: Moment, calls_at: datetime) -> list[str]:
    """Rules that would keep a line out when the first one has passed."""
    now, found = moment.now, []
    if line.not_before and line.not_before > now:
        found.append("not_before")
    if line.last_attempt_at and line.last_attempt_at > moment.rested:
        found.append("rest")
    if line.part_of_day not in ("any", moment.part.value):
        found.append("part_of_day")
    if line.for_agent_id and line.promised_until and line.promised_until > now:
        found.append("personal")
    if line.rung is None:
        found.append("no_number")
    words = [wording.why_not(_Obstacle(line, reason), reference, calls_at, now) for reason in found]
    return words + ([wording.why_not(_Obstacle(line, "ready"), reference, calls_at, now)] if calls_at > now else [])
