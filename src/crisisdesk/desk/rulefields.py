"""What of a rule may be changed, as texts: how each field is read, what it may hold, how it is written back.

The same texts stand in the fields of the screen, in the options of the command line and in the journal.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import time, timedelta
from typing import Any

from crisisdesk.desk.ruletyping import CHANNEL_WORDS, WEEKDAY_WORDS
from crisisdesk.domain.reference import DeskInfo, Disposition, Reference
from crisisdesk.domain.spans import read_span, write_span
from crisisdesk.domain.words import Channel
from crisisdesk.errors import RuleBroken
from crisisdesk.i18n import N_, _

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
YES, NO = "yes", "no"
LONGEST_LABEL, LONGEST_SHORT = 80, 22


@dataclass(frozen=True, slots=True)
class RuleField:
    """One field of a rule."""

    column: str
    """Of the table."""
    words: str
    """What it is called, through N_."""
    read: Callable[[str], Any]
    """Text -> value of the column; raises RuleBroken."""


def _whole(least: int, most: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not text.isascii() or not text.isdecimal() or not least <= int(text) <= most:
            words = _("'{text}' must be a whole number from {least} to {most}")
            raise RuleBroken(words.format(text=text[:20], least=least, most=most))
        return int(text)

    return read


def _maybe(read: Callable[[str], Any]) -> Callable[[str], Any]:
    return lambda text: read(text) if text else None


def _span(least: timedelta, most: timedelta) -> Callable[[str], int]:
    def read(text: str) -> int:
        span = read_span(text)
        if span is None:
            raise RuleBroken(_("'{text}' is no delay: write it as 15 min, 3 h or 2 d").format(text=text[:20]))
        if not least <= span <= most:
            words = _("'{text}' must be {least} to {most}")
            raise RuleBroken(words.format(text=text[:20], least=write_span(least), most=write_span(most)))
        return int(span.total_seconds())

    return read


def _flag(text: str) -> bool:
    if text not in (YES, NO):
        raise RuleBroken(_("'{text}' must be yes or no").format(text=text[:20]))
    return text == YES


def _channel(text: str) -> str:
    if text and text not in tuple(Channel):
        known = ", ".join(_(word) for word in CHANNEL_WORDS.values())
        raise RuleBroken(_("'{word}' is none of: {words}").format(word=text[:20], words=known))
    return text


def _channels(text: str) -> list[str]:
    return list(dict.fromkeys(_channel(part) for part in text.replace(",", " ").split()))


def _key(text: str) -> str:
    if len(text) != 1 or not (text.isascii() and text.isalnum() and text == text.lower()):
        raise RuleBroken(_("'{key}' must be one small letter or digit").format(key=text[:20]))
    return text


def _hour(text: str) -> time:
    hours, _sign, minutes = text.replace("h", ":").partition(":")
    if not hours.isdecimal() or not (minutes or "0").isdecimal() or int(hours) > 23 or int(minutes or "0") > 59:
        raise RuleBroken(_("'{text}' is no time of day such as 08:00").format(text=text[:20]))
    return time(int(hours), int(minutes or "0"))


def _weekdays(text: str) -> list[int]:
    days = text.replace(",", " ").split()
    for day in days:
        if day not in WEEKDAYS:
            raise RuleBroken(
                _("'{day}' is none of: {words}").format(
                    day=day[:20], words=", ".join(_(word) for word in WEEKDAY_WORDS.values())
                )
            )
    if not days:
        raise RuleBroken(_("on one day of the week at least patients must be rung"))
    return sorted({WEEKDAYS.index(day) for day in days})


_DAY = timedelta(days=1)
DISPOSITION_FIELDS: Mapping[str, RuleField] = {
    "delay": RuleField("delay_seconds", N_("Delay"), _maybe(_span(timedelta(minutes=1), 60 * _DAY))),
    "other_part": RuleField("other_part_of_day", N_("Another part of the day"), _flag),
    "cap": RuleField("cap", N_("At most, a callback"), _maybe(_whole(1, 50))),
    "cap_a_day": RuleField("cap_a_day", N_("At most, a number and day"), _maybe(_whole(1, 50))),
    "channel": RuleField("channel", N_("Before a clinician"), _channel),
    "note": RuleField("needs_note", N_("A note is compulsory"), _flag),
    "key": RuleField("key", N_("Key"), _key),
}
DESK_FIELDS: Mapping[str, RuleField] = {
    "attempts_per_number_a_day": RuleField("attempts_per_number_a_day", N_("Attempts a number and day"), _whole(1, 50)),
    "attempts_in_all": RuleField("attempts_in_all", N_("Attempts in all"), _whole(1, 100)),
    "channels": RuleField("channels", N_("Then, in this order"), _channels),
    "channel_wait": RuleField("channel_wait_seconds", N_("Wait for an answer"), _span(timedelta(0), 90 * _DAY)),
    "rest": RuleField("rest_seconds", N_("Rest after any attempt"), _span(timedelta(0), _DAY)),
    "calls_from": RuleField("calls_from", N_("Rung from"), _hour),
    "calls_until": RuleField("calls_until", N_("Rung until"), _hour),
    "call_weekdays": RuleField("call_weekdays", N_("Rung on"), _weekdays),
    "lease": RuleField("lease_seconds", N_("Held without a key for"), _span(timedelta(minutes=1), timedelta(hours=4))),
    "undo": RuleField("undo_seconds", N_("Taken back within"), _span(timedelta(0), _DAY)),
    "absent": RuleField("absent_seconds", N_("Absent after"), _span(timedelta(minutes=1), _DAY)),
    "idle": RuleField("idle_seconds", N_("Hidden without a key for"), _span(timedelta(minutes=1), timedelta(hours=1))),
    "session": RuleField("session_seconds", N_("Signed in at most"), _span(timedelta(hours=1), _DAY)),
    "release_days_ahead": RuleField("release_days_ahead", N_("Released, days ahead"), _whole(1, 365)),
    "release_reserve_percent": RuleField("release_reserve_percent", N_("Released in reserve, %"), _whole(0, 100)),
    "near_limit_days": RuleField("near_limit_days", N_("Near the limit, days"), _whole(1, 365)),
    "coverage_alarm_percent": RuleField("coverage_alarm_percent", N_("Coverage alarm under, %"), _whole(0, 100)),
}


def disposition_texts(row: Disposition, reference: Reference) -> dict[str, str]:
    """The fields of a disposition as texts, its words by language included ("label.fr", "short.fr")."""
    texts = {
        "delay": write_span(row.delay) if row.delay else "", "other_part": YES if row.other_part_of_day else NO,
        "cap": str(row.cap or ""), "cap_a_day": str(row.cap_a_day or ""), "channel": row.channel or "",
        "note": YES if row.needs_note else NO, "key": row.key,
    }  # fmt: skip
    for language in reference.desk.languages:
        for name, kind in (("label", f"disposition.{row.scope}"), ("short", f"disposition.{row.scope}.short")):
            texts[f"{name}.{language}"] = reference.labels.get((kind, row.code, language), "")
    return texts


def desk_texts(desk: DeskInfo) -> dict[str, str]:
    """The rules of the desk as texts."""
    spans = {
        "channel_wait": desk.channel_wait, "rest": timedelta(seconds=desk.rest_seconds),
        "lease": timedelta(seconds=desk.lease_seconds), "undo": timedelta(seconds=desk.undo_seconds),
        "absent": timedelta(seconds=desk.absent_seconds), "idle": timedelta(seconds=desk.idle_seconds),
        "session": timedelta(seconds=desk.session_seconds),
    }  # fmt: skip
    numbers = (
        "attempts_per_number_a_day", "attempts_in_all", "release_days_ahead", "release_reserve_percent",
        "near_limit_days", "coverage_alarm_percent",
    )  # fmt: skip
    texts = {name: write_span(span) for name, span in spans.items()} | {
        name: str(getattr(desk, name)) for name in numbers
    }
    texts |= {"calls_from": f"{desk.calls_from:%H:%M}", "calls_until": f"{desk.calls_until:%H:%M}"}
    texts["channels"] = " ".join(desk.channels)
    texts["call_weekdays"] = " ".join(WEEKDAYS[day] for day in desk.call_weekdays)
    return {name: texts[name] for name in DESK_FIELDS}
