"""How long the instructions of one scope hold: which one at an instant, what replaces what, which dates cannot be.

A scope is a site, service and topic, each of which may be "all". Of those that hold at an instant the one that began
last is in force; one with an end therefore only covers the earlier one, which holds again afterwards. One without an
end replaces the earlier one for good: that one ends where it begins. One that was withdrawn before it began holds for
no time at all (it ends where it begins).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

INFORMED = "informed"
"""Disposition of an attempt in which the patient was told the instruction that holds now: it was read out, then."""


@dataclass(frozen=True, slots=True)
class Validity:
    """From when until when one instruction holds; ``valid_until`` None: until another one replaces it."""

    instruction_id: int
    valid_from: datetime
    valid_until: datetime | None
    replaces_id: int | None = None

    @property
    def is_withdrawn(self) -> bool:
        """Whether it never held."""
        return self.valid_until is not None and self.valid_until <= self.valid_from

    def holds_at(self, at: datetime) -> bool:
        """Whether an instant lies within."""
        return self.valid_from <= at and (self.valid_until is None or at < self.valid_until)


@dataclass(frozen=True, slots=True)
class Period:
    """A span in which one instruction was the one in force."""

    instruction_id: int
    start: datetime
    end: datetime | None


def in_force(rows: Iterable[Validity], at: datetime) -> Validity | None:
    """The one of a scope that is in force at an instant: of those that hold, the one that began last."""
    return max((row for row in rows if row.holds_at(at)), key=lambda row: (row.valid_from, row.instruction_id),
               default=None)  # fmt: skip


def periods(rows: Sequence[Validity]) -> list[Period]:
    """Which one was, is and will be in force, oldest first; one that was covered for a while appears twice."""
    held = [row for row in rows if not row.is_withdrawn]
    edges = sorted({row.valid_from for row in held} | {row.valid_until for row in held if row.valid_until})
    found: list[Period] = []
    for start, end in [*pairwise(edges), *((edge, None) for edge in edges[-1:])]:
        current = in_force(held, start)
        if current is None:
            continue
        if found and found[-1].instruction_id == current.instruction_id and found[-1].end == start:
            found[-1] = Period(current.instruction_id, found[-1].start, end)
        else:
            found.append(Period(current.instruction_id, start, end))
    return found


def replaced_for_good(row: Validity, rows: Iterable[Validity]) -> Validity | None:
    """The one because of which ``row`` ends where it ends; None for one that has an end of its own, or none."""
    after = (one for one in rows if one.replaces_id == row.instruction_id and not one.is_withdrawn)
    return next((one for one in after if one.valid_from == row.valid_until), None)


def next_for_good(rows: Sequence[Validity], begins: datetime) -> Validity | None:
    """The first one without an end of its own that begins after an instant."""
    later = [
        row
        for row in rows
        if row.valid_from > begins and not row.is_withdrawn
        and (row.valid_until is None or replaced_for_good(row, rows) is not None)
    ]  # fmt: skip
    return min(later, key=lambda row: row.valid_from, default=None)


def crossing(rows: Sequence[Validity], begins: datetime, ends: datetime | None, now: datetime) -> Validity | None:
    """The one whose own dates cut into the new one's, or are cut by them: no one could say which is meant then.

    One inside another is fine, and so is one that begins now: it ends or covers what holds at present.
    """
    for row in rows:
        if row.is_withdrawn or (row.valid_until is not None and row.valid_until <= now):
            continue
        if row.valid_from == begins and begins > now:
            return row
        has_own_end = row.valid_until is not None and replaced_for_good(row, rows) is None
        cuts_old = begins > now and has_own_end and row.valid_from < begins and _is_within(begins, ends, row)
        cuts_new = ends is not None and begins < row.valid_from < ends and not (
            row.valid_until is not None and row.valid_until <= ends and has_own_end)  # fmt: skip
        if cuts_old or cuts_new:
            return row
    return None


def _is_within(begins: datetime, ends: datetime | None, row: Validity) -> bool:
    """Whether a span begins inside ``row`` and goes on after it."""
    return row.valid_until is not None and begins < row.valid_until and (ends is None or ends > row.valid_until)
