"""Drafts: what an agent has typed is stored when a field is left, and a second after the first key that is not stored.

Not a second after the last one: who types a long sentence without a stop would lose all of it. Nothing depends on a
clean end: a dropped line costs what was typed in the last two seconds, one of which is for a busy machine.
"""

import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING

from textual.timer import Timer

from crisisdesk.i18n import _
from crisisdesk.ui.format import show_time_seconds

if TYPE_CHECKING:
    from crisisdesk.ui.widgets.frame import DeskScreen

UNSAVED_SECONDS = 1.0


class Autosave:
    """The draft of one form of one screen."""

    def __init__(
        self, screen: "DeskScreen", kind: str, texts: Callable[[], dict[str, str]], uid: str | None = None
    ) -> None:
        """Start with nothing stored.

        Args:
            screen: whose heading says when the draft was stored.
            kind: which screen goes on with it ("call", "attempt" ...).
            texts: what is to be stored, by field.
            uid: of the draft that is gone on with; a new one otherwise.
        """
        self._screen, self._kind, self._texts = screen, kind, texts
        self.uid = uid or uuid.uuid4().hex
        self._stored: dict[str, str] = {}
        self._timer: Timer | None = None
        self._over = False

    def touched(self) -> None:
        """A key was typed: it is stored a second after the first of those that are not stored yet."""
        if self._timer is None:
            self._timer = self._screen.set_timer(UNSAVED_SECONDS, self._due)

    def _due(self) -> None:
        self._timer = None
        self.save()

    def save(self) -> None:
        """Store now, if anything has changed since."""
        from crisisdesk.desk.drafts import save_draft

        texts = self._texts()
        if self._over or texts == self._stored:
            return
        self._stored = texts
        at = self._screen.session.now()

        def stored(_result: object) -> None:
            if not self._over:
                self._screen.status(_("draft saved {time}").format(time=show_time_seconds(at, self._screen.session)))

        self._screen.write(save_draft, uid=self.uid, kind=self._kind, fields=texts, then=stored, hold_keys=False)

    def stop(self) -> None:
        """The form is stored for good, or given up: no draft from now on. Dropping the stored one is the caller's
        (desk.drafts.drop_draft, or in the transaction that stores the form)."""
        self._over = True
        if self._timer:
            self._timer.stop()
