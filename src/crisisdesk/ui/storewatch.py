"""Notice that somebody else has written to the desk, without asking the desk anything that costs."""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from crisisdesk.ui.session import OpenDesk

POLL_SECONDS = 0.5
CALM_SECONDS = 1.0
"""After a change was told nothing is looked at for so long: at a busy desk every write would make every screen read."""


class StoreWatch:
    """A thread that looks at the store's data version twice a second and calls back on the loop when it moved."""

    def __init__(self, store: OpenDesk, changed: Callable[[], None]) -> None:
        self._store, self._changed = store, changed
        self._over = threading.Event()
        self._pool = ThreadPoolExecutor(1, "desk-watch")

    def start(self) -> None:
        """Begin; to be called on the loop. A store that cannot be asked for a while is asked again: the end of a
        session and urgent notices hang on it."""
        self._pool.submit(self._poll, asyncio.get_running_loop())

    def stop(self) -> None:
        """End the thread, within half a second."""
        self._over.set()
        self._pool.shutdown(wait=False)

    def _poll(self, loop: asyncio.AbstractEventLoop) -> None:
        seen = self._store.data_version()
        pause = POLL_SECONDS
        while not self._over.wait(pause):
            version = self._store.data_version()
            pause = POLL_SECONDS
            if version != seen and not loop.is_closed():
                seen, pause = version, CALM_SECONDS
                loop.call_soon_threadsafe(self._changed)
