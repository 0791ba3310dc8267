"""Home: where an agent arrives. Sites and what waits there, drafts to go on with, and which key does what."""

from collections.abc import Iterable, Sequence
from textwrap import fill
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from crisisdesk.desk.home import SiteCount, count_sites
from crisisdesk.i18n import N_, _, ngettext
from crisisdesk.ui.format import show_moment, show_since
from crisisdesk.ui.places import PLACES, is_there
from crisisdesk.ui.widgets.frame import DeskScreen
from crisisdesk.ui.widgets.storescreen import TRUE_ORDER
from crisisdesk.ui.widgets.table import Cell, Column, DeskTable, Row

if TYPE_CHECKING:
    from crisisdesk.desk.drafts import Draft

DRAFT_SCREENS = {"call": "intake", "attempt": "callback"}
"""Which screen goes on with a draft of a kind; it is made with ``draft=`` the draft."""
NOT_SHOWN = frozenset({"niss", "callback_id", "disposition"})
"""Fields of a draft that its line does not show."""


class HomeScreen(DeskScreen):
    """Sites with what waits, drafts to go on with, the keys."""

    HEADING = N_("Home screen")
    HELP = N_(
        "Each line is a site with the callbacks that may be rung now and all that are open. Enter opens its queue. "
        "Below are your drafts, calls that were not finished: Tab goes there, Enter goes on with one."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        TRUE_ORDER,
        *(
            Binding(place.letter, f"app.go('{name}')", place.words, show=False)
            for name, place in PLACES.items()
            if place.letter
        ),
    ]
    DEFAULT_CSS = """
    HomeScreen #drafts { height: 5; }
    HomeScreen #ways { height: auto; }
    """

    def compose_work(self) -> Iterable[Widget]:
        """Sites, drafts, ways on."""
        sites = (
            Column("site", _("Site"), 0), Column("now", _("To ring now"), 14, right=True),
            Column("open", _("Open callbacks"), 18, right=True),
        )  # fmt: skip
        yield DeskTable(sites, empty=_("No site yet. A supervisor makes the desk with: crisisdesk init"), id="sites")
        yield Static(Content(_("Drafts to go on with")), classes="accent line")
        drafts = (Column("when", "", 14), Column("age", "", 13), Column("what", "", 0))
        empty = _("None. What you type is kept here if the line drops.")
        yield DeskTable(drafts, empty=empty, header=False, id="drafts")
        ways = [f"{place.letter} {_(place.words)}" for name, place in PLACES.items() if place.letter and is_there(name)]
        ways = [way.replace(" ", "\N{NO-BREAK SPACE}") for way in (_("F2 new call"), _("F7 queue"), *ways)]  # whole
        lines = fill(" · ".join(ways), self.app.size.width - 2, break_on_hyphens=False)
        yield Static(Content(lines), id="ways", classes="muted")

    def on_mount(self) -> None:
        """Fill the lists. While drafts are shown, their ages follow by the minute."""
        self.drafts: dict[str, Draft] = {}
        self.set_interval(60, self._grow_older)
        if (mine := len(self.session.agent.sites)) and mine < (count := len(self.session.reference.sites)):
            self.heading(_("Home screen · your sites, {mine} of {count}").format(mine=mine, count=count))
        self.read_afresh()

    def on_screen_resume(self) -> None:
        """The drafts that one comes back to are one's own: no news."""
        self.query_one("#drafts", DeskTable).afresh()

    def refresh_from_store(self) -> None:
        """Read both lists again; lines keep their place."""
        from crisisdesk.desk.drafts import list_drafts

        self.read(count_sites, then=self._show_sites, group="sites")
        self.read(list_drafts, then=self._show_drafts, group="drafts")

    def _show_sites(self, counts: Sequence[SiteCount]) -> None:
        self.query_one("#sites", DeskTable).take([
            Row(line.site_id, (
                self.session.site_name(line.site_id),
                Cell(str(line.ringable), "accent" if line.ringable else "muted"),
                str(line.open),
            )) for line in counts if line.site_id in self.session.sites
        ])  # fmt: skip

    def _show_drafts(self, drafts: "Sequence[Draft]") -> None:
        self.drafts = {draft.uid: draft for draft in drafts}
        self._show_ages()
        count = len(drafts)
        words = ngettext("{count} draft to go on with", "{count} drafts to go on with", count)
        self.status(words.format(count=count) if count else "")

    def _grow_older(self) -> None:
        if self.drafts and self.is_current:
            self._show_ages()

    def _show_ages(self) -> None:
        """The drafts with their ages, which grow."""
        self.query_one("#drafts", DeskTable).take([
            Row(draft.uid, (
                show_moment(draft.saved_at, self.session), Cell(show_since(draft.saved_at, self.session), "muted"),
                _said(draft),
            )) for draft in self.drafts.values()
        ])  # fmt: skip

    @on(DeskTable.Chosen, "#sites")
    def open_queue(self, event: DeskTable.Chosen) -> None:
        """Enter on a site: its queue."""
        self.desk_app.presence.work_at(event.row_id)
        self.desk_app.go("queue")

    @on(DeskTable.Chosen, "#drafts")
    def go_on(self, event: DeskTable.Chosen) -> None:
        """Enter on a draft: the screen it came from, with its fields as they were."""
        draft = self.drafts[event.row_id]
        self.desk_app.go(DRAFT_SCREENS.get(draft.kind, "intake"), draft=draft)


def _said(draft: "Draft") -> str:
    """What people typed, but no national number: it is masked in its field too. Names with an underscore, and codes,
    are the program's own."""
    fields = draft.fields
    late = [_("of another session")] if draft.late_of else []
    about = [_("Callback {number}").format(number=fields["callback_id"])] if "callback_id" in fields else []
    typed = [text for name, text in fields.items() if not name.startswith("_") and name not in NOT_SHOWN]
    return " · ".join([*late, *about, *typed])
