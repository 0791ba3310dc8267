"""`crisisdesk launcher`: a process that has imported everything and forks each session, for hosts with many agents.

Off unless the host starts it. Invariants: no desk is opened and no thread is started before the fork; the parent reads
nothing from anybody; killing it ends no session; a session ends when the process that lent its terminal ends.
"""

import contextlib
import gc
import io
import os
import pkgutil
import signal
import socket
import sys
import threading
import time
from argparse import Namespace
from collections.abc import Iterator
from importlib import import_module, util
from pathlib import Path
from typing import NoReturn

from crisisdesk.cli.context import Context
from crisisdesk.cli.launched import (
    GO,
    HERE,
    LONGEST_MESSAGE,
    PROTOCOL,
    READY,
    STORM_SECONDS,
    connect,
    is_passed,
    package_folder,
    peer_uid,
    socket_path,
)
from crisisdesk.cli.output import say
from crisisdesk.cli.parser import Subparsers
from crisisdesk.errors import RuleBroken
from crisisdesk.i18n import _

ROOMS = ("domain", "store", "desk", "reports", "ui", "cli")
LATE = ("phonenumbers", "rapidfuzz.fuzz", "rapidfuzz.process", "rapidfuzz.distance", "anyascii", "dateutil.easter")
"""Libraries that the rooms import when they first need them, and a call at the desk does."""
WAITING = 512
LOOK_SECONDS = 1.0
UNIT = """\
[Unit]
Description=CrisisDesk: a process that has everything imported forks each session
After=local-fs.target

[Service]
User={account}
ExecStart={program} launcher
RuntimeDirectory=crisisdesk
RuntimeDirectoryMode=0700
RuntimeDirectoryPreserve=restart
UMask=0077
Environment=LANG=C.UTF-8
LimitCORE=0
NoNewPrivileges=yes
Restart=always
RestartSec=5
# A restart, a stop or one killed session must end no other session:
KillMode=process
OOMPolicy=continue
TasksMax=infinity

[Install]
WantedBy=multi-user.target
"""


def add_parser(subparsers: Subparsers) -> None:
    """Add `launcher`."""
    about = _("fork each session from a process that has everything imported (hosts with many agents)")
    parser = subparsers.add_parser("launcher", help=about, description=about)
    parser.add_argument(
        "--unit", action="store_true", help=_("print the systemd unit that starts it, and nothing more")
    )
    parser.set_defaults(run=launch)


def launch(arguments: Namespace, context: Context) -> int:
    """Serve until the program on the disk is another one (0), or a signal comes."""
    if arguments.unit:
        context.out.write(unit_text())
        return 0
    if os.geteuid() == 0:
        raise RuleBroken(_("The launcher must not be root. Start it as the account that owns the desk."))
    path = socket_path(os.environ)
    if not path:
        raise RuleBroken(_("CRISISDESK_LAUNCHER is empty, which means: no launcher. Name the socket's path in it."))
    seen = Program()
    import_all()
    with listen(Path(path)) as door:
        say(context, _("Ready for sessions at {path}").format(path=path))
        context.out.flush()
        serve(door, seen)
    return 0


def unit_text() -> str:
    """The systemd unit of this installation, for the account that runs this command."""
    from crisisdesk.cli.identity import host_login

    program = Path(sys.prefix, "bin", "crisisdesk")
    known = str(program) if program.is_file() else f"{sys.executable} -m crisisdesk"
    return UNIT.format(account="crisisdesk" if os.geteuid() == 0 else host_login() or "crisisdesk", program=known)


class Program:
    """The program as it lies on the disk, to notice that it was replaced."""

    def __init__(self) -> None:
        self._folder = package_folder()
        self._began = self._looked = time.monotonic()
        self._first = self._state()

    def is_another(self) -> bool:
        """Whether a file of the program, or the folder of its libraries, has changed. Looks once a second at most."""
        if time.monotonic() - self._looked < LOOK_SECONDS:
            return False
        self._looked = time.monotonic()
        return self._state() != self._first

    def _state(self) -> tuple[int, int, int]:
        found = [entry.stat().st_mtime_ns for entry in _files(self._folder)]
        library = util.find_spec("textual")
        beside = os.stat(os.path.dirname(os.path.dirname(library.origin))) if library and library.origin else None
        return len(found), max(found, default=0), beside.st_mtime_ns if beside else 0


def _files(folder: str) -> Iterator[os.DirEntry[str]]:
    try:
        for entry in os.scandir(folder):
            if entry.is_dir():
                yield from _files(entry.path) if entry.name != "__pycache__" else ()
            else:
                yield entry
    except FileNotFoundError:
        return  # is being replaced


def import_all() -> None:
    """Import what a session may need, and put it out of the collector's sight, so that its pages stay shared."""
    from crisisdesk.store.sqlite import choose_sqlite
    from crisisdesk.ui.start import settle_environment

    settle_environment()
    choose_sqlite()
    package = import_module("crisisdesk")
    for room in ROOMS:
        found = import_module(f"{package.__name__}.{room}")
        for module in pkgutil.walk_packages(found.__path__, f"{found.__name__}."):
            import_module(module.name)
    for name in LATE:
        import_module(name)
    gc.collect()
    gc.freeze()


def listen(path: Path) -> socket.socket:
    """The open door: a socket in a folder of mode 0700 that is ours.

    Raises:
        RuleBroken: the folder is another's or open to others, or a launcher is at work there.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    line = connect(os.environ)
    if line == "foreign":
        words = _("{folder} must belong to this account alone. Mend it with: chmod 0700 {folder}")
        raise RuleBroken(words.format(folder=path.parent))
    if not isinstance(line, str):
        line.close()
        raise RuleBroken(_("A launcher is at work at {path} already.").format(path=path))
    path.unlink(missing_ok=True)
    door = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    try:
        door.bind(str(path))
        path.chmod(0o600)
        door.listen(WAITING)
    except BaseException:
        door.close()
        raise
    return door


def serve(door: socket.socket, program: Program) -> None:
    """Fork a process for each client of this account, until the program on the disk is another one."""
    if threading.active_count() != 1:
        raise RuntimeError("a thread is running: a fork would lose it")
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the kernel clears the ended ones away
    while True:
        line, _address = door.accept()
        with line:
            if program.is_another():
                return  # the client starts in the ordinary way; systemd starts the new launcher
            if peer_uid(line) != os.geteuid():
                continue
            try:
                line.send(HERE)
                child = os.fork()
            except OSError:
                continue  # no room for another process, or the client has gone: it tries by itself, and is told why
            if child == 0:
                door.close()
                become_session(line)


def become_session(line: socket.socket) -> NoReturn:
    """In the forked process: take over the terminal and the circumstances of the client, run, say the exit code."""
    from crisisdesk.__main__ import start

    code = 1
    try:
        os.setsid()
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)  # the line ends too, and then what is being written lands
        line.settimeout(STORM_SECONDS)
        if (argv := _take_over(line)) is None:
            os._exit(0)
        line.settimeout(None)
        threading.Thread(target=_end_with, args=(line,), name="client", daemon=True).start()
        gc.enable()
        code = start(argv)
        sys.stdout.flush()
        line.send(str(code).encode())
    except OSError:
        os._exit(1)  # the client has gone
    finally:
        os._exit(code)


def _take_over(line: socket.socket) -> list[str] | None:
    """The client's arguments, once everything is as it would be in a process of its own; None: there is no session."""
    message, descriptors, _flags, _address = socket.recv_fds(line, LONGEST_MESSAGE, 3)
    protocol, folder, prefix, where, umask, count, *rest = map(os.fsdecode, message.split(b"\0"))
    if (protocol, folder, prefix) != (PROTOCOL, package_folder(), sys.prefix) or len(descriptors) != 3:
        return None
    argv = rest[: int(count)]
    for target, lent in enumerate(descriptors):
        os.dup2(lent, target)
        if lent > 2:
            os.close(lent)
    os.environ.clear()
    kept = (variable.partition("=") for variable in rest[int(count) :])
    os.environ.update({name: value for name, _sign, value in kept if is_passed(name)})
    time.tzset()
    os.umask(int(umask, 8))
    try:
        os.chdir(where)
    except OSError:
        os.chdir("/")
    sys.argv[1:] = argv
    _open_streams()
    socket.send_fds(line, [READY], [os.pidfd_open(os.getpid())])
    return argv if line.recv(16) == GO else None


def _open_streams() -> None:
    """The three streams anew, as Python opens them on a terminal: those of the launcher know what they were made on."""
    reading = io.BufferedReader(io.FileIO(0, "r", closefd=False))
    sys.stdin = sys.__stdin__ = io.TextIOWrapper(reading, "utf-8", "strict")  # type: ignore[misc]  # typed as final
    made = []
    for descriptor, errors in ((1, "strict"), (2, "backslashreplace")):
        writing = io.BufferedWriter(io.FileIO(descriptor, "w", closefd=False))
        made.append(io.TextIOWrapper(writing, "utf-8", errors, line_buffering=True))
    sys.stdout, sys.stderr = sys.__stdout__, sys.__stderr__ = made  # type: ignore[misc]


def _end_with(line: socket.socket) -> None:
    """End the session as SIGTERM does (fields stored, writes landed, terminal whole) once the client has gone."""
    with contextlib.suppress(OSError):
        line.recv(1)
    os.kill(os.getpid(), signal.SIGTERM)
