"""What these tests share: a patient with a number, and who works on the file."""

from datetime import date

import pytest

from crisisdesk.desk.agents import Agent, find_agent
from crisisdesk.store.engine import Store
from crisisdesk.store.patients import PatientIdentity, add_patient, add_phones
from moments import DESK_NOW
from waiting import World


def agent(store: Store, login: str) -> Agent:
    found = find_agent(store, login)
    assert found
    return found


@pytest.fixture
def amelie(desk_store: Store) -> Agent:
    return agent(desk_store, "amelie")


@pytest.fixture
def bruno(desk_store: Store) -> Agent:
    return agent(desk_store, "bruno")


@pytest.fixture
def marie(desk_store: Store) -> int:
    with desk_store.write() as connection:
        who = PatientIdentity(last_name="Dupont", first_name="Marie", birth_on=date(1958, 3, 12), niss="58031200290")
        number = add_patient(connection, who, now=DESK_NOW)
        add_phones(connection, number, ["+3263231111"], now=DESK_NOW)
    return number


@pytest.fixture
def world(desk_store: Store) -> World:
    return World(desk_store, DESK_NOW, ("amelie", "bruno", "sylvie"))
