"""A folder of reference data, read and checked whole, as rows for the desk's tables.

Invariant: what `read_folder` returns can be inserted as it is; anything that could not is a mistake with file and line.
"""

import hashlib
from pathlib import Path

from crisisdesk.desk.reference_data import codes, dated, places
from crisisdesk.desk.reference_data.folder import COMMON_FILES, OWN_FILES, Folder, Rows
from crisisdesk.desk.reference_data.source import Mistake
from crisisdesk.errors import RuleBroken
from crisisdesk.i18n import _, ngettext

# In this order: each reader may look at the rows of those before it.
READERS = (
    places.read_desk, places.read_sites, places.read_services, codes.read_topics, codes.read_caller_kinds,
    codes.read_dispositions, codes.read_red_flags, codes.read_priorities, codes.read_labels, codes.read_limits,
    dated.read_openings,
    dated.read_instructions, codes.read_columns, codes.read_proof_words,
)  # fmt: skip


def read_folder(path: Path, shipped: Path) -> Rows:
    """Read and check a folder such as `data/`; ``shipped`` is the program's own, for the files that may be left out.

    Returns:
        table name -> rows with every column, ready to insert (services carry their ids; ``desk`` has one row).

    Raises:
        RuleBroken: the folder is not there, or has mistakes; the message lists all of them, each with file and line.
    """
    if not path.is_dir():
        raise RuleBroken(_("{path} is not a folder of reference data.").format(path=path))
    folder = Folder(path, shipped)
    for stray in sorted({file.name for file in path.glob("*.toml")} - OWN_FILES - COMMON_FILES):
        folder.mistakes.append(Mistake(stray, 1, _("no such file is read: is its name mistyped?")))
    for read in READERS:
        read(folder)
    if folder.mistakes:
        count = len(folder.mistakes)
        head = ngettext("{count} mistake in {path}:", "{count} mistakes in {path}:", count)
        found = "\n".join(f"  {mistake}" for mistake in sorted(set(folder.mistakes)))
        raise RuleBroken(head.format(count=count, path=path) + "\n" + found)
    return dict(folder.rows)


def digest_folder(path: Path) -> str:
    """SHA-256 over the names and bytes of the folder's TOML files: tells later which data a desk was made from."""
    total = hashlib.sha256()
    for file in sorted(path.glob("*.toml")):
        total.update(file.name.encode() + b"\0" + file.read_bytes() + b"\0")
    return total.hexdigest()
