"""Text lists: which encoding, which separator, which records. Strict where it can be, never guessing letters.

UTF-8 with or without a mark is certain. Anything else is read as cp1252, what Excel writes in Western Europe, and the
preview shows the accented rows so that a person sees a wrong guess; ``--encoding`` decides otherwise.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections import Counter
from collections.abc import Iterator

from crisisdesk.desk.importing.refusal import Refused
from crisisdesk.domain.sheets import Record

DELIMITERS = ";\t,|"
LONGEST_CELL = 1_000_000  # characters; the longest remark seen in a true list is a hundredth of it
LONGEST_QUOTE = 200  # lines that one quoted cell may span
_UTF8_LETTER = re.compile(rb"[\xc3-\xc5][\x80-\xbf]")
_SIGN_IN_WORD = re.compile("(?<=[a-zà-ÿ])[‚„†‡ˆ‰‹ƒ™ŽŠŒŸ]")
_LATIN_LETTER = re.compile("[À-ÖØ-öø-ÿ]")
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)

csv.field_size_limit(LONGEST_CELL)


def decode(content: bytes, wanted: str | None) -> tuple[str, str]:
    """Give the text and the name of its encoding.

    Raises:
        Refused: ``encoding_unknown`` or ``nul_bytes``.
    """
    if wanted:
        return _decode_as(content, wanted)
    if content.startswith(_UTF16) or _looks_utf16(content):
        raise Refused("encoding_unknown", "UTF-16")
    if b"\x00" in content:
        raise Refused("nul_bytes", str(content.index(b"\x00")))
    for encoding in ("utf-8-sig", "cp1252"):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if encoding == "cp1252" and _is_misread(content, text):
            break
        has_mark = content.startswith(codecs.BOM_UTF8)
        return text, "utf-8" if encoding == "utf-8-sig" and not has_mark else encoding
    raise Refused("encoding_unknown")


def _decode_as(content: bytes, wanted: str) -> tuple[str, str]:
    try:
        text = content.decode("utf-8-sig" if wanted.lower().replace("_", "-") in {"utf-8", "utf8"} else wanted)
    except (UnicodeDecodeError, LookupError) as error:
        raise Refused("encoding_unknown", wanted) from error
    if "\x00" in text:
        raise Refused("nul_bytes", str(text.index("\x00")))
    return text, wanted


def _is_misread(content: bytes, text: str) -> bool:
    """Tell text that cp1252 can read but nobody can: cp850 or Mac Roman ("L‚onard", "LŽonard"), UTF-8 that was cut."""
    halves = len(_UTF8_LETTER.findall(content))
    lone = sum(byte > 0x7F for byte in content) - 2 * halves if halves > 1 else 0
    if halves > max(1, lone):
        return True
    signs = len(_SIGN_IN_WORD.findall(text))
    return signs > 1 and signs > len(_LATIN_LETTER.findall(text))


def _looks_utf16(content: bytes) -> bool:
    """Tell UTF-16 without its mark from text with a few zero bytes: nearly every second byte is zero."""
    head = content[:4096]
    pairs = len(head) // 2
    return pairs >= 4 and max(head[0::2].count(0), head[1::2].count(0)) > 0.7 * pairs


def records_of(text: str) -> tuple[list[Record], str]:
    """Cut a text into records.

    Returns:
        The records with their physical lines, and the separator found.

    Raises:
        Refused: ``field_too_large``.
    """
    head, _, rest = text.partition("\n")
    if head.strip("\r ").lower() in {f"sep={mark}" for mark in DELIMITERS}:  # Excel's own hint
        delimiter = head.strip("\r ")[4]
        hint = Record(1, (1, 1), (head.strip("\r"),))
        return [hint, *_read(rest, delimiter, first=2)], delimiter
    delimiter = _delimiter(text)
    return list(_read(text, delimiter)), delimiter


def _delimiter(text: str) -> str:
    """Choose the separator that cuts most records into one same number of cells, the wider the better."""
    best = (0.0, 0, ";")
    sample = _sample(text)
    for mark in DELIMITERS:
        if mark not in sample:
            continue
        try:
            widths = Counter(len(row) for row in csv.reader(io.StringIO(sample, newline=""), delimiter=mark) if row)
        except csv.Error:
            continue
        wide = Counter({width: count for width, count in widths.items() if width > 1})
        if not wide:
            continue
        width, count = wide.most_common(1)[0]
        share = round(count / max(1, widths.total()), 1)
        best = max(best, (share, width, mark))
    return best[2]


def _sample(text: str) -> str:
    if len(text) <= 200_000:
        return text
    cut = text.rfind("\n", 0, 200_000)
    return text[: cut if cut > 0 else 200_000]


def _read(text: str, delimiter: str, first: int = 1) -> Iterator[Record]:
    try:
        yield from list(_strict(text, delimiter, first))
    except csv.Error as error:
        if "field larger" in str(error):
            raise Refused("field_too_large") from error
        yield from _forgiving(text, delimiter, first)


def _strict(text: str, delimiter: str, first: int) -> Iterator[Record]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    before = 0
    for number, cells in enumerate(reader, start=first):
        if reader.line_num - before > LONGEST_QUOTE:
            raise csv.Error("a quoted cell that never ends")
        yield Record(number, (before + first, reader.line_num + first - 1), tuple(cells))
        before = reader.line_num


def _forgiving(text: str, delimiter: str, first: int) -> Iterator[Record]:
    """Read a file with a stray quote line by line, so that one bad row does not swallow those below it."""
    lines = io.StringIO(text, newline="").readlines()
    at, number = 0, first
    while at < len(lines):
        cells, used = _one_record(lines, at, delimiter)
        if any(len(cell) > LONGEST_CELL for cell in cells):
            raise Refused("field_too_large")
        yield Record(number, (at + first, at + used + first - 1), tuple(cells))
        at, number = at + used, number + 1


def _one_record(lines: list[str], at: int, delimiter: str) -> tuple[list[str], int]:
    taken = ""
    for used in range(1, min(12, len(lines) - at) + 1):
        taken += lines[at + used - 1]
        if taken.count('"') % 2:
            continue
        try:
            rows = list(csv.reader(io.StringIO(taken, newline=""), delimiter=delimiter, strict=True))
        except csv.Error:
            break
        if len(rows) == 1:
            return rows[0], used
        break
    line = lines[at].rstrip("\r\n")
    return (line.split(delimiter) if line else []), 1
