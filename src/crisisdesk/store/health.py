"""Is the desk's file sound? Read-only, and slow on a large desk unless asked to be quick."""

from dataclasses import dataclass

from crisisdesk.i18n import _
from crisisdesk.store import journal
from crisisdesk.store.engine import Store


@dataclass(frozen=True)
class Health:
    """What was found, in words, and whether all of it is well."""

    integrity: str
    journal: str
    journal_seq: int
    journal_hash: str
    is_sound: bool


def examine(store: Store, *, is_quick: bool) -> Health:
    """Examine the file: pages, foreign keys and the journal's chain; ``is_quick`` only reads the journal's head."""
    with store.read() as connection:
        seq, digest = journal.head(connection)
        if is_quick:
            return Health(_("not examined"), _("not examined"), seq, digest, is_sound=True)
        faults = [str(row[0]) for row in connection.exec_driver_sql("PRAGMA quick_check(5)") if row[0] != "ok"]
        strays = connection.exec_driver_sql("PRAGMA foreign_key_check").fetchmany(5)
        faults += [_("{table}: row {row} points to nothing").format(table=stray[0], row=stray[1]) for stray in strays]
        verdict = journal.verify(connection)
    is_sound = not faults and verdict.first_fault is None
    return Health("; ".join(faults) or _("sound"), verdict.why, seq, digest, is_sound)
