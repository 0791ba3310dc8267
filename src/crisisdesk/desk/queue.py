"""The queue of a site as people read it: every line with why here and why not now."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from crisisdesk.clock import local_day
from crisisdesk.desk import wording
from crisisdesk.desk.linenotes import notes
from crisisdesk.desk.reopening import top_up
from crisisdesk.desk.rules import calendar_for, moment_of, reference_of
from crisisdesk.desk.whynot import (
    OUTSIDE,
    Obstacle,
    Setting,
    earliest,
    limit_days,
    obstacle,
    why_not,
    window_words,
)
from crisisdesk.domain.opening import History, read_history
from crisisdesk.domain.reference import Reference
from crisisdesk.domain.schedule import next_calling_time
from crisisdesk.domain.words import CallbackState, Tier
from crisisdesk.errors import RuleBroken
from crisisdesk.i18n import _
from crisisdesk.store import cards, openings, queue
from crisisdesk.store.queue import Moment

if TYPE_CHECKING:
    from crisisdesk.desk.agents import Agent
    from crisisdesk.store.engine import Connection, Store

REASONS = (*queue.REASONS, queue.BROKEN)
"""What a queue can be filtered by: what keeps lines out, "ready", and "broken" promises."""


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
    """"ready", or the code of what keeps it out (`store.reasons.RULES`)."""
    why_not: str
    """Empty when it may be rung now."""
    holder: str
    attempts: int
    number: str
    notes: tuple[str, ...] = ()
    """What else is to be known: a promise, who made it, the limit, a list that dropped it, a service closed again."""
    is_broken: bool = False
    """Its promised window is over, and nobody rang."""
    limit_days: int | None = None
    """Days left to its clinical limit where that is near; 0 or less: it has passed."""
    promised: str = ""
    """The promised window alone: "10:00-12:00"."""
    is_dropped: bool = False
    """A later version of its list no longer has something of it: a supervisor decides."""


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
    broken: int = 0
    """Promised windows that are over and not kept, whatever filter is on."""
    mine_elsewhere: Mapping[str, int] = field(default_factory=dict)
    """What the agent promised in person and may ring now at other sites, by site."""

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
    obstacles: tuple[Obstacle, ...] = ()
    """The same as data."""
    earliest: datetime | None = None
    """When it may be rung if nobody does anything; None: now, or when somebody has done something."""


def list_queue(
    store: "Store",
    site_id: str,
    *,
    now: datetime,
    limit: int = 200,
    only: str = "",
    agent: "Agent | None" = None,
) -> Queue:
    """A site's open callbacks in their order, each with its reasons.

    Args:
        only: lists one reason alone ("ready", "held", "not_released" ...), or "broken" promises; the counts stay those
            of all.
        agent: whose queue it is: what this agent promised in person is no obstacle then.

    Raises:
        RuleBroken: no such site.
    """
    reference = site_reference(store, site_id)
    top_up(store, now=now)
    calendar = calendar_for(reference)
    moment = moment_of(reference, calendar, now, agent.agent_id if agent else 0)
    calls_at = next_calling_time(now, calendar)
    with store.read() as connection:
        lines = queue.list_lines(connection, site_id, moment, most=limit, only=only)
        rows = _rows(connection, lines, Setting(reference, now, calls_at), moment, only)
        counts = queue.tally(connection, site_id, moment)
        closed = queue.closed_since(connection, site_id, moment.day_start)
        mine = queue.mine_by_site(connection, moment) if agent else {}
    mine.pop(site_id, None)
    return Queue(site_id, rows, counts.reasons, closed, only, now, calls_at, counts.broken, mine)


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
    connection: "Connection", lines: Sequence[Any], setting: Setting, moment: Moment, only: str = ""
) -> list[QueueRow]:
    held = cards.held_items(connection, [line.id for line in lines])
    histories = {key: read_history(rows) for key, rows in openings.opening_rows(connection).items()}
    rows = []
    for place, line in enumerate(lines, 1):
        position = queue.position_of(connection, line) if only or len(lines) == 1 else place
        items = held.get(line.id, ())
        rows.append(
            _row(line, position, items, _setting_of(connection, line, items, histories, setting), histories, moment)
        )
    return rows


def _setting_of(
    connection: "Connection",
    line: Any,
    items: Sequence[cards.HeldItem],
    histories: Mapping[int, History],
    setting: Setting,
) -> Setting:
    """What the words of this line need: what it waits for, who is on the line."""
    if line.reason == "on_line":
        return replace(setting, ringing=queue.ringing(connection, line.id, setting.now))
    if line.released_at is None:
        today = local_day(setting.now, setting.reference.desk.time_zone)
        services = [item.service_id for item in items if item.is_unsettled]
        return replace(setting, waits=wording.waits_for(services, histories, setting.reference, today))
    return setting


def _row(
    line: Any,
    position: int,
    items: Sequence[cards.HeldItem],
    setting: Setting,
    histories: Mapping[int, History],
    moment: Moment,
) -> QueueRow:
    reference, left = setting.reference, [item for item in items if item.is_unsettled]
    last = line.promised_until
    return QueueRow(
        line.id,
        position,
        line.patient_id,
        wording.patient_name(line.last_name, line.first_name, line.full_name),
        tuple(about_words(item, reference) for item in left),
        min((item.priority for item in left if item.priority), default=""),
        Tier(line.tier),
        line.due_at,
        wording.why_here(line.why, line.tier, line.due_at, reference),
        line.reason,
        why_not(line, setting),
        line.holder or "",
        line.attempts,
        line.rung or "",
        notes=notes(line, items, histories, setting, moment),
        is_broken=last is not None and last <= setting.now,
        limit_days=limit_days(line.why, line.due_at, reference, setting.now),
        promised=window_words(line.promised_from, last, setting) if last is not None else "",
        is_dropped=any(item.missing_version is not None for item in left),
    )


def about_words(item: cards.HeldItem, reference: Reference) -> str:
    """What was put off, in a few words, what tells patients apart first: "PTH hanche · Bloc opératoire"."""
    service = reference.services.get(item.service_id or 0)
    name = service.name if service else item.service_name or _("service not known")
    return f"{item.procedure} · {name}" if item.procedure else name


def explain(store: "Store", callback_id: int, *, now: datetime, agent: "Agent | None" = None) -> Explanation:
    """Why a callback stands where it stands, and each rule that keeps it out, with when that passes.

    The rules are those of the statement that takes it, each asked by itself: none is told exactly when it may be rung.

    Args:
        agent: who would ring: what this agent promised in person is no obstacle then.

    Raises:
        RuleBroken: no such callback, or it is closed.
    """
    reference = reference_of(store)
    calendar = calendar_for(reference)
    moment = moment_of(reference, calendar, now, agent.agent_id if agent else 0)
    setting = Setting(reference, now, next_calling_time(now, calendar))
    with store.read() as connection:
        line = open_line(connection, callback_id, moment)
        row = _rows(connection, [line], setting, moment)[0]
        codes = queue.obstacles(connection, callback_id, moment)
        items = cards.held_items(connection, [callback_id]).get(callback_id, ())
        histories = {key: read_history(rows) for key, rows in openings.opening_rows(connection).items()}
        setting = _setting_of(connection, line, items, histories, setting)
        if "on_line" in codes:
            setting = replace(setting, ringing=queue.ringing(connection, callback_id, now))
    if "number_search" in codes:  # says the same
        codes = [code for code in codes if code != "no_number"]
    if setting.calls_at > now:
        codes = [*codes, OUTSIDE]
    found = tuple(obstacle(code, line, setting) for code in codes)
    released = wording.release_words(line.release_why) if line.released_at else ""
    words = tuple(dict.fromkeys(one.words for one in found))
    return Explanation(row, released, words, found, earliest(found, line, setting))


def open_line(connection: "Connection", callback_id: int, moment: Moment) -> Any:
    """The line of an open callback.

    Raises:
        RuleBroken: no such callback, or it is closed.
    """
    line = queue.find_line(connection, callback_id, moment)
    if line is None:
        raise RuleBroken(_("There is no callback {number}.").format(number=callback_id))
    if line.state == CallbackState.CLOSED:
        code = wording.closed_words_in(connection, line.closed_as)
        raise RuleBroken(_("Callback {number} is closed: {code}.").format(number=callback_id, code=code))
    return line
