"""The signed list on paper and as a file: one content, one hash, and a file that was changed is found out."""

import builtins
import csv
import io
import re
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from crisisdesk.desk.handovers import make_handover, read_handover
from crisisdesk.domain.handover import COLUMNS, FACTS, SignedList, digest, line_cells, read_list
from crisisdesk.errors import RuleBroken
from crisisdesk.reports.handover import export_handover, list_csv, list_pdf, verify_file
from crisisdesk.reports.paper import drawable
from crisisdesk.store import tables
from crisisdesk.store.engine import Store
from waiting import World

ZONE = "Europe/Brussels"


@pytest.fixture
def signed(world: World) -> SignedList:
    for _number in range(3):
        world.callback(phones=["+3263231111"])
    patient = tables.patient
    with world.store.write() as connection:
        connection.execute(
            update(patient).where(patient.c.id == 1).values(last_name="=cmd|' /C calc'!A0", proof="a;b\nc")
        )
        connection.execute(
            update(patient).where(patient.c.id == 2).values(last_name="Łukaszewicz", first_name="Žaneta")
        )
    make_handover(world.store, "arlon", world.service(), reason="Reprise; suite", agent=world.sonia, now=world.now)
    return read_handover(world.store, 1, now=world.now).signed


def many(count: int) -> SignedList:
    facts = dict(
        zip(FACTS, ("1", "Vivalia", "Arlon", "Bloc", "Fin", "2022-06-10T12:00:00+00:00", "Sonia"), strict=True)
    )
    rows = [
        line_cells(n, {"patient": f"PATIENT{n:04}", "history": "appel " * (900 if n == 3 else 9), "item": str(n)})
        for n in range(1, count + 1)
    ]
    return SignedList(facts, rows, digest(facts, rows), 7, "ab" * 32)


def paper_text(data: bytes) -> list[str]:
    """Texts that the pages draw, in order: letters of ASCII stand in the file as they are."""
    found = re.findall(rb"\(((?:[^()\\]|\\.)*)\) Tj", data)
    return [re.sub(rb"\\(.)", rb"\1", text).decode("latin-1") for text in found]


def test_the_hash_is_that_of_the_content_and_stands_in_the_journal(world: World, signed: SignedList) -> None:
    assert digest(signed.facts, signed.rows) == signed.sha256
    journal = tables.journal.c
    with world.store.read() as connection:
        entry = connection.execute(select(tables.journal).where(journal.seq == signed.journal_seq)).one()
    assert (entry.action, entry.hash) == ("handover.made", signed.journal_hash)
    assert signed.sha256 in entry.detail


def test_the_file_opens_in_a_spreadsheet_and_runs_nothing(signed: SignedList) -> None:
    data = list_csv(signed)
    assert data.startswith(b"\xef\xbb\xbf")
    rows = list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline=""), delimiter=";"))
    assert len(rows[0]) == len(COLUMNS)
    assert [row[0] for row in rows[1:4]] == ["1", "2", "3"]
    assert all(not cell.startswith(("=", "+", "-", "@")) for row in rows for cell in row)
    assert rows[-1] == ["#sha256", signed.sha256]


def test_a_file_that_was_saved_by_a_spreadsheet_is_still_genuine(store: Store, signed: SignedList) -> None:
    data = list_csv(signed)
    assert verify_file(store, data).is_genuine
    rows = list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline=""), delimiter=";"))
    text = io.StringIO(newline="")
    csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\n").writerows(rows)
    verdict = verify_file(store, text.getvalue().encode())
    assert verdict.is_genuine, verdict.faults
    assert verdict.lines == 3


@pytest.mark.parametrize(
    ("old", "new", "faults"),
    [
        ("063 23 11 11", "063 23 11 12", 2), ("Reprise; suite", "Autre", 2), ("#journal", "#other", 1),
        ("PTH hanche", "PTH genou", 2),
    ],
)  # fmt: skip
def test_a_changed_file_is_found_out(store: Store, signed: SignedList, old: str, new: str, faults: int) -> None:
    text = list_csv(signed).decode("utf-8-sig")
    verdict = verify_file(store, text.replace(old, new, 1).encode())
    assert not verdict.is_genuine
    assert len(verdict.faults) == faults


def test_a_line_taken_out_with_a_new_hash_is_found_out_by_the_desk(store: Store, signed: SignedList) -> None:
    rows = signed.rows[:-1]
    forged = SignedList(signed.facts, rows, digest(signed.facts, rows), signed.journal_seq, signed.journal_hash)
    assert verify_file(store, list_csv(forged)).faults == ["its content is not the one that this desk signed"]


def test_another_desks_list_and_other_files(store: Store, signed: SignedList) -> None:
    other = SignedList({**signed.facts, "handover": "9"}, signed.rows, signed.sha256, 1, "x")
    assert "this desk made no such handover" in verify_file(store, list_csv(other)).faults
    for data in (b"", b"a;b\n1;2\n", b"\xff\xfe\x00", b"#sha256;x\n#handover;x\n"):
        with pytest.raises(RuleBroken, match="no list of a handover"):
            verify_file(store, data)


def test_lines_changed_in_the_desks_file_are_not_printed(world: World, signed: SignedList, tmp_path: Path) -> None:
    line = tables.handover_item
    with world.store.write() as connection:
        connection.execute(update(line).where(line.c.position == 1).values(content={"patient": "AUTRE"}))
    changed = read_handover(world.store, 1, now=world.now).signed
    with pytest.raises(RuleBroken, match="not the list that was signed"):
        export_handover(
            world.store, changed, form="csv", target=tmp_path / "a.csv", zone=ZONE, login="sonia", now=world.now
        )
    assert list(tmp_path.glob("*.csv")) == []


def test_paper_and_file_hold_the_same_lines(signed: SignedList) -> None:
    text = paper_text(list_pdf(signed, zone=ZONE))
    joined = " ".join(text)
    assert "Handover 1" in joined
    assert signed.sha256 in joined
    assert signed.journal_hash in joined
    assert "=cmd|' /C calc'!A0".upper() in joined.upper()
    assert joined.count("063 23 11 11") == 3
    assert "page 1/1" in joined
    assert "Received by (service)" in joined
    for number in ("1", "2", "3"):
        assert number in text


def test_every_line_of_a_long_list_is_on_paper_once(signed: SignedList) -> None:
    listed = many(60)
    text = paper_text(list_pdf(listed, zone=ZONE))
    assert [one for one in text if one.startswith("PATIENT")] == [f"PATIENT{n:04}" for n in range(1, 61)]
    pages = [one for one in text if one.startswith("page ")]
    assert pages == [f"page {n}/{len(pages)}" for n in range(1, len(pages) + 1)]
    assert sum(one.count("appel") for one in text) >= 900 + 59 * 9, "a line longer than a page goes on on the next"
    assert sum(listed.sha256 in one for one in text) == len(pages)
    assert list_pdf(listed, zone=ZONE) == list_pdf(listed, zone=ZONE), "the same list gives the same bytes"


def test_names_are_drawn_in_letters_that_the_font_has() -> None:
    glyphs = {ord(letter) for letter in "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ é'-[]+0123456789?ŁĆ"}
    assert drawable("Łukasz É é", glyphs) == "Łukasz E é"
    assert drawable("Петров", glyphs) == "Petrov"
    assert drawable("محمد", glyphs) == "mhmd"
    assert drawable("e\N{COMBINING ACUTE ACCENT}", glyphs) == "é"
    assert drawable("\U0010fffd", glyphs) == "[U+10FFFD]"
    assert "\N{REPLACEMENT CHARACTER}" not in drawable("a\N{REPLACEMENT CHARACTER}", glyphs)


def test_without_the_library_the_csv_still_works(
    world: World, signed: SignedList, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = builtins.__import__

    def without(name: str, *args: Any, **kwargs: Any) -> Any:
        if name.startswith("reportlab"):
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(RuleBroken, match="crisisdesk\\[pdf\\]"):
        write(world, signed, tmp_path / "a.pdf", world.now)
    write(world, signed, tmp_path / "a.csv", world.now)
    assert [path.name for path in tmp_path.glob("a.*")] == ["a.csv"]


def write(world: World, signed: SignedList, target: Path, now: datetime, **more: Any) -> int:
    form = target.suffix.removeprefix(".")
    return export_handover(world.store, signed, form=form, target=target, zone=ZONE, login="sonia", now=now, **more)


def test_files_are_their_owners_and_told_to_the_journal(world: World, signed: SignedList, tmp_path: Path) -> None:
    target = tmp_path / "list.pdf"
    assert write(world, signed, target, world.now) == 3
    assert target.stat().st_mode & 0o777 == 0o600
    with pytest.raises(RuleBroken, match="exists already"):
        write(world, signed, target, world.now)
    write(world, signed, target, world.now, overwrite=True)
    with pytest.raises(RuleBroken, match="cannot be written"):
        write(world, signed, tmp_path / "nowhere" / "a.csv", world.now)
    journal = tables.journal.c
    with world.store.read() as connection:
        told = connection.execute(select(journal.subject, journal.subject_id).where(journal.action == "export")).all()
    assert [tuple(row) for row in told] == [("handover", "1")] * 2


def test_reading_back_is_the_inverse_of_writing(signed: SignedList) -> None:
    found = read_list(list_csv(signed))
    assert found
    assert [tuple(row) for row in found.rows] == [tuple(row) for row in signed.rows]
    assert {name: found.facts[name] for name in FACTS} == dict(signed.facts)
