"""Instructions of a folder: their words by language, and which of them replaces which."""

from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

from crisisdesk.desk.reference_data.source import Entry, label_rows
from crisisdesk.i18n import _

LAST = datetime.max.replace(tzinfo=UTC)
Rows = list[dict[str, Any]]


def read_words(entry: Entry, languages: list[str]) -> dict[str, Any]:
    """``words = "..."`` in the desk's first language, or ``words = { fr = "...", en = "..." }``."""
    if not isinstance(entry.values.get("words"), dict):
        return {"words": entry.text("words"), "translations": {}}
    given = entry.get("words", dict, ...) or {}
    found = {row["language"]: row["words"] for row in label_rows(entry, "words", given, "", "", languages)}
    for language in set(found) - set(languages):
        entry.blame("words", _("'{language}' is no language of the desk").format(language=language))
    return {"words": found.pop(languages[0], "") if languages else "", "translations": found}


def put_in_order(rows: Rows) -> Rows:
    """Number the versions of each scope as they begin; one without an end of its own ends where the next begins."""
    scopes: dict[tuple[Any, ...], Rows] = {}
    for row in rows:
        scopes.setdefault((row["site_id"], row["service_id"], row["topic"]), []).append(row)
    ordered: Rows = []
    for versions in scopes.values():
        dated = sorted(versions, key=lambda row: (row["valid_from"] is not None, row["valid_from"] or LAST))
        for version, row in enumerate(dated, 1):
            ordered.append(row | {"id": len(ordered) + 1, "version": version, "replaces_id": None})
        lasting = [row for row in ordered[-len(dated) :] if row["valid_until"] is None]
        for row, following in pairwise(lasting):
            row["valid_until"], following["replaces_id"] = following["valid_from"], row["id"]
    return ordered
