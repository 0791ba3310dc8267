"""How the screens end: by their agent, by a signal, or because the session is over. Drafts are stored first."""

import asyncio
from typing import TYPE_CHECKING

from crisisdesk.domain.words import Ending
from crisisdesk.ui.widgets.form import Form

if TYPE_CHECKING:
    from crisisdesk.ui.app import CrisisDeskApp

OVER_CODE = 1
"""Exit code of a session that was ended: by a supervisor, by another sign-in, by its age, by nobody at the keyboard."""


class Leaving:
    """The end of one application."""

    def __init__(self, app: "CrisisDeskApp") -> None:
        self._app = app
        self.farewell = ""
        """What is said on the terminal when it is whole again; empty when the agent quit."""
        self.why = Ending.GONE
        """How the desk keeps it; a session that nobody ended is gone."""
        self._loop: asyncio.AbstractEventLoop | None = None

    def start(self) -> None:
        """Remember the loop; called on it."""
        self._loop = asyncio.get_running_loop()

    def keep_drafts(self) -> None:
        """Store what is in the fields of every screen."""
        for screen in self._app.screen_stack:
            for form in screen.query(Form):
                if form.draft:
                    form.draft.save()

    def quit(self) -> None:
        """The agent leaves."""
        self.why = Ending.QUIT
        self.stop(0)

    def stop(self, code: int) -> None:
        """Store what is in the fields and end with an exit code."""
        self.keep_drafts()
        self._app.exit(code, return_code=code)

    def stop_soon(self, code: int) -> None:
        """As `stop`, from a signal handler or another thread."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self.stop, code)

    def end(self, words: str, why: Ending) -> None:
        """The session is over: drafts are kept, the screens close, and the agent reads why."""
        if not self.farewell:
            self.farewell, self.why = words, why
            self.stop(OVER_CODE)
