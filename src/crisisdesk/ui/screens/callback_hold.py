"""The hold of one agent on one patient, as the card's screen keeps it."""

from crisisdesk.desk.callbacks import hold_lost, renew
from crisisdesk.desk.cards import CallbackCard
from crisisdesk.domain.lease import Lease
from crisisdesk.i18n import _
from crisisdesk.ui.screens.callback_view import parting_words
from crisisdesk.ui.widgets.frame import DeskScreen


class Hold:
    """The lease of the card that is open; none on a card that is only read."""

    def __init__(self, screen: DeskScreen) -> None:
        self._screen = screen
        self._card: CallbackCard | None = None
        self.lease: Lease | None = None

    def begin(self, card: CallbackCard) -> None:
        """The card that was opened, held or not."""
        self._card, self.lease = card, card.lease
        self._screen.parting_words = parting_words(card, card.lease, self._screen.session)

    def end(self) -> None:
        """The patient is let go: stored, or given back."""
        self.lease, self._screen.parting_words = None, ""

    def follow(self) -> None:
        """Somebody has written: a supervisor may have freed this callback, or another agent has it."""
        lease = self.lease
        if lease is None:
            return

        def told(why: str) -> None:
            if why and self.lease is not None and self.lease.generation == lease.generation:
                self.end()
                self._screen.warn(_("Do not ring any more. {why}").format(why=why))
                self._screen.refresh_bindings()

        self._screen.read(hold_lost, lease, then=told, group="hold")

    def keep(self) -> None:
        """A key was typed: hold on, where the end is near."""
        now, seconds = self._screen.session.now(), self._screen.session.reference.desk.lease_seconds
        if self.lease is not None and self.lease.wants_renewal(now, seconds):
            lease, self.lease = self.lease, self.lease.renewed(now, seconds)
            self._screen.parting_words = parting_words(self._card, self.lease, self._screen.session)
            self._screen.write(renew, lease, hold_keys=False)
