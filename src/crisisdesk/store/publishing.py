"""A staged version becomes visible: one transaction, in which every statement moves a whole table's worth.

Until it commits nobody sees any of it; once it has, everybody sees all of it, at any size. Whatever can be prepared is
prepared before: the lock is held for some 25 microseconds a row.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from crisisdesk.store import journal
from crisisdesk.store.callbacks import PROTECTED
from crisisdesk.store.drafting import Draft, phones_of
from crisisdesk.store.engine import Connection
from crisisdesk.store.holding import hold_imported, not_held
from crisisdesk.store.imports import standing_patient
from crisisdesk.store.relisting import Change, add_phones, add_to_patients, apply_changes, lacking, new_phones
from crisisdesk.store.staging import as_json, stamp

_PATIENT = """
INSERT INTO patient (id, last_name, first_name, full_name, name_key, first_key, birth_on, is_birth_guessed, niss,
  record_number, postcode, town, contact_note, created_at)
SELECT id, last_name, first_name, full_name, name_key, first_key, birth_on, is_birth_guessed, niss,
  record_number, postcode, town, contact_note, :now FROM staged_patient ORDER BY id
"""
_WORD = "INSERT INTO patient_word (patient_id, word) SELECT patient_id, word FROM staged_word ORDER BY word, patient_id"
_PHONE = """
INSERT INTO phone (patient_id, position, number, reversed, comment, is_guessed, added_at)
SELECT patient_id, position, number, reversed, comment, is_guessed, :now FROM staged_phone ORDER BY id
"""
_POSTPONEMENT = """
INSERT INTO postponement (id, patient_id, site_id, service_id, service_name, kind, procedure, clinician, room, remark,
  original_on, planned_on, planned_time, priority, priority_said, priority_by, is_protected, source, created_at)
SELECT id, patient_id, site_id, service_id, service_name, kind, procedure, clinician, room, remark,
  planned_on, planned_on, planned_time, priority, priority_said, iif(priority IS NULL, '', 'list'), is_protected,
  'list', :now FROM staged_postponement ORDER BY id
"""
_CALLBACK = """
INSERT INTO callback (id, patient_id, site_id, tier, due_at, why, released_at, release_why, created_at)
SELECT :base + id, patient_id, site_id, tier, due_at, why, iif(is_protected, :now, NULL),
  iif(is_protected, :protected, ''), :now FROM staged_callback ORDER BY id
"""
_CALLBACK_ITEM = """
INSERT INTO callback_item (callback_id, postponement_id, added_at)
SELECT :base + callback_id, id, :now FROM staged_postponement WHERE callback_id IS NOT NULL
"""
_LIKENESS = """
INSERT OR IGNORE INTO likeness (patient_id, other_id, strength, why, proposed_at) VALUES (?, ?, ?, ?, ?)
"""
_HELD = """
UPDATE callback SET hold = 'review', note = ? || CASE WHEN note = '' THEN '' ELSE ' · ' || note END
WHERE state <> 'closed' AND hold = ''
  AND patient_id IN (SELECT value FROM json_each(?))
"""
_BACK = """
UPDATE postponement SET missing_since_id = NULL
WHERE missing_since_id IS NOT NULL AND id IN (SELECT value FROM json_each(?))
"""


@dataclass
class Publication:
    """All that the last step writes, beside what is staged."""

    file_id: int
    login: str
    now: datetime
    draft: Draft
    missing: Sequence[int]
    """Postponements of the earlier version that this one no longer has."""
    proposals: Sequence[tuple[int, int, str, str]]
    """Pairs to look at (one, other, strength, why); a person of the file is a negative number."""
    told: dict[str, Any]
    """For the journal."""
    _fills: list[Any] = field(default_factory=list)
    _phones: list[tuple[int, str, bool, str]] = field(default_factory=list)
    _unheld: list[int] = field(default_factory=list)

    def prepare(self, connection: Connection) -> None:
        """Look up what the list adds to known patients. Holds no lock; what it finds is only added where it lacks."""
        known = [(patient_id, row.done) for patient_id, row in self.draft.known]
        if not known:
            return
        self._fills = lacking(connection, known)
        told = [(patient_id, *phone) for patient_id, done in known for phone in phones_of(done)]
        self._phones = new_phones(connection, [(number[0], number[1], number[3], number[2]) for number in told])
        added = [row.postponement_id or 0 for _id, row in self.draft.known if row.change == "added"]
        self._unheld = [*added, *not_held(connection, self.file_id)]

    def publish(self, connection: Connection) -> None:
        """Make the version visible, in this transaction, and take into account what was merged since it was planned."""
        values: dict[str, Any] = {"now": stamp(self.now), "protected": PROTECTED}
        values["base"] = connection.exec_driver_sql("SELECT coalesce(max(id), 0) FROM callback").scalar_one()
        moved = self._follow_merges(connection)
        for statement in (_PATIENT, _WORD, _PHONE, _POSTPONEMENT, _CALLBACK, _CALLBACK_ITEM):
            connection.exec_driver_sql(statement, values)
        self._tell_the_known(connection, moved)
        self._hold_the_dead(connection, moved)
        if self.missing:
            gone = [(self.file_id, item) for item in self.missing]
            connection.exec_driver_sql("UPDATE postponement SET missing_since_id = ? WHERE id = ?", gone)
        self._propose(connection)
        published = (values["now"], self.file_id)
        connection.exec_driver_sql("UPDATE source_file SET published_at = ? WHERE id = ?", published)
        journal.append(
            connection, agent=self.login, action="list.published", subject="source_file", subject_id=self.file_id,
            detail={**self.told, "missing": len(self.missing)}, now=self.now,
        )  # fmt: skip

    def _follow_merges(self, connection: Connection) -> dict[int, int]:
        """Known patients who were merged while the list was staged, and who stands for them now."""
        known = {patient_id for patient_id, _row in self.draft.known}
        if not known:
            return {}
        moved = {a: b for a, b in standing_patient(connection, known).items() if a != b}
        pairs = [(stands, patient_id) for patient_id, stands in moved.items()]
        if pairs:
            connection.exec_driver_sql("UPDATE staged_postponement SET patient_id = ? WHERE patient_id = ?", pairs)
            rows = [(*pair, self.file_id) for pair in pairs]
            statement = "UPDATE import_row SET patient_id = ? WHERE patient_id = ? AND source_file_id = ?"
            connection.exec_driver_sql(statement, rows)
        return moved

    def _tell_the_known(self, connection: Connection, moved: dict[int, int]) -> None:
        """Bring patients and postponements of the desk to what the list says of them."""
        if not self.draft.known:
            return
        add_to_patients(connection, [(moved.get(found[0], found[0]), *found[1:]) for found in self._fills])
        add_phones(connection, [(moved.get(found[0], found[0]), *found[1:]) for found in self._phones], self.now)
        rows = [row for _id, row in self.draft.known]
        back = [row.postponement_id for row in rows if row.change != "added"]
        connection.exec_driver_sql(_BACK, (as_json(back),))
        changes = [Change(row.postponement_id or 0, row) for row in rows if row.change == "changed"]
        apply_changes(connection, changes, self.file_id, self.login, self.now)
        if self._unheld:
            hold_imported(connection, self.file_id, self.now, only=self._unheld)

    def _hold_the_dead(self, connection: Connection, moved: dict[int, int]) -> None:
        """A remark that says somebody died: nobody may ring before a person has looked."""
        if self.draft.dead:
            note = "deceased? (remark of the list)"
            ids = [moved.get(patient_id, patient_id) for patient_id in self.draft.dead]
            connection.exec_driver_sql(_HELD, (note, as_json(ids)))

    def _propose(self, connection: Connection) -> None:
        pairs = _pairs(self.proposals, self.draft.patient_of)
        if pairs:
            entries = [(*pair, *found, stamp(self.now)) for pair, found in pairs.items()]
            connection.exec_driver_sql(_LIKENESS, entries)


def _pairs(
    proposals: Iterable[tuple[int, int, str, str]], patients: dict[int, int]
) -> dict[tuple[int, int], tuple[str, str]]:
    pairs: dict[tuple[int, int], tuple[str, str]] = {}
    for one, other, strength, why in proposals:
        ids = [patients.get(-side, 0) if side < 0 else side for side in (one, other)]
        if all(ids) and ids[0] != ids[1]:
            pairs.setdefault((min(ids), max(ids)), (strength, why))
    return pairs
