"""Calls as they were recorded: those of a day, and one by its reference."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from crisisdesk import clock
from crisisdesk.desk.agents import Agent
from crisisdesk.desk.rights import needs
from crisisdesk.domain.callref import read_reference
from crisisdesk.domain.matches import CallLine
from crisisdesk.domain.rights import Right
from crisisdesk.errors import RuleBroken
from crisisdesk.i18n import _
from crisisdesk.store import calls, journal
from crisisdesk.store.engine import Store


def calls_of_day(store: Store, day: date, *, zone: str, limit: int = 1000) -> tuple[CallLine, ...]:
    """Calls that came in on a local day, oldest first."""
    start_at, end_at = clock.day_bounds(day, zone)
    with store.read() as connection:
        return calls.list_calls(connection, start_at, end_at, limit)


@needs(Right.READ)
def find_call(store: Store, said: str, *, agent: Agent, now: datetime) -> Mapping[str, Any]:
    """Everything about one call, by its reference as somebody says it ("412 K"). The read is journalled.

    Raises:
        RuleBroken: it has not the shape of a reference, its letter does not fit (the likely ones are named), or
        there is
            no such call.
    """
    read = read_reference(said)
    if read is None:
        raise RuleBroken(_("'{text}' is no reference; it looks like 0412-K.").format(text=said[:40]))
    if read.fits is False:
        raise RuleBroken(
            _("{text}: the letter does not fit the number. Perhaps {near}?").format(
                text=said[:40], near=", ".join(read.near[:6])
            )
        )
    with store.write() as connection:
        found = calls.read_call(connection, read.number)
        if found is None:
            raise RuleBroken(_("There is no call {text}.").format(text=said[:40]))
        journal.append(
            connection, agent=agent.login, action="call.read", subject="call", subject_id=found["id"], now=now
        )
    return found
