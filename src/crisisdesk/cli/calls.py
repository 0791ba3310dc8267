"""`crisisdesk call ...`: the plain twin of the screen Intake."""

import json
import sys
import uuid
from argparse import Namespace
from collections.abc import Iterator, Mapping
from contextlib import nullcontext
from dataclasses import fields
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from crisisdesk import clock
from crisisdesk.cli.context import Context
from crisisdesk.cli.output import complain, say, show_json, show_record, show_table
from crisisdesk.cli.parser import Subparsers
from crisisdesk.errors import CrisisDeskError, RuleBroken
from crisisdesk.i18n import N_, _, ngettext

_OPTIONS = {
    "phone": N_("number the call comes from, as said"),
    "last_name": N_("last name of the patient"),
    "first_name": N_("first name of the patient"),
    "birth": N_("birth date, as 12/03/1958"),
    "niss": N_("national number"),
    "caller_name": N_("name of the caller, if not the patient"),
    "caller_kind": N_("code of who calls: self, relative, gp ..."),
    "relation": N_("of the caller to the patient"),
    "language": N_("language of the caller: fr, nl, de ..."),
    "site_id": N_("hospital, by its id"),
    "topic": N_("code of the topic"),
    "words": N_("the caller's exact words"),
    "note": N_("note for colleagues"),
    "red_flag": N_("code of a red flag"),
    "wish": N_("when to ring back: 'demain matin', 'après 16h'"),
    "wish_number": N_("number to ring, if another"),
    "new_date": N_("day that was given: 03/06, +3 (ending 'booked')"),
    "voicemail": N_("what may be left on the machine: unknown, none, identified"),
    "taken_by": N_("login or name of who took the call (paper)"),
    "slip_number": N_("number of the paper slip"),
    "taken_at": N_("when the call was taken (paper): 14:20, 31/05 14:20"),
    "uid": N_("the form's own number: the same one is stored once"),
}
_LONGEST_LINE = 200_000


def add_parser(subparsers: Subparsers) -> None:
    """Add `call`."""
    call = subparsers.add_parser("call", help=_("record and show calls"))
    parts = call.add_subparsers(title=_("commands"), metavar=_("COMMAND"), required=True)
    _add_call(parts)
    listing = parts.add_parser("list", help=_("the calls of a day"))
    listing.add_argument("--day", default="", metavar=_("DATE"), help=_("31/05, 2022-05-31, +1, -1; today otherwise"))
    listing.add_argument("--limit", type=int, default=1000, help=_("calls at most"))
    listing.set_defaults(run=list_calls)
    one = parts.add_parser("show", help=_("one call, by its reference"))
    one.add_argument("reference", metavar=_("REFERENCE"))
    one.set_defaults(run=show_call)


def _add_call(parts: Subparsers) -> None:
    add = parts.add_parser("add", help=_("record a call, or many from a file"))
    add.add_argument("disposition", nargs="?", default="", metavar=_("ENDING"), help=_("code of how the call ended"))
    for name, words in _OPTIONS.items():
        add.add_argument("--" + name.replace("_", "-"), dest=name, default="", metavar=_("TEXT"), help=_(words))
    add.add_argument("--withheld", action="store_true", help=_("the number was withheld"))
    add.add_argument("--in-person", action="store_true", help=_("the agent promised to ring back in person"))
    add.add_argument("--read-out", action="store_true", help=_("the instruction in force at its start was read out"))
    add.add_argument("--started", default="", metavar=_("TIME"), help=_("start, ISO 8601 with zone; now otherwise"))
    add.add_argument("--ended", default="", metavar=_("TIME"), help=_("end, ISO 8601 with zone"))
    add.add_argument("--patient", type=int, action="append", default=[], metavar="ID", help=_("patient it is about"))
    add.add_argument(
        "--item", action="append", default=[], metavar="ID[=CODE]", help=_("postponement, and its own ending")
    )
    add.add_argument(
        "--settle", type=int, action="append", default=[], metavar="ID", help=_("callback that ends with this call")
    )
    add.add_argument(
        "--file", metavar=_("FILE"), help=_("one call a line as JSON (names as above), '-': standard input")
    )
    add.set_defaults(run=add_call)


def add_call(arguments: Namespace, context: Context) -> int:
    """Record one call from options, or one a line from a file; a file's bad lines are told and do not stop the rest."""
    if arguments.file:
        return _add_file(arguments.file, context)
    values: dict[str, Any] = {name: getattr(arguments, name) for name in _OPTIONS if getattr(arguments, name)}
    values |= {"disposition": arguments.disposition, "is_withheld": arguments.withheld or not arguments.phone}
    values |= {"started_at": arguments.started, "ended_at": arguments.ended, "patient_ids": arguments.patient}
    values |= {"items": arguments.item, "settled": arguments.settle, "in_person": arguments.in_person}
    if arguments.read_out:
        values |= {"instruction_id": _read_out(arguments, context), "was_read_out": True}
    saved = _record(values, context)
    if context.json:
        show_json(context, saved)
        return 0
    headings = {
        "reference": _("Reference"),
        "patients": _("Patients"),
        "callbacks": _("Callbacks"),
        "proof": _("Agreed words"),
    }
    show_record(context, headings, saved)
    for words in saved["warnings"]:
        complain(context, words)
    return 0


def _read_out(arguments: Namespace, context: Context) -> int:
    """The instruction in force for the site and topic of a call when it began."""
    from crisisdesk.desk.instructions import instruction_in_force

    found = instruction_in_force(
        context.open_store(), site_id=arguments.site_id or None, topic=arguments.topic or None,
        now=_instant(arguments.started) or context.now(),
    )  # fmt: skip
    if found is None:
        raise RuleBroken(_("No instruction is in force here. Choose the hospital and the topic."))
    return found.instruction_id


def _record(values: Mapping[str, Any], context: Context) -> dict[str, Any]:
    from crisisdesk.desk.intake import record_call

    form = form_from(values, now=context.now())
    reference = context.reference()
    saved = record_call(context.open_store(), form, agent=context.agent(), now=context.now(), reference=reference)
    return {
        "reference": saved.reference,
        "call_id": saved.call_id,
        "uid": form.uid,
        "is_repeat": saved.is_repeat,
        "patients": list(saved.patient_ids),
        "callbacks": [f"{number} {site}" for number, site in saved.callbacks.items()],
        "proof": saved.proof,
        "warnings": list(saved.warnings),
    }


def form_from(values: Mapping[str, Any], *, now: datetime) -> Any:
    """A `CallForm` from plain values, as options and JSON lines have them.

    Raises:
        RuleBroken: a name that the form does not have, a time without a zone, or a value of another type.
    """
    from crisisdesk.desk.intake import CallForm, ItemSaid, ReportedItem

    known = {field.name for field in fields(CallForm)}
    if unknown := values.keys() - known:
        raise RuleBroken(_("A call has no {names}. It has: {known}.").format(
            names=", ".join(sorted(unknown))[:200], known=", ".join(sorted(known))))  # fmt: skip
    made: dict[str, Any] = {"uid": uuid.uuid4().hex, "disposition": "", **values}
    made["started_at"] = _instant(made.get("started_at")) or now
    made["ended_at"] = _instant(made.get("ended_at"))
    made["patient_ids"] = tuple(int(number) for number in made.get("patient_ids", ()))
    made["settled"] = tuple(int(number) for number in made.get("settled", ()))
    made["items"] = tuple(ItemSaid(*_item(text)) for text in made.get("items", ()))
    try:
        made["reported"] = tuple(ReportedItem(**item) for item in made.get("reported", ()))
    except TypeError as error:
        raise RuleBroken(_("Reported appointment: {why}").format(why=error)) from error
    for field in fields(CallForm):
        if field.type in {"str", str} and not isinstance(made.get(field.name, ""), str):
            raise RuleBroken(_("{field}: must be a text.").format(field=field.name))
    return CallForm(**made)


def _instant(text: Any) -> datetime | None:
    if not text:
        return None
    try:
        found = datetime.fromisoformat(str(text))
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise RuleBroken(
            _("'{text}' is no time with a zone; write it as 2022-05-31T14:32:00+02:00.").format(text=str(text)[:60])
        )
    return found


def _item(said: Any) -> tuple[int, str, str]:
    if isinstance(said, Mapping):
        return int(said.get("postponement_id", 0)), str(said.get("disposition", "")), str(said.get("new_date", ""))
    number, _sep, code = str(said).partition("=")
    if not number.isdigit():
        raise RuleBroken(_("'{text}' is no postponement: give its number, or NUMBER=CODE.").format(text=number[:60]))
    return int(number), code, ""


def _add_file(name: str, context: Context) -> int:
    done = repeats = failed = 0
    results = []
    for place, values in _lines(name):
        try:
            if isinstance(values, str):
                raise RuleBroken(values)
            saved = _record(values, context)
        except CrisisDeskError as error:
            if error.exit_code == 3:
                raise
            failed += 1
            results.append({"line": place, "error": str(error)})
            complain(context, _("line {line}: {why}").format(line=place, why=error))
            continue
        done, repeats = done + 1, repeats + saved["is_repeat"]
        results.append({"line": place, **saved})
    if context.json:
        show_json(context, results)
    words = ngettext("{count} call stored", "{count} calls stored", done - repeats).format(count=done - repeats)
    say(
        context,
        _("{stored}; {repeats} stored before; {failed} refused.").format(stored=words, repeats=repeats, failed=failed),
    )
    return 1 if failed else 0


def _lines(name: str) -> Iterator[tuple[int, dict[str, Any] | str]]:
    """Number and values of each line, or a sentence that says what is wrong with it."""
    with nullcontext(sys.stdin) if name == "-" else Path(name).open(encoding="utf-8", errors="replace") as source:
        for place, line in enumerate(source, 1):
            if not line.strip():
                continue
            try:
                values = json.loads(line) if len(line) <= _LONGEST_LINE else None
            except ValueError:
                values = None
            yield place, values if isinstance(values, dict) else _("is no JSON object, or too long.")


def list_calls(arguments: Namespace, context: Context) -> int:
    """The calls of a local day, oldest first."""
    from crisisdesk.desk.calls import calls_of_day
    from crisisdesk.domain.dates import read_typed_date

    reference = context.reference()
    zone = reference.desk.time_zone
    today = clock.local_day(context.now(), zone)
    day = today if arguments.day in {"", "today"} else read_typed_date(arguments.day, today)
    if arguments.day == "yesterday":
        day = today - timedelta(days=1)
    if day is None:
        raise RuleBroken(_("'{text}' is no date.").format(text=arguments.day[:60]))
    rows = []
    for call in calls_of_day(context.open_store(), day, zone=zone, limit=arguments.limit):
        at = clock.to_local(call.started_at, zone)
        label = reference.label("disposition.inbound", call.disposition, context.language)
        topic = reference.label("topic", call.topic, context.language) if call.topic else ""
        rows.append(
            {
                "reference": call.reference,
                "time": at if context.json else f"{at:%H:%M}",
                "agent": call.taken_by,
                "caller": call.caller_name,
                "topic": topic,
                "ending": label,
                "disposition": call.disposition,
            }
        )
    headings = {"reference": _("Reference"), "time": _("Time"), "agent": _("Agent"), "caller": _("Caller"),
                "topic": _("Topic"), "ending": _("Ending")}  # fmt: skip
    show_table(context, headings, rows, empty=_("No call on {day}.").format(day=f"{day:%d/%m/%Y}"))
    return 0


def show_call(arguments: Namespace, context: Context) -> int:
    """One call; a mistyped reference is told with what it may have been."""
    from crisisdesk.desk.calls import find_call

    found = find_call(context.open_store(), arguments.reference, agent=context.agent(), now=context.now())
    if context.json:
        show_json(context, found)
        return 0
    show_record(context, {name: name for name, value in found.items() if value not in (None, "", {}, [], False)}, found)
    return 0
