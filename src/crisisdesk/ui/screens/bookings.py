"""Places given: a service's days with what they take and who was told; the reserve list; who came yesterday."""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.widget import Widget

from crisisdesk.desk.cancelling import mark_done
from crisisdesk.desk.diary import (
    DayLine,
    ReserveLine,
    ServiceDiary,
    ToldLine,
    list_reserve,
    read_diary,
    services_with_days,
    told_on,
)
from crisisdesk.i18n import N_, _, ngettext
from crisisdesk.ui.format import show_date, show_day, show_moment, show_phone
from crisisdesk.ui.session import Session
from crisisdesk.ui.widgets.bookingsteps import CANCEL, MISSED, MOVE, BookingPanel
from crisisdesk.ui.widgets.choices import Choice, ChoiceScreen
from crisisdesk.ui.widgets.frame import DeskScreen
from crisisdesk.ui.widgets.storescreen import TRUE_ORDER
from crisisdesk.ui.widgets.table import Cell, Column, DeskTable, Row

DAYS, TOLD, RESERVE = "days", "told", "reserve"
TO_CONFIRM = "past"
"""Row of all past places of which nobody said whether the patient came."""
STEPS = ("cancel", "move", "missed", "done")


class BookingsScreen(DeskScreen):
    """The days of one service; Enter goes to who was told one."""

    HEADING = N_("Places given")
    HELP = N_(
        "The days of one service: places, how many are told, how many are free, and what a day takes only so many of. "
        "Enter lists who was told a day; there x cancels a place, v moves it, d says that the patient came, n that the "
        "patient did not come. A place that comes free goes at once to the reserve list (r): who comes at short notice "
        "is rung next. Past days stay on top until somebody has said who came. s chooses the service, F6 the site."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("x", "step('cancel')", N_("cancel")),
        Binding("v", "step('move')", N_("move")),
        Binding("d", "step('done')", N_("came")),
        Binding("n", "step('missed')", N_("did not come")),
        Binding("s", "service", N_("service")),
        Binding("r", "reserve", N_("reserve list")),
        Binding("escape", "leave", N_("back"), priority=True),
        TRUE_ORDER,
    ]
    DEFAULT_CSS = "BookingsScreen DeskTable { height: 1fr; min-height: 5; }"

    def __init__(self, service_id: int | None = None) -> None:
        super().__init__()
        self._service_id, self._day, self._shown = service_id, "", DAYS
        self._told: dict[str, ToldLine] = {}
        self._reserve: dict[str, ReserveLine] = {}
        self.panel = BookingPanel(self._stepped)

    def compose_work(self) -> Iterable[Widget]:
        """Three lists, of which one is shown, and the fields of a step."""
        words = _("No service here takes anybody yet: o on the home screen opens one, F6 shows another site.")
        yield DeskTable(_day_columns(), empty=words, id=DAYS)
        yield DeskTable(_told_columns(), empty=_("Nobody was told a place on this day. Esc: back."), id=TOLD)
        words = _("Nobody comes at short notice yet.\nThe card, the patient's file (Enter on a postponement) say so.")
        yield DeskTable(_reserve_columns(), empty=words, id=RESERVE)
        yield self.panel

    def on_mount(self) -> None:
        """Read the days of the first service."""
        self._show_list(DAYS)
        self._choose_first() if self._service_id is None else self.read_afresh()

    def site_changed(self) -> None:
        """Services of another site."""
        self._show_list(DAYS)
        self._choose_first()

    def _choose_first(self) -> None:
        self._service_id = None
        self.read(services_with_days, self.site, then=self._first_found, group="services", hold_keys=True)

    def _first_found(self, numbers: Sequence[int]) -> None:
        self._service_id = numbers[0] if numbers else None
        self.read_afresh()

    def refresh_from_store(self) -> None:
        """Read what is shown."""
        if self._service_id is None:
            self.heading(_("Places given · {site}").format(site=self.session.site_name(self.site) or _("all sites")))
            self.query_one(f"#{DAYS}", DeskTable).take([])
            self.status("")
            return
        self.read(read_diary, self._service_id, then=self._show_days, group="days")
        if self._shown == TOLD:
            day = None if self._day == TO_CONFIRM else date.fromisoformat(self._day)
            self.read(told_on, self._service_id, day, then=self._show_told, group="told")
        elif self._shown == RESERVE:
            self.read(list_reserve, self._service_id, then=self._show_reserve, group="told")

    # The three lists.

    def _show_list(self, name: str) -> None:
        self._shown = name
        for one in (DAYS, TOLD, RESERVE):
            self.query_one(f"#{one}").display = one == name
        self.query_one(f"#{name}").focus()
        self.refresh_bindings()

    def _show_days(self, diary: ServiceDiary) -> None:
        where = f"{self.session.site_name(diary.site_id)} · {diary.name}"
        what = {DAYS: where, RESERVE: _("Reserve list · {where}").format(where=where)}
        day = _("did they come?") if self._day == TO_CONFIRM else show_day(_day(self._day))
        self.heading(what.get(self._shown, f"{where} · {day}"))
        rows = [_past_row(diary)] if diary.to_confirm else []
        rows += [_day_row(line) for line in diary.days if not line.is_past]
        self.query_one(f"#{DAYS}", DeskTable).take(rows)
        reserve = ngettext("{count} in reserve", "{count} in reserve", diary.reserve).format(count=diary.reserve)
        self.status(reserve)

    def _show_told(self, lines: Sequence[ToldLine]) -> None:
        self._told = {str(line.booking_id): line for line in lines}
        is_past = self._day == TO_CONFIRM
        self.query_one(f"#{TOLD}", DeskTable).take([_told_row(line, self.session, is_past=is_past) for line in lines])

    def _show_reserve(self, lines: Sequence[ReserveLine]) -> None:
        self._reserve = {str(line.postponement_id): line for line in lines}
        rows = []
        for line in lines:
            asks = " · ".join(text for text in (line.needs_words, line.wish_words) if text)
            rows.append(
                Row(
                    str(line.postponement_id),
                    (line.patient, line.priority or "·", show_date(line.original_on), asks, Cell(line.state, "muted")),
                )
            )
        self.query_one(f"#{RESERVE}", DeskTable).take(rows)

    # Keys.

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Only the keys that mean something in the list that is shown."""
        if not super().check_action(action, parameters):
            return False
        if action == "leave":
            return self.panel.is_asking or self._shown != DAYS
        if self.panel.is_asking:
            return False
        return action != "step" or self._shown == TOLD

    @on(DeskTable.Chosen, f"#{DAYS}")
    def day_chosen(self, event: DeskTable.Chosen) -> None:
        """Who was told this day."""
        self._day = event.row_id
        self.query_one(f"#{TOLD}", DeskTable).show([])
        self._show_list(TOLD)
        self.read_afresh()

    @on(DeskTable.Chosen, f"#{TOLD}")
    @on(DeskTable.Chosen, f"#{RESERVE}")
    def person_chosen(self, event: DeskTable.Chosen) -> None:
        """The file of the patient."""
        line = self._told.get(event.row_id) if self._shown == TOLD else self._reserve.get(event.row_id)
        if line is not None:
            self.desk_app.go("patient", patient_id=line.patient_id)

    def action_reserve(self) -> None:
        """The reserve list of the service; again: back to its days."""
        self._show_list(DAYS if self._shown == RESERVE else RESERVE)
        self.read_afresh()

    def action_leave(self) -> None:
        """Leave the fields, else the list of a day."""
        if not self.panel.close():
            self._show_list(DAYS)
            self.read_afresh()
        else:
            self._show_list(self._shown)

    def action_service(self) -> None:
        """Another service of the site."""
        reference = self.session.reference
        services = [one for one in reference.services.values() if self.site in (None, one.site_id)]
        names = {one.service_id: self.session.site_name(one.site_id) for one in services if self.site is None}
        choices = [
            Choice(str(one.service_id), " · ".join(filter(None, (names.get(one.service_id), one.name))))
            for one in services
        ]
        current = str(self._service_id) if self._service_id is not None else None
        self.app.push_screen(ChoiceScreen(_("Service"), choices, current), self._service_chosen)

    def _service_chosen(self, code: str | None) -> None:
        if code is not None:
            self._service_id = int(code)
            self._show_list(DAYS)
            self.read_afresh()

    def action_step(self, what: str) -> None:
        """Cancel, move, came or did not come: the place under the cursor."""
        line = self._told.get(self.query_one(f"#{TOLD}", DeskTable).current_id or "")
        if line is None:
            self.warn(_("Put the cursor on a patient first."))
        elif what == "done":
            question = _("Did {patient} come on {day}?").format(patient=line.patient, day=show_day(line.slot_on))
            came = _("Stored: the patient came, this is done.")
            self.confirm(
                question, lambda: self.write(mark_done, [line.booking_id], then=lambda _count: self._stepped(came))
            )
        else:
            self.panel.ask({"cancel": CANCEL, "move": MOVE, "missed": MISSED}[what], line)

    def _stepped(self, words: str) -> None:
        self.query_one(f"#{self._shown}").focus()
        self.refresh_bindings()
        if words:
            self.done(words)
            self.read_afresh()


def _day(text: str) -> date | None:
    return date.fromisoformat(text) if text and text != TO_CONFIRM else None


def _day_columns() -> Sequence[Column]:
    return (
        Column("day", _("Day"), 16), Column("places", _("Places"), 7, right=True),
        Column("told", _("Told"), 6, right=True), Column("free", _("Free"), 6, right=True),
        Column("limits", _("Used of"), 0),
    )  # fmt: skip


def _told_columns() -> Sequence[Column]:
    return (
        Column("patient", _("Patient"), 20), Column("code", _("Code"), 4), Column("number", _("Number"), 14),
        Column("about", _("What was put off"), 0), Column("told", _("Told / day"), 15),
    )  # fmt: skip


def _reserve_columns() -> Sequence[Column]:
    return (
        Column("patient", _("Patient"), 18), Column("code", _("Code"), 4), Column("day", _("Was on"), 10),
        Column("asks", _("Days that suit"), 0), Column("state", _("Now"), 23),
    )  # fmt: skip


def _past_row(diary: ServiceDiary) -> Row:
    words = ngettext("{count} place: did the patient come?", "{count} places: did they come?", diary.to_confirm)
    return Row(
        TO_CONFIRM,
        (Cell(_("past days"), "warn"), "", str(diary.to_confirm), "", words.format(count=diary.to_confirm)),
    )  # fmt: skip


def _told_row(line: ToldLine, session: Session, *, is_past: bool) -> Row:
    number = show_phone(line.number, session) or _("no number")
    when = show_day(line.slot_on) if is_past else show_moment(line.told_at, session)
    about = " · ".join(text for text in (line.needs_words, line.procedure) if text)
    return Row(str(line.booking_id), (line.patient, line.priority or "·", number, about, when))


def _day_row(line: DayLine) -> Row:
    places = _("no limit") if line.capacity is None else str(line.capacity)
    free = "" if line.free is None else Cell(str(line.free), "accent" if line.free else "muted")
    kept = ngettext("{count} kept for the reserve", "{count} kept for the reserve", line.kept).format(count=line.kept)
    words = " · ".join(text for text in (line.limits_words, kept if line.kept else "") if text)
    return Row(line.day.isoformat(), (show_day(line.day), places, str(line.told), free, words))
