from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from crisisdesk.desk.reference import data_folder, init_desk, load_reference
from crisisdesk.domain.reference import Reference
from crisisdesk.store.engine import Store, open_desk

OPENED = datetime(2022, 5, 16, 6, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """A real desk of the example's reference data, emptied by whoever fills it."""
    path = tmp_path_factory.mktemp("day") / "day.desk"
    init_desk(path, data_folder(), admin_login="chef", now=OPENED)
    store = open_desk(path)
    yield store
    store.close()


@pytest.fixture(scope="module")
def reference(desk: Store) -> Reference:
    return load_reference(desk)
