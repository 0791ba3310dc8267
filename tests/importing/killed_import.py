"""Imports a list and dies by SIGKILL at a chosen moment: `killed_import.py DESK FILE MOMENT SLICE`."""

import os
import signal
import sys
from pathlib import Path
from typing import Any

from handmade import take_in

from crisisdesk.desk.importing import running
from crisisdesk.store import staging
from crisisdesk.store.engine import open_desk
from crisisdesk.store.publishing import Publication


def die(*_args: Any) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def main() -> None:
    """Arrange the death, then import."""
    desk, path, moment, size = sys.argv[1:5]
    running.SLICE_SIZE = running.STAGE_SIZE = int(size)
    if moment == "staging":
        staging.set_plan = die
    elif moment == "publishing":  # inside the transaction, everything written, nothing committed
        publish = Publication.publish
        Publication.publish = lambda self, *args: (publish(self, *args), die())  # type: ignore[method-assign,assign,func-returns-value]
    elif moment == "between":  # after the first slice
        Publication.hold = die  # type: ignore[method-assign,assign]
    take_in(open_desk(Path(desk)), Path(path))


if __name__ == "__main__":
    main()
