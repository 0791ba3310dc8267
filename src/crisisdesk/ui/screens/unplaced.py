"""In no queue: postponements that no opening would ever release, because nobody said where they belong."""

from collections.abc import Iterable
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Input, Static

from crisisdesk.desk.unplaced import Unplaced, UnplacedItem, list_unplaced, place_item
from crisisdesk.desk.wording import patient_name
from crisisdesk.i18n import N_, _
from crisisdesk.ui.format import show_date
from crisisdesk.ui.inert import inert
from crisisdesk.ui.widgets.choices import Choice
from crisisdesk.ui.widgets.form import ChoiceField, Form
from crisisdesk.ui.widgets.frame import DeskScreen
from crisisdesk.ui.widgets.storescreen import TRUE_ORDER
from crisisdesk.ui.widgets.table import Cell, Column, DeskTable, Row


class UnplacedScreen(DeskScreen):
    """Postponements without a site, a service or a callback."""

    HEADING = N_("In no queue")
    HELP = N_(
        "Postponements that are not settled and that nobody will be rung for, because no list and no caller said at "
        "which site or service. A supervisor gives each its place with Enter: it then waits in that queue."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave_form", N_("leave the form"), priority=True),
        TRUE_ORDER,
    ]
    DEFAULT_CSS = """
    UnplacedScreen #items { height: 1fr; min-height: 6; }
    UnplacedScreen #words { height: auto; max-height: 3; }
    UnplacedScreen #form { height: auto; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._items: dict[str, UnplacedItem] = {}
        self._asked: UnplacedItem | None = None
        """The item that the open form is about, as it was then: the list is read again behind it."""

    def compose_work(self) -> Iterable[Widget]:
        """The list, the words of the marked one, the form."""
        columns = (
            Column("patient", _("Patient"), 22), Column("site", _("Site"), 12),
            Column("about", _("What was put off"), 0), Column("day", _("Was on"), 10), Column("code", _("Code"), 4),
        )  # fmt: skip
        yield DeskTable(columns, empty=_("Every postponement is in a queue."), id="items")
        yield Static(id="words")
        yield Vertical(id="form")

    def on_mount(self) -> None:
        """Read them."""
        self.read_afresh()

    def refresh_from_store(self) -> None:
        """What imports, calls and others changed."""
        self.read(list_unplaced, then=self._show, group="unplaced")

    def _show(self, found: Unplaced) -> None:
        self._items = {str(item.postponement_id): item for item in found.items}
        self.query_one("#items", DeskTable).take([self._row(item) for item in found.items])
        self.status(_("{count} in no queue").format(count=found.count))
        self.moved()

    def _row(self, item: UnplacedItem) -> Row:
        kind = self.session.label("service_kind", item.kind) if item.kind else ""
        about = item.procedure or item.service_name or kind
        site = self.session.site_name(item.site_id) or Cell(_("no site"), "warn")
        name = patient_name(item.last_name, item.first_name, item.full_name)
        return Row(str(item.postponement_id), (name, site, about, show_date(item.original_on), item.priority or "·"))

    def _current(self) -> UnplacedItem | None:
        return self._items.get(self.query_one("#items", DeskTable).current_id or "")

    @on(DeskTable.Moved, "#items")
    def moved(self) -> None:
        """What the list or the caller said of the marked one."""
        item = self._current()
        facts = (item.service_name, item.procedure, item.clinician) if item else ()
        self.query_one("#words", Static).update(inert(" · ".join(fact for fact in facts if fact), 200))

    @on(DeskTable.Chosen, "#items")
    def place(self) -> None:
        """The form: which site, which service."""
        item = self._current()
        if item is None or self.query(Form):
            return
        self._asked = item
        site_id = item.site_id or self.site or ""
        sites = [Choice(site.site_id, site.name) for site in self.session.reference.sites.values()]
        fields = (
            ChoiceField("site", _("Site"), sites, code=site_id),
            ChoiceField("service", _("Service"), self._services(site_id)),
        )
        self.query_one("#form").mount(Form(*fields))
        self.call_after_refresh(fields[1 if site_id else 0].focus)
        self.say(_("Enter in the last field stores it. F4 lists, Esc leaves."))

    def _services(self, site_id: str) -> list[Choice]:
        services = self.session.reference.services_of(site_id) if site_id in self.session.reference.sites else ()
        return [Choice(str(service.service_id), service.name) for service in services]

    @on(Input.Changed, "#site")
    def site_typed(self) -> None:
        """Another site: its services."""
        for form in self.query(Form):
            field = form["service"]
            assert isinstance(field, ChoiceField)
            field.set_choices(self._services(form.choice("site").code or ""))

    @on(Form.Completed)
    def store_place(self) -> None:
        """Store it."""
        form, item = self.query_one(Form), self._asked
        if form.refuses_unclear():
            return
        site_id, service = form.choice("site").code, form.choice("service").code
        if item is None or not site_id or not service:
            self.warn(_("Choose a site and a service of it."))
            return
        self.write(place_item, item.postponement_id, site_id, int(service), then=self._placed)

    def _placed(self, callback_id: int) -> None:
        self.action_leave_form()
        self.done(_("It waits in callback {number} now.").format(number=callback_id))
        self.read_afresh()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Esc waits for a form."""
        if not super().check_action(action, parameters):
            return False
        return None if action == "leave_form" and not self.query(Form) else True

    def action_leave_form(self) -> None:
        """Put the form away."""
        for form in self.query(Form):
            form.remove()
        self.query_one("#words", Static).update(Content(""))
        self.query_one("#items").focus()
