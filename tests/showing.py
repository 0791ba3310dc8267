"""Waiting for what others do to appear on a screen, as an agent would: without touching a key."""

import asyncio
from typing import Any

from textual.pilot import Pilot

from crisisdesk.ui.widgets.table import DeskTable
from screens import screen_text, settled

TURNS = 300


async def appears(pilot: Pilot[Any], words: str) -> str:
    """The screen as soon as it shows some words; as it is after a long wait where it never does."""
    for _turn in range(TURNS):
        if words in (text := screen_text(pilot)):
            return text
        await asyncio.sleep(0.05)
        await pilot.pause()
    return screen_text(pilot)


async def ended(pilot: Pilot[Any]) -> bool:
    """Whether the application comes to its end by itself."""
    for _turn in range(TURNS):
        if pilot.app.return_code is not None:
            return True
        await asyncio.sleep(0.05)
    return False


async def keys(pilot: Pilot[Any], *names: str) -> str:
    """Press keys and wait until all is drawn."""
    await pilot.press(*names)
    await settled(pilot)
    return screen_text(pilot)


def cursor_row(table: DeskTable) -> int:
    """The row of the screen on which the cursor's line stands."""
    return table.region.y + 1 + table.cursor - table.scroll_offset.y
