"""Rules of attempts: what each disposition leads to, in words; supervisors change it, agents may look."""

from collections.abc import Iterable, Mapping
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from crisisdesk.desk.rulefields import (
    DESK_FIELDS,
    DISPOSITION_FIELDS,
    LONGEST_LABEL,
    LONGEST_SHORT,
    NO,
    YES,
)
from crisisdesk.desk.rules import reference_of
from crisisdesk.desk.ruletyping import shown_text
from crisisdesk.desk.ruling import RuleRow, Rules, edit_desk_rules, edit_rule, list_rules
from crisisdesk.desk.wording import review_words
from crisisdesk.domain.reference import Reference
from crisisdesk.domain.words import Channel, NextStep, Role, Scope
from crisisdesk.i18n import N_, _
from crisisdesk.ui.inert import inert
from crisisdesk.ui.widgets.choices import Choice
from crisisdesk.ui.widgets.form import ChoiceField, Field, Form
from crisisdesk.ui.widgets.frame import DeskScreen
from crisisdesk.ui.widgets.storescreen import TRUE_ORDER
from crisisdesk.ui.widgets.table import Column, DeskTable, Row

SCOPES = {Scope.ATTEMPT: N_("attempts"), Scope.ITEM: N_("single items"), Scope.INBOUND: N_("calls that come in")}
_OF_RETRY = ("delay", "other_part", "cap", "cap_a_day")
_HELP = {
    "delay": N_("Earliest next attempt: 15 min, 3 h, 2 d."),
    "cap": N_("After so many of these a letter follows, or a clinician; empty: only the desk's caps."),
    "cap_a_day": N_("So many of these on one number a day; empty: only the desk's cap."),
    "channels": N_("In this order, of: letter gp next_of_kin. Then a clinician decides, by name."),
    "channel_wait": N_("How long an answer to a letter is waited for: 10 d."),
    "call_weekdays": N_("Of: mon tue wed thu fri sat sun. Never on a public holiday."),
}


class RulesScreen(DeskScreen):
    """The disposition table and the caps of the desk."""

    HEADING = N_("Rules of attempts")
    HELP = N_(
        "What each key at the end of an attempt leads to: the same rule that the desk follows. Enter changes the "
        "marked one, d the caps, channels and hours of the whole desk; supervisors only. A change holds at once for "
        "everybody; callbacks that have a date keep it. w shows the endings of single items and of calls that come in."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("e", "edit", N_("change it")),
        Binding("d", "edit_desk", N_("rules of the desk")),
        Binding("w", "scope", N_("other endings")),
        Binding("escape", "leave_form", N_("leave the form"), priority=True),
        TRUE_ORDER,
    ]
    DEFAULT_CSS = """
    RulesScreen #rules { height: 1fr; min-height: 3; }
    RulesScreen #words { height: auto; max-height: 4; }
    RulesScreen #form { height: auto; max-height: 17; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._rows: dict[str, RuleRow] = {}
        self._desk: Mapping[str, str] = {}
        self._scope = Scope.ATTEMPT
        self._edited: RuleRow | None = None
        self._seen: Mapping[str, str] = {}

    def compose_work(self) -> Iterable[Widget]:
        """The table, what the marked rule would say now, the form."""
        columns = (
            Column("key", "", 1), Column("label", _("Disposition"), 26), Column("leads", _("What it leads to"), 0),
        )  # fmt: skip
        yield DeskTable(columns, empty=_("There is no ending of this kind."), id="rules")
        yield Static(id="words")
        yield Vertical(id="form")

    def on_mount(self) -> None:
        """Read the rules."""
        self.read_afresh()

    def refresh_from_store(self) -> None:
        """What another supervisor changed."""
        self.read(list_rules, self._scope, then=self._show, group="rules")

    def _show(self, rules: Rules) -> None:
        self._rows, self._desk = {row.code: row for row in rules.rows}, rules.desk
        table = [Row(row.code, (row.texts["key"], row.label, row.leads_to)) for row in rules.rows]
        self.query_one("#rules", DeskTable).take(table)
        self.status(_("{kind}, version {version}").format(kind=_(SCOPES[self._scope]), version=rules.version))
        self.moved()

    def _current(self) -> RuleRow | None:
        return self._rows.get(self.query_one("#rules", DeskTable).current_id or "")

    @on(DeskTable.Moved, "#rules")
    def moved(self) -> None:
        """The whole rule, and what the key would say at this moment."""
        row = self._edited or self._current()
        if row is None:
            return
        said = Content.assemble(inert(row.label, 120, tone="bold"), " → ", inert(row.leads_to))
        now = Content.assemble("\n", (_("If it ended now  "), "$text-muted"), inert(row.ended_now))
        self.query_one("#words", Static).update(Content.assemble(said, now if row.ended_now else ""))

    def action_scope(self) -> None:
        """Endings of attempts, of single items, of calls that come in."""
        kinds = list(SCOPES)
        self._scope = kinds[(kinds.index(self._scope) + 1) % len(kinds)]
        self.read_afresh()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """A form takes the keys; leaving it only where there is one."""
        if not super().check_action(action, parameters):
            return False
        has_form = bool(self.query(Form))
        return has_form if action == "leave_form" else not has_form or action not in ("scope", "edit_desk", "edit")

    def _may_edit(self) -> bool:
        if self.session.agent.role in (Role.SUPERVISOR, Role.ADMIN):
            return not self.query(Form)
        self.warn(_("Only a supervisor changes rules; you can read them."))
        return False

    @on(DeskTable.Chosen, "#rules")
    def action_edit(self) -> None:
        """The form of the marked rule."""
        row = self._current()
        if row is not None and self._may_edit():
            self._edited, self._seen = row, row.texts
            self._ask(_fields_of(row, self.session.reference, self.session.language))

    def action_edit_desk(self) -> None:
        """The form of the desk's rules."""
        if self._may_edit():
            self._edited, self._seen = None, self._desk
            self._ask(
                [
                    _field(name, _(field.words), shown_text(name, self._desk[name]))
                    for name, field in DESK_FIELDS.items()
                ]
            )

    def _ask(self, fields: list[Field]) -> None:
        self.query_one("#form").mount(Form(*fields))
        self.set_focus(fields[0], scroll_visible=False)  # at once: keys typed ahead are meant for it
        self.say(_("Enter in the last field stores it. Esc leaves."))
        self.refresh_bindings()

    @on(Form.Completed)
    def store_rule(self) -> None:
        """Store it; what another supervisor changed meanwhile is said with both values."""
        form, row = self.query_one(Form), self._edited
        if form.refuses_unclear():
            return
        values = {name.replace("-", "."): text for name, text in form.values().items()}
        if values.get("channel") == "none":
            values["channel"] = ""
        if row is None:
            self.write(edit_desk_rules, values, seen=self._seen, then=lambda _texts: self._stored(None))
        else:
            self.write(edit_rule, row.scope, row.code, values, seen=self._seen, then=self._stored)

    def _stored(self, row: RuleRow | None) -> None:
        self.action_leave_form()
        if row is None:
            self.done(_("The rules of the desk are stored; they hold from now on."))
        else:
            self.done(_("{label}: {words}.").format(label=row.label, words=row.leads_to))
        self.read(reference_of, then=self._follow, group="reference")

    def _follow(self, reference: Reference) -> None:
        """Keys and labels of this very program say what holds now."""
        self.session.reference = reference
        self.read_afresh()

    def action_leave_form(self) -> None:
        """Put the form away."""
        self._edited = None
        self.query_one("#form").remove_children()
        self.say("")  # what the form said is over
        self.query_one("#rules").focus()
        self.call_after_refresh(self.refresh_bindings)


def _fields_of(row: RuleRow, reference: Reference, language: str) -> list[Field]:
    """The fields that mean something for a disposition, its words in the desk's first language and the agent's own."""
    step = reference.dispositions[row.scope, row.code].next_step
    names = [*(_OF_RETRY if step == NextStep.RETRY else ()), *(("channel",) if step == NextStep.REVIEW else ())]
    fields = [
        _field(name, _(DISPOSITION_FIELDS[name].words), shown_text(name, row.texts[name]))
        for name in (*names, "note", "key")
    ]
    for code in dict.fromkeys((reference.desk.languages[0], language)):
        if f"label.{code}" in row.texts:
            words = _("Label ({language})").format(language=code)
            fields.append(Field(f"label-{code}", words, value=row.texts[f"label.{code}"], max_length=LONGEST_LABEL))
        if row.scope == Scope.ATTEMPT and f"short.{code}" in row.texts:
            words = _("Beside the key ({language})").format(language=code)
            fields.append(Field(f"short-{code}", words, value=row.texts[f"short.{code}"], max_length=LONGEST_SHORT))
    return fields


def _field(name: str, label: str, text: str) -> Field:
    words = _(_HELP[name]) if name in _HELP else ""
    if name in ("other_part", "note"):
        return ChoiceField(name, label, [Choice(YES, _("yes"), "1"), Choice(NO, _("no"), "2")], code=text)
    if name == "channel":
        choices = [Choice("none", review_words(""), "1")]
        choices += [Choice(one.value, review_words(one), str(place)) for place, one in enumerate(Channel, 2)]
        return ChoiceField(name, label, choices, code=text or "none")
    return Field(name, label, value=text, max_length=40, help=words)
