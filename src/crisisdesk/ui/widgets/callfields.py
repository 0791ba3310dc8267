"""The fields of an inbound call, and what stands in them as a `CallForm`."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from crisisdesk.desk.callform import CallForm, ItemSaid, ReportedItem
from crisisdesk.domain.words import Scope, Voicemail
from crisisdesk.i18n import N_, _
from crisisdesk.ui.session import Session
from crisisdesk.ui.widgets.choices import Choice
from crisisdesk.ui.widgets.form import ChoiceField, Field, Form

PERSON_FIELDS = ("phone", "last_name", "first_name", "birth", "niss")
"""What the search looks at."""
_VOICEMAIL = {
    Voicemail.UNKNOWN: N_("never asked: leave no name"),
    Voicemail.NONE: N_("leave nothing"),
    Voicemail.IDENTIFIED: N_("may say the name and the hospital"),
}
_KINDS = ("surgery", "consultation", "exam", "day_hospital", "lab")


@dataclass
class Links:
    """What the agent tied to the call beside the fields."""

    patients: dict[int, str] = field(default_factory=dict)
    """Patient id -> name, in the order of linking."""
    items: dict[int, int] = field(default_factory=dict)
    """Postponement id -> patient id."""
    settled: dict[int, int] = field(default_factory=dict)
    """Callback id -> patient id, of those that end with this call."""
    red_flag: str = ""
    instruction_id: int | None = None
    was_read_out: bool = False

    def toggle_patient(self, patient_id: int, name: str) -> bool:
        """Link a patient, or unlink with all of his; gives whether he is linked now."""
        if patient_id not in self.patients:
            self.patients[patient_id] = name
            return True
        del self.patients[patient_id]
        self.items = {item: owner for item, owner in self.items.items() if owner != patient_id}
        self.settled = {number: owner for number, owner in self.settled.items() if owner != patient_id}
        return False

    def toggle(self, kept: dict[int, int], number: int, patient_id: int, name: str) -> bool:
        """Link a postponement or settle a callback, its patient with it; gives whether it is tied now."""
        if number in kept:
            del kept[number]
            return False
        self.patients.setdefault(patient_id, name)
        kept[number] = patient_id
        return True

    def texts(self) -> dict[str, str]:
        """For a draft; the names begin with an underscore because people do not read them."""
        texts = {
            "_patients": "\n".join(f"{number}={name}" for number, name in self.patients.items()),
            "_items": " ".join(f"{number}={owner}" for number, owner in self.items.items()),
            "_settled": " ".join(f"{number}={owner}" for number, owner in self.settled.items()),
            "_flag": self.red_flag,
            "_read": str(self.instruction_id) if self.was_read_out and self.instruction_id else "",
        }
        return {name: text for name, text in texts.items() if text}

    @classmethod
    def from_texts(cls, texts: Mapping[str, str]) -> "Links":
        """Read back what `texts` gave."""
        people = dict(line.split("=", 1) for line in texts.get("_patients", "").split("\n") if "=" in line)
        read = texts.get("_read", "")
        return cls(
            {int(number): name for number, name in people.items()},
            _pairs(texts.get("_items", "")),
            _pairs(texts.get("_settled", "")),
            texts.get("_flag", ""),
            int(read) if read.isdigit() else None,
            read.isdigit(),
        )


def _pairs(text: str) -> dict[int, int]:
    found = (word.split("=", 1) for word in text.split() if "=" in word)
    return {int(one): int(other) for one, other in found}


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


def _person_fields() -> Iterable[Field]:
    yield Field(
        "phone",
        _("Phone"),
        width=13,
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


def _ending_fields(session: Session) -> Iterable[Field]:
    endings = [
        Choice(row.code, session.label("disposition.inbound", row.code), row.key)
        for row in session.reference.dispositions_of(Scope.INBOUND)
        if not row.is_quick
    ]
    voicemail = [Choice(choice.value, _(words), choice.value[:1]) for choice, words in _VOICEMAIL.items()]
    yield ChoiceField(
        "disposition",
        _("Ending"),
        endings,
        help=_("How the call ends: one letter, or F4. Nothing is saved without it."),
    )
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


def read_form(form: Form, links: Links, *, uid: str, started_at: datetime, now: datetime) -> CallForm:
    """The call as it stands in the fields."""
    values = form.values()
    said = values["said_kind"] or values["said_on"]
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
        items=tuple(ItemSaid(number) for number in links.items),
        reported=(ReportedItem(kind=values["said_kind"], said_on=values["said_on"]),) if said else (),
        site_id=values["site"],
        topic=values["topic"],
        words=values["words"],
        note=values["note"],
        red_flag=links.red_flag,
        instruction_id=links.instruction_id if links.was_read_out else None,
        was_read_out=links.was_read_out,
        wish=values["wish"],
        wish_number=values["wish_number"],
        voicemail=values["voicemail"],
        settled=tuple(links.settled),
    )


FIELD_OF = {
    "site_id": "site",
    "patients": "last_name",
    "items": "words",
    "reported": "said_on",
    "settled": "disposition",
}
"""Field of the screen for a mistake of the form, where the names differ."""
