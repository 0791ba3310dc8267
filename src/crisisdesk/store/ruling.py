"""The rules of attempts as supervisors change them: rows of the disposition table, their words, and the desk's caps.

Every function works inside the transaction of its caller, who bumps the version: other processes read it before each
attempt, and read the rules again when it moved.
"""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import and_, insert, update

from crisisdesk.store import tables
from crisisdesk.store.engine import Connection
from crisisdesk.store.raw import rows

disposition, label, desk = tables.disposition.c, tables.label.c, tables.desk.c


def version(connection: Connection) -> int:
    """Number of the rules in force; it moves with each change. Asked before each take, so straight to the driver."""
    found = rows(connection, "SELECT reference_version FROM desk")
    return int(found[0][0]) if found else 0


def bump(connection: Connection) -> None:
    """Make every process read the reference data again."""
    connection.execute(update(tables.desk).values(reference_version=desk.reference_version + 1))


def change_disposition(connection: Connection, scope: str, code: str, values: Mapping[str, Any]) -> None:
    """Set columns of one disposition."""
    which = and_(disposition.scope == scope, disposition.code == code)
    connection.execute(update(tables.disposition).where(which).values(values))


def change_words(connection: Connection, kind: str, code: str, words: Mapping[str, str]) -> None:
    """Set the words of a code by language; an empty text takes them away."""
    for language, text in words.items():
        which = and_(label.kind == kind, label.code == code, label.language == language)
        connection.execute(tables.label.delete().where(which))
        if text:
            row = {"kind": kind, "code": code, "language": language, "words": text}
            connection.execute(insert(tables.label).values(row))


def change_desk(connection: Connection, values: Mapping[str, Any]) -> None:
    """Set columns of the desk."""
    connection.execute(update(tables.desk).values(values))
