"""What the split of two records leaves to put right: nobody is lost, and nobody reads another's postponements."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from crisisdesk.store import callbacks, deaths, unplaced
from crisisdesk.store.engine import Connection

_LATER = "SELECT merged_into_id FROM patient WHERE id = ?"
_STRAYS = """
SELECT i.callback_id, i.postponement_id FROM callback_item i JOIN callback c ON c.id = i.callback_id
JOIN postponement p ON p.id = i.postponement_id
WHERE c.state <> 'closed' AND c.patient_id = ? AND p.patient_id <> c.patient_id
"""


def merged_since(connection: Connection, stays: int) -> int | None:
    """The record into which the one that stood was merged afterwards: that pair is to be parted first."""
    found = connection.exec_driver_sql(_LATER, (stays,)).scalar()
    return int(found) if found is not None else None


def put_right(
    connection: Connection, patient_ids: Sequence[int], *, agent_id: int, now: datetime
) -> dict[str, list[Any]]:
    """After a split: what came into a joined callback since goes to its own patient's; who was taken for dead because
    of the merge is rung again. Gives what was moved or made, for the journal."""
    moved: list[Any] = []
    held: list[int] = []
    for patient_id in patient_ids:
        for callback_id, number in connection.exec_driver_sql(_STRAYS, (patient_id,)).all():
            key = (callback_id, number)
            connection.exec_driver_sql("DELETE FROM callback_item WHERE callback_id = ? AND postponement_id = ?", key)
            moved.append([callback_id, number])
    for patient_id in patient_ids:
        if callbacks.is_said_dead(connection, patient_id):
            held += unplaced.hold_again(connection, patient_id, agent_id=agent_id, now=now)
        else:
            resumed, reopened, made, _owed = deaths.live_on(connection, patient_id, agent_id=agent_id, now=now)
            held += [*resumed, *reopened, *made]
    callbacks.redate(connection, sorted({*(pair[0] for pair in moved), *held}))
    return {"moved": moved, "held": held}
