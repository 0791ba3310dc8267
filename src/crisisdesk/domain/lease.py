"""The sole hold of one agent on one callback, for a while.

Expiry, never a clean exit, frees a callback. The generation goes up with every take, so that a late write of an
earlier holder finds nothing to change.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class Lease:
    """Who holds a callback, and until when."""

    callback_id: int
    agent_id: int
    generation: int
    until: datetime

    def is_live(self, now: datetime) -> bool:
        """Whether nobody else may take it."""
        return now < self.until

    def renewed(self, now: datetime, seconds: int) -> "Lease":
        """The same hold for ``seconds`` more from now on; never shorter than it was."""
        return replace(self, until=max(self.until, now + timedelta(seconds=seconds)))

    def wants_renewal(self, now: datetime, seconds: int) -> bool:
        """Whether half of a lease of ``seconds`` is gone: a keystroke then renews it, and not at every key."""
        return self.until - now < timedelta(seconds=seconds) / 2
