"""`crisisdesk queue`, `attempt` and `callback`: who is rung next and why, and how each attempt ended."""

from argparse import Namespace
from collections.abc import Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

from crisisdesk.cli.context import Context
from crisisdesk.cli.held import add_actions
from crisisdesk.cli.output import say, show_json, show_record, show_table
from crisisdesk.cli.parser import Subparsers
from crisisdesk.clock import local_day
from crisisdesk.errors import RuleBroken
from crisisdesk.i18n import _, labelled

if TYPE_CHECKING:
    from crisisdesk.desk.attempts import ItemResult
    from crisisdesk.desk.callbacks import QueueRow
    from crisisdesk.desk.cards import CallbackCard
    from crisisdesk.domain.wishes import Wish


def add_parser(subparsers: Subparsers) -> None:
    """Add `queue`, `attempt` and `callback`."""
    _add_queue(subparsers)
    _add_attempt(subparsers)
    _add_callback(subparsers)


def _add_queue(subparsers: Subparsers) -> None:
    queue = subparsers.add_parser(
        "queue",
        help=_("a site's callbacks in their order, or the next one to ring"),
        description=_("'queue SITE' lists; 'queue next SITE' takes the first that may be rung and shows its card."),
    )
    queue.add_argument("words", nargs="+", metavar=_("SITE"), help=_("a site, or 'next' and a site"))
    queue.add_argument("--limit", type=int, default=50, metavar="N", help=_("lines shown (default 50)"))
    queue.add_argument("--only", default="", metavar=_("REASON"), help=_("only lines of one reason, such as ready"))
    queue.set_defaults(run=show_queue)


def _add_attempt(subparsers: Subparsers) -> None:
    attempt = subparsers.add_parser("attempt", help=_("record how an attempt to ring a patient ended"))
    attempt.add_argument("callback", type=int, metavar=_("CALLBACK"))
    attempt.add_argument("disposition", metavar=_("DISPOSITION"))
    attempt.add_argument("--note", default="", help=_("what was said"))
    attempt.add_argument("--at", default="", metavar=_("WHEN"), help=_("when the patient wants to be rung"))
    attempt.add_argument(
        "--item", action="append", default=[], metavar="ID=CODE", help=_("what was settled for one item")
    )
    attempt.add_argument(
        "--slot", action="append", default=[], metavar=_("DAY"), help=_("day accepted: DAY, or ID=DAY")
    )
    attempt.add_argument("--number", default="", help=_("the number that was rung, if not the one of the card"))
    attempt.add_argument(
        "--read-out", action="store_true", help=_("the instruction on the card was read to the patient")
    )
    attempt.add_argument("--uid", default="", help=_("key of this attempt: the same one twice is stored once"))
    attempt.add_argument("--preview", action="store_true", help=_("only say what it would lead to"))
    attempt.set_defaults(run=record)


def _add_callback(subparsers: Subparsers) -> None:
    callback = subparsers.add_parser("callback", help=_("show, explain, take or give back one callback"))
    actions = callback.add_subparsers(title=_("commands"), metavar=_("COMMAND"), required=True)
    for name, run, words in (
        ("show", show_card, _("the card; nothing is held")),
        ("explain", show_why, _("why it stands where it stands, and what keeps it out")),
        ("take", take_one, _("hold it and show its card")),
        ("release", release, _("give it back without having rung; supervisors: also another's")),
    ):
        action = actions.add_parser(name, help=words)
        action.add_argument("callback", type=int, metavar=_("CALLBACK"))
        action.set_defaults(run=run)
        if name == "release":
            action.add_argument("--reason", default="", help=_("why nobody was rung"))
    add_actions(actions)


def site_id_of(context: Context, text: str) -> str:
    """The id of a site named by its id or its name, in any case.

    Raises:
        RuleBroken: no such site.
    """
    sites = context.reference().sites
    for site in sites.values():
        if text.casefold() in (site.site_id.casefold(), site.name.casefold()):
            return site.site_id
    raise RuleBroken(_("There is no site '{site}'. Sites: {sites}.").format(site=text, sites=", ".join(sites)))


def show_queue(arguments: Namespace, context: Context) -> int:
    """List a site's queue, or take its first callback that may be rung."""
    from crisisdesk.desk.callbacks import list_queue
    from crisisdesk.desk.wording import reason_words

    words = list(arguments.words)
    if words[0] == "next" and len(words) == 2:
        return take_first(words[1], context)
    if len(words) != 1:
        raise RuleBroken(_("Name one site: crisisdesk queue SITE, or crisisdesk queue next SITE."))
    site_id, store = site_id_of(context, words[0]), context.open_store()
    _check_reason(arguments.only)
    queue = list_queue(store, site_id, now=context.now(), limit=arguments.limit, only=arguments.only)
    if context.json:
        show_json(context, queue)
        return 0
    headings = {
        "position": _("No."), "callback": _("callback"), "patient": _("patient"), "about": _("about"),
        "why_here": _("why here"), "why_not": _("why not now"),
    }  # fmt: skip
    show_table(context, headings, [_queue_line(row) for row in queue.rows], empty=_("This site has no open callback."))
    counts = ", ".join(labelled(reason_words(code), count) for code, count in sorted(queue.counts.items()))
    say(context, _("{open} open ({counts}); {hidden} not shown; {closed} closed today.").format(
        open=queue.open, counts=counts or "0", hidden=queue.hidden, closed=queue.closed_today))  # fmt: skip
    return 0


def _check_reason(code: str) -> None:
    from crisisdesk.desk.queue import REASONS

    if code and code not in REASONS:
        known = ", ".join(REASONS)
        raise RuleBroken(_("'{code}' is no reason of a queue. Known: {known}.").format(code=code, known=known))


def _queue_line(row: "QueueRow") -> dict[str, object]:
    return {
        "position": row.position, "callback": row.callback_id, "patient": row.patient, "about": row.about,
        "why_here": row.why_here, "why_not": row.why_not or _("may be rung now"),
    }  # fmt: skip


def take_first(site: str, context: Context) -> int:
    """Take the first callback of a site that may be rung; 0 also when there is none (the sentence says why)."""
    from crisisdesk.desk.callbacks import NothingNow, take_next

    answer = take_next(context.open_store(), site_id_of(context, site), agent=context.agent(), now=context.now())
    if isinstance(answer, NothingNow):
        if context.json:
            show_json(context, {"nothing": answer.reason, "words": answer.words, "until": answer.until})
        else:
            say(context, answer.words)
        return 0
    _show(answer, context)
    return 0


def take_one(arguments: Namespace, context: Context) -> int:
    """Hold one callback and show its card."""
    from crisisdesk.desk.callbacks import take

    _show(take(context.open_store(), arguments.callback, agent=context.agent(), now=context.now()), context)
    return 0


def show_card(arguments: Namespace, context: Context) -> int:
    """Show a card without holding it."""
    from crisisdesk.desk.callbacks import open_card

    _show(open_card(context.open_store(), arguments.callback, agent=context.agent(), now=context.now()), context)
    return 0


def _show(card: "CallbackCard", context: Context) -> None:
    from crisisdesk.desk.callbacks import about_words
    from crisisdesk.desk.wording import day_words, long_day, moment_words
    from crisisdesk.domain.phone import group_phone

    if context.json:
        show_json(context, card)
        return
    reference, zone = context.reference(), context.reference().desk.time_zone
    region = reference.desk.country
    items = [
        f"{item.postponement_id}: {about_words(item, reference)}, {long_day(item.original_on)}"
        + ("" if item.is_unsettled else " ✓")
        for item in card.items
    ]
    offers = [
        f"{number}: {', '.join(day_words(slot.slot_on) for slot in slots)}"
        for number, slots in card.offers.items()
        if slots
    ]
    record = {
        "callback": card.callback_id, "number": group_phone(card.number, region) if card.number else _("no number"),
        "patient": card.patient, "born": long_day(card.birth_on) if card.birth_on else "", "items": items,
        "offers": offers, "why": card.why_here, "why_not": card.why_not,
        "instruction": card.instruction.words if card.instruction else "", "voicemail": card.voicemail_words,
        "proof": card.proof_words, "tell": card.tell_words, "script": list(card.script), "note": card.note,
        "elsewhere": [
            f"{item.postponement_id}: {about_words(item, reference)}, {card.site_of(item)}"
            for item in card.others_items
        ],
        "history": [
            labelled(f"{moment_words(line.at, zone)} {line.by}", f"{line.words} {line.note}") for line in card.history
        ],
    }  # fmt: skip
    headings = {
        "callback": _("callback"), "number": _("number to ring"), "patient": _("ask for"), "born": _("born"),
        "items": _("put off"), "offers": _("free days"), "why": _("why here"), "why_not": _("why not now"),
        "instruction": _("instruction"), "voicemail": _("voicemail"), "proof": _("proof"),
        "tell": _("others"), "script": _("first words"), "elsewhere": _("at other sites"), "note": _("wish"),
        "history": _("said before"),
    }  # fmt: skip
    show_record(context, headings, record)


def show_why(arguments: Namespace, context: Context) -> int:
    """Explain one line of a queue."""
    from crisisdesk.desk.callbacks import explain
    from crisisdesk.desk.wording import moment_words

    found = explain(context.open_store(), arguments.callback, now=context.now())
    if context.json:
        show_json(context, found)
        return 0
    headings = {
        "position": _("No."),
        "why": _("why here"),
        "released": _("may be rung because"),
        "why_not": _("why not now"),
        "earliest": _("may be rung from"),
        "notes": _("to be known"),
    }
    record = {
        "position": found.row.position, "why": found.row.why_here, "released": found.released,
        "why_not": found.why_not or _("may be rung now"), "notes": found.row.notes,
        "earliest": moment_words(found.earliest, context.reference().desk.time_zone) if found.earliest else "",
    }  # fmt: skip
    show_record(context, headings, record)
    return 0


def release(arguments: Namespace, context: Context) -> int:
    """Give a callback back; a supervisor also one that another agent holds."""
    from crisisdesk.desk.callbacks import open_card, release_lease, take_over

    store, agent, now = context.open_store(), context.agent(), context.now()
    card = open_card(store, arguments.callback, agent=agent, now=now)
    if card.lease is not None:
        release_lease(store, card.lease, arguments.reason, agent=agent, now=now)
    else:
        take_over(store, arguments.callback, agent=agent, now=now)
    say(context, _("Callback {number} is back in the queue.").format(number=arguments.callback))
    return 0


def record(arguments: Namespace, context: Context) -> int:
    """Record an attempt; the callback is taken first where the agent does not hold it."""
    from uuid import uuid4

    from crisisdesk.desk.attempts import AttemptForm, preview, record_attempt
    from crisisdesk.desk.callbacks import take

    store, now, agent = context.open_store(), context.now(), context.agent()
    asked = asked_moment(arguments.at, context)
    if arguments.preview:
        seen = preview(store, arguments.callback, arguments.disposition, now=now, number=arguments.number, asked=asked)
        show_json(context, seen) if context.json else say(context, seen.words)
        return 0
    card = take(store, arguments.callback, agent=agent, now=now)
    assert card.lease is not None, "take gives a lease or raises"
    unsettled = [item.postponement_id for item in card.items if item.is_unsettled]
    form = AttemptForm(
        uid=arguments.uid or uuid4().hex, callback_id=arguments.callback, generation=card.lease.generation,
        disposition=arguments.disposition, number=arguments.number or card.number, started_at=now,
        note=arguments.note, asked=asked, items=items_said(arguments, unsettled, context),
        instruction_id=card.instruction.instruction_id if card.instruction else None, was_read_out=arguments.read_out,
    )  # fmt: skip
    done = record_attempt(store, form, agent=agent, now=now)
    show_json(context, done) if context.json else say(context, done.words)
    return 0


def asked_moment(text: str, context: Context) -> "Wish | None":
    """When the patient wants to be rung, as typed; None for an empty text.

    Raises:
        RuleBroken: it is not understood.
    """
    from crisisdesk.domain.wishes import DayHours, read_wish

    if not text:
        return None
    desk = context.reference().desk
    wish = read_wish(text, now=context.now(), hours=DayHours(desk.time_zone, desk.calls_from, desk.calls_until))
    if not wish.is_understood:
        raise RuleBroken(
            _("'{text}' is not understood as a moment. Try: tomorrow morning, 03/06 14h.").format(text=text)
        )
    return wish


def items_said(arguments: Namespace, unsettled: Sequence[int], context: Context) -> Mapping[int, "ItemResult"]:
    """What was settled for each item, from --item ID=CODE and --slot [ID=]DAY; a day alone is that of all unsettled."""
    from crisisdesk.desk.attempts import ItemResult

    codes: dict[int, str] = {}
    for text in arguments.item:
        number, _sign, code = text.partition("=")
        codes[_number(number)] = code
    days: dict[int, date] = {}
    for text in arguments.slot:
        number, sign, day = text.rpartition("=")
        for key in [_number(number)] if sign else unsettled:
            days[key] = _day(day, context)
    return {key: ItemResult(codes.get(key, "accepts_date"), days.get(key)) for key in (*codes, *days)}


def _number(text: str) -> int:
    if not text.strip().isdecimal():
        raise RuleBroken(_("'{text}' is no number of an item. 'callback show' lists them.").format(text=text))
    return int(text)


def _day(text: str, context: Context) -> date:
    day = read_day(text, context)
    if day is None:
        raise RuleBroken(_("'{text}' is no day. Try 2022-06-03, 03/06 or +3.").format(text=text))
    return day


def read_day(text: str, context: Context) -> date | None:
    """A day as people type it: 2022-06-03, 03/06, +3, tomorrow; None where it is none."""
    from crisisdesk.domain.dates import read_typed_date

    today = local_day(context.now(), context.reference().desk.time_zone)
    found: Any = read_typed_date(text, today)
    return found if isinstance(found, date) else None
