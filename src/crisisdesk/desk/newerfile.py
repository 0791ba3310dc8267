"""Whether a patient's file that somebody reads has become older than the desk, told without reading it out again."""

from typing import TYPE_CHECKING

from crisisdesk.desk.patients import OWN_COLUMNS
from crisisdesk.store import personfile

if TYPE_CHECKING:
    from crisisdesk.domain.person import PatientFile
    from crisisdesk.store.engine import Store


def is_outdated(store: "Store", file: "PatientFile") -> bool:
    """Whether something happened to the patient since the file was read. Nothing of it is given away, so that this is
    no read of the file and is not journalled."""
    with store.read() as connection:
        row = personfile.read_row(connection, file.patient_id)
        events = personfile.events(connection, file.patient_id)
    if row is None or row["merged_into_id"] is not None:
        return True
    return events != file.events or any(row[name] != getattr(file, name) for name in OWN_COLUMNS)
