"""What the tests of intake share: agents, people as an import leaves them, one call after the other."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from crisisdesk.desk.agents import Agent, find_agent
from crisisdesk.desk.intake import CallForm, RecordedCall, record_call
from crisisdesk.desk.reference import load_reference
from crisisdesk.domain.reference import Reference
from crisisdesk.store import patients, reported
from crisisdesk.store.engine import Store

NOW = DESK_NOW = datetime(2022, 5, 31, 12, 0, tzinfo=UTC)  # a Tuesday, 14:00 in Brussels


@pytest.fixture
def store(desk_store: Store) -> Store:
    return desk_store


@pytest.fixture
def reference(store: Store) -> Reference:
    return load_reference(store)


@pytest.fixture
def amelie(store: Store) -> Agent:
    return _agent(store, "amelie")


@pytest.fixture
def bruno(store: Store) -> Agent:
    return _agent(store, "bruno")


def _agent(store: Store, login: str) -> Agent:
    agent = find_agent(store, login)
    assert agent
    return agent


@pytest.fixture
def add_person(store: Store) -> Callable[..., int]:
    """Add a patient with numbers and postponements, as an import would."""

    def add(
        last: str, first: str = "", birth: date | None = None, *, phones: tuple[str, ...] = (), niss: str | None = None,
        items: tuple[dict[str, object], ...] = (),
    ) -> int:  # fmt: skip
        with store.write() as connection:
            who = patients.PatientIdentity(last_name=last, first_name=first, birth_on=birth, niss=niss)
            number = patients.add_patient(connection, who, now=NOW)
            patients.add_phones(connection, number, phones, now=NOW)
            for item in items:
                reported.add(connection, {"patient_id": number, "source": "list", "created_at": NOW, **item})
        return number

    return add


@pytest.fixture
def record(store: Store, amelie: Agent, reference: Reference) -> Callable[..., RecordedCall]:
    """Record a call with these fields, as Amélie, now."""
    count = 0

    def save(disposition: str = "informed", **fields: object) -> RecordedCall:
        nonlocal count
        count += 1
        form = replace(CallForm(uid=f"form-{count}", started_at=NOW, disposition=disposition), **fields)
        return record_call(store, form, agent=amelie, now=NOW, reference=reference)

    return save
