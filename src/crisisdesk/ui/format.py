"""Times, dates and phones as the agent reads them: the desk's wall clock, the agent's language."""

from datetime import date, datetime

from crisisdesk import clock
from crisisdesk.domain.phone import group_phone
from crisisdesk.i18n import N_, _
from crisisdesk.ui.inert import inert_line
from crisisdesk.ui.session import Session

_DAYS = (N_("Mon"), N_("Tue"), N_("Wed"), N_("Thu"), N_("Fri"), N_("Sat"), N_("Sun"))


def show_time(instant: datetime, session: Session) -> str:
    """Hours and minutes: "14:32"."""
    return clock.to_local(instant, session.zone).strftime("%H:%M")


def show_time_seconds(instant: datetime, session: Session) -> str:
    """When something was saved: "14:32:05"."""
    return clock.to_local(instant, session.zone).strftime("%H:%M:%S")


def show_date(day: date | None) -> str:
    """A whole date, "12/03/1958"; empty for None."""
    return f"{day.day:02}/{day.month:02}/{day.year:04}" if day else ""


def show_day(day: date | None) -> str:
    """A day of these weeks, "Fri 03/06"; empty for None."""
    return f"{_(_DAYS[day.weekday()])} {day.day:02}/{day.month:02}" if day else ""


def show_moment(instant: datetime | None, session: Session) -> str:
    """The time alone today, with its day otherwise: "14:32", "Fri 03/06 14:32"; empty for None."""
    if instant is None:
        return ""
    local = clock.to_local(instant, session.zone)
    today = clock.local_day(session.now(), session.zone)
    return f"{local:%H:%M}" if local.date() == today else f"{show_day(local.date())} {local:%H:%M}"


def show_since(instant: datetime, session: Session) -> str:
    """How long ago: "just now", "3 min ago", "2 h ago", "4 d ago"."""
    minutes = int((session.now() - instant).total_seconds() // 60)
    if minutes < 1:
        return _("just now")
    if minutes < 60:
        return _("{count} min ago").format(count=minutes)
    if minutes < 48 * 60:
        return _("{count} h ago").format(count=minutes // 60)
    return _("{count} d ago").format(count=minutes // (24 * 60))


def show_phone(number: str | None, session: Session) -> str:
    """A stored number as people read it aloud: "063 23 11 11"; empty for None."""
    return inert_line(group_phone(number, session.home_region)) if number else ""


def show_age(born: date | None, session: Session) -> str:
    """Age in whole years: "64 y"; empty for None."""
    if born is None:
        return ""
    today = clock.local_day(session.now(), session.zone)
    years = today.year - born.year - ((today.month, today.day) < (born.month, born.day))
    return _("{years} y").format(years=years)
