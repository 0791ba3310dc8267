"""The machine-readable report of an import, and the list of what was rejected."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from crisisdesk.desk.importing.wording import code_words, why_words
from crisisdesk.domain.rows import VALUES
from crisisdesk.domain.text import inert_text, spreadsheet_safe
from crisisdesk.i18n import _

NO_VALUES: dict[str, Any] = dict.fromkeys(VALUES)


@dataclass
class ImportReport:
    """What one run of the import did, as plain JSON values: files, rows, items gone, pairs to look at."""

    files: list[dict[str, Any]] = field(default_factory=list)
    rows: list[dict[str, Any]] = field(default_factory=list)
    missing: list[dict[str, Any]] = field(default_factory=list)
    proposals: list[dict[str, Any]] = field(default_factory=list)
    rejects: list[tuple[str, str, list[str], list[str]]] = field(default_factory=list)
    """(file, line or sheet and row, codes, original cells) of each rejected record."""
    understood: list[tuple[str, tuple[tuple[str, str], ...], tuple[str, ...]]] = field(default_factory=list)
    """(file, (field, column) of each column that was understood, the columns of which nothing was taken)."""
    without_site: list[str] = field(default_factory=list)
    """Files of which nobody knows the site: their patients are in no queue."""

    @property
    def refused(self) -> list[dict[str, Any]]:
        """The files that were refused."""
        return [entry for entry in self.files if entry["refused"]]

    def write(self, path: Path) -> None:
        """Write the report as JSON."""
        whole = {"files": self.files, "rows": self.rows, "missing": self.missing, "proposals": self.proposals}
        path.write_text(json.dumps(whole, ensure_ascii=False, indent=1), encoding="utf-8")

    def write_rejects(self, path: Path) -> None:
        """Write the rejected records as CSV that a spreadsheet opens: file, line, reason, the cells as they were."""
        with path.open("w", encoding="utf-8-sig", newline="") as target:
            writer = csv.writer(target, delimiter=";", quoting=csv.QUOTE_ALL)
            writer.writerow([_("File"), _("Line"), _("Reason"), _("Cells")])
            for name, line, codes, cells in self.rejects:
                reason = "; ".join(code_words(code) for code in codes)
                writer.writerow(
                    [spreadsheet_safe(inert_text(cell, keep_lines=True)) for cell in (name, line, reason, *cells)]
                )

    def add_file(
        self,
        name: str,
        encoding: str | None,
        counts: dict[str, int],
        warnings: list[str],
        refused: tuple[str, str] | None,
    ) -> None:
        """Add one file; ``refused`` is (code, sentence)."""
        code, why = refused or (None, "")
        self.files.append(
            {"file": name, "encoding": encoding, "refused": code, "why": why, "warnings": warnings, "counts": counts}
        )

    def add_row(self, name: str, entry: dict[str, Any], cells: Iterable[str]) -> None:
        """Add one record."""
        self.rows.append({"file": name, **entry})
        if entry["status"] == "rejected":
            place = f"{entry['sheet']} {entry['row']}" if entry["sheet"] else str((entry["lines"] or [entry["row"]])[0])
            self.rejects.append((name, place, entry["codes"], list(cells)))

    def add_proposal(self, patient: int, other: int, strength: str, why: str) -> None:
        """Add a pair of patients to look at; ``why`` holds codes."""
        entry = {"patient": patient, "other": other, "why": why_words(why.split()), "strength": strength}
        if entry not in self.proposals:
            self.proposals.append(entry)


def row_entry(
    *, sheet: str | None, row: int, lines: Iterable[int] | None, status: str, codes: list[str], of: int | None,
    values: dict[str, Any], patient: int | None, postponement: int | None, change: str | None, changed: dict[str, Any],
) -> dict[str, Any]:  # fmt: skip
    """Give a record in the report's shape."""
    return {
        "sheet": sheet, "row": row, "lines": list(lines) if lines else None, "status": status, "codes": codes, "of": of,
        "values": values or NO_VALUES, "patient": patient, "postponement": postponement, "change": change,
        "changed": changed or {},
    }  # fmt: skip


def empty_counts() -> dict[str, int]:
    """Give the counts of a file that was refused."""
    return dict.fromkeys(("rows", "accepted", "accepted_with_warnings", "duplicate", "rejected", "ignored"), 0)
