"""One-line strips: a left part that gives way and a right part that stays."""

from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget


class Line(Widget):
    """A line of text with something at its right end; repainted only when its words change."""

    DEFAULT_CSS = "Line { height: 1; width: 1fr; }"

    left: reactive[Content] = reactive(Content(""))
    right: reactive[Content] = reactive(Content(""))

    def __init__(self, left: Content | None = None, right: Content | None = None, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self.set_reactive(Line.left, left or Content(""))
        self.set_reactive(Line.right, right or Content(""))

    def render(self) -> Content:
        """Both parts on one line; the left one is cut where they meet."""
        width = self.size.width
        room = max(0, width - self.right.cell_length - (1 if self.right else 0))
        return self.left.truncate(room, ellipsis=True, pad=True) + (" " if self.right else "") + self.right
