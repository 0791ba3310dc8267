"""The lower part of the queue in which it is written down what becomes of a line that its list no longer has."""

from textual import on

from crisisdesk.desk.dropping import Dropped, decide_dropped
from crisisdesk.desk.reviews import LONGEST_NAME, LONGEST_REASON
from crisisdesk.i18n import _
from crisisdesk.ui.screens.deciding import DecidingPanel
from crisisdesk.ui.widgets.choices import Choice
from crisisdesk.ui.widgets.form import ChoiceField, Field, Form


class DroppingPanel(DecidingPanel):
    """Whether it still waits, who says so, why; nothing while nobody is asked."""

    def __init__(self) -> None:
        super().__init__("dropping")

    def ask(self, callback_id: int, *, may_wait: bool = True) -> None:
        """Ask what becomes of one line; of one with nothing left to ring about only whether it ends."""
        if self.is_asking:
            return
        choices = [Choice(Dropped.WAITS.value, _("it waits on, the list forgot it"), "1")] if may_wait else []
        choices.append(Choice(Dropped.ENDS.value, _("it ends, nobody rings"), "2"))
        fields = (
            ChoiceField("decision", _("Decision"), choices),
            Field(
                "clinician", _("Who decided"), max_length=LONGEST_NAME, help=_("By name: the secretariat, a doctor.")
            ),
            Field("reason", _("Reason"), max_length=LONGEST_REASON, help=_("The journal keeps it.")),
        )
        self.open(callback_id, fields)

    @on(Form.Completed)
    def store_decision(self, event: Form.Completed) -> None:
        """Store what was decided."""
        event.stop()
        event.prevent_default()  # the panel that this one is made from would store it too
        if event.form.refuses_unclear():
            return
        values, frame = event.form.values(), self._frame
        if not values["decision"]:
            frame.warn(_("Say whether it still waits."))
            return
        frame.write(
            decide_dropped, self._callback_id, Dropped(values["decision"]), clinician=values["clinician"],
            reason=values["reason"], then=self._told,
        )  # fmt: skip

    def _told(self, is_closed: bool) -> None:
        self.action_leave()
        self._frame.done(
            _("Stored: nobody rings for it any more.") if is_closed else _("Stored: it waits in its place.")
        )
        self._frame.action_again()
