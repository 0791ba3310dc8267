"""A planned version as the rows that will stand in the desk: patients, telephones, postponements, callbacks.

Everything is made here, in memory and outside any lock, with ids that were reserved; see `staging` and `publishing`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import lru_cache
from typing import Any

from crisisdesk.domain.namekeys import name_keys, words_of
from crisisdesk.domain.phone import suffix_key
from crisisdesk.domain.priority import WaitingItem
from crisisdesk.domain.rows import Concluded
from crisisdesk.store.callbacks import PlacementRules, place_items
from crisisdesk.store.staging import StagedRow, as_json, stamp


@dataclass
class Newcomer:
    """A patient whom this list brings: the first row that means him, completed by the others."""

    patient_id: int
    names: tuple[str, str, str]
    birth_on: str | None
    is_birth_guessed: bool
    niss: str | None
    record_number: str
    postcode: str
    town: str
    note: str
    other_names: tuple[str, str] | None = None
    phones: dict[str, tuple[str, bool]] = field(default_factory=dict)
    """Comment, and whether its country was guessed, by number in the order of the list."""

    def complete(self, done: Concluded) -> None:
        """Fill in what another row knows and the rows before it did not."""
        values = done.values
        self.birth_on = self.birth_on or birth_of(done)
        self.niss = self.niss or values["niss"]
        self.record_number = self.record_number or values["record_number"] or ""
        self.postcode = self.postcode or values["postcode"] or ""
        self.town = self.town or values["town"] or ""
        if values["last_name"] and values["first_name"]:
            self.other_names = (values["last_name"], values["first_name"])


@dataclass
class Draft:
    """All rows that one version adds, and what it tells of patients and postponements that are known."""

    newcomers: dict[int, Newcomer] = field(default_factory=dict)
    """By the person's number in the file."""
    patient_of: dict[int, int] = field(default_factory=dict)
    """Patient of each person of the file, known or new."""
    known: list[tuple[int, StagedRow]] = field(default_factory=list)
    """Rows about patients of the desk."""
    parts: dict[str, list[tuple[Any, ...]]] = field(default_factory=dict)
    """What `staging.add_part` writes."""
    dead: list[int] = field(default_factory=list)
    """Patients who may have died, as a remark says."""


def count_new(rows: Iterable[StagedRow]) -> tuple[int, int]:
    """How many patients and postponements a version adds at most: the ids to reserve."""
    items = [row for row in rows if row.person]
    return len({row.person for row in items}), sum(1 for row in items if row.postponement_id is None)


def draft(
    file_id: int, rows: Sequence[StagedRow], first_ids: tuple[int, int], rules: PlacementRules, now: datetime
) -> Draft:
    """Draft a version. Rows get their patient and postponement, new ones from ``first_ids`` on."""
    made = Draft()
    items = [row for row in rows if row.person]
    made.patient_of = {row.person: row.patient_id for row in items if row.patient_id is not None}
    next_patient, next_item = first_ids
    new: list[StagedRow] = []
    for row in items:
        if row.person not in made.patient_of:
            made.patient_of[row.person] = next_patient
            made.newcomers[row.person] = _newcomer(next_patient, row.done)
            next_patient += 1
        elif row.person in made.newcomers:
            made.newcomers[row.person].complete(row.done)
        row.patient_id = made.patient_of[row.person]
        if row.person in made.newcomers:
            _take_phones(made.newcomers[row.person], row.done)
        else:
            made.known.append((row.patient_id, row))
        if row.postponement_id is None:
            row.postponement_id = next_item
            next_item += 1
            new.append(row)
    made.dead = [row.patient_id for row in items if row.patient_id and "deceased_mentioned" in row.done.codes]
    _repeat(rows)
    people = made.newcomers.values()
    held = _callbacks([row for row in new if row.person in made.newcomers], rules, now)
    made.parts = {
        "rows": [_row(file_id, row) for row in rows],
        "patients": [_patient(person) for person in people],
        "words": sorted((word, person.patient_id) for person in people for word in _words(person)),
        "phones": [entry for person in people for entry in _phones(person)],
        "items": [_item(row, held.of_item.get(row.postponement_id or 0)) for row in new],
        "callbacks": held.rows,
    }
    return made


def birth_of(done: Concluded) -> str | None:
    """The birth date of a row, or the one that its national number tells."""
    return done.birth_known.isoformat() if done.birth_known else None


def phones_of(done: Concluded) -> list[tuple[str, str, bool]]:
    """Number, comment, and whether its country was guessed."""
    found = []
    for is_guessed, numbers in ((False, done.values["phones"]), (True, done.values["phones_guessed"])):
        if numbers:
            told = done.phone_comments
            comments = told if len(told) == len(numbers) else ("; ".join(told),) * len(numbers)
            found += [(number, comment, is_guessed) for number, comment in zip(numbers, comments, strict=True)]
    return found


def _newcomer(patient_id: int, done: Concluded) -> Newcomer:
    values = done.values
    note = "; ".join(done.phone_comments) if "contact_restriction_mentioned" in done.codes else ""
    return Newcomer(
        patient_id, (values["last_name"] or "", values["first_name"] or "", values["full_name"] or ""),
        values["birth_date"] or birth_of(done), done.is_birth_guessed, values["niss"], values["record_number"] or "",
        values["postcode"] or "", values["town"] or "", note,
    )  # fmt: skip


def _take_phones(person: Newcomer, done: Concluded) -> None:
    for number, comment, is_guessed in phones_of(done):
        person.phones.setdefault(number, (comment, is_guessed))


def _completed(person: Newcomer) -> tuple[str, str, str]:
    """The names, where one row gave only one of them and another both."""
    last, first, _full = person.names
    if person.other_names and not (last and first):
        return last or person.other_names[0], first or person.other_names[1], ""
    return person.names


def _words(person: Newcomer) -> frozenset[str]:
    return frozenset().union(*(_words_of(name) for name in {*person.names, *_completed(person)} if name))


_words_of = lru_cache(maxsize=65_536)(words_of)  # the words of several names are those of each


def _patient(person: Newcomer) -> tuple[Any, ...]:
    names = _completed(person)
    return (
        person.patient_id, *names, *name_keys(*names), person.birth_on, int(person.is_birth_guessed), person.niss,
        person.record_number, person.postcode, person.town, person.note,
    )  # fmt: skip


def _phones(person: Newcomer) -> list[tuple[Any, ...]]:
    return [
        (person.patient_id, place, number, suffix_key(number), comment, int(is_guessed))
        for place, (number, (comment, is_guessed)) in enumerate(person.phones.items())
    ]


def _item(row: StagedRow, callback_id: int | None) -> tuple[Any, ...]:
    values = row.done.values
    hour = f"{values['planned_time']}:00.000000" if values["planned_time"] else None
    written = (values[name] or "" for name in ("procedure", "clinician", "room", "remark"))
    return (
        row.postponement_id, row.patient_id, row.site_id, row.service_id, values["service"] or "", values["kind"],
        *written, values["planned_date"], hour, values["priority"], row.done.priority_said, int(row.is_protected),
        callback_id,
    )  # fmt: skip


@dataclass
class _Held:
    """New callbacks, numbered from 1, and which of them holds each postponement."""

    rows: list[tuple[Any, ...]] = field(default_factory=list)
    of_item: dict[int, int] = field(default_factory=dict)


def _callbacks(new: Sequence[StagedRow], rules: PlacementRules, now: datetime) -> _Held:
    """One callback a new patient and site; without a site nobody knows yet whose queue is theirs."""
    together: dict[tuple[int, str], list[StagedRow]] = {}
    for row in new:
        if row.site_id and row.patient_id:
            together.setdefault((row.patient_id, row.site_id), []).append(row)
    held, alone = _Held(), _Alone(rules, now)
    for number, ((patient_id, site_id), rows) in enumerate(together.items(), start=1):
        held.of_item.update((row.postponement_id or 0, number) for row in rows)
        if len(rows) == 1:
            placed = alone.place(rows[0])
        else:
            found = place_items([_waiting(row, now) for row in rows], rules, now, None, {})
            placed = int(found.tier), stamp(found.due_at), as_json(found.why)
        is_protected = int(any(row.is_protected for row in rows))
        held.rows.append((number, patient_id, site_id, *placed, is_protected))
    return held


class _Alone:
    """Places callbacks of one postponement each: all of one priority and day differ only in its id."""

    def __init__(self, rules: PlacementRules, now: datetime) -> None:
        self._rules, self._now = rules, now
        self._found: dict[tuple[str | None, str | None], tuple[int, str, Mapping[str, Any]]] = {}

    def place(self, row: StagedRow) -> tuple[int, str, str]:
        """Tier, clock and reasons, as the table holds them."""
        kind = row.done.values["priority"], row.done.values["planned_date"]
        if kind not in self._found:
            placed = place_items([_waiting(row, self._now)], self._rules, self._now, None, {})
            self._found[kind] = int(placed.tier), stamp(placed.due_at), placed.why
        tier, due_at, why = self._found[kind]
        return tier, due_at, as_json({**why, "postponement_id": row.postponement_id})


def _waiting(row: StagedRow, now: datetime) -> WaitingItem:
    day = row.done.values["planned_date"]
    return WaitingItem(
        row.postponement_id or 0, row.done.values["priority"], date.fromisoformat(day) if day else None, now
    )


def _repeat(rows: Sequence[StagedRow]) -> None:
    """A repeated row means the patient and the postponement of the first one."""
    repeats = [row for row in rows if row.done.status == "duplicate"]
    if not repeats:
        return
    firsts: Mapping[tuple[str | None, int], StagedRow] = {(row.done.sheet, row.done.row): row for row in rows}
    for row in repeats:
        first = firsts.get((row.done.sheet, row.done.of or 0))
        if first is not None:
            row.patient_id, row.postponement_id = first.patient_id, first.postponement_id


def _row(file_id: int, row: StagedRow) -> tuple[Any, ...]:
    done = row.done
    first, last = done.lines or (None, None)
    return (
        file_id, done.sheet, done.row, first, last, done.status, as_json(done.codes) if done.codes else "[]", done.of,
        as_json(done.values), as_json(done.cells), row.patient_id, row.why, row.postponement_id, row.change,
        as_json(row.changed) if row.changed else "{}",
    )  # fmt: skip
