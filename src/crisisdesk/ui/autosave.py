"""Drafts: what an agent has typed is stored when a field is left, and a second after the first key that is not stored.

Not a second after the last one: who types a long sentence without a stop would lose all of it. Nothing depends on a
clean end: a dropped line costs what was typed in the last two seconds, one of which is for a busy machine.
"""

import uuid
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

from textual.timer import Timer

from crisisdesk.errors import CrisisDeskError, StoreUnavailable
from crisisdesk.i18n import _
from crisisdesk.ui.format import show_time_seconds
from crisisdesk.ui.widgets.storescreen import tell

if TYPE_CHECKING:
    from crisisdesk.desk.agents import Agent
    from crisisdesk.desk.drafts import Draft, SavedDraft
    from crisisdesk.store.engine import Store
    from crisisdesk.ui.widgets.frame import DeskScreen

UNSAVED_SECONDS = 1.0


class Autosave:
    """The draft of one form of one screen."""

    def __init__(
        self, screen: "DeskScreen", kind: str, texts: Callable[[], dict[str, str]], draft: "Draft | None" = None
    ) -> None:
        """Start with nothing stored.

        Args:
            screen: whose heading says when the draft was stored.
            kind: which screen goes on with it ("call", "attempt" ...).
            texts: what is to be stored, by field.
            draft: that is gone on with; a new one otherwise.
        """
        self._screen, self._kind, self._texts = screen, kind, texts
        self.uid = draft.uid if draft else uuid.uuid4().hex
        self._late_of = draft.late_of if draft else ""
        self._started_at = draft.started_at if draft else None
        self._stored: dict[str, str] = {}
        self._seen_at = draft.saved_at if draft else None
        self._timer: Timer | None = None
        self._over = self._waits = False
        self._sent: dict[str, str] | None = None
        """What is on its way into the store for good, or may be there: its answer was lost."""

    def touched(self) -> None:
        """A key was typed: it is stored a second after the first of those that are not stored yet."""
        if self._timer is None:
            self._timer = self._screen.set_timer(UNSAVED_SECONDS, self._due)

    def _due(self) -> None:
        self._timer = None
        self.save()

    def save(self) -> None:
        """Store now, if anything has changed since."""
        texts = self._texts()
        if self._over or self._waits or texts == self._stored:
            return
        self._stored = texts

        def stored(kept: "SavedDraft") -> None:
            if not self._over:
                self._told(kept)

        def failed(error: CrisisDeskError) -> None:
            if isinstance(error, StoreUnavailable) and self._stored == texts:
                self._stored = {}
            if not self._screen.messages.is_asking:  # of several saves that fail one asks
                tell(self._screen, error, self.save)  # what stands there then: newer words may have been stored by then

        is_sent = texts == self._sent
        self._screen.write(_keep, self, fields=texts, is_sent=is_sent, then=stored, failed=failed, hold_keys=False)

    def keep(
        self, store: "Store", fields: dict[str, str], agent: "Agent", now: datetime, *, is_sent: bool = False
    ) -> "SavedDraft":
        """Store what was typed, in the write thread, where one save after the other knows what the last one found.

        Args:
            is_sent: these words may be stored for good already, by this form itself: then they need no draft, and are
                not those of another session.
        """
        from crisisdesk.desk.drafts import LATE_OF, keep_text

        mark = {LATE_OF: self._late_of} if self._late_of else {}
        kept = keep_text(
            store, uid=self.uid, kind=self._kind, fields=fields | mark, agent=agent, now=now,
            started_at=self._started_at, seen_at=None if is_sent else self._seen_at,
        )  # fmt: skip
        if kept.is_late:
            self._late_of = self._late_of or self.uid
        self.uid, self._seen_at = kept.uid, kept.saved_at
        return kept

    def _told(self, kept: "SavedDraft") -> None:
        if kept.is_late:
            words = _("You go on with this form in another session: what you type here is kept as a draft of its own.")
            self._screen.warn(words)
        at = show_time_seconds(kept.saved_at, self._screen.session)
        self._screen.status(_("draft saved {time}").format(time=at))

    def wait(self) -> None:
        """The form is on its way into the store: no draft meanwhile, which would outlive it."""
        self._waits, self._sent = True, self._texts()

    def go_on(self, error: CrisisDeskError) -> None:
        """The form was refused, or nobody knows whether it was stored; it is typed on."""
        self._waits = False
        if not isinstance(error, StoreUnavailable):
            self._sent = None
        self.save()

    def stop(self) -> None:
        """The form is stored for good, or given up: no draft from now on. Dropping the stored one is the caller's
        (desk.drafts.drop_draft, or in the transaction that stores the form)."""
        self._over = True
        if self._timer:
            self._timer.stop()


def _keep(
    store: "Store", of: Autosave, *, fields: dict[str, str], is_sent: bool, agent: "Agent", now: datetime
) -> "SavedDraft":
    return of.keep(store, fields, agent, now, is_sent=is_sent)
