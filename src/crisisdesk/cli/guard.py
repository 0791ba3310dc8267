"""What a process makes sure of before it opens a desk: not root, nobody else at the files, no memory on disk.

Nothing here opens the desk's file: closing any descriptor on it would drop SQLite's locks.
"""

import os
import shlex
import stat
from collections.abc import Iterator
from pathlib import Path

from crisisdesk.config import Settings
from crisisdesk.errors import RuleBroken, StoreUnavailable
from crisisdesk.i18n import _

BESIDE = ("", "-wal", "-shm", "-gate")
"""The desk's file and what lies beside it while somebody works."""
_PR_SET_DUMPABLE = 4


def forbid_dumps() -> None:
    """Nobody, not even a process of the same account, reads this process's memory or environment; no core file.

    It costs an import of ctypes (1.5 ms), so only where a desk is opened. Linux only; elsewhere nothing happens.
    """
    import ctypes

    prctl = getattr(ctypes.CDLL(None), "prctl", None)
    if prctl is not None:
        prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)


def refuse_root(path: Path, settings: Settings) -> None:
    """No real desk is opened by root.

    Raises:
        RuleBroken: this is root, and the settings do not allow it.
    """
    if os.geteuid() == 0 and not settings.allow_root:
        raise RuleBroken(
            _(
                "CrisisDesk does not open a desk as root. Become the account that owns {path}: "
                "sudo -u ACCOUNT crisisdesk ... (after 'crisisdesk ssh-setup': crisisdesk-admin). "
                "In a container that has no other account: CRISISDESK_ALLOW_ROOT=1"
            ).format(path=path)
        )


def refuse_root_on_foreign(path: Path, settings: Settings) -> None:
    """Root does not even look into a desk of another account: looking may leave files that lock that account out.

    Raises:
        RuleBroken: as `refuse_root`.
    """
    if os.geteuid() == 0 and path.exists() and path.stat().st_uid != 0:
        refuse_root(path, settings)


def refuse_open_files(path: Path, *, is_attested: bool) -> None:
    """The desk is for the account that owns it, and for nobody else.

    Args:
        is_attested: agents come by sudo or by key; the folder then must be this account's own, with mode 0700.

    Raises:
        StoreUnavailable: others have rights on a file or the folder; the message says which command takes them away.
    """
    if not path.exists():
        return
    for problem in open_files(path):
        raise StoreUnavailable(problem)
    if is_attested and os.geteuid() != 0:
        for problem in foreign_folder(path.resolve().parent, os.geteuid()):
            raise StoreUnavailable(problem)


def open_files(path: Path) -> Iterator[str]:
    """A sentence for each file of a desk, and for its folder, on which others have rights."""
    for suffix in BESIDE:
        file = Path(f"{path}{suffix}")
        mode = _mode(file)
        if mode is not None and mode & 0o077:
            words = _("Others can read or write {path} (mode {mode:04o}). Mend it with: chmod 600 {word}")
            yield words.format(path=file, mode=mode, word=shlex.quote(str(file)))
    folder = path.resolve().parent
    mode = _mode(folder)
    if mode is not None and mode & stat.S_IWOTH and not mode & stat.S_ISVTX:
        words = _("Everybody can put files into {path} (mode {mode:04o}). Mend it with: chmod 700 {word}")
        yield words.format(path=folder, mode=mode, word=shlex.quote(str(folder)))


def foreign_folder(folder: Path, uid: int) -> Iterator[str]:
    """A sentence when a folder is not an account's own with mode 0700."""
    found = folder.stat()
    mode, word = stat.S_IMODE(found.st_mode), shlex.quote(str(folder))
    if found.st_uid != uid:
        words = _("The folder {path} belongs to account {owner}, not to the desk's account {uid}. As root: {command}")
        command = f"chown {uid} {word} && chmod 700 {word}"
        yield words.format(path=folder, owner=found.st_uid, uid=uid, command=command)
    elif mode != 0o700:
        words = _("The folder {path} must be for the desk's account alone (mode {mode:04o}). Mend it: chmod 700 {word}")
        yield words.format(path=folder, mode=mode, word=word)


def _mode(path: Path) -> int | None:
    """The permission bits; None where there is no such file."""
    try:
        return stat.S_IMODE(path.stat().st_mode)
    except FileNotFoundError:
        return None
