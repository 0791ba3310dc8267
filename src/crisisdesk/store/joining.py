"""Two open callbacks of one person at one site become one: what either of them promised, held or was told stays."""

import json
from collections.abc import Mapping
from typing import Any

from crisisdesk.store.engine import Connection

_KEPT = (
    "released_at", "release_why", "not_before", "promised_from", "promised_until", "part_of_day", "number", "hold",
    "for_agent_id", "attempts", "unanswered", "last_attempt_at", "note", "why",
)  # fmt: skip
_WISH = ("not_before", "promised_from", "promised_until", "part_of_day", "for_agent_id")
_HOLDS = ("review", "number_search", "confirm_death", "")
_READ = f"SELECT {', '.join(_KEPT)} FROM callback WHERE id = ?"
_WRITE = f"UPDATE callback SET {', '.join(f'{name} = ?' for name in _KEPT)} WHERE id = ?"


def join(connection: Connection, closed_id: int, kept_id: int) -> dict[str, Any]:
    """Carry over to ``kept_id`` what only ``closed_id`` knew; gives what ``kept_id`` said before, for `part`.

    The earlier promise wins, the stricter hold, the later attempt; a release is never lost. Place it anew after this.
    """
    kept, closed = (dict(connection.exec_driver_sql(_READ, (key,)).mappings().one()) for key in (kept_id, closed_id))
    joined = kept | _joined(kept, closed)
    _write(connection, kept_id, joined)
    return kept | {"rung": joined["attempts"]}


def _joined(kept: Mapping[str, Any], closed: Mapping[str, Any]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    if not kept["released_at"] and closed["released_at"]:
        values |= {name: closed[name] for name in ("released_at", "release_why")}
    if closed["promised_until"] and (not kept["promised_until"] or closed["promised_until"] < kept["promised_until"]):
        values |= {name: closed[name] for name in _WISH}
    values["number"] = kept["number"] or closed["number"]
    values["hold"] = next(hold for hold in _HOLDS if hold in (kept["hold"], closed["hold"]))
    values["attempts"] = kept["attempts"] + closed["attempts"]
    values["unanswered"] = max(kept["unanswered"], closed["unanswered"])
    values["last_attempt_at"] = max(filter(None, (kept["last_attempt_at"], closed["last_attempt_at"])), default=None)
    values["note"] = "; ".join(dict.fromkeys(note for note in (kept["note"], closed["note"]) if note))
    said = {name: why for name, why in json.loads(closed["why"]).items() if name in ("escalated", "slipped")}
    values["why"] = json.dumps(said | json.loads(kept["why"]), ensure_ascii=False)
    return values


def part(connection: Connection, kept_id: int, before: Mapping[str, Any]) -> None:
    """Undo `join`, unless somebody has rung since: then what was learnt stays."""
    now = connection.exec_driver_sql(_READ, (kept_id,)).mappings().one()
    if now["attempts"] == before["rung"]:
        _write(connection, kept_id, before)


def _write(connection: Connection, callback_id: int, values: Mapping[str, Any]) -> None:
    connection.exec_driver_sql(_WRITE, (*(values[name] for name in _KEPT), callback_id))
