"""Send only the cells that changed: over a slow line every byte of a repaint is waited for.

Textual sends a whole widget for one key, colours and all. This remembers what the terminal shows and turns each update
into the shortest way there. `App._display` and the two kinds of update are private to textual 8.2; a test through a
real terminal holds what arrives against what was drawn.
"""

from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import NamedTuple

from rich.cells import cell_len
from rich.color import ColorSystem
from rich.console import Console
from rich.style import Style
from textual._compositor import ChopsUpdate, CompositorUpdate, LayoutUpdate
from textual.strip import Strip

from crisisdesk.ui.glyphs import Hand

_BRIDGE = 6
"""Up to so many unchanged cells are sent again, because moving the cursor over them costs more."""


class Look(NamedTuple):
    """How a cell is drawn, as the numbers of an SGR sequence."""

    attributes: str
    colour: str
    ground: str


Cell = tuple[str, Look]
PLAIN = Look("", "", "")
_UNKNOWN: Cell = ("", Look("?", "?", "?"))


@lru_cache(4096)
def look_of(style: Style | None, system: ColorSystem, hand: Hand) -> Look:
    """The numbers of a style."""
    if style is None:
        return PLAIN
    colour, ground = hand.colour(style.color, system, False), hand.colour(style.bgcolor, system, True)
    return Look(hand.attributes(style), colour, ground)


class Frame:
    """What one terminal shows."""

    def __init__(self, hand: Hand | None = None) -> None:
        self.hand = hand or Hand()
        self._lines: list[list[Cell | None]] = []
        self._size = (0, 0)

    def forget(self) -> None:
        """Nothing is known of the terminal any more; the next update is sent whole."""
        self._size = (0, 0)

    def fit(self, width: int, height: int) -> None:
        """Another size is another picture."""
        if self._size != (width, height):
            self._size = (width, height)
            self._lines = [[_UNKNOWN] * width for _ in range(height)]

    def change(self, y: int, start: int, cells: Iterable[Cell | None]) -> Iterator[tuple[int, Cell]]:
        """Take cells over; give those that the terminal does not show yet. None: right half of a wide character."""
        line = self._lines[y] if 0 <= y < len(self._lines) else []
        all_again = None in line  # half of a wide character may be overwritten, which blanks its other half
        for x, cell in enumerate(cells, start):
            if x < len(line) and (all_again or line[x] != cell):
                line[x] = cell
                if cell is not None:
                    yield x, cell

    def known(self, y: int, x: int) -> Cell | None:
        """What is in a cell."""
        return self._lines[y][x]


class Diff(CompositorUpdate):
    """An update of Textual's, sent as its difference from what the terminal shows."""

    def __init__(self, update: LayoutUpdate | ChopsUpdate, frame: Frame) -> None:
        self._update, self._frame = update, frame

    def render_segments(self, console: Console) -> str:
        """Sequences for the terminal; the look is plain again at the end."""
        system = console._color_system or ColorSystem.TRUECOLOR
        pen = _Pen(self._frame)
        for y, x, strip in _pieces(self._update):
            for at, cell in self._frame.change(y, x, _cells(strip, system, self._frame.hand)):
                pen.put(y, at, cell)
        return pen.finish()


class Drawn(CompositorUpdate):
    """An update whose sequences are there already."""

    def __init__(self, text: str) -> None:
        self.text = text

    def render_segments(self, console: Console) -> str:
        """Those sequences."""
        return self.text


class _Pen:
    """Writes cells one after the other with the least there is to say between them."""

    def __init__(self, frame: Frame) -> None:
        self._frame = frame
        self._out: list[str] = []
        self._at = (-1, -1)
        self._look = PLAIN

    def put(self, y: int, x: int, cell: Cell) -> None:
        self._move(y, x)
        self._write(cell)
        self._at = (y, x + (cell_len(cell[0]) or 1))

    def finish(self) -> str:
        if self._look != PLAIN:
            self._out.append("\x1b[0m")
        return "".join(self._out)

    def _move(self, y: int, x: int) -> None:
        line, column = self._at
        if (line, column) == (y, x):
            return
        is_near = line == y and 0 < x - column <= _BRIDGE
        between = [self._frame.known(y, at) for at in range(column, x)] if is_near else []
        if between and all(cell is not None and cell[1] == self._look for cell in between):
            self._out.extend(cell[0] for cell in between if cell)
        elif line == y and x > column:
            self._out.append(f"\x1b[{x - column}C")
        else:
            self._out.append(f"\x1b[{y + 1};{x + 1}H")

    def _write(self, cell: Cell) -> None:
        text, look = cell
        if look != self._look:
            self._out.append(f"\x1b[{_turn(self._look, look)}m")
            self._look = look
        self._out.append(text)


@lru_cache(1024)
def _turn(old: Look, new: Look) -> str:
    """The numbers that lead from one look to another."""
    lost = old.attributes != new.attributes or (old.colour and not new.colour) or (old.ground and not new.ground)
    if lost:
        return ";".join(part for part in ("0", *new) if part)
    parts = (new.colour if new.colour != old.colour else "", new.ground if new.ground != old.ground else "")
    return ";".join(part for part in parts if part)


def _pieces(update: LayoutUpdate | ChopsUpdate) -> Iterator[tuple[int, int, Strip]]:
    """The update's strips with their places."""
    if isinstance(update, LayoutUpdate):
        for y, line in enumerate(update.strips, update.region.y):
            x = update.region.x
            for strip in line:
                yield y, x, strip
                x += strip.cell_length
        return
    for y, first, last in update.spans:
        for x, piece in update.chops[y].items():
            if piece is not None and x < last and x + piece.cell_length > first:
                start, end = max(first, x), min(last, x + piece.cell_length)
                yield y, start, piece if (start, end) == (x, x + piece.cell_length) else piece.crop(start - x, end - x)


def _cells(strip: Strip, system: ColorSystem, hand: Hand) -> Iterator[Cell | None]:
    """A strip cell by cell. A mark that combines joins its letter; after a wide one comes None."""
    for text, style, control in strip:
        if control:
            continue
        look = look_of(style, system, hand)
        if text.isascii():
            yield from ((letter, look) for letter in text)
            continue
        for cluster in _clusters(text):
            yield from _one(hand.text(cluster), look)


def _clusters(text: str) -> Iterator[str]:
    cluster = ""
    for letter in text:
        if cluster and cell_len(cluster + letter) == cell_len(cluster):
            cluster += letter
            continue
        if cluster:
            yield cluster
        cluster = letter
    if cluster:
        yield cluster


def _one(cluster: str, look: Look) -> Iterator[Cell | None]:
    if cluster.isascii():
        yield from ((letter, look) for letter in cluster)
    elif width := cell_len(cluster):
        yield cluster, look
        yield from (None for _ in range(width - 1))
