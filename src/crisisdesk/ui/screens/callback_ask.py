"""What the card asks besides how the attempt ended: why nobody was rung, why an attempt is taken back."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from textual.containers import Vertical
from textual.widget import Widget
from textual.widgets import Static

from crisisdesk.desk.callbacks import release_lease
from crisisdesk.desk.conflicts import Conflict
from crisisdesk.desk.undoing import LONGEST_REASON, UndoneAttempt, undo_attempt
from crisisdesk.domain.lease import Lease
from crisisdesk.i18n import _
from crisisdesk.ui.inert import inert
from crisisdesk.ui.widgets.bothversions import BothVersions
from crisisdesk.ui.widgets.form import Field, Form
from crisisdesk.ui.widgets.frame import DeskScreen

REASON = "reason"


class AskPanel(Vertical):
    """A few fields at the foot of a screen, and what is done with them; nothing while nobody is asked."""

    DEFAULT_CSS = "AskPanel { height: auto; }"

    def __init__(self) -> None:
        super().__init__(id="asking")
        self._store: Callable[[Mapping[str, str]], None] | None = None
        self._form: Form | None = None
        self._versions = BothVersions()

    def compose(self) -> Iterable[Widget]:
        """The place of two versions."""
        yield self._versions

    @property
    def is_asking(self) -> bool:
        """Whether the fields are there."""
        return self._store is not None

    def ask(self, fields: Sequence[Field], store: Callable[[Mapping[str, str]], None], words: str = "") -> None:
        """Show fields; Enter in the last one hands their values to ``store``, which calls `leave` when it is done."""
        self.leave()
        self._store, self._form = store, Form(*fields)
        self.mount(self._form, Static(inert(words, 160, tone="$text-muted")))
        self.screen.set_focus(fields[0], scroll_visible=False)  # at once: keys typed ahead are meant for it

    def complete(self) -> None:
        """Hand over what stands in the fields, or what was chosen of two versions."""
        if self._versions.is_asking:
            self._versions.complete()
        elif self._form is not None and self._store is not None and not self._form.refuses_unclear():
            self._store(self._form.values())

    def decide(self, conflict: Conflict, decided: Callable[[Mapping[str, Any]], None]) -> None:
        """Both versions in the place of the fields, which stay as they were typed; see `BothVersions.ask`."""
        self._show_fields(False)
        self._versions.ask(conflict, decided, left=lambda: self._show_fields(True))

    def back(self) -> bool:
        """From two versions back to the fields; False where there are none."""
        return self._versions.close()

    def _show_fields(self, is_shown: bool) -> None:
        for child in self.children:
            child.display = is_shown or child is self._versions
        if is_shown and self._form is not None:
            self._form.fields[0].focus()

    def leave(self) -> None:
        """Put the fields away."""
        self._store = self._form = None
        self._versions.put_away()
        self.query("AskPanel > Form, AskPanel > Static").remove()


def ask_reason(panel: AskPanel, lease: Lease, given_back: Callable[[], None]) -> None:
    """Ask why nobody was rung, and give the patient back."""
    screen = panel.screen
    assert isinstance(screen, DeskScreen)

    def store(values: Mapping[str, str]) -> None:
        screen.write(release_lease, lease, values[REASON], then=lambda _nothing: given_back())

    panel.ask([Field(REASON, _("Why was nobody rung?"), max_length=200)], store)


def ask_undo(panel: AskPanel, attempt_id: int, taken_back: Callable[[UndoneAttempt], None]) -> None:
    """Ask why the attempt that was just stored is taken back, and take it back."""
    screen = panel.screen
    assert isinstance(screen, DeskScreen)

    def store(values: Mapping[str, str]) -> None:
        screen.write(undo_attempt, attempt_id, reason=values[REASON], then=taken_back)

    words = _("Enter takes it back: all is as it was before, and the patient is held for you. Esc leaves it stored.")
    panel.ask([Field(REASON, _("Why is it undone?"), max_length=LONGEST_REASON)], store, words)
