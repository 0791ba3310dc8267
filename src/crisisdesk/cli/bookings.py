"""`crisisdesk booking ...`: a service's days, who was told one, what comes free; the plain twin of the screen."""

from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING

from crisisdesk.cli.context import Context
from crisisdesk.cli.openingjobs import service_id_of
from crisisdesk.cli.output import say, show_json, show_table
from crisisdesk.cli.parser import Subparsers
from crisisdesk.cli.queue import read_day, site_id_of
from crisisdesk.errors import RuleBroken
from crisisdesk.i18n import _, ngettext

if TYPE_CHECKING:
    from datetime import date

    from crisisdesk.desk.cancelling import Freed


def add_parser(subparsers: Subparsers) -> None:
    """Add `booking`."""
    booking = subparsers.add_parser("booking", help=_("places given on a day: list, offer, cancel, move, came or not"))
    actions = booking.add_subparsers(title=_("commands"), metavar=_("COMMAND"), required=True)
    listing = actions.add_parser("list", help=_("the days of a service, or who was told one of them"))
    _service_arguments(listing)
    listing.add_argument("--day", default="", metavar=_("DAY"), help=_("who was told this day; 'past': not confirmed"))
    listing.set_defaults(run=list_bookings)
    reserve = actions.add_parser("reserve", help=_("who comes at short notice"))
    _service_arguments(reserve)
    reserve.set_defaults(run=list_in_reserve)
    offer = actions.add_parser("offer", help=_("the first days that fit one postponement, and why no earlier one"))
    offer.add_argument("postponement", type=int, metavar=_("POSTPONEMENT"))
    offer.add_argument("--count", type=int, default=3, metavar="N", help=_("days at most (default 3)"))
    offer.set_defaults(run=offer_days)
    _add_changes(actions)
    _add_asked(actions)


def _service_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("site", metavar=_("SITE"))
    parser.add_argument("service", metavar=_("SERVICE"), help=_("code of a service, such as surgery"))


def _add_changes(actions: Subparsers) -> None:
    for name, run, words in (
        ("cancel", cancel, _("take a told place back; it goes to the reserve list at once")),
        ("move", move, _("another day, agreed with the patient")),
        ("missed", missed, _("the patient did not come: owed a call again")),
    ):
        action = actions.add_parser(name, help=words)
        action.add_argument("booking", type=int, metavar=_("BOOKING"))
        action.add_argument("--by", choices=["patient", "service"], required=True, help=_("whose doing it is"))
        action.add_argument("--reason", default="", help=_("the journal keeps it"))
        action.set_defaults(run=run)
        if name == "cancel":
            action.add_argument(
                "--gives-up", action="store_true", help=_("wants no date any more: a clinician decides")
            )
        if name == "move":
            action.add_argument("day", metavar=_("DAY"))
    done = actions.add_parser("done", help=_("the patients came: their postponements are done"))
    done.add_argument("bookings", type=int, nargs="+", metavar=_("BOOKING"))
    done.set_defaults(run=came)


def _add_asked(actions: Subparsers) -> None:
    ask = actions.add_parser("ask", help=_("which days suit, short notice, what it takes one of"))
    ask.add_argument("postponement", type=int, metavar=_("POSTPONEMENT"))
    ask.add_argument(
        "--days", default=None, metavar=_("WORDS"), help=_("'après le 12/06', 'lundi ou mardi'; '' for any")
    )
    ask.add_argument("--short-notice", choices=["yes", "no"], default=None, help=_("on the reserve list"))
    ask.add_argument("--needs", default=None, metavar=_("CODES"), help=_("'implant,isolation', 'none', or 'words'"))
    ask.add_argument("--reason", default="", help=_("who decided what it needs, and why"))
    ask.set_defaults(run=ask_of_day)


def _day(text: str, context: Context) -> "date":
    day = read_day(text, context)
    if day is None:
        raise RuleBroken(_("'{text}' is no day. Try 2022-06-03, 03/06 or +3.").format(text=text))
    return day


def list_bookings(arguments: Namespace, context: Context) -> int:
    """The days of a service, or the people of one day."""
    from crisisdesk.desk.diary import read_diary
    from crisisdesk.desk.wording import day_words

    store, now = context.open_store(), context.now()
    service_id = service_id_of(context, site_id_of(context, arguments.site), arguments.service)
    if arguments.day:
        return _list_told(service_id, arguments.day, context)
    diary = read_diary(store, service_id, now=now)
    if context.json:
        show_json(context, diary)
        return 0
    rows = [
        {
            "day": day_words(line.day), "places": line.capacity, "told": line.told, "free": line.free,
            "limits": line.limits_words, "kept": line.kept or None,
            "note": _("did they come?") if line.is_past else "",
        }
        for line in diary.days
    ]  # fmt: skip
    headings = {
        "day": _("day"), "places": _("places"), "told": _("told"), "free": _("free"), "limits": _("used of"),
        "kept": _("kept for the reserve"), "note": _("note"),
    }  # fmt: skip
    show_table(context, headings, rows, empty=_("This service takes nobody on the coming days."))
    say(context, ngettext("{count} in reserve", "{count} in reserve", diary.reserve).format(count=diary.reserve))
    return 0


def _list_told(service_id: int, text: str, context: Context) -> int:
    from crisisdesk.desk.diary import told_on
    from crisisdesk.desk.wording import day_words, moment_words
    from crisisdesk.domain.phone import group_phone

    day = None if text == "past" else _day(text, context)
    lines = told_on(context.open_store(), service_id, day, now=context.now())
    if context.json:
        show_json(context, lines)
        return 0
    desk = context.reference().desk
    rows = [
        {
            "booking": line.booking_id, "day": day_words(line.slot_on), "patient": line.patient,
            "code": line.priority or "", "number": group_phone(line.number, desk.country) if line.number else "",
            "about": line.procedure, "needs": line.needs_words,
            "told": f"{moment_words(line.told_at, desk.time_zone)} {line.told_by}",
        }
        for line in lines
    ]  # fmt: skip
    headings = {
        "booking": _("booking"), "day": _("day"), "patient": _("patient"), "code": _("code"), "number": _("number"),
        "about": _("about"), "needs": _("takes one of"), "told": _("told"),
    }  # fmt: skip
    show_table(context, headings, rows, empty=_("Nobody was told a place there."))
    return 0


def list_in_reserve(arguments: Namespace, context: Context) -> int:
    """Who comes at short notice, in the order in which they are asked."""
    from crisisdesk.desk.diary import list_reserve
    from crisisdesk.desk.wording import long_day

    service_id = service_id_of(context, site_id_of(context, arguments.site), arguments.service)
    lines = list_reserve(context.open_store(), service_id, now=context.now())
    if context.json:
        show_json(context, lines)
        return 0
    rows = [
        {
            "callback": line.callback_id, "postponement": line.postponement_id, "patient": line.patient,
            "code": line.priority or "", "was": long_day(line.original_on), "needs": line.needs_words,
            "wish": line.wish_words, "state": line.state,
        }
        for line in lines
    ]  # fmt: skip
    headings = {
        "callback": _("callback"), "postponement": _("postponement"), "patient": _("patient"), "code": _("code"),
        "was": _("was on"), "needs": _("takes one of"), "wish": _("days that suit"), "state": _("now"),
    }  # fmt: skip
    show_table(context, headings, rows, empty=_("Nobody comes at short notice."))
    return 0


def offer_days(arguments: Namespace, context: Context) -> int:
    """The first days that fit, each with why no earlier one."""
    from crisisdesk.desk.booking import offer_for
    from crisisdesk.desk.slotwords import left_out_words
    from crisisdesk.desk.wording import day_words

    slots = offer_for(context.open_store(), arguments.postponement, now=context.now(), count=arguments.count)
    if context.json:
        show_json(context, slots)
        return 0
    rows = [
        {
            "day": day_words(slot.slot_on), "free": slot.free,
            "why": left_out_words(slot.left_out, context.reference()),
        }
        for slot in slots
    ]  # fmt: skip
    headings = {"day": _("day"), "free": _("free"), "why": _("no earlier day because")}
    show_table(context, headings, rows, empty=_("No day fits: the service takes nobody, or no day suits."))
    return 0


def cancel(arguments: Namespace, context: Context) -> int:
    """Take a told place back."""
    from crisisdesk.desk.cancelling import AskedBy, Wants, cancel_booking

    wants = Wants.GIVES_UP if arguments.gives_up else Wants.ANOTHER_DATE
    freed = cancel_booking(
        context.open_store(), arguments.booking, asked_by=AskedBy(arguments.by), reason=arguments.reason, wants=wants,
        agent=context.agent(), now=context.now(),
    )  # fmt: skip
    return _told(freed, context)


def move(arguments: Namespace, context: Context) -> int:
    """Give another day."""
    from crisisdesk.desk.cancelling import AskedBy, move_booking

    freed = move_booking(
        context.open_store(), arguments.booking, _day(arguments.day, context), asked_by=AskedBy(arguments.by),
        reason=arguments.reason, agent=context.agent(), now=context.now(),
    )  # fmt: skip
    return _told(freed, context)


def missed(arguments: Namespace, context: Context) -> int:
    """The patient did not come."""
    from crisisdesk.desk.cancelling import AskedBy, mark_not_come

    freed = mark_not_come(
        context.open_store(), arguments.booking, cause=AskedBy(arguments.by), reason=arguments.reason,
        agent=context.agent(), now=context.now(),
    )  # fmt: skip
    return _told(freed, context)


def _told(freed: "Freed", context: Context) -> int:
    show_json(context, freed) if context.json else say(context, freed.words)
    return 0


def came(arguments: Namespace, context: Context) -> int:
    """The patients came."""
    from crisisdesk.desk.cancelling import mark_done

    count = mark_done(context.open_store(), arguments.bookings, agent=context.agent(), now=context.now())
    if context.json:
        show_json(context, {"done": count})
    else:
        say(context, ngettext("{count} place done.", "{count} places done.", count).format(count=count))
    return 0


def ask_of_day(arguments: Namespace, context: Context) -> int:
    """Store what a patient asks of a day, and show what holds then."""
    from crisisdesk.desk.asking import asked_by_patient, set_needs, set_reserve, set_wish
    from crisisdesk.desk.slotwords import asked_words

    store, number = context.open_store(), arguments.postponement
    if arguments.needs is not None:
        said = [] if arguments.needs == "none" else [code for code in arguments.needs.split(",") if code]
        codes = None if arguments.needs == "words" else said
        set_needs(store, number, codes, reason=arguments.reason, agent=context.agent(), now=context.now())
    if arguments.days is not None:
        set_wish(store, number, arguments.days, agent=context.agent(), now=context.now())
    if arguments.short_notice is not None:
        set_reserve(store, number, arguments.short_notice == "yes", agent=context.agent(), now=context.now())
    asked = asked_by_patient(store, number)
    if context.json:
        show_json(context, {"needs": asked.needs, "wish": asked.wish.as_detail(), "is_reserve": asked.is_reserve})
    else:
        say(context, asked_words(asked, context.reference()) or _("Any day suits."))
    return 0
