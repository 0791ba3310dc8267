"""A hospital in another country: its folder, its lists, its queue, and not a line of code changed for it."""

import json
import os
import subprocess
import sys
from pathlib import Path

NL = Path(__file__).resolve().parents[1] / "reference" / "hospital_nl"
LIST = """Achternaam;Voornaam;Geboortedatum;BSN;Telefoon;Afspraakdatum;Tijd;Specialisme
de Vries;Jan;12-03-1958;111222333;06 12345678;04-03-2026;09:15;Oogheelkunde
Bakker;Petra;01-11-1972;;0591 612345;05-03-2026;10:00;ogen
"""


def test_a_dutch_hospital_from_its_folder_to_its_queue(tmp_path: Path) -> None:
    def run(*words: str) -> str:
        told = subprocess.run(
            [sys.executable, "-m", "crisisdesk", "--desk", "nl.desk", "--agent", "visser", *words],
            capture_output=True, text=True, cwd=tmp_path, timeout=60, check=False,
            env={"PATH": os.environ["PATH"], "HOME": str(tmp_path), "LC_ALL": "C.UTF-8", "CRISISDESK_ALLOW_ROOT": "1"},
        )  # fmt: skip
        assert told.returncode == 0, told.stderr
        return told.stdout

    (tmp_path / "poli.csv").write_text(LIST, encoding="utf-8")
    run("init", str(NL), "--admin", "visser")
    run("import", "poli.csv", "--site", "noord", "--report", "report.json")
    values = [row["values"] for row in json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))["rows"][1:]]
    assert [row["phones"] for row in values] == [["+31612345678"], ["+31591612345"]]
    assert values[0]["niss"] == "111222333", "the national number of this country"
    queue = run("queue", "noord")
    assert "DE VRIES Jan" in queue
    assert "Oogheelkunde" in queue
    assert "Europe/Amsterdam" in run("day")
