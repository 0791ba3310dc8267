"""Two agents changed the same field: both versions stand one above the other, and the agent chooses field by field."""

from collections.abc import Callable, Mapping
from typing import Any

from textual import on
from textual.containers import Vertical
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from crisisdesk.desk.conflicts import Conflict, FieldConflict
from crisisdesk.i18n import _, labelled
from crisisdesk.ui.format import show_moment
from crisisdesk.ui.inert import inert
from crisisdesk.ui.session import Session
from crisisdesk.ui.widgets.choices import Choice
from crisisdesk.ui.widgets.form import ChoiceField, Form
from crisisdesk.ui.widgets.frame import DeskScreen

THEIRS, MINE = "theirs", "mine"
VALUE_CELLS = 300


class BothVersions(Vertical):
    """What was seen, theirs and mine for each field, and a field to choose in; nothing while there is no conflict."""

    DEFAULT_CSS = "BothVersions { height: auto; max-height: 16; overflow-y: auto; }"

    def __init__(self) -> None:
        super().__init__()
        self._conflict: Conflict | None = None
        self._decided: Callable[[Mapping[str, Any]], None] = lambda _mine: None
        self._left: Callable[[], None] = lambda: None

    @property
    def is_asking(self) -> bool:
        """Whether a conflict waits to be decided."""
        return self._conflict is not None

    @property
    def _frame(self) -> DeskScreen:
        assert isinstance(self.screen, DeskScreen)
        return self.screen

    def ask(self, conflict: Conflict, decided: Callable[[Mapping[str, Any]], None], left: Callable[[], None]) -> None:
        """Show both versions.

        Args:
            decided: gets, by name, the values that now stand in the fields that shall be written over; none of them:
                theirs stay. They are handed back as what was seen, so that a third change is told again.
            left: Esc: nothing was decided, what was typed is where it was.
        """
        self._conflict, self._decided, self._left = conflict, decided, left
        shown: list[Widget] = []
        for one in conflict.fields:
            shown += [Static(_versions(one, self._frame.session)), _choice(one)]
        form = Form(*shown)
        self.query(Form).remove()
        self.mount(form)
        self.screen.set_focus(next(iter(form.fields)), scroll_visible=False)  # keys typed ahead are meant for it
        self._frame.warn(
            _("Changed by somebody while you wrote. Nothing was written: choose. Esc: back to what you typed.")
        )
        self._frame.refresh_bindings()

    def close(self) -> bool:
        """Back to what was typed; False where nothing was asked."""
        if not self.put_away():
            return False
        self._frame.say(_("Nothing was written."))
        self._left()
        return True

    def complete(self) -> None:
        """Take the choices; where one is missing, say so and go there."""
        form = next(iter(self.query(Form)), None)
        if form is None or self._conflict is None or form.refuses_unclear():
            return
        chosen = form.values()
        if (missing := next((name for name, code in chosen.items() if not code), None)) is not None:
            form[missing].focus()
            self._frame.warn(_("Choose: 1 keeps what stands there now, 2 writes yours over it."))
            return
        mine = {one.name: one.stands for one in self._conflict.fields if chosen[f"v-{one.name}"] == MINE}
        self.put_away()
        self._decided(mine)

    @on(Form.Completed)
    def _chosen(self, event: Form.Completed) -> None:
        event.stop()
        self.complete()

    def put_away(self) -> bool:
        """Take it off the screen; False where nothing was asked."""
        was_asking, self._conflict = self._conflict is not None, None
        self.query(Form).remove()
        if was_asking:
            self._frame.refresh_bindings()
        return was_asking


def _versions(one: FieldConflict, session: Session) -> Content:
    """ "Last name · you saw: Dupont", then both versions, one a line."""
    who = " ".join(part for part in (one.by, show_moment(one.at, session)) if part) or _("somebody")
    return Content.assemble(
        inert(one.label, 60, tone="bold $accent"), " · ",
        inert(labelled(_("you saw"), one.seen), VALUE_CELLS, tone="$text-muted"), "\n",
        inert(labelled(f"1 {who}", one.theirs), VALUE_CELLS), "\n",
        inert(labelled("2 " + _("you"), one.mine), VALUE_CELLS),
    )  # fmt: skip


def _choice(one: FieldConflict) -> ChoiceField:
    choices = [Choice(THEIRS, _("keep theirs"), "1"), Choice(MINE, _("write mine over it"), "2")]
    words = _("1 keeps what stands there now, 2 writes yours over it: the other value stays in the journal.")
    return ChoiceField(f"v-{one.name}", one.label, choices, help=words)
