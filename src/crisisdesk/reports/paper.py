"""A list on A4 paper: numbered lines with a box to tick and room for initials, page n of N, and lines to sign on.

reportlab is imported late: it comes with ``pip install crisisdesk[pdf]``, and everything else works without it.
"""

import io
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from crisisdesk.errors import RuleBroken
from crisisdesk.i18n import _

Block = tuple[str, tuple[tuple[str, ...], ...]]
"""Number of a line, and for each column its paragraphs."""
WIDE, HIGH, EDGE = 841.89, 595.28, 28.0
"""A4 on its side, and its margin, in points."""
SIZE, LEADING, PAD = 7.5, 9.2, 3.0
COLUMNS = (40.0, 158.0, 184.0, 170.0, 181.9, 52.0)
"""Number and box, four columns of text, initials: together what is between the margins."""
TOP, BOTTOM = HIGH - EDGE - 58, EDGE + 26
SIGNING = 66.0
PLAIN, BOLD = "Vera", "VeraBd"


@dataclass(frozen=True)
class Paper:
    """The words around the list."""

    title: str
    lines: Sequence[str]
    advice: str
    footer: Sequence[str]
    signatures: tuple[str, str]


@dataclass(frozen=True)
class _Piece:
    """Part of one line of the list that stands on one page."""

    number: str
    is_first: bool
    columns: Sequence[Sequence[str]]

    @property
    def height(self) -> float:
        lines = max(1, *(len(column) for column in self.columns))
        return max(lines * LEADING, 20.0) + 2 * PAD


def draw_list(paper: Paper, blocks: Sequence[Block], heads: Sequence[str]) -> bytes:
    """The list as a PDF. The same content gives the same bytes.

    Raises:
        RuleBroken: reportlab is not installed.
    """
    try:
        from reportlab.pdfbase import pdfmetrics
        from reportlab.pdfbase.ttfonts import TTFont
        from reportlab.pdfgen.canvas import Canvas
    except ImportError as error:
        words = _("The PDF needs one more package: pip install 'crisisdesk[pdf]'. The CSV needs nothing.")
        raise RuleBroken(words) from error
    for name in (PLAIN, BOLD):
        pdfmetrics.registerFont(TTFont(name, f"{name}.ttf"))
    face = pdfmetrics.getFont(PLAIN).face
    pen = _Pen(None, lambda text: drawable(text, face.charToGlyph), face.charWidths, face.defaultWidth)
    pages = _paginate([piece for block in blocks for piece in _pieces(block, pen)])
    target = io.BytesIO()
    pen.canvas = Canvas(target, pagesize=(WIDE, HIGH), invariant=1, pageCompression=0)
    pen.canvas.setTitle(pen.clean(paper.title))
    for place, page in enumerate(pages, 1):
        _draw_page(pen, paper, heads, page, place, len(pages))
    pen.canvas.save()
    return target.getvalue()


def drawable(text: str, glyphs: Any) -> str:
    """A text with the letters that the font has: others are written in Latin letters, never left out, never a box."""
    out = []
    for letter in unicodedata.normalize("NFC", text):
        out.append(letter if ord(letter) in glyphs else _folded(letter))
    return "".join(out)


def _folded(letter: str) -> str:
    from anyascii import anyascii

    if unicodedata.combining(letter):
        return ""  # a mark on a letter that is written without it
    return anyascii(letter) or ("?" if letter == "\N{REPLACEMENT CHARACTER}" else f"[U+{ord(letter):04X}]")


@dataclass
class _Pen:
    """A canvas and the widths of its letters."""

    canvas: Any
    clean: Callable[[str], str]
    widths: Any
    default: float
    known: dict[str, float] = field(default_factory=dict)
    """Widths of words, in points."""

    def width(self, text: str) -> float:
        if (known := self.known.get(text)) is None:
            known = sum(self.widths.get(ord(letter), self.default) for letter in text) * SIZE / 1000
            self.known[text] = known
        return known

    def wrap(self, text: str, room: float) -> Iterator[str]:
        """Lines of a paragraph; a word that is wider than the column is cut."""
        line, used, blank = "", 0.0, self.width(" ")
        for word in self.clean(text).split(" "):
            if line and used + blank + self.width(word) <= room:
                line, used = f"{line} {word}", used + blank + self.width(word)
                continue
            if line:
                yield line
            while self.width(word) > room:
                cut = next(n for n in range(len(word), 0, -1) if self.width(word[:n]) <= room)
                yield word[:cut]
                word = word[cut:]
            line, used = word, self.width(word)
        if line:
            yield line

    def write(self, x: float, y: float, text: str, *, font: str = PLAIN, size: float = SIZE) -> None:
        self.canvas.setFont(font, size)
        self.canvas.drawString(x, y, self.clean(text))


def _pieces(block: Block, pen: _Pen) -> Iterator[_Piece]:
    """One line of the list; in several pieces where it is longer than a page."""
    number, columns = block
    wrapped = [
        [line for paragraph in column for line in pen.wrap(paragraph, width - 2 * PAD)]
        for column, width in zip(columns, COLUMNS[1:-1], strict=True)
    ]
    most = int((TOP - BOTTOM - 16 - 2 * PAD) // LEADING)
    for start in range(0, max(1, *(len(column) for column in wrapped)), most):
        yield _Piece(number, start == 0, [column[start : start + most] for column in wrapped])


def _paginate(pieces: Sequence[_Piece]) -> list[list[_Piece]]:
    """Pieces page by page; the last page has room to sign on."""
    pages: list[list[_Piece]] = [[]]
    room = TOP - BOTTOM - 16
    for piece in pieces:
        if piece.height > room and pages[-1]:
            pages.append([])
            room = TOP - BOTTOM - 16
        pages[-1].append(piece)
        room -= piece.height
    return pages if room >= SIGNING else [*pages, []]


def _draw_page(pen: _Pen, paper: Paper, heads: Sequence[str], page: Sequence[_Piece], place: int, count: int) -> None:
    pen.write(EDGE, HIGH - EDGE - 12, paper.title, font=BOLD, size=13)
    number = _("page {number}/{count}").format(number=place, count=count)
    pen.write(WIDE - EDGE - pen.width(number) * 9 / SIZE, HIGH - EDGE - 12, number, size=9)
    for line, text in enumerate((*paper.lines, paper.advice)):
        pen.write(EDGE, HIGH - EDGE - 25 - line * 10.5, text, size=8)
    for line, text in enumerate(paper.footer):
        pen.write(EDGE, EDGE + 10 - line * 9, text, size=6.5)
    y = TOP - 10
    for head, x in zip(heads, _edges(), strict=False):
        pen.write(x + PAD, y, head, font=BOLD)
    y -= 6
    pen.canvas.setLineWidth(0.4)
    pen.canvas.line(EDGE, y, WIDE - EDGE, y)
    for piece in page:
        _draw_piece(pen, piece, y)
        y -= piece.height
    if place == count:
        _draw_signatures(pen, paper, y)
    pen.canvas.showPage()


def _edges() -> list[float]:
    edges = [EDGE]
    for width in COLUMNS:
        edges.append(edges[-1] + width)
    return edges


def _draw_piece(pen: _Pen, piece: _Piece, top: float) -> None:
    edges, bottom = _edges(), top - piece.height
    first = top - PAD - SIZE
    pen.write(EDGE, first, piece.number if piece.is_first else f"{piece.number} …", font=BOLD)
    if piece.is_first:
        pen.canvas.rect(EDGE + 26, first - 2, 10, 10)
        pen.canvas.rect(edges[5] + PAD, top - PAD - 18, COLUMNS[5] - 2 * PAD, 17)
    for place, (column, x) in enumerate(zip(piece.columns, edges[1:], strict=False)):
        for line, text in enumerate(column):
            is_name = place == 0 and line == 0 and piece.is_first
            pen.write(x + PAD, first - line * LEADING, text, font=BOLD if is_name else PLAIN)
    pen.canvas.line(EDGE, bottom, WIDE - EDGE, bottom)


def _draw_signatures(pen: _Pen, paper: Paper, y: float) -> None:
    half = (WIDE - 2 * EDGE) / 2
    for place, words in enumerate(paper.signatures):
        x = EDGE + place * half
        pen.write(x, y - 20, words, font=BOLD)
        pen.write(x, y - 34, _("Name, date, hour, signature"))
        pen.canvas.line(x, y - 60, x + half - 24, y - 60)
