"""`crisisdesk opening forecast`, `told` and `postpone`: when a queue is empty, who was told what, what is put off."""

from argparse import ArgumentParser, Namespace
from datetime import date
from typing import TYPE_CHECKING, Any

from crisisdesk.cli.context import Context
from crisisdesk.cli.output import say, show_json, show_table
from crisisdesk.cli.queue import read_day, site_id_of
from crisisdesk.clock import local_day
from crisisdesk.domain.words import PartOfDay
from crisisdesk.errors import RuleBroken
from crisisdesk.i18n import _

if TYPE_CHECKING:
    from crisisdesk.desk.openingpreview import OpeningPreview


def add_jobs(actions: Any) -> None:
    """Add the three to the actions of `opening`."""
    forecast = actions.add_parser("forecast", help=_("when the queue of a service will be empty, and what it rests on"))
    _place(forecast)
    forecast.set_defaults(run=show_forecast)
    told = actions.add_parser("told", help=_("who was told which day, and what holds now"))
    _place(told, needs_service=False)
    told.add_argument("--opening", type=int, default=None, metavar="ID", help=_("only whom this row took a day from"))
    told.set_defaults(run=show_told)
    postpone = actions.add_parser("postpone", help=_("put a session, days or a service off at once (supervisors)"))
    _place(postpone)
    postpone.add_argument("--on", required=True, metavar=_("DAY"), help=_("first day that is put off"))
    postpone.add_argument("--until", default="", metavar=_("DAY"), help=_("last day; the same day if not given"))
    postpone.add_argument("--open-end", action="store_true", help=_("from that day on, until further notice"))
    postpone.add_argument("--part", choices=[*PartOfDay], default=PartOfDay.ANY, help=_("a session of those days"))
    postpone.add_argument("--left", type=int, default=None, metavar="N", help=_("places a day that remain beside it"))
    postpone.add_argument("--reason", default="", help=_("shown in the history"))
    postpone.add_argument("--seen", type=int, default=None, metavar="ID", help=_("refuse if it changed since then"))
    postpone.add_argument("--preview", action="store_true", help=_("only show what would follow"))
    postpone.set_defaults(run=put_off)


def _place(parser: ArgumentParser, *, needs_service: bool = True) -> None:
    parser.add_argument("site", metavar=_("SITE"))
    words = _("code of a service, such as surgery")
    parser.add_argument("service", nargs=None if needs_service else "?", metavar=_("SERVICE"), help=words)


def typed_day(text: str, context: Context) -> date:
    """A day as people type it.

    Raises:
        RuleBroken: it is none.
    """
    found = read_day(text, context)
    if found is None:
        raise RuleBroken(_("'{text}' is no day. Try 2022-06-03, 03/06 or +3.").format(text=text))
    return found


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


def show_forecast(arguments: Namespace, context: Context) -> int:
    """Say when the queue of a service will be empty."""
    from crisisdesk.desk.forecasting import forecast_opening
    from crisisdesk.desk.forecastwords import forecast_lines

    service_id = service_id_of(context, site_id_of(context, arguments.site), arguments.service)
    found = forecast_opening(context.open_store(), service_id, now=context.now())
    if context.json:
        backlog = {code or "uncoded": count for code, count in found.backlog.items()}
        lines = forecast_lines(found, context.reference())
        show_json(context, {"forecast": found, "backlog": backlog, "sentences": lines})
        return 0
    for line in forecast_lines(found, context.reference()):
        say(context, line)
    return 0


def show_told(arguments: Namespace, context: Context) -> int:
    """List who was told which day."""
    from crisisdesk.desk.telling import list_told
    from crisisdesk.desk.wording import day_words, moment_words

    site_id = site_id_of(context, arguments.site)
    where = service_id_of(context, site_id, arguments.service) if arguments.service else site_id
    lines = list_told(context.open_store(), where, arguments.opening, now=context.now())
    zone = context.reference().desk.time_zone
    if context.json:
        show_json(context, lines)
        return 0
    rows = [
        {
            "patient": line.patient, "told": day_words(line.told_on), "by": line.told_by,
            "at": moment_words(line.told_at, zone), "why": line.why, "now": line.now, "number": line.number,
        }
        for line in lines
    ]  # fmt: skip
    headings = {
        "patient": _("patient"), "told": _("day told"), "by": _("by"), "at": _("when"), "why": _("why taken back"),
        "now": _("now"), "number": _("number"),
    }  # fmt: skip
    show_table(context, headings, rows, empty=_("Nobody was told a day there."))
    return 0


def put_off(arguments: Namespace, context: Context) -> int:
    """Put a session, days or a service off."""
    from crisisdesk.desk.postponing import PostponeForm, postpone, preview_postponing

    first = typed_day(arguments.on, context)
    if arguments.until and arguments.open_end:
        raise RuleBroken(_("Give --until or --open-end, not both."))
    last = None if arguments.open_end else typed_day(arguments.until, context) if arguments.until else first
    site_id = site_id_of(context, arguments.site)
    form = PostponeForm(
        service_id_of(context, site_id, arguments.service), first, last, PartOfDay(arguments.part), arguments.left,
        arguments.reason, arguments.seen,
    )  # fmt: skip
    store, now = context.open_store(), context.now()
    if arguments.preview:
        seen = preview_postponing(store, form, now=now)
    else:
        seen = postpone(store, form, agent=context.agent(), now=now)
    show_json(context, seen) if context.json else show_preview(seen, context, is_only_preview=arguments.preview)
    return 0


def show_preview(seen: "OpeningPreview", context: Context, *, is_only_preview: bool) -> None:
    """Say what a change would do, or did."""
    from crisisdesk.desk.openingpreview import preview_sentences

    for line in preview_sentences(seen, is_only_preview=is_only_preview):
        say(context, line)


def today_of(context: Context) -> date:
    """The desk's own day."""
    return local_day(context.now(), context.reference().desk.time_zone)
