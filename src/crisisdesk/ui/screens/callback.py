"""Callback: the card of one patient to ring, and one key for each way in which the attempt can end."""

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, ClassVar

from textual import events, on
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Input, Static

from crisisdesk.desk.attempts import AttemptForm, RecordedAttempt, record_attempt
from crisisdesk.desk.callbacks import NothingNow, open_card, release_lease, renew, take, take_next
from crisisdesk.desk.cards import CallbackCard
from crisisdesk.domain.lease import Lease
from crisisdesk.domain.reference import Disposition
from crisisdesk.domain.words import Scope
from crisisdesk.i18n import N_, _
from crisisdesk.ui.autosave import Autosave
from crisisdesk.ui.format import show_time_seconds
from crisisdesk.ui.inert import inert
from crisisdesk.ui.screens.callback_end import REASON, EndPanel
from crisisdesk.ui.screens.callback_view import (
    card_lines,
    held_words,
    history_lines,
    large_number,
    parting_words,
    who_lines,
    why_line,
)
from crisisdesk.ui.screens.settling import NOTE, slots_from
from crisisdesk.ui.widgets.form import Field, Form
from crisisdesk.ui.widgets.frame import DeskScreen

if TYPE_CHECKING:
    from crisisdesk.desk.drafts import Draft


NUMBER_CELLS = 49
"""Room for the number in large digits at 80 columns."""


class CallbackScreen(DeskScreen):
    """One callback: read, rung, ended."""

    HEADING = N_("Callback")
    HELP = N_(
        "Ring the number, ask for the person, say nothing before the proof. Then one key says how it ended: the line "
        "above the messages shows what follows from it, and Enter stores it. Esc chooses another. PgDn reads on in a "
        "long card. The patient is held for you while you type and ten minutes more, also when you leave with F3; F12 "
        "gives the patient back."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "go_on", N_("store")),
        Binding("ctrl+s", "store", N_("store"), priority=True, show=False),
        Binding("escape", "another", N_("other choice"), priority=True),
        Binding("f9", "read_out", N_("was read out"), priority=True),
        Binding("f12", "give_back", N_("give back"), priority=True),
        Binding("f5", "take", N_("take it"), priority=True),
        Binding("pagedown", "scroll(1)", N_("read on")),
        Binding("pageup", "scroll(-1)", N_("page up"), show=False),
    ]
    DEFAULT_CSS = """
    CallbackScreen #top { height: 3; }
    CallbackScreen #number { width: 50; height: 3; }
    CallbackScreen #who { width: 1fr; height: 3; }
    CallbackScreen #why { height: auto; max-height: 2; }
    CallbackScreen #card { width: 3fr; height: 1fr; scrollbar-size-vertical: 1; }
    CallbackScreen #before { width: 2fr; scrollbar-size-vertical: 1; }
    """

    def __init__(
        self, card: CallbackCard | None = None, callback_id: int | None = None, draft: "Draft | None" = None
    ) -> None:
        super().__init__()
        self._card, self._draft = card, draft
        self._wanted_id = callback_id or (int(draft.fields.get("callback_id", "0")) if draft else 0)
        self._lease: Lease | None = None
        self._ends = EndPanel()
        self._was_read_out = self._is_stored = False
        self._started_at: datetime | None = None
        self._autosave: Autosave | None = None

    def compose_work(self) -> Iterable[Widget]:
        """Number, person, card and history, keys or fields, what follows."""
        with Horizontal(id="top"):
            yield Static(id="number")
            yield Static(id="who")
        yield Static(id="why")
        with Horizontal(classes="columns"):
            with VerticalScroll(id="card", can_focus=False):
                yield Static(id="lines")
            with VerticalScroll(id="before", classes="pane", can_focus=False):
                yield Static(id="said")
        yield self._ends

    def on_mount(self) -> None:
        """Show the card that was taken, or read the one that was asked for."""
        if self._card is not None:
            self._show(self._card)
        elif self._draft is not None:
            self.write(take, self._wanted_id, then=self._go_on_with_draft)
        elif self._wanted_id:
            self.write(open_card, self._wanted_id, then=self._show)

    def _go_on_with_draft(self, card: CallbackCard) -> None:
        draft = self._draft
        self._show(card)
        if draft is None:
            return
        code = draft.fields.get("disposition", "")
        if (row := self.session.reference.dispositions.get((Scope.ATTEMPT, code))) is not None:
            self._ends.choose(row, self._autosave)
            if (form := self._ends.form) is not None:
                form.fill(draft.fields)

    def _show(self, card: CallbackCard) -> None:
        self._card, self._lease = card, card.lease
        self.parting_words = parting_words(card, card.lease, self.session)
        self._was_read_out = self._is_stored = False
        self._started_at = self.session.now()
        uid = self._draft.uid if self._draft else None
        self._autosave = Autosave(self, "attempt", self._ends.texts, uid=uid) if card.lease else None
        self._draft = None
        self.status("")  # "stored 08:45:11" was said of the patient before
        self.heading(
            _("Callback {number} · {site}").format(number=card.callback_id, site=self.session.site_name(card.site_id))
        )
        large = large_number(card, self.session, NUMBER_CELLS)
        lines = [inert(line, tone="bold $accent") for line in large.split("\n")]
        self.query_one("#number", Static).update(Content("\n").join(lines))
        self.query_one("#who", Static).update(who_lines(card, self.session))
        self.query_one("#why", Static).update(why_line(card))
        self.query_one("#lines", Static).update(card_lines(card, self.session))
        self.query_one("#said", Static).update(history_lines(card, self.session))
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
        if action in ("store", "another", "read_out", "give_back"):
            return self._lease is not None
        return action != "take" or (self._lease is None and not self._is_stored)

    # Choosing how it ended.

    def on_key(self, event: events.Key) -> None:
        """A letter of the table chooses a disposition; any key keeps the lease."""
        self._keep_lease()
        if self._lease is None or self._is_stored or isinstance(self.focused, Field) or self.messages.is_asking:
            return
        for row in self.session.reference.dispositions_of(Scope.ATTEMPT):
            if event.character and row.key == event.character.lower():
                event.stop()
                self.say(held_words(self._lease, self.session))  # a warning about the choice before is over
                self._ends.choose(row, self._autosave)

    @on(Input.Changed)
    def typed(self) -> None:
        """Typing keeps the lease, is kept as a draft, and changes what follows."""
        self._keep_lease()
        if self._ends.depends_on_fields:
            self._ends.preview()

    def _keep_lease(self) -> None:
        now, seconds = self.session.now(), self.session.reference.desk.lease_seconds
        if self._lease is not None and self._lease.wants_renewal(now, seconds):
            lease, self._lease = self._lease, self._lease.renewed(now, seconds)
            self.parting_words = parting_words(self._card, self._lease, self.session)
            self.write(renew, lease, hold_keys=False)

    def action_scroll(self, pages: int) -> None:
        """Read on in both columns."""
        for name in ("#card", "#before"):
            self.query_one(name).scroll_relative(y=pages * 6, animate=False)

    def action_another(self) -> None:
        """Take the choice back."""
        self._ends.reset(self._card, with_keys=self._lease is not None)
        self.set_focus(None)

    # Ending.

    def action_go_on(self) -> None:
        """Enter: store what is chosen; afterwards the next patient."""
        if self._is_stored and self._card is not None:
            self.write(take_next, self._card.site_id, then=self._taken)
        else:
            self.action_store()

    def _taken(self, answer: CallbackCard | NothingNow) -> None:
        if isinstance(answer, NothingNow):
            self.warn(answer.words)
        else:
            self._show(answer)

    @on(Form.Completed)
    def action_store(self) -> None:
        """Store the attempt as chosen; also Enter in the last field."""
        chosen, reason = self._ends.chosen, self._ends.values().get(REASON)
        if self._lease is not None and chosen is None and reason is not None:
            self.write(release_lease, self._lease, reason, then=self._given_back)
        elif self._card is None or self._lease is None or chosen is None or self._autosave is None:
            self.warn(_("Choose first how it ended: one key of the list."))
        else:
            self.write(record_attempt, self._filled(self._card, self._lease, chosen), then=self._stored)

    def _given_back(self, _nothing: None) -> None:
        self._lease, self.parting_words = None, ""
        if self._autosave is not None:
            self._autosave.stop()
        self.call_later(self.desk_app.action_back)

    def _filled(self, card: CallbackCard, lease: Lease, chosen: Disposition) -> AttemptForm:
        assert self._autosave is not None
        values = self._ends.values()
        now = self.session.now()
        return AttemptForm(
            uid=self._autosave.uid, callback_id=card.callback_id, generation=lease.generation,
            disposition=chosen.code, number=card.number, started_at=min(self._started_at or now, now), ended_at=now,
            note=values.get(NOTE, ""), asked=self._ends.asked(), items=slots_from(values, card, self.session),
            instruction_id=card.instruction.instruction_id if card.instruction else None,
            was_read_out=self._was_read_out,
        )  # fmt: skip

    def _stored(self, done: RecordedAttempt) -> None:
        if self._autosave is not None:
            self._autosave.stop()
        self._is_stored, self._lease, self.parting_words = True, None, ""
        what = f"{self._ends.booked_words()} {done.words}".strip()
        self.action_another()
        self.refresh_bindings()
        time = show_time_seconds(self.session.now(), self.session)
        self.status(_("stored {time}").format(time=time))
        self.done(_("{what} Enter: next patient, F3: back to the queue.").format(what=what))

    def action_read_out(self) -> None:
        """The instruction was read to the patient; the attempt keeps which version."""
        if self._card is not None and self._card.instruction is not None:
            self._was_read_out = not self._was_read_out
            version = self._card.instruction.version
            words = (
                _("Instruction read out (version {version}).")
                if self._was_read_out
                else _("Instruction not read out ({version}).")
            )
            self.say(words.format(version=version))

    def action_take(self) -> None:
        """Hold the card that is only read."""
        if self._card is not None and self._lease is None:
            self.write(take, self._card.callback_id, then=self._show)

    def action_give_back(self) -> None:
        """Give the patient back without having rung: a reason is asked for."""
        if self._lease is None or self._card is None:
            self.call_later(self.desk_app.action_back)
            return
        self.action_another()
        self._ends.ask_reason()
