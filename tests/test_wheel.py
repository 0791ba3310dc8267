"""What is installed is whole: a wheel, in an environment of its own, far from the checkout."""

import importlib.util
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

STORY = """
import asyncio, sys
from datetime import UTC, datetime
from pathlib import Path
import crisisdesk
from crisisdesk.config import Settings
from crisisdesk.desk.agents import identify
from crisisdesk.desk.reference import data_folder, init_desk, load_reference
from crisisdesk.i18n import available_languages, use_language
from crisisdesk.store.engine import open_desk
from crisisdesk.ui.app import CrisisDeskApp
from crisisdesk.ui.session import Session

home = Path(crisisdesk.__file__).parent
assert Path(sys.prefix) in home.parents, home
assert data_folder() == home / "data", data_folder()
assert {"fr", "en"} <= set(available_languages())
now = datetime(2022, 5, 31, 12, 0, tzinfo=UTC)
init_desk(Path("a.desk"), data_folder(), admin_login="chef", now=now)
store = open_desk(Path("a.desk"))
use_language("fr")
app = CrisisDeskApp(Session(store, identify(store, "chef"), load_reference(store), "fr", Settings(), lambda: now))

async def look():
    async with app.run_test(size=(80, 24)) as pilot:
        for _wait in range(200):
            await pilot.pause(0.05)
            text = "\\n".join(strip.text for strip in app.screen._compositor.render_strips())
            if "Arlon" in text:
                break
        print(text)

try:
    asyncio.run(look())
finally:
    app.let_go()
    store.close()
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this checkout."""
    if not (ROOT / "pyproject.toml").is_file():
        pytest.skip("no checkout here to build from")
    folder = tmp_path_factory.mktemp("wheel")
    here = [] if importlib.util.find_spec("hatchling") is None else ["--no-build-isolation"]
    command = [sys.executable, "-m", "pip", "wheel", str(ROOT), "--no-deps", "--quiet", "--wheel-dir", str(folder)]
    ran = subprocess.run([*command, *here], capture_output=True, text=True)
    if ran.returncode and not here:
        print("no hatchling here and none to be had from the network: the wheel is not tested")
        pytest.skip("no hatchling here and none to be had from the network")
    assert ran.returncode == 0, ran.stderr
    [built] = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def elsewhere(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of a fresh environment that holds the wheel, and borrows the libraries of this one."""
    folder = tmp_path_factory.mktemp("elsewhere")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder / "venv")], check=True)
    python = folder / "venv" / "bin" / "python"
    install = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet", "--no-deps", "--no-index"]
    subprocess.run([*install, str(wheel)], check=True)
    [packages] = (folder / "venv").glob("lib/python*/site-packages")
    (packages / "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return python


def test_the_wheel_holds_data_texts_and_styles(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    wanted = {f"crisisdesk/data/{path.relative_to(ROOT / 'data').as_posix()}"
              for path in (ROOT / "data").rglob("*") if path.is_file()}  # fmt: skip
    assert wanted <= names
    for name in ("locale/fr/LC_MESSAGES/crisisdesk.mo", "locale/en/LC_MESSAGES/crisisdesk.mo", "py.typed",
                 "store/migrations/0001_initial.sql", "ui/theme/desk.tcss"):  # fmt: skip
        assert f"crisisdesk/{name}" in names
    assert not [name for name in names if "__pycache__" in name or name.startswith("tests/")]


def test_a_screen_opens_on_a_desk_made_from_the_wheel(elsewhere: Path, tmp_path: Path) -> None:
    ran = subprocess.run([str(elsewhere), "-I", "-c", STORY], capture_output=True, text=True, cwd=tmp_path, timeout=90)
    assert ran.returncode == 0, ran.stderr
    assert "Arlon" in ran.stdout
    assert "Vivalia" in ran.stdout


def test_the_command_is_installed(elsewhere: Path, tmp_path: Path) -> None:
    command = elsewhere.with_name("crisisdesk")
    version = subprocess.run([str(command), "--version"], capture_output=True, text=True, cwd=tmp_path)
    assert version.stdout.startswith("crisisdesk ")
    ran = subprocess.run([str(command), "--help"], capture_output=True, text=True, cwd=tmp_path)
    assert ran.returncode == 0
