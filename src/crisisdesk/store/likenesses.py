"""Two records that may be one person: proposed, merged with everything that hangs on them, and parted again."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, insert, or_, select, update

from crisisdesk.domain.namekeys import words_of
from crisisdesk.store import joining, tables
from crisisdesk.store.engine import Connection

likeness = tables.likeness.c
# table -> (its key, its column of the patient): everything that a merge moves to the patient that stays.
_MOVED = {
    "postponement": "SELECT id FROM postponement WHERE patient_id = ?",
    "call_patient": "SELECT call_id FROM call_patient WHERE patient_id = ?",
    "phone": "SELECT id FROM phone WHERE patient_id = ?",
    "callback": "SELECT id FROM callback WHERE patient_id = ?",
}
_FREE_CALLS = """
DELETE FROM call_patient WHERE patient_id = :gone AND call_id IN
  (SELECT call_id FROM call_patient WHERE patient_id = :stays)
"""
_NULLABLE = ("birth_on", "niss", "death_reported_at", "death_reported_by", "death_confirmed_by")
_COMPARED = f"{', '.join(_NULLABLE)}, record_number, postcode, town, language, proof"
_FAIR_BY_PHONE = """
SELECT v.id, o.id, 'number' FROM patient v JOIN phone vp ON vp.patient_id = v.id
JOIN phone op ON op.number = vp.number AND op.patient_id <> v.id JOIN patient o ON o.id = op.patient_id
WHERE v.is_provisional = 1 AND v.merged_into_id IS NULL AND o.is_provisional = 0 AND o.merged_into_id IS NULL
"""
_FAIR_BY_BIRTH = """
SELECT v.id, o.id, 'birth' FROM patient v JOIN patient o ON o.birth_on = v.birth_on AND o.merged_into_id IS NULL
WHERE v.is_provisional = 1 AND v.merged_into_id IS NULL AND o.is_provisional = 0 AND v.birth_on IS NOT NULL
"""
_FAIR_BY_NISS = """
SELECT v.id, o.id, 'niss' FROM patient v JOIN patient o ON o.niss = v.niss AND o.merged_into_id IS NULL
WHERE v.is_provisional = 1 AND v.merged_into_id IS NULL AND o.is_provisional = 0 AND v.niss IS NOT NULL
"""
_FAIR_BY_NAME = """
SELECT v.id, o.id, 'name' FROM patient v JOIN patient o ON o.name_key = v.name_key AND o.first_key = v.first_key
  AND o.merged_into_id IS NULL
WHERE v.is_provisional = 1 AND v.merged_into_id IS NULL AND o.is_provisional = 0
  AND v.name_key <> '' AND v.first_key <> ''
"""
_KEYS = "SELECT id, name_key, first_key, birth_on, niss FROM patient WHERE id IN (SELECT value FROM json_each(?))"


def blocked_pairs(connection: Connection) -> Mapping[tuple[int, int], set[str]]:
    """Provisional patients with those on lists who share a number, birth date, national number or whole name, and
    what."""
    found: dict[tuple[int, int], set[str]] = {}
    for sql in (_FAIR_BY_NISS, _FAIR_BY_PHONE, _FAIR_BY_BIRTH, _FAIR_BY_NAME):
        for provisional, other, what in connection.exec_driver_sql(sql):
            found.setdefault((provisional, other), set()).add(what)
    return found


def keys_of(connection: Connection, id_list: str) -> Mapping[int, Row[Any]]:
    """id, name_key, first_key, birth_on, niss of patients, by id."""
    rows: Sequence[Any] = connection.exec_driver_sql(_KEYS, (id_list,)).fetchall()
    return {row[0]: row for row in rows}


def propose(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> int:
    """Store proposals; a pair that was proposed or decided before stays as it is. Gives how many are new.

    A row has patient_id, other_id, strength, why, proposed_at.
    """
    known = select(likeness.patient_id, likeness.other_id)
    seen = {frozenset(pair) for pair in connection.execute(known)} if rows else set()
    fresh = [row for row in rows if frozenset((row["patient_id"], row["other_id"])) not in seen]
    if fresh:
        connection.execute(insert(tables.likeness), fresh)
    return len(fresh)


def read(connection: Connection, likeness_id: int) -> Row[Any] | None:
    """One likeness, all columns."""
    return connection.execute(select(tables.likeness).where(likeness.id == likeness_id)).one_or_none()


def of_pair(connection: Connection, one: int, other: int) -> Row[Any] | None:
    """The likeness of two patients, in whichever order."""
    both = or_(
        (likeness.patient_id == one) & (likeness.other_id == other),
        (likeness.patient_id == other) & (likeness.other_id == one),
    )
    return connection.execute(select(tables.likeness).where(both)).first()


def merge(connection: Connection, stays: int, gone: int, now: datetime) -> dict[str, Any]:
    """Move everything of ``gone`` to ``stays`` and let it stand for both; gives what was moved, for `part`."""
    moved: dict[str, Any] = {"stays": stays, "gone": gone}
    for name, sql in _MOVED.items():
        moved[name] = [row[0] for row in connection.exec_driver_sql(sql, (gone,))]
    both = {"stays": stays, "gone": gone}
    shared = [row[0] for row in connection.exec_driver_sql(
        "SELECT call_id FROM call_patient WHERE patient_id = :gone INTERSECT"
        " SELECT call_id FROM call_patient WHERE patient_id = :stays", both)]  # fmt: skip
    moved["call_shared"] = shared
    connection.exec_driver_sql(_FREE_CALLS, both)
    for name in ("postponement", "call_patient"):
        connection.exec_driver_sql(f"UPDATE {name} SET patient_id = :stays WHERE patient_id = :gone", both)
    connection.exec_driver_sql("UPDATE OR IGNORE phone SET patient_id = :stays WHERE patient_id = :gone", both)
    moved["callback_joined"] = _move_callbacks(connection, stays, gone, now)
    moved["callback_before"] = {
        str(kept): joining.join(connection, closed, kept) for closed, kept, *_items in moved["callback_joined"]
    }
    moved["filled"] = _fill_gaps(connection, stays, gone)
    words = [
        row[0] for row in connection.exec_driver_sql("SELECT word FROM patient_word WHERE patient_id = ?", (gone,))
    ]
    for word in words:
        connection.exec_driver_sql("INSERT OR IGNORE INTO patient_word (patient_id, word) VALUES (?, ?)", (stays, word))
    connection.exec_driver_sql("DELETE FROM patient_word WHERE patient_id = ?", (gone,))
    connection.exec_driver_sql("UPDATE patient SET merged_into_id = :stays WHERE id = :gone", both)
    return moved


def _move_callbacks(connection: Connection, stays: int, gone: int, now: datetime) -> list[list[int]]:
    """Open callbacks at a site where both have one become one; gives [closed, kept, item...] of each such pair."""
    query = """
    SELECT g.id, s.id FROM callback g
    JOIN callback s ON s.site_id = g.site_id AND s.patient_id = ? AND s.state <> 'closed'
    WHERE g.patient_id = ? AND g.state <> 'closed'
    """
    joined = []
    for closed, kept in connection.exec_driver_sql(query, (stays, gone)).fetchall():
        if _is_held(connection, closed, now) and not _is_held(connection, kept, now):
            closed, kept = kept, closed  # somebody is on the line: what is saved there finds its callback
        items = "SELECT postponement_id FROM callback_item WHERE callback_id = ?"
        ids = [row[0] for row in connection.exec_driver_sql(items, (closed,))]
        connection.exec_driver_sql(
            "UPDATE OR IGNORE callback_item SET callback_id = ? WHERE callback_id = ?", (kept, closed)
        )
        joined.append([closed, kept, *ids])
    end = (
        "UPDATE callback SET state = 'closed', leased_by = NULL, leased_at = NULL, lease_until = NULL,"
        " generation = generation + 1, closed_as = 'merged', closed_at = ? WHERE id = ?"
    )
    for closed, *_rest in joined:
        connection.exec_driver_sql(end, (now.strftime("%Y-%m-%d %H:%M:%S.%f"), closed))
    connection.exec_driver_sql("UPDATE callback SET patient_id = ? WHERE patient_id = ?", (stays, gone))
    return joined


def _is_held(connection: Connection, callback_id: int, now: datetime) -> bool:
    query = "SELECT 1 FROM callback WHERE id = ? AND state = 'leased' AND lease_until > ?"
    values = (callback_id, now.strftime("%Y-%m-%d %H:%M:%S.%f"))
    return connection.exec_driver_sql(query, values).first() is not None


def _fill_gaps(connection: Connection, stays: int, gone: int) -> dict[str, Any]:
    """Give the patient that stays what only the other record knew; gives the columns that were filled."""
    query = f"SELECT {_COMPARED} FROM patient WHERE id = ?"
    mine = connection.exec_driver_sql(query, (stays,)).mappings().one()
    other = connection.exec_driver_sql(query, (gone,)).mappings().one()
    filled = {name: other[name] for name in mine if not mine[name] and other[name]}
    for name, value in filled.items():
        connection.exec_driver_sql(f"UPDATE patient SET {name} = ? WHERE id = ?", (value, stays))
    return filled


def part(connection: Connection, moved: Mapping[str, Any]) -> None:
    """Undo `merge`: what came from the record that went goes back to it; what came later stays where it is."""
    stays, gone = int(moved["stays"]), int(moved["gone"])
    connection.exec_driver_sql("UPDATE patient SET merged_into_id = NULL WHERE id = ?", (gone,))
    for name in ("postponement", "phone", "callback"):
        for number in moved[name]:
            connection.exec_driver_sql(
                f"UPDATE OR IGNORE {name} SET patient_id = ? WHERE id = ? AND patient_id = ?", (gone, number, stays)
            )
    for number in moved["call_patient"]:
        connection.exec_driver_sql(
            "INSERT OR IGNORE INTO call_patient (call_id, patient_id) VALUES (?, ?)", (number, gone)
        )
        if number not in moved["call_shared"]:
            connection.exec_driver_sql("DELETE FROM call_patient WHERE call_id = ? AND patient_id = ?", (number, stays))
    _part_callbacks(connection, moved["callback_joined"])
    for kept, before in moved.get("callback_before", {}).items():
        joining.part(connection, int(kept), before)
    for name in moved["filled"]:
        empty = "NULL" if name in _NULLABLE else "''"
        connection.exec_driver_sql(
            f"UPDATE patient SET {name} = {empty} WHERE id = ? AND {name} = ?", (stays, moved["filled"][name])
        )
    for number in (stays, gone):
        _index_again(connection, number)


def _part_callbacks(connection: Connection, joined: Sequence[Sequence[int]]) -> None:
    for closed, kept, *items in joined:
        connection.exec_driver_sql(
            "UPDATE callback SET state = 'waiting', closed_at = NULL, closed_by = NULL, closed_as = ''"
            " WHERE id = ? AND closed_as = 'merged' AND NOT EXISTS (SELECT 1 FROM callback AS other WHERE"
            " other.patient_id = callback.patient_id AND other.site_id = callback.site_id AND other.state <> 'closed')",
            (closed,),
        )
        for number in items:
            connection.exec_driver_sql(
                "UPDATE OR IGNORE callback_item SET callback_id = ? WHERE callback_id = ? AND postponement_id = ?",
                (closed, kept, number),
            )


def _index_again(connection: Connection, patient_id: int) -> None:
    query = "SELECT last_name, first_name, full_name FROM patient WHERE id = ?"
    names = connection.exec_driver_sql(query, (patient_id,)).one()
    connection.exec_driver_sql("DELETE FROM patient_word WHERE patient_id = ?", (patient_id,))
    rows = [{"patient_id": patient_id, "word": word} for word in words_of(*names)]
    if rows:
        connection.execute(insert(tables.patient_word), rows)


def decide(
    connection: Connection, likeness_id: int, state: str, agent_id: int, moved: Mapping[str, Any], now: datetime
) -> None:
    """Write down what was decided of a likeness, by whom, and what a merge moved."""
    values = {"state": state, "decided_by": agent_id, "decided_at": now, "moved": dict(moved)}
    connection.execute(update(tables.likeness).where(likeness.id == likeness_id).values(values))


def open_of(connection: Connection, patient_id: int | None, limit: int) -> Sequence[Row[Any]]:
    """Likenesses that wait for a decision or may be undone, newest first; of one patient, or the proposed ones of
    all."""
    query = select(tables.likeness).order_by(likeness.id.desc()).limit(limit)
    if patient_id is None:
        return connection.execute(query.where(likeness.state == "proposed")).all()
    return connection.execute(
        query.where(or_(likeness.patient_id == patient_id, likeness.other_id == patient_id))
    ).all()
