"""Where things are: flags over CRISISDESK_* over the TOML file over defaults."""

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path

from crisisdesk.errors import RuleBroken
from crisisdesk.i18n import _

PREFIX = "CRISISDESK_"
_SWITCHES = {"basic", "no_color"}


@dataclass(frozen=True)
class Settings:
    """What a host decides. Everything about the incident itself is in the desk's own file."""

    desk: Path | None = None
    """The desk's database file."""
    language: str = ""
    """Language of the screens; empty: the agent's, else the desk's."""
    agent: str = ""
    """Login of the agent; empty: the login of the operating system."""
    theme: str = ""
    """Name of a colour theme; empty: dark."""
    basic: bool = False
    """Only the glyphs of the oldest terminals."""
    no_color: bool = False
    """No colours: bold, underline and reverse instead."""
    log: Path | None = None
    """Where a defect's traceback is written; empty: the state folder."""


def config_file(environ: Mapping[str, str]) -> Path:
    """The configuration file: ``CRISISDESK_CONFIG``, else the XDG folder."""
    import platformdirs

    named = environ.get(PREFIX + "CONFIG")
    return Path(named) if named else Path(platformdirs.user_config_dir("crisisdesk")) / "config.toml"


def data_dir() -> Path:
    """Where desks are kept unless told otherwise (XDG data folder)."""
    import platformdirs

    return Path(platformdirs.user_data_dir("crisisdesk"))


def state_dir() -> Path:
    """Where logs and demo desks are kept (XDG state folder)."""
    import platformdirs

    return Path(platformdirs.user_state_dir("crisisdesk"))


def load_settings(environ: Mapping[str, str] | None = None) -> Settings:
    """Read the settings of this host.

    Raises:
        RuleBroken: the file is not TOML, is writable by others, or holds an unknown or wrongly typed key.
    """
    environ = os.environ if environ is None else environ
    path = config_file(environ)
    values = _from_file(path) if path.is_file() else {}
    for field in fields(Settings):
        if (text := environ.get(PREFIX + field.name.upper())) is not None:
            values[field.name] = text.strip().lower() in {"1", "true", "yes"} if field.name in _SWITCHES else text
    for name in ("desk", "log"):
        if name in values:
            values[name] = Path(str(values[name])).expanduser() if values[name] else None
    return replace(Settings(), **values)  # type: ignore[arg-type]  # checked key by key above


def _from_file(path: Path) -> dict[str, object]:
    if path.stat().st_mode & 0o002:
        raise RuleBroken(_("{path} can be written by everybody. Mend it with: chmod o-w {path}").format(path=path))
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise RuleBroken(_("{path} is not a TOML file: {why}").format(path=path, why=error)) from error
    kinds = {field.name: bool if field.name in _SWITCHES else str for field in fields(Settings)}
    for name, value in values.items():
        if name not in kinds:
            known = ", ".join(kinds)
            words = _("{path}: unknown key '{key}'. Known keys: {known}")
            raise RuleBroken(words.format(path=path, key=name, known=known))
        if not isinstance(value, kinds[name]):
            kind = kinds[name].__name__
            raise RuleBroken(_("{path}: '{key}' must be a {kind}").format(path=path, key=name, kind=kind))
    return values
