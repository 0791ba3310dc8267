"""`crisisdesk callback held|used|contacts|decide|unplaced|place`: what waits for a person before anybody rings."""

from argparse import Namespace
from typing import TYPE_CHECKING

from crisisdesk.cli.context import Context
from crisisdesk.cli.output import say, show_json, show_table
from crisisdesk.cli.seen import add_seen, read_seen, telling_conflicts
from crisisdesk.domain.words import Channel, MayTell
from crisisdesk.errors import RuleBroken
from crisisdesk.i18n import _

if TYPE_CHECKING:
    from crisisdesk.cli.parser import Subparsers
    from crisisdesk.desk.unplaced import UnplacedItem


def add_actions(actions: "Subparsers") -> None:
    """Add the actions to `callback`."""
    held = actions.add_parser("held", help=_("what waits for a clinician, a number or the confirmation of a death"))
    held.add_argument("site", nargs="?", metavar=_("SITE"))
    held.add_argument("--channel", choices=[*Channel], help=_("only those for whom this is done: the letters to write"))
    held.add_argument("--csv", action="store_true", help=_("with --channel: a list for a spreadsheet or a mail merge"))
    held.set_defaults(run=show_held)
    used = actions.add_parser("used", help=_("write down that the letter was sent, the GP or the next of kin told"))
    used.add_argument("callback", type=int, metavar=_("CALLBACK"))
    used.add_argument("--name", required=True, metavar=_("NAME"), help=_("who sent it, or who was told"))
    used.add_argument("--note", default="", metavar=_("WORDS"))
    used.add_argument("--on", default="", metavar=_("DAY"), help=_("the day on which it was done; else today"))
    used.set_defaults(run=use_one)
    _add_contacts(actions)
    decide = actions.add_parser("decide", help=_("write down a clinician's decision of a held one (supervisors)"))
    decide.add_argument("callback", type=int, metavar=_("CALLBACK"))
    decide.add_argument("decision", choices=["resume", "close"], help=_("rung again in its place, or settled"))
    decide.add_argument("--clinician", required=True, metavar=_("NAME"), help=_("who decided"))
    decide.add_argument("--reason", required=True, metavar=_("WORDS"), help=_("why; the journal keeps it"))
    decide.set_defaults(run=decide_one)
    dropped = actions.add_parser("dropped", help=_("say whether what a list no longer has still waits (supervisors)"))
    dropped.add_argument("callback", type=int, metavar=_("CALLBACK"))
    dropped.add_argument("decision", choices=["waits", "ends"], help=_("the list forgot it, or nobody rings for it"))
    dropped.add_argument("--by", required=True, metavar=_("NAME"), help=_("who decided"))
    dropped.add_argument("--reason", required=True, metavar=_("WORDS"), help=_("why; the journal keeps it"))
    dropped.set_defaults(run=decide_dropped_one)
    unplaced = actions.add_parser("unplaced", help=_("postponements in no queue: no site, service or callback"))
    unplaced.set_defaults(run=show_unplaced)
    place = actions.add_parser("place", help=_("give a postponement its site and service (supervisors)"))
    place.add_argument("postponement", type=int, metavar=_("POSTPONEMENT"))
    place.add_argument("site", metavar=_("SITE"))
    place.add_argument("service", metavar=_("SERVICE"), help=_("code of a service, such as surgery"))
    place.set_defaults(run=place_one)


def _add_contacts(actions: "Subparsers") -> None:
    contacts = actions.add_parser("contacts", help=_("whom one may speak to about the patient of a callback"))
    contacts.add_argument("callback", type=int, metavar=_("CALLBACK"))
    contacts.add_argument("--may-tell", choices=[*MayTell], help=_("what may be said to others who answer"))
    contacts.add_argument("--who", metavar=_("NAME"), help=_("the one person who may be told"))
    contacts.add_argument("--gp", metavar=_("NAME"), help=_("general practitioner"))
    contacts.add_argument("--next-of-kin", metavar=_("NAME"), help=_("next of kin"))
    add_seen(contacts)
    contacts.set_defaults(run=note_contacts)


def show_held(arguments: Namespace, context: Context) -> int:
    """List the callbacks on hold."""
    from crisisdesk.cli.queue import site_id_of
    from crisisdesk.desk.reviews import list_held
    from crisisdesk.desk.wording import moment_words

    site_id = site_id_of(context, arguments.site) if arguments.site else None
    if arguments.channel or arguments.csv:
        return _show_channel(Channel(arguments.channel) if arguments.channel else None, site_id, arguments.csv, context)
    rows = list_held(context.open_store(), site_id, now=context.now())
    if context.json:
        show_json(context, rows)
        return 0
    zone = context.reference().desk.time_zone
    headings = {
        "callback": _("callback"), "site": _("site"), "patient": _("patient"), "waits_for": _("waits"),
        "since": _("since"), "said": _("last contact"), "note": _("words"),
    }  # fmt: skip
    lines = [
        {
            "callback": row.callback_id, "site": row.site_id, "patient": row.patient, "waits_for": row.waits_for,
            "since": moment_words(row.said_at, zone) if row.said_at else "", "said": row.said, "note": row.note,
        }
        for row in rows
    ]  # fmt: skip
    show_table(context, headings, lines, empty=_("Nothing waits for a decision."))
    return 0


def _show_channel(channel: Channel | None, site_id: str | None, is_csv: bool, context: Context) -> int:
    """The letters to write: nothing medical on the envelope, nothing but the public number inside."""
    from crisisdesk.desk.channels import list_channel
    from crisisdesk.desk.wording import review_words
    from crisisdesk.reports.files import csv_text

    rows = list_channel(context.open_store(), channel, site_id)
    headings = {
        "callback": _("callback"), "patient": _("patient"), "postcode": _("postcode"), "town": _("town"),
        "language": _("language"), "todo": _("to do"), "whom": _("whom"), "number": _("public number"),
        "may_say": _("what may be said"),
    }  # fmt: skip
    lines: list[dict[str, str | int]] = [
        {
            "callback": row.callback_id, "patient": row.patient, "postcode": row.postcode, "town": row.town,
            "language": row.language, "todo": review_words(row.channel), "whom": row.whom,
            "number": row.public_number, "may_say": row.may_say,
        }
        for row in rows
    ]  # fmt: skip
    if context.json:
        show_json(context, rows)
    elif is_csv:
        table: list[list[str | int]] = [[*headings.values()], *([*line.values()] for line in lines)]
        context.out.write(csv_text(table).decode())
    else:
        show_table(context, headings, lines, empty=_("Nothing is to be done besides the telephone."))
    return 0


def use_one(arguments: Namespace, context: Context) -> int:
    """Write down that a channel besides the telephone was used."""
    from crisisdesk.cli.queue import read_day
    from crisisdesk.desk.channels import use_channel

    day = read_day(arguments.on, context) if arguments.on else None
    if arguments.on and day is None:
        raise RuleBroken(_("'{text}' is no day. Try 2022-06-03, 03/06 or +3.").format(text=arguments.on))
    done = use_channel(
        context.open_store(), arguments.callback, name=arguments.name, note=arguments.note, used_on=day,
        agent=context.agent(), now=context.now(),
    )  # fmt: skip
    show_json(context, done) if context.json else say(context, done.words)
    return 0


def note_contacts(arguments: Namespace, context: Context) -> int:
    """Note who may be told, the general practitioner, the next of kin."""
    from crisisdesk.desk.callbacks import open_card
    from crisisdesk.desk.contacts import set_contacts

    store, agent, now = context.open_store(), context.agent(), context.now()
    card = open_card(store, arguments.callback, agent=agent, now=now)
    may_tell = MayTell(arguments.may_tell) if arguments.may_tell else MayTell.NAMED if arguments.who else None
    seen = read_seen(arguments.seen, ("may_tell", "may_tell_who", "gp", "next_of_kin"))
    with telling_conflicts(context):
        changed = set_contacts(
            store, card.patient_id, may_tell=may_tell, may_tell_who=arguments.who, gp=arguments.gp,
            next_of_kin=arguments.next_of_kin, agent=agent, now=now, seen=seen,
        )  # fmt: skip
    rows = [{"field": name, "old": old, "new": new} for name, (old, new) in changed.items()]
    headings = {"field": _("Field"), "old": _("Old"), "new": _("New")}
    show_table(context, headings, rows, empty=_("Nothing was different."))
    return 0


def decide_one(arguments: Namespace, context: Context) -> int:
    """Write a clinician's decision down."""
    from crisisdesk.desk.reviews import Decision, decide_review

    decision = Decision(arguments.decision)
    decide_review(
        context.open_store(), arguments.callback, decision, clinician=arguments.clinician, reason=arguments.reason,
        agent=context.agent(), now=context.now(),
    )  # fmt: skip
    words = _("Callback {number} may be rung again.") if decision == Decision.RESUME else _("Callback {number} ends.")
    say(context, words.format(number=arguments.callback))
    return 0


def decide_dropped_one(arguments: Namespace, context: Context) -> int:
    """Write down what becomes of what a list no longer has."""
    from crisisdesk.desk.dropping import Dropped, decide_dropped

    is_closed = decide_dropped(
        context.open_store(), arguments.callback, Dropped(arguments.decision), clinician=arguments.by,
        reason=arguments.reason, agent=context.agent(), now=context.now(),
    )  # fmt: skip
    say(context, _("Stored: nobody rings for it any more.") if is_closed else _("Stored: it waits in its place."))
    return 0


def show_unplaced(arguments: Namespace, context: Context) -> int:
    """List the postponements that are in no queue."""
    from crisisdesk.desk.unplaced import list_unplaced

    found = list_unplaced(context.open_store(), now=context.now())
    if context.json:
        show_json(context, found)
        return 0
    headings = {
        "item": _("item"), "patient": _("patient"), "site": _("site"), "about": _("about"), "day": _("was on"),
        "code": _("code"),
    }  # fmt: skip
    show_table(context, headings, [_line(item) for item in found.items], empty=_("Every postponement is in a queue."))
    if found.count > len(found.items):
        say(context, _("{count} in all.").format(count=found.count))
    return 0


def _line(item: "UnplacedItem") -> dict[str, object]:
    from crisisdesk.desk.wording import long_day, patient_name

    about = (item.service_name or item.kind or "", item.procedure, item.clinician)
    return {
        "item": item.postponement_id, "patient": patient_name(item.last_name, item.first_name, item.full_name),
        "site": item.site_id or "", "about": ", ".join(filter(None, about)), "day": long_day(item.original_on),
        "code": item.priority or "",
    }  # fmt: skip


def place_one(arguments: Namespace, context: Context) -> int:
    """Give a postponement its place."""
    from crisisdesk.cli.openingjobs import service_id_of
    from crisisdesk.cli.queue import site_id_of
    from crisisdesk.desk.unplaced import place_item

    site_id = site_id_of(context, arguments.site)
    service_id = service_id_of(context, site_id, arguments.service)
    number = place_item(
        context.open_store(), arguments.postponement, site_id, service_id, agent=context.agent(), now=context.now()
    )
    say(context, _("It waits in callback {number} now.").format(number=number))
    return 0
