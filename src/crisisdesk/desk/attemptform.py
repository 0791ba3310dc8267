"""An attempt as its agent ends it: the form, what is wrong with it by itself, and what recording it gives back."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time
from typing import TYPE_CHECKING

from crisisdesk.desk.wording import moment_words
from crisisdesk.domain.phone import read_phones
from crisisdesk.domain.reference import Disposition, Reference
from crisisdesk.domain.retry import FollowUp
from crisisdesk.domain.schedule import calendar_of, next_calling_time
from crisisdesk.domain.wishes import Wish
from crisisdesk.domain.words import Coverage, NextStep, PartOfDay, Reach, Scope
from crisisdesk.errors import RuleBroken
from crisisdesk.i18n import _, current_language

if TYPE_CHECKING:
    from crisisdesk.desk.agents import Agent
    from crisisdesk.store.engine import Store

LONGEST_NOTE = 2000


@dataclass(frozen=True, slots=True)
class ItemResult:
    """What was settled for one postponement."""

    code: str
    """Disposition of scope item."""
    slot_on: date | None = None
    slot_time: time | None = None


@dataclass(frozen=True, slots=True)
class AttemptForm:
    """One attempt as the agent ends it."""

    uid: str
    """Made by the client: a save that is sent twice is stored once."""
    callback_id: int
    generation: int
    """Of the lease under which the patient was rung."""
    disposition: str
    number: str
    started_at: datetime
    ended_at: datetime | None = None
    note: str = ""
    asked: Wish | None = None
    """When the patient wants to be rung, where the disposition needs it."""
    items: Mapping[int, ItemResult] = field(default_factory=dict)
    """By postponement: of this callback, and of the same patient's open ones at other sites (one call settles all)."""
    days: str = ""
    """Days that suit a patient who goes on waiting, as typed; empty leaves an earlier wish as it was."""
    short_notice: bool | None = None
    """Whether the patient comes at short notice; None: nothing was said."""
    in_person: bool = False
    """The agent promised to ring in person at the moment that was asked for."""
    instruction_id: int | None = None
    was_read_out: bool = False


@dataclass(frozen=True, slots=True)
class NextPreview:
    """What a disposition would lead to."""

    follow: FollowUp
    words: str
    needs_note: bool
    needs_moment: bool
    needs_date: bool
    act_now: str = ""
    """What has to be done while the patient is on the line: the ways out of the red flags; empty for most."""


@dataclass(frozen=True, slots=True)
class RecordedAttempt:
    """An attempt that is safely stored."""

    attempt_id: int
    follow: FollowUp
    words: str
    is_repeat: bool = False
    """It was stored before; nothing was written now."""


def needs_moment(disposition: Disposition) -> bool:
    """Whether the patient has to name a time."""
    return disposition.next_step == NextStep.AT_TIME


def needs_date(disposition: Disposition) -> bool:
    """Whether a place is given with it."""
    return disposition.coverage == Coverage.REBOOKED


def disposition_of(reference: Reference, scope: Scope, code: str) -> Disposition:
    """The row of a disposition.

    Raises:
        RuleBroken: there is none of that code; names those there are.
    """
    found = reference.dispositions.get((scope, code))
    if found is None:
        known = ", ".join(row.code for row in reference.dispositions_of(scope))
        raise RuleBroken(_("There is no disposition '{code}'. Known: {known}.").format(code=code, known=known))
    return found


def check_attempt(form: AttemptForm, ends: Disposition, reference: Reference, now: datetime) -> AttemptForm:
    """The form with its number as the store writes it.

    Raises:
        RuleBroken: with all mistakes of the form at once.
    """
    wrong = []
    number = _read_number(form.number, reference)
    if form.number and not number:
        wrong.append(_("'{text}' is no telephone number").format(text=form.number[:40]))
    if not form.uid:
        wrong.append(_("the attempt has no key of its own (uid)"))
    label = reference.label("disposition.attempt", ends.code, current_language())
    if ends.needs_note and not form.note.strip():
        wrong.append(_("'{code}' needs a note: what was said?").format(code=label))
    if len(form.note) > LONGEST_NOTE:
        wrong.append(_("the note is longer than {most} characters").format(most=LONGEST_NOTE))
    if needs_moment(ends) and not _names_moment(form.asked):
        wrong.append(_("'{code}' needs a moment to come: when does the patient want to be rung?").format(code=label))
    if needs_moment(ends) and form.asked is not None and (words := _no_calls_then(form.asked, reference, now)):
        wrong.append(words)
    if form.started_at > now or (form.ended_at is not None and form.ended_at < form.started_at):
        wrong.append(_("the attempt begins after it ends"))
    if form.items and ends.reach != Reach.PATIENT:
        wrong.append(_("nothing is settled in an attempt in which the patient was not reached"))
    for postponement_id, result in form.items.items():
        item = disposition_of(reference, Scope.ITEM, result.code)
        if needs_date(item) and result.slot_on is None:
            wrong.append(_("item {number}: which day does the patient accept?").format(number=postponement_id))
        elif result.slot_on is not None and not needs_date(item):
            words = _("item {number}: a day goes with 'accepts the date' alone; leave it out, or choose that.")
            wrong.append(words.format(number=postponement_id))
    if needs_date(ends) and not any(result.slot_on for result in form.items.values()):
        wrong.append(_("'{code}' needs the day that the patient accepts").format(code=label))
    if wrong:
        raise RuleBroken("; ".join(wrong))
    return replace(form, number=number)


def _read_number(text: str, reference: Reference) -> str:
    """A number as it is stored (E.164), whether the card gave it or an agent typed it; empty where it is none."""
    if text.startswith("+") and text[1:].isdecimal():
        return text
    read = read_phones(text, reference.desk.country)
    return next(iter((*read.certain, *read.guessed)), "")


def _no_calls_then(asked: Wish, reference: Reference, now: datetime) -> str:
    """Why a window can never be kept: it is over, at night or on a day off; empty where somebody may ring in it."""
    first = next_calling_time(max(asked.not_before or now, now), calendar_of(reference.desk))
    if asked.until is None or first < asked.until:
        return ""
    at = moment_words(first, reference.desk.time_zone, now)
    return _("nobody rings at that time: agree on another one, from {moment} on").format(moment=at)


def _names_moment(asked: Wish | None) -> bool:
    return asked is not None and bool(asked.not_before or asked.until or asked.part_of_day != PartOfDay.ANY)


def keep_draft(store: "Store", form: AttemptForm, agent: "Agent", now: datetime) -> None:
    """What was typed outlives the lease that was lost. What the screen kept before is only added to."""
    from crisisdesk.desk.drafts import list_drafts, save_draft

    fields = {"callback_id": str(form.callback_id), "disposition": form.disposition, "note": form.note}
    if form.asked is not None and form.asked.words:
        fields["moment"] = form.asked.words
    for number, result in form.items.items():
        fields[f"item.{number}"] = result.code
        if result.slot_on is not None:
            fields[f"slot-{number}"] = result.slot_on.isoformat()
    kept = next((draft for draft in list_drafts(store, agent=agent) if draft.uid == form.uid), None)
    if kept is not None:
        fields, now = {**kept.fields, **fields}, kept.saved_at  # the screen goes on from what it last knew
    save_draft(store, uid=form.uid, kind="attempt", fields=fields, agent=agent, now=now)
