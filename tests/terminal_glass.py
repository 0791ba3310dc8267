"""Just enough of a terminal to see what a program draws."""

import re

_SEQUENCE = re.compile(
    r"\x1b\[(?P<numbers>[0-?]*)[ -/]*(?P<final>[@-~])|\x1b[\]P][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[ -/]*[0-OQ-Z\\^-~]"
)


class Glass:
    """A screen of plain characters that understands cursor moves, wiping and nothing else."""

    def __init__(self, width: int, height: int) -> None:
        self.lines = [[" "] * width for _ in range(height)]
        self._x, self._y, self._width = 0, 0, width
        self._rest = ""

    def feed(self, text: str) -> None:
        text, at = self._rest + text, 0
        cut = text.rfind("\x1b", max(0, len(text) - 40))
        whole = len(text) if cut < 0 or _SEQUENCE.match(text, cut) else cut
        self._rest = text[whole:]
        while at < whole:
            if found := _SEQUENCE.match(text, at):
                self._control(found)
                at = found.end()
                continue
            self._draw(text[at])
            at += 1

    def _control(self, found: re.Match[str]) -> None:
        numbers = [int(one) for one in (found["numbers"] or "").split(";") if one.isdigit()]
        if found["final"] == "H":
            line, column, *_more = [*numbers, 1, 1]
            self._y, self._x = line - 1, column - 1
        elif found["final"] == "C":
            self._x += numbers[0] if numbers else 1
        elif found["final"] == "J":
            del self.lines[self._y][self._x :]
            self.lines[self._y] += [" "] * (self._width - self._x)
            self.lines[self._y + 1 :] = [[" "] * self._width for _ in self.lines[self._y + 1 :]]

    def _draw(self, letter: str) -> None:
        if letter == "\r":
            self._x = 0
        elif letter == "\n":
            self._y += 1
        elif letter >= " " and self._y < len(self.lines) and self._x < len(self.lines[0]):
            self.lines[self._y][self._x] = letter
            self._x += 1

    @property
    def text(self) -> str:
        return "\n".join("".join(line).rstrip() for line in self.lines)
