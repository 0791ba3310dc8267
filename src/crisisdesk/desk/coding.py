"""Priorities: what nobody has coded, what is near or past its limit, and a named clinician's entry written down.

Agents never set a clinical priority: a supervisor writes down what a clinician said, with the clinician's name.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from crisisdesk.clock import local_day
from crisisdesk.desk import wording
from crisisdesk.desk.releasing import release_free_places
from crisisdesk.desk.rights import at_own_site, needs
from crisisdesk.desk.rules import reference_of
from crisisdesk.desk.whynot import limit_words
from crisisdesk.domain.priority import UNCODED, WaitingItem, clinical_limit
from crisisdesk.domain.reference import Reference
from crisisdesk.domain.rights import Right
from crisisdesk.domain.text import clean
from crisisdesk.domain.words import Tier
from crisisdesk.errors import RuleBroken
from crisisdesk.i18n import _
from crisisdesk.store import attempts, callbacks, coding, journal
from crisisdesk.store.agents import mark_seen
from crisisdesk.store.coding import LISTED, CodingItem, CodingList, Look

if TYPE_CHECKING:
    from crisisdesk.desk.agents import Agent
    from crisisdesk.store.engine import Store

__all__ = ["CodedPriority", "Coding", "CodingList", "CodingRow", "code_priority", "list_coding"]

LONGEST_NAME, LONGEST_REASON = 80, 500


@dataclass(frozen=True, slots=True)
class CodingRow:
    """One postponement of a list."""

    postponement_id: int
    callback_id: int | None
    patient_id: int
    patient: str
    birth_on: date | None
    site_id: str | None
    service_id: int | None
    about: str
    """What was put off, in a few words."""
    clinician: str
    """Of the postponed appointment."""
    remark: str
    original_on: date | None
    priority: str
    """Code; empty: nobody has coded it, it waits as P3."""
    priority_said: str
    coded_by: str
    """ "list", the clinician who coded it, or empty."""
    listed: str
    """What the newest list says otherwise."""
    limit_on: date
    """Day on which the clinical limit is reached."""
    days_left: int
    """Until that day; 0 or less: it has come."""
    words: str
    """ "P3: 4 days left to its limit"."""


@dataclass(frozen=True, slots=True)
class Coding:
    """One list, with the counts of all of them; list, counts and exports come from one condition."""

    kind: CodingList
    site_id: str | None
    rows: Sequence[CodingRow]
    groups: Sequence[tuple[str | None, int | None, int]]
    """Site, service, count of this list."""
    counts: Mapping[CodingList, int]
    as_of: datetime

    @property
    def count(self) -> int:
        """All of this list, also those beyond the limit."""
        return self.counts[self.kind]


@dataclass(frozen=True, slots=True)
class CodedPriority:
    """A priority that was written down, and what it did to the callback."""

    postponement_id: int
    before: str
    after: str
    callback_id: int | None
    due_before: datetime | None
    due_after: datetime | None
    position: int | None
    """Place in the queue of its site from now on; None: it is in no queue."""
    words: str


def list_coding(
    store: "Store",
    kind: CodingList,
    site_id: str | None = None,
    *,
    now: datetime,
    service_id: int | None = None,
    limit: int | None = 500,
) -> Coding:
    """What a clinician has to look at, the most urgent first.

    Args:
        site_id: of one site; None: of all.
        limit: rows at most; None: all of them. The counts are always those of all.

    Raises:
        RuleBroken: no such site.
    """
    reference = reference_of(store)
    if site_id is not None and site_id not in reference.sites:
        sites = ", ".join(reference.sites)
        raise RuleBroken(_("There is no site '{site}'. Sites: {sites}.").format(site=site_id, sites=sites))
    near = timedelta(days=reference.desk.near_limit_days)
    with store.read() as connection:
        look = Look(kind, now, near, callbacks.placement_rules(connection), site_id, service_id)
        items = coding.list_items(connection, look, limit)
        groups = {other: coding.count_items(connection, replace(look, kind=other)) for other in CodingList}
    counts = {other: sum(count for _site, _service, count in found) for other, found in groups.items()}
    rows = [_row(one, reference, now) for one in items]
    return Coding(kind, site_id, rows, groups[kind], counts, now)


def _row(one: CodingItem, reference: Reference, now: datetime) -> CodingRow:
    zone = reference.desk.time_zone
    waiting = WaitingItem(one.postponement_id, one.priority, one.original_on, one.created_at)
    limit_on = local_day(clinical_limit(waiting, reference.priority_limits, zone), zone)
    left = (limit_on - local_day(now, zone)).days
    service = reference.services.get(one.service_id or 0)
    name = service.name if service else one.service_name or _("service not known")
    return CodingRow(
        one.postponement_id, one.callback_id, one.patient_id,
        wording.patient_name(one.last_name, one.first_name, one.full_name), one.birth_on, one.site_id, one.service_id,
        f"{one.procedure} · {name}" if one.procedure else name, one.clinician, one.remark, one.original_on,
        one.priority or "", one.priority_said, one.priority_by, one.priority_listed or "", limit_on, left,
        limit_words(one.priority, left),
    )  # fmt: skip


@needs(Right.CODE)
def code_priority(
    store: "Store",
    postponement_id: int,
    priority: str | None,
    *,
    clinician: str,
    reason: str = "",
    agent: "Agent",
    now: datetime,
) -> CodedPriority:
    """Write down the priority that a clinician gave; the callback takes its new place in the same transaction.

    A list that comes later does not change it any more: where it says otherwise, `CodingList.DIFFERS` tells.

    Args:
        priority: a code of the desk's limits; None: the clinician takes the code back, it waits as P3 again.
        clinician: who decided, by name.
        reason: needed where the patient will wait longer than the earlier code allowed.

    Raises:
        RuleBroken: no supervisor, no clinician named, an unknown code, a reason that is missing, or nothing is owed.
    """
    reference = reference_of(store)
    name, why = _named(clinician), _reasoned(reason)
    known = [code for code in reference.priority_limits if code != UNCODED]
    if priority is not None and priority not in known:
        raise RuleBroken(
            _("'{code}' is no priority. Known: {known}.").format(code=priority[:20], known=", ".join(known))
        )
    with store.write() as connection:
        mark_seen(connection, agent.agent_id, now)
        before = _codable(coding.read_item(connection, postponement_id), postponement_id)
        at_own_site(agent, before.site_id)
        if not why and _is_later(before.priority, priority, reference):
            raise RuleBroken(
                _("{old} becomes {new}: the patient waits longer. Give the clinician's reason.").format(
                    old=before.priority, new=priority or _("uncoded")
                )
            )
        coding.set_priority(connection, postponement_id, priority, name, now)
        placed = _place_anew(connection, before)
        detail = {
            "priority": [before.priority, priority], "priority_by": [before.priority_by, name],
            "priority_listed": [before.priority_listed, None], "clinician": name, "reason": why,
            "patient_id": before.patient_id, **placed.told(),
        }  # fmt: skip
        journal.append(
            connection, agent=agent.login, action="postponement.priority_coded", subject="postponement",
            subject_id=postponement_id, detail=detail, now=now,
        )  # fmt: skip
        if before.service_id is not None and placed.after is not None and placed.after.tier <= Tier.URGENT:
            release_free_places(connection, reference, now, service_id=before.service_id)
    return _coded(before, priority, placed, reference)


def _named(clinician: str) -> str:
    name = clean(clinician).text
    if not name or len(name) > LONGEST_NAME or name in LISTED:
        raise RuleBroken(_("Name the clinician who decided, {most} characters at most.").format(most=LONGEST_NAME))
    return name


def _reasoned(reason: str) -> str:
    why = clean(reason).text
    if len(why) > LONGEST_REASON:
        raise RuleBroken(_("The clinician's reason: {most} characters at most.").format(most=LONGEST_REASON))
    return why


def _codable(row: Any, postponement_id: int) -> Any:
    if row is None:
        raise RuleBroken(_("There is no postponement {number}.").format(number=postponement_id))
    if row.matched_to_id is not None:
        words = _("Postponement {number} is counted with {other} of a list: code that one.")
        raise RuleBroken(words.format(number=postponement_id, other=row.matched_to_id))
    if not row.is_unsettled:
        raise RuleBroken(_("Postponement {number} is settled: nothing waits for a priority.").format(
            number=postponement_id))  # fmt: skip
    return row


def _is_later(before: str | None, after: str | None, reference: Reference) -> bool:
    """Whether a code lets a patient wait longer than the one before; what was not coded can only win."""
    limits = reference.priority_limits
    return before is not None and limits.get(after or UNCODED, limits[UNCODED]) > limits.get(before, limits[UNCODED])


@dataclass(frozen=True, slots=True)
class _Placed:
    """The callback before and after."""

    callback_id: int | None = None
    before: Any = None
    after: Any = None
    position: int | None = None

    def told(self) -> dict[str, Any]:
        """For the journal."""
        if self.callback_id is None:
            return {"callback": None}
        due = [self.before.due_at.isoformat(), self.after.due_at.isoformat()]
        return {"callback": self.callback_id, "tier": [self.before.tier, self.after.tier], "due_at": due}


def _place_anew(connection: Any, item: Any) -> _Placed:
    if item.callback_id is None:
        return _Placed()
    from crisisdesk.store import queue

    before = attempts.callback_row(connection, item.callback_id)
    callbacks.redate(connection, [item.callback_id])
    after = attempts.callback_row(connection, item.callback_id)
    assert after is not None, "it was there before"
    return _Placed(item.callback_id, before, after, queue.position_of(connection, after))


def _coded(before: Any, priority: str | None, placed: _Placed, reference: Reference) -> CodedPriority:
    zone = reference.desk.time_zone
    words = _("{old} → {new}").format(old=before.priority or _("uncoded"), new=priority or _("uncoded"))
    if placed.callback_id is not None:
        moved = _("place {number} in its queue, by {day}").format(
            number=placed.position, day=wording.long_day(local_day(placed.after.due_at, zone))
        )
        words = f"{words} · {moved}"
    return CodedPriority(
        before.id, before.priority or "", priority or "", placed.callback_id,
        placed.before.due_at if placed.before else None, placed.after.due_at if placed.after else None,
        placed.position, words,
    )  # fmt: skip
