"""The terminal driver: as Textual's, but a byte that is not UTF-8 does not end the session.

A terminal set to Latin-1 sends one byte for an accented letter. It is read as what it was meant to be.
"""

import codecs
from functools import partial
from typing import Any

import textual.drivers.linux_driver as linux_driver

_LATIN = "crisisdesk-latin"


def _read_as_latin(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    broken = error.object[error.start : error.end].decode("latin-1")
    return "".join(letter if letter.isprintable() else "\ufffd" for letter in broken), error.end


def _tolerant(encoding: str) -> Any:
    return partial(codecs.getincrementaldecoder(encoding), errors=_LATIN)


codecs.register_error(_LATIN, _read_as_latin)
linux_driver.getincrementaldecoder = _tolerant  # type: ignore[attr-defined]  # its strict decoder kills the thread
DeskDriver = linux_driver.LinuxDriver
