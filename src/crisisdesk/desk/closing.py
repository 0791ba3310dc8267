"""The desk is closed: everything that is open goes to the services on signed lists, and nobody is rung any more."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from crisisdesk.desk.handovers import Made, Offer, check_reason, give_items, list_offers, offer
from crisisdesk.desk.notices import tell
from crisisdesk.desk.repeating import goes_on
from crisisdesk.desk.rights import needs
from crisisdesk.desk.rules import reference_of
from crisisdesk.domain.rights import Right
from crisisdesk.domain.words import NoticeKind
from crisisdesk.errors import RuleBroken
from crisisdesk.i18n import _
from crisisdesk.store import handovers as rows
from crisisdesk.store import journal

if TYPE_CHECKING:
    from crisisdesk.desk.agents import Agent
    from crisisdesk.store.engine import Store


@dataclass(frozen=True, slots=True)
class ClosingPreview:
    """What closing the desk would hand over."""

    offers: Sequence[Offer]
    """By site and service; without a service: in nobody's queue."""
    asked: int
    """Patients who only asked to be rung: each gets a line of its own."""
    ringing: Sequence[str]
    """Agents who are ringing a patient at this moment: they may end their call."""
    closed_at: datetime | None
    """When it was closed already; None while it is open."""

    @property
    def count(self) -> int:
        """Lines that the new lists would have."""
        return sum(one.free for one in self.offers) + self.asked


@dataclass(frozen=True, slots=True)
class Closed:
    """The lists that closing the desk made."""

    handovers: Sequence[Made]

    @property
    def count(self) -> int:
        """Lines of all of them."""
        return sum(made.count for made in self.handovers)


def preview_closing(store: "Store", *, now: datetime) -> ClosingPreview:
    """How many lines each service would get. Changes nothing."""
    offers = list_offers(store)
    with store.read() as connection:
        asked = rows.count_bare(connection)
        ringing = rows.holders(connection, now)
        return ClosingPreview(offers, asked, ringing, rows.closed_at(connection))


@needs(Right.CLOSE_DESK)
@goes_on
def close_desk(store: "Store", *, reason: str, agent: "Agent", now: datetime) -> Closed:
    """Make a handover for every service and for what is in nobody's queue, and ring nobody from now on.

    Calls are still taken and recorded, calls that are being made may be ended, and the services go on answering. What
    they do not acknowledge stays ours: it shows on the lists, and is rung again if the desk is reopened.

    First the desk is closed, then each list is made in a transaction of its own: thousands of lines keep nobody from
    storing a call. Closing again makes the lists that a failure left out, or that what callers asked for since needs.

    Raises:
        RuleBroken: no supervisor, no reason, or the desk is closed already and everything is on a list.
    """
    reason, reference = check_reason(reason), reference_of(store)
    with store.write() as connection:
        closed_at = rows.closed_at(connection)
        give_items(connection, None, agent, now)
        places = sorted(
            (key for key, (is_open, offered) in rows.count_offerable(connection).items() if is_open > offered),
            key=lambda key: (key[0] or "", key[1] is None, key[1] or 0),
        )
        if closed_at is not None and not places:
            raise RuleBroken(_("The desk is closed already, since {day}.").format(day=f"{closed_at:%d/%m/%Y}"))
        if closed_at is None:
            rows.set_closed(connection, now, agent.agent_id)
            journal.append(
                connection, agent=agent.login, action="desk.closed", subject="desk", subject_id=1,
                detail={"closed_at": [None, now.isoformat()], "reason": reason}, now=now,
            )  # fmt: skip
            tell(connection, reason, NoticeKind.DESK, agent=agent, now=now, is_urgent=True, subject_id="closed")
    lists = []
    for site, service in places:
        with store.write() as connection:
            lists.append(offer(connection, site, service, reason, reference, agent, now))
    return Closed([one for one in lists if one is not None])


@needs(Right.CLOSE_DESK)
def reopen_desk(store: "Store", *, reason: str, agent: "Agent", now: datetime) -> int:
    """Ring again, as after a second wave: everything that no service acknowledged is in its queue, with its clock.

    Raises:
        RuleBroken: no supervisor, no reason, or the desk is open.
    """
    reason = check_reason(reason)
    with store.write() as connection:
        closed_at = rows.closed_at(connection)
        if closed_at is None:
            raise RuleBroken(_("The desk is open."))
        rows.set_closed(connection, None, None)
        detail = {"closed_at": [closed_at.isoformat(), None], "reason": reason}
        journal.append(
            connection, agent=agent.login, action="desk.reopened", subject="desk", subject_id=1, detail=detail, now=now
        )
        tell(connection, reason, NoticeKind.DESK, agent=agent, now=now, is_urgent=True, subject_id="reopened")
        return sum(number for number, _offered in rows.count_offerable(connection).values())
