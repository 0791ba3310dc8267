"""How commands show data: a table for people, one fact a line for screen readers, JSON for programs.

Every text that came from a file, a caller or another agent passes `inert_text` here, so a command cannot forget it.
"""

import json
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, is_dataclass
from datetime import date, datetime, time
from enum import Enum
from pathlib import Path
from typing import Any

from crisisdesk.cli.context import Context
from crisisdesk.domain.text import inert_text
from crisisdesk.i18n import _, labelled

GAP = "  "
UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})  # Unicode categories that draw nothing, or anything


def show_table(
    context: Context, headings: Mapping[str, str], rows: Iterable[Mapping[str, object]], *, empty: str = ""
) -> None:
    """Write rows in the shape that was asked for.

    Args:
        headings: key of the row -> heading in the agent's language, in the order shown. JSON keeps every key of a row.
        empty: the sentence for people when there is no row (not in JSON, which then is ``[]``).
    """
    rows = list(rows)
    if context.json:
        show_json(context, rows)
    elif not rows:
        say(context, empty or _("Nothing to show."))
    elif context.plain:
        blocks = ["\n".join(_facts(headings, row)) for row in rows]
        context.out.write("\n\n".join(blocks) + "\n")
    else:
        context.out.write("\n".join(_table(headings, rows)) + "\n")


def show_record(context: Context, headings: Mapping[str, str], record: Mapping[str, object]) -> None:
    """Write one record: JSON object, or one fact a line, labels aligned unless ``--plain``."""
    if context.json:
        show_json(context, record)
    elif context.plain:
        context.out.write("\n".join(_facts(headings, record)) + "\n")
    else:
        wide = max((len(text) for text in headings.values()), default=0)
        lines = [f"{label:<{wide}}{GAP}{cell(record.get(key))}" for key, label in headings.items()]
        context.out.write("\n".join(lines) + "\n")


def show_json(context: Context, value: object) -> None:
    """Write one JSON value: instants and dates ISO 8601, dataclasses as objects, letters of every script as they are.

    What no eye can see (control, bidi, zero-width) is written as an escape: the value is the same, a terminal is safe.
    """
    text = json.dumps(value, ensure_ascii=not _is_unicode(context), indent=1, default=as_json)
    for unseen in {letter for letter in set(text) if unicodedata.category(letter) in UNSEEN and letter != "\n"}:
        text = text.replace(unseen, json.dumps(unseen)[1:-1])
    context.out.write(text + "\n")


def say(context: Context, sentence: str) -> None:
    """Write a sentence for people, at once: on stdout, or on stderr when stdout carries JSON."""
    stream = context.err if context.json else context.out
    stream.write(inert_text(sentence) + "\n")
    stream.flush()


def complain(context: Context, sentence: str) -> None:
    """Write a sentence about a failure on stderr."""
    context.err.write(f"crisisdesk: {inert_text(sentence)}\n")


def as_json(value: object) -> Any:
    """What JSON shows of a value it has no form for."""
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, Path):
        return str(value)
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    if isinstance(value, set | frozenset | tuple):
        return list(value)
    raise TypeError(f"no JSON form for {type(value).__name__}")


def cell(value: object) -> str:
    """One value as an inert text on one line."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, list | tuple | set | frozenset):
        return ", ".join(cell(part) for part in value)
    return inert_text(value.value if isinstance(value, Enum) else str(value))


def _facts(headings: Mapping[str, str], record: Mapping[str, object]) -> list[str]:
    return [labelled(label, cell(record.get(key))) for key, label in headings.items()]


def _table(headings: Mapping[str, str], rows: Sequence[Mapping[str, object]]) -> list[str]:
    """Aligned columns: numbers right, the last column as long as it is. Cut to no width: a pipe may read it."""
    texts = [list(headings.values())] + [[cell(row.get(key)) for key in headings] for row in rows]
    is_number = [all(_is_number(row.get(key)) for row in rows) for key in headings]
    widths = [max(len(line[at]) for line in texts) for at in range(len(headings))]
    lines = [
        GAP.join(
            text.rjust(wide) if right else text.ljust(wide)
            for text, wide, right in zip(line, widths, is_number, strict=True)
        )
        for line in texts
    ]
    return [line.rstrip() for line in lines]


def _is_number(value: object) -> bool:
    return value is None or (isinstance(value, int | float) and not isinstance(value, bool))


def _is_unicode(context: Context) -> bool:
    return (getattr(context.out, "encoding", None) or "utf-8").lower().replace("-", "").startswith("utf")
