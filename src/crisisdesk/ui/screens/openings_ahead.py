"""What follows from a change of a service, before it is stored; and the forecast of a service, line by line."""

from collections.abc import Callable, Iterable, Sequence
from typing import ClassVar
from uuid import uuid4

from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from crisisdesk.desk.openingpreview import OpeningPreview, offered_words, told_again_words
from crisisdesk.desk.wording import long_day
from crisisdesk.errors import CrisisDeskError, StoreUnavailable
from crisisdesk.i18n import N_, _
from crisisdesk.ui.inert import inert
from crisisdesk.ui.widgets.frame import DeskScreen
from crisisdesk.ui.widgets.storescreen import tell

LONGEST = 400


class LinesScreen(DeskScreen):
    """Sentences one below the other, wrapped, to be read on with the arrows."""

    HEADING = N_("Forecast")
    HELP = N_(
        "When the queue of this service will be empty: a range of days, what decides it, what one more room or one "
        "more agent changes. Below stands everything that it rests on, with the counts behind each share; what could "
        "not be measured yet is marked as assumed."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "app.back", N_("back"), priority=True),
        Binding("pagedown,down", "read_on(1)", N_("read on"), priority=True),
        Binding("pageup,up", "read_on(-1)", N_("page up"), show=False, priority=True),
    ]
    DEFAULT_CSS = """
    LinesScreen #lines { height: 1fr; }
    LinesScreen #text { height: auto; }
    """

    def __init__(self, title: str, lines: Sequence[Content]) -> None:
        super().__init__()
        self._title, self._lines = title, lines

    def compose_work(self) -> Iterable[Widget]:
        """The lines."""
        with VerticalScroll(id="lines", can_focus=False):
            yield Static(Content("\n").join(self._lines), id="text")

    def on_mount(self) -> None:
        """Say which service it is."""
        self.heading(self._title)

    def action_read_on(self, pages: int) -> None:
        """Scroll."""
        self.query_one("#lines").scroll_relative(y=pages * 6, animate=False)


class AheadScreen(LinesScreen, inherit_bindings=False):
    """What would follow, with the one question: store it?"""

    HEADING = N_("What follows")
    HELP = N_(
        "Nothing is stored yet. You see how many callbacks are released, the first ten with why they come first and "
        "the days they will be offered, who stays and why, and who was told a day that then no longer holds. "
        "y stores it, Esc goes back to the form."
    )
    AFTER_LOST_ANSWER = "close"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y,o", "store", N_("yes, store it"), key_display="y/o", priority=True),
        Binding("n,escape", "app.back", N_("no, back to the form"), priority=True),
        Binding("pagedown,down", "read_on(1)", N_("read on"), priority=True),
        Binding("pageup,up", "read_on(-1)", N_("page up"), show=False, priority=True),
    ]

    def __init__(
        self, title: str, lines: Sequence[Content], question: str, store: Callable[["AheadScreen"], None]
    ) -> None:
        """Show the lines and ask.

        Args:
            store: called with this screen once the answer is yes; it writes, and closes the screen when it has landed.
        """
        super().__init__(title, lines)
        self._question, self._store = question, store
        self._is_storing = False
        self.wish = uuid4().hex
        """Id of what is asked: tried again, it is stored once."""

    def on_mount(self) -> None:
        """Ask."""
        super().on_mount()
        self.warn(self._question)

    def action_store(self) -> None:
        """Store it, once."""
        if not self._is_storing:
            self._is_storing = True
            self._store(self)

    def close(self) -> None:
        """It had been stored when it was asked for the first time: the screen behind shows what holds now."""
        self.app.pop_screen()

    def refused(self, error: CrisisDeskError) -> None:
        """Nothing was stored: say why, in full, where it can be read."""
        self._is_storing = False
        if isinstance(error, StoreUnavailable):
            tell(self, error, self.action_store)
            return
        self.query_one("#text", Static).update(inert(str(error), LONGEST, tone="bold $warning"))
        self.warn(_("Nothing was stored. Esc goes back to the form."))


def preview_lines(seen: OpeningPreview) -> list[Content]:
    """What an opening does: how many, who first, why and on which days, who stays, who must be told again, by when."""
    head = _("{count} callbacks released; {staying} stay.").format(count=seen.released, staying=seen.staying)
    lines = [inert(head, tone="bold $accent")]
    lines += [inert(note, LONGEST, tone="$accent") for note in seen.notes]
    lines += [inert(told_again_words(one), tone="bold $warning") for one in seen.withdrawn]
    for place, one in enumerate(seen.first, 1):
        lines.append(inert(f"{place:>2} {one.name} · {one.why}{offered_words(one)}"))
    for reason in seen.stay_reasons:
        lines.append(inert(_("stays: {reason}").format(reason=reason), tone="$text-muted"))
    if seen.empty_on:
        lines.append(inert(_("The whole backlog has a place by {day}.").format(day=long_day(seen.empty_on))))
    return lines


def forecast_content(sentences: Sequence[str]) -> list[Content]:
    """A forecast: its first sentence stands out."""
    return [
        inert(sentence, LONGEST, tone="bold $accent" if place == 0 else "") for place, sentence in enumerate(sentences)
    ]
