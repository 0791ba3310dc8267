"""Coverage in a shape that reads: by site, by service, and by site, care type and week with its alarms."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from crisisdesk import clock
from crisisdesk.domain.coverage import ALL, NO_DATE, CoverageGroup, Standing, Wanted, add_groups, monday_of, standing_of
from crisisdesk.domain.kpi import CoverageRow, Figure, Unit, not_measured, share_of
from crisisdesk.domain.reference import Reference
from crisisdesk.domain.words import Coverage, ServiceKind
from crisisdesk.errors import RuleBroken
from crisisdesk.i18n import _, current_language
from crisisdesk.reports import definitions as means
from crisisdesk.store import journal
from crisisdesk.store.coverage import count_coverage, count_groups
from crisisdesk.store.engine import Store


def by_site(counts: Iterable[CoverageRow]) -> tuple[CoverageRow, ...]:
    """One row a site, "no site" included: they add up to the total."""
    return _rows((count.site_id, None, count) for count in counts)


def by_service(counts: Iterable[CoverageRow]) -> tuple[CoverageRow, ...]:
    """One row a site and service; what is tied to no service has a row of its own in each site."""
    return _rows((count.site_id, count.service_id, count) for count in counts)


def in_all(counts: Iterable[CoverageRow]) -> CoverageRow:
    """The whole desk in one row."""
    return add_up(None, None, list(counts))


def desk_coverage(store: Store, *, now: datetime) -> tuple[CoverageRow, ...]:
    """Coverage by site and service as it is now."""
    with store.read() as connection:
        return by_service(count_coverage(connection, start_at=now, end_at=now))


def _rows(keyed: Iterable[tuple[str | None, int | None, CoverageRow]]) -> tuple[CoverageRow, ...]:
    found: dict[tuple[str | None, int | None], list[CoverageRow]] = {}
    for site_id, service_id, row in keyed:
        found.setdefault((site_id, service_id), []).append(row)
    return tuple(add_up(*key, rows) for key, rows in found.items())


def add_up(site_id: str | None, service_id: int | None, rows: Sequence[CoverageRow]) -> CoverageRow:
    """The sum of rows, under ids of its own."""
    items = {state: sum(row.items.get(state, 0) for row in rows) for state in Coverage}
    return CoverageRow(site_id, service_id, items, sum(row.decided for row in rows), sum(row.rebooked for row in rows))


@dataclass(frozen=True)
class CoverageLine:
    """One group in words, with its share and what that says."""

    group: CoverageGroup
    site: str
    kind: str
    week: str
    """"2022-W22", or words where no date is known."""
    figure: Figure
    standing: Standing


@dataclass(frozen=True)
class CoverageReport:
    """Coverage by site, care type and week, as of one instant."""

    desk: str
    lines: Sequence[CoverageLine]
    total: CoverageLine
    """Of all groups that were asked for, whatever is hidden."""
    alarms: int
    hidden: int
    """Groups that the filter on alarms leaves out."""
    percent: int
    """Under this share a group is an alarm."""
    zone: str
    as_of: datetime
    """Aware, in the desk's zone."""
    wanted: Wanted
    journal_head: str


def report_of_coverage(
    store: Store,
    wanted: Wanted = ALL,
    *,
    reference: Reference,
    now: datetime,
    alarms_only: bool = False,
) -> CoverageReport:
    """Count the postponements by site, care type and week of the original date, and put them into words.

    Sites and care types come in the order of the reference data, weeks in their own, what has no date last.
    """
    with store.read() as connection:
        groups = count_groups(connection, wanted)
        head = journal.head(connection)
    desk, today = reference.desk, clock.local_day(now, reference.desk.time_zone)
    places, kinds = list(reference.sites), [kind.value for kind in ServiceKind]

    def place(group: CoverageGroup) -> tuple[int, int, str]:
        site = places.index(group.site_id) if group.site_id in places else len(places)
        kind = kinds.index(group.kind) if group.kind in kinds else len(kinds)
        return site, kind, group.week or "9"

    lines = [_line(group, reference, today) for group in sorted(groups, key=place)]
    alarms = [line for line in lines if line.standing is Standing.ALARM]
    shown = alarms if alarms_only else lines
    total = _total(groups, reference.desk.coverage_alarm_percent, today)
    return CoverageReport(
        desk.name, shown, total, len(alarms), len(lines) - len(shown), desk.coverage_alarm_percent, desk.time_zone,
        clock.to_local(now, desk.time_zone), wanted, f"{head[0]}:{head[1]}",
    )  # fmt: skip


def _line(group: CoverageGroup, reference: Reference, today: date) -> CoverageLine:
    site = reference.sites.get(group.site_id)
    kind = reference.label("service_kind", group.kind, current_language()) if group.kind else _("care type not known")
    names = (site.name if site else group.site_id or _("no site"), kind, group.week or _("no date"))
    standing = standing_of(group, today=today, percent=reference.desk.coverage_alarm_percent)
    key = "/".join((group.site_id or "(none)", group.kind or "(none)", group.week or "(none)"))
    return CoverageLine(group, *names, _share(key, " · ".join(names), group, standing), standing)


def _total(groups: Sequence[CoverageGroup], percent: int, today: date) -> CoverageLine:
    """All groups together: the share is that of the weeks that have begun."""
    begun = [group for group in groups if group.week == NO_DATE or monday_of(group.week) <= today]
    whole, measured = add_groups(("", "", ""), groups), add_groups(("", "", ""), begun)
    standing = standing_of(measured, today=today, percent=percent)
    return CoverageLine(whole, _("Total"), "", "", _share("total", _("Total"), measured, standing), standing)


def _share(key: str, label: str, group: CoverageGroup, standing: Standing) -> Figure:
    meaning = means.COVERED_SHARE.shown()[1]
    if standing is Standing.TO_COME:
        return not_measured("coverage.week", key, label, Unit.SHARE, meaning)
    return share_of("coverage.week", key, label, group.tried, group.due, meaning)


def read_wanted(reference: Reference, *, site_id: str | None = None, kind: str = "", week: str = "") -> Wanted:
    """A filter from what somebody typed; a dash means "not known".

    Raises:
        RuleBroken: no such care type or week; says which there are.
    """
    if kind and kind != "-" and kind not in [one.value for one in ServiceKind]:
        words = _("There is no care type '{kind}'. Care types: {known}; - for those not known.")
        raise RuleBroken(words.format(kind=kind, known=", ".join(ServiceKind)))
    try:
        found = week and (NO_DATE if week == "-" else clock_week(week))
    except ValueError as error:
        raise RuleBroken(_("'{week}' is no week. Write 2022-W22; - for what has no date.").format(week=week)) from error
    return Wanted(site_id, ("" if kind == "-" else kind) if kind else None, found if week else None)


def clock_week(text: str) -> str:
    """A week as it is stored, from "2022-W22", "2022W22" or "2022-w5".

    Raises:
        ValueError: it is no week.
    """
    year, number, _day = monday_of(text).isocalendar()
    return f"{year:04}-W{number:02}"
