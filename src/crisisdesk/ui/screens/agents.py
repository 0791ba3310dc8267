"""Agents: who may sit at the desk; admins add them, change them and disable them, everybody else may look."""

from collections.abc import Iterable, Sequence
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widget import Widget

from crisisdesk import clock
from crisisdesk.desk.agents import Agent, add_agent, change_agent, set_active
from crisisdesk.desk.roomwords import ROLE_WORDS
from crisisdesk.desk.roster import RosterLine, list_roster
from crisisdesk.domain.rights import Right
from crisisdesk.i18n import N_, _, ngettext
from crisisdesk.ui.session import Session
from crisisdesk.ui.widgets.agentform import AgentForm
from crisisdesk.ui.widgets.form import Form
from crisisdesk.ui.widgets.frame import DeskScreen
from crisisdesk.ui.widgets.storescreen import TRUE_ORDER, may_begin
from crisisdesk.ui.widgets.table import Cell, Column, DeskTable, Row


class AgentsScreen(DeskScreen):
    """All agents of the desk."""

    HEADING = N_("Agents")
    HELP = N_(
        "Who may sign in at this desk, as what, and for which sites: an agent without sites rings for all of them. "
        "Admins add an agent (n), change the marked one (Enter), disable it or enable it again (d): whoever is "
        "disabled is out within seconds, and what was typed is kept. Nothing that an agent did is ever removed."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n", "add", N_("new agent")),
        Binding("e", "edit", N_("change it")),
        Binding("d", "switch", N_("disable, enable")),
        Binding("escape", "leave_form", N_("leave the form"), priority=True),
        TRUE_ORDER,
    ]
    DEFAULT_CSS = """
    AgentsScreen #agents { height: 1fr; min-height: 6; }
    AgentsScreen #form { height: auto; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._lines: dict[str, RosterLine] = {}

    def compose_work(self) -> Iterable[Widget]:
        """The list and the form."""
        columns = (
            Column("login", _("Login"), 13), Column("name", _("Name"), 0), Column("role", _("Role"), 14),
            Column("language", _("Lang."), 5), Column("sites", _("Sites"), 13), Column("seen", _("Last seen"), 11),
        )  # fmt: skip
        yield DeskTable(columns, empty=_("No agent yet."), id="agents")
        yield Vertical(id="form")

    def on_mount(self) -> None:
        """Read them."""
        self.read_afresh()

    def refresh_from_store(self) -> None:
        """Who was added or changed, came or went."""
        self.read(list_roster, then=self._show, group="agents")

    def _show(self, found: Sequence[RosterLine]) -> None:
        self._lines = {line.agent.login: line for line in found}
        self.query_one("#agents", DeskTable).take([agent_row(line, self.session) for line in found])
        active = sum(line.agent.is_active for line in found)
        signed_in = sum(line.is_signed_in for line in found)
        words = [ngettext("{count} active", "{count} active", active).format(count=active)]
        words += [ngettext("{count} signed in", "{count} signed in", signed_in).format(count=signed_in)]
        self.status(" · ".join(words))

    def _current(self) -> RosterLine | None:
        return self._lines.get(self.query_one("#agents", DeskTable).current_id or "")

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """A form takes the letters; Esc waits for one."""
        if not super().check_action(action, parameters):
            return False
        has_form = bool(self.query(Form))
        return has_form if action == "leave_form" else not (has_form and action in ("add", "edit", "switch"))

    def _may(self) -> bool:
        return may_begin(self, Right.MANAGE_AGENTS) and not self.query(Form)

    def action_add(self) -> None:
        """The form of a new agent."""
        if self._may():
            self._ask(AgentForm(self.session), "login")

    @on(DeskTable.Chosen, "#agents")
    def action_edit(self) -> None:
        """The form of the marked agent."""
        line = self._current()
        if line is not None and self._may():
            self._ask(AgentForm(self.session, line.agent), "name")

    def _ask(self, form: AgentForm, first: str) -> None:
        self.query_one("#form").mount(form)
        self.set_focus(form[first], scroll_visible=False)  # at once: keys typed ahead are meant for it
        self.say(_("Enter in the last field stores it. Esc leaves."))
        self.refresh_bindings()

    @on(Form.Completed)
    def store_agent(self) -> None:
        """Store what was typed."""
        form = self.query_one(AgentForm)
        if form.refuses_unclear() or (asked := form.asked()) is None:
            return
        if form.agent is None:
            self.write(add_agent, then=self._added, **asked)
        else:
            self.write(change_agent, form.agent.login, then=self._changed, **asked)

    def _added(self, agent: Agent) -> None:
        self._stored(_("{name} may sign in as {login}.").format(name=agent.name, login=agent.login))

    def _changed(self, agent: Agent) -> None:
        self._stored(_("{name} is changed: it counts from that agent's next act on.").format(name=agent.name))

    def _stored(self, words: str) -> None:
        self.action_leave_form()
        self.done(words)
        self.read_afresh()

    def action_switch(self) -> None:
        """Disable the marked agent, or enable it again, after a yes."""
        line = self._current()
        if line is None or not self._may():
            return
        one = line.agent
        if not one.is_active:
            question = _("Let {name} sign in again?").format(name=one.name)
            words = _("{name} may sign in again.").format(name=one.name)
        elif line.is_signed_in:
            question = _("Disable {name}? The session ends at once; what was typed is kept.").format(name=one.name)
            words = _("{name} is disabled, and the session has ended.").format(name=one.name)
        else:
            question = _("Disable {name}? Nobody signs in with this login any more.").format(name=one.name)
            words = _("{name} is disabled.").format(name=one.name)
        self.confirm(
            question,
            lambda: self.write(set_active, one.login, not one.is_active, then=lambda _agent: self._stored(words)),
        )

    def action_leave_form(self) -> None:
        """Put the form away."""
        self.query(Form).remove()
        self.say("")
        self.query_one("#agents").focus()
        self.call_after_refresh(self.refresh_bindings)


def agent_row(line: RosterLine, session: Session) -> Row:
    """One agent in the list."""
    one = line.agent
    sites = ", ".join(site.name for site in session.reference.sites.values() if site.site_id in one.sites)
    seen: str | Cell = Cell(_("never"), "muted")
    if line.seen_at is not None:
        seen = f"{clock.to_local(line.seen_at, session.zone):%d/%m %H:%M}"
    if not one.is_active:
        seen = Cell(_("✗ disabled"), "warn")
    elif line.is_signed_in:
        seen = Cell(_("at the desk"), "accent")
    cells = (
        one.login,
        one.name,
        _(ROLE_WORDS[one.role]),
        one.language or "·",
        sites or Cell(_("(all)"), "muted"),
        seen,
    )
    return Row(one.login, cells)
