"""What the framework does by itself and a desk must not: pop-ups, pictures, links, clipboards, tracebacks."""

from typing import Any

from textual._compositor import ChopsUpdate, LayoutUpdate
from textual.app import App
from textual.screen import Screen

from crisisdesk.ui.cells import Diff, Drawn, Frame
from crisisdesk.ui.glyphs import Hand
from crisisdesk.ui.linefilter import UnsafeCharacters


class QuietApp(App[int]):
    """An application that tells the terminal nothing but its screens."""

    ENABLE_COMMAND_PALETTE = False
    ALLOW_SELECT = False
    defect: BaseException | None = None
    """What went wrong in this program's own code; the caller of `run` raises it when the terminal is whole."""

    def guard(self, hand: Hand) -> None:
        """Put the line filter in, switch movement off and say how to draw; called once, before the first paint."""
        self._filters.append(UnsafeCharacters())
        self.animation_level = "none"
        self._frame = Frame(hand)

    def _display(self, screen: Screen[Any], renderable: Any) -> None:
        """Send what changed, not what was painted again; nothing at all where nothing did.

        An empty update would still be framed and end with the cursor's place. A list that is read again whenever
        somebody writes would thus send a few bytes each time, and sshd, which asks only silent clients whether they
        live, would never notice that this one is dead.
        """
        if isinstance(renderable, LayoutUpdate | ChopsUpdate) and self._is_drawing:
            self._frame.fit(self.size.width, self.size.height)
            renderable = Drawn(Diff(renderable, self._frame).render_segments(self.console))
            cursor = self.screen.outer_size.clamp_offset(self.cursor_position)
            if not renderable.text and cursor == self._previous_cursor_position:
                return
        super()._display(screen, renderable)

    @property
    def _is_drawing(self) -> bool:
        """The conditions under which Textual sends an update; else the frame would note what nobody has seen."""
        is_open = self._running and not self._closed and not self._batch_count
        return is_open and not self.is_headless and self._driver is not None

    def action_redraw(self) -> None:
        """Paint everything again, after something else has written on the terminal."""
        self._frame.forget()
        self.screen.refresh(layout=True)

    def notify(self, message: str, **_kwargs: Any) -> None:
        """No pop-ups over a field. This program says what it has to say in the message line."""

    def action_help_quit(self) -> None:
        """Ctrl+C does not end the program."""

    def copy_to_clipboard(self, text: str) -> None:
        """Copy inside the program only; nothing is sent to the terminal's clipboard."""
        self._clipboard = text

    def open_url(self, url: str, *, new_tab: bool = True) -> None:
        """Never: it would open on the server."""

    def save_screenshot(self, *_args: Any, **_kwargs: Any) -> str:
        """Never: a picture would hold patients."""
        return ""

    def action_suspend_process(self) -> None:
        """Never: nobody gets a shell from here."""

    def panic(self, *renderables: Any) -> None:
        """End without showing anything of what was on the screen."""
        self._handle_exception(RuntimeError("panic"))

    def _handle_exception(self, error: Exception) -> None:
        """A defect: keep it for the caller of `run`, end, and print nothing: a traceback would show patients."""
        self._return_code = 1
        if self.defect is None:
            self.defect = getattr(error, "error", None) or error
        if self._exception is None:
            self._exception = error
            self._exception_event.set()
        self._close_messages_no_wait()
