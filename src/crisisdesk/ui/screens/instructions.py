"""Instructions: what agents read out to callers, in force by site; the next version."""

from collections.abc import Iterable, Sequence
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from crisisdesk.desk.instructions import InstructionForm, InstructionText, issue_instruction, list_instructions
from crisisdesk.i18n import N_, _
from crisisdesk.ui.format import show_moment
from crisisdesk.ui.inert import inert
from crisisdesk.ui.widgets.choices import Choice
from crisisdesk.ui.widgets.form import ChoiceField, Field, Form
from crisisdesk.ui.widgets.frame import DeskScreen
from crisisdesk.ui.widgets.table import Cell, Column, DeskTable, Row


class InstructionsScreen(DeskScreen):
    """The instructions in force, and their history."""

    HEADING = N_("Instructions")
    HELP = N_(
        "What is read out to callers now. The most specific one is shown in a call: one for the topic goes before "
        "one for the service, that before one for the site. A new version replaces the marked one from now on; calls "
        "keep which version was read out."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n", "issue", N_("new version (supervisor)")),
        Binding("h", "history", N_("history")),
        Binding("escape", "leave_form", N_("leave the form"), priority=True),
    ]
    DEFAULT_CSS = """
    InstructionsScreen #list { height: 1fr; min-height: 5; }
    InstructionsScreen #words { height: auto; max-height: 8; }
    InstructionsScreen #form { height: auto; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._found: dict[str, InstructionText] = {}
        self._with_history = False

    def compose_work(self) -> Iterable[Widget]:
        """The list, the words of the marked one, the form."""
        columns = (
            Column("site", _("Site"), 14), Column("topic", _("Topic"), 18), Column("since", _("Since"), 16),
            Column("version", _("Ver."), 4, right=True), Column("words", _("Words"), 0),
        )  # fmt: skip
        yield DeskTable(columns, empty=_("No instruction is in force. n issues one."), id="list")
        yield Static(id="words")
        yield Vertical(id="form")

    def on_mount(self) -> None:
        """Read them."""
        self.site_changed()

    def site_changed(self) -> None:
        """Those of another site, with those of all sites."""
        where = self.session.site_name(self.site) or _("all sites")
        self.heading(_("Instructions · {site}").format(site=where))
        self.refresh_from_store()

    def refresh_from_store(self) -> None:
        """What others issued."""
        self.read(
            list_instructions, site_id=self.site, history=self._with_history, then=self._show, group="instructions",
            hold_keys=True,
        )  # fmt: skip

    def action_history(self) -> None:
        """Also earlier and coming ones; again: only those in force."""
        self._with_history = not self._with_history
        self.status(_("with history") if self._with_history else "")
        self.refresh_from_store()

    def _show(self, found: Sequence[InstructionText]) -> None:
        self._found = {str(one.instruction_id): one for one in found}
        self.query_one("#list", DeskTable).show([self._row(one) for one in found])
        self.moved()

    def _row(self, one: InstructionText) -> Row:
        site = self.session.site_name(one.site_id) or _("all sites")
        topic = self.session.label("topic", one.topic) if one.topic else ""
        is_over = one.valid_until is not None and one.valid_until <= self.session.now()
        words = Cell(one.words, "muted" if is_over else "")
        return Row(
            str(one.instruction_id), (site, topic, show_moment(one.valid_from, self.session), str(one.version), words)
        )

    def _current(self) -> InstructionText | None:
        return self._found.get(self.query_one("#list", DeskTable).current_id or "")

    @on(DeskTable.Moved, "#list")
    def moved(self) -> None:
        """The whole text of the marked one."""
        one = self._current()
        parts: list[Content | str] = []
        if one is not None:
            head = _("issued by {name}, {since}").format(
                name=one.issued_by, since=show_moment(one.valid_from, self.session)
            )
            if one.valid_until is not None:
                head += _(", until {until}").format(until=show_moment(one.valid_until, self.session))
            parts = [inert(head, tone="$text-muted"), "\n", inert(one.words, 800, tone="bold")]
        self.query_one("#words", Static).update(Content.assemble(*parts))

    def action_issue(self) -> None:
        """The form of a new version; it starts from the marked one."""
        if self.query(Form):
            return
        one = self._current()
        reference = self.session.reference
        sites = [Choice("all", _("all sites"), "*"), *(Choice(s.site_id, s.name) for s in reference.sites.values())]
        topics = [Choice("", _("any topic"), "*")]
        topics += [Choice(t.code, self.session.label("topic", t.code), t.key) for t in reference.topics.values()]
        fields = (
            ChoiceField("site", _("Site"), sites, code=(one.site_id if one else self.site) or "all"),
            ChoiceField("topic", _("Topic"), topics, code=(one.topic if one else "") or ""),
            Field("words", _("To read out"), value=one.words if one else "", max_length=2000),
        )
        self.query_one("#form").mount(Form(*fields))
        self.call_after_refresh(fields[2].focus)
        self.say(_("Enter in the last field asks before it is issued. Esc leaves."))

    def action_leave_form(self) -> None:
        """Put the form away."""
        for form in self.query(Form):
            form.remove()
        self.query_one("#list").focus()

    @on(Form.Completed)
    def ask(self) -> None:
        """Issue it after a yes."""
        form, one = self.query_one(Form), self._current()
        values = form.values()
        if form.refuses_unclear():
            return
        if not values["site"]:
            self.warn(_("Choose a site, or all sites."))
            form["site"].focus()
            return
        site_id = None if values["site"] == "all" else values["site"]
        same_scope = one is not None and (one.site_id, one.topic or "") == (site_id, values["topic"])
        service_id = one.service_id if one is not None and same_scope else None
        issued = InstructionForm(values["words"], site_id, service_id, values["topic"] or None)
        self.confirm(
            _("Issue this instruction to all agents from now on?"),
            lambda: self.write(issue_instruction, issued, then=self._issued),
        )

    def _issued(self, _number: int) -> None:
        self.action_leave_form()
        self.done(_("Issued: agents see it now."))
        self.refresh_from_store()
