"""Help: first the field in focus, then the screen, then every key that works, read from the bindings themselves."""

from collections.abc import Iterable, Sequence
from typing import Any, ClassVar, NamedTuple

from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Static

from crisisdesk.i18n import N_, _
from crisisdesk.ui.inert import inert
from crisisdesk.ui.keys import key_name
from crisisdesk.ui.widgets.form import Field
from crisisdesk.ui.widgets.frame import DeskScreen
from crisisdesk.ui.widgets.keybar import live_bindings


class HelpText(NamedTuple):
    """What is to be explained."""

    field: str
    """Label of the field in focus, or empty."""
    field_help: str
    screen_help: str
    keys: Sequence[tuple[str, str]]


def gather_help(screen: Screen[Any]) -> HelpText:
    """Everything that F1 can say about a screen at this moment."""
    focused = screen.focused
    label, words = "", ""
    if isinstance(focused, Field):
        label, words = focused.label, focused.help
    elif focused is not None and isinstance(getattr(focused, "HELP", None), str):
        words = _(focused.HELP) if focused.HELP else ""
    about = getattr(screen, "HELP", None)
    live = sorted(live_bindings(screen), key=lambda one: not one.binding.show)  # moving about comes last
    keys = [(key_name(one.binding.key), _(one.binding.description)) for one in live]
    for widget in screen.query("*"):
        if (more_help := getattr(widget, "more_help", None)) is not None:  # letters that are no bindings
            keys += more_help()
    return HelpText(label, words, _(about) if about else "", keys)


class HelpScreen(DeskScreen):
    """Reads the help; F3 or Esc goes back to where it was asked for."""

    HEADING = N_("Help")
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "app.back", N_("back"), show=False)]

    def __init__(self, text: HelpText) -> None:
        super().__init__()
        self._text = text

    def compose_work(self) -> Iterable[Widget]:
        """Paragraphs, then the keys in two columns of words."""
        with VerticalScroll(id="help"):
            if self._text.field:
                yield Static(inert(self._text.field, tone="bold $accent"))
            if self._text.field_help:
                yield Static(inert(self._text.field_help, 1000))
                yield Static(Content(""))
            if self._text.screen_help:
                yield Static(inert(self._text.screen_help, 2000))
                yield Static(Content(""))
            lines = [
                Content.assemble(inert(f"{key:>12}", tone="bold $accent"), "  ", inert(words))  # endings are data
                for key, words in self._text.keys
            ]
            yield Static(Content("\n").join(lines))
