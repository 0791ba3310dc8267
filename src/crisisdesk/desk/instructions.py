"""What agents read out to callers (consignes): the one in force, the next version, the history."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from crisisdesk.desk.notices import SHOWN_FOR, tell
from crisisdesk.desk.rights import at_own_site, needs
from crisisdesk.desk.rules import reference_in, reference_of
from crisisdesk.desk.wording import moment_words
from crisisdesk.domain.instructions import (
    Period,
    crossing,
    in_force,
    next_for_good,
    periods,
    replaced_for_good,
)
from crisisdesk.domain.rights import Right
from crisisdesk.domain.words import NoticeKind
from crisisdesk.errors import RuleBroken
from crisisdesk.i18n import _
from crisisdesk.store import instructions as rows
from crisisdesk.store import journal
from crisisdesk.store.instructions import InstructionText

if TYPE_CHECKING:
    from crisisdesk.desk.agents import Agent
    from crisisdesk.domain.reference import Reference
    from crisisdesk.store.engine import Connection, Store

__all__ = [
    "InForce", "InstructionForm", "InstructionLine", "InstructionState", "InstructionText", "Spoken", "end_instruction",
    "instruction_in_force", "instruction_lines", "instruction_now", "issue_instruction", "list_instructions",
    "scope_history", "spoken", "withdraw_instruction",
]  # fmt: skip

LONGEST_WORDS = 2000


@dataclass(frozen=True, slots=True)
class InstructionForm:
    """An instruction to issue. What is None holds for all."""

    words: str
    """In the desk's first language."""
    site_id: str | None = None
    service_id: int | None = None
    topic: str | None = None
    valid_from: datetime | None = None
    """None: from now on."""
    valid_until: datetime | None = None
    """None: until another one replaces it. With an end, what held before holds again afterwards."""
    translations: Mapping[str, str] = field(default_factory=dict)
    """Language -> words; empty words are left out."""


class InstructionState(StrEnum):
    """Where an instruction stands at an instant."""

    IN_FORCE = "in_force"
    COVERED = "covered"
    """One with an end holds for a while in its place; afterwards it holds again."""
    PLANNED = "planned"
    OVER = "over"
    WITHDRAWN = "withdrawn"
    """It never held."""


@dataclass(frozen=True, slots=True)
class InstructionLine:
    """One version with where it stands, and until when it is really the one in force."""

    instruction: InstructionText
    state: InstructionState
    until: datetime | None


@dataclass(frozen=True, slots=True)
class InForce:
    """What an agent reads out now, and when that may change by time alone."""

    instruction: InstructionText | None
    changes_at: datetime | None


@dataclass(frozen=True, slots=True)
class Spoken:
    """Words to read out, and in which language they are."""

    words: str
    language: str
    is_fallback: bool
    """The language that was asked for has no words of its own."""


def spoken(instruction: InstructionText, language: str, reference: "Reference") -> Spoken:
    """The words for a caller of a language; those of the desk's first language where there are none of his."""
    first = reference.desk.languages[0]
    if language in ("", first):
        return Spoken(instruction.words, first, False)
    if words := instruction.translations.get(language):
        return Spoken(words, language, False)
    return Spoken(instruction.words, first, True)


def instruction_in_force(
    store: "Store", *, site_id: str | None, service_id: int | None = None, topic: str | None = None, now: datetime
) -> InstructionText | None:
    """The instruction to read out now: the most specific, and of those the newest."""
    with store.read() as connection:
        return rows.instruction_in_force(connection, site_id=site_id, service_id=service_id, topic=topic, at=now)


def instruction_now(
    store: "Store", *, site_id: str | None, service_id: int | None = None, topic: str | None = None, now: datetime
) -> InForce:
    """As `instruction_in_force`, with the next instant at which another one may be."""
    with store.read() as connection:
        scope = {"site_id": site_id, "service_id": service_id, "topic": topic}
        return InForce(
            rows.instruction_in_force(connection, **scope, at=now),  # type: ignore[arg-type]
            rows.next_edge(connection, **scope, at=now),  # type: ignore[arg-type]
        )


def list_instructions(
    store: "Store", *, site_id: str | None = None, now: datetime, history: bool = False
) -> Sequence[InstructionText]:
    """Those in force at a site and everywhere, one a scope; or all, with the earlier and coming ones."""
    lines = instruction_lines(store, site_id=site_id, now=now)
    return [line.instruction for line in lines if history or line.state == InstructionState.IN_FORCE]


def instruction_lines(store: "Store", *, site_id: str | None = None, now: datetime) -> Sequence[InstructionLine]:
    """Every version at a site and everywhere with where it stands; those of a site first, then the newest."""
    with store.read() as connection:
        found = rows.list_instructions(connection, site_id=site_id)
    return _lines(found, now)


def scope_history(store: "Store", instruction_id: int, *, now: datetime) -> Sequence[InstructionLine]:
    """Every version of the scope of one instruction, the one that begins last first.

    Raises:
        RuleBroken: no such instruction.
    """
    with store.read() as connection:
        one = existing(connection, instruction_id)
        found = rows.scope_rows(connection, site_id=one.site_id, service_id=one.service_id, topic=one.topic)
    return _lines(list(reversed(found)), now)


def existing(connection: "Connection", instruction_id: int) -> InstructionText:
    """One instruction.

    Raises:
        RuleBroken: there is none of that number.
    """
    one = rows.find_instruction(connection, instruction_id)
    if one is None:
        raise RuleBroken(_("There is no instruction {number}.").format(number=instruction_id))
    return one


def _lines(found: Sequence[InstructionText], now: datetime) -> list[InstructionLine]:
    scopes: dict[object, list[InstructionText]] = {}
    for one in found:
        scopes.setdefault(one.scope, []).append(one)
    ends: dict[int, Period] = {}
    current = set()
    for versions in scopes.values():
        dated = [one.validity for one in versions]
        ends |= {period.instruction_id: period for period in periods(dated)}
        if (holds := in_force(dated, now)) is not None:
            current.add(holds.instruction_id)
    return [_line(one, ends.get(one.instruction_id), one.instruction_id in current, now) for one in found]


def _line(one: InstructionText, last: Period | None, is_current: bool, now: datetime) -> InstructionLine:
    if last is None:
        return InstructionLine(one, InstructionState.WITHDRAWN, one.valid_until)
    if is_current:
        return InstructionLine(one, InstructionState.IN_FORCE, last.end)
    if one.valid_from > now:
        return InstructionLine(one, InstructionState.PLANNED, last.end)
    is_covered = one.validity.holds_at(now) and (last.end is None or last.end > now)
    return InstructionLine(one, InstructionState.COVERED if is_covered else InstructionState.OVER, last.end)


@needs(Right.INSTRUCT)
def issue_instruction(store: "Store", form: InstructionForm, *, agent: "Agent", now: datetime) -> int:
    """Issue an instruction and give its id.

    Without an end it replaces the one of the same scope for good: that one ends where it begins, at once or when its
    time comes. With an end it only covers it for a while.

    Raises:
        RuleBroken: the agent is no supervisor, there are no words, the dates are the wrong way round, in the past or
            cross those of another one, or the desk has no such site, service, topic or language.
    """
    reference = reference_of(store)
    form = _checked(form, reference, now)
    at_own_site(agent, form.site_id)
    begins = form.valid_from or now
    with store.write() as connection:
        scope = {"site_id": form.site_id, "service_id": form.service_id, "topic": form.topic}
        versions = rows.scope_rows(connection, **scope)  # type: ignore[arg-type]
        _check_dates(versions, begins, form.valid_until, now, reference)
        number, detail = _insert(connection, form, versions, begins, agent, now)
        journal.append(
            connection, agent=agent.login, action="instruction.issued", subject="instruction", subject_id=number,
            detail=scope | detail, now=now,
        )  # fmt: skip
        _tell_agents(connection, store, form, number, begins, is_urgent=bool(detail["ended"]), agent=agent, now=now)
    return number


def _tell_agents(
    connection: "Connection", store: "Store", form: InstructionForm, number: int, begins: datetime, *, is_urgent: bool,
    agent: "Agent", now: datetime,
) -> None:  # fmt: skip
    """What replaces an instruction that agents know by heart must be read by each of them; a new one is told.

    One that begins later says from when; later than a notice lives, it is read when its time comes.
    """
    if begins < now + SHOWN_FOR[NoticeKind.INSTRUCTION]:
        zone = reference_in(connection, store).desk.time_zone
        from_then = _("from {moment}: {words}").format(moment=moment_words(begins, zone, now), words=form.words)
        tell(
            connection, form.words if begins <= now else from_then, NoticeKind.INSTRUCTION, agent=agent, now=now,
            is_urgent=is_urgent, site_id=form.site_id, subject_id=number,
        )  # fmt: skip


def _checked(form: InstructionForm, reference: "Reference", now: datetime) -> InstructionForm:
    """The form with tidy words and the site of its service."""
    words, begins = form.words.strip(), form.valid_from or now
    spoken_in = {language: text.strip() for language, text in form.translations.items() if text.strip()}
    if not words or max(len(text) for text in (words, *spoken_in.values())) > LONGEST_WORDS:
        raise RuleBroken(_("Give the words to read out, {most} characters at most.").format(most=LONGEST_WORDS))
    others = reference.desk.languages[1:]
    for language in spoken_in:
        if language not in others:
            words_ = _("'{language}' is no language to translate into. Known: {known}.")
            raise RuleBroken(words_.format(language=language, known=", ".join(others)))
    if begins < now:
        raise RuleBroken(_("An instruction cannot begin in the past: callers were told another one then. Begin now."))
    if form.valid_until is not None and form.valid_until <= begins:
        raise RuleBroken(_("The instruction would end before it begins. Correct one of the dates."))
    _check_scope(form, reference)
    site_id = reference.services[form.service_id].site_id if form.service_id is not None else form.site_id
    return replace(form, words=words, translations=spoken_in, site_id=site_id)


def _check_scope(form: InstructionForm, reference: "Reference") -> None:
    if form.site_id is not None and form.site_id not in reference.sites:
        sites = ", ".join(reference.sites)
        raise RuleBroken(_("There is no site '{site}'. Sites: {sites}.").format(site=form.site_id, sites=sites))
    service = reference.services.get(form.service_id) if form.service_id is not None else None
    if form.service_id is not None and service is None:
        raise RuleBroken(_("There is no service {number}.").format(number=form.service_id))
    if service is not None and form.site_id not in (None, service.site_id):
        site = reference.sites[service.site_id].name
        raise RuleBroken(_("{service} is a service of {site}.").format(service=service.name, site=site))
    if form.topic is not None and form.topic not in reference.topics:
        raise RuleBroken(_("There is no topic '{topic}'.").format(topic=form.topic))


def _check_dates(
    versions: Sequence[InstructionText],
    begins: datetime,
    ends: datetime | None,
    now: datetime,
    reference: "Reference",
) -> None:
    zone = reference.desk.time_zone
    cut = crossing([one.validity for one in versions], begins, ends, now)
    if cut is None:
        return
    other = next(one for one in versions if one.instruction_id == cut.instruction_id)
    start = moment_words(cut.valid_from, zone)
    if cut.valid_from <= now:
        words = _("Version {version} holds until {until}: begin then, or end it first.")
    elif cut.valid_until is None:
        words = _("Version {version} is planned from {start}: end before it begins, or withdraw it first.")
    else:
        words = _("Version {version} is planned from {start} until {until}: choose other dates, or withdraw it first.")
    until = moment_words(cut.valid_until, zone) if cut.valid_until else ""
    raise RuleBroken(words.format(version=other.version, start=start, until=until))


def _insert(
    connection: "Connection",
    form: InstructionForm,
    versions: Sequence[InstructionText],
    begins: datetime,
    agent: "Agent",
    now: datetime,
) -> tuple[int, dict[str, object]]:
    """Store the new version and end what it replaces; gives its id and what the journal tells."""
    dated = [one.validity for one in versions]
    old = in_force(dated, begins)
    after = next_for_good(dated, begins) if form.valid_until is None else None
    until = after.valid_from if after else form.valid_until
    row = {
        "site_id": form.site_id, "service_id": form.service_id, "topic": form.topic, "words": form.words,
        "translations": dict(form.translations), "valid_from": begins, "valid_until": until,
        "version": 1 + max((one.version for one in versions), default=0), "issued_by": agent.name,
        "replaces_id": old.instruction_id if old else None, "issued_at": now,
    }  # fmt: skip
    number = rows.insert_instruction(connection, row)
    ended = [one for one in dated if form.valid_until is None and one.holds_at(begins)]
    for one in ended:
        rows.change_instruction(connection, one.instruction_id, {"valid_until": begins})
    if after is not None:
        rows.change_instruction(connection, after.instruction_id, {"replaces_id": number})
    before = next((one.words for one in versions if old and one.instruction_id == old.instruction_id), None)
    return number, {
        "words": [before, form.words], "translations": dict(form.translations), "valid_from": begins.isoformat(),
        "valid_until": _plain(until), "replaces": row["replaces_id"],
        "ended": {str(one.instruction_id): [_plain(one.valid_until), begins.isoformat()] for one in ended},
    }  # fmt: skip


def _plain(instant: datetime | None) -> str | None:
    return instant.isoformat() if instant else None


@needs(Right.INSTRUCT)
def withdraw_instruction(store: "Store", instruction_id: int, *, agent: "Agent", now: datetime) -> InstructionText:
    """Take a planned instruction back; what it would have replaced holds on. It stays in the history.

    Raises:
        RuleBroken: the agent is no supervisor, there is none of that number, or it has begun already.
    """
    with store.write() as connection:
        one = existing(connection, instruction_id)
        if one.valid_from <= now or one.validity.is_withdrawn:
            raise RuleBroken(_("Only a planned instruction is withdrawn; one in force is ended, or replaced."))
        versions = [v.validity for v in rows.scope_rows(
            connection, site_id=one.site_id, service_id=one.service_id, topic=one.topic)]  # fmt: skip
        after = replaced_for_good(one.validity, versions)
        before = next((v for v in versions if replaced_for_good(v, versions) == one.validity), None)
        if before is not None:
            rows.change_instruction(
                connection, before.instruction_id, {"valid_until": after.valid_from if after else None}
            )
        if after is not None:
            kept = before.instruction_id if before else None
            rows.change_instruction(connection, after.instruction_id, {"replaces_id": kept})
        _end(connection, one, one.valid_from, "instruction.withdrawn", agent, now)
    return one


@needs(Right.INSTRUCT)
def end_instruction(store: "Store", instruction_id: int, *, agent: "Agent", now: datetime) -> InstructionText | None:
    """End an instruction now, without another in its place; gives the one that is read out there from now on.

    Raises:
        RuleBroken: the agent is no supervisor, there is none of that number, or it is not in force.
    """
    with store.write() as connection:
        one = existing(connection, instruction_id)
        if one.valid_from > now:
            raise RuleBroken(_("This instruction is only planned: withdraw it."))
        if not one.validity.holds_at(now):
            raise RuleBroken(_("This instruction is over already."))
        _end(connection, one, now, "instruction.ended", agent, now)
        words = _("no longer holds: {words}").format(words=one.words)
        tell(
            connection, words, NoticeKind.INSTRUCTION, agent=agent, now=now, is_urgent=True, site_id=one.site_id,
            subject_id=instruction_id,
        )  # fmt: skip
        return rows.instruction_in_force(
            connection, site_id=one.site_id, service_id=one.service_id, topic=one.topic, at=now
        )


def _end(
    connection: "Connection", one: InstructionText, at: datetime, action: str, agent: "Agent", now: datetime
) -> None:
    rows.change_instruction(connection, one.instruction_id, {"valid_until": at})
    journal.append(
        connection, agent=agent.login, action=action, subject="instruction", subject_id=one.instruction_id,
        detail={"valid_until": [_plain(one.valid_until), at.isoformat()], "version": one.version}, now=now,
    )  # fmt: skip
