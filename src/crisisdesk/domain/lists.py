"""What screens show of lists: the imports so far, a file before it is taken in, and pairs of patients to decide on."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime


@dataclass(frozen=True)
class ImportLine:
    """One import in the history of lists."""

    file_id: int
    name: str
    encoding: str
    site_id: str | None
    kind: str | None
    counts: dict[str, int]
    warnings: list[str]
    published_at: datetime
    is_later_version: bool
    added: int
    changed: int
    agent: str


@dataclass(frozen=True)
class SideItem:
    """What was put off for one of two patients who may be one."""

    kind: str
    planned_on: date | None
    procedure: str


@dataclass(frozen=True)
class ProposalSide:
    """One of two patients who may be one."""

    patient_id: int
    name: str
    birth_on: date | None
    niss: str | None
    phones: tuple[str, ...]
    is_provisional: bool
    items: tuple[SideItem, ...]


@dataclass(frozen=True)
class ProposalLine:
    """Two patients who may be one, for a person to decide. ``why`` holds codes."""

    likeness_id: int
    strength: str
    why: tuple[str, ...]
    one: ProposalSide
    other: ProposalSide


@dataclass(frozen=True)
class PreviewRow:
    """One record of a file that is looked at: who, when, what, and what is wrong with it (codes)."""

    row: int
    status: str
    name: str
    birth_date: str
    phones: str
    planned: str
    item: str
    codes: tuple[str, ...]


@dataclass(frozen=True)
class FilePreview:
    """A file before it is taken in. ``refused`` is the sentence that says why it cannot be."""

    name: str
    refused: str = ""
    encoding: str = ""
    accented: tuple[str, ...] = ()
    site_id: str | None = None
    is_placed: bool = False
    """The file, or a column of it, names the site."""
    kind: str | None = None
    columns: tuple[tuple[str, str], ...] = ()
    """(field, column name as the list has it)."""
    unused: tuple[str, ...] = ()
    counts: dict[str, int] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    rows: tuple[PreviewRow, ...] = ()
