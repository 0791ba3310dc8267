"""What a later version of a list may change: only what nobody has said otherwise since.

Each field is held against the value that the earlier version brought. Where an agent, a clinician or a patient
changed it
meanwhile, theirs stays and the difference is kept in the journal and with the row.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from crisisdesk.domain.phone import suffix_key
from crisisdesk.store import journal
from crisisdesk.store.engine import Connection
from crisisdesk.store.patients import rename
from crisisdesk.store.staging import as_json, stamp

_ITEM = {
    "planned_date": "planned_on", "planned_time": "planned_time", "procedure": "procedure", "clinician": "clinician",
    "room": "room", "remark": "remark", "priority": "priority", "service": "service_name", "kind": "kind",
}  # fmt: skip
_PATIENT = {
    "last_name": "last_name", "first_name": "first_name", "birth_date": "birth_on", "niss": "niss",
    "record_number": "record_number", "postcode": "postcode", "town": "town",
}  # fmt: skip
_NULLABLE = frozenset({"planned_on", "planned_time", "priority", "kind", "birth_on", "niss"})
_FILL = """
UPDATE patient SET birth_on = coalesce(birth_on, ?), niss = coalesce(niss, ?),
  postcode = CASE postcode WHEN '' THEN ? ELSE postcode END, town = CASE town WHEN '' THEN ? ELSE town END,
  record_number = CASE record_number WHEN '' THEN ? ELSE record_number END WHERE id = ?
"""
_ADD_PHONE = """
INSERT OR IGNORE INTO phone (patient_id, position, number, reversed, is_guessed, added_at)
VALUES (?, (SELECT coalesce(max(position) + 1, 0) FROM phone WHERE patient_id = ?), ?, ?, ?, ?)
"""


def add_to_patients(connection: Connection, found: Sequence[tuple[int, dict[str, Any], dict[str, Any]]]) -> None:
    """Fill in what a list knows and the desk does not (birth date, NISS, place); nothing that stands is touched."""
    entries = [
        (
            facts["birth"],
            values["niss"],
            values["postcode"] or "",
            values["town"] or "",
            values["record_number"] or "",
            patient_id,
        )
        for patient_id, values, facts in found
        if facts["birth"] or values["niss"] or values["postcode"] or values["town"] or values["record_number"]
    ]
    if entries:
        connection.exec_driver_sql(_FILL, entries)
    _complete_names(connection, found)


def _complete_names(connection: Connection, found: Sequence[tuple[int, dict[str, Any], dict[str, Any]]]) -> None:
    """Give a patient of whom one name was known the other one."""
    named = {key: values for key, values, _facts in found if values["last_name"] and values["first_name"]}
    query = (
        "SELECT id, last_name, first_name FROM patient WHERE (last_name = '' OR first_name = '')"
        " AND id IN (SELECT value FROM json_each(?))"
    )
    for row in connection.exec_driver_sql(query, (as_json(sorted(named)),)).all():
        values = named[row[0]]
        rename(connection, row[0], row[1] or values["last_name"], row[2] or values["first_name"])


def apply_change(
    connection: Connection,
    item_id: int,
    changed: dict[str, Any],
    facts: dict[str, Any],
    file_id: int,
    login: str,
    now: datetime,
) -> None:
    """Bring a postponement and its patient to what the later version says, field by field, and journal it."""
    item = connection.exec_driver_sql("SELECT * FROM postponement WHERE id = ?", (item_id,)).mappings().one()
    patient_id = int(item["patient_id"])
    patient = connection.exec_driver_sql("SELECT * FROM patient WHERE id = ?", (patient_id,)).mappings().one()
    taken, kept = _sort(changed, item, patient)
    if "priority" in taken and item["priority_by"] not in {"", "list"}:
        kept["priority"] = taken.pop("priority")
    _set(connection, "postponement", item_id, {_ITEM[name]: pair[1] for name, pair in taken.items() if name in _ITEM})
    if "priority" in taken:
        by = "list" if taken["priority"][1] else ""
        said = (facts["priority_said"], by, item_id)
        connection.exec_driver_sql("UPDATE postponement SET priority_said = ?, priority_by = ? WHERE id = ?", said)
    if "service" in taken:
        service = (facts["service"], int(facts["protected"]), item_id)
        connection.exec_driver_sql("UPDATE postponement SET service_id = ?, is_protected = ? WHERE id = ?", service)
    _set_patient(connection, patient, taken)
    _add_numbers(connection, patient_id, changed, now)
    numbers: dict[str, Any] = {name: pair for name, pair in changed.items() if name.startswith("phones")}
    detail: dict[str, Any] = {"file": file_id}
    detail.update(taken)
    detail.update(numbers)
    if kept:
        detail["kept"] = kept
    journal.append(
        connection, agent=login, action="postponement.changed_by_list", subject="postponement", subject_id=item_id,
        detail=detail, now=now,
    )  # fmt: skip


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


def _set(connection: Connection, table: str, key: int, values: dict[str, Any]) -> None:
    for column, value in values.items():
        stored = _stored(column, value)
        connection.exec_driver_sql(f"UPDATE {table} SET {column} = ? WHERE id = ?", (stored, key))


def _set_patient(connection: Connection, patient: Any, taken: dict[str, Any]) -> None:
    fields = {name: pair[1] for name, pair in taken.items() if name in _PATIENT}
    names = [fields.pop(name, None) or patient[name] for name in ("last_name", "first_name")]
    if names != [patient["last_name"], patient["first_name"]]:
        rename(connection, patient["id"], names[0], names[1])
    _set(connection, "patient", patient["id"], {_PATIENT[name]: value for name, value in fields.items()})


def _add_numbers(connection: Connection, patient_id: int, changed: dict[str, Any], now: datetime) -> None:
    """Add the telephones of the later version; the earlier ones stay, for nobody said that they are wrong."""
    entries = [
        (patient_id, patient_id, number, suffix_key(number), int(name == "phones_guessed"), stamp(now))
        for name in ("phones", "phones_guessed")
        for number in changed.get(name, [None, None])[1] or ()
    ]
    if entries:
        connection.exec_driver_sql(_ADD_PHONE, entries)
