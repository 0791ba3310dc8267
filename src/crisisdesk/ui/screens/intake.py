"""Intake: an inbound call from the first ring to the reference that is read out."""

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.widget import Widget
from textual.widgets import Input

from crisisdesk.desk.intake import CallForm, FormRefused, RecordedCall, record_call
from crisisdesk.domain.words import WorkState
from crisisdesk.errors import CrisisDeskError
from crisisdesk.i18n import N_, _
from crisisdesk.ui.autosave import Autosave
from crisisdesk.ui.format import show_moment, show_since
from crisisdesk.ui.widgets.callfields import FIELD_OF, PERSON_FIELDS, CallEntry, Links, call_fields, read_form
from crisisdesk.ui.widgets.callpanels import FlagLine, SpokenPanel, WayOutPanel, ask_quick, remark_on
from crisisdesk.ui.widgets.frame import DeskScreen
from crisisdesk.ui.widgets.matchpane import MatchTable
from crisisdesk.ui.widgets.readout import InstructionPanel
from crisisdesk.ui.widgets.storescreen import tell

if TYPE_CHECKING:
    from crisisdesk.desk.drafts import Draft


class IntakeScreen(DeskScreen):
    """The call form to the left, who may be meant to the right, the instruction below."""

    HEADING = N_("Incoming call")
    HELP = N_(
        "Type what you hear, in any order; people who may be meant show to the right. ^L goes there to link them. "
        "F9 notes a red flag and shows the way out. F10 ends the linked patients' callbacks with this call. "
        "F12 notes that the instruction was read out, ^O shows all of it. ^S saves and gives the reference. F5 ends a "
        "call that was none. "
        "^Y says that you ring back yourself, at the moment agreed. "
        "^T opens the fields of a paper slip (number, taken by, when) and of an appointment (service, doctor)."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s", "save", N_("save"), priority=True),
        Binding("ctrl+l", "to('matches')", N_("link"), priority=True),
        Binding("f9", "flag", N_("red flag"), priority=True),
        Binding("f5", "no_call", N_("not a call"), priority=True),
        Binding("ctrl+n", "to('note')", N_("note"), priority=True),
        Binding("escape", "put_aside", N_("put aside"), show=True),
        Binding("f10", "settle", N_("end the callback"), priority=True, show=False),
        Binding("ctrl+y", "in_person", N_("I ring back myself"), priority=True, show=False),
        Binding("f12", "instruction('read')", N_("instruction read out"), priority=True, show=False),
        Binding("ctrl+o", "instruction('whole')", N_("the whole instruction"), priority=True, show=False),
        Binding("f11", "open_patient", N_("the person's file"), priority=True, show=False),
    ]
    VERTICAL_BREAKPOINTS = [(0, "-short"), (30, "-tall")]  # noqa: RUF012 - as the base class declares it
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (110, "-wide")]  # noqa: RUF012 - as the base class declares it
    DEFAULT_CSS = """
    IntakeScreen #call { width: 1fr; min-width: 46; max-height: 100%; }
    IntakeScreen #right { width: 32; }
    IntakeScreen.-wide #right { width: 52; }
    IntakeScreen.-short Field.-more, IntakeScreen Field.-slip { display: none; }
    IntakeScreen CallEntry.-more Field.-more, IntakeScreen CallEntry.-more Field.-slip { display: block; }
    """

    def __init__(
        self, draft: "Draft | None" = None, *, saved: RecordedCall | None = None, is_spoken: bool = True
    ) -> None:
        """A new form; nothing of an earlier call is in it.

        Args:
            draft: a call to go on with.
            saved: the call that was just stored; its reference is shown until the next one is typed.
            is_spoken: somebody is there to whom the reference can be read out.
        """
        super().__init__()
        self._is_spoken = is_spoken
        self._draft, self._last = draft, saved
        self._links = Links.from_texts(draft.fields) if draft else Links()
        self._started_at: datetime | None = draft.started_at if draft else None
        self._is_saving = False
        self._refused_alike: set[int] = set()

    def compose_work(self) -> Iterable[Widget]:
        """The form, the matches, the instruction."""
        with Horizontal(classes="columns"):
            fields = list(call_fields(self.session))
            place = next(at for at, field in enumerate(fields) if field.key == "words")
            self.flag_line = FlagLine(self._links, self.session)
            self.form = CallEntry(self._links, *fields[:place], self.flag_line, *fields[place:])
            yield self.form
            with Vertical(id="right", classes="pane"):
                yield SpokenPanel()
                yield WayOutPanel()
                self.matches = MatchTable(self._links, self.session)
                yield self.matches
                yield InstructionPanel(self._links.read_out)

    def on_mount(self) -> None:
        """A fresh form starts its clock; a draft comes back with all of its fields."""
        self.form.draft = self.autosave = Autosave(self, "call", self.form.texts, draft=self._draft)
        if self._draft:
            self.form.fill(self._draft.fields)
            remark_on(self.form, "wish", self.session, in_person=self._links.in_person)
            words = _("You go on with the call of {time}. Draft of {saved}, {age}.")
            started, saved = (show_moment(at, self.session) for at in (self._draft.started_at, self._draft.saved_at))
            self.say(words.format(time=started, saved=saved, age=show_since(self._draft.saved_at, self.session)))
        elif self._last is None:
            self._started_at = self.session.now()
            if self.site:
                self.form.choice("site").code = self.site
        self.flag_line.show(self.form.choice("site").code)
        if self._last:
            if self._is_spoken:
                self.query_one(SpokenPanel).show_call(self._last)
            words = _("Call {reference} saved.").format(reference=self._last.reference)
            self.done(" ".join((words, *self._last.warnings)))
        self.matches.search(self, self.form)
        self.refresh_from_store()
        self.form["phone"].focus()

    def refresh_from_store(self) -> None:
        """Another instruction may be in force: issued by somebody, or because its time has come."""
        self.query_one(InstructionPanel).read_for(self, self.form)

    # ------------------------------------------------------------ what is typed

    @on(Input.Changed)
    def typed(self, event: Input.Changed) -> None:
        """The search follows the person's fields; the other fields are read as one types."""
        name = event.input.id or ""
        if self._started_at is None and event.value:
            self._started_at = self.session.now()
        if event.value:  # how it ends is said when it has ended
            self.desk_app.presence.enter(WorkState.WRAP_UP if self.form["disposition"].value else WorkState.CALL)
        if event.value and self._last:  # the reference of the last caller is not read out to this one
            self._last = None
            self.query_one(SpokenPanel).clear()
        if name in PERSON_FIELDS:
            self.matches.search(self, self.form)
        if name in {"site", "topic", "language"}:
            self.refresh_from_store()
            self.flag_line.show(self.form.choice("site").code)
        remark_on(self.form, name, self.session, in_person=self._links.in_person)

    # ------------------------------------------------------------ who is meant

    @on(MatchTable.Changed)
    def links_changed(self) -> None:
        """The heading names who is linked; the draft is stored at once."""
        names = ", ".join(self._links.patients.values())
        self.heading(_("Incoming call") + (f" · {names}" if names else ""))
        self.autosave.save()

    def action_to(self, where: str) -> None:
        """To the note for colleagues; or to the matches, and from there back to the form."""
        if where == "note":
            self.form["note"].focus()
        else:
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

    def action_instruction(self, what: str) -> None:
        """Note that the instruction on the screen was read to the caller, with its version; or show all of it."""
        panel = self.query_one(InstructionPanel)
        if what == "whole" and panel.open_whole():
            return
        if what == "read" and panel.toggle_read():
            self.autosave.save()
        else:
            self.warn(_("No instruction is in force here. Choose the hospital and the topic."))

    def action_in_person(self) -> None:
        """Promise to ring back in person, or take that back."""
        self._links.in_person = not self._links.in_person
        remark_on(self.form, "wish", self.session, in_person=self._links.in_person)
        self.autosave.save()
        said = _("You ring back yourself; when you are absent, anybody does.")
        self.say(said if self._links.in_person else _("Anybody rings back."))

    # ------------------------------------------------------------ the end

    def action_save(self) -> None:
        """Store the call; what is wrong is shown at its field."""
        if self.form.refuses_unclear():
            return
        alike = self.matches.provisional_alike()
        if alike is None or alike.patient_id in self._refused_alike:
            self._save()
            return

        def same() -> None:
            self.matches.link_person(alike)
            self._save()

        def other() -> None:
            self._refused_alike.add(alike.patient_id)
            self._save()

        question = _("Known from an earlier call: {name}. The same person?")
        self.confirm(question.format(name=alike.name or _("(no name)")), same, other)

    def _save(self) -> None:
        self._is_spoken = True
        now = self.session.now()
        self._send(
            read_form(self.form, self._links, uid=self.autosave.uid, started_at=self._started_at or now, now=now)
        )

    def action_no_call(self) -> None:
        """A call that was none: its code, and it is stored."""

        def send(code: str) -> None:
            now, phone = self.session.now(), self.form["phone"].value
            started, self._is_spoken = self._started_at or now, False
            self._send(CallForm(self.autosave.uid, started, code, ended_at=now, phone=phone, is_withheld=not phone))

        if self._links.patients or any(self.form[name].value for name in PERSON_FIELDS[1:]):
            question = _("Somebody is named here, and would not be kept. A call that was none?")
            self.confirm(question, lambda: ask_quick(self, send))
        else:
            ask_quick(self, send)

    def _send(self, form: CallForm) -> None:
        if self._is_saving:
            return
        self._is_saving = True
        self.autosave.wait()
        self.write(record_call, form, reference=self.session.reference, then=self._saved, failed=self._refused)

    def _saved(self, saved: RecordedCall) -> None:
        """A new screen for the next call: no field of this one can stay."""
        self.autosave.stop()
        self.app.switch_screen(IntakeScreen(saved=saved, is_spoken=self._is_spoken))

    def _refused(self, error: CrisisDeskError) -> None:
        self._is_saving = False
        self.autosave.go_on(error)
        if not isinstance(error, FormRefused):
            tell(self, error, self.action_save)
            return
        for mistake in reversed(error.mistakes):
            field = self.form[FIELD_OF.get(mistake.field, mistake.field)]
            field.remark(mistake.words.partition(":")[2].strip() or mistake.words, wrong=True)
            field.focus()
        self.warn(error.mistakes[0].words)

    def start_again(self) -> None:
        """F2 in a call: it is kept as a draft, and an empty form comes."""
        if self.form.texts():
            self.autosave.save()
            self.desk_app.presence.leave_call()
            self.app.switch_screen(IntakeScreen())

    def action_put_aside(self) -> None:
        """Leave; what was typed is kept as a draft."""
        self.autosave.save()
        self.desk_app.call_later(self.desk_app.action_back)
