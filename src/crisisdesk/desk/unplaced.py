"""Postponements in nobody's queue, because no list and no caller said where they belong: shown, and given a place."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from crisisdesk.desk.rights import needs
from crisisdesk.desk.rules import reference_of
from crisisdesk.domain.rights import Right
from crisisdesk.errors import RuleBroken
from crisisdesk.i18n import _
from crisisdesk.store import callbacks, journal
from crisisdesk.store import unplaced as rows
from crisisdesk.store.unplaced import UnplacedItem

if TYPE_CHECKING:
    from crisisdesk.desk.agents import Agent
    from crisisdesk.store.engine import Store

__all__ = ["Unplaced", "UnplacedItem", "list_unplaced", "place_item"]


@dataclass(frozen=True, slots=True)
class Unplaced:
    """Postponements that nobody would be rung for, oldest original date first."""

    items: Sequence[UnplacedItem]
    count: int
    """All of them, also those beyond the limit."""


def list_unplaced(store: "Store", *, now: datetime, limit: int = 500) -> Unplaced:
    """What is not settled and waits in no queue, or in one without a service whose opening would release it."""
    with store.read() as connection:
        return Unplaced(rows.list_unplaced(connection, limit), rows.count_unplaced(connection))


@needs(Right.IMPORT)
def place_item(
    store: "Store", postponement_id: int, site_id: str, service_id: int, *, agent: "Agent", now: datetime
) -> int:
    """Say where a postponement belongs; it waits in that site's queue from now on. Gives its callback.

    Raises:
        RuleBroken: no supervisor, no such postponement, site or service, or it waits at another site already.
    """
    reference = reference_of(store)
    service = reference.services.get(service_id)
    if site_id not in reference.sites:
        sites = ", ".join(reference.sites)
        raise RuleBroken(_("There is no site '{site}'. Sites: {sites}.").format(site=site_id, sites=sites))
    if service is None or service.site_id != site_id:
        raise RuleBroken(_("This service is none of that site."))
    with store.write() as connection:
        before = rows.read_item(connection, postponement_id)
        if before is None or not rows.is_unplaced(connection, postponement_id):
            raise RuleBroken(_("Postponement {number} is in a queue, or settled.").format(number=postponement_id))
        if rows.held_by(connection, postponement_id) and before.site_id != site_id:
            raise RuleBroken(_("It waits in the queue of {site} already: choose a service there.").format(
                site=reference.sites[before.site_id].name))  # fmt: skip
        rows.set_place(
            connection, postponement_id, site_id=site_id, service_id=service_id, is_protected=service.is_protected
        )
        callback_id = callbacks.hold(
            connection, patient_id=before.patient_id, site_id=site_id, postponement_ids=[postponement_id], wish=None,
            released=False, call_id=None, agent_id=agent.agent_id, now=now,
        )  # fmt: skip
        detail = {"site_id": [before.site_id, site_id], "service_id": [before.service_id, service_id]}
        journal.append(
            connection, agent=agent.login, action="postponement.placed", subject="postponement",
            subject_id=postponement_id, detail=detail | {"callback": callback_id}, now=now,
        )  # fmt: skip
    return callback_id
