"""The parts of a day, one table at a time, with a figure in focus: a line and a column."""

from dataclasses import dataclass

from textual import on
from textual.containers import Vertical
from textual.message import Message

from crisisdesk.domain.kpi import Figure
from crisisdesk.i18n import _
from crisisdesk.reports.day import DayReport, Section
from crisisdesk.reports.day import Row as ReportRow
from crisisdesk.reports.wording import show_value
from crisisdesk.ui.widgets.table import Cell, Column, DeskTable, Row

LABEL_CELLS, NARROWEST_COLUMN, WIDEST_COLUMN = 14, 6, 16


class DayParts(Vertical):
    """Shows one section of a report; posts `Focused` when another figure is in focus."""

    DEFAULT_CSS = "DayParts { height: 1fr; }"

    @dataclass
    class Focused(Message):
        """Another part or another figure."""

        title: str
        number: int
        count: int
        figure: Figure | None

    def __init__(self) -> None:
        super().__init__(id="parts")
        self._report: DayReport | None = None
        self._part, self._column = 0, 0

    @property
    def _section(self) -> Section | None:
        return self._report.sections[self._part] if self._report else None

    async def show(self, report: DayReport, *, has_focus: bool = True) -> None:
        """Show a day; part, line and column stay as they are."""
        self._report = report
        if not self.children:
            await self.mount_all([self._table(number, section) for number, section in enumerate(report.sections)])
        self._show_part(has_focus=has_focus)

    def step(self, *, parts: int = 0, columns: int = 0) -> None:
        """Go so many parts or columns on, round and round."""
        if self._report is None:
            return
        if parts:
            self._part = (self._part + parts) % len(self._report.sections)
        wide = len(self._report.sections[self._part].columns)
        self._column = 0 if parts else (self._column + columns) % wide
        self._show_part(has_focus=True)

    def focus_table(self) -> None:
        """Put the keyboard back on the table that is shown."""
        self._show_part(has_focus=True)

    def _show_part(self, *, has_focus: bool) -> None:
        if self._section is None:
            return
        for number, table in enumerate(self.query(DeskTable)):
            table.display = number == self._part
        table = self.query_one(f"#part-{self._part}", DeskTable)
        table.show([self._row(row) for row in lines_of(self._section)])
        if has_focus:
            table.focus()
        self._tell(table.current_id)

    def _table(self, number: int, section: Section) -> DeskTable:
        room = max(NARROWEST_COLUMN, (self.size.width - LABEL_CELLS) // len(section.columns) - 1)
        needed = [
            max([NARROWEST_COLUMN, len(head), *(len(_shown(row, at)) for row in section.rows)])
            for at, head in enumerate(section.columns)
        ]
        widths = [min(WIDEST_COLUMN, room, width) for width in needed]
        columns = [Column("label", "", 0)]
        columns += [Column(head, head, width, right=True) for head, width in zip(section.columns, widths, strict=True)]
        empty = _("Nothing of this kind on that day.\np and n go to the day before and after.")
        return DeskTable(columns, empty=empty, id=f"part-{number}")

    def _row(self, row: ReportRow) -> Row:
        cells = [_shown(row, at) for at in range(len(row.cells))]
        if len(cells) == 1:
            return Row(row.key, (row.label, *cells))
        marked = [Cell(text, "accent") if at == self._column else text for at, text in enumerate(cells)]
        return Row(row.key, (row.label, *marked))

    @on(DeskTable.Moved)
    def moved(self, event: DeskTable.Moved) -> None:
        """Another line, another figure."""
        event.stop()
        if event.table.id == f"part-{self._part}":
            self._tell(event.row_id)

    def _tell(self, row_id: str | None) -> None:
        if self._report is None or self._section is None:
            return
        row = next((row for row in lines_of(self._section) if row.key == row_id), None)
        figure = row.cells[self._column] if row else None
        self.post_message(self.Focused(self._section.title, self._part + 1, len(self._report.sections), figure))


def _shown(row: ReportRow, column: int) -> str:
    return str(show_value(row.cells[column]))


def lines_of(section: Section) -> tuple[ReportRow, ...]:
    """Rows of a section with the total first, where it is seen without scrolling."""
    return (section.total, *section.rows) if section.total and section.rows else section.rows
