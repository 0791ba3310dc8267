"""The lower part of a screen in which a place that was told is cancelled, moved, or said to be missed."""

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Vertical

from crisisdesk import clock
from crisisdesk.desk.booking import Slot, offer_for
from crisisdesk.desk.cancelling import (
    LONGEST_REASON,
    AskedBy,
    Freed,
    Wants,
    cancel_booking,
    mark_not_come,
    move_booking,
)
from crisisdesk.desk.diary import ToldLine
from crisisdesk.domain.dates import read_typed_date
from crisisdesk.i18n import N_, _
from crisisdesk.ui.format import show_day
from crisisdesk.ui.widgets.choices import Choice
from crisisdesk.ui.widgets.form import ChoiceField, Field, Form
from crisisdesk.ui.widgets.frame import DeskScreen

CANCEL, MOVE, MISSED = "cancel", "move", "missed"


class BookingPanel(Vertical):
    """Fields of one step about one told place; nothing while nobody is asked."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "leave", N_("leave the form"), show=False)]
    DEFAULT_CSS = "BookingPanel { height: auto; }"

    def __init__(self, stored: Callable[[str], None]) -> None:
        """``stored`` is called after each step with what to tell the agent; it also brings the focus back."""
        super().__init__(id="booking")
        self._stored, self._what = stored, ""
        self._line: ToldLine | None = None
        self._slots: tuple[Slot, ...] = ()

    @property
    def is_asking(self) -> bool:
        """Whether the fields are there."""
        return bool(self._what)

    @property
    def _frame(self) -> DeskScreen:
        assert isinstance(self.screen, DeskScreen)
        return self.screen

    def ask(self, what: str, line: ToldLine) -> None:
        """Open the fields of a step."""
        if self.is_asking:
            return
        self._what, self._line, self._slots = what, line, ()
        fields = {CANCEL: _cancel_fields, MOVE: _move_fields, MISSED: _missed_fields}[what]()
        self.mount(Form(*fields))
        self.screen.set_focus(fields[0], scroll_visible=False)  # at once: keys typed ahead are meant for it
        self._frame.say(f"{line.patient} · {show_day(line.slot_on)} · {line.procedure}")
        self._frame.refresh_bindings()
        if what == MOVE:
            # a digit typed ahead means an offer: without them it would be read as a day of the month
            self._frame.read(offer_for, line.postponement_id, then=self._offer, group="offer", hold_keys=True)

    def _offer(self, slots: Sequence[Slot]) -> None:
        self._slots = tuple(slots)
        offered = "  ".join(f"{place}) {show_day(slot.slot_on)}" for place, slot in enumerate(slots, 1))
        for form in self.query(Form):
            form["day"].remark(offered or _("no place can be offered"))

    def close(self) -> bool:
        """Put the fields away; nothing was stored. False where there were none."""
        was_asking = self.is_asking
        self._what, self._line = "", None
        self.query(Form).remove()
        self._frame.refresh_bindings()
        return was_asking

    def action_leave(self) -> None:
        """Leave the form."""
        self.close()
        self._stored("")

    @on(Form.Completed)
    def store_step(self, event: Form.Completed) -> None:
        """Store what was typed; what is missing is said at its field."""
        event.stop()
        line, form = self._line, event.form
        if line is None or form.refuses_unclear():
            return
        values = form.values()
        if not values["by"]:
            self._wrong(form, "by", _("Say whose doing it is: the patient's or the service's."))
        elif self._what == CANCEL:
            self._write(cancel_booking, values, wants=Wants(values["wants"] or Wants.ANOTHER_DATE))
        elif self._what == MISSED:
            self._frame.write(
                mark_not_come, line.booking_id, cause=AskedBy(values["by"]), reason=values["reason"], then=self._done
            )
        else:
            self._move(form, values)

    def _move(self, form: Form, values: dict[str, str]) -> None:
        session, text = self._frame.session, values["day"]
        place = int(text) if text.isdecimal() and len(text) == 1 else 0
        if 1 <= place <= len(self._slots):
            day = self._slots[place - 1].slot_on
        else:
            typed = read_typed_date(text, clock.local_day(session.now(), session.zone))
            if typed is None:
                self._wrong(form, "day", _("'{text}' is no day: 03/06, +3 or lundi.").format(text=text))
                return
            day = typed
        self._write(move_booking, values, day)

    def _write(self, step: Callable[..., Freed], values: dict[str, str], *args: object, **more: Any) -> None:
        assert self._line is not None
        self._frame.write(
            step, self._line.booking_id, *args, asked_by=AskedBy(values["by"]), reason=values["reason"],
            then=self._done, **more,
        )  # fmt: skip

    def _done(self, freed: Freed) -> None:
        self.close()
        self._stored(freed.words)

    def _wrong(self, form: Form, name: str, words: str) -> None:
        self._frame.warn(words)
        form[name].focus()


def _by_field() -> Field:
    choices = [Choice(AskedBy.PATIENT, _("the patient"), "1"), Choice(AskedBy.SERVICE, _("the service"), "2")]
    words = _("The service: the patient is rung first of all. The patient: in the place of the original date.")
    return ChoiceField("by", _("Whose doing"), choices, width=16, help=words)


def _reason_field() -> Field:
    return Field("reason", _("Reason"), max_length=LONGEST_REASON, help=_("The journal keeps it."))


def _cancel_fields() -> list[Field]:
    choices = [
        Choice(Wants.ANOTHER_DATE, _("another date: rung again"), "1"),
        Choice(Wants.GIVES_UP, _("gives up: a clinician decides"), "2"),
    ]
    words = _("What the patient wants. Empty: another date.")
    return [_by_field(), ChoiceField("wants", _("The patient wants"), choices, help=words), _reason_field()]


def _move_fields() -> list[Field]:
    words = _("The number of an offered day, or a day; only with the patient on the line.")
    return [Field("day", _("Another day"), width=12, max_length=30, help=words), _by_field(), _reason_field()]


def _missed_fields() -> list[Field]:
    return [_by_field(), _reason_field()]
