"""What agents read out to callers (consignes): the one in force, the next version, the history."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from crisisdesk.desk.rules import reference_of
from crisisdesk.domain.words import Role
from crisisdesk.errors import RuleBroken
from crisisdesk.i18n import _
from crisisdesk.store import instructions as rows
from crisisdesk.store import journal
from crisisdesk.store.instructions import InstructionText

if TYPE_CHECKING:
    from crisisdesk.desk.agents import Agent
    from crisisdesk.domain.reference import Reference
    from crisisdesk.store.engine import Store

__all__ = ["InstructionForm", "InstructionText", "instruction_in_force", "issue_instruction", "list_instructions"]

LONGEST_WORDS = 2000


@dataclass(frozen=True, slots=True)
class InstructionForm:
    """An instruction to issue. What is None holds for all."""

    words: str
    site_id: str | None = None
    service_id: int | None = None
    topic: str | None = None
    valid_from: datetime | None = None
    """None: from now on."""
    valid_until: datetime | None = None


def instruction_in_force(
    store: "Store", *, site_id: str | None, service_id: int | None = None, topic: str | None = None, now: datetime
) -> InstructionText | None:
    """The instruction to read out now: the most specific, and of those the newest."""
    with store.read() as connection:
        return rows.instruction_in_force(connection, site_id=site_id, service_id=service_id, topic=topic, at=now)


def list_instructions(
    store: "Store", *, site_id: str | None = None, now: datetime, history: bool = False
) -> Sequence[InstructionText]:
    """Those in force at a site and everywhere, or with the earlier and coming ones."""
    with store.read() as connection:
        return rows.list_instructions(connection, site_id=site_id, at=None if history else now)


def issue_instruction(store: "Store", form: InstructionForm, *, agent: "Agent", now: datetime) -> int:
    """Issue an instruction and give its id; the one of the same scope that is in force ends where it begins.

    Raises:
        RuleBroken: the agent is no supervisor, there are no words, the dates are the wrong way round, or the desk has
            no such site, service or topic.
    """
    if agent.role not in (Role.SUPERVISOR, Role.ADMIN):
        raise RuleBroken(_("Only a supervisor issues instructions: ask one."))
    words, begins = form.words.strip(), form.valid_from or now
    if not words or len(words) > LONGEST_WORDS:
        raise RuleBroken(_("Give the words to read out, {most} characters at most.").format(most=LONGEST_WORDS))
    if form.valid_until is not None and form.valid_until <= begins:
        raise RuleBroken(_("The instruction would end before it begins. Correct one of the dates."))
    _check_scope(form, reference_of(store))
    scope = {"site_id": form.site_id, "topic": form.topic}
    with store.write() as connection:
        old = rows.same_scope(connection, **scope, service_id=form.service_id, at=begins)
        number = rows.insert_instruction(
            connection, **scope, service_id=form.service_id, words=words, valid_from=begins,
            valid_until=form.valid_until, replaces=old, issued_by=agent.name, now=now,
        )  # fmt: skip
        detail = scope | {"service_id": form.service_id, "words": [old.words if old else None, words]}
        detail |= {"valid_from": begins.isoformat(), "replaces": old.instruction_id if old else None}
        journal.append(
            connection, agent=agent.login, action="instruction.issued", subject="instruction", subject_id=number,
            detail=detail, now=now,
        )  # fmt: skip
    return number


def _check_scope(form: InstructionForm, reference: "Reference") -> None:
    if form.site_id is not None and form.site_id not in reference.sites:
        sites = ", ".join(reference.sites)
        raise RuleBroken(_("There is no site '{site}'. Sites: {sites}.").format(site=form.site_id, sites=sites))
    if form.service_id is not None and form.service_id not in reference.services:
        raise RuleBroken(_("There is no service {number}.").format(number=form.service_id))
    if form.topic is not None and form.topic not in reference.topics:
        raise RuleBroken(_("There is no topic '{topic}'.").format(topic=form.topic))
