"""The application: wiring only. Keys that work everywhere, the screens in front, and what must never happen."""

import contextlib
from contextlib import AbstractContextManager
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from textual import events
from textual.binding import Binding, BindingType

from crisisdesk.domain.rights import Right
from crisisdesk.errors import CrisisDeskError
from crisisdesk.i18n import N_, _
from crisisdesk.ui import theme
from crisisdesk.ui.backend import Backend
from crisisdesk.ui.glyphs import Hand
from crisisdesk.ui.idle import IdleWatch
from crisisdesk.ui.keypump import KeyPump
from crisisdesk.ui.leaving import Leaving
from crisisdesk.ui.noticeboard import NoticeBoard
from crisisdesk.ui.palette import choose_action, choose_site, choose_state
from crisisdesk.ui.places import PLACES, is_there, make_screen
from crisisdesk.ui.presence import Presence, is_shown
from crisisdesk.ui.quiet import QuietApp
from crisisdesk.ui.storewatch import StoreWatch
from crisisdesk.ui.widgets.form import Form
from crisisdesk.ui.widgets.frame import DeskScreen
from crisisdesk.ui.widgets.storescreen import StoreChanged, may_begin

if TYPE_CHECKING:
    from crisisdesk.ui.session import Session


class CrisisDeskApp(QuietApp):
    """One agent's screens on one desk."""

    CSS_PATH = "theme/desk.tcss"
    TITLE = "CrisisDesk"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f2", "new_call", N_("new call"), priority=True),
        Binding("f7", "go('queue')", N_("queue"), priority=True),
        Binding("f3", "back", N_("back"), priority=True),
        Binding("f6", "choose_site", N_("site"), priority=True),
        Binding("f8,ctrl+p", "palette", N_("all actions"), priority=True),
        Binding("ctrl+k", "read_notice", N_("message read"), priority=True),
        Binding("ctrl+g", "state", N_("ready, pause"), priority=True, show=False),
        Binding("ctrl+r", "redraw", N_("draw the screen again"), priority=True, show=False),
        Binding("ctrl+q", "leave", N_("quit"), priority=True, show=False),
        Binding("f1", "help", N_("help"), priority=True),
        # Outside fields, because some windows keep F1 or F10 for themselves, and some keyboards send no F-key at all.
        Binding("question_mark", "help", N_("help"), show=False),
        Binding("colon", "palette", N_("all actions"), show=False),
    ]

    def __init__(self, session: "Session", first: str = "home") -> None:
        """Make the application.

        Args:
            session: the agent, the desk, the clock.
            first: name of the screen that is opened over the home screen at the start.
        """
        super().__init__()
        self.session, self._first = session, first
        self.backend = Backend(session, on_slow=self._slow)
        self.site = min(session.agent.sites) if len(session.agent.sites) == 1 else None
        self.presence, self.board = Presence(self), NoticeBoard(self)
        self.leaving, self._idle = Leaving(self), IdleWatch(self)
        self._is_changed = self._is_following = False
        self._keys = KeyPump(self)
        self._watch = StoreWatch(session.store, self._store_changed)
        is_old, no_color = session.settings.basic, session.settings.no_color
        self.guard(Hand(is_old, has_colours=not no_color))
        for one in theme.THEMES.values():
            self.register_theme(one)
        wanted = "basic" if is_old or no_color else session.settings.theme
        self.theme = wanted if wanted in theme.THEMES else theme.DEFAULT

    def on_mount(self) -> None:
        """Open the first screen and begin to notice what others write."""
        self.leaving.start()
        self.push_screen(make_screen("home"))
        if self._first != "home":
            self.go(self._first)
        self._watch.start()
        self._idle.start()
        self._store_changed()
        self.set_timer(0.3, partial(self.backend.warm, "crisisdesk.ui.screens.intake"))  # F2 is pressed next

    async def on_event(self, event: events.Event) -> None:
        """Typed keys go through the key pump, one at a time; everything else as usual."""
        if isinstance(event, events.Key | events.Paste) and not event.is_forwarded:
            self.presence.key_typed(self._idle.key_typed())
            self._keys.typed(event)
        else:
            await super().on_event(event)

    @property
    def front(self) -> DeskScreen:
        """The topmost screen with a frame (a list of choices has none)."""
        return next(screen for screen in reversed(self.screen_stack) if isinstance(screen, DeskScreen))

    def keys_held(self, really: bool = True) -> AbstractContextManager[None]:
        """Keys typed inside wait until the end (2 s at most): they are meant for what comes then."""
        return self._keys.held(really)

    def go(self, name: str, *args: Any, **kwargs: Any) -> None:
        """Open the screen of that name over this one; without arguments, one that is open already is gone back to."""
        if not is_there(name):
            self.front.warn(_("This screen is not part of this installation."))
            return
        kind = PLACES[name].name
        open_already = [screen for screen in self.screen_stack if type(screen).__name__ == kind]
        if open_already and not args and not kwargs:
            while self.screen is not open_already[-1]:
                self._drop()
        else:
            self.push_screen(make_screen(name, *args, **kwargs))

    def _drop(self) -> None:
        for form in self.screen.query(Form):
            if form.draft:
                form.draft.save()
        if type(self.screen).__name__ == PLACES["intake"].name:
            self.presence.leave_call()
        self.pop_screen()

    # Keys that work everywhere.

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """While a question waits for its answer, no other key is heard; from the first screen nothing leads back."""
        if self._idle.is_hidden or (action == "back" and len(self.screen_stack) <= 2):
            return False
        if action == "read_notice":  # the key belongs to the field where there is nothing to read
            return self.board.first is not None
        front = next((one for one in reversed(self.screen_stack) if isinstance(one, DeskScreen)), None)
        return not (front and front.messages.is_asking)

    def action_go(self, name: str) -> None:
        """Go to a screen by name."""
        self.go(name)

    def action_new_call(self) -> None:
        """Open a call form from anywhere, or go back to the one that is open; there, begin afresh."""
        if not may_begin(self.front, Right.TAKE_CALLS):
            return
        if type(self.screen).__name__ == PLACES["intake"].name:
            self.screen.start_again()  # type: ignore[attr-defined]  # only that screen has it; its import is late
        else:
            self.go("intake")

    async def action_back(self) -> None:
        """Leave this screen; what was typed is kept as a draft, and what is still held is said."""
        words = self.screen.parting_words if isinstance(self.screen, DeskScreen) else ""
        self._drop()
        if words:
            self.front.say(words)

    def action_help(self) -> None:
        """Explain the field in focus, then the screen."""
        from crisisdesk.ui.screens.help import HelpScreen, gather_help

        if not isinstance(self.screen, HelpScreen):
            self.push_screen(HelpScreen(gather_help(self.screen)))

    def action_choose_site(self) -> None:
        """Choose the site that queue and openings show."""
        choose_site(self)

    def action_palette(self) -> None:
        """Everything that can be done here, and every screen."""
        choose_action(self)

    def action_read_notice(self) -> None:
        """The notice in the heading line was read."""
        self.board.read_first()

    def action_state(self) -> None:
        """Ready, a pause with its reason, away."""
        choose_state(self)

    def action_leave(self) -> None:
        """Ask, then end; drafts are kept."""
        if isinstance(self.screen, DeskScreen):
            self.front.confirm(_("Quit CrisisDesk? What you typed is kept as a draft."), self.leaving.quit)

    def let_go(self) -> None:
        """After `run`, however it ended: let every write land and end the threads."""
        self._watch.stop()
        self.backend.close()

    def _slow(self) -> None:
        if is_shown(self):
            self.front.say(_("The desk's file is busy. Nothing is lost; please wait."))

    def _store_changed(self) -> None:
        """Somebody has written: the rules first (labels on keys, hours), then the screen in front."""
        from crisisdesk.desk.rules import reference_of

        async def follow() -> None:
            self._is_following = True
            try:
                while self._is_changed:
                    self._is_changed = False
                    with contextlib.suppress(CrisisDeskError):  # the next read of the screen tells why
                        self.session.reference = await self.backend.read(reference_of)
                    await self.presence.follow()
                    await self.board.follow()
                    if is_shown(self):
                        self.front.post_message(StoreChanged())
            finally:
                self._is_following = False

        # Never cut short by the next change: at a busy desk nothing would ever be shown.
        self._is_changed = True
        if not self._is_following:
            # Called when it begins. (mypy finds no type for the nothing that it gives.)
            self.run_worker(follow, group="follow")  # type: ignore[arg-type]
