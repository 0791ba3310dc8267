"""The one door between the screens and the desk's file. Nothing is read or written on the screen's own loop.

Reads run in a few threads, each on its own read-only connection; a newer read of the same group makes an older one
moot (its worker is cancelled). Writes run one after the other in a single thread, are never cancelled, and are drained
before the program ends.
"""

import asyncio
import inspect
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import lru_cache, partial
from importlib import import_module
from typing import Any, NamedTuple, TypeVar

from crisisdesk.ui.session import Session

Result = TypeVar("Result")
SLOW_SECONDS = 1.0
"""After this long an agent is told that the desk's file is busy."""


class Wish(NamedTuple):
    """What an agent wants stored, by an id that the screen makes."""

    key: str
    is_again: bool = False
    """An earlier try ended without an answer."""


def _run_once(session: Session, wish: Wish, step: Callable[[], Result], may_go_on: bool) -> Result:
    from crisisdesk.desk.repeating import run_once

    key, login, store = wish.key, session.agent.login, session.store
    return run_once(store, key, login, step, is_again=wish.is_again, may_go_on=may_go_on)  # type: ignore[arg-type]


@lru_cache
def _wanted(fn: Callable[..., object]) -> frozenset[str]:
    """Which of agent and now a function of the desk asks for."""
    return frozenset({"agent", "now"} & inspect.signature(fn).parameters.keys())


class Backend:
    """Runs functions of `desk` and `reports` as ``fn(store, *args, agent=..., now=..., **kw)``, off the loop."""

    def __init__(self, session: Session, on_slow: Callable[[], None] | None = None) -> None:
        """Start no thread yet.

        Args:
            session: whose store, agent and clock are handed to every function.
            on_slow: called on the loop when a write has waited for `SLOW_SECONDS`.
        """
        self.session = session
        self._on_slow = on_slow or (lambda: None)
        self._readers = ThreadPoolExecutor(3, "desk-read")
        self._writer = ThreadPoolExecutor(1, "desk-write")
        self._pending = 0
        self._idle = threading.Condition()

    async def read(self, fn: Callable[..., Result], *args: object, **kwargs: object) -> Result:
        """The result of a reading function, from a thread. Raises what it raises."""
        return await asyncio.wrap_future(self._readers.submit(self._bound(fn, args, kwargs)))

    async def write(self, fn: Callable[..., Result], *args: object, **kwargs: object) -> Result:
        """The result of a writing function. Once asked for it is done, whatever becomes of the caller.

        ``now`` is the instant of asking, not of writing: a queue of writes does not change what happened when.
        """
        return await self.landed(self.submit(fn, *args, wish=None, **kwargs))

    async def landed(self, future: "Future[Result]") -> Result:
        """Wait for a queued write; say so when it takes long. Raises what it raises."""
        waiting = asyncio.wrap_future(future)
        if not (await asyncio.wait({waiting}, timeout=SLOW_SECONDS))[0]:
            self._on_slow()
        return await asyncio.shield(waiting)

    def submit(
        self, fn: Callable[..., Result], *args: object, wish: Wish | None = None, **kwargs: object
    ) -> "Future[Result]":
        """Queue a write and return at once: from here on it will be done, even if the program is told to end.

        Args:
            wish: under which it is stored once, however often it is tried.
        """
        call = self._bound(fn, args, kwargs)
        if wish is not None:
            call = partial(_run_once, self.session, wish, call, getattr(fn, "goes_on", False))
        with self._idle:
            self._pending += 1
        future = self._writer.submit(call)
        future.add_done_callback(self._landed)
        return future

    def warm(self, module: str) -> None:
        """Import a module in a reading thread, so that it is there when it is asked for."""
        self._readers.submit(import_module, module)

    def wait_idle(self, seconds: float) -> bool:
        """Wait, in any thread, until no write is pending; False when ``seconds`` were not enough."""
        with self._idle:
            return self._idle.wait_for(lambda: self._pending == 0, seconds)

    def close(self) -> None:
        """Let every write land and end the threads."""
        self._readers.shutdown(wait=False, cancel_futures=True)
        self._writer.shutdown(wait=True)

    def _landed(self, _future: "Future[Any]") -> None:
        with self._idle:
            self._pending -= 1
            self._idle.notify_all()

    def _bound(
        self, fn: Callable[..., Result], args: tuple[object, ...], kwargs: dict[str, object]
    ) -> Callable[[], Result]:
        wanted = _wanted(fn) - kwargs.keys()
        if "agent" in wanted:
            kwargs["agent"] = self.session.agent
        if "now" in wanted:
            kwargs["now"] = self.session.now()
        return partial(fn, self.session.store, *args, **kwargs)
