"""Colours: one accent blue, orange for what needs a person, always beside a sign and a word."""

from textual.theme import Theme

# All colours are of the 256-colour cube, so that "256" and "true colour" terminals show the same, in short sequences.
_DARK = Theme(
    name="dark", dark=True, primary="#5fafff", accent="#5fafff", secondary="#5fafff", warning="#ffaf5f",
    error="#ffaf5f", success="#5fafff", foreground="#d0d0d0", background="#121212", surface="#262626",
    panel="#303030", boost="#303030", text_alpha=1.0,
    variables={"field-focus": "#005f87", "text-muted": "#9e9e9e", "text": "#d0d0d0", "rule": "#4e4e4e"},
)  # fmt: skip
_LIGHT = Theme(
    name="light", dark=False, primary="#005faf", accent="#005faf", secondary="#005faf", warning="#af5f00",
    error="#af5f00", success="#005faf", foreground="#121212", background="#ffffff", surface="#e4e4e4",
    panel="#dadada", boost="#dadada", text_alpha=1.0,
    variables={"field-focus": "#afd7ff", "text-muted": "#585858", "text": "#121212", "rule": "#a8a8a8"},
)  # fmt: skip
_CONTRAST = Theme(
    name="contrast", dark=True, primary="#87d7ff", accent="#87d7ff", secondary="#87d7ff", warning="#ffaf00",
    error="#ffaf00", success="#87d7ff", foreground="#ffffff", background="#000000", surface="#303030",
    panel="#303030", boost="#303030", text_alpha=1.0,
    variables={"field-focus": "#0000d7", "text-muted": "#dadada", "text": "#ffffff", "rule": "#ffffff"},
)  # fmt: skip
_BASIC = Theme(
    name="basic", ansi=True, dark=True, primary="ansi_cyan", accent="ansi_cyan", secondary="ansi_cyan",
    warning="ansi_yellow", error="ansi_yellow", success="ansi_cyan", foreground="ansi_default",
    background="ansi_default", surface="ansi_default", panel="ansi_default", boost="ansi_default",
    variables={
        "field-focus": "ansi_blue", "text-muted": "ansi_default", "text": "ansi_default", "rule": "ansi_default",
        "ansi-background": "ansi_black", "ansi-foreground": "ansi_white",
    },
)  # fmt: skip
THEMES = {theme.name: theme for theme in (_DARK, _LIGHT, _CONTRAST, _BASIC)}
DEFAULT = "dark"
