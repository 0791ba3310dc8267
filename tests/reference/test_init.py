"""A desk is made whole or not at all, and carries what the folder said."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from crisisdesk.desk.agents import add_agent, change_role, identify, list_agents, set_active
from crisisdesk.desk.reference import data_folder, init_desk, load_reference
from crisisdesk.desk.sessions import sign_in
from crisisdesk.domain.reference import Reference
from crisisdesk.domain.words import Role
from crisisdesk.errors import RuleBroken, StoreUnavailable
from crisisdesk.store import journal
from crisisdesk.store.engine import Store, open_desk

NL = Path(__file__).parent / "hospital_nl"
NOW = datetime(2022, 5, 17, 6, 0, tzinfo=UTC)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A desk made from the shipped data."""
    path = tmp_path / "crisis.desk"
    init_desk(path, data_folder(), admin_login="amelie", now=NOW)
    return open_desk(path)


def test_the_desk_carries_the_folder(store: Store) -> None:
    reference = load_reference(store)
    assert isinstance(reference, Reference)
    assert reference.label("topic", "operation_postponed", "fr") == "opération reportée"
    assert reference.label("topic", "operation_postponed", "pt") == "opération reportée", (
        "falls back to the first language"
    )
    assert reference.priority_limits["P1a"] == timedelta(hours=24)
    assert reference.desk.clock_shift == timedelta(0)
    surgery = [service for service in reference.services_of("arlon") if service.kind == "surgery"]
    assert [service.code for service in surgery] == ["surgery"]


def test_a_dutch_hospital_gets_its_own_desk(tmp_path: Path) -> None:
    path = tmp_path / "linde.desk"
    init_desk(path, NL, admin_login="visser", now=NOW)
    reference = load_reference(open_desk(path))
    assert (reference.desk.country, reference.desk.time_zone) == ("NL", "Europe/Amsterdam")
    assert reference.label("way_out", "emergency", "nl").startswith("meteen 112")
    assert list(reference.sites) == ["noord", "zuid"]


def test_the_making_is_journalled(store: Store) -> None:
    with store.read() as connection:
        first = journal.entries(connection)[-1]
        assert (first.action, first.agent, first.detail["admin"]) == ("desk.opened", "amelie", [None, "amelie"])
        assert journal.verify(connection).first_fault is None


def test_a_desk_is_never_overwritten(tmp_path: Path, store: Store) -> None:
    path = tmp_path / "crisis.desk"
    before = path.read_bytes()
    with pytest.raises(RuleBroken, match="never overwritten"):
        init_desk(path, data_folder(), admin_login="amelie", now=NOW)
    assert path.read_bytes() == before


@pytest.mark.parametrize("login", ["", "-x", "a b", "a\x1b[2Jb", "x" * 33, "../root"])
def test_a_login_that_is_none_leaves_nothing_behind(tmp_path: Path, login: str) -> None:
    with pytest.raises(RuleBroken):
        init_desk(tmp_path / "new.desk", data_folder(), admin_login=login, now=NOW)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_with_a_mistake_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "desks").mkdir()
    with pytest.raises(RuleBroken):
        init_desk(tmp_path / "desks" / "new.desk", tmp_path / "data", admin_login="amelie", now=NOW)
    assert list((tmp_path / "desks").iterdir()) == []


def test_a_failure_in_the_middle_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_link(*_names: object, **_options: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "link", no_link)
    with pytest.raises(KeyboardInterrupt):
        init_desk(tmp_path / "new.desk", data_folder(), admin_login="amelie", now=NOW)
    assert list(tmp_path.iterdir()) == []


def test_no_folder_to_write_in_is_told(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable):
        init_desk(tmp_path / "nowhere" / "new.desk", data_folder(), admin_login="amelie", now=NOW)


def test_agents_are_added_changed_and_disabled(store: Store) -> None:
    admin = sign_in(store, "amelie", now=NOW)
    add_agent(store, login="zoé.d", name="  Zoé   Dumont ", role=Role.AGENT, agent=admin, now=NOW)
    assert identify(store, "zoé.d").name == "Zoé Dumont"
    change_role(store, "zoé.d", Role.SUPERVISOR, agent=admin, now=NOW)
    assert identify(store, "zoé.d").role is Role.SUPERVISOR
    set_active(store, "zoé.d", False, agent=admin, now=NOW)
    with pytest.raises(RuleBroken, match="disabled"):
        sign_in(store, "zoé.d", now=NOW)
    assert [agent.login for agent in list_agents(store)] == ["amelie", "zoé.d"]
    with store.read() as connection:
        told = [(entry.action, dict(entry.detail)) for entry in reversed(journal.entries(connection))][1:]
    assert told == [
        ("agent.signed_in", {"attested_by": "", "origin": "", "session": 1}),
        (
            "agent.added",
            {"login": [None, "zoé.d"], "name": [None, "Zoé Dumont"], "role": [None, "agent"], "sites": [[], []]},
        ),
        ("agent.changed", {"role": ["agent", "supervisor"]}),
        ("agent.changed", {"is_active": [True, False]}),
    ]


def test_only_admins_change_the_list_and_one_stays(store: Store) -> None:
    admin = identify(store, "amelie")
    agent = add_agent(store, login="luc", name="Luc", role=Role.AGENT, agent=admin, now=NOW)
    with pytest.raises(RuleBroken, match="Only an admin"):
        add_agent(store, login="eve", name="Eve", role=Role.ADMIN, agent=agent, now=NOW)
    with pytest.raises(RuleBroken, match="already"):
        add_agent(store, login="luc", name="Luc", role=Role.AGENT, agent=admin, now=NOW)
    with pytest.raises(RuleBroken, match="only admin"):
        change_role(store, "amelie", Role.AGENT, agent=admin, now=NOW)
    with pytest.raises(RuleBroken, match="only admin"):
        set_active(store, "amelie", False, agent=admin, now=NOW)
    with pytest.raises(RuleBroken, match="no agent of this desk"):
        sign_in(store, "nobody", now=NOW)
