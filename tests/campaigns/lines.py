"""Between an agent and the desk: a local terminal, or ssh through a proxy that can stop forwarding. One interface.

A way of being cut is a word of `ways`. `cut` does it; the client may live on, frozen or talking to nobody, until
`let_go`.
"""

import os
import selectors
import signal
import socket
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

from terminal import Terminal, desk_command

_OPENING = threading.Lock()
"""A terminal is forked; one at a time, because other threads run."""


class AgentLine(Protocol):
    """How agents reach the desk."""

    ways: Sequence[str]
    """In which a line can be cut."""
    gone_within: float
    """Seconds after a cut in which the server's process has to be gone."""

    def login(self, name: str) -> str:
        """The login at the desk."""

    def open(self, name: str) -> Terminal:
        """Start the client of an agent."""

    def cut(self, terminal: Terminal, way: str) -> None:
        """Cut its line."""

    def let_go(self, terminal: Terminal) -> None:
        """End what is left of the client."""


class LocalLine:
    """The program in a terminal of this machine: client and server are one process."""

    ways = ("killed", "hung up", "stalled")
    gone_within = 15.0

    def __init__(self, desk: Path, program: Sequence[str] = ("-m", "crisisdesk")) -> None:
        """``program``: what Python is told to run."""
        self._desk, self._program = desk, program

    def login(self, name: str) -> str:
        return name

    def open(self, name: str) -> Terminal:
        with _OPENING:
            return Terminal(
                desk_command(self._desk, name), program=self._program, environ={"CRISISDESK_ALLOW_ROOT": "1"}
            )

    def cut(self, terminal: Terminal, way: str) -> None:
        """Stalled: nobody reads the terminal any more; a stopped program is no matter of the line."""
        if way == "killed":
            terminal.process.kill()
        elif way == "hung up":
            terminal.hang_up()
        else:
            threading.Timer(5.0, terminal.hang_up).start()

    def let_go(self, terminal: Terminal) -> None:
        terminal.__exit__(None, None, None)


class SshLine:
    """ssh to a rig with ``session(name, port=)`` and ``login(name)``, each agent through a proxy of his own."""

    ways = ("killed", "frozen", "stalled")
    gone_within = 60.0

    def __init__(self, rig: Any) -> None:
        self._rig = rig
        self._proxies: dict[str, Proxy] = {}
        self._links: dict[Terminal, str] = {}

    def login(self, name: str) -> str:
        return str(self._rig.login(name))

    def open(self, name: str) -> Terminal:
        with _OPENING:
            proxy = self._proxies.setdefault(name, Proxy(self._rig.port))
            arguments, program = self._rig.session(name, port=proxy.port)
            terminal = Terminal(arguments, program=program)
        self._links[terminal] = name
        return terminal

    def cut(self, terminal: Terminal, way: str) -> None:
        """Killed: the client; frozen: it sleeps, its system keeps the connection; stalled: rate 0, both ways."""
        if way == "stalled":
            self._proxies[self._links[terminal]].stall()
        else:
            terminal.process.send_signal(signal.SIGKILL if way == "killed" else signal.SIGSTOP)

    def let_go(self, terminal: Terminal) -> None:
        terminal.__exit__(None, None, None)
        self._links.pop(terminal, None)

    def close(self) -> None:
        """End the proxies."""
        for proxy in self._proxies.values():
            proxy.close()


class Proxy:
    """Forwards connections to a port of this machine, until told to stall those that are open."""

    def __init__(self, target: int) -> None:
        self._target, self._lock = target, threading.Lock()
        self._door = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = int(self._door.getsockname()[1])
        self._selector = selectors.DefaultSelector()
        self._other: dict[socket.socket, socket.socket] = {}
        self._stalled: list[socket.socket] = []
        """Held open and never read again: neither end learns anything."""
        self._wake, self._woken = os.pipe()
        self._selector.register(self._door, selectors.EVENT_READ)
        self._selector.register(self._wake, selectors.EVENT_READ)
        self._over = False
        threading.Thread(target=self._run, daemon=True).start()

    def stall(self) -> None:
        """From now on nothing of the open connections is forwarded; new ones are."""
        with self._lock:
            for one in list(self._other):
                self._selector.unregister(one)
                self._stalled.append(one)
            self._other.clear()

    def close(self) -> None:
        """Close everything."""
        self._over = True
        os.write(self._woken, b"x")

    def _run(self) -> None:
        while not self._over:
            for key, _events in self._selector.select(1.0):
                with self._lock:
                    self._handle(key.fileobj)
        for one in (self._door, *self._other, *self._stalled):
            one.close()

    def _handle(self, ready: Any) -> None:
        if ready is self._door:
            client = self._door.accept()[0]
            server = socket.create_connection(("127.0.0.1", self._target))
            for one, other in ((client, server), (server, client)):
                self._other[one] = other
                self._selector.register(one, selectors.EVENT_READ)
        elif ready in self._other:
            self._forward(ready)

    def _forward(self, one: socket.socket) -> None:
        other = self._other[one]
        try:
            if data := one.recv(65536):
                other.sendall(data)
                return
        except OSError:
            pass
        for end in (one, other):
            self._selector.unregister(end)
            del self._other[end]
            end.close()
