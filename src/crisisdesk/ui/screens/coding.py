"""Priorities and limits: what a clinician looks through, and one key a line to write down what the clinician says."""

from collections.abc import Iterable
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from crisisdesk.desk.coding import (
    LONGEST_NAME,
    LONGEST_REASON,
    CodedPriority,
    Coding,
    CodingList,
    CodingRow,
    code_priority,
    list_coding,
)
from crisisdesk.desk.rights import expect
from crisisdesk.desk.wording import long_day
from crisisdesk.domain.rights import Right
from crisisdesk.errors import RuleBroken
from crisisdesk.i18n import N_, _
from crisisdesk.ui.format import show_date
from crisisdesk.ui.inert import inert
from crisisdesk.ui.keys import digit_keys
from crisisdesk.ui.widgets.form import Field, Form
from crisisdesk.ui.widgets.frame import DeskScreen
from crisisdesk.ui.widgets.table import Cell, Column, DeskTable, Row

LISTS = {
    CodingList.UNCODED: ("u", N_("uncoded")),
    CodingList.NEAR: ("n", N_("near the limit")),
    CodingList.BREACHES: ("x", N_("past it")),
    CodingList.DIFFERS: ("d", N_("list says otherwise")),
}
CODES = {"a": "P1a", "b": "P1b", "2": "P2", "3": "P3", "4": "P4"}
_EMPTY = {
    CodingList.UNCODED: N_("Everything here is coded. F6: another site."),
    CodingList.NEAR: N_("Nothing here is near its clinical limit. F6: another site."),
    CodingList.BREACHES: N_("Nothing here is past its clinical limit. F6: another site."),
    CodingList.DIFFERS: N_("No list says otherwise than the clinician who coded. F6: another site."),
}


class AskedField(Field):
    """A field that is answered in the key itself: what is typed ahead after it is meant for the lines."""

    def action_go_on(self) -> None:
        """Enter: that is the answer."""
        if isinstance(self.screen, CodingScreen):
            self.screen.answer(self)


class CodingScreen(DeskScreen):
    """Four lists of postponements, and the clinician's codes."""

    HEADING = N_("Priorities and limits")
    HELP = N_(
        "Postponements that a clinician looks through, the most urgent first: u those that nobody has coded (they wait "
        "as P3), n those near their limit, x those past it, d those of which a later list says otherwise. Enter or c "
        "asks for the clinician's name, once; then one key codes the marked line and goes to the next: a P1a, b P1b, "
        "2, 3, 4, and 0 takes a code back. r notes the reason, which a longer wait needs. The name and the old code "
        "are kept in the journal, and the patient's place in the queue changes at once."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("c", "begin", N_("code it")),
        *(Binding(key, f"show('{kind.value}')", words) for kind, (key, words) in LISTS.items()),
        Binding("o", "open", N_("open the card")),
        Binding("a", "code('P1a')", "P1a"),
        Binding("b", "code('P1b')", "P1b"),
        *(Binding(digit_keys(int(key)), f"code('{CODES[key]}')", CODES[key], key_display=key) for key in "234"),
        Binding(digit_keys(0), "code('')", N_("take the code back"), key_display="0"),
        Binding("r", "reason", N_("give a reason")),
        Binding("escape", "leave", N_("leave"), priority=True),
        Binding("f5", "again", N_("in true order"), priority=True),
    ]
    DEFAULT_CSS = """
    CodingScreen #lists { height: auto; max-height: 2; }
    CodingScreen #items { height: 1fr; min-height: 6; }
    CodingScreen #words { height: 3; }
    CodingScreen #form { height: auto; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._kind = CodingList.UNCODED
        self._items: dict[str, CodingRow] = {}
        self._coded: dict[str, CodedPriority] = {}
        self._clinician = self._reason = ""
        self._is_coding = self._is_asking = False

    def compose_work(self) -> Iterable[Widget]:
        """The four lists with their counts, the list, the words of the marked line, the form."""
        columns = (
            Column("patient", _("Patient"), 22), Column("about", _("What was put off"), 0),
            Column("day", _("Was on"), 11), Column("code", _("Code"), 6),
            Column("left", _("Days left"), 10, right=True),
        )  # fmt: skip
        yield Static(id="lists")
        yield DeskTable(columns, empty=_(_EMPTY[self._kind]), id="items")
        yield Static(id="words")
        yield Vertical(id="form")

    def on_mount(self) -> None:
        """The uncoded ones of the agent's site."""
        self.site_changed()

    def site_changed(self) -> None:
        """Another site: a fresh list."""
        site = self.session.site_name(self.site) or _("all sites")
        self.heading(_("Priorities and limits · {site}").format(site=site))
        self.action_again()

    def refresh_from_store(self) -> None:
        """What others changed, without moving lines under the cursor."""
        self.read(list_coding, self._kind, self.site, group="coding", then=self._show)

    def action_again(self) -> None:
        """The true order; what was coded is no longer shown where it does not belong."""
        self._coded.clear()
        self.read_afresh()

    def action_show(self, kind: str) -> None:
        """Another of the four lists."""
        self._kind = CodingList(kind)
        self.action_again()

    def _show(self, found: Coding) -> None:
        kept = {key: self._items[key] for key in self._coded if key in self._items}
        self._items = kept | {str(row.postponement_id): row for row in found.rows}
        table = self.query_one("#items", DeskTable)
        table.say_empty(_(_EMPTY[found.kind]))
        table.take([self._line(key) for key in self._items])
        parts: list[Content] = []
        for kind, (key, words) in LISTS.items():
            tone = "bold $accent" if kind == self._kind else "$text-muted"
            parts += [Content.styled(f"{key} {_(words)} {found.counts[kind]}", tone), Content("  ")]
        self.query_one("#lists", Static).update(Content.assemble(*parts))
        self.status(_("{count} in this list").format(count=found.count))
        self._show_words()

    def _line(self, key: str) -> Row:
        return _row(self._items[key], self._coded.get(key), self.session.reference.desk.near_limit_days)

    def _current(self) -> CodingRow | None:
        return self._items.get(self.query_one("#items", DeskTable).current_id or "")

    @on(DeskTable.Moved, "#items")
    def _show_words(self) -> None:
        row = self._current()
        if row is None:
            self.query_one("#words", Static).update(Content(""))
            return
        done = self._coded.get(str(row.postponement_id))
        limit = _("{words}, on {day}").format(words=row.words, day=long_day(row.limit_on))
        by = _("coded by {name}").format(name=row.coded_by) if row.coded_by not in ("", "list") else ""
        wrote = _("the list wrote «{text}»").format(text=row.priority_said) if row.priority_said else ""
        listed = _("the list says {code} now").format(code=row.listed) if row.listed else ""
        site = self.session.site_name(row.site_id) if self.site is None else ""
        facts = [show_date(row.birth_on), site, row.clinician, row.remark]
        self.query_one("#words", Static).update(
            Content.assemble(
                inert(done.words if done else limit, tone="bold $accent" if done else ""), "\n",
                inert(" · ".join(filter(None, (by, wrote, listed))), tone="bold $warning" if listed else "$text-muted"),
                "\n", inert(" · ".join(filter(None, facts)), 200, tone="$text-muted"),
            )
        )  # fmt: skip

    # ------------------------------------------------------------ coding

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """The keys of the codes work when a clinician is named; the lists stay as they are meanwhile."""
        if not super().check_action(action, parameters):
            return False
        if action in ("code", "reason"):
            return self._is_coding and not self._is_asking
        if action in ("begin", "show", "open"):
            return not self._is_coding
        return self._is_coding or self._is_asking if action == "leave" else True

    @on(DeskTable.Chosen, "#items")
    def action_begin(self) -> None:
        """Ask who codes; the name is kept for the lines that follow."""
        if self._is_coding or self._is_asking or self._current() is None:
            return
        try:
            expect(self.session.agent, Right.CODE)
        except RuleBroken as error:
            self.warn(str(error))
            return
        words = _("Who decides, by name. Typed once: it is kept for the next lines.")
        self._ask("clinician", _("Clinician"), self._clinician, LONGEST_NAME, words)
        self.say(_("Enter, then one key a line."))

    def action_reason(self) -> None:
        """Ask why; for the next line that is coded."""
        words = _("Why, in the clinician's words, for the marked line only. The journal keeps it.")
        self._ask("reason", _("Reason"), self._reason, LONGEST_REASON, words)

    def _ask(self, name: str, label: str, value: str, most: int, words: str) -> None:
        field = AskedField(name, label, value=value, max_length=most, help=words, is_replaced=True)
        self._is_asking = True
        self.query_one("#form").mount(Form(field))
        self.set_focus(field, scroll_visible=False)  # at once: keys typed ahead are meant for it
        self.refresh_bindings()

    def answer(self, field: Field) -> None:
        """What was asked for is there: the keys of the codes work from now on."""
        text = field.value.strip()
        if field.key == "reason":
            self._reason = text
        elif not text:
            self.warn(_("Name the clinician who decided, {most} characters at most.").format(most=LONGEST_NAME))
            return
        else:
            self._clinician, self._is_coding = text, True
        self.action_leave()
        self.say(_who_words(self._clinician, self._reason))

    def action_leave(self) -> None:
        """Put the form away, or end coding."""
        if self._is_asking:
            self._is_asking = False
            self.set_focus(self.query_one("#items"), scroll_visible=False)
            self.query(Form).remove()
            self.refresh_bindings()
            return
        self._is_coding, self._reason = False, ""
        self.say("")
        self.refresh_bindings()
        self.action_again()

    def action_code(self, code: str) -> None:
        """Write down the code of the marked line, and go to the next."""

        def stored(done: CodedPriority) -> None:
            self._reason = ""
            key, table = str(done.postponement_id), self.query_one("#items", DeskTable)
            self._coded[key] = done
            table.take([self._line(other) for other in self._items])
            self.done(done.words)
            if table.current_id == key:
                table.action_move(1)
            self._show_words()

        if (row := self._current()) is not None:
            self.write(
                code_priority, row.postponement_id, code or None, clinician=self._clinician, reason=self._reason,
                then=stored,
            )  # fmt: skip

    def action_open(self) -> None:
        """Read the card of the line's callback; nothing is held."""
        row = self._current()
        if row is not None and row.callback_id is not None:
            self.desk_app.go("callback", callback_id=row.callback_id)
        elif row is not None:
            self.warn(_("It is in no queue: a supervisor gives it a place there (u on the home screen)."))


def _row(row: CodingRow, done: CodedPriority | None, near: int) -> Row:
    code = Cell(f"{done.after or '·'} ✓", "accent") if done else (row.priority or "·")
    days = _("{days} d").format(days=row.days_left)
    # Days to the limit of the code that it had: the line below the list says the new limit.
    left = "" if done else Cell(days, "warn") if row.days_left <= near else days
    return Row(str(row.postponement_id), (row.patient, row.about, show_date(row.original_on), code, left))


def _who_words(clinician: str, reason: str) -> str:
    """Who codes with which keys, and the reason that is noted for the next line."""
    keys = "  ".join(f"{key} {code}" for key, code in CODES.items())
    words = _("{name} codes: {keys}  0 none  r reason  Esc ends").format(name=clinician, keys=keys)
    return f"{words} · {reason}" if reason else words
