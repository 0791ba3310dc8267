"""When the queue of a service will be empty: measured, else assumed and said; what one more room or agent changes."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING

from crisisdesk.clock import local_day
from crisisdesk.desk.booking import first_bookable
from crisisdesk.desk.openingform import OpeningForm, check_form
from crisisdesk.desk.rules import reference_of
from crisisdesk.domain.forecast import (
    Load,
    Outlook,
    Pace,
    Range,
    Room,
    look_out,
    measured_rate,
    measured_share,
    with_more_places,
)
from crisisdesk.domain.opening import History, OpeningRow, read_history
from crisisdesk.domain.places import Places, Taken
from crisisdesk.domain.schedule import calendar_of, coming_days, is_calling_day
from crisisdesk.domain.slots import needs_of
from crisisdesk.domain.words import OpeningStage
from crisisdesk.errors import RuleBroken
from crisisdesk.i18n import _
from crisisdesk.store import bookings, openings
from crisisdesk.store import forecast as counts

if TYPE_CHECKING:
    from crisisdesk.domain.reference import Reference
    from crisisdesk.store.engine import Connection, Store
    from crisisdesk.store.forecast import Ringing

MEASURED_DAYS = 7
# Assumed until enough was measured; printed as assumed. Nothing of this was published for the real desk.
ASSUMED_CONTACT, ASSUMED_ACCEPTED, ASSUMED_CALLS = (0.4, 0.7), (0.7, 0.95), (40.0, 70.0)


@dataclass(frozen=True, slots=True)
class Forecast:
    """When the queue of a service is empty, as a range, and everything that it rests on."""

    service_id: int
    row: OpeningRow
    """The opening that it is about."""
    is_planned: bool
    """It is not confirmed yet."""
    backlog: Mapping[str | None, int]
    """Postponements without a place, by priority; None: uncoded."""
    operations: int
    patients: int
    needing: Mapping[str, int]
    """Code of a limit of the opening -> postponements that need one."""
    booked: int
    """Places told from today on."""
    measured_from: date
    contact: Range
    accepted: Range
    calls_per_agent: Range
    agents: float
    are_agents_assumed: bool
    share: tuple[int, int]
    """Postponements of this service, and of all services of the site that are open or in this forecast."""
    now: Outlook
    more_places: int
    """Places a day that one more room makes; one more place where the rooms are not known."""
    with_room: Outlook
    with_agent: Outlook


def forecast_opening(
    store: "Store", service_id: int, *, now: datetime, form: OpeningForm | None = None, revises: bool = False
) -> Forecast:
    """When the queue of a service will be empty.

    What is planned counts as if it were confirmed as it stands; calls begin today.

    Args:
        form: a change that is not stored yet: the forecast holds as if it were confirmed.
        revises: the form puts another day or number in the place of the newest row.

    Raises:
        RuleBroken: no such service; nothing is planned or open; what is wrong with the form.
    """
    reference = reference_of(store) if form is None else check_form(store, form, now)
    if service_id not in reference.services:
        raise RuleBroken(_("There is no service {number}.").format(number=service_id))
    with store.read() as connection:
        rows = openings.opening_rows(connection)
        today = local_day(now, reference.desk.time_zone)
        history, row, is_planned = _seen(rows.get(service_id, ()), form, revises, today)
        return _forecast(connection, service_id, history, row, is_planned, rows, reference, now)


def _seen(
    rows: Sequence[OpeningRow], form: OpeningForm | None, revises: bool, today: date
) -> tuple[History, OpeningRow, bool]:
    """The history with what is planned (or asked) as if it were confirmed, and the row that the forecast is about."""
    history = read_history(rows)
    if form is not None:
        added = form.row(OpeningStage.REVISED if revises else OpeningStage.ACTUAL)
        after = read_history((*rows, added))  # a revised row may take the place of the newest one, with its days
        coming = (after.planned,) if revises and after.planned is not None else ()
        return History((*after.confirmed, *coming)), added, True
    if history.planned is not None:
        return History((*history.confirmed, history.planned)), history.planned, True
    current = history.on(today)
    opens_on = history.next_open(today)
    found = current if (current and current.places) or opens_on is None else history.on(opens_on)
    if found is None or not found.places:
        raise RuleBroken(_("Nothing is planned or open for this service: plan an opening first."))
    return history, found, False


def _forecast(
    connection: "Connection", service_id: int, history: History, row: OpeningRow, is_planned: bool,
    rows: Mapping[int, Sequence[OpeningRow]], reference: "Reference", now: datetime,
) -> Forecast:  # fmt: skip
    desk, site_id = reference.desk, reference.services[service_id].site_id
    calendar, today = calendar_of(desk), local_day(now, desk.time_zone)
    since = now - timedelta(days=MEASURED_DAYS)
    owed = counts.owed_by(connection, service_id)
    operations, rung = sum(owed.by_priority.values()), counts.ringing_at(connection, site_id, since, now)
    load = Load(owed.patients, operations, _needing(connection, service_id, history, reference))
    share = (operations, counts.owed_at(connection, _open_services(service_id, site_id, rows, reference)))
    pace, are_assumed = _pace(rung, share, counts.ringing_agents(connection))
    accepted = measured_share(*counts.accepted_at(connection, site_id, since, now), ASSUMED_ACCEPTED)
    rooms = _rooms(connection, service_id, history, reference, now)

    def days() -> Iterator[date]:
        return (day for day in coming_days(today) if is_calling_day(day, calendar))

    more = max((row.capacity_a_day or 0) // row.rooms, 1) if row.rooms else 1
    one_more = replace(pace, agents=pace.agents + 1)
    booked = sum(bookings.booked_by_day(connection, service_id, today).values())
    return Forecast(
        service_id, row, is_planned, owed.by_priority, operations, load.patients, load.needing, booked,
        local_day(since, desk.time_zone), pace.contact, accepted, pace.calls_per_agent, pace.agents, are_assumed, share,
        look_out(load, accepted, pace, lambda: rooms, days), more,
        look_out(load, accepted, pace, lambda: with_more_places(rooms, more), days),
        look_out(load, accepted, one_more, lambda: rooms, days),
    )  # fmt: skip


def _pace(rung: "Ringing", share: tuple[int, int], agents: int) -> tuple[Pace, bool]:
    """How fast patients of a service can be rung; and whether the number of agents is assumed."""
    contact = measured_share(rung.reached, rung.attempts, ASSUMED_CONTACT)
    calls = measured_rate(rung.attempts, rung.agent_days, ASSUMED_CALLS)
    is_assumed = calls.is_assumed or rung.days == 0
    here = float(max(agents, 1)) if is_assumed else rung.agent_days / rung.days
    return Pace(contact, calls, here, share[0] / share[1] if share[1] else 1.0), is_assumed


def _open_services(
    service_id: int, site_id: str, rows: Mapping[int, Sequence[OpeningRow]], reference: "Reference"
) -> Sequence[int]:
    """Services of the site whose patients are rung too: confirmed openings with places, and this one."""
    histories = {service.service_id: read_history(rows.get(service.service_id, ())) for service in
                 reference.services_of(site_id)}  # fmt: skip
    return [
        number
        for number, history in histories.items()
        if number == service_id or any(row.places for row in history.confirmed[-1:])
    ]


def _needing(connection: "Connection", service_id: int, history: History, reference: "Reference") -> Mapping[str, int]:
    """How many postponements need each limit of the history; the words are looked at only where there is one."""
    codes = {code for row in history.confirmed for code in row.limits}
    if not codes:
        return {}
    limits = {code: limit for code, limit in reference.capacity_limits.items() if code in codes}
    said = cache(lambda words: needs_of(None, words, limits))
    needing: Counter[str] = Counter(dict.fromkeys(codes, 0))
    for (needs, procedure, remark), count in counts.asked_words(connection, service_id).items():
        found = {*said(procedure), *said(remark)} if needs is None else codes.intersection(needs)
        needing.update(dict.fromkeys(found, count))
    return {code: count for code, count in needing.items() if count}


def _rooms(
    connection: "Connection", service_id: int, history: History, reference: "Reference", now: datetime
) -> Sequence[Room]:
    """What the days of a service have free, beside what was told."""
    today = local_day(now, reference.desk.time_zone)
    first = max(first_bookable(service_id, reference, now), today)
    booked = bookings.booked_by_day(connection, service_id, first)
    limited = bookings.limits_by_day(connection, service_id, first)
    taken = {day: Taken(count, limited.get(day)) for day, count in booked.items()}
    return [
        Room(room.day, room.places, dict(room.limited))
        for room in Places(history, taken, first, calendar_of(reference.desk))
    ]
