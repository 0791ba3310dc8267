"""Handovers: signed lists of open items for the services' own secretariats, and the closing of the desk."""

from collections.abc import Iterable, Sequence
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Input, Static

from crisisdesk.desk.closing import Closed, ClosingPreview, close_desk, preview_closing, reopen_desk
from crisisdesk.desk.handovers import HandoverRow, Made, Offer, Overview, make_handover, place_words, read_overview
from crisisdesk.desk.rights import expect
from crisisdesk.domain.reference import Reference
from crisisdesk.domain.rights import Right
from crisisdesk.errors import RuleBroken
from crisisdesk.i18n import N_, _
from crisisdesk.ui.format import show_moment
from crisisdesk.ui.inert import inert
from crisisdesk.ui.screens.handover_lines import HandoverLinesScreen
from crisisdesk.ui.widgets.choices import Choice
from crisisdesk.ui.widgets.form import ChoiceField, Field, Form
from crisisdesk.ui.widgets.frame import DeskScreen
from crisisdesk.ui.widgets.storescreen import TRUE_ORDER
from crisisdesk.ui.widgets.table import Cell, Column, DeskTable, Row

DESK, REOPEN = "desk", "reopen"


class HandoversScreen(DeskScreen):
    """The lists that were made, with what was answered."""

    HEADING = N_("Handover")
    HELP = N_(
        "A handover is a signed list of open items for a service's own secretariat, on paper and as a file. Each line "
        "stays ours, and is rung, until the service acknowledges it; then nobody rings it from here. Enter opens a "
        "list, where its lines are answered. Making a list of the whole desk closes it: everything goes to the "
        "services, and nobody is rung any more."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n", "make", N_("new list (supervisor)")),
        Binding("escape", "leave_form", N_("leave the form"), priority=True),
        TRUE_ORDER,
    ]
    DEFAULT_CSS = """
    HandoversScreen #handovers { height: 1fr; min-height: 6; }
    HandoversScreen #words { height: auto; max-height: 9; color: $text-muted; }
    HandoversScreen #form { height: auto; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._rows: dict[str, HandoverRow] = {}
        self._overview = Overview((), (), None)
        self._is_asking = False

    def compose_work(self) -> Iterable[Widget]:
        """The lists; below them what is open, or the form."""
        columns = (
            Column("number", _("No."), 4, right=True), Column("place", _("Service"), 0), Column("made", _("Made"), 16),
            Column("lines", _("Lines"), 6, right=True), Column("open", _("Wait"), 5, right=True),
            Column("theirs", _("Theirs"), 6, right=True), Column("refused", _("Refused"), 7, right=True),
        )  # fmt: skip
        empty = _("Nothing was handed over yet. n makes a list for a service, a site, or the whole desk.")
        yield DeskTable(columns, empty=empty, id="handovers")
        yield Static(Content(""), id="words")
        yield Vertical(id="form")

    def on_mount(self) -> None:
        """Read them."""
        self.site_changed()

    def site_changed(self) -> None:
        """Lists of another site, or of all."""
        where = self.session.site_name(self.site) or _("all sites")
        self.heading(_("Handover · {site}").format(site=where))
        self.read_afresh()

    def refresh_from_store(self) -> None:
        """What others made and answered."""
        self.read(read_overview, site_id=self.site, then=self._show, group="handovers")

    def _show(self, overview: Overview) -> None:
        self._overview = overview
        self._rows = {str(row.handover_id): row for row in overview.handovers}
        self.query_one("#handovers", DeskTable).take([self._row(row) for row in overview.handovers])
        waits = sum(row.offered for row in overview.handovers)
        words = [_("{count} lines wait for an answer").format(count=waits)] if waits else []
        if overview.closed_at:
            words.insert(
                0, _("desk closed since {moment}").format(moment=show_moment(overview.closed_at, self.session))
            )
        self.status(" · ".join(words))
        self.moved()

    def _row(self, row: HandoverRow) -> Row:
        return Row(str(row.handover_id), (
            str(row.handover_id), place_words(row.site_id, row.service_id, self.session.reference),
            show_moment(row.made_at, self.session), str(row.total),
            Cell(str(row.offered or "·"), "warn" if row.offered else "muted"), str(row.acknowledged or "·"),
            Cell(str(row.refused or "·"), "warn" if row.refused else "muted"),
        ))  # fmt: skip

    @on(DeskTable.Moved, "#handovers")
    def moved(self) -> None:
        """Reason and hash of the marked list, and what is open here."""
        if self._is_asking:
            return
        row = self._rows.get(self.query_one("#handovers", DeskTable).current_id or "")
        free = sum(offer.free for offer in self._overview.offers)
        lines = [_("To hand over here: {count}, on no list yet.").format(count=free)]
        if row is not None:
            settled = _("{count} of its lines were settled by us since").format(count=row.settled)
            facts = [row.reason, row.made_by, settled if row.settled else ""]
            lines.append(" · ".join(fact for fact in facts if fact))
            lines.append(f"SHA-256 {row.sha256}")
        parts: list[Content | str] = []
        for line in lines:
            parts += [inert(line, 240), "\n"]
        self.query_one("#words", Static).update(Content.assemble(*parts[:-1]))

    @on(DeskTable.Chosen, "#handovers")
    def open_list(self, event: DeskTable.Chosen) -> None:
        """Enter: the lines of the list."""
        self.app.push_screen(HandoverLinesScreen(int(event.row_id)))

    # Making one, and closing the desk.

    def action_make(self) -> None:
        """Ask for which service, and why."""
        if self._is_asking:
            return
        try:
            expect(self.session.agent, Right.CLOSE_DESK)
        except RuleBroken as error:
            self.warn(str(error))
            return
        fields = (
            ChoiceField("place", _("For"), self._places(), help=_("A service, a whole site, or the whole desk: F4.")),
            Field("reason", _("Reason"), max_length=200, help=_("Stands on the list.")),
        )
        self._is_asking = True
        self.query_one("#form").mount(Form(*fields))
        self.query_one("#words", Static).update(
            Content(_("F4 lists what is open. Nothing is stored before you confirm."))
        )
        self.call_after_refresh(fields[0].focus)

    def _places(self) -> list[Choice]:
        """Every service with open items, every site, what belongs to none, and the whole desk."""
        reference, found = self.session.reference, []
        totals: dict[str | None, int] = {}
        for offer in self._overview.offers:
            totals[offer.site_id] = totals.get(offer.site_id, 0) + offer.free
            if offer.service_id and offer.free:
                found.append(Choice(_code(offer), _offer_words(offer, self.session.reference)))
        for site_id, count in totals.items():
            name = place_words(site_id, None, reference)
            words = _("{place}, everything ({count})") if site_id else _("{place} ({count})")
            found.append(Choice(f"{site_id or ''}/", words.format(place=name, count=count)))
        if self._overview.closed_at:
            return [*found, Choice(REOPEN, _("reopen the desk: ring again"))]
        return [*found, Choice(DESK, _("the whole desk: close it"))]

    @on(Input.Changed, "#place")
    def place_typed(self) -> None:
        """Say what the chosen place would mean."""
        for form in self.query(Form):
            code = form.choice("place").code
            if code == DESK:
                self.read(preview_closing, then=self._show_closing, group="ahead")
            elif code is not None and code != REOPEN:
                self.query_one("#words", Static).update(inert(_preview_words(code, self._overview.offers), 240))

    def _show_closing(self, seen: ClosingPreview) -> None:
        lines = [_("{count} lines; nobody is rung any more, calls are still taken.").format(count=seen.count)]
        lines += [_offer_words(offer, self.session.reference) for offer in seen.offers if offer.free][:6]
        if seen.ringing:
            lines.append(_("Ringing now, and may end their call: {names}").format(names=", ".join(seen.ringing)))
        parts: list[Content | str] = []
        for line in lines:
            parts += [inert(line), "\n"]
        self.query_one("#words", Static).update(Content.assemble(*parts[:-1]))

    @on(Form.Completed)
    def look_ahead(self) -> None:
        """Ask before anything is stored."""
        form = self.query_one(Form)
        if form.refuses_unclear():
            return
        code, reason = form.choice("place").code, form.values()["reason"]
        if code is None:
            self.warn(_("Choose a service, a site, or the whole desk (F4)."))
            form["place"].focus()
        elif not reason:
            self.warn(_("Say why it is handed over: it stands on the list."))
            form["reason"].focus()
        elif code == DESK:
            question = _("Close the desk? Everything goes to the services, nobody is rung any more.")
            self.confirm(question, lambda: self.write(close_desk, reason=reason, then=self._stored))
        elif code == REOPEN:
            question = _("Reopen the desk? What no service acknowledged is rung again.")
            self.confirm(question, lambda: self.write(reopen_desk, reason=reason, then=self._stored))
        else:
            site_id, _slash, service = code.partition("/")
            question = _("Make this list? {words}").format(words=_preview_words(code, self._overview.offers))
            place = site_id or None, int(service) if service else None
            self.confirm(question, lambda: self.write(make_handover, *place, reason=reason, then=self._stored))

    def _stored(self, result: Made | Closed | int) -> None:
        self.action_leave_form()
        self.done(_stored_words(result))
        self.read_afresh()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Esc waits for a form."""
        if not super().check_action(action, parameters):
            return False
        return None if action == "leave_form" and not self._is_asking else True

    def action_leave_form(self) -> None:
        """Put the form away; nothing was stored."""
        self._is_asking = False
        self.query(Form).remove()
        self.query_one("#handovers").focus()
        self.moved()


def _code(offer: Offer) -> str:
    return f"{offer.site_id or ''}/{offer.service_id or ''}"


def _offer_words(offer: Offer, reference: Reference) -> str:
    return f"{place_words(offer.site_id, offer.service_id, reference)} ({offer.free})"


def _preview_words(code: str, found: Sequence[Offer]) -> str:
    """How many lines a list of one place would have."""
    site_id, _slash, service = code.partition("/")
    offers = [
        one for one in found
        if (one.site_id or "") == site_id and (not service or str(one.service_id) == service)
    ]  # fmt: skip
    free, offered = sum(one.free for one in offers), sum(one.offered for one in offers)
    words = _("{count} lines, each rung until it is acknowledged.").format(count=free)
    if offered:
        words += " " + _("{count} wait for an answer on another list.").format(count=offered)
    return words


def _stored_words(result: Made | Closed | int) -> str:
    """What was done: a list made, the desk closed, or (a number) open again."""
    if isinstance(result, Made):
        words = _("Handover {number} made: {count} lines. Enter opens it, then e prints it.")
        return words.format(number=result.handover_id, count=result.count)
    if isinstance(result, Closed):
        return _("The desk is closed: {count} lines handed over.").format(count=result.count)
    return _("The desk is open: {count} postponements are in their queues again.").format(count=result)
