"""Who was told one version of an instruction, and having them rung when it has changed."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from crisisdesk import clock
from crisisdesk.desk.instructions import InstructionText
from crisisdesk.desk.retelling import (
    RingResult,
    ToldLine,
    ToldState,
    preview_ring,
    ring_them,
    ring_words,
    told_state_words,
    who_was_told,
)
from crisisdesk.i18n import N_, _
from crisisdesk.ui.format import show_moment, show_phone
from crisisdesk.ui.inert import inert
from crisisdesk.ui.widgets.form import Field, Form
from crisisdesk.ui.widgets.frame import DeskScreen
from crisisdesk.ui.widgets.storescreen import TRUE_ORDER
from crisisdesk.ui.widgets.table import Cell, Column, DeskTable, Row

TONES = {ToldState.TO_RING: "warn", ToldState.NO_PATIENT: "warn", ToldState.NO_SITE: "warn"}


class ToldScreen(DeskScreen):
    """The calls and attempts in which one version was told."""

    HEADING = N_("Who was told")
    HELP = N_(
        "Every call and attempt in which this version was read out; a also shows those in which it only stood on the "
        "agent's screen. r has those rung who were not told what followed: it first says how many and who cannot be, "
        "then makes or extends their callbacks, each person once, also when it is pressed again. A call that is tied "
        "to nobody has only its number: ring it by hand (F2)."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("r", "ring", N_("ring them (supervisor)")),
        Binding("a", "all", N_("also not read out")),
        Binding("escape", "leave", N_("back"), priority=True),
        TRUE_ORDER,
    ]
    DEFAULT_CSS = """
    ToldScreen #counts { height: auto; max-height: 3; }
    ToldScreen #lines { height: 1fr; min-height: 5; }
    ToldScreen #detail { height: auto; max-height: 4; }
    ToldScreen #form { height: auto; }
    """

    def __init__(self, instruction: InstructionText) -> None:
        super().__init__()
        self._instruction = instruction
        self._only_read_out = True
        self._all: Sequence[ToldLine] = ()
        self._found: dict[str, ToldLine] = {}

    def compose_work(self) -> Iterable[Widget]:
        """The counts, the list, the marked one, the form."""
        columns = (
            Column("patient", _("Patient"), 22), Column("at", _("Told on"), 11), Column("by", _("By"), 10),
            Column("number", _("Number"), 13), Column("state", _("Since then"), 0),
        )  # fmt: skip
        yield Static(id="counts")
        yield DeskTable(columns, empty=_("Nobody was told this version. a shows where it only stood on the screen."),
                        id="lines")  # fmt: skip
        yield Static(id="detail")
        yield Vertical(id="form")

    def on_mount(self) -> None:
        """Read them."""
        one = self._instruction
        where = self.session.site_name(one.site_id) or _("all sites")
        self.heading(_("Who was told v{version} · {site}").format(version=one.version, site=where))
        self.read_afresh()

    def refresh_from_store(self) -> None:
        """More calls, more attempts."""
        self.read(who_was_told, self._instruction.instruction_id, then=self._read, group="told")

    def _read(self, found: Sequence[ToldLine]) -> None:
        self._all = found
        lines = [line for line in found if line.was_read_out or not self._only_read_out]
        self._found = {f"{line.what}-{line.contact_id}-{line.patient_id}": line for line in lines}
        self.query_one("#lines", DeskTable).take([self._row(key, line) for key, line in self._found.items()])
        self.query_one("#counts", Static).update(self._counts(lines))
        hidden = len(found) - len(lines)
        self.status(_("{count} not read out are hidden (a)").format(count=hidden) if hidden else "")
        self.moved()

    def _counts(self, lines: Sequence[ToldLine]) -> Content:
        counts = Counter(line.state for line in lines)
        said = [f"{counts[state]} {told_state_words(state)}" for state in ToldState if counts[state]]
        head = inert(f"«{self._instruction.words}»", 150)
        return Content("\n").join([head, inert(" · ".join(said), 160, "bold")])

    def _row(self, key: str, line: ToldLine) -> Row:
        at = clock.to_local(line.at, self.session.zone)
        words = told_state_words(line.state)
        if line.told_since is not None:
            words += f" ({show_moment(line.told_since, self.session)})"
        if not line.was_read_out:
            words = f"{words} · {_('not read out')}"
        cells = (
            line.patient or Cell(line.caller or _("(nobody)"), "muted"), f"{at:%d/%m %H:%M}", line.by,
            show_phone(line.number, self.session), Cell(words, TONES.get(line.state, "")),
        )  # fmt: skip
        return Row(key, cells)

    @on(DeskTable.Moved, "#lines")
    def moved(self) -> None:
        """Everything of the marked one, and what can be done for it."""
        line = self._found.get(self.query_one("#lines", DeskTable).current_id or "")
        self.query_one("#detail", Static).update(self._detail(line) if line is not None else Content(""))

    def _detail(self, line: ToldLine) -> Content:
        what = _("Call {reference}").format(reference=line.reference) if line.what == "call" else _("Attempt")
        facts = [what, self.session.site_name(line.site_id), line.caller, show_phone(line.number, self.session)]
        facts += [_("callback {number}").format(number=line.callback_id)] if line.callback_id else []
        parts = [inert(" · ".join(fact for fact in facts if fact), 160)]
        if line.state == ToldState.NO_PATIENT:
            parts.append(
                Content(_("Tied to nobody: no callback is possible. Ring the number by hand, and note it (F2)."))
            )
        elif line.state == ToldState.NO_SITE:
            parts.append(Content(_("No site is known: note a call for this patient with its site, then r again.")))
        return Content("\n").join(parts)

    def action_all(self) -> None:
        """Also those in which it only stood on the agent's screen; again: only those to whom it was read out."""
        self._only_read_out = not self._only_read_out
        self.query_one("#lines", DeskTable).afresh()
        self._read(self._all)

    def action_leave(self) -> None:
        """Put the form away, else back to the instructions."""
        if not self.query(Form):
            self.desk_app.call_later(self.desk_app.action_back)
        for form in self.query(Form):
            form.remove()
        self.query_one("#lines").focus()

    def action_ring(self) -> None:
        """Look ahead: how many would be rung, and who cannot be."""
        if not self.query(Form):
            number = self._instruction.instruction_id
            self.read(preview_ring, number, only_read_out=self._only_read_out, then=self._foreseen, hold_keys=True)

    def _foreseen(self, seen: RingResult) -> None:
        if not seen.rung:
            self.warn(" ".join(ring_words(seen, is_preview=True)))
            return
        field = Field("reason", _("Reason"), max_length=500, help=_("Said on the card, above the old and new words."))
        self.query_one("#form").mount(Form(field))
        self.call_after_refresh(field.focus)
        names = ", ".join(seen.first[:3]) + ("…" if seen.rung > 3 else "")
        self.say(" ".join([*ring_words(seen, is_preview=True), names, _("Enter goes on, Esc leaves.")]))

    @on(Form.Completed)
    def ask(self) -> None:
        """Ring them after a yes."""
        reason = self.query_one(Form).values()["reason"]
        number, only = self._instruction.instruction_id, self._only_read_out
        self.confirm(
            _("Put them in the queue now?"),
            lambda: self.write(ring_them, number, only_read_out=only, reason=reason, then=self._rung),
        )

    def _rung(self, done: RingResult) -> None:
        for form in self.query(Form):
            form.remove()
        self.query_one("#lines").focus()
        self.done(" ".join(ring_words(done, is_preview=False)))
        self.read_afresh()
