"""What a disposition leads to, as a rule in words: what a supervisor reads before changing it."""

from datetime import timedelta

from crisisdesk.desk.wording import review_words
from crisisdesk.domain.reference import DeskInfo, Disposition
from crisisdesk.domain.words import NextStep, Reach
from crisisdesk.i18n import N_, _, joined, ngettext


def span_words(span: timedelta) -> str:
    """A span in words: "3 h", "2 days"."""
    minutes = int(span.total_seconds()) // 60
    if minutes and minutes % 1440 == 0:
        days = minutes // 1440
        return ngettext("{count} day", "{count} days", days).format(count=days)
    if minutes and minutes % 60 == 0:
        return _("{count} h").format(count=minutes // 60)
    return _("{count} min").format(count=minutes)


_PLAIN = {
    NextStep.CLOSE: N_("ends; what is not settled waits for its opening"),
    NextStep.AT_TIME: N_("at the moment that was asked for"),
    NextStep.CONFIRM: N_("all stops; a second agent confirms"),
    NextStep.OPENING: N_("waits for the opening of the service"),
}


def rule_words(row: Disposition, desk: DeskInfo) -> str:
    """The rule of a disposition in words, caps included: read from the columns that `domain.retry` reads."""
    return joined([_step_words(row, desk), *_cap_words(row, desk)])


def _step_words(row: Disposition, desk: DeskInfo) -> str:
    rest = span_words(max(row.delay or timedelta(0), timedelta(seconds=desk.rest_seconds)))
    if row.next_step == NextStep.RETRY:
        again = _("again after {span}").format(span=rest)
        return _("{again}, in another part of the day").format(again=again) if row.other_part_of_day else again
    if row.next_step == NextStep.NEXT_NUMBER:
        return _("next number after {span}, else number search").format(span=rest)
    if row.next_step == NextStep.ESCALATE:
        return _("first of all, again after {span}").format(span=rest)
    if row.next_step == NextStep.REVIEW:
        return review_words(row.channel)
    return _(_PLAIN[row.next_step])


def _cap_words(row: Disposition, desk: DeskInfo) -> list[str]:
    words = []
    if row.cap_a_day is not None:
        words.append(_("{count} a number and day").format(count=row.cap_a_day))
    if row.next_step == NextStep.RETRY and row.cap is not None:
        is_reached = row.reach == Reach.PATIENT
        channel = None if is_reached else next(iter(desk.channels), None)
        words.append(_("after {count}: {next}").format(count=row.cap, next=review_words(channel)))
    if row.needs_permission:
        words.append(_("only with the patient's permission"))
    return words
