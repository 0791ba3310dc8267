"""Mine: what an agent did today, newest first, with what each led to; the last attempt taken back, one put right."""

from collections.abc import Iterable, Sequence
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from crisisdesk.desk.agents import Agent, list_agents
from crisisdesk.desk.mine import DoneLine, Mine, list_mine
from crisisdesk.desk.undoing import UndoneAttempt, last_attempt, undo_attempt
from crisisdesk.domain.words import Role
from crisisdesk.i18n import N_, _
from crisisdesk.ui.format import show_time
from crisisdesk.ui.inert import inert
from crisisdesk.ui.screens.mine_form import ChangePanel
from crisisdesk.ui.session import Session
from crisisdesk.ui.widgets.choices import Choice, ChoiceScreen
from crisisdesk.ui.widgets.frame import DeskScreen
from crisisdesk.ui.widgets.table import Cell, Column, DeskTable, Row

EMPTY = N_("Nothing recorded today. F2 takes a call, F7 and Enter ring the next patient.")


class MineScreen(DeskScreen):
    """One agent's attempts and calls of today."""

    HEADING = N_("My attempts and calls today")
    HELP = N_(
        "What you recorded today, newest first; nothing leaves this list. u takes your last attempt back within the "
        "desk's undo time: everything is as it was before it, and the patient is held for you again. Enter opens the "
        "callback or the patient. A supervisor looks at another agent's day with a, and puts an outcome right with c, "
        "also later: the first entry stays to be read and counts no more."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("u", "undo", N_("undo the last")),
        Binding("c", "correct", N_("correct (supervisor)")),
        Binding("a", "whose", N_("another agent")),
        Binding("p", "patient", N_("patient's file")),
        Binding("f5", "again", N_("read again"), priority=True, show=False),
        Binding("escape", "leave_form", N_("leave the form"), priority=True),
    ]
    DEFAULT_CSS = """
    MineScreen #done { height: 1fr; min-height: 5; }
    MineScreen #words { height: 3; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._lines: dict[str, DoneLine] = {}
        self._login = ""
        self._change = ChangePanel()

    def compose_work(self) -> Iterable[Widget]:
        """The list, what the marked line led to, the form."""
        columns = (
            Column("at", _("At"), 5), Column("what", "", 9), Column("patient", _("Patient"), 19),
            Column("ending", _("How it ended"), 21), Column("led_to", _("What it led to"), 0),
        )  # fmt: skip
        yield DeskTable(columns, empty=_(EMPTY), id="done")
        yield Static(id="words")
        yield self._change

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Esc leaves the form while there is one; the letters of the list wait meanwhile."""
        if not super().check_action(action, parameters):
            return False
        if action in ("undo", "correct", "whose", "patient"):
            return not self._change.is_asking
        return True if action != "leave_form" or self._change.is_asking else None  # None: Esc waits for a form

    def on_mount(self) -> None:
        """Read one's own day."""
        self.read_afresh()

    def refresh_from_store(self) -> None:
        """What changed since, without moving lines under the cursor."""
        self.read(list_mine, login=self._login, group="mine", then=self._show)

    def _show(self, mine: Mine) -> None:
        newest_first = [(f"{line.kind}:{line.number}", line) for line in mine.lines]
        self._lines = dict(newest_first)
        self.query_one("#done", DeskTable).take([_row(key, line, self.session) for key, line in newest_first])
        if mine.login != self.session.agent.login:
            self.heading(_("Attempts and calls today · {name}").format(name=mine.name))
        else:
            self.heading(_(self.HEADING))
        counts = _("attempts: {attempts}, calls: {calls}").format(attempts=mine.attempts, calls=mine.calls)
        self.status(counts)
        self.moved()

    def _current(self) -> DoneLine | None:
        return self._lines.get(self.query_one("#done", DeskTable).current_id or "")

    @on(DeskTable.Moved, "#done")
    def moved(self) -> None:
        """What the marked line led to, in full, and until when it can be undone."""
        line = self._current()
        if line is None:
            self.query_one("#words", Static).update(Content(""))
            return
        until = ""
        if line.undo_until is not None and not self._login:
            until = _("u takes it back, until {time}").format(time=show_time(line.undo_until, self.session))
        what = _("attempt {number}") if line.kind == "attempt" else _("call {number}")
        facts = [what.format(number=line.number), self.session.site_name(line.site_id), line.note]
        self.query_one("#words", Static).update(
            Content.assemble(
                (_("Led to  "), "$text-muted"), inert(line.led_to or line.ending, 150), "\n",
                inert(" · ".join(fact for fact in facts if fact), 76, tone="$text-muted"), "\n", (until, "$accent"),
            )
        )  # fmt: skip

    # Going on from a line.

    @on(DeskTable.Chosen, "#done")
    def open_line(self) -> None:
        """Enter: the callback that was rung or made, else the patient."""
        line = self._current()
        if line is not None and line.callback_id is not None:
            self.desk_app.go("callback", callback_id=line.callback_id)
        else:
            self.action_patient()

    def action_patient(self) -> None:
        """The file of the patient."""
        line = self._current()
        if line is not None and line.patient_id is not None:
            self.desk_app.go("patient", line.patient_id)
        elif line is not None:
            self.warn(_("This call is tied to no patient."))

    def action_whose(self) -> None:
        """Choose whose day is shown."""
        if self.session.agent.role == Role.AGENT:
            self.warn(_("Only supervisors look at another agent's day."))
        else:
            self.read(list_agents, then=self._choose_agent, group="agents", hold_keys=True)

    def _choose_agent(self, agents: Sequence[Agent]) -> None:
        def picked(login: str | None) -> None:
            if login is not None:
                self._login = "" if login == self.session.agent.login else login
                self.read_afresh()

        choices = [Choice(agent.login, f"{agent.name} ({agent.login})") for agent in agents]
        self.app.push_screen(ChoiceScreen(_("Whose day"), choices, self._login or self.session.agent.login), picked)

    # Undo and correction.

    def action_undo(self) -> None:
        """Say what would be taken back, and ask why."""
        if not self._change.is_asking:
            self.read(last_attempt, then=self._change.ask_reason, group="last", hold_keys=True)

    def take_back(self, attempt_id: int, reason: str) -> None:
        """Undo it; the card of the callback opens for the right outcome."""
        self.write(undo_attempt, attempt_id, reason=reason, then=self._undone)

    def _undone(self, done: UndoneAttempt) -> None:
        self._change.put_away()
        self.action_again()
        if done.card is not None:
            self.desk_app.go("callback", card=done.card, said=done.words)
        else:
            self.done(done.words)

    def action_correct(self) -> None:
        """Ask how the marked attempt really ended."""
        line = self._current()
        if self.session.agent.role not in (Role.SUPERVISOR, Role.ADMIN):
            self.warn(_("Only supervisors correct a recorded outcome. u takes your own last one back."))
        elif line is None or line.is_undone:
            self.warn(_("Mark an attempt that counts: an undone one has nothing to correct."))
        elif not self._change.is_asking:
            self._change.ask_outcome(line)

    def corrected(self, words: str) -> None:
        """Say what the correction led to."""
        self._change.put_away()
        self.done(words)
        self.action_again()

    def action_leave_form(self) -> None:
        """Put the form away; nothing is stored."""
        self._change.leave()


def _row(key: str, line: DoneLine, session: Session) -> Row:
    what = _("attempt") if line.kind == "attempt" else _("call")
    tone = "muted" if line.is_undone else ""
    return Row(
        key, (show_time(line.at, session), what, line.patient, Cell(line.ending, tone), Cell(line.led_to, tone))
    )  # fmt: skip
