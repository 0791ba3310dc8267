"""What one key and one screen cost on the wire, through a real sshd, with compression (ours) and without (the floor).

Bytes that TCP carries from the server, counted by a proxy: the text after encryption, without the packets' headers.
"""

import os
import select
import socket
import sys
import threading
from collections.abc import Iterable
from pathlib import Path
from statistics import median

from harness import Result

TESTS = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS), str(TESTS / "terminal")]
os.environ["CRISISDESK_ALLOW_ROOT"] = "1"


class Meter:
    """A proxy in front of a port that counts what comes back."""

    def __init__(self, port: int) -> None:
        self.back = 0
        self._to, self._door = port, socket.create_server(("127.0.0.1", 0))
        self.port = self._door.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        near, _address = self._door.accept()
        far = socket.create_connection(("127.0.0.1", self._to))
        pairs = {near: far, far: near}
        while True:
            for one in select.select(list(pairs), [], [])[0]:
                data = one.recv(65536)
                if not data:
                    near.close(), far.close()
                    return
                self.back += len(data) if one is far else 0
                pairs[one].sendall(data)


def run(folder: Path, runs: int) -> Iterable[Result]:
    """Nothing where no sshd can be started."""
    from sshd_rig import DeskOverSsh, why_not

    if reason := why_not():
        print(f"wire: skipped, {reason}", file=sys.stderr)
        return
    desk = make_desk(folder)
    found = {}
    for compression in (True, False):
        with DeskOverSsh("sudo", desk, ["amelie"], compression=compression) as rig:
            found[compression] = one_session(rig, min(runs, 15))
    names = ("sign-in to the first screen", "one key in a field", "one screen opened")
    for name, ours, floor, target in zip(names, found[True], found[False], (0.7, 0.6, 0.4), strict=True):
        yield Result(f"wire: {name}", ours, floor, target, min(runs, 15), "B")


def make_desk(folder: Path) -> Path:
    from crisisdesk.desk.reference import data_folder, init_desk
    from moments import DESK_NOW

    path = folder / "wire.desk"
    init_desk(path, data_folder(), admin_login="chef", now=DESK_NOW)
    path.chmod(0o600)
    return path


def one_session(rig: "DeskOverSsh", runs: int) -> tuple[float, float, float]:  # noqa: F821
    """Bytes of the first screen, the median of a key in a field, the median of a screen (F2 and back)."""
    from terminal import Terminal

    meter = Meter(rig.port)
    arguments, program = rig.session("amelie", port=meter.port)
    with Terminal(arguments, program=program) as screen:
        screen.see("F8")
        screen.read(2)
        first = meter.back
        screens, keys = [], []
        for _round in range(runs):
            screens.append(cost(meter, screen, b"\x1bOQ", 1.5))
            keys += [cost(meter, screen, b"%d" % digit, 0.7) for digit in range(3)]
            screen.type(b"\x1b")
            screen.read(1.0)
    return float(first), median(keys), median(screens)


def cost(meter: Meter, screen: "Terminal", keys: bytes, seconds: float) -> int:  # noqa: F821
    before = meter.back
    screen.type(keys)
    for _part in range(int(seconds / 0.1)):
        screen.read(0.1)
    return meter.back - before
