"""One TOML file of reference data, read so that every mistake can be told with its line.

Nothing here raises for a mistake of the file: it is noted, a harmless value stands in, and reading goes on, so that the
person who edits the folder sees all of it at once.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar

from crisisdesk.i18n import _

Choice = TypeVar("Choice", bound=StrEnum)
Where = tuple[str | int, ...]

CODE = re.compile(r"[a-z][a-z0-9_]*\Z")
_HEADER = re.compile(r"\s*(\[\[?)\s*([^\]]+?)\s*\]\]?\s*(#.*)?$")
_KEY = re.compile(r"""\s*("[^"]*"|'[^']*'|[A-Za-z0-9_.-]+)\s*=""")
_DELAY = re.compile(r"(\d+) (min|h|d)\Z")
_UNITS = {"min": "minutes", "h": "hours", "d": "days"}


@dataclass(frozen=True, order=True)
class Mistake:
    """One thing to mend in a folder of reference data."""

    file: str
    line: int
    why: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.why}"


@dataclass
class SourceText:
    """One file: its values, where they stand, and what is wrong with them."""

    name: str
    values: dict[str, Any]
    lines: Mapping[Where, int]
    mistakes: list[Mistake]

    def blame(self, where: Where, why: str) -> None:
        """Note a mistake at the closest place that the text shows."""
        while where and where not in self.lines:
            where = where[:-1]
        self.mistakes.append(Mistake(self.name, self.lines.get(where, 1), why))

    def tables(self, *within: str) -> Iterator["Entry"]:
        """The tables under a table: ``[code]`` blocks, in the order of the file."""
        values: Any = self.values
        for name in within:
            values = values.get(name, {})
        if not isinstance(values, dict):
            self.blame(within, _("must be a table"))
            return
        for code, table in values.items():
            where = (*within, code)
            if isinstance(table, dict):
                yield Entry(self, where, table)
            else:
                self.blame(where, _("must be a table: [{name}]").format(name=".".join(map(str, where))))

    def blocks(self, name: str) -> Iterator["Entry"]:
        """The ``[[name]]`` blocks, in the order of the file."""
        for stray in set(self.values) - {name}:
            self.blame((stray,), _("unknown key '{key}'").format(key=stray))
        values = self.values.get(name, [])
        if not isinstance(values, list) or not all(isinstance(value, dict) for value in values):
            self.blame((name,), _("must be blocks: [[{name}]]").format(name=name))
            return
        for index, table in enumerate(values):
            yield Entry(self, (name, index), table)


@dataclass
class Entry:
    """One table of a file. Each getter notes what is wrong; `finish` notes the keys that nobody asked for."""

    source: SourceText
    where: Where
    values: dict[str, Any]
    _asked: set[str] = field(default_factory=set)

    @property
    def code(self) -> str:
        """The last name of the table's header, checked to be a code."""
        name = str(self.where[-1])
        if not CODE.match(name):
            self.blame("", _("'{code}' is no code: small letters, digits and _ only").format(code=name))
        return name

    def blame(self, key: str, why: str) -> None:
        """Note a mistake at a key of this table, or at its header."""
        self.source.blame((*self.where, key) if key else self.where, f"{key}: {why}" if key else why)

    def get(self, key: str, kind: type | tuple[type, ...], default: Any) -> Any:
        """A value of a kind; ``...`` as the default means that the key is compulsory."""
        self._asked.add(key)
        value = self.values.get(key, default)
        if value is ...:
            self.blame(key, _("is missing"))
            return None
        is_wrong = not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool)
        if key in self.values and is_wrong:
            self.blame(key, _("must be {kind}").format(kind=_kind_in_words(kind)))
            return None if default is ... else default
        return value

    def text(self, key: str, default: Any = ...) -> str:
        """A text, without a line break at its ends; compulsory and not empty unless a default is given."""
        value = self.get(key, str, default)
        if value is not None and default is ... and not value.strip():
            self.blame(key, _("is empty"))
        return str(value or "").strip()

    def flag(self, key: str, *, default: bool | None = False) -> bool:
        """true or false."""
        return bool(self.get(key, bool, ... if default is None else default))

    def whole(self, key: str, default: Any = ..., *, least: int = 0) -> Any:
        """A whole number of at least ``least``, or the default."""
        value = self.get(key, int, default)
        if isinstance(value, int) and value < least:
            self.blame(key, _("must be at least {least}").format(least=least))
            return least
        return least if value is None and default is ... else value

    def texts(self, key: str, default: Any = ...) -> list[str]:
        """A list of texts."""
        value = self.get(key, list, default)
        if any(not isinstance(part, str) or not part.strip() for part in value or []):
            self.blame(key, _("must be a list of texts"))
            return []
        return list(value or [])

    def choice(self, key: str, choices: type[Choice], default: Any = ...) -> str:
        """One word of a closed list."""
        value = self.get(key, str, default)
        words = [str(choice) for choice in choices]
        if value is not None and value not in words and value != default:
            self.blame(key, _("'{word}' is none of: {words}").format(word=value, words=", ".join(words)))
            return words[0]
        return str(value or words[0])

    def delay(self, key: str) -> timedelta | None:
        """A span such as "15 min", "3 h" or "2 d"; None where the key is absent."""
        value = self.get(key, str, "")
        if not value:
            return None
        if not (found := _DELAY.match(value)):
            self.blame(key, _("'{text}' is no delay: write it as 15 min, 3 h or 2 d").format(text=value))
            return None
        return timedelta(**{_UNITS[found[2]]: int(found[1])})

    def instant(self, key: str, default: Any = ...) -> datetime | None:
        """A date and time with its offset."""
        value: datetime | None = self.get(key, datetime, default)
        if value is not None and value.tzinfo is None:
            self.blame(key, _("needs an offset, such as 2022-05-14T03:30:00+02:00"))
            return None
        return value

    def day(self, key: str, default: Any = ...) -> date | None:
        """A date; compulsory unless a default is given."""
        value = self.get(key, date, default)
        if isinstance(value, datetime):
            self.blame(key, _("must be a date without a time"))
            return None
        return value if isinstance(value, date) else None

    def labels(self, kind: str, code: str, languages: list[str]) -> list[dict[str, str]]:
        """Rows of words by language; the desk's first language is compulsory."""
        value = self.get("label", dict, ...) or {}
        return label_rows(self, "label", value, kind, code, languages)

    def finish(self) -> None:
        """Note the keys that mean nothing here: a typing error would otherwise be silent."""
        for key in self.values:
            if key not in self._asked:
                known = ", ".join(sorted(self._asked))
                self.blame(key, _("unknown key; known ones: {known}").format(known=known))


def label_rows(
    entry: Entry, key: str, value: dict[str, Any], kind: str, code: str, languages: list[str]
) -> list[dict[str, str]]:
    """Check words by language (``{ fr = "...", en = "..." }``) and give them as rows."""
    if languages and languages[0] not in value:
        entry.blame(key, _("needs words in {language}, the first language of the desk").format(language=languages[0]))
    rows = []
    for language, words in value.items():
        if not isinstance(words, str) or not words.strip():
            entry.blame(key, _("the words in {language} must be a text").format(language=language))
        else:
            rows.append({"kind": kind, "code": code, "language": language, "words": words.strip()})
    return rows


def read_toml(path: Path, mistakes: list[Mistake]) -> SourceText:
    """Read a file; one that cannot be read is one mistake, and stands as an empty file."""
    values: dict[str, Any] = {}
    text = ""
    try:
        text = path.read_text(encoding="utf-8-sig")
        values = tomllib.loads(text)
    except FileNotFoundError:
        mistakes.append(Mistake(path.name, 1, _("the file is missing from the folder")))
    except OSError as error:
        mistakes.append(Mistake(path.name, 1, _("cannot be read: {why}").format(why=error.strerror)))
    except UnicodeDecodeError:
        mistakes.append(Mistake(path.name, 1, _("is not UTF-8 text")))
    except tomllib.TOMLDecodeError as error:
        found = re.search(r"at line (\d+)", str(error))
        line = int(found[1]) if found else max(1, text.count("\n"))
        mistakes.append(Mistake(path.name, line, _("is not TOML: {why}").format(why=error)))
    return SourceText(path.name, values, find_lines(text), mistakes)


def find_lines(text: str) -> dict[Where, int]:
    """Where each table and key of a TOML text stands (lines from 1): tomllib tells values, not places.

    Keys inside inline tables are not looked for: their line is that of the key which holds them.
    """
    places: dict[Where, int] = {}
    table: Where = ()
    blocks: dict[str, int] = {}
    is_inside = False  # a text of several lines
    for number, line in enumerate(text.splitlines(), start=1):
        if is_inside or line.lstrip().startswith("#"):
            is_inside ^= line.count('"""') % 2 == 1
            continue
        if header := _HEADER.match(line):
            names: Where = tuple(name.strip().strip("\"'") for name in header[2].split("."))
            if header[1] == "[[":
                blocks[header[2]] = blocks.get(header[2], -1) + 1
                places.setdefault(names, number)
                names = (*names, blocks[header[2]])
            table = names
            places.setdefault(table, number)
        elif key := _KEY.match(line):
            places.setdefault((*table, key[1].strip("\"'")), number)
        is_inside = line.count('"""') % 2 == 1
    return places


def _kind_in_words(kind: type | tuple[type, ...]) -> str:
    words = {
        str: _('a text: "..."'), int: _("a whole number"), bool: _("true or false"), list: _("a list: [...]"),
        dict: _("a table: { ... }"), date: _("a date: 2022-05-31"), time: _("a time: 08:00:00"),
        datetime: _("an instant: 2022-05-14T03:30:00+02:00"),
    }  # fmt: skip
    return words.get(kind, str(kind)) if isinstance(kind, type) else str(kind)
