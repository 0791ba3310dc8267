"""Lists from the hospitals: a file looked at and taken in, the imports so far, pairs of patients to decide on."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from crisisdesk.desk.importing.looking import list_imports, list_proposals, look_at
from crisisdesk.desk.importing.preparing import Options
from crisisdesk.desk.importing.report import ImportReport
from crisisdesk.desk.importing.running import import_files
from crisisdesk.desk.patients import merge_patients, refuse_likeness
from crisisdesk.domain.lists import FilePreview, ImportLine, ProposalLine
from crisisdesk.domain.rights import Right
from crisisdesk.domain.words import ServiceKind
from crisisdesk.i18n import N_, _, ngettext
from crisisdesk.ui.widgets.choices import Choice
from crisisdesk.ui.widgets.form import ChoiceField, Field, Form
from crisisdesk.ui.widgets.frame import DeskScreen
from crisisdesk.ui.widgets.listlines import (
    columns_help,
    history_columns,
    import_row,
    pair_columns,
    pair_lines,
    pair_row,
    preview_columns,
    preview_lines,
    preview_row,
    progress_line,
    read_columns,
)
from crisisdesk.ui.widgets.storescreen import TRUE_ORDER, may_begin
from crisisdesk.ui.widgets.table import DeskTable

HISTORY, PAIRS, PREVIEW = "history", "pairs", "preview"


class ListsScreen(DeskScreen):
    """Imports so far; a file before it is taken in; pairs of patients who may be one."""

    HEADING = N_("Lists from the hospitals")
    HELP = N_(
        "i takes in a list: type the path of the file, look at what was understood, then Ctrl+S. A file goes "
        "in whole or "
        "not at all, and a second time adds nothing. p shows pairs of patients who may be one person: y makes them one "
        "(it can be undone on the patient's screen), n keeps them apart. h shows the imports so far."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("i", "ask_file", N_("take in a list")),
        Binding("p", "show('pairs')", N_("pairs")),
        Binding("h", "show('history')", N_("imports")),
        Binding("y,o", "decide(True)", N_("one person")),
        Binding("n", "decide(False)", N_("two persons")),
        Binding("ctrl+s", "take_in", N_("take in"), priority=True),
        Binding("escape", "leave", N_("leave"), priority=True),
        TRUE_ORDER,
    ]
    DEFAULT_CSS = """
    ListsScreen #about { height: auto; max-height: 9; }
    ListsScreen DeskTable { height: 1fr; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._view = HISTORY
        self._pairs: dict[str, ProposalLine] = {}
        self._asked: tuple[Path, Options] | None = None
        self._seen: FilePreview | None = None
        self._is_working = False

    def compose_work(self) -> Iterable[Widget]:
        """The form of a file, what is said of the marked line, and one table for each view."""
        yield Static(id="about")
        yield DeskTable(history_columns(), empty=_("No list came in yet. i takes one in."), id=HISTORY)
        yield DeskTable(pair_columns(), empty=_("No pair waits for a decision. h shows the imports."), id=PAIRS)
        yield DeskTable(preview_columns(), empty=_("Nothing understood yet."), id=PREVIEW)

    def on_mount(self) -> None:
        """Begin with the imports so far."""
        self._show_view(HISTORY)
        self.refresh_from_store()

    def refresh_from_store(self) -> None:
        """What others took in or decided."""
        self.read(list_imports, then=self._show_history, group="imports")
        self.read(list_proposals, then=self._show_pairs, group="pairs")

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Keys that count only in their view; letters belong to the form while it is open."""
        if not super().check_action(action, parameters):
            return False
        if action == "decide":
            return self._view == PAIRS
        if action == "take_in":
            return self._view == PREVIEW and self._asked is not None and not self._is_working
        return True

    def _show_view(self, view: str) -> None:
        self._view = view
        for name in (HISTORY, PAIRS, PREVIEW):
            self.query_one(f"#{name}", DeskTable).display = name == view
        self.query_one("#about", Static).update(Content(""))
        headings = {HISTORY: _("Lists · imports so far"), PAIRS: _("Lists · pairs who may be one person"),
                    PREVIEW: _("Lists · a file before it is taken in")}  # fmt: skip
        self.heading(headings[view])
        if not self.query(Form):
            self.query_one(f"#{view}", DeskTable).focus()
        self.refresh_bindings()

    # ------------------------------------------------------------ imports so far

    def action_show(self, view: str) -> None:
        """The imports so far, or the pairs that wait for a decision."""
        self._show_view(view)
        if view == PAIRS:
            self.about_pair()

    def _show_history(self, found: Sequence[ImportLine]) -> None:
        self.query_one(f"#{HISTORY}", DeskTable).take([import_row(line, self.session) for line in found])

    # ------------------------------------------------------------ pairs

    def _show_pairs(self, found: Sequence[ProposalLine]) -> None:
        self._pairs = {str(line.likeness_id): line for line in found}
        self.query_one(f"#{PAIRS}", DeskTable).take([pair_row(key, pair) for key, pair in self._pairs.items()])
        words = ngettext("{count} pair to decide", "{count} pairs to decide", len(found))
        self.status(words.format(count=len(found)) if found else "")
        if self._view == PAIRS:
            self.about_pair()

    @on(DeskTable.Moved, f"#{PAIRS}")
    def about_pair(self) -> None:
        """Both records in full, one below the other, so that the eye compares them."""
        pair = self._pairs.get(self.query_one(f"#{PAIRS}", DeskTable).current_id or "")
        lines = pair_lines(pair, self.session) if pair and self._view == PAIRS else []
        self.query_one("#about", Static).update(Content("\n").join(lines))

    def _current_pair(self) -> ProposalLine | None:
        return self._pairs.get(self.query_one(f"#{PAIRS}", DeskTable).current_id or "")

    def action_decide(self, is_one: bool) -> None:
        """One person (asked once, undone on the patient's screen), or two (not proposed again)."""
        pair = self._current_pair()
        if pair is None:
            return
        if not is_one:
            self.write(refuse_likeness, pair.likeness_id, then=self._decided)
            return
        question = _("Are {one} and {other} one person?").format(one=pair.one.name, other=pair.other.name)
        self.confirm(question, lambda: self.write(
            merge_patients, pair.one.patient_id, pair.other.patient_id, why=" ".join(pair.why), then=self._decided,
        ))  # fmt: skip

    def _decided(self, _result: object) -> None:
        self.done(_("Decided."))
        self.read_afresh()

    # ------------------------------------------------------------ a file

    def action_ask_file(self) -> None:
        """The form of a file."""
        if self.query(Form) or not may_begin(self, Right.IMPORT):
            return
        sites = [Choice("", _("as the list says"), "*")]
        sites += [Choice(site.site_id, site.name) for site in self.session.reference.sites.values()]
        service_kinds = [Choice("", _("as the list says"), "*")]
        service_kinds += [Choice(kind.value, self.session.label("service_kind", kind.value)) for kind in ServiceKind]
        path = Field("path", _("File"), max_length=1000, help=_("Path on this host: CSV, XLSX, ODS or XLS."))
        encoding = Field("encoding", _("Letters"), width=12, help=_("Empty, or cp850 where accents look wrong."))
        columns = Field("columns", _("Columns"), max_length=1000, help=_(
            "Empty, or what a column is, by its header or its number: 1=planned date; 2=full name."))  # fmt: skip
        fields = (
            path,
            ChoiceField("site", _("Site"), sites, code=""),
            ChoiceField("kind", _("Kind"), service_kinds, code=""),
        )
        self.mount(Form(*fields, columns, encoding), before="#about")
        self.call_after_refresh(path.focus)
        self.say(_("Enter in the last field shows what was understood; nothing is written yet."))

    @on(Form.Completed)
    def look(self) -> None:
        """Read the file and show what was understood."""
        form = self.query_one(Form)
        values = form.values()
        if not values["path"]:
            self.warn(_("Type the path of the file."))
            return
        if form.refuses_unclear():
            return
        by_hand = read_columns(values["columns"])
        options = Options(values["site"] or None, values["kind"] or None, values["encoding"] or None, None, by_hand)
        self._asked = (Path(values["path"]).expanduser(), options)
        self.say(_("Reading ..."))
        self.read(look_at, *self._asked, then=self._show_preview, group="preview")

    def _show_preview(self, found: FilePreview) -> None:
        if found.refused:
            self._asked = None
            self.warn(_("{file} was refused: {why}").format(file=found.name, why=found.refused))
            self.query_one("#about", Static).update(columns_help())
            return
        self._seen = found
        self.query(Form).remove()
        self._show_view(PREVIEW)
        self.query_one(f"#{PREVIEW}", DeskTable).show([preview_row(row) for row in found.rows])
        self.query_one("#about", Static).update(Content("\n").join(preview_lines(found, self.session)))
        self.say(_("Ctrl+S takes it in, Esc leaves it."))

    def action_take_in(self) -> None:
        """Take the file in; asked first where its patients would be in no queue."""
        if self._asked is None or self._is_working:
            return
        path, options = self._asked

        def take_in() -> None:
            self._is_working = True
            self.refresh_bindings()
            self.write(
                import_files, [path], options, then=self._taken, failed=self._failed, hold_keys=False,
                progress=lambda name, done, total: self.call_later(self.say, progress_line(name, done, total)),
            )  # fmt: skip

        if self._seen is None or self._seen.is_placed:
            take_in()
        else:
            self.confirm(_("Nobody said which hospital: its patients would be in no queue. Take it in?"), take_in)

    def _failed(self, error: Exception) -> None:
        self._is_working = False
        self.refresh_bindings()
        self.warn(str(error))

    def _taken(self, report: ImportReport) -> None:
        self._is_working, self._asked = False, None
        entry = report.files[0]
        if entry["refused"]:
            self.warn(_("{file} was refused: {why}").format(file=entry["file"], why=entry["why"]))
            return
        changes = [row["change"] for row in report.rows]
        words = _("{file}: {added} added, {changed} changed, {missing} missing, {pairs} pairs to look at")
        self.done(words.format(
            file=entry["file"], added=changes.count("added"), changed=changes.count("changed"),
            missing=len(report.missing), pairs=len(report.proposals),
        ))  # fmt: skip
        self._show_view(HISTORY)
        self.read_afresh()

    def action_leave(self) -> None:
        """Leave the form, or the file that was looked at."""
        had_form = bool(self.query(Form))
        self.query(Form).remove()
        if not had_form or self._view == PREVIEW:
            self._asked = None
            self._show_view(HISTORY)
        self.query_one(f"#{self._view}", DeskTable).focus()
