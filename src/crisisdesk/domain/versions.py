"""Two versions of one list: which row is which item, what changed, what is gone.

Items are matched by who and what, not by how it is typed: a name with a slip, a date that moved, a NISS that was
added are
the same item with a difference; a row typed in another way is the same item with none.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from crisisdesk.domain.names import likeness
from crisisdesk.domain.persons import is_slip
from crisisdesk.domain.rows import VALUES
from crisisdesk.domain.text import fold

_DOCTOR = re.compile(r"^(?:dr|dre|prof|pr|docteur|dokter|doctor)\.?\s+", re.IGNORECASE)
_WRITTEN = frozenset({"last_name", "first_name", "full_name", "service", "clinician", "procedure", "room", "remark",
                      "record_number", "postcode", "town"})  # fmt: skip
Values = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Item:
    """A row that is an item: its values and what stands for it in the desk (0 while it is new)."""

    row: int
    sheet: str | None
    values: Values
    patient_id: int = 0
    postponement_id: int = 0


def same_items(old: Sequence[Item], new: Sequence[Item]) -> dict[int, int]:
    """Match the items of two versions, one to one: place among the new -> place among the old."""
    places: defaultdict[str, list[int]] = defaultdict(list)
    for at, item in enumerate(old):
        for key in _keys(item.values):
            places[key].append(at)
    pairs: list[tuple[float, int, int]] = []
    for at, item in enumerate(new):
        candidates = {place for key in _keys(item.values) for place in places.get(key, ())[:50]}
        scored = ((_likeness(old[place].values, item.values), place) for place in candidates)
        pairs += [(-score, at, place) for score, place in scored if score > 0]
    matched: dict[int, int] = {}
    taken: set[int] = set()
    for _score, at, place in sorted(pairs):
        if at not in matched and place not in taken:
            matched[at] = place
            taken.add(place)
    return matched


def _keys(values: Values) -> Iterable[str]:
    if values["niss"]:
        yield f"n{values['niss']}"
    last = fold(values["last_name"] or values["full_name"] or "")
    yield f"k{last}"
    if values["birth_date"]:
        yield f"b{values['birth_date']}"
    yield f"d{values['planned_date']}{values['planned_time']}{fold(values['procedure'] or '')}"
    for number in values["phones"] or ():
        yield f"p{number}"


def _likeness(old: Values, new: Values) -> float:
    """Score two rows as one item: 0 where they are two, else the higher the surer."""
    person = _person_likeness(old, new)
    if not person:
        return 0.0
    day = old["planned_date"] == new["planned_date"]
    hour = old["planned_time"] == new["planned_time"]
    act = fold(old["procedure"] or "") == fold(new["procedure"] or "")
    near_act = act or _near(old["procedure"], new["procedure"])
    doctor = bool(old["clinician"]) and clinician_key(old["clinician"]) == clinician_key(new["clinician"])
    if not (day or near_act or (doctor and hour and old["planned_time"])):
        return 0.0
    return float(person + 2 * day + hour + 2 * act + 0.5 * near_act + 0.5 * doctor)


def _person_likeness(old: Values, new: Values) -> float:
    same_niss = bool(old["niss"]) and old["niss"] == new["niss"]
    are_two = bool(old["niss"] and new["niss"]) and not same_niss
    if are_two and old["birth_date"] != new["birth_date"]:
        return 0.0
    alike = likeness(
        old["last_name"] or "", old["first_name"] or "", new["last_name"] or "", new["first_name"] or ""
    )  # fmt: skip
    if are_two and alike < 0.97:
        return 0.0
    same_birth = old["birth_date"] is not None and old["birth_date"] == new["birth_date"]
    shared = set(old["phones"] or ()) & set(new["phones"] or ())
    same_slot = bool(old["planned_date"]) and old["planned_date"] == new["planned_date"] and (
        old["planned_time"] == new["planned_time"] and fold(old["procedure"] or "") == fold(new["procedure"] or "")
    )  # fmt: skip
    if alike < 0.75 and not (same_niss or (same_birth and shared and same_slot)):
        return 0.0
    is_close_birth = _births_agree(old["birth_date"], new["birth_date"])
    if not (same_niss or same_birth or shared or same_slot or (alike >= 0.9 and is_close_birth)):
        return 0.0
    return 3 * alike + 4 * same_niss + 2 * same_birth + bool(shared) + same_slot


def _births_agree(old: str | None, new: str | None) -> bool:
    if not old or not new:
        return True
    return old == new or is_slip(date.fromisoformat(old), date.fromisoformat(new))


def _near(old: str | None, new: str | None) -> bool:
    a, b = fold(old or ""), fold(new or "")
    return bool(a and b) and (a.startswith(b) or b.startswith(a))


def clinician_key(name: str | None) -> str:
    """Give the key of a clinician's name: 'DR Valfenival' and 'Dr. Valfenival' are one."""
    return fold(_DOCTOR.sub("", name or ""))


def differences(old: Values, new: Values) -> dict[str, list[Any]]:
    """Give {field: [old, new]} for what a later version says differently; another way of typing is no difference."""
    names = [name for name in VALUES if not (name == "full_name" and old["last_name"] and new["last_name"])]
    return {name: [old.get(name), new.get(name)] for name in names if not _same(name, old.get(name), new.get(name))}


def _same(name: str, old: Any, new: Any) -> bool:
    if old == new:
        return True
    if name in {"phones", "phones_guessed"}:
        return set(old or ()) == set(new or ())
    if name == "clinician":
        return clinician_key(old) == clinician_key(new)
    if name in _WRITTEN:
        return _spelled(old) == _spelled(new)
    return False


def _spelled(text: str | None) -> str:
    """Compare words without case, accents and spaces, but with the signs that carry a meaning ('50 %', 'D + G')."""
    return "".join(
        fold(character) or ("" if character.isspace() or character in "-'.,;\u2019" else character)
        for character in text or ""
    )
