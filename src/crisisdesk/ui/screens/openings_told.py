"""Who was told what at a service: those whose day no longer holds first, with what they were told since."""

from collections.abc import Iterable, Sequence
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.widget import Widget
from textual.widgets import Static

from crisisdesk.desk.telling import ToldLine, list_told
from crisisdesk.i18n import N_, _
from crisisdesk.ui.format import show_date, show_day, show_moment
from crisisdesk.ui.inert import inert
from crisisdesk.ui.widgets.frame import DeskScreen
from crisisdesk.ui.widgets.storescreen import TRUE_ORDER
from crisisdesk.ui.widgets.table import Cell, Column, DeskTable, Row


class ToldScreen(DeskScreen):
    """Promises of days at one service, and what holds now."""

    HEADING = N_("Who was told what")
    HELP = N_(
        "Everybody who was told a day at this service. Those whose day no longer holds stand first: what they were "
        "told, why it was taken back, and what holds now: another day, or to be rung. Enter opens the patient."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("a", "all", N_("all / only days taken back")),
        Binding("escape", "app.back", N_("back"), priority=True),
        TRUE_ORDER,
    ]
    DEFAULT_CSS = """
    ToldScreen #told { height: 1fr; min-height: 5; }
    ToldScreen #about { height: auto; max-height: 4; }
    """

    def __init__(self, service_id: int, title: str) -> None:
        super().__init__()
        self._service_id, self._title = service_id, title
        self._lines: dict[str, ToldLine] = {}
        self._found: Sequence[ToldLine] = ()
        self._only_lost = False

    def compose_work(self) -> Iterable[Widget]:
        """The list, and the marked line in full."""
        columns = (
            Column("patient", _("Patient"), 0), Column("told", _("Day told"), 10), Column("why", _("Taken back"), 19),
            Column("now", _("Now"), 13), Column("number", _("Number"), 15),
        )  # fmt: skip
        yield DeskTable(columns, empty=_("Nobody was told a day at this service yet."), id="told")
        yield Static(id="about")

    def on_mount(self) -> None:
        """Read them."""
        self.heading(self._title)
        self.read_afresh()

    def refresh_from_store(self) -> None:
        """What others told since."""
        self.read(list_told, self._service_id, then=self._show, group="told")

    def _show(self, found: Sequence[ToldLine]) -> None:
        self._found = found
        lost = [line for line in found if line.why]
        owed = sum(line.is_owed_a_call for line in lost)
        self.status(_("{lost} taken back, {owed} to be rung").format(lost=len(lost), owed=owed))
        shown = lost if self._only_lost else found
        self._lines = {str(line.booking_id): line for line in shown}
        self.query_one("#told", DeskTable).take([self._row(line) for line in shown])
        self._about()

    def _row(self, line: ToldLine) -> Row:
        tone = "warn" if line.is_owed_a_call else "muted" if not line.why else ""
        told = show_day(line.told_on)
        return Row(str(line.booking_id), (line.patient, told, line.why, Cell(line.now, tone), line.number))

    @on(DeskTable.Moved, "#told")
    def moved(self) -> None:
        """Another line in full."""
        self._about()

    def _about(self) -> None:
        line = self._current()
        if line is None:
            self.query_one("#about", Static).update(inert(""))
            return
        session = self.session
        words = _("{procedure} of {original}: told {told} by {name}, {moment}").format(
            procedure=line.procedure or _("appointment"), original=show_date(line.original_on) or "?",
            told=show_day(line.told_on), name=line.told_by, moment=show_moment(line.told_at, session),
        )  # fmt: skip
        if line.why:
            words += " · " + _("taken back {moment} by {name}: {why}").format(
                moment=show_moment(line.withdrawn_at, session), name=line.withdrawn_by or "CrisisDesk", why=line.why
            )
        self.query_one("#about", Static).update(inert(words, 300))

    def _current(self) -> ToldLine | None:
        return self._lines.get(self.query_one("#told", DeskTable).current_id or "")

    def action_all(self) -> None:
        """Everybody, or only those whose day no longer holds."""
        self._only_lost = not self._only_lost
        self.query_one("#told", DeskTable).afresh()
        self._show(self._found)

    @on(DeskTable.Chosen, "#told")
    def open_patient(self) -> None:
        """Everything about the patient of the line."""
        if (line := self._current()) is not None:
            self.desk_app.go("patient", line.patient_id)
