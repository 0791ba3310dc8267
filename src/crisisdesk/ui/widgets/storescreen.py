"""A screen that reads and writes the desk, without a worker of its own, and follows what others write."""

from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar, TypeVar, cast
from uuid import uuid4

from textual.binding import Binding
from textual.message import Message
from textual.screen import Screen

from crisisdesk.desk.rights import expect
from crisisdesk.domain.rights import Right
from crisisdesk.errors import AlreadyStored, CrisisDeskError, RuleBroken, StoreUnavailable
from crisisdesk.i18n import N_, _
from crisisdesk.ui.backend import Backend, Wish
from crisisdesk.ui.inert import inert_line
from crisisdesk.ui.session import Session
from crisisdesk.ui.widgets.messages import MessageLine, Tone
from crisisdesk.ui.widgets.table import DeskTable

if TYPE_CHECKING:
    from textual.worker import WorkType

    from crisisdesk.ui.app import CrisisDeskApp

Result = TypeVar("Result")
TRUE_ORDER = Binding("f5", "again", N_("in true order"), priority=True, show=False)
"""For the `BINDINGS` of every screen with a list that follows the desk."""


class StoreChanged(Message):
    """Somebody wrote to the desk (this screen too, perhaps). Sent to the screen in front, at most twice a second."""

    def can_replace(self, message: Message) -> bool:
        """One is enough."""
        return isinstance(message, StoreChanged)


def tell(screen: "StoreScreen", error: CrisisDeskError, again: Callable[[], None]) -> None:
    """Show a failed write on a screen; where the desk's file is at fault, offer to try the same write again."""
    if isinstance(error, StoreUnavailable):
        screen.confirm(_("{why} Try again?").format(why=inert_line(error, 120)), again)
    else:
        screen.warn(str(error))


def tell_stored(screen: "StoreScreen", words: str) -> None:
    """A write that was tried again had been stored the first time: show what stands there now, and say so."""
    getattr(screen, screen.AFTER_LOST_ANSWER)()
    screen.desk_app.front.done(words)


def may_begin(screen: "StoreScreen", right: Right) -> bool:
    """Whether the agent has a right; says so before anything is typed where not. The act itself asks again."""
    try:
        expect(screen.session.agent, right)
    except RuleBroken as refusal:
        screen.warn(str(refusal))
        return False
    return True


class StoreScreen(Screen[None]):
    """What a screen tells its agent, what it reads and writes, and how its lists follow the desk."""

    AFTER_LOST_ANSWER: ClassVar[str] = "refresh_from_store"
    """Which method shows what stands there after `tell_stored`."""

    def __init__(self) -> None:
        super().__init__()
        self.messages = MessageLine()
        self._awaited: set[str] = set()
        """Groups of reads for whose result typed keys wait."""
        self._unanswered: set[str] = set()
        """Wishes of which nobody knows whether they were stored."""
        self._is_afresh = False

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

        if hold_keys or self._is_afresh:
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

    def read_afresh(self) -> None:
        """Read the lists again and show them in their true order; keys typed ahead wait for them."""
        for table in self.query(DeskTable):
            table.afresh()
        self._is_afresh = True
        try:
            self.refresh_from_store()
        finally:
            self._is_afresh = False

    def action_again(self) -> None:
        """New lines where they belong."""
        self.read_afresh()

    def site_changed(self) -> None:
        """Called after F6 has chosen another site."""
        self.read_afresh()
