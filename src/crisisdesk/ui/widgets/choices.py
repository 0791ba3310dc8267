"""The list behind F4: what a field may hold, picked by arrows, by digit or by first letters."""

from collections.abc import Sequence
from typing import ClassVar, NamedTuple

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from crisisdesk.domain.text import fold
from crisisdesk.i18n import N_, _
from crisisdesk.ui.inert import inert
from crisisdesk.ui.widgets.table import Column, DeskTable, Row


class Choice(NamedTuple):
    """One thing that may be picked."""

    code: str
    label: str
    key: str = ""
    """A letter or digit that picks it alone."""


def find_choices(choices: Sequence[Choice], typed: str) -> list[Choice]:
    """Choices that a typed text may mean: its key or its code alone, else all whose words start with it, else contain
    it. Accents and case do not matter. Nothing typed means nothing."""
    wanted = fold(typed)
    if not wanted:
        return []
    for choice in choices:
        if wanted in {fold(choice.key), fold(choice.code), fold(choice.label)}:
            return [choice]
    starts = [choice for choice in choices if fold(choice.label).startswith(wanted)]
    return starts or [choice for choice in choices if wanted in fold(choice.label)]


class ChoiceScreen(ModalScreen[str | None]):
    """A list over the right half of the screen; the field stays in sight. Ends with the code, or None."""

    HELP = N_("Arrows or first letters move, Enter takes, Esc leaves everything as it was.")
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "take", N_("take"), priority=True),
        Binding("escape", "leave", N_("back"), priority=True),
        Binding("f4,f3", "leave", show=False, priority=True),
        Binding("tab", "next", show=False, priority=True),
    ]

    def __init__(self, title: str, choices: Sequence[Choice], current: str | None = None) -> None:
        super().__init__()
        self._title, self._choices, self._current = title, choices, current
        self._typed = ""
        self._has_keys = any(choice.key for choice in choices)
        columns = (*((Column("key", "", 3),) if self._has_keys else ()), Column("label", "", 0))
        self.table = DeskTable(columns, empty=_("Nothing to choose from."), header=False)

    def compose(self) -> ComposeResult:
        """Title, list, a line that says how."""
        with Vertical(id="choices"):
            yield Static(inert(self._title, tone="bold $accent"), id="choices-title")
            yield self.table
            yield Static(Content(_("Enter take · Esc back")), id="choices-keys")

    def on_mount(self) -> None:
        """Start at what the field holds."""
        shown = [(choice, (choice.key, choice.label)) for choice in self._choices]
        self.table.show([Row(one.code, cells if self._has_keys else cells[1:]) for one, cells in shown])
        if self._current:
            self.table.go_to(self._current)
        self.table.focus()

    def on_key(self, event: events.Key) -> None:
        """First letters move; the key of a choice takes it."""
        if event.key == "backspace":
            self._typed = self._typed[:-1]
        elif event.is_printable and event.character:
            self._typed += event.character
        else:
            return
        event.stop()
        by_key = [choice for choice in self._choices if choice.key and choice.key == self._typed]
        if by_key:
            self.dismiss(by_key[0].code)
        elif found := find_choices(self._choices, self._typed):
            self.table.go_to(found[0].code)
        else:
            self._typed = ""

    def action_take(self) -> None:
        """Take the line under the cursor."""
        self.dismiss(self.table.current_id)

    def action_leave(self) -> None:
        """Leave everything as it was."""
        self.dismiss(None)

    def action_next(self) -> None:
        """Tab moves like an arrow."""
        self.table.action_move(1)
