"""A staged version becomes patients, telephones, postponements and callbacks: slice by slice, each one transaction.

A list of ordinary size is one slice and appears whole. A very long one is published in several, so that nobody waits
for
the lock; the first of them is the decision, and whoever imports next finishes what a killed process began.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from crisisdesk.domain.namekeys import name_keys, words_of
from crisisdesk.domain.phone import suffix_key
from crisisdesk.store import journal
from crisisdesk.store.callbacks import hold_imported
from crisisdesk.store.engine import Connection
from crisisdesk.store.relisting import add_to_patients, apply_change
from crisisdesk.store.staging import as_json, stamp

_NEXT = """
SELECT id, person, patient_id, postponement_id, change, changed, fields, facts, codes FROM import_row
WHERE source_file_id = ? AND id > ? AND person > 0 AND status IN ('accepted', 'accepted_with_warnings') ORDER BY id
LIMIT ?
"""
_PATIENT = """
INSERT INTO patient (id, last_name, first_name, full_name, name_key, first_key, birth_on, is_birth_guessed, niss,
record_number,
  postcode, town, contact_note, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
_WORD = "INSERT OR IGNORE INTO patient_word (patient_id, word) VALUES (?, ?)"
_PHONE = """
INSERT OR IGNORE INTO phone (patient_id, position, number, reversed, comment, is_guessed, added_at)
VALUES (?, (SELECT coalesce(max(position) + 1, 0) FROM phone WHERE patient_id = ?), ?, ?, ?, ?, ?)
"""
_POSTPONEMENT = """
INSERT INTO postponement (id, patient_id, site_id, service_id, service_name, kind, procedure, clinician, room, remark,
  original_on, planned_on, planned_time, priority, priority_said, priority_by, is_protected, source, created_at)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'list', ?)
"""
_LIKENESS = """
INSERT OR IGNORE INTO likeness (patient_id, other_id, strength, why, proposed_at) VALUES (?, ?, ?, ?, ?)
"""
_REPEATS = """
UPDATE import_row SET patient_id = f.patient_id, postponement_id = f.postponement_id FROM import_row f
WHERE import_row.source_file_id = ?1 AND import_row.status = 'duplicate' AND f.source_file_id = ?1
  AND f.row = import_row.duplicate_of AND f.sheet IS import_row.sheet
"""
_HELD = """
UPDATE callback SET hold = 'review', note = ? WHERE state = 'waiting' AND hold = ''
  AND patient_id IN (SELECT value FROM json_each(?))
"""


@dataclass(frozen=True, slots=True)
class _Row:
    """One staged row, as it is published."""

    row_id: int
    person: int
    patient_id: int | None
    postponement_id: int | None
    change: str | None
    changed: dict[str, Any]
    values: dict[str, Any]
    facts: dict[str, Any]
    codes: list[str]


class Publication:
    """One staged version on its way out. Rows are read and prepared between the transactions, not inside them."""

    def __init__(self, connection: Connection, file_id: int, size: int) -> None:
        self.file_id = file_id
        self.size = size
        query = "SELECT published_to FROM source_file WHERE id = ?"
        self._after: int = connection.exec_driver_sql(query, (file_id,)).scalar_one()
        self._patients = _patients_of(connection, file_id)
        self._rows: list[_Row] = []
        self._words: dict[int, frozenset[str]] = {}

    def prepare(self, connection: Connection) -> None:
        """Read the next slice. Holds no lock."""
        found = connection.exec_driver_sql(_NEXT, (self.file_id, self._after, self.size))
        self._rows = [_row(entry) for entry in found]
        self._words = {row.person: words_of(*_names(row)) for row in self._rows if row.person not in self._patients}

    @property
    def is_prepared(self) -> bool:
        """Whether there are rows to publish; when not, `finish` is due."""
        return bool(self._rows)

    def publish(self, connection: Connection, login: str, now: datetime) -> int:
        """Publish the slice that was prepared, in this transaction; the number of its rows."""
        rows = self._rows
        self._publish(connection, login, now)
        self._after = rows[-1].row_id
        done = (self._after, self.file_id)
        connection.exec_driver_sql("UPDATE source_file SET published_to = ? WHERE id = ?", done)
        return len(rows)

    def hold(self, connection: Connection, now: datetime) -> None:
        """Make the callbacks of what was published, in a transaction of its own."""
        if self._rows:
            hold_imported(connection, self.file_id, now, rows=(self._rows[0].row_id, self._rows[-1].row_id))
        else:  # what a killed process published and left without callbacks
            hold_imported(connection, self.file_id, now)
        dead = [self._patients[row.person] for row in self._rows if "deceased_mentioned" in row.codes]
        _hold_the_dead(connection, dead)

    def finish(self, connection: Connection, login: str, now: datetime) -> None:
        """Write what only the whole version tells, and show it in the history of lists."""
        _finish(connection, self.file_id, self._patients, login, now)

    def _publish(self, connection: Connection, login: str, now: datetime) -> None:
        rows = self._rows
        self._make_patients(connection, now)
        patients = self._patients
        _phones(connection, rows, patients, now)
        items = _postponements(connection, rows, patients, now)
        links = [(patients[row.person], items[row.row_id], row.row_id) for row in rows]
        connection.exec_driver_sql("UPDATE import_row SET patient_id = ?, postponement_id = ? WHERE id = ?", links)
        for row in rows:
            if row.change == "changed":
                apply_change(connection, row.postponement_id or 0, row.changed, row.facts, self.file_id, login, now)
        detail = {"rows": [rows[0].row_id, rows[-1].row_id], "added": sum(1 for row in rows if row.change == "added")}
        journal.append(
            connection, agent=login, action="list.rows_published", subject="source_file", subject_id=self.file_id,
            detail=detail, now=now,
        )  # fmt: skip

    def _make_patients(self, connection: Connection, now: datetime) -> None:
        """Make the new patients of the slice; fill in what the list adds to the known ones."""
        first = connection.exec_driver_sql("SELECT coalesce(max(id), 0) FROM patient").scalar_one()
        new: dict[int, _Row] = {}
        for row in self._rows:
            if row.person not in self._patients:
                new.setdefault(row.person, row)
        self._patients.update({person: first + place for place, person in enumerate(new, start=1)})
        if new:
            entries = [_patient(self._patients[person], row, now) for person, row in new.items()]
            connection.exec_driver_sql(_PATIENT, entries)
            words = sorted((self._patients[person], word) for person in new for word in self._words[person])
            if words:
                connection.exec_driver_sql(_WORD, words)
        others = [row for row in self._rows if new.get(row.person) is not row]
        add_to_patients(connection, [(self._patients[row.person], row.values, row.facts) for row in others])


def _row(found: Any) -> _Row:
    changed, values, facts, codes = (json.loads(found[at]) for at in (5, 6, 7, 8))
    return _Row(found[0], found[1], found[2], found[3], found[4], changed, values, facts, codes)


def _patients_of(connection: Connection, file_id: int) -> dict[int, int]:
    """Give the patient of each person of a file, as far as they are known."""
    query = (
        "SELECT DISTINCT person, patient_id FROM import_row"
        " WHERE source_file_id = ? AND person > 0 AND patient_id IS NOT NULL"
    )
    return {row[0]: row[1] for row in connection.exec_driver_sql(query, (file_id,))}


def _names(row: _Row) -> tuple[str, str, str]:
    values = row.values
    return values["last_name"] or "", values["first_name"] or "", values["full_name"] or ""


def _hold_the_dead(connection: Connection, patient_ids: list[int]) -> None:
    """A remark that says somebody died: nobody may ring before a person has looked."""
    if patient_ids:
        note = "deceased? (remark of the list)"
        connection.exec_driver_sql(_HELD, (note, as_json(patient_ids)))


def _patient(patient_id: int, row: _Row, now: datetime) -> tuple[Any, ...]:
    values = row.values
    last, first, full = _names(row)
    note = "; ".join(row.facts["comments"]) if "contact_restriction_mentioned" in row.codes else ""
    return (
        patient_id, last, first, full, *name_keys(last, first, full), values["birth_date"] or row.facts["birth"],
        int(row.facts["birth_guessed"]), values["niss"], values["record_number"] or "", values["postcode"] or "",
        values["town"] or "", note, stamp(now),
    )  # fmt: skip


def _phones(connection: Connection, rows: Sequence[_Row], patients: dict[int, int], now: datetime) -> None:
    entries = [
        (patients[row.person], patients[row.person], number, suffix_key(number), comment, int(guessed), stamp(now))
        for row in rows
        for guessed, numbers in ((False, row.values["phones"]), (True, row.values["phones_guessed"]))
        for number, comment in zip(numbers or (), _comments(row, len(numbers or ())), strict=True)
    ]
    if entries:
        connection.exec_driver_sql(_PHONE, entries)


def _comments(row: _Row, count: int) -> list[str]:
    comments = row.facts["comments"]
    if len(comments) == count:
        return list(comments)
    return ["; ".join(comments)] * count


def _postponements(
    connection: Connection, rows: Sequence[_Row], patients: dict[int, int], now: datetime
) -> dict[int, int]:
    """Give the postponement of each row, new ones made."""
    next_id = connection.exec_driver_sql("SELECT coalesce(max(id), 0) FROM postponement").scalar_one() + 1
    items: dict[int, int] = {}
    entries: list[tuple[Any, ...]] = []
    for row in rows:
        if row.postponement_id is not None:
            items[row.row_id] = row.postponement_id
            continue
        items[row.row_id] = next_id
        entries.append(_postponement(next_id, patients[row.person], row, now))
        next_id += 1
    if entries:
        connection.exec_driver_sql(_POSTPONEMENT, entries)
    found = [(row.postponement_id,) for row in rows if row.postponement_id is not None]
    if found:
        connection.exec_driver_sql("UPDATE postponement SET missing_since_id = NULL WHERE id = ?", found)
    return items


def _postponement(item_id: int, patient_id: int, row: _Row, now: datetime) -> tuple[Any, ...]:
    values, facts = row.values, row.facts
    hour = f"{values['planned_time']}:00.000000" if values["planned_time"] else None
    written = (values[name] or "" for name in ("procedure", "clinician", "room", "remark"))
    return (
        item_id, patient_id, facts["site"], facts["service"], values["service"] or "", values["kind"], *written,
        values["planned_date"], values["planned_date"], hour, values["priority"], facts["priority_said"],
        "list" if values["priority"] else "", int(facts["protected"]), stamp(now),
    )  # fmt: skip


def _finish(connection: Connection, file_id: int, patients: dict[int, int], login: str, now: datetime) -> None:
    connection.exec_driver_sql(_REPEATS, (file_id,))
    plan = json.loads(connection.exec_driver_sql("SELECT plan FROM source_file WHERE id = ?", (file_id,)).scalar_one())
    missing = [(file_id, item) for item in plan.get("missing", ())]
    if missing:
        connection.exec_driver_sql("UPDATE postponement SET missing_since_id = ? WHERE id = ?", missing)
    _propose(connection, patients, plan.get("proposals", ()), now)
    connection.exec_driver_sql("UPDATE source_file SET published_at = ? WHERE id = ?", (stamp(now), file_id))
    detail = {"counts": plan.get("counts", {}), "sha256": plan.get("sha256", ""), "missing": len(missing)}
    journal.append(
        connection,
        agent=login,
        action="list.published",
        subject="source_file",
        subject_id=file_id,
        detail=detail,
        now=now,
    )


def _propose(connection: Connection, patients: dict[int, int], proposals: Iterable[list[Any]], now: datetime) -> None:
    """Keep the pairs for a person to decide; a person of the file is a negative number in the plan."""
    pairs: dict[tuple[int, int], tuple[str, str]] = {}
    for one, other, strength, why in proposals:
        ids = [patients.get(-side, 0) if side < 0 else side for side in (one, other)]
        if all(ids) and ids[0] != ids[1]:
            pairs.setdefault((min(ids), max(ids)), (strength, why))
    if pairs:
        entries = [(*pair, *found, stamp(now)) for pair, found in pairs.items()]
        connection.exec_driver_sql(_LIKENESS, entries)
