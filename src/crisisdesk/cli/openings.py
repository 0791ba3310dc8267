"""`crisisdesk opening`: services close and open."""

from argparse import ArgumentParser, Namespace
from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING

from crisisdesk.cli.context import Context
from crisisdesk.cli.openingjobs import add_jobs, service_id_of, show_preview, today_of, typed_day
from crisisdesk.cli.output import say, show_json, show_table
from crisisdesk.cli.parser import Subparsers
from crisisdesk.cli.queue import site_id_of
from crisisdesk.clock import day_bounds
from crisisdesk.domain.words import OpeningState
from crisisdesk.i18n import _

__all__ = ["add_parser", "change", "list_openings", "service_id_of"]

if TYPE_CHECKING:
    from crisisdesk.desk.openingform import OpeningForm
    from crisisdesk.domain.opening import OpeningRow


def add_parser(subparsers: Subparsers) -> None:
    """Add `opening`."""
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
    add_jobs(actions)


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
        parser.add_argument("--until", default="", metavar=_("DAY"), help=_("last day; afterwards what held before"))
        parser.add_argument("--days-off", action="store_true", help=_("also weekends and public holidays"))
        parser.add_argument("--rooms", type=int, default=None, metavar="N", help=_("rooms that make these places"))
        parser.add_argument("--limits", default=None, metavar=_("LIMITS"), help=_("such as 'implant 2, isolation 1'"))


def list_openings(arguments: Namespace, context: Context) -> int:
    """List services with their state, plan and backlog."""
    from crisisdesk.desk.openingwords import limits_words, row_words
    from crisisdesk.desk.reopening import list_services
    from crisisdesk.desk.wording import state_words

    site_id = site_id_of(context, arguments.site) if arguments.site else None
    as_of = None
    if arguments.as_of:
        day, zone = typed_day(arguments.as_of, context), context.reference().desk.time_zone
        as_of = day_bounds(day, zone)[1] - timedelta(microseconds=1)
    lines = list_services(context.open_store(), site_id, now=context.now(), as_of=as_of)
    if context.json:
        show_json(context, lines)
        return 0
    reference = context.reference()
    sites = reference.sites
    rows = [
        {
            "site": sites[line.site_id].name, "service": line.name,
            "state": state_words(line.state) if line.state else _("as usual"), "capacity": line.capacity_a_day,
            "limits": limits_words(line.current.limits, reference) if line.current else "",
            "planned": row_words(plan, reference) if (plan := line.coming or line.planned) else "",
            "unsettled": line.backlog.unsettled, "released": line.backlog.released, "waiting": line.backlog.waiting,
        }
        for line in lines
    ]  # fmt: skip
    headings = {
        "site": _("site"), "service": _("service"), "state": _("state"), "capacity": _("a day"), "limits": _("limits"),
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
    is_preview = arguments.what == "preview"
    show_json(context, seen) if context.json else show_preview(seen, context, is_only_preview=is_preview)
    if is_preview and not context.json and form.state != OpeningState.CLOSED:
        _say_forecast(form, context)
    return 0


def _say_forecast(form: "OpeningForm", context: Context) -> None:
    from crisisdesk.desk.forecasting import forecast_opening
    from crisisdesk.desk.forecastwords import forecast_lines

    found = forecast_opening(context.open_store(), form.service_id, now=context.now(), form=form)
    for line in forecast_lines(found, context.reference()):
        say(context, line)


def _form(arguments: Namespace, context: Context) -> "OpeningForm":
    """The form of the arguments; rooms and limits that are not named stay those of the newest plan or opening."""
    from crisisdesk.desk.openingform import OpeningForm
    from crisisdesk.desk.openingwords import read_limits
    from crisisdesk.desk.reopening import list_services

    site_id = site_id_of(context, arguments.site)
    service_id = service_id_of(context, site_id, arguments.service)
    if arguments.what == "withdraw":
        return OpeningForm(service_id, today_of(context), reason=arguments.reason, seen_id=arguments.seen)
    line = next(
        line
        for line in list_services(context.open_store(), site_id, now=context.now())
        if line.service_id == service_id
    )
    before = line.planned or line.coming or line.current
    limits = read_limits(arguments.limits, context.reference()) if arguments.limits is not None else None
    return OpeningForm(
        service_id, typed_day(arguments.on, context) if arguments.on else today_of(context),
        OpeningState(arguments.state), arguments.capacity, arguments.reason, arguments.seen,
        typed_day(arguments.until, context) if arguments.until else None, arguments.days_off,
        arguments.rooms or (before.rooms if before else None),
        limits if limits is not None else _kept_limits(before, arguments.capacity),
    )  # fmt: skip


def _kept_limits(before: "OpeningRow | None", capacity: int | None) -> Mapping[str, int]:
    """The limits of the row before, none above the new number of places."""
    kept = before.limits if before else {}
    return {code: count if capacity is None else min(count, max(capacity, 0)) for code, count in kept.items()}
