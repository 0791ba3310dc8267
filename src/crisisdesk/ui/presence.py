"""One agent at one terminal: what the desk knows of this session, and how it ends.

The desk is asked when somebody has written, at most twice a second: a session that a supervisor ended, an account that
was disabled or a second sign-in closes these screens within seconds, drafts kept.
"""

from datetime import datetime
from typing import TYPE_CHECKING

from crisisdesk.desk.rights import SessionOver
from crisisdesk.desk.roomwords import minutes_words, state_words
from crisisdesk.domain.words import Ending, WorkState
from crisisdesk.errors import CrisisDeskError
from crisisdesk.i18n import _
from crisisdesk.ui.widgets.frame import DeskScreen, TitleLine

if TYPE_CHECKING:
    from crisisdesk.desk.sessions import OwnSession
    from crisisdesk.ui.app import CrisisDeskApp

KEY_SECONDS = 300.0
"""A typed key is told to the desk at most so often: each write makes every other screen look."""


def is_shown(app: "CrisisDeskApp") -> bool:
    """Whether a screen with a frame is there: not so any more while the program ends and a read comes back."""
    return any(isinstance(screen, DeskScreen) for screen in app.screen_stack)


class Presence:
    """The session of these screens. Without one (a test, a demo in text) it tells nobody anything."""

    def __init__(self, app: "CrisisDeskApp") -> None:
        self._app = app
        self.own: OwnSession | None = None
        self._told_key_at = 0.0
        self._paused: tuple[WorkState, str] = (WorkState.READY, "")
        """What the agent goes back to when a call is put aside: a pause stays one."""
        self._minds_age = False

    @property
    def is_signed_in(self) -> bool:
        """Whether a session stands behind these screens."""
        return bool(self._app.session.agent.session_id)

    @property
    def state(self) -> WorkState | None:
        """What the agent is doing, as the desk knows it; None before it was read."""
        return self.own.state if self.own else None

    def words(self, now: datetime) -> str:
        """State and minutes for the title line; empty without a session."""
        if self.own is None:
            return ""
        words = state_words(self.own.state, self.own.reason)
        return " ".join(part for part in (words, minutes_words(now - self.own.state_at)) if part)

    def enter(self, state: WorkState, reason: str = "") -> None:
        """The agent does something else; told to the desk where it does not know so already."""
        from crisisdesk.desk.sessions import enter_state

        if self.is_signed_in and (self.own is None or (self.own.state, self.own.reason) != (state, reason)):
            is_call = state in (WorkState.CALL, WorkState.WRAP_UP)
            if self.own is not None and is_call and self.own.state not in (WorkState.CALL, WorkState.WRAP_UP):
                is_pause = self.own.state is WorkState.PAUSE
                self._paused = (WorkState.PAUSE, self.own.reason) if is_pause else (WorkState.READY, "")
            if self.own is not None:
                self.own = self.own.changed(state, reason, self._app.session.now())
            self._app.backend.submit(enter_state, state, reason=reason, site_id=self._app.site)
            self._show()

    def work_at(self, site_id: str | None) -> None:
        """The agent has chosen a site (None: all); the room shows it."""
        from crisisdesk.desk.sessions import move_to

        self._app.site = site_id
        if self.is_signed_in:
            self._app.backend.submit(move_to, site_id)

    def leave_call(self) -> None:
        """A call was put aside: the agent is ready again. A pause stays one."""
        if self.state in (WorkState.CALL, WorkState.WRAP_UP):
            self.enter(*self._paused)

    def key_typed(self, at: float) -> None:
        """A key was typed, ``at`` seconds of the loop's clock."""
        from crisisdesk.desk.sessions import mark_key

        if self.is_signed_in and at - self._told_key_at > KEY_SECONDS:
            self._told_key_at = at
            self._app.backend.submit(mark_key)

    async def follow(self) -> None:
        """Read this session again; end these screens where it is over."""
        from crisisdesk.desk.sessions import own_session

        if not self.is_signed_in:
            return
        try:
            self.own = await self._app.backend.read(own_session)
        except SessionOver as over:
            self._app.leaving.end(str(over), Ending.ENDED)
            return
        except CrisisDeskError:
            return  # the next read of the screen tells why
        self._app.session.agent = self.own.agent
        if is_shown(self._app):
            self._show()
            self._mind_age()

    def _show(self) -> None:
        for title in self._app.front.query(TitleLine):
            title.show()

    def _mind_age(self) -> None:
        """A session ends at its longest age; the agent is told ten minutes before."""
        if self.own is None or self._minds_age:
            return
        self._minds_age = True
        left = (self.own.ends_at - self._app.session.now()).total_seconds()
        self._app.set_timer(max(0.1, left), self._too_old)
        if left > WARNED_SECONDS:
            self._app.set_timer(left - WARNED_SECONDS, self._soon_too_old)

    def _soon_too_old(self) -> None:
        self._app.front.warn(_("This session ends in 10 minutes: finish this call, then sign in again."))

    def _too_old(self) -> None:
        words = _("This session has lasted {hours} h. What you typed is kept as a draft: sign in again.")
        hours = self._app.session.reference.desk.session_seconds // 3600
        self._app.leaving.end(words.format(hours=hours), Ending.AGED)


WARNED_SECONDS = 600.0
