"""Notices: what a supervisor, a new instruction or the closing of the desk tells agents, on the screen they are at.

An urgent one stays until its agent says that it was read; who did, and when, is kept.
"""

import uuid
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from crisisdesk.desk.rights import needs
from crisisdesk.desk.rules import reference_of
from crisisdesk.domain.rights import Right
from crisisdesk.domain.text import clean
from crisisdesk.domain.words import NoticeKind
from crisisdesk.errors import RuleBroken
from crisisdesk.i18n import _
from crisisdesk.store import agents, journal, notices

if TYPE_CHECKING:
    from crisisdesk.desk.agents import Agent
    from crisisdesk.store.engine import Connection, Store

LONGEST_NOTICE = 200
"""Characters: three lines of the smallest screen."""
SHOWN_FOR: Mapping[NoticeKind, timedelta] = {
    NoticeKind.MESSAGE: timedelta(hours=12),
    NoticeKind.INSTRUCTION: timedelta(hours=4),
    NoticeKind.DESK: timedelta(hours=12),
}
"""Who signs in later reads what holds by then anyway."""


@dataclass(frozen=True, slots=True)
class Notice:
    """What one agent has not read yet."""

    notice_id: int
    kind: NoticeKind
    is_urgent: bool
    words: str
    site_id: str | None
    sender: str
    sent_at: datetime
    subject_id: str = ""
    """Of the desk: "closed" or "reopened"; of an instruction: its id."""


@dataclass(frozen=True, slots=True)
class SentNotice:
    """What was sent, as a supervisor looks back on it."""

    notice_id: int
    kind: NoticeKind
    is_urgent: bool
    words: str
    site_id: str | None
    to_agent_id: int | None
    sender: str
    sent_at: datetime
    readers: int
    to_name: str
    """Name of the one agent it is for; empty: for those of the site, or for all."""
    addressees: int
    """Those it is for who have been signed in since, or have read it."""


class Addressee(NamedTuple):
    """One agent whom a notice is for."""

    name: str
    read_at: datetime | None
    """None: not yet."""


def unread_notices(store: "Store", *, agent: "Agent", now: datetime) -> tuple[Notice, ...]:
    """What the agent has not read yet: urgent ones first, then the oldest. One's own are not among them."""
    with store.read() as connection:
        rows = notices.unread_of(connection, agent.agent_id, now)
    return tuple(
        Notice(
            row.id, NoticeKind(row.kind), row.is_urgent, row.words, row.site_id, row.sender, row.sent_at, row.subject_id
        )
        for row in rows
    )  # fmt: skip


def acknowledge(store: "Store", notice_id: int, *, agent: "Agent", now: datetime) -> bool:
    """The agent has read a notice; kept with its time, and journalled. False where that was known already."""
    with store.write() as connection:
        is_new = notices.mark_read(connection, notice_id, agent.agent_id, now)
        if is_new:
            _journal(connection, agent, "notice.read", notice_id, {}, now)
    return is_new


@needs(Right.LEAD_ROOM)
def send_message(
    store: "Store",
    words: str,
    *,
    agent: "Agent",
    now: datetime,
    is_urgent: bool = False,
    site_id: str | None = None,
    to_login: str = "",
    uid: str = "",
) -> int:
    """Write to one agent, to those of a site, or to all; gives the notice's id.

    Args:
        is_urgent: it stays on the screen until it is acknowledged.
        uid: made by the caller, so that a retry whose answer was lost sends nothing twice.

    Raises:
        NotAllowed: no supervisor.
        RuleBroken: no words, too many, no such site or agent.
    """
    said = clean(words).text
    if not said or len(said) > LONGEST_NOTICE:
        raise RuleBroken(_("A message has 1 to {most} characters.").format(most=LONGEST_NOTICE))
    if site_id is not None and site_id not in reference_of(store).sites:
        raise RuleBroken(_("There is no site '{site}'.").format(site=site_id))
    with store.write() as connection:
        to = agents.find_agent(connection, to_login) if to_login else None
        if to_login and (to is None or not to["is_active"]):
            raise RuleBroken(_("'{login}' is no active agent of this desk.").format(login=to_login))
        return tell(
            connection, said, NoticeKind.MESSAGE, agent=agent, now=now, is_urgent=is_urgent, site_id=site_id,
            to_agent_id=to["id"] if to else None, uid=uid,
        )  # fmt: skip


def tell(
    connection: "Connection",
    words: str,
    kind: NoticeKind,
    *,
    agent: "Agent",
    now: datetime,
    is_urgent: bool,
    site_id: str | None = None,
    to_agent_id: int | None = None,
    subject_id: object = "",
    uid: str = "",
) -> int:
    """Send a notice inside the transaction of what it tells of, and journal it."""
    row: dict[str, Any] = {
        "uid": uid or uuid.uuid4().hex, "kind": kind.value, "is_urgent": is_urgent, "words": _cut(words),
        "subject_id": str(subject_id), "site_id": site_id, "to_agent_id": to_agent_id, "sent_by": agent.agent_id,
        "sent_at": now, "until": now + SHOWN_FOR[kind],
    }  # fmt: skip
    number = notices.send(connection, row)
    detail = {"kind": kind.value, "urgent": is_urgent, "site_id": site_id, "to": to_agent_id, "words": row["words"]}
    _journal(connection, agent, "notice.sent", number, detail, now)
    return number


def _cut(words: str) -> str:
    """What a notice can hold of an instruction; the whole stands on the screens that read it out."""
    return words if len(words) <= LONGEST_NOTICE else words[: LONGEST_NOTICE - 1] + "…"


@needs(Right.LEAD_ROOM)
def sent_notices(store: "Store", *, agent: "Agent", now: datetime, hours: int = 24) -> tuple[SentNotice, ...]:
    """What was sent in the last hours, the newest first, with how many have read it."""
    with store.read() as connection:
        rows = notices.sent_since(connection, now - timedelta(hours=hours))
        addressed = notices.addressed(connection, [row.id for row in rows])
    of = Counter(number for number, _name, _read_at in addressed)
    read = Counter(number for number, _name, read_at in addressed if read_at is not None)
    return tuple(
        SentNotice(
            row.id, NoticeKind(row.kind), row.is_urgent, row.words, row.site_id, row.to_agent_id, row.sender,
            row.sent_at, read[row.id], row.receiver or "", of[row.id],
        )
        for row in rows
    )  # fmt: skip


def addressees(store: "Store", notice_id: int) -> tuple[Addressee, ...]:
    """Whom a notice is for and when each has read it: those who have, the first one first, then those who have not."""
    with store.read() as connection:
        return tuple(Addressee(name, at) for _number, name, at in notices.addressed(connection, [notice_id]))


def _journal(
    connection: "Connection", agent: "Agent", action: str, notice_id: int, detail: Mapping[str, Any], now: datetime
) -> None:
    journal.append(
        connection, agent=agent.login, action=action, subject="notice", subject_id=notice_id, detail=detail, now=now
    )
