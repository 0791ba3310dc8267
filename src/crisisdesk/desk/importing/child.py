"""The reader's own process: it holds no descriptor of the desk, and its memory and time are limited.

Run as ``python -m crisisdesk.desk.importing.child FILE ENCODING SHEET``; gives one JSON object on its standard output.
"""

from __future__ import annotations

import gc
import json
import resource
import sys
from pathlib import Path
from typing import Any

from crisisdesk.desk.importing.refusal import Refused
from crisisdesk.domain.sheets import Sheet

MEMORY = 512 * 1024 * 1024
CPU_SECONDS = 20
LARGEST_FILE = 100_000_000
TEXT = frozenset({".csv", ".txt", ".tsv", ".tab", ".dat", ".asc", ".prn", ""})
ZIPPED = frozenset({".xlsx", ".xlsm", ".xltx", ".ods", ".xlsb"})
OLD = frozenset({".xls", ".xlt"})
# First bytes of what people send instead of a list.
_OTHER = (
    b"%PDF",
    b"\x1f\x8b",
    b"\x89PNG",
    b"\xff\xd8\xff",
    b"{\\rtf",
    b"7z\xbc\xaf",
    b"Rar!",
    b"GIF8",
    b"BM",
    b"II*\x00",
    b"MM\x00*",
    b"\x7fELF",
)
_MARKED_UP = (b"<!doctype", b"<html", b"<?xml", b"<table", b"mime-version:", b'{"', b"[{")


def read_file(path: Path, encoding: str | None, sheet: str | None) -> dict[str, Any]:
    """Read a file into its sheets.

    Returns:
        {"encoding": name or None, "sheets": [{name, hidden_columns, is_hidden, records: [[number, lines, cells]]}]}

    Raises:
        Refused: for the reasons of `refusal`.
    """
    content = path.read_bytes() if path.stat().st_size <= LARGEST_FILE else None
    if content is None:
        raise Refused("file_too_large")
    if not content:
        raise Refused("file_empty")
    suffix = path.suffix.lower()
    check_type(content, suffix)
    if suffix in TEXT:
        from crisisdesk.desk.importing.textfile import decode, records_of

        text, used = decode(content, encoding)
        del content
        records, _ = records_of(text)
        return {"encoding": used, "sheets": [_plain(Sheet(None, records))]}
    from crisisdesk.desk.importing.workbook import read_workbook

    return {"encoding": None, "sheets": [_plain(found) for found in read_workbook(path, sheet)]}


def check_type(content: bytes, suffix: str) -> None:
    """Hold the first bytes against the file name.

    Raises:
        Refused: ``file_type_mismatch``, ``file_type_unknown``, ``file_corrupt``.
    """
    if suffix not in TEXT | ZIPPED | OLD:
        raise Refused("file_type_unknown", suffix)
    is_zip, is_old = content.startswith(b"PK\x03\x04"), content.startswith(b"\xd0\xcf\x11\xe0")
    if suffix in ZIPPED:
        if is_old:
            raise (
                Refused("file_encrypted")
                if b"E\x00n\x00c\x00r\x00y\x00p\x00t" in content
                else Refused("file_type_mismatch")
            )
        if not is_zip:
            raise Refused("file_type_mismatch")
        _check_package(content, suffix)
    elif suffix in OLD:
        if not is_old:
            raise Refused("file_type_mismatch")
    elif is_zip or is_old or content.startswith(_OTHER) or content[:200].lstrip().lower().startswith(_MARKED_UP):
        raise Refused("file_type_mismatch")


def _check_package(content: bytes, suffix: str) -> None:
    is_open_document = content[30:38] == b"mimetype" and b"opendocument" in content[:120]
    if is_open_document != (suffix == ".ods"):
        raise Refused("file_type_mismatch")


def _plain(sheet: Sheet) -> dict[str, Any]:
    return {
        "name": sheet.name,
        "hidden_columns": sorted(sheet.hidden_columns),
        "is_hidden": sheet.is_hidden,
        "records": [[record.number, record.lines, record.cells] for record in sheet.records],
    }


def main(arguments: list[str]) -> int:
    """Read one file under limits and write what was found; a refusal is an answer, not a failure."""
    gc.disable()  # a short life, and nothing in it that refers to itself
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    path, encoding, sheet = Path(arguments[0]), arguments[1] or None, arguments[2] or None
    try:
        answer = read_file(path, encoding, sheet)
    except Refused as refused:
        answer = {"refused": refused.code, "detail": refused.detail}
    except MemoryError:
        answer = {"refused": "parse_limit", "detail": ""}
    except OSError:
        answer = {"refused": "file_missing", "detail": ""}
    sys.stdout.write(json.dumps(answer))  # in one go: json.dump would encode piece by piece, three times slower
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
