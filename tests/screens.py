"""The screens as a test sees them: the real application over a real desk, in French, at a given size."""

import asyncio
import unicodedata
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from time import monotonic
from typing import Any

from textual import events
from textual.keys import REPLACED_KEYS, _character_to_key, _get_unicode_name_from_key
from textual.pilot import Pilot

from crisisdesk.config import Settings
from crisisdesk.desk.agents import Agent, find_agent
from crisisdesk.desk.reference import load_reference
from crisisdesk.i18n import in_language
from crisisdesk.store.engine import Store
from crisisdesk.ui.app import CrisisDeskApp
from crisisdesk.ui.session import Session
from moments import DESK_NOW

PATIENCE = 1.0
"""Seconds that a pressed key is given; what takes longer is being held up."""


@asynccontextmanager
async def open_screens(
    store: Store,
    first: str = "home",
    *,
    login: str = "amelie",
    size: tuple[int, int] = (80, 24),
    language: str = "fr",
    settings: Settings | None = None,
    agent: Agent | None = None,
) -> AsyncIterator[Pilot[Any]]:
    """The application with its first screens drawn and filled; ``agent``: one who has signed in, instead of a login."""
    agent = agent or find_agent(store, login)
    assert agent
    session = Session(store, agent, load_reference(store), language, settings or Settings(), lambda: DESK_NOW)
    app = CrisisDeskApp(session, first)
    with in_language(language):
        try:
            async with app.run_test(size=size):
                pilot = DeskPilot(app)
                await settled(pilot)
                yield pilot
                await settled(pilot)
        finally:
            app.let_go()


class DeskPilot(Pilot[Any]):
    """Textual's pilot, waiting for what a key brings about and not for 20 ms without work, three times a key."""

    async def press(self, *keys: str) -> None:
        """Press keys, each when what the one before it began is done (or has taken a second: a test may hold it up)."""
        for key in keys:
            self.app.post_message(_typed(key))
            await settled(self, PATIENCE)

    async def pause(self, delay: float | None = None) -> None:
        """Let every widget work off what is in its queue, and draw; with ``delay``, some seconds later."""
        if delay is not None:
            await asyncio.sleep(delay)
        await _drawn(self)


async def settled(pilot: Pilot[Any], seconds: float = 20.0) -> None:
    """Wait until keys, reads and writes are through and drawn; ``seconds`` at most."""
    quiet, end = 0, monotonic() + seconds
    while quiet < 2 and pilot.app.is_running and monotonic() < end:
        if _is_at_work(pilot.app):
            quiet = 0
            await asyncio.sleep(0.002)
        else:
            await _drawn(pilot)
            quiet = 0 if _is_at_work(pilot.app) or _is_to_draw(pilot.app) else quiet + 1


async def _drawn(pilot: Pilot[Any]) -> None:
    await pilot._wait_for_screen()
    pilot.app.screen._on_timer_update()
    await asyncio.sleep(0)


def _is_at_work(app: Any) -> bool:
    """A worker, a key or a write is not through."""
    assert isinstance(app, CrisisDeskApp)
    at_work = any(not worker.is_finished for worker in app.workers)
    return at_work or app._keys.is_busy or not app.backend.wait_idle(0)


def _is_to_draw(app: Any) -> bool:
    """A widget has a message to work off, or the screen something to lay out, to paint or to call afterwards."""
    screen = app.screen
    waiting = (screen._layout_required, screen._scroll_required, screen._repaint_required, screen._recompose_required,
               screen._dirty_widgets, screen._callbacks)  # fmt: skip
    pumps = (app, *screen.walk_children(with_self=True))
    return any(waiting) or any(not one._message_queue.empty() or one._next_callbacks for one in pumps)


def _typed(key: str) -> events.Key:
    """A key by its name or its character, as the terminal would send it."""
    name = _character_to_key(key) if len(key) == 1 else key
    try:
        letter = unicodedata.lookup(_get_unicode_name_from_key(REPLACED_KEYS.get(name, name)))
    except KeyError:
        return events.Key(name, key if len(key) == 1 else None)
    return events.Key(name, letter)


async def type_text(pilot: Pilot[Any], text: str) -> None:
    """Type a text as one burst: all keys are there before the first is dealt with. Tab and return are keys."""
    names = {"\t": "tab", "\r": "enter"}
    for letter in text:
        key = names.get(letter) or _character_to_key(letter)
        pilot.app.post_message(events.Key(key, None if letter in names else letter))
    await settled(pilot)


def screen_text(pilot: Pilot[Any]) -> str:
    """What is on the screen, line by line, without trailing blanks."""
    strips = pilot.app.screen._compositor.render_strips()
    return "\n".join(strip.text.rstrip() for strip in strips)
