"""What a list may change of what the desk knows: only what nobody has said otherwise since.

Each field is held against the value that the earlier version brought. Where an agent, a clinician or a patient
changed it meanwhile, theirs stays and the difference is kept in the journal and with the row.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from crisisdesk.domain.phone import suffix_key
from crisisdesk.domain.rows import Concluded
from crisisdesk.store import journal
from crisisdesk.store.callbacks import redate
from crisisdesk.store.drafting import birth_of
from crisisdesk.store.engine import Connection
from crisisdesk.store.patients import rename
from crisisdesk.store.staging import StagedRow, as_json, stamp

_ITEM = {
    "planned_date": "planned_on", "planned_time": "planned_time", "procedure": "procedure", "clinician": "clinician",
    "room": "room", "remark": "remark", "priority": "priority", "service": "service_name", "kind": "kind",
}  # fmt: skip
_PATIENT = {
    "last_name": "last_name", "first_name": "first_name", "birth_date": "birth_on", "niss": "niss",
    "record_number": "record_number", "postcode": "postcode", "town": "town",
}  # fmt: skip
_NULLABLE = frozenset({
    "planned_on", "planned_time", "priority", "priority_listed", "kind", "birth_on", "niss", "service_id",
})  # fmt: skip
_FILL = """
UPDATE patient SET birth_on = coalesce(birth_on, ?), niss = coalesce(niss, ?),
  postcode = CASE postcode WHEN '' THEN ? ELSE postcode END, town = CASE town WHEN '' THEN ? ELSE town END,
  record_number = CASE record_number WHEN '' THEN ? ELSE record_number END WHERE id = ?
"""
_ADD_PHONE = """
INSERT OR IGNORE INTO phone (patient_id, position, number, reversed, comment, is_guessed, added_at)
VALUES (?, (SELECT coalesce(max(position) + 1, 0) FROM phone WHERE patient_id = ?), ?, ?, ?, ?, ?)
"""
_LACK = """
SELECT id, birth_on, niss, postcode, town, record_number, last_name, first_name FROM patient
WHERE id IN (SELECT value FROM json_each(?))
"""
Told = tuple[int, Concluded]
"""A known patient and a row that means him."""
Number = tuple[int, str, bool, str]
"""Patient, number, whether its country was guessed, comment."""


@dataclass(frozen=True)
class Change:
    """A postponement that a later version tells otherwise."""

    item_id: int
    row: StagedRow


def lacking(connection: Connection, told: Sequence[Told]) -> list[Told]:
    """Give the rows that know something of a patient which the desk does not. Reads only."""
    wanted = as_json(sorted({patient_id for patient_id, _done in told}))
    there = {row[0]: tuple(row[1:]) for row in connection.exec_driver_sql(_LACK, (wanted,))}
    return [(key, done) for key, done in told if key in there and _adds(there[key], done)]


def _adds(there: tuple[Any, ...], done: Concluded) -> bool:
    if any(new and not old for old, new in zip(there, _known_of(done), strict=False)):
        return True
    return not (there[5] and there[6]) and bool(done.values["last_name"] and done.values["first_name"])


def _known_of(done: Concluded) -> tuple[str | None, str | None, str, str, str]:
    values = done.values
    written = (values[name] or "" for name in ("postcode", "town", "record_number"))
    return (birth_of(done), values["niss"], *written)


def add_to_patients(connection: Connection, told: Sequence[Told]) -> None:
    """Fill in what a list knows and the desk does not (birth date, NISS, place); nothing that stands is touched."""
    entries = [(*_known_of(done), patient_id) for patient_id, done in told]
    if entries:
        connection.exec_driver_sql(_FILL, entries)
    _complete_names(connection, told)


def _complete_names(connection: Connection, told: Sequence[Told]) -> None:
    """Give a patient of whom one name was known the other one."""
    both = {key: done.values for key, done in told if done.values["last_name"] and done.values["first_name"]}
    query = (
        "SELECT id, last_name, first_name FROM patient WHERE (last_name = '' OR first_name = '')"
        " AND id IN (SELECT value FROM json_each(?))"
    )
    for row in connection.exec_driver_sql(query, (as_json(sorted(both)),)).all() if both else ():
        values = both[row[0]]
        rename(connection, row[0], row[1] or values["last_name"], row[2] or values["first_name"])


def new_phones(connection: Connection, told: Sequence[Number]) -> list[Number]:
    """Give the numbers that the desk does not have of these patients. Reads only."""
    query = "SELECT patient_id, number FROM phone WHERE patient_id IN (SELECT value FROM json_each(?))"
    ids = as_json(sorted({entry[0] for entry in told}))
    there = {(row[0], row[1]) for row in connection.exec_driver_sql(query, (ids,))}
    return [entry for entry in told if entry[:2] not in there]


def add_phones(connection: Connection, told: Iterable[Number], now: datetime) -> None:
    """Add numbers after the patients' others; the earlier ones stay, for nobody said that they are wrong."""
    entries = [
        (patient_id, patient_id, number, suffix_key(number), comment, int(is_guessed), stamp(now))
        for patient_id, number, is_guessed, comment in told
    ]
    if entries:
        connection.exec_driver_sql(_ADD_PHONE, entries)


def apply_changes(connection: Connection, changes: Sequence[Change], file_id: int, login: str, now: datetime) -> None:
    """Bring postponements and their patients to what the later version says, field by field, and journal each."""
    if not changes:
        return
    items = _by_id(connection, "postponement", {change.item_id for change in changes})
    patients = _by_id(connection, "patient", {item["patient_id"] for item in items.values()})
    writes = _Writes()
    details: list[tuple[int, dict[str, Any]]] = []
    for change in changes:
        item = items[change.item_id]
        told = _change(change, item, patients[item["patient_id"]], writes)
        details.append((change.item_id, {"file": file_id, **told}))
    writes.run(connection, now)
    journal.append_all(connection, agent=login, action="postponement.changed_by_list", subject="postponement",
                       details=details, now=now)  # fmt: skip


def _by_id(connection: Connection, table: str, ids: set[int]) -> dict[int, dict[str, Any]]:
    query = f"SELECT * FROM {table} WHERE id IN (SELECT value FROM json_each(?))"
    return {row["id"]: dict(row) for row in connection.exec_driver_sql(query, (as_json(sorted(ids)),)).mappings()}


class _Writes:
    """Changes of columns, gathered so that each column is one statement."""

    def __init__(self) -> None:
        self._columns: defaultdict[tuple[str, str], list[tuple[Any, int]]] = defaultdict(list)
        self._names: dict[int, tuple[str, str]] = {}
        self._phones: list[Number] = []
        self._replaced: list[int] = []

    def set(self, table: str, row: dict[str, Any], column: str, value: Any) -> None:
        """Change a column, also in ``row``, so that a second change of the same patient sees the first."""
        stored = _stored(column, value)
        row[column] = stored
        self._columns[table, column].append((stored, row["id"]))

    def rename(self, patient: dict[str, Any], last_name: str, first_name: str) -> None:
        patient["last_name"], patient["first_name"] = last_name, first_name
        self._names[patient["id"]] = (last_name, first_name)

    def add_numbers(self, patient_id: int, numbers: Iterable[str], is_guessed: bool) -> None:
        self._phones += [(patient_id, number, is_guessed, "") for number in numbers]

    def place_anew(self, item_id: int) -> None:
        self._replaced.append(item_id)

    def run(self, connection: Connection, now: datetime) -> None:
        for (table, column), values in self._columns.items():
            connection.exec_driver_sql(f"UPDATE {table} SET {column} = ? WHERE id = ?", values)
        for patient_id, names in self._names.items():
            rename(connection, patient_id, *names)
        add_phones(connection, self._phones, now)
        query = (
            "SELECT DISTINCT b.id FROM callback_item i JOIN callback b ON b.id = i.callback_id AND b.state <> 'closed'"
            " WHERE i.postponement_id IN (SELECT value FROM json_each(?))"
        )
        if self._replaced:
            redate(connection, [row[0] for row in connection.exec_driver_sql(query, (as_json(self._replaced),))])


def _change(change: Change, item: dict[str, Any], patient: dict[str, Any], writes: _Writes) -> dict[str, Any]:
    """Gather what one change writes; give what the journal tells of it."""
    told = change.row.changed or {}
    taken, kept = _sort(told, item, patient)
    if "priority" in taken and item["priority_by"] not in {"", "list"}:
        kept["priority"] = taken.pop("priority")
    if "priority" in kept:  # a clinician's entry stays; what the list says otherwise waits for a decision
        said = kept["priority"][1]
        writes.set("postponement", item, "priority_listed", said if said != item["priority"] else None)
    for name, pair in taken.items():
        if name in _ITEM:
            writes.set("postponement", item, _ITEM[name], pair[1])
    if "priority" in taken:
        writes.set("postponement", item, "priority_said", change.row.done.priority_said)
        writes.set("postponement", item, "priority_by", "list" if taken["priority"][1] else "")
        writes.place_anew(change.item_id)
    if "service" in taken:
        writes.set("postponement", item, "service_id", change.row.service_id)
        writes.set("postponement", item, "is_protected", int(change.row.is_protected))
    _change_patient(patient, taken, writes)
    for name in ("phones", "phones_guessed"):
        writes.add_numbers(patient["id"], told.get(name, [None, None])[1] or (), name == "phones_guessed")
    numbers = {name: pair for name, pair in told.items() if name.startswith("phones")}
    return {**taken, **numbers, **({"kept": kept} if kept else {})}


def _sort(changed: dict[str, Any], item: Any, patient: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Part the changes: those to take, and those where the desk knows something newer than the earlier version."""
    taken: dict[str, Any] = {}
    kept: dict[str, Any] = {}
    for name, (old, new) in changed.items():
        column = _ITEM.get(name) or _PATIENT.get(name)
        if column is None:
            continue
        now_there = (item if name in _ITEM else patient)[column]
        same = _stored(column, old) == now_there or now_there in {None, ""}
        (taken if same and (new or name in _ITEM) else kept)[name] = [now_there, new]
    return taken, kept


def _stored(column: str, value: Any) -> Any:
    if value is None:
        return None if column in _NULLABLE else ""
    return f"{value}:00.000000" if column == "planned_time" else value


def _change_patient(patient: dict[str, Any], taken: dict[str, Any], writes: _Writes) -> None:
    fields = {name: pair[1] for name, pair in taken.items() if name in _PATIENT}
    last, first = (fields.pop(name, None) or patient[name] for name in ("last_name", "first_name"))
    if (last, first) != (patient["last_name"], patient["first_name"]):
        writes.rename(patient, last, first)
    for name, value in fields.items():
        writes.set("patient", patient, _PATIENT[name], value)
