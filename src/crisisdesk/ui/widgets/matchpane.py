"""The matches pane of a call: who may be meant, and what of theirs the agent ties to the call."""

from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widget import Widget

from crisisdesk.desk.linking import MatchQuery, find_matches
from crisisdesk.domain.matches import AGAINST, Matches, PatientMatch, Reason
from crisisdesk.domain.words import Scope
from crisisdesk.i18n import N_, _, ngettext
from crisisdesk.ui.keys import digit_bindings
from crisisdesk.ui.session import Session
from crisisdesk.ui.widgets.callfields import PERSON_FIELDS, Links
from crisisdesk.ui.widgets.choices import Choice, ChoiceScreen
from crisisdesk.ui.widgets.form import Form
from crisisdesk.ui.widgets.frame import DeskScreen
from crisisdesk.ui.widgets.matchlines import match_rows
from crisisdesk.ui.widgets.table import Column, DeskTable

AS_CALL = "-"
"""Stands for no ending of its own in the list of endings."""
_NUMBER, _BIRTH = {Reason.PHONE, Reason.NISS}, {Reason.BIRTH}
_NAMED = {Reason.NAME, Reason.NAME_PART, Reason.NAME_LIKE}


def _is_likely(match: PatientMatch) -> bool:
    """The same number and nothing against it, or the same name and birth date."""
    reasons = set(match.reasons)
    if reasons & AGAINST:
        return False
    return bool(reasons & _NUMBER or (reasons & _BIRTH and reasons & _NAMED))


class MatchTable(DeskTable):
    """People who may be meant, best first; Enter or a digit links."""

    HELP = N_(
        "People who may be meant, best first. Enter or their digit links or unlinks; Enter on a postponement ties it "
        "to the call, on a callback (→) ends it with this call. E gives a postponement an ending of its own; without "
        "one that of the call holds for it. F11 opens a person's file. Esc goes back to the form."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        *digit_bindings("link_number"),
        Binding("e", "item_ending", N_("ending of this item")),
        Binding("escape", "leave", N_("to the form"), priority=True),
    ]
    DEFAULT_CSS = "MatchTable { height: 1fr; }"

    class Changed(Message):
        """Something was linked, tied or settled, or is no longer."""

    def __init__(self, links: Links, session: Session) -> None:
        empty = _("Who may be meant.\nA name, a number or a\nbirth date fills this.")
        super().__init__((Column("who", _("Matches"), 0),), empty=empty, id="matches")
        self._links, self._session = links, session
        self._found = Matches()
        self._field_before: Widget | None = None

    def search(self, screen: DeskScreen, form: Form) -> None:
        """Look for whom the person's fields of a form may mean; the newest search wins."""
        typed = {name: form[name].value for name in PERSON_FIELDS}
        if any(text.strip() for text in typed.values()):
            query = MatchQuery(**typed)
            screen.read(find_matches, query, reference=self._session.reference, then=self.show_found, group="matches")
        else:
            self.show_found(None)

    def show_found(self, found: Matches | None) -> None:
        """Show what was found; None where nothing was typed."""
        self._found = found or Matches()
        nobody = found is None and not self._links.patients
        self.show([] if nobody else match_rows(self._found, self._links, self._session))
        if not self.has_focus:  # nobody has chosen a line yet: the best one waits for Enter
            self.action_move(-len(self.rows))

    @property
    def people(self) -> tuple[PatientMatch, ...]:
        """In the order of their digits."""
        return (*self._found.matches, *self._found.on_this_number)

    def person_here(self) -> int | None:
        """Whose line the cursor is on; else the first one linked."""
        kind, _sep, number = (self.current_id or "").partition(":")
        if self.has_focus and kind == "p":
            return int(number)
        return next(iter(self._links.patients), None)

    @on(DeskTable.Chosen)
    def chosen(self, event: DeskTable.Chosen) -> None:
        """Enter on a line: link, tie, or settle; again takes it back."""
        event.stop()
        kind, _sep, number = event.row_id.partition(":")
        if kind == "p":
            self._link(int(number))
        for match in self.people:
            if kind == "i" and int(number) in {item.postponement_id for item in match.items}:
                self._links.toggle(self._links.items, int(number), match.patient_id, match.name)
            if kind == "c" and int(number) in {callback.callback_id for callback in match.callbacks}:
                self._links.toggle(self._links.settled, int(number), match.patient_id, match.name)
        self._changed()

    def enter_or_leave(self) -> None:
        """Take the focus, or give it back to the field it came from."""
        if self.has_focus:
            self.action_leave()
        else:
            self._field_before = self.screen.focused
            self.focus()

    def action_leave(self) -> None:
        """Back to the field that one came from."""
        if self._field_before is not None:
            self._field_before.focus()
        else:
            self.screen.focus_next()

    def action_link_number(self, number: int) -> None:
        """Link the person of that digit, or unlink."""
        if number <= len(self.people):
            self._link(self.people[number - 1].patient_id)
            self._changed()

    def action_item_ending(self) -> None:
        """Say how it ended for the postponement under the cursor, where that is not how the call ends."""
        kind, _sep, number = (self.current_id or "").partition(":")
        owner = self._owner_of(int(number)) if kind == "i" else None
        if owner is None:
            self._tell(_("Put the cursor on a postponement first."), warn=True)
            return
        item_id, session = int(number), self._session
        rows = session.reference.dispositions_of(Scope.ITEM)
        endings = [Choice(row.code, session.label("disposition.item", row.code), row.key) for row in rows]

        def picked(code: str | None) -> None:
            if code is None:
                return
            self._links.patients.setdefault(owner.patient_id, owner.name)
            self._links.items[item_id] = owner.patient_id
            self._links.endings.pop(item_id, None)
            if code != AS_CALL:
                self._links.endings[item_id] = code
            self._changed()

        choices = [Choice(AS_CALL, _("as the call ends"), "0"), *endings]
        current = self._links.endings.get(item_id, AS_CALL)
        self.app.push_screen(ChoiceScreen(_("Ending of this item"), choices, current), picked)

    def _owner_of(self, item_id: int) -> PatientMatch | None:
        return next((one for one in self.people if item_id in {item.postponement_id for item in one.items}), None)

    def provisional_alike(self) -> PatientMatch | None:
        """Somebody known from an earlier call only who is likely meant, while nobody is linked."""
        if self._links.patients:
            return None
        return next((match for match in self._found.matches if match.is_provisional and _is_likely(match)), None)

    def link_person(self, match: PatientMatch) -> None:
        """Link a person who was offered."""
        if match.patient_id not in self._links.patients:
            self._link(match.patient_id)
            self._changed()

    def settle_all(self) -> None:
        """End every open callback of the linked patients with this call, or take that back."""
        linked = [match for match in self.people if match.patient_id in self._links.patients]
        wanted = {callback.callback_id: match.patient_id for match in linked for callback in match.callbacks}
        if not wanted:
            self._tell(_("No linked patient has an open callback. Link first (^L)."), warn=True)
            return
        self._links.settled = {} if wanted.keys() <= self._links.settled.keys() else wanted
        count = len(self._links.settled)
        words = ngettext("{count} callback ends with this call.", "{count} callbacks end with this call.", count)
        self._tell(words.format(count=count) if count else _("The callbacks stay."))
        self._changed()

    def _link(self, patient_id: int) -> None:
        match = next((one for one in self.people if one.patient_id == patient_id), None)
        name = match.name if match else self._links.patients.get(patient_id, "")
        is_linked = self._links.toggle_patient(patient_id, name or "?")
        words = _("Linked: {name}.") if is_linked else _("No longer linked: {name}.")
        if is_linked and match and len(match.items) == 1:
            self._links.items[match.items[0].postponement_id] = patient_id
        if is_linked and match and match.proof:
            words = _("Linked: {name}. Words agreed with the caller: {proof}.")
        self._tell(words.format(name=name, proof=match.proof if match else ""))

    def _changed(self) -> None:
        self.show_found(self._found)
        self.post_message(self.Changed())

    def _tell(self, words: str, warn: bool = False) -> None:
        if isinstance(self.screen, DeskScreen):
            (self.screen.warn if warn else self.screen.say)(words)
