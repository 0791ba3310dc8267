"""A start at the screens through the launcher of this host, where there is one: the light half of `cli.launcher`.

Imports nothing but what Python has at hand: the process stays behind for the whole session, as the one that the
terminal, sshd and sudo know. It lends its terminal to a process that the launcher forks, hands signals on, and ends
with that process. Whatever is wrong with the launcher, the answer is a reason, and the start is an ordinary one.
"""

import os
import select
import signal
import socket
import stat
import struct
import sys
from collections.abc import Mapping, Sequence

VARIABLE = "CRISISDESK_LAUNCHER"
DEFAULT_SOCKET = "/run/crisisdesk/launcher"
PROTOCOL = "crisisdesk-launcher-1"
PATIENCE_SECONDS = 10.0
"""After this long without a sign of the launcher the start is an ordinary one."""
STORM_SECONDS = 90.0
"""Once it has shown that it is alive, its new process is waited for: an ordinary start would be slower still."""
LONGEST_MESSAGE = 1 << 17
HERE, READY, GO = b"here", b"ready", b"go"
HANGUP_CODE, TERM_CODE, KILL_CODE = 129, 143, 137
PASSED = frozenset({
    "TERM", "COLORTERM", "NO_COLOR", "LANG", "LANGUAGE", "TZ", "HOME", "USER", "LOGNAME", "PATH", "SHELL",
    "SUDO_UID", "SUDO_GID", "SUDO_USER", "SSH_CONNECTION", "SSH_CLIENT", "SSH_TTY",
    "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_RUNTIME_DIR",
})  # fmt: skip
PASSED_BEGINNINGS = ("LC_", "CRISISDESK_")
HANDED_ON = (signal.SIGWINCH, signal.SIGTERM, signal.SIGINT, signal.SIGQUIT)
_WITH_VALUE = frozenset({"--desk", "--agent", "--lang"})
_SANE = b"\x1b[?1049l\x1b[?25h\x1b[?7h\x1b[?1004l\x1b[?2004l\x1b[?1000l\x1b[?1003l\x1b[?1006l\x1b[?1015l\x1b[<u\x1b[0m"


def through_launcher(argv: Sequence[str]) -> int | None:
    """Run the screens in a process of the launcher; their exit code. None: start in the ordinary way."""
    if not is_for_screens(argv) or not _has_terminal():
        return None
    found = connect(os.environ)
    if isinstance(found, str):
        return None
    answer = ask(found, hello(argv, os.environ), (0, 1, 2))
    if isinstance(answer, str):
        found.close()
        return None
    return _attend(found, answer)


_ALONE = ("desk", "--take-over", "--basic", "--no-color")


def is_for_screens(argv: Sequence[str]) -> bool:
    """Whether a command line opens the screens: no command or `desk`, and only options that every command knows."""
    words = iter(argv)
    for word in words:
        if word in _WITH_VALUE:
            if next(words, None) is None:
                return False
        elif word not in _ALONE and word.partition("=")[0] not in _WITH_VALUE:
            return False
    return list(argv).count("desk") <= 1


def _has_terminal() -> bool:
    """All three are terminals and speak UTF-8, as the launcher's own do. Otherwise the ordinary start says why not."""
    streams = (sys.stdin, sys.stdout, sys.stderr)
    return all(stream is not None and stream.isatty() and stream.encoding.lower() == "utf-8" for stream in streams)


def socket_path(environ: Mapping[str, str]) -> str:
    """Where the launcher of this host listens; empty where CRISISDESK_LAUNCHER is empty: then there is none."""
    return environ.get(VARIABLE, DEFAULT_SOCKET)


def package_folder() -> str:
    """The folder of this program: a launcher of another installation is not asked."""
    return os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def connect(environ: Mapping[str, str]) -> socket.socket | str:
    """A connection to a launcher of our own account in a folder that is ours alone, or one word why there is none."""
    path = socket_path(environ)
    if not path:
        return "off"
    try:
        folder = os.stat(os.path.dirname(path) or ".")
    except OSError:
        return "absent"
    if folder.st_uid != os.geteuid() or stat.S_IMODE(folder.st_mode) & 0o077:
        return "foreign"
    line = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    line.settimeout(PATIENCE_SECONDS)
    try:
        line.connect(path)
        if peer_uid(line) != os.geteuid():
            line.close()
            return "foreign"
    except OSError:
        line.close()
        return "absent"
    return line


def probe(environ: Mapping[str, str]) -> str:
    """How a start would be answered now: ready, or one word why it would be an ordinary one. Nothing is started."""
    line = connect(environ)
    if isinstance(line, str):
        return line
    nowhere = os.open(os.devnull, os.O_RDWR)
    try:
        answer = ask(line, hello([], environ), (nowhere, nowhere, nowhere))
    finally:
        os.close(nowhere)
        line.close()
    if isinstance(answer, str):
        return answer
    os.close(answer)
    return "ready"


def peer_uid(line: socket.socket) -> int:
    """The account at the other end, as the kernel attests it."""
    size = struct.calcsize("3i")
    return int(struct.unpack("3i", line.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, size))[1])


def hello(argv: Sequence[str], environ: Mapping[str, str]) -> bytes:
    """What the launcher must know: whose program, where, with which rights, arguments and environment."""
    umask = os.umask(0o077)
    os.umask(umask)
    try:
        folder = os.getcwd()
    except OSError:
        folder = "/"
    kept = [f"{name}={value}" for name, value in environ.items() if is_passed(name)]
    parts = [PROTOCOL, package_folder(), sys.prefix, folder, oct(umask), str(len(argv)), *argv, *kept]
    return b"\0".join(map(os.fsencode, parts))


def is_passed(name: str) -> bool:
    """Whether a variable of the environment goes with the session: what Python or the loader would obey does not."""
    return name in PASSED or name.startswith(PASSED_BEGINNINGS)


def ask(line: socket.socket, message: bytes, terminal: Sequence[int]) -> int | str:
    """Lend the terminal; a descriptor of the process that will draw on it, or one word why there is none.

    That process touches nothing before it is told to go on: should we have lost patience, it ends instead.
    """
    if len(message) > LONGEST_MESSAGE:
        return "refused"
    try:
        socket.send_fds(line, [message], list(terminal))
        if line.recv(16) != HERE:
            return "refused"
        line.settimeout(STORM_SECONDS)
        said, descriptors, _flags, _address = socket.recv_fds(line, 64, 1)
    except OSError:
        return "silent"
    if said != READY or len(descriptors) != 1:
        return "refused"
    return descriptors[0]


def _attend(line: socket.socket, child: int) -> int:
    """Hand signals on until the session ends; then its exit code, and a terminal that is whole in any case."""
    import termios

    before = termios.tcgetattr(0)
    told: set[int] = set()

    def hand_on(number: int, _frame: object) -> None:
        told.add(number)
        try:
            signal.pidfd_send_signal(child, number)
        except OSError:
            return  # it has ended: the line says so too

    for number in HANDED_ON:
        signal.signal(number, hand_on)
    signal.signal(signal.SIGTSTP, signal.SIG_IGN)
    line.settimeout(None)
    try:
        line.send(GO)
        said = _wait_for_end(line)
    except OSError:
        said = b""
    if said is None:
        return HANGUP_CODE
    if said:
        return int(said)
    _mend(before)
    if signal.SIGTERM in told:
        return TERM_CODE
    _say_it_ended()
    return KILL_CODE


def _wait_for_end(line: socket.socket) -> bytes | None:
    """The session's last word; empty when it ended without one, None when the terminal has gone."""
    poll = select.poll()
    poll.register(line.fileno(), select.POLLIN)
    poll.register(0, 0)
    while True:
        for descriptor, _events in poll.poll():
            if descriptor != 0:
                return line.recv(16)
            return None


def _mend(before: list[object]) -> None:
    """Give the terminal its old modes back: the process that changed them was killed."""
    import termios

    os.set_blocking(2, False)
    try:
        os.write(2, _SANE)
        termios.tcsetattr(0, termios.TCSANOW, before)  # type: ignore[arg-type]  # as tcgetattr gave them
    except (OSError, termios.error):
        return
    finally:
        os.set_blocking(2, True)


def _say_it_ended() -> None:
    from crisisdesk.i18n import _, use_language

    named = next((os.environ[key] for key in ("LC_ALL", "LC_MESSAGES", "LANG") if os.environ.get(key)), "")
    use_language(named[:2])
    words = _("The session was ended from outside. What was typed is kept as a draft: start again to go on.")
    sys.stderr.write(f"crisisdesk: {words}\n")
