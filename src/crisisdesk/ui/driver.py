"""The terminal driver: as Textual's, but for what comes in (see `keyboard`) and what an old terminal would print.

Textual asks the terminal two questions at the start. The oldest answer neither, and some show a letter of the question.
The picture is wiped at the end: some have no second screen (GNU screen as it comes), and patients stay on no glass.
"""

import os
import select
import time

from textual.drivers.linux_driver import LinuxDriver

from crisisdesk.ui.keyboard import Keyboard, Refused

_READ = 65_536
_SENTENCE_FIRST = 0.15
_UNSENT = ("\x1b[<u", "\x1b]22;")
"""Ends of a key protocol that is never begun, shapes of a mouse that is not used; old terminals print them."""


class DeskDriver(LinuxDriver):
    """Keys in, pictures out."""

    is_old = False
    """The terminal is one of the oldest."""

    def run_input_thread(self) -> None:
        """Hand what is typed to the application until it ends. At the end of the line the watchdog takes over."""
        keyboard, is_open = Keyboard(), True
        while not self.exit_event.is_set():
            data = b""
            if not is_open:
                self.exit_event.wait(0.1)
            elif select.select([self.fileno], [], [], keyboard.wait())[0]:
                data = _read(self.fileno)
                is_open = bool(data)
            for message in keyboard.take(data, time.monotonic()):
                self.process_message(message)
                if isinstance(message, Refused):  # the sentence first: whoever pours in more has to wait
                    self.exit_event.wait(_SENTENCE_FIRST)

    def write(self, data: str) -> None:
        """Send."""
        if not data.startswith(_UNSENT):
            super().write(data)

    def stop_application_mode(self) -> None:
        """Wipe the picture and give the terminal back."""
        self.write("\x1b[0m\x1b[H\x1b[J")
        super().stop_application_mode()

    def _request_terminal_sync_mode_support(self) -> None:
        if not self.is_old:
            super()._request_terminal_sync_mode_support()

    def _query_in_band_window_resize(self) -> None:
        """Never: it is of use for smooth scrolling only."""


class OldTerminalDriver(DeskDriver):
    """For a terminal of the oldest kind."""

    is_old = True


def _read(fileno: int) -> bytes:
    try:
        return os.read(fileno, _READ)
    except OSError:  # the other end is gone
        return b""
