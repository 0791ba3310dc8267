"""A list as it was read, before anything is concluded: records of cells, and what is said about them from outside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from crisisdesk.domain.columns import Names


@dataclass(frozen=True, slots=True)
class Record:
    """One record as it was read: its number from 1, its physical lines (None in a workbook), its cells."""

    number: int
    lines: tuple[int, int] | None
    cells: tuple[str, ...]


@dataclass(frozen=True)
class Sheet:
    """A text file, or one sheet of a workbook."""

    name: str | None
    records: Sequence[Record]
    hidden_columns: frozenset[int] = frozenset()
    is_hidden: bool = False


@dataclass(frozen=True)
class Setting:
    """What the desk, the file and the person who imports say before any cell is read."""

    names: Names
    region: str
    today: date
    neighbours: tuple[str, ...] = ()
    national_number: str = "be.ssn"
    kind: str | None = None
    kind_hints: tuple[str, ...] = ()
    by_hand: Mapping[str, str] = field(default_factory=dict)
    """Column (its name, or its number from 1) -> field."""
