"""What the search gives back: people who may be meant, with all that an agent needs to know before speaking on."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from crisisdesk.domain.words import Coverage


class Reason(StrEnum):
    """Why a patient is shown, or what speaks against it."""

    NISS = "niss"
    NISS_PART = "niss_part"
    PHONE = "phone"
    PHONE_PART = "phone_part"
    NAME = "name"
    NAME_PART = "name_part"
    NAME_LIKE = "name_like"
    SWAPPED = "swapped"
    FIRST = "first"
    FIRST_PART = "first_part"
    FIRST_LIKE = "first_like"
    BIRTH = "birth"
    BIRTH_NEAR = "birth_near"
    RECORD = "record"
    CALL = "call"
    NAME_DIFFERS = "name_differs"
    FIRST_DIFFERS = "first_differs"
    BIRTH_DIFFERS = "birth_differs"
    NISS_DIFFERS = "niss_differs"

    @property
    def is_against(self) -> bool:
        """Whether it speaks against the match."""
        return self in AGAINST


AGAINST = frozenset({Reason.NAME_DIFFERS, Reason.FIRST_DIFFERS, Reason.BIRTH_DIFFERS, Reason.NISS_DIFFERS})
"""Reasons that speak against a match."""


@dataclass(frozen=True, slots=True)
class PhoneLine:
    """One number of a patient, E.164."""

    number: str
    comment: str = ""
    is_guessed: bool = False
    found_wrong_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class TakenOver:
    """Who took a postponement over from the desk."""

    at: datetime
    site_id: str | None
    service_id: int | None
    by: str
    """Who acknowledged it at the service."""


@dataclass(frozen=True, slots=True)
class ItemLine:
    """One postponement, as a line of a list."""

    postponement_id: int
    kind: str | None
    site_id: str | None
    service_name: str
    procedure: str
    original_on: date | None
    planned_on: date | None
    priority: str | None
    """None: uncoded."""
    is_protected: bool
    is_reported: bool
    """Said by a caller, on no list yet."""
    coverage: Coverage
    handed_over: TakenOver | None = None
    """Set where the service's own secretariat has it now: the desk does not ring about it."""
    told_on: date | None = None
    """The day that the patient was given and told, while it holds."""


@dataclass(frozen=True, slots=True)
class OpenCallback:
    """A callback that is not closed, and where it stands."""

    callback_id: int
    site_id: str
    position: int | None
    """Place among the released ones of its site, from 1; None while it is not in that line, or far back."""
    is_released: bool
    hold: str
    not_before: datetime | None
    leased_by: str
    """Name of the agent who is ringing now; empty otherwise."""


@dataclass(frozen=True, slots=True)
class CallLine:
    """One call, as a line of a history."""

    call_id: int
    reference: str
    started_at: datetime
    taken_by: str
    disposition: str
    topic: str | None
    caller_name: str
    caller_kind: str | None
    words: str


@dataclass(frozen=True, slots=True)
class PatientMatch:
    """One person who may be meant."""

    patient_id: int
    last_name: str
    first_name: str
    full_name: str
    birth_on: date | None
    niss: str | None
    town: str
    is_provisional: bool
    is_dead: bool
    """A death was reported; it may still have to be confirmed."""
    reasons: tuple[Reason, ...]
    points: float
    phones: tuple[PhoneLine, ...] = ()
    items: tuple[ItemLine, ...] = ()
    callbacks: tuple[OpenCallback, ...] = ()
    last_call: CallLine | None = None
    proof: str = ""
    """Words that a later caller proves himself with; empty: none agreed."""

    @property
    def name(self) -> str:
        """LAST First, or the name as a list had it."""
        return f"{self.last_name} {self.first_name}".strip() or self.full_name


@dataclass(frozen=True, slots=True)
class Matches:
    """The answer to one query."""

    matches: tuple[PatientMatch, ...] = ()
    on_this_number: tuple[PatientMatch, ...] = ()
    """Others on the number that was typed whose name or birth date is another: family, mostly."""
    earlier_calls: tuple[CallLine, ...] = ()
    """Calls from that number, newest first, tied to a patient or not."""
    calls_last_day: int = 0
    """How many of them in the last 24 hours: a repeat caller."""
    reference_near: tuple[str, ...] = ()
    """References that a mistyped one may have meant."""
