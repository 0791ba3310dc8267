"""A queue is handed over to the service's own secretariat: what may be, the lists that were made, and making one.

The answers of the service are in `desk.acknowledging`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from crisisdesk.clock import to_local
from crisisdesk.desk.handoverlines import compose_line
from crisisdesk.desk.rights import at_own_site, needs
from crisisdesk.desk.rules import reference_of
from crisisdesk.domain.handover import FACTS, HandoverLine, HandoverRow, SignedList, digest, line_cells
from crisisdesk.domain.matches import TakenOver
from crisisdesk.domain.reference import Reference
from crisisdesk.domain.rights import Right
from crisisdesk.domain.text import clean
from crisisdesk.errors import RuleBroken
from crisisdesk.i18n import N_, _
from crisisdesk.store import callbacks, journal
from crisisdesk.store import handovers as rows
from crisisdesk.store.handoverfacts import read_facts

if TYPE_CHECKING:
    from crisisdesk.desk.agents import Agent
    from crisisdesk.store.engine import Connection, Store

__all__ = [
    "HandoverDetail", "HandoverLine", "HandoverRow", "Made", "Offer", "Overview", "check_reason", "existing",
    "give_items", "list_handovers", "list_offers", "made_at_words", "make_handover", "offer", "place_words",
    "read_handover", "read_overview", "taken_words",
]  # fmt: skip
MOST_WORDS = 200
ASKED = N_("asked to be rung")


@dataclass(frozen=True, slots=True)
class Offer:
    """What could be handed over at a site or a service of it."""

    site_id: str | None
    service_id: int | None
    open: int
    """Open postponements."""
    offered: int
    """Of these, on a list that is not answered yet."""

    @property
    def free(self) -> int:
        """What a new handover would hold."""
        return self.open - self.offered


@dataclass(frozen=True, slots=True)
class Made:
    """A handover that was made."""

    handover_id: int
    count: int
    elsewhere: int
    """Open postponements of the same place that wait for an answer on another list."""


@dataclass(frozen=True, slots=True)
class Overview:
    """All handovers, what could be handed over, and whether the desk is closed."""

    handovers: Sequence[HandoverRow]
    offers: Sequence[Offer]
    closed_at: datetime | None


@dataclass(frozen=True, slots=True)
class HandoverDetail:
    """One handover with its lines."""

    row: HandoverRow
    lines: Sequence[HandoverLine]
    signed: SignedList


def place_words(site_id: str | None, service_id: int | None, reference: Reference) -> str:
    """Where a handover goes: "Arlon, Cardiologie", "Arlon", "no site"."""
    site = reference.sites.get(site_id or "")
    service = reference.services.get(service_id or 0)
    return ", ".join(one.name for one in (site, service) if one) or site_id or _("no site")


def taken_words(taken: TakenOver, reference: Reference) -> tuple[str, str]:
    """Who has a postponement now, in two short parts: "handed over 10/06: Arlon, Cardiologie", "acknowledged by X"."""
    day = f"{to_local(taken.at, reference.desk.time_zone):%d/%m}"
    place = place_words(taken.site_id, taken.service_id, reference)
    words = _("handed over {day}: {place}").format(day=day, place=place)
    return words, _("acknowledged by {name}").format(name=taken.by) if taken.by else ""


# What may be handed over, and what was.


def list_offers(store: "Store", *, site_id: str | None = None) -> Sequence[Offer]:
    """What is open by site and service, in the order of the reference data; of one site where named."""
    reference = reference_of(store)
    with store.read() as connection:
        counts = rows.count_offerable(connection)
    sites, services = list(reference.sites), list(reference.services)

    def place(offer: Offer) -> tuple[int, int]:
        at = sites.index(offer.site_id) if offer.site_id in sites else len(sites)
        return at, services.index(offer.service_id) if offer.service_id in services else len(services)

    found = [Offer(*key, *numbers) for key, numbers in counts.items() if site_id is None or key[0] == site_id]
    return sorted(found, key=place)


def list_handovers(store: "Store", *, site_id: str | None = None) -> Sequence[HandoverRow]:
    """Handovers with what was answered, newest first."""
    with store.read() as connection:
        return rows.list_handovers(connection, site_id=site_id)


def read_overview(store: "Store", *, site_id: str | None = None, now: datetime) -> Overview:
    """What the screen of handovers shows; of one site where named, with what belongs to none."""
    with store.read() as connection:
        closed_at = rows.closed_at(connection)
    offers = [one for one in list_offers(store) if site_id in (None, one.site_id) or one.site_id is None]
    return Overview(list_handovers(store, site_id=site_id), offers, closed_at)


def read_handover(store: "Store", handover_id: int, *, now: datetime) -> HandoverDetail:
    """One handover, its lines, and the list as it was signed.

    Raises:
        RuleBroken: there is no such handover.
    """
    reference = reference_of(store)
    with store.read() as connection:
        row = existing(connection, handover_id)
        lines = rows.read_lines(connection, handover_id, now)
    cells = [line_cells(line.number, line.content) for line in lines]
    signed = SignedList(_facts(row, reference), cells, row.sha256, row.journal_seq, row.journal_hash)
    return HandoverDetail(row, lines, signed)


def existing(connection: "Connection", handover_id: int) -> HandoverRow:
    """A handover, counted.

    Raises:
        RuleBroken: there is no such handover.
    """
    found = rows.list_handovers(connection, handover_id=handover_id)
    if not found:
        raise RuleBroken(_("There is no handover {number}.").format(number=handover_id))
    return found[0]


def _facts(row: HandoverRow, reference: Reference) -> Mapping[str, str]:
    """What the list says of itself, by `domain.handover.FACTS`; from stored values and names alone."""
    site, service = reference.sites.get(row.site_id or ""), reference.services.get(row.service_id or 0)
    texts = (
        str(row.handover_id), reference.desk.name, site.name if site else "", service.name if service else "",
        row.reason, row.made_at.isoformat(timespec="seconds"), row.made_by,
    )  # fmt: skip
    return dict(zip(FACTS, (clean(text).text for text in texts), strict=True))


# Making one.


@needs(Right.CLOSE_DESK)
def make_handover(
    store: "Store", site_id: str | None, service_id: int | None, *, reason: str, agent: "Agent", now: datetime
) -> Made:
    """Offer what is open to a service's own secretariat; without a service, everything of the site that is not offered
    yet. Nothing leaves the queue before it is acknowledged.

    Raises:
        RuleBroken: no supervisor, no reason, no such service, or nothing to hand over.
    """
    reference, reason = reference_of(store), check_reason(reason)
    _check_place(site_id, service_id, reference)
    at_own_site(agent, site_id)
    with store.write() as connection:
        if service_id is None:
            give_items(connection, site_id, agent, now)
        counts = rows.count_offerable(connection)
        elsewhere = sum(
            offered
            for (site, service), (_open, offered) in counts.items()
            if site == site_id and service_id in (None, service)
        )
        made = offer(connection, site_id, service_id, reason, reference, agent, now, elsewhere)
    if made is None:
        where = place_words(site_id, service_id, reference)
        raise RuleBroken(_("Nothing of {place} is open that is not on another list already.").format(place=where))
    return made


def check_reason(text: str) -> str:
    """Why something is handed over, as it stands on the list.

    Raises:
        RuleBroken: it is empty or too long.
    """
    text = clean(text).text
    if not text:
        raise RuleBroken(_("Say why it is handed over: it stands on the list."))
    if len(text) > MOST_WORDS:
        raise RuleBroken(_("The reason has more than {count} characters: shorten it.").format(count=MOST_WORDS))
    return text


def _check_place(site_id: str | None, service_id: int | None, reference: Reference) -> None:
    if site_id is not None and site_id not in reference.sites:
        sites = ", ".join(reference.sites)
        raise RuleBroken(_("There is no site '{site}'. Sites: {sites}.").format(site=site_id, sites=sites))
    service = reference.services.get(service_id or 0)
    if service_id is not None and (service is None or service.site_id != site_id):
        raise RuleBroken(_("This service is none of that site."))


def give_items(connection: "Connection", site_id: str | None, agent: "Agent", now: datetime) -> None:
    """Give callbacks that are about nothing on a list a line of their own, inside a write, and journal it."""
    given = rows.give_items(connection, site_id, _(ASKED), now)
    callbacks.redate(connection, [callback_id for callback_id, _number in given])
    journal.append_all(
        connection, agent=agent.login, action="postponement.added", subject="postponement", now=now,
        details=[(number, {"callback": callback_id, "why": "handover"}) for callback_id, number in given],
    )  # fmt: skip


def offer(
    connection: "Connection", site_id: str | None, service_id: int | None, reason: str, reference: Reference,
    agent: "Agent", now: datetime, elsewhere: int = 0,
) -> Made | None:  # fmt: skip
    """Make one handover inside a write; None where nothing is left to hand over."""
    ids = rows.offerable(connection, site_id, service_id)
    if not ids:
        return None
    facts = read_facts(connection, ids)
    contents = [(number, compose_line(number, facts, reference)) for number in ids]
    handover_id = rows.insert_handover(
        connection, site_id=site_id, service_id=service_id, reason=reason, agent_id=agent.agent_id, now=now
    )
    rows.insert_lines(connection, handover_id, contents)
    row = existing(connection, handover_id)
    cells = [line_cells(place, content) for place, (_number, content) in enumerate(contents, 1)]
    sha256 = digest(_facts(row, reference), cells)
    detail = {"site_id": site_id, "service_id": service_id, "reason": reason, "items": list(ids), "sha256": sha256}
    seq = journal.append(
        connection, agent=agent.login, action="handover.made", subject="handover", subject_id=handover_id,
        detail=detail, now=now,
    )  # fmt: skip
    rows.seal(connection, handover_id, sha256, seq)
    return Made(handover_id, len(ids), elsewhere)


def made_at_words(row: HandoverRow, reference: Reference) -> str:
    """When a handover was made, on the desk's clock."""
    return f"{to_local(row.made_at, reference.desk.time_zone):%d/%m/%Y %H:%M}"
