"""The fields of an inbound call, and what stands in them as a `CallForm`."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.widget import Widget
from textual.widgets import Input

from crisisdesk.desk.booking import Slot
from crisisdesk.desk.callbooking import needs_new_date, offer_in_call
from crisisdesk.desk.callform import CallForm, ItemSaid, ReportedItem
from crisisdesk.desk.patientfields import VOICEMAIL_WORDS
from crisisdesk.domain.words import Scope
from crisisdesk.i18n import N_, _
from crisisdesk.ui.format import show_day
from crisisdesk.ui.session import Session
from crisisdesk.ui.widgets.choices import Choice
from crisisdesk.ui.widgets.form import ChoiceField, Field, Form
from crisisdesk.ui.widgets.frame import DeskScreen
from crisisdesk.ui.widgets.readout import ReadOut

PERSON_FIELDS = ("phone", "last_name", "first_name", "birth", "niss")
"""What the search looks at."""
_KINDS = ("surgery", "consultation", "exam", "day_hospital", "lab")


SLIP_FIELDS = ("slip_number", "taken_by", "taken_at")
"""There only for back-entry."""
MORE_FIELDS = ("said_service", "said_clinician")
"""There where the screen is tall enough, or on demand."""


@dataclass
class Links:
    """What the agent tied to the call beside the fields."""

    patients: dict[int, str] = field(default_factory=dict)
    """Patient id -> name, in the order of linking."""
    items: dict[int, int] = field(default_factory=dict)
    """Postponement id -> patient id."""
    endings: dict[int, str] = field(default_factory=dict)
    """Postponement id -> its own ending, where it is not that of the call."""
    settled: dict[int, int] = field(default_factory=dict)
    """Callback id -> patient id, of those that end with this call."""
    red_flag: str = ""
    read_out: ReadOut = field(default_factory=ReadOut)
    in_person: bool = False
    """The agent promised to ring back in person."""

    def toggle_patient(self, patient_id: int, name: str) -> bool:
        """Link a patient, or unlink with all of his; gives whether he is linked now."""
        if patient_id not in self.patients:
            self.patients[patient_id] = name
            return True
        del self.patients[patient_id]
        self.items = {item: owner for item, owner in self.items.items() if owner != patient_id}
        self.endings = {item: code for item, code in self.endings.items() if item in self.items}
        self.settled = {number: owner for number, owner in self.settled.items() if owner != patient_id}
        return False

    def toggle(self, kept: dict[int, int], number: int, patient_id: int, name: str) -> bool:
        """Link a postponement or settle a callback, its patient with it; gives whether it is tied now."""
        if number in kept:
            del kept[number]
            if kept is self.items:
                self.endings.pop(number, None)
            return False
        self.patients.setdefault(patient_id, name)
        kept[number] = patient_id
        return True

    def texts(self) -> dict[str, str]:
        """For a draft; the names begin with an underscore because people do not read them."""
        texts = {
            "_patients": "\n".join(f"{number}={name}" for number, name in self.patients.items()),
            "_items": " ".join(f"{number}={owner}" for number, owner in self.items.items()),
            "_endings": " ".join(f"{number}={code}" for number, code in self.endings.items()),
            "_settled": " ".join(f"{number}={owner}" for number, owner in self.settled.items()),
            "_flag": self.red_flag,
            "_in_person": "1" if self.in_person else "",
            "_read": str(self.read_out.instruction_id or "") if self.read_out.was_read_out else "",
        }
        return {name: text for name, text in texts.items() if text}

    @classmethod
    def from_texts(cls, texts: Mapping[str, str]) -> "Links":
        """Read back what `texts` gave."""
        people = dict(line.split("=", 1) for line in texts.get("_patients", "").split("\n") if "=" in line)
        read = texts.get("_read", "")
        return cls(
            patients={int(number): name for number, name in people.items()},
            items={one: int(other) for one, other in _pairs(texts.get("_items", ""))},
            endings=dict(_pairs(texts.get("_endings", ""))),
            settled={one: int(other) for one, other in _pairs(texts.get("_settled", ""))},
            red_flag=texts.get("_flag", ""),
            read_out=ReadOut(int(read), was_read_out=True) if read.isdigit() else ReadOut(),
            in_person=bool(texts.get("_in_person")),
        )


def _pairs(text: str) -> Iterable[tuple[int, str]]:
    found = (word.split("=", 1) for word in text.split() if "=" in word)
    return [(int(one), other) for one, other in found]


class SecretField(Field):
    """A number that is readable only while it is typed."""

    def on_focus(self) -> None:
        """Readable."""
        self.password = False

    def on_blur(self) -> None:
        """Masked."""
        self.password = True


def call_fields(session: Session) -> Iterable[Field]:
    """The fields from top to bottom, in the order in which a call is heard."""
    yield from _person_fields()
    yield from _caller_fields(session)
    yield from _reason_fields(session)
    yield from _ending_fields(session)
    yield from _slip_fields()


def _person_fields() -> Iterable[Field]:
    yield Field(
        "phone",
        _("Phone"),
        width=16,
        max_length=60,
        help=_("The number the call comes from; the last digits are enough to search. Empty: withheld."),
    )
    yield Field("last_name", _("Last name"), help=_("Of the patient, not of the caller. Two letters begin the search."))
    yield Field("first_name", _("First name"), help=_("Of the patient."))
    yield Field("birth", _("Born on"), width=12, max_length=30, help=_("12/3/58, 12031958 or 12.03.1958."))
    yield SecretField(
        "niss", _("National no."), max_length=30, help=_("If it is at hand. It is masked when you leave the field.")
    )


def _caller_fields(session: Session) -> Iterable[Field]:
    kinds = [
        Choice(kind.code, session.label("caller_kind", kind.code), kind.key)
        for kind in session.reference.caller_kinds.values()
    ]
    languages = [Choice(code, session.label("language", code), code[:1]) for code in session.reference.desk.languages]
    yield ChoiceField("caller_kind", _("Caller"), kinds, help=_("Who phones: one letter, or F4 for the list."))
    yield Field("relation", _("Relation"), max_length=60, help=_("Of the caller to the patient: daughter, neighbour."))
    yield Field("caller_name", _("Caller's name"), max_length=80, help=_("When the caller is not the patient."))
    yield ChoiceField("language", _("Language"), languages, help=_("In which the caller wants to be rung back."))


def _reason_fields(session: Session) -> Iterable[Field]:
    sites = [Choice(site.site_id, site.name, "") for site in session.reference.sites.values()]
    topics = [Choice(topic.code, session.label("topic", topic.code), topic.key)
              for topic in session.reference.topics.values()]  # fmt: skip
    kinds = [Choice(kind, session.label("service_kind", kind), "") for kind in _KINDS]
    yield ChoiceField("site", _("Hospital"), sites, help=_("Which hospital it is about: first letters."))
    yield ChoiceField("topic", _("Topic"), topics, help=_("Why they call: one letter, or F4 for the list."))
    yield Field(
        "words", _("Exact words"), max_length=2000, help=_("What the caller says, in those words. No diagnosis.")
    )
    yield ChoiceField(
        "said_kind", _("Appointment"), kinds, help=_("Only if it stands on no list: what the caller had.")
    )
    yield Field(
        "said_on",
        _("  planned on"),
        width=12,
        max_length=60,
        help=_("The date of that appointment, as the caller believes."),
    )
    yield Field("said_service", _("  service"), max_length=80, help=_("Of that appointment: cardiology, Dr Adam's."))
    yield Field("said_clinician", _("  doctor"), max_length=80, help=_("Whom the caller was to see."))


def _ending_fields(session: Session) -> Iterable[Field]:
    endings = [
        Choice(row.code, session.label("disposition.inbound", row.code), row.key)
        for row in session.reference.dispositions_of(Scope.INBOUND)
        if not row.is_quick
    ]
    voicemail = [Choice(choice.value, _(words), choice.value[:1]) for choice, words in VOICEMAIL_WORDS.items()]
    yield ChoiceField(
        "disposition",
        _("Ending"),
        endings,
        help=_("How the call ends: one letter, or F4. Nothing is saved without it."),
    )
    words = _("The number of an offered day, or the day that was given; the place is kept with the call.")
    yield Field("new_date", _("New date"), width=12, max_length=30, help=words)
    yield Field(
        "wish", _("Ring back"), width=20, max_length=120, help=_("When: demain matin, après 16h, avant ven, 14/06 10h.")
    )
    yield Field(
        "wish_number", _("  on number"), max_length=60, help=_("Another number than the one the call came from.")
    )
    yield ChoiceField(
        "voicemail",
        _("Voicemail"),
        voicemail,
        help=_("What may be left on the machine. Never asked: nothing that names the patient."),
    )
    yield Field("note", _("Note"), max_length=2000, help=_("For colleagues. Some endings need one."))


def _slip_fields() -> Iterable[Field]:
    """For calls that were written on paper while the desk could not be used."""
    yield Field(
        "slip_number", _("Slip no."), max_length=40, help=_("The number on the paper; told when it was entered before.")
    )
    yield Field("taken_by", _("  taken by"), max_length=80, help=_("Login or name of who took the call."))
    yield Field(
        "taken_at", _("  at"), width=14, max_length=40, help=_("When it was taken: 14:20, hier 9h, 31/05 14:20.")
    )


class CallEntry(Form):
    """The form of a call; what is seldom filled in comes on demand."""

    DEFAULT_CSS = """
    CallEntry #new_date { display: none; }
    CallEntry.-dated #new_date { display: block; }
    CallEntry.-dated #wish, CallEntry.-dated #wish_number { display: none; }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+t", "more_fields", N_("paper slip; service, doctor"), priority=True, show=False),
    ]

    def __init__(self, links: Links, *children: Widget) -> None:
        super().__init__(*children, id="call")
        self._links = links
        self.offers: Sequence[Slot] = ()
        for name in (*MORE_FIELDS, *SLIP_FIELDS):
            self[name].set_class(True, "-more" if name in MORE_FIELDS else "-slip")

    @property
    def gives_date(self) -> bool:
        """Whether the call, or one of its items, ends with a new date."""
        if not isinstance(self.screen, DeskScreen):
            return False
        rows = self.screen.session.reference.dispositions
        endings = [rows.get((Scope.INBOUND, self.choice("disposition").code or ""))]
        endings += [rows.get((Scope.ITEM, code)) for code in self._links.endings.values()]
        return any(needs_new_date(row) for row in endings)

    @property
    def new_date(self) -> str:
        """The day as typed; the number of an offer stands for its day."""
        text = self["new_date"].value.strip()
        place = int(text) if text.isdecimal() and len(text) == 1 else 0
        return self.offers[place - 1].slot_on.isoformat() if 1 <= place <= len(self.offers) else text

    @on(Input.Changed, "#disposition")
    def ending_typed(self) -> None:
        """An ending with a new date asks for it, and offers days, in place of when to ring back."""
        self.set_class(self.gives_date, "-dated")
        if self.gives_date and isinstance(self.screen, DeskScreen):
            self.screen.read(
                offer_in_call, list(self._links.items), list(self._links.settled), then=self._offer, group="offer"
            )

    def _offer(self, slots: Sequence[Slot]) -> None:
        self.offers = slots
        offered = "  ".join(f"{place}) {show_day(slot.slot_on)}" for place, slot in enumerate(slots, 1))
        self["new_date"].remark(offered)
        if slots and isinstance(self.screen, DeskScreen):  # the field may have no room for all of them
            self.screen.say(_("Offered: {days}").format(days=offered))

    @on(Form.Completed)
    def completed(self) -> None:
        """Past the last field: say what is left to do."""
        if isinstance(self.screen, DeskScreen):
            self.screen.say(_("^S saves the call."))

    def texts(self) -> dict[str, str]:
        """The fields and what is tied to the call; nothing while nothing is typed or linked."""
        texts = super().texts()
        return texts | self._links.texts() if texts or self._links.patients else {}

    def fill(self, texts: Mapping[str, str]) -> None:
        """A draft with seldom fields shows them."""
        super().fill(texts)
        self.set_class(any(texts.get(name) for name in (*MORE_FIELDS, *SLIP_FIELDS)), "-more")

    def action_more_fields(self) -> None:
        """The fields of a paper slip and of an appointment; again hides them while they are empty."""
        is_shown = not self.has_class("-more")
        if not is_shown and any(self[name].value for name in (*MORE_FIELDS, *SLIP_FIELDS)):
            if isinstance(self.screen, DeskScreen):
                self.screen.warn(_("These fields hold something; empty them first."))
            return
        self.set_class(is_shown, "-more")
        self["slip_number" if is_shown else "phone"].focus()


def read_form(form: Form, links: Links, *, uid: str, started_at: datetime, now: datetime) -> CallForm:
    """The call as it stands in the fields."""
    values = form.values()
    told = ReportedItem(
        kind=values["said_kind"], said_on=values["said_on"], service=values["said_service"],
        clinician=values["said_clinician"],
    )  # fmt: skip
    is_slip = any(values[name] for name in SLIP_FIELDS)  # what stands on the screen now was not there then
    return CallForm(
        uid=uid,
        started_at=started_at,
        ended_at=now,
        disposition=values["disposition"],
        phone=values["phone"],
        is_withheld=not values["phone"],
        caller_name=values["caller_name"],
        caller_kind=values["caller_kind"],
        relation=values["relation"],
        language=values["language"],
        last_name=values["last_name"],
        first_name=values["first_name"],
        birth=values["birth"],
        niss=values["niss"],
        patient_ids=tuple(links.patients),
        items=tuple(ItemSaid(number, links.endings.get(number, "")) for number in links.items),
        reported=(told,) if told != ReportedItem() else (),
        site_id=values["site"],
        topic=values["topic"],
        words=values["words"],
        note=values["note"],
        red_flag=links.red_flag,
        instruction_id=links.read_out.instruction_id if links.read_out.was_read_out or not is_slip else None,
        was_read_out=links.read_out.was_read_out,
        wish=values["wish"],
        wish_number=values["wish_number"],
        in_person=links.in_person,
        voicemail=values["voicemail"],
        new_date=form.new_date if isinstance(form, CallEntry) and form.gives_date else "",
        settled=tuple(links.settled),
        slip_number=values["slip_number"],
        taken_by=values["taken_by"],
        taken_at=values["taken_at"],
    )


FIELD_OF = {
    "site_id": "site",
    "patients": "last_name",
    "items": "words",
    "reported": "said_on",
    "settled": "disposition",
}
"""Field of the screen for a mistake of the form, where the names differ."""
