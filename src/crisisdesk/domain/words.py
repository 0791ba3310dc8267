"""The words of the desk as closed lists. Each value is what the database stores and what scripts read."""

from enum import IntEnum, StrEnum


class Role(StrEnum):
    """What somebody at the desk may do."""

    AGENT = "agent"
    SUPERVISOR = "supervisor"
    AUDITOR = "auditor"
    ADMIN = "admin"


class ServiceKind(StrEnum):
    """What a service offers."""

    SURGERY = "surgery"
    CONSULTATION = "consultation"
    EXAM = "exam"
    DAY_HOSPITAL = "day_hospital"
    LAB = "lab"


class Priority(StrEnum):
    """Clinical priority (FSSA / Royal Colleges). None means uncoded, which is never treated as low."""

    P1A = "P1a"
    P1B = "P1b"
    P2 = "P2"
    P3 = "P3"
    P4 = "P4"
    P5 = "P5"
    P6 = "P6"


class Tier(IntEnum):
    """First key of the queue's order."""

    ESCALATED = 0
    URGENT = 1
    ROUTINE = 2


class CallbackState(StrEnum):
    """The one state of a callback; why a waiting one is not served now is computed."""

    WAITING = "waiting"
    LEASED = "leased"
    CLOSED = "closed"


class Coverage(StrEnum):
    """How far a postponement has come, from what was done for it; exactly one holds."""

    NEVER_TRIED = "never_tried"
    TRIED = "tried"
    REACHED = "reached"
    DECIDED = "decided"
    REBOOKED = "rebooked"
    DONE = "done"


class Scope(StrEnum):
    """What a disposition ends: an inbound call, an attempt, or one postponement of either."""

    INBOUND = "inbound"
    ATTEMPT = "attempt"
    ITEM = "item"


class Reach(StrEnum):
    """Whom an attempt spoke to."""

    NOBODY = "nobody"
    THIRD_PARTY = "third_party"
    PATIENT = "patient"


class NextStep(StrEnum):
    """What a disposition leads to."""

    CLOSE = "close"
    """The callback ends."""
    RETRY = "retry"
    """The same number later."""
    NEXT_NUMBER = "next_number"
    """Another number of the patient, else the number search list."""
    AT_TIME = "at_time"
    """The time that was asked for."""
    REVIEW = "review"
    """A clinician decides, by name; nobody rings meanwhile."""
    ESCALATE = "escalate"
    """Tier 0 and the way out of the red flags."""
    CONFIRM = "confirm"
    """A second agent confirms (death); nobody rings meanwhile."""
    OPENING = "opening"
    """Waits for the opening of the service."""


class WayOut(StrEnum):
    """Where a red flag sends the caller."""

    EMERGENCY = "emergency"
    """112 now, the caller stays on the line."""
    URGENT_CARE = "urgent_care"
    """General practitioner, 1733 in the evening and at weekends, or the emergency department."""
    ON_CALL = "on_call"
    """The on-call clinician of the site."""


class Channel(StrEnum):
    """What is done away from the telephone before a clinician decides about a patient whom nobody reaches."""

    LETTER = "letter"
    GP = "gp"
    NEXT_OF_KIN = "next_of_kin"


class MayTell(StrEnum):
    """What may be said to somebody else who answers; the default says nothing."""

    UNKNOWN = "unknown"
    """Never asked: nothing is said."""
    NONE = "none"
    NAMED = "named"
    """One person whom the patient named, and nobody else."""


class HandoverState(StrEnum):
    """Where one item of a handover stands; what is not acknowledged stays the desk's."""

    OFFERED = "offered"
    ACKNOWLEDGED = "acknowledged"
    REFUSED = "refused"


class Voicemail(StrEnum):
    """What may be left on a machine; the default says nothing about who is meant."""

    UNKNOWN = "unknown"
    """Never asked: a message without identification, no name, no hospital service."""
    NONE = "none"
    IDENTIFIED = "identified"


class PartOfDay(StrEnum):
    """When a patient wants to be rung."""

    ANY = "any"
    MORNING = "morning"
    AFTERNOON = "afternoon"
    EVENING = "evening"


class OpeningState(StrEnum):
    """How far a service is open."""

    CLOSED = "closed"
    PARTIAL = "partial"
    OPEN = "open"


class OpeningStage(StrEnum):
    """How firm a dated opening is."""

    PLANNED = "planned"
    REVISED = "revised"
    ACTUAL = "actual"
    WITHDRAWN = "withdrawn"


class BookingState(StrEnum):
    """Where a booking stands."""

    TOLD = "told"
    WITHDRAWN = "withdrawn"
    DONE = "done"


class Strength(StrEnum):
    """How sure it is that two records mean one person."""

    CERTAIN = "certain"
    STRONG = "strong"
    FAIR = "fair"
    WEAK = "weak"


class WorkState(StrEnum):
    """What an agent is doing, as agent consoles tell it."""

    READY = "ready"
    CALL = "call"
    WRAP_UP = "wrap_up"
    PAUSE = "pause"
    AWAY = "away"


class Ending(StrEnum):
    """Why a session is over."""

    QUIT = "quit"
    GONE = "gone"
    """Its process is no longer there: the line dropped, the program died."""
    REPLACED = "replaced"
    IDLE = "idle"
    AGED = "aged"
    DISABLED = "disabled"
    ENDED = "ended"
    """A supervisor ended it."""


class PauseReason(StrEnum):
    """Why an agent takes no calls for a while."""

    BREAK = "break"
    MEAL = "meal"
    MEETING = "meeting"
    TRAINING = "training"
    TECHNICAL = "technical"
    OTHER = "other"


class NoticeKind(StrEnum):
    """What a notice tells of."""

    MESSAGE = "message"
    INSTRUCTION = "instruction"
    DESK = "desk"
