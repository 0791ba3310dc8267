"""The desk's file: opened safely, migrated, read without locks, written in one transaction at a time.

Invariant: a write is one `BEGIN IMMEDIATE` transaction behind a fair gate; a read can never write. Nothing in this
process may open the desk's file by other means: closing any descriptor on it would drop SQLite's locks.
"""

import fcntl
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import resources
from pathlib import Path
from time import monotonic, sleep
from types import ModuleType
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import DatabaseError, OperationalError
from sqlalchemy.pool import QueuePool

from crisisdesk.errors import StoreUnavailable
from crisisdesk.i18n import _
from crisisdesk.store.sqlite import choose_sqlite

__all__ = ["Connection", "Store", "create_desk", "open_desk"]

APPLICATION_ID = 0x43445331  # "CDS1", so that `file` and `check` know a desk from any other database
BUSY_SECONDS = 15  # the busy handler is unfair: 12 s were seen under 100 writers (the gate below makes it rare)
PRAGMAS = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",  # NORMAL lost acknowledged rows in simulated power cuts
    "PRAGMA foreign_keys=ON",
    "PRAGMA trusted_schema=OFF",
    "PRAGMA cell_size_check=ON",
    "PRAGMA mmap_size=0",
    "PRAGMA temp_store=MEMORY",
    "PRAGMA journal_size_limit=67108864",
)


class Store:
    """One open desk. Safe to share between threads; open it after a fork, never before."""

    def __init__(self, path: Path, driver: ModuleType) -> None:
        self.path = path
        self._driver = driver
        self._gate_lock = threading.Lock()
        self._gate = _open_gate(path)
        self._readers = self._engine("BEGIN", query_only=True, size=4)
        self._writer = self._engine("BEGIN IMMEDIATE", query_only=False, size=1)
        self._watch: Any = None
        # Closing a connection while another thread asks it would crash the process.
        self._watch_lock = threading.Lock()
        self._is_closed = False

    def _engine(self, begin: str, *, query_only: bool, size: int) -> Engine:
        def connect() -> Any:
            connection = self._driver.connect(
                self.path.absolute().as_uri() + "?mode=rw",
                uri=True,
                timeout=BUSY_SECONDS,
                isolation_level=None,
                check_same_thread=False,
                cached_statements=256,
            )
            for pragma in PRAGMAS:
                connection.execute(pragma)
            if query_only:
                connection.execute("PRAGMA query_only=ON")
            return connection

        engine = create_engine(
            "sqlite://",
            module=self._driver,
            creator=connect,
            poolclass=QueuePool,
            pool_size=size,
            max_overflow=0,
            pool_timeout=60,
        )
        event.listen(engine, "begin", lambda connection: connection.exec_driver_sql(begin))
        return engine

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A snapshot for the length of the block. Close it before painting: an open reader keeps the WAL growing."""
        with told_in_words(self.path), self._readers.connect() as connection:
            yield connection
            connection.rollback()

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """One transaction: committed at the end of the block, rolled back by any exception.

        Raises:
            StoreUnavailable: the disk, the lock or the file refuses; nothing was written.
        """
        with told_in_words(self.path), self._gate_lock:
            self._wait_at_gate()
            try:
                with self._writer.begin() as connection:
                    yield connection
            finally:
                fcntl.flock(self._gate, fcntl.LOCK_UN)

    def _wait_at_gate(self) -> None:
        """Queue for the write lock; SQLite's own waiting lets one writer starve for seconds.

        A process that was stopped while it held the gate must not stop the desk: after the wait SQLite decides.
        """
        end, pause = monotonic() + BUSY_SECONDS, 0.001
        while monotonic() < end:
            try:
                fcntl.flock(self._gate, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                sleep(pause)
                pause = min(2 * pause, 0.016)  # a hundred who ask a thousand times a second keep whoever writes waiting
            else:
                return

    def data_version(self) -> int:
        """A number that moves whenever another connection has committed. Microseconds; call it from one thread.

        -1 while the file cannot be asked: the next read or write tells why, and the one after that is asked anew.
        """
        with self._watch_lock:
            if self._is_closed:
                return -1
            try:
                if self._watch is None:
                    uri = self.path.absolute().as_uri() + "?mode=rw"
                    self._watch = self._driver.connect(uri, uri=True, check_same_thread=False)
                return int(self._watch.execute("PRAGMA data_version").fetchone()[0])
            except self._driver.Error:
                self._watch = None
                return -1

    def backup(self, target: Path) -> None:
        """Copy the whole desk, as of now, into a new file of mode 0600, without stopping anybody."""
        os.close(os.open(target, os.O_CREAT | os.O_WRONLY, 0o600))  # before SQLite makes it with the umask's rights
        with told_in_words(self.path):
            source = self._driver.connect(self.path.absolute().as_uri() + "?mode=rw", uri=True, timeout=BUSY_SECONDS)
            copy = self._driver.connect(str(target))
            try:
                source.backup(copy, pages=-1)
            finally:
                copy.close()
                source.close()

    def sqlite_version(self) -> str:
        """Version of the engine in use."""
        return str(self._driver.sqlite_version)

    def close(self) -> None:
        """Let go of every connection. Nothing depends on it."""
        self._readers.dispose()
        self._writer.dispose()
        with self._watch_lock:
            self._is_closed = True
            if self._watch is not None:
                self._watch.close()
                self._watch = None
        if self._gate >= 0:
            os.close(self._gate)
            self._gate = -1


def _open_gate(path: Path) -> int:
    """The file beside the desk at which writers queue; not the desk itself, whose locks a close would drop."""
    try:
        gate = os.open(path.with_name(path.name + "-gate"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        if os.geteuid() == 0:  # as SQLite does with its own two: root must not lock the desk's account out
            owner = path.stat()
            os.fchown(gate, owner.st_uid, owner.st_gid)
        return gate
    except OSError as error:
        words = _("{path} cannot be opened for writing ({why}). Check the rights and the owner of its folder.")
        raise StoreUnavailable(words.format(path=path, why=error.strerror or str(error))) from error


@contextmanager
def told_in_words(path: Path) -> Iterator[None]:
    """Turn the driver's failures into a sentence that says what to do. A broken constraint stays a bug."""
    try:
        yield
    except OperationalError as error:
        if "no such" in str(error.orig) or "syntax error" in str(error.orig):
            raise  # a statement of ours is wrong: a bug
        raise StoreUnavailable(_cause(path, str(error.orig))) from error
    except DatabaseError as error:
        if "malformed" not in str(error.orig) and "not a database" not in str(error.orig):
            raise
        raise StoreUnavailable(_cause(path, str(error.orig))) from error


def _cause(path: Path, why: str) -> str:
    if "locked" in why or "busy" in why:
        words = _("{path} is busy: somebody has been writing for more than {seconds} s. Nothing was lost; try again.")
    elif "full" in why:
        words = _("The disk of {path} is full. Nothing was lost; free some space, then try again.")
    elif "readonly" in why or "read-only" in why:
        words = _("{path} can only be read. Mount its disk for writing or correct its rights, then try again.")
    elif "malformed" in why or "not a database" in why:
        words = _("{path} is damaged or is no desk ({why}). Do not repair it: keep it and restore the last backup.")
    elif "unable to open" in why:
        words = _("{path} cannot be opened. Check that the file and its folder exist and belong to this account.")
    else:
        words = _("{path} cannot be used now ({why}). Check the disk, then try again.")
    return words.format(path=path, seconds=BUSY_SECONDS, why=why)


def open_desk(path: Path) -> Store:
    """Open an existing desk and bring its schema up to this program's.

    Raises:
        StoreUnavailable: no such file, no desk, a newer schema, an unsafe engine, or a disk that refuses.
    """
    if not path.is_file():
        raise StoreUnavailable(
            _("There is no desk at {path}. Make one with: crisisdesk init FOLDER --desk {path}").format(path=path)
        )
    store = Store(path, choose_sqlite())
    try:
        _migrate(store, path)
    except BaseException:
        store.close()
        raise
    return store


def create_desk(path: Path) -> Store:
    """Make an empty desk file (schema only, mode 0600) and open it.

    Raises:
        StoreUnavailable: something is there already, or the folder cannot be written.
    """
    driver = choose_sqlite()
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except FileExistsError as error:
        raise StoreUnavailable(_("{path} exists already; a desk is never overwritten.").format(path=path)) from error
    except OSError as error:
        raise StoreUnavailable(
            _("{path} cannot be made: {why}").format(path=path, why=error.strerror or str(error))
        ) from error
    connection = driver.connect(str(path), isolation_level=None)
    connection.execute(f"PRAGMA application_id={APPLICATION_ID}")
    connection.close()
    return open_desk(path)


def schema_version() -> int:
    """The schema that this program speaks: the number of the last migration."""
    return max(number for number, _name, _sql in _migrations())


def _migrations() -> list[tuple[int, str, str]]:
    folder = resources.files("crisisdesk.store.migrations")
    files = sorted((entry for entry in folder.iterdir() if entry.name.endswith(".sql")), key=lambda entry: entry.name)
    return [(int(entry.name[:4]), entry.name, entry.read_text(encoding="utf-8")) for entry in files]


def _migrate(store: Store, path: Path) -> None:
    with store.read() as connection:
        application = int(connection.exec_driver_sql("PRAGMA application_id").scalar_one())
        version = int(connection.exec_driver_sql("PRAGMA user_version").scalar_one())
    if application != APPLICATION_ID:
        raise StoreUnavailable(_("{path} is a database, but not a CrisisDesk desk.").format(path=path))
    known = schema_version()
    if version > known:
        raise StoreUnavailable(
            _(
                "{path} was written by a newer CrisisDesk (schema {version}; this program knows {known}). "
                "Install that version; this one must not open it."
            ).format(path=path, version=version, known=known)
        )
    if version == known:
        return
    with store.write() as connection:
        version = int(connection.exec_driver_sql("PRAGMA user_version").scalar_one())
        for number, _name, sql in _migrations():
            if number > version:
                for statement in _statements(sql, store):
                    connection.exec_driver_sql(statement)
                connection.exec_driver_sql(f"PRAGMA user_version={number}")


def _statements(sql: str, store: Store) -> Iterator[str]:
    """The statements of a script, one by one: executescript would end the transaction."""
    complete = store._driver.complete_statement
    statement = ""
    for line in sql.splitlines(keepends=True):
        statement += line
        if complete(statement):
            yield statement
            statement = ""
