"""Files that are read, and files that are refused without harm."""

import gzip
import zipfile
from datetime import date
from pathlib import Path

import pytest
from handmade import HEADER, count, line, person, take_in, workbook, write

from crisisdesk.desk.importing.reading import read_file
from crisisdesk.desk.importing.refusal import SENTENCES, Refused
from crisisdesk.desk.importing.textfile import decode, records_of
from crisisdesk.store.engine import Store


def csv_bytes() -> bytes:
    return f"{HEADER}\n{line()}\n".encode()


def sparse_workbook(path: Path) -> Path:
    workbook(path, {"Bloc": [["Nom", "Prénom"], ["NOIRET", "Marie"]]})
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    sheet = "xl/worksheets/sheet1.xml"
    parts[sheet] = parts[sheet].replace(
        b"</sheetData>", b'<row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData>'
    )
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return path


def bomb(path: Path) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        with archive.open("xl/worksheets/sheet1.xml", "w", force_zip64=True) as part:
            for _time in range(150):
                part.write(b"<row/>" * 170_000)
    return path


def test_broken_files_are_refused(tmp_path: Path, desk_store: Store) -> None:
    book = workbook(tmp_path / "book.xlsx", {"Bloc": [["Nom"], ["NOIRET"]]}).read_bytes()
    contents = {
        "empty.csv": (b"", "file_empty"),
        "header.csv": (f"{HEADER}\n".encode(), "no_data_rows"),
        "pdf.csv": (b"%PDF-1.4\n" + bytes(range(256)), "file_type_mismatch"),
        "book.csv": (book, "file_type_mismatch"),
        "list.xlsx": (csv_bytes(), "file_type_mismatch"),
        "cut.xlsx": (book[: len(book) // 2], "file_corrupt"),
        "nul.csv": (csv_bytes().replace(b"Marie", b"Ma\0ie"), "nul_bytes"),
        "utf16.csv": (csv_bytes().decode().encode("utf-16-le"), "encoding_unknown"),
        "marked.csv": (csv_bytes().decode().encode("utf-16"), "encoding_unknown"),
        "letters.csv": (csv_bytes() + b"\x81\x8d;\xe9", "encoding_unknown"),
        "giant.csv": (csv_bytes() + b'"' + b"x" * 3_000_000 + b'"\n', "field_too_large"),
        "nodate.csv": (b"NOM;PRENOM;TEL\nA;B;0451223344\nC;D;0451223345\n", "no_date_column"),
        "noname.csv": (b"foo;bar;DATE PREVUE;TEL;SALLE\n1;2;30/05/2022;0451223344;1\n", "no_name_column"),
        "emptydate.csv": (b"NOM;PRENOM;TEL;DATE PREVUE\nA;B;0451223344;\nC;D;0451223345;\n", "no_date_column"),
        "nothing.csv": (b"foo;bar\n1;2\n", "no_usable_columns"),
        "data.csv": (b'{"patients": [{"nom": "NOIRET"}]}\n', "file_type_mismatch"),
        "twice.csv": (b"NOM;PRENOM;DATE;DATE\nA;B;30/05/2022;31/05/2022\n", "duplicate_header"),
        "list.csv.gz": (gzip.compress(csv_bytes()), "file_type_unknown"),
    }
    paths = []
    for name, (content, _code) in contents.items():
        paths.append(tmp_path / name)
        paths[-1].write_bytes(content)
    paths += [bomb(tmp_path / "bomb.xlsx"), sparse_workbook(tmp_path / "sparse.xlsx"), tmp_path / "absent.csv"]
    expected = {name: code for name, (_content, code) in contents.items()}
    expected |= {
        "bomb.xlsx": "uncompressed_too_large",
        "sparse.xlsx": "uncompressed_too_large",
        "absent.csv": "file_missing",
    }
    report = take_in(desk_store, *paths)
    assert {entry["file"]: entry["refused"] for entry in report.files} == expected
    assert all(entry["why"] for entry in report.files)
    assert count(desk_store, "patient") == count(desk_store, "source_file") == 0


def test_every_refusal_has_a_sentence() -> None:
    assert all(sentence and sentence[0].islower() for sentence in SENTENCES.values())


@pytest.mark.parametrize("mark", [";", ",", "\t", "|"])
def test_separators(mark: str) -> None:
    records, found = records_of(f'a{mark}b{mark}c\n1{mark}"x{mark}\ny"{mark}3\n')
    assert found == mark
    assert [record.cells for record in records] == [("a", "b", "c"), ("1", f"x{mark}\ny", "3")]
    assert records[1].lines == (2, 3)


def test_a_stray_quote_swallows_no_rows() -> None:
    records, _mark = records_of('a;b;c\n1;"open;3\n4;5;6\n7;8;9\n')
    assert [record.cells for record in records][2:] == [("4", "5", "6"), ("7", "8", "9")]


@pytest.mark.parametrize(("encoding", "found"), [("utf-8", "utf-8"), ("utf-8-sig", "utf-8-sig"), ("cp1252", "cp1252")])
def test_encodings(encoding: str, found: str) -> None:
    assert decode("Noël;Škoda €".encode(encoding), None) == ("Noël;Škoda €", found)


@pytest.mark.parametrize("encoding", ["cp850", "mac_roman"])
def test_letters_that_only_look_like_cp1252_are_not_guessed(encoding: str) -> None:
    with pytest.raises(Refused) as refused:
        decode("NOIRET;André;Bébé\nLAMBERT;Désiré".encode(encoding), None)
    assert refused.value.code == "encoding_unknown"


def test_two_encodings_in_one_file_are_not_guessed() -> None:
    with pytest.raises(Refused) as refused:
        decode("André;Zoé;Noël".encode() + "\nDésiré".encode("cp1252"), None)
    assert refused.value.code == "encoding_unknown"
    text = "« l’œil… » – Zoé, Škoda; ŒDÈME"
    assert decode(text.encode("cp1252"), None) == (text, "cp1252")


def test_an_old_encoding_on_request() -> None:
    assert decode("Noël".encode("cp850"), "cp850") == ("Noël", "cp850")
    with pytest.raises(Refused):
        decode(b"x", "no-such-encoding")


def test_a_workbook_gives_numbers_back(tmp_path: Path, desk_store: Store) -> None:
    head = ["Nom", "Prénom", "Né le", "NISS", "GSM", "Intervention", "Date", "Ancienne date", "Heure"]
    rows = [
        ["Bloc - édité le 19/05/2022"], [], head,
        ["Noiret", "Marie", date(1958, 3, 12), 58031204459, 451223344, "PTG", date(2022, 5, 30), date(2022, 4, 1),
            0.53125],
        ["Autre", "Luc", "01/02/1960", 3051700401, "063/04.05.06", "LCA", 44711, date(2022, 4, 2), "8h30"],
        ["Tiers", "Zoé", 25000, "", "", "Phaco", "31/05/2022", date(2022, 4, 3), ""],
    ]  # fmt: skip
    path = workbook(tmp_path / "bloc_arlon.xlsx", {"Bloc": rows, "Notes": [["à faire"]]}, hidden_columns="H:H")
    report = take_in(desk_store, path)
    assert report.files[0]["refused"] is None
    assert report.files[0]["warnings"] == ["sheet_ignored"]
    first, second, third = (row["values"] for row in report.rows[-3:])
    assert (first["niss"], first["phones"], first["planned_time"]) == ("58031204459", ["+32451223344"], "12:45")
    assert (second["niss"], second["planned_date"]) == ("03051700401", "2022-05-30")
    assert (third["birth_date"], third["planned_date"]) == ("1968-06-11", "2022-05-31")
    assert [row["row"] for row in report.rows] == [1, 2, 3, 4, 5, 6]


def test_the_reader_runs_without_the_desk(tmp_path: Path) -> None:
    read = read_file(write(tmp_path / "bloc.csv", [line(), person(1)]))
    assert len(read.sheets[0].records) == 3
    assert len(read.sha256) == 64
