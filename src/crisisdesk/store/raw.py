"""Rows straight from the driver, for the few reads that run at each keystroke: SQLAlchemy's result machinery costs five
times what such a statement does. Everything else goes through the usual door."""

from typing import Any

from crisisdesk.store.engine import Connection


def rows(connection: Connection, sql: str, values: tuple[object, ...] = ()) -> list[tuple[Any, ...]]:
    """All rows of a reading statement as plain tuples. A failure is told as always: the statement is run again that
    way."""
    driver: Any = connection.connection.driver_connection
    try:
        found: list[tuple[Any, ...]] = driver.execute(sql, values).fetchall()
    except connection.dialect.loaded_dbapi.Error:
        return [tuple(row) for row in connection.exec_driver_sql(sql, values)]
    return found
