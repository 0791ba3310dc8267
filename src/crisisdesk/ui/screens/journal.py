"""The journal: what happened at the desk, newest first, verified on a key."""

import json
from collections.abc import Iterable, Sequence
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from crisisdesk import clock
from crisisdesk.i18n import N_, _, labelled, ngettext
from crisisdesk.reports.journal import JournalEntry, Verdict, journal_entries, journal_head, verify_journal
from crisisdesk.ui.format import show_date, show_moment, show_time_seconds
from crisisdesk.ui.inert import inert
from crisisdesk.ui.widgets.frame import DeskScreen
from crisisdesk.ui.widgets.journalwords import action_words
from crisisdesk.ui.widgets.table import Column, DeskTable, Row

PAGE = 200


class JournalScreen(DeskScreen):
    """Entries above, the one under the cursor in full below."""

    HEADING = N_("Journal")
    HELP = N_(
        "Every change, read of a file and export, newest first. Nobody can change or remove an entry; v checks that "
        "nobody did by other means. Below stands the entry under the cursor, with old and new values. "
        "At the last line older entries are fetched."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("v", "verify", N_("verify")),
        Binding("s", "same_subject", N_("this subject only")),
        Binding("a", "everything", N_("everything")),
        Binding("f5", "again", N_("refresh"), priority=True),
    ]
    DEFAULT_CSS = """
    JournalScreen #entries { height: 1fr; }
    JournalScreen #entry-scroll { height: 8; border-top: solid $rule; }
    JournalScreen #entry { height: auto; }
    """

    def __init__(self, subject: str = "") -> None:
        """Show everything, one kind of subject ("call"), or one subject ("patient:12")."""
        super().__init__()
        self._subject = subject
        self._entries: dict[str, JournalEntry] = {}
        self._head: tuple[int, str] | None = None
        self._is_reading = False

    def compose_work(self) -> Iterable[Widget]:
        """The list and the entry."""
        columns = (
            Column("seq", _("Number"), 7, right=True), Column("when", _("Entered"), 16),
            Column("agent", _("Agent"), 12), Column("action", _("Action"), 22), Column("subject", _("Subject"), 0),
        )  # fmt: skip
        yield DeskTable(columns, empty=_("Nothing was noted yet."), id="entries")
        with VerticalScroll(id="entry-scroll", can_focus=False):
            yield Static(Content(""), id="entry")

    def on_mount(self) -> None:
        """Read the newest entries."""
        self.action_again()

    def refresh_from_store(self) -> None:
        """Lines stay where they are; say that there are newer ones."""
        self.read(journal_head, then=self._compare, group="head")

    def _compare(self, head: tuple[int, str]) -> None:
        if self._head is not None and self._head != head:
            count = head[0] - self._head[0]
            self.status(ngettext("{count} newer entry: F5", "{count} newer entries: F5", count).format(count=count))
        self._head = self._head or head

    def action_again(self) -> None:
        """Read from the newest entry on."""
        self._head = None
        self.refresh_from_store()
        self.status(_("only {subject} · a shows everything").format(subject=self._subject) if self._subject else "")
        self._read(None)

    def _read(self, before: int | None) -> None:
        self._is_reading = True

        def show(found: Sequence[JournalEntry]) -> None:
            self._is_reading = False
            known = self._entries if before is not None else {}
            self._entries = {**known, **{str(entry.seq): entry for entry in found}}
            table = self.query_one("#entries", DeskTable)
            table.show([self._row(entry) for entry in self._entries.values()])
            self._show_entry(table.current_id)

        self.read(journal_entries, before=before, subject=self._subject, limit=PAGE, then=show, group="journal")

    def _row(self, entry: JournalEntry) -> Row:
        when = show_moment(entry.entered_at, self.session)
        subject = f"{entry.subject} {entry.subject_id}"
        return Row(str(entry.seq), (str(entry.seq), when, entry.agent, action_words(entry.action), subject))

    @on(DeskTable.Moved, "#entries")
    def moved(self, event: DeskTable.Moved) -> None:
        """Show the entry; at the last line fetch older ones."""
        self._show_entry(event.row_id)
        last = min((entry.seq for entry in self._entries.values()), default=1)
        if event.row_id == str(last) and last > 1 and not self._is_reading:
            self._read(last)

    def _show_entry(self, row_id: str | None) -> None:
        entry = self._entries.get(row_id or "")
        lines = self._lines(entry) if entry else []
        content = Content("\n").join([inert(line, 400) for line in lines])
        self.query_one("#entry", Static).update(content)

    def _lines(self, entry: JournalEntry) -> list[str]:
        when, happened = (
            f"{show_date(clock.local_day(instant, self.session.zone))} {show_time_seconds(instant, self.session)}"
            for instant in (entry.entered_at, entry.happened_at)
        )
        first = _("Entry {seq} · {agent} · {action} · {subject} {subject_id}").format(
            seq=entry.seq, agent=entry.agent, action=entry.action, subject=entry.subject, subject_id=entry.subject_id
        )
        if (words := action_words(entry.action)) != entry.action:
            first = f"{first} · {words}"
        times = _("happened {happened} · entered {entered}").format(happened=happened, entered=when)
        return [first, times, *(labelled(name, _change(value)) for name, value in entry.detail.items()), entry.hash]

    def action_same_subject(self) -> None:
        """Only what concerns the subject under the cursor."""
        entry = self._entries.get(self.query_one("#entries", DeskTable).current_id or "")
        if entry:
            self._subject = f"{entry.subject}:{entry.subject_id}"
            self.action_again()

    def action_everything(self) -> None:
        """All subjects again."""
        self._subject = ""
        self.action_again()

    def action_verify(self) -> None:
        """Check the whole chain."""
        self.say(_("Verifying every entry ..."))
        self.read(verify_journal, then=self._verified, group="verify")

    def _verified(self, verdict: Verdict) -> None:
        if verdict.first_fault is None:
            words = _("The journal is whole: {count} entries. Head: {head}")
            self.done(words.format(count=verdict.entries, head=f"{verdict.entries}:{verdict.head}"))
        else:
            self.warn(_("The journal was tampered with: {why}. Keep this file as it is.").format(why=verdict.why))


def _change(value: object) -> str:
    """A value as text; a change as "old → new"."""
    if isinstance(value, list) and len(value) == 2:
        old, new = (_text(part) for part in value)
        return f"{old} → {new}"
    return _text(value)


def _text(value: object) -> str:
    if value is None or value == "":
        return "–"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
