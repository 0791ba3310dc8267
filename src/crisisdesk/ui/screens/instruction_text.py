"""One instruction read whole, over a call or a card, in every language that it was given in."""

from collections.abc import Iterable
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from crisisdesk.desk.instructions import InstructionText
from crisisdesk.i18n import N_, _
from crisisdesk.ui.format import show_moment
from crisisdesk.ui.inert import inert
from crisisdesk.ui.widgets.frame import DeskScreen
from crisisdesk.ui.widgets.readout import LONGEST, in_languages


class InstructionTextScreen(DeskScreen):
    """Every word of one instruction."""

    HEADING = N_("Instruction")
    HELP = N_("The whole instruction, first in the caller's language. Esc goes back to where it is noted as read.")
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,ctrl+o", "app.back", N_("back"), priority=True),
        Binding("pagedown,down", "scroll(1)", N_("read on"), priority=True),
        Binding("pageup,up", "scroll(-1)", N_("page up"), show=False, priority=True),
    ]

    def __init__(self, one: InstructionText, language: str = "") -> None:
        super().__init__()
        self._one, self._language = one, language

    def compose_work(self) -> Iterable[Widget]:
        """The words, one language below the other."""
        with VerticalScroll(id="whole", can_focus=False):
            yield Static(id="words")

    def on_mount(self) -> None:
        """Show them."""
        one, session = self._one, self.session
        where = session.site_name(one.site_id) or _("all sites")
        since = show_moment(one.valid_from, session)
        words = _("Instruction v{version} · {site} · since {since}")
        self.heading(words.format(version=one.version, site=where, since=since))
        texts = dict(in_languages(one, self._language, session))
        texts |= {session.reference.desk.languages[0]: one.words, **one.translations} | texts
        parts: list[Content] = []
        for language, said in texts.items():
            parts += [inert(session.label("language", language), tone="bold"), inert(said, LONGEST), Content("")]
        self.query_one("#words", Static).update(Content("\n").join(parts))

    def action_scroll(self, pages: int) -> None:
        """Read on."""
        self.query_one("#whole").scroll_relative(y=pages * 6, animate=False)
