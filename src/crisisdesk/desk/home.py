"""What an agent sees on arriving: where work waits."""

from datetime import datetime

from crisisdesk.store.engine import Store
from crisisdesk.store.home import SiteCount as SiteCount
from crisisdesk.store.home import count_open
from crisisdesk.store.reference import read_reference


def count_sites(store: Store, *, now: datetime) -> tuple[SiteCount, ...]:
    """Every site of the desk in the order of the reference data, with its open callbacks."""
    with store.read() as conn:
        counts = count_open(conn, now)
        return tuple(counts.get(site_id) or SiteCount(site_id, 0, 0) for site_id in read_reference(conn).sites)
