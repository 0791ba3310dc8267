"""`crisisdesk instruction`: what agents read out to callers, and who was told what before it changed."""

import csv
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from crisisdesk.cli.context import Context
from crisisdesk.cli.openingjobs import service_id_of
from crisisdesk.cli.output import say, show_json, show_record, show_table
from crisisdesk.cli.parser import Subparsers
from crisisdesk.cli.queue import site_id_of
from crisisdesk.errors import RuleBroken
from crisisdesk.i18n import N_, _

if TYPE_CHECKING:
    from crisisdesk.desk.instructions import InstructionLine, InstructionText
    from crisisdesk.desk.retelling import ToldLine

LANGUAGES = ("fr", "nl", "de", "en", "pt", "lb")
_STATES = {
    "in_force": N_("in force"), "covered": N_("another for a while"), "planned": N_("planned"),
    "over": N_("no longer in force"), "withdrawn": N_("never in force"),
}  # fmt: skip


def add_parser(subparsers: Subparsers) -> None:
    """Add `instruction`."""
    instruction = subparsers.add_parser("instruction", help=_("what agents read out to callers"))
    actions = instruction.add_subparsers(title=_("commands"), metavar=_("COMMAND"), required=True)
    listing = actions.add_parser("list", help=_("those in force and planned, by site"))
    listing.add_argument("site", nargs="?", metavar=_("SITE"))
    listing.add_argument("--history", action="store_true", help=_("also earlier ones"))
    listing.set_defaults(run=list_all)
    _add_issue(actions.add_parser("issue", help=_("issue the next version (supervisors)")))
    for name, run, words in (
        ("show", show_one, _("one version, in every language")),
        ("end", end_one, _("end one that is in force, without another in its place (supervisors)")),
        ("withdraw", withdraw_one, _("take a planned one back (supervisors)")),
    ):
        action = actions.add_parser(name, help=words)
        action.add_argument("instruction", type=int, metavar="ID")
        action.set_defaults(run=run)
    _add_told(actions.add_parser("told", help=_("who was told a version, and who was told what followed")))
    _add_ring(actions.add_parser("ring", help=_("put those who were told a version that changed in the queue")))


def _add_issue(issue: ArgumentParser) -> None:
    issue.add_argument("words", metavar=_("WORDS"), help=_("in the desk's first language"))
    issue.add_argument("--site", default="", metavar=_("SITE"))
    issue.add_argument("--service", default="", metavar=_("SERVICE"))
    issue.add_argument("--topic", default="", metavar=_("TOPIC"))
    issue.add_argument("--from", dest="begins", default="", metavar=_("WHEN"), help=_("now if not given: 01/06 14:00"))
    issue.add_argument(
        "--until",
        default="",
        metavar=_("WHEN"),
        help=_("until the next version if not given; then the earlier one holds"),
    )
    for language in LANGUAGES:
        issue.add_argument(
            f"--words-{language}", default="", metavar=_("WORDS"),
            help=_("for callers who speak {language}").format(language=language),
        )  # fmt: skip
    issue.set_defaults(run=issue_one)


def _add_told(told: ArgumentParser) -> None:
    told.add_argument("instruction", type=int, metavar="ID")
    told.add_argument("--all", action="store_true", help=_("also where it only stood on the agent's screen"))
    told.add_argument("--csv", action="store_true", help=_("one contact a line as CSV on the standard output"))
    told.set_defaults(run=list_told)


def _add_ring(ring: ArgumentParser) -> None:
    ring.add_argument("instruction", type=int, metavar="ID")
    ring.add_argument("--all", action="store_true", help=_("also where it only stood on the agent's screen"))
    ring.add_argument("--reason", default="", help=_("said on the card, beside the old and the new words"))
    ring.add_argument("--dry-run", action="store_true", help=_("only say how many, and who cannot be rung"))
    ring.set_defaults(run=ring_all)


def list_all(arguments: Namespace, context: Context) -> int:
    """List instructions."""
    from crisisdesk.desk.instructions import InstructionState, instruction_lines

    site_id = site_id_of(context, arguments.site) if arguments.site else None
    over = (InstructionState.OVER, InstructionState.WITHDRAWN)
    lines = instruction_lines(context.open_store(), site_id=site_id, now=context.now())
    found = [line for line in lines if arguments.history or line.state not in over]
    if context.json:
        show_json(context, [_record(line, context) for line in found])
        return 0
    headings = {
        "id": _("no."), "site": _("site"), "service": _("service"), "topic": _("topic"), "version": _("version"),
        "state": _("state"), "since": _("since"), "until": _("until"), "by": _("by"), "words": _("words"),
    }  # fmt: skip
    show_table(context, headings, [_row(line, context) for line in found], empty=_("No instruction is in force."))
    return 0


def _record(line: "InstructionLine", context: Context) -> dict[str, object]:
    """One version as a program reads it."""
    one = line.instruction
    return {
        "instruction_id": one.instruction_id, "site_id": one.site_id, "service_id": one.service_id, "topic": one.topic,
        "version": one.version, "state": line.state, "words": one.words, "translations": dict(one.translations),
        "valid_from": one.valid_from, "valid_until": one.valid_until, "in_force_until": line.until,
        "issued_by": one.issued_by, "issued_at": one.issued_at, "replaces_id": one.replaces_id,
    }  # fmt: skip


def _row(line: "InstructionLine", context: Context) -> dict[str, object]:
    from crisisdesk.desk.wording import moment_words

    one, reference = line.instruction, context.reference()
    zone = reference.desk.time_zone
    return {
        "id": one.instruction_id, "site": reference.sites[one.site_id].name if one.site_id else _("all sites"),
        "service": reference.services[one.service_id].name if one.service_id else "",
        "topic": reference.label("topic", one.topic, context.language) if one.topic else "", "version": one.version,
        "state": _(_STATES[line.state]), "since": moment_words(one.valid_from, zone),
        "until": moment_words(line.until, zone) if line.until else "", "by": one.issued_by, "words": one.words,
    }  # fmt: skip


def show_one(arguments: Namespace, context: Context) -> int:
    """Show one version with its words in every language."""
    from crisisdesk.desk.instructions import scope_history

    lines = scope_history(context.open_store(), arguments.instruction, now=context.now())
    line = next(one for one in lines if one.instruction.instruction_id == arguments.instruction)
    if context.json:
        show_json(context, _record(line, context))
        return 0
    texts = {f"words-{language}": words for language, words in line.instruction.translations.items()}
    headings = {
        "id": _("no."), "site": _("site"), "service": _("service"), "topic": _("topic"), "version": _("version"),
        "state": _("state"), "since": _("since"), "until": _("until"), "by": _("by"), "words": _("words"),
        **{name: name.removeprefix("words-") for name in texts},
    }  # fmt: skip
    show_record(context, headings, _row(line, context) | texts)
    return 0


def issue_one(arguments: Namespace, context: Context) -> int:
    """Issue an instruction."""
    from crisisdesk.desk.instructions import InstructionForm, issue_instruction

    site_id = site_id_of(context, arguments.site) if arguments.site else None
    topic = arguments.topic or None
    if topic is not None and topic not in context.reference().topics:
        raise RuleBroken(_("There is no topic '{topic}'.").format(topic=topic))
    if arguments.service and site_id is None:
        raise RuleBroken(_("Name the site of the service: --site SITE."))
    service_id = service_id_of(context, site_id, arguments.service) if arguments.service and site_id else None
    translations = {language: getattr(arguments, f"words_{language}") for language in LANGUAGES}
    form = InstructionForm(
        arguments.words, site_id, service_id, topic, _instant(arguments.begins, context),
        _instant(arguments.until, context), translations,
    )  # fmt: skip
    number = issue_instruction(context.open_store(), form, agent=context.agent(), now=context.now())
    words = _("Planned.") if form.valid_from else _("Issued: agents see it now.")
    show_json(context, {"instruction": number}) if context.json else say(context, words)
    return 0


def _instant(text: str, context: Context) -> datetime | None:
    from crisisdesk.domain.slips import read_taken_at

    if not text:
        return None
    found = read_taken_at(text, now=context.now(), zone=context.reference().desk.time_zone)
    if found is None:
        raise RuleBroken(_("'{text}' is no time. Try 14:00, demain 8h or 01/06 14:00.").format(text=text))
    return found


def end_one(arguments: Namespace, context: Context) -> int:
    """End an instruction now."""
    from crisisdesk.desk.instructions import end_instruction

    after = end_instruction(context.open_store(), arguments.instruction, agent=context.agent(), now=context.now())
    if context.json:
        show_json(context, {"in_force": after.instruction_id if after else None})
    else:
        say(context, _("Ended. Read out there from now on: {words}").format(words=_words(after)))
    return 0


def _words(one: "InstructionText | None") -> str:
    return one.words if one else _("(no instruction)")


def withdraw_one(arguments: Namespace, context: Context) -> int:
    """Withdraw a planned instruction."""
    from crisisdesk.desk.instructions import withdraw_instruction

    one = withdraw_instruction(context.open_store(), arguments.instruction, agent=context.agent(), now=context.now())
    words = _("Withdrawn. What it would have replaced holds on.")
    show_json(context, {"withdrawn": one.instruction_id}) if context.json else say(context, words)
    return 0


def list_told(arguments: Namespace, context: Context) -> int:
    """List who was told a version."""
    from crisisdesk.desk.retelling import journal_told, told_state_words, who_was_told

    store, now = context.open_store(), context.now()
    found = who_was_told(store, arguments.instruction, now=now)
    lines = [line for line in found if line.was_read_out or arguments.all]
    if arguments.csv:
        journal_told(store, arguments.instruction, len(lines), agent=context.agent(), now=now)
        _write_csv(lines, context)
        return 0
    if context.json:
        show_json(context, lines)
        return 0
    from crisisdesk.desk.wording import moment_words

    zone = context.reference().desk.time_zone
    rows = [
        {"patient": line.patient, "at": moment_words(line.at, zone), "by": line.by, "number": line.number,
         "caller": line.caller, "reference": line.reference or line.what, "read": line.was_read_out,
         "state": told_state_words(line.state)}
        for line in lines
    ]  # fmt: skip
    headings = {
        "patient": _("patient"), "at": _("told on"), "by": _("by"), "number": _("number"), "caller": _("caller"),
        "reference": _("reference"), "read": _("read out"), "state": _("since then"),
    }  # fmt: skip
    show_table(context, headings, rows, empty=_("Nobody was told this version."))
    return 0


_COLUMNS = (
    "what", "contact_id", "at", "reference", "was_read_out", "patient_id", "patient", "caller", "number", "by",
    "site_id", "state", "told_since", "callback_id",
)  # fmt: skip


def _write_csv(lines: "Sequence[ToldLine]", context: Context) -> None:
    """One contact a line; instants in UTC; formulas are made harmless."""
    from crisisdesk.domain.text import inert_text, spreadsheet_safe

    writer = csv.writer(context.out, lineterminator="\n")
    writer.writerow(_COLUMNS)
    for line in lines:
        cells = [getattr(line, name) for name in _COLUMNS]
        texts = [cell.isoformat() if isinstance(cell, datetime) else cell for cell in cells]
        writer.writerow([spreadsheet_safe(inert_text(text)) if isinstance(text, str) else text for text in texts])


def ring_all(arguments: Namespace, context: Context) -> int:
    """Put those who were told a version that changed in the queue, or say what that would do."""
    from crisisdesk.desk.retelling import preview_ring, ring_them, ring_words

    store, agent, now = context.open_store(), context.agent(), context.now()
    if arguments.dry_run:
        done = preview_ring(store, arguments.instruction, only_read_out=not arguments.all, agent=agent, now=now)
    else:
        done = ring_them(
            store, arguments.instruction, only_read_out=not arguments.all, reason=arguments.reason, agent=agent, now=now
        )
    if context.json:
        show_json(context, done)
        return 0
    for sentence in ring_words(done, is_preview=arguments.dry_run):
        say(context, sentence)
    for name in done.first if arguments.dry_run else ():
        say(context, f"  {name}")
    return 0
