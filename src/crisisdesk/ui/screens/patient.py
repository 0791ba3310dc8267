"""Patient: everything about one person, oldest to newest; corrections, numbers, likenesses, a death to confirm."""

from collections.abc import Iterable, Sequence
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.widget import Widget
from textual.widgets import Static

from crisisdesk.desk.diary import ToldLine, told_to_patient
from crisisdesk.desk.linking import confirm_reported, undo_reported
from crisisdesk.desk.newerfile import is_outdated
from crisisdesk.desk.patients import (
    mark_phone_wrong,
    merge_patients,
    open_patient,
    refuse_likeness,
    split_patients,
)
from crisisdesk.domain.person import PatientFile
from crisisdesk.i18n import N_, _
from crisisdesk.ui.format import show_phone
from crisisdesk.ui.widgets.bookingsteps import BookingPanel
from crisisdesk.ui.widgets.bothversions import BothVersions
from crisisdesk.ui.widgets.frame import DeskScreen
from crisisdesk.ui.widgets.patientbookings import BookingChoices, told_rows
from crisisdesk.ui.widgets.patientlines import event_row, fact_rows, who_lines
from crisisdesk.ui.widgets.patientsteps import Corrections, DeathSteps, EntryLine
from crisisdesk.ui.widgets.table import Column, DeskTable


class PatientScreen(DeskScreen):
    """One person's file."""

    HEADING = N_("Patient")
    HELP = N_(
        "Everything the desk knows about this person. Enter on a number marks it wrong or right, on a likeness merges "
        "the two records or parts them again, on what a caller told of ties it to a line of the list, on a date told "
        "cancels or moves it, on a postponement says which days suit, on what happened shows all of its words. F12 "
        "corrects a name, the birth date, the voicemail ...; what a colleague changed meanwhile is shown beside yours, "
        "and you choose. F9 reports a death; a second agent confirms or refutes it. "
        "That you opened this file is written in the journal."
    )
    AFTER_LOST_ANSWER = "action_reload"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f12", "correct", N_("correct"), priority=True),
        Binding("f10", "add_phone", N_("add a number"), priority=True),
        Binding("f11", "refuse", N_("two persons"), priority=True),
        Binding("f9", "death", N_("death"), priority=True),
        Binding("f5", "reload", N_("read again"), priority=True),
        Binding("escape", "leave", N_("back"), show=False),
    ]
    DEFAULT_CSS = """
    PatientScreen #who { height: auto; max-height: 4; }
    PatientScreen #facts { height: 1fr; min-height: 6; }
    PatientScreen #events { height: 1fr; }
    """

    def __init__(self, patient_id: int = 0) -> None:
        super().__init__()
        self.patient_id = patient_id
        self.file: PatientFile | None = None
        self.entry = EntryLine()
        self.versions = BothVersions()
        self._corrections, self._death = Corrections(self, self.entry, self.versions), DeathSteps(self, self.entry)
        self.panel = BookingPanel(self._stepped)
        self._booked = BookingChoices(self, self.entry, self.panel)

    def compose_work(self) -> Iterable[Widget]:
        """Who; numbers, postponements, callbacks and likenesses; what happened."""
        yield Static(id="who")
        yield self.entry
        yield self.versions
        facts = (Column("what", _("What"), 14), Column("words", _("Numbers, postponements, callbacks"), 0))
        yield DeskTable(facts, empty=_("Nothing is known yet."), id="facts")
        events = (Column("at", _("When"), 16), Column("what", _("What"), 17), Column("words", _("Said and done"), 0))
        yield DeskTable(events, empty=_("Nothing has happened yet."), id="events")
        yield self.panel

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """While two versions wait to be decided, no other step begins."""
        if not super().check_action(action, parameters):
            return False
        return not self.versions.is_asking or action not in ("correct", "add_phone", "refuse", "death")

    def on_mount(self) -> None:
        """Read the file."""
        self.query_one("#facts").focus()
        self.action_reload()

    def action_reload(self, _done: object = None) -> None:
        """Read the file again, after a write too; each read is journalled: it is not read at every change of others."""
        self.write(open_patient, self.patient_id, then=self._show, hold_keys=True)

    def refresh_from_store(self) -> None:
        """The file stands still; say that something happened to the patient since it was read."""
        if self.file is not None:
            self.read(
                is_outdated, self.file, group="newer",
                then=lambda is_newer: self.status(_("something newer: F5") if is_newer else ""),
            )  # fmt: skip

    def _show(self, file: PatientFile) -> None:
        self.file = file
        self.status("")
        self.heading(_("Patient") + f" {file.patient_id} · {file.name or _('(no name)')}")
        self.query_one("#who", Static).update(who_lines(file, self.session))
        self._show_facts()
        self.read(told_to_patient, file.patient_id, then=self._show_told, group="told")
        self.query_one("#events", DeskTable).show([event_row(event, self.session) for event in reversed(file.events)])

    def _show_told(self, lines: Sequence[ToldLine]) -> None:
        self._booked.show(lines)
        self._show_facts()

    def _show_facts(self) -> None:
        """What holds now first: the dates that were told."""
        if self.file is not None:
            told = told_rows(list(self._booked.told.values()), self.session)
            self.query_one("#facts", DeskTable).show([*told, *fact_rows(self.file, self.session)])

    def _stepped(self, words: str) -> None:
        self.query_one("#facts").focus()
        if words:
            self.done(words)
            self.action_reload()

    @on(DeskTable.Chosen, "#facts")
    def chosen(self, event: DeskTable.Chosen) -> None:
        """Enter on a number or a likeness."""
        kind, _sep, rest = event.row_id.partition(":")
        if kind == "n" and self.file:
            line = next(line for line in self.file.phones if line.number == rest)
            is_wrong = line.found_wrong_at is None
            question = (
                _("Mark {number} as wrong? Nobody will ring it.") if is_wrong else _("Is {number} right after all?")
            )
            shown = show_phone(rest, self.session)
            self.confirm(question.format(number=shown), lambda: self.write(
                mark_phone_wrong, self.patient_id, rest, is_wrong=is_wrong, then=self.action_reload))  # fmt: skip
        elif kind == "l":
            self._decide(int(rest))
        elif kind == "b":
            self._booked.choose_told(int(rest))
        elif kind == "i":
            self._booked.choose_asked(int(rest))
        elif kind == "r":
            told, listed = map(int, rest.split(":"))
            self.confirm(
                _("Is what the caller told of this line of the list?"),
                lambda: self.write(confirm_reported, told, listed, then=self.action_reload),
            )
        elif kind == "u":
            self.confirm(
                _("Take it back: are they two?"),
                lambda: self.write(undo_reported, int(rest), then=self.action_reload),
            )

    @on(DeskTable.Chosen, "#events")
    def told(self, event: DeskTable.Chosen) -> None:
        """Enter on what happened: all of its words."""
        row = next(row for row in event.table.rows if row.row_id == event.row_id)
        self.say(str(row.cells[-1]))

    def _decide(self, likeness_id: int) -> None:
        file = self.file
        likeness = next((one for one in file.likenesses if one.likeness_id == likeness_id), None) if file else None
        if likeness is None:
            return
        if likeness.state == "merged":
            question = _("Part the two records again?")
            self.confirm(question, lambda: self.write(split_patients, likeness_id, then=self.action_reload))
        else:
            question = _("Are {name} and this patient one person? It can be undone.").format(name=likeness.other_name)
            self.confirm(question, lambda: self._merge(likeness.other_id))

    def _merge(self, other_id: int) -> None:
        self.write(merge_patients, self.patient_id, other_id, then=self._merged)

    def _merged(self, standing_id: int) -> None:
        self.patient_id = standing_id
        self.action_reload()
        self.done(_("One person now. Enter on the likeness parts them again."))

    def action_refuse(self) -> None:
        """The likeness under the cursor is of two persons."""
        kind, _sep, number = (self.query_one("#facts", DeskTable).current_id or "").partition(":")
        if kind == "l":
            self.write(refuse_likeness, int(number), then=self.action_reload)
        else:
            self.warn(_("Put the cursor on a likeness first."))

    def action_leave(self) -> None:
        """Leave the line as it was; without one, leave the file."""
        if self.versions.close():
            return
        if self.panel.close():
            self._stepped("")
        elif not self.entry.close():
            self.desk_app.call_later(self.desk_app.action_back)

    def action_add_phone(self) -> None:
        """A line for a new number; Enter stores it."""
        self._corrections.add_phone()

    def action_correct(self) -> None:
        """Which field; then its new value, the old one standing there."""
        self._corrections.choose()

    def action_death(self) -> None:
        """Report a death; confirm or refute one that a colleague reported."""
        self._death.choose()
