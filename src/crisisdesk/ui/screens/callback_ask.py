"""What the card asks besides how the attempt ended: why nobody was rung, whom one may speak to about the patient."""

from collections.abc import Callable, Mapping, Sequence

from textual.containers import Vertical
from textual.widgets import Static

from crisisdesk.desk.callbacks import release_lease
from crisisdesk.desk.cards import CallbackCard
from crisisdesk.desk.contacts import LONGEST_CONTACT, set_contacts
from crisisdesk.desk.undoing import LONGEST_REASON, UndoneAttempt, undo_attempt
from crisisdesk.domain.lease import Lease
from crisisdesk.domain.words import MayTell
from crisisdesk.i18n import _
from crisisdesk.ui.inert import inert
from crisisdesk.ui.widgets.choices import Choice
from crisisdesk.ui.widgets.form import ChoiceField, Field, Form
from crisisdesk.ui.widgets.frame import DeskScreen

REASON = "reason"


class AskPanel(Vertical):
    """A few fields at the foot of a screen, and what is done with them; nothing while nobody is asked."""

    DEFAULT_CSS = "AskPanel { height: auto; }"

    def __init__(self) -> None:
        super().__init__(id="asking")
        self._store: Callable[[Mapping[str, str]], None] | None = None

    @property
    def is_asking(self) -> bool:
        """Whether the fields are there."""
        return self._store is not None

    def ask(self, fields: Sequence[Field], store: Callable[[Mapping[str, str]], None], words: str = "") -> None:
        """Show fields; Enter in the last one hands their values to ``store``, which calls `leave` when it is done."""
        self.leave()
        self._store = store
        self.mount(Form(*fields), Static(inert(words, 160, tone="$text-muted")))
        self.screen.set_focus(fields[0], scroll_visible=False)  # at once: keys typed ahead are meant for it

    def complete(self) -> None:
        """Hand over what stands in the fields."""
        form = next(iter(self.query(Form)), None)
        if form is not None and self._store is not None and not form.refuses_unclear():
            self._store(form.values())

    def leave(self) -> None:
        """Put the fields away."""
        self._store = None
        self.remove_children()


def ask_reason(panel: AskPanel, lease: Lease, given_back: Callable[[], None]) -> None:
    """Ask why nobody was rung, and give the patient back."""
    screen = panel.screen
    assert isinstance(screen, DeskScreen)

    def store(values: Mapping[str, str]) -> None:
        screen.write(release_lease, lease, values[REASON], then=lambda _nothing: given_back())

    panel.ask([Field(REASON, _("Why was nobody rung?"), max_length=200)], store)


def ask_undo(panel: AskPanel, attempt_id: int, taken_back: Callable[[UndoneAttempt], None]) -> None:
    """Ask why the attempt that was just stored is taken back, and take it back."""
    screen = panel.screen
    assert isinstance(screen, DeskScreen)

    def store(values: Mapping[str, str]) -> None:
        screen.write(undo_attempt, attempt_id, reason=values[REASON], then=taken_back)

    words = _("Enter takes it back: all is as it was before, and the patient is held for you. Esc leaves it stored.")
    panel.ask([Field(REASON, _("Why is it undone?"), max_length=LONGEST_REASON)], store, words)


def ask_contacts(panel: AskPanel, card: CallbackCard, stored: Callable[[], None]) -> None:
    """Ask who may be told, and the names of the general practitioner and the next of kin."""
    screen = panel.screen
    assert isinstance(screen, DeskScreen)
    choices = [
        Choice(MayTell.UNKNOWN.value, _("never asked"), "1"), Choice(MayTell.NONE.value, _("nobody"), "2"),
        Choice(MayTell.NAMED.value, _("one named person"), "3"),
    ]  # fmt: skip
    who = _("Who, and how related: as the patient said it.")
    fields = [
        ChoiceField("may_tell", _("May be told"), choices, code=card.may_tell.value),
        Field("may_tell_who", _("Who"), value=card.may_tell_who, max_length=LONGEST_CONTACT, help=who),
        Field("gp", _("General practitioner"), value=card.gp, max_length=LONGEST_CONTACT),
        Field("next_of_kin", _("Next of kin"), value=card.next_of_kin, max_length=LONGEST_CONTACT),
    ]

    def store(values: Mapping[str, str]) -> None:
        screen.write(
            set_contacts, card.patient_id, may_tell=MayTell(values["may_tell"] or card.may_tell),
            may_tell_who=values["may_tell_who"], gp=values["gp"], next_of_kin=values["next_of_kin"],
            then=lambda _changed: stored(),
        )  # fmt: skip

    panel.ask(fields, store, _("Ask the patient, nobody else. Enter in the last field stores."))
