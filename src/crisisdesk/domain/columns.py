"""Which column of a list is which field: by the names of its header, then by what its cells hold.

Names come from the desk's reference data. A name is compared folded ("N° de tél." is "no de tel"), then by its words,
then nearly; what cells hold is only asked for fields that no header named, and is a guess.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache

from crisisdesk.domain.dates import DateReader, read_time
from crisisdesk.domain.headwords import GROUPS, field_by_head
from crisisdesk.domain.phone import read_phones
from crisisdesk.domain.text import fold, fold_words

FIELDS = (
    "last_name", "first_name", "full_name", "birth_date", "niss", "phone", "kind", "service", "clinician", "procedure",
    "planned_date", "planned_time", "room", "priority", "remark", "record_number", "postcode", "town", "site",
)  # fmt: skip
IGNORED = "ignored"
SEVERAL = frozenset({"phone", "remark", IGNORED})
_NAMES = frozenset({"last_name", "first_name", "full_name"})
_DIGIT_TAIL = re.compile(r"\d+$")
_HOUR_SIGN = re.compile(r"\d\s*(?:[:.hHuU]|uhr|am|pm)", re.IGNORECASE)

Names = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Mapped:
    """Columns (from 0) of each field, and the fields that were found by content alone."""

    columns: Mapping[str, tuple[int, ...]]
    guessed: frozenset[str] = frozenset()
    score: int = 0
    first_comes_first: bool = False
    says_order: bool = False
    """The header of merged names itself says which name comes first."""
    ambiguous: tuple[str, ...] = field(default=())

    def has(self, name: str) -> bool:
        """Tell whether a field has a column."""
        return bool(self.columns.get(name))


@lru_cache(maxsize=8)
def _index(names: tuple[tuple[str, tuple[str, ...]], ...]) -> dict[str, tuple[str, int]]:
    """Folded name -> (field, how telling it is: the lower the better)."""
    index: dict[str, tuple[str, int]] = {}
    for name, spellings in names:
        for place, spelling in enumerate(spellings):
            index.setdefault(fold(spelling), (name, place))
    return index


def name_index(names: Names) -> dict[str, tuple[str, int]]:
    """Give the look-up table of column names, made once."""
    return _index(tuple((field_name, tuple(values)) for field_name, values in names.items()))


def field_of(header: str, names: Names) -> tuple[str, float] | None:
    """Give the field that a header cell names, and how sure that is (1: a known name as it is)."""
    return _field_of(header.strip()[:200], tuple((key, tuple(values)) for key, values in names.items()))


@lru_cache(maxsize=4096)
def _field_of(header: str, names: tuple[tuple[str, tuple[str, ...]], ...]) -> tuple[str, float] | None:
    index = _index(names)
    folded = fold(header)
    if not folded or len(folded) > 45 or folded.isdigit():
        return None
    for key in (folded, _DIGIT_TAIL.sub("", folded), fold(re.sub(r"\([^)]*\)", "", header))):
        if key in index:
            name, place = index[key]
            return name, 1.0 - min(place, 90) / 1000
    ruled = field_by_head(fold_words(header))
    if ruled:
        return ruled, 0.8
    bare = [word for word in fold_words(header) if word not in GROUPS["patient"]]
    if "".join(bare) in index and bare:
        return index["".join(bare)][0], 0.85
    return _by_words(header, index) or _nearly(folded, index)


def _by_words(header: str, index: dict[str, tuple[str, int]]) -> tuple[str, float] | None:
    """Find a known name among the words of a longer header: 'Téléphone du patient', 'Date RDV initial'."""
    words = fold_words(header)
    best: tuple[str, float] | None = None
    for length in range(min(len(words), 4), 0, -1):
        for start in range(len(words) - length + 1):
            key = "".join(words[start : start + length])
            if len(key) < 3 or key not in index:
                continue
            name = index[key][0]
            score = 0.6 + 0.3 * len(key) / max(1, len("".join(words))) - 0.01 * start
            if best is None or score > best[1]:
                best = (name, score)
    return best


def _nearly(folded: str, index: dict[str, tuple[str, int]]) -> tuple[str, float] | None:
    if len(folded) < 5:
        return None
    from rapidfuzz import fuzz, process

    found = process.extractOne(folded, index.keys(), scorer=fuzz.ratio, score_cutoff=85)
    return (index[found[0]][0], found[1] / 100 - 0.3) if found else None


def map_header(cells: Sequence[str], names: Names, hidden: frozenset[int] = frozenset()) -> Mapped:
    """Give the columns that a header names. Hidden columns are left out; two columns of one name keep the surer one."""
    claims: dict[str, list[tuple[float, int]]] = {}
    for column, cell in enumerate(cells):
        found = field_of(cell, names)
        if found and column not in hidden:
            claims.setdefault(found[0], []).append((-found[1], column))
    columns: dict[str, tuple[int, ...]] = {}
    for name, claimed in claims.items():
        ranked = [column for _, column in sorted(claimed)]
        columns[name] = tuple(sorted(ranked)) if name in SEVERAL else (ranked[0],)
    _settle_names(columns, cells)
    score = sum(1 for name in columns if name != IGNORED)
    doubtful = tuple(name for name, claimed in claims.items() if name not in SEVERAL and _is_tied(claimed))
    order = _name_order(columns, cells, names)
    return Mapped(columns, score=score, first_comes_first=order == "first", says_order=bool(order), ambiguous=doubtful)


def _is_tied(claimed: list[tuple[float, int]]) -> bool:
    ranked = sorted(claimed)
    return len(ranked) > 1 and ranked[0][0] == ranked[1][0]


def _settle_names(columns: dict[str, tuple[int, ...]], cells: Sequence[str]) -> None:
    """A lone 'Nom' or 'Name' column holds whole names; 'Patient' beside 'Prénom' is the family name."""
    if "first_name" in columns and "full_name" in columns and "last_name" not in columns:
        columns["last_name"] = columns.pop("full_name")
    elif "last_name" in columns and "first_name" not in columns and "full_name" not in columns:
        columns["full_name"] = columns.pop("last_name")
    elif "last_name" in columns and "first_name" in columns:
        columns.pop("full_name", None)


def _name_order(columns: Mapping[str, tuple[int, ...]], cells: Sequence[str], names: Names) -> str:
    """Give which name a column of merged names puts first ("last", "first"); empty where its header does not say."""
    if "full_name" not in columns:
        return ""
    words = fold_words(cells[columns["full_name"][0]])
    firsts, lasts = GROUPS["first"], GROUPS["last"]
    places = [
        (place, "first" if word in firsts else "last")
        for place, word in enumerate(words)
        if word in firsts or word in lasts
    ]
    said = {kind for _place, kind in places}
    return min(places)[1] if said == {"first", "last"} else ""


def is_header(cells: Sequence[str], mapped: Mapped) -> bool:
    """Tell whether a record is the header of a list: two fields, or most of its cells, are known names."""
    filled = sum(1 for cell in cells if cell.strip())
    if mapped.score < 2 or filled < 2:
        return False
    return mapped.score >= 3 or mapped.score * 2 >= filled or bool(_NAMES & mapped.columns.keys())


def guess_columns(
    mapped: Mapped, rows: Sequence[Sequence[str]], hidden: frozenset[int], reader: DateReader, region: str
) -> Mapped:
    """Add what the cells tell (days, hours, telephones, national numbers) for fields that no header named."""
    taken = {column for columns in mapped.columns.values() for column in columns} | hidden
    width = max((len(row) for row in rows), default=0)
    columns = dict(mapped.columns)
    guessed: set[str] = set()
    for column in range(width):
        if column in taken:
            continue
        cells = [row[column].strip() for row in rows[:200] if column < len(row) and row[column].strip()]
        name = _content(cells, reader, region) if len(cells) >= 2 else None
        if name and not columns.get(name):
            columns[name] = (column,)
            guessed.add(name)
    return replace(mapped, columns=columns, guessed=frozenset(guessed))


def _content(cells: list[str], reader: DateReader, region: str) -> str | None:
    """Name what nine cells of ten look like (hours: three of four): days, national numbers, telephones, hours."""
    enough = 0.9 * len(cells)
    days = [read.day for read in map(reader.read, cells) if read.day]
    if len(days) >= enough and not all(cell.isdigit() for cell in cells):
        years = sorted(day.year for day in days)
        spread = years[-1 - len(years) // 10] - years[len(years) // 10]
        return "planned_date" if spread <= 2 else "birth_date"
    digits = [re.sub(r"[\s.\-/]", "", cell) for cell in cells]
    if sum(len(text) == 11 and text.isdigit() and text[0] != "0" for text in digits) >= enough:
        return "niss"
    if sum(bool(read_phones(cell, region).certain) for cell in cells) >= enough:
        return "phone"
    if sum(_is_working_hour(cell) for cell in cells) >= 0.75 * len(cells):
        return "planned_time"
    return None


def _is_working_hour(cell: str) -> bool:
    """Tell an hour of appointment ("8h30", "14.15") from a bare number, a code or how long something takes ("1h30")."""
    text = read_time(cell) if _HOUR_SIGN.search(cell) else None
    return text is not None and "06:00" <= text <= "21:00"
