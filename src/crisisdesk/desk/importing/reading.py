"""Reads a file in a process of its own, so that no file can take the desk's memory, time or lock with it."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crisisdesk.desk.importing.refusal import Refused
from crisisdesk.domain.sheets import Record, Sheet

WALL_SECONDS = 30


@dataclass(frozen=True)
class FileRead:
    """A file as it was read: nothing concluded yet."""

    name: str
    sha256: str
    encoding: str | None
    sheets: tuple[Sheet, ...]


def read_file(path: Path, *, encoding: str | None = None, sheet: str | None = None) -> FileRead:
    """Read a list.

    Raises:
        Refused: the file cannot be used; its code and detail say why.
    """
    try:
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise Refused("file_missing") from error
    answer = _ask_child(path, encoding, sheet)
    if "refused" in answer:
        raise Refused(answer["refused"], answer["detail"])
    return FileRead(path.name, digest, answer["encoding"], tuple(_sheet(found) for found in answer["sheets"]))


def _ask_child(path: Path, encoding: str | None, sheet: str | None) -> dict[str, Any]:
    command = [
        sys.executable,
        "-m",
        "crisisdesk.desk.importing.child",
        str(path.absolute()),
        encoding or "",
        sheet or "",
    ]
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=WALL_SECONDS, check=False)
    except subprocess.TimeoutExpired as error:
        raise Refused("parse_limit") from error
    if done.returncode < 0 or b"MemoryError" in done.stderr or b"memory allocation" in done.stderr:
        raise Refused("parse_limit")  # killed by a limit
    if done.returncode or not done.stdout:
        raise Refused("file_corrupt")
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def _sheet(found: dict[str, Any]) -> Sheet:
    records = [
        Record(number, tuple(lines) if lines else None, tuple(cells)) for number, lines, cells in found["records"]
    ]
    return Sheet(found["name"], records, frozenset(found["hidden_columns"]), found["is_hidden"])
