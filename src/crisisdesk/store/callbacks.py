"""Open callbacks: made, extended, placed in their queue, stopped and closed.

Every function works inside the transaction of its caller. One open callback a patient and site holds all of that
patient's postponements there; a unique index forbids a second one.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, Select, and_, bindparam, case, func, insert, select, text, update

from crisisdesk.domain.priority import Placement, WaitingItem, place
from crisisdesk.domain.wishes import Wish
from crisisdesk.domain.words import CallbackState
from crisisdesk.errors import LeaseLost, RuleBroken
from crisisdesk.i18n import _, current_language
from crisisdesk.store import journal, tables
from crisisdesk.store.engine import Connection
from crisisdesk.store.items import is_unsettled, mark_items
from crisisdesk.store.patients import standing_for
from crisisdesk.store.reasons import SETTLED
from crisisdesk.store.reference import label_of

callback, item, postponement = tables.callback.c, tables.callback_item.c, tables.postponement.c
SYSTEM = "crisisdesk"
DEATH = "confirm_death"
PROTECTED, PROMISED, SLIPPED, ESCALATED = "protected", "promised", "slipped", "escalated"
"""Reasons of a release besides the opening of a service (``opening:<id>``) and a changed instruction
(``instruction:<id>``)."""


@dataclass(frozen=True)
class PlacementRules:
    """What the place of a callback in its queue depends on, beside the callback."""

    limits: Mapping[str, timedelta]
    zone: str


def placement_rules(connection: Connection) -> PlacementRules:
    """Read the desk's limits by priority, and its time zone."""
    limits = connection.execute(select(tables.priority_limit.c.code, tables.priority_limit.c.limit_seconds))
    zone = connection.execute(select(tables.desk.c.time_zone)).scalar_one()
    return PlacementRules({row.code: timedelta(seconds=row.limit_seconds) for row in limits}, zone)


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
    slipped: Mapping[str, Any] | None = None,
) -> int:
    """Open the callback of a patient at a site, or extend the one that is open, and place it in the queue.

    Args:
        postponement_ids: what it is about; none for a patient who only wants to be rung.
        wish: when and where to ring; replaces an earlier wish, None leaves it as it was.
        released: True: to be rung as soon as the wish allows ("we ring you back"). False: waits for the opening,
            except where one of the postponements is protected or the patient was told a date that slipped.
        hold_for: "review" when a clinician decides before anybody rings.
        is_escalated: tier 0, and released.
        for_agent_id: the agent who promised to ring in person. A moment that is agreed anew without one is anybody's.
        slipped: the told day that no longer holds (``told_on``, ``now_on``): tier 0, and released.

    Returns:
        The callback's id. The release is never taken back here. Nobody rings for a person whose death was reported:
        the callback is kept on hold, so that a refutation finds it.
    """
    patient_id = standing_for(connection, patient_id) or patient_id
    found = connection.execute(_open_of(patient_id, site_id)).one_or_none()
    changes = _wished(wish, for_agent_id) | ({"hold": hold_for} if hold_for else {})
    changes |= {"asked_at": now} if released or is_escalated or hold_for else {}
    changes |= {"not_before": None} if slipped else {}  # it is told before the day, whatever else was agreed
    if not (hold_for or (found and found.hold)) and is_said_dead(connection, patient_id):
        changes["hold"] = DEATH
    if found is None:
        new = {"patient_id": patient_id, "site_id": site_id, "made_in_call_id": call_id, "created_at": now}
        callback_id = _insert(connection, new | changes, now)
    else:
        callback_id = int(found.id)
        if changes:
            connection.execute(update(tables.callback).where(callback.id == callback_id).values(changes))
    _add_items(connection, callback_id, postponement_ids, now)
    kept: dict[str, Any] = {"escalated": {"at": now.isoformat(), "call_id": call_id}} if is_escalated else {}
    kept |= {"slipped": dict(slipped), "slipped_at": f"{now:%Y-%m-%d %H:%M:%S.%f}"} if slipped else {}
    redate(connection, [callback_id], add_why=kept)
    reason = ESCALATED if is_escalated else PROMISED if released else SLIPPED if slipped else ""
    _release_held(connection, callback_id, reason, now)
    journal.append(
        connection, agent=login_of(connection, agent_id), action="callback.extended" if found else "callback.made",
        subject="callback", subject_id=callback_id, now=now,
        detail={"patient_id": patient_id, "site_id": site_id, "postponements": list(postponement_ids), "call": call_id}
        | {"released": reason, **({"wish": wish.as_detail()} if wish else {})}
        | ({"replaced": _replaced(found, changes)} if found and changes else {}),
    )  # fmt: skip
    return callback_id


def _insert(connection: Connection, row: Mapping[str, Any], now: datetime) -> int:
    """Make a callback; `redate` gives it its place."""
    values = {"tier": 2, "due_at": now, "why": {}, **row}
    return int(connection.execute(insert(tables.callback).values(values).returning(callback.id)).scalar_one())


def _replaced(found: Row[Any], changes: Mapping[str, Any]) -> dict[str, str]:
    """What stood in the columns that are written anew: an earlier wish is not lost."""
    before = {name: found._mapping[name] for name in changes}
    return {name: str(value) for name, value in before.items() if value not in (None, "") and value != changes[name]}


def _open_of(patient_id: int, site_id: str) -> Select[Any]:
    is_open = callback.state != CallbackState.CLOSED
    return select(tables.callback).where(callback.patient_id == patient_id, callback.site_id == site_id, is_open)


def is_said_dead(connection: Connection, patient_id: int) -> bool:
    """Whether a death was reported of a patient and not refuted."""
    said = select(tables.patient.c.death_reported_at).where(tables.patient.c.id == patient_id)
    return connection.execute(said).scalar() is not None


def _wished(wish: Wish | None, for_agent_id: int | None) -> dict[str, Any]:
    values: dict[str, Any] = {"for_agent_id": for_agent_id} if for_agent_id else {}
    if wish is None:
        return values
    if wish.not_before or wish.until:  # another moment: another's promise, or nobody's
        values["for_agent_id"] = for_agent_id
    values |= {"not_before": wish.not_before, "promised_from": wish.not_before}
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
    if not reason and connection.execute(protected_in([callback_id])).first() is not None:
        reason = PROTECTED
    if reason:
        release(connection, [callback_id], reason, now)


def protected_in(callback_ids: Sequence[int]) -> Select[Any]:
    """Those of some callbacks that are about a protected service, which waits for no opening."""
    return (
        select(item.callback_id)
        .join(tables.postponement, postponement.id == item.postponement_id)
        .where(item.callback_id.in_(callback_ids), postponement.is_protected, is_unsettled())
        .distinct()
    )


def release(connection: Connection, callback_ids: Iterable[int], reason: str, now: datetime) -> int:
    """Let callbacks be rung from ``now`` on; those already released keep their first reason. Gives how many were."""
    which = func.json_each(json.dumps(list(callback_ids))).table_valued("value")
    statement = update(tables.callback).where(callback.id.in_(select(which.c.value)), callback.released_at.is_(None))
    return connection.execute(statement.values(released_at=now, release_why=reason)).rowcount


def redate(connection: Connection, callback_ids: Sequence[int], *, add_why: Mapping[str, Any] | None = None) -> None:
    """Place open callbacks anew from their unsettled postponements: after any change of priority, date, wish or items.

    Args:
        add_why: reasons that hold from now on ("escalated", "slipped"), for all of them.
    """
    rules = placement_rules(connection)
    changes = []
    for rows in in_chunks(callback_ids):
        held = _items_of(connection, rows)
        for row in connection.execute(select(*_PLACED).where(callback.id.in_(rows))):
            kept = {**row.why, **(add_why or {})}
            placed = place_items(held[row.id], rules, row.created_at, row.promised_until, kept)
            if (placed.tier, placed.due_at, placed.why) != (row.tier, row.due_at, row.why):
                changes.append({"which": row.id, **placed_values(placed)})
    if changes:
        statement = update(tables.callback).where(callback.id == bindparam("which"))
        connection.execute(statement.values({name: bindparam(name) for name in ("tier", "due_at", "why")}), changes)


_PLACED = (callback.id, callback.tier, callback.due_at, callback.why, callback.created_at, callback.promised_until)


def place_items(
    items: Iterable[WaitingItem],
    rules: PlacementRules,
    asked_at: datetime,
    promised_until: datetime | None,
    kept: Mapping[str, Any],
) -> Placement:
    """Place one callback by the desk's rules; see `domain.priority.place`."""
    return place(
        items, limits=rules.limits, zone=rules.zone, asked_at=asked_at, promised_until=promised_until, kept=kept
    )


def placed_values(placed: Placement) -> dict[str, Any]:
    """The columns of `callback` that a placement fills."""
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


def in_chunks(numbers: Sequence[int], size: int = 5000) -> Iterable[Sequence[int]]:
    """Numbers in parts that fit a statement's parameters."""
    return (numbers[at : at + size] for at in range(0, len(numbers), size))


def settle(
    connection: Connection,
    callback_id: int,
    disposition: str,
    agent_id: int,
    now: datetime,
    call_id: int | None,
) -> None:
    """End a callback because the patient rang first; its postponements keep what the call said of them.

    It closes where nothing is left to settle. A patient who was only informed is still owed a place: the callback then
    waits for the opening, and cannot be served before.

    Args:
        disposition: the inbound code that ends the call; its coverage is proven for the unsettled postponements.

    Raises:
        RuleBroken: it is closed already.
        LeaseLost: another agent is ringing this patient now; names that agent.
    """
    held = connection.execute(select(tables.callback).where(callback.id == callback_id)).one()
    if held.state == CallbackState.CLOSED:
        words = _("This callback is closed already: {code}.")
        kinds = ("disposition.attempt", "disposition.inbound")
        raise RuleBroken(words.format(code=label_of(connection, kinds, held.closed_as, current_language())))
    if held.state == CallbackState.LEASED and held.leased_by != agent_id and held.lease_until > now:
        name = agent_name(connection, held.leased_by)
        raise LeaseLost(_("{name} is ringing this patient now: speak to each other.").format(name=name), holder=name)
    if held.channel:  # the patient was found: no letter is needed any more
        found = {"hold": "", "channel": "", "unanswered": 0}
        connection.execute(update(tables.callback).where(callback.id == callback_id).values(found))
    ids = connection.scalars(select(item.postponement_id).where(item.callback_id == callback_id)).all()
    login = login_of(connection, agent_id)
    mark_items(connection, ids, disposition, scope="inbound", by=login, now=now)
    is_left = bool(_items_of(connection, [callback_id]))
    if is_left:
        let_wait(connection, callback_id, now)
    else:
        close(connection, callback_id, disposition, agent_id, now)
    detail = {"state": [held.state, "waiting" if is_left else "closed"], "disposition": disposition, "call": call_id}
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
            state=CallbackState.CLOSED, closed_at=now, closed_by=agent_id, closed_as=code, hold="", channel="",
            leased_by=None, leased_at=None, lease_until=None, generation=callback.generation + 1,
        )
    )  # fmt: skip


def close_settled(
    connection: Connection, callback_ids: Sequence[int], code: str, agent_id: int | None, now: datetime
) -> list[int]:
    """End those of some callbacks with postponements of which none is owed a call any more; gives their ids.

    Those that the patient asked for after that stay, and those that an agent holds: the queue says of them that nothing
    is left. All that stay are placed anew.
    """
    wanted = select(callback.id).where(callback.id.in_(callback_ids), callback.state == CallbackState.WAITING)
    ended = list(connection.scalars(wanted.where(text(SETTLED))))
    for callback_id in ended:
        close(connection, callback_id, code, agent_id, now)
    redate(connection, [number for number in callback_ids if number not in ended])
    return ended


def let_wait(connection: Connection, callback_id: int, now: datetime) -> None:
    """Send a callback back to wait for the opening of what is not settled; a protected service waits for none."""
    waits: dict[str, Any] = {"state": CallbackState.WAITING, "leased_by": None, "leased_at": None, "lease_until": None}
    waits |= {"generation": callback.generation + 1, "released_at": None, "release_why": "", "not_before": None}
    waits |= {"promised_from": None, "promised_until": None}
    why = connection.execute(select(callback.why).where(callback.id == callback_id)).scalar_one()
    waits["why"] = {name: reason for name, reason in why.items() if name != "told"}  # the patient was just spoken to
    connection.execute(update(tables.callback).where(callback.id == callback_id).values(waits))
    redate(connection, [callback_id])
    _release_held(connection, callback_id, "", now)


def stop_for_death(connection: Connection, patient_id: int) -> list[int]:
    """Stop every open callback of a person whose death was reported, also those an agent holds; gives their ids.

    Others on the same telephone are not touched. A second agent confirms, then `close`; or refutes, then `resume`.
    """
    is_theirs = and_(callback.patient_id == patient_id, callback.state != CallbackState.CLOSED)
    ids = list(connection.scalars(select(callback.id).where(is_theirs)))
    kept = case((callback.hold == "", DEATH), else_=callback.hold)  # a review outlives a report that is refuted
    stopped: dict[str, Any] = {"hold": kept, "state": CallbackState.WAITING, "leased_by": None}
    stopped |= {"leased_at": None, "lease_until": None, "generation": callback.generation + 1}
    connection.execute(update(tables.callback).where(is_theirs).values(stopped))
    return ids


def resume(connection: Connection, callback_ids: Sequence[int]) -> None:
    """Let callbacks be rung again that waited for a confirmation or a review which found nothing against it."""
    statement = update(tables.callback).where(callback.id.in_(callback_ids), callback.state != CallbackState.CLOSED)
    connection.execute(statement.values(hold=""))
