"""Texts of rules as an agent reads and types them: weekdays, channels and units in the agent's language.

What is stored, journalled and listed for programs is the same in each language; both are understood.
"""

from collections.abc import Mapping

from crisisdesk.domain.spans import read_span, write_span
from crisisdesk.domain.text import fold
from crisisdesk.domain.words import Channel
from crisisdesk.i18n import N_, _

WEEKDAY_WORDS: Mapping[str, str] = {
    "mon": N_("mon"), "tue": N_("tue"), "wed": N_("wed"), "thu": N_("thu"), "fri": N_("fri"), "sat": N_("sat"),
    "sun": N_("sun"),
}  # fmt: skip
CHANNEL_WORDS: Mapping[str, str] = {
    Channel.LETTER: N_("letter"),
    Channel.GP: N_("gp"),
    Channel.NEXT_OF_KIN: N_("next_of_kin"),
}
_WORDS = {"call_weekdays": WEEKDAY_WORDS, "channels": CHANNEL_WORDS}
_SPANS = ("delay", "channel_wait", "rest", "lease", "undo", "absent")


def shown_text(name: str, text: str) -> str:
    """A stored text of a field in the agent's words: "mon tue" is "lun mar", "10 d" is "10 j"."""
    if name in _WORDS:
        return " ".join(_(_WORDS[name].get(part, part)) for part in text.split())
    count, _blank, unit = text.partition(" ")
    return _("{days} d").format(days=count) if name in _SPANS and unit == "d" else text


def stored_text(name: str, text: str) -> str:
    """What an agent typed, as it is stored; what means nothing stays, for the reader of the field to refuse."""
    if name in _WORDS:
        codes = {fold(_(word)): str(code) for code, word in _WORDS[name].items()}
        return " ".join(codes.get(fold(part), part) for part in text.replace(",", " ").split())
    span = read_span(text) if name in _SPANS else None
    return text if span is None else write_span(span)
