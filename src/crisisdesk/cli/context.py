"""What every command gets: the desk, the agent, the time, where to write, and in which shape."""

import getpass
import sys
from argparse import Namespace
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from crisisdesk import clock
from crisisdesk.config import Settings
from crisisdesk.errors import RuleBroken
from crisisdesk.i18n import _, current_language, use_language

if TYPE_CHECKING:
    from crisisdesk.desk.agents import Agent
    from crisisdesk.domain.reference import Reference
    from crisisdesk.store.engine import Store


@dataclass
class Context:
    """One run of the program. Data goes to ``out``; everything else that is said goes to ``err``."""

    settings: Settings
    desk: Path | None = None
    login: str = ""
    json: bool = False
    plain: bool = False
    language_is_chosen: bool = False
    """True when a flag or the settings named the language; else the desk's own is used as soon as it is open."""
    out: TextIO = field(default_factory=lambda: sys.stdout)
    err: TextIO = field(default_factory=lambda: sys.stderr)
    _store: "Store | None" = None
    _agent: "Agent | None" = None
    _reference: "Reference | None" = None

    @property
    def language(self) -> str:
        """The language of the texts."""
        return current_language()

    def now(self) -> datetime:
        """The present instant at the desk, aware, UTC: that of the host, and on a demo desk that of its story."""
        return clock.now() + self.reference().desk.clock_shift

    def desk_path(self) -> Path:
        """The desk's file that the flags, the environment or the settings name.

        Raises:
            RuleBroken: nothing names one.
        """
        if self.desk is None:
            raise RuleBroken(
                _(
                    "No desk is named. Give --desk FILE or set CRISISDESK_DESK. "
                    "'crisisdesk init' makes a desk, 'crisisdesk demo' shows one."
                )
            )
        return self.desk

    def open_store(self) -> "Store":
        """The open desk, opened once.

        Raises:
            RuleBroken: no desk is named.
            StoreUnavailable: the file is absent, damaged, too new, or the engine is unsafe.
        """
        if self._store is None:
            from crisisdesk.desk.reference import load_reference
            from crisisdesk.store.engine import open_desk

            self._store = open_desk(self.desk_path())
            self._reference = load_reference(self._store)
            if not self.language_is_chosen:
                use_language(self._reference.desk.languages[0])
        return self._store

    def reference(self) -> "Reference":
        """The desk's reference data, read once."""
        self.open_store()
        assert self._reference is not None  # open_store reads it
        return self._reference

    def agent(self) -> "Agent":
        """The agent who is at the desk: ``--agent``, CRISISDESK_AGENT, the settings, else the login of this host.

        Raises:
            RuleBroken: the login is no agent of this desk, or a disabled one.
        """
        if self._agent is None:
            from crisisdesk.desk.agents import identify

            self._agent = identify(self.open_store(), self.login or host_login())
        return self._agent

    def close(self) -> None:
        """Close the desk if it was opened."""
        if self._store is not None:
            self._store.close()
            self._store = None


def host_login() -> str:
    """The login of the operating system, or an empty text where it has none (containers)."""
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):
        return ""


def make_context(arguments: Namespace, settings: Settings) -> Context:
    """The context of one command line: flags over settings (which already hold CRISISDESK_*)."""
    basic = settings.basic or getattr(arguments, "basic", False)
    no_color = settings.no_color or getattr(arguments, "no_color", False)
    return Context(
        settings=replace(settings, basic=basic, no_color=no_color),
        desk=getattr(arguments, "desk", None) or settings.desk,
        login=getattr(arguments, "agent", "") or settings.agent,
        json=getattr(arguments, "json", False),
        plain=getattr(arguments, "plain", False),
        language_is_chosen=bool(getattr(arguments, "lang", "") or settings.language),
    )
