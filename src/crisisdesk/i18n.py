"""Gettext, looked up when a text is shown, so that one process can serve one agent's language."""

import gettext as _gettext
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

DOMAIN = "crisisdesk"
LOCALE_FOLDER = Path(__file__).parent / "locale"
_current: _gettext.NullTranslations = _gettext.NullTranslations()
_language = "en"


@lru_cache
def _catalogue(language: str) -> _gettext.NullTranslations:
    return _gettext.translation(DOMAIN, LOCALE_FOLDER, [language], fallback=True)


def available_languages() -> tuple[str, ...]:
    """Languages with a catalogue, sorted."""
    return tuple(sorted(folder.name for folder in LOCALE_FOLDER.iterdir() if (folder / "LC_MESSAGES").is_dir()))


def use_language(language: str) -> None:
    """Show texts in ``language`` ("fr", "en", ...) from now on; an unknown one falls back to English."""
    global _current, _language
    _current, _language = _catalogue(language), language


def current_language() -> str:
    """The language in use."""
    return _language


@contextmanager
def in_language(language: str) -> Iterator[None]:
    """Use another language for a while: a text for the patient on the screen of a French-speaking agent."""
    before = _language
    use_language(language)
    try:
        yield
    finally:
        use_language(before)


def translate(message: str, language: str) -> str:
    """The message in a language, whatever the agent's is; safe in any thread. Mark it with `N_`."""
    return _catalogue(language).gettext(message)


def _(message: str) -> str:
    """The message in the current language."""
    return _current.gettext(message)


def labelled(label: str, text: object) -> str:
    """A label and what it stands for, with the blanks that the language puts around a colon."""
    return _("{label}: {text}").format(label=label, text=text)


def joined(parts: Iterable[str]) -> str:
    """Several things said of one, with the blanks that the language puts around a semicolon."""
    return _("; ").join(parts)


def ngettext(one: str, many: str, count: int) -> str:
    """The singular or plural message in the current language."""
    return _current.ngettext(one, many, count)


def pgettext(context: str, message: str) -> str:
    """The message in the current language, where one English word has several meanings."""
    return _current.pgettext(context, message)


def N_(message: str) -> str:  # noqa: N802 - the customary gettext name
    """Mark a text for the catalogue; it is translated where it is shown."""
    return message
