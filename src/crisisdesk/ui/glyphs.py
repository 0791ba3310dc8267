"""What a terminal can draw: which signs, which looks, how many colours.

The oldest terminals have the signs of code page 437 and bold, underline and reverse; some have no colours. What they
lack is replaced cell by cell as the last step of all, so that no widget can forget it and no layout changes.
"""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from rich.cells import cell_len
from rich.color import Color, ColorSystem, ColorType
from rich.style import Style

_LOOK_ALIKES = str.maketrans(
    {
        "…": ".", "’": "'", "‘": "'", "“": '"', "”": '"', "„": '"', "–": "-", "—": "-", "−": "-", "•": "*", "§": "S",
        "→": ">", "⇒": ">", "▸": ">", "▶": ">", "❯": ">", "←": "<", "◀": "<", "↑": "^", "▲": "^", "↓": "v", "▾": "v",
        "▼": "v", "●": "*", "○": "o", "✓": "+", "✗": "x", "×": "x", "⚠": "!", "☏": "#", "€": "E", "œ": "o", "Œ": "O",
        "\u00a0": " ", "\u202f": " ", "\u2009": " ", "╭": "┌", "╮": "┐", "╰": "└", "╯": "┘", "━": "─", "┃": "│",
        "╴": "─", "╶": "─", "╵": "│", "╷": "│", "▔": "─", "▁": "_", "▂": "_", "▃": "▄", "▅": "▄", "▆": "▄", "▇": "█",
        "▉": "█", "▊": "█", "▋": "▌", "▍": "│", "▎": "│", "▏": "│", "▕": "│", "▌": "│", "´": "'", "¨": '"', "ø": "o",
        "Ø": "O", "ð": "d", "ł": "l", "Ł": "L", "\ufffd": "?",
    }
)  # fmt: skip
_ALL_LOOKS = {"bold": "1", "dim": "2", "italic": "3", "underline": "4", "reverse": "7", "strike": "9"}
_OLD_LOOKS = {name: _ALL_LOOKS[name] for name in ("bold", "underline", "reverse")}


@lru_cache(4096)
def old_glyph(cluster: str) -> str:
    """What the oldest terminals draw for one cell's text (or two cells'), as wide as it was.

    Accented letters that code page 437 has stay; others lose their accent; what has no likeness is a question mark.
    """
    width = cell_len(cluster)
    text = unicodedata.normalize("NFC", cluster).translate(_LOOK_ALIKES)
    if not _is_old(text):
        bare = unicodedata.normalize("NFKD", text).translate(_LOOK_ALIKES)
        text = "".join(sign for sign in bare if _is_old(sign)) or "?"
    return text[:width].ljust(width, "?" if text == "?" else " ")


def _is_old(text: str) -> bool:
    try:
        return text.isprintable() and bool(text.encode("cp437"))
    except UnicodeEncodeError:
        return False


@dataclass(frozen=True)
class Hand:
    """How pictures are drawn on one terminal."""

    is_old: bool = False
    """Only the signs and looks of the oldest terminals."""
    has_colours: bool = True
    """False: bold, underline and reverse say it: a ground of its own is reversed, a colour of its own is bold."""

    @property
    def looks(self) -> Mapping[str, str]:
        """The looks that are drawn, with their numbers."""
        return _OLD_LOOKS if self.is_old else _ALL_LOOKS

    def attributes(self, style: Style) -> str:
        """The numbers of a style's looks, without its colours."""
        wanted = {name for name in self.looks if getattr(style, name)}
        if not self.has_colours and _stands_out(style.bgcolor):
            wanted ^= {"reverse"}
        if not self.has_colours and _stands_out(style.color):
            wanted |= {"bold"}
        return ";".join(number for name, number in self.looks.items() if name in wanted)

    def colour(self, part: Color | None, system: ColorSystem, is_ground: bool) -> str:
        """The numbers of a colour, or nothing."""
        if part is None or not self.has_colours:
            return ""
        return ";".join(part.downgrade(system).get_ansi_codes(foreground=not is_ground))

    def text(self, cluster: str) -> str:
        """What is drawn for a cell's text."""
        return old_glyph(cluster) if self.is_old and not cluster.isascii() else cluster


def _stands_out(part: Color | None) -> bool:
    """A colour that is neither the terminal's own nor black nor white."""
    return part is not None and part.type is not ColorType.DEFAULT and part.number not in {0, 7}
