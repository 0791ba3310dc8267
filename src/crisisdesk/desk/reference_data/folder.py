"""A folder of reference data while it is read: rows so far, and what is wrong with them."""

from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from crisisdesk.desk.reference_data.source import Entry, Mistake, SourceText, read_toml
from crisisdesk.i18n import _

Rows = dict[str, list[dict[str, Any]]]
OWN_FILES = frozenset(
    {
        "desk.toml", "sites.toml", "services.toml", "topics.toml", "caller_kinds.toml", "dispositions.toml",
        "red_flags.toml", "priorities.toml", "openings.toml", "instructions.toml",
    }
)  # fmt: skip
# What is the same in most places: a folder that leaves these out gets those that ship with the program.
COMMON_FILES = frozenset({"columns.toml", "holidays.toml", "labels.toml", "limits.toml", "proof_words.toml"})


@dataclass
class Folder:
    """What was read so far, and what is wrong with it."""

    path: Path
    shipped: Path
    """Folder of the program's own data, for the files that may be left out."""
    mistakes: list[Mistake] = field(default_factory=list)
    rows: Rows = field(default_factory=lambda: defaultdict(list))
    languages: list[str] = field(default_factory=list)
    service_ids: dict[tuple[str, str], int] = field(default_factory=dict)
    protected_ids: set[int] = field(default_factory=set)

    def open(self, name: str) -> SourceText:
        """One file of the folder, or the one that ships with the program where it may be left out."""
        is_left_out = name in COMMON_FILES and not (self.path / name).exists()
        return read_toml((self.shipped if is_left_out else self.path) / name, self.mistakes)

    def add(self, table: str, **row: Any) -> None:
        """Add a row at the next position of its table."""
        self.rows[table].append({**row, "position": len(self.rows[table])})

    def add_labels(self, entry: Entry, kind: str, code: str) -> None:
        """Add the words of a code."""
        self.rows["label"] += entry.labels(kind, code, self.languages)

    def site_ids(self) -> list[str]:
        """The sites of the folder, in its order."""
        return [row["id"] for row in self.rows["site"]]


class Keys:
    """The one-key choices of a group: each of one character, none twice."""

    def __init__(self) -> None:
        self._taken: dict[str, str] = {}

    def take(self, entry: Entry) -> str:
        """The key of an entry, checked against those before it."""
        key = entry.text("key")
        if key and (len(key) != 1 or not (key.isascii() and key.isalnum() and key == key.lower())):
            entry.blame("key", _("'{key}' must be one small letter or digit").format(key=key))
        elif key in self._taken:
            entry.blame("key", _("'{key}' is taken by '{code}'").format(key=key, code=self._taken[key]))
        self._taken[key] = str(entry.where[-1])
        return key


def sites_of(folder: Folder, entry: Entry) -> list[str]:
    """The sites an entry is for: a list of ids, or "all"."""
    if entry.values.get("sites") == "all":
        entry.text("sites")
        return folder.site_ids()
    chosen = entry.texts("sites")
    for site_id in chosen:
        if site_id not in folder.site_ids():
            entry.blame("sites", _("there is no site '{site}' in sites.toml").format(site=site_id))
    return [site_id for site_id in chosen if site_id in folder.site_ids()]
