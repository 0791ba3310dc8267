"""Queue: a site's callbacks in the order in which they are rung, each with why here and why not now."""

from collections.abc import Iterable
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from crisisdesk.desk.callbacks import (
    Explanation,
    NothingNow,
    Queue,
    QueueRow,
    explain,
    list_queue,
    take,
    take_next,
    take_over,
)
from crisisdesk.desk.cards import CallbackCard
from crisisdesk.desk.wording import moment_words, reason_words
from crisisdesk.i18n import N_, _
from crisisdesk.ui.format import show_phone
from crisisdesk.ui.inert import inert
from crisisdesk.ui.screens.deciding import DECIDABLE, DecidingPanel
from crisisdesk.ui.screens.dropping import DroppingPanel
from crisisdesk.ui.widgets.frame import DeskScreen
from crisisdesk.ui.widgets.table import Cell, Column, DeskTable, Row

WAITING_FOR_SOMEBODY = ("review", "number_search", "confirm_death")
FILTERS = ("", "ready", "broken", "held", "personal", "not_before", "not_released", *WAITING_FOR_SOMEBODY)
NONE_OPEN = N_("No open callback here. An import or a call makes one; F6 shows another site.")
LINES = 500
"""Lines that are read at most; the counts are of all."""


class QueueScreen(DeskScreen):
    """The open callbacks of one site."""

    HEADING = N_("Queue")
    HELP = N_(
        "The callbacks of one site in the order in which they are rung. Enter takes the first that may be rung now, "
        "never the same one for two agents. The two lines below the list say why the marked line stands where it "
        "stands, what keeps it out now, and what was promised. f shows one kind of lines only, the broken promises "
        "among them; h what waits for a person: a clinician, a number, the confirmation of a death; d writes down what "
        "the clinician decided. w tells every rule that keeps the marked line out, and when it passes. m shows what "
        "you did today."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "next", N_("next patient"), priority=True),
        Binding("o", "open", N_("open it")),
        Binding("t", "take", N_("ring it")),
        Binding("f", "filter('all')", N_("filter")),
        Binding("h", "filter('held')", N_("on hold")),
        Binding("w", "why", N_("why not now")),
        Binding("m", "app.go('mine')", N_("my attempts")),
        Binding("d", "decide", N_("clinician's decision"), show=False),
        Binding("f5", "again", N_("in true order"), priority=True),
        Binding("l", "let_go", N_("free it (supervisor)"), show=False),
    ]
    DEFAULT_CSS = """
    QueueScreen #counts { height: auto; min-height: 1; max-height: 2; color: $text-muted; }
    QueueScreen #why { height: 5; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._lines: dict[str, QueueRow] = {}
        self._only = ""
        self._deciding, self._dropping = DecidingPanel(), DroppingPanel()

    def compose_work(self) -> Iterable[Widget]:
        """Counts, the list, the reasons of the line under the cursor."""
        columns = (
            Column("place", _("No."), 4, right=True), Column("patient", _("Patient"), 18),
            Column("about", _("What was put off"), 0), Column("code", _("Code"), 8), Column("now", _("Now"), 24),
        )  # fmt: skip
        yield Static(id="counts")
        yield DeskTable(columns, empty=_(NONE_OPEN), id="queue")
        yield Static(id="why")
        yield self._deciding
        yield self._dropping

    def on_mount(self) -> None:
        """Choose a site where none is chosen, and read its queue."""
        if self.site is None:
            self.desk_app.presence.work_at(next(iter(self.session.sites), None))
        self.site_changed()

    def site_changed(self) -> None:
        """Another site: a fresh list."""
        self.heading(_("Queue · {site}").format(site=self.session.site_name(self.site)))
        self.read_afresh()

    def refresh_from_store(self) -> None:
        """What others changed, without moving lines under the cursor."""
        if self.site is not None:
            self.read(list_queue, self.site, limit=LINES, only=self._only, group="queue", then=self._show)

    def action_filter(self, kinds: str) -> None:
        """Show one kind of lines only, the next kind at each key; after the last one all of them again."""
        known = FILTERS if kinds == "all" else ("", *WAITING_FOR_SOMEBODY)
        self._only = known[(known.index(self._only) + 1) % len(known)] if self._only in known else known[1]
        self.read_afresh()

    def _show(self, queue: Queue) -> None:
        self._lines = {str(row.callback_id): row for row in queue.rows}
        table = self.query_one("#queue", DeskTable)
        nothing = _("No line of this kind. f: next filter, h: back to all.") if queue.only else _(NONE_OPEN)
        table.say_empty(nothing)
        counts = self.query_one("#counts", Static)
        # Another line of counts would move the list: its height is that of the last true order.
        counts.styles.height = "auto" if table.is_afresh else counts.size.height or "auto"
        table.take([_row(row) for row in queue.rows])
        self._show_counts(queue)

    def _show_counts(self, queue: Queue) -> None:
        words = [f"{reason_words(code)} {count}" for code, count in sorted(queue.counts.items(), key=_ready_first)]
        if queue.broken:
            words.insert(0, _("promises broken: {count}").format(count=queue.broken))
        for site_id, count in queue.mine_elsewhere.items():
            said = _("you promised to ring at {site}: {count}")
            words.insert(0, said.format(site=self.session.site_name(site_id), count=count))
        if queue.only:
            shown = _("only: {reason} (f), {hidden} hidden").format(
                reason=reason_words(queue.only), hidden=queue.hidden
            )
            words.insert(0, shown)
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
        notes = " · ".join(row.notes)
        lines = [
            Content.assemble((_("Why here  "), "$text-muted"), inert(row.why_here)),
            Content.assemble(
                (_("Now  "), "$text-muted"), inert(now, tone="bold $warning" if row.why_not else "bold $accent")
            ),
            *([inert(notes, tone="bold $warning")] if notes else ()),
            inert(" · ".join(facts), tone="$text-muted"),
        ]  # fmt: skip
        self.query_one("#why", Static).update(Content("\n").join(lines))

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

    def action_why(self) -> None:
        """Every rule that keeps the marked line out, in the message line."""

        def say(found: Explanation) -> None:
            words = "; ".join(found.why_not)
            if found.earliest is not None:
                at = moment_words(found.earliest, self.session.zone, self.session.now())
                words = _("{why}. May be rung from {moment}.").format(why=words, moment=at)
            if words:
                self.warn(words)
            else:
                self.say(_("Nothing keeps this line out: it may be rung now."))

        if (row := self._current()) is not None:
            self.read(explain, row.callback_id, then=say, group="why")

    def action_take(self) -> None:
        """Ring the patient of this line, out of turn."""
        if (row := self._current()) is not None:
            self.write(take, row.callback_id, then=self._taken)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """While the clinician's form is open, Enter belongs to its fields."""
        if not super().check_action(action, parameters):
            return False
        return action != "next" or not (self._deciding.is_asking or self._dropping.is_asking)

    def action_decide(self) -> None:
        """Ask what the clinician decided of the marked line."""
        row = self._current()
        if row is not None and (row.is_dropped or row.reason == "settled"):
            self._dropping.ask(row.callback_id, may_wait=row.is_dropped)
        elif row is None or row.reason not in DECIDABLE:
            self.warn(_("This line waits for no clinician. h shows those that do."))
        else:
            self._deciding.ask(row.callback_id)

    def action_let_go(self) -> None:
        """Free a callback that another agent holds."""
        row = self._current()
        if row is not None and row.holder:
            question = _("Free this callback? {name} loses it.").format(name=row.holder)
            self.confirm(question, lambda: self.write(take_over, row.callback_id, holder=row.holder))


def _ready_first(entry: tuple[str, int]) -> tuple[bool, str]:
    return entry[0] != "ready", entry[0]


def _row(row: QueueRow) -> Row:
    now = Cell(row.why_not, "muted") if row.why_not else Cell(_("may be rung now"), "accent")
    if row.is_broken:
        now = Cell(_("⚠ promised {window}").format(window=row.promised), "warn")
    elif row.promised and not row.why_not:
        now = Cell(_("promised {window}").format(window=row.promised), "accent")
    place = Cell(f"!{row.position}", "warn") if row.tier == 0 else str(row.position)
    more = f" +{len(row.about) - 1}" if len(row.about) > 1 else ""
    return Row(str(row.callback_id), (place, row.patient, (row.about or ("",))[0] + more, _code(row), now))


def _code(row: QueueRow) -> str | Cell:
    """The code, with the days left to its clinical limit where that is near or past."""
    if row.limit_days is None:
        return row.priority or "·"
    return Cell(_("{code} {days} d").format(code=row.priority or "·", days=row.limit_days), "warn")
