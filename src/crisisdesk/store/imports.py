"""What the import asks of the desk: versions already there, their rows, and patients who may be meant."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from crisisdesk.domain.lists import ImportLine, ProposalLine, ProposalSide, SideItem
from crisisdesk.domain.persons import Person
from crisisdesk.store.engine import Connection
from crisisdesk.store.staging import as_json, stamp

_ROWS = """
SELECT id, sheet, row, first_line, last_line, status, codes, duplicate_of, fields, cells, patient_id, patient_why,
  postponement_id, change, changed FROM import_row WHERE source_file_id = ? ORDER BY id
"""
_PATIENTS = """
SELECT p.id, p.last_name, p.first_name, p.full_name, p.birth_on, p.niss, p.is_provisional,
  (SELECT json_group_array(number) FROM phone WHERE phone.patient_id = p.id AND phone.found_wrong_at IS NULL)
FROM patient p WHERE p.merged_into_id IS NULL AND p.id IN ({chosen})
"""
_NAMES = """
SELECT DISTINCT patient_id, fields ->> '$.last_name', fields ->> '$.first_name' FROM import_row
WHERE patient_id IN (SELECT value FROM json_each(?)) AND fields ->> '$.last_name' IS NOT NULL
"""
_BY = {
    "niss": "SELECT id FROM patient WHERE niss IN (SELECT value FROM json_each(?))",
    "phone": "SELECT patient_id FROM phone WHERE number IN (SELECT value FROM json_each(?))",
    "birth": "SELECT id FROM patient WHERE birth_on IN (SELECT value FROM json_each(?))",
    "name": "SELECT id FROM patient WHERE name_key IN (SELECT value FROM json_each(?))",
}
_BEFORE = """
SELECT id FROM source_file WHERE published_at IS NOT NULL
  AND (series_key = ?1 OR layout_key = ?2 OR (site_id IS ?3 AND kind IS ?4))
  AND id NOT IN (SELECT earlier_id FROM source_file WHERE earlier_id IS NOT NULL AND published_at IS NOT NULL)
ORDER BY series_key <> ?1, layout_key <> ?2, id DESC LIMIT 8
"""
_HISTORY = """
SELECT s.id, s.name, s.encoding, s.site_id, s.kind, s.counts, s.warnings, s.staged_at, s.published_at, s.earlier_id,
  (SELECT count(*) FROM import_row r WHERE r.source_file_id = s.id AND r.change = 'added'),
  (SELECT count(*) FROM import_row r WHERE r.source_file_id = s.id AND r.change = 'changed'), a.name
FROM source_file s LEFT JOIN agent a ON a.id = s.agent_id WHERE s.published_at IS NOT NULL ORDER BY s.id DESC LIMIT ?
"""
_PROPOSALS = """
SELECT l.id, l.patient_id, l.other_id, l.strength, l.why FROM likeness l
WHERE l.state = 'proposed' AND (l.patient_id IN (SELECT value FROM json_each(?1))
  OR l.other_id IN (SELECT value FROM json_each(?1))) ORDER BY l.id
"""
_SIDES = """
SELECT l.id, l.strength, l.why, p.id, p.last_name, p.first_name, p.full_name, p.birth_on, p.niss, p.is_provisional,
  (SELECT json_group_array(number) FROM phone f WHERE f.patient_id = p.id),
  (SELECT json_group_array(json_array(i.kind, i.planned_on, i.procedure))
   FROM postponement i WHERE i.patient_id = p.id)
FROM likeness l JOIN patient p ON p.id IN (l.patient_id, l.other_id)
WHERE l.state = 'proposed' ORDER BY l.strength = 'fair', l.id, p.id <> l.patient_id LIMIT ?
"""


@dataclass(frozen=True)
class SourceVersion:
    """One published version of a list."""

    file_id: int
    name: str
    series_key: str
    layout_key: str
    counts: dict[str, int]
    warnings: list[str]
    encoding: str


@dataclass(frozen=True)
class KeptRow:
    """A row as it was concluded when its version came in."""

    row_id: int
    sheet: str | None
    row: int
    lines: tuple[int, int] | None
    status: str
    codes: list[str]
    of: int | None
    values: dict[str, Any]
    cells: list[str]
    patient_id: int | None
    why: str
    postponement_id: int | None
    change: str | None
    changed: dict[str, Any]


def find_published(connection: Connection, sha256: str, options: str) -> SourceVersion | None:
    """Give the version with this very content, imported with these options, if there is one."""
    return _version(connection, "sha256 = ? AND options = ? AND published_at IS NOT NULL", (sha256, options))


def candidates_before(
    connection: Connection, series_key: str, layout_key: str, site_id: str | None, kind: str | None
) -> list[SourceVersion]:
    """Give the newest versions that a new one may follow: the same series, layout, or site and kind."""
    ids = [row[0] for row in connection.exec_driver_sql(_BEFORE, (series_key, layout_key, site_id, kind))]
    return [version for version in (_version(connection, "id = ?", (file_id,)) for file_id in ids) if version]


def _version(connection: Connection, where: str, values: tuple[Any, ...]) -> SourceVersion | None:
    columns = "id, name, series_key, layout_key, counts, warnings, encoding"
    query = f"SELECT {columns} FROM source_file WHERE {where} ORDER BY id DESC"
    row = connection.exec_driver_sql(query, values).first()
    if row is None:
        return None
    return SourceVersion(row[0], row[1], row[2], row[3], json.loads(row[4]), json.loads(row[5]), row[6])


def rows_of(connection: Connection, file_id: int) -> list[KeptRow]:
    """Give every row of a version, in the order of the file."""
    return [_kept(row) for row in connection.exec_driver_sql(_ROWS, (file_id,))]


def _kept(row: Any) -> KeptRow:
    lines = (row[3], row[4]) if row[3] is not None else None
    return KeptRow(
        row[0], row[1], row[2], lines, row[5], json.loads(row[6]), row[7], json.loads(row[8]), json.loads(row[9]),
        row[10], row[11], row[12], row[13], json.loads(row[14]),
    )  # fmt: skip


def gone_before(connection: Connection, file_id: int) -> list[KeptRow]:
    """Give the rows of items that were missing from a version, as they last stood: they may come back."""
    query = (
        "SELECT r.id FROM import_row r JOIN postponement p ON p.id = r.postponement_id WHERE p.missing_since_id = ?"
        " AND r.id = (SELECT max(id) FROM import_row WHERE postponement_id = p.id)"
    )
    ids = [row[0] for row in connection.exec_driver_sql(query, (file_id,))]
    chosen = _ROWS.replace("source_file_id = ?", "id IN (SELECT value FROM json_each(?))")
    return [_kept(row) for row in connection.exec_driver_sql(chosen, (as_json(ids),))]


def standing_patient(connection: Connection, ids: Iterable[int]) -> dict[int, int]:
    """Give, for patients that were merged since, the patient that stands for each."""
    query = "SELECT id, merged_into_id FROM patient WHERE merged_into_id IS NOT NULL"
    merged = {int(a): int(b) for a, b in connection.exec_driver_sql(query)}
    standing: dict[int, int] = {}
    for patient_id in ids:
        found, seen = patient_id, {patient_id}
        while found in merged and merged[found] not in seen:
            found = merged[found]
            seen.add(found)
        standing[patient_id] = found
    return standing


def patients_like(connection: Connection, persons: Iterable[Person], name_keys: Iterable[str]) -> list[Person]:
    """Give the patients of the desk who share a number, telephone, birth date or family name with any of these
    persons.
    """
    wanted: dict[str, set[str]] = {
        "niss": set(),
        "phone": set(),
        "birth": set(),
        "name": {key for key in name_keys if key},
    }
    for person in persons:
        wanted["niss"] |= person.nisses
        wanted["phone"] |= person.phones
        wanted["birth"] |= {day.isoformat() for day in person.births}
    ids: set[int] = set()
    for kind, values in wanted.items():
        if values:
            ids |= {row[0] for row in connection.exec_driver_sql(_BY[kind], (as_json(sorted(values)),))}
    return load_patients(connection, ids)


def load_patients(connection: Connection, ids: Iterable[int]) -> list[Person]:
    """Give patients of the desk as persons, merged ones left out."""
    chosen = "SELECT value FROM json_each(?)"
    wanted = (as_json(sorted(ids)),)
    names: dict[int, list[tuple[str, str]]] = {}
    for patient_id, last, first in connection.exec_driver_sql(_NAMES, wanted):
        names.setdefault(patient_id, []).append((last or "", first or ""))
    rows = connection.exec_driver_sql(_PATIENTS.format(chosen=chosen), wanted)
    return [
        Person(
            names=list(dict.fromkeys([(row[1] or row[3], row[2]), *names.get(row[0], ())])),
            births={date.fromisoformat(row[4])} if row[4] else set(),
            nisses={row[5]} if row[5] else set(),
            phones=set(json.loads(row[7])),
            patient_id=row[0],
            is_provisional=bool(row[6]),
        )
        for row in rows
    ]


def remembered_mapping(connection: Connection, layout_keys: Iterable[str]) -> dict[str, str]:
    """Give the mapping by hand that was kept for a layout, the newest first; empty where there is none."""
    query = (
        "SELECT mapping FROM layout WHERE layout_key IN (SELECT value FROM json_each(?)) ORDER BY saved_at DESC LIMIT 1"
    )
    found = connection.exec_driver_sql(query, (as_json(sorted(set(layout_keys))),)).scalar()
    mapping: dict[str, str] = json.loads(found) if found else {}
    return mapping


def remember_mapping(
    connection: Connection, layout_key: str, mapping: dict[str, str], agent_id: int, now: datetime
) -> None:
    """Keep a mapping by hand for every list with this header."""
    query = "INSERT OR REPLACE INTO layout (layout_key, mapping, agent_id, saved_at) VALUES (?, ?, ?, ?)"
    connection.exec_driver_sql(query, (layout_key, as_json(mapping), agent_id, stamp(now)))


def rung_now(connection: Connection, patient_ids: Iterable[int]) -> set[int]:
    """Give those of these patients whom an agent is ringing."""
    query = "SELECT patient_id FROM callback WHERE state = 'leased' AND patient_id IN (SELECT value FROM json_each(?))"
    return {int(row[0]) for row in connection.exec_driver_sql(query, (as_json(sorted(set(patient_ids))),))}


def open_proposals(connection: Connection, patient_ids: Iterable[int]) -> list[tuple[int, int, str, str]]:
    """Give the pairs that wait for a decision and touch any of these patients: (patient, other, strength, why)."""
    rows = connection.exec_driver_sql(_PROPOSALS, (as_json(sorted(set(patient_ids))),))
    return [(row[1], row[2], row[3], row[4]) for row in rows]


def history(connection: Connection, limit: int = 200) -> list[ImportLine]:
    """Give the imports, the newest first."""
    return [
        ImportLine(
            row[0], row[1], row[2], row[3], row[4], json.loads(row[5]), json.loads(row[6]),
            datetime.fromisoformat(row[8] + "+00:00"), row[9] is not None, row[10], row[11], row[12] or "",
        )
        for row in connection.exec_driver_sql(_HISTORY, (limit,))
    ]  # fmt: skip


def proposal_lines(connection: Connection, limit: int = 200) -> list[ProposalLine]:
    """Give the pairs that wait for a decision, the surer ones first."""
    sides: dict[int, list[Any]] = {}
    for row in connection.exec_driver_sql(_SIDES, (limit * 2,)):
        sides.setdefault(row[0], []).append(row)
    return [
        ProposalLine(key, pair[0][1], tuple(pair[0][2].split()), _side(pair[0]), _side(pair[1]))
        for key, pair in sides.items()
        if len(pair) == 2
    ]


def _side(row: Any) -> ProposalSide:
    name = " ".join(part for part in (row[4], row[5]) if part) or row[6]
    born = date.fromisoformat(row[7]) if row[7] else None
    items = tuple(
        SideItem(kind or "", date.fromisoformat(planned) if planned else None, procedure or "")
        for kind, planned, procedure in json.loads(row[11])
    )
    return ProposalSide(row[3], name, born, row[8], tuple(json.loads(row[10])), bool(row[9]), items)
