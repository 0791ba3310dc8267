"""Where a callback stands in its queue, and why: one tier, one clock, both stored.

The clock of a callback is the earliest of the clinical limits of its postponements (original date + limit of the
priority; uncoded counts as P3) and of the end of a window promised to the patient. It never moves because time passes.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any

from crisisdesk.clock import from_local, local_day
from crisisdesk.domain.words import Tier

UNCODED = "uncoded"
URGENT = frozenset({"P1a", "P1b", "P2"})
FIRST = ("escalated", "slipped", "reserve")
"""Reasons that put a callback before all others."""
KEPT = (*FIRST, "slipped_at", "told")
"""Reasons that stay from one placement to the next."""


@dataclass(frozen=True, slots=True)
class WaitingItem:
    """What the order needs to know of one open postponement."""

    postponement_id: int
    priority: str | None
    original_on: date | None
    """Day the wait is counted from; None: from ``known_at``, because no list gave the day."""
    known_at: datetime


@dataclass(frozen=True, slots=True)
class Placement:
    """Tier, clock and their reasons as data; `desk.wording` makes sentences of it."""

    tier: Tier
    due_at: datetime
    why: Mapping[str, Any] = field(default_factory=dict)
    """Plain JSON. ``rule``: "limit" (with priority, original_on, postponement_id), "promise" or "asked";
    ``escalated``, ``slipped`` (told_on, now_on), ``slipped_at`` (when, as the store writes it), ``reserve``
    (service_id, day: a place came free and is kept for this patient) and ``told`` (an instruction that changed: on,
    words, changed_on) stay from one placement to the next."""


def clinical_limit(item: WaitingItem, limits: Mapping[str, timedelta], zone: str) -> datetime:
    """The instant until which an item may wait: start of its original day in ``zone`` + the limit of its priority.

    Limits: Royal Colleges / FSSA codes, as durations in the desk's reference data.
    """
    start = from_local(item.original_on, time.min, zone) if item.original_on else item.known_at
    return start + limits.get(item.priority or UNCODED, limits[UNCODED])


def last_day_past(at: datetime, limit: timedelta, zone: str) -> date:
    """The last original day whose limit has passed at an instant: what lies on it or before is past its limit."""
    day = local_day(at - limit, zone) + timedelta(days=1)  # the clock may have changed in between
    while from_local(day, time.min, zone) + limit > at:
        day -= timedelta(days=1)
    return day


def place(
    items: Iterable[WaitingItem],
    *,
    limits: Mapping[str, timedelta],
    zone: str,
    asked_at: datetime,
    promised_until: datetime | None = None,
    kept: Mapping[str, Any] | None = None,
) -> Placement:
    """Tier and clock of a callback.

    Args:
        items: its postponements that are still open; may be none (a patient who only asked to be rung).
        asked_at: when the callback was made: its clock starts there when it holds no postponement.
        promised_until: end of the window promised to the patient.
        kept: the reasons of the earlier placement, of which an escalation, a slipped date and what was told stay.
    """
    items = tuple(items)
    dated = [(clinical_limit(item, limits, zone), item.postponement_id, item) for item in items]
    why: dict[str, Any]
    if dated:
        due_at, _id, first = min(dated, key=lambda entry: entry[:2])
        why = {
            "rule": "limit",
            "priority": first.priority,
            "original_on": first.original_on.isoformat() if first.original_on else None,
            "postponement_id": first.postponement_id,
        }
    else:
        due_at, why = asked_at + limits[UNCODED], {"rule": "asked"}
    if promised_until is not None and promised_until < due_at:
        due_at, why = promised_until, {"rule": "promise", "promised_until": promised_until.isoformat()}
    why |= {name: kept[name] for name in KEPT if kept and name in kept}
    return Placement(_tier(items, why), due_at, why)


def _tier(items: tuple[WaitingItem, ...], why: Mapping[str, Any]) -> Tier:
    if any(name in why for name in FIRST):
        return Tier.ESCALATED
    return Tier.URGENT if any(item.priority in URGENT for item in items) else Tier.ROUTINE
