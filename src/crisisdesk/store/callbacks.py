"""Open callbacks: made, extended, placed in their queue, stopped and closed.

Every function works inside the transaction of its caller. One open callback a patient and site holds all of that
patient's postponements there; a unique index forbids a second one.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, Select, and_, bindparam, insert, literal, select, update

from crisisdesk.domain.priority import Placement, WaitingItem, place
from crisisdesk.domain.wishes import Wish
from crisisdesk.domain.words import CallbackState
from crisisdesk.errors import LeaseLost, RuleBroken
from crisisdesk.i18n import _
from crisisdesk.store import journal, tables
from crisisdesk.store.engine import Connection
from crisisdesk.store.items import is_unsettled, mark_items
from crisisdesk.store.patients import standing_for

callback, item, postponement = tables.callback.c, tables.callback_item.c, tables.postponement.c
SYSTEM = "crisisdesk"
PROTECTED, PROMISED, SLIPPED, ESCALATED = "protected", "promised", "slipped", "escalated"
"""Reasons of a release besides the opening of a service (``opening:<id>``)."""


@dataclass(frozen=True)
class _Rules:
    limits: Mapping[str, timedelta]
    zone: str


def _rules(connection: Connection) -> _Rules:
    limits = connection.execute(select(tables.priority_limit.c.code, tables.priority_limit.c.limit_seconds))
    zone = connection.execute(select(tables.desk.c.time_zone)).scalar_one()
    return _Rules({row.code: timedelta(seconds=row.limit_seconds) for row in limits}, zone)


def login_of(connection: Connection, agent_id: int | None) -> str:
    """The login that the journal names; the program itself where nobody is behind a change."""
    if agent_id is None:
        return SYSTEM
    return str(connection.execute(select(tables.agent.c.login).where(tables.agent.c.id == agent_id)).scalar_one())


def hold(
    connection: Connection,
    *,
    patient_id: int,
    site_id: str,
    postponement_ids: Sequence[int],
    wish: Wish | None,
    released: bool,
    call_id: int | None,
    agent_id: int | None,
    now: datetime,
    hold_for: str = "",
    is_escalated: bool = False,
    for_agent_id: int | None = None,
) -> int:
    """Open the callback of a patient at a site, or extend the one that is open, and place it in the queue.

    Args:
        postponement_ids: what it is about; none for a patient who only wants to be rung.
        wish: when and where to ring; replaces an earlier wish, None leaves it as it was.
        released: True: to be rung as soon as the wish allows ("we ring you back"). False: waits for the opening,
            except where one of the postponements is protected or the patient was told a date that slipped.
        hold_for: "review" when a clinician decides before anybody rings.
        is_escalated: tier 0, and released.
        for_agent_id: the agent who promised to ring in person.

    Returns:
        The callback's id. The release is never taken back here.
    """
    patient_id = standing_for(connection, patient_id) or patient_id
    found = connection.execute(_open_of(patient_id, site_id)).one_or_none()
    changes = _wished(wish) | ({"hold": hold_for} if hold_for else {})
    changes |= {"for_agent_id": for_agent_id} if for_agent_id else {}
    if found is None:
        row = {"patient_id": patient_id, "site_id": site_id, "tier": 2, "due_at": now, "why": {}, "created_at": now}
        row |= {"made_in_call_id": call_id} | changes
        callback_id = int(connection.execute(insert(tables.callback).values(row).returning(callback.id)).scalar_one())
    else:
        callback_id = int(found.id)
        if changes:
            connection.execute(update(tables.callback).where(callback.id == callback_id).values(changes))
    _add_items(connection, callback_id, postponement_ids, now)
    kept = {"escalated": {"at": now.isoformat(), "call_id": call_id}} if is_escalated else None
    redate(connection, [callback_id], add_why=kept)
    reason = ESCALATED if is_escalated else PROMISED if released else ""
    _release_held(connection, callback_id, reason, now)
    journal.append(
        connection,
        agent=login_of(connection, agent_id),
        action="callback.made" if found is None else "callback.extended",
        subject="callback",
        subject_id=callback_id,
        detail={"patient_id": patient_id, "site_id": site_id, "postponements": list(postponement_ids), "call": call_id}
        | {"released": reason, **({"wish": wish.as_detail()} if wish else {})},
        now=now,
    )
    return callback_id


def _open_of(patient_id: int, site_id: str) -> Select[Any]:
    is_open = callback.state != CallbackState.CLOSED
    return select(callback.id).where(callback.patient_id == patient_id, callback.site_id == site_id, is_open)


def _wished(wish: Wish | None) -> dict[str, Any]:
    if wish is None:
        return {}
    values: dict[str, Any] = {"not_before": wish.not_before, "promised_from": wish.not_before}
    values |= {"promised_until": wish.until, "part_of_day": wish.part_of_day.value}
    values |= {"number": wish.number} if wish.number else {}
    return values | ({"note": wish.words} if wish.words else {})


def _add_items(connection: Connection, callback_id: int, postponement_ids: Sequence[int], now: datetime) -> None:
    present = set(connection.scalars(select(item.postponement_id).where(item.callback_id == callback_id)))
    rows = [
        {"callback_id": callback_id, "postponement_id": number, "added_at": now}
        for number in dict.fromkeys(postponement_ids)
        if number not in present
    ]
    if rows:
        connection.execute(insert(tables.callback_item), rows)


def _release_held(connection: Connection, callback_id: int, reason: str, now: datetime) -> None:
    """Release what waits for no opening: promised, escalated, or about a protected service."""
    if not reason and connection.execute(_protected_in([callback_id])).first() is not None:
        reason = PROTECTED
    if reason:
        release(connection, [callback_id], reason, now)


def _protected_in(callback_ids: Sequence[int]) -> Select[Any]:
    return (
        select(item.callback_id)
        .join(tables.postponement, postponement.id == item.postponement_id)
        .where(item.callback_id.in_(callback_ids), postponement.is_protected, is_unsettled())
        .distinct()
    )


def release(connection: Connection, callback_ids: Iterable[int], reason: str, now: datetime) -> int:
    """Let callbacks be rung from ``now`` on; those already released keep their first reason. Gives how many were."""
    values = {"released_at": now, "release_why": reason}
    statement = update(tables.callback).where(callback.id == bindparam("which"), callback.released_at.is_(None))
    which = [{"which": number} for number in callback_ids]
    return connection.execute(statement.values(values), which).rowcount if which else 0


def redate(connection: Connection, callback_ids: Sequence[int], *, add_why: Mapping[str, Any] | None = None) -> None:
    """Place open callbacks anew from their unsettled postponements: after any change of priority, date, wish or items.

    Args:
        add_why: reasons that hold from now on ("escalated", "slipped"), for all of them.
    """
    rules = _rules(connection)
    changes = []
    for rows in _chunks(callback_ids):
        held = _items_of(connection, rows)
        for row in connection.execute(select(*_PLACED).where(callback.id.in_(rows))):
            placed = _place(held[row.id], rules, row.created_at, row.promised_until, {**row.why, **(add_why or {})})
            if (placed.tier, placed.due_at, placed.why) != (row.tier, row.due_at, row.why):
                changes.append({"which": row.id, **_placed(placed)})
    if changes:
        statement = update(tables.callback).where(callback.id == bindparam("which"))
        connection.execute(statement.values({name: bindparam(name) for name in ("tier", "due_at", "why")}), changes)


_PLACED = (callback.id, callback.tier, callback.due_at, callback.why, callback.created_at, callback.promised_until)


def _place(
    items: Iterable[WaitingItem],
    rules: _Rules,
    asked_at: datetime,
    promised_until: datetime | None,
    kept: Mapping[str, Any],
) -> Placement:
    return place(
        items, limits=rules.limits, zone=rules.zone, asked_at=asked_at, promised_until=promised_until, kept=kept
    )


def _placed(placed: Placement) -> dict[str, Any]:
    return {"tier": int(placed.tier), "due_at": placed.due_at, "why": dict(placed.why)}


def _items_of(connection: Connection, callback_ids: Sequence[int]) -> Mapping[int, list[WaitingItem]]:
    held: defaultdict[int, list[WaitingItem]] = defaultdict(list)
    query = (
        select(
            item.callback_id,
            postponement.id,
            postponement.priority,
            postponement.original_on,
            postponement.created_at,
        )
        .join(tables.postponement, postponement.id == item.postponement_id)
        .where(item.callback_id.in_(callback_ids), is_unsettled())
    )
    for owner, *values in connection.execute(query):
        held[owner].append(WaitingItem(*values))
    return held


def _chunks(numbers: Sequence[int], size: int = 5000) -> Iterable[Sequence[int]]:
    return (numbers[at : at + size] for at in range(0, len(numbers), size))


def hold_imported(
    connection: Connection, source_file_id: int, now: datetime, *, rows: tuple[int, int] | None = None
) -> int:
    """Open or extend the callbacks of every unsettled postponement of one imported file; gives how many are new.

    They wait unreleased, except those about a protected service. Postponements without a site wait for one: nobody
    knows yet whose queue is theirs. A second call for the same file changes nothing. ``rows`` limits the call to a part
    of the file (first and last id of import_row), for lists so long that the whole would keep others waiting.
    """
    rules = _rules(connection)
    found = connection.execute(_imported(source_file_id, rows)).all()
    fresh: defaultdict[tuple[int, str], list[Row[Any]]] = defaultdict(list)
    for row in found:
        if row.callback_id is None:
            fresh[row.patient_id, row.site_id].append(row)
    made = [_fresh(key, held, rules, now) for key, held in fresh.items()]
    if made:
        connection.execute(insert(tables.callback), made)
    connection.execute(_join_items(source_file_id, now, rows))
    extended = sorted({row.callback_id for row in found if row.callback_id is not None})
    redate(connection, extended)
    for part in _chunks(extended):
        release(connection, connection.scalars(_protected_in(part)).all(), PROTECTED, now)
    if made or extended:
        journal.append(
            connection, agent=SYSTEM, action="callbacks.made_from_list", subject="source_file",
            subject_id=source_file_id, detail={"made": len(made), "extended": len(extended)}, now=now,
        )  # fmt: skip
    return len(made)


def _fresh(key: tuple[int, str], held: Sequence[Row[Any]], rules: _Rules, now: datetime) -> dict[str, Any]:
    waiting = [WaitingItem(row.id, row.priority, row.original_on, row.created_at) for row in held]
    is_protected = any(row.is_protected for row in held)
    return {
        "patient_id": key[0], "site_id": key[1], "created_at": now,
        "released_at": now if is_protected else None, "release_why": PROTECTED if is_protected else "",
        **_placed(_place(waiting, rules, now, None, {})),
    }  # fmt: skip


def _from_file(source_file_id: int, rows: tuple[int, int] | None) -> Any:
    row = tables.import_row.c
    listed = select(row.postponement_id).where(row.source_file_id == source_file_id, row.postponement_id.is_not(None))
    if rows is not None:
        listed = listed.where(row.id.between(*rows))
    held = select(item.postponement_id).join(tables.callback, callback.id == item.callback_id)
    is_held = postponement.id.in_(held.where(callback.state != CallbackState.CLOSED, item.postponement_id.in_(listed)))
    dead = select(tables.patient.c.id).where(tables.patient.c.death_reported_at.is_not(None))
    return and_(
        postponement.id.in_(listed),
        postponement.site_id.is_not(None),
        postponement.patient_id.not_in(dead),
        is_unsettled(),
        ~is_held,
    )


_OPEN_HERE = and_(
    callback.patient_id == postponement.patient_id,
    callback.site_id == postponement.site_id,
    callback.state != CallbackState.CLOSED,
)


def _imported(source_file_id: int, rows: tuple[int, int] | None) -> Select[Any]:
    return (
        select(
            postponement.id, postponement.patient_id, postponement.site_id, postponement.priority,
            postponement.original_on, postponement.created_at, postponement.is_protected,
            callback.id.label("callback_id"),
        )
        .select_from(tables.postponement.outerjoin(tables.callback, _OPEN_HERE))
        .where(_from_file(source_file_id, rows))
        .order_by(postponement.id)
    )  # fmt: skip


def _join_items(source_file_id: int, now: datetime, rows: tuple[int, int] | None) -> Any:
    added = literal(now, tables.callback_item.c.added_at.type)
    listed = (
        select(callback.id, postponement.id, added)
        .select_from(tables.postponement.join(tables.callback, _OPEN_HERE))
        .where(_from_file(source_file_id, rows))
    )
    columns = ["callback_id", "postponement_id", "added_at"]
    return insert(tables.callback_item).prefix_with("OR IGNORE", dialect="sqlite").from_select(columns, listed)


def settle(
    connection: Connection,
    callback_id: int,
    disposition: str,
    agent_id: int,
    now: datetime,
    call_id: int | None,
) -> None:
    """Close a callback because the patient rang first; its postponements keep what the call said of them.

    Args:
        disposition: the inbound code that ends the call; its coverage is proven for the unsettled postponements.

    Raises:
        RuleBroken: it is closed already.
        LeaseLost: another agent is ringing this patient now; names that agent.
    """
    held = connection.execute(select(tables.callback).where(callback.id == callback_id)).one()
    if held.state == CallbackState.CLOSED:
        raise RuleBroken(_("This callback is closed already: {code}.").format(code=held.closed_as))
    if held.state == CallbackState.LEASED and held.leased_by != agent_id and held.lease_until > now:
        name = agent_name(connection, held.leased_by)
        raise LeaseLost(_("{name} is ringing this patient now: speak to each other.").format(name=name), holder=name)
    ids = connection.scalars(select(item.postponement_id).where(item.callback_id == callback_id)).all()
    login = login_of(connection, agent_id)
    mark_items(connection, ids, disposition, scope="inbound", by=login, now=now)
    close(connection, callback_id, disposition, agent_id, now)
    detail = {"state": [held.state, "closed"], "disposition": disposition, "call": call_id}
    journal.append(
        connection, agent=login, action="callback.settled", subject="callback", subject_id=callback_id,
        detail=detail, now=now,
    )  # fmt: skip


def agent_name(connection: Connection, agent_id: int | None) -> str:
    """Name of an agent, as colleagues know it."""
    return str(connection.execute(select(tables.agent.c.name).where(tables.agent.c.id == agent_id)).scalar() or "")


def close(connection: Connection, callback_id: int, code: str, agent_id: int | None, now: datetime) -> None:
    """End a callback: nobody rings for it any more. Whoever holds it finds that the lease is gone."""
    statement = update(tables.callback).where(callback.id == callback_id, callback.state != CallbackState.CLOSED)
    connection.execute(
        statement.values(
            state=CallbackState.CLOSED, closed_at=now, closed_by=agent_id, closed_as=code, hold="",
            leased_by=None, leased_at=None, lease_until=None, generation=callback.generation + 1,
        )
    )  # fmt: skip


def stop_for_death(connection: Connection, patient_id: int) -> list[int]:
    """Stop every open callback of a person whose death was reported, also those an agent holds; gives their ids.

    Others on the same telephone are not touched. A second agent confirms, then `close`; or refutes, then `resume`.
    """
    is_theirs = and_(callback.patient_id == patient_id, callback.state != CallbackState.CLOSED)
    ids = list(connection.scalars(select(callback.id).where(is_theirs)))
    stopped: dict[str, Any] = {"hold": "confirm_death", "state": CallbackState.WAITING, "leased_by": None}
    stopped |= {"leased_at": None, "lease_until": None, "generation": callback.generation + 1}
    connection.execute(update(tables.callback).where(is_theirs).values(stopped))
    return ids


def resume(connection: Connection, callback_ids: Sequence[int]) -> None:
    """Let callbacks be rung again that waited for a confirmation or a review which found nothing against it."""
    statement = update(tables.callback).where(callback.id.in_(callback_ids), callback.state != CallbackState.CLOSED)
    connection.execute(statement.values(hold=""))
