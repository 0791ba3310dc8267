"""A defect of the program: kept where its mender finds it, told to the agent in one calm sentence."""

import os
import secrets
import traceback
from pathlib import Path

from crisisdesk import clock
from crisisdesk.config import load_settings, state_dir
from crisisdesk.errors import CrisisDeskError
from crisisdesk.i18n import _


def keep_defect(error: Exception) -> str:
    """Append the traceback to the log and return the sentence for the agent.

    Only the frames and the kinds of the errors are kept: a message may quote a patient.
    """
    code = secrets.token_hex(3)
    path = defect_log()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(path, "a", encoding="utf-8", opener=_private) as log:
            log.write(f"{clock.now().isoformat()} {code}\n{_frames(error)}\n")
    except OSError:
        return _("The program has a defect ({code}) and could not write {path}.").format(code=code, path=path)
    return _(
        "The program has a defect. Nothing that was saved is lost. Tell code {code}; details are in {path}"
    ).format(code=code, path=path)


def defect_log() -> Path:
    """The log of defects: the settings' choice, else in the state folder."""
    try:
        chosen = load_settings().log
    except (CrisisDeskError, OSError):
        chosen = None
    return chosen or state_dir() / "crisisdesk.log"


def _frames(error: BaseException) -> str:
    chain: list[str] = []
    cause: BaseException | None = error
    while cause is not None:
        chain.append("".join(traceback.format_tb(cause.__traceback__)) + type(cause).__name__)
        cause = cause.__cause__ or cause.__context__
    return "\n".join(chain)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
