"""Ends that nobody asked for: a terminal that has gone, a signal to stop.

Nothing depends on a clean end: drafts are stored as they are typed and leases expire. These two only make sure that no
process stays behind, and that a write in flight lands.
"""

import os
import select
import signal
import threading
from collections.abc import Callable
from types import FrameType

HANGUP_CODE, TERM_CODE = 129, 143
LANDING_SECONDS = 2.0
_SANE = b"\x1b[?1049l\x1b[?25h\x1b[?1000l\x1b[?1003l\x1b[?1006l\x1b[?1015l\x1b[?2004l\x1b[?1004l\x1b[<u\x1b[0m"
"""Out of the alternate screen, cursor on, no mouse, no bracketed paste, no focus reports."""


def watch_hangup(fd: int, wait_idle: Callable[[float], bool]) -> None:
    """Start a thread that sleeps until the terminal of ``fd`` hangs up, lets a write land, and ends the process.

    The loop cannot do it: when the link is stalled it hangs in a write to the terminal, and then spins.
    """

    def watch() -> None:
        poll = select.poll()
        poll.register(fd, 0)
        while not any(events & (select.POLLHUP | select.POLLERR | select.POLLNVAL) for _fd, events in poll.poll()):
            pass
        wait_idle(LANDING_SECONDS)
        os._exit(HANGUP_CODE)

    threading.Thread(target=watch, name="hang-up", daemon=True).start()


def on_term(stop: Callable[[], None], wait_idle: Callable[[float], bool]) -> None:
    """On SIGTERM call ``stop``; if the process is still there after a while, end it with its terminal made usable."""

    def force() -> None:
        wait_idle(LANDING_SECONDS)
        os.set_blocking(2, False)
        try:
            os.write(2, _SANE)
        finally:
            os._exit(TERM_CODE)

    def handler(_signal: int, _frame: FrameType | None) -> None:
        late = threading.Timer(3.0, force)
        late.daemon = True
        late.start()
        stop()

    signal.signal(signal.SIGTERM, handler)
