"""A forecast in sentences: the range, what decides it, what one more changes, then each assumption with its counts."""

from collections.abc import Sequence
from datetime import date
from math import ceil
from typing import TYPE_CHECKING

from crisisdesk.desk import wording
from crisisdesk.desk.forecasting import MEASURED_DAYS, Forecast
from crisisdesk.desk.openingwords import limit_label, row_words
from crisisdesk.domain.forecast import CALLS, PLACES, Outlook, Range, Span
from crisisdesk.i18n import _, current_language, ngettext

if TYPE_CHECKING:
    from crisisdesk.domain.reference import Reference


def forecast_lines(found: Forecast, reference: "Reference") -> Sequence[str]:
    """The forecast in full, most important first; each line is a sentence."""
    return [headline(found, reference), *more_lines(found, reference), *assumptions(found, reference)]


def headline(found: Forecast, reference: "Reference") -> str:
    """The expected date, and what decides it."""
    if not found.operations:
        return _("Nobody waits for this service: the queue is empty.")
    words = _("Queue empty {span}; {bottleneck} decides.")
    return words.format(span=span_words(found.now.empty), bottleneck=_bottleneck(found.now, reference))


def more_lines(found: Forecast, reference: "Reference") -> Sequence[str]:
    """The backlog, each bottleneck alone, and what one more room or agent changes."""
    if not found.operations:
        return []
    backlog = ", ".join(f"{_priority(code, reference)} {count}" for code, count in _sorted(found))
    lines = [_("Owed: {count} ({backlog}).").format(count=found.operations, backlog=backlog)]
    for name, span in found.now.by.items():
        words = _("By {bottleneck} alone: {span}.")
        lines.append(words.format(bottleneck=_name(name, reference), span=span_words(span)))
    one_room = _("One more room (+{count} a day): {span}.") if found.row.rooms else _("One more place a day: {span}.")
    lines.append(one_room.format(count=found.more_places, span=_change(found.now, found.with_room)))
    lines.append(_("One more agent: {span}.").format(span=_change(found.now, found.with_agent)))
    return lines


def assumptions(found: Forecast, reference: "Reference") -> Sequence[str]:
    """What the range rests on: each with its numerator and denominator, or marked as assumed."""
    if not found.operations:
        return []
    stage = _("not confirmed yet") if found.is_planned else _("as confirmed")
    told = ngettext("{count} place is told", "{count} places are told", found.booked).format(count=found.booked)
    words = _("Opening {stage}: {row}; {told}.")
    lines = [words.format(stage=stage, row=row_words(found.row, reference), told=told)]
    lines.append(_share_words(found.contact, _("Attempts that reach the patient"), _("attempts of {days} days")))
    lines.append(_share_words(found.accepted, _("Places that are accepted"), _("decided in {days} days")))
    lines.append(_calls_words(found))
    part, whole = found.share
    if whole > part:
        words = _("Share of the site's calls for this service: {part} of {whole} owed ({percent} %).")
        lines.append(words.format(part=part, whole=whole, percent=round(100 * part / whole)))
    for code, count in found.needing.items():
        words = _("Need {limit}: {part} of {whole}, by the words of their procedure.")
        lines.append(words.format(limit=limit_label(code, reference), part=count, whole=found.operations))
    lines.append(_("Weekends and public holidays are off unless opened; calls begin today; nobody new is counted."))
    return lines


def span_words(span: Span) -> str:
    """A range of days: "between 21/06/2022 and 05/07/2022"."""
    earliest, latest = span.earliest, span.latest
    if earliest is None:
        return _("not within a year")
    if latest is None:
        return _("from {earliest}, or not within a year").format(earliest=_day(earliest))
    if earliest == latest:
        return _("on {day}").format(day=_day(earliest))
    return _("between {earliest} and {latest}").format(earliest=_day(earliest), latest=_day(latest))


def _day(day: date) -> str:
    return wording.long_day(day)


def _change(before: Outlook, after: Outlook) -> str:
    if after.empty == before.empty:
        return _("changes nothing")
    if before.empty.latest is None or after.empty.latest is None:
        return span_words(after.empty)
    gained = (before.empty.latest - after.empty.latest).days
    days = ngettext("{count} day sooner at the latest", "{count} days sooner at the latest", gained)
    return f"{span_words(after.empty)}, {days.format(count=gained)}"


def _bottleneck(outlook: Outlook, reference: "Reference") -> str:
    return _name(outlook.bottleneck, reference)


def _name(code: str, reference: "Reference") -> str:
    if code == PLACES:
        return _("the number of places")
    if code == CALLS:
        return _("the number of calls")
    return _("the limit '{name}'").format(name=limit_label(code, reference))


def _sorted(found: Forecast) -> Sequence[tuple[str | None, int]]:
    return sorted(found.backlog.items(), key=lambda pair: pair[0] or "P9")


def _priority(code: str | None, reference: "Reference") -> str:
    return code or reference.label("priority", "uncoded", current_language()).split("·")[0].strip()


def _share_words(share: Range, what: str, counted: str) -> str:
    low, high = round(100 * share.low), round(100 * share.high)
    counts = counted.format(days=MEASURED_DAYS)
    if share.is_assumed:
        words = _("{what}: ASSUMED {low} to {high} % (only {part} of {whole} {counted}).")
    else:
        words = _("{what}: {low} to {high} %, measured ({part} of {whole} {counted}).")
    return words.format(what=what, low=low, high=high, part=share.part, whole=share.whole, counted=counts)


def _calls_words(found: Forecast) -> str:
    calls, low, high = found.calls_per_agent, round(found.calls_per_agent.low), round(found.calls_per_agent.high)
    shown = f"{found.agents:.1f}".removesuffix(".0")
    agents = ngettext("{count} agent rings", "{count} agents ring", ceil(found.agents)).format(count=shown)
    if calls.is_assumed:
        words = _("Calls: ASSUMED {low} to {high} a day an agent (only {part} in {days} days); {agents}.")
        return words.format(low=low, high=high, part=calls.part, days=MEASURED_DAYS, agents=agents)
    words = _("Calls: {low} to {high} a day an agent, measured ({part} in {whole} agent-days); {agents} a day.")
    return words.format(low=low, high=high, part=calls.part, whole=calls.whole, agents=agents)
