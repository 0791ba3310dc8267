"""One person's file: what happened, oldest to newest, and where it is written."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from crisisdesk.domain.matches import ItemLine, OpenCallback, PhoneLine
from crisisdesk.domain.words import Strength


class EventKind(StrEnum):
    """What sort of thing happened."""

    CALL = "call"
    ATTEMPT = "attempt"
    CALLBACK_MADE = "callback_made"
    CALLBACK_RELEASED = "callback_released"
    CALLBACK_CLOSED = "callback_closed"
    BOOKED = "booked"
    BOOKING_WITHDRAWN = "booking_withdrawn"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened."""

    at: datetime
    kind: EventKind
    number: int
    """Id of the call, attempt, callback, booking or journal entry."""
    agent: str
    code: str
    """Disposition, state or action, as a code."""
    site_id: str | None
    words: str
    reference: str = ""
    """Reference of a call; number that was rung for an attempt."""
    is_undone: bool = False
    """An attempt that was taken back or corrected: it counts nowhere."""


@dataclass(frozen=True, slots=True)
class ListedIn:
    """A line of a list."""

    file: str
    line: int
    published_at: datetime


@dataclass(frozen=True, slots=True)
class Likeness:
    """Another record that may be the same person."""

    likeness_id: int
    other_id: int
    other_name: str
    other_birth_on: date | None
    strength: Strength
    why: str
    state: str
    """proposed, merged, refused or split."""


@dataclass(frozen=True, slots=True)
class ReportedMatch:
    """A postponement that a caller told of, and the one on a list that it may be, or was found to be."""

    reported_id: int
    listed_id: int
    patient_id: int
    why: tuple[str, ...] = ()
    points: int = 0
    is_confirmed: bool = False


@dataclass(frozen=True, slots=True)
class PatientFile:
    """Everything about one person. Names and remarks are foreign text."""

    patient_id: int
    last_name: str
    first_name: str
    full_name: str
    birth_on: date | None
    niss: str | None
    record_number: str
    town: str
    language: str
    voicemail: str
    contact_note: str
    proof: str
    is_provisional: bool
    death_reported_at: datetime | None
    is_death_confirmed: bool
    phones: tuple[PhoneLine, ...]
    items: tuple[ItemLine, ...]
    listed: dict[int, list[ListedIn]]
    """Lines of lists, by postponement."""
    callbacks: tuple[OpenCallback, ...]
    events: tuple[Event, ...]
    likenesses: tuple[Likeness, ...]
    reported: tuple[ReportedMatch, ...] = ()
    """What callers told of, against the lists: confirmed ones first, then those that wait for a person."""

    @property
    def name(self) -> str:
        """LAST First, or the name as a list had it."""
        return f"{self.last_name} {self.first_name}".strip() or self.full_name


def mask_national_number(digits: str | None, kind: str = "be.ssn") -> str:
    """The national number as screens show it: the part that tells no more than the birth date ("85.07.30-•••.••")."""
    if not digits:
        return ""
    if kind == "be.ssn" and len(digits) == 11:
        return f"{digits[:2]}.{digits[2:4]}.{digits[4:6]}-•••.••"
    return digits[:2] + "•" * max(0, len(digits) - 2)
