"""What a later version of a list no longer has: a supervisor says whether it still waits.

Nothing closes by itself because a list is silent: secretariats forget lines.
"""

from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from crisisdesk.desk import wording
from crisisdesk.desk.reviews import LONGEST_NAME, LONGEST_REASON
from crisisdesk.desk.rights import at_own_site, needs
from crisisdesk.domain.rights import Right
from crisisdesk.domain.text import clean
from crisisdesk.domain.words import CallbackState
from crisisdesk.errors import LeaseLost, RuleBroken
from crisisdesk.i18n import _
from crisisdesk.store import attempts, callbacks, cards, coding, journal, reviews
from crisisdesk.store.items import CLINICIAN

if TYPE_CHECKING:
    from typing import Any

    from crisisdesk.desk.agents import Agent
    from crisisdesk.store.engine import Connection, Store


class Dropped(StrEnum):
    """What is said of it."""

    WAITS = "waits"
    """The list forgot it: it waits on, in its place."""
    ENDS = "ends"
    """Nobody owes a call for it any more."""


@needs(Right.STEER)
def decide_dropped(
    store: "Store", callback_id: int, decision: Dropped, *, clinician: str, reason: str, agent: "Agent", now: datetime
) -> bool:
    """Write down what becomes of the postponements of a callback that a list no longer has. Gives whether it is closed.

    Those that the list still has are not touched. A callback with nothing left to settle is closed by `Dropped.ENDS`.

    Args:
        clinician: who decided, by name: the secretariat, a doctor.

    Raises:
        RuleBroken: no supervisor, no name or reason, or there is nothing to decide.
        LeaseLost: an agent is ringing this patient; names that agent.
    """
    name, why = clean(clinician).text, clean(reason).text
    if not name or len(name) > LONGEST_NAME:
        raise RuleBroken(_("Name who decided, {most} characters at most.").format(most=LONGEST_NAME))
    if not why or len(why) > LONGEST_REASON:
        raise RuleBroken(_("Give the reason, {most} characters at most.").format(most=LONGEST_REASON))
    with store.write() as connection:
        row = _open(connection, callback_id, now)
        at_own_site(agent, row.site_id)
        gone, left = _parted(connection, callback_id)
        if not gone and left:
            raise RuleBroken(_("Callback {number}: its list still has all of it.").format(number=callback_id))
        if decision == Dropped.WAITS and not gone:
            words = _("Nothing of callback {number} is left to wait for: it can only end.")
            raise RuleBroken(words.format(number=callback_id))
        if decision == Dropped.WAITS:
            coding.forget_missing(connection, gone)
        else:
            reviews.end_items(connection, gone, name, now)
        is_closed = decision == Dropped.ENDS and not left
        if is_closed:
            callbacks.close(connection, callback_id, CLINICIAN, agent.agent_id, now)
        else:
            callbacks.redate(connection, [callback_id])
        detail = {"decision": decision.value, "by": name, "reason": why, "postponements": gone}
        journal.append(
            connection, agent=agent.login, action="callback.dropped_decided", subject="callback",
            subject_id=callback_id, detail=detail | {"closed": is_closed, "patient_id": row.patient_id}, now=now,
        )  # fmt: skip
    return is_closed


def _open(connection: "Connection", callback_id: int, now: datetime) -> "Any":
    row = attempts.callback_row(connection, callback_id)
    if row is None:
        raise RuleBroken(_("There is no callback {number}.").format(number=callback_id))
    if row.state == CallbackState.CLOSED:
        code = wording.closed_words_in(connection, row.closed_as)
        raise RuleBroken(_("This callback is closed already: {code}.").format(code=code))
    if row.state == CallbackState.LEASED and row.lease_until > now:
        name = callbacks.agent_name(connection, row.leased_by)
        raise LeaseLost(_("{name} is ringing this patient now: speak to each other.").format(name=name), holder=name)
    return row


def _parted(connection: "Connection", callback_id: int) -> tuple[list[int], list[int]]:
    """The unsettled postponements that no list has any more, and the others."""
    items = [one for one in cards.held_items(connection, [callback_id]).get(callback_id, ()) if one.is_unsettled]
    gone = [one.postponement_id for one in items if one.missing_version is not None]
    return gone, [one.postponement_id for one in items if one.missing_version is None]
