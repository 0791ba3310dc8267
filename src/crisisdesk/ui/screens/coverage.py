"""Coverage: how far the postponements of each site, care type and week have come; which weeks are an alarm, and who."""

from collections.abc import Iterable
from pathlib import Path
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from crisisdesk.domain.coverage import Standing, Wanted
from crisisdesk.domain.words import Coverage
from crisisdesk.i18n import N_, _
from crisisdesk.reports import definitions as means
from crisisdesk.reports.coverage import CoverageLine, CoverageReport, report_of_coverage
from crisisdesk.reports.coveragefiles import as_of_words, export_coverage
from crisisdesk.reports.journal import journal_head
from crisisdesk.reports.wording import explain, show_value
from crisisdesk.ui.inert import inert
from crisisdesk.ui.screens.coverage_names import CoverageNamesScreen
from crisisdesk.ui.widgets.form import Form
from crisisdesk.ui.widgets.frame import DeskScreen
from crisisdesk.ui.widgets.saveform import SaveForm
from crisisdesk.ui.widgets.table import Cell, Column, DeskTable, Row

TONES = {Standing.ALARM: "warn", Standing.COVERED: "accent", Standing.TO_COME: "muted", Standing.NOTHING_DUE: "muted"}
SIGNS = {Standing.ALARM: "⚠ ", Standing.COVERED: "✓ "}
TOTAL = "total"
BAR, WIDE = 30, 100
WIDTHS = dict(zip(Coverage, (6, 6, 5, 6, 6, 4), strict=True))


class CoverageScreen(DeskScreen):
    """Groups of postponements, one a line."""

    HEADING = N_("Coverage")
    HELP = N_(
        "Each line is a site, a care type and a week of the original date. Every postponement is counted once, in the "
        "furthest class that is proved: never tried, tried, reached, decided, rebooked, done. Where too few were rung "
        "at least once the week is an alarm. Enter names the patients of a line, and says what keeps each of them out "
        "of the queue now. Weeks that have not begun are not measured."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("a", "alarms", N_("alarms only")),
        Binding("e", "export", N_("export")),
        Binding("f5", "again", N_("refresh"), priority=True),
        Binding("escape", "leave_form", N_("close"), show=False, priority=True),
    ]
    DEFAULT_CSS = """
    CoverageScreen #groups { height: 1fr; min-height: 6; }
    CoverageScreen #bar { height: 1; }
    CoverageScreen #meaning { height: auto; max-height: 5; color: $text-muted; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._report: CoverageReport | None = None
        self._lines: dict[str, CoverageLine] = {}
        self._alarms_only = False

    def compose_work(self) -> Iterable[Widget]:
        """The groups, the bar of the marked one, what its figure means."""
        columns = (
            Column("group", _("Site, care type"), 0), Column("week", _("Week"), 9),
            *(Column(state.value, _(means.COVERAGE_HEADS[state]), WIDTHS[state], right=True) for state in Coverage),
            Column("share", _("Share"), 7, right=True), Column("standing", "", 9),
        )  # fmt: skip
        empty = _("No postponement here. A list brings them (l); F6 shows another site, a all weeks.")
        yield DeskTable(columns, empty=empty, id="groups")
        yield Static(Content(""), id="bar")
        yield Static(Content(""), id="meaning")
        self.save = SaveForm(("xlsx", "csv", "json"))
        yield self.save

    def on_mount(self) -> None:
        """Count."""
        self.site_changed()

    def site_changed(self) -> None:
        """Another site, or all."""
        where = self.session.site_name(self.site) or _("all sites")
        self.heading(_("Coverage · {site}").format(site=where))
        self._read(hold_keys=True)

    def refresh_from_store(self) -> None:
        """Figures do not move under the eye: say that something has happened since they were counted."""

        def compare(head: tuple[int, str]) -> None:
            if self._report is not None and self._report.journal_head != f"{head[0]}:{head[1]}":
                self.status(_("{words} · newer figures: F5").format(words=_status_words(self._report)))

        self.read(journal_head, then=compare, group="head")

    def action_again(self) -> None:
        """Count again."""
        self._read(hold_keys=True)

    def action_alarms(self) -> None:
        """Only the weeks that are an alarm, or all."""
        self._alarms_only = not self._alarms_only
        self._read(hold_keys=True)

    def _read(self, *, hold_keys: bool) -> None:
        self.read(
            report_of_coverage, Wanted(self.site), reference=self.session.reference, alarms_only=self._alarms_only,
            then=self._show, group="coverage", hold_keys=hold_keys,
        )  # fmt: skip

    def _show(self, report: CoverageReport) -> None:
        self._report = report
        self._lines = {line.figure.key: line for line in (*report.lines, report.total)}
        table = self.query_one("#groups", DeskTable)
        nothing = _("No week is an alarm. a: all weeks.") if self._alarms_only and not report.lines else ""
        if nothing:
            table.say_empty(nothing)
        shown = [*report.lines, report.total] if report.lines else []
        table.show([self._row(line) for line in shown])
        self.status(_status_words(report))
        self.moved()

    def _row(self, line: CoverageLine) -> Row:
        site = line.site if self.size.width >= WIDE else line.site[:6].rstrip(" -")
        name = line.kind if self.site else f"{site} {line.kind}"
        name = line.site if line is self._total else name
        tone, sign = TONES[line.standing], SIGNS.get(line.standing, "")
        counts = [str(line.group.items.get(state) or "·") for state in Coverage]
        share = str(show_value(line.figure)) if line.figure.is_measured else "-"
        return Row(line.figure.key, (
            name, line.week, *counts, Cell(share, tone), Cell(sign + _(means.STANDINGS[line.standing]), tone),
        ))  # fmt: skip

    @property
    def _total(self) -> CoverageLine | None:
        return self._report.total if self._report else None

    @on(DeskTable.Moved, "#groups")
    def moved(self) -> None:
        """What the marked line counts, and out of what."""
        line = self._lines.get(self.query_one("#groups", DeskTable).current_id or "")
        bar, meaning = self.query_one("#bar", Static), self.query_one("#meaning", Static)
        if line is None or self._report is None:
            bar.update(Content(""))
            meaning.update(Content(""))
            return
        group = line.group
        facts = _("all {total} · still owed {owed} · handed over {handed} · died {dead}").format(
            total=group.total, owed=group.owed, handed=group.handed_over, dead=group.dead
        )
        bar.update(Content.assemble(self._bar(line), "  ", inert(facts)))
        meaning.update(inert(f"{explain(line.figure)} ({as_of_words(self._report)})", 400))

    def _bar(self, line: CoverageLine) -> Content:
        full, rest = ("#", ".") if self.session.settings.basic else ("█", "░")
        filled = round(BAR * line.figure.value) if line.figure.value is not None else 0
        tone = "$warning" if line.standing is Standing.ALARM else "$accent"
        return Content.assemble((full * filled, tone), (rest * (BAR - filled), "$text-muted"))

    @on(DeskTable.Chosen, "#groups")
    def open_names(self, event: DeskTable.Chosen) -> None:
        """Enter: the patients of the line, by name."""
        line = self._lines.get(event.row_id)
        if line is None:
            return
        if line is self._total:
            self.app.push_screen(CoverageNamesScreen(Wanted(self.site), self.session.site_name(self.site)))
            return
        title = " · ".join(text for text in (line.site, line.kind, line.week) if text)
        self.app.push_screen(CoverageNamesScreen(line.group.wanted, title))

    # Export.

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """While a field asks for a file, its keys come first."""
        if not super().check_action(action, parameters):
            return False
        if action == "leave_form":
            return self.save.is_asking
        return not (self.save.is_asking and action in {"alarms", "export"})

    def action_export(self) -> None:
        """Ask where to write the figures."""
        if self._report:
            self.save.ask(f"crisisdesk-coverage-{self._report.as_of:%Y-%m-%d}")
            self.refresh_bindings()

    def action_leave_form(self) -> None:
        """Put the field away."""
        self.save.put_away()
        self.query_one("#groups").focus()
        self.refresh_bindings()

    @on(Form.Completed, "#save")
    def save_file(self) -> None:
        """Enter in the field: write the file."""
        if answer := self.save.answer():
            self._export(*answer, overwrite=False)

    def _export(self, form: str, target: Path, *, overwrite: bool) -> None:
        if target.exists() and not overwrite:
            question = _("Replace {path}? It exists already.").format(path=target)
            self.confirm(question, lambda: self._export(form, target, overwrite=True))
            return
        assert self._report

        def written(count: int) -> None:
            self.action_leave_form()
            self.done(_("{count} lines written to {path}").format(count=count, path=target))

        self.write(
            export_coverage, self._report, form=form, target=target, login=self.session.agent.login,
            overwrite=overwrite, then=written, failed=lambda error: self.warn(str(error)),
        )  # fmt: skip


def _status_words(report: CoverageReport) -> str:
    words = [_("alarms: {count}").format(count=report.alarms)]
    words += [_("weeks hidden: {count} (a)").format(count=report.hidden)] if report.hidden else []
    return " · ".join(words)
