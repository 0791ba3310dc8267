"""Making a desk from a folder of reference data, and reading what a desk was made from."""

import os
import secrets
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crisisdesk.desk.agents import check_login
from crisisdesk.desk.reference_data.reading import digest_folder, read_folder
from crisisdesk.domain.reference import Reference
from crisisdesk.domain.words import Role
from crisisdesk.errors import RuleBroken
from crisisdesk.i18n import _

if TYPE_CHECKING:
    from crisisdesk.store.engine import Store

SIDE_FILES = ("", "-wal", "-shm", "-gate")


def data_folder() -> Path:
    """The reference data that ships with the program: inside the wheel, else in the checkout that it runs from."""
    package = Path(__file__).resolve().parent.parent
    for folder in (package / "data", package.parent.parent / "data"):
        if (folder / "desk.toml").is_file():
            return folder
    raise RuleBroken(
        _("The program's reference data is not beside it ({path}). Install it again.").format(path=package / "data")
    )


def load_reference(store: "Store") -> Reference:
    """The reference data of an open desk.

    Raises:
        StoreUnavailable: the file was never made by `init_desk`.
    """
    from crisisdesk.store.reference import read_reference

    with store.read() as connection:
        return read_reference(connection)


def init_desk(
    path: Path,
    folder: Path,
    *,
    admin_login: str,
    now: datetime,
    admin_name: str = "",
    demo_shift: timedelta | None = None,
) -> None:
    """Make a desk file from a folder of reference data, whole or not at all.

    Args:
        admin_login: the first agent, with the role admin; makes the others.
        demo_shift: makes a demo desk, whose clock is moved by this much.

    Raises:
        RuleBroken: the folder has mistakes (all of them are told), the login is none, or a desk is there already.
        StoreUnavailable: the disk refuses. In both cases nothing is left behind.
    """
    check_login(admin_login)
    rows = read_folder(folder, data_folder())
    rows["desk"][0].update(opened_at=now, is_demo=demo_shift is not None)
    rows["desk"][0]["clock_shift_seconds"] = int((demo_shift or timedelta(0)).total_seconds())
    if path.exists():
        raise RuleBroken(_("{path} exists already; a desk is never overwritten.").format(path=path))
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        _fill(draft, rows, digest_folder(folder), admin_login=admin_login, admin_name=admin_name, now=now)
        _publish(draft, path)
    finally:
        for end in SIDE_FILES:
            draft.with_name(draft.name + end).unlink(missing_ok=True)


def _fill(
    path: Path, rows: dict[str, list[dict[str, Any]]], digest: str, *, admin_login: str, admin_name: str, now: datetime
) -> None:
    from crisisdesk.store.agents import insert_agent
    from crisisdesk.store.engine import create_desk
    from crisisdesk.store.journal import append
    from crisisdesk.store.reference import write_reference

    store = create_desk(path)
    try:
        with store.write() as connection:
            write_reference(connection, rows, now=now)
            name = admin_name or admin_login
            agent_id = insert_agent(connection, login=admin_login, name=name, role=Role.ADMIN, language="", now=now)
            counts = {table: len(found) for table, found in sorted(rows.items())}
            detail = {"data_sha256": digest, "rows": counts, "admin": [None, admin_login], "agent_id": agent_id}
            append(
                connection,
                agent=admin_login,
                action="desk.opened",
                subject="desk",
                subject_id=1,
                detail=detail,
                now=now,
            )
    finally:
        store.close()


def _publish(draft: Path, path: Path) -> None:
    """Give the finished file its name. A link, unlike a rename, never replaces a desk that came meanwhile."""
    try:
        os.link(draft, path)
    except FileExistsError as error:
        raise RuleBroken(_("{path} exists already; a desk is never overwritten.").format(path=path)) from error
    except OSError as error:  # a file system without links
        if path.exists():
            raise RuleBroken(_("{path} exists already; a desk is never overwritten.").format(path=path)) from error
        draft.rename(path)
