"""The day in words: sections of rows, each cell a figure with its definition. Screen, table and files show the same."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from crisisdesk import clock
from crisisdesk.domain.kpi import CoverageRow, Figure, Unit, count_of, mean_of, not_measured, share_of
from crisisdesk.domain.reference import Reference
from crisisdesk.domain.words import Coverage, Scope
from crisisdesk.i18n import N_, _
from crisisdesk.reports import definitions as means
from crisisdesk.reports.coverage import add_up, by_service, by_site, in_all
from crisisdesk.reports.figures import CallbackCount, CallCount, DayFigures, day_figures
from crisisdesk.store.engine import Store

NO_CALLBACKS = CallbackCount(site_id="")


@dataclass(frozen=True)
class Row:
    """One line of a section: a site, a topic, half an hour."""

    key: str
    label: str
    cells: tuple[Figure, ...]


@dataclass(frozen=True)
class Section:
    """Rows with the same columns. ``total`` is for people; it is not among the figures of an export."""

    key: str
    title: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    total: Row | None = None

    @property
    def figures(self) -> tuple[Figure, ...]:
        """Every cell, row by row."""
        return tuple(cell for row in self.rows for cell in row.cells)


@dataclass(frozen=True)
class DayReport:
    """The figures of a day with their words, in one language."""

    desk: str
    day: date
    zone: str
    as_of: datetime
    """Aware, in the desk's zone."""
    is_over: bool
    hours: int
    sections: tuple[Section, ...]
    journal_head: str
    """Number and hash of the journal's last entry, "123:ab12..."."""

    @property
    def figures(self) -> tuple[Figure, ...]:
        """Every figure once."""
        return tuple(figure for section in self.sections for figure in section.figures)

    def section(self, key: str) -> Section:
        """One section by its key."""
        return next(section for section in self.sections if section.key == key)


def day_report(figures: DayFigures, reference: Reference, language: str) -> DayReport:
    """Put the figures of a day into words of ``language`` (the texts of the program: in the current one)."""
    words = _Words(reference, language)
    sections = (
        _summary(figures, reference),
        _half_hours(figures),
        _calls(figures, "site", _("Calls by site"), words.site, order=list(reference.sites)),
        _calls(figures, "topic", _("Calls by topic"), words.coded("topic")),
        _calls(figures, "caller_kind", _("Calls by kind of caller"), words.coded("caller_kind")),
        _calls(figures, "disposition", _("Calls by disposition"), words.coded("disposition.inbound")),
        _calls(figures, "agent", _("Calls by agent"), words.named),
        _calls(figures, "way_out", _("Red flags by way out"), words.coded("way_out")),
        _callbacks(figures, words),
        _coverage("coverage.site", _("Coverage by site"), by_site(figures.coverage), words),
        _coverage("coverage.service", _("Coverage by service"), by_service(figures.coverage), words),
    )
    seq, digest = figures.journal_head
    hours = round((figures.end_at - figures.start_at).total_seconds() / 3600)
    as_of = clock.to_local(figures.as_of, figures.zone)
    head = f"{seq}:{digest}"
    return DayReport(reference.desk.name, figures.day, figures.zone, as_of, figures.is_over, hours, sections, head)


def report_of_day(store: Store, day: date, *, reference: Reference, language: str, now: datetime) -> DayReport:
    """Count a local day of the desk's zone and put it into words."""
    figures = day_figures(store, day, now=now, zone=reference.desk.time_zone)
    return day_report(figures, reference, language)


@dataclass(frozen=True)
class _Words:
    reference: Reference
    language: str

    def site(self, count: CallCount) -> str:
        return self.site_name(count.key)

    def site_name(self, site_id: str | None) -> str:
        site = self.reference.sites.get(site_id or "")
        return site.name if site else site_id or _("no site")

    def service_name(self, row: CoverageRow) -> str:
        service = self.reference.services.get(row.service_id or 0)
        return service.name if service else _("no service named")

    def service_code(self, row: CoverageRow) -> str:
        service = self.reference.services.get(row.service_id or 0)
        return service.code if service else "(none)"

    def coded(self, kind: str) -> Callable[[CallCount], str]:
        return lambda count: self.reference.label(kind, count.key, self.language) if count.key else _("not noted")

    @staticmethod
    def named(count: CallCount) -> str:
        return count.name or _("not noted")


def _summary(figures: DayFigures, reference: Reference) -> Section:
    cells = [*_of_calls(figures, reference), *_of_callbacks(figures), *_of_items(figures)]
    rows = tuple(Row(cell.key, cell.label, (cell,)) for cell in cells)
    return Section("summary", _("The day"), (_("Value"),), rows)


def _of_calls(figures: DayFigures, reference: Reference) -> Iterable[Figure]:
    total, here = figures.total, "summary"
    quick = {row.code for row in reference.dispositions_of(Scope.INBOUND) if row.is_quick}
    actionable = sum(count.calls for count in figures.by("disposition") if count.key not in quick)
    flagged = sum(count.calls for count in figures.by("way_out"))
    yield count_of(here, "calls", *_with(means.CALLS, total.calls))
    for key, unknown, unit in (
        ("offered", means.OFFERED, Unit.COUNT),
        ("abandoned", means.ABANDONED, Unit.SHARE),
        ("service_level", means.SERVICE_LEVEL, Unit.SHARE),
    ):
        name, meaning = unknown.shown()
        yield not_measured(here, key, name, unit, meaning)
    name, meaning = means.HANDLING.shown()
    yield mean_of(here, "handling_time", name, total.seconds, total.timed, meaning)
    yield _share("actionable", means.ACTIONABLE, actionable, total.calls)
    yield _share("red_flags", means.RED_FLAGS, flagged, total.calls)
    yield _share("from_paper", means.FROM_PAPER, figures.by("slip")[0].calls, total.calls)


def _of_callbacks(figures: DayFigures) -> Iterable[Figure]:
    done = _sum_callbacks(figures.callbacks)
    yield count_of("summary", "callbacks.released", *_with(means.RELEASED, done.released))
    yield count_of("summary", "callbacks.attempts", *_with(means.ATTEMPTS, done.attempts))
    yield count_of("summary", "callbacks.attempted", *_with(means.ATTEMPTED, done.attempted))
    yield _share("callbacks.contact_rate", means.CONTACTS, done.contacts, done.attempts)
    yield _share("callbacks.right_party_rate", means.RIGHT_PARTY, done.right_party, done.attempts)
    yield _share("callbacks.promises_kept", means.PROMISE_KEPT, done.kept, done.promised)
    yield count_of("summary", "callbacks.open", *_with(means.OPEN_CALLBACKS, done.open))


def _of_items(figures: DayFigures) -> Iterable[Figure]:
    items = in_all(figures.coverage)
    yield count_of("summary", "items.decided", *_with(means.DECIDED, items.decided))
    yield count_of("summary", "items.rebooked", *_with(means.REBOOKED, items.rebooked))
    yield count_of("summary", "items.all", *_with(means.ITEMS, items.total))
    yield count_of("summary", "items.backlog", *_with(means.BACKLOG, items.backlog), of=items.total)
    yield _share("items.tried", means.TRIED_SHARE, items.at_least(Coverage.TRIED), items.total)
    yield _share("items.reached", means.REACHED_SHARE, items.at_least(Coverage.REACHED), items.total)


def _with(definition: means.Definition, number: int) -> tuple[str, int, str]:
    name, meaning = definition.shown()
    return name, number, meaning


def _share(key: str, definition: means.Definition, part: int, whole: int) -> Figure:
    name, meaning = definition.shown()
    return share_of("summary", key, name, part, whole, meaning)


def _half_hours(figures: DayFigures) -> Section:
    name, meaning = means.CALLS.shown()
    total = figures.total.calls
    rows = []
    for slot, calls in figures.half_hours():
        key = clock.to_local(slot.start_at, figures.zone).isoformat(timespec="minutes")
        rows.append(Row(key, slot.label, (count_of("calls.half_hour", key, slot.label, calls, meaning, of=total),)))
    end = Row("total", _("Total"), (count_of("calls.half_hour", "total", _("Total"), total, meaning),))
    return Section("calls.half_hour", _("Calls by half hour"), (name,), tuple(rows), end)


def _calls(
    figures: DayFigures,
    dimension: str,
    title: str,
    label: Callable[[CallCount], str],
    order: Sequence[str] | None = None,
) -> Section:
    """Calls and their handling time by one dimension: in the order given, zeros too, else the most frequent first."""
    counts = {count.key: count for count in figures.by(dimension)} if order else {}
    listed = [counts.pop(key, CallCount(dimension, key, "", 0, 0, 0.0)) for key in order or ()]
    others = list(counts.values()) if order else list(figures.by(dimension))
    others.sort(key=lambda count: (-count.calls, label(count)))
    key = f"calls.{dimension}"
    whole = figures.total._replace(key="total")
    rows = tuple(_call_row(key, count, label(count), figures.total.calls) for count in (*listed, *others))
    calls, handling = means.CALLS.shown()[0], means.HANDLING.shown()[0]
    total = None if dimension == "way_out" else _call_row(key, whole, _("Total"), whole.calls)
    return Section(key, title, (calls, handling), rows, total)


def _call_row(section: str, count: CallCount, label: str, total: int) -> Row:
    key = count.key if count.key is not None else f"({count.name or 'none'})"
    (calls, calls_mean), (handling, handling_mean) = means.CALLS.shown(), means.HANDLING.shown()
    return Row(
        key,
        label,
        (
            count_of(section, f"{key}/calls", f"{label}: {calls}", count.calls, calls_mean, of=total),
            mean_of(section, f"{key}/handling_time", f"{label}: {handling}", count.seconds, count.timed, handling_mean),
        ),
    )


_CALLBACK_COLUMNS: tuple[tuple[str, str, str, means.Definition], ...] = (
    ("released", N_("Released"), "", means.RELEASED),
    ("attempts", N_("Attempts"), "", means.ATTEMPTS),
    ("attempted", N_("Attempted"), "", means.ATTEMPTED),
    ("contacts", N_("Contact"), "attempts", means.CONTACTS),
    ("right_party", N_("Patient"), "attempts", means.RIGHT_PARTY),
    ("kept", N_("Kept"), "promised", means.PROMISE_KEPT),
    ("open", N_("Open"), "", means.OPEN_CALLBACKS),
)


def _callbacks(figures: DayFigures, words: _Words) -> Section:
    found = {count.site_id: count for count in figures.callbacks}
    items = {row.site_id: row for row in by_site(figures.coverage)}
    sites: list[str | None] = list(words.reference.sites)
    sites += [site_id for site_id in items if site_id not in sites]
    rows = tuple(
        _callback_row(
            site_id or "(none)",
            words.site_name(site_id),
            found.get(site_id or "", NO_CALLBACKS),
            items.get(site_id, CoverageRow(site_id, None)),
        )
        for site_id in sites
    )
    total = _callback_row("total", _("Total"), _sum_callbacks(figures.callbacks), in_all(figures.coverage))
    heads = (*(_(head) for _field, head, _whole, _meaning in _CALLBACK_COLUMNS), _("Decided"), _("Rebooked"))
    return Section("callbacks.site", _("Callbacks by site"), heads, rows, total)


def _callback_row(key: str, label: str, count: CallbackCount, items: CoverageRow) -> Row:
    cells: list[Figure] = []
    for field, head, whole, definition in _CALLBACK_COLUMNS:
        name, number = f"{label}: {_(head)}", int(getattr(count, field))
        of = int(getattr(count, whole)) if whole else None
        cells.append(count_of("callbacks.site", f"{key}/{field}", name, number, _(definition.meaning), of=of))
    for field, definition, number in (
        ("decided", means.DECIDED, items.decided),
        ("rebooked", means.REBOOKED, items.rebooked),
    ):
        name, meaning = definition.shown()
        cells.append(count_of("callbacks.site", f"{key}/{field}", f"{label}: {name}", number, meaning))
    return Row(key, label, tuple(cells))


def _sum_callbacks(counts: Iterable[CallbackCount]) -> CallbackCount:
    total = CallbackCount(site_id="total")
    for count in counts:
        fields = {name: getattr(total, name) + number for name, number in vars(count).items() if name != "site_id"}
        total = replace(total, **fields)
    return total


def _coverage(section: str, title: str, found: Iterable[CoverageRow], words: _Words) -> Section:
    by_service_too = section == "coverage.service"
    places = {site_id: place for place, site_id in enumerate(words.reference.sites)}
    services = {service_id: place for place, service_id in enumerate(words.reference.services)}

    def place(row: CoverageRow) -> tuple[int, int]:
        return places.get(row.site_id or "", len(places)), services.get(row.service_id or 0, len(services))

    ordered = sorted(found, key=place)
    rows = tuple(
        _coverage_row(
            section,
            f"{row.site_id or '(none)'}" + (f"/{words.service_code(row)}" if by_service_too else ""),
            words.site_name(row.site_id) + (f" · {words.service_name(row)}" if by_service_too else ""),
            row,
        )
        for row in ordered
    )
    columns = (*(_(means.COVERAGE_HEADS[state]) for state in Coverage), _("total"), _("backlog"))
    total = _coverage_row(section, "total", _("Total"), add_up(None, None, ordered))
    return Section(section, title, columns, rows, total)


def _coverage_row(section: str, key: str, label: str, row: CoverageRow) -> Row:
    cells = []
    for state in Coverage:
        name, meaning = means.COVERAGE[state].shown()
        number = row.items.get(state, 0)
        cells.append(count_of(section, f"{key}/{state.value}", f"{label}: {name}", number, meaning, of=row.total))
    for field, definition, number in (("all", means.ITEMS, row.total), ("backlog", means.BACKLOG, row.backlog)):
        name, meaning = definition.shown()
        cells.append(count_of(section, f"{key}/{field}", f"{label}: {name}", number, meaning, of=row.total))
    return Row(key, label, tuple(cells))
