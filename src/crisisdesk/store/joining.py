"""Two open callbacks of one person at one site become one: what either of them promised, held or was told stays."""

import json
from collections.abc import Mapping
from typing import Any

from crisisdesk.store.engine import Connection

_KEPT = (
    "released_at", "release_why", "not_before", "promised_from", "promised_until", "part_of_day", "number", "hold",
    "for_agent_id", "asked_at", "attempts", "unanswered", "last_attempt_at", "note", "why",
    "channel", "channels_done",
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
    # The stricter of two reviews is the clinician's, which has no channel.
    values["channel"] = min((one["channel"] for one in (kept, closed) if one["hold"] == values["hold"]), default="")
    done = (*json.loads(kept["channels_done"]), *json.loads(closed["channels_done"]))
    values["channels_done"] = json.dumps(list(dict.fromkeys(done)))
    values["attempts"] = kept["attempts"] + closed["attempts"]
    values["unanswered"] = max(kept["unanswered"], closed["unanswered"])
    values["last_attempt_at"] = max(filter(None, (kept["last_attempt_at"], closed["last_attempt_at"])), default=None)
    values["asked_at"] = max(filter(None, (kept["asked_at"], closed["asked_at"])), default=None)
    values["note"] = "; ".join(dict.fromkeys(note for note in (kept["note"], closed["note"]) if note))
    said = {name: why for name, why in json.loads(closed["why"]).items() if name in ("escalated", "slipped", "told")}
    values["why"] = json.dumps(said | json.loads(kept["why"]), ensure_ascii=False)
    return values | _kept_place(kept, closed, said)


def _kept_place(kept: Mapping[str, Any], closed: Mapping[str, Any], said: Mapping[str, Any]) -> dict[str, Any]:
    """A place that is kept for the reserve list, and was for ``closed`` alone, is kept for the one that stays: release
    and reason go together. What the one that stays was released for is what it goes back to."""
    mine, theirs = json.loads(kept["why"]), json.loads(closed["why"])
    if "reserve" not in theirs or "reserve" in mine or not closed["release_why"].startswith("reserve:"):
        return {}
    place = {**theirs["reserve"], "was": kept["release_why"] or theirs["reserve"]["was"]}
    return {
        "release_why": closed["release_why"], "released_at": kept["released_at"] or closed["released_at"],
        "why": json.dumps({**said, **mine, "reserve": place}, ensure_ascii=False),
    }  # fmt: skip


def part(connection: Connection, kept_id: int, before: Mapping[str, Any]) -> None:
    """Undo `join`, unless somebody has rung since: then what was learnt stays."""
    now = connection.exec_driver_sql(_READ, (kept_id,)).mappings().one()
    if now["attempts"] == before["rung"]:
        _write(connection, kept_id, {**now, **before})  # what was joined before a column came says nothing of it


def _write(connection: Connection, callback_id: int, values: Mapping[str, Any]) -> None:
    connection.exec_driver_sql(_WRITE, (*(values[name] for name in _KEPT), callback_id))
