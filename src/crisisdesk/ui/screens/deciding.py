"""The lower part of the queue, in which it is written down what was done about a callback on hold: a letter was sent,
the general practitioner told, or a clinician has decided.
"""

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Vertical

from crisisdesk import clock
from crisisdesk.desk.channels import ChannelUsed, use_channel
from crisisdesk.desk.reviews import LONGEST_NAME, LONGEST_REASON, Decision, HeldRow, decide_review, find_held
from crisisdesk.desk.wording import channel_words
from crisisdesk.domain.dates import read_typed_date
from crisisdesk.domain.words import Channel
from crisisdesk.i18n import N_, _
from crisisdesk.ui.widgets.choices import Choice
from crisisdesk.ui.widgets.form import ChoiceField, Field, Form

if TYPE_CHECKING:
    from crisisdesk.ui.screens.queue import QueueScreen

DECIDABLE = ("review", "number_search")
USED = "used"


class DecidingPanel(Vertical):
    """Decision, clinician, reason; nothing while nobody is asked."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "leave", N_("leave the form"), show=False)]
    DEFAULT_CSS = "DecidingPanel { height: auto; }"

    def __init__(self, name: str = "deciding") -> None:
        super().__init__(id=name)
        self._callback_id = 0

    @property
    def is_asking(self) -> bool:
        """Whether the fields are there."""
        return bool(self._callback_id)

    @property
    def _frame(self) -> "QueueScreen":
        return self.screen  # type: ignore[return-value]  # only the queue has this panel

    def ask(self, callback_id: int) -> None:
        """Ask what was done or decided of one callback."""
        if not self.is_asking:
            self._frame.read(find_held, callback_id, then=self._ask, group="deciding", hold_keys=True)

    def _ask(self, row: HeldRow | None) -> None:
        if row is None or self.is_asking:
            return
        self.open(row.callback_id, _fields_of(row))

    def open(self, callback_id: int, fields: Sequence[Field]) -> None:
        """Show the fields of one callback."""
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
        values, frame = event.form.values(), self._frame
        if not values["decision"]:
            frame.warn(_("Say what was decided: rung again, or settled."))
        elif values["decision"] == USED:
            today = clock.local_day(frame.session.now(), frame.session.zone)
            used_on = read_typed_date(values["used_on"], today) if values["used_on"] else today
            if not isinstance(used_on, date):
                frame.warn(_("Say on which day it was done; empty: today."))
                return
            frame.write(
                use_channel, self._callback_id, name=values["clinician"], note=values["reason"], used_on=used_on,
                then=self._used,
            )  # fmt: skip
        else:
            frame.write(
                decide_review, self._callback_id, Decision(values["decision"]), clinician=values["clinician"],
                reason=values["reason"], then=self._stored,
            )  # fmt: skip

    def _used(self, used: ChannelUsed) -> None:
        self.action_leave()
        self._frame.done(used.words)
        self._frame.action_again()

    def _stored(self, _nothing: None) -> None:
        self.action_leave()
        self._frame.done(_("The clinician's decision is stored."))
        self._frame.action_again()


_WHO = {
    None: (N_("Clinician"), N_("Who decided, by name.")),
    Channel.LETTER: (N_("Sent by"), N_("Who sent the letter; the clinician, where one decided.")),
    Channel.GP: (N_("Person told"), N_("The general practitioner, by name; the clinician, where one decided.")),
    Channel.NEXT_OF_KIN: (N_("Who was asked"), N_("Name and relation; the clinician, where one decided.")),
}


def _fields_of(row: HeldRow) -> list[Field]:
    """What was done besides the telephone, where that comes first; a clinician's decision in any case."""
    choices = [(Decision.RESUME.value, _("rung again, in its place"))]
    choices.append((Decision.CLOSE.value, _("settled, nobody rings")))
    if row.channel is not None:
        choices.insert(0, (USED, channel_words(row.channel)))
    label, words = _WHO[row.channel]
    who = {Channel.GP: row.gp, Channel.NEXT_OF_KIN: row.next_of_kin}.get(row.channel, "") if row.channel else ""
    fields: list[Field] = [
        ChoiceField("decision", _("Decision"), [Choice(*pair, str(key)) for key, pair in enumerate(choices, 1)]),
        Field("clinician", _(label), value=who, max_length=LONGEST_NAME, help=_(words)),
        Field("reason", _("Reason"), max_length=LONGEST_REASON, help=_("The journal keeps it.")),
    ]
    if row.channel is not None:
        fields.insert(2, Field("used_on", _("On"), width=12, help=_("The day on which it was done; empty: today.")))
    return fields
