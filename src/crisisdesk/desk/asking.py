"""What a patient asks of a day, written down while it is said: needs, wishes, short notice. All of it is journalled."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from crisisdesk.clock import local_day
from crisisdesk.desk import slotwords
from crisisdesk.desk.booking import Asked, asked_of, diary_of, needs_with_words
from crisisdesk.desk.rights import needs
from crisisdesk.desk.rules import reference_of
from crisisdesk.domain.datewish import LONGEST_WISH, DateWish, read_date_wish
from crisisdesk.domain.rights import Right
from crisisdesk.domain.slots import LIMIT
from crisisdesk.domain.text import clean
from crisisdesk.errors import RuleBroken
from crisisdesk.i18n import _
from crisisdesk.store import bookings, journal
from crisisdesk.store.bookings import AskedRow

if TYPE_CHECKING:
    from crisisdesk.desk.agents import Agent
    from crisisdesk.domain.reference import Reference
    from crisisdesk.store.engine import Connection, Store

LONGEST_REASON = 500


def asked_by_patient(store: "Store", postponement_id: int) -> Asked:
    """What one postponement asks of a day.

    Raises:
        RuleBroken: no such postponement.
    """
    reference = reference_of(store)
    with store.read() as connection:
        return asked_of(_row(connection, postponement_id), reference)


@needs(Right.BOOK)
def set_wish(store: "Store", postponement_id: int, text: str, *, agent: "Agent", now: datetime) -> DateWish:
    """Write down on which days a patient can come, as typed; empty takes the wish away. Gives what was understood.

    What is not understood to its last word is kept as words, and shown; no day is chosen by it.

    Raises:
        RuleBroken: an auditor; no such postponement, or it is settled; too long.
    """
    words = clean(text).text
    if len(words) > LONGEST_WISH:
        raise RuleBroken(_("A wish has {most} characters at most.").format(most=LONGEST_WISH))
    reference = reference_of(store)
    wish = read_date_wish(words, local_day(now, reference.desk.time_zone))
    with store.write() as connection:
        row = _open_row(connection, postponement_id)
        _store(connection, row, "wish", dict(row.wish), wish.as_detail(), "", agent, now)
    return wish


@needs(Right.BOOK)
def set_reserve(store: "Store", postponement_id: int, is_reserve: bool, *, agent: "Agent", now: datetime) -> None:
    """Write down that a patient comes at short notice, or no longer.

    Raises:
        RuleBroken: an auditor; no such postponement, or it is settled.
    """
    with store.write() as connection:
        row = _open_row(connection, postponement_id)
        _store(connection, row, "is_reserve", row.is_reserve, is_reserve, "", agent, now)


def keep_asked(
    connection: "Connection",
    postponement_ids: Sequence[int],
    days: str,
    short_notice: bool | None,
    reference: "Reference",
    agent: "Agent",
    now: datetime,
) -> None:
    """Store what was said in an attempt of all that is still unsettled; nothing said leaves it as it was."""
    words = clean(days).text
    if len(words) > LONGEST_WISH:
        raise RuleBroken(_("A wish has {most} characters at most.").format(most=LONGEST_WISH))
    if not words and short_notice is None:
        return
    wish = read_date_wish(words, local_day(now, reference.desk.time_zone)).as_detail()
    for row in bookings.asked_rows(connection, postponement_ids).values():
        if words and row.is_unsettled:
            _store(connection, row, "wish", dict(row.wish), wish, "", agent, now)
        if short_notice is not None and row.is_unsettled:
            _store(connection, row, "is_reserve", row.is_reserve, short_notice, "", agent, now)


@needs(Right.BOOK)
def set_needs(
    store: "Store",
    postponement_id: int,
    codes: Sequence[str] | None,
    *,
    reason: str,
    agent: "Agent",
    now: datetime,
) -> tuple[str, ...]:
    """Say which limits a patient takes one of, whatever the words of the list; None: follow the words again.

    A place that was told keeps its day: its needs change with it where the day has room for them.

    Raises:
        RuleBroken: an auditor; no reason; an unknown limit; no such postponement; the told day has none left of it.
    """
    why = clean(reason).text
    if not why or len(why) > LONGEST_REASON:
        raise RuleBroken(_("Say who decided it and why, {most} characters at most.").format(most=LONGEST_REASON))
    reference = reference_of(store)
    unknown = [code for code in codes or () if code not in reference.capacity_limits]
    if unknown:
        known = ", ".join(reference.capacity_limits)
        raise RuleBroken(_("There is no limit '{code}'. Known: {known}.").format(code=unknown[0][:40], known=known))
    with store.write() as connection:
        row = _row(connection, postponement_id)
        stored = None if codes is None else [code for code in reference.capacity_limits if code in codes]
        needs = needs_with_words(replace(row, needs=stored), reference)
        _change_told(connection, row, needs, reference, now)
        _store(connection, row, "needs", row.needs, stored, why, agent, now)
    return needs


def _change_told(
    connection: "Connection", row: AskedRow, needs: tuple[str, ...], reference: "Reference", now: datetime
) -> None:
    """The place that was told takes what is needed now, if its day still has it."""
    told = bookings.told_booking_of(connection, row.postponement_id)
    if told is None or row.service_id is None or row.service_id not in reference.services:
        return
    booking_id, day = told
    held = bookings.booking_row(connection, booking_id)
    added = [code for code in needs if held is not None and code not in held.needs]
    diary = diary_of(connection, row.service_id, reference, min(day, local_day(now, reference.desk.time_zone)))
    if code := diary.used_up(day, added):
        service = reference.services[row.service_id].name
        sentence = slotwords.refusal(LIMIT + code, day, diary, service, reference)
        raise RuleBroken(_("{sentence} Move or cancel this patient's booking first.").format(sentence=sentence))
    bookings.set_booking_needs(connection, booking_id, needs)


def _row(connection: "Connection", postponement_id: int) -> AskedRow:
    row = bookings.asked_rows(connection, [postponement_id]).get(postponement_id)
    if row is None:
        raise RuleBroken(_("There is no postponement {number}.").format(number=postponement_id))
    return row


def _open_row(connection: "Connection", postponement_id: int) -> AskedRow:
    row = _row(connection, postponement_id)
    if not row.is_unsettled:
        raise RuleBroken(
            _("Postponement {number} is settled: nothing is asked of a day.").format(number=postponement_id)
        )
    return row


def _store(
    connection: "Connection",
    row: AskedRow,
    column: str,
    old: Any,
    new: Any,
    reason: str,
    agent: "Agent",
    now: datetime,
) -> None:
    if old == new:
        return
    bookings.set_asked(connection, row.postponement_id, {column: new})
    detail = {column: [old, new], "patient_id": row.patient_id} | ({"reason": reason} if reason else {})
    journal.append(
        connection, agent=agent.login, action="postponement.asked", subject="postponement",
        subject_id=row.postponement_id, detail=detail, now=now,
    )  # fmt: skip
