"""A calm list: plain cells, fixed columns, a cursor that stays on its line when others change the desk.

Drawn line by line from plain strings: nothing here reads markup, and ten thousand rows cost no more than twenty.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from textwrap import wrap
from typing import ClassVar, NamedTuple

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip

from crisisdesk.i18n import N_
from crisisdesk.ui.inert import inert_line


class Column(NamedTuple):
    """A column: cells wide, 0 for the one that takes what is left."""

    name: str
    label: str
    """Already translated."""
    width: int
    right: bool = False
    """Numbers stand to the right."""


class Cell(NamedTuple):
    """A cell with a tone: "accent", "warn" (needs a person), "muted" or "strong"; say it in words too."""

    text: str
    tone: str = ""


class Row(NamedTuple):
    """A line: what it stands for, and its cells."""

    row_id: str
    cells: Sequence[str | Cell]


class DeskTable(ScrollView, can_focus=True):
    """Rows with a cursor. Enter posts `Chosen`, moving posts `Moved`."""

    HELP = N_("A list. Arrows or j and k move, Enter opens the line.")
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "choose", N_("open the line"), show=False),
        Binding("down,j", "move(1)", N_("next line"), show=False),
        Binding("up,k", "move(-1)", N_("line before"), show=False),
        Binding("pagedown", "page(1)", N_("page down"), show=False),
        Binding("pageup", "page(-1)", N_("page up"), show=False),
        Binding("home", "move(-1000000)", N_("first line"), show=False),
        Binding("end", "move(1000000)", N_("last line"), show=False),
    ]
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "table--head", "table--cursor", "table--cursor-blurred", "table--empty", "table--accent", "table--warn",
        "table--muted", "table--strong",
    }  # fmt: skip
    DEFAULT_CSS = """
    DeskTable { height: 1fr; width: 1fr; overflow-x: hidden; overflow-y: auto; scrollbar-size-vertical: 1;
        & > .table--head { text-style: bold; color: $text-muted; }
        & > .table--cursor { text-style: reverse; }
        & > .table--cursor-blurred { text-style: bold underline; }
        & > .table--empty { color: $text-muted; }
        & > .table--accent { color: $accent; }
        & > .table--warn { color: $warning; text-style: bold; }
        & > .table--muted { color: $text-muted; }
        & > .table--strong { text-style: bold; }
    }
    """
    cursor: reactive[int] = reactive(0)

    @dataclass
    class Chosen(Message):
        """Enter on a line."""

        table: "DeskTable"
        row_id: str

        @property
        def control(self) -> "DeskTable":
            """For ``@on(DeskTable.Chosen, "#id")``."""
            return self.table

    @dataclass
    class Moved(Message):
        """The cursor is on another line now."""

        table: "DeskTable"
        row_id: str

        @property
        def control(self) -> "DeskTable":
            """For ``@on(DeskTable.Moved, "#id")``."""
            return self.table

    @dataclass
    class Filled(Message):
        """The lines were read again; `news` and `is_moved` say what became of them."""

        table: "DeskTable"

    def __init__(
        self,
        columns: Sequence[Column],
        *,
        empty: str,
        header: bool = True,
        id: str | None = None,  # noqa: A002
    ) -> None:
        """Start empty.

        Args:
            columns: from left to right; at most one of width 0.
            empty: what the list is for and which key fills it, shown while there are no rows.
            header: show the labels of the columns.
        """
        super().__init__(id=id)
        self._columns, self._empty, self._header = tuple(columns), empty, int(header)
        self._rows: list[Row] = []
        self._seen: set[str] = set()
        self.is_afresh = True
        """The next `take` shows all lines in their true order."""
        self.is_moved = False
        """The true order is another than the one that is shown."""

    def say_empty(self, words: str) -> None:
        """Say something else while there are no rows: why there are none now, and which key brings some."""
        if words != self._empty:
            self._empty = words
            self.refresh()

    @property
    def rows(self) -> Sequence[Row]:
        """The lines as they stand."""
        return self._rows

    @property
    def current_id(self) -> str | None:
        """What the cursor is on."""
        return self._rows[self.cursor].row_id if self._rows else None

    @property
    def news(self) -> int:
        """Lines that were not there when the list was last shown in its true order."""
        return len(self._rows) - sum(row.row_id in self._seen for row in self._rows)

    def afresh(self) -> None:
        """The next `take` shows all lines in their true order: another question was asked, or the agent wants it."""
        self.is_afresh = True

    def take(self, rows: Sequence[Row]) -> None:
        """Lines as they are at the desk now: as `renew`, but as `show` the first time and after `afresh`."""
        if self.is_afresh:
            self.show(rows)
        else:
            self.renew(rows)
        self.post_message(self.Filled(self))

    def show(self, rows: Sequence[Row]) -> None:
        """Replace all lines, in this order; the cursor stays on what it was on, if that is still there."""
        self.is_afresh = self.is_moved = False
        self._seen = {row.row_id for row in rows}
        self._replace(rows)
        self._keep_in_sight()

    def renew(self, rows: Sequence[Row]) -> bool:
        """Take over what others changed without moving lines under the cursor: known lines keep their place and get
        their new words, new lines come last, lost ones go, and the cursor's line stays where it is on the screen.
        True when the true order is now another (say so: F5)."""
        known = {row.row_id: row for row in rows}
        kept = [known[row.row_id] for row in self._rows if row.row_id in known]
        places = {row.row_id for row in kept}
        merged = kept + [row for row in rows if row.row_id not in places]
        if merged != self._rows:
            above = self.cursor - self.scroll_offset.y
            self._replace(merged)
            self.scroll_to(y=self.cursor - above, animate=False, force=True, immediate=True)
        self.is_moved = [row.row_id for row in merged] != [row.row_id for row in rows]
        return self.is_moved

    def _replace(self, rows: Sequence[Row]) -> None:
        here, place = self.current_id, self.cursor
        self._rows = list(rows)
        self._resized()
        where = next((n for n, row in enumerate(self._rows) if row.row_id == here), place)
        self.cursor = max(0, min(where, len(self._rows) - 1))
        self.refresh()
        if self.current_id is not None and self.current_id != here:
            self.post_message(self.Moved(self, self.current_id))

    def go_to(self, row_id: str) -> None:
        """Put the cursor on a line, if it is there."""
        for place, row in enumerate(self._rows):
            if row.row_id == row_id:
                self.action_move(place - self.cursor)

    def action_move(self, lines: int) -> None:
        """Move the cursor by so many lines."""
        place = max(0, min(self.cursor + lines, len(self._rows) - 1))
        if self._rows and place != self.cursor:
            self.cursor = place
            self._keep_in_sight()
            self.post_message(self.Moved(self, self._rows[place].row_id))

    def action_page(self, pages: int) -> None:
        """Move the cursor by pages."""
        self.action_move(pages * max(1, self.size.height - self._header - 1))

    def action_choose(self) -> None:
        """Open the line under the cursor."""
        if self.current_id is not None:
            self.post_message(self.Chosen(self, self.current_id))

    def on_resize(self, event: events.Resize) -> None:
        """The free column grows and shrinks."""
        self._resized()

    def render_line(self, y: int) -> Strip:
        """One line of the widget."""
        width = self.scrollable_content_region.width
        base = self.rich_style
        if self._header and y == 0:
            head = self.get_component_rich_style("table--head", partial=True)
            return self._strip([column.label for column in self._columns], base, head, width)
        if not self._rows:
            words = [part for line in self._empty.splitlines() for part in wrap(line, max(10, width - 2)) or [""]]
            at = y - self._header - 1
            text = words[at] if 0 <= at < len(words) else ""
            muted = base + self.get_component_rich_style("table--empty", partial=True)
            return Strip([Segment(" " + text, muted)]).adjust_cell_length(width, base)
        place = self.scroll_offset.y + y - self._header
        if not 0 <= place < len(self._rows):
            return Strip.blank(width, base)
        on_it = place == self.cursor
        name = "table--cursor" if self.has_focus else "table--cursor-blurred"
        over = self.get_component_rich_style(name, partial=True) if on_it else Style.null()
        return self._strip(self._rows[place].cells, base, over, width)

    def _strip(self, cells: Sequence[str | Cell], base: Style, over: Style, width: int) -> Strip:
        parts: list[Segment] = []
        widths = self._widths(width)
        for column, size, cell in zip(self._columns, widths, cells, strict=False):
            if size <= 0:
                continue
            text, tone = (cell, "") if isinstance(cell, str) else cell
            look = self.get_component_rich_style(f"table--{tone}", partial=True) if tone and not over.reverse else None
            style = base + look + over if look else base + over
            parts += _fitted(inert_line(text), size, column.right, style)
            parts.append(Segment(" ", base + over))
        return Strip(parts).adjust_cell_length(width, base + over)

    def _widths(self, width: int) -> list[int]:
        fixed = sum(column.width + 1 for column in self._columns if column.width)
        return [column.width or max(4, width - fixed - 1) for column in self._columns]

    def _resized(self) -> None:
        self.virtual_size = Size(self.size.width, len(self._rows) + self._header)

    def _keep_in_sight(self) -> None:
        line = Region(0, self.cursor, 1, 1 + self._header)
        self.scroll_to_region(line, animate=False, force=True, immediate=True)


def _fitted(text: str, size: int, right: bool, style: Style) -> list[Segment]:
    strip = Strip([Segment(text, style)])
    missing = size - strip.cell_length
    if missing >= 0:
        blank = Segment(" " * missing, style)
        return [blank, Segment(text, style)] if right else [Segment(text, style), blank]
    return [*strip.crop(0, size - 1).adjust_cell_length(size - 1, style), Segment("…", style)]
