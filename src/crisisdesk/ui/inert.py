"""Foreign text on the screen: whatever a caller, a file or another agent wrote is shown as plain characters.

Textual reads ``[...]`` as markup in most widgets and lets control characters through to the terminal in all of them.
Everything that did not come from this program's own source passes through `inert`; a test forbids anything else.
"""

from textual.content import Content

from crisisdesk.domain.text import inert_text

MAX_CELLS = 200
"""What is shown of one text: a cell of a megabyte would take seconds to lay out."""


def inert_line(text: object, width: int = MAX_CELLS) -> str:
    """Foreign text as one harmless line of at most ``width`` characters; "…" says that there is more."""
    return inert_text(str(text), width=width)


def inert(text: object, width: int = MAX_CELLS, tone: str = "") -> Content:
    """Foreign text for a widget: no markup, no control, bidirectional or invisible characters, no links.

    Args:
        text: anything; None is an empty text.
        width: characters shown at most.
        tone: a style of this program's own ("$accent", "bold"); never taken from data.
    """
    plain = "" if text is None else inert_line(text, width)
    return Content.styled(plain, tone) if tone else Content(plain)
