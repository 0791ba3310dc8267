"""The day at a glance: one column of cells for each half hour, its hours below."""

from collections.abc import Sequence

from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget

from crisisdesk.i18n import _

_EIGHTHS = " ▁▂▃▄▅▆▇█"
_BASIC = " .#"
HEIGHT = 3


class HalfHourBars(Widget):
    """Bars three lines high over an axis of hours; the highest one gives the scale, written at its end."""

    DEFAULT_CSS = "HalfHourBars { height: 4; width: 1fr; }"
    bars: reactive[tuple[tuple[str, int], ...]] = reactive(())
    """Wall clock and calls of each half hour."""

    def __init__(self, *, is_basic: bool) -> None:
        super().__init__(id="bars")
        self._glyphs = _BASIC if is_basic else _EIGHTHS

    def render(self) -> Content:
        """Nothing but blanks and axis on a day without calls."""
        most = max((calls for _label, calls in self.bars), default=0)
        lines: list[Content | str] = [
            bar_line([calls for _label, calls in self.bars], most, line, self._glyphs)
            for line in range(HEIGHT - 1, -1, -1)
        ]
        scale = "  " + _("peak: {count} in 30 min").format(count=most)
        text = [Content.assemble((str(line), "$accent")) for line in lines]
        text[0] = Content.assemble(text[0], (scale, "$text-muted"))
        return Content("\n").join([*text, Content.styled(axis([label for label, _calls in self.bars]), "$text-muted")])


def bar_line(values: Sequence[int], most: int, line: int, glyphs: str = _EIGHTHS) -> str:
    """One of `HEIGHT` lines of the bars, 0 the lowest; a value above 0 always shows."""
    steps = len(glyphs) - 1
    cells = []
    for value in values:
        level = max(1, round(value / most * HEIGHT * steps)) if value else 0
        cells.append(glyphs[min(steps, max(0, level - line * steps))])
    return "".join(cells)


def axis(labels: Sequence[str]) -> str:
    """Every third hour under its first half hour: "00    03    06"."""
    marks = [" "] * (len(labels) + 2)
    for place, label in enumerate(labels):
        if label[3:5] == "00" and label[:2].isdecimal() and int(label[:2]) % 3 == 0:
            marks[place : place + 2] = label[:2]
    return "".join(marks)
