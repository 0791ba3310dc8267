"""The upper part of a callback's card: the number in large digits, the person, the first words, the card and what was
said. The first words come before all else: at 80x24 they stand whole above the keys, with the days to offer below them.
"""

from collections.abc import Iterable
from dataclasses import replace

from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from crisisdesk.desk.cardinstruction import CardInstruction
from crisisdesk.desk.cards import CallbackCard
from crisisdesk.ui.inert import inert
from crisisdesk.ui.screens.callback_view import (
    card_lines,
    first_lines,
    history_lines,
    large_number,
    notes_line,
    who_lines,
)
from crisisdesk.ui.widgets.frame import DeskScreen

NUMBER_CELLS = 49
"""Room for the number in large digits at 80 columns."""


class CardPanel(Vertical):
    """The card that is open, and nothing of the one before."""

    DEFAULT_CSS = """
    CardPanel { height: 1fr; }
    CardPanel #top { height: 3; }
    CardPanel #number { width: 50; height: 3; }
    CardPanel #who { width: 1fr; height: 3; }
    CardPanel #first { height: auto; max-height: 6; }
    CardPanel #notes { height: auto; max-height: 2; }
    CardPanel #card { width: 3fr; height: 1fr; scrollbar-size-vertical: 1; }
    CardPanel #before { width: 2fr; scrollbar-size-vertical: 1; }
    """

    def __init__(self) -> None:
        super().__init__(id="panel")
        self.card: CallbackCard | None = None

    def compose(self) -> Iterable[Widget]:
        """Number and person, what is said first, what is to be known, then card and history side by side."""
        with Horizontal(id="top"):
            yield Static(id="number")
            yield Static(id="who")
        yield Static(id="first")
        yield Static(id="notes")
        with Horizontal(classes="columns"):
            with VerticalScroll(id="card", can_focus=False):
                yield Static(id="lines")
            with VerticalScroll(id="before", classes="pane", can_focus=False):
                yield Static(id="said")

    def show(self, card: CallbackCard) -> None:
        """Another card, from its first line on."""
        assert isinstance(self.screen, DeskScreen)
        session, self.card = self.screen.session, card
        large = [inert(line, tone="bold $accent") for line in large_number(card, session, NUMBER_CELLS).split("\n")]
        self.query_one("#number", Static).update(Content("\n").join(large))
        self.query_one("#who", Static).update(who_lines(card, session))
        self.query_one("#first", Static).update(first_lines(card))
        self.query_one("#first").display = card.lease is not None  # nobody is rung from a card that is only read
        notes = notes_line(card)
        self.query_one("#notes", Static).update(notes)
        self.query_one("#notes").display = bool(notes)
        self._draw()
        for name in ("#card", "#before"):
            self.query_one(name).scroll_home(animate=False)

    def instructed(self, reading: CardInstruction) -> None:
        """Another instruction is in force now."""
        if self.card is not None:
            self.card = replace(self.card, reading=reading)
            self._draw()

    def _draw(self) -> None:
        assert isinstance(self.screen, DeskScreen)
        assert self.card is not None
        self.query_one("#lines", Static).update(card_lines(self.card, self.screen.session))
        self.query_one("#said", Static).update(history_lines(self.card, self.screen.session))

    def read_on(self, pages: int) -> None:
        """Scroll both columns."""
        for name in ("#card", "#before"):
            self.query_one(name).scroll_relative(y=pages * 6, animate=False)
