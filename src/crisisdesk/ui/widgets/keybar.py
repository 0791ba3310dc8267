"""The bottom line: the keys that matter now, read from the bindings themselves."""

from collections.abc import Iterator
from typing import Any

from textual.app import App
from textual.binding import ActiveBinding, Binding
from textual.containers import ScrollableContainer
from textual.content import Content
from textual.screen import Screen
from textual.scroll_view import ScrollView
from textual.widgets import Input

from crisisdesk.i18n import _
from crisisdesk.ui.keys import key_name
from crisisdesk.ui.widgets.line import Line

_FRAMEWORK = {
    binding.action
    for kind in (App, Screen, Input, ScrollableContainer, ScrollView)
    for binding in Binding.make_bindings(kind.__dict__.get("BINDINGS", ()))
}
"""What Textual binds by itself: editing and scrolling, with English words. It works, and is not spoken of."""


def live_bindings(screen: Screen[Any]) -> Iterator[ActiveBinding]:
    """Bindings of this program that work at this moment and have words, nearest to the focus first, one an action."""
    seen = set(_FRAMEWORK)
    for active in screen.active_bindings.values():
        binding = active.binding
        if active.enabled and binding.description and binding.action not in seen:
            seen.add(binding.action)
            yield active


class KeyBar(Line):
    """As many keys as fit, help always last."""

    def __init__(self) -> None:
        super().__init__(id="keys")

    def on_mount(self) -> None:
        """Follow the focus: other keys matter in another field."""
        self.screen.bindings_updated_signal.subscribe(self, self._update)
        self._update(self.screen)

    def on_resize(self) -> None:
        """More or fewer keys fit."""
        self._update(self.screen)

    def _update(self, screen: Screen[Any]) -> None:
        shown = [active.binding for active in live_bindings(screen) if active.binding.show]
        help_key = [binding for binding in shown if binding.action.endswith("help")]
        self.right = self._one(help_key[0]) if help_key else Content("")
        room = self.size.width - self.right.cell_length - 2
        left = Content("")
        for binding in shown:
            more = Content("  ") + self._one(binding) if left else self._one(binding)
            if binding not in help_key and left.cell_length + more.cell_length <= room:
                left += more
        self.left = left

    @staticmethod
    def _one(binding: Binding) -> Content:
        words = _(binding.description)
        return Content.assemble((binding.key_display or key_name(binding.key), "bold $accent"), " ", words)
