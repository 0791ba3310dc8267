"""The import itself: each file is read, planned, staged in small transactions and published whole, or leaves
nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from time import sleep
from typing import Any

from crisisdesk import clock
from crisisdesk.desk.agents import Agent
from crisisdesk.desk.importing.planning import Plan, plan, side_of
from crisisdesk.desk.importing.preparing import Options, Prepared, check_options, prepare
from crisisdesk.desk.importing.refusal import Refused, why_refused
from crisisdesk.desk.importing.report import ImportReport, empty_counts, row_entry
from crisisdesk.domain.reference import Reference
from crisisdesk.domain.words import Role
from crisisdesk.errors import RuleBroken
from crisisdesk.i18n import _
from crisisdesk.store import imports, journal, staging
from crisisdesk.store.engine import Store
from crisisdesk.store.imports import KeptRow, SourceVersion
from crisisdesk.store.publishing import Publication
from crisisdesk.store.reference import read_reference

STAGE_SIZE = 1000  # rows in one transaction of about 30 ms
SLICE_SIZE = 500  # rows published in one transaction; see tests/benchmarks/bench_import.py
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
    with staging.alone(store):
        clean_up(store, agent=agent, now=now)
        for path in paths:
            _one(run, path, checked, _bring_in)
    _report_proposals(run)
    return run.report


def clean_up(store: Store, *, agent: Agent, now: datetime) -> None:
    """Settle what a killed import left: take back what was only staged, finish what had begun to be published."""
    with store.read() as connection:
        left = staging.left_behind(connection)
    for file_id, was_begun in left:
        if was_begun:
            _go_on(store, file_id, agent, now)
            continue
        removed = 1
        while removed:
            with store.write() as connection:
                removed = staging.drop_some(connection, file_id, STAGE_SIZE)


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
    if prepared.site_id is None and not any(listed.mapped.has("site") for listed in prepared.lists):
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
    file_id = _stage(run, prepared, planned)
    total = len(planned.rows)
    planned.rows.clear()
    prepared.forget_rows()
    _publish(
        run.store, file_id, run.agent, run.now, lambda done: run.progress(prepared.read.name, total + done, 2 * total)
    )
    _remember(run, prepared)
    _report_published(run, prepared, planned, file_id)


def _stage(run: _Run, prepared: Prepared, planned: Plan) -> int:
    """Write the version where nobody sees it, in small transactions; the last one makes it whole."""
    facts = staging.FileFacts(
        prepared.read.name, prepared.read.sha256, prepared.series_key, prepared.layout_key,
        planned.earlier.file_id if planned.earlier else None, prepared.read.encoding or "", prepared.site_id,
        prepared.kind, prepared.counts(), prepared.warnings, prepared.options.as_dict(),
    )  # fmt: skip
    with run.store.write() as connection:
        file_id = staging.add_file(connection, facts, run.agent.agent_id, run.now)
    for start in range(0, len(planned.rows), STAGE_SIZE):
        values = [staging.row_values(file_id, row) for row in planned.rows[start : start + STAGE_SIZE]]
        with run.store.write() as connection:
            staging.add_rows(connection, values)
        run.progress(prepared.read.name, start + len(values), 2 * len(planned.rows))
        sleep(PAUSE_SECONDS)
    with run.store.write() as connection:
        staging.set_plan(connection, file_id, _kept_plan(prepared, planned))
    return file_id


def _kept_plan(prepared: Prepared, planned: Plan) -> dict[str, Any]:
    return {
        "counts": prepared.counts(),
        "sha256": prepared.read.sha256,
        "missing": [row.postponement_id for row in planned.missing],
        "proposals": [
            [side_of(found.one), side_of(found.other), found.judgement.strength.value, " ".join(found.judgement.why)]
            for found in planned.proposals
        ],
    }


def _publish(store: Store, file_id: int, agent: Agent, now: datetime, told: Callable[[int], None]) -> None:
    """Bring a staged version out: its rows in one transaction where they are no more than a slice, then its
    callbacks.
    """
    done = 0
    with store.read() as connection:
        publication = Publication(connection, file_id, SLICE_SIZE)
        publication.prepare(connection)
    while publication.is_prepared:
        with store.write() as connection:
            done += publication.publish(connection, agent.login, now)
        sleep(PAUSE_SECONDS)
        with store.write() as connection:
            publication.hold(connection, now)
        told(done)
        sleep(PAUSE_SECONDS)
        with store.read() as connection:
            publication.prepare(connection)
    with store.write() as connection:
        publication.finish(connection, agent.login, now)


def _go_on(store: Store, file_id: int, agent: Agent, now: datetime) -> None:
    """Finish a publication that was cut off, its callbacks first."""
    with store.read() as connection:
        publication = Publication(connection, file_id, SLICE_SIZE)
    with store.write() as connection:
        publication.hold(connection, now)
    _publish(store, file_id, agent, now, lambda done: None)


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


def _report_published(run: _Run, prepared: Prepared, planned: Plan, file_id: int) -> None:
    name = prepared.read.name
    with run.store.read() as connection:
        kept = imports.rows_of(connection, file_id)
    run.report.add_file(name, prepared.read.encoding, prepared.counts(), prepared.warnings, None)
    for row in kept:
        _report_kept(run, name, row, row.change, row.changed)
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


def _report_proposals(run: _Run) -> None:
    patients = {row["patient"] for row in run.report.rows if row["patient"]}
    with run.store.read() as connection:
        found = imports.open_proposals(connection, patients)
    for patient, other, strength, why in found:
        run.report.add_proposal(patient, other, strength, why)
