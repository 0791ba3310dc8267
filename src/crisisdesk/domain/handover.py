"""The signed list of a handover: its columns, what its hash covers, and the lines that somebody names. Pure."""

import csv
import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from crisisdesk.domain.text import inert_text, spreadsheet_safe
from crisisdesk.domain.words import HandoverState

COLUMNS = (
    "number", "patient", "born", "record", "language", "phones", "telling", "service", "what", "original", "priority",
    "state", "promises", "places", "history", "words", "item",
)  # fmt: skip
"""Of each line, in this order; ``item`` is the number of the postponement."""
FACTS = ("handover", "desk", "site", "service", "reason", "made_at", "made_by")
"""Of the list as a whole; the hash covers them too."""


@dataclass(frozen=True, slots=True)
class HandoverLine:
    """One line of a handover: as it was signed, and what was answered."""

    number: int
    """Place on the list, from 1."""
    postponement_id: int
    patient_id: int
    content: Mapping[str, str]
    """Column -> text, as it was when the list was made."""
    state: HandoverState
    answered_by: str
    """Who answered at the service."""
    answered_at: datetime | None
    entered_by: str
    note: str
    settled: str
    """Coverage class or code by which it was settled here meanwhile; empty: it was not."""
    held_by: str
    """Who is ringing this patient at this moment; empty: nobody."""


@dataclass(frozen=True, slots=True)
class HandoverRow:
    """One handover, counted. Without a service: the whole site; without a site: what belongs to none."""

    handover_id: int
    site_id: str | None
    service_id: int | None
    reason: str
    made_at: datetime
    made_by: str
    offered: int
    """Not answered yet: still ours, and rung."""
    acknowledged: int
    refused: int
    settled: int
    """Of those not acknowledged, settled here meanwhile."""
    sha256: str
    journal_seq: int
    journal_hash: str

    @property
    def total(self) -> int:
        """Lines of the list."""
        return self.offered + self.acknowledged + self.refused


@dataclass(frozen=True, slots=True)
class SignedList:
    """What is printed and written to a file: the same for both."""

    facts: Mapping[str, str]
    """`FACTS` -> text."""
    rows: Sequence[Sequence[str]]
    """One a line, its cells in the order of `COLUMNS`."""
    sha256: str
    journal_seq: int
    journal_hash: str


def line_cells(number: int, content: Mapping[str, str]) -> tuple[str, ...]:
    """The cells of one line as printed, written and hashed: each on one line, nothing that a spreadsheet would run."""
    texts = {**content, "number": str(number)}
    return tuple(spreadsheet_safe(inert_text(texts.get(name, "")).strip()) for name in COLUMNS)


def digest(facts: Mapping[str, str], rows: Iterable[Sequence[str]]) -> str:
    """SHA-256 of the content, in hexadecimal digits; the same for the paper and for the file."""
    content = [[facts.get(name, "") for name in FACTS], [list(row) for row in rows]]
    return hashlib.sha256(json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class ReadList:
    """A list as it was read back from a file."""

    facts: Mapping[str, str]
    rows: Sequence[Sequence[str]]
    said_sha256: str
    """What the file says of itself."""
    sha256: str
    """What its content gives."""


def read_list(data: bytes) -> ReadList | None:
    """Read a list back; None where the file is no such list. Quotes, separator and empty ends may have changed."""
    text = data.decode("utf-8-sig", errors="replace")
    head = text.partition("\n")[0]
    separator = max(";,\t", key=head.count)
    facts: dict[str, str] = {}
    rows: list[list[str]] = []
    for cells in csv.reader(text.splitlines(keepends=True), delimiter=separator):
        first = cells[0].strip() if cells else ""
        if first.startswith("#"):
            facts[first[1:]] = cells[1] if len(cells) > 1 else ""
        elif first.isdecimal():
            rows.append((cells + [""] * len(COLUMNS))[: len(COLUMNS)])
    if "sha256" not in facts or "handover" not in facts:
        return None
    return ReadList(facts, rows, facts["sha256"].strip().lower(), digest(facts, rows))


def read_numbers(text: str, most: int) -> tuple[int, ...]:
    """Lines that somebody names: "1-40, 44", "7", "all" or "*"; each once, in order.

    Raises:
        ValueError: what is no line of a list of ``most`` lines; its argument is that part.
    """
    if text.strip().casefold() in ("*", "all", "tout", "tous", "toutes"):
        return tuple(range(1, most + 1))
    found: set[int] = set()
    for part in re.split(r"[,;\s]+", re.sub(r"\s*[-–]\s*", "-", text.strip())):
        named = re.fullmatch(r"(\d{1,9})(?:-(\d{1,9}))?", part)
        first, last = (int(named[1]), int(named[2] or named[1])) if named else (0, 0)
        if not 1 <= first <= last <= most:
            raise ValueError(part)
        found |= set(range(first, last + 1))
    return tuple(sorted(found))
