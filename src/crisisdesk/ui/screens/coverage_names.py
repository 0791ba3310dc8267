"""The postponements of a group of coverage by name: whom nobody has spoken to, and what keeps each out of the queue."""

from collections.abc import Iterable
from pathlib import Path
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from crisisdesk.desk.uncovered import list_named
from crisisdesk.domain.coverage import UNCOVERED, NamedItem, NamedItems, Wanted
from crisisdesk.domain.words import Coverage
from crisisdesk.i18n import N_, _, labelled
from crisisdesk.reports import definitions as means
from crisisdesk.reports.coverage import CoverageReport, report_of_coverage
from crisisdesk.reports.coveragefiles import export_coverage
from crisisdesk.ui.format import show_date, show_day
from crisisdesk.ui.inert import inert
from crisisdesk.ui.widgets.form import Form
from crisisdesk.ui.widgets.frame import DeskScreen
from crisisdesk.ui.widgets.saveform import SaveForm
from crisisdesk.ui.widgets.storescreen import TRUE_ORDER
from crisisdesk.ui.widgets.table import Cell, Column, DeskTable, Row

LINES = 2000
"""Lines that are read at most; the export holds all."""


class CoverageNamesScreen(DeskScreen):
    """Names of one group."""

    HEADING = N_("Coverage, by name")
    HELP = N_(
        "The patients of one group whom nobody has spoken to, the oldest original date first, each with what keeps the "
        "callback out of the queue now. Enter opens the patient's file; o opens the card of the callback. t shows all "
        "of the group, however far they have come."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("o", "card", N_("callback")),
        Binding("t", "all", N_("all / not spoken to")),
        Binding("e", "export", N_("export")),
        Binding("escape", "leave_form", N_("close"), show=False, priority=True),
        TRUE_ORDER,
    ]
    DEFAULT_CSS = """
    CoverageNamesScreen #names { height: 1fr; min-height: 6; }
    CoverageNamesScreen #words { height: 3; }
    """

    def __init__(self, wanted: Wanted, title: str) -> None:
        """Show the names of one group, or of a whole site."""
        super().__init__()
        self._wanted, self._title = wanted, title
        self._states: tuple[Coverage, ...] = UNCOVERED
        self._items: dict[str, NamedItem] = {}

    def compose_work(self) -> Iterable[Widget]:
        """The names, and the words of the marked one."""
        columns = (
            Column("patient", _("Patient"), 20), Column("about", _("What was put off"), 0),
            Column("day", _("Was on"), 10), Column("code", _("Code"), 4), Column("far", _("How far"), 9),
            Column("why", _("Why not now"), 21),
        )  # fmt: skip
        yield DeskTable(columns, empty=_("Everybody here was spoken to. t: all of them."), id="names")
        yield Static(Content(""), id="words")
        self.save = SaveForm(("xlsx", "csv", "json"))
        yield self.save

    def on_mount(self) -> None:
        """Read them."""
        self.heading(_("Coverage, by name · {group}").format(group=self._title or _("all sites")))
        self.read_afresh()

    def refresh_from_store(self) -> None:
        """What others changed."""
        self.read(list_named, self._wanted, self._states, limit=LINES, group="names", then=self._show)

    def _show(self, found: NamedItems) -> None:
        self._items = {str(item.postponement_id): item for item in found.items}
        self.query_one("#names", DeskTable).take([self._row(item) for item in found.items])
        shown = _("all") if self._states != UNCOVERED else _("not spoken to")
        hidden = found.count - len(found.items)
        words = [labelled(shown, found.count), _("{count} hidden: export").format(count=hidden) if hidden else ""]
        self.status(" · ".join(word for word in words if word))
        self.moved()

    def _row(self, item: NamedItem) -> Row:
        tone = "warn" if item.coverage is Coverage.NEVER_TRIED and item.is_owed else ""
        far = _(means.COVERAGE_HEADS[item.coverage])
        why = Cell(item.why_not, "muted") if item.why_not else Cell(_("may be rung now"), "accent")
        day = show_day(item.original_on) or _("no date")
        return Row(
            str(item.postponement_id), (item.patient, item.about, day, item.priority or "·", Cell(far, tone), why)
        )

    def _current(self) -> NamedItem | None:
        return self._items.get(self.query_one("#names", DeskTable).current_id or "")

    @on(DeskTable.Moved, "#names")
    def moved(self) -> None:
        """What keeps the marked one out, whole."""
        item, words = self._current(), self.query_one("#words", Static)
        if item is None:
            words.update(Content(""))
            return
        now = item.why_not or _("may be rung now")
        place = " · ".join(text for text in (self.session.site_name(item.site_id), item.about) if text)
        born = show_date(item.birth_on) or _("birth date not known")
        words.update(
            Content.assemble(
                (_("Now  "), "$text-muted"), inert(now, tone="bold $warning" if item.why_not else "bold $accent"), "\n",
                inert(f"{item.patient} {born} · {place}", tone="$text-muted"),
            )
        )  # fmt: skip

    @on(DeskTable.Chosen, "#names")
    def open_patient(self) -> None:
        """Enter: the file of the patient."""
        if (item := self._current()) is not None:
            self.desk_app.go("patient", patient_id=item.patient_id)

    def action_card(self) -> None:
        """The card of the open callback."""
        item = self._current()
        if item is not None and item.callback_id:
            self.desk_app.go("callback", callback_id=item.callback_id)
        elif item is not None:
            self.warn(_("No open callback holds it."))

    def action_all(self) -> None:
        """All of the group, or only those nobody has spoken to."""
        self._states = tuple(Coverage) if self._states == UNCOVERED else UNCOVERED
        self.read_afresh()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """While a field asks for a file, its keys come first."""
        if not super().check_action(action, parameters):
            return False
        if action == "leave_form":
            return self.save.is_asking
        return not (self.save.is_asking and action in {"card", "all", "export"})

    def action_export(self) -> None:
        """Ask where to write the names."""
        self.save.ask("crisisdesk-coverage-names")
        self.refresh_bindings()

    def action_leave_form(self) -> None:
        """Put the field away."""
        self.save.put_away()
        self.query_one("#names").focus()
        self.refresh_bindings()

    @on(Form.Completed, "#save")
    def save_file(self) -> None:
        """Enter in the field: count again, and write all names to the file."""
        if answer := self.save.answer():
            self._export(*answer, overwrite=False)

    def _export(self, form: str, target: Path, *, overwrite: bool) -> None:
        if target.exists() and not overwrite:
            question = _("Replace {path}? It exists already.").format(path=target)
            self.confirm(question, lambda: self._export(form, target, overwrite=True))
            return

        def written(count: int) -> None:
            self.action_leave_form()
            self.done(_("{count} lines written to {path}").format(count=count, path=target))

        def named(report: CoverageReport, found: NamedItems) -> None:
            self.write(
                export_coverage, report, form=form, target=target, login=self.session.agent.login, names=found.items,
                overwrite=overwrite, then=written, failed=lambda error: self.warn(str(error)),
            )  # fmt: skip

        def counted(report: CoverageReport) -> None:
            self.read(
                list_named, self._wanted, self._states, limit=None, group="export", hold_keys=True,
                then=lambda found: named(report, found),
            )  # fmt: skip

        self.read(
            report_of_coverage, self._wanted, reference=self.session.reference, then=counted, group="export",
            hold_keys=True,
        )  # fmt: skip
