"""The lower part of one's own day: why an attempt is taken back, or how one really ended."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widget import Widget
from textual.widgets import Static

from crisisdesk import clock
from crisisdesk.desk.attempts import ItemResult, needs_date
from crisisdesk.desk.cards import HeldItem
from crisisdesk.desk.conflicts import Conflict
from crisisdesk.desk.correctcall import correct_call
from crisisdesk.desk.correcting import correct_attempt
from crisisdesk.desk.mine import DoneLine, items_of_attempt
from crisisdesk.desk.undoing import LONGEST_REASON, LastAttempt
from crisisdesk.domain.dates import read_typed_date
from crisisdesk.domain.wishes import DayHours, Wish, read_wish
from crisisdesk.domain.words import Scope
from crisisdesk.errors import CrisisDeskError
from crisisdesk.i18n import N_, _
from crisisdesk.ui.format import show_time
from crisisdesk.ui.inert import inert
from crisisdesk.ui.widgets.bothversions import BothVersions
from crisisdesk.ui.widgets.choices import Choice
from crisisdesk.ui.widgets.form import ChoiceField, Field, Form
from crisisdesk.ui.widgets.storescreen import tell

if TYPE_CHECKING:
    from crisisdesk.ui.screens.mine import MineScreen

OUTCOME, TOPIC, DAY, WHEN, NOTE, REASON = "outcome", "topic", "day", "when", "note", "reason"


class ChangePanel(Vertical):
    """What is asked before an attempt is undone or corrected; nothing while nobody is asked."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "leave", N_("leave the form"), show=False)]
    DEFAULT_CSS = """
    ChangePanel { height: auto; }
    ChangePanel #about { height: auto; max-height: 2; color: $accent; }
    """

    def __init__(self) -> None:
        super().__init__(id="change")
        self._last: LastAttempt | None = None
        self._line: DoneLine | None = None
        self._items: Sequence[HeldItem] = ()
        self._versions = BothVersions()

    def compose(self) -> Iterable[Widget]:
        """The place of two versions."""
        yield self._versions

    @property
    def is_asking(self) -> bool:
        """Whether the fields are there."""
        return self._last is not None or self._line is not None

    @property
    def _frame(self) -> "MineScreen":
        return self.screen  # type: ignore[return-value]  # only that screen has this panel

    def ask_reason(self, last: LastAttempt) -> None:
        """Say what Enter takes back, and ask why."""
        self._last = last
        words = _("Undo: {patient}, {disposition}, recorded {time}. Enter takes it back, Esc leaves it.").format(
            patient=last.patient, disposition=last.disposition, time=show_time(last.recorded_at, self._frame.session)
        )
        help_words = _("What was wrong: the journal keeps it.")
        self._show(words, [Field(REASON, _("Why"), max_length=LONGEST_REASON, help=help_words)])

    def ask_outcome(self, line: DoneLine) -> None:
        """Ask how an attempt really ended, or how a call is to be coded."""
        self._line = line
        if line.kind == "call":
            self._ask_codes(line)
            return
        self._frame.read(items_of_attempt, line.number, then=self._ask_with, group="items", hold_keys=True)

    def _ask_with(self, items: Sequence[HeldItem]) -> None:
        line, session = self._line, self._frame.session
        if line is None:
            return
        self._items = items
        endings = [
            Choice(row.code, session.label("disposition.attempt", row.code), row.key)
            for row in session.reference.dispositions_of(Scope.ATTEMPT)
        ]
        words = _("Correct attempt {number}: {patient}, {disposition}. How did it really end?").format(
            number=line.number, patient=line.patient, disposition=line.ending
        )
        self._show(words, [
            ChoiceField(OUTCOME, _("Outcome"), endings, help=_("By its key, its first letters, or F4.")),
            Field(DAY, _("Day accepted"), help=_("Only where a date was accepted: 03/06.")),
            Field(WHEN, _("Ring again"), help=_("Only where the patient named a moment: demain matin, 03/06 14h.")),
            Field(NOTE, _("What was said"), value=line.note, max_length=2000, help=_("The patient's own words.")),
            Field(REASON, _("Why"), max_length=LONGEST_REASON, help=_("What was wrong: the journal keeps it.")),
        ])  # fmt: skip

    def _ask_codes(self, line: DoneLine) -> None:
        session = self._frame.session
        endings = [
            Choice(row.code, session.label("disposition.inbound", row.code), row.key)
            for row in session.reference.dispositions_of(Scope.INBOUND)
        ]
        topics = [Choice(code, session.label("topic", code), row.key) for code, row in session.reference.topics.items()]
        words = _("Code call {number} anew: {patient}, {disposition}. An empty field stays as it was.").format(
            number=line.number, patient=line.patient, disposition=line.ending
        )
        self._show(words, [
            ChoiceField(OUTCOME, _("Outcome"), endings, help=_("By its key, its first letters, or F4.")),
            ChoiceField(TOPIC, _("Topic"), topics, help=_("By its key, its first letters, or F4.")),
            Field(REASON, _("Why"), max_length=LONGEST_REASON, help=_("What was wrong: the journal keeps it.")),
        ])  # fmt: skip

    def _show(self, words: str, fields: Sequence[Field]) -> None:
        self.mount(Static(inert(words, 160), id="about"), Form(*fields))
        self.screen.set_focus(fields[0], scroll_visible=False)  # at once: keys typed ahead are meant for it
        self.call_after_refresh(self.refresh, layout=True)
        self._frame.refresh_bindings()

    def leave(self) -> None:
        """From two versions back to the fields; from the fields out."""
        if self._versions.close():
            return
        self.put_away()

    def put_away(self) -> None:
        """Put the fields away."""
        if self.is_asking:
            self._last = self._line = None
            self._versions.put_away()
            self.query("ChangePanel > #about, ChangePanel > Form").remove()
            self._frame.query_one("#done").focus()
            self._frame.refresh_bindings()

    def action_leave(self) -> None:
        """Put the fields away; nothing was stored."""
        self.leave()

    @on(Form.Completed)
    def store_change(self, event: Form.Completed) -> None:
        """Enter in the last field."""
        event.stop()
        if event.form.refuses_unclear():
            return
        values = event.form.values()
        if self._last is not None:
            self._frame.take_back(self._last.attempt_id, values[REASON])
        elif self._line is not None and self._line.kind == "call":
            seen = {"disposition": self._line.disposition, "topic": self._line.topic}
            self._code_call(self._line, {"disposition": values[OUTCOME], "topic": values[TOPIC]}, values[REASON], seen)
        elif self._line is not None:
            self._store_outcome(self._line, values)

    def _code_call(self, line: DoneLine, codes: Mapping[str, str], reason: str, seen: Mapping[str, str | None]) -> None:
        """Store the codes; of what another supervisor coded meanwhile both versions are shown."""

        def decided(conflict: Conflict, mine: Mapping[str, Any]) -> None:
            theirs = {one.name for one in conflict.fields} - mine.keys()
            left = {name: "" if name in theirs else code for name, code in codes.items()}
            if any(left.values()):
                self._code_call(line, left, reason, {**seen, **mine})
            else:
                self._frame.corrected(_("Theirs stays. Nothing was written."))

        def failed(error: CrisisDeskError) -> None:
            if isinstance(error, Conflict):
                self._show_fields(False)
                self._versions.ask(error, partial(decided, error), left=lambda: self._show_fields(True))
            else:
                tell(self._frame, error, lambda: self._code_call(line, codes, reason, seen))

        self._frame.write(
            correct_call, line.number, disposition=codes["disposition"], topic=codes["topic"], reason=reason, seen=seen,
            failed=failed,
            then=lambda _changed: self._frame.corrected(_("The call is coded anew.")),
        )  # fmt: skip

    def _show_fields(self, is_shown: bool) -> None:
        for child in self.children:
            child.display = is_shown or child is self._versions
        if is_shown and (form := next(iter(self.query("ChangePanel > Form").results(Form)), None)) is not None:
            form.fields[0].focus()

    def _store_outcome(self, line: DoneLine, values: Mapping[str, str]) -> None:
        code = values[OUTCOME]
        row = self._frame.session.reference.dispositions.get((Scope.ATTEMPT, code))
        day, asked = self._day(values[DAY]), self._moment(values[WHEN])
        if row is None:
            self._frame.warn(_("Say how it really ended."))
        elif (values[DAY] and day is None) or (values[WHEN] and asked is None):
            self._frame.warn(_("'{text}' is not understood. Try: 03/06, demain matin, 03/06 14h.").format(
                text=values[DAY] if values[DAY] and day is None else values[WHEN]))  # fmt: skip
        else:
            accepts = needs_date(row) and day is not None
            items = {item.postponement_id: ItemResult("accepts_date", slot_on=day) for item in self._items if accepts}
            self._frame.write(
                correct_attempt, line.number, code, items, reason=values[REASON], note=values[NOTE], asked=asked,
                then=lambda done: self._frame.corrected(done.words),
            )  # fmt: skip

    def _day(self, text: str) -> date | None:
        session = self._frame.session
        found = read_typed_date(text, clock.local_day(session.now(), session.zone)) if text else None
        return found if isinstance(found, date) else None

    def _moment(self, text: str) -> Wish | None:
        session, desk = self._frame.session, self._frame.session.reference.desk
        if not text:
            return None
        hours = DayHours(desk.time_zone, desk.calls_from, desk.calls_until)
        wish = read_wish(text, now=session.now(), hours=hours)
        return wish if wish.is_understood else None
