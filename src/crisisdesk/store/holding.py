"""The callbacks of a list that has come in: one a patient and site, made or extended set-based."""

import json
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, and_, func, insert, literal, select, update

from crisisdesk.domain.priority import WaitingItem
from crisisdesk.domain.words import CallbackState
from crisisdesk.store import journal, tables
from crisisdesk.store.callbacks import (
    DEATH,
    PROTECTED,
    SYSTEM,
    PlacementRules,
    in_chunks,
    place_items,
    placed_values,
    placement_rules,
    protected_in,
    redate,
    release,
)
from crisisdesk.store.engine import Connection
from crisisdesk.store.items import DECEASED, is_unsettled

callback, item, postponement = tables.callback.c, tables.callback_item.c, tables.postponement.c


def hold_imported(
    connection: Connection, source_file_id: int, now: datetime, *, only: Sequence[int] | None = None
) -> int:
    """Open or extend the callbacks of every unsettled postponement of one imported file; gives how many are new.

    They wait unreleased, except those about a protected service. Postponements without a site wait for one: nobody
    knows yet whose queue is theirs. A second call for the same file changes nothing. ``only`` names the
    postponements of the file to look at, where the caller knows which; what they need is looked up again here.
    """
    rules = placement_rules(connection)
    _settle_of_the_dead(connection, source_file_id, only, now)
    found = connection.execute(_imported(source_file_id, only)).all()
    fresh: defaultdict[tuple[int, str], list[Row[Any]]] = defaultdict(list)
    for row in found:
        if row.callback_id is None:
            fresh[row.patient_id, row.site_id].append(row)
    made = [_fresh(key, held, rules, now) for key, held in fresh.items()]
    if made:
        connection.execute(insert(tables.callback), made)
    connection.execute(_join_items(source_file_id, now, only))
    extended = sorted({row.callback_id for row in found if row.callback_id is not None})
    redate(connection, extended)
    for part in in_chunks(extended):
        release(connection, connection.scalars(protected_in(part)).all(), PROTECTED, now)
    if made or extended:
        journal.append(
            connection, agent=SYSTEM, action="callbacks.made_from_list", subject="source_file",
            subject_id=source_file_id, detail={"made": len(made), "extended": len(extended)}, now=now,
        )  # fmt: skip
    return len(made)


def _settle_of_the_dead(connection: Connection, source_file_id: int, only: Sequence[int] | None, now: datetime) -> None:
    """Nothing is owed for a person whose death a second agent has confirmed, whatever a list still says."""
    owed = and_(
        postponement.id.in_(_listed(source_file_id, only)), postponement.patient_id.in_(_dead()), is_unsettled()
    )
    ids = list(connection.scalars(select(postponement.id).where(owed)))
    if ids:
        settled = update(tables.postponement).where(postponement.id.in_(ids))
        connection.execute(settled.values(decided_at=now, decision=DECEASED, decided_by=SYSTEM))


def not_held(connection: Connection, source_file_id: int) -> list[int]:
    """Postponements of an imported file that `hold_imported` would find without an open callback."""
    return list(connection.scalars(select(postponement.id).where(_from_file(source_file_id, None))))


def _fresh(key: tuple[int, str], held: Sequence[Row[Any]], rules: PlacementRules, now: datetime) -> dict[str, Any]:
    waiting = [WaitingItem(row.id, row.priority, row.original_on, row.created_at) for row in held]
    is_protected = any(row.is_protected for row in held)
    said_dead = any(row.is_said_dead for row in held)
    return {
        "patient_id": key[0], "site_id": key[1], "created_at": now, "hold": DEATH if said_dead else "",
        "released_at": now if is_protected else None, "release_why": PROTECTED if is_protected else "",
        **placed_values(place_items(waiting, rules, now, None, {})),
    }  # fmt: skip


def _listed(source_file_id: int, only: Sequence[int] | None) -> Any:
    row = tables.import_row.c
    if only is not None:
        return select(func.json_each(json.dumps(list(only))).table_valued("value").c.value)
    return select(row.postponement_id).where(row.source_file_id == source_file_id, row.postponement_id.is_not(None))


def _dead() -> Any:
    return select(tables.patient.c.id).where(tables.patient.c.death_confirmed_by.is_not(None))


def _from_file(source_file_id: int, only: Sequence[int] | None) -> Any:
    listed = _listed(source_file_id, only)
    held = select(item.postponement_id).join(tables.callback, callback.id == item.callback_id)
    is_held = postponement.id.in_(held.where(callback.state != CallbackState.CLOSED, item.postponement_id.in_(listed)))
    return and_(
        postponement.id.in_(listed),
        postponement.site_id.is_not(None),
        postponement.patient_id.not_in(_dead()),
        is_unsettled(),
        ~is_held,
    )


_OPEN_HERE = and_(
    callback.patient_id == postponement.patient_id,
    callback.site_id == postponement.site_id,
    callback.state != CallbackState.CLOSED,
)


def _imported(source_file_id: int, only: Sequence[int] | None) -> Select[Any]:
    return (
        select(
            postponement.id, postponement.patient_id, postponement.site_id, postponement.priority,
            postponement.original_on, postponement.created_at, postponement.is_protected,
            callback.id.label("callback_id"), tables.patient.c.death_reported_at.is_not(None).label("is_said_dead"),
        )
        .select_from(tables.postponement.outerjoin(tables.callback, _OPEN_HERE))
        .join(tables.patient, tables.patient.c.id == postponement.patient_id)
        .where(_from_file(source_file_id, only))
        .order_by(postponement.id)
    )  # fmt: skip


def _join_items(source_file_id: int, now: datetime, only: Sequence[int] | None) -> Any:
    added = literal(now, tables.callback_item.c.added_at.type)
    listed = (
        select(callback.id, postponement.id, added)
        .select_from(tables.postponement.join(tables.callback, _OPEN_HERE))
        .where(_from_file(source_file_id, only))
    )
    columns = ["callback_id", "postponement_id", "added_at"]
    return insert(tables.callback_item).prefix_with("OR IGNORE", dialect="sqlite").from_select(columns, listed)
