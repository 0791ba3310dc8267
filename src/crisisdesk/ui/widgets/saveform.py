"""The one field that asks where a file is written; it comes at the lower edge and goes when it was answered."""

from collections.abc import Sequence
from pathlib import Path

from crisisdesk.i18n import _
from crisisdesk.ui.widgets.form import Field, Form


class SaveForm(Form):
    """A name of a file; its ending says which form. Posts `Form.Completed` with id "save"."""

    DEFAULT_CSS = "SaveForm { height: 1; display: none; }"

    def __init__(self, formats: Sequence[str]) -> None:
        """``formats``: the endings that are known, the usual one first."""
        self.formats = tuple(formats)
        words = _("Where it is written; the ending says as what: {endings}.").format(endings=self._endings())
        super().__init__(Field("file", _("File"), max_length=500, help=words), id="save")

    def _endings(self) -> str:
        return ", ".join(f".{form}" for form in self.formats)

    @property
    def is_asking(self) -> bool:
        """Whether it is on the screen."""
        return bool(self.display)

    def ask(self, name: str) -> None:
        """Show it with a name in the home folder."""
        field = self["file"]
        field.value = str(Path.home() / f"{name}.{self.formats[0]}")
        field.cursor_position = len(field.value)
        field.remark("")
        self.display = True
        field.focus()

    def put_away(self) -> None:
        """Take it off the screen."""
        self.display = False

    def answer(self) -> tuple[str, Path] | None:
        """Form and file that were typed; None, and a remark, where the ending is not known."""
        target = Path(self["file"].value.strip()).expanduser()
        form = target.suffix.removeprefix(".").lower()
        if form not in self.formats:
            self["file"].remark(_("{endings}?").format(endings=self._endings()), wrong=True)
            return None
        return form, target
