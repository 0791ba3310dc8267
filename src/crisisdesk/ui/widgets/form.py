"""One-line fields: label to the left, value, a remark to the right. Made to be filled without looking.

A field is a single widget and a single line, so that a key costs a line of the terminal and a form of fifteen fields
fits 80x24. Enter and Tab go on, Shift+Tab and the arrows go back and on, F4 lists what a field may hold.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from rich.segment import Segment
from textual import events
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import Reactive, reactive
from textual.strip import Strip
from textual.widget import Widget
from textual.widgets import Input

from crisisdesk.domain.text import clean
from crisisdesk.i18n import N_, _
from crisisdesk.ui.inert import inert_line
from crisisdesk.ui.widgets.choices import Choice, ChoiceScreen, find_choices
from crisisdesk.ui.widgets.frame import DeskScreen

if TYPE_CHECKING:
    from crisisdesk.ui.autosave import Autosave

PASTE_LIMIT = 4096
"""Characters: more than this into one field is a mistake, and is refused rather than cut."""


class Field(Input):
    """A labelled field of one line."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,tab", "go_on", N_("next field"), priority=True, show=False),
        Binding("down", "go_down", show=False, priority=True),
        Binding("shift+tab,up", "go_back", N_("field before"), priority=True, show=False),
    ]
    COMPONENT_CLASSES: ClassVar[set[str]] = {"field--label", "field--hint", "field--warn"}
    DEFAULT_CSS = """
    Field, Field.-textual-compact { height: 1; border: none; padding: 0; background: $surface;
        & > .field--label { color: $text-muted; background: $background; }
        & > .field--hint { color: $text-muted; background: $background; }
        & > .field--warn { color: $warning; text-style: bold; background: $background; }
        &:ansi { text-style: underline;
            & > .field--label, & > .field--hint { text-style: not underline; }
            & > .field--warn { text-style: bold not underline; }
        }
        & > .input--cursor { text-style: reverse; color: $foreground; background: $field-focus; }
        &:focus { border: none; background: $field-focus; background-tint: transparent;
            & > .field--label { color: $accent; text-style: bold not underline; }
        }
    }
    """
    hint: reactive[str] = reactive("")
    is_wrong: reactive[bool] = reactive(False)
    label_width: reactive[int] = reactive(0)
    # An input of one line never changes the layout, however long its text: Textual would lay out all again at each key.
    virtual_size = Reactive(Size(0, 0), layout=False)

    def __init__(
        self,
        name: str,
        label: str,
        *,
        value: str = "",
        width: int = 0,
        max_length: int = 200,
        help: str = "",  # noqa: A002
        is_replaced: bool = False,
    ) -> None:
        """Make a field.

        Args:
            name: its name in `Form.values`; also its id.
            label: in the agent's language.
            width: cells of the value, the rest being for the remark; 0: all there is.
            max_length: characters that are taken; more is refused and said.
            help: what F1 says about it, in the agent's language.
            is_replaced: the first letter typed takes the place of what stands in it; an arrow key keeps it.
        """
        super().__init__(value, max_length=max_length, select_on_focus=is_replaced, compact=True, id=name)
        self.cursor_blink = False
        self.label, self.wanted_width, self.help = label, width, help
        self._drawn: tuple[tuple[object, ...], Strip] | None = None
        self.set_reactive(Field.label_width, len(label))
        self.cursor_position = len(value)

    @property
    def key(self) -> str:
        """The field's name in its form."""
        return self.id or ""

    def remark(self, text: str, wrong: bool = False) -> None:
        """Say something to the right of the value; ``wrong`` also marks it as needing a person."""
        self.is_wrong, self.hint = wrong, text  # in this order: the room for the remark depends on both

    @property
    def remark_now(self) -> str:
        """The words to the right of the value at this moment."""
        return self.hint

    def action_go_on(self) -> None:
        """To the next field; past the last one the form is told."""
        form = next((node for node in self.ancestors if isinstance(node, Form)), None)
        if form is not None and form.is_last(self):
            form.post_message(Form.Completed(form))
        else:
            self.screen.focus_next()

    def action_go_down(self) -> None:
        """To the next field; an arrow never sends what was typed."""
        form = next((node for node in self.ancestors if isinstance(node, Form)), None)
        if form is None or not form.is_last(self):
            self.screen.focus_next()

    def action_go_back(self) -> None:
        """To the field before."""
        self.screen.focus_previous()

    def on_key(self, event: events.Key) -> None:
        """A key that no longer fits is said, not swallowed."""
        is_full = self.selection.is_empty and self.max_length and len(self.value) >= self.max_length
        if event.is_printable and is_full:
            self._tell(_("{field}: at most {count} characters").format(field=self.label, count=self.max_length))

    def on_paste(self, event: events.Paste) -> None:
        """Take one short line; refuse the rest whole, so that nothing is cut without a word."""
        event.stop()
        event.prevent_default()
        text = event.text.strip("\r\n")
        start, end = sorted(self.selection)
        room = (self.max_length or PASTE_LIMIT) - len(self.value) + end - start
        if len(text) > PASTE_LIMIT or "\n" in text or "\r" in text:
            self._tell(_("{field}: only one line can be pasted here. Nothing was taken.").format(field=self.label))
        elif len(text) > room:
            self._tell(_("{field}: at most {count} characters. Nothing was taken.").format(
                field=self.label, count=self.max_length))  # fmt: skip
        else:
            self.replace(clean(text).text, start, end)

    def on_resize(self) -> None:
        """Share the line out anew."""
        self._share_out()

    def watch_hint(self) -> None:
        """A longer remark takes room from the value."""
        self._share_out()

    def watch_label_width(self) -> None:
        """Labels of one column have the same width."""
        self._share_out()

    def render_lines(self, crop: Region) -> list[Strip]:
        """The input as Textual draws it, between label and remark."""
        left, right = self.styles.padding.left, self.styles.padding.right
        whole = self.outer_size.width
        body = super().render_lines(Region(0, 0, whole, 1))
        if not body or not left:
            return body
        key = (body[0], left, right, self.has_focus, self.remark_now, self.is_wrong, self.app.theme)
        if self._drawn is None or self._drawn[0] != key:
            parts = [self._label_strip(left), body[0].crop(left, whole - right), self._hint_strip(right)]
            self._drawn = (key, Strip.join(parts))
        return [self._drawn[1].crop(crop.x, crop.right)]

    def _label_strip(self, width: int) -> Strip:
        style = self.get_component_rich_style("field--label")
        text = ("▌" if self.has_focus else " ") + self.label
        return Strip([Segment(text, style)]).adjust_cell_length(width, style)

    def _hint_strip(self, width: int) -> Strip:
        style = self.get_component_rich_style("field--warn" if self.is_wrong else "field--hint")
        sign = "⚠ " if self.is_wrong else ""
        return Strip([Segment(" " + sign + inert_line(self.remark_now), style)]).adjust_cell_length(width, style)

    def _share_out(self) -> None:
        whole = self.outer_size.width
        if not whole:
            return
        left = self.label_width + 2
        hint = len(self.remark_now) + (4 if self.is_wrong else 2) if self.remark_now else 0
        right = whole - left - self.wanted_width if self.wanted_width else min(hint, (whole - left) // 2)
        padding = (0, max(0, right), 0, left)
        if tuple(self.styles.padding) != padding:
            self.styles.padding = padding
        self.refresh()

    def _tell(self, text: str) -> None:
        if isinstance(self.screen, DeskScreen):
            self.screen.warn(text)


class ChoiceField(Field):
    """A field that takes one of a few things: by letter or digit, by code, by first letters, or from the list (F4).

    What is typed is only read, never guessed at: where two choices fit, the remark names them and `code` is None. What
    stands in it when it is reached is replaced by the first letter typed; `Form.refuses_unclear` keeps a text that
    means nothing from being read as an empty field.
    """

    BINDINGS: ClassVar[list[BindingType]] = [Binding("f4", "list", N_("list of choices"), priority=True)]

    def __init__(
        self,
        name: str,
        label: str,
        choices: Sequence[Choice],
        *,
        code: str = "",
        width: int = 0,
        help: str = "",  # noqa: A002
    ) -> None:
        self.choices = tuple(choices)
        value = self._label_of(code)
        super().__init__(name, label, value=value, width=width, max_length=80, help=help, is_replaced=True)

    @property
    def code(self) -> str | None:
        """The code of the one choice that the text means, or None."""
        found = find_choices(self.choices, self.value)
        return found[0].code if len(found) == 1 else None

    @code.setter
    def code(self, code: str | None) -> None:
        self.value = self._label_of(code or "")
        self.cursor_position = len(self.value)

    @property
    def is_unclear(self) -> bool:
        """Something is typed that means nothing, or two things."""
        return bool(self.value.strip()) and self.code is None

    @property
    def remark_now(self) -> str:
        """What the text means; while it is empty and in focus, what may be typed."""
        if self.hint or not (self.has_focus or self.is_unclear):
            return self.hint
        found = find_choices(self.choices, self.value)
        if len(found) == 1:
            return "" if found[0].label == self.value else "= " + found[0].label
        offered = found or (() if self.value.strip() else self.choices)
        return " / ".join(choice.label for choice in offered) or _("not in the list (F4)")

    def set_choices(self, choices: Sequence[Choice]) -> None:
        """Offer other choices; what is typed stays and is read anew."""
        self.choices = tuple(choices)
        self._share_out()

    def action_list(self) -> None:
        """Show all choices."""

        def picked(code: str | None) -> None:
            if code is not None:
                self.code = code

        self.app.push_screen(ChoiceScreen(self.label, self.choices, self.code), picked)

    def watch_value(self) -> None:
        """The remark follows the text."""
        self.is_wrong = self.is_unclear
        self._share_out()

    def on_focus(self) -> None:
        """Say what may be typed."""
        self._share_out()

    def on_blur(self) -> None:
        """Show the choice in full."""
        if (code := self.code) is not None and self.value != self._label_of(code):
            self.code = code
        self._share_out()

    def _label_of(self, code: str) -> str:
        return next((choice.label for choice in self.choices if choice.code == code), "")


class Form(VerticalScroll, can_focus=False):
    """Fields one below the other, labels in one column."""

    DEFAULT_CSS = "Form { height: auto; scrollbar-size-vertical: 1; }"

    @dataclass
    class Completed(Message):
        """Enter or Tab in the last field."""

        form: "Form"

        @property
        def control(self) -> "Form":
            """For ``@on(Form.Completed, "#id")``."""
            return self.form

    def __init__(self, *children: Widget, label_width: int = 0, id: str | None = None) -> None:  # noqa: A002
        """Take fields, and rules or texts between them; ``label_width`` 0: as wide as the longest label."""
        super().__init__(*children, id=id)
        self._fields = [child for child in children if isinstance(child, Field)]
        self.draft: Autosave | None = None
        width = label_width or max((len(field.label) for field in self._fields), default=0)
        for field in self._fields:
            field.set_reactive(Field.label_width, width)

    @property
    def fields(self) -> Sequence[Field]:
        """The fields from top to bottom."""
        return self._fields

    def __getitem__(self, name: str) -> Field:
        """The field of that name."""
        return next(field for field in self._fields if field.key == name)

    def choice(self, name: str) -> ChoiceField:
        """The choice field of that name."""
        field = self[name]
        assert isinstance(field, ChoiceField)
        return field

    def values(self) -> dict[str, str]:
        """What the fields mean: text without outer blanks; for a choice its code, or nothing where it is unclear."""
        return {
            field.key: (field.code or "") if isinstance(field, ChoiceField) else clean(field.value).text
            for field in self._fields
        }

    def refuses_unclear(self) -> bool:
        """Name the first choice whose text means nothing or two things, and go there; True where there is one.

        Ask it before `values` is stored: to `values` an unclear text is an empty one.
        """
        for field in self._fields:
            if isinstance(field, ChoiceField) and field.display and field.is_unclear:
                words = _("{field}: “{typed}” is not in the list (F4).")
                field._tell(words.format(field=field.label, typed=field.value))
                field.focus()
                return True
        return False

    def texts(self) -> dict[str, str]:
        """What stands in the fields, letter by letter, for a draft; empty ones are left out."""
        return {field.key: field.value for field in self._fields if field.value}

    def fill(self, texts: Mapping[str, str]) -> None:
        """Put a draft's texts back; names that the form does not have are left alone."""
        for field in self._fields:
            if field.key in texts:
                field.value = clean(texts[field.key]).text
                field.cursor_position = len(field.value)

    def is_last(self, field: Field) -> bool:
        """No field follows that can be reached."""
        return [one for one in self._fields if one.focusable][-1:] == [field]

    def on_input_changed(self, event: Input.Changed) -> None:
        """Typing starts the second of the draft; the message goes on to the screen."""
        if self.draft and event.input.has_focus:
            self.draft.touched()

    def on_input_blurred(self, event: Input.Blurred) -> None:
        """A field that is left is stored."""
        if self.draft:
            self.draft.save()
