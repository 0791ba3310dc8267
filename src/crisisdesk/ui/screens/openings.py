"""Openings: each service of a site, what is planned, what waits for it; plan, look ahead, confirm."""

from collections.abc import Callable, Iterable, Sequence
from datetime import date
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from crisisdesk import clock
from crisisdesk.desk.reopening import (
    OpeningForm,
    OpeningPreview,
    ServiceLine,
    check_change,
    confirm_opening,
    list_services,
    plan_opening,
    preview_opening,
    revise_opening,
    withdraw_opening,
)
from crisisdesk.desk.wording import state_words
from crisisdesk.domain.dates import read_typed_date
from crisisdesk.domain.words import OpeningStage, OpeningState
from crisisdesk.errors import RuleBroken
from crisisdesk.i18n import N_, _
from crisisdesk.ui.format import show_date, show_day
from crisisdesk.ui.inert import inert
from crisisdesk.ui.widgets.choices import Choice
from crisisdesk.ui.widgets.form import ChoiceField, Field, Form
from crisisdesk.ui.widgets.frame import DeskScreen
from crisisdesk.ui.widgets.table import Cell, Column, DeskTable, Row

QUESTIONS = {
    "plan": N_("Announce this plan?"),
    "revise": N_("Store this revision?"),
    "confirm": N_("Confirm, and release these callbacks?"),
}

STAGES = {"plan": OpeningStage.PLANNED, "revise": OpeningStage.REVISED, "confirm": OpeningStage.ACTUAL}
DEEDS: dict[str, Callable[..., OpeningPreview | int]] = {
    "plan": plan_opening,
    "revise": revise_opening,
    "confirm": confirm_opening,
}


class OpeningsScreen(DeskScreen):
    """Services with their state, plan and backlog."""

    HEADING = N_("Openings of services")
    HELP = N_(
        "Each line is a service: its state today, what is planned, the places a day, what it still owes, and how many "
        "callbacks are released or wait. A supervisor plans, revises and confirms; before anything is stored the lower "
        "part shows how many are released, who comes first and why, who stays, and who must be told again."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("c", "change('confirm')", N_("open / confirm")),
        Binding("p", "change('plan')", N_("plan")),
        Binding("r", "change('revise')", N_("revise")),
        Binding("w", "withdraw", N_("withdraw")),
        Binding("escape", "leave_form", N_("leave the form"), priority=True),
    ]
    DEFAULT_CSS = """
    OpeningsScreen #services { height: 1fr; min-height: 6; }
    OpeningsScreen #below { height: auto; max-height: 16; }
    OpeningsScreen #form { height: auto; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._lines: dict[str, ServiceLine] = {}
        self._what = ""

    def compose_work(self) -> Iterable[Widget]:
        """The list; below it the history of a line, a form, or what would follow."""
        columns = (
            Column("service", _("Service"), 0), Column("state", _("Today"), 12),
            Column("capacity", _("A day"), 5, right=True), Column("plan", _("Planned"), 12),
            Column("owed", _("Owed"), 5, right=True), Column("released", _("Rel."), 5, right=True),
            Column("waiting", _("Wait"), 5, right=True),
        )  # fmt: skip
        yield DeskTable(columns, empty=_("No service here: the reference data name them."), id="services")
        yield Static(id="below")
        yield Vertical(id="form")

    def on_mount(self) -> None:
        """Read the services."""
        self.site_changed()

    def site_changed(self) -> None:
        """Services of another site, or of all."""
        where = self.session.site_name(self.site) or _("all sites")
        self.heading(_("Openings of services · {site}").format(site=where))
        self.read(list_services, self.site, then=self._show, group="services", hold_keys=True)

    def refresh_from_store(self) -> None:
        """What others changed."""
        self.read(list_services, self.site, then=self._show, group="services")

    def _show(self, lines: Sequence[ServiceLine]) -> None:
        self._lines = {str(line.service_id): line for line in lines}
        self.query_one("#services", DeskTable).show([self._row(line) for line in lines])
        if not self._what:
            self._show_history()

    def _row(self, line: ServiceLine) -> Row:
        state = state_words(line.state) if line.state else _("as usual")
        plan = line.coming or line.planned
        tone = "warn" if line.state == OpeningState.CLOSED else "accent" if line.state else "muted"
        return Row(str(line.service_id), (
            line.name if self.site else f"{self.session.site_name(line.site_id)} · {line.name}", Cell(state, tone),
            str(line.capacity_a_day or ""),
            show_day(plan.opens_on if plan else None) + (" ✓" if line.coming else ""), str(line.backlog.unsettled),
            str(line.backlog.released), str(line.backlog.waiting),
        ))  # fmt: skip

    @on(DeskTable.Moved, "#services")
    def moved(self) -> None:
        """Another line: its history."""
        if not self._what:
            self._show_history()

    def _current(self) -> ServiceLine | None:
        return self._lines.get(self.query_one("#services", DeskTable).current_id or "")

    def _show_history(self) -> None:
        line = self._current()
        parts: list[Content | str] = []
        for row in reversed(line.history[-5:] if line else ()):
            stage = _(_STAGES.get(row.stage, row.stage))
            capacity = _("{count} a day").format(count=row.capacity_a_day) if row.capacity_a_day else ""
            words = [show_date(row.opens_on), stage, state_words(row.state), capacity, row.reason, row.by]
            parts += [inert(" · ".join(word for word in words if word)), "\n"]
        self.query_one("#below", Static).update(Content.assemble(*parts[:-1]))

    # Changing.

    def action_change(self, what: str) -> None:
        """Open the form of a plan, a revision or a confirmation."""
        line = self._current()
        if line is None or self._what:
            return
        try:
            check_change(line, STAGES[what], agent=self.session.agent)
        except RuleBroken as error:
            self.warn(str(error))
            return
        self._what = what
        plan = line.planned or line.coming
        today = clock.local_day(self.session.now(), self.session.zone)
        day = plan.opens_on if plan and plan.opens_on >= today else today
        state = plan.state if plan else OpeningState.PARTIAL
        capacity = plan.capacity_a_day if plan else line.capacity_a_day
        choices = [Choice(one.value, state_words(one), key) for one, key in zip(OpeningState, "fpo", strict=True)]
        fields = (
            Field(
                "day",
                _("From"),
                value=show_date(day),
                width=14,
                is_replaced=True,
                help=_("First day that it holds."),
            ),
            ChoiceField("state", _("State"), choices, code=state.value),
            Field(
                "capacity",
                _("Patients a day"),
                value=str(capacity or ""),
                width=8,
                max_length=4,
                is_replaced=True,
                help=_("Places a day; empty for a service that is closed, or fully open without a limit."),
            ),
            Field("reason", _("Reason"), max_length=200, value=plan.reason if plan else ""),
        )
        self.query_one("#form").mount(Form(*fields))
        self.query_one("#below", Static).update(
            Content(_("Enter in the last field shows what follows; nothing is stored yet."))
        )
        self.call_after_refresh(fields[0].focus)

    def action_leave_form(self) -> None:
        """Put the form away; nothing was stored."""
        self._what = ""
        for form in self.query(Form):
            form.remove()
        self.query_one("#services").display = True
        self.query_one("#services").focus()
        self._show_history()

    @on(Form.Completed)
    def look_ahead(self) -> None:
        """Show what would follow, and ask."""
        form = self._filled()
        if form is None:
            return
        if self._what == "plan":
            self._ask(form)
            return
        self.read(
            preview_opening, form, revises=self._what == "revise", group="ahead", hold_keys=True,
            then=lambda seen: self._show_ahead(seen, form),
        )  # fmt: skip

    def _filled(self) -> OpeningForm | None:
        line, fields = self._current(), self.query_one(Form)
        if fields.refuses_unclear():
            return None
        values = fields.values()
        today = clock.local_day(self.session.now(), self.session.zone)
        day = read_typed_date(values["day"], today)
        if line is None or day is None:
            self._wrong("day", _("'{text}' is no day: 03/06, +3 or lundi.").format(text=values["day"]))
        elif day < today:
            self._wrong("day", _("{day} is past: give today or a day to come.").format(day=show_date(day)))
        elif not values["state"]:
            self._wrong("state", _("Choose a state: closed, partly open or open."))
        elif values["capacity"] and not values["capacity"].isdecimal():
            self._wrong("capacity", _("'{text}' is no number of patients a day.").format(text=values["capacity"]))
        elif values["state"] == OpeningState.PARTIAL and not values["capacity"]:
            self._wrong("capacity", _("Partly open: how many patients a day?"))
        else:
            capacity = int(values["capacity"]) if values["capacity"] else None
            state = OpeningState(values["state"])
            return OpeningForm(line.service_id, day, state, capacity, values["reason"], line.newest_id)
        return None

    def _wrong(self, name: str, words: str) -> None:
        """Say what is wrong, and go where it is."""
        self.warn(words)
        self.query_one(Form)[name].focus()

    def _show_ahead(self, seen: OpeningPreview, form: OpeningForm) -> None:
        self.query_one("#below", Static).update(preview_lines(seen))
        self.query_one("#services").display = False  # the answer needs the room; Esc and the answer bring the list back
        self._ask(form)

    def _ask(self, form: OpeningForm) -> None:
        deed = DEEDS[self._what]
        self.confirm(_(QUESTIONS[self._what]), lambda: self.write(deed, form, then=self._stored), self._back_to_form)

    def _back_to_form(self) -> None:
        self.query_one("#services").display = True

    def _stored(self, result: OpeningPreview | int) -> None:
        self.action_leave_form()
        if isinstance(result, int):
            self.done(_("Planned. Nothing is released before it is confirmed."))
        else:
            self.query_one("#below", Static).update(preview_lines(result))
            self.done(_("Stored: {count} released, {told} to be told again.").format(
                count=result.released, told=len(result.withdrawn)))  # fmt: skip
        self.refresh_from_store()

    def action_withdraw(self) -> None:
        """Take the newest plan or opening back."""
        if (line := self._current()) is not None and not self._what:
            question = _("Withdraw the newest plan or opening of {service}?").format(service=line.name)
            self.confirm(
                question,
                lambda: self.write(withdraw_opening, line.service_id, "", seen_id=line.newest_id, then=self._stored),
            )


_STAGES = {
    "planned": N_("planned"),
    "revised": N_("revised"),
    "actual": N_("confirmed"),
    "withdrawn": N_("withdrawn"),
}


def preview_lines(seen: OpeningPreview) -> Content:
    """What an opening does: how many, who first and why, who stays, who must be told again, empty by when."""
    head = _("{count} callbacks released; {staying} stay.").format(count=seen.released, staying=seen.staying)
    parts: list[Content | str] = [inert(head, tone="bold $accent"), "\n"]
    for place, (name, why) in enumerate(seen.first, 1):
        parts += [inert(f"{place:>2} {name} · {why}", 78), "\n"]
    for reason in seen.stay_reasons:
        parts += [inert(_("stays: {reason}").format(reason=reason), tone="$text-muted"), "\n"]
    for name, day in seen.withdrawn[:10]:
        words = _("{name} was told {day}: to be rung first").format(name=name, day=show_day(day))
        parts += [inert(words, tone="bold $warning"), "\n"]
    end: date | None = seen.empty_on
    parts.append(inert(_("The whole backlog has a place by {day}.").format(day=show_date(end)) if end else ""))
    return Content.assemble(*parts)
