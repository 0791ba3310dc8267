"""The topic or the ending of a recorded call put right by a supervisor; the old value stays in the journal."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from crisisdesk.desk.attemptform import disposition_of
from crisisdesk.desk.conflicts import Compared, refuse_unseen
from crisisdesk.desk.correcting import LONGEST_REASON
from crisisdesk.desk.rights import needs
from crisisdesk.desk.rules import reference_of
from crisisdesk.domain.reference import Disposition, Reference
from crisisdesk.domain.rights import Right
from crisisdesk.domain.text import clean
from crisisdesk.domain.words import Scope
from crisisdesk.errors import RuleBroken
from crisisdesk.i18n import _, current_language
from crisisdesk.store import calls, journal

if TYPE_CHECKING:
    from crisisdesk.desk.agents import Agent
    from crisisdesk.store.engine import Store


@needs(Right.STEER)
def correct_call(
    store: "Store",
    number: int,
    *,
    reason: str,
    agent: "Agent",
    now: datetime,
    disposition: str = "",
    topic: str = "",
    seen: Mapping[str, str | None] | None = None,
) -> Mapping[str, list[str | None]]:
    """Change how a call is coded. What it led to stays: an ending that leads to something else is refused.

    Args:
        number: running number of the call.
        disposition: of scope inbound; empty leaves it.
        topic: empty leaves it.
        seen: the codes that the supervisor saw, by name; a field that is not named is written over whatever stands.

    Returns:
        {column: [old, new]} of what changed; empty where somebody coded it so since it was seen.

    Raises:
        RuleBroken: no supervisor, no reason, no such call or code, nothing to change, or an ending with other
            consequences.
        Conflict: somebody coded it otherwise since it was seen; nothing was written.
    """
    why = clean(reason).text
    if not why or len(why) > LONGEST_REASON:
        raise RuleBroken(_("Say why it is corrected, {most} characters at most.").format(most=LONGEST_REASON))
    reference = reference_of(store)
    if topic and topic not in reference.topics:
        raise RuleBroken(_("There is no topic '{code}'.").format(code=topic))
    wanted = {name: code for name, code in (("disposition", disposition), ("topic", topic)) if code}
    with store.write() as connection:
        row = calls.read_call(connection, number)
        if row is None:
            raise RuleBroken(_("There is no call {number}.").format(number=number))
        fields = _compared(wanted, seen or {}, row, reference)
        refuse_unseen(connection, "call", row["id"], fields, zone=reference.desk.time_zone, now=now)
        changed = {name: [row[name], code] for name, code in wanted.items() if row[name] != code}
        if not changed and seen is not None and any(seen.get(name) != code for name, code in wanted.items()):
            return {}
        if not changed:
            raise RuleBroken(_("Nothing changes: the call is coded so already."))
        if "disposition" in changed:
            _same_consequences(row["disposition"], disposition, reference)
        calls.recode(connection, row["id"], {name: new for name, (_old, new) in changed.items()})
        journal.append(
            connection, agent=agent.login, action="call.corrected", subject="call", subject_id=row["id"],
            detail=changed | {"why": why, "reference": row["reference"]}, now=now, happened_at=row["started_at"],
        )  # fmt: skip
    return changed


def _compared(
    wanted: Mapping[str, str], seen: Mapping[str, str | None], row: Mapping[str, Any], reference: Reference
) -> Iterator[Compared]:
    kinds = {"disposition": "disposition.inbound", "topic": "topic"}
    for name in (name for name in wanted if name in seen):
        words = partial(_label, reference, kinds[name])
        yield Compared(name, [seen[name] or None], row[name] or None, wanted[name], [name], words)


def _label(reference: Reference, kind: str, code: str | None) -> str:
    return reference.label(kind, code, current_language()) if code else ""


def _same_consequences(old: str, new: str, reference: Reference) -> None:
    """A callback, a fact or a review is not made or taken back by another code: a new entry does that."""
    one = reference.dispositions.get((Scope.INBOUND, old))
    other = disposition_of(reference, Scope.INBOUND, new)
    if one is None or _consequences(one) != _consequences(other):
        label = reference.label("disposition.inbound", new, current_language())
        raise RuleBroken(
            _("'{code}' leads to something else than what was done: enter it as a call of its own (F2).").format(
                code=label
            )
        )


def _consequences(row: Disposition) -> tuple[object, ...]:
    return row.makes_callback, row.coverage, row.next_step, row.reach
