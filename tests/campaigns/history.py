"""What a worker did, as it saw it: a line before each operation and a line after it, in a file of its own.

A line is one write to a file opened for appending. It outlives the worker's death by any signal without a sync, because
the system holds it then; only a power cut needs one. A line that was torn by the kill counts as never written: of an
"invoke" that means that the operation never began, of an answer that it was never seen.
"""

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

INVOKE, OK, FAIL = "invoke", "ok", "fail"
"""Begun; acknowledged; refused in words (nothing was changed). An invoke without an answer: nobody knows."""


@dataclass(frozen=True)
class Line:
    """One line of a history."""

    worker: str
    op: str
    """call, take, renew, attempt, give, draft, drop."""
    phase: str
    op_id: str
    """The same in every line of one operation, also when it is sent again after a kill."""
    at: float
    """The desk's clock (seconds since 1970) when the line was written."""
    what: Mapping[str, Any] = field(default_factory=dict)


class Writer:
    """One worker's file."""

    def __init__(self, path: Path, worker: str, *, synced: bool = False) -> None:
        """Open the file; ``synced``: each line is on the disk before the next step (needed for power cuts only)."""
        self.worker = worker
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | (os.O_DSYNC if synced else 0)
        self._file = os.open(path, flags, 0o600)
        os.write(self._file, b"\n")  # ends what an earlier life may have left half-written

    def add(self, op: str, phase: str, op_id: str, at: float, **what: Any) -> None:
        """Append one line."""
        os.write(self._file, (json.dumps([op, phase, op_id, at, what]) + "\n").encode())


def read(path: Path, worker: str) -> Iterator[Line]:
    """The lines of a file, without torn ones."""
    if path.exists():
        for text in path.read_bytes().split(b"\n"):
            try:
                op, phase, op_id, at, what = json.loads(text)
            except ValueError:
                continue
            yield Line(worker, op, phase, op_id, at, what)


def unanswered(path: Path, worker: str) -> Line | None:
    """The operation that an earlier life began and never saw answered."""
    end = Path(path)
    size = end.stat().st_size if end.exists() else 0
    last = None
    with end.open("rb") if size else open(os.devnull, "rb") as file:
        file.seek(max(0, size - 20_000))
        for text in file.read().split(b"\n"):
            try:
                op, phase, op_id, at, what = json.loads(text)
            except ValueError:
                continue
            last = Line(worker, op, phase, op_id, at, what)
    return last if last is not None and last.phase == INVOKE else None
