"""The documents are true: their commands are taken, their keys are bound, what they link to is there."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from textual.actions import parse
from textual.binding import Binding
from textual.pilot import Pilot
from textual.screen import Screen

from crisisdesk.cli.main import make_parser, run
from crisisdesk.domain.words import Scope
from crisisdesk.i18n import in_language
from crisisdesk.store.engine import Store
from crisisdesk.ui.places import PLACES, is_there
from crisisdesk.ui.screens.help import gather_help
from crisisdesk.ui.widgets.form import Field
from crisisdesk.ui.widgets.keybar import live_bindings
from filling import fill
from moments import DESK_NOW
from screens import open_screens, settled

ROOT = Path(__file__).resolve().parents[1]
DOCUMENTS = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
LARGEST_PICTURE = 120_000


def text_of(document: Path) -> str:
    return document.read_text(encoding="utf-8")


# ---------------------------------------------------------------- commands
def command_lines(text: str) -> Iterator[list[str]]:
    """The words after "crisisdesk" of each command line, from indented blocks and from code in a sentence."""
    blocks = re.findall(r"^ {4,}(\S.*)$", text, re.MULTILINE)
    spoken = [" ".join(code.split()) for code in re.findall(r"`([^`]+)`", text)]
    for line in (*blocks, *spoken):
        if "crisisdesk" not in line or line.startswith("restrict,"):
            continue
        for part in line.split("&&"):
            words = shlex.split(part, comments=True)
            place = next((at for at, word in enumerate(words) if word.rpartition("/")[2] == "crisisdesk"), None)
            is_run = place is not None and (place == 0 or words[:place] == ["uv", "run"])
            if is_run and place is not None:
                yield words[place + 1 :]


def all_commands() -> list[tuple[str, list[str]]]:
    return [(document.name, words) for document in DOCUMENTS for words in command_lines(text_of(document))]


def test_commands_are_found() -> None:
    """The reader of the documents has not gone blind."""
    named = {next((word for word in words if not word.startswith("-")), "") for _document, words in all_commands()}
    assert {"import", "opening", "queue", "day", "journal", "init", "check", "demo", "attempt"} <= named


@pytest.mark.parametrize(("document", "words"), all_commands(), ids=lambda one: one if isinstance(one, str) else "")
def test_a_command_is_taken_by_the_parser(document: str, words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with in_language("en"):
        try:
            make_parser().parse_args(words)
            code: object = 0
        except SystemExit as leaving:  # also after --help
            code = leaving.code
    assert code == 0, f"{document}: crisisdesk {shlex.join(words)}: {capsys.readouterr().err}"


@pytest.fixture(scope="session")
def demo_desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo desk after its story, closed."""
    home = tmp_path_factory.mktemp("docs")
    environment = {"PATH": os.environ["PATH"], "HOME": str(home), "LC_ALL": "C.UTF-8"}
    command = [sys.executable, "-m", "crisisdesk", "demo", "--text", "--desk", str(home / "demo.desk")]
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, env=environment, timeout=150, check=False
    )
    assert done.returncode == 0, done.stderr
    return home / "demo.desk"


def needs_a_terminal(words: list[str]) -> bool:
    """Opens the screens, or plays the demo, which has tests of its own; help is shown without a desk."""
    arguments = make_parser().parse_args(words) if "--help" not in words else None
    return arguments is None or getattr(arguments, "run", None) is None or bool({"demo", "keys"} & set(words))


def prepare_place(folder: Path, desk: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], str]:
    """What the documents take for granted: a desk, a list, the folders; gives how a word of theirs is to be read."""
    shutil.copy(desk, folder / "demo.desk")
    shutil.copytree(ROOT / "data", folder / "data")
    shutil.copytree(ROOT / "data", folder / "mine")
    listed = (ROOT / "data" / "samples" / "arlon_bloc_23mai.csv").read_bytes()
    header, _newline, rows = listed.partition(b"\n")
    header = header.replace(b"Date op.", b"Jour X").replace(b";Nom;", b";Qui;")
    (folder / "bloc_arlon.csv").write_bytes(header + b"\n" + rows)
    (folder / "agents.txt").write_text("chef;Chantal Lambert;admin\n", encoding="utf-8")
    monkeypatch.chdir(folder)
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.setenv("CRISISDESK_DESK", str(folder / "demo.desk"))
    monkeypatch.setenv("CRISISDESK_AGENT", "amélie")

    def here(word: str) -> str:
        if word.startswith("/mnt/"):  # another disk
            return str(folder / Path(word).name)
        return {"/srv/desk/vivalia.desk": str(folder / "demo.desk"), "amelie": "admin"}.get(word, word)

    return here


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda one: one.name)
def test_commands_run_on_the_demo_desk(
    document: Path, demo_desk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    here = prepare_place(tmp_path, demo_desk, monkeypatch)
    with in_language("en"):
        for place, words in enumerate(command_lines(text_of(document))):
            if needs_a_terminal(words) or "SEQ:HASH" in words or "--ssh" in words:  # tests/terminal/test_night.py
                continue
            words = [here(word) for word in words]
            if words[0] == "init":  # makes a desk: a fresh one each time
                words += ["--desk", str(tmp_path / f"{place}.desk")]
            code = run(words)
            said = capfd.readouterr()
            assert code == 0, f"{document.name}: crisisdesk {shlex.join(words)}: {said.err}"


# ---------------------------------------------------------------- links and paths
@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda one: one.name)
def test_what_a_document_links_to_is_there(document: Path) -> None:
    for target in re.findall(r"\]\(([^)#\s]+)", text_of(document)):
        if "://" not in target:
            path = document.parent / target
            assert path.exists(), f"{document.name}: {target}"
            assert path.suffix != ".png" or path.stat().st_size < LARGEST_PICTURE, f"{target} is too large"


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda one: one.name)
def test_a_path_of_the_project_that_is_named_is_there(document: Path) -> None:
    rooms = "cli|data|desk|docs|domain|reports|src|store|tests|tools|ui"
    for named in re.findall(rf"`(?:python )?((?:{rooms})/[\w./]*)", text_of(document)):
        assert any(find(named) for find in (in_root, in_source)), f"{document.name}: {named}"


def in_root(named: str) -> bool:
    return (ROOT / named).exists()


def in_source(named: str) -> bool:
    """A path from the program's own folder; "domain/text.inert_text" names a function of a module."""
    path = ROOT / "src" / "crisisdesk" / named
    return path.exists() or path.with_suffix(".py").is_file()


# ---------------------------------------------------------------- keys
KEYS = {
    "Enter": "enter", "Esc": "escape", "Tab": "tab", "Shift+Tab": "shift+tab", "PgDn": "pagedown", "PgUp": "pageup",
    "↑": "up", "↓": "down", "←": "left", "→": "right", "?": "question_mark", ":": "colon",
}  # fmt: skip


WITH_VIEWS = {"lists", "openings", "coding", "mine", "rules", "agents"}
"""Screens whose keys change with what is in front."""


def key_of(word: str) -> str:
    """A key as the documents print it, as Textual names it."""
    return KEYS.get(word) or (word.lower() if len(word) > 1 else word)


def key_tables() -> list[tuple[str, str, list[str]]]:
    """Document, place ("screen" or "screen #widget") and keys of each table of keys."""
    found = []
    for document in DOCUMENTS:
        tables = re.findall(r"<!-- keys: ([^>]+?) -->\n((?:\|.*\n)+)", text_of(document))
        for place, table in tables:
            cells = [line.split("|")[1] for line in table.splitlines()[2:]]
            found.append((document.name, place, [key.strip() for cell in cells for key in cell.split(",")]))
    return found


def bound_keys(screen: Screen[Any]) -> set[str]:
    """Every key that does something in a screen at this moment; a callback's card also hears the dispositions."""
    keys = set(screen.active_bindings)
    if type(screen).__name__ == "CallbackScreen":
        keys |= {row.key for row in screen.session.reference.dispositions_of(Scope.ATTEMPT)}  # type: ignore[attr-defined]
    return keys


async def go_to(pilot: Pilot[Any], store: Store, name: str) -> None:
    """Bring a screen to the front; a callback's card is one that the agent holds."""
    app: Any = pilot.app
    if name in {"patient", "callback"}:
        fill(store, 3, DESK_NOW)
        if name == "patient":
            app.go("patient", patient_id=1)
        else:
            app.go("queue")
            await settled(pilot)
            app.site = "arlon"
            app.screen.site_changed()
            await settled(pilot)
            await pilot.press("enter")
    elif name != "home":
        app.go(name)
    await settled(pilot)
    assert type(app.screen).__name__ == PLACES[name].name


@pytest.mark.parametrize(
    ("document", "place", "keys"), key_tables(), ids=lambda one: one if isinstance(one, str) else ""
)
async def test_the_keys_of_a_table_are_bound(desk_store: Store, document: str, place: str, keys: list[str]) -> None:
    name, _blank, widget = place.partition(" ")
    async with open_screens(desk_store, login="sylvie") as pilot:
        await go_to(pilot, desk_store, name)
        if widget:
            pilot.app.screen.query_one(widget).focus()
            await settled(pilot)
        bound = bound_keys(pilot.app.screen)
        if name in WITH_VIEWS:  # the keys of each view and form, whichever is in front
            bound |= {
                key for one in Binding.make_bindings(type(pilot.app.screen).BINDINGS) for key in one.key.split(",")
            }
        missing = [key for key in keys if key_of(key) not in bound]
        assert not missing, f"{document}, {place}: {missing} of {sorted(bound)}"


def test_every_screen_has_a_table_of_keys() -> None:
    described = {place.partition(" ")[0] for _document, place, _keys in key_tables()}
    assert described == {name for name in PLACES if is_there(name)} - {"help"}


def keys_named_in(words: str) -> set[str]:
    """The keys that a help text names: "^L", "F9", "Ctrl+S", "Esc", "Enter" in both languages."""
    found = {f"ctrl+{key.lower()}" for key in re.findall(r"(?:\^|Ctrl\+)([A-Z])\b", words)}
    found |= {key.lower() for key in re.findall(r"\bF\d{1,2}\b", words)}
    pairs = (("escape", r"\b(?:Esc|Échap)\b"), ("enter", r"\b(?:Enter|Entrée)\b"), ("tab", r"\bTab\b"))
    return found | {key for key, pattern in pairs if re.search(pattern, words)}


def dead_actions(screen: Screen[Any]) -> Iterable[str]:
    """Keys of the help whose action nothing carries out, or whose target is not there."""
    for active in live_bindings(screen):
        space, name, parameters = parse(active.binding.action)
        target: Any = {"app": screen.app, "screen": screen}.get(space, active.node)
        if not (hasattr(target, f"action_{name}") or hasattr(target, f"_action_{name}")):
            yield f"{active.binding.key}: {active.binding.action}"
        elif name == "focus" and not target.query(f"#{parameters[0]}"):
            yield f"{active.binding.key}: nothing to focus: {active.binding.action}"


@pytest.mark.parametrize("language", ["fr", "en"])
@pytest.mark.parametrize("name", [name for name in PLACES if name != "help" and is_there(name)])
async def test_every_key_of_the_help_exists(desk_store: Store, name: str, language: str) -> None:
    async with open_screens(desk_store, login="sylvie", language=language) as pilot:
        await go_to(pilot, desk_store, name)
        screen = pilot.app.screen
        assert not list(dead_actions(screen))
        for field in screen.query(Field) or [None]:
            if field is not None and field.focusable:
                field.focus()
                await pilot.pause()
            told = gather_help(screen)
            assert told.screen_help
            bound = bound_keys(screen) | {
                key for one in Binding.make_bindings(type(screen).BINDINGS) for key in one.key.split(",")
            }
            missing = keys_named_in(told.screen_help + " " + told.field_help) - bound
            assert not missing, f"{name}, {field and field.key}: {missing}"


async def test_the_key_of_the_note_goes_to_the_note(desk_store: Store) -> None:
    """A key that the bar shows, by what it does: what is typed after it lands in the note."""
    async with open_screens(desk_store, "intake") as pilot:
        await pilot.press("ctrl+n", "x")
        await settled(pilot)
        screen: Any = pilot.app.screen
        assert screen.form["note"].value == "x"
