"""Whom the desk may speak to about a patient: the person who may be told, the general practitioner, the next of kin."""

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from crisisdesk.desk.rights import needs
from crisisdesk.domain.rights import Right
from crisisdesk.domain.text import clean
from crisisdesk.domain.words import MayTell
from crisisdesk.errors import RuleBroken
from crisisdesk.i18n import _
from crisisdesk.store import journal, patients

if TYPE_CHECKING:
    from crisisdesk.desk.agents import Agent
    from crisisdesk.store.engine import Connection, Store

LONGEST_CONTACT = 120


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
) -> Mapping[str, list[object]]:
    """Write down what the patient said of others; None leaves a value as it is.

    Returns:
        {column: [old, new]} of what changed.

    Raises:
        RuleBroken: an auditor asks, a name is too long, or "named" without a name.
    """
    said = {"may_tell_who": may_tell_who, "gp": gp, "next_of_kin": next_of_kin}
    values: dict[str, object] = {name: _read(text) for name, text in said.items() if text is not None}
    if may_tell is not None:
        values["may_tell"] = MayTell(may_tell).value
    with store.write() as connection:
        patient_id = patients.standing_for(connection, patient_id) or patient_id
        return change_contacts(connection, patient_id, values, login=agent.login, now=now)


def _read(text: str) -> str:
    name = clean(text).text
    if len(name) > LONGEST_CONTACT:
        raise RuleBroken(_("A name and number of {most} characters at most.").format(most=LONGEST_CONTACT))
    return name


def change_contacts(
    connection: "Connection", patient_id: int, values: dict[str, object], *, login: str, now: datetime
) -> dict[str, list[object]]:
    """Store it inside the caller's write. Who "nobody" or "never asked" is said of loses the name."""
    if values.get("may_tell") in (MayTell.UNKNOWN, MayTell.NONE):
        values = {**values, "may_tell_who": ""}
    if values.get("may_tell") == MayTell.NAMED and not values.get("may_tell_who"):
        raise RuleBroken(_("Name the one person who may be told, as the patient said it."))
    changed = patients.set_fields(connection, patient_id, values)
    if changed:
        journal.append(
            connection, agent=login, action="patient.changed", subject="patient", subject_id=patient_id,
            detail=changed, now=now,
        )  # fmt: skip
    return changed
