"""Statements straight through the driver, for the few that run at each keystroke or in each call: SQLAlchemy's own
machinery costs five times what such a statement does. Everything else goes through the usual door; a failure is told as
there.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy.exc import DBAPIError

from crisisdesk.store.engine import Connection


def rows(connection: Connection, sql: str, values: tuple[object, ...] = ()) -> list[tuple[Any, ...]]:
    """All rows of a reading statement as plain tuples."""
    driver: Any = connection.connection.driver_connection
    try:
        found: list[tuple[Any, ...]] = driver.execute(sql, values).fetchall()
    except connection.dialect.loaded_dbapi.Error as error:
        raise _told(connection, sql, values, error) from error
    return found


def run(connection: Connection, sql: str, values: Sequence[object]) -> int:
    """Run one changing statement; gives the id of the row that it added. Instants go in as `stamp` writes them."""
    driver: Any = connection.connection.driver_connection
    try:
        number: int | None = driver.execute(sql, values).lastrowid
    except connection.dialect.loaded_dbapi.Error as error:
        raise _told(connection, sql, values, error) from error
    return number or 0


def stamp(instant: datetime) -> str:
    """An instant as the store keeps it: UTC, to the microsecond, in an order that is that of time."""
    return instant.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")


def _told(connection: Connection, sql: str, values: Any, error: Exception) -> BaseException:
    """The driver's failure as SQLAlchemy tells it, which is what `engine.told_in_words` reads."""
    dialect = connection.dialect
    return DBAPIError.instance(sql, values, error, dialect.loaded_dbapi.Error, hide_parameters=True, dialect=dialect)
