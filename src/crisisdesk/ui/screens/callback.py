"""Callback: the card of one patient to ring, and one key for each way in which the attempt can end."""

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, ClassVar

from textual import events, on
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Input, Static

from crisisdesk.desk.attempts import RecordedAttempt, record_attempt
from crisisdesk.desk.callbacks import NothingNow, open_card, take, take_next
from crisisdesk.desk.cards import CallbackCard
from crisisdesk.desk.undoing import UndoneAttempt
from crisisdesk.domain.words import Scope, WorkState
from crisisdesk.errors import CrisisDeskError, RuleBroken
from crisisdesk.i18n import N_, _
from crisisdesk.ui.autosave import Autosave
from crisisdesk.ui.format import show_moment, show_since, show_time_seconds
from crisisdesk.ui.keys import digit_of
from crisisdesk.ui.screens.callback_ask import AskPanel, ask_reason, ask_undo
from crisisdesk.ui.screens.callback_contacts import ContactSteps
from crisisdesk.ui.screens.callback_end import EndPanel
from crisisdesk.ui.screens.callback_hold import Hold
from crisisdesk.ui.screens.callback_panel import CardPanel
from crisisdesk.ui.screens.callback_view import held_words
from crisisdesk.ui.screens.settling import fill_again
from crisisdesk.ui.widgets.form import Field, Form
from crisisdesk.ui.widgets.frame import DeskScreen
from crisisdesk.ui.widgets.readout import CardReading
from crisisdesk.ui.widgets.storescreen import tell

if TYPE_CHECKING:
    from crisisdesk.desk.drafts import Draft


class CallbackScreen(DeskScreen):
    """One callback: read, rung, ended."""

    HEADING = N_("Callback")
    HELP = N_(
        "Ring the number, ask for the person, say nothing before the proof: the card says our word, the patient's, and "
        "who else may be told what; F4 notes whom the patient names. Then one key says how it ended: the line "
        "above the messages shows what follows from it, and Enter stores it. Esc chooses another. PgDn reads on in a "
        "long card. The patient is held for you while you type and ten minutes more, also when you leave with F3; F12 "
        "gives the patient back."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "store", N_("store")),
        Binding("enter", "next", N_("next patient")),
        Binding("ctrl+s", "store", N_("store"), priority=True, show=False),
        Binding("escape", "another", N_("other choice"), priority=True),
        Binding("f9", "instruction('toggle')", N_("was read out"), priority=True),
        Binding("ctrl+o", "instruction('whole')", N_("the whole instruction"), priority=True, show=False),
        Binding("f4", "contacts", N_("who may be told")),
        Binding("u,ctrl+z", "undo", N_("undo")),
        Binding("f12", "give_back", N_("give back"), priority=True),
        Binding("f5", "take", N_("take it"), priority=True),
        Binding("pagedown", "scroll(1)", N_("read on")),
        Binding("pageup", "scroll(-1)", N_("page up"), show=False),
    ]

    def __init__(
        self,
        card: CallbackCard | None = None,
        callback_id: int | None = None,
        draft: "Draft | None" = None,
        said: str = "",
    ) -> None:
        """``said``: what led to the card that was taken, told first."""
        super().__init__()
        self._said, self._stored_id = said, 0
        self._taken_card, self._draft = card, draft
        self._wanted_id = callback_id or (int(draft.fields.get("callback_id", "0")) if draft else 0)
        self._hold, self._panel, self._ends = Hold(self), CardPanel(), EndPanel()
        self._asking = AskPanel()
        self._is_stored = False
        self._reading = CardReading(self, self._panel.instructed)
        self._started_at: datetime | None = None
        self._autosave: Autosave | None = None

    def compose_work(self) -> Iterable[Widget]:
        """Number, person, card and history; then keys or fields, and what follows."""
        yield self._panel
        yield self._ends
        yield self._asking

    def on_mount(self) -> None:
        """Show the card that was taken, or read the one that was asked for."""
        if self._taken_card is not None:
            self._show(self._taken_card)
            if self._said:
                self.done(self._said)
        elif self._draft is not None:
            self.write(take, self._wanted_id, then=self._go_on_with_draft, failed=self._only_read)
        elif self._wanted_id:
            self.write(open_card, self._wanted_id, then=self._show)

    def _only_read(self, error: CrisisDeskError) -> None:
        """The patient of a draft cannot be rung any more (closed, merged, dead): the card and what was typed stay."""
        draft = self._draft

        def read(card: CallbackCard) -> None:
            self._show(card)
            typed = draft.fields.get("note", "") if draft is not None else ""
            self.warn(_("{why} You had typed: “{note}”.").format(why=error, note=typed) if typed else str(error))

        if isinstance(error, RuleBroken):
            self.write(open_card, self._wanted_id, then=read)
        else:
            self.warn(str(error))

    def _go_on_with_draft(self, card: CallbackCard) -> None:
        draft = self._draft
        self._show(card)
        if draft is None:
            return
        self.say(_("Draft of {time}, {age}.").format(
            time=show_moment(draft.saved_at, self.session), age=show_since(draft.saved_at, self.session)))  # fmt: skip
        code = draft.fields.get("disposition", "")
        if (row := self.session.reference.dispositions.get((Scope.ATTEMPT, code))) is not None:
            self._ends.choose(row, self._autosave)
            if (form := self._ends.form) is not None:
                fill_again(form, draft.fields)

    def _show(self, card: CallbackCard) -> None:
        self._hold.begin(card)
        self._is_stored = False
        self._reading.begin(card)
        self._started_at = self.session.now()
        self._autosave = Autosave(self, "attempt", self._ends.texts, draft=self._draft) if card.lease else None
        self._draft = None
        self.status("")  # "stored 08:45:11" was said of the patient before
        self.heading(
            _("Callback {number} · {site}").format(number=card.callback_id, site=self.session.site_name(card.site_id))
        )
        self._panel.show(card)
        self._asking.leave()
        self._ends.reset(card, with_keys=card.lease is not None)
        self.refresh_bindings()
        if card.lease is None:
            self.warn(_("You only read this card. F5 takes it. {why}").format(why=card.why_not))
        else:
            self.say(held_words(card.lease, self.session))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Only the keys that mean something now."""
        if not super().check_action(action, parameters):
            return False
        if action in ("give_back", "next") or parameters == ("toggle",):
            return self._is_stored and not self._asking.is_asking if action == "next" else self._hold.lease is not None
        if action in ("store", "another"):
            is_something = self._ends.chosen is not None or self._asking.is_asking
            return is_something or (None if self._hold.lease is not None else False)  # None: not in the key bar
        if action == "contacts":
            is_free = self._ends.chosen is None and not self._asking.is_asking
            return self._panel.card is not None and is_free and not self._is_stored
        if action == "undo":
            return self._is_stored and not self._asking.is_asking
        return action != "take" or (self._hold.lease is None and not self._is_stored)

    # Choosing how it ended.

    def on_key(self, event: events.Key) -> None:
        """A letter of the table chooses a disposition; any key keeps the lease."""
        self._hold.keep()
        lease = self._hold.lease
        if lease is None or self._is_stored or isinstance(self.focused, Field) or self.messages.is_asking:
            return
        if self._ends.accept(digit_of(event.key), self._autosave):
            event.stop()
            return
        row = self._ends.rows.get((event.character or "").lower())
        if event.key == "enter" and self._ends.chosen is None and not self._asking.is_asking:
            event.stop()
            self.warn(_("Choose first how it ended: one key of the list."))
        elif row is not None:
            event.stop()
            self.say(held_words(lease, self.session))  # a warning about the choice before is over
            self._ends.choose(row, self._autosave)
            self.desk_app.presence.enter(WorkState.WRAP_UP)

    @on(Input.Changed)
    def typed(self) -> None:
        """Typing keeps the lease, is kept as a draft, and changes what follows."""
        self._hold.keep()
        if self._ends.depends_on_fields:
            self._ends.preview()

    def action_scroll(self, pages: int) -> None:
        """Read on in both columns."""
        self._panel.read_on(pages)

    def action_another(self) -> None:
        """Take the choice back."""
        if self._asking.back():
            return
        if self._hold.lease is not None and self._ends.chosen is not None:
            self.desk_app.presence.enter(WorkState.CALL)
        self._asking.leave()
        self._ends.reset(self._panel.card, with_keys=self._hold.lease is not None)
        self.refresh_bindings()
        self.set_focus(None)

    # Ending.

    def action_next(self) -> None:
        """Enter, once it is stored: the next patient."""

        def taken(answer: CallbackCard | NothingNow) -> None:
            if isinstance(answer, NothingNow):
                self.warn(answer.words)
            else:
                self._show(answer)

        if self._panel.card is not None:
            self.write(take_next, self._panel.card.site_id, then=taken)

    @on(Form.Completed)
    def action_store(self) -> None:
        """Store the attempt as chosen; also Enter in the last field."""
        lease, card, chosen = self._hold.lease, self._panel.card, self._ends.chosen
        if self._asking.is_asking:
            self._asking.complete()
        elif card is None or lease is None or chosen is None or self._autosave is None:
            self.warn(_("Choose first how it ended: one key of the list."))
        else:
            begun = min(self._started_at or self.session.now(), self.session.now())
            form = self._ends.filled(lease, self._autosave.uid, begun, self._reading.read_out)
            autosave = self._autosave

            def refused(error: CrisisDeskError) -> None:
                autosave.go_on(error)
                tell(self, error, self.action_store)

            autosave.wait()
            self.write(record_attempt, form, then=self._stored, failed=refused)

    def _stored(self, done: RecordedAttempt) -> None:
        if self._autosave is not None:
            self._autosave.stop()
        self._is_stored, self._stored_id = True, done.attempt_id
        self._hold.end()
        what, urgent = f"{self._ends.booked_words()} {done.words}".strip(), self._ends.urgent
        self.action_another()
        self._ends.query_one("#next", Static).update(Content.assemble(urgent))
        self._ends.query_one("#next").display = bool(urgent)
        self.refresh_bindings()
        time = show_time_seconds(self.session.now(), self.session)
        self.status(_("stored {time}").format(time=time))
        self.done(_("{what} Enter: next patient, F3: back to the queue.").format(what=what))

    def action_undo(self) -> None:
        """Take back what was just stored: a reason is asked for, then the patient is held again."""

        def taken_back(done: UndoneAttempt) -> None:
            if done.card is None:
                self.action_another()
            else:
                self._show(done.card)
            self.done(done.words)

        self._ends.put_away()
        ask_undo(self._asking, self._stored_id, taken_back)
        self.refresh_bindings()

    def refresh_from_store(self) -> None:
        """Another instruction or another rule may be in force: issued by somebody, or because its time has come."""
        if not self._is_stored and self._panel.card is not None:
            self._hold.follow()
        if not self._is_stored and self._panel.card is not None and not self._asking.is_asking:
            self._ends.renew_rules()
            self._reading.look()

    def action_instruction(self, what: str) -> None:
        """Note that the instruction was read to the patient (the attempt keeps which version), or show it whole."""
        if what == "toggle":
            self._reading.toggle()
        else:
            self._reading.open_whole(self._panel.card.language if self._panel.card is not None else "")

    def action_contacts(self) -> None:
        """Who may be told, the general practitioner, the next of kin."""
        card = self._panel.card

        def stored(words: str) -> None:
            def show(again: CallbackCard) -> None:
                self._panel.show(again)
                self.action_another()
                self.done(words)

            assert card is not None
            self.write(open_card, card.callback_id, then=show)

        if card is not None:
            self._ends.put_away()
            ContactSteps(self._asking, card, stored).ask()
            self.refresh_bindings()

    def action_take(self) -> None:
        """Hold the card that is only read."""
        if self._panel.card is not None and self._hold.lease is None:
            self.write(take, self._panel.card.callback_id, then=self._show)

    def action_give_back(self) -> None:
        """Give the patient back without having rung: a reason is asked for."""
        lease = self._hold.lease

        def given_back() -> None:
            self._hold.end()
            if self._autosave is not None:
                self._autosave.stop()
            self.call_later(self.desk_app.action_back)

        if lease is None or self._panel.card is None:
            self.call_later(self.desk_app.action_back)
            return
        self.action_another()
        self._ends.put_away()
        ask_reason(self._asking, lease, given_back)
