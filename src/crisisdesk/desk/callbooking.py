"""A new date that is given in an inbound call takes a place too, in the transaction that stores the call."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING

from crisisdesk import clock
from crisisdesk.desk.booking import Slot, book, slots_for
from crisisdesk.desk.callform import CallForm, Mistake
from crisisdesk.desk.reserving import pass_reserve_on
from crisisdesk.desk.rules import reference_of
from crisisdesk.domain.dates import read_typed_date
from crisisdesk.domain.opening import read_history
from crisisdesk.domain.reference import Disposition, Reference
from crisisdesk.domain.text import clean
from crisisdesk.domain.words import Coverage, Scope
from crisisdesk.errors import RuleBroken
from crisisdesk.i18n import _
from crisisdesk.store import attempts, bookings, openings

if TYPE_CHECKING:
    from crisisdesk.desk.agents import Agent
    from crisisdesk.store.engine import Connection, Store

Wrong = Callable[[str, str], None]


def needs_new_date(disposition: Disposition | None) -> bool:
    """Whether an ending of a call, or of one of its items, says that a new date was given."""
    return disposition is not None and disposition.coverage == Coverage.REBOOKED


def _rebooked(
    connection: "Connection", form: CallForm, ending: Disposition, items: Mapping[int, str | None], reference: Reference
) -> list[int]:
    """Postponements of the call to which a new date is given: linked ones, and those of callbacks that end with it."""
    of_items = {code: reference.dispositions.get((Scope.ITEM, code)) for code in items.values() if code}
    found = {number: None for number, code in items.items() if needs_new_date(of_items[code] if code else ending)}
    if needs_new_date(ending):
        for callback_id in form.settled:
            left = attempts.unsettled_items(connection, callback_id)
            found |= {number: None for number in left if number not in items}
    return list(found)


def read_new_dates(
    connection: "Connection",
    form: CallForm,
    ending: Disposition,
    items: Mapping[int, str | None],
    reference: Reference,
    now: datetime,
    wrong: Wrong,
) -> dict[int, date]:
    """The day that is given for each postponement; a mistake where one is missing that the desk would have to keep.

    A service that the desk gives no places of may have given the date itself: it may be left out there.
    """
    wanted = _rebooked(connection, form, ending, items, reference)
    single = {item.postponement_id: item.new_date for item in form.items if item.new_date}
    today, days = clock.local_day(now, reference.desk.time_zone), {}
    rows = bookings.asked_rows(connection, wanted)
    services = _with_places(connection, {row.service_id for row in rows.values()})
    for number in wanted:
        text = clean(single.get(number, form.new_date)).text
        day = read_typed_date(text, today) if text else None
        if day is not None:
            days[number] = day
        elif text:
            wrong("new_date", _("New date: '{text}' is no day; type it as 03/06, +3 or lundi.").format(text=text[:60]))
        elif rows[number].service_id in services and rows[number].is_unsettled:
            wrong("new_date", _("New date: which day? The place is kept with it, so that nobody else is given it."))
    if form.new_date and not wanted:
        wrong("new_date", _("New date: link what it is for, and end the call with a new date given."))
    return days


def _with_places(connection: "Connection", service_ids: Iterable[int | None]) -> set[int]:
    known = [number for number in service_ids if number is not None]
    rows = openings.opening_rows(connection, known) if known else {}
    return {number for number, of_it in rows.items() if any(row.places for row in read_history(of_it).confirmed)}


def book_new_dates(
    connection: "Connection",
    days: Mapping[int, date],
    *,
    call_id: int,
    reference: Reference,
    agent: "Agent",
    now: datetime,
) -> None:
    """Take the places, inside the write that stores the call.

    Raises:
        FormRefused: a day is full, closed or past (names the next ones that fit). Nothing of the call is stored then.
    """
    from crisisdesk.desk.callcheck import FormRefused

    rows = bookings.asked_rows(connection, list(days))
    for number, day in days.items():
        try:
            book(
                connection, postponement_id=number, service_id=rows[number].service_id, slot_on=day, slot_time=None,
                reference=reference, agent_id=agent.agent_id, attempt_id=None, call_id=call_id, now=now,
            )  # fmt: skip
        except RuleBroken as error:
            raise FormRefused([Mistake("new_date", _("New date: {why}").format(why=error))]) from error


def pass_places_on(
    connection: "Connection", callback_ids: Sequence[int], reference: Reference, agent: "Agent", now: datetime
) -> None:
    """Patients for whom a place was kept have rung: who did not take it makes way for the next of the reserve list."""
    for callback_id in callback_ids:
        row = attempts.callback_row(connection, callback_id)
        if row is not None:
            pass_reserve_on(connection, callback_id, row.why, reference, agent.login, now)


def offer_in_call(
    store: "Store", postponement_ids: Sequence[int], callback_ids: Sequence[int], *, now: datetime, count: int = 3
) -> Sequence[Slot]:
    """The first days that fit the first postponement of a call: a linked one, else one of a callback that it ends."""
    reference = reference_of(store)
    with store.read() as connection:
        numbers = list(postponement_ids)
        for callback_id in callback_ids:
            numbers += attempts.unsettled_items(connection, callback_id)
        return slots_for(connection, numbers[0], reference, now, count) if numbers else ()
