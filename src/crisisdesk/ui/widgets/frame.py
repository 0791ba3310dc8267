"""The frame of every screen: title line, heading, the work, one message line, one line of keys."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widget import Widget

from crisisdesk.desk.roomwords import ROLE_WORDS
from crisisdesk.i18n import _, ngettext
from crisisdesk.ui.format import show_time
from crisisdesk.ui.inert import inert
from crisisdesk.ui.start import SMALLEST
from crisisdesk.ui.widgets.keybar import KeyBar
from crisisdesk.ui.widgets.line import Line
from crisisdesk.ui.widgets.storescreen import StoreScreen
from crisisdesk.ui.widgets.table import DeskTable

if TYPE_CHECKING:
    from crisisdesk.ui.app import CrisisDeskApp


class TitleLine(Line):
    """Where am I, who am I, what time is it, to the minute: an idle screen writes nothing else."""

    def __init__(self) -> None:
        super().__init__(id="title")

    def on_mount(self) -> None:
        """Show it now and at each full minute."""
        self._tick()

    def on_resize(self) -> None:
        """A window that has become too small is told so; nothing typed is lost by it."""
        if self.app.size.width < SMALLEST[0] and isinstance(self.screen, DeskScreen):
            self.screen.warn(_("Enlarge the window: 80x24"))

    def show(self) -> None:
        """Who, what the agent is doing since how many minutes, and the time."""
        app: CrisisDeskApp = self.app  # type: ignore[assignment]
        session = app.session
        now, agent = session.now(), session.agent
        desk = Content.assemble(("CrisisDesk", "bold $accent"), " · ", inert(session.reference.desk.name, 60))
        self.left = desk
        role = _(ROLE_WORDS[agent.role])
        doing = app.presence.words(now)
        self.right = Content.assemble(
            inert(agent.name, 24), " · ", role, *((" · ", (doing, "bold")) if doing else ()), "   ",
            Content.styled(show_time(now, session), "bold"),
        )  # fmt: skip

    def _tick(self) -> None:
        self.show()
        now = self.app.session.now()  # type: ignore[attr-defined]
        self.set_timer(60.05 - now.second - now.microsecond / 1e6, self._tick)


class HeadingLine(Line):
    """Where am I; at its right end what there is to know of the list. A notice takes the place of the words."""

    def __init__(self, words: str) -> None:
        super().__init__(id="heading")
        self._words = Content(words)
        self._notice: Content | None = None
        self._status = self._mark = ""
        self._show()

    def say(self, words: Content) -> None:
        """Other words."""
        self._words = words
        self._show()

    def show_notice(self, notice: Content | None) -> None:
        """A notice stands in place of the words until it is read; nothing moves. None: the words again."""
        self._notice = notice
        self._show()

    def show_status(self, text: str) -> None:
        """The right end."""
        self._status = text
        self._show()

    def mark(self, text: str) -> None:
        """What is new in the lists, before the status."""
        self._mark = text
        self._show()

    @property
    def room(self) -> int:
        """Cells for the words, or for a notice in their place."""
        return self.size.width - self.right.cell_length - bool(self.right)

    def _show(self) -> None:
        self.left = self._words if self._notice is None else self._notice
        parts = [inert(self._mark, tone="bold $accent")] if self._mark else []
        parts += [inert(self._status)] if self._status else []
        self.right = Content(" · ").join(parts)


def news_words(tables: Iterable[DeskTable]) -> str:
    """What others changed in the lists that are shown, since they were last shown in their true order."""
    shown = [table for table in tables if table.display]
    news = sum(table.news for table in shown)
    words = [ngettext("{count} new", "{count} new", news).format(count=news)] if news else []
    words += [_("order changed: F5")] if any(table.is_moved for table in shown) else []
    return " · ".join(words)


class DeskScreen(StoreScreen):
    """Base of all screens. Give it `HEADING`, `HELP`, `BINDINGS` and `compose_work`; see `screens/home.py`."""

    HEADING: ClassVar[str] = ""
    """Words of the second line, through N_."""
    HELP: ClassVar[str | None] = ""
    """A paragraph for F1, through N_."""

    def __init__(self) -> None:
        super().__init__()
        self.heading_line = HeadingLine(_(self.HEADING) if self.HEADING else "")
        self.parting_words = ""
        """What the screen behind this one says when this one is left; empty: nothing."""

    def compose(self) -> ComposeResult:
        """The frame around `compose_work`."""
        yield TitleLine()
        yield self.heading_line
        with Vertical(id="work"):
            yield from self.compose_work()
        yield self.messages
        yield KeyBar()

    def compose_work(self) -> Iterable[Widget]:
        """The widgets between heading and message line."""
        return ()

    def heading(self, text: str) -> None:
        """Replace the words of the heading; foreign words are made inert."""
        self.heading_line.say(inert(text))

    def status(self, text: str) -> None:
        """The right end of the heading: "draft saved 14:32:05"."""
        self.heading_line.show_status(text)

    def on_desk_table_filled(self, event: DeskTable.Filled) -> None:
        """A list was read again: say what is new in it."""
        event.stop()
        self.heading_line.mark(news_words(self.query(DeskTable)))

    def on_screen_resume(self) -> None:
        """Back in front: things may have changed meanwhile."""
        self.heading_line.show_notice(self.desk_app.board.content())
        for title in self.query(TitleLine):
            title.show()
        if self.is_mounted:
            self.refresh_from_store()
