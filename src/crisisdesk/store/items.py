"""Facts of single postponements: tried, reached, decided, rebooked, done; and what was decided of them."""

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, and_, bindparam, func, or_, select, update

from crisisdesk.domain.words import Coverage, Reach
from crisisdesk.store import tables
from crisisdesk.store.engine import Connection

postponement = tables.postponement.c
FACTS = {
    Coverage.TRIED: "tried_at",
    Coverage.REACHED: "reached_at",
    Coverage.DECIDED: "decided_at",
    Coverage.REBOOKED: "rebooked_at",
    Coverage.DONE: "done_at",
}
"""Column of each fact, in the order in which one proves those before it."""


CLINICIAN = "clinician"
"""Decision of a postponement, and end of a callback, that a named clinician took; no disposition of the table."""
DECEASED = "deceased"
"""Decision of a postponement, and end of a callback, of a person whose death a second agent confirmed."""


@cache
def is_unsettled() -> ColumnElement[bool]:
    """Postponements that somebody still owes a call: not rebooked, done, handed over or ended by a final decision, nor
    counted with the list item that they turned out to be."""
    disposition = tables.disposition.c
    final = select(disposition.code).where(disposition.is_final)
    return and_(
        postponement.rebooked_at.is_(None),
        postponement.done_at.is_(None),
        postponement.matched_to_id.is_(None),
        postponement.handed_over_at.is_(None),
        ~and_(
            postponement.decided_at.is_not(None),
            or_(postponement.decision.in_((CLINICIAN, DECEASED)), postponement.decision.in_(final)),
        ),
    )


def unsettled_sql() -> str:
    """`is_unsettled` for statements that are written by hand; they name the table ``postponement``."""
    from sqlalchemy.dialects import sqlite

    return str(is_unsettled().compile(dialect=sqlite.dialect(), compile_kwargs={"literal_binds": True}))


_ends = tables.disposition.c
_PROVES = select(_ends.coverage, _ends.reach).where(_ends.scope == bindparam("scope"), _ends.code == bindparam("code"))


def mark_items(
    connection: Connection, postponement_ids: Sequence[int], disposition: str, *, scope: str, by: str, now: datetime
) -> None:
    """Record what a disposition proves for postponements. A fact that was proven before keeps its earlier time.

    Args:
        disposition: code of ``scope``; an unknown one proves nothing.
        by: login of who heard it, kept with a decision.
    """
    row = connection.execute(_PROVES, {"scope": scope, "code": disposition}).one_or_none()
    proven = row and (row.coverage or ("reached" if row.reach == Reach.PATIENT else None))
    if not proven or not postponement_ids:
        return
    values = proven_facts(Coverage(proven), now)
    if Coverage(proven) in (Coverage.DECIDED, Coverage.REBOOKED, Coverage.DONE):
        values |= {"decision": disposition, "decided_by": by}
    statement = update(tables.postponement).where(postponement.id.in_(postponement_ids))
    connection.execute(statement.values(values))


def prove(connection: Connection, postponement_ids: Sequence[int], coverage: Coverage, now: datetime) -> None:
    """Set how far postponements have come, without a decision."""
    if postponement_ids:
        statement = update(tables.postponement).where(postponement.id.in_(postponement_ids))
        connection.execute(statement.values(proven_facts(coverage, now)))


def proven_facts(coverage: Coverage, now: datetime) -> dict[str, Any]:
    """Values that set a fact and those it proves, where they are not set yet."""
    reached = list(FACTS).index(coverage) if coverage in FACTS else -1
    columns = list(FACTS.values())[: reached + 1]
    return {column: func.coalesce(postponement[column], now) for column in columns}
