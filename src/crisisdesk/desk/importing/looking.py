"""Looking before taking in: a file's preview, the imports so far, and the pairs of patients that wait for a
decision.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from crisisdesk import clock
from crisisdesk.desk.importing.preparing import Options, accented, check_options, prepare
from crisisdesk.desk.importing.refusal import Refused, why_refused
from crisisdesk.desk.importing.running import remembered_mappings
from crisisdesk.domain.lists import FilePreview, ImportLine, PreviewRow, ProposalLine
from crisisdesk.domain.rows import Concluded
from crisisdesk.store import imports
from crisisdesk.store.engine import Store
from crisisdesk.store.reference import read_reference

ROWS_SHOWN = 10


def look_at(store: Store, path: Path, options: Options, *, now: datetime) -> FilePreview:
    """Read and conclude a file for a person to look at; nothing is written.

    Raises:
        RuleBroken: an option names something unknown.
    """
    with store.read() as connection:
        reference = read_reference(connection)
    today = clock.local_day(now, reference.desk.time_zone)
    checked = check_options(options, reference)
    try:
        prepared = prepare(path, checked, reference, today, remembered_mappings(store))
    except Refused as refused:
        return FilePreview(path.name, why_refused(refused.code, refused.detail))
    return FilePreview(
        path.name, "", prepared.read.encoding or "", tuple(accented(prepared)), prepared.site_id,
        prepared.is_placed, prepared.kind, prepared.columns(), prepared.unused(), prepared.counts(),
        tuple(prepared.warnings), _rows(prepared.rows),
    )  # fmt: skip


def _rows(rows: Sequence[Concluded]) -> tuple[PreviewRow, ...]:
    shown = [row for row in rows if row.status != "ignored"][:ROWS_SHOWN]
    return tuple(_row(row) for row in shown)


def _row(row: Concluded) -> PreviewRow:
    values = row.values
    if not values:
        return PreviewRow(row.row, row.status, " ".join(row.cells)[:60], "", "", "", "", tuple(row.codes))
    name = " ".join(part for part in (values["last_name"], values["first_name"]) if part)
    planned = " ".join(part for part in (values["planned_date"], values["planned_time"]) if part)
    item = " ".join(part for part in (values["service"], values["procedure"]) if part)
    phones = ", ".join(values["phones"] or values["phones_guessed"] or ())
    return PreviewRow(row.row, row.status, name, values["birth_date"] or "", phones, planned, item, tuple(row.codes))


def list_imports(store: Store) -> list[ImportLine]:
    """Give the imports so far, the newest first."""
    with store.read() as connection:
        return imports.history(connection)


def list_proposals(store: Store) -> list[ProposalLine]:
    """Give the pairs of patients that wait for a decision, the surer ones first."""
    with store.read() as connection:
        return imports.proposal_lines(connection)
