"""The lists and calls that ship for the demo: the same from every run of their generator, and harmless."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from crisisdesk.desk.reference import data_folder
from crisisdesk.desk.reference_data.reading import read_folder

GENERATOR = Path(__file__).resolve().parents[2] / "tools" / "make_samples.py"
SAMPLES = data_folder() / "samples"


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the generator writes now."""
    if not GENERATOR.is_file():
        pytest.skip("the generator of samples is not part of this installation")
    folder = tmp_path_factory.mktemp("samples")
    subprocess.run([sys.executable, str(GENERATOR), str(folder)], check=True, capture_output=True, timeout=60)
    return folder


def test_the_generator_writes_what_ships(written: Path) -> None:
    assert {path.name for path in written.iterdir()} == {path.name for path in SAMPLES.iterdir()}
    for path in written.iterdir():
        if path.suffix != ".xlsx":  # a workbook's bytes depend on the version of its writer
            assert path.read_bytes() == (SAMPLES / path.name).read_bytes(), path.name


def test_the_workbook_holds_what_ships(written: Path) -> None:
    from python_calamine import CalamineWorkbook

    def sheets(path: Path) -> dict[str, object]:
        book = CalamineWorkbook.from_path(str(path))
        return {name: book.get_sheet_by_name(name).to_python() for name in book.sheet_names}

    assert sheets(written / "marche_planning.xlsx") == sheets(SAMPLES / "marche_planning.xlsx")


def test_the_samples_are_small() -> None:
    assert sum(path.stat().st_size for path in SAMPLES.iterdir()) < 400_000


def test_the_calls_use_the_codes_of_the_data() -> None:
    rows = read_folder(data_folder(), data_folder())
    codes = {table: {row["code"] for row in rows[table]} for table in ("topic", "caller_kind", "red_flag")}
    inbound = {row["code"] for row in rows["disposition"] if row["scope"] == "inbound"}
    sites = {row["id"] for row in rows["site"]}
    calls = [json.loads(line) for line in (SAMPLES / "calls.jsonl").read_text(encoding="utf-8").splitlines()]
    assert len(calls) >= 200
    for call in calls:
        assert call["disposition"] in inbound
        for field in ("topic", "caller_kind", "red_flag"):
            assert call.get(field, "") in codes[field] | {""}
        assert call.get("site_id", "") in sites | {""}
    assert len({call["uid"] for call in calls}) == len(calls)


def test_the_numbers_are_valid_as_written() -> None:
    import phonenumbers

    calls = [json.loads(line) for line in (SAMPLES / "calls.jsonl").read_text(encoding="utf-8").splitlines()]
    for text in {call["phone"] for call in calls if call.get("phone")}:
        assert phonenumbers.is_valid_number(phonenumbers.parse(text, "BE")), text
