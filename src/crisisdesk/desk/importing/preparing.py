"""A file read and concluded, before anything is written: what the preview shows and the import stages."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from crisisdesk.desk.importing.reading import FileRead, read_file
from crisisdesk.desk.importing.refusal import Refused
from crisisdesk.domain import kinds
from crisisdesk.domain.columns import IGNORED
from crisisdesk.domain.header import HEADER_WITHIN
from crisisdesk.domain.listing import KNOWN_FIELDS, Listed, read_sheets
from crisisdesk.domain.reference import Reference
from crisisdesk.domain.rows import Concluded
from crisisdesk.domain.sheets import Setting, Sheet
from crisisdesk.domain.text import clean, fold
from crisisdesk.domain.words import ServiceKind
from crisisdesk.errors import RuleBroken
from crisisdesk.i18n import _

Remembered = Callable[[Iterable[str]], dict[str, str]]
_VERSION = re.compile(
    r"(?:^|[\s_\-.(])(?:v|vers?|version|versie|copie|copy|kopie|nouveau|new|final|corr\w*|maj|update)\s*\d*(?=$|[\s_\-.)])",
    re.I,
)


@dataclass(frozen=True)
class Options:
    """What the person who imports says about a file; all of it may be left open."""

    site: str | None = None
    kind: str | None = None
    encoding: str | None = None
    sheet: str | None = None
    by_hand: dict[str, str] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """The options that were given."""
        said = {
            "site": self.site,
            "kind": self.kind,
            "encoding": self.encoding,
            "sheet": self.sheet,
            "map": self.by_hand,
        }
        return {name: value for name, value in said.items() if value}


@dataclass
class Prepared:
    """One file, concluded."""

    read: FileRead
    lists: list[Listed]
    warnings: list[str]
    site_id: str | None
    kind: str | None
    layout_key: str
    series_key: str
    options: Options

    @property
    def hints(self) -> list[str]:
        """Texts around the lists that may name a service: titles, sheets, the file's name."""
        titles = [title for listed in self.lists for title in (*listed.titles, listed.sheet.name or "")]
        return [*titles, Path(self.read.name).stem]

    @property
    def rows(self) -> list[Concluded]:
        """Every record of every list of the file, in its order."""
        return [row for listed in self.lists for row in listed.rows]

    def counts(self) -> dict[str, int]:
        """How the records ended; the parts add up to ``rows``."""
        found = Counter(row.status for row in self.rows)
        parts = ("accepted", "accepted_with_warnings", "duplicate", "rejected", "ignored")
        return {"rows": found.total(), **{name: found[name] for name in parts}}

    @property
    def is_placed(self) -> bool:
        """Whether the file, or a column of it, names the site."""
        return self.site_id is not None or any(listed.mapped.has("site") for listed in self.lists)

    def columns(self) -> tuple[tuple[str, str], ...]:
        """What was understood of the header: (field, the column's name as the list has it)."""
        return tuple(
            (name, " + ".join(listed.header[place] for place in places if place < len(listed.header)))
            for listed in self.lists[:1]
            for name, places in listed.mapped.columns.items()
            if name != IGNORED
        )

    def unused(self) -> tuple[str, ...]:
        """The columns of which nothing was taken."""
        return tuple(
            cell
            for listed in self.lists[:1]
            for place, cell in enumerate(listed.header)
            if cell and not any(place in places for name, places in listed.mapped.columns.items() if name != IGNORED)
        )


def check_options(options: Options, reference: Reference) -> Options:
    """Hold the options against the desk's reference data.

    Raises:
        RuleBroken: an unknown site, kind or field; the message lists the known ones.
    """
    site = options.site
    if site and site not in reference.sites:
        site = kinds.site_in(site, reference)
        if site is None:
            known = ", ".join(reference.sites)
            raise RuleBroken(_("There is no site '{site}'. Known: {known}.").format(site=options.site, known=known))
    if options.kind and options.kind not in set(ServiceKind):
        known = ", ".join(ServiceKind)
        raise RuleBroken(
            _("There is no kind of service '{kind}'. Known: {known}.").format(kind=options.kind, known=known)
        )
    for column, name in options.by_hand.items():
        if name not in KNOWN_FIELDS:
            known = ", ".join(sorted(KNOWN_FIELDS))
            message = _("Column '{column}': there is no field '{field}'. Known: {known}.")
            raise RuleBroken(message.format(column=column, field=name, known=known))
    return Options(site, options.kind, options.encoding, options.sheet, options.by_hand)


def prepare(path: Path, options: Options, reference: Reference, today: date, remembered: Remembered) -> Prepared:
    """Read and conclude one file. Touches no store; takes a second for 3,000 rows.

    Args:
        remembered: gives the mapping by hand that was kept for any of some layout keys.

    Raises:
        Refused: the file cannot be used.
    """
    read = read_file(path, encoding=options.encoding, sheet=options.sheet)
    by_hand = options.by_hand or remembered(_layouts(read.sheets))
    setting = Setting(
        names=reference.column_names, region=reference.desk.country, today=today,
        neighbours=reference.desk.neighbour_regions, national_number=reference.desk.national_number,
        kind=options.kind, kind_hints=(path.stem,), by_hand=by_hand,
    )  # fmt: skip
    lists, warnings, refused = read_sheets(read.sheets, setting)
    if refused:
        raise Refused(refused)
    kind = next((listed.kind for listed in lists if listed.kind), None)
    site_id = options.site or _site(path, lists, reference)
    layout_key = layout_of(cell for listed in lists for cell in listed.header)
    series = "|".join((site_id or "", kind or "", _stem(path.stem)))
    return Prepared(read, lists, warnings, site_id, kind, layout_key, series, options)


def _site(path: Path, lists: Sequence[Listed], reference: Reference) -> str | None:
    texts = [
        path.stem,
        *(title for listed in lists for title in listed.titles),
        *(listed.sheet.name or "" for listed in lists),
    ]
    return next((site for site in (kinds.site_in(text, reference) for text in texts) if site), None)


def _stem(name: str) -> str:
    """Give what is left of a file name without versions, dates and numbers: what the versions of one list share."""
    bare = _VERSION.sub(" ", name)
    return fold("".join(character if character.isalpha() else " " for character in bare))


def layout_of(header: Iterable[str]) -> str:
    """Give the key of a header: the same for the same column names in the same order."""
    return hashlib.sha256("|".join(fold(cell) for cell in header).encode()).hexdigest()[:32]


def _layouts(sheets: Sequence[Sheet]) -> list[str]:
    """Give the key of each record that might be the header, for the mapping that a person gave last time."""
    heads = [
        [clean(cell).text for cell in record.cells] for sheet in sheets for record in sheet.records[:HEADER_WITHIN]
    ]
    return [layout_of(cells) for cells in heads if sum(1 for cell in cells if cell) > 1]


def accented(prepared: Prepared, limit: int = 5) -> list[str]:
    """Give a few cells with letters outside ASCII, so that a person sees whether the encoding was guessed right."""
    found: list[str] = []
    for row in prepared.rows:
        for cell in row.cells:
            if not cell.isascii() and any(character.isalpha() and not character.isascii() for character in cell):
                text = clean(cell).text[:60]
                if text not in found:
                    found.append(text)
            if len(found) == limit:
                return found
    return found
