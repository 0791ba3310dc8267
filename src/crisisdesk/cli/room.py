"""`crisisdesk room` and `crisisdesk message`: who is signed in, ending a session, writing to agents."""

from argparse import Namespace
from typing import TYPE_CHECKING

from crisisdesk.cli.context import Context
from crisisdesk.cli.output import say, show_table
from crisisdesk.errors import RuleBroken
from crisisdesk.i18n import _, ngettext

if TYPE_CHECKING:
    from crisisdesk.cli.parser import Subparsers
    from crisisdesk.desk.sessions import Seat


def add_parser(subparsers: "Subparsers") -> None:
    """Add `room` and `message`."""
    group = subparsers.add_parser("room", help=_("who is signed in, doing what; end a session, free a callback"))
    group.set_defaults(run=show_room)
    actions = group.add_subparsers(title=_("commands"), metavar=_("COMMAND"))
    end = actions.add_parser("end", help=_("end the session of an agent; drafts are kept (supervisors)"))
    end.add_argument("who", metavar=_("LOGIN"), help=_("login of the agent, or the number of the session"))
    end.add_argument("--reason", required=True, metavar=_("WORDS"), help=_("why; the journal keeps it"))
    end.set_defaults(run=end_one)
    free = actions.add_parser("free", help=_("free the callback that an agent holds (supervisors)"))
    free.add_argument("who", metavar=_("LOGIN"))
    free.set_defaults(run=free_one)
    message = subparsers.add_parser(
        "message", help=_("write to agents on their screens (supervisors); without words: what was sent, who read it")
    )
    message.add_argument("words", nargs="?", default="", metavar=_("WORDS"))
    whom = message.add_mutually_exclusive_group()
    whom.add_argument("--to", default="", metavar=_("LOGIN"), help=_("to one agent; else to all"))
    whom.add_argument("--site", default="", metavar=_("SITE"), help=_("to those who work for a site"))
    message.add_argument("--urgent", action="store_true", help=_("before all others, until it was acknowledged"))
    message.add_argument("--hours", type=int, default=24, metavar="N", help=_("how far back the list goes (24)"))
    message.set_defaults(run=send_or_list)


def show_room(_arguments: Namespace, context: Context) -> int:
    """List who is signed in."""
    from crisisdesk.desk.sessions import list_room

    context.agent()
    headings = {
        "login": _("Login"), "name": _("Name"), "role": _("Role"), "state": _("Does"), "site": _("Site"),
        "holds": _("Holds"), "drafts": _("Drafts"), "quiet": _("No key"), "origin": _("Came from"),
        "session": _("Session"),
    }  # fmt: skip
    seats = list_room(context.open_store())
    show_table(context, headings, [_row(seat, context) for seat in seats], empty=_("Nobody is signed in."))
    return 0


def _row(seat: "Seat", context: Context) -> dict[str, object]:
    """One agent: for people in words; for programs codes, instants and numbers."""
    from crisisdesk import clock
    from crisisdesk.desk.roomwords import ROLE_WORDS, minutes_words, state_words

    now, zone = context.now(), context.reference().desk.time_zone
    common = {"login": seat.login, "name": seat.name, "drafts": seat.drafts, "origin": seat.origin,
              "session": seat.session_id}  # fmt: skip
    if context.json:
        return common | {
            "role": seat.role, "state": seat.state, "state_at": seat.state_at, "reason": seat.reason,
            "site_id": seat.site_id, "signed_in_at": seat.signed_in_at, "seen_at": seat.seen_at,
            "callback_id": seat.callback_id, "lease_until": seat.lease_until, "is_gone": seat.is_gone,
        }  # fmt: skip
    site = context.reference().sites.get(seat.site_id or "")
    is_held = seat.callback_id is not None and seat.lease_until is not None and seat.lease_until > now
    until = clock.to_local(seat.lease_until, zone).strftime("%H:%M") if is_held and seat.lease_until else ""
    words = _("✗ gone") if seat.is_gone else state_words(seat.state, seat.reason)
    span = minutes_words(now - (seat.seen_at if seat.is_gone else seat.state_at))
    return common | {
        "role": _(ROLE_WORDS[seat.role]), "state": f"{words} {span}".strip(), "site": site.name if site else _("(all)"),
        "holds": f"{seat.callback_id} → {until}" if is_held else "", "quiet": minutes_words(now - seat.seen_at),
    }  # fmt: skip


def end_one(arguments: Namespace, context: Context) -> int:
    """End the session of an agent."""
    from crisisdesk.desk.sessions import end_session

    seat = _seat(arguments.who, context)
    end_session(
        context.open_store(), seat.session_id, arguments.reason, agent=context.agent(), now=context.now()
    )  # fmt: skip
    say(context, _("The session of {name} has ended.").format(name=seat.name))
    return 0


def free_one(arguments: Namespace, context: Context) -> int:
    """Free the callback that an agent holds, signed in or not."""
    from crisisdesk.desk.agents import find_agent
    from crisisdesk.desk.callbacks import take_over
    from crisisdesk.desk.sessions import held_by

    store, agent = context.open_store(), context.agent()
    holder = find_agent(store, arguments.who)
    if holder is None:
        raise RuleBroken(_("'{login}' is no agent of this desk.").format(login=arguments.who))
    number = held_by(store, holder.agent_id)
    if number is None:
        raise RuleBroken(_("{name} holds no callback.").format(name=holder.name))
    take_over(store, number, agent=agent, now=context.now(), holder=holder.name)
    say(context, _("Callback {number} is free.").format(number=number))
    return 0


def _seat(who: str, context: Context) -> "Seat":
    from crisisdesk.desk.sessions import list_room

    for seat in list_room(context.open_store()):
        if who in (seat.login, str(seat.session_id)):
            return seat
    raise RuleBroken(_("'{who}' is not signed in: crisisdesk room lists who is.").format(who=who))


def send_or_list(arguments: Namespace, context: Context) -> int:
    """Send a message; without words, list what was sent and who has read it."""
    from crisisdesk.cli.queue import site_id_of
    from crisisdesk.desk.notices import addressees, send_message

    if not arguments.words:
        return _list_sent(arguments.hours, context)
    store, site_id = context.open_store(), site_id_of(context, arguments.site) if arguments.site else None
    number = send_message(
        store, arguments.words, agent=context.agent(), now=context.now(), is_urgent=arguments.urgent,
        site_id=site_id, to_login=arguments.to,
    )  # fmt: skip
    count = len(addressees(store, number))
    words = ngettext("Sent, to {count} agent who is signed in.", "Sent, to {count} agents who are signed in.", count)
    say(context, words.format(count=count))
    return 0


def _list_sent(hours: int, context: Context) -> int:
    from crisisdesk import clock
    from crisisdesk.desk.notices import addressees, sent_notices

    context.agent()
    store, reference = context.open_store(), context.reference()
    headings = {
        "notice": _("No."), "at": _("Sent"), "by": _("By"), "to": _("To"), "urgent": _("Urgent"),
        "read": _("Read by"), "missing": _("Not yet"), "words": _("Words"),
    }  # fmt: skip
    lines = []
    for one in sent_notices(store, agent=context.agent(), now=context.now(), hours=hours):
        found = addressees(store, one.notice_id)
        site = reference.sites.get(one.site_id or "")
        at = one.sent_at if context.json else f"{clock.to_local(one.sent_at, reference.desk.time_zone):%d/%m %H:%M}"
        lines.append({
            "notice": one.notice_id, "kind": one.kind, "at": at, "by": one.sender, "urgent": one.is_urgent,
            "to": one.to_name or (site.name if site else "" if context.json else _("everybody")),
            "read": [person.name for person in found if person.read_at is not None],
            "missing": [person.name for person in found if person.read_at is None], "words": one.words,
        })  # fmt: skip
    show_table(context, headings, lines, empty=_("Nothing was sent in the last {hours} hours.").format(hours=hours))
    return 0
