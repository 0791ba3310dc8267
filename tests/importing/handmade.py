"""Lists of our own making: text files cell by cell, and workbooks."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import xlsxwriter

from crisisdesk.desk.agents import find_agent
from crisisdesk.desk.importing.preparing import Options
from crisisdesk.desk.importing.report import ImportReport
from crisisdesk.desk.importing.running import import_files
from crisisdesk.store.engine import Store

NOW = datetime(2022, 5, 20, 8, 0, tzinfo=UTC)
HEADER = "NOM;PRENOM;DDN;NISS;TEL;INTERVENTION;CHIRURGIEN;DATE PREVUE;HEURE;SALLE;PRIORITE;REMARQUE"
FIELDS = ("nom", "prenom", "ddn", "niss", "tel", "acte", "chir", "date", "heure", "salle", "prio", "rem")
USUAL = {
    "nom": "NOIRET", "prenom": "Marie", "ddn": "12/03/1958", "niss": "", "tel": "0451 22 33 44", "acte": "PTG gauche",
    "chir": "Dr Hautmont", "date": "30/05/2022", "heure": "08:30", "salle": "Salle 2", "prio": "P3", "rem": "",
}  # fmt: skip


def line(**cells: str) -> str:
    """One row of the usual layout, some cells changed."""
    return ";".join({**USUAL, **cells}[name] for name in FIELDS)


def person(number: int, **cells: str) -> str:
    """A row about somebody whom no other row is about."""
    told = {
        "nom": f"FAMILLE{chr(65 + number % 26)}{chr(65 + number // 26 % 26)}{chr(65 + number // 676)}",
        "ddn": f"{1 + number % 28:02d}/{1 + number % 12:02d}/{1940 + number % 60}",
        "tel": f"04{51 + number // 1000000:02d}{number % 1000000:06d}", "acte": f"Acte {number}",
    }  # fmt: skip
    return line(**{**told, **cells})


def write(path: Path, rows: Sequence[str], *, header: str = HEADER, encoding: str = "utf-8") -> Path:
    """A text list; rows are whole lines."""
    path.write_bytes(("\r\n".join([header, *rows]) + "\r\n").encode(encoding))
    return path


def workbook(path: Path, sheets: dict[str, Sequence[Sequence[Any]]], *, hidden_columns: str = "") -> Path:
    """A workbook with these sheets, cells as they are."""
    with xlsxwriter.Workbook(path, {"default_date_format": "dd/mm/yyyy"}) as book:
        for name, rows in sheets.items():
            sheet = book.add_worksheet(name)
            for at, row in enumerate(rows):
                sheet.write_row(at, 0, row)
            if hidden_columns:
                sheet.set_column(hidden_columns, None, None, {"hidden": True})
    return path


def take_in(store: Store, *paths: Path, options: Options | None = None, dry_run: bool = False) -> ImportReport:
    """Import as Sylvie, a supervisor."""
    agent = find_agent(store, "sylvie")
    assert agent
    return import_files(store, paths, options or Options(site="arlon"), agent=agent, now=NOW, dry_run=dry_run)


def count(store: Store, table: str) -> int:
    """Rows of a table."""
    with store.read() as connection:
        return int(connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar_one())
