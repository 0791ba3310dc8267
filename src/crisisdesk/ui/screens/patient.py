"""Patient: everything about one person, oldest to newest; numbers, corrections, likenesses, a death to confirm."""

from collections.abc import Iterable
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from crisisdesk.desk.linking import why_not_now
from crisisdesk.desk.patients import (
    add_phone,
    confirm_death,
    mark_phone_wrong,
    merge_patients,
    open_patient,
    refuse_likeness,
    report_death,
    split_patients,
)
from crisisdesk.domain.person import Event, EventKind, PatientFile, mask_national_number
from crisisdesk.i18n import N_, _, ngettext
from crisisdesk.ui.format import show_age, show_date, show_moment, show_phone
from crisisdesk.ui.inert import inert
from crisisdesk.ui.session import Session
from crisisdesk.ui.widgets.form import Field, Form
from crisisdesk.ui.widgets.frame import DeskScreen
from crisisdesk.ui.widgets.table import Cell, Column, DeskTable, Row

_EVENTS = {
    EventKind.CALL: N_("call"),
    EventKind.ATTEMPT: N_("attempt"),
    EventKind.CALLBACK_MADE: N_("callback made"),
    EventKind.CALLBACK_RELEASED: N_("callback released"),
    EventKind.CALLBACK_CLOSED: N_("callback closed"),
    EventKind.BOOKED: N_("date given"),
    EventKind.BOOKING_WITHDRAWN: N_("date withdrawn"),
    EventKind.CHANGED: N_("changed"),
}


class PatientScreen(DeskScreen):
    """One person's file."""

    HEADING = N_("Patient")
    HELP = N_(
        "Everything the desk knows about this person. Enter on a number marks it wrong or right, on a likeness merges "
        "the two records or parts them again, on a date shows all of its words. F9 reports a death; a second agent "
        "confirms it. That you opened this file is written in the journal."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f10", "add_phone", N_("add a number"), priority=True),
        Binding("f11", "refuse", N_("two persons"), priority=True),
        Binding("f9", "death", N_("death"), priority=True),
        Binding("f5", "reload", N_("read again"), priority=True),
        Binding("escape", "app.back", N_("back"), show=False),
    ]
    DEFAULT_CSS = """
    PatientScreen #who { height: auto; max-height: 4; }
    PatientScreen #facts { height: 1fr; min-height: 6; }
    PatientScreen #events { height: 1fr; }
    PatientScreen #number { display: none; }
    PatientScreen #number.-shown { display: block; }
    """

    def __init__(self, patient_id: int = 0) -> None:
        super().__init__()
        self._patient_id = patient_id
        self._file: PatientFile | None = None

    def compose_work(self) -> Iterable[Widget]:
        """Who; numbers, postponements, callbacks and likenesses; what happened."""
        yield Static(id="who")
        yield Form(
            Field("phone", _("New number"), max_length=60, help=_("A number, then a comment if need be.")), id="number"
        )
        facts = (Column("what", _("What"), 14), Column("words", _("Numbers, postponements, callbacks"), 0))
        yield DeskTable(facts, empty=_("Nothing is known yet."), id="facts")
        events = (Column("at", _("When"), 12), Column("what", _("What"), 17), Column("words", _("Said and done"), 0))
        yield DeskTable(events, empty=_("Nothing has happened yet."), id="events")

    def on_mount(self) -> None:
        """Read the file."""
        self.query_one("#facts").focus()
        self.action_reload()

    def action_reload(self) -> None:
        """Read the file again; each read is journalled, so that it is not read at every change of others."""
        self.write(open_patient, self._patient_id, then=self._show, hold_keys=True)

    def _show(self, file: PatientFile) -> None:
        self._file = file
        self.heading(_("Patient") + f" {file.patient_id} · {file.name or _('(no name)')}")
        self.query_one("#who", Static).update(_who(file, self.session))
        self.query_one("#facts", DeskTable).show([*_fact_rows(file, self.session)])
        self.query_one("#events", DeskTable).show([_event_row(event, self.session) for event in reversed(file.events)])

    @on(DeskTable.Chosen, "#facts")
    def chosen(self, event: DeskTable.Chosen) -> None:
        """Enter on a number or a likeness."""
        kind, _sep, rest = event.row_id.partition(":")
        if kind == "n" and self._file:
            line = next(line for line in self._file.phones if line.number == rest)
            is_wrong = line.found_wrong_at is None
            question = (
                _("Mark {number} as wrong? Nobody will ring it.") if is_wrong else _("Is {number} right after all?")
            )
            shown = show_phone(rest, self.session)
            self.confirm(question.format(number=shown), lambda: self._mark(rest, is_wrong))
        elif kind == "l":
            self._decide(int(rest))

    @on(DeskTable.Chosen, "#events")
    def told(self, event: DeskTable.Chosen) -> None:
        """Enter on what happened: all of its words."""
        row = next(row for row in event.table.rows if row.row_id == event.row_id)
        self.say(str(row.cells[-1]))

    def _mark(self, number: str, is_wrong: bool) -> None:
        self.write(
            mark_phone_wrong, self._patient_id, number, is_wrong=is_wrong, then=lambda _done: self.action_reload()
        )

    def _decide(self, likeness_id: int) -> None:
        file = self._file
        likeness = next((one for one in file.likenesses if one.likeness_id == likeness_id), None) if file else None
        if likeness is None:
            return
        if likeness.state == "merged":
            question = _("Part the two records again?")
            self.confirm(
                question, lambda: self.write(split_patients, likeness_id, then=lambda _done: self.action_reload())
            )
        else:
            question = _("Are {name} and this patient one person? It can be undone.").format(name=likeness.other_name)
            self.confirm(question, lambda: self._merge(likeness.other_id))

    def _merge(self, other_id: int) -> None:
        self.write(merge_patients, self._patient_id, other_id, then=self._merged)

    def _merged(self, standing_id: int) -> None:
        self._patient_id = standing_id
        self.action_reload()
        self.done(_("One person now. Enter on the likeness parts them again."))

    def action_refuse(self) -> None:
        """The likeness under the cursor is of two persons."""
        kind, _sep, number = (self.query_one("#facts", DeskTable).current_id or "").partition(":")
        if kind == "l":
            self.write(refuse_likeness, int(number), then=lambda _done: self.action_reload())
        else:
            self.warn(_("Put the cursor on a likeness first."))

    def action_add_phone(self) -> None:
        """A line for a new number; Enter stores it."""
        form = self.query_one("#number", Form)
        form.set_class(True, "-shown")
        form["phone"].focus()

    @on(Form.Completed)
    def phone_typed(self, event: Form.Completed) -> None:
        """Store the number that was typed."""
        text = event.form["phone"].value
        event.form["phone"].value = ""
        event.form.set_class(False, "-shown")
        self.query_one("#facts").focus()
        if text.strip():
            self.write(add_phone, self._patient_id, text, then=lambda _done: self.action_reload())

    def action_death(self) -> None:
        """Report a death, or confirm one that a colleague reported."""
        file = self._file
        if file is None or file.is_death_confirmed:
            self.warn(_("This death is confirmed already."))
        elif file.death_reported_at:
            question = _("Confirm that {name} has died? All callbacks close.").format(name=file.name)
            self.confirm(question, lambda: self.write(confirm_death, self._patient_id, then=self._stopped))
        else:
            question = _("Is {name} said to have died? All callbacks stop at once.").format(name=file.name)
            self.confirm(question, lambda: self.write(report_death, self._patient_id, then=self._stopped))

    def _stopped(self, stopped: list[int]) -> None:
        self.action_reload()
        count = len(stopped)
        words = ngettext(
            "{count} callback stopped. A second agent confirms.",
            "{count} callbacks stopped. A second agent confirms.",
            count,
        )
        self.done(words.format(count=count))


def _who(file: PatientFile, session: Session) -> Content:
    kind = session.reference.desk.national_number
    born = (
        f"{show_date(file.birth_on)} ({show_age(file.birth_on, session)})"
        if file.birth_on
        else _("birth date not known")
    )
    facts = [
        born,
        mask_national_number(file.niss, kind),
        file.town,
        session.label("language", file.language) if file.language else "",
    ]
    lines = [
        Content.assemble(
            inert(file.name or _("(no name)"), tone="bold"), "  ", inert(" · ".join(fact for fact in facts if fact))
        )
    ]
    if file.proof:
        lines.append(Content.assemble(_("Words agreed with the caller: "), inert(file.proof, tone="bold")))
    if file.is_provisional:
        lines.append(Content(_("Provisional: known from calls, on no list yet.")))
    if file.death_reported_at:
        words = (
            _("⚠ Death confirmed.") if file.is_death_confirmed else _("⚠ Death reported: a second agent confirms (F9).")
        )
        lines.append(Content.styled(words, "bold $warning"))
    return Content("\n").join(lines)


def _fact_rows(file: PatientFile, session: Session) -> Iterable[Row]:
    for line in file.phones:
        state = _("wrong") if line.found_wrong_at else _("guessed") if line.is_guessed else ""
        words = " · ".join(text for text in (show_phone(line.number, session), line.comment, state) if text)
        yield Row(f"n:{line.number}", (_("number"), Cell(words, "muted" if line.found_wrong_at else "strong")))
    for item in file.items:
        lists = ", ".join(f"{one.file} l. {one.line}" for one in file.listed.get(item.postponement_id, []))
        what = item.procedure or item.service_name or session.label("service_kind", item.kind or "")
        site, day = session.site_name(item.site_id), show_date(item.original_on)
        source = _("said by a caller") if item.is_reported else lists
        words = " · ".join(
            text for text in (what, site, day, item.priority or _("uncoded"), item.coverage.value, source) if text
        )
        yield Row(f"i:{item.postponement_id}", (_("postponement"), words))
    for callback in file.callbacks:
        words = why_not_now(callback, now=session.now(), zone=session.zone)
        yield Row(
            f"c:{callback.callback_id}",
            (_("callback"), Cell(f"{session.site_name(callback.site_id)} · {words}", "warn")),
        )
    for likeness in file.likenesses:
        state = {"merged": _("merged"), "refused": _("two persons"), "split": _("parted")}.get(
            likeness.state, _("same person?")
        )
        words = f"{state} · {likeness.other_name} {show_date(likeness.other_birth_on)} · {likeness.why}"
        yield Row(
            f"l:{likeness.likeness_id}",
            (_("likeness"), Cell(words, "warn" if likeness.state == "proposed" else "muted")),
        )


def _event_row(event: Event, session: Session) -> Row:
    scope = "disposition.attempt" if event.kind == EventKind.ATTEMPT else "disposition.inbound"
    ending = session.label(scope, event.code) if event.code else ""
    site = session.site_name(event.site_id)
    parts = (event.words, ending, site, event.agent, event.reference)
    words = " · ".join(text for text in parts if text)
    return Row(f"{event.kind.value}:{event.number}", (show_moment(event.at, session), _(_EVENTS[event.kind]), words))
