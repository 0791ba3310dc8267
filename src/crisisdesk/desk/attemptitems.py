"""What one call settles: postponements of the callback that is rung, and those of the same patient at other sites."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from crisisdesk.desk.attemptform import AttemptForm
from crisisdesk.desk.booking import book
from crisisdesk.domain.reference import Disposition, Reference
from crisisdesk.domain.words import CallbackState, Coverage, NextStep, Reach, Scope
from crisisdesk.errors import RuleBroken
from crisisdesk.i18n import _
from crisisdesk.store import attempts as rows
from crisisdesk.store import callbacks, journal
from crisisdesk.store.items import mark_items, prove

if TYPE_CHECKING:
    from crisisdesk.desk.agents import Agent
    from crisisdesk.store.engine import Connection

PROOF = {Coverage.DECIDED, Coverage.REBOOKED, Coverage.DONE}


@dataclass(frozen=True, slots=True)
class Owed:
    """Postponements that are owed an answer and may be settled in one call."""

    here: Mapping[int, int | None]
    """Service of each postponement of the callback that is rung."""
    elsewhere: Mapping[int, Any]
    """Of the form's postponements, those of the patient's other open callbacks: row with callback id and service."""
    codes: Mapping[int, str]
    """What was said of single postponements, here and elsewhere."""

    @property
    def codes_here(self) -> dict[int, str]:
        """What was said of those of the callback that is rung."""
        return {number: code for number, code in self.codes.items() if number in self.here}

    @property
    def others(self) -> Mapping[int, dict[int, str]]:
        """What was said of those of other callbacks, by callback."""
        found: dict[int, dict[int, str]] = {}
        for number, row in self.elsewhere.items():
            found.setdefault(row.id, {})[number] = self.codes[number]
        return found

    def service_of(self, number: int) -> int | None:
        """The service of a postponement, where it is known."""
        service: int | None = self.here[number] if number in self.here else self.elsewhere[number].service_id
        return service


def find_owed(connection: "Connection", form: AttemptForm, patient_id: int, agent_id: int, now: datetime) -> Owed:
    """What the form may settle.

    Raises:
        RuleBroken: an item is not owed to this patient, or another agent rings that patient for it at this moment.
    """
    here = rows.unsettled_items(connection, form.callback_id)
    strange = [number for number in form.items if number not in here]
    found = rows.items_elsewhere(connection, patient_id, form.callback_id) if strange else {}
    for number in strange:
        if number not in found:
            words = _("Item {number} is not owed an answer to this patient: open the card again.")
            raise RuleBroken(words.format(number=number))
        other = rows.callback_row(connection, found[number].id)
        assert other is not None
        if other.state == CallbackState.LEASED and other.lease_until > now and other.leased_by != agent_id:
            name = callbacks.agent_name(connection, other.leased_by)
            words = _("{name} holds what waits at {site}: leave item {number} out, or speak to each other.")
            raise RuleBroken(words.format(name=name, site=other.site_id, number=number))
    elsewhere = {number: found[number] for number in strange}
    return Owed(here, elsewhere, {number: result.code for number, result in form.items.items()})


def settle_items(connection: "Connection", ends: Disposition, owed: Owed, agent: "Agent", now: datetime) -> None:
    """Prove for each postponement what was said of it; for the others of the callback only how far the attempt came."""
    rest = [number for number in owed.here if number not in owed.codes]
    for number, code in owed.codes.items():
        mark_items(connection, [number], code, scope="item", by=agent.login, now=now)
    if ends.coverage in PROOF and owed.codes:
        reached = Coverage.REACHED if ends.reach == Reach.PATIENT else Coverage.TRIED
        prove(connection, rest, reached, now)
    else:
        mark_items(connection, rest, ends.code, scope="attempt", by=agent.login, now=now)


def book_places(
    connection: "Connection",
    form: AttemptForm,
    owed: Owed,
    reference: Reference,
    attempt_id: int,
    agent: "Agent",
    now: datetime,
) -> None:
    """Give the places that were accepted, in the transaction that ends the call."""
    for number, result in form.items.items():
        if result.slot_on is not None:
            book(
                connection, postponement_id=number, service_id=owed.service_of(number), slot_on=result.slot_on,
                slot_time=result.slot_time, reference=reference, agent_id=agent.agent_id, attempt_id=attempt_id,
                call_id=None, now=now,
            )  # fmt: skip


def settle_elsewhere(
    connection: "Connection",
    ends: Disposition,
    owed: Owed,
    reference: Reference,
    attempt_id: int,
    agent: "Agent",
    now: datetime,
) -> Sequence[int]:
    """Close the other callbacks of which nothing is left, keep the others as what was said wants; give their ids.

    Whoever held one of them and let the lease expire finds it gone: the generation moves.
    """
    for callback_id, codes in owed.others.items():
        before = rows.callback_row(connection, callback_id)
        left = rows.unsettled_items(connection, callback_id)
        steps = {reference.dispositions[Scope.ITEM, code].next_step for code in codes.values()}
        assert before is not None
        found: dict[str, Any] = {"unanswered": 0} | ({"hold": "", "channel": ""} if before.channel else {})
        rows.free_from(connection, callback_id, **found)  # the patient was found: no letter is needed
        if not left:
            callbacks.close(connection, callback_id, ends.code, agent.agent_id, now)
        elif NextStep.REVIEW in steps:
            rows.change_callback(connection, callback_id, {"hold": "review", "channel": ""})
        elif set(left) <= set(codes):  # all of it was spoken of, and waits for a place
            callbacks.let_wait(connection, callback_id, now)
        else:
            callbacks.redate(connection, [callback_id])
        _tell(connection, before, codes, attempt_id, agent, now)
    return list(owed.others)


def _tell(
    connection: "Connection", before: Any, codes: Mapping[int, str], attempt_id: int, agent: "Agent", now: datetime
) -> None:
    after = rows.callback_row(connection, before.id)
    changed = {
        name: [getattr(before, name), getattr(after, name)]
        for name in ("state", "hold", "channel", "released_at", "generation")
        if getattr(before, name) != getattr(after, name)
    }
    items = {str(number): code for number, code in codes.items()}
    journal.append(
        connection, agent=agent.login, action="callback.settled_in_one_call", subject="callback",
        subject_id=before.id, detail=changed | {"attempt": attempt_id, "items": items}, now=now,
    )  # fmt: skip
