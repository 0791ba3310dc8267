"""`crisisdesk coverage`: how far the postponements of each site, care type and week have come, and who is uncovered."""

import sys
from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from crisisdesk.cli.context import Context
from crisisdesk.cli.output import say, show_table
from crisisdesk.cli.parser import Subparsers
from crisisdesk.cli.queue import site_id_of
from crisisdesk.errors import RuleBroken
from crisisdesk.i18n import _

if TYPE_CHECKING:
    from crisisdesk.domain.coverage import NamedItems, Wanted
    from crisisdesk.reports.coverage import CoverageReport


def add_parser(subparsers: Subparsers) -> None:
    """Add `coverage`. Its own --json takes a file, and is the global one where none is named."""
    parser = subparsers.add_parser(
        "coverage",
        help=_("how many postponements were tried, reached, decided; who was not"),
        description=_("By site, care type and week of the original date; under the desk's share a week is an alarm."),
        conflict_handler="resolve",
    )
    parser.add_argument("site", nargs="?", metavar=_("SITE"), help=_("a site; - for what belongs to none"))
    parser.add_argument("--kind", default="", metavar=_("KIND"), help=_("a care type, such as surgery"))
    parser.add_argument("--week", default="", metavar=_("WEEK"), help=_("an ISO week: 2022-W22; - for no date"))
    parser.add_argument("--alarms", action="store_true", help=_("only the groups under the share"))
    parser.add_argument("--names", action="store_true", help=_("those whom nobody has spoken to, by name, and why"))
    parser.add_argument("--all", action="store_true", help=_("with --names: all, however far they have come"))
    files = parser.add_mutually_exclusive_group()
    files.add_argument("--csv", metavar=_("FILE"), help=_("write CSV; - is the standard output"))
    words = _("write JSON; - or nothing: standard output")
    files.add_argument("--json", dest="json_file", nargs="?", const="-", metavar=_("FILE"), help=words)
    files.add_argument("--xlsx", metavar=_("FILE"), help=_("write a workbook"))
    parser.add_argument("--bom", action="store_true", help=_("begin the CSV with the mark by which Excel knows UTF-8"))
    parser.add_argument("--force", action="store_true", help=_("replace a file that exists already"))
    parser.set_defaults(run=show_coverage)


def show_coverage(arguments: Namespace, context: Context) -> int:
    """Print coverage, or write it to a file and journal the export.

    Raises:
        RuleBroken: no such site, care type or week, or the file exists or cannot be written.
    """
    from crisisdesk.reports.coverage import read_wanted, report_of_coverage

    store, reference, now = context.open_store(), context.reference(), context.now()
    site_id = None
    if arguments.site:
        site_id = "" if arguments.site == "-" else site_id_of(context, arguments.site)
    wanted = read_wanted(reference, site_id=site_id, kind=arguments.kind, week=arguments.week)
    report = report_of_coverage(store, wanted, reference=reference, now=now, alarms_only=arguments.alarms)
    named = _named(arguments, context, wanted) if arguments.names else None
    target = _target(arguments, context)
    if target is not None:
        _export(arguments, context, report, named, *target)
    elif named is None:
        _print(context, report)
    else:
        _print_names(context, report, named)
    return 0


def _named(arguments: Namespace, context: Context, wanted: "Wanted") -> "NamedItems":
    from crisisdesk.desk.uncovered import list_named
    from crisisdesk.domain.coverage import UNCOVERED
    from crisisdesk.domain.words import Coverage

    states = tuple(Coverage) if arguments.all else UNCOVERED
    return list_named(context.open_store(), wanted, states, now=context.now(), limit=None)


def _target(arguments: Namespace, context: Context) -> tuple[str, str] | None:
    for form, target in (("csv", arguments.csv), ("json", arguments.json_file), ("xlsx", arguments.xlsx)):
        if target:
            return form, target
    return ("json", "-") if context.json else None


def _export(
    arguments: Namespace, context: Context, report: "CoverageReport", named: "NamedItems | None", form: str, target: str
) -> None:
    from crisisdesk.reports import coveragefiles, files

    login, now, store = context.agent().login, context.now(), context.open_store()
    names = named.items if named is not None else None
    if target != "-":
        count = coveragefiles.export_coverage(
            store, report, form=form, target=Path(target), login=login, now=now, names=names,
            overwrite=arguments.force, with_bom=arguments.bom,
        )  # fmt: skip
        say(context, _("{count} lines written to {path}").format(count=count, path=target))
        return
    if form == "xlsx" and context.out.isatty():
        raise RuleBroken(_("A workbook is no text for a terminal. Name a file: --xlsx coverage.xlsx"))
    content = coveragefiles.coverage_bytes(report, form, names, with_bom=arguments.bom)
    files.tell(store, coveragefiles.told_of(report, form, names), target="-", login=login, now=now)
    write_bytes(context, content)


def write_bytes(context: Context, content: bytes) -> None:
    """Write a file's content to the standard output as it is."""
    if context.out is sys.stdout:
        sys.stdout.flush()
        sys.stdout.buffer.write(content)
    else:
        context.out.write(content.decode())


def _print(context: Context, report: "CoverageReport") -> None:
    from crisisdesk.domain.words import Coverage
    from crisisdesk.reports import definitions as means
    from crisisdesk.reports.coveragefiles import as_of_words
    from crisisdesk.reports.wording import explain, show_value

    say(context, f"{report.desk} · {as_of_words(report)}")
    headings = {
        "site": _("site"), "kind": _("care type"), "week": _("week"),
        **{state.value: _(means.COVERAGE_HEADS[state]) for state in Coverage},
        "total": _("total"), "owed": _("still owed"), "handed": _(means.HANDED_OVER.name), "dead": _(means.DEAD.name),
        "share": _("share"), "of": _("of"), "standing": "",
    }  # fmt: skip
    rows = [
        {
            "site": line.site, "kind": line.kind, "week": line.week,
            **{state.value: line.group.items.get(state, 0) for state in Coverage}, "total": line.group.total,
            "owed": line.group.owed, "handed": line.group.handed_over, "dead": line.group.dead,
            "share": show_value(line.figure), "of": f"{line.group.tried}/{line.group.due}",
            "standing": _(means.STANDINGS[line.standing]),
        }
        for line in (*report.lines, report.total)
    ]  # fmt: skip
    show_table(context, headings, rows)
    say(context, _("Alarms: {alarms}; groups not shown: {hidden}.").format(alarms=report.alarms, hidden=report.hidden))
    say(context, explain(report.total.figure))
    for definition in (means.OWED, means.HANDED_OVER, means.DEAD):
        name, meaning = definition.shown()
        say(context, f"{name}: {meaning}")
    say(context, _("Journal up to entry {head}").format(head=report.journal_head))


def _print_names(context: Context, report: "CoverageReport", named: "NamedItems") -> None:
    from crisisdesk.reports import definitions as means
    from crisisdesk.reports.coveragefiles import as_of_words

    say(context, f"{report.desk} · {as_of_words(report)}")
    headings = {
        "patient": _("patient"), "born": _("born on"), "about": _("what was put off"), "was_on": _("was on"),
        "code": _("code"), "coverage": _("how far"), "why": _("why not now"),
    }  # fmt: skip
    rows = [
        {
            "patient": item.patient, "born": item.birth_on, "about": item.about, "was_on": item.original_on,
            "code": item.priority, "coverage": _(means.COVERAGE[item.coverage].name),
            "why": item.why_not or _("may be rung now"),
        }
        for item in named.items
    ]  # fmt: skip
    show_table(context, headings, rows, empty=_("Everybody here was spoken to."))
    say(context, _("Postponements: {count}").format(count=named.count))
