"""Patients and the keys under which they are found: one at a time here, in bulk by the import with the same keys."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import bindparam, insert, select, update

from crisisdesk.domain.matching import likely_same
from crisisdesk.domain.namekeys import name_keys, words_of
from crisisdesk.domain.phone import suffix_key
from crisisdesk.domain.words import Voicemail
from crisisdesk.store import likenesses, tables
from crisisdesk.store.engine import Connection
from crisisdesk.store.raw import rows
from crisisdesk.store.search import id_list

_INSERT = insert(tables.patient)
_INSERT_PHONE = insert(tables.phone).prefix_with("OR IGNORE")
_INSERT_WORD = insert(tables.patient_word).prefix_with("OR IGNORE")
_BY_ID = select(tables.patient).where(tables.patient.c.id == bindparam("patient_id"))
_STANDS_FOR = """
WITH RECURSIVE chain (id, next) AS (
  SELECT id, merged_into_id FROM patient WHERE id = ?
  UNION SELECT patient.id, patient.merged_into_id FROM patient JOIN chain ON patient.id = chain.next
) SELECT id FROM chain WHERE next IS NULL
"""


_EARLIER = """
SELECT o.id FROM patient v JOIN phone f ON f.number = ?2
JOIN patient o ON o.id = f.patient_id AND o.id <> v.id AND o.name_key = v.name_key AND o.first_key = v.first_key
WHERE v.id = ?1 AND o.is_provisional = 1 AND o.merged_into_id IS NULL
  AND coalesce(o.birth_on = v.birth_on, 1) AND coalesce(o.niss = v.niss, 1) ORDER BY o.id LIMIT 1
"""


@dataclass(frozen=True, slots=True)
class PatientIdentity:
    """Who somebody is, as far as it is known; everything may be empty."""

    last_name: str = ""
    first_name: str = ""
    full_name: str = ""
    birth_on: date | None = None
    is_birth_guessed: bool = False
    niss: str | None = None
    record_number: str = ""
    postcode: str = ""
    town: str = ""
    language: str = ""


def add_patient(
    connection: Connection,
    who: PatientIdentity,
    *,
    now: datetime,
    is_provisional: bool = False,
    voicemail: Voicemail = Voicemail.UNKNOWN,
    proof: str = "",
) -> int:
    """Add one patient with his search keys and return the id. ``proof``: the spoken words that prove a later caller."""
    name_key, first_key = name_keys(who.last_name, who.first_name, who.full_name)
    row = {
        "last_name": who.last_name,
        "first_name": who.first_name,
        "full_name": who.full_name,
        "birth_on": who.birth_on,
        "is_birth_guessed": who.is_birth_guessed,
        "niss": who.niss,
        "record_number": who.record_number,
        "postcode": who.postcode,
        "town": who.town,
        "language": who.language,
        "name_key": name_key,
        "first_key": first_key,
        "is_provisional": is_provisional,
        "voicemail": voicemail.value,
        "proof": proof,
        "created_at": now,
    }
    key = connection.execute(_INSERT, row).inserted_primary_key
    patient_id = int(key[0]) if key else 0
    index_words(connection, patient_id, (who.last_name, who.first_name, who.full_name))
    return patient_id


def index_words(connection: Connection, patient_id: int, names: Iterable[str]) -> None:
    """Add the words of names to the index; what is there already stays."""
    words = [{"patient_id": patient_id, "word": word} for word in words_of(*names)]
    if words:
        connection.execute(_INSERT_WORD, words)


def rename(connection: Connection, patient_id: int, last_name: str, first_name: str) -> None:
    """Give a patient another name. Words of the old one stay in the index: people go on using it."""
    name_key, first_key = name_keys(last_name, first_name)
    patient = tables.patient
    connection.execute(
        update(patient)
        .where(patient.c.id == patient_id)
        .values(last_name=last_name, first_name=first_name, full_name="", name_key=name_key, first_key=first_key)
    )
    index_words(connection, patient_id, (last_name, first_name))


def add_phones(
    connection: Connection,
    patient_id: int,
    numbers: Sequence[str],
    *,
    now: datetime,
    comment: str = "",
    is_guessed: bool = False,
) -> tuple[str, ...]:
    """Add E.164 numbers after the patient's others; return those that were new."""
    if not numbers:
        return ()
    phone = tables.phone.c
    known = list(connection.execute(select(phone.number, phone.position).where(phone.patient_id == patient_id)))
    last = max((row.position for row in known), default=-1)
    new = [number for number in dict.fromkeys(numbers) if number not in {row.number for row in known}]
    added = [
        {
            "patient_id": patient_id, "position": last + place, "number": number, "reversed": suffix_key(number),
            "comment": comment, "is_guessed": is_guessed, "added_at": now,
        }
        for place, number in enumerate(new, 1)
    ]  # fmt: skip
    if added:
        connection.execute(_INSERT_PHONE, added)
    return tuple(new)


def earlier_provisional(connection: Connection, patient_id: int, number: str) -> int | None:
    """Another provisional patient on the same number, under the same name and no other birth date: a repeat caller."""
    found = rows(connection, _EARLIER, (patient_id, number))
    return int(found[0][0]) if found else None


def standing_for(connection: Connection, patient_id: int) -> int | None:
    """The patient that a record stands for today (itself, or the end of a chain of merges); None: no such record."""
    found = rows(connection, _STANDS_FOR, (patient_id,))
    return int(found[0][0]) if found else None


def has_usable_phone(connection: Connection, patient_id: int) -> bool:
    """Whether there is a number to ring that was not found wrong."""
    query = "SELECT 1 FROM phone WHERE patient_id = ? AND found_wrong_at IS NULL LIMIT 1"
    return connection.exec_driver_sql(query, (patient_id,)).first() is not None


def mark_phone(connection: Connection, patient_id: int, number: str, wrong_at: datetime | None) -> bool | None:
    """Note since when a number is known to be wrong (None: it is right). False where it stood so; None: no number."""
    phone = tables.phone
    here = (phone.c.patient_id == patient_id) & (phone.c.number == number)
    found = connection.execute(select(phone.c.found_wrong_at).where(here)).one_or_none()
    if found is None:
        return None
    if (found.found_wrong_at is None) == (wrong_at is None):
        return False
    connection.execute(update(phone).where(here).values(found_wrong_at=wrong_at))
    return True


def set_fields(connection: Connection, patient_id: int, values: dict[str, object]) -> dict[str, list[object]]:
    """Change columns of a patient; return {column: [old, new]} of those that differ."""
    row = connection.execute(_BY_ID, {"patient_id": patient_id}).one()._mapping
    changed = {name: [row[name], value] for name, value in values.items() if row[name] != value}
    if changed:
        patient = tables.patient
        connection.execute(
            update(patient).where(patient.c.id == patient_id).values({name: pair[1] for name, pair in changed.items()})
        )
    return changed


def propose_provisional(connection: Connection, now: datetime) -> int:
    """Propose each provisional patient for the people on lists whom the evidence makes likely; gives how many are new.

    Only pairs that share a number, a birth date, a national number or a whole name are looked at (blocking); then two
    independent signs are needed. The same number with another first name is family, not likeness.
    """
    pairs = likenesses.blocked_pairs(connection)
    keys = likenesses.keys_of(connection, id_list({number for pair in pairs for number in pair}))
    proposals = []
    for (provisional, other), shared in pairs.items():
        strength, why = likely_same(shared, keys[provisional][1:], keys[other][1:])
        if strength is not None:
            proposals.append({"patient_id": provisional, "other_id": other, "strength": strength.value, "why": why,
                         "proposed_at": now})  # fmt: skip
    return likenesses.propose(connection, proposals)
