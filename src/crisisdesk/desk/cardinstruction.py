"""What is read out to the patient of a callback: the instruction in force, and what replaces one told earlier."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from crisisdesk.desk.told import Telling, told_on_card
from crisisdesk.store import attempts, cards
from crisisdesk.store import instructions as rows
from crisisdesk.store.cards import HeldItem
from crisisdesk.store.instructions import InstructionText

if TYPE_CHECKING:
    from crisisdesk.store.engine import Connection, Store


@dataclass(frozen=True, slots=True)
class CardInstruction:
    """What is read out on a card as of an instant."""

    instruction: InstructionText | None
    """The one in force for the site and, where all of it is about one, the service."""
    told: Telling | None
    """Where the patient was told something that changed: old and new words."""
    changes_at: datetime | None
    """When another one may be in force, by time alone."""

    @property
    def to_read(self) -> InstructionText | None:
        """The one that the attempt stores: what replaces the words told earlier, else the one in force."""
        return self.told.new if self.told is not None and self.told.new is not None else self.instruction


def card_instruction(
    connection: "Connection",
    callback_id: int,
    site_id: str,
    why: Mapping[str, Any],
    items: Iterable[HeldItem],
    now: datetime,
) -> CardInstruction:
    """Find what is read out on a card."""
    services = {item.service_id for item in items if item.is_unsettled}
    scope = {"site_id": site_id, "service_id": services.pop() if len(services) == 1 else None, "topic": None}
    return CardInstruction(
        rows.instruction_in_force(connection, **scope, at=now),  # type: ignore[arg-type]
        told_on_card(connection, callback_id, why, now),
        rows.next_edge(connection, **scope, at=now),  # type: ignore[arg-type]
    )


def instruction_of_card(store: "Store", callback_id: int, *, now: datetime) -> CardInstruction | None:
    """What is to be read out on a card that is open now; None where there is no such callback any more."""
    with store.read() as connection:
        row = attempts.callback_row(connection, callback_id)
        if row is None:
            return None
        items = cards.held_items(connection, [callback_id]).get(callback_id, ())
        return card_instruction(connection, callback_id, row.site_id, row.why, items, now)
