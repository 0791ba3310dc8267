"""What the rules of the queue need besides the store: the reference data, the calendar, the present moment."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from crisisdesk.domain.reference import Reference
from crisisdesk.domain.schedule import Calendar, calendar_of, day_start, part_of_day, parts_within
from crisisdesk.store import ruling
from crisisdesk.store.queue import Moment
from crisisdesk.store.reference import read_reference

if TYPE_CHECKING:
    from crisisdesk.store.engine import Connection, Store

# Reading its thousand labels at each take would cost more than the take: they are read again when the version moved.
_known: "WeakKeyDictionary[Store, Reference]" = WeakKeyDictionary()


def reference_of(store: "Store") -> Reference:
    """The reference data of an open desk, as supervisors of any process have left it."""
    with store.read() as connection:
        return reference_in(connection, store)


def reference_in(connection: "Connection", store: "Store") -> Reference:
    """The reference data as a transaction sees it: inside a write nobody can change a rule before it ends."""
    known = _known.get(store)
    if known is None or known.version != ruling.version(connection):
        known = _known[store] = read_reference(connection)
    return known


def moment_of(reference: Reference, calendar: Calendar, now: datetime, agent_id: int = 0) -> Moment:
    """What "now" means for a queue. Without an agent nobody's personal callbacks count as one's own."""
    return Moment(
        now=now,
        rested=now - timedelta(seconds=reference.desk.rest_seconds),
        day_start=day_start(now, calendar),
        other_parts=parts_within(calendar) - {part_of_day(now, calendar)},
        cap_a_day=reference.desk.attempts_per_number_a_day,
        agent_id=agent_id,
        absent=now - timedelta(seconds=reference.desk.absent_seconds),
        closing=now + timedelta(seconds=reference.desk.lease_seconds),
    )


def calendar_for(reference: Reference) -> Calendar:
    """Calling hours and days off of the desk."""
    return calendar_of(reference.desk)
