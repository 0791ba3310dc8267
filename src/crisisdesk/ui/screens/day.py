"""The figures of a day: totals, half hours, one part after the other, and what the figure in focus means."""

from collections.abc import Iterable
from datetime import date, timedelta
from pathlib import Path
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from crisisdesk import clock
from crisisdesk.domain.dates import read_typed_date
from crisisdesk.errors import CrisisDeskError
from crisisdesk.i18n import N_, _
from crisisdesk.reports.day import DayReport, report_of_day
from crisisdesk.reports.exports import FORMATS, export_day
from crisisdesk.reports.journal import journal_head
from crisisdesk.reports.wording import explain, show_value
from crisisdesk.ui.format import show_date, show_day, show_moment
from crisisdesk.ui.inert import inert
from crisisdesk.ui.widgets.bars import HalfHourBars
from crisisdesk.ui.widgets.dayparts import DayParts
from crisisdesk.ui.widgets.form import Field, Form
from crisisdesk.ui.widgets.frame import DeskScreen

TOTALS = ("calls", "handling_time", "callbacks.attempts", "items.backlog", "callbacks.contact_rate")
"""Figures of the summary that are always in sight, the first ones first."""


class DayScreen(DeskScreen):
    """One local day; opened on today."""

    HEADING = N_("Figures of the day")
    HELP = N_(
        "The figures of one local day. Tab shows the next part: half hours, sites, topics, agents, callbacks, "
        "coverage. Up and down choose a line, left and right a column; below stands what that figure counts and out "
        "of what. A figure that the desk cannot know is shown as not measured."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab", "step(1, 0)", N_("next part"), priority=True),
        Binding("p", "day(-1)", N_("day before")),
        Binding("n", "day(1)", N_("day after")),
        Binding("d", "choose_day", N_("date")),
        Binding("f9", "export", N_("export"), priority=True),
        Binding("f5", "again", N_("refresh"), priority=True),
        Binding("shift+tab", "step(-1, 0)", N_("part before"), priority=True, show=False),
        Binding("left", "step(0, -1)", N_("column before"), priority=True, show=False),
        Binding("right", "step(0, 1)", N_("next column"), priority=True, show=False),
        Binding("escape", "close_form", N_("close"), show=False),
    ]
    AUTO_FOCUS = ""
    DEFAULT_CSS = """
    DayScreen #totals { height: 1; }
    DayScreen #part { height: 1; }
    DayScreen #meaning { height: 3; color: $text-muted; }
    DayScreen #asked { display: none; }
    """

    def __init__(self, day: date | None = None) -> None:
        """Show ``day``, or today."""
        super().__init__()
        self._day = day
        self._report: DayReport | None = None
        self._is_asking = False

    def compose_work(self) -> Iterable[Widget]:
        """Totals, bars, one table at a time, the meaning, and a field that comes when it is needed."""
        yield Static(Content(""), id="totals")
        yield HalfHourBars(is_basic=self.session.settings.basic)
        yield Static(Content(""), id="part", classes="accent")
        self.parts = DayParts()
        yield self.parts
        yield Static(Content(""), id="meaning")
        self.form = Form(
            Field("file", _("File"), help=_("Where the figures are written; .csv, .json or .xlsx says as what.")),
            Field("date", _("Date"), width=14, help=_("A day: 31/05, 31/05/2022, -1 for yesterday.")),
            id="asked",
        )
        yield self.form

    @property
    def _today(self) -> date:
        return clock.local_day(self.session.now(), self.session.zone)

    def on_mount(self) -> None:
        """Read the day."""
        self.action_again()

    def refresh_from_store(self) -> None:
        """Figures do not move under the eye: say that there are newer ones."""
        self.read(journal_head, then=self._compare, group="head")

    def _compare(self, head: tuple[int, str]) -> None:
        if self._report and self._report.journal_head != f"{head[0]}:{head[1]}":
            self.status(_("{as_of} · newer figures: F5").format(as_of=self._as_of(self._report)))

    def _as_of(self, report: DayReport) -> str:
        if report.is_over:
            return _("the whole day, {hours} h").format(hours=report.hours)
        return _("as of {time}").format(time=show_moment(report.as_of, self.session))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """While a field asks for a file or a date, its keys come first."""
        if not super().check_action(action, parameters):
            return False
        if action == "close_form":
            return self._is_asking
        return not (self._is_asking and action in {"step", "day", "choose_day"})

    def _read(self, day: date) -> None:
        self._day = day
        self.read(
            report_of_day, day, reference=self.session.reference, language=self.session.language,
            then=self._show, group="day", hold_keys=True,
        )  # fmt: skip

    def _show(self, report: DayReport) -> None:
        self._report = report
        self.heading(_("Figures of the day · {day}").format(day=f"{show_day(report.day)}/{report.day.year}"))
        self.status(self._as_of(report))
        self.query_one("#totals", Static).update(inert(_totals(report, self.size.width)))
        half_hours = report.section("calls.half_hour").rows
        self.query_one(HalfHourBars).bars = tuple((row.label, int(row.cells[0].value or 0)) for row in half_hours)
        self.call_later(self.parts.show, report, has_focus=not self._is_asking)

    @on(DayParts.Focused)
    def explain_figure(self, event: DayParts.Focused) -> None:
        """Say what the figure in focus means."""
        words = _("{title}   part {number} of {count}")
        title = words.format(title=event.title, number=event.number, count=event.count)
        self.query_one("#part", Static).update(inert(title))
        self.query_one("#meaning", Static).update(inert(explain(event.figure) if event.figure else "", 238))

    def action_step(self, parts: int, columns: int) -> None:
        """Show another part of the day, or choose another column."""
        self.parts.step(parts=parts, columns=columns)

    def action_day(self, days: int) -> None:
        """Go to another day; not beyond today."""
        wanted = (self._day or self._today) + timedelta(days=days)
        if wanted > self._today:
            self.say(_("That day has not come yet."))
        else:
            self._read(wanted)

    def action_again(self) -> None:
        """Count again."""
        self._read(self._day or self._today)

    def action_choose_day(self) -> None:
        """Ask for a date."""
        self._ask("date", show_date(self._day))

    def action_export(self) -> None:
        """Ask where to write the figures."""
        if self._report:
            self._ask("file", str(Path.home() / f"crisisdesk-{self._report.day.isoformat()}.xlsx"))

    def _ask(self, name: str, text: str) -> None:
        for one in ("file", "date"):
            self.form[one].display = one == name
            self.form[one].disabled = one != name  # so that Enter in the shown one is Enter in the last one
        self._is_asking = self.form.display = True
        field = self.form[name]
        field.value, field.cursor_position = text, len(text)
        field.focus()
        self.refresh_bindings()

    def action_close_form(self) -> None:
        """Put the field away."""
        self._is_asking = self.form.display = False
        self.refresh_bindings()
        self.parts.focus_table()

    @on(Form.Completed, "#asked")
    def answered(self) -> None:
        """Enter in the field: go to the date, or write the file."""
        if not self.form["date"].display:
            self._export(overwrite=False)
            return
        day = read_typed_date(self.form["date"].value, self._today)
        if day is None or day > self._today:
            self.form["date"].remark(_("no date up to today"), wrong=True)
            return
        self.action_close_form()
        self._read(day)

    def _export(self, *, overwrite: bool) -> None:
        target = Path(self.form["file"].value.strip()).expanduser()
        form = target.suffix.removeprefix(".").lower()
        if form not in FORMATS:
            self.form["file"].remark(_(".csv, .json or .xlsx?"), wrong=True)
            return
        if target.exists() and not overwrite:
            question = _("Replace {path}? It exists already.").format(path=target)
            self.confirm(question, lambda: self._export(overwrite=True))
            return

        def written(count: int) -> None:
            self.action_close_form()
            self.done(_("{count} figures written to {path}").format(count=count, path=target))

        def failed(error: CrisisDeskError) -> None:
            self.warn(str(error))

        self.write(
            export_day, self._report, form=form, target=target, login=self.session.agent.login, overwrite=overwrite,
            then=written, failed=failed,
        )  # fmt: skip


def _totals(report: DayReport, width: int) -> str:
    """As many of the totals as fit on one line, whole."""
    summary = {figure.key: figure for figure in report.section("summary").figures}
    line = ""
    for key in TOTALS:
        part = f"{summary[key].label} {show_value(summary[key])}"
        longer = f"{line}   {part}" if line else part
        if len(longer) > width:
            break
        line = longer
    return line
