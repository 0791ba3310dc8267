"""The import itself: each file is read, planned, staged in small transactions and published in one, or not at all."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from time import sleep
from typing import Any

from crisisdesk import clock
from crisisdesk.desk.agents import Agent
from crisisdesk.desk.importing.joining import join_the_sure
from crisisdesk.desk.importing.planning import Plan, plan, side_of
from crisisdesk.desk.importing.preparing import Options, Prepared, check_options, prepare
from crisisdesk.desk.importing.refusal import Refused, why_refused
from crisisdesk.desk.importing.report import ImportReport, empty_counts, row_entry
from crisisdesk.desk.reopening import top_up_after_list
from crisisdesk.desk.repeating import goes_on
from crisisdesk.desk.rights import needs
from crisisdesk.domain.reference import Reference
from crisisdesk.domain.rights import Right
from crisisdesk.domain.words import Role
from crisisdesk.errors import RuleBroken
from crisisdesk.i18n import _
from crisisdesk.store import drafting, imports, journal, staging
from crisisdesk.store.callbacks import placement_rules
from crisisdesk.store.drafting import Draft
from crisisdesk.store.engine import Store
from crisisdesk.store.imports import KeptRow, SourceVersion
from crisisdesk.store.publishing import Publication
from crisisdesk.store.reference import read_reference

STAGE_SIZE = 1000  # rows staged in one transaction of about 30 ms; see tests/benchmarks/bench_import.py
CHECKPOINT_AFTER = 4  # of these; some 6 MB
PAUSE_SECONDS = 0.005  # between transactions, so that agents who wait for the lock get it

Progress = Callable[[str, int, int], None]
"""Called with (file name, rows done, rows in all)."""


@dataclass(frozen=True)
class _Run:
    """One run of the import."""

    store: Store
    reference: Reference
    agent: Agent
    now: datetime
    report: ImportReport
    progress: Progress

    @property
    def today(self) -> date:
        """The desk's own day."""
        return clock.local_day(self.now, self.reference.desk.time_zone)


@needs(Right.IMPORT)
@goes_on
def import_files(
    store: Store,
    paths: Sequence[Path],
    options: Options,
    *,
    agent: Agent,
    now: datetime,
    dry_run: bool = False,
    progress: Progress = lambda name, done, total: None,
) -> ImportReport:
    """Import lists, each whole or not at all; a refused one does not keep the others out.

    Args:
        dry_run: conclude and plan only; nothing is written.

    Raises:
        RuleBroken: an option names something unknown, or another import does not end.
    """
    if agent.role is Role.AUDITOR:
        raise RuleBroken(_("An auditor reads and does not import."))
    with store.read() as connection:
        reference = read_reference(connection)
    checked = check_options(options, reference)
    run = _Run(store, reference, agent, now, ImportReport(), progress)
    if dry_run:
        for path in paths:
            _one(run, path, checked, _report_dry)
        return run.report
    with staging.alone(store), staging.unhurried(store), _uncollected():
        clean_up(store)
        for path in paths:
            _one(run, path, checked, _bring_in)
    top_up_after_list(store, now=now)
    _report_proposals(run)
    return run.report


@contextmanager
def _uncollected() -> Iterator[None]:
    """Keep the collector of cycles from walking all rows of a long list again and again, at worst under the lock."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def clean_up(store: Store) -> None:
    """Take back what a killed import left: none of it was ever visible."""
    with store.read() as connection:
        left, is_staged = staging.left_behind(connection), staging.is_staged(connection)
    for file_id in left:
        removed = 1
        while removed:
            with store.write() as connection:
                removed = staging.drop_some(connection, file_id, STAGE_SIZE)
            _give_way(store)
    if is_staged:
        with store.write() as connection:
            staging.clear(connection)


def remembered_mappings(store: Store) -> Callable[[Iterable[str]], dict[str, str]]:
    """Give the look-up of the mappings by hand that a desk keeps."""

    def look_up(layout_keys: Iterable[str]) -> dict[str, str]:
        with store.read() as connection:
            return imports.remembered_mapping(connection, layout_keys)

    return look_up


def _one(run: _Run, path: Path, options: Options, finish: Callable[[_Run, Prepared], None]) -> None:
    try:
        prepared = prepare(path, options, run.reference, run.today, remembered_mappings(run.store))
    except Refused as refused:
        why = why_refused(refused.code, refused.detail)
        run.report.add_file(path.name, None, empty_counts(), [], (refused.code, why))
        return
    run.report.understood.append((path.name, prepared.columns(), prepared.unused()))
    if not prepared.is_placed:
        run.report.without_site.append(path.name)
    finish(run, prepared)


def _bring_in(run: _Run, prepared: Prepared) -> None:
    with run.store.read() as connection:
        known = imports.find_published(
            connection, prepared.read.sha256, staging.options_key(prepared.options.as_dict())
        )
        planned = None if known else plan(connection, prepared, run.reference)
    if known is not None:
        _report_known(run, prepared, known)
        return
    assert planned is not None
    file_id, drafted = _stage(run, prepared, planned)
    _publish(run, prepared, planned, file_id, drafted)
    _remember(run, prepared)
    _report_planned(run, prepared, planned)
    joined = {row["patient"] for row in run.report.rows if row["file"] == prepared.read.name and row["patient"]}
    join_the_sure(run.store, joined, agent=run.agent, now=run.now)


def _stage(run: _Run, prepared: Prepared, planned: Plan) -> tuple[int, Draft]:
    """Write the version where nobody sees it, in small transactions; what writes is made before each."""
    facts = staging.FileFacts(
        prepared.read.name, prepared.read.sha256, prepared.series_key, prepared.layout_key,
        planned.earlier.file_id if planned.earlier else None, prepared.read.encoding or "", prepared.site_id,
        prepared.kind, prepared.counts(), prepared.warnings, prepared.options.as_dict(),
    )  # fmt: skip
    patients, items = drafting.count_new(planned.rows)
    with run.store.read() as connection:
        rules = placement_rules(connection)
    with run.store.write() as connection:
        file_id = staging.add_file(connection, facts, run.agent.agent_id, run.now)
        first_ids = staging.reserve(connection, "patient", patients), staging.reserve(connection, "postponement", items)
    drafted = drafting.draft(file_id, planned.rows, first_ids, rules, run.now)
    total = len(planned.rows)
    parts = max(1, -(-total // STAGE_SIZE))
    for part in range(parts):
        with run.store.write() as connection:
            staging.add_part(connection, drafted.parts, part, parts)
        run.progress(prepared.read.name, total * (part + 1) // parts, total)
        _give_way(run.store, tidy=part % CHECKPOINT_AFTER == CHECKPOINT_AFTER - 1)
    return file_id, drafted


def _give_way(store: Store, *, tidy: bool = True) -> None:
    """Between two transactions: the checkpoint, and time for whoever waits for the lock."""
    if tidy:
        staging.checkpoint(store)
    sleep(PAUSE_SECONDS)


def _publish(run: _Run, prepared: Prepared, planned: Plan, file_id: int, drafted: Draft) -> None:
    """Make a staged version visible, all of it in one transaction."""
    publication = Publication(
        file_id, run.agent.login, run.now, drafted,
        [row.postponement_id for row in planned.missing if row.postponement_id],
        [
            (side_of(found.one), side_of(found.other), found.judgement.strength.value, " ".join(found.judgement.why))
            for found in planned.proposals
        ],
        {"counts": prepared.counts(), "sha256": prepared.read.sha256},
    )  # fmt: skip
    with run.store.read() as connection:
        publication.prepare(connection)
    with run.store.write() as connection:
        publication.publish(connection)
    _give_way(run.store)
    with run.store.write() as connection:
        staging.clear(connection)


def _remember(run: _Run, prepared: Prepared) -> None:
    """Keep a mapping by hand for the next list with the same header."""
    if not prepared.options.by_hand:
        return
    from crisisdesk.desk.importing.preparing import layout_of

    with run.store.write() as connection:
        for listed in prepared.lists:
            key = layout_of(listed.header)
            imports.remember_mapping(connection, key, prepared.options.by_hand, run.agent.agent_id, run.now)
        journal.append(
            connection, agent=run.agent.login, action="layout.mapped", subject="layout", subject_id=prepared.layout_key,
            detail={"map": prepared.options.by_hand}, now=run.now,
        )  # fmt: skip


def _report_planned(run: _Run, prepared: Prepared, planned: Plan) -> None:
    name = prepared.read.name
    run.report.add_file(name, prepared.read.encoding, prepared.counts(), prepared.warnings, None)
    for row in planned.rows:
        done = row.done
        entry = row_entry(
            sheet=done.sheet, row=done.row, lines=done.lines, status=done.status, codes=done.codes, of=done.of,
            values=done.values, patient=row.patient_id, postponement=row.postponement_id, change=row.change,
            changed=row.changed or {},
        )  # fmt: skip
        run.report.add_row(name, entry, done.cells)
    for gone in planned.missing:
        _report_missing(run, name, planned.earlier, gone)


def _report_kept(run: _Run, name: str, row: KeptRow, change: str | None, changed: dict[str, Any]) -> None:
    entry = row_entry(
        sheet=row.sheet, row=row.row, lines=row.lines, status=row.status, codes=row.codes, of=row.of, values=row.values,
        patient=row.patient_id, postponement=row.postponement_id, change=change, changed=changed,
    )  # fmt: skip
    run.report.add_row(name, entry, row.cells)


def _report_missing(run: _Run, name: str, earlier: SourceVersion | None, gone: KeptRow) -> None:
    run.report.missing.append(
        {"file": name, "of_file": earlier.name if earlier else None, "patient": gone.patient_id,
         "postponement": gone.postponement_id, "row": gone.row}
    )  # fmt: skip


def _report_known(run: _Run, prepared: Prepared, known: SourceVersion) -> None:
    """The very file that is in already: everything is found, nothing is added."""
    name = prepared.read.name
    with run.store.read() as connection:
        kept = imports.rows_of(connection, known.file_id)
    run.report.add_file(name, prepared.read.encoding, known.counts, known.warnings, None)
    for row in kept:
        _report_kept(run, name, row, "same" if row.change else None, {})


def _report_dry(run: _Run, prepared: Prepared) -> None:
    with run.store.read() as connection:
        planned = plan(connection, prepared, run.reference)
    _report_planned(run, prepared, planned)


def _report_proposals(run: _Run) -> None:
    """Name the patients that stand when all is done, and the pairs that wait for a person."""
    told = [entry for entry in (*run.report.rows, *run.report.missing) if entry["patient"]]
    with run.store.read() as connection:
        standing = imports.standing_patient(connection, {entry["patient"] for entry in told})
        for entry in told:
            entry["patient"] = standing[entry["patient"]]
        found = imports.open_proposals(connection, {entry["patient"] for entry in told})
        sides = imports.standing_patient(connection, {side for pair in found for side in pair[:2]})
    for patient, other, strength, why in found:
        if sides[patient] != sides[other]:
            run.report.add_proposal(sides[patient], sides[other], strength, why)
