"""One key at a time, in the order of typing.

Textual hands the characters of a burst to the widget that had the focus when the burst arrived, so that a form typed
ahead ends in its first field. Here a key is looked at only when the one before it has been dealt with completely: the
widget has changed, the focus has moved, a new screen is there with its first field, and the result a key asked for
(a saved call, the next callback) has arrived or is taking more than `PATIENCE` seconds.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from textual import events
from textual.message_pump import MessagePump

from crisisdesk.ui.keyboard import Refused

if TYPE_CHECKING:
    from crisisdesk.ui.app import CrisisDeskApp

PATIENCE = 2.0
"""Seconds that typed keys wait for a result; then they are worked off whatever comes of it."""
_DRAIN = 1.0


class KeyPump:
    """The queue of typed keys and pastes of one application."""

    def __init__(self, app: "CrisisDeskApp") -> None:
        self._app = app
        self._typed: deque[events.Key | events.Paste] = deque()
        self._task: asyncio.Task[None] | None = None
        self._holds = 0
        self._free = asyncio.Event()
        self._free.set()

    def typed(self, event: events.Key | events.Paste) -> None:
        """Take a key; start working off the queue if nobody does. What was refused is said at once."""
        if isinstance(event, Refused):
            self._app.front.warn(event.words)
            return
        self._typed.append(event)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._work())
            self._task.add_done_callback(self._ended)

    @property
    def is_busy(self) -> bool:
        """Keys are being worked off, or wait."""
        return self._task is not None and not self._task.done()

    @contextmanager
    def held(self, really: bool = True) -> Iterator[None]:
        """Keys typed meanwhile wait."""
        if not really:
            yield
            return
        self._holds += 1
        self._free.clear()
        try:
            yield
        finally:
            self._holds -= 1
            if not self._holds:
                self._free.set()

    async def _work(self) -> None:
        while self._typed:
            await self._ready()
            await self._one(self._typed.popleft())

    async def _ready(self) -> None:
        """Wait until what the last key started is there: a screen with its focus, a result."""
        await _at_most(self._app.screen._mounted_event.wait(), _DRAIN)
        patient_until = asyncio.get_running_loop().time() + PATIENCE
        while self._holds and (left := patient_until - asyncio.get_running_loop().time()) > 0:
            await _at_most(self._free.wait(), left)  # a result may ask for the next one: that is waited for too

    async def _one(self, event: events.Key | events.Paste) -> None:
        app = self._app
        is_done = isinstance(event, events.Key) and await app._check_bindings(event.key, priority=True)
        target = app.focused or app.screen
        if not is_done:
            target._forward_event(event)
        # A key that nobody wants climbs from queue to queue up to the application's own, whose bindings come last.
        # What was picked from a list arrives in the queue of the screen that is in front again.
        for node in (*target.ancestors_with_self, app):
            await drained(node)

    def _ended(self, task: "asyncio.Task[None]") -> None:
        if not task.cancelled() and isinstance(error := task.exception(), Exception):
            self._app._handle_exception(error)


async def drained(pump: MessagePump) -> None:
    """Wait until a widget has worked off what is in its queue now."""
    done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def here() -> None:
        if not done.done():
            done.set_result(None)

    if pump.is_running and pump.call_later(here):
        await _at_most(done, _DRAIN)


async def _at_most(waiting: "Awaitable[object]", seconds: float) -> None:
    await asyncio.wait({asyncio.ensure_future(waiting)}, timeout=seconds)
