"""Whom the desk may speak to about a patient: the person who may be told, the general practitioner, the next of kin."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from crisisdesk.desk.conflicts import Compared, refuse_unseen
from crisisdesk.desk.patientfields import words_of
from crisisdesk.desk.rights import needs
from crisisdesk.desk.rules import reference_of
from crisisdesk.domain.reference import Reference
from crisisdesk.domain.rights import Right
from crisisdesk.domain.text import clean
from crisisdesk.domain.words import MayTell
from crisisdesk.errors import RuleBroken
from crisisdesk.i18n import _
from crisisdesk.store import journal, patients, personfile

if TYPE_CHECKING:
    from crisisdesk.desk.agents import Agent
    from crisisdesk.store.engine import Connection, Store

LONGEST_CONTACT = 120
TOLD = ("may_tell", "may_tell_who")
"""Two columns that make one field: whether somebody may be told, and who."""


@needs(Right.AMEND_PATIENT)
def set_contacts(
    store: "Store",
    patient_id: int,
    *,
    agent: "Agent",
    now: datetime,
    may_tell: MayTell | None = None,
    may_tell_who: str | None = None,
    gp: str | None = None,
    next_of_kin: str | None = None,
    seen: Mapping[str, str] | None = None,
) -> Mapping[str, list[object]]:
    """Write down what the patient said of others; None leaves a value as it is.

    Args:
        seen: what stood in "may_tell", "may_tell_who", "gp", "next_of_kin" when the agent saw them; who may be told and
            what are one field. A value that is not named here is written over whatever stands there.

    Returns:
        {column: [old, new]} of what changed.

    Raises:
        RuleBroken: an auditor asks, a name is too long, "named" without a name, or a name of whom nothing may be told.
        Conflict: somebody changed one of these since it was seen; nothing was written.
    """
    said = {"may_tell_who": may_tell_who, "gp": gp, "next_of_kin": next_of_kin}
    values: dict[str, object] = {name: _read(text) for name, text in said.items() if text is not None}
    if may_tell is not None:
        values["may_tell"] = MayTell(may_tell).value
    values, reference = _as_one(values), reference_of(store)
    with store.write() as connection:
        patient_id = patients.standing_for(connection, patient_id) or patient_id
        stored = personfile.values_of(connection, patient_id)
        fields = _compared(values, seen or {}, stored, reference)
        refuse_unseen(connection, "patient", patient_id, fields, zone=reference.desk.time_zone, now=now)
        if values.get("may_tell_who") and values.get("may_tell", stored["may_tell"]) != MayTell.NAMED:
            raise RuleBroken(_("{name} may be told nothing: say first that one named person may be told.").format(
                name=values["may_tell_who"]))  # fmt: skip
        return change_contacts(connection, patient_id, values, login=agent.login, now=now)


def _as_one(values: dict[str, object]) -> dict[str, object]:
    """Who "nobody" or "never asked" is said of loses the name."""
    is_nobody = values.get("may_tell") in (MayTell.UNKNOWN, MayTell.NONE)
    return {**values, "may_tell_who": ""} if is_nobody else values


def _compared(
    values: Mapping[str, object], seen: Mapping[str, str], stored: Mapping[str, object], reference: Reference
) -> Iterator[Compared]:
    if values.keys() & set(TOLD) and set(TOLD) <= seen.keys():
        there, wanted = _pair(stored), _pair({**stored, **values})
        words = words_of("may_tell", reference)
        yield Compared("may_tell", [_pair(seen)], there, wanted, TOLD, words)
    for name in ("gp", "next_of_kin"):
        if name in values and name in seen:
            yield Compared(name, [seen[name], clean(seen[name]).text], stored[name], values[name], [name])


def _pair(values: Mapping[str, object]) -> tuple[str, str]:
    may_tell, who = (str(values[name]) for name in TOLD)
    return may_tell, who


def _read(text: str) -> str:
    name = clean(text).text
    if len(name) > LONGEST_CONTACT:
        raise RuleBroken(_("A name and number of {most} characters at most.").format(most=LONGEST_CONTACT))
    return name


def change_contacts(
    connection: "Connection", patient_id: int, values: dict[str, object], *, login: str, now: datetime
) -> dict[str, list[object]]:
    """Store it inside the caller's write. Who "nobody" or "never asked" is said of loses the name."""
    values = _as_one(values)
    if values.get("may_tell") == MayTell.NAMED and not values.get("may_tell_who"):
        raise RuleBroken(_("Name the one person who may be told, as the patient said it."))
    changed = patients.set_fields(connection, patient_id, values)
    if changed:
        journal.append(
            connection, agent=login, action="patient.changed", subject="patient", subject_id=patient_id,
            detail=changed, now=now,
        )  # fmt: skip
    return changed
