"""The postponements of a group of coverage by name, with what keeps each patient from being rung now."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from crisisdesk.clock import local_day
from crisisdesk.desk import wording
from crisisdesk.desk.rules import calendar_for, moment_of, reference_of
from crisisdesk.desk.whynot import Setting, why_not
from crisisdesk.domain.coverage import UNCOVERED, NamedItem, NamedItems, Wanted, week_of
from crisisdesk.domain.opening import read_history
from crisisdesk.domain.reference import Reference
from crisisdesk.domain.schedule import next_calling_time
from crisisdesk.domain.words import Coverage
from crisisdesk.i18n import N_, _, current_language
from crisisdesk.store import openings, queue
from crisisdesk.store.coverage import CoveredItem, count_groups, list_items

if TYPE_CHECKING:
    from crisisdesk.store.engine import Connection, Store

_APART = {
    "deceased": N_("died (confirmed)"),
    "handed_over": N_("handed over to the service on {day}"),
    "settled": N_("settled: {decision}"),
    "no_queue": N_("in no queue: a supervisor gives it a place (u)"),
}


def list_named(
    store: "Store",
    wanted: Wanted,
    states: Sequence[Coverage] = UNCOVERED,
    *,
    now: datetime,
    limit: int | None = 500,
) -> NamedItems:
    """The postponements that coverage counts, by name; without ``states`` those whose patients nobody has spoken to."""
    reference = reference_of(store)
    with store.read() as connection:
        found = list_items(connection, wanted, states, most=limit)
        words = _reasons(connection, found, reference, now)
        groups = count_groups(connection, wanted) if len(found) == limit else ()
    items = [_named(item, *words[item.postponement_id], reference) for item in found]
    count = sum(group.items[state] for group in groups for state in states) if groups else len(items)
    return NamedItems(items, count)


def _reasons(
    connection: "Connection", found: Sequence[CoveredItem], reference: Reference, now: datetime
) -> dict[int, tuple[str, str]]:
    """Code and words of what keeps each postponement out, by postponement."""
    calendar = calendar_for(reference)
    calls_at, today = next_calling_time(now, calendar), local_day(now, reference.desk.time_zone)
    lines = queue.lines_of(
        connection, [item.callback_id for item in found if item.callback_id], moment_of(reference, calendar, now)
    )
    histories = {key: read_history(rows) for key, rows in openings.opening_rows(connection).items()}
    reasons = {}
    for item in found:
        reason = _apart(item)
        line = lines.get(item.callback_id or 0)
        if reason or line is None:
            reasons[item.postponement_id] = (reason or "no_queue", _apart_words(reason or "no_queue", item, reference))
            continue
        waits = wording.waits_for([item.service_id], histories, reference, today)
        words = why_not(line, Setting(reference, now, calls_at, waits))
        reasons[item.postponement_id] = (line.reason, words)
    return reasons


def _apart(item: CoveredItem) -> str:
    """Why nobody will ring about it any more; empty where somebody should."""
    if item.is_dead:
        return "deceased"
    if item.handed_over_at is not None:
        return "handed_over"
    return "" if item.is_owed else "settled"


def _apart_words(reason: str, item: CoveredItem, reference: Reference) -> str:
    day = local_day(item.handed_over_at, reference.desk.time_zone) if item.handed_over_at else None
    decision = reference.label("disposition.item", item.decision, current_language()) if item.decision else ""
    return _(_APART[reason]).format(day=wording.long_day(day), decision=decision or _("a new date"))


def _named(item: CoveredItem, reason: str, why_not: str, reference: Reference) -> NamedItem:
    service = reference.services.get(item.service_id or 0)
    kind = reference.label("service_kind", item.kind, current_language()) if item.kind else ""
    about = " · ".join(text for text in (item.procedure, service.name if service else item.service_name) if text)
    return NamedItem(
        item.postponement_id, item.patient_id,
        wording.patient_name(item.last_name, item.first_name, item.full_name), item.birth_on, item.site_id, item.kind,
        week_of(item.original_on), about or kind, item.original_on, item.priority or "", item.coverage, item.is_owed,
        item.callback_id, reason, why_not,
    )  # fmt: skip
