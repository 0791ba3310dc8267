"""What an agent fills in for one call, as typed, and what comes back when it is stored."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime


@dataclass(frozen=True, slots=True)
class ItemSaid:
    """A postponement that the call is about, and what was settled for it (a code of scope "item", or nothing yet)."""

    postponement_id: int
    disposition: str = ""
    new_date: str = ""
    """The day that was given for it, as typed; empty: that of the call."""


@dataclass(frozen=True, slots=True)
class ReportedItem:
    """An appointment that the caller tells of and that stands on no list yet."""

    kind: str = ""
    site_id: str = ""
    service: str = ""
    """Name of the service as the caller says it; tied to the desk's own where it is one."""
    said_on: str = ""
    """The date as typed; empty: the caller does not know."""
    clinician: str = ""
    patient_id: int | None = None
    """Whose; None: the only patient of the call."""


@dataclass(frozen=True, slots=True)
class CallForm:
    """One inbound call. Everything but ``uid``, ``started_at`` and ``disposition`` may be empty.

    Texts are as the agent typed them: `desk.intake.record_call` reads numbers, dates and wishes, and names every
    mistake
    by its field.
    """

    uid: str
    """Made by the client when the form opens: a form that is sent twice is stored once."""
    started_at: datetime
    disposition: str
    ended_at: datetime | None = None
    taken_by: str = ""
    """Login, or name, of who took the call, where somebody else enters it (paper)."""
    slip_number: str = ""
    taken_at: str = ""
    """When it was taken, as the slip says ("14:20", "31/05 9h"); it then stands before ``started_at``."""
    phone: str = ""
    is_withheld: bool = False
    caller_name: str = ""
    caller_kind: str = ""
    relation: str = ""
    language: str = ""
    last_name: str = ""
    first_name: str = ""
    birth: str = ""
    niss: str = ""
    patient_ids: tuple[int, ...] = ()
    """Patients that the agent linked. With none, names make a provisional patient."""
    items: tuple[ItemSaid, ...] = ()
    reported: tuple[ReportedItem, ...] = ()
    site_id: str = ""
    topic: str = ""
    words: str = ""
    """The caller's own words."""
    note: str = ""
    red_flag: str = ""
    instruction_id: int | None = None
    was_read_out: bool = False
    wish: str = ""
    """When to ring back, as said ("demain matin", "après 16h")."""
    wish_number: str = ""
    in_person: bool = False
    """The agent promised to ring back in person; only with an ending that agrees a moment."""
    voicemail: str = ""
    new_date: str = ""
    """The day that was given, as typed, where the call ends with a new date; it takes a place of that day."""
    settled: tuple[int, ...] = ()
    """Open callbacks that this call makes unnecessary."""
    deceased_id: int | None = None
    """Whose death is reported, where several patients are linked."""


@dataclass(frozen=True, slots=True)
class Mistake:
    """One thing to mend before the call can be stored."""

    field: str
    words: str


@dataclass(frozen=True, slots=True)
class RecordedCall:
    """A stored call."""

    call_id: int
    number: int
    reference: str
    """To be read out: "0412-K"."""
    saved_at: datetime
    is_repeat: bool = False
    """This form had been stored before; nothing was written now."""
    patient_ids: tuple[int, ...] = ()
    provisional_id: int | None = None
    callbacks: Mapping[int, str] = field(default_factory=dict)
    """Callback id -> site, of those made or extended."""
    proof: str = ""
    """Two words to tell the caller, who proves himself with them next time; empty: agreed before, or not for this
    call."""
    warnings: tuple[str, ...] = ()
    """What was kept as words because it could not be read."""
    birth_on: date | None = None
