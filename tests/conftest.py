"""What all rooms of the tests share: a real desk in a real file, and the sample lists where they are."""

import gc
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from crisisdesk.desk.agents import add_agent, find_agent
from crisisdesk.desk.reference import data_folder, init_desk
from crisisdesk.domain.words import Role
from crisisdesk.store.engine import Store, open_desk
from moments import DESK_NOW

os.umask(0o077)  # a copy of a desk is for its owner alone, as the program wants it
os.environ["CRISISDESK_ALLOW_ROOT"] = "1"  # a container's tests are root's
AGENTS = (("amelie", "Amélie", Role.AGENT), ("bruno", "Bruno", Role.AGENT), ("sylvie", "Sylvie", Role.SUPERVISOR))

MOST_WORKERS = 8


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> None:
    """A run of everything is shared out among the cores; whoever names files, a word or a number of workers is not."""
    option, everything = config.option, pytest.Config.ArgsSource.TESTPATHS
    picked = ("keyword", "markexpr", "lf", "stepwise", "usepdb", "collectonly")
    is_whole = config.args_source is everything and not any(getattr(option, name, None) for name in picked)
    is_shared_already = hasattr(config, "workerinput") or getattr(option, "numprocesses", 0) is not None
    cores = len(os.sched_getaffinity(0))
    if is_whole and not is_shared_already and option.capture != "no" and cores > 1:
        # Two a core: a terminal, an sshd, a process that was killed are mostly waited for.
        option.numprocesses, option.dist = min(2 * cores, MOST_WORKERS), "worksteal"


def pytest_collection_finish() -> None:
    """What was imported stays: the collector need not walk through it 30,000 times (a third of the tests' time)."""
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


@pytest.fixture(scope="session")
def desk_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A closed desk made from the shipped reference data, to be copied; agents chef, amelie, bruno, sylvie."""
    path = tmp_path_factory.mktemp("template") / "desk.db"
    init_desk(path, data_folder(), admin_login="chef", now=DESK_NOW)
    store = open_desk(path)
    admin = find_agent(store, "chef")
    assert admin
    for login, name, role in AGENTS:
        add_agent(store, login=login, name=name, role=role, agent=admin, now=DESK_NOW)
    copy = path.with_name("copy.db")
    store.backup(copy)
    store.close()
    return copy


@pytest.fixture
def desk_path(desk_template: Path, tmp_path: Path) -> Path:
    """The file of a fresh desk."""
    target = tmp_path / "desk.db"
    target.write_bytes(desk_template.read_bytes())
    return target


@pytest.fixture
def desk_store(desk_path: Path) -> Iterator[Store]:
    """A fresh desk, open."""
    store = open_desk(desk_path)
    yield store
    store.close()


@pytest.fixture(scope="session")
def shared_samples() -> Path:
    """Sample lists kept beside the project; the test is skipped where they are not."""
    folder = Path(__file__).resolve().parents[2] / "shared" / "samples"
    if not folder.is_dir():
        print(f"no sample lists at {folder}: skipped")
        pytest.skip(f"no sample lists at {folder}")
    return folder
