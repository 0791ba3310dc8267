"""Which service a row of a list means, from the words that it has."""

from pathlib import Path

import pytest

from crisisdesk.desk.reference import data_folder, init_desk, load_reference
from crisisdesk.domain.kinds import service_for, service_in
from crisisdesk.domain.reference import Reference
from crisisdesk.store.engine import open_desk
from moments import DESK_NOW


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> Reference:
    path: Path = tmp_path_factory.mktemp("kinds") / "a.desk"
    init_desk(path, data_folder(), admin_login="chef", now=DESK_NOW)
    store = open_desk(path)
    try:
        return load_reference(store)
    finally:
        store.close()


@pytest.mark.parametrize(
    ("site", "kind", "procedure", "code"),
    [
        ("bastogne", "exam", "RX thorax F+P", "imaging"),
        ("bastogne", "exam", "Irm lombaire", "imaging"),
        ("bastogne", "exam", "CTX", None),  # no whole word
        ("bastogne", "exam", "scintigraphie osseuse", None),  # not offered there
        ("libramont", "exam", "scintigraphie osseuse", "nuclear_medicine"),
        ("libramont", "exam", "CT puis scintigraphie", None),  # two of them: nobody guesses
        ("libramont", "exam", "", None),
        ("libramont", None, "RX thorax", None),
    ],
)
def test_a_procedure_names_its_service(
    reference: Reference, site: str, kind: str | None, procedure: str, code: str | None
) -> None:
    found = service_in(site, kind, procedure, reference)
    assert (found.code if found else None) == code


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("Cardiologie", "cardiology"), ("Diabéto / endocrino", "diabetology"), ("Chir. orthopédique", "orthopaedics"),
        ("cardio et pneumo", "cardiology"), ("Service inconnu", None),
    ],
)  # fmt: skip
def test_a_service_is_known_by_its_name(reference: Reference, name: str, code: str | None) -> None:
    found = service_for("libramont", "consultation", name, reference)
    assert (found.code if found else None) == code
