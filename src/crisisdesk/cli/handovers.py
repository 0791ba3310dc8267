"""`crisisdesk handover`, `close` and `reopen`: open items go to the services on signed lists, answered line by line."""

from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from crisisdesk.cli.context import Context
from crisisdesk.cli.openings import service_id_of
from crisisdesk.cli.output import say, show_json, show_table
from crisisdesk.cli.parser import Subparsers
from crisisdesk.cli.queue import site_id_of
from crisisdesk.domain.words import HandoverState
from crisisdesk.errors import RuleBroken
from crisisdesk.i18n import N_, _

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crisisdesk.desk.acknowledging import Answered
    from crisisdesk.desk.handovers import Offer

STATES = {
    "offered": N_("not answered: still ours"),
    "acknowledged": N_("acknowledged: theirs"),
    "refused": N_("refused: stays ours"),
}


def add_parser(subparsers: Subparsers) -> None:
    """Add `handover`, `close` and `reopen`."""
    handover = subparsers.add_parser("handover", help=_("hand open items over to a service, line by line"))
    actions = handover.add_subparsers(title=_("commands"), metavar=_("COMMAND"), required=True)
    offers = actions.add_parser("offers", help=_("what is open, by service"))
    offers.add_argument("site", nargs="?", metavar=_("SITE"))
    offers.set_defaults(run=show_offers)
    make = actions.add_parser("make", help=_("make a list for a service, or for a whole site (supervisors)"))
    make.add_argument("site", metavar=_("SITE"), help=_("a site; - for what belongs to none"))
    make.add_argument("service", nargs="?", default="", metavar=_("SERVICE"))
    make.add_argument("--reason", default="", help=_("stands on the list"))
    make.set_defaults(run=make_one)
    listing = actions.add_parser("list", help=_("handovers and what was answered"))
    listing.add_argument("site", nargs="?", metavar=_("SITE"))
    listing.set_defaults(run=list_all)
    show = actions.add_parser("show", help=_("the lines of one"))
    show.add_argument("handover", type=int, metavar=_("NUMBER"))
    show.set_defaults(run=show_one)
    _add_answers(actions)
    export = actions.add_parser("export", help=_("write the signed list as PDF or CSV, by the ending of the file"))
    export.add_argument("handover", type=int, metavar=_("NUMBER"))
    export.add_argument("file", metavar=_("FILE"))
    export.add_argument("--force", action="store_true", help=_("replace a file that exists already"))
    export.set_defaults(run=export_one)
    verify = actions.add_parser("verify", help=_("whether a CSV is the list that this desk signed"))
    verify.add_argument("file", metavar=_("FILE"))
    verify.set_defaults(run=verify_one)
    _add_closing(subparsers)


def _add_answers(actions: "Subparsers") -> None:
    answer = actions.add_parser("answer", help=_("write down what the service answered"))
    _line_arguments(answer)
    answer.add_argument("state", choices=[HandoverState.ACKNOWLEDGED.value, HandoverState.REFUSED.value])
    answer.add_argument("--by", default="", help=_("who answered at the service"))
    answer.add_argument("--note", default="", help=_("why it was refused"))
    answer.set_defaults(run=answer_some)
    undo = actions.add_parser("undo", help=_("take answers back that were a mistake (supervisors)"))
    _line_arguments(undo)
    undo.add_argument("--reason", default="")
    undo.set_defaults(run=undo_some)


def _line_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("handover", type=int, metavar=_("NUMBER"))
    parser.add_argument("lines", metavar=_("LINES"), help=_("lines of the list: 7, 1-40,44, or all"))


def _add_closing(subparsers: Subparsers) -> None:
    close = subparsers.add_parser("close", help=_("close the desk: hand everything over, ring nobody (supervisors)"))
    close.add_argument("--reason", default="", help=_("stands on every list"))
    close.add_argument("--preview", action="store_true", help=_("only say what would be handed over"))
    close.set_defaults(run=close_all)
    reopen = subparsers.add_parser("reopen", help=_("ring again after the desk was closed (supervisors)"))
    reopen.add_argument("--reason", default="")
    reopen.set_defaults(run=reopen_all)


def _place(context: Context, site: str, service: str) -> tuple[str | None, int | None]:
    if site == "-":
        return None, None
    site_id = site_id_of(context, site)
    return site_id, service_id_of(context, site_id, service) if service else None


def show_offers(arguments: Namespace, context: Context) -> int:
    """What could be handed over."""
    from crisisdesk.desk.handovers import list_offers

    site_id = site_id_of(context, arguments.site) if arguments.site else None
    _show_offers(context, list_offers(context.open_store(), site_id=site_id))
    return 0


def _show_offers(context: Context, offers: "Sequence[Offer]") -> None:
    from crisisdesk.desk.handovers import place_words

    rows = [
        {
            "site_id": one.site_id, "service_id": one.service_id,
            "place": place_words(one.site_id, one.service_id, context.reference()), "free": one.free,
            "offered": one.offered,
        }
        for one in offers
    ]  # fmt: skip
    headings = {"place": _("service"), "free": _("to hand over"), "offered": _("on a list, not answered")}
    show_table(context, headings, rows, empty=_("Nothing is open."))


def make_one(arguments: Namespace, context: Context) -> int:
    """Make one handover."""
    from crisisdesk.desk.handovers import make_handover

    site_id, service_id = _place(context, arguments.site, arguments.service)
    made = make_handover(
        context.open_store(), site_id, service_id, reason=arguments.reason, agent=context.agent(), now=context.now()
    )
    if context.json:
        show_json(context, made)
        return 0
    words = _("Handover {number} is made. Lines: {count}; each is rung until it is acknowledged.")
    say(context, words.format(number=made.handover_id, count=made.count))
    if made.elsewhere:
        say(context, _("Waiting for an answer on other lists: {count}").format(count=made.elsewhere))
    return 0


def list_all(arguments: Namespace, context: Context) -> int:
    """Handovers with their counts."""
    from crisisdesk.desk.handovers import list_handovers, made_at_words, place_words

    reference = context.reference()
    site_id = site_id_of(context, arguments.site) if arguments.site else None
    found = list_handovers(context.open_store(), site_id=site_id)
    if context.json:
        show_json(context, found)
        return 0
    rows = [
        {
            "number": row.handover_id, "place": place_words(row.site_id, row.service_id, reference),
            "made": made_at_words(row, reference), "by": row.made_by, "lines": row.total, "open": row.offered,
            "theirs": row.acknowledged, "refused": row.refused, "settled": row.settled, "reason": row.reason,
        }
        for row in found
    ]  # fmt: skip
    headings = {
        "number": _("no."), "place": _("service"), "made": _("made"), "by": _("by"), "lines": _("lines"),
        "open": _("not answered"), "theirs": _("acknowledged"), "refused": _("refused"),
        "settled": _("settled by us since"), "reason": _("reason"),
    }  # fmt: skip
    show_table(context, headings, rows, empty=_("Nothing was handed over yet."))
    return 0


def show_one(arguments: Namespace, context: Context) -> int:
    """The lines of one handover."""
    from crisisdesk.desk.handovers import read_handover
    from crisisdesk.reports.handover import HEADS

    detail = read_handover(context.open_store(), arguments.handover, now=context.now())
    if context.json:
        show_json(context, {"handover": detail.row, "lines": detail.lines})
        return 0
    shown = ("patient", "phones", "service", "what", "original", "priority", "promises")
    rows = [
        {"number": line.number, **{name: line.content.get(name, "") for name in shown},
         "answer": _(STATES[line.state]), "by": line.answered_by, "note": line.note}
        for line in detail.lines
    ]  # fmt: skip
    headings = {"number": _("no."), **{name: _(HEADS[name]) for name in shown}}
    headings |= {"answer": _("answer"), "by": _("by"), "note": _("note")}
    show_table(context, headings, rows)
    say(context, _("SHA-256 of the content {hash}").format(hash=detail.row.sha256))
    return 0


def _numbers(context: Context, arguments: Namespace) -> tuple[int, ...]:
    from crisisdesk.desk.acknowledging import chosen_numbers

    return chosen_numbers(context.open_store(), arguments.handover, arguments.lines)


def answer_some(arguments: Namespace, context: Context) -> int:
    """Write answers down."""
    from crisisdesk.desk.acknowledging import answer_lines

    state = HandoverState(arguments.state)
    answered = answer_lines(
        context.open_store(), arguments.handover, _numbers(context, arguments), state, answered_by=arguments.by,
        note=arguments.note, agent=context.agent(), now=context.now(),
    )  # fmt: skip
    _show_answered(context, answered, state)
    return 0


def undo_some(arguments: Namespace, context: Context) -> int:
    """Take answers back."""
    from crisisdesk.desk.acknowledging import take_back

    answered = take_back(
        context.open_store(), arguments.handover, _numbers(context, arguments), reason=arguments.reason,
        agent=context.agent(), now=context.now(),
    )  # fmt: skip
    _show_answered(context, answered, HandoverState.OFFERED)
    return 0


def _show_answered(context: Context, answered: "Answered", state: HandoverState) -> None:
    from crisisdesk.desk.acknowledging import answered_words

    show_json(context, answered) if context.json else say(context, answered_words(answered, state))


def export_one(arguments: Namespace, context: Context) -> int:
    """Write the signed list to a file."""
    from crisisdesk.desk.handovers import read_handover
    from crisisdesk.reports.handover import FORMATS, export_handover

    target = Path(arguments.file)
    form = target.suffix.removeprefix(".").lower()
    if form not in FORMATS:
        raise RuleBroken(_("Name a file that ends in .pdf or .csv."))
    detail = read_handover(context.open_store(), arguments.handover, now=context.now())
    count = export_handover(
        context.open_store(), detail.signed, form=form, target=target, zone=context.reference().desk.time_zone,
        login=context.agent().login, now=context.now(), overwrite=arguments.force,
    )  # fmt: skip
    say(context, _("{count} lines written to {path}").format(count=count, path=target))
    return 0


def verify_one(arguments: Namespace, context: Context) -> int:
    """Compare a file with the desk: 0 where it is the signed list, 1 where it is not."""
    from crisisdesk.reports.handover import verify_file

    verdict = verify_file(context.open_store(), Path(arguments.file).read_bytes())
    if context.json:
        show_json(context, verdict)
    elif verdict.is_genuine:
        words = _("This is handover {number} as it was signed: {count} lines, SHA-256 {hash}.")
        say(context, words.format(number=verdict.handover_id, count=verdict.lines, hash=verdict.sha256))
    else:
        say(context, _("This is not handover {number} as it was signed:").format(number=verdict.handover_id))
        for fault in verdict.faults:
            say(context, f"- {fault}")
    return 0 if verdict.is_genuine else 1


def close_all(arguments: Namespace, context: Context) -> int:
    """Close the desk, or only say what that would hand over."""
    from crisisdesk.desk.closing import close_desk, preview_closing

    store, now = context.open_store(), context.now()
    if arguments.preview:
        seen = preview_closing(store, now=now)
        if context.json:
            show_json(context, seen)
            return 0
        _show_offers(context, seen.offers)
        say(context, _("Patients who only asked to be rung: {count}").format(count=seen.asked))
        if seen.ringing:
            say(context, _("Ringing now, and may end their call: {names}").format(names=", ".join(seen.ringing)))
        return 0
    closed = close_desk(store, reason=arguments.reason, agent=context.agent(), now=now)
    if context.json:
        show_json(context, closed)
        return 0
    words = _("The desk is closed. Lines: {count}; lists: {lists}. Nobody is rung any more; calls are still taken.")
    say(context, words.format(count=closed.count, lists=len(closed.handovers)))
    return 0


def reopen_all(arguments: Namespace, context: Context) -> int:
    """Open the desk again."""
    from crisisdesk.desk.closing import reopen_desk

    count = reopen_desk(context.open_store(), reason=arguments.reason, agent=context.agent(), now=context.now())
    if context.json:
        show_json(context, {"open": count})
    else:
        say(context, _("The desk is open: {count} postponements are in their queues again.").format(count=count))
    return 0
