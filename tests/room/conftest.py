"""A desk with a waiting patient and its people, at a fixed moment."""

import pytest

from crisisdesk.store.engine import Store
from moments import DESK_NOW
from waiting import World


@pytest.fixture
def world(desk_store: Store) -> World:
    return World(desk_store, DESK_NOW, ("amelie", "bruno", "sylvie"))
