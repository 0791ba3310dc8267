"""The screens as a test sees them: the real application over a real desk, in French, at a given size."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from textual import events
from textual.keys import _character_to_key
from textual.pilot import Pilot

from crisisdesk.config import Settings
from crisisdesk.desk.agents import Agent, find_agent
from crisisdesk.desk.reference import load_reference
from crisisdesk.i18n import in_language
from crisisdesk.store.engine import Store
from crisisdesk.ui.app import CrisisDeskApp
from crisisdesk.ui.session import Session
from moments import DESK_NOW


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
            async with app.run_test(size=size) as pilot:
                await settled(pilot)
                yield pilot
                await settled(pilot)
        finally:
            app.let_go()


async def settled(pilot: Pilot[Any]) -> None:
    """Wait until keys, reads and writes are through and drawn."""
    app = pilot.app
    assert isinstance(app, CrisisDeskApp)
    quiet = 0
    for _attempt in range(1000):
        await pilot.pause()
        at_work = [worker for worker in app.workers if not worker.is_finished]
        queues = [app, app.screen, *app.screen.query("*")]
        is_quiet = not at_work and not app._keys.is_busy and app.backend.wait_idle(0)
        quiet = quiet + 1 if is_quiet and all(one._message_queue.empty() for one in queues) else 0
        if quiet == 2:
            break


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
