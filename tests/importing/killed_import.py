"""Imports a list and stops at a chosen moment, to be looked at and killed: `killed_import.py DESK FILE MOMENT`.

Moments: ``part:N`` (in the transaction of a part, its rows written, nothing committed), ``staged`` (every part is in,
nothing published), ``publishing`` (the last step written, not committed) and ``published`` (committed, nothing tidied).
"""

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from handmade import take_in

from crisisdesk.store import staging
from crisisdesk.store.engine import open_desk
from crisisdesk.store.publishing import Publication


def stop() -> None:
    os.kill(os.getpid(), signal.SIGSTOP)


def stopping_after(function: Callable[..., Any], calls: int = 0) -> Callable[..., Any]:
    """The function, with a stop after its call number ``calls``, from 0."""
    done = iter(range(1_000_000))

    def call(*args: Any) -> None:
        function(*args)
        if next(done) == calls:
            stop()

    return call


def main() -> None:
    """Arrange the stop, then import."""
    desk, path, moment = sys.argv[1:4]
    store = open_desk(Path(desk))
    name, _colon, number = moment.partition(":")
    if name == "part":
        staging.add_part = stopping_after(staging.add_part, int(number))
    elif name == "staged":
        Publication.prepare = stopping_after(Publication.prepare)  # type: ignore[method-assign]
    elif name == "publishing":
        Publication.publish = stopping_after(Publication.publish)  # type: ignore[method-assign]
    elif name == "published":
        staging.clear = lambda _connection: stop()
    take_in(store, Path(path))


if __name__ == "__main__":
    main()
