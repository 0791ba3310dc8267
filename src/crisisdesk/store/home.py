"""What waits at each site, in one statement."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, case, func, select

from crisisdesk.store import tables


@dataclass(frozen=True)
class SiteCount:
    """One site's open callbacks."""

    site_id: str
    ringable: int
    """Released, not held by anybody, and past their earliest moment. Calling hours are not looked at."""
    open: int


def count_open(conn: Connection, now: datetime) -> dict[str, SiteCount]:
    """Open callbacks by site; sites without any are left out."""
    row = tables.callback.c
    is_due = row.not_before.is_(None) | (row.not_before <= now)
    may_ring = (row.state == "waiting") & row.released_at.is_not(None) & is_due & (row.hold == "")
    statement = (
        select(row.site_id, func.sum(case((may_ring, 1), else_=0)), func.count())
        .where(row.state != "closed")
        .group_by(row.site_id)
    )
    return {site: SiteCount(site, ringable, count) for site, ringable, count in conn.execute(statement)}
