"""What an attempt changed: each column as it was and as the attempt left it, kept with the attempt so that it can be
taken back.

Values are the store's own (text, numbers): they go back as they came. Instants compare as text.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from crisisdesk.store import tables
from crisisdesk.store.engine import Connection
from crisisdesk.store.raw import rows, run, stamp

_FACTS = (
    "tried_at", "reached_at", "decided_at", "rebooked_at", "done_at", "decision", "decided_by", "handed_over_at",
)  # fmt: skip
_COLUMNS = {
    "callback": tuple(
        column.name
        for column in tables.callback.c
        if column.name not in ("id", "patient_id", "site_id", "leased_by", "leased_at", "lease_until", "created_at")
    ),
    "postponement": (*_FACTS, "wish", "needs", "is_reserve"),
    "phone": ("found_wrong_at",),
    "patient": (
        "death_reported_at", "death_reported_by", "death_confirmed_by", "voicemail", "may_tell", "may_tell_who",
        "language", "contact_note", "gp", "next_of_kin",
    ),
}  # fmt: skip
"""What recording an attempt may change of the patient, and is looked at; the attempt's own rows and bookings aside."""
_OWNER = {"callback": "patient_id", "postponement": "patient_id", "phone": "patient_id", "patient": "id"}
_LOOK = {
    table: f"SELECT id, {', '.join(columns)} FROM {table} WHERE {_OWNER[table]} = ?"
    for table, columns in _COLUMNS.items()
}
_DERIVED = frozenset({"tier", "due_at", "why", "released_at", "release_why", "generation", "last_attempt_at"})
"""Of a callback: an opening or a code may change them without anybody having dealt with the patient."""
Seen = Mapping[str, Mapping[int, tuple[Any, ...]]]
"""Table, row, values in the order of `_COLUMNS`."""
Changes = Mapping[str, Mapping[int, Mapping[str, list[Any]]]]
"""Table, row, column, [as it was, as the attempt left it]."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What an attempt keeps of what it changed."""

    patient_id: int
    changed: Changes
    generations: Mapping[int, int]
    """Of the callbacks that it changed, as it left them."""
    facts: Mapping[int, tuple[Any, ...]]
    """Of the postponements that it changed: what was known of them afterwards."""

    @property
    def dealt_with(self) -> Mapping[int, int]:
        """Generations of the callbacks of which more was changed than their rest and their place."""
        changed = self.changed.get("callback", {})
        return {key: number for key, number in self.generations.items() if changed[key].keys() - _DERIVED}


def look(connection: Connection, patient_id: int) -> Seen:
    """Everything about a patient that an attempt may change, as it is now."""
    return {table: {row[0]: row[1:] for row in rows(connection, sql, (patient_id,))} for table, sql in _LOOK.items()}


def keep(connection: Connection, attempt_id: int, patient_id: int, before: Seen) -> None:
    """Keep with an attempt what has changed since `look`, in the same transaction."""
    after = look(connection, patient_id)
    changed = _difference(before, after)
    place = _COLUMNS["callback"].index("generation")
    kept = {
        "patient_id": patient_id,
        "changed": changed,
        "generations": {key: after["callback"][key][place] for key in changed.get("callback", ())},
        "facts": {key: after["postponement"][key][: len(_FACTS)] for key in changed.get("postponement", ())},
    }
    text = json.dumps(kept, ensure_ascii=False, separators=(",", ":"))
    run(connection, "UPDATE attempt SET before = ? WHERE id = ?", (text, attempt_id))


def _difference(before: Seen, after: Seen) -> dict[str, dict[int, dict[str, list[Any]]]]:
    found: dict[str, dict[int, dict[str, list[Any]]]] = {}
    for table, columns in _COLUMNS.items():
        for key, old in before[table].items():
            new = after[table].get(key)
            if new is not None and new != old:
                pairs = zip(columns, old, new, strict=True)
                found.setdefault(table, {})[key] = {name: [was, left] for name, was, left in pairs if was != left}
    return found


def kept_with(connection: Connection, attempt_id: int) -> Kept | None:
    """What an attempt kept; None for one of before this was kept."""
    ((text,),) = rows(connection, "SELECT before FROM attempt WHERE id = ?", (attempt_id,))
    told = json.loads(text)
    if not told:
        return None
    changed = {table: _by_number(found) for table, found in told["changed"].items()}
    facts = {key: tuple(values) for key, values in _by_number(told["facts"]).items()}
    return Kept(told["patient_id"], changed, _by_number(told["generations"]), facts)


def _by_number(found: Mapping[str, Any]) -> dict[int, Any]:
    return {int(key): value for key, value in found.items()}


def changed_since(connection: Connection, kept: Kept) -> list[str]:
    """Columns, as "table.column", that somebody changed after the attempt had left them."""
    now = look(connection, kept.patient_id)
    found = []
    for table, changed in kept.changed.items():
        for key, columns in changed.items():
            row = dict(zip(_COLUMNS[table], now[table].get(key, ()), strict=False))
            watched = columns.keys() - (_DERIVED if table == "callback" else set())
            found += [f"{table}.{name}" for name in sorted(watched) if _said(row.get(name)) != _said(columns[name][1])]
    for key, facts in kept.facts.items():
        if now["postponement"].get(key, ())[: len(_FACTS)] != facts:
            found.append("postponement")
    return found


def is_matched(connection: Connection, kept: Kept) -> bool:
    """Whether something that the attempt settled was found on a list since, which took over what it proved."""
    sql = (
        "SELECT 1 FROM postponement WHERE matched_to_id IS NOT NULL AND id IN (SELECT value FROM json_each(?)) LIMIT 1"
    )
    return bool(rows(connection, sql, (json.dumps(list(kept.facts)),)))


def _said(value: Any) -> Any:
    """A value as it is compared: who holds a callback is told by its generation."""
    return "waiting" if value == "leased" else value


def restore(connection: Connection, kept: Kept, *, but: Iterable[str] = ()) -> dict[str, list[Any]]:
    """Put back each column that still is as the attempt left it; gives what was put back, for the journal.

    Leases and generations stay: a callback that was leased then waits. Place the callbacks anew after this.

    Args:
        but: tables that the caller puts right.
    """
    told: dict[str, list[Any]] = {}
    now = look(connection, kept.patient_id)
    for table, changed in kept.changed.items():
        for key, columns in changed.items() if table not in but else ():
            row = dict(zip(_COLUMNS[table], now[table].get(key, ()), strict=False))
            values = _values(columns, row)
            if values:
                _set(connection, table, key, values)
                told |= {f"{table}.{key}.{name}": [row[name], value] for name, value in values.items()}
    return told


def _values(columns: Mapping[str, list[Any]], row: Mapping[str, Any]) -> dict[str, Any]:
    values = {name: old for name, (old, left) in columns.items() if row.get(name, old) == left and name != "generation"}
    if values.get("state") == "leased":
        values["state"] = "waiting"
    if "why" in columns and row.get("why") is not None:
        old, left = columns["why"]
        values["why"] = _why(old, left, row["why"])
    return {name: value for name, value in values.items() if value != row.get(name)}


def _why(old: str, left: str, now: str) -> str:
    """Reasons of a place in the queue without those that the attempt had added."""
    before, after, reasons = json.loads(old), json.loads(left), json.loads(now)
    for name in {**before, **after}:
        if before.get(name) != after.get(name) and reasons.get(name) == after.get(name):
            reasons.pop(name, None)
            reasons |= {name: before[name]} if name in before else {}
    return json.dumps(reasons, ensure_ascii=False)


def _set(connection: Connection, table: str, key: int, values: Mapping[str, Any]) -> None:
    columns = ", ".join(f"{name} = ?" for name in values)
    run(connection, f"UPDATE {table} SET {columns} WHERE id = ?", (*values.values(), key))


def mark_undone(connection: Connection, attempt_id: int, agent_id: int, why: str, now: datetime) -> None:
    """The attempt stays to be read and counts nowhere any more."""
    sql = "UPDATE attempt SET undone_at = ?, undone_by = ?, undone_why = ? WHERE id = ?"
    run(connection, sql, (stamp(now), agent_id, why, attempt_id))


def lease_again(connection: Connection, callback_id: int, agent_id: int | None, until: datetime, now: datetime) -> None:
    """Hold a callback for an agent (nobody: it waits), under a new generation."""
    sql = (
        "UPDATE callback SET state = ?, leased_by = ?, leased_at = ?, lease_until = ?, generation = generation + 1"
        " WHERE id = ?"
    )
    lease = ("leased", agent_id, stamp(now), stamp(until)) if agent_id else ("waiting", None, None, None)
    run(connection, sql, (*lease, callback_id))


@dataclass(frozen=True, slots=True)
class GivenPlace:
    """A place that was given in an attempt."""

    booking_id: int
    postponement_id: int
    service_id: int
    slot_on: date
    state: str
    """"told", "withdrawn" or "done"."""


def places_given(connection: Connection, attempt_id: int) -> list[GivenPlace]:
    """The places that were given in an attempt, in any state."""
    sql = "SELECT id, postponement_id, service_id, slot_on, state FROM booking WHERE attempt_id = ? ORDER BY id"
    found = rows(connection, sql, (attempt_id,))
    return [GivenPlace(row[0], row[1], row[2], date.fromisoformat(row[3]), row[4]) for row in found]


def withdraw_places(
    connection: Connection, places: Iterable[GivenPlace], why: str, agent_id: int, now: datetime
) -> None:
    """Free places at once; what that says of the postponements is the caller's."""
    sql = "UPDATE booking SET state = 'withdrawn', withdrawn_at = ?, withdrawn_why = ?, withdrawn_by = ? WHERE id = ?"
    for place in places:
        run(connection, sql, (stamp(now), why, agent_id, place.booking_id))
