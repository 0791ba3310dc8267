"""What was sent to agents in the last 24 hours, and who has read it."""

from collections.abc import Iterable, Sequence
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from crisisdesk.desk.notices import Addressee, SentNotice, addressees, sent_notices
from crisisdesk.i18n import N_, _
from crisisdesk.ui.inert import inert
from crisisdesk.ui.widgets.frame import DeskScreen
from crisisdesk.ui.widgets.roomlines import reader_words, sent_columns, sent_row
from crisisdesk.ui.widgets.storescreen import TRUE_ORDER
from crisisdesk.ui.widgets.table import DeskTable


class SentScreen(DeskScreen):
    """Messages, instructions told, closings of the desk: the newest first."""

    HEADING = N_("The room · sent in the last 24 hours")
    HELP = N_(
        "Messages of supervisors, new instructions, closings of the desk. Each counts those it is for who have been "
        "signed in since, and how many of them have read it; below stand their names."
    )
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "app.back", N_("back"), priority=True), TRUE_ORDER]
    DEFAULT_CSS = """
    SentScreen #sent { height: 1fr; min-height: 5; }
    SentScreen #words { height: 6; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._sent: dict[str, SentNotice] = {}

    def compose_work(self) -> Iterable[Widget]:
        """The list, and the marked one with its readers."""
        empty = _("Nothing was sent in the last 24 hours. Esc: back, then m writes a message.")
        yield DeskTable(sent_columns(), empty=empty, id="sent")
        yield Static(id="words")

    def on_mount(self) -> None:
        """Read them."""
        self.read_afresh()

    def refresh_from_store(self) -> None:
        """What was sent and read since."""
        self.read(sent_notices, then=self._show, group="sent")

    def _show(self, found: Sequence[SentNotice]) -> None:
        self._sent = {str(one.notice_id): one for one in found}
        self.query_one("#sent", DeskTable).take([sent_row(one, self.session) for one in found])
        self.moved()

    @on(DeskTable.Moved, "#sent")
    def moved(self) -> None:
        """Who has read the marked one, and who has not."""
        notice = self._sent.get(self.query_one("#sent", DeskTable).current_id or "")
        if notice is None:
            self.query_one("#words", Static).update(Content(""))
            return

        def show(found: Sequence[Addressee]) -> None:
            read, missing = reader_words(found, self.session)
            lines = (inert(notice.words), Content.assemble((_("Read  "), "bold"), inert(read)),
                     Content.assemble((_("Not yet  "), "bold"), inert(missing)))  # fmt: skip
            self.query_one("#words", Static).update(Content("\n").join(lines))

        self.read(addressees, notice.notice_id, then=show, group="readers")
