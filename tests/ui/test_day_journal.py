"""The screens Day and Journal, over a real desk."""

import json
from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import insert
from textual.widgets import Static

from crisisdesk import clock
from crisisdesk.store import tables
from crisisdesk.store.engine import Store
from crisisdesk.store.journal import append, entries
from crisisdesk.store.sqlite import choose_sqlite
from crisisdesk.ui.widgets.bars import HEIGHT, HalfHourBars, axis, bar_line
from screens import open_screens, screen_text, settled, type_text

DAY, ZONE = date(2022, 5, 31), "Europe/Brussels"
NASTY = "[bold red]Zoé[/] \x1b[31m\u202e"


@pytest.fixture
def busy_store(desk_store: Store) -> Store:
    """Forty calls in Arlon this morning, one yesterday; taken on paper by somebody with an awkward name."""
    nine = clock.day_bounds(DAY, ZONE)[0] + timedelta(hours=9)
    starts = [nine + timedelta(minutes=number) for number in range(40)] + [nine - timedelta(days=1)]
    rows = [
        {"uid": f"u{number}", "number": number, "reference": f"r{number}", "started_at": start, "entered_at": start,
         "entered_by": 1, "taken_by_name": NASTY, "site_id": "arlon", "disposition": "informed"}
        for number, start in enumerate(starts, 1)
    ]  # fmt: skip
    with desk_store.write() as connection:
        connection.execute(insert(tables.call), rows)
    return desk_store


def meaning(pilot: object) -> str:
    return str(pilot.app.screen.query_one("#meaning", Static).render())  # type: ignore[attr-defined]


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_the_day_shows_totals_bars_and_meanings(busy_store: Store, size: tuple[int, int]) -> None:
    async with open_screens(busy_store, "day", size=size) as pilot:
        text = screen_text(pilot)
        assert "31/05/2022" in text
        assert " 40 " in text.splitlines()[2]
        bars = pilot.app.screen.query_one(HalfHourBars).bars
        assert len(bars) == 48
        assert {label: calls for label, calls in bars if calls} == {"09:00": 30, "09:30": 10}
        first = meaning(pilot)
        await pilot.press("down")
        await settled(pilot)
        assert meaning(pilot) not in {"", first}
        assert "non mesuré" in screen_text(pilot)


async def test_every_part_fits_and_its_columns_explain_themselves(busy_store: Store) -> None:
    async with open_screens(busy_store, "day", size=(80, 24)) as pilot:
        seen = set()
        for _part in range(11):
            lines = screen_text(pilot).splitlines()
            assert len(lines) == 24
            assert all(len(line) <= 80 for line in lines)
            assert "\x1b" not in screen_text(pilot)
            assert "\u202e" not in screen_text(pilot)
            seen.add(next(line for line in lines if "partie " in line))
            before = meaning(pilot)
            await pilot.press("right")
            await settled(pilot)
            assert meaning(pilot) == before or len(before) > 10
            await pilot.press("tab")
            await settled(pilot)
        assert len(seen) == 11
        text = screen_text(pilot)
        assert "partie 1 sur 11" in text
        await pilot.press(*["tab"] * 6)
        await settled(pilot)
        assert "[bold red]Zoé" in screen_text(pilot), "a foreign name is shown as it was written"


async def test_another_day_and_back(busy_store: Store) -> None:
    async with open_screens(busy_store, "day", size=(80, 24)) as pilot:
        await pilot.press("n")
        await settled(pilot)
        assert "31/05/2022" in screen_text(pilot), "tomorrow has no figures"
        await pilot.press("p")
        await settled(pilot)
        text = screen_text(pilot)
        assert "30/05/2022" in text
        assert " 1 " in text.splitlines()[2]
        await pilot.press("d")
        await settled(pilot)
        await pilot.press("ctrl+u")
        await type_text(pilot, "31/05\r")
        await settled(pilot)
        assert "31/05/2022" in screen_text(pilot)


async def test_export_asks_where_and_tells_the_journal(busy_store: Store, tmp_path: Path) -> None:
    target = tmp_path / "jour.json"
    async with open_screens(busy_store, "day", size=(80, 24)) as pilot:
        await pilot.press("f9")
        await settled(pilot)
        await pilot.press("ctrl+u")
        await type_text(pilot, f"{target}\r")
        await settled(pilot)
        calls = next(figure for figure in json.loads(target.read_text())["figures"] if figure["key"] == "calls")
        assert calls["value"] == 40
        await pilot.press("f9")
        await settled(pilot)
        await pilot.press("ctrl+u")
        await type_text(pilot, f"{target}\r")
        await settled(pilot)
        assert pilot.app.screen.messages.is_asking, "a file is not replaced unasked"
        await pilot.press("n")
    with busy_store.read() as connection:
        [entry] = [one for one in entries(connection, limit=5) if one.action == "export"]
    assert entry.detail["file"] == str(target)


async def test_new_figures_are_announced_and_do_not_move(busy_store: Store) -> None:
    async with open_screens(busy_store, "day", size=(80, 24)) as pilot:
        with busy_store.write() as connection:
            now = clock.now()
            append(connection, agent="jo", action="call.saved", subject="call", subject_id=1, now=now)
        pilot.app.screen.refresh_from_store()
        await settled(pilot)
        assert "F5" in screen_text(pilot).splitlines()[1]


async def test_the_journal_is_read_verified_and_followed(busy_store: Store) -> None:
    with busy_store.write() as connection:
        for number in range(250):
            append(connection, agent="jo", action="call.saved", subject="call", subject_id=number,
                   detail={"name": ["Dupond", NASTY]}, now=clock.now())  # fmt: skip
    async with open_screens(busy_store, "journal", size=(80, 24)) as pilot:
        text = screen_text(pilot)
        assert "call.saved" in text
        assert "Dupond → [bold red]Zoé" in text
        assert "\x1b" not in text
        table = pilot.app.screen.query_one("#entries")
        assert len(table.rows) == 200
        await pilot.press("end")
        await settled(pilot)
        assert len(table.rows) > 250, "older entries are fetched at the last line"
        await pilot.press("v")
        await settled(pilot)
        assert "intact" in screen_text(pilot)
        await pilot.press("home", "s")
        await settled(pilot)
        assert len(table.rows) == 1
        await pilot.press("a")
        await settled(pilot)
        assert len(table.rows) == 200


async def test_a_forged_journal_is_told(busy_store: Store) -> None:
    connection = choose_sqlite().connect(str(busy_store.path))
    connection.execute("DROP TRIGGER journal_no_update")
    connection.execute("UPDATE journal SET agent = 'x' WHERE seq = 2")
    connection.commit()
    connection.close()
    async with open_screens(busy_store, "journal", size=(80, 24)) as pilot:
        await pilot.press("v")
        await settled(pilot)
        assert "altéré" in screen_text(pilot)


def test_bars_always_show_a_call() -> None:
    values = [0, 1, 500, 1000]
    lines = [bar_line(values, 1000, line) for line in range(HEIGHT)]
    assert lines[0] == " ▁██"
    assert lines[-1][3] == "█"
    assert [line[0] for line in lines] == [" "] * HEIGHT
    assert bar_line([0, 0], 0, 0) == "  "


def test_the_axis_names_every_third_hour() -> None:
    labels = [f"{hour:02}:{minute:02}" for hour in range(24) for minute in (0, 30)]
    assert axis(labels).split() == ["00", "03", "06", "09", "12", "15", "18", "21"]
