"""Openings: each service of a site, what is planned, what waits for it; plan, look ahead, confirm."""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from crisisdesk import clock
from crisisdesk.desk.forecasting import forecast_opening
from crisisdesk.desk.openingwords import a_day_words, row_words, stage_words
from crisisdesk.desk.reopening import OpeningPreview, ServiceLine, check_change, list_services, withdraw_opening
from crisisdesk.desk.wording import state_words
from crisisdesk.domain.opening import read_history
from crisisdesk.domain.words import OpeningStage, OpeningState
from crisisdesk.errors import RuleBroken
from crisisdesk.i18n import N_, _
from crisisdesk.ui.format import show_date, show_day, show_moment
from crisisdesk.ui.inert import inert
from crisisdesk.ui.screens.openings_asking import look_ahead, show_forecast
from crisisdesk.ui.screens.openings_forms import (
    FieldWrong,
    opening_fields,
    postpone_fields,
    read_day_before,
    read_opening,
    read_postponement,
)
from crisisdesk.ui.screens.openings_told import ToldScreen
from crisisdesk.ui.session import Session
from crisisdesk.ui.widgets.form import Field, Form
from crisisdesk.ui.widgets.frame import DeskScreen
from crisisdesk.ui.widgets.storescreen import TRUE_ORDER
from crisisdesk.ui.widgets.table import Cell, Column, DeskTable, Row

STAGES = {
    "plan": OpeningStage.PLANNED, "revise": OpeningStage.REVISED, "confirm": OpeningStage.ACTUAL,
    "put_off": OpeningStage.ACTUAL,
}  # fmt: skip


class OpeningsScreen(DeskScreen):
    """Services with their state, plan and backlog."""

    HEADING = N_("Openings of services")
    HELP = N_(
        "Each line is a service: its state today, the places a day with what is limited (implants), what is planned, "
        "what it still owes, and how many callbacks are released or wait. A supervisor plans, revises and confirms, "
        "or puts a session, days or a service off; before anything is stored you see how many are released, who comes "
        "first and why, who stays, and who must be told again. f shows when the queue will be empty, t who was told "
        "what, d what was known and planned on an earlier day."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("c", "change('confirm')", N_("confirm")),
        Binding("p", "change('plan')", N_("plan")),
        Binding("r", "change('revise')", N_("revise")),
        Binding("x", "change('put_off')", N_("postpone")),
        Binding("f", "forecast", N_("forecast")),
        Binding("t", "told", N_("days told")),
        Binding("d", "as_of", N_("on day…")),
        Binding("w", "withdraw", N_("withdraw")),
        Binding("ctrl+s", "look_ahead", N_("what follows"), priority=True),
        Binding("escape", "leave_form", N_("leave the form"), priority=True),
        TRUE_ORDER,
    ]
    DEFAULT_CSS = """
    OpeningsScreen #services { height: 1fr; min-height: 6; }
    OpeningsScreen #below { height: auto; max-height: 12; }
    OpeningsScreen #form { height: auto; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._lines: dict[str, ServiceLine] = {}
        self._what = ""
        self._asked: ServiceLine | None = None
        """The service that the open form is about, as it was when the form was opened: the list is read again below."""
        self._day: date | None = None
        """The day on whose evening the list is shown as it was known; None: now."""

    def compose_work(self) -> Iterable[Widget]:
        """The list; below it the history of a line, or a form."""
        columns = (
            Column("service", _("Service"), 0), Column("state", _("Today"), 11),
            Column("capacity", _("A day"), 16), Column("plan", _("Planned"), 12),
            Column("owed", _("Owed"), 5, right=True), Column("released", _("Rel."), 5, right=True),
            Column("waiting", _("Wait"), 5, right=True),
        )  # fmt: skip
        yield DeskTable(columns, empty=_("No service here: the reference data name them."), id="services")
        yield Static(id="below")
        yield Vertical(id="form")

    def on_mount(self) -> None:
        """Read the services."""
        self.site_changed()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """The keys of the form only while there is one."""
        if action in ("look_ahead", "leave_form") and not self._what:
            return False if action == "look_ahead" else super().check_action(action, parameters)
        return super().check_action(action, parameters)

    def site_changed(self) -> None:
        """Services of another site, or of all."""
        where = self.session.site_name(self.site) or _("all sites")
        words = _("Openings of services · {site}").format(site=where)
        if self._day is not None:
            words += " · " + _("as known on the evening of {day}").format(day=show_date(self._day))
        self.heading(words)
        self.read_afresh()

    def refresh_from_store(self) -> None:
        """What others changed; on an earlier day what was known then."""
        as_of = None
        if self._day is not None:
            as_of = clock.day_bounds(self._day, self.session.zone)[1] - timedelta(microseconds=1)
        self.read(list_services, self.site, as_of=as_of, then=self._show, group="services")

    def _show(self, lines: Sequence[ServiceLine]) -> None:
        self._lines = {str(line.service_id): line for line in lines}
        self.query_one("#services", DeskTable).take([service_row(line, self.session, self.site) for line in lines])
        self._show_history()

    def _current(self) -> ServiceLine | None:
        return self._lines.get(self.query_one("#services", DeskTable).current_id or "")

    @on(DeskTable.Moved, "#services")
    def _show_history(self) -> None:
        line = self._current()
        if self._what:
            return
        parts: list[Content | str] = []
        for row in reversed(line.history[-5:] if line else ()):
            when = show_moment(row.entered_at, self.session)
            words = [when, stage_words(row.stage), row_words(row, self.session.reference), row.reason, row.by]
            parts += [inert(" · ".join(word for word in words if word), 158), "\n"]
        self.query_one("#below", Static).update(Content.assemble(*parts[:-1]))

    # Looking.

    def action_forecast(self) -> None:
        """When the queue of the service will be empty."""
        if (line := self._current()) is not None and not self._what:
            self.read(
                forecast_opening, line.service_id, group="forecast", hold_keys=True,
                then=lambda found: show_forecast(self, found, line),
            )  # fmt: skip

    def action_told(self) -> None:
        """Who was told which day at the service."""
        if (line := self._current()) is not None and not self._what:
            words = _("Who was told what · {site} · {service}")
            title = words.format(site=self.session.site_name(line.site_id), service=line.name)
            self.app.push_screen(ToldScreen(line.service_id, title))

    def action_as_of(self) -> None:
        """Ask for the day whose evening is to be shown; empty goes back to now."""
        if not self._what:
            words = _("What was known and planned on that evening. Empty: now.")
            value = show_date(self._day)
            self._open_form("as_of", [Field("as_of", _("On day"), value=value, width=14, is_replaced=True)], words)

    # Changing.

    def action_change(self, what: str) -> None:
        """Open the form of a plan, a revision, a confirmation, or of what is put off."""
        line = self._may_change()
        if line is None:
            return
        try:
            check_change(line, STAGES[what], agent=self.session.agent)
        except RuleBroken as error:
            self.warn(str(error))
            return
        self._asked = line
        if what == "put_off":
            self._open_form(what, postpone_fields(self.session))
        else:
            self._open_form(what, opening_fields(line, self.session, revises=what == "revise"))

    def _may_change(self) -> ServiceLine | None:
        """The marked service, unless a form is open or an earlier day is shown."""
        if self._what:
            return None
        if self._day is not None:
            self.warn(_("An earlier day is shown: d and an empty day go back to now."))
            return None
        return self._current()

    def _open_form(self, what: str, fields: Sequence[Field], words: str = "") -> None:
        self._what = what
        self.query_one("#form").mount(Form(*fields))
        words = words or _("^S or Enter in the last field shows what follows; nothing is stored yet.")
        self.query_one("#below", Static).update(Content(words))
        self.refresh_bindings()
        self.call_after_refresh(fields[0].focus)

    def action_leave_form(self) -> None:
        """Put the form away; nothing was stored."""
        self._what = ""
        for form in self.query(Form):
            form.remove()
        self.query_one("#services").focus()
        self.refresh_bindings()
        self._show_history()

    @on(Form.Completed)
    def action_look_ahead(self) -> None:
        """Show what would follow, and ask; or show the day that was asked for."""
        line, form = self._asked, self.query_one(Form)
        if form.refuses_unclear():
            return
        try:
            if self._what == "as_of":
                self._day = read_day_before(form.values()["as_of"], self.session)
                self.action_leave_form()
                self.site_changed()
            elif line is None:
                return
            elif self._what == "put_off":
                look_ahead(self, self._what, read_postponement(form, line, self.session), line, self._stored)
            else:
                look_ahead(self, self._what, read_opening(form, line, self.session), line, self._stored)
        except FieldWrong as wrong:
            self.warn(wrong.words)
            form[wrong.field].focus()

    def _stored(self, result: OpeningPreview | int) -> None:
        self.action_leave_form()
        if isinstance(result, int):
            self.done(_("Planned. Nothing is released before it is confirmed."))
        else:
            self.done(_("Stored: {count} released, {told} to be told again.").format(
                count=result.released, told=len(result.withdrawn)))  # fmt: skip
        self.refresh_from_store()

    def action_withdraw(self) -> None:
        """Take the newest plan or opening back, named in the question."""
        line = self._may_change()
        newest = read_history(line.history).newest if line else None
        if line is None or newest is None:
            return
        question = _("Withdraw for {service}: {row}?").format(
            service=line.name, row=row_words(newest, self.session.reference)
        )
        self.confirm(
            question,
            lambda: self.write(withdraw_opening, line.service_id, "", seen_id=line.newest_id, then=self._stored),
        )


def service_row(line: ServiceLine, session: Session, site: str | None) -> Row:
    """One service in the list."""
    state = state_words(line.state) if line.state else _("as usual")
    plan = line.coming or line.planned
    tone = "warn" if line.state == OpeningState.CLOSED else "accent" if line.state else "muted"
    return Row(str(line.service_id), (
        line.name if site else f"{session.site_name(line.site_id)} · {line.name}", Cell(state, tone),
        a_day_words(line.current or plan, session.reference),
        show_day(plan.opens_on if plan else None) + (" ✓" if line.coming else ""), str(line.backlog.unsettled),
        str(line.backlog.released), str(line.backlog.waiting),
    ))  # fmt: skip
