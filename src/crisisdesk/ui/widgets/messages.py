"""The message line: what just happened, or one question. Never a pop-up over a field."""

from collections.abc import Callable
from enum import StrEnum

from textual import events
from textual.content import Content
from textual.widget import Widget

from crisisdesk.i18n import _
from crisisdesk.ui.inert import inert_line
from crisisdesk.ui.widgets.line import Line


class Tone(StrEnum):
    """How a message is meant; sign and words say it too, so that colour may be missing."""

    PLAIN = "plain"
    DONE = "done"
    WARN = "warn"
    """Needs a person."""


_SIGNS = {Tone.PLAIN: ("", "$text-muted"), Tone.DONE: ("✓ ", "$accent"), Tone.WARN: ("⚠ ", "bold $warning")}


MOST_ROWS = 3
"""A message that is longer takes more lines from the work, never more than these."""


class MessageLine(Line):
    """The line above the keys. While it asks, it holds the focus and only "yes" and "no" are heard.

    What does not fit on one line is wrapped: half a message is none.
    """

    HELP = ""
    _rows = 1

    def __init__(self) -> None:
        super().__init__(id="messages")
        self._then: Callable[[bool], None] | None = None
        self._back_to: Widget | None = None
        self._waiting: list[tuple[str, Callable[[bool], None]]] = []
        """Questions that came while another one waited for its answer."""

    @property
    def is_asking(self) -> bool:
        """A question waits for its answer."""
        return self._then is not None

    def watch_left(self) -> None:
        """Other words may need other room."""
        self._make_room()

    def watch_right(self) -> None:
        """The answers to a question stand on the same line, or after it."""
        self._make_room()

    def on_resize(self) -> None:
        """Another width wraps elsewhere."""
        self._make_room()

    def render(self) -> Content:
        """One line, its right part at the right; or the whole, wrapped."""
        return super().render() if self._rows == 1 else self._whole()

    def _whole(self) -> Content:
        return Content.assemble(self.left, "  ", self.right) if self.right else self.left

    def _make_room(self) -> None:
        width = self.size.width
        if not width:
            return
        fits = self.left.cell_length + self.right.cell_length + bool(self.right) <= width
        rows = 1 if fits else min(MOST_ROWS, self._whole().get_height({}, width))
        if rows != self._rows:
            self._rows = rows
            self.styles.height = rows

    def say(self, text: str, tone: Tone = Tone.PLAIN) -> None:
        """Show a message until the next one. The text may hold foreign words: it is made inert."""
        if self.is_asking:
            return
        sign, style = _SIGNS[tone]
        self.left = Content.styled(sign + inert_line(text), style)

    def ask(self, question: str, then: Callable[[bool], None]) -> None:
        """Ask in this line; ``then`` gets True for yes and False for no, and the focus goes back to where it was.

        One after the other: a yes that is being typed must not answer what has just come.
        """
        if self.is_asking:
            self._waiting.append((question, then))
            return
        self._back_to = self.screen.focused
        self._then = then
        sign, style = _SIGNS[Tone.WARN]
        self.left = Content.styled(sign + inert_line(question), style)
        self.right = Content.styled(_("[y] yes  [n] no"), "bold")
        self.can_focus = True
        self.focus(scroll_visible=False)
        self.screen.refresh_bindings()

    def on_key(self, event: events.Key) -> None:
        """Letters of both the agent's language and English; nothing else is an answer."""
        if not self.is_asking:
            return
        event.stop()
        event.prevent_default()
        letter = (event.character or "").lower()
        if letter in {"y", _("y")}:
            self._answer(True)
        elif letter == "n" or event.key == "escape":
            self._answer(False)

    def _answer(self, yes: bool) -> None:
        then, self._then = self._then, None
        self.left = self.right = Content("")
        self.screen.set_focus(self._back_to)
        self.can_focus = False
        self.screen.refresh_bindings()
        if then:
            then(yes)
        if self._waiting and not self.is_asking:
            self.ask(*self._waiting.pop(0))
