"""Nobody at the keyboard: first the screen is hidden, then the session ends. Signing in again is the unlock."""

import asyncio
from typing import TYPE_CHECKING

from textual import events
from textual.app import ComposeResult
from textual.content import Content
from textual.screen import Screen
from textual.timer import Timer
from textual.widgets import Static

from crisisdesk.desk.roomwords import minutes_words
from crisisdesk.domain.words import Ending, WorkState
from crisisdesk.i18n import _, ngettext

if TYPE_CHECKING:
    from crisisdesk.ui.app import CrisisDeskApp


LOOK_SECONDS = 15.0
"""The rules may change while a session is open: they are looked at so often."""


class HiddenScreen(Screen[None]):
    """Nothing of the desk: a sentence. Any key brings back what was there; that key does nothing else."""

    DEFAULT_CSS = """
    HiddenScreen { align: center middle; }
    HiddenScreen Static { width: auto; max-width: 90%; text-align: center; }
    """

    def __init__(self, words: str) -> None:
        super().__init__()
        self._words = words

    def compose(self) -> ComposeResult:
        """The sentence."""
        yield Static(Content(self._words))

    def on_key(self, event: events.Key) -> None:
        """Somebody is there again."""
        event.stop()
        self.dismiss()


class IdleWatch:
    """Counts from the last key. One timer, that is set anew only when it has run out: a key costs nothing."""

    def __init__(self, app: "CrisisDeskApp") -> None:
        self._app = app
        self._last_key = 0.0
        self._timer: Timer | None = None
        self._hidden: HiddenScreen | None = None
        self._before: tuple[WorkState, str] | None = None

    @property
    def is_hidden(self) -> bool:
        """The sentence is in front."""
        return self._hidden is not None

    def start(self) -> None:
        """Begin to count; called on the loop."""
        self._last_key = self._clock()
        self._wait(self._hides_after)

    def key_typed(self) -> float:
        """A key or a paste; gives its time on the loop's clock."""
        self._last_key = self._clock()
        return self._last_key

    @staticmethod
    def _clock() -> float:
        return asyncio.get_running_loop().time()

    @property
    def _hides_after(self) -> float:
        return float(self._app.session.reference.desk.idle_seconds)

    @property
    def _ends_after(self) -> float:
        return self._hides_after + self._app.session.reference.desk.idle_end_seconds

    def _wait(self, seconds: float) -> None:
        if self._timer is not None:
            self._timer.stop()
        self._timer = self._app.set_timer(min(max(0.05, seconds), LOOK_SECONDS), self._look)

    def _look(self) -> None:
        idle = self._clock() - self._last_key
        if idle >= self._ends_after and self.is_hidden:
            words = _("No key for {span}: this session has ended. What you typed is kept as a draft: sign in again.")
            self._app.leaving.end(words.format(span=_span_words(self._ends_after)), Ending.IDLE)
        elif idle >= self._hides_after:
            self._hide()
            self._wait(self._ends_after - idle)
        else:
            self._wait(self._hides_after - idle)

    def _hide(self) -> None:
        if self.is_hidden:
            return
        app = self._app
        app.leaving.keep_drafts()
        self._before = (app.presence.own.state, app.presence.own.reason) if app.presence.own else None
        if self._before and self._before[0] is not WorkState.PAUSE:
            app.presence.enter(WorkState.AWAY)
        left = _span_words(app.session.reference.desk.idle_end_seconds)
        words = _(
            "CrisisDesk is hidden: no key for {span}.\n\nAny key shows it again. In {left} the session ends; "
            "what you typed is kept."
        )
        self._hidden = HiddenScreen(words.format(span=_span_words(self._hides_after), left=left))
        app.push_screen(self._hidden, self._shown)

    def _shown(self, _nothing: object) -> None:
        """A key was typed while it was hidden."""
        self._hidden = None
        self._last_key = self._clock()
        self._wait(self._hides_after)
        if self._before:
            self._app.presence.enter(*self._before)


def _span_words(seconds: float) -> str:
    from datetime import timedelta

    if seconds < 120:
        count = round(seconds)
        return ngettext("{count} second", "{count} seconds", count).format(count=count)
    return minutes_words(timedelta(seconds=seconds))
