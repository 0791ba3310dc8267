"""What a concluded file means for the desk: which earlier version it follows, whose rows they are, what changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from crisisdesk.desk.importing.preparing import Prepared
from crisisdesk.domain import kinds
from crisisdesk.domain.persons import EARLIER, Gathering, Judgement, Person, Proposal
from crisisdesk.domain.reference import Reference
from crisisdesk.domain.rows import Concluded, years_before
from crisisdesk.domain.text import fold
from crisisdesk.domain.versions import Item, differences, same_items
from crisisdesk.store import imports
from crisisdesk.store.engine import Connection
from crisisdesk.store.imports import KeptRow, SourceVersion
from crisisdesk.store.staging import StagedRow

OVERLAP_OF_SERIES = 0.2  # share of the smaller version that must be found again, with the same name of file
OVERLAP_OF_LAYOUT = 0.5  # the same, where only the columns, or only the site and the kind, are the same
FEWEST_ALIKE = 3


@dataclass
class Plan:
    """A file as it will be staged."""

    rows: list[StagedRow]
    earlier: SourceVersion | None = None
    missing: list[KeptRow] = field(default_factory=list)
    proposals: list[Proposal] = field(default_factory=list)


def plan(connection: Connection, prepared: Prepared, reference: Reference) -> Plan:
    """Plan an import from what the desk holds now. Reads only."""
    staged = [StagedRow(done) for done in prepared.rows]
    items = [row for row in staged if row.done.is_item]
    _place(items, prepared, reference)
    found = Plan(staged)
    _follow(connection, prepared, items, found)
    _identify(connection, items, found)
    return found


def _place(items: Sequence[StagedRow], prepared: Prepared, reference: Reference) -> None:
    """Say where each item belongs: its own site where a column names it, else the file's; the service by its name."""
    known: dict[tuple[Any, ...], tuple[str | None, int | None, bool]] = {}
    for row in items:
        values = row.done.values
        key = (row.done.site_said, values["kind"], values["service"], row.done.section, values["procedure"])
        if key not in known:
            said = kinds.site_in(row.done.site_said, reference) if row.done.site_said else None
            site = said or prepared.site_id
            service = kinds.service_for(site, values["kind"], values["service"], reference)
            if service is None and not values["service"]:
                hints = [row.done.section, *prepared.hints]
                service = kinds.service_hinted(site, values["kind"], hints, reference)
            if service is None and not values["service"]:
                service = kinds.service_in(site, values["kind"], values["procedure"], reference)
            known[key] = (site, service.service_id if service else None, bool(service and service.is_protected))
        row.site_id, row.service_id, row.is_protected = known[key]


def _follow(connection: Connection, prepared: Prepared, items: Sequence[StagedRow], found: Plan) -> None:
    """Find the version that this one follows, and match their items."""
    new = [Item(row.done.row, row.done.sheet, row.done.values) for row in items]
    for version in imports.candidates_before(
        connection, prepared.series_key, prepared.layout_key, prepared.site_id, prepared.kind
    ):
        rows = [
            row
            for row in imports.rows_of(connection, version.file_id)
            if row.postponement_id and row.status != "duplicate"
        ]
        old = [_item(row) for row in rows]
        matched = same_items(old, new)
        if _is_earlier(version.series_key == prepared.series_key, old, new, matched):
            found.earlier = version
            _match(connection, items, rows, matched, found)
            _return(connection, items, new, found)
            break
    for row in items:
        row.change = row.change or "added"


def _is_earlier(is_series: bool, old: Sequence[Item], new: Sequence[Item], matched: dict[int, int]) -> bool:
    """Tell whether enough items are found again: by file name a few will do, else act and day count."""
    smaller = max(1, min(len(old), len(new)))
    if is_series:
        return len(matched) / smaller >= OVERLAP_OF_SERIES
    alike = sum(1 for at, place in matched.items() if _is_same_act(old[place].values, new[at].values))
    return alike >= FEWEST_ALIKE and alike / smaller >= OVERLAP_OF_LAYOUT


def _is_same_act(old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    is_same_day: bool = old["planned_date"] == new["planned_date"]
    return is_same_day and fold(old["procedure"] or "") == fold(new["procedure"] or "")


def _item(row: KeptRow) -> Item:
    return Item(row.row, row.sheet, row.values, row.patient_id or 0, row.postponement_id or 0)


def _match(
    connection: Connection, items: Sequence[StagedRow], rows: Sequence[KeptRow], matched: dict[int, int], found: Plan
) -> None:
    standing = imports.standing_patient(connection, {row.patient_id for row in rows if row.patient_id})
    for place, at in matched.items():
        _take(items[place], rows[at], standing)
    again = set(matched.values())
    found.missing = [row for at, row in enumerate(rows) if at not in again]


def _take(row: StagedRow, old: KeptRow, standing: dict[int, int]) -> None:
    row.postponement_id = old.postponement_id
    row.patient_id = standing.get(old.patient_id or 0, old.patient_id)
    row.why = EARLIER
    row.changed = differences(old.values, row.done.values)
    row.change = "changed" if row.changed else "same"


def _return(connection: Connection, items: Sequence[StagedRow], new: Sequence[Item], found: Plan) -> None:
    """Match the rest with items that an earlier version had lost: a row that comes back is not a new item."""
    gone = imports.gone_before(connection, found.earlier.file_id) if found.earlier else []
    rest = [at for at, row in enumerate(items) if row.change is None]
    if not gone or not rest:
        return
    matched = same_items([_item(row) for row in gone], [new[at] for at in rest])
    standing = imports.standing_patient(connection, {row.patient_id for row in gone if row.patient_id})
    for place, at in matched.items():
        _take(items[rest[place]], gone[at], standing)


def person_of(done: Concluded) -> Person:
    """Give what a row tells of a person. A birth year of two digits is held against both of its centuries."""
    values = done.values
    births = {done.birth_known} if done.birth_known else set()
    if done.birth_known and done.is_birth_guessed:
        births |= {day for day in [years_before(done.birth_known, 100)] if day}
    return Person(
        names=[(values["last_name"] or values["full_name"] or "", values["first_name"] or "")],
        births=births,
        nisses={values["niss"]} if values["niss"] else set(),
        phones={*(values["phones"] or ()), *(values["phones_guessed"] or ())},
    )


def _identify(connection: Connection, items: Sequence[StagedRow], found: Plan) -> None:
    """Sort the items into persons: those of the earlier version first, for they are known."""
    persons = [person_of(row.done) for row in items]
    keys = {fold(last) for person in persons for last, _first in person.names}
    known = {person.patient_id: person for person in imports.patients_like(connection, persons, keys)}
    lacking = {row.patient_id for row in items if row.patient_id} - known.keys()
    known.update({person.patient_id: person for person in imports.load_patients(connection, [i for i in lacking if i])})
    gathering = Gathering(known.values())
    for row, person in zip(items, persons, strict=True):
        patient = gathering.known(row.patient_id) if row.patient_id else None
        if patient is not None:
            row.person = gathering.join(patient, person).number
    placed: list[tuple[StagedRow, Person]] = []
    for row, person in zip(items, persons, strict=True):
        if not row.person:
            chosen, why = gathering.place(person)
            row.why = why_text(why)
            placed.append((row, chosen))
    for row, chosen in placed:
        row.person, row.patient_id = chosen.root().number, chosen.root().patient_id
    found.proposals = [
        proposal for proposal in gathering.settled_proposals() if proposal.one.number or proposal.other.number
    ]


def why_text(why: Judgement | None) -> str:
    """Give the reasons of a link as codes with spaces; empty where a row stands alone."""
    return " ".join(why.why) if why else ""


def side_of(person: Person) -> int:
    """Give a person as the plan keeps it: a patient's id, or the number in the file below zero."""
    return person.patient_id if person.patient_id is not None else -person.number
