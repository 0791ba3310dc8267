"""Names of keys as people read them, and keys that every keyboard of the house has.

On a French or Belgian keyboard the digits need Shift: the unshifted sign of the same key does the same. The quotation
mark is left out, because Shift+F4 of some terminals arrives as one.
"""

from collections.abc import Sequence

from textual.binding import Binding

from crisisdesk.i18n import N_, _

_AZERTY = {
    "1": "ampersand", "2": "é", "4": "apostrophe", "5": "left_parenthesis", "6": "section_sign", "7": "è",
    "8": "exclamation_mark", "9": "ç", "0": "à",
}  # fmt: skip
_NAMES = {
    "enter": N_("Enter"), "escape": N_("Esc"), "tab": N_("Tab"), "shift+tab": N_("Shift+Tab"), "space": N_("Space"),
    "up": "↑", "down": "↓", "left": "←", "right": "→", "pageup": N_("PgUp"), "pagedown": N_("PgDn"),
    "home": N_("Home"), "end": N_("End"), "delete": N_("Del"), "backspace": N_("Backspace"),
    "question_mark": "?", "slash": "/", "colon": ":", "plus": "+", "minus": "-", "full_stop": ".", "comma": ",",
}  # fmt: skip


def key_name(key: str) -> str:
    """A key as it is printed on it: "F9", "^S", "Esc"."""
    if known := _NAMES.get(key):
        return _(known)
    if key.startswith("ctrl+"):
        return "^" + key.removeprefix("ctrl+").upper()
    return key.upper() if len(key) > 1 and key[0] == "f" and key[1:].isdigit() else key


def digit_keys(digit: int) -> str:
    """Both keys of a digit, for a `Binding`: "1,ampersand"."""
    text = str(digit)
    return f"{text},{_AZERTY[text]}" if text in _AZERTY else text


def digit_of(key: str) -> int | None:
    """The digit that a key stands for on either kind of keyboard, from 1 to 9; None for another key."""
    return next((number for number in range(1, 10) if key in digit_keys(number).split(",")), None)


def digit_bindings(action: str, count: int = 9) -> Sequence[Binding]:
    """Hidden bindings ``action(1)`` .. ``action(count)`` on the digits of both kinds of keyboard."""
    return [Binding(digit_keys(number), f"{action}({number})", show=False) for number in range(1, count + 1)]
