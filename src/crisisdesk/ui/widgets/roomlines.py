"""The room in words: who is signed in, doing what since when, holding what; what was sent and who has read it."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from crisisdesk.desk.roomwords import ROLE_WORDS, STATE_WORDS, minutes_words, state_words
from crisisdesk.domain.words import WorkState
from crisisdesk.i18n import _, ngettext
from crisisdesk.ui.format import show_moment, show_time
from crisisdesk.ui.session import Session
from crisisdesk.ui.widgets.table import Cell, Column, Row

if TYPE_CHECKING:
    from crisisdesk.desk.notices import Addressee, SentNotice
    from crisisdesk.desk.sessions import Seat

WIDE = 110
"""From so many cells on a line also shows the role and where its agent came from."""
STEP, EXACT = timedelta(minutes=5), timedelta(minutes=20)
"""Minutes are exact at first, then go in steps. A typed key is told to the desk every five minutes: a shorter silence
is none."""
TONES = {WorkState.READY: "accent", WorkState.PAUSE: "muted", WorkState.AWAY: "muted"}


def room_columns(width: int) -> list[Column]:
    """The columns for a screen of that many cells."""
    columns = [
        Column("name", _("Agent"), 0), Column("doing", _("Does"), 23), Column("site", _("Site"), 11),
        Column("holds", _("Holds"), 13), Column("drafts", _("Drafts"), 6, right=True),
        Column("quiet", _("No key"), 7, right=True),
    ]  # fmt: skip
    if width >= WIDE:
        columns[1:1] = [Column("role", _("Role"), 11)]
        columns += [Column("origin", _("Came from"), 24)]
    return columns


def seat_row(seat: "Seat", session: Session, now: datetime, width: int) -> Row:
    """One agent who is signed in."""
    doing = Cell(_spanned(state_words(seat.state, seat.reason), now - seat.state_at), TONES.get(seat.state, ""))
    if seat.is_gone:
        doing = Cell(_spanned(_("✗ gone"), now - seat.seen_at), "warn")
    quiet = now - seat.seen_at
    cells: list[str | Cell] = [
        seat.name, doing, session.site_name(seat.site_id) or Cell(_("(all)"), "muted"), held_words(seat, session, now),
        str(seat.drafts or "·"), minutes_words(quiet - quiet % STEP) if quiet >= STEP else "",
    ]  # fmt: skip
    if width >= WIDE:
        cells[1:1] = [_(ROLE_WORDS[seat.role])]
        cells.append(seat.origin)
    return Row(str(seat.session_id), cells)


def held_words(seat: "Seat", session: Session, now: datetime) -> str | Cell:
    """The callback that an agent holds, and until when: "34 → 14:40"; one whose time is over holds nothing back."""
    if seat.callback_id is None or seat.lease_until is None:
        return ""
    if seat.lease_until <= now:
        return Cell(_("{number}, over").format(number=seat.callback_id), "muted")
    return f"{seat.callback_id} → {show_time(seat.lease_until, session)}"


def seat_words(seat: "Seat", session: Session, now: datetime) -> str:
    """What does not fit on a line."""
    drafts = ngettext("{count} draft kept", "{count} drafts kept", seat.drafts).format(count=seat.drafts)
    facts = [
        f"{seat.name} ({seat.login})", _(ROLE_WORDS[seat.role]),
        _("signed in {moment}").format(moment=show_moment(seat.signed_in_at, session)),
        _("from {origin}").format(origin=seat.origin) if seat.origin else "",
        _("so since {moment}").format(moment=show_moment(seat.state_at, session)),
        _("last key {moment}").format(moment=show_moment(seat.seen_at, session)),
        drafts if seat.drafts else "",
    ]  # fmt: skip
    if seat.is_gone:
        facts.append(_("the line dropped: signing in again goes on, nobody is asked"))
    return " · ".join(fact for fact in facts if fact)


def count_words(seats: Sequence["Seat"], session: Session) -> tuple[str, str]:
    """How many do what, and how many are where. Those who are gone do nothing any more."""
    there = [seat for seat in seats if not seat.is_gone]
    states = Counter(seat.state for seat in there)
    words = [f"{_(STATE_WORDS[state])} {states[state]}" for state in WorkState]
    if gone := len(seats) - len(there):
        words.append(_("gone {count}").format(count=gone))
    sites = Counter(seat.site_id for seat in there)
    places = [f"{session.site_name(site_id)} {sites[site_id]}" for site_id in session.reference.sites if sites[site_id]]
    places += [_("all sites {count}").format(count=sites[None])] if sites[None] else []
    return " · ".join(words), " · ".join(places)


def _spanned(words: str, span: timedelta) -> str:
    return " ".join(part for part in (words, minutes_words(_coarse(span))) if part)


def _coarse(span: timedelta) -> timedelta:
    """Whole minutes at first, then steps of five: a list of fifty agents would else write fifty numbers a minute."""
    return span if span < EXACT else span - span % STEP


# ------------------------------------------------------------------ what was sent


def sent_columns() -> list[Column]:
    """The columns of what was sent."""
    return [
        Column("at", _("Sent"), 6), Column("by", _("By"), 12), Column("to", _("To"), 14),
        Column("read", _("Read by"), 10), Column("words", _("Words"), 0),
    ]  # fmt: skip


def sent_row(notice: "SentNotice", session: Session) -> Row:
    """One notice, with how many of those it is for have read it."""
    to = notice.to_name or session.site_name(notice.site_id) or _("everybody")
    read = _("{count} of {all}").format(count=notice.readers, all=notice.addressees)
    tone = "warn" if notice.is_urgent and notice.readers < notice.addressees else ""
    words = "⚠ " + notice.words if notice.is_urgent else notice.words
    cells = (show_moment(notice.sent_at, session), notice.sender, to, Cell(read, tone), words)
    return Row(str(notice.notice_id), cells)


def reader_words(found: Sequence["Addressee"], session: Session) -> tuple[str, str]:
    """Who has read a notice and when, and who has not."""
    read = [f"{one.name} {show_moment(one.read_at, session)}" for one in found if one.read_at is not None]
    missing = [one.name for one in found if one.read_at is None]
    return ", ".join(read) or _("nobody yet"), ", ".join(missing) or _("nobody")
