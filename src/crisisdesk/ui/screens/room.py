"""Room: who is signed in, doing what, where; supervisors free a callback, end a session, write to agents."""

from collections.abc import Iterable, Sequence
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from crisisdesk.desk.agents import Agent, list_agents
from crisisdesk.desk.callbacks import take_over
from crisisdesk.desk.notices import send_message
from crisisdesk.desk.sessions import Seat, end_session, list_room
from crisisdesk.domain.rights import Right
from crisisdesk.i18n import N_, _, ngettext
from crisisdesk.ui.inert import inert
from crisisdesk.ui.screens.sent import SentScreen
from crisisdesk.ui.widgets.form import Field, Form
from crisisdesk.ui.widgets.frame import DeskScreen
from crisisdesk.ui.widgets.messageform import MessageForm
from crisisdesk.ui.widgets.roomlines import count_words, room_columns, seat_row, seat_words
from crisisdesk.ui.widgets.storescreen import TRUE_ORDER, may_begin
from crisisdesk.ui.widgets.table import DeskTable

LONGEST_REASON = 200


class RoomScreen(DeskScreen):
    """Everybody who is signed in."""

    HEADING = N_("The room")
    HELP = N_(
        "Who is signed in: what each agent does and for how long, at which site, which callback is held until when, "
        "how many drafts are kept, and how long no key was typed. ✗ marks one whose line dropped. Supervisors free "
        "the callback that is held (l), end a session (x), and write to one agent, to a site or to all (m); s shows "
        "what was sent in the last 24 hours and who has read it. ^G says what you do yourself."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("m", "write_to", N_("message")),
        Binding("s", "sent", N_("what was sent")),
        Binding("l", "let_go", N_("free the callback")),
        Binding("x", "end_session", N_("end the session")),
        Binding("ctrl+g", "app.state", N_("ready, pause"), priority=True),
        Binding("escape", "leave", N_("leave"), priority=True),
        TRUE_ORDER,
    ]
    DEFAULT_CSS = """
    RoomScreen #counts { height: 2; }
    RoomScreen DeskTable { height: 1fr; min-height: 5; }
    RoomScreen #words { height: 3; color: $text-muted; }
    RoomScreen #form { height: auto; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._seats: dict[str, Seat] = {}
        self._asked: Seat | None = None
        """Whose session the open form is to end, as it was then."""

    def compose_work(self) -> Iterable[Widget]:
        """Counts, the list, the marked line in full, the form."""
        yield Static(id="counts")
        yield DeskTable(room_columns(self.app.size.width), empty=_("Nobody is signed in."), id="room")
        yield Static(id="words")
        yield Vertical(id="form")

    def on_mount(self) -> None:
        """Read who is there, now and at each full minute."""
        self._tick()

    def _tick(self) -> None:
        now = self.session.now()
        self.set_timer(60.1 - now.second - now.microsecond / 1e6, self._tick)
        if self.is_current:
            self.refresh_from_store()

    def refresh_from_store(self) -> None:
        """Who came, went, or does something else; who has read."""
        self.read(list_room, then=self._show, group="room")

    def _show(self, seats: Sequence[Seat]) -> None:
        self._seats = {str(seat.session_id): seat for seat in seats}
        now, width = self.session.now(), self.app.size.width
        self.query_one("#room", DeskTable).take([seat_row(seat, self.session, now, width) for seat in seats])
        states, sites = count_words(seats, self.session)
        self.query_one("#counts", Static).update(
            Content.assemble(inert(states, tone="bold"), "\n", inert(sites, tone="$text-muted"))
        )
        signed_in = ngettext("{count} signed in", "{count} signed in", len(seats)).format(count=len(seats))
        self.status(signed_in)
        self.moved()

    @on(DeskTable.Moved, "#room")
    def moved(self) -> None:
        """The marked agent in full."""
        seat = self._current()
        words = seat_words(seat, self.session, self.session.now()) if seat else ""
        self.query_one("#words", Static).update(inert(words, 240))

    def _current(self) -> Seat | None:
        return self._seats.get(self.query_one("#room", DeskTable).current_id or "")

    # ------------------------------------------------------------ what supervisors do

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """While a form asks, its letters come first; Esc waits for one."""
        if not super().check_action(action, parameters):
            return False
        has_form = bool(self.query(Form))
        if action == "leave":
            return has_form
        return not (has_form and action in ("write_to", "sent", "let_go", "end_session"))

    def action_let_go(self) -> None:
        """Free the callback that the marked agent holds."""
        seat = self._current()
        if seat is None or not may_begin(self, Right.STEER):
            return
        if seat.callback_id is None:
            self.warn(_("{name} holds no callback.").format(name=seat.name))
            return
        number = seat.callback_id
        question = _("Free callback {number}? {name} loses it.").format(number=number, name=seat.name)
        freed = _("Callback {number} is free.").format(number=number)
        self.confirm(question, lambda: self.write(
            take_over, number, holder=seat.name, then=lambda _none: self._stored(freed)))  # fmt: skip

    def action_end_session(self) -> None:
        """Ask why the session of the marked agent is to end."""
        seat = self._current()
        if seat is None or not may_begin(self, Right.LEAD_ROOM):
            return
        if seat.session_id == self.session.agent.session_id:
            self.warn(_("This is your own session: Ctrl+Q ends it."))
            return
        self._asked = seat
        words = _("Why this session ends; it stands in the journal.")
        self._ask(Form(Field("reason", _("Reason"), max_length=LONGEST_REASON, help=words), id="ending"), "reason")
        said = _("{name}: the screens close, drafts are kept. Enter ends the session, Esc leaves.")
        self.say(said.format(name=seat.name))

    @on(Form.Completed, "#ending")
    def end_it(self) -> None:
        """Enter: end the session, unless nothing was typed."""
        reason, seat = self.query_one("#ending", Form).values()["reason"], self._asked
        if seat is None or not reason:
            self.warn(_("Say why this session is ended: it stands in the journal."))
            return
        words = _("The session of {name} has ended.").format(name=seat.name)
        self.write(end_session, seat.session_id, reason, then=lambda _none: self._stored(words))

    def action_write_to(self) -> None:
        """The form of a message; to the marked agent unless another is chosen."""
        if may_begin(self, Right.LEAD_ROOM):
            self.read(list_agents, then=self._ask_message, group="agents", hold_keys=True)

    def _ask_message(self, agents: Sequence[Agent]) -> None:
        seat = self._current()
        is_other = seat is not None and seat.agent_id != self.session.agent.agent_id
        form = MessageForm(self.session, agents, seat.login if seat is not None and is_other else "")
        self._ask(form, "words")
        self.say(_("↑ goes up to Urgent and To. Enter sends it, Esc leaves."))

    @on(Form.Completed, "#message")
    def send(self) -> None:
        """Enter in the last field: send it."""
        form = self.query_one(MessageForm)
        words = form.values()["words"]
        if form.refuses_unclear():
            return
        if form.choice("to").code is None:
            self.warn(_("Choose to whom: everybody, a site, or an agent (F4)."))
            form["to"].focus()
            return
        sent = _("Sent to: {to}. s shows who has read it.").format(to=form.to_label)
        asked = form.asked()

        def deliver() -> None:
            self.write(send_message, words, then=lambda _number: self._stored(sent), **asked)

        if asked.get("to_login") or asked.get("site_id"):
            deliver()
        else:
            self.confirm(_("Send this to everybody?"), deliver)

    def _ask(self, form: Form, first: str) -> None:
        self.query_one("#form").mount(form)
        self.set_focus(form[first], scroll_visible=False)  # at once: keys typed ahead are meant for it
        self.refresh_bindings()

    def _stored(self, words: str) -> None:
        self._put_away()
        self.done(words)
        self.read_afresh()

    def _put_away(self) -> None:
        self._asked = None
        self.query(Form).remove()
        self.query_one("#room").focus()
        self.call_after_refresh(self.refresh_bindings)

    def action_sent(self) -> None:
        """What was sent, and who has read it."""
        if may_begin(self, Right.LEAD_ROOM):
            self.app.push_screen(SentScreen())

    def action_leave(self) -> None:
        """Put the form away; nothing was stored."""
        self._put_away()
        self.say("")
