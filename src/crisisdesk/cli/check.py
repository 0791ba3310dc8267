"""`crisisdesk check`: is the desk's file sound, and has it room?"""

import os
from argparse import Namespace
from pathlib import Path

from crisisdesk.cli.context import Context
from crisisdesk.cli.output import complain, show_record
from crisisdesk.cli.parser import Subparsers
from crisisdesk.cli.sshplan import add_plan_options
from crisisdesk.i18n import _

ENOUGH_FREE = 1 << 30  # a desk of a million calls and its backup


def add_parser(subparsers: Subparsers) -> None:
    """Add `check`."""
    parser = subparsers.add_parser("check", help=_("check the desk's file, its journal, the versions and the disk"))
    parser.add_argument("--quick", action="store_true", help=_("skip what reads the whole file"))
    parser.add_argument("--ssh", action="store_true", help=_("check how agents come in over SSH instead (as root)"))
    add_plan_options(parser)
    parser.add_argument("--sshd-config", metavar=_("FILE"), type=Path, help=_("sshd's file, if not the usual one"))
    parser.set_defaults(run=check)


def check(arguments: Namespace, context: Context) -> int:
    """Print what was found; 1 when something is wrong."""
    if arguments.ssh:
        from crisisdesk.cli.sshcheck import check_ssh

        return check_ssh(arguments, context)
    import shutil

    from crisisdesk import __version__
    from crisisdesk.cli.launched import probe
    from crisisdesk.store.engine import schema_version
    from crisisdesk.store.health import examine

    store = context.open_store()
    health = examine(store, is_quick=arguments.quick)
    free = shutil.disk_usage(store.path.parent).free
    reference = context.reference()
    launcher = probe(os.environ)
    record = {
        "desk": store.path,
        "name": reference.desk.name,
        "incident": reference.desk.incident,
        "demo": reference.desk.is_demo,
        "version": __version__,
        "schema": schema_version(),
        "engine": store.sqlite_version(),
        "integrity": health.integrity,
        "journal": health.journal,
        "journal_entries": health.journal_seq,
        "journal_head": health.journal_hash,
        "bytes": _size(store.path),
        "wal_bytes": _size(Path(f"{store.path}-wal")),
        "free_bytes": free,
        "is_sound": health.is_sound,
        "has_room": free >= ENOUGH_FREE,
        "launcher": launcher if context.json else _launcher_words().get(launcher, launcher),
    }
    show_record(context, _headings(), record)
    if not health.is_sound:
        complain(
            context, _("Something is wrong with this desk. Do not repair it: keep it and restore the last backup.")
        )
    if free < ENOUGH_FREE:
        complain(context, _("The disk of {path} is nearly full: free some space now.").format(path=store.path))
    return 0 if health.is_sound and free >= ENOUGH_FREE else 1


def _headings() -> dict[str, str]:
    return {
        "desk": _("Desk"),
        "name": _("Hospital"),
        "incident": _("Incident"),
        "demo": _("Demo desk"),
        "version": _("Program"),
        "schema": _("Schema"),
        "engine": _("SQLite engine"),
        "integrity": _("File"),
        "journal": _("Journal"),
        "journal_entries": _("Journal entries"),
        "journal_head": _("Journal head"),
        "bytes": _("Size in bytes"),
        "wal_bytes": _("Write-ahead log in bytes"),
        "free_bytes": _("Free on its disk, bytes"),
        "is_sound": _("Sound"),
        "has_room": _("Room on the disk"),
        "launcher": _("Launcher of sessions"),
    }


def _launcher_words() -> dict[str, str]:
    return {
        "ready": _("ready"),
        "off": _("not used here"),
        "absent": _("none: each session starts by itself"),
        "foreign": _("not trusted: its folder and its process must be of this account alone"),
        "refused": _("refuses: it is of another program or version, restart it"),
        "silent": _("does not answer: restart it"),
    }


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
