"""The coded lists: why people call, who calls, how a call ends, signs of danger, limits, and the names of columns."""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

from crisisdesk.desk.reference_data.folder import Folder, Keys
from crisisdesk.desk.reference_data.source import Entry, label_rows
from crisisdesk.domain.words import Channel, Coverage, NextStep, Priority, Reach, Scope, ServiceKind, WayOut
from crisisdesk.i18n import _

UNCODED = "uncoded"
WORDS_FOR: Mapping[str, tuple[str, ...]] = {
    "way_out": tuple(WayOut), "service_kind": tuple(ServiceKind), "language": (),
}  # fmt: skip


def read_topics(folder: Folder) -> None:
    source = folder.open("topics.toml")
    keys = Keys()
    for entry in source.tables():
        code = entry.code
        folder.add(
            "topic",
            code=code,
            key=keys.take(entry),
            concerns_postponement=entry.flag("concerns_postponement", default=None),
        )
        folder.add_labels(entry, "topic", code)
        entry.finish()


def read_caller_kinds(folder: Folder) -> None:
    source = folder.open("caller_kinds.toml")
    keys = Keys()
    for entry in source.tables():
        code = entry.code
        is_patient, asks = entry.flag("is_patient"), entry.flag("asks_relation")
        folder.add("caller_kind", code=code, key=keys.take(entry), is_patient=is_patient, asks_relation=asks)
        folder.add_labels(entry, "caller_kind", code)
        entry.finish()


def read_dispositions(folder: Folder) -> None:
    source = folder.open("dispositions.toml")
    for stray in set(source.values) - set(Scope):
        source.blame((stray,), _("must be under [inbound.*], [attempt.*] or [item.*]"))
    for scope in Scope:
        keys = Keys()
        found = [_disposition(folder, scope, entry, keys) for entry in source.tables(scope)]
        if not any(row["is_final"] for row in found):
            source.blame((scope,), _("[{scope}.*] needs at least one final disposition").format(scope=scope))


def _disposition(folder: Folder, scope: Scope, entry: Entry, keys: "Keys") -> dict[str, Any]:
    delay = entry.delay("delay")
    coverage = entry.values.get("coverage") and entry.choice("coverage", Coverage, "")
    row = {
        "scope": str(scope), "code": entry.code, "key": keys.take(entry), "is_final": entry.flag("final"),
        "reach": entry.choice("reach", Reach), "next_step": entry.choice("next_step", NextStep),
        "delay_seconds": int(delay.total_seconds()) if delay else None,
        "other_part_of_day": entry.flag("other_part_of_day"), "cap": entry.whole("cap", None, least=1),
        "coverage": coverage or None, "needs_note": entry.flag("note"), "needs_clinician": entry.flag("clinician"),
        "is_quick": entry.flag("quick"), "makes_callback": entry.flag("callback"),
        "cap_a_day": entry.whole("cap_a_day", None, least=1), "needs_permission": entry.flag("permission"),
        "channel": str((entry.values.get("channel") and entry.choice("channel", Channel, "")) or ""),
    }  # fmt: skip
    for key, why in contradictions(row):
        entry.blame(key, why)
    folder.add("disposition", **row)
    folder.add_labels(entry, f"disposition.{scope}", str(row["code"]))
    if short := entry.get("short", dict, {}):
        kind = f"disposition.{scope}.short"
        folder.rows["label"] += label_rows(entry, "short", short, kind, str(row["code"]), folder.languages)
    entry.finish()
    return row


def contradictions(row: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What a disposition (columns of its table) cannot be at once: the field that is wrong, and why."""
    if row["is_final"] and row["next_step"] != NextStep.CLOSE:
        yield "next_step", _("a final disposition must lead to 'close'")
    if row["next_step"] == NextStep.CLOSE and not row["is_final"]:
        yield "final", _("what leads to 'close' must be final: nothing more is owed")
    if row["scope"] == Scope.ATTEMPT and row["is_final"] and row["reach"] == Reach.NOBODY:
        yield "final", _("an attempt that reached nobody closes nothing")
    if row["next_step"] == NextStep.RETRY and row["delay_seconds"] is None:
        yield "delay", _("is missing: 'retry' needs to know when")
    if row["channel"] and row["next_step"] != NextStep.REVIEW:
        yield "channel", _("is for what leads to 'review' only")
    if row["scope"] != Scope.INBOUND and (row["is_quick"] or row["makes_callback"]):
        yield "quick" if row["is_quick"] else "callback", _("is for calls that come in only")


def read_red_flags(folder: Folder) -> None:
    source = folder.open("red_flags.toml")
    keys = Keys()
    for entry in source.tables():
        code = entry.code
        way_out, signed_off_by = entry.choice("way_out", WayOut), entry.text("signed_off_by", "")
        folder.add("red_flag", code=code, key=keys.take(entry), way_out=way_out, signed_off_by=signed_off_by)
        folder.add_labels(entry, "red_flag", code)
        entry.finish()


def read_priorities(folder: Folder) -> None:
    source = folder.open("priorities.toml")
    known = [str(priority) for priority in Priority]
    for entry in source.tables():
        code = str(entry.where[-1])
        if code not in (*known, UNCODED):
            entry.blame("", _("'{word}' is none of: {words}").format(word=code, words=", ".join([*known, UNCODED])))
        limit = timedelta(hours=entry.whole("limit_hours", 0), days=entry.whole("limit_days", 0))
        if not limit:
            entry.blame("", _("needs limit_hours or limit_days of at least 1"))
        folder.add("priority_limit", code=code, limit_seconds=int(limit.total_seconds()))
        folder.add_labels(entry, "priority", code)
        entry.finish()
    for code in (*known[:5], UNCODED):
        if code not in source.values:
            source.blame((), _("needs a table [{code}]").format(code=code))


def read_limits(folder: Folder) -> None:
    """What a day of a service takes only so many of; a desk may do without."""
    source = folder.open("limits.toml")
    for entry in source.tables():
        code = entry.code
        folder.add("capacity_limit", code=code, words=entry.texts("words", []))
        folder.add_labels(entry, "capacity_limit", code)
        entry.finish()


def read_labels(folder: Folder) -> None:
    """Words for the closed lists of the program; each word of them needs some."""
    source = folder.open("labels.toml")
    for entry in source.tables():
        kind = str(entry.where[-1])
        if kind not in WORDS_FOR:
            entry.blame("", _("'{word}' is none of: {words}").format(word=kind, words=", ".join(WORDS_FOR)))
        for code, words in entry.values.items():
            if isinstance(words, dict):
                folder.rows["label"] += label_rows(entry, code, words, kind, code, folder.languages)
            else:
                entry.blame(code, _("must be words by language: {example}").format(example='{ fr = "..." }'))
    for kind, codes in WORDS_FOR.items():
        for code in (*codes, *(folder.languages if kind == "language" else ())):
            if code not in source.values.get(kind, {}):
                source.blame((kind,), _("[{kind}] needs words for '{code}'").format(kind=kind, code=code))


def read_columns(folder: Folder) -> None:
    """Names of columns in lists: ``field = [names]``, or ``[field]`` with names by language."""
    source = folder.open("columns.toml")
    for name, value in source.values.items():
        groups = value.values() if isinstance(value, dict) else [value]
        if not all(isinstance(group, list) and all(isinstance(text, str) for text in group) for group in groups):
            source.blame((name,), _("must be a list of texts, or such lists by language"))
            continue
        for text in dict.fromkeys(text for group in groups for text in group):
            folder.add("column_name", field=name, name=text)


def read_proof_words(folder: Folder) -> None:
    """Words that a caller is given to prove himself next time, by language; a desk may do without."""
    source = folder.open("proof_words.toml")
    for language, words in source.values.get("words", {}).items():
        if not isinstance(words, list) or not all(isinstance(word, str) and word.strip() for word in words):
            source.blame(("words", language), _("must be a list of texts"))
            continue
        for number, word in enumerate(words, start=1):
            row = {"kind": "proof_word", "code": f"{number:03}", "language": language, "words": word.strip()}
            folder.rows["label"].append(row)
