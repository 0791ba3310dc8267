"""Openings in words, and their limits read from what a supervisor types ("implant 2, isolation 1")."""

import re
from collections.abc import Mapping
from datetime import date

from crisisdesk.desk import wording
from crisisdesk.domain.opening import OpeningRow
from crisisdesk.domain.reference import Reference
from crisisdesk.domain.text import fold
from crisisdesk.domain.words import OpeningStage, OpeningState
from crisisdesk.errors import RuleBroken
from crisisdesk.i18n import N_, _, current_language, ngettext

_STAGES = {
    OpeningStage.PLANNED: N_("planned"),
    OpeningStage.REVISED: N_("revised"),
    OpeningStage.ACTUAL: N_("confirmed"),
    OpeningStage.WITHDRAWN: N_("withdrawn"),
}
# A name holds no sign: "implant -1" is refused, not read as 1.
_LIMIT = re.compile(r"\s*(?:(\d+)\s*[x×]?\s+(\D+?)|(\D*?[^\W\d_])\s*[:=]?\s*(\d+))\s*\Z")


def stage_words(stage: OpeningStage) -> str:
    """What a row of a history is: planned, revised, confirmed, withdrawn."""
    return _(_STAGES[stage])


def limit_label(code: str, reference: Reference) -> str:
    """A capacity limit in the agent's language."""
    return reference.label("capacity_limit", code, current_language())


def limits_words(limits: Mapping[str, int], reference: Reference) -> str:
    """Limits as they are shown and may be typed: "implant 2, isolation room 1"; empty where there are none."""
    return ", ".join(f"{limit_label(code, reference)} {count}" for code, count in limits.items())


def read_limits(text: str, reference: Reference) -> Mapping[str, int]:
    """Limits from "implant 2, isolation 1": a code or its label (also its beginning), and places a day.

    Raises:
        RuleBroken: a limit that the desk does not know, or without a number; says which ones there are.
    """
    known = ", ".join(reference.capacity_limits) or _("none")
    limits: dict[str, int] = {}
    for part in filter(None, (piece.strip() for piece in re.split(r"[,;+·]", text))):
        if (found := _LIMIT.match(part)) is None:
            raise RuleBroken(
                _(
                    "'{part}' is no limit: write its name and the places a day, such as implant 2. Known: {known}."
                ).format(part=part, known=known)
            )
        name, count = (found[2], found[1]) if found[1] else (found[3], found[4])
        code = _code_of(name.strip(), reference)
        if code is None:
            raise RuleBroken(_("There is no limit '{name}'. Known: {known}.").format(name=name.strip(), known=known))
        limits[code] = int(count)
    return limits


def _code_of(name: str, reference: Reference) -> str | None:
    wanted = fold(name)
    for code in reference.capacity_limits:
        labels = {fold(reference.label("capacity_limit", code, language)) for language in reference.desk.languages}
        for label in (fold(code), *labels):
            if wanted and (label.startswith(wanted) or wanted.rstrip("s") == label):
                return code
    return None


def a_day_words(row: OpeningRow | None, reference: Reference) -> str:
    """Places a day and what is limited, for a narrow column: "12/d · implant 2"; empty where there is no number."""
    if row is None or row.capacity_a_day is None:
        return ""
    places, limits = _("{count}/d").format(count=row.capacity_a_day), limits_words(row.limits, reference)
    return f"{places} · {limits}" if limits else places


def days_words(opens_on: date, until_on: date | None) -> str:
    """The days of a row: "from Tue 31/05", "on Sat 04/06", "from Mon 06/06 to Wed 08/06"."""
    first = wording.day_words(opens_on)
    if until_on is None:
        return _("from {day}").format(day=first)
    if until_on == opens_on:
        return _("on {day} only").format(day=first)
    return _("from {first} to {last}").format(first=first, last=wording.day_words(until_on))


def row_words(row: OpeningRow, reference: Reference) -> str:
    """One row in a line: "partly open, from Tue 31/05, 12 a day, implant 2, 4 rooms"."""
    parts = [wording.state_words(row.state), days_words(row.opens_on, row.until_on)]
    if row.state != OpeningState.CLOSED:
        if row.capacity_a_day is not None:
            parts.append(_("{count} a day").format(count=row.capacity_a_day))
        parts.append(limits_words(row.limits, reference))
        if row.rooms:
            parts.append(ngettext("{count} room", "{count} rooms", row.rooms).format(count=row.rooms))
        if row.includes_days_off:
            parts.append(_("days off too"))
    return ", ".join(part for part in parts if part)


def version_words(row: OpeningRow | None, reference: Reference) -> str:
    """A row with its stage and its author, for those who compare two versions."""
    if row is None:
        return _("nothing entered yet")
    words = f"{stage_words(row.stage)}: {row_words(row, reference)}"
    return f"{words} ({row.by})" if row.by else words
