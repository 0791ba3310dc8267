"""Whom one may speak to about the patient of a card: asked, stored, and decided where a colleague changed it too."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from crisisdesk.desk.cards import CallbackCard
from crisisdesk.desk.conflicts import Conflict
from crisisdesk.desk.contacts import LONGEST_CONTACT, TOLD, set_contacts
from crisisdesk.desk.patientfields import MAY_TELL_WORDS
from crisisdesk.errors import CrisisDeskError
from crisisdesk.i18n import _
from crisisdesk.ui.screens.callback_ask import AskPanel
from crisisdesk.ui.widgets.choices import Choice
from crisisdesk.ui.widgets.form import ChoiceField, Field
from crisisdesk.ui.widgets.frame import DeskScreen
from crisisdesk.ui.widgets.storescreen import tell


class ContactSteps:
    """Who may be told, the names of the general practitioner and of the next of kin."""

    def __init__(self, panel: AskPanel, card: CallbackCard, stored: Callable[[str], None]) -> None:
        """``stored``: called when it is over, with what to say."""
        self._panel, self._card, self._stored = panel, card, stored
        self._seen = {
            "may_tell": card.may_tell.value, "may_tell_who": card.may_tell_who, "gp": card.gp,
            "next_of_kin": card.next_of_kin,
        }  # fmt: skip

    def ask(self) -> None:
        """Show the fields with what stands there."""
        choices = [Choice(one.value, _(words), str(at)) for at, (one, words) in enumerate(MAY_TELL_WORDS.items(), 1)]
        who = _("Who, and how related: as the patient said it.")
        card = self._card
        fields = [
            ChoiceField("may_tell", _("May be told"), choices, code=card.may_tell.value),
            Field("may_tell_who", _("Who"), value=card.may_tell_who, max_length=LONGEST_CONTACT, help=who),
            Field("gp", _("General practitioner"), value=card.gp, max_length=LONGEST_CONTACT),
            Field("next_of_kin", _("Next of kin"), value=card.next_of_kin, max_length=LONGEST_CONTACT),
        ]
        words = _("Ask the patient, nobody else. Enter in the last field stores.")
        self._panel.ask(fields, lambda typed: self._write(self._touched(typed)), words)

    def _touched(self, typed: Mapping[str, str]) -> dict[str, Any]:
        """Fields that the agent changed: what was left as it stood is no wish of his."""
        typed = {**typed, "may_tell": typed["may_tell"] or self._seen["may_tell"]}
        names = {name for name in typed if typed[name] != self._seen[name]}
        return {name: typed[name] for name in typed if name in names or (name in TOLD and names & set(TOLD))}

    def _write(self, values: Mapping[str, Any]) -> None:
        screen = self._panel.screen
        assert isinstance(screen, DeskScreen)

        def failed(error: CrisisDeskError) -> None:
            if isinstance(error, Conflict):
                self._panel.decide(error, partial(self._decided, values, error))
            else:
                tell(screen, error, lambda: self._write(values))

        screen.write(
            set_contacts, self._card.patient_id, seen=dict(self._seen), failed=failed,
            then=lambda _changed: self._stored(_("Noted on the patient's file.")), **values,
        )  # fmt: skip

    def _decided(self, values: Mapping[str, Any], conflict: Conflict, mine: Mapping[str, Any]) -> None:
        """Theirs stay out of what is written; of mine the value that stands there now was seen."""
        theirs = {one.name for one in conflict.fields} - mine.keys()
        left = {name: value for name, value in values.items() if _field_of(name) not in theirs}
        for name, stands in mine.items():
            self._seen |= dict(zip(TOLD, stands, strict=True)) if name in TOLD else {name: stands}
        if left:
            self._write(left)
        else:
            self._stored(_("Theirs stays. Nothing was written."))


def _field_of(name: str) -> str:
    return TOLD[0] if name in TOLD else name
