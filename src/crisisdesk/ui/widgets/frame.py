"""The frame of every screen: title line, heading, the work, one message line, one line of keys."""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, ClassVar, TypeVar, cast
from uuid import uuid4

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.screen import Screen
from textual.widget import Widget

from crisisdesk.errors import AlreadyStored, CrisisDeskError, StoreUnavailable
from crisisdesk.i18n import N_, _
from crisisdesk.ui.backend import Backend, Wish
from crisisdesk.ui.format import show_time
from crisisdesk.ui.inert import inert, inert_line
from crisisdesk.ui.session import Session
from crisisdesk.ui.start import SMALLEST
from crisisdesk.ui.widgets.keybar import KeyBar
from crisisdesk.ui.widgets.line import Line
from crisisdesk.ui.widgets.messages import MessageLine, Tone

if TYPE_CHECKING:
    from textual.worker import WorkType

    from crisisdesk.ui.app import CrisisDeskApp

Result = TypeVar("Result")
ROLE_NAMES = {"agent": N_("agent"), "supervisor": N_("supervisor"), "auditor": N_("auditor"), "admin": N_("admin")}


class StoreChanged(Message):
    """Somebody wrote to the desk (this screen too, perhaps). Sent to the screen in front, at most twice a second."""

    def can_replace(self, message: Message) -> bool:
        """One is enough."""
        return isinstance(message, StoreChanged)


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
        role = _(ROLE_NAMES.get(str(agent.role), str(agent.role)))
        doing = app.presence.words(now)
        self.right = Content.assemble(
            inert(agent.name, 24), " · ", role, *((" · ", (doing, "bold")) if doing else ()), "   ",
            Content.styled(show_time(now, session), "bold"),
        )  # fmt: skip

    def _tick(self) -> None:
        self.show()
        now = self.app.session.now()  # type: ignore[attr-defined]
        self.set_timer(60.05 - now.second - now.microsecond / 1e6, self._tick)


def tell(screen: "DeskScreen", error: CrisisDeskError, again: Callable[[], None]) -> None:
    """Show a failed write on a screen; where the desk's file is at fault, offer to try the same write again."""
    if isinstance(error, StoreUnavailable):
        screen.confirm(_("{why} Try again?").format(why=inert_line(error, 120)), again)
    else:
        screen.warn(str(error))


def tell_stored(screen: "DeskScreen", words: str) -> None:
    """A write that was tried again had been stored the first time: show what stands there now, and say so."""
    getattr(screen, screen.AFTER_LOST_ANSWER)()
    screen.desk_app.front.done(words)


class DeskScreen(Screen[None]):
    """Base of all screens. Give it `HEADING`, `HELP`, `BINDINGS` and `compose_work`; see `screens/home.py`."""

    HEADING: ClassVar[str] = ""
    """Words of the second line, through N_."""
    HELP: ClassVar[str | None] = ""
    """A paragraph for F1, through N_."""
    AFTER_LOST_ANSWER: ClassVar[str] = "refresh_from_store"
    """Which method shows what stands there after `tell_stored`."""

    def __init__(self) -> None:
        super().__init__()
        self._heading = Content(_(self.HEADING) if self.HEADING else "")
        self.heading_line = Line(self._heading, id="heading")
        self._notice: Content | None = None
        self.messages = MessageLine()
        self._awaited: set[str] = set()
        """Groups of reads for whose result typed keys wait."""
        self._unanswered: set[str] = set()
        """Wishes of which nobody knows whether they were stored."""
        self.parting_words = ""
        """What the screen behind this one says when this one is left; empty: nothing."""

    @property
    def desk_app(self) -> "CrisisDeskApp":
        """The application, by its own type."""
        return self.app  # type: ignore[return-value]

    @property
    def session(self) -> Session:
        """Who, which desk, which language, what time it is."""
        return self.desk_app.session

    @property
    def backend(self) -> Backend:
        """The door to the desk's file, for workers of a screen's own; `read` and `write` below mostly do."""
        return self.desk_app.backend

    @property
    def site(self) -> str | None:
        """The site the agent works for at present; None: all."""
        return self.desk_app.site

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
        self._heading = inert(text)
        self._show_heading()

    def show_notice(self, notice: Content | None) -> None:
        """A notice stands in place of the heading until it is read; nothing moves. None: the heading again."""
        self._notice = notice
        self._show_heading()

    def _show_heading(self) -> None:
        self.heading_line.left = self._heading if self._notice is None else self._notice

    @property
    def heading_room(self) -> int:
        """Cells for the heading, or for a notice in its place."""
        line = self.heading_line
        return line.size.width - line.right.cell_length - bool(line.right)

    def status(self, text: str) -> None:
        """The right end of the heading: "draft saved 14:32:05"."""
        self.heading_line.right = inert(text)

    def say(self, text: str, tone: Tone = Tone.PLAIN) -> None:
        """Tell the agent something in the message line, until the next message."""
        self.messages.say(text, tone)

    def warn(self, text: str) -> None:
        """Tell the agent what needs a person, or what went wrong and how to mend it."""
        self.messages.say(text, Tone.WARN)

    def done(self, text: str) -> None:
        """Tell the agent that something is safely stored."""
        self.messages.say(text, Tone.DONE)

    def confirm(self, question: str, then: Callable[[], None], otherwise: Callable[[], None] | None = None) -> None:
        """Ask yes or no in the message line; nothing covers the form."""

        def answered(yes: bool) -> None:
            if yes:
                then()
            elif otherwise:
                otherwise()

        self.messages.ask(question, answered)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """No key of the screen works while a question waits; screens that override this ask here first."""
        return not self.messages.is_asking

    # The store, without a worker of one's own.

    def read(
        self,
        fn: Callable[..., Result],
        *args: object,
        then: Callable[[Result], None],
        group: str = "read",
        hold_keys: bool = False,
        **kwargs: object,
    ) -> None:
        """Read in a thread and show the result; a newer read of the same group makes this one moot.

        Args:
            fn: function of `desk` or `reports`, called as ``fn(store, *args, **kwargs)``; agent and now are filled in
                where it asks for them.
            then: called on the loop with the result, if this screen is still there.
            group: reads of one group replace each other.
            hold_keys: keys typed ahead wait for this result (2 s at most), because they are meant for it.
        """

        if hold_keys:
            self._awaited.add(group)
        is_awaited = group in self._awaited  # also where an older read that was waited for is made moot by this one

        async def work() -> None:
            with self.desk_app.keys_held(is_awaited):
                try:
                    result = await self.backend.read(fn, *args, **kwargs)
                except CrisisDeskError as error:
                    self._awaited.discard(group)
                    self.warn(str(error))
                    return
                self._awaited.discard(group)
                if self.is_attached:
                    then(result)

        self.run_worker(cast("WorkType[None]", work), group=group, exclusive=True, exit_on_error=True)

    def write(
        self,
        fn: Callable[..., Result],
        *args: object,
        then: Callable[[Result], None] | None = None,
        failed: Callable[[CrisisDeskError], None] | None = None,
        hold_keys: bool = True,
        wish: str = "",
        **kwargs: object,
    ) -> None:
        """Write in the one write thread; it lands even when this screen is gone, and its failure is told.

        Args:
            fn: function of `desk`, called as ``fn(store, *args, agent=..., now=..., **kwargs)``.
            then: called on the loop with the result, if this screen is still there.
            failed: called with the error instead of the usual message line (RuleBroken, LeaseLost) or offer to try
                again (StoreUnavailable).
            hold_keys: keys typed ahead wait for the outcome (2 s at most).
            wish: id of what is wanted, for callers that try again by themselves; a wish that had been stored before its
                answer was lost is not stored twice, and is no error (`tell_stored`).
        """
        wish = wish or uuid4().hex
        future = self.backend.submit(fn, *args, wish=Wish(wish, wish in self._unanswered), **kwargs)

        async def work() -> None:
            with self.desk_app.keys_held(hold_keys):
                try:
                    result = await self.backend.landed(future)
                except AlreadyStored as news:
                    tell_stored(self if self.is_attached else self.desk_app.front, str(news))
                    return
                except CrisisDeskError as error:
                    if isinstance(error, StoreUnavailable):
                        self._unanswered.add(wish)
                    if failed and self.is_attached:
                        failed(error)
                    else:
                        tell(self if self.is_attached else self.desk_app.front, error, again)
                    return
                if then and self.is_attached:
                    then(result)

        def again() -> None:
            self.write(fn, *args, then=then, failed=failed, hold_keys=hold_keys, wish=wish, **kwargs)

        self.desk_app.run_worker(cast("WorkType[None]", work), group="write", exclusive=False, exit_on_error=True)

    def on_store_changed(self, event: StoreChanged) -> None:
        """Read again what others may have changed. Screens with a list override `refresh_from_store`."""
        event.stop()
        self.refresh_from_store()

    def refresh_from_store(self) -> None:
        """Called when the desk has changed, and when this screen comes back to the front."""

    def on_screen_resume(self) -> None:
        """Back in front: things may have changed meanwhile."""
        self.show_notice(self.desk_app.board.content())
        for title in self.query(TitleLine):
            title.show()
        if self.is_mounted:
            self.refresh_from_store()

    def site_changed(self) -> None:
        """Called after F6 has chosen another site."""
        self.refresh_from_store()
