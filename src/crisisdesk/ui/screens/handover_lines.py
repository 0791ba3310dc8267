"""One handover: its lines, what the service answers to each, and the list on paper or as a file."""

from collections.abc import Iterable
from pathlib import Path
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from crisisdesk.desk.acknowledging import Answered, answer_lines, answered_words, take_back
from crisisdesk.desk.handovers import HandoverDetail, place_words, read_handover
from crisisdesk.domain.handover import HandoverLine, read_numbers
from crisisdesk.domain.words import Coverage, HandoverState, Priority
from crisisdesk.i18n import N_, _, labelled
from crisisdesk.reports.definitions import COVERAGE
from crisisdesk.reports.handover import HEADS, export_handover
from crisisdesk.ui.format import show_moment
from crisisdesk.ui.inert import inert
from crisisdesk.ui.session import Session
from crisisdesk.ui.widgets.form import Field, Form
from crisisdesk.ui.widgets.frame import DeskScreen
from crisisdesk.ui.widgets.saveform import SaveForm
from crisisdesk.ui.widgets.storescreen import TRUE_ORDER
from crisisdesk.ui.widgets.table import Cell, Column, DeskTable, Row

SHORT = {
    HandoverState.OFFERED: N_("not answered"),
    HandoverState.ACKNOWLEDGED: N_("✓ theirs"),
    HandoverState.REFUSED: N_("⚠ refused"),
}
TONES = {HandoverState.OFFERED: "", HandoverState.ACKNOWLEDGED: "accent", HandoverState.REFUSED: "warn"}
LABELS = {
    HandoverState.ACKNOWLEDGED: N_("acknowledged"), HandoverState.REFUSED: N_("refused"),
    HandoverState.OFFERED: N_("taken back"),
}  # fmt: skip
SHOWN = ("phones", "telling", "promises", "places", "history", "words")
"""Cells of a line that stand below the list, where there is room."""


class HandoverLinesScreen(DeskScreen):
    """The lines of one handover."""

    HEADING = N_("Handover")
    HELP = N_(
        "The lines of a list as it was signed. a: the service acknowledges the marked line, and nobody rings it from "
        "here any more; r: it refuses, with a reason, and the line stays ours. l answers several lines at once: "
        "1-40, 44. A supervisor takes a mistaken answer back with u: the patient has the place in the queue again. A "
        "line whose patient is being rung at this moment waits until that call has ended. e writes the list as PDF to "
        "be signed, or as CSV."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("a", "answer('acknowledged')", N_("acknowledged")),
        Binding("r", "answer('refused')", N_("refused")),
        Binding("l", "answer('acknowledged', True)", N_("several")),
        Binding("u", "answer('offered')", N_("take back")),
        Binding("e", "export", N_("PDF, CSV")),
        Binding("f", "filter", N_("not answered only"), show=False),
        Binding("b", "by", N_("who answers"), show=False),
        Binding("escape", "leave_form", N_("leave the form"), show=False, priority=True),
        TRUE_ORDER,
    ]
    DEFAULT_CSS = """
    HandoverLinesScreen #lines { height: 1fr; min-height: 5; }
    HandoverLinesScreen #words { height: auto; max-height: 7; color: $text-muted; }
    HandoverLinesScreen #form { height: auto; }
    """

    def __init__(self, handover_id: int) -> None:
        """Show one handover."""
        super().__init__()
        self.handover_id = handover_id
        self._detail: HandoverDetail | None = None
        self._lines: dict[str, HandoverLine] = {}
        self._by, self._state = "", HandoverState.ACKNOWLEDGED
        self._only_open = self._is_asking = False

    def compose_work(self) -> Iterable[Widget]:
        """The lines, the marked one in full, the forms."""
        columns = (
            Column("number", _("No."), 4, right=True), Column("patient", _("Patient"), 20),
            Column("about", _("What was put off"), 0), Column("day", _("Was on"), 10),
            Column("priority", _("Code"), 4), Column("answer", _("Answer"), 14),
        )  # fmt: skip
        yield DeskTable(columns, empty=_("Every line is answered. f: all lines."), id="lines")
        yield Static(Content(""), id="words")
        yield Vertical(id="form")
        self.save = SaveForm(("pdf", "csv"))
        yield self.save

    def on_mount(self) -> None:
        """Read it."""
        self.read_afresh()

    def refresh_from_store(self) -> None:
        """What others answered, without moving lines under the cursor."""
        self.read(read_handover, self.handover_id, then=self._show, group="handover")

    def _show(self, detail: HandoverDetail) -> None:
        self._detail = detail
        self._lines = {str(line.number): line for line in detail.lines}
        row = detail.row
        place = place_words(row.site_id, row.service_id, self.session.reference)
        self.heading(_("Handover {number} · {place}").format(number=row.handover_id, place=place))
        words = _("{open} not answered, {theirs} theirs, {refused} refused")
        self.status(words.format(open=row.offered, theirs=row.acknowledged, refused=row.refused))
        shown = [line for line in detail.lines if not (self._only_open and line.state != HandoverState.OFFERED)]
        self.query_one("#lines", DeskTable).take([_row(line) for line in shown])
        self.moved()

    def _current(self) -> HandoverLine | None:
        return self._lines.get(self.query_one("#lines", DeskTable).current_id or "")

    @on(DeskTable.Moved, "#lines")
    def moved(self) -> None:
        """The marked line in full: who answered, and what the list tells of it."""
        line = self._current()
        parts: list[Content | str] = []
        if line is not None:
            if answer := _answer_words(line, self.session):
                parts += [inert(answer, tone="bold $warning"), "\n"]
            for name in SHOWN:
                if text := line.content.get(name):
                    parts += [inert(labelled(_(HEADS[name]), text), 158), "\n"]
        self.query_one("#words", Static).update(Content.assemble(*parts[:-1]))

    # Answers.

    def action_answer(self, state: str, is_several: bool = False) -> None:
        """Answer the marked line, or several at once; who answers is asked once."""
        line = self._current()
        if line is None or self._is_asking:
            return
        self._state = HandoverState(state)
        if is_several:
            self._ask("", is_several=True)
        elif self._state == HandoverState.ACKNOWLEDGED and self._by:
            self._answer((line.number,), self._by, "")
        else:
            self._ask(str(line.number))

    def action_by(self) -> None:
        """Another person answers from now on."""
        self._by = ""
        self.say(_("a asks again who answers at the service."))

    def _ask(self, numbers: str, *, is_several: bool = False) -> None:
        lines = Field("numbers", _("Lines"), value=numbers, width=30, help=_("7, or 1-40, 44, or all."))
        by = Field(
            "by", _("Answered by"), value=self._by, max_length=80, help=_("Who answers at the service: the receipt.")
        )
        note = Field("note", _("Reason"), max_length=200, help=_("Why; the next agent reads it."))
        fields = {
            HandoverState.ACKNOWLEDGED: (lines, by), HandoverState.REFUSED: (lines, by, note),
            HandoverState.OFFERED: (lines, note),
        }[self._state]  # fmt: skip
        self._is_asking = True
        self.query_one("#form").mount(Form(*fields, id="answers"))
        self.say(_("{answer}: Enter in the last field stores it, Esc leaves.").format(answer=_(LABELS[self._state])))
        first = lines if is_several else by if by in fields and not self._by else fields[-1]
        self.call_after_refresh(first.focus)

    @on(Form.Completed, "#answers")
    def answers_typed(self) -> None:
        """Store what was typed."""
        form = self.query_one("#answers", Form)
        values = {"by": "", "note": "", **form.values()}
        try:
            numbers = read_numbers(values["numbers"], len(self._lines))
        except ValueError as error:
            words = _("'{text}' names no line of this list: it has {count}.")
            self.warn(words.format(text=error.args[0], count=len(self._lines)))
            form["numbers"].focus()
            return
        self._by = values["by"] or self._by
        self._answer(numbers, values["by"], values["note"])

    def _answer(self, numbers: tuple[int, ...], by: str, note: str) -> None:
        if self._state == HandoverState.OFFERED:
            self.write(take_back, self.handover_id, numbers, reason=note, then=self._answered)
        else:
            self.write(
                answer_lines, self.handover_id, numbers, self._state, answered_by=by, note=note, then=self._answered
            )

    def _answered(self, answered: Answered) -> None:
        self.action_leave_form()
        words = answered_words(answered, self._state)
        if answered.skipped or answered.to_tell:
            self.warn(words)
        else:
            self.done(words)
            table = self.query_one("#lines", DeskTable)
            if len(answered.done) == 1 and not self._only_open:
                table.action_move(1)
        self.read_afresh()

    def action_filter(self) -> None:
        """Only the lines that wait for an answer, or all."""
        self._only_open = not self._only_open
        self.read_afresh()

    def action_leave_form(self) -> None:
        """Put a form away; nothing was stored."""
        self._is_asking = False
        self.query("#answers").remove()
        self.save.put_away()
        self.query_one("#lines").focus()
        self.refresh_bindings()

    # The list on paper.

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """While a form asks, its keys come first."""
        if not super().check_action(action, parameters):
            return False
        is_asking = self._is_asking or (self.is_mounted and self.save.is_asking)
        return is_asking if action == "leave_form" else not (is_asking and action in _KEYS)

    def action_export(self) -> None:
        """Ask where to write the list."""
        self.save.ask(f"crisisdesk-handover-{self.handover_id}")
        self.refresh_bindings()

    @on(Form.Completed, "#save")
    def save_file(self) -> None:
        """Enter in the field: write the list."""
        if answer := self.save.answer():
            self._export(*answer, overwrite=False)

    def _export(self, form: str, target: Path, *, overwrite: bool) -> None:
        if target.exists() and not overwrite:
            question = _("Replace {path}? It exists already.").format(path=target)
            self.confirm(question, lambda: self._export(form, target, overwrite=True))
            return
        assert self._detail

        def written(count: int) -> None:
            self.action_leave_form()
            self.done(_("{count} lines written to {path}").format(count=count, path=target))

        self.write(
            export_handover, self._detail.signed, form=form, target=target, zone=self.session.zone,
            login=self.session.agent.login, overwrite=overwrite, then=written,
            failed=lambda error: self.warn(str(error)),
        )  # fmt: skip


_KEYS = {"answer", "export", "filter", "by"}


def _row(line: HandoverLine) -> Row:
    content = line.content
    answer = Cell(_(SHORT[line.state]), TONES[line.state])
    if line.state != HandoverState.ACKNOWLEDGED and line.settled:
        answer = Cell(_("settled by us"), "muted")
    elif line.held_by:
        answer = Cell(_("being rung"), "warn")
    about = " · ".join(text for text in (content.get("what"), content.get("service")) if text)
    code = content.get("priority", "").split(" ")[0]
    code = code if code in tuple(Priority) else "·"  # "uncoded" does not fit, and its beginning says something else
    return Row(str(line.number), (
        str(line.number), content.get("patient", ""), about, content.get("original", ""), code, answer,
    ))  # fmt: skip


def _answer_words(line: HandoverLine, session: Session) -> str:
    """Who answered what, or why nobody can answer now."""
    if line.state == HandoverState.OFFERED:
        if line.held_by:
            return _("{name} is ringing this patient now").format(name=line.held_by)
        return labelled(_("settled by us"), _(COVERAGE[Coverage(line.settled)].name)) if line.settled else ""
    at = show_moment(line.answered_at, session)
    words = _("{answer} by {name}, {moment}, written down by {agent}").format(
        answer=_(LABELS[line.state]), name=line.answered_by, moment=at, agent=line.entered_by
    )
    return f"{words}: {line.note}" if line.note else words
