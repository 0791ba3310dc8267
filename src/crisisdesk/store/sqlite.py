"""Which SQLite the desk runs on. Most system copies carry a race that corrupts files shared by many processes."""

from types import ModuleType

from crisisdesk.errors import StoreUnavailable
from crisisdesk.i18n import _


def is_safe(version: tuple[int, ...]) -> bool:
    """Whether a version is free of the WAL-reset race of 3.7.0 to 3.51.2.

    Fixed in 3.51.3, and in the branches 3.50 (from 3.50.7) and 3.44 (from 3.44.6). Source: SQLite, "WAL".
    """
    if version >= (3, 51, 3):
        return True
    return (3, 50, 7) <= version < (3, 51) or (3, 44, 6) <= version < (3, 45)


def choose_sqlite() -> ModuleType:
    """The driver with a safe engine: the standard library's where it is one, else the pysqlite3 wheel.

    Raises:
        StoreUnavailable: neither is safe; a desk must not be opened at all.
    """
    import sqlite3

    if is_safe(sqlite3.sqlite_version_info):
        return sqlite3
    try:
        import pysqlite3
    except ImportError:
        found = sqlite3.sqlite_version
    else:
        if is_safe(pysqlite3.sqlite_version_info):
            driver: ModuleType = pysqlite3
            return driver
        found = f"{sqlite3.sqlite_version}, pysqlite3 {pysqlite3.sqlite_version}"
    raise StoreUnavailable(
        _(
            "The SQLite engine of this host ({found}) can damage a desk that several people use at once, "
            "so the desk stays shut. Install a safe one: pip install 'pysqlite3>=0.6.1' (SQLite 3.51.3 or later)."
        ).format(found=found)
    )
