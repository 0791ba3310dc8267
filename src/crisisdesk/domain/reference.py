"""Reference data as the rules and the screens use it: sites, services, topics, dispositions, limits.

All of it comes from a folder such as `data/`, is validated whole when a desk is made, and lives in the desk's own
tables from then on. A hospital elsewhere changes that folder and no code.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta

from crisisdesk.domain.words import Channel, NextStep, Reach, Scope, ServiceKind, WayOut


@dataclass(frozen=True)
class DeskInfo:
    """The one incident that this desk is for."""

    name: str
    incident: str
    incident_at: datetime
    country: str
    """ISO 3166 alpha-2: region of phone numbers written without a prefix, and of public holidays."""
    time_zone: str
    languages: tuple[str, ...]
    """Languages of callers, most frequent first; the first is the default of the screens."""
    national_number: str
    """Module of python-stdnum that checks the national number ("be.ssn", "fr.nir", "nl.bsn"), or "none"."""
    neighbour_regions: tuple[str, ...]
    """Regions tried, as a guess, for a number that is not valid at home."""
    calls_from: time
    calls_until: time
    call_weekdays: tuple[int, ...]
    """Days on which patients may be rung, Monday = 0."""
    lease_seconds: int
    rest_seconds: int
    """After any attempt the same patient is not served again for this long."""
    attempts_per_number_a_day: int
    attempts_in_all: int
    """After this many unanswered attempts a clinician decides; nothing closes by itself."""
    release_days_ahead: int
    """Days of free slots that an opening releases callbacks for."""
    public_number: str
    release_reserve_percent: int = 0
    """Callbacks released beyond the free places, in percent of them: not everybody accepts the first day."""
    channels: tuple[Channel, ...] = (Channel.LETTER, Channel.GP, Channel.NEXT_OF_KIN)
    """What is tried after the last attempt, in order, before a clinician decides."""
    channel_wait: timedelta = timedelta(days=10)
    """How long an answer to a letter or to a message through others is waited for."""
    undo_seconds: int = 900
    """How long agents may take back their own last disposition."""
    absent_seconds: int = 1800
    """Agents who did nothing for so long are absent: what they promised in person goes back to the pool."""
    idle_seconds: int = 600
    """After this long without a key the screen hides what it shows."""
    idle_end_seconds: int = 60
    """So long after that the session ends, its drafts kept."""
    session_seconds: int = 43_200
    """No session lives longer."""
    near_limit_days: int = 7
    coverage_alarm_percent: int = 80
    """Under this share of patients tried, a week of a service's postponements is an alarm."""
    closed_at: datetime | None = None
    """When the desk was closed; nobody is rung any more."""
    holidays: tuple[str, ...] = ()
    """Public holidays of the country, as rules: "12-25" (month-day) or "easter+39" (see `domain.holidays`)."""
    is_demo: bool = False
    clock_shift: timedelta = timedelta(0)
    """What a demo desk adds to the clock, so that it lives on the day of its story; zero on every real desk."""


@dataclass(frozen=True)
class Site:
    """A hospital."""

    site_id: str
    name: str
    hospital: str
    postcode: str
    phone: str
    on_call_phone: str
    """Where the on-call clinician is reached; empty until the hospital gives it."""
    aliases: tuple[str, ...] = ()
    phone_prefix: str = ""
    """Area of the site's fixed numbers, as dialled in the country."""


@dataclass(frozen=True)
class Service:
    """What a site offers."""

    service_id: int
    site_id: str
    code: str
    kind: ServiceKind
    name: str
    is_protected: bool
    """Never postponed by default (oncology, pregnancy, psychiatry ...)."""
    lead_days: int
    """Working days of notice that a patient needs before a slot."""
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True)
class Topic:
    """Coded reason of a call."""

    code: str
    concerns_postponement: bool
    key: str
    """One letter or digit that picks it."""


@dataclass(frozen=True)
class CallerKind:
    """Who phones."""

    code: str
    is_patient: bool
    asks_relation: bool
    key: str


@dataclass(frozen=True)
class Disposition:
    """The one code that ends a call, an attempt or an item, and where it leads."""

    scope: Scope
    code: str
    key: str
    is_final: bool
    """Nothing more is owed."""
    reach: Reach
    next_step: NextStep
    delay: timedelta | None
    """Earliest next attempt; None where the step says when."""
    other_part_of_day: bool
    cap: int | None
    """At most so many of these for one callback, then a clinician looks; None: only the general caps."""
    coverage: str | None
    """Coverage class that it proves for an item, or None."""
    needs_note: bool
    needs_clinician: bool
    is_quick: bool
    """Ends a call that was none (silent, wrong number, test) without a form."""
    makes_callback: bool
    """An inbound disposition that promises to ring back."""
    cap_a_day: int | None = None
    """At most so many of these on one number a day; None: only the desk's cap."""
    channel: Channel | None = None
    """Where ``next_step`` is a review: what is done before a clinician decides; None: a clinician decides at once."""
    needs_permission: bool = False
    """Only where the patient allowed that somebody else is told."""


@dataclass(frozen=True)
class CapacityLimit:
    """What a day of a service can take only so many of, besides its places: implants, an isolation room."""

    code: str
    words: tuple[str, ...] = ()
    """Texts of a procedure or remark that need it."""


@dataclass(frozen=True)
class RedFlag:
    """A sign that an agent never weighs: it is passed on. Wording needs a medical director's sign-off."""

    code: str
    way_out: WayOut
    key: str
    signed_off_by: str


@dataclass(frozen=True)
class Reference:
    """Everything above, of one desk."""

    desk: DeskInfo
    sites: Mapping[str, Site]
    services: Mapping[int, Service]
    topics: Mapping[str, Topic]
    caller_kinds: Mapping[str, CallerKind]
    dispositions: Mapping[tuple[Scope, str], Disposition]
    red_flags: Mapping[str, RedFlag]
    priority_limits: Mapping[str, timedelta]
    """Limit after the original date, by priority code; "uncoded" is one of the keys."""
    column_names: Mapping[str, tuple[str, ...]]
    """Names that lists use for each field of a row, all languages together."""
    labels: Mapping[tuple[str, str, str], str] = field(repr=False)
    """(kind, code, language) -> words; kinds: topic, caller_kind, disposition.inbound, disposition.attempt,
    disposition.attempt.short, disposition.item, red_flag, way_out, priority, service_kind, capacity_limit, language."""
    capacity_limits: Mapping[str, CapacityLimit] = field(default_factory=dict)
    version: int = 1
    """Goes up with every rule that a supervisor edits."""

    def label(self, kind: str, code: str, language: str) -> str:
        """Words for a code in a language, else in the desk's first languages, else the code itself."""
        for choice in (language, *self.desk.languages, "en"):
            if words := self.labels.get((kind, code, choice)):
                return words
        return code

    def services_of(self, site_id: str) -> tuple[Service, ...]:
        """Services of a site, in the order of the reference data."""
        return tuple(service for service in self.services.values() if service.site_id == site_id)

    def dispositions_of(self, scope: Scope) -> tuple[Disposition, ...]:
        """Dispositions of a scope, in the order of the reference data."""
        return tuple(row for (kind, _code), row in self.dispositions.items() if kind == scope)
