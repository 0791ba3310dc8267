"""Candidates for a search as the agent types: ranges on folded keys, never a scan, never a rank over the table.

Every statement is plain text with a limit of its own, because this runs at each keystroke of a hundred agents. Typing
mistakes are caught by sound keys and near dates; which candidate fits best is weighed outside (domain/matching.py).
"""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Any

from crisisdesk.domain.matches import Reason
from crisisdesk.domain.matching import Candidate, Wanted
from crisisdesk.domain.namekeys import pair_sound, sounds_of
from crisisdesk.domain.text import fold_words
from crisisdesk.store.engine import Connection
from crisisdesk.store.raw import rows

ENOUGH = 40
"""Candidates taken from one key; a key with more says too little."""
_END = "\U0010ffff"

_COLUMNS = "p.id, p.name_key, p.first_key, p.last_name, p.first_name, p.full_name, p.birth_on, p.niss, p.record_number"
_LIVE = "p.merged_into_id IS NULL"
_PATIENT = f"SELECT {_COLUMNS} FROM patient p WHERE {_LIVE} AND"
_IN = f"SELECT {_COLUMNS} FROM patient p WHERE {_LIVE} AND p.id IN"
_BY_NISS = f"{_PATIENT} p.niss >= ? AND p.niss < ? LIMIT {ENOUGH}"
_BY_BIRTH = f"{_PATIENT} p.birth_on = ? LIMIT 200"
_BY_BIRTHS = (
    f"{_PATIENT} p.birth_on IN (SELECT value FROM json_each(?)) AND p.{{key}} >= ? AND p.{{key}} < ? LIMIT {ENOUGH}"
)
_BY_RECORD = f"{_PATIENT} p.record_number = ? AND p.record_number <> '' LIMIT {ENOUGH}"
_BY_NAMES = f"{_PATIENT} p.name_key >= ? AND p.name_key < ? AND p.first_key >= ? AND p.first_key < ? LIMIT {ENOUGH}"
_BY_NAME = f"{_PATIENT} p.name_key >= ? AND p.name_key < ? ORDER BY p.name_key, p.first_key LIMIT {ENOUGH}"
_BY_FIRST = f"{_PATIENT} p.first_key >= ? AND p.first_key < ? ORDER BY p.first_key, p.name_key LIMIT {ENOUGH}"
_BY_SUFFIX = f"{_IN} (SELECT patient_id FROM phone WHERE reversed >= ? AND reversed < ? LIMIT {ENOUGH})"
_BY_PREFIX = f"{_IN} (SELECT patient_id FROM phone WHERE number >= ? AND number < ? LIMIT {ENOUGH})"
_BY_WORD = f"{_IN} (SELECT patient_id FROM patient_word WHERE word >= ? AND word < ? LIMIT {ENOUGH})"
_BY_TWO_WORDS = (
    f"{_IN} (SELECT a.patient_id FROM patient_word a CROSS JOIN patient_word b ON b.patient_id = a.patient_id"
    f" AND b.word >= ? AND b.word < ? WHERE a.word >= ? AND a.word < ? LIMIT {ENOUGH})"
)
_BY_SOUND = f"{_IN} (SELECT patient_id FROM patient_word WHERE word = ? LIMIT {ENOUGH})"
_BY_TWO_SOUNDS = (
    f"{_IN} (SELECT a.patient_id FROM patient_word a CROSS JOIN patient_word b ON b.patient_id = a.patient_id"
    f" AND b.word = ? WHERE a.word = ? LIMIT {ENOUGH})"
)
_BY_CALL = (
    f"SELECT {_COLUMNS} FROM call c JOIN call_patient cp ON cp.call_id = c.id JOIN patient p ON p.id = cp.patient_id"
    f" WHERE c.number = ? AND {_LIVE}"
)
_NUMBERS = (
    "SELECT patient_id, number FROM phone"
    " WHERE patient_id IN (SELECT value FROM json_each(?)) AND found_wrong_at IS NULL"
)


class _Gathering:
    """Candidates found so far, each once."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.rows: dict[int, Any] = {}
        self.by: dict[int, Reason] = {}

    def take(self, sql: str, *values: object) -> int:
        """Run one statement; give how many rows it led to."""
        found = rows(self.connection, sql, values)
        for row in found:
            self.rows.setdefault(row[0], row)
        return len(found)

    def candidates(self, numbers: dict[int, list[str]]) -> list[Candidate]:
        return [
            Candidate(
                row[0], row[1], row[2], _words(row[3], row[4], row[5]), _day(row[6]), row[7], row[8],
                tuple(numbers.get(row[0], ())), frozenset({self.by[row[0]]}) if row[0] in self.by else frozenset(),
            )
            for row in self.rows.values()
        ]  # fmt: skip


def _words(*names: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(word for name in names for word in fold_words(name)))


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


def find_candidates(connection: Connection, wanted: Wanted) -> list[Candidate]:
    """Patients that one of the keys of a query leads to, at most some hundreds, unranked, each once."""
    found = _Gathering(connection)
    _by_numbers(found, wanted)
    close = _by_names(found, wanted)
    if wanted.birth_on:
        found.take(_BY_BIRTH, wanted.birth_on.isoformat())
    # A number or a birth date leads to a misspelt name by itself; a name alone needs its likeness.
    enough = 1 if wanted.birth_on or wanted.numbers else 3
    if wanted.words and close < enough:
        _by_likeness(found, wanted)
    return found.candidates(_numbers_of(connection, found.rows) if wanted.suffix else {})


def _by_numbers(found: _Gathering, wanted: Wanted) -> None:
    if wanted.reference:
        found.take(_BY_CALL, wanted.reference.number)
        found.by = dict.fromkeys(found.rows, Reason.CALL)
    if wanted.niss:
        found.take(_BY_NISS, wanted.niss, wanted.niss + ":")
    if wanted.suffix:
        found.take(_BY_SUFFIX, wanted.suffix, wanted.suffix + ":")
    if wanted.prefix:
        found.take(_BY_PREFIX, wanted.prefix, wanted.prefix + ":")
    if wanted.record:
        found.take(_BY_RECORD, wanted.record)


def _by_names(found: _Gathering, wanted: Wanted) -> int:
    """Whole names as typed, then swapped, then words in any order. Gives how many were found so."""
    last, first = wanted.last_key, wanted.first_key
    if last and first:
        count = found.take(_BY_NAMES, last, last + _END, first, first + _END)
        return count or found.take(_BY_NAMES, first, first + _END, last, last + _END) or _by_words(found, wanted)
    if last:
        count = found.take(_BY_NAME, last, last + _END)
        if count < ENOUGH and len(wanted.words) < 2:
            count += found.take(_BY_WORD, wanted.words[0], wanted.words[0] + _END) if wanted.words else 0
        return count or _by_words(found, wanted)
    if first:
        return found.take(_BY_FIRST, first, first + _END)
    return 0


def _by_words(found: _Gathering, wanted: Wanted) -> int:
    if len(wanted.words) < 2:
        return 0
    one, two = wanted.words[:2]
    return found.take(_BY_TWO_WORDS, two, two + _END, one, one + _END)


def _by_likeness(found: _Gathering, wanted: Wanted) -> None:
    """What was misheard or mistyped: same sound, or same beginning on a near birth date."""
    sounds = sorted(sounds_of([wanted.last_key, wanted.first_key]) | sounds_of(wanted.words), key=len, reverse=True)
    count = 0
    for pair in pair_sound(wanted.last_key, wanted.first_key):
        count = found.take(_BY_SOUND, pair)
    if not count and len(sounds) > 1:
        first, last = sorted(sounds_of([wanted.first_key])), sorted(sounds_of([wanted.last_key]))
        two = (first[0], last[0]) if first and last else (sounds[1], sounds[0])
        count = found.take(_BY_TWO_SOUNDS, *two)
    for sound in sounds[:3] if not count else ():
        count += found.take(_BY_SOUND, sound)
    if wanted.birth_near:
        _by_near_birth(found, wanted)
    if not count:
        _by_beginning(found, wanted)


def _by_near_birth(found: _Gathering, wanted: Wanted) -> None:
    days = "[" + ",".join(f'"{day.isoformat()}"' for day in wanted.birth_near) + "]"
    for key, column in ((wanted.last_key, "name_key"), (wanted.first_key, "first_key")):
        if key:
            found.take(_BY_BIRTHS.format(key=column), days, key[:2], key[:2] + _END)


def _by_beginning(found: _Gathering, wanted: Wanted) -> None:
    """A slip late in the name: those who share its first letters, the first name as typed where there is one."""
    last, first = wanted.last_key[:3], wanted.first_key[:2]
    if len(last) == 3 and first:
        found.take(_BY_NAMES, last, last + _END, first, first + _END)
    elif len(last) == 3:
        found.take(_BY_NAME, wanted.last_key[:4], wanted.last_key[:4] + _END)


def _numbers_of(connection: Connection, patient_ids: Iterable[int]) -> dict[int, list[str]]:
    numbers: dict[int, list[str]] = {}
    for patient_id, number in rows(connection, _NUMBERS, (id_list(patient_ids),)):
        numbers.setdefault(patient_id, []).append(number)
    return numbers


def id_list(ids: Iterable[int]) -> str:
    """Ids as the JSON array that ``json_each(?)`` reads: one statement text for any count."""
    return "[" + ",".join(str(int(number)) for number in ids) + "]"


def calls_from_number(
    connection: Connection, reversed_digits: str, *, now: datetime, limit: int = 5
) -> tuple[list[Any], int]:
    """Newest calls whose number ends in these (reversed) digits, and how many came in the last 24 hours."""
    newest = rows(connection, _CALLS_FROM, (reversed_digits, reversed_digits + ":", limit))
    if not newest:
        return [], 0
    since = (now - timedelta(hours=24)).strftime("%Y-%m-%d %H:%M:%S.%f")
    ((count,),) = rows(connection, _COUNT_FROM, (reversed_digits, reversed_digits + ":", since))
    return newest, int(count)


CALL_COLUMNS = (
    "c.id, c.reference, c.started_at, coalesce(a.name, c.taken_by_name), c.disposition, c.topic, c.caller_name,"
    " c.caller_kind, c.words"
)
_CALLS_FROM = (
    f"SELECT {CALL_COLUMNS} FROM call c LEFT JOIN agent a ON a.id = c.taken_by"
    " WHERE c.reversed_phone <> '' AND c.reversed_phone >= ? AND c.reversed_phone < ?"
    " ORDER BY c.started_at DESC LIMIT ?"
)
_COUNT_FROM = (
    "SELECT count(*) FROM call"
    " WHERE reversed_phone <> '' AND reversed_phone >= ? AND reversed_phone < ? AND started_at >= ?"
)
