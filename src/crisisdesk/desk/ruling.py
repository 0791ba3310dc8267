"""The rules of attempts, read and changed by supervisors: what each disposition leads to, the desk's caps and hours.

A change holds at once, for every process: the version of the rules moves with it, and each attempt looks at it first.
What was dated by the old rule keeps its date.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from crisisdesk.desk.reference_data.codes import contradictions
from crisisdesk.desk.rights import needs
from crisisdesk.desk.rulefields import (
    DESK_FIELDS,
    DISPOSITION_FIELDS,
    LONGEST_LABEL,
    LONGEST_SHORT,
    RuleField,
    desk_texts,
    disposition_texts,
)
from crisisdesk.desk.rules import calendar_for, reference_in, reference_of
from crisisdesk.desk.ruletyping import stored_text
from crisisdesk.desk.rulewords import rule_words
from crisisdesk.desk.wording import follow_up_words
from crisisdesk.domain.reference import Disposition, Reference
from crisisdesk.domain.retry import AttemptFacts, follow_up
from crisisdesk.domain.rights import Right
from crisisdesk.domain.text import clean
from crisisdesk.domain.words import NextStep, Scope
from crisisdesk.errors import RuleBroken
from crisisdesk.i18n import _, current_language, joined
from crisisdesk.store import journal, ruling

if TYPE_CHECKING:
    from crisisdesk.desk.agents import Agent
    from crisisdesk.store.engine import Connection, Store


@dataclass(frozen=True, slots=True)
class RuleRow:
    """One disposition as a rule."""

    scope: Scope
    code: str
    label: str
    leads_to: str
    """The rule in words."""
    ended_now: str
    """What it would lead to if a first attempt ended in this way now: the words of the key."""
    texts: Mapping[str, str]
    """Its fields as `edit_rule` reads them."""


@dataclass(frozen=True, slots=True)
class Rules:
    """All rules of attempts of a desk."""

    rows: Sequence[RuleRow]
    desk: Mapping[str, str]
    """The rules of the desk as `edit_desk_rules` reads them."""
    version: int


def list_rules(store: "Store", scope: Scope | None = None, *, now: datetime) -> Rules:
    """The dispositions of a scope (None: of all) with what each leads to, and the rules of the desk."""
    reference = reference_of(store)
    chosen = [row for row in reference.dispositions.values() if scope in (None, row.scope)]
    rows = [_row(row, reference, now) for row in chosen]
    return Rules(rows, desk_texts(reference.desk), reference.version)


def _row(row: Disposition, reference: Reference, now: datetime) -> RuleRow:
    label = reference.label(f"disposition.{row.scope}", row.code, current_language())
    ended_now = ""
    if row.scope == Scope.ATTEMPT and row.next_step != NextStep.AT_TIME:  # the patient says when
        calendar = calendar_for(reference)
        follow = follow_up(row, AttemptFacts("", [""]), desk=reference.desk, calendar=calendar, now=now)
        ended_now = follow_up_words(follow, reference, now)
    words, texts = rule_words(row, reference.desk), disposition_texts(row, reference)
    return RuleRow(row.scope, row.code, label, words, ended_now, texts)


@needs(Right.RULE)
def edit_rule(
    store: "Store",
    scope: Scope,
    code: str,
    changes: Mapping[str, str],
    *,
    agent: "Agent",
    now: datetime,
    seen: Mapping[str, str] | None = None,
) -> RuleRow:
    """Change fields of a disposition; what is equal to what holds is no change.

    Args:
        changes: names of `rulefields.DISPOSITION_FIELDS`, "label.fr", "short.fr" -> texts; empty takes a value away.
        seen: the texts that the supervisor looked at: what another one changed since is refused, with both values.

    Raises:
        RuleBroken: no supervisor, no such disposition or field, a value that is none, a contradiction, a key that is
            taken, or another supervisor was quicker. All of it is named, and nothing was written.
    """
    with store.write() as connection:
        reference = reference_in(connection, store)
        row = reference.dispositions.get((scope, code))
        if row is None:
            known = ", ".join(one.code for one in reference.dispositions_of(scope))
            raise RuleBroken(_("There is no disposition '{code}'. Known: {known}.").format(code=code, known=known))
        old, subject = disposition_texts(row, reference), f"{scope}.{code}"
        wanted = _wanted(connection, changes, old, seen, subject)
        names = {name: text for name, text in wanted.items() if name in DISPOSITION_FIELDS}
        values = _values(names, DISPOSITION_FIELDS)
        _refuse_contradictions(row, values, reference)
        words = {name: text for name, text in wanted.items() if name not in DISPOSITION_FIELDS}
        _check_words(words, reference)
        if values:
            ruling.change_disposition(connection, scope, code, values)
        _store_words(connection, row, words)
        _tell(connection, subject, old, wanted, agent, now)
    reference = reference_of(store)
    return _row(reference.dispositions[scope, code], reference, now)


@needs(Right.RULE)
def edit_desk_rules(
    store: "Store",
    changes: Mapping[str, str],
    *,
    agent: "Agent",
    now: datetime,
    seen: Mapping[str, str] | None = None,
) -> Mapping[str, str]:
    """Change rules of the desk (names of `rulefields.DESK_FIELDS`); gives all of them as they hold now.

    Raises:
        RuleBroken: as `edit_rule`.
    """
    with store.write() as connection:
        old = desk_texts(reference_in(connection, store).desk)
        wanted = _wanted(connection, changes, old, seen, "desk")
        values = _values(wanted, DESK_FIELDS)
        hours = {**_values({name: old[name] for name in ("calls_from", "calls_until")}, DESK_FIELDS), **values}
        if hours["calls_from"] >= hours["calls_until"]:
            raise RuleBroken(_("The calling hours end before they begin: {hours}.").format(
                hours=f"{hours['calls_from']:%H:%M} - {hours['calls_until']:%H:%M}"))  # fmt: skip
        if values:
            ruling.change_desk(connection, values)
        _tell(connection, "desk", old, wanted, agent, now)
    return desk_texts(reference_of(store).desk)


def _wanted(
    connection: "Connection",
    changes: Mapping[str, str],
    old: Mapping[str, str],
    seen: Mapping[str, str] | None,
    subject: str,
) -> dict[str, str]:
    """What really changes; refused whole where another supervisor has changed one of these fields meanwhile."""
    strange = [name for name in changes if name not in old]
    if strange:
        known = ", ".join(old)
        raise RuleBroken(_("There is no rule '{name}'. Known: {known}.").format(name=strange[0][:40], known=known))
    typed = {name: stored_text(name, clean(text).text) for name, text in changes.items()}
    # Of a form that shows everything, only what its supervisor changed counts.
    wanted = {name: text for name, text in typed.items() if text != (seen or old).get(name, old[name])}
    passed = [name for name in wanted if seen is not None and seen.get(name, old[name]) != old[name]]
    if passed and seen is not None:
        last = next(iter(journal.entries(connection, subject="rule", subject_id=subject, limit=1)), None)
        words = _("{who} changed '{field}' meanwhile from '{seen}' to '{now}'; you typed '{typed}'. Look, then decide.")
        who = last.agent if last else "?"
        raise RuleBroken(joined(
            words.format(who=who, field=name, seen=seen[name], now=old[name], typed=wanted[name]) for name in passed
        ))  # fmt: skip
    return {name: text for name, text in wanted.items() if text != old[name]}


def _values(texts: Mapping[str, str], fields: Mapping[str, RuleField]) -> dict[str, Any]:
    """Columns and values.

    Raises:
        RuleBroken: with all that is wrong at once.
    """
    values, wrong = {}, []
    for name, text in texts.items():
        try:
            values[fields[name].column] = fields[name].read(text)
        except RuleBroken as error:
            wrong.append(_("{field}: {why}").format(field=_(fields[name].words), why=error))
    if wrong:
        raise RuleBroken(joined(wrong))
    return values


def _refuse_contradictions(row: Disposition, values: Mapping[str, Any], reference: Reference) -> None:
    """The same contradictions that a folder of reference data is refused for, and a key that is taken."""
    columns = {
        "scope": row.scope, "is_final": row.is_final, "reach": row.reach, "next_step": row.next_step,
        "delay_seconds": row.delay, "channel": row.channel or "", "is_quick": row.is_quick,
        "makes_callback": row.makes_callback,
    }  # fmt: skip
    wrong = [_("{field}: {why}").format(field=name, why=why) for name, why in contradictions({**columns, **values})]
    if row.scope == Scope.ATTEMPT and str(values.get("key", "")).isdigit():
        wrong.append(_("a digit accepts an offered day on the card: take a letter"))
    for other in reference.dispositions_of(row.scope):
        if other.code != row.code and other.key == values.get("key"):
            wrong.append(_("'{key}' is taken by '{code}'").format(key=other.key, code=other.code))
    if wrong:
        raise RuleBroken(joined(wrong))


def _check_words(words: Mapping[str, str], reference: Reference) -> None:
    first = reference.desk.languages[0]
    for name, text in words.items():
        most = LONGEST_SHORT if name.startswith("short.") else LONGEST_LABEL
        if len(text) > most:
            raise RuleBroken(_("{field}: at most {count} characters").format(field=name, count=most))
        if name == f"label.{first}" and not text:
            words_needed = _("needs words in {language}, the first language of the desk").format(language=first)
            raise RuleBroken(_("{field}: {why}").format(field=name, why=words_needed))


def _store_words(connection: "Connection", row: Disposition, words: Mapping[str, str]) -> None:
    for name, kind in (("label", f"disposition.{row.scope}"), ("short", f"disposition.{row.scope}.short")):
        told = {key.partition(".")[2]: text for key, text in words.items() if key.startswith(name + ".")}
        if told:
            ruling.change_words(connection, kind, row.code, told)


def _tell(
    connection: "Connection",
    subject: str,
    old: Mapping[str, str],
    wanted: Mapping[str, str],
    agent: "Agent",
    now: datetime,
) -> None:
    if wanted:
        ruling.bump(connection)
        detail = {name: [old[name], text] for name, text in wanted.items()}
        journal.append(
            connection, agent=agent.login, action="rule.changed", subject="rule", subject_id=subject, detail=detail,
            now=now,
        )  # fmt: skip
