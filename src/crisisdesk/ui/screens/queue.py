"""Queue: a site's callbacks in the order in which they are rung, each with why here and why not now."""

from collections.abc import Iterable
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from crisisdesk.desk.callbacks import NothingNow, Queue, QueueRow, list_queue, take, take_next, take_over
from crisisdesk.desk.cards import CallbackCard
from crisisdesk.desk.wording import reason_words
from crisisdesk.i18n import N_, _
from crisisdesk.ui.format import show_phone
from crisisdesk.ui.inert import inert
from crisisdesk.ui.screens.deciding import DECIDABLE, DecidingPanel
from crisisdesk.ui.widgets.frame import DeskScreen
from crisisdesk.ui.widgets.table import Cell, Column, DeskTable, Row

WAITING_FOR_SOMEBODY = ("review", "number_search", "confirm_death")
FILTERS = ("", "ready", "held", "not_before", "not_released", *WAITING_FOR_SOMEBODY)
NONE_OPEN = N_("No open callback here. An import or a call makes one; F6 shows another site.")
LINES = 500
"""Lines that are read at most; the counts are of all."""


class QueueScreen(DeskScreen):
    """The open callbacks of one site."""

    HEADING = N_("Queue")
    HELP = N_(
        "The callbacks of one site in the order in which they are rung. Enter takes the first that may be rung now, "
        "never the same one for two agents. The two lines below the list say why the marked line stands where it "
        "stands and what keeps it out now. h shows only what waits for a person: a clinician, a number, the "
        "confirmation of a death; d writes down what the clinician decided."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "next", N_("next to ring"), priority=True),
        Binding("o", "open", N_("open the line")),
        Binding("t", "take", N_("ring this one")),
        Binding("f", "filter", N_("filter")),
        Binding("h", "held", N_("waits for somebody")),
        Binding("d", "decide", N_("clinician's decision"), show=False),
        Binding("f5", "again", N_("in true order"), priority=True),
        Binding("l", "let_go", N_("free it (supervisor)"), show=False),
    ]
    DEFAULT_CSS = """
    QueueScreen #counts { height: auto; min-height: 1; max-height: 2; color: $text-muted; }
    QueueScreen #why { height: 4; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._lines: dict[str, QueueRow] = {}
        self._only = ""
        self._deciding = DecidingPanel()

    def compose_work(self) -> Iterable[Widget]:
        """Counts, the list, the reasons of the line under the cursor."""
        columns = (
            Column("place", _("No."), 4, right=True), Column("patient", _("Patient"), 20),
            Column("about", _("What was put off"), 0), Column("code", _("Code"), 4), Column("now", _("Now"), 22),
        )  # fmt: skip
        yield Static(id="counts")
        yield DeskTable(columns, empty=_(NONE_OPEN), id="queue")
        yield Static(id="why")
        yield self._deciding

    def on_mount(self) -> None:
        """Choose a site where none is chosen, and read its queue."""
        if self.site is None:
            self.desk_app.site = next(iter(self.session.reference.sites), None)
        self.site_changed()

    def site_changed(self) -> None:
        """Another site: a fresh list."""
        self.heading(_("Queue · {site}").format(site=self.session.site_name(self.site)))
        self._read(is_fresh=True)

    def refresh_from_store(self) -> None:
        """What others changed, without moving lines under the cursor."""
        self._read(is_fresh=False)

    def action_again(self) -> None:
        """The true order."""
        self._read(is_fresh=True)

    def action_filter(self) -> None:
        """Show one kind of lines only, the next kind at each key."""
        self._only = FILTERS[(FILTERS.index(self._only) + 1) % len(FILTERS)]
        self._read(is_fresh=True)

    def action_held(self) -> None:
        """Only what waits for a clinician; then for a number, for the confirmation of a death, then all again."""
        kinds = ("", *WAITING_FOR_SOMEBODY)
        self._only = kinds[(kinds.index(self._only) + 1) % len(kinds)] if self._only in kinds else kinds[1]
        self._read(is_fresh=True)

    def _read(self, *, is_fresh: bool) -> None:
        if self.site is not None:
            self.read(
                list_queue, self.site, limit=LINES, only=self._only, group="queue", hold_keys=is_fresh,
                then=lambda queue: self._show(queue, is_fresh=is_fresh),
            )  # fmt: skip

    def _show(self, queue: Queue, *, is_fresh: bool) -> None:
        self._lines = {str(row.callback_id): row for row in queue.rows}
        table, rows = self.query_one("#queue", DeskTable), [_row(row) for row in queue.rows]
        nothing = _("No line of this kind. f: next filter, h: back to all.") if queue.only else _(NONE_OPEN)
        table.say_empty(nothing)
        is_moved = not is_fresh and table.renew(rows)
        if is_fresh:
            table.show(rows)
        self._show_counts(queue, is_moved=is_moved)

    def _show_counts(self, queue: Queue, *, is_moved: bool) -> None:
        words = [f"{reason_words(code)} {count}" for code, count in sorted(queue.counts.items(), key=_ready_first)]
        if queue.only:
            shown = _("only: {reason} (f), {hidden} hidden").format(
                reason=reason_words(queue.only), hidden=queue.hidden
            )
            words.insert(0, shown)
        if is_moved:
            words.insert(0, _("order changed: F5"))
        self.query_one("#counts", Static).update(inert(" · ".join(words)))
        self.status(_("{open} open, {closed} closed today").format(open=queue.open, closed=queue.closed_today))
        self._show_why()

    @on(DeskTable.Moved, "#queue")
    def _show_why(self) -> None:
        row = self._current()
        if row is None:
            self.query_one("#why", Static).update(Content(""))
            return
        now = row.why_not or _("may be rung now")
        number = show_phone(row.number, self.session) or _("no number")
        facts = [number, _("attempts: {count}").format(count=row.attempts), *row.about[1:]]
        self.query_one("#why", Static).update(
            Content.assemble(
                (_("Why here  "), "$text-muted"), inert(row.why_here), "\n",
                (_("Now  "), "$text-muted"), inert(now, tone="bold $warning" if row.why_not else "bold $accent"), "\n",
                inert(" · ".join(facts), tone="$text-muted"),
            )
        )  # fmt: skip

    def _current(self) -> QueueRow | None:
        return self._lines.get(self.query_one("#queue", DeskTable).current_id or "")

    def action_next(self) -> None:
        """Take the first one that may be rung."""
        if self.site is not None:
            self.write(take_next, self.site, then=self._taken)

    def _taken(self, answer: CallbackCard | NothingNow) -> None:
        if isinstance(answer, NothingNow):
            self.warn(answer.words)
        else:
            self.desk_app.go("callback", card=answer)

    def action_open(self) -> None:
        """Read the card of the line; nothing is held."""
        if (row := self._current()) is not None:
            self.desk_app.go("callback", callback_id=row.callback_id)

    def action_take(self) -> None:
        """Ring the patient of this line, out of turn."""
        if (row := self._current()) is not None:
            self.write(take, row.callback_id, then=self._taken)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """While the clinician's form is open, Enter belongs to its fields."""
        if not super().check_action(action, parameters):
            return False
        return action != "next" or not self._deciding.is_asking

    def action_decide(self) -> None:
        """Ask what the clinician decided of the marked line."""
        row = self._current()
        if row is None or row.reason not in DECIDABLE:
            self.warn(_("This line waits for no clinician. h shows those that do."))
        else:
            self._deciding.ask(row.callback_id)

    def action_let_go(self) -> None:
        """Free a callback that another agent holds."""
        row = self._current()
        if row is not None and row.holder:
            question = _("Free this callback? {name} loses it.").format(name=row.holder)
            self.confirm(question, lambda: self.write(take_over, row.callback_id))


def _ready_first(entry: tuple[str, int]) -> tuple[bool, str]:
    return entry[0] != "ready", entry[0]


def _row(row: QueueRow) -> Row:
    now = Cell(row.why_not, "muted") if row.why_not else Cell(_("may be rung now"), "accent")
    place = Cell(f"!{row.position}", "warn") if row.tier == 0 else str(row.position)
    more = f" +{len(row.about) - 1}" if len(row.about) > 1 else ""
    return Row(str(row.callback_id), (place, row.patient, (row.about or ("",))[0] + more, row.priority or "·", now))
