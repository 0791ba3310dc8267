"""The desk's reference data: written once by init, read once a session, as the rules use it."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, Table, insert, select

from crisisdesk.domain.reference import (
    CallerKind,
    CapacityLimit,
    DeskInfo,
    Disposition,
    RedFlag,
    Reference,
    Service,
    Site,
    Topic,
)
from crisisdesk.domain.words import Channel, NextStep, Reach, Scope, ServiceKind, WayOut
from crisisdesk.errors import StoreUnavailable
from crisisdesk.i18n import _
from crisisdesk.store import tables
from crisisdesk.store.engine import Connection

# Parents before children.
WRITTEN = (
    tables.desk, tables.site, tables.service, tables.topic, tables.caller_kind, tables.disposition, tables.red_flag,
    tables.priority_limit, tables.capacity_limit, tables.column_name, tables.label, tables.opening, tables.instruction,
)  # fmt: skip


def write_reference(connection: Connection, rows: Mapping[str, Sequence[Mapping[str, Any]]], *, now: datetime) -> None:
    """Fill an empty desk with the rows of a checked folder (by table); ``now`` dates openings and instructions."""
    dated = {"opening": "entered_at", "instruction": "issued_at"}
    for table in WRITTEN:
        stamp = {dated[table.name]: now} if table.name in dated else {}
        if found := rows.get(table.name):
            connection.execute(insert(table), [{**row, **stamp} for row in found])


def read_reference(connection: Connection) -> Reference:
    """Everything that was loaded by init, in the order of its folder.

    Raises:
        StoreUnavailable: the file holds a schema but no desk yet.
    """
    desk = connection.execute(select(tables.desk)).one_or_none()
    if desk is None:
        raise StoreUnavailable(_("This file holds no reference data: it was never made by 'crisisdesk init'."))
    return Reference(
        desk=_desk(desk),
        sites={row.id: _site(row) for row in _ordered(connection, tables.site)},
        services={row.id: _service(row) for row in _ordered(connection, tables.service)},
        topics={
            row.code: Topic(row.code, row.concerns_postponement, row.key) for row in _ordered(connection, tables.topic)
        },
        caller_kinds={
            row.code: CallerKind(row.code, row.is_patient, row.asks_relation, row.key)
            for row in _ordered(connection, tables.caller_kind)
        },
        dispositions={
            (Scope(row.scope), row.code): _disposition(row) for row in _ordered(connection, tables.disposition)
        },
        red_flags={
            row.code: RedFlag(row.code, WayOut(row.way_out), row.key, row.signed_off_by)
            for row in _ordered(connection, tables.red_flag)
        },
        priority_limits={
            row.code: timedelta(seconds=row.limit_seconds) for row in _ordered(connection, tables.priority_limit)
        },
        column_names=_column_names(connection),
        capacity_limits={
            row.code: CapacityLimit(row.code, tuple(row.words)) for row in _ordered(connection, tables.capacity_limit)
        },
        version=desk.reference_version,
        labels={(row.kind, row.code, row.language): row.words for row in connection.execute(select(tables.label))},
    )


def label_of(connection: Connection, kinds: Sequence[str], code: str, language: str) -> str:
    """Words for a code of one of some kinds in a language, else in any, else the code: where only a connection is."""
    label = tables.label.c
    query = select(label.words).where(label.kind.in_(kinds), label.code == code)
    return str(connection.execute(query.order_by((label.language == language).desc()).limit(1)).scalar() or code)


def _ordered(connection: Connection, table: Table) -> list[Row[Any]]:
    return list(connection.execute(select(table).order_by(table.c.position)))


def _desk(row: Row[Any]) -> DeskInfo:
    return DeskInfo(
        name=row.name,
        incident=row.incident,
        incident_at=row.incident_at,
        country=row.country,
        time_zone=row.time_zone,
        languages=tuple(row.languages),
        national_number=row.national_number,
        neighbour_regions=tuple(row.neighbour_regions),
        calls_from=row.calls_from,
        calls_until=row.calls_until,
        call_weekdays=tuple(row.call_weekdays),
        lease_seconds=row.lease_seconds,
        rest_seconds=row.rest_seconds,
        attempts_per_number_a_day=row.attempts_per_number_a_day,
        attempts_in_all=row.attempts_in_all,
        release_days_ahead=row.release_days_ahead,
        public_number=row.public_number,
        holidays=tuple(row.holidays),
        is_demo=row.is_demo,
        clock_shift=timedelta(seconds=row.clock_shift_seconds),
        release_reserve_percent=row.release_reserve_percent,
        channels=tuple(Channel(code) for code in row.channels),
        channel_wait=timedelta(seconds=row.channel_wait_seconds),
        undo_seconds=row.undo_seconds,
        absent_seconds=row.absent_seconds,
        idle_seconds=row.idle_seconds,
        idle_end_seconds=row.idle_end_seconds,
        session_seconds=row.session_seconds,
        near_limit_days=row.near_limit_days,
        coverage_alarm_percent=row.coverage_alarm_percent,
        closed_at=row.closed_at,
    )


def _site(row: Row[Any]) -> Site:
    return Site(
        row.id, row.name, row.hospital, row.postcode, row.phone, row.on_call_phone, tuple(row.aliases), row.phone_prefix
    )


def _service(row: Row[Any]) -> Service:
    return Service(
        row.id,
        row.site_id,
        row.code,
        ServiceKind(row.kind),
        row.name,
        row.is_protected,
        row.lead_days,
        tuple(row.aliases),
    )


def _disposition(row: Row[Any]) -> Disposition:
    return Disposition(
        scope=Scope(row.scope),
        code=row.code,
        key=row.key,
        is_final=row.is_final,
        reach=Reach(row.reach),
        next_step=NextStep(row.next_step),
        delay=None if row.delay_seconds is None else timedelta(seconds=row.delay_seconds),
        other_part_of_day=row.other_part_of_day,
        cap=row.cap,
        coverage=row.coverage,
        needs_note=row.needs_note,
        needs_clinician=row.needs_clinician,
        is_quick=row.is_quick,
        makes_callback=row.makes_callback,
        cap_a_day=row.cap_a_day,
        channel=Channel(row.channel) if row.channel else None,
        needs_permission=row.needs_permission,
    )


def _column_names(connection: Connection) -> dict[str, tuple[str, ...]]:
    names: defaultdict[str, list[str]] = defaultdict(list)
    for row in _ordered(connection, tables.column_name):
        names[row.field].append(row.name)
    return {field: tuple(values) for field, values in names.items()}
