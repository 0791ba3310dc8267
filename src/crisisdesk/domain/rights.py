"""Who may do what: one table of roles and rights, asked by every act of the desk.

A right is what one would tell a new colleague in a sentence. Which act needs which right stands above that act in
`desk/`; who has it stands here, and nowhere else.
"""

from collections.abc import Mapping
from enum import StrEnum

from crisisdesk.domain.words import Role


class Right(StrEnum):
    """One thing that somebody at the desk may do, or not."""

    READ = "read"
    """Look at lists, files and figures. Each read of a patient's file is journalled."""
    TAKE_CALLS = "take_calls"
    """Record calls that come in, and keep drafts of them."""
    RING = "ring"
    """Hold a callback, ring the patient, say how it ended, take one's own last ending back."""
    AMEND_PATIENT = "amend_patient"
    """Correct a person's file: names, numbers, likenesses, what a caller told of, a death."""
    BOOK = "book"
    """Give, move and cancel places; write down wishes and who came."""
    RECEIPT = "receipt"
    """Write down what a service answered to a list that was handed over to it."""
    STEER = "steer"
    """Decide of held callbacks, free those of others, ring patients again, correct what others entered."""
    CODE = "code"
    """Enter a clinician's priority."""
    OPEN_SERVICE = "open_service"
    """Plan, confirm, revise and withdraw openings; put a session off."""
    INSTRUCT = "instruct"
    """Issue, withdraw and end instructions."""
    IMPORT = "import"
    """Bring lists in and say what belongs where."""
    RULE = "rule"
    """Change the rules of attempts and of the desk."""
    CLOSE_DESK = "close_desk"
    """Hand services over; close the desk and open it again."""
    BACK_UP = "back_up"
    """Copy the whole desk."""
    EXPORT = "export"
    """Write a list of patients to a file. Figures without patients are for whoever may read."""
    LEAD_ROOM = "lead_room"
    """Write to agents, end a session. Who does what, everybody sees."""
    MANAGE_AGENTS = "manage_agents"
    """Add agents, change their roles and sites, disable them."""


_AGENT = frozenset({
    Right.READ, Right.TAKE_CALLS, Right.RING, Right.AMEND_PATIENT, Right.BOOK, Right.RECEIPT,
})  # fmt: skip
_SUPERVISOR = frozenset(Right) - {Right.MANAGE_AGENTS}
RIGHTS_OF: Mapping[Role, frozenset[Right]] = {
    Role.AGENT: _AGENT,
    Role.SUPERVISOR: _SUPERVISOR,
    Role.AUDITOR: frozenset({Right.READ, Right.EXPORT}),
    Role.ADMIN: frozenset(Right),
}
