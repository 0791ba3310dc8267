"""`--seen FIELD=VALUE`: what stood in a field when it was looked at, so that nobody's change is written over unseen."""

import shlex
from argparse import ArgumentParser
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from typing import TYPE_CHECKING, Any

from crisisdesk.cli.context import Context
from crisisdesk.cli.output import show_json
from crisisdesk.errors import RuleBroken
from crisisdesk.i18n import _

if TYPE_CHECKING:
    from crisisdesk.desk.conflicts import Conflict, FieldConflict


def add_seen(parser: ArgumentParser) -> None:
    """Add the option."""
    parser.add_argument(
        "--seen", action="append", default=[], metavar=_("FIELD=VALUE"),
        help=_(
            "what stood in a field when you looked (VALUE alone where one field is given): if somebody changed it "
            "since, nothing is written. Without it the field is written over whatever stands there; the journal keeps "
            "that"
        ),
    )  # fmt: skip


def read_seen(said: Sequence[str], fields: Iterable[str]) -> dict[str, str]:
    """The values that were seen, by field.

    Args:
        said: as they were given.
        fields: that are to be changed.

    Raises:
        RuleBroken: a field that is not to be changed, or no field where several are.
    """
    fields, seen = tuple(fields), {}
    for text in said:
        name, sign, value = text.partition("=")
        name = name.strip().replace("-", "_")
        if sign and name in fields:
            seen[name] = value
        elif len(fields) == 1:
            seen[fields[0]] = text
        else:
            known = ", ".join(fields) or _("none")
            raise RuleBroken(_("--seen {text}: say of which field: FIELD=VALUE. Given here: {known}.").format(
                text=text, known=known))  # fmt: skip
    return seen


@contextmanager
def telling_conflicts(context: Context) -> Iterator[None]:
    """Tell both versions of what somebody changed since, and how to write over it; with --json as data, too.

    Raises:
        RuleBroken: in the place of the conflict, with the option that confirms.
    """
    from crisisdesk.desk.conflicts import Conflict

    try:
        yield
    except Conflict as conflict:
        if context.json:
            show_json(context, {"conflicts": [_as_data(one) for one in conflict.fields]})
        raise RuleBroken(_("{why} To write yours over it: {options}").format(
            why=conflict, options=_options(conflict))) from conflict  # fmt: skip


def _as_data(one: "FieldConflict") -> dict[str, Any]:
    return {
        "field": one.name, "label": one.label, "seen": one.seen, "theirs": one.theirs, "mine": one.mine, "by": one.by,
        "at": one.at,
    }  # fmt: skip


def _options(conflict: "Conflict") -> str:
    return " ".join(f"--seen {shlex.quote(text)}" for one in conflict.fields for text in _confirming(one))


def _confirming(one: "FieldConflict") -> list[str]:
    if one.name == "may_tell":
        may_tell, who = one.stands
        return [f"may_tell={may_tell}", f"may_tell_who={who}"]
    if one.name == "niss":  # not shown whole without being asked for: `patient show --full`
        return [f"niss={_('NUMBER')}"]
    value = one.stands
    return [f"{one.name}={f'{value:%d/%m/%Y}' if isinstance(value, date) else value or ''}"]
