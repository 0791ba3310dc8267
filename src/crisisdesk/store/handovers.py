"""Handovers: what may be offered to a service's own secretariat, what was answered, and what that does to the queue.

An item is the desk's until it is acknowledged. Then `postponement.handed_over_at` is set, `items.is_unsettled` leaves
it out everywhere, and a callback with nothing left closes as "handed_over".
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, bindparam, case, exists, func, insert, or_, select, text, update

from crisisdesk.domain.handover import HandoverLine, HandoverRow
from crisisdesk.domain.words import CallbackState, HandoverState
from crisisdesk.store import tables
from crisisdesk.store.callbacks import in_chunks
from crisisdesk.store.coverage import coverage_case, is_dead
from crisisdesk.store.engine import Connection
from crisisdesk.store.items import is_unsettled
from crisisdesk.store.reasons import SETTLED

handover, line, journal = tables.handover.c, tables.handover_item.c, tables.journal.c
postponement, callback, held = tables.postponement.c, tables.callback.c, tables.callback_item.c
HANDED_OVER = "handed_over"
"""End of a callback whose postponements a service took over."""
LEFT_TO_SERVICE = "left_to_service"
"""Decision of a postponement for which the service itself gives the place."""


def is_open() -> ColumnElement[bool]:
    """Postponements that may be handed over: what the desk owes, and what was left to the service but has no place."""
    waits = and_(
        postponement.decision == LEFT_TO_SERVICE,
        *(postponement[name].is_(None) for name in ("rebooked_at", "done_at", "matched_to_id", "handed_over_at")),
    )
    return and_(or_(is_unsettled(), waits), ~is_dead())


def _is_offered() -> ColumnElement[bool]:
    """Postponements that wait for an answer in a handover."""
    waits = and_(line.postponement_id == postponement.id, line.state == HandoverState.OFFERED)
    return exists(select(line.handover_id).where(waits).correlate(tables.postponement))


def _is_of(site_id: str | None, service_id: int | None) -> ColumnElement[bool]:
    is_there = postponement.site_id == site_id if site_id else postponement.site_id.is_(None)
    return and_(is_there, postponement.service_id == service_id) if service_id else is_there


_OPEN_CALLBACK = (
    select(func.max(held.callback_id))
    .join(tables.callback, callback.id == held.callback_id)
    .where(held.postponement_id == postponement.id, callback.state != CallbackState.CLOSED)
    .correlate(tables.postponement)
    .scalar_subquery()
)


def offerable(connection: Connection, site_id: str | None, service_id: int | None) -> Sequence[int]:
    """Postponements that a handover would hold, by service and then in the order in which they would be rung."""
    ring = tables.callback.alias()
    query = (
        select(postponement.id)
        .outerjoin(ring, ring.c.id == _OPEN_CALLBACK)
        .where(_is_of(site_id, service_id), is_open(), ~_is_offered())
        .order_by(
            postponement.service_id.is_(None), postponement.service_id, ring.c.tier.is_(None), ring.c.tier,
            ring.c.due_at, postponement.original_on, postponement.id,
        )
    )  # fmt: skip
    return list(connection.scalars(query))


def count_offerable(connection: Connection) -> Mapping[tuple[str | None, int | None], tuple[int, int]]:
    """By site and service: postponements that are open, and how many of these wait for an answer already."""
    query = (
        select(postponement.site_id, postponement.service_id, func.count(), func.count(case((_is_offered(), 1))))
        .where(is_open())
        .group_by(postponement.site_id, postponement.service_id)
    )
    return {(row[0], row[1]): (row[2], row[3]) for row in connection.execute(query)}


def _is_bare() -> ColumnElement[bool]:
    """Open callbacks that are about no open postponement, of patients who are not said to be dead."""
    about = select(held.postponement_id).join(tables.postponement, postponement.id == held.postponement_id)
    has_open = exists(about.where(held.callback_id == callback.id, is_open()).correlate(tables.callback))
    said = select(tables.patient.c.id).where(tables.patient.c.death_reported_at.is_not(None))
    left = text(f"NOT ({SETTLED})")
    return and_(callback.state != CallbackState.CLOSED, ~has_open, callback.patient_id.not_in(said), left)


def count_bare(connection: Connection) -> int:
    """Open callbacks to which `give_items` would give a postponement."""
    return int(connection.execute(select(func.count()).select_from(tables.callback).where(_is_bare())).scalar_one())


def give_items(connection: Connection, site_id: str | None, words: str, now: datetime) -> Sequence[tuple[int, int]]:
    """Give each open callback that is about no open postponement one of its own, so that a list can hold it: a patient
    who only asked to be rung is not forgotten, and the clock runs on. Gives (callback, postponement).

    Args:
        site_id: None: at all sites.
        words: what stands on the list ("asked to be rung").
    """
    query = select(tables.callback).where(_is_bare())
    given = []
    for row in connection.execute(query.where(callback.site_id == site_id) if site_id else query).all():
        new = {
            "patient_id": row.patient_id, "site_id": row.site_id, "procedure": words, "remark": row.note,
            "source": "caller", "reported_in_call_id": row.made_in_call_id, "created_at": row.created_at,
            "tried_at": row.last_attempt_at if row.attempts else None,
        }  # fmt: skip
        number = connection.execute(insert(tables.postponement).values(new).returning(postponement.id)).scalar_one()
        connection.execute(
            insert(tables.callback_item).values(callback_id=row.id, postponement_id=number, added_at=now)
        )
        given.append((int(row.id), int(number)))
    return given


def insert_handover(
    connection: Connection, *, site_id: str | None, service_id: int | None, reason: str, agent_id: int, now: datetime
) -> int:
    """A handover without lines."""
    row = {"site_id": site_id, "service_id": service_id, "reason": reason, "made_by": agent_id, "made_at": now}
    return int(connection.execute(insert(tables.handover).values(row).returning(handover.id)).scalar_one())


def insert_lines(connection: Connection, handover_id: int, contents: Sequence[tuple[int, Mapping[str, str]]]) -> None:
    """Its lines in their order: (postponement, content)."""
    rows = [
        {"handover_id": handover_id, "postponement_id": number, "position": place, "content": dict(content)}
        for place, (number, content) in enumerate(contents, 1)
    ]
    connection.execute(insert(tables.handover_item), rows)


def seal(connection: Connection, handover_id: int, sha256: str, journal_seq: int) -> None:
    """Write down the hash of the list, and the journal entry that tells of it."""
    statement = update(tables.handover).where(handover.id == handover_id)
    connection.execute(statement.values(sha256=sha256, journal_seq=journal_seq))


def list_handovers(
    connection: Connection, *, site_id: str | None = None, handover_id: int | None = None
) -> Sequence[HandoverRow]:
    """Handovers with their counts, newest first; of one site, or one alone, where named."""

    def times(*conditions: ColumnElement[bool]) -> ColumnElement[int]:
        return func.count(case((and_(*conditions), 1)))

    is_acknowledged = line.state == HandoverState.ACKNOWLEDGED
    query = (
        select(
            handover.id, handover.site_id, handover.service_id, handover.reason, handover.made_at, tables.agent.c.name,
            times(line.state == HandoverState.OFFERED), times(is_acknowledged),
            times(line.state == HandoverState.REFUSED), times(~is_acknowledged, ~is_open()),
            handover.sha256, handover.journal_seq, func.coalesce(journal.hash, ""),
        )
        .join(tables.agent, tables.agent.c.id == handover.made_by)
        .outerjoin(tables.handover_item, line.handover_id == handover.id)
        .outerjoin(tables.postponement, postponement.id == line.postponement_id)
        .outerjoin(tables.journal, journal.seq == handover.journal_seq)
        .group_by(handover.id)
        .order_by(handover.id.desc())
    )  # fmt: skip
    query = query.where(handover.site_id == site_id) if site_id else query
    query = query.where(handover.id == handover_id) if handover_id is not None else query
    return [HandoverRow(*tuple(row)) for row in connection.execute(query)]


def read_lines(connection: Connection, handover_id: int, now: datetime) -> Sequence[HandoverLine]:
    """The lines of a handover in their order."""
    entered = select(tables.agent.c.name).where(tables.agent.c.id == line.entered_by).scalar_subquery()
    settled = case((is_open(), ""), (postponement.handed_over_at.is_not(None), ""), else_=coverage_case())
    query = (
        select(tables.handover_item, postponement.patient_id, entered.label("entered"), settled.label("settled"))
        .join(tables.postponement, postponement.id == line.postponement_id)
        .where(line.handover_id == handover_id)
        .order_by(line.position)
    )
    rows = connection.execute(query).all()
    ringing = who_rings(connection, [row.postponement_id for row in rows], now)
    return [
        HandoverLine(
            row.position, row.postponement_id, row.patient_id, row.content, HandoverState(row.state), row.answered_by,
            row.answered_at, row.entered or "", row.note, row.settled, ringing.get(row.postponement_id, ""),
        )
        for row in rows
    ]  # fmt: skip


def who_rings(connection: Connection, postponement_ids: Sequence[int], now: datetime) -> Mapping[int, str]:
    """Agents who hold a callback about these postponements at this moment, by postponement."""
    is_held = and_(callback.state == CallbackState.LEASED, callback.lease_until > now)
    query = (
        select(held.postponement_id, tables.agent.c.name)
        .join(tables.callback, callback.id == held.callback_id)
        .join(tables.agent, tables.agent.c.id == callback.leased_by)
        .where(is_held)
    )
    wanted = set(postponement_ids)
    return {row[0]: row[1] for row in connection.execute(query) if row[0] in wanted}


def holders(connection: Connection, now: datetime) -> Sequence[str]:
    """Names of the agents who hold a callback at this moment."""
    query = (
        select(tables.agent.c.name)
        .join(tables.callback, callback.leased_by == tables.agent.c.id)
        .where(callback.state == CallbackState.LEASED, callback.lease_until > now)
    )
    return list(connection.scalars(query.distinct().order_by(tables.agent.c.name)))


def answer(
    connection: Connection, handover_id: int, postponement_ids: Sequence[int], values: Mapping[str, Any]
) -> None:
    """Write the same answer to lines of a handover."""
    for ids in in_chunks(postponement_ids):
        theirs = and_(line.handover_id == handover_id, line.postponement_id.in_(ids))
        connection.execute(update(tables.handover_item).where(theirs).values(values))


def set_handed_over(connection: Connection, postponement_ids: Sequence[int], at: datetime | None) -> Sequence[int]:
    """Mark postponements as taken over, those that are still open; or as ours again. Gives those that were changed."""
    changed: list[int] = []
    for ids in in_chunks(postponement_ids):
        theirs = is_open() if at else postponement.handed_over_at.is_not(None)
        statement = update(tables.postponement).where(postponement.id.in_(ids), theirs)
        changed += connection.scalars(statement.values(handed_over_at=at).returning(postponement.id))
    return changed


def callbacks_of(connection: Connection, postponement_ids: Sequence[int]) -> Sequence[tuple[int, bool]]:
    """Open callbacks that hold any of these postponements, and whether another one is left in them to ring about."""
    about = select(held.postponement_id).join(tables.postponement, postponement.id == held.postponement_id)
    is_left = exists(about.where(held.callback_id == callback.id, is_unsettled()).correlate(tables.callback))
    found: dict[int, bool] = {}
    for ids in in_chunks(postponement_ids):
        query = select(callback.id, is_left).where(
            callback.state != CallbackState.CLOSED,
            callback.id.in_(select(held.callback_id).where(held.postponement_id.in_(ids))),
        )
        found |= {row[0]: bool(row[1]) for row in connection.execute(query)}
    return sorted(found.items())


def asked_since(connection: Connection, postponement_ids: Sequence[int], since: datetime) -> Mapping[int, datetime]:
    """Postponements whose patient asked to be rung after an instant, in a callback that is open."""
    query = (
        select(held.postponement_id, callback.asked_at)
        .join(tables.callback, callback.id == held.callback_id)
        .where(callback.state != CallbackState.CLOSED, callback.asked_at > since)
    )
    wanted = set(postponement_ids)
    return {row[0]: row[1] for row in connection.execute(query) if row[0] in wanted}


def close_callbacks(connection: Connection, callback_ids: Sequence[int], agent_id: int, now: datetime) -> None:
    """End callbacks of which nothing is left. What they were held for stays in them, for `reopen_callback`."""
    values = {
        "state": CallbackState.CLOSED, "closed_at": now, "closed_by": agent_id, "closed_as": HANDED_OVER,
        "leased_by": None, "leased_at": None, "lease_until": None, "generation": callback.generation + 1,
    }  # fmt: skip
    statement = update(tables.callback).where(callback.id == bindparam("which"), callback.state != CallbackState.CLOSED)
    if callback_ids:
        connection.execute(statement.values(values), [{"which": number} for number in callback_ids])


def reopen_callback(connection: Connection, postponement_id: int) -> tuple[int | None, int | None]:
    """Open the callback again that closed when a postponement was handed over, with its place, its clock and what it
    was held for. Gives it, or the one that is open at that site by now and does not hold the postponement yet."""
    query = (
        select(tables.callback)
        .join(tables.callback_item, held.callback_id == callback.id)
        .where(held.postponement_id == postponement_id)
        .order_by(callback.id.desc())
    )
    rows = connection.execute(query).all()
    if not rows or any(row.state != CallbackState.CLOSED for row in rows):
        return None, None
    last = next((row for row in rows if row.closed_as == HANDED_OVER), None)
    if last is None:
        return None, None
    other = select(callback.id).where(
        callback.patient_id == last.patient_id, callback.site_id == last.site_id, callback.state != CallbackState.CLOSED
    )
    if (number := connection.scalar(other)) is not None:
        return None, int(number)
    again = {"state": CallbackState.WAITING, "closed_at": None, "closed_by": None, "closed_as": ""}
    connection.execute(update(tables.callback).where(callback.id == last.id).values(again))
    return int(last.id), None


def held_before(connection: Connection, postponement_id: int) -> Any:
    """The last callback that held a postponement, where none that is open does: patient, site and why it was rung;
    else None."""
    query = (
        select(callback.id, callback.patient_id, callback.site_id, callback.state, callback.release_why)
        .join(tables.callback_item, held.callback_id == callback.id)
        .where(held.postponement_id == postponement_id)
        .order_by(callback.state == CallbackState.CLOSED, callback.id.desc())
    )
    row = connection.execute(query).first()
    return row if row is not None and row.state == CallbackState.CLOSED else None


def set_closed(connection: Connection, at: datetime | None, agent_id: int | None) -> None:
    """Close the desk, or open it again; every process reads its reference data anew."""
    desk = tables.desk.c
    values = {"closed_at": at, "closed_by": agent_id, "reference_version": desk.reference_version + 1}
    connection.execute(update(tables.desk).values(values))


def closed_at(connection: Connection) -> datetime | None:
    """When the desk was closed; None while it is open."""
    found: datetime | None = connection.scalar(select(tables.desk.c.closed_at))
    return found


def owner_of(connection: Connection, callback_id: int) -> tuple[int, str]:
    """Patient and site of a callback."""
    row = connection.execute(select(callback.patient_id, callback.site_id).where(callback.id == callback_id)).one()
    return int(row.patient_id), str(row.site_id)
