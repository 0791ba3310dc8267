"""The lower part of the queue in which a clinician's decision of a callback on hold is written down."""

from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Vertical

from crisisdesk.desk.reviews import LONGEST_NAME, LONGEST_REASON, Decision, decide_review
from crisisdesk.i18n import N_, _
from crisisdesk.ui.widgets.choices import Choice
from crisisdesk.ui.widgets.form import ChoiceField, Field, Form

if TYPE_CHECKING:
    from crisisdesk.ui.screens.queue import QueueScreen

DECIDABLE = ("review", "number_search")


class DecidingPanel(Vertical):
    """Decision, clinician, reason; nothing while nobody is asked."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "leave", N_("leave the form"), show=False)]
    DEFAULT_CSS = "DecidingPanel { height: auto; }"

    def __init__(self) -> None:
        super().__init__(id="deciding")
        self._callback_id = 0

    @property
    def is_asking(self) -> bool:
        """Whether the fields are there."""
        return bool(self._callback_id)

    @property
    def _frame(self) -> "QueueScreen":
        return self.screen  # type: ignore[return-value]  # only the queue has this panel

    def ask(self, callback_id: int) -> None:
        """Ask what was decided of one callback."""
        if self.is_asking:
            return
        choices = [
            Choice(Decision.RESUME.value, _("rung again, in its place"), "1"),
            Choice(Decision.CLOSE.value, _("settled, nobody rings"), "2"),
        ]
        fields = (
            ChoiceField("decision", _("Decision"), choices),
            Field("clinician", _("Clinician"), max_length=LONGEST_NAME, help=_("Who decided, by name.")),
            Field("reason", _("Reason"), max_length=LONGEST_REASON, help=_("The journal keeps it.")),
        )
        self._callback_id = callback_id
        self.mount(Form(*fields))
        self.screen.set_focus(fields[0], scroll_visible=False)  # at once: keys typed ahead are meant for it
        self.call_after_refresh(self.refresh, layout=True)
        self._frame.refresh_bindings()

    def action_leave(self) -> None:
        """Put the fields away; nothing was stored."""
        self._callback_id = 0
        self.query(Form).remove()
        self._frame.query_one("#queue").focus()
        self._frame.refresh_bindings()

    @on(Form.Completed)
    def store_decision(self, event: Form.Completed) -> None:
        """Store what was decided."""
        event.stop()
        if event.form.refuses_unclear():
            return
        values = event.form.values()
        if not values["decision"]:
            self._frame.warn(_("Say what was decided: rung again, or settled."))
            return
        self._frame.write(
            decide_review, self._callback_id, Decision(values["decision"]), clinician=values["clinician"],
            reason=values["reason"], then=self._stored,
        )  # fmt: skip

    def _stored(self, _nothing: None) -> None:
        self.action_leave()
        self._frame.done(_("The clinician's decision is stored."))
        self._frame.action_again()
