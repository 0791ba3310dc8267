"""Instructions: what agents read out to callers, by site, service and topic; planned ones, earlier ones, the next."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import partial
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from crisisdesk import clock
from crisisdesk.desk.instructions import (
    InstructionForm,
    InstructionLine,
    InstructionState,
    InstructionText,
    end_instruction,
    instruction_lines,
    issue_instruction,
    scope_history,
    withdraw_instruction,
)
from crisisdesk.i18n import N_, _
from crisisdesk.ui.format import show_moment
from crisisdesk.ui.inert import inert
from crisisdesk.ui.screens.instruction_told import ToldScreen
from crisisdesk.ui.session import Session
from crisisdesk.ui.widgets.form import Form
from crisisdesk.ui.widgets.frame import DeskScreen
from crisisdesk.ui.widgets.instructionform import WORDS, InstructionEntry
from crisisdesk.ui.widgets.readout import LONGEST
from crisisdesk.ui.widgets.storescreen import TRUE_ORDER
from crisisdesk.ui.widgets.table import Cell, Column, DeskTable, Row

STATES = {
    InstructionState.IN_FORCE: (N_("in force"), ""),
    InstructionState.COVERED: (N_("another for a while"), "warn"),
    InstructionState.PLANNED: (N_("planned"), "accent"),
    InstructionState.OVER: (N_("no longer in force"), "muted"),
    InstructionState.WITHDRAWN: (N_("never in force"), "muted"),
}
ALIVE = (InstructionState.IN_FORCE, InstructionState.COVERED, InstructionState.PLANNED)


class InstructionsScreen(DeskScreen):
    """The instructions in force and planned, and the history of each."""

    HEADING = N_("Instructions")
    HELP = N_(
        "What is read out to callers, and what is planned. In a call the most specific one is shown: one for the topic "
        "goes before one for the service, that before one for the site. A new version without an end replaces the one "
        "before it for good; with an end it only covers it, and the earlier one holds again afterwards. w lists who "
        "was told a version, and has them rung when it has changed. The right arrow reads on in a long one."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n", "issue", N_("new version")),
        Binding("w", "told", N_("who was told")),
        Binding("h", "history", N_("history")),
        Binding("x", "end", N_("end it")),
        Binding("ctrl+s", "send", N_("issue"), priority=True, show=False),
        Binding("escape", "leave_form", N_("leave the form"), priority=True),
        Binding("right", "scroll(1)", N_("read on"), show=False),
        Binding("left", "scroll(-1)", N_("read back"), show=False),
        TRUE_ORDER,
    ]
    DEFAULT_CSS = """
    InstructionsScreen #list { height: 1fr; min-height: 5; }
    InstructionsScreen #text { height: auto; max-height: 9; scrollbar-size-vertical: 1; }
    InstructionsScreen #form { height: auto; }
    InstructionsScreen.-writing #text { display: none; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._found: dict[str, InstructionLine] = {}
        self._history_of: int | None = None

    def compose_work(self) -> Iterable[Widget]:
        """The list, the words of the marked one, the form."""
        columns = (
            Column("site", _("Site"), 11), Column("about", _("Service, topic"), 17), Column("from", _("From"), 11),
            Column("until", _("Until"), 11), Column("version", _("V."), 2, right=True), Column("words", _("Words"), 0),
        )  # fmt: skip
        yield DeskTable(columns, empty=_("No instruction is in force. n issues one."), id="list")
        with VerticalScroll(id="text", can_focus=False):
            yield Static(id="words")
        yield Vertical(id="form")

    def on_mount(self) -> None:
        """Read them."""
        self.site_changed()

    def site_changed(self) -> None:
        """Those of another site, with those of all sites."""
        self._history_of = None
        self.read_afresh()

    def refresh_from_store(self) -> None:
        """What others issued."""
        if self._history_of is None:
            where = self.session.site_name(self.site) or _("all sites")
            self.heading(_("Instructions · {site}").format(site=where))
            self.status("")
            self.read(instruction_lines, site_id=self.site, then=self._show, group="instructions")
        else:
            self.read(scope_history, self._history_of, then=self._show, group="instructions")

    def action_history(self) -> None:
        """Every version of the marked one's scope; again: all that is in force and planned."""
        one = self._current()
        if self._history_of is not None or one is None:
            self._history_of = None
        else:
            self._history_of = one.instruction.instruction_id
            scope = " · ".join(filter(None, scope_words(one.instruction, self.session)))
            self.heading(_("History · {scope}").format(scope=scope))
            self.status(_("h: back"))
        self.read_afresh()

    def _show(self, found: Sequence[InstructionLine]) -> None:
        shown = found
        if self._history_of is None:  # what is read out now first, then what is planned
            alive = [line for line in found if line.state in ALIVE]
            shown = sorted(alive, key=lambda line: line.state == InstructionState.PLANNED)
        self._found = {str(line.instruction.instruction_id): line for line in shown}
        self.query_one("#list", DeskTable).take([_row(line, self.session) for line in shown])
        self.moved()

    def _current(self) -> InstructionLine | None:
        return self._found.get(self.query_one("#list", DeskTable).current_id or "")

    @on(DeskTable.Moved, "#list")
    def moved(self) -> None:
        """The whole text of the marked one, in every language."""
        line = self._current()
        self.query_one("#words", Static).update(_whole(line, self.session) if line is not None else Content(""))
        self.query_one("#text").scroll_home(animate=False)

    def action_scroll(self, pages: int) -> None:
        """Read on in a long one."""
        self.query_one("#text").scroll_relative(y=pages * 6, animate=False)

    @on(DeskTable.Chosen, "#list")
    def action_told(self) -> None:
        """Who was told the marked one."""
        if not self.query(Form) and (line := self._current()) is not None:
            self.app.push_screen(ToldScreen(line.instruction))

    def action_issue(self) -> None:
        """The form of a new version; it starts from the marked one."""
        if self.query(Form):
            return
        line = self._current()
        form = InstructionEntry(self.session, line.instruction if line else None, self.site)
        self.query_one("#form").mount(form)
        self.set_class(True, "-writing")
        self.call_after_refresh(form[WORDS].focus)
        self.say(_("Enter in the last field, or ^S, asks before it is issued. Esc leaves."))

    def action_leave_form(self) -> None:
        """Put the form away; without a form, from the history back to the list."""
        if not self.query(Form) and self._history_of is not None:
            self.action_history()
        for form in self.query(Form):
            form.remove()
        self.set_class(False, "-writing")
        self.query_one("#list").focus()

    @on(Form.Completed)
    def action_send(self) -> None:
        """Issue it after a yes."""
        if not self.query(InstructionEntry):
            return
        if (issued := self.query_one(InstructionEntry).read()) is not None:
            self.confirm(
                _question(issued, self.session), lambda: self.write(issue_instruction, issued, then=self._issued)
            )

    def _issued(self, _number: int) -> None:
        self.action_leave_form()
        self.done(_("Issued: agents see it as soon as it holds."))
        self.read_afresh()

    def action_end(self) -> None:
        """End the marked one now, or withdraw it while it is only planned."""
        line = self._current()
        if line is None or self.query(Form):
            return
        number = line.instruction.instruction_id
        if line.state == InstructionState.PLANNED:
            question, deed = _("Withdraw this planned instruction? It stays in the history."), withdraw_instruction
            self.confirm(question, lambda: self.write(deed, number, then=self._withdrawn))
        else:
            question = _("End this instruction now, without another in its place?")
            self.confirm(question, partial(self.write, end_instruction, number, then=self._ended))

    def _withdrawn(self, _one: InstructionText) -> None:
        self.done(_("Withdrawn. What it would have replaced holds on."))
        self.refresh_from_store()

    def _ended(self, now_read: InstructionText | None) -> None:
        words = inert(now_read.words, 60).plain if now_read else _("(no instruction)")
        self.done(_("Ended. Read out there from now on: {words}").format(words=words))
        self.refresh_from_store()


def _row(line: InstructionLine, session: Session) -> Row:
    one, (words, tone) = line.instruction, STATES[line.state]
    is_plain = line.state == InstructionState.IN_FORCE
    site, about = scope_words(one, session)
    said = one.words if is_plain else f"{_(words)}: {one.words}"
    cells = (
        site, about, _short(one.valid_from, session), _short(line.until, session), str(one.version),
        Cell(said, tone),
    )  # fmt: skip
    return Row(str(one.instruction_id), cells)


def _whole(line: InstructionLine, session: Session) -> Content:
    one = line.instruction
    head = _("{state}: v{version}, issued by {name} {issued}, from {since}").format(
        state=_(STATES[line.state][0]), version=one.version, name=one.issued_by,
        issued=show_moment(one.issued_at, session), since=show_moment(one.valid_from, session),
    )  # fmt: skip
    if line.until is not None:
        head += _(", until {until}").format(until=show_moment(line.until, session))
    parts = [inert(head, tone="$text-muted"), inert(one.words, LONGEST, "bold")]
    parts += [inert(f"[{language}] {words}", LONGEST) for language, words in one.translations.items()]
    missing = [code for code in session.reference.desk.languages[1:] if code not in one.translations]
    if missing and line.state in ALIVE:
        words = _("no words in: {language}").format(language=", ".join(missing))
        parts.append(inert(words, tone="$text-muted"))
    return Content("\n").join(parts)


def _question(issued: InstructionForm, session: Session) -> str:
    if issued.valid_from is None and issued.valid_until is None:
        return _("Issue this instruction to all agents from now on?")
    begins = show_moment(issued.valid_from, session) if issued.valid_from else _("now")
    if issued.valid_until is None:
        return _("Issue this instruction from {begins} on?").format(begins=begins)
    words = _("Issue it from {begins} until {ends}? What held before holds again afterwards.")
    return words.format(begins=begins, ends=show_moment(issued.valid_until, session))


def scope_words(one: InstructionText, session: Session) -> tuple[str, str]:
    """Where an instruction holds: its site, and its service and topic."""
    service = session.reference.services.get(one.service_id) if one.service_id is not None else None
    about = [service.name if service else "", session.label("topic", one.topic) if one.topic else ""]
    return session.site_name(one.site_id) or _("all sites"), ", ".join(part for part in about if part)


def _short(instant: datetime | None, session: Session) -> str:
    return f"{clock.to_local(instant, session.zone):%d/%m %H:%M}" if instant else ""
