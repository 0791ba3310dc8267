"""Whole imports on a real desk: counted, repeated, in versions, killed."""

import csv
import json
from pathlib import Path

import pytest
from handmade import HEADER, NOW, count, line, person, take_in, workbook, write
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crisisdesk.desk.importing.looking import list_imports, list_proposals, look_at
from crisisdesk.desk.importing.preparing import Options
from crisisdesk.desk.importing.report import ImportReport
from crisisdesk.errors import RuleBroken
from crisisdesk.store import journal
from crisisdesk.store.engine import Store, open_desk

NISS = "58031204459"
PARTS = ("accepted", "accepted_with_warnings", "duplicate", "rejected", "ignored")


def rows_of(report: ImportReport, file: str) -> list[dict[str, object]]:
    return [row for row in report.rows if row["file"] == file]


def changes(report: ImportReport) -> list[object]:
    return [row["change"] for row in report.rows]


def test_a_list_comes_in_once(desk_store: Store, tmp_path: Path) -> None:
    path = write(tmp_path / "bloc.csv", [line(), person(1), person(2), person(2)])
    report = take_in(desk_store, path)
    assert report.files[0]["counts"] == {
        "rows": 5, "accepted": 3, "accepted_with_warnings": 0, "duplicate": 1, "rejected": 0, "ignored": 1
    }  # fmt: skip
    assert changes(report) == [None, "added", "added", "added", None]
    assert report.rows[4]["postponement"] == report.rows[3]["postponement"]
    assert (count(desk_store, "patient"), count(desk_store, "postponement"), count(desk_store, "callback")) == (3, 3, 3)
    again = take_in(desk_store, path)
    assert changes(again) == [None, "same", "same", "same", None]
    assert [row["patient"] for row in again.rows] == [row["patient"] for row in report.rows]
    assert (count(desk_store, "patient"), count(desk_store, "postponement"), count(desk_store, "source_file")) == (
        3,
        3,
        1,
    )
    with desk_store.read() as connection:
        assert journal.verify(connection).first_fault is None


def test_a_later_version_tells_the_differences(desk_store: Store, tmp_path: Path) -> None:
    crowd = [person(number) for number in range(10, 16)]
    first = [line(), person(1), person(2), person(3), person(4, heure="09:00"), *crowd]
    second = [
        line(nom="Noiret", tel="+32 451 22 33 44", prio="3"),  # only typed in another way
        person(1, date="07/06/2022"), person(2, niss=NISS, ddn="12/03/1958", nom="FAMILLECA"), person(4,
            heure="9h00", prio="P2"),
        person(5), *crowd,
    ]  # fmt: skip
    take_in(desk_store, write(tmp_path / "bloc_v1.csv", first))
    report = take_in(desk_store, write(tmp_path / "bloc_v2.csv", second))
    told = rows_of(report, "bloc_v2.csv")[1:6]
    assert [row["change"] for row in told] == ["same", "changed", "changed", "changed", "added"]
    assert told[1]["changed"] == {"planned_date": ["2022-05-30", "2022-06-07"]}
    assert told[3]["changed"] == {"priority": ["P3", "P2"]}
    assert [gone["row"] for gone in report.missing] == [5]
    with desk_store.read() as connection:
        query = "SELECT original_on, planned_on FROM postponement WHERE id = ?"
        assert connection.exec_driver_sql(query, (told[1]["postponement"],)).one() == ("2022-05-30", "2022-06-07")


@pytest.mark.parametrize("coded", ["P2", "P4"], ids=["changed", "confirmed"])
def test_what_a_clinician_said_stays(desk_store: Store, tmp_path: Path, coded: str) -> None:
    crowd = [person(number) for number in range(10, 16)]
    report = take_in(desk_store, write(tmp_path / "bloc_v1.csv", [line(prio="P4"), *crowd]))
    item = report.rows[1]["postponement"]
    with desk_store.write() as connection:
        query = "UPDATE postponement SET priority = ?, priority_by = 'Dr Hautmont' WHERE id = ?"
        connection.exec_driver_sql(query, (coded, item))
    later = take_in(desk_store, write(tmp_path / "bloc_v2.csv", [line(prio="P3", salle="Salle 9"), *crowd]))
    assert later.rows[1]["changed"] == {"room": ["Salle 2", "Salle 9"], "priority": ["P4", "P3"]}
    with desk_store.read() as connection:
        query = "SELECT priority, priority_by, room FROM postponement WHERE id = ?"
        assert connection.exec_driver_sql(query, (item,)).one() == (coded, "Dr Hautmont", "Salle 9")
        query = "SELECT detail FROM journal WHERE action = 'postponement.changed_by_list'"
        told = json.loads(connection.exec_driver_sql(query).scalar_one())
    assert told["kept"] == {"priority": [coded, "P3"]}


def test_two_lists_that_share_some_people_are_two_lists(desk_store: Store, tmp_path: Path) -> None:
    shared = [person(number, acte="Visite", heure="", chir="", date="01/06/2022") for number in range(4)]
    take_in(desk_store, write(tmp_path / "salle_1.csv", [*shared, *(person(number) for number in range(20, 36))]))
    other = [person(number, acte="Autre geste", heure="", chir="", date="21/06/2022") for number in range(4)]
    report = take_in(
        desk_store, write(tmp_path / "salle_2.csv", [*other, *(person(number) for number in range(40, 56))])
    )
    assert set(changes(report)) == {None, "added"}
    assert not report.missing


def test_people_across_lists(desk_store: Store, tmp_path: Path) -> None:
    take_in(
        desk_store,
        write(tmp_path / "bloc.csv", [line(niss=NISS), line(nom="LAMBERT", prenom="Luc", ddn="01/02/1960", tel="")]),
    )
    told = [
        line(nom="Noiret ép. Collard", ddn="", niss=NISS, acte="Avis"), line(nom="Lambert", prenom="Luc",
            ddn="01/02/1960", acte="Avis"),
        line(prenom="Anne", acte="Avis"),
    ]  # fmt: skip
    report = take_in(
        desk_store, write(tmp_path / "consult.csv", told), options=Options(site="libramont", kind="consultation")
    )
    patients = [row["patient"] for row in report.rows[1:]]
    assert patients[0] == 1
    assert patients[1] not in {1, 2}
    assert patients[2] not in patients[:2]
    assert [(pair["patient"], pair["other"], pair["strength"]) for pair in report.proposals] == [
        (2, patients[1], "fair")
    ]
    assert list_proposals(desk_store)[0].why == ("same_name", "same_birth_date")


def test_a_dry_run_writes_nothing(desk_store: Store, tmp_path: Path) -> None:
    report = take_in(desk_store, write(tmp_path / "bloc.csv", [line()]), dry_run=True)
    assert changes(report) == [None, "added"]
    assert count(desk_store, "source_file") == count(desk_store, "patient") == count(desk_store, "import_row") == 0


def test_a_mapping_by_hand_is_remembered(desk_store: Store, tmp_path: Path) -> None:
    header = "Foo;Bar;Baz;Qux"
    rows = ["NOIRET Marie;30/05/2022;0451223344;PTG", "LAMBERT Luc;31/05/2022;0451223345;LCA"]
    options = Options(site="arlon", by_hand={"Foo": "full_name", "Bar": "planned_date", "4": "procedure"})
    first = take_in(desk_store, write(tmp_path / "a.csv", rows, header=header), options=options)
    assert first.files[0]["refused"] is None
    later = take_in(desk_store, write(tmp_path / "b.csv", [*rows, "TIERS Zoé;01/06/2022;;Phaco"], header=header))
    assert later.rows[-1]["values"]["last_name"] == "TIERS"
    assert later.rows[-1]["values"]["procedure"] == "Phaco"


def test_rejects_come_back_as_they_were(desk_store: Store, tmp_path: Path) -> None:
    report = take_in(
        desk_store, write(tmp_path / "bloc.csv", [line(), line(nom="", prenom="", rem="=1+1"), person(3) + ";x"])
    )
    report.write_rejects(tmp_path / "rejects.csv")
    with (tmp_path / "rejects.csv").open(encoding="utf-8-sig", newline="") as source:
        rows = list(csv.reader(source, delimiter=";"))
    assert [row[:2] for row in rows[1:]] == [["bloc.csv", "3"], ["bloc.csv", "4"]]
    assert rows[1][-1] == "'=1+1"
    report.write(tmp_path / "report.json")
    whole = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    assert set(whole) == {"files", "rows", "missing", "proposals"}


def test_unknown_options_name_the_known_ones(desk_store: Store, tmp_path: Path) -> None:
    path = write(tmp_path / "bloc.csv", [line()])
    for options, word in (
        (Options(site="mars"), "arlon"),
        (Options(kind="x"), "surgery"),
        (Options(by_hand={"A": "x"}), "last_name"),
    ):
        with pytest.raises(RuleBroken, match=word):
            take_in(desk_store, path, options=options)


def test_looking_first(desk_store: Store, tmp_path: Path) -> None:
    path = write(tmp_path / "bloc_arlon.csv", [line(nom="NOËL"), person(1)], encoding="cp1252")
    seen = look_at(desk_store, path, Options(), now=NOW)
    assert (seen.encoding, seen.site_id, seen.kind) == ("cp1252", "arlon", "surgery")
    assert "NOËL" in seen.accented
    assert ("planned_date", "DATE PREVUE") in seen.columns
    assert len(seen.rows) == 2
    assert count(desk_store, "source_file") == 0
    take_in(desk_store, path)
    assert [line.name for line in list_imports(desk_store)] == ["bloc_arlon.csv"]


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(
        st.one_of(
            st.builds(person, st.integers(0, 30)), st.just(""), st.just(";;;;;;;;;;;"), st.just(HEADER),
            st.just("SALLE 2"),
            st.text(alphabet="abcé;,\"'\t 0123456789/[]=", max_size=60), st.just("Total : 3"),
        ),
        min_size=1, max_size=25,
    )
)  # fmt: skip
def test_the_sums_hold_for_any_file(desk_template: Path, tmp_path: Path, rows: list[str]) -> None:
    desk = tmp_path / "any.db"
    for left in tmp_path.glob("any.db*"):
        left.unlink()
    desk.write_bytes(desk_template.read_bytes())
    store = open_desk(desk)
    path = write(tmp_path / "any.csv", [line(nom="PREMIER"), *rows])
    report = take_in(store, path)
    counts = report.files[0]["counts"]
    assert counts["rows"] == sum(counts[part] for part in PARTS) == len(report.rows)
    assert count(store, "postponement") == counts["accepted"] + counts["accepted_with_warnings"]
    before = count(store, "patient"), count(store, "postponement"), count(store, "callback")
    take_in(store, path)
    assert (count(store, "patient"), count(store, "postponement"), count(store, "callback")) == before
    store.close()


def test_hostile_names_are_kept_as_text(desk_store: Store, tmp_path: Path) -> None:
    names = [
        "[/]",
        '=HYPERLINK(""http://example.invalid"")',
        "Robert'); DROP TABLE patient;--",
        "\x1b[2JNOIRET",
        "\u202eTERION",
    ]
    rows = [person(at, nom=f'"{name}"') for at, name in enumerate(names)]
    report = take_in(desk_store, write(tmp_path / "bloc.csv", rows))
    assert len(report.rows) == len(names) + 1
    assert count(desk_store, "patient") == len(names)
    assert report.rows[4]["values"]["last_name"] == "NOIRET"


def test_several_sheets(desk_store: Store, tmp_path: Path) -> None:
    head = ["Nom", "Prénom", "Né le", "Téléphone", "Date", "Motif"]
    sheets = {
        "Bloc": [head, ["NOIRET", "Marie", "12/03/1958", "0451223344", "30/05/2022", "PTG"]],
        "Consultations": [head, ["NOIRET", "Marie", "12/03/1958", "0451223344", "31/05/2022", "Contrôle"]],
    }
    report = take_in(desk_store, workbook(tmp_path / "marche.xlsx", sheets), options=Options(site="marche"))
    assert [row["values"]["kind"] for row in report.rows if row["change"]] == ["surgery", "consultation"]
    assert count(desk_store, "patient") == 1
    assert count(desk_store, "callback") == 1


def test_the_sample_lists(desk_store: Store, shared_samples: Path) -> None:
    files = sorted(path for path in (shared_samples / "handover").iterdir() if path.suffix in {".csv", ".txt", ".xlsx"})
    report = take_in(desk_store, *files, options=Options())
    for entry in report.files:
        print(entry["file"], entry["encoding"], entry["refused"], entry["counts"])
        assert entry["refused"] is None
        assert entry["counts"]["rows"] == sum(entry["counts"][part] for part in PARTS)
    patients, items = count(desk_store, "patient"), count(desk_store, "postponement")
    again = take_in(desk_store, *files, options=Options())
    assert "added" not in changes(again)
    assert (count(desk_store, "patient"), count(desk_store, "postponement")) == (patients, items)
    print(patients, "patients,", items, "items,", len(report.proposals), "pairs to look at")


def test_the_broken_samples(desk_store: Store, shared_samples: Path) -> None:
    files = sorted((shared_samples / "handover" / "broken").iterdir())
    report = take_in(desk_store, *files, options=Options())
    for entry in report.files:
        print(entry["file"], entry["refused"], entry["why"])
    assert all(entry["refused"] for entry in report.files)
    assert count(desk_store, "source_file") == 0


def test_a_third_list_shows_that_two_patients_are_one(desk_store: Store, tmp_path: Path) -> None:
    by_phone, by_number = line(), line(tel="", niss=NISS, acte="Phaco", date="02/06/2022")
    both = line(niss=NISS, acte="LCA", date="03/06/2022")
    first = take_in(desk_store, write(tmp_path / "imagerie.csv", [by_phone, person(1)]))
    second = take_in(desk_store, write(tmp_path / "consultations.csv", [by_number, person(2)]))
    assert first.rows[1]["patient"] != second.rows[1]["patient"]
    assert len(second.proposals) == 1
    third = take_in(desk_store, write(tmp_path / "bloc.csv", [both, person(3)]))
    assert third.rows[1]["patient"] == first.rows[1]["patient"]
    assert not third.proposals
    with desk_store.read() as connection:
        assert connection.exec_driver_sql("SELECT state FROM likeness").scalar_one() == "merged"
        query = "SELECT count(*) FROM postponement WHERE patient_id = ?"
        assert connection.exec_driver_sql(query, (first.rows[1]["patient"],)).scalar_one() == 3
        assert journal.verify(connection).first_fault is None


def test_who_is_being_rung_is_not_joined(desk_store: Store, tmp_path: Path) -> None:
    first = take_in(desk_store, write(tmp_path / "imagerie.csv", [line(), person(1)]))
    take_in(desk_store, write(tmp_path / "consultations.csv", [line(tel="", niss=NISS, acte="Phaco"), person(2)]))
    with desk_store.write() as connection:
        lease = "state = 'leased', leased_by = 1, lease_until = '2022-05-20 09:00:00.000000'"
        ring = f"UPDATE callback SET {lease} WHERE patient_id = ?"
        connection.exec_driver_sql(ring, (first.rows[1]["patient"],))
    report = take_in(desk_store, write(tmp_path / "bloc.csv", [line(niss=NISS, acte="LCA"), person(3)]))
    assert len(report.proposals) == 1


def test_twins_with_one_telephone_stay_two(desk_store: Store, tmp_path: Path) -> None:
    lists = {
        "imagerie.csv": [line(prenom="Mathis"), line(prenom="Mathias", acte="IRM")],
        "consultations.csv": [
            line(prenom="Mathis", niss=NISS, acte="A"), line(prenom="Mathias", niss="58031204558", acte="B")
        ],
        "bloc.csv": [line(prenom="Mathias", acte="C"), line(prenom="Mathis", acte="D")],
    }  # fmt: skip
    reports = [take_in(desk_store, write(tmp_path / name, rows)) for name, rows in lists.items()]
    names: dict[object, set[object]] = {}
    for row in (row for report in reports for row in report.rows[1:]):
        names.setdefault(row["patient"], set()).add(row["values"]["first_name"])
    assert sorted(map(sorted, names.values())) == [["Mathias"], ["Mathis"]]
