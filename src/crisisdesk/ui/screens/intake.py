"""Intake: an inbound call from the first ring to the reference that is read out."""

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.widget import Widget
from textual.widgets import Input

from crisisdesk.desk.instructions import instruction_in_force
from crisisdesk.desk.intake import CallForm, FormRefused, RecordedCall, record_call
from crisisdesk.desk.linking import MatchQuery, find_matches
from crisisdesk.domain.words import Scope
from crisisdesk.errors import CrisisDeskError
from crisisdesk.i18n import N_, _
from crisisdesk.ui.autosave import Autosave
from crisisdesk.ui.format import show_time
from crisisdesk.ui.widgets.callfields import FIELD_OF, PERSON_FIELDS, Links, call_fields, read_form
from crisisdesk.ui.widgets.callpanels import FlagLine, InstructionPanel, SpokenPanel, WayOutPanel, remark_on
from crisisdesk.ui.widgets.choices import Choice, ChoiceScreen
from crisisdesk.ui.widgets.form import Form
from crisisdesk.ui.widgets.frame import DeskScreen, tell
from crisisdesk.ui.widgets.matchpane import MatchTable

if TYPE_CHECKING:
    from crisisdesk.desk.drafts import Draft


class IntakeScreen(DeskScreen):
    """The call form to the left, who may be meant to the right, the instruction below."""

    HEADING = N_("Incoming call")
    HELP = N_(
        "Type what you hear, in any order; people who may be meant show to the right. ^L goes there to link them. "
        "F9 notes a red flag and shows the way out. F10 ends the linked patients' callbacks with this call. "
        "F12 notes that the instruction was read out. ^S saves and gives the reference. F5 ends a call that was none."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s", "save", N_("save"), priority=True),
        Binding("ctrl+l", "to_matches", N_("link"), priority=True),
        Binding("f9", "flag", N_("red flag"), priority=True),
        Binding("f5", "no_call", N_("not a call"), priority=True),
        Binding("ctrl+n", "app.focus('note')", N_("note"), priority=True),
        Binding("escape", "put_aside", N_("put aside"), show=True),
        Binding("f10", "settle", N_("end the callback"), priority=True, show=False),
        Binding("f12", "read_out", N_("instruction read out"), priority=True, show=False),
        Binding("f11", "open_patient", N_("the person's file"), priority=True, show=False),
    ]
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (110, "-wide")]  # noqa: RUF012 - as the base class declares it
    DEFAULT_CSS = """
    IntakeScreen #call { width: 1fr; min-width: 46; }
    IntakeScreen #right { width: 32; }
    IntakeScreen.-wide #right { width: 52; }
    """

    def __init__(self, draft: "Draft | None" = None, *, saved: RecordedCall | None = None) -> None:
        """A new form; nothing of an earlier call is in it.

        Args:
            draft: a call to go on with.
            saved: the call that was just stored; its reference is shown until the next one is stored.
        """
        super().__init__()
        self._draft, self._last = draft, saved
        self._links = Links.from_texts(draft.fields) if draft else Links()
        self._started_at: datetime | None = draft.started_at if draft else None
        self._is_saving = False

    def compose_work(self) -> Iterable[Widget]:
        """The form, the matches, the instruction."""
        with Horizontal(classes="columns"):
            fields = list(call_fields(self.session))
            place = next(at for at, field in enumerate(fields) if field.key == "words")
            self.flag_line = FlagLine(self._links, self.session)
            self.form = Form(*fields[:place], self.flag_line, *fields[place:], id="call")
            yield self.form
            with Vertical(id="right", classes="pane"):
                yield SpokenPanel()
                yield WayOutPanel()
                self.matches = MatchTable(self._links, self.session)
                yield self.matches
                yield InstructionPanel(self._links)

    def on_mount(self) -> None:
        """A fresh form starts its clock; a draft comes back with all of its fields."""
        uid = self._draft.uid if self._draft else None
        self.form.draft = self.autosave = Autosave(self, "call", self._texts, uid=uid)
        if self._draft:
            self.form.fill(self._draft.fields)
            self.say(
                _("You go on with the call of {time}.").format(time=show_time(self._draft.started_at, self.session))
            )
        elif self._last is None:
            self._started_at = self.session.now()
            if self.site:
                self.form.choice("site").code = self.site
        self.flag_line.show(self.form.choice("site").code)
        if self._last:
            self.query_one(SpokenPanel).show_call(self._last)
            words = _("Call {reference} saved.").format(reference=self._last.reference)
            self.done(" ".join((words, *self._last.warnings)))
        self._search()
        self._read_instruction()
        self.form["phone"].focus()

    def _texts(self) -> dict[str, str]:
        return self.form.texts() | self._links.texts() if self.form.texts() or self._links.patients else {}

    # ------------------------------------------------------------ what is typed

    @on(Input.Changed)
    def typed(self, event: Input.Changed) -> None:
        """The search follows the person's fields; the other fields are read as one types."""
        name = event.input.id or ""
        if self._started_at is None and event.value:
            self._started_at = self.session.now()
        if name in PERSON_FIELDS:
            self._search()
        if name in {"site", "topic"}:
            self._read_instruction()
            self.flag_line.show(self.form.choice("site").code)
        remark_on(self.form, name, self.session)

    # ------------------------------------------------------------ who is meant

    def _search(self) -> None:
        query = MatchQuery(**{name: self.form[name].value for name in PERSON_FIELDS})
        if not any(self.form[name].value.strip() for name in PERSON_FIELDS):
            self.matches.show_found(None)
            return
        self.read(find_matches, query, reference=self.session.reference, then=self.matches.show_found, group="matches")

    @on(MatchTable.Changed)
    def links_changed(self) -> None:
        """The heading names who is linked; the draft is stored at once."""
        names = ", ".join(self._links.patients.values())
        self.heading(_("Incoming call") + (f" · {names}" if names else ""))
        self.autosave.save()

    def action_to_matches(self) -> None:
        """To the matches; from there back to the form."""
        self.matches.enter_or_leave()

    def action_settle(self) -> None:
        """End every open callback of the linked patients with this call, or take that back."""
        self.matches.settle_all()

    def action_open_patient(self) -> None:
        """The file of the person under the cursor, else of the first one linked."""
        patient_id = self.matches.person_here()
        if patient_id is None:
            self.warn(_("No person is chosen. Go to the matches first (^L)."))
        else:
            self.desk_app.go("patient", patient_id=patient_id)

    # ------------------------------------------------------------ red flag, instruction, note

    def action_flag(self) -> None:
        """Note a red flag: which one, then the way out is shown large."""
        self.flag_line.ask(self.autosave.save)

    def _read_instruction(self) -> None:
        site, topic = self.form.choice("site").code, self.form.choice("topic").code
        pane = self.query_one(InstructionPanel)
        if site is None and topic is None:
            pane.show_instruction(None)
        else:
            self.read(instruction_in_force, site_id=site, topic=topic, then=pane.show_instruction, group="instruction")

    def action_read_out(self) -> None:
        """Note that the instruction in force was read to the caller, with its version."""
        if self.query_one(InstructionPanel).toggle_read():
            self.autosave.save()
        else:
            self.warn(_("No instruction is in force here. Choose the hospital and the topic."))

    # ------------------------------------------------------------ the end

    @on(Form.Completed)
    def completed(self) -> None:
        """Past the last field: say what is left to do."""
        self.say(_("^S saves the call."))

    def action_save(self) -> None:
        """Store the call; what is wrong is shown at its field."""
        now = self.session.now()
        self._send(
            read_form(self.form, self._links, uid=self.autosave.uid, started_at=self._started_at or now, now=now)
        )

    def action_no_call(self) -> None:
        """A call that was none: its code, and it is stored."""
        rows = [row for row in self.session.reference.dispositions_of(Scope.INBOUND) if row.is_quick]
        choices = [Choice(row.code, self.session.label("disposition.inbound", row.code), row.key) for row in rows]

        def picked(code: str | None) -> None:
            if code is not None:
                now, phone = self.session.now(), self.form["phone"].value
                started = self._started_at or now
                self._send(CallForm(self.autosave.uid, started, code, ended_at=now, phone=phone, is_withheld=not phone))

        self.app.push_screen(ChoiceScreen(_("Not a call"), choices), picked)

    def _send(self, form: CallForm) -> None:
        if self._is_saving:
            return
        self._is_saving = True
        self.write(record_call, form, reference=self.session.reference, then=self._saved, failed=self._refused)

    def _saved(self, saved: RecordedCall) -> None:
        """A new screen for the next call: no field of this one can stay."""
        self.autosave.stop()
        self.app.switch_screen(IntakeScreen(saved=saved))

    def _refused(self, error: CrisisDeskError) -> None:
        self._is_saving = False
        if not isinstance(error, FormRefused):
            tell(self, error, self.action_save)
            return
        for mistake in reversed(error.mistakes):
            field = self.form[FIELD_OF.get(mistake.field, mistake.field)]
            field.remark(mistake.words.partition(":")[2].strip() or mistake.words, wrong=True)
            field.focus()
        self.warn(error.mistakes[0].words)

    def action_put_aside(self) -> None:
        """Leave; what was typed is kept as a draft."""
        self.autosave.save()
        self.desk_app.call_later(self.desk_app.action_back)
