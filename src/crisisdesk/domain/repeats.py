"""Rows of one list that say the same thing twice, and telephones that several people of it share."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from crisisdesk.domain.names import likeness
from crisisdesk.domain.rows import Concluded
from crisisdesk.domain.text import fold


def mark_repeats(rows: Sequence[Concluded]) -> None:
    """Mark as duplicate each row whose item already stands above: the same person, day, hour and act.

    Rows that differ only in how they are typed (telephones, spaces, priority, remark) are the same item; two acts on
    one day,
    or one act at two hours, are not.
    """
    seen: defaultdict[tuple[object, ...], dict[str | None, list[Concluded]]] = defaultdict(dict)
    for row in rows:
        if not row.is_item:
            continue
        above = seen[_item(row)]
        first = next((other for other in _comparable(row, above) if is_same_person(row, other)), None)
        if first is None:
            above.setdefault(row.values["niss"], []).append(row)
        else:
            row.status, row.of = "duplicate", first.row
            row.codes.insert(0, "duplicate_of")


def _comparable(row: Concluded, above: dict[str | None, list[Concluded]]) -> list[Concluded]:
    """The rows above of the same item that may be this person, in their order: two national numbers are two people."""
    niss = row.values["niss"]
    if niss is None:
        return sorted((other for rows in above.values() for other in rows), key=lambda other: other.row)
    same, without = above.get(niss, []), above.get(None, [])
    return sorted([*same, *without], key=lambda other: other.row) if same and without else same or without


def _item(row: Concluded) -> tuple[object, ...]:
    values = row.values
    act = fold(values["procedure"] or ""), fold(values["service"] or ""), values["kind"]
    return (values["planned_date"], values["planned_time"], *act)


def is_same_person(row: Concluded, other: Concluded) -> bool:
    """Tell whether two rows of one list mean one person beyond doubt (for a repeat, not for linking lists)."""
    mine, theirs = row.values, other.values
    if mine["niss"] and theirs["niss"] and mine["niss"] != theirs["niss"]:
        return False
    alike = likeness(
        mine["last_name"] or "", mine["first_name"] or "", theirs["last_name"] or "", theirs["first_name"] or ""
    )
    if mine["niss"] and mine["niss"] == theirs["niss"]:
        return alike >= 0.75
    if alike < 0.95:
        return False
    born, other_born = row.birth_known, other.birth_known
    return born == other_born or born is None or other_born is None or bool(set(_phones(row)) & set(_phones(other)))


def _phones(row: Concluded) -> list[str]:
    return [*(row.values["phones"] or ()), *(row.values["phones_guessed"] or ())]


def mark_shared_phones(rows: Iterable[Concluded]) -> None:
    """Note where another person of the file has the same telephone: a hint (a family, a neighbour), not a mistake."""
    owners: defaultdict[str, list[Concluded]] = defaultdict(list)
    for row in rows:
        if row.is_item:
            for number in _phones(row):
                owners[number].append(row)
    for sharing in owners.values():
        people = {(fold(row.values["last_name"] or ""), fold(row.values["first_name"] or "")) for row in sharing}
        if len(people) > 1:
            for row in sharing:
                if "phone_shared" not in row.codes:
                    row.codes.append("phone_shared")
