"""A real desk in a real file with patients who wait for Arlon."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from crisisdesk.desk.agents import add_agent, find_agent
from crisisdesk.desk.reference import data_folder, init_desk
from crisisdesk.domain.words import Role
from crisisdesk.store.engine import Store, open_desk
from waiting import World

NOW = datetime(2022, 5, 31, 8, 0, tzinfo=UTC)  # Tuesday, 10:00 in Brussels


@pytest.fixture(scope="session")
def made_desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("made") / "desk.db"
    init_desk(path, data_folder(), admin_login="chef", now=NOW)
    store = open_desk(path)
    admin = find_agent(store, "chef")
    assert admin
    add_agent(store, login="amelie", name="Amélie", role=Role.AGENT, agent=admin, now=NOW)
    add_agent(store, login="bruno", name="Bruno", role=Role.AGENT, agent=admin, now=NOW)
    add_agent(store, login="sonia", name="Sonia", role=Role.SUPERVISOR, agent=admin, now=NOW)
    store.backup(path.with_name("copy.db"))
    store.close()
    return path.with_name("copy.db")


@pytest.fixture
def path(made_desk: Path, tmp_path: Path) -> Path:
    target = tmp_path / "desk.db"
    target.write_bytes(made_desk.read_bytes())
    return target


@pytest.fixture
def store(path: Path) -> Iterator[Store]:
    store = open_desk(path)
    yield store
    store.close()


@pytest.fixture
def world(store: Store) -> World:
    return World(store, NOW)
