"""The belt under `inert`: the last step before the driver, after all widgets have drawn.

`App._filters` is a private list of textual 8.2; a test through a real terminal says when an upgrade drops it.
It keeps the width of every segment, because layout is over by now.
"""

import re

from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

MARK = "\ufffd"
_UNSAFE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb\U000e0000-\U000e007f]"
)


class UnsafeCharacters(LineFilter):
    """Replace control and direction characters by a visible mark, whichever widget let them through."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """The same segments, harmless."""
        if not any(_UNSAFE.search(segment.text) for segment in segments if not segment.control):
            return segments
        return [
            segment if segment.control else Segment(_UNSAFE.sub(MARK, segment.text), segment.style)
            for segment in segments
        ]
