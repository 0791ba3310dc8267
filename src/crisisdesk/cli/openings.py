"""`crisisdesk opening` and `instruction`: services close and open, and what agents read out."""

from argparse import ArgumentParser, Namespace
from datetime import timedelta
from typing import TYPE_CHECKING

from crisisdesk.cli.context import Context
from crisisdesk.cli.output import say, show_json, show_table
from crisisdesk.cli.parser import Subparsers
from crisisdesk.cli.queue import read_day, site_id_of
from crisisdesk.clock import day_bounds, local_day
from crisisdesk.domain.words import OpeningState
from crisisdesk.errors import RuleBroken
from crisisdesk.i18n import _, ngettext

if TYPE_CHECKING:
    from crisisdesk.desk.reopening import OpeningForm, OpeningPreview


def add_parser(subparsers: Subparsers) -> None:
    """Add `opening` and `instruction`."""
    opening = subparsers.add_parser("opening", help=_("what is closed, planned and open; release callbacks"))
    actions = opening.add_subparsers(title=_("commands"), metavar=_("COMMAND"), required=True)
    listing = actions.add_parser("list", help=_("services with their state, plan and backlog"))
    listing.add_argument("site", nargs="?", metavar=_("SITE"))
    listing.add_argument("--as-of", default="", metavar=_("DAY"), help=_("as it was known at the end of that day"))
    listing.set_defaults(run=list_openings)
    for name, words in (
        ("plan", _("announce a dated change (supervisors)")),
        ("revise", _("another day or number for the newest plan or opening (supervisors)")),
        ("preview", _("what confirming would do; changes nothing")),
        ("confirm", _("make it hold, and release callbacks (supervisors)")),
        ("withdraw", _("take the newest plan or opening back (supervisors)")),
    ):
        action = actions.add_parser(name, help=words)
        _service_arguments(action, with_change=name != "withdraw")
        action.set_defaults(run=change, what=name)
    _add_instruction(subparsers)


def _service_arguments(parser: ArgumentParser, *, with_change: bool) -> None:
    parser.add_argument("site", metavar=_("SITE"))
    parser.add_argument("service", metavar=_("SERVICE"), help=_("code of a service, such as surgery"))
    parser.add_argument("--reason", default="", help=_("shown in the history"))
    parser.add_argument(
        "--seen", type=int, default=None, metavar="ID", help=_("refuse if the service changed since then")
    )
    if with_change:
        parser.add_argument("--on", default="", metavar=_("DAY"), help=_("first day that it holds; today if not given"))
        parser.add_argument("--state", choices=[*OpeningState], default=OpeningState.PARTIAL)
        parser.add_argument("--capacity", type=int, default=None, metavar="N", help=_("patients a day"))


def _add_instruction(subparsers: Subparsers) -> None:
    instruction = subparsers.add_parser("instruction", help=_("what agents read out to callers"))
    actions = instruction.add_subparsers(title=_("commands"), metavar=_("COMMAND"), required=True)
    listing = actions.add_parser("list", help=_("those in force, by site"))
    listing.add_argument("site", nargs="?", metavar=_("SITE"))
    listing.add_argument("--history", action="store_true", help=_("also earlier and coming ones"))
    listing.set_defaults(run=list_all)
    issue = actions.add_parser("issue", help=_("issue the next version (supervisors)"))
    issue.add_argument("words", metavar=_("WORDS"))
    issue.add_argument("--site", default="", metavar=_("SITE"))
    issue.add_argument("--service", default="", metavar=_("SERVICE"))
    issue.add_argument("--topic", default="", metavar=_("TOPIC"))
    issue.set_defaults(run=issue_one)


def service_id_of(context: Context, site_id: str, text: str) -> int:
    """The id of a site's service named by its code or name.

    Raises:
        RuleBroken: no such service there.
    """
    services = context.reference().services_of(site_id)
    for service in services:
        if text.casefold() in (service.code.casefold(), service.name.casefold()):
            return service.service_id
    known = ", ".join(service.code for service in services)
    raise RuleBroken(_("There is no service '{service}' there. Services: {known}.").format(service=text, known=known))


def list_openings(arguments: Namespace, context: Context) -> int:
    """List services with their state, plan and backlog."""
    from crisisdesk.desk.reopening import list_services
    from crisisdesk.desk.wording import day_words, state_words

    site_id = site_id_of(context, arguments.site) if arguments.site else None
    as_of = None
    if arguments.as_of:
        day, zone = read_day(arguments.as_of, context), context.reference().desk.time_zone
        if day is None:
            raise RuleBroken(_("'{text}' is no day. Try 2022-06-03, 03/06 or +3.").format(text=arguments.as_of))
        as_of = day_bounds(day, zone)[1] - timedelta(microseconds=1)
    lines = list_services(context.open_store(), site_id, now=context.now(), as_of=as_of)
    if context.json:
        show_json(context, lines)
        return 0
    sites = context.reference().sites
    rows = [
        {
            "site": sites[line.site_id].name, "service": line.name,
            "state": state_words(line.state) if line.state else _("as usual"), "capacity": line.capacity_a_day,
            "planned": day_words(plan.opens_on) if (plan := line.coming or line.planned) else "",
            "unsettled": line.backlog.unsettled, "released": line.backlog.released, "waiting": line.backlog.waiting,
        }
        for line in lines
    ]  # fmt: skip
    headings = {
        "site": _("site"), "service": _("service"), "state": _("state"), "capacity": _("a day"),
        "planned": _("planned"), "unsettled": _("owed"), "released": _("released"), "waiting": _("waiting"),
    }  # fmt: skip
    show_table(context, headings, rows)
    return 0


def change(arguments: Namespace, context: Context) -> int:
    """Plan, revise, preview, confirm or withdraw."""
    from crisisdesk.desk import reopening

    store, now, agent = context.open_store(), context.now(), context.agent()
    form = _form(arguments, context)
    if arguments.what == "plan":
        number = reopening.plan_opening(store, form, agent=agent, now=now)
        show_json(context, {"opening": number}) if context.json else say(context, _("Planned."))
        return 0
    if arguments.what == "preview":
        seen = reopening.preview_opening(store, form, now=now)
    elif arguments.what == "confirm":
        seen = reopening.confirm_opening(store, form, agent=agent, now=now)
    elif arguments.what == "revise":
        seen = reopening.revise_opening(store, form, agent=agent, now=now)
    else:
        seen = reopening.withdraw_opening(
            store, form.service_id, arguments.reason, agent=agent, now=now, seen_id=arguments.seen
        )
    show_json(context, seen) if context.json else _show_preview(seen, context, arguments.what == "preview")
    return 0


def _form(arguments: Namespace, context: Context) -> "OpeningForm":
    from crisisdesk.desk.reopening import OpeningForm

    site_id = site_id_of(context, arguments.site)
    day = local_day(context.now(), context.reference().desk.time_zone)
    if getattr(arguments, "on", ""):
        found = read_day(arguments.on, context)
        if found is None:
            raise RuleBroken(_("'{text}' is no day. Try 2022-06-03, 03/06 or +3.").format(text=arguments.on))
        day = found
    return OpeningForm(
        service_id_of(context, site_id, arguments.service), day,
        OpeningState(getattr(arguments, "state", OpeningState.PARTIAL)), getattr(arguments, "capacity", None),
        arguments.reason, arguments.seen,
    )  # fmt: skip


def _show_preview(seen: "OpeningPreview", context: Context, is_only_preview: bool) -> None:
    from crisisdesk.desk.wording import day_words, long_day

    words = (
        ngettext("{count} callback would be released.", "{count} callbacks would be released.", seen.released)
        if is_only_preview
        else ngettext("{count} callback is released.", "{count} callbacks are released.", seen.released)
    )
    say(context, words.format(count=seen.released))
    for place, (name, why) in enumerate(seen.first, 1):
        say(context, f"  {place:>2} {name}: {why}")
    for reason in seen.stay_reasons:
        say(context, _("Stays: {reason}").format(reason=reason))
    for name, day in seen.withdrawn:
        say(context, _("Was told {day}, is rung first: {name}").format(day=day_words(day), name=name))
    if seen.called_back:
        say(context, _("{count} released callbacks wait again.").format(count=seen.called_back))
    say(context, _("Backlog has its places by {day}.").format(day=long_day(seen.empty_on)) if seen.empty_on
        else _("No date can be given for the whole backlog."))  # fmt: skip


def list_all(arguments: Namespace, context: Context) -> int:
    """List instructions."""
    from crisisdesk.desk.instructions import list_instructions
    from crisisdesk.desk.wording import moment_words

    site_id = site_id_of(context, arguments.site) if arguments.site else None
    found = list_instructions(context.open_store(), site_id=site_id, now=context.now(), history=arguments.history)
    if context.json:
        show_json(context, found)
        return 0
    reference = context.reference()
    zone = reference.desk.time_zone
    rows = [
        {
            "site": reference.sites[line.site_id].name if line.site_id else _("all sites"),
            "topic": reference.label("topic", line.topic, context.language) if line.topic else "",
            "version": line.version,
            "since": moment_words(line.valid_from, zone), "by": line.issued_by, "words": line.words,
        }
        for line in found
    ]  # fmt: skip
    headings = {
        "site": _("site"), "topic": _("topic"), "version": _("version"), "since": _("since"), "by": _("by"),
        "words": _("words"),
    }  # fmt: skip
    show_table(context, headings, rows, empty=_("No instruction is in force."))
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
    form = InstructionForm(arguments.words, site_id, service_id, topic)
    number = issue_instruction(context.open_store(), form, agent=context.agent(), now=context.now())
    show_json(context, {"instruction": number}) if context.json else say(context, _("Issued: agents see it now."))
    return 0
