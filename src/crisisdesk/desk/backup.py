"""A copy of the desk that can be trusted: made while others work, checked, and never half there under its name."""

import os
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from crisisdesk.desk.rights import needs
from crisisdesk.domain.rights import Right
from crisisdesk.errors import RuleBroken, StoreUnavailable
from crisisdesk.i18n import _
from crisisdesk.store import journal
from crisisdesk.store.engine import open_desk
from crisisdesk.store.health import Health, examine

if TYPE_CHECKING:
    from crisisdesk.desk.agents import Agent
    from crisisdesk.store.engine import Store

BESIDE = ("", "-gate", "-wal", "-shm", "-journal")
"""What may stand beside a copy while it is made and checked."""


@dataclass(frozen=True)
class Backup:
    """A copy that was made."""

    path: Path
    size: int
    """Bytes."""
    journal_entries: int
    """Entries of the journal in the copy; the number of its head."""
    journal_head: str
    """Hash of the copy's last entry: kept elsewhere, it shows later that the copy was not rewritten."""


@needs(Right.BACK_UP)
def back_up(store: "Store", target: Path, *, agent: "Agent", now: datetime) -> Backup:
    """Copy the desk, as of now, into a new file that only this account can read, while others go on working.

    The copy is made under another name in the same folder, checked whole (file and journal), flushed to the disk and
    only then given its name: what stands under the name is a whole desk. The journal of the desk notes it, with the
    head of the copy's own journal, before the name is given: no copy of the patients' data is made unseen.

    Raises:
        RuleBroken: no supervisor; something has that name already; there is no such folder.
        StoreUnavailable: the disk refuses, or the copy is not sound; nothing stands under the name.
    """
    target = target.absolute()
    if os.path.lexists(target):
        raise RuleBroken(_("{path} exists already; a backup never replaces anything.").format(path=target))
    if not target.parent.is_dir():
        raise RuleBroken(_("There is no folder {path}.").format(path=target.parent))
    copy = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        os.close(os.open(copy, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        store.backup(copy)
        found, size = _check(copy), copy.stat().st_size
        detail = {"path": str(target), "bytes": size, "journal": f"{found.journal_seq}:{found.journal_hash}"}
        with store.write() as connection:
            journal.append(
                connection, agent=agent.login, action="desk.backed_up", subject="desk", subject_id=1, detail=detail,
                now=now,
            )  # fmt: skip
        _give_name(copy, target)
    except OSError as error:
        why = error.strerror or str(error)
        raise StoreUnavailable(_("{path} cannot be made: {why}").format(path=target, why=why)) from error
    finally:
        for ending in BESIDE:
            copy.with_name(copy.name + ending).unlink(missing_ok=True)
    return Backup(target, size, found.journal_seq, found.journal_hash)


def _check(copy: Path) -> Health:
    """Open the copy as a desk and examine all of it.

    Raises:
        StoreUnavailable: it is not sound.
    """
    store = open_desk(copy)
    try:
        found = examine(store, is_quick=False)
    finally:
        store.close()
    if not found.is_sound:
        why = " · ".join(part for part in (found.integrity, found.journal) if part)
        words = _("The copy is not sound ({why}), and was dropped. Run: crisisdesk check")
        raise StoreUnavailable(words.format(why=why))
    return found


def _give_name(copy: Path, target: Path) -> None:
    """Flush the copy, name it without replacing anything, and flush the folder that holds the name.

    Raises:
        RuleBroken: somebody took the name meanwhile.
    """
    _flush(copy)
    try:
        os.link(copy, target)  # refuses an existing name, where a rename would replace it
    except FileExistsError as error:
        raise RuleBroken(_("{path} exists already; a backup never replaces anything.").format(path=target)) from error
    except OSError:  # a disk without hard links (FAT, some network shares)
        copy.rename(target)
    _flush(target.parent)


def _flush(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
