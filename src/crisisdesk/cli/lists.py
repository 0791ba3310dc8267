"""`crisisdesk import`: lists in, with the report of what was concluded of every row."""

from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crisisdesk.cli.context import Context
from crisisdesk.cli.output import complain, say, show_json, show_table
from crisisdesk.cli.parser import Subparsers
from crisisdesk.errors import RuleBroken
from crisisdesk.i18n import _, labelled, ngettext

if TYPE_CHECKING:
    from crisisdesk.desk.importing.preparing import Options
    from crisisdesk.desk.importing.report import ImportReport

DONE, REFUSED = 0, 1


def add_parser(subparsers: Subparsers) -> None:
    """Add `import`."""
    parser = subparsers.add_parser(
        "import",
        help=_("take in lists of postponed operations, consultations and exams"),
        description=_(
            "Each file goes in whole or not at all. A refused file does not keep the others out; the exit code is 1."
        ),
    )
    parser.add_argument("files", nargs="+", type=Path, metavar=_("FILE"), help=_("CSV, XLSX, ODS or XLS"))
    parser.add_argument("--site", help=_("site of the list, where its name or title does not say it"))
    parser.add_argument("--service-kind", dest="kind", help=_("surgery, consultation, exam, day_hospital or lab"))
    parser.add_argument("--encoding", help=_("letters of a text file, where UTF-8 and cp1252 are wrong (cp850 ...)"))
    parser.add_argument("--sheet", help=_("only this sheet of a workbook"))
    parser.add_argument(
        "--map", action="append", default=[], metavar=_("COLUMN=FIELD"), dest="mapping",
        help=_("what a column is (its name, or its number from 1); kept for lists with the same header"),
    )  # fmt: skip
    parser.add_argument("--dry-run", action="store_true", help=_("read and conclude only; write nothing into the desk"))
    parser.add_argument("--report", type=Path, metavar=_("FILE"), help=_("write every conclusion as JSON"))
    parser.add_argument("--rejects", type=Path, metavar=_("FILE"), help=_("write the rejected rows as CSV"))
    parser.set_defaults(run=import_lists)


def import_lists(arguments: Namespace, context: Context) -> int:
    """Import the files, write the report, show the counts; 1 where a file was refused."""
    from crisisdesk.desk.importing.running import import_files

    report = import_files(
        context.open_store(), arguments.files, _options(arguments), agent=context.agent(), now=context.now(),
        dry_run=arguments.dry_run, progress=_progress(context),
    )  # fmt: skip
    if arguments.report:
        report.write(arguments.report)
    if arguments.rejects:
        report.write_rejects(arguments.rejects)
    _show(report, context, dry_run=arguments.dry_run)
    return REFUSED if report.refused else DONE


def _options(arguments: Namespace) -> "Options":
    from crisisdesk.desk.importing.preparing import Options

    return Options(arguments.site, arguments.kind, arguments.encoding, arguments.sheet, _mapping(arguments.mapping))


def _mapping(pairs: list[str]) -> dict[str, str]:
    mapping: dict[str, str] = {}
    for pair in pairs:
        column, sign, field = pair.rpartition("=")
        if not sign or not column.strip() or not field.strip():
            raise RuleBroken(_('--map takes COLUMN=FIELD, for example --map "Date OP=planned_date".'))
        mapping[column.strip()] = field.strip()
    return mapping


def _progress(context: Context) -> Any:
    """Show progress on a terminal, one line that is overwritten; nothing in a pipe or a log."""
    is_shown = context.err.isatty() and not context.plain

    def show(name: str, done: int, total: int) -> None:
        if is_shown:
            from crisisdesk.domain.text import inert_text

            percent = min(100, 100 * done // max(1, total))
            context.err.write(f"\r{inert_text(name, width=40)} {percent:3d} %" + ("\n" if percent == 100 else ""))
            context.err.flush()

    return show


def _show(report: "ImportReport", context: Context, *, dry_run: bool) -> None:
    from crisisdesk.desk.importing.wording import code_words

    for entry in report.refused:
        complain(context, _("{file} was refused: {why}").format(file=entry["file"], why=entry["why"]))
    if context.json:
        show_json(context, {"files": report.files, "missing": report.missing, "proposals": report.proposals})
        return
    if taken := [entry for entry in report.files if not entry["refused"]]:
        show_table(context, _headings(), [_line(report, entry) for entry in taken])
    _show_columns(report, context)
    for entry in report.files:
        for code in entry["warnings"]:
            complain(context, labelled(entry["file"], code_words(code)))
    for name in report.without_site:
        complain(
            context, _("{file}: no site is known, its patients are in no queue. Name it with --site.").format(file=name)
        )
    _summary(report, context, dry_run)


def _show_columns(report: "ImportReport", context: Context) -> None:
    """What was understood of each header, in the words that --map takes, and what was not."""
    for name, columns, unused in report.understood:
        said = ", ".join(f"{field} = {header}" for field, header in columns)
        say(context, _("{file} · columns: {columns}").format(file=name, columns=said))
        if unused:
            say(context, _("{file} · not used: {columns}").format(file=name, columns=", ".join(unused)))
        if not {"last_name", "full_name"} & {field for field, _header in columns}:
            words = _("{file}: no column is understood as the family name. Name it with --map COLUMN=last_name.")
            complain(context, words.format(file=name))


def _headings() -> dict[str, str]:
    return {
        "file": _("File"), "encoding": _("Encoding"), "rows": _("Records"), "accepted": _("Accepted"),
        "accepted_with_warnings": _("With warnings"), "duplicate": _("Repeated"), "rejected": _("Rejected"),
        "ignored": _("Ignored"), "added": _("Added"), "changed": _("Changed"), "missing": _("Missing"),
    }  # fmt: skip


def _line(report: "ImportReport", entry: dict[str, Any]) -> dict[str, object]:
    changes = [row["change"] for row in report.rows if row["file"] == entry["file"]]
    missing = sum(1 for gone in report.missing if gone["file"] == entry["file"])
    counts = {"added": changes.count("added"), "changed": changes.count("changed"), "missing": missing}
    return {"file": entry["file"], "encoding": entry["encoding"] or "", **entry["counts"], **counts}


def _summary(report: "ImportReport", context: Context, dry_run: bool) -> None:
    if report.proposals:
        pairs = ngettext(
            "{count} pair of patients may be one person: see the screen Lists.",
            "{count} pairs of patients may be one person: see the screen Lists.",
            len(report.proposals),
        )
        say(context, pairs.format(count=len(report.proposals)))
    if dry_run:
        say(context, _("Nothing was written: this was a trial."))
