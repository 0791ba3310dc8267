"""What a signed-in agent's screens share: who, which desk, which language, what time it is."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from crisisdesk import clock
from crisisdesk.config import Settings
from crisisdesk.domain.reference import Reference

if TYPE_CHECKING:
    from crisisdesk.desk.agents import Agent


class OpenDesk(Protocol):
    """The little that screens know of a store: they hand it to functions of `desk` and `reports`."""

    @property
    def path(self) -> Path:
        """The desk's file."""

    def data_version(self) -> int:
        """A number that changes when somebody else has written."""


@dataclass
class Session:
    """One agent at one terminal."""

    store: OpenDesk
    agent: "Agent"
    reference: Reference
    """Replaced, never changed, when a supervisor has edited a rule anywhere."""
    language: str
    settings: Settings = field(default_factory=Settings)
    now: Callable[[], datetime] = clock.now
    """The present instant, aware UTC; a test hands in its own."""

    @property
    def zone(self) -> str:
        """IANA name of the desk's time zone."""
        return self.reference.desk.time_zone

    @property
    def sites(self) -> Sequence[str]:
        """The sites that the agent rings for, in the order of the reference data; all where none are given."""
        own = self.agent.sites
        return [site_id for site_id in self.reference.sites if not own or site_id in own]

    @property
    def home_region(self) -> str:
        """ISO country whose phone numbers are shown without a prefix."""
        return self.reference.desk.country

    def label(self, kind: str, code: str) -> str:
        """Words of the reference data for a code, in the agent's language."""
        return self.reference.label(kind, code, self.language)

    def site_name(self, site_id: str | None) -> str:
        """Name of a site; the id itself where it is not known, empty for None."""
        if not site_id:
            return ""
        site = self.reference.sites.get(site_id)
        return site.name if site else site_id
