"""Two patients whom a new list shows to be one person: joined where the evidence is what a row needs to be linked.

One list has the telephone, another the national number; only a third, with both, tells that they mean one person.
Such a pair is joined as an agent would join it, journalled and to be parted again; anything less stays a proposal.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime

from crisisdesk.desk.agents import Agent
from crisisdesk.desk.patients import merge_patients
from crisisdesk.desk.rights import needs
from crisisdesk.domain.persons import Person, judge
from crisisdesk.domain.rights import Right
from crisisdesk.domain.words import Strength
from crisisdesk.store import imports
from crisisdesk.store.engine import Store

_SURE = frozenset({Strength.CERTAIN, Strength.STRONG})


@needs(Right.IMPORT)
def join_the_sure(store: Store, patient_ids: Iterable[int], *, agent: Agent, now: datetime) -> int:
    """Join the proposed pairs that touch these patients and are sure; gives how many were joined.

    What was proposed as fair may have become sure with this list. Left to people: what a caller said (provisional
    patients), whoever is being rung now, and patients who are surely two others that are not surely one.
    """
    with store.read() as connection:
        pairs = [found[:2] for found in imports.open_proposals(connection, patient_ids)]
        ids = {number for pair in pairs for number in pair}
        people = {person.patient_id: person for person in imports.load_patients(connection, ids)}
        busy = imports.rung_now(connection, ids)
    sure = [(a, b) for a, b in pairs if not busy & {a, b} and _are_one(people.get(a), people.get(b))]
    joined = 0
    for one, other in _undisputed(sure):
        merge_patients(store, min(one, other), max(one, other), agent=agent, now=now)
        joined += 1
    return joined


def _are_one(one: Person | None, other: Person | None) -> bool:
    if one is None or other is None or one.is_provisional or other.is_provisional:
        return False
    found = judge(one, other)
    return found is not None and found.strength in _SURE


def _undisputed(pairs: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Leave out the pairs of a patient who would be one with two others that are no sure pair themselves."""
    partners: defaultdict[int, set[int]] = defaultdict(set)
    for one, other in pairs:
        partners[one].add(other)
        partners[other].add(one)
    kept = []
    for one, other in pairs:
        if partners[one] - {other} <= partners[other] and partners[other] - {one} <= partners[one]:
            kept.append((one, other))
    return kept
