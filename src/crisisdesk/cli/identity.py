"""Who is at the desk, and who says so: one answer, whichever way the agent came in.

"sudo"  each agent has a login of the host; sudo moved to the desk's account and says from which login (SUDO_UID).
"key"   one login for all; the forced command of each SSH key names the agent by a fixed argument.
""      the agent names itself, or is the login of the host: a desk on one's own machine.

Invariant: with the first two nothing that an agent can send (arguments, environment) chooses the login.
"""

import getpass
import os
import pwd
from collections.abc import Mapping
from dataclasses import dataclass

from crisisdesk.config import Settings
from crisisdesk.errors import RuleBroken
from crisisdesk.i18n import _

ROOT = "root"


@dataclass(frozen=True)
class Identity:
    """A login, and what attests it."""

    login: str
    attested_by: str
    """"sudo:LOGIN" and "key:LOGIN": the system says so; "root": root said so; "host:ACCOUNT": a process of that
    account says so itself."""


def who_comes(settings: Settings, named: str, environ: Mapping[str, str]) -> Identity:
    """The agent's identity.

    Args:
        named: the login of ``--agent``, or an empty text.

    Raises:
        RuleBroken: nobody attests a login, or another one is named.
    """
    if settings.identity == "sudo":
        return _from_sudo(named or settings.agent, environ)
    if settings.identity == "key":
        return _from_key(named)
    return Identity(named or settings.agent or host_login(), f"host:{_account()}")


def _from_sudo(named: str, environ: Mapping[str, str]) -> Identity:
    text = environ.get("SUDO_UID", "")
    uid = int(text) if text.isascii() and text.isdigit() else -1
    if uid < 0 or (uid == os.getuid() and uid != 0):
        raise RuleBroken(
            _(
                "This desk takes the agent from sudo, and sudo did not start this process. "
                "Agents sign in with: ssh LOGIN@HOST. On the host, root uses: crisisdesk-admin --agent LOGIN ..."
            )
        )
    if uid == 0:
        if not named:
            raise RuleBroken(_("root is no agent: say for whom you act, with --agent LOGIN."))
        return Identity(named, ROOT)
    try:
        login = pwd.getpwuid(uid).pw_name
    except KeyError:
        words = _("sudo says that you are account number {uid}, which this host does not know. Tell its administrator.")
        raise RuleBroken(words.format(uid=uid)) from None
    if named and named != login:
        words = _("You are signed in to this host as '{login}' and cannot be '{named}' at the desk.")
        raise RuleBroken(words.format(login=login, named=named))
    return Identity(login, f"sudo:{login}")


def _from_key(named: str) -> Identity:
    if not named:
        raise RuleBroken(
            _(
                "The SSH key that you came with names no agent. Its line in the key file needs: "
                "restrict,pty,command=\"... --agent LOGIN\". 'crisisdesk ssh-setup --way key' prints such lines."
            )
        )
    return Identity(named, f"key:{named}")


def _account() -> str:
    """The account of this process by its number: the environment (LOGNAME) may say anything."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())


def host_login() -> str:
    """The login of the operating system, or an empty text where it has none (containers)."""
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):
        return ""
