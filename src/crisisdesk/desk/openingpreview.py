"""What a change of a service would do, or did, in the words of those who decide it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING

from crisisdesk.desk import wording
from crisisdesk.desk.openingwords import limit_label, row_words
from crisisdesk.desk.releasing import SHOWN, Consequence
from crisisdesk.domain.opening import History, OpeningRow, read_history
from crisisdesk.domain.words import OpeningStage, OpeningState
from crisisdesk.i18n import _, ngettext

if TYPE_CHECKING:
    from crisisdesk.domain.reference import Reference


@dataclass(frozen=True, slots=True)
class FirstReleased:
    """One of the first callbacks that are released."""

    name: str
    why: str
    """Why it stands there."""
    slots: Sequence[date]
    """Days that it will be offered, if everybody before it takes the first one."""


@dataclass(frozen=True, slots=True)
class ToldAgain:
    """A patient who was told a day that no longer holds."""

    name: str
    told_on: date
    now_on: date | None
    """First day from the told one on that has room for this patient now; None: none is known."""


@dataclass(frozen=True, slots=True)
class OpeningPreview:
    """What confirming would do; `confirm_opening` gives the same with what it did."""

    service_id: int
    row: OpeningRow
    released: int
    """Callbacks that may then be rung and wait now."""
    first: Sequence[FirstReleased]
    """The first ten of them."""
    staying: int
    """Callbacks that go on waiting."""
    stay_reasons: Sequence[str]
    empty_on: date | None
    """Working day on which the last of the service's backlog has a place, at this capacity; None: never or unknown."""
    withdrawn: Sequence[ToldAgain]
    called_back: int
    """Callbacks not rung yet that then wait again."""
    notes: Sequence[str] = ()
    """What a supervisor should know before deciding: an earlier day, a plan that stands, nothing owed."""


def preview_of(
    row: OpeningRow, before: History, consequence: Consequence, reference: "Reference", today: date
) -> OpeningPreview:
    """A consequence in words. ``before``: the history without the row."""
    first = [
        FirstReleased(
            wording.patient_name(one.last_name, one.first_name),
            wording.why_here(one.why, one.tier, one.due_at, reference), days,
        )
        for one, days in zip(consequence.released[:SHOWN], consequence.offered, strict=True)
    ]  # fmt: skip
    withdrawn = [
        ToldAgain(wording.patient_name(told.last_name, told.first_name), told.slot_on, now_on)
        for told, now_on in consequence.withdrawn
    ]
    staying = consequence.without_place + sum(consequence.kept_back.values())
    return OpeningPreview(
        row.service_id, row, len(consequence.released), first, staying,
        _stay_words(consequence, reference, is_plan=_is_plan_only(row, before)),
        consequence.empty_on, withdrawn, len(consequence.called_back),
        _notes(row, before, consequence, reference, today),
    )  # fmt: skip


def _is_plan_only(row: OpeningRow, before: History) -> bool:
    """Whether a row changes a plan of a service that has no place yet: then nothing can be released."""
    is_of_plan = row.stage == OpeningStage.REVISED and before.planned is not None
    return is_of_plan and not any(one.places for one in before.confirmed)


def _stay_words(consequence: Consequence, reference: "Reference", *, is_plan: bool) -> Sequence[str]:
    words = []
    if consequence.without_place and is_plan:
        words.append(_("{count}: a plan releases nobody, confirming it does").format(count=consequence.without_place))
    elif consequence.without_place:
        reserve = consequence.reserve_percent
        sentence = _("{count}: no free place in the next {days} working days")
        if reserve:
            sentence = _("{count}: no free place in the next {days} working days, nor in the reserve of {percent} %")
        words.append(sentence.format(count=consequence.without_place, days=consequence.days_ahead, percent=reserve))
    for code, count in consequence.short_of.items():
        words.append(
            _("{count} of them: {limit}, its places are used up").format(
                count=count, limit=limit_label(code, reference)
            )
        )
    for one, code in consequence.staying:
        name = wording.patient_name(one.last_name, one.first_name)
        why = limit_label(code, reference) if code else wording.why_here(one.why, one.tier, one.due_at, reference)
        words.append(_("next of those who stay: {name} ({why})").format(name=name, why=why))
    for hold, count in sorted(consequence.kept_back.items()):
        words.append(_("{count}: {reason}").format(count=count, reason=wording.reason_words(hold)))
    return words


def _notes(
    row: OpeningRow, before: History, consequence: Consequence, reference: "Reference", today: date
) -> Sequence[str]:
    notes = []
    old = before.newest
    if row.stage == OpeningStage.REVISED and old is not None and row.opens_on < old.opens_on:
        notes.append(
            _("Earlier than before: {new} instead of {old}. Nobody loses a place; more patients may be rung.").format(
                new=wording.day_words(row.opens_on), old=wording.day_words(old.opens_on)
            )
        )
    planned = before.planned
    if row.stage == OpeningStage.ACTUAL and planned is not None:
        stands = row.until_on is not None and (planned.until_on is None or not _meet(row, planned))
        words = _("The plan stands beside it: {plan}.") if stands else _("It takes the place of the plan: {plan}.")
        if (row.opens_on, row.state) != (planned.opens_on, planned.state):
            notes.append(words.format(plan=row_words(planned, reference)))
    notes += [
        _("It overlaps what is confirmed: {row}. On those days the new one holds.").format(
            row=row_words(other, reference)
        )
        for other in before.confirmed
        if row.stage == OpeningStage.ACTUAL and _is_coming(other, today) and _meet(row, other)
    ]
    notes += [
        _("On its days this stays as it is: {row}.").format(row=row_words(one, reference))
        for one in _untouched(row, before, today)
    ]
    is_nobody_left = not (consequence.released or consequence.without_place or consequence.withdrawn)
    if not consequence.owed:
        notes.append(_("Nobody waits for this service: no callback is released."))
    elif is_nobody_left and row.state != OpeningState.CLOSED and not consequence.kept_back:
        notes.append(_("All callbacks of this service may be rung already."))
    if consequence.called_back:
        count = len(consequence.called_back)
        words = ngettext(
            "{count} released callback that nobody has rung yet waits again.",
            "{count} released callbacks that nobody has rung yet wait again.",
            count,
        )
        notes.append(words.format(count=count))
    return notes


def _untouched(row: OpeningRow, before: History, today: date) -> Sequence[OpeningRow]:
    """Rows with an end that a revision without one leaves in force among its days."""
    if row.stage != OpeningStage.REVISED or row.until_on is not None or before.planned is not None:
        return ()
    # What was confirmed stands as it was added up; only the revision is still to be read.
    rows = [*(replace(one, stage=OpeningStage.ACTUAL) for one in before.confirmed), row]
    after = read_history(rows)
    return [one for one in after.confirmed if one.until_on is not None and after.on(max(one.opens_on, today)) is one]


def _is_coming(row: OpeningRow, today: date) -> bool:
    """Rows that begin later, or have an end that is to come: those that somebody may have forgotten."""
    return row.opens_on > today or (row.until_on is not None and row.until_on >= today)


def _meet(one: OpeningRow, other: OpeningRow) -> bool:
    starts = max(one.opens_on, other.opens_on)
    return all(row.until_on is None or starts <= row.until_on for row in (one, other))


def preview_sentences(seen: OpeningPreview, *, is_only_preview: bool) -> Sequence[str]:
    """A preview line by line: how many, what to know, who first and why with the days offered, who stays, who loses."""
    if is_only_preview:
        words = ngettext("{count} callback would be released.", "{count} callbacks would be released.", seen.released)
    else:
        words = ngettext("{count} callback is released.", "{count} callbacks are released.", seen.released)
    lines = [words.format(count=seen.released), *seen.notes]
    for one in seen.withdrawn:
        lines.append(told_again_words(one))
    for place, first in enumerate(seen.first, 1):
        lines.append(f"{place:>2} {first.name}: {first.why}{offered_words(first)}")
    lines += [_("Stays: {reason}").format(reason=reason) for reason in seen.stay_reasons]
    if seen.empty_on:
        lines.append(_("Backlog has its places by {day}.").format(day=wording.long_day(seen.empty_on)))
    elif seen.row.state != OpeningState.CLOSED:
        lines.append(_("No date can be given for the whole backlog."))
    return lines


def offered_words(first: FirstReleased) -> str:
    """The days that one of the first will be offered: " → Tue 07/06, Wed 08/06"; empty where there is none."""
    return f" → {', '.join(wording.day_words(day) for day in first.slots)}" if first.slots else ""


def told_again_words(one: ToldAgain) -> str:
    """Who lost a told day: "MARTIN Luc: told Thu 02/06, now Tue 07/06: to be rung first"."""
    told = wording.day_words(one.told_on)
    if one.now_on is None:
        return _("{name}: told {told}, no day known yet: to be rung first").format(name=one.name, told=told)
    return _("{name}: told {told}, now {now}: to be rung first").format(
        name=one.name, told=told, now=wording.day_words(one.now_on)
    )
