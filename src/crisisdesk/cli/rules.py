"""`crisisdesk rule`: what each disposition leads to, and the caps and hours of the desk; changed by supervisors."""

from argparse import Namespace
from typing import TYPE_CHECKING

from crisisdesk.cli.context import Context
from crisisdesk.cli.output import say, show_json, show_record, show_table
from crisisdesk.domain.words import Scope
from crisisdesk.errors import RuleBroken
from crisisdesk.i18n import N_, _

if TYPE_CHECKING:
    from crisisdesk.cli.parser import Subparsers

_OPTIONS = {
    "delay": ("DELAY", N_("earliest next attempt: 15 min, 3 h, 2 d")),
    "other_part": ("yes|no", N_("the next attempt is in another part of the day")),
    "cap": ("N", N_("at most so many of these for one callback; '' for none")),
    "cap_a_day": ("N", N_("at most so many of these on one number a day; '' for none")),
    "channel": ("CHANNEL", N_("with 'review': letter, gp or next_of_kin first; '' for a clinician at once")),
    "note": ("yes|no", N_("a note is compulsory")),
    "key": ("KEY", N_("the one key that picks it")),
}


def add_parser(subparsers: "Subparsers") -> None:
    """Add `rule list`, `rule set` and `rule desk`."""
    from crisisdesk.desk.rulefields import DESK_FIELDS

    rule = subparsers.add_parser("rule", help=_("what each disposition leads to; caps, channels and hours of the desk"))
    actions = rule.add_subparsers(title=_("commands"), metavar=_("COMMAND"), required=True)
    listing = actions.add_parser("list", help=_("every disposition with its rule in words"))
    listing.add_argument("--scope", choices=[*Scope], default=Scope.ATTEMPT, help=_("inbound, attempt or item"))
    listing.set_defaults(run=show_rules)
    change = actions.add_parser("set", help=_("change a disposition (supervisors)"))
    change.add_argument("words", nargs="+", metavar=_("DISPOSITION"), help=_("its code; before it item or inbound"))
    for name, (metavar, words) in _OPTIONS.items():
        change.add_argument("--" + name.replace("_", "-"), dest=name, metavar=metavar, help=_(words))
    for name, words in (("label", _("what it is called")), ("short", _("short words beside the key"))):
        change.add_argument(f"--{name}", action="append", default=[], metavar="LANG=WORDS", help=words)
    change.set_defaults(run=set_rule)
    desk = actions.add_parser("desk", help=_("show the desk's rules, or change some (supervisors)"))
    for name, field in DESK_FIELDS.items():
        desk.add_argument(
            "--" + name.replace("_", "-"), dest=name, metavar=_("VALUE"), help=_(field.words).replace("%", "%%")
        )
    desk.set_defaults(run=desk_rules)


def show_rules(arguments: Namespace, context: Context) -> int:
    """List the rules."""
    from crisisdesk.desk.ruling import list_rules

    rules = list_rules(context.open_store(), Scope(arguments.scope), now=context.now())
    if context.json:
        show_json(context, rules)
        return 0
    headings = {"key": _("key"), "code": _("code"), "label": _("disposition"), "leads_to": _("leads to")}
    lines = [
        {"key": row.texts["key"], "code": row.code, "label": row.label, "leads_to": row.leads_to} for row in rules.rows
    ]
    show_table(context, headings, lines)
    return 0


def set_rule(arguments: Namespace, context: Context) -> int:
    """Change one disposition."""
    from crisisdesk.desk.ruling import edit_rule

    scope, code = _which(arguments.words)
    changes = {name: getattr(arguments, name) for name in _OPTIONS if getattr(arguments, name) is not None}
    for name in ("label", "short"):
        for text in getattr(arguments, name):
            language, _sign, words = text.partition("=")
            changes[f"{name}.{language}"] = words
    if not changes:
        raise RuleBroken(_("Say what changes, for example --delay '2 h' --cap 3."))
    row = edit_rule(context.open_store(), scope, code, changes, agent=context.agent(), now=context.now())
    if context.json:
        show_json(context, row)
    else:
        say(context, _("{label}: {words}.").format(label=row.label, words=row.leads_to))
    return 0


def _which(words: list[str]) -> tuple[Scope, str]:
    """``no_answer`` is of scope attempt; ``item declines`` names another."""
    if len(words) == 1:
        return Scope.ATTEMPT, words[0]
    if len(words) == 2 and words[0] in tuple(Scope):
        return Scope(words[0]), words[1]
    raise RuleBroken(_("Name one disposition: rule set no_answer, or rule set item declines."))


def desk_rules(arguments: Namespace, context: Context) -> int:
    """Show the desk's rules, after changing those that are given."""
    from crisisdesk.desk.rulefields import DESK_FIELDS
    from crisisdesk.desk.ruling import edit_desk_rules, list_rules

    store, now = context.open_store(), context.now()
    changes = {name: getattr(arguments, name) for name in DESK_FIELDS if getattr(arguments, name) is not None}
    if changes:
        texts = edit_desk_rules(store, changes, agent=context.agent(), now=now)
    else:
        texts = list_rules(store, Scope.ATTEMPT, now=now).desk
    show_record(context, {name: _(field.words) for name, field in DESK_FIELDS.items()}, texts)
    return 0
