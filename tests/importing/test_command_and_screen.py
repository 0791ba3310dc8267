"""`crisisdesk import`, and the screen Lists."""

import asyncio
import json
import subprocess
import sys
from pathlib import Path

from handmade import count, line, person, take_in, write

from crisisdesk.store.engine import Store
from screens import open_screens, screen_text, settled, type_text


def run(desk: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [
        sys.executable,
        "-m",
        "crisisdesk",
        "--desk",
        str(desk),
        "--agent",
        "sylvie",
        "--lang",
        "en",
        "import",
        *arguments,
    ]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def test_a_refused_file_does_not_keep_the_others_out(desk_path: Path, tmp_path: Path) -> None:
    good, bad = write(tmp_path / "bloc_arlon.csv", [line(), person(1)]), tmp_path / "empty.csv"
    bad.write_bytes(b"")
    report = tmp_path / "report.json"
    done = run(desk_path, str(bad), str(good), "--report", str(report))
    assert done.returncode == 1
    assert "empty.csv was refused: the file is empty" in done.stderr
    assert "bloc_arlon.csv" in done.stdout
    assert [entry["refused"] for entry in json.loads(report.read_text())["files"]] == ["file_empty", None]
    assert run(desk_path, str(good)).returncode == 0


def test_options_of_the_command(desk_path: Path, tmp_path: Path) -> None:
    path = write(tmp_path / "liste.csv", ["NOIRET Marie;30/05/2022"], header="Foo;Bar")
    assert run(desk_path, str(path)).returncode == 1
    done = run(
        desk_path,
        str(path),
        "--site",
        "virton",
        "--service-kind",
        "exam",
        "--map",
        "Foo=full_name",
        "--map",
        "Bar=planned_date",
        "--json",
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["files"][0]["counts"]["rows"] == 2
    assert run(desk_path, str(path), "--site", "mars").returncode == 1
    assert run(desk_path, str(path), "--map", "Foo").returncode == 1


async def test_the_screen_takes_a_list_in(desk_store: Store, tmp_path: Path) -> None:
    path = write(tmp_path / "bloc_arlon.csv", [line(nom="NOËL"), person(1)], encoding="cp1252")
    async with open_screens(desk_store, "lists", login="sylvie") as pilot:
        await pilot.press("i")
        await settled(pilot)
        await type_text(pilot, f"{path}\r\r\r\r\r")
        await until(pilot, "NOËL")
        assert "cp1252" in screen_text(pilot)
        assert count(desk_store, "source_file") == 0
        await pilot.press("ctrl+s")
        await until(pilot, "✓")
        assert "bloc_arlon" in screen_text(pilot)
    assert count(desk_store, "postponement") == 2


async def test_the_screen_decides_on_a_pair(desk_store: Store, tmp_path: Path) -> None:
    take_in(desk_store, write(tmp_path / "a.csv", [line(tel="")]))
    take_in(desk_store, write(tmp_path / "b.csv", [line(acte="Avis"), person(3)]))
    async with open_screens(desk_store, "lists", login="sylvie") as pilot:
        await pilot.press("p")
        await until(pilot, "NOIRET")
        await pilot.press("y")
        await settled(pilot)
        await pilot.press("o")
        await settled(pilot)
        await settled(pilot)
    with desk_store.read() as connection:
        query = "SELECT count(*) FROM patient WHERE merged_into_id IS NOT NULL"
        assert connection.exec_driver_sql(query).scalar_one() == 1


async def until(pilot: object, text: str) -> None:
    """Wait for a text on the screen: a file is read in another process."""
    for _time in range(200):
        await settled(pilot)  # type: ignore[arg-type]
        if text in screen_text(pilot):  # type: ignore[arg-type]
            return
        await asyncio.sleep(0.05)
    raise AssertionError(screen_text(pilot))  # type: ignore[arg-type]
