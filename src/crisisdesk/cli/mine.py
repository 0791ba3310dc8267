"""`crisisdesk mine`, `undo` and `correct`: what one did today, the last of it taken back, a wrong outcome put right."""

from argparse import Namespace
from typing import TYPE_CHECKING

from crisisdesk.cli.context import Context
from crisisdesk.cli.output import say, show_json, show_table
from crisisdesk.cli.parser import Subparsers
from crisisdesk.cli.seen import add_seen, read_seen, telling_conflicts
from crisisdesk.i18n import _

if TYPE_CHECKING:
    from crisisdesk.desk.mine import DoneLine


def add_parser(subparsers: Subparsers) -> None:
    """Add `mine`, `undo` and `correct`."""
    mine = subparsers.add_parser("mine", help=_("what I did today, newest first, and what each led to"))
    mine.add_argument("--of", default="", metavar=_("LOGIN"), help=_("another agent's day (supervisors)"))
    mine.add_argument("--limit", type=int, default=100, metavar="N", help=_("lines shown (default 100)"))
    mine.set_defaults(run=show_mine)
    undo = subparsers.add_parser(
        "undo",
        help=_("take my last attempt back; the callback is held again"),
        description=_("Within the desk's undo time. Later, or for another agent's, a supervisor uses 'correct'."),
    )
    undo.add_argument("attempt", nargs="?", type=int, metavar=_("ATTEMPT"), help=_("my last one if not given"))
    undo.add_argument("--reason", required=True, metavar=_("WORDS"), help=_("why; the journal keeps it"))
    undo.set_defaults(run=undo_one)
    correct = subparsers.add_parser(
        "correct",
        help=_("say how an attempt really ended (supervisors)"),
        description=_("The first row stays as it was typed and counts no more; a second one counts in its place."),
    )
    correct.add_argument("attempt", type=int, metavar=_("ATTEMPT"))
    correct.add_argument("disposition", metavar=_("DISPOSITION"))
    correct.add_argument("--reason", required=True, metavar=_("WORDS"), help=_("why; the journal keeps it"))
    correct.add_argument("--note", default=None, metavar=_("WORDS"), help=_("what was said; as before if not given"))
    correct.add_argument("--at", default="", metavar=_("WHEN"), help=_("when the patient wants to be rung"))
    correct.add_argument(
        "--item", action="append", default=[], metavar="ID=CODE", help=_("what was settled for one item")
    )
    correct.add_argument(
        "--slot", action="append", default=[], metavar=_("DAY"), help=_("day accepted: DAY, or ID=DAY")
    )
    correct.set_defaults(run=correct_one)
    call = subparsers.add_parser("correct-call", help=_("code a recorded call anew (supervisors)"))
    call.add_argument("call", type=int, metavar=_("CALL"), help=_("running number of the call"))
    call.add_argument("--disposition", default="", metavar=_("DISPOSITION"))
    call.add_argument("--topic", default="", metavar=_("TOPIC"))
    call.add_argument("--reason", required=True, metavar=_("WORDS"), help=_("why; the journal keeps it"))
    add_seen(call)
    call.set_defaults(run=recode_call)


def show_mine(arguments: Namespace, context: Context) -> int:
    """List what an agent did today."""
    from crisisdesk.desk.mine import list_mine

    found = list_mine(
        context.open_store(), agent=context.agent(), now=context.now(), login=arguments.of, limit=arguments.limit
    )
    if context.json:
        show_json(context, found)
        return 0
    headings = {
        "at": _("at"), "what": _("what"), "number": _("No."), "patient": _("patient"), "ending": _("how it ended"),
        "led_to": _("what it led to"), "note": _("words"),
    }  # fmt: skip
    show_table(context, headings, [_line(line, context) for line in found.lines], empty=_("Nothing recorded today."))
    say(context, _("{name} today: attempts {attempts}, calls {calls}.").format(
        name=found.name, attempts=found.attempts, calls=found.calls))  # fmt: skip
    return 0


def _line(line: "DoneLine", context: Context) -> dict[str, object]:
    from crisisdesk.desk.wording import moment_words

    return {
        "at": moment_words(line.at, context.reference().desk.time_zone, context.now()),
        "what": _("attempt") if line.kind == "attempt" else _("call"), "number": line.number, "patient": line.patient,
        "ending": line.ending, "led_to": line.led_to, "note": line.note,
    }  # fmt: skip


def undo_one(arguments: Namespace, context: Context) -> int:
    """Take an attempt back."""
    from crisisdesk.desk.undoing import undo_attempt

    done = undo_attempt(
        context.open_store(), arguments.attempt, reason=arguments.reason, agent=context.agent(), now=context.now()
    )
    show_json(context, done) if context.json else say(context, done.words)
    return 0


def correct_one(arguments: Namespace, context: Context) -> int:
    """Put an attempt right."""
    from crisisdesk.cli.queue import asked_moment, items_said
    from crisisdesk.desk.correcting import correct_attempt
    from crisisdesk.desk.mine import items_of_attempt

    store = context.open_store()
    concerned = [item.postponement_id for item in items_of_attempt(store, arguments.attempt)]
    done = correct_attempt(
        store, arguments.attempt, arguments.disposition, items_said(arguments, concerned, context),
        reason=arguments.reason, note=arguments.note, asked=asked_moment(arguments.at, context), agent=context.agent(),
        now=context.now(),
    )  # fmt: skip
    show_json(context, done) if context.json else say(context, done.words)
    return 0


def recode_call(arguments: Namespace, context: Context) -> int:
    """Put the topic or the ending of a call right."""
    from crisisdesk.desk.correctcall import correct_call

    names = [name for name in ("disposition", "topic") if getattr(arguments, name)]
    seen = read_seen(arguments.seen, names) if arguments.seen else None
    with telling_conflicts(context):
        changed = correct_call(
            context.open_store(), arguments.call, disposition=arguments.disposition, topic=arguments.topic,
            reason=arguments.reason, agent=context.agent(), now=context.now(), seen=seen,
        )  # fmt: skip
    if context.json:
        show_json(context, changed)
    else:
        told = ", ".join(f"{name}: {old} → {new}" for name, (old, new) in changed.items())
        say(context, told or _("Nothing was different."))
    return 0
