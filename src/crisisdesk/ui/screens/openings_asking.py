"""Before a change of a service is stored: what would follow, the forecast with it, the question, and the deed."""

from collections.abc import Callable

from textual.content import Content

from crisisdesk.desk.forecasting import Forecast, forecast_opening
from crisisdesk.desk.forecastwords import forecast_lines
from crisisdesk.desk.postponing import PostponeForm, postpone, preview_postponing
from crisisdesk.desk.reopening import (
    OpeningForm,
    OpeningPreview,
    ServiceLine,
    confirm_opening,
    plan_opening,
    preview_opening,
    revise_opening,
)
from crisisdesk.domain.words import OpeningState
from crisisdesk.i18n import N_, _
from crisisdesk.ui.inert import inert
from crisisdesk.ui.screens.openings_ahead import AheadScreen, LinesScreen, forecast_content, preview_lines
from crisisdesk.ui.widgets.frame import DeskScreen

QUESTIONS = {
    "plan": N_("Announce this plan? [y] yes  [n] no"),
    "revise": N_("Store this revision? [y] yes  [n] no"),
    "confirm": N_("Confirm, and release these callbacks? [y] yes  [n] no"),
    "put_off": N_("Put this off, and ring these patients first? [y] yes  [n] no"),
}

DEEDS: dict[str, Callable[..., OpeningPreview | int]] = {
    "plan": plan_opening,
    "revise": revise_opening,
    "confirm": confirm_opening,
    "put_off": postpone,
}
Stored = Callable[[OpeningPreview | int], None]


def look_ahead(
    screen: DeskScreen, what: str, asked: OpeningForm | PostponeForm, line: ServiceLine, stored: Stored
) -> None:
    """Read what would follow and, for places that open, the forecast with them; show it and ask.

    Args:
        what: key of `DEEDS`.
        stored: called with the outcome once it is stored.
    """

    def ask(lines: list[Content]) -> None:
        _ask(screen, what, asked, line, lines, stored)

    if isinstance(asked, PostponeForm):
        screen.read(
            preview_postponing, asked, group="ahead", hold_keys=True, then=lambda seen: ask(preview_lines(seen))
        )
    elif what == "plan":
        _with_forecast(screen, asked, [], ask)
    else:
        screen.read(
            preview_opening, asked, revises=what == "revise", group="ahead", hold_keys=True,
            then=lambda seen: _with_forecast(screen, asked, preview_lines(seen), ask, revises=what == "revise"),
        )  # fmt: skip


def _with_forecast(
    screen: DeskScreen, asked: OpeningForm, lines: list[Content], ask: Callable[[list[Content]], None],
    *, revises: bool = False,
) -> None:  # fmt: skip
    if asked.state == OpeningState.CLOSED:
        ask(lines or [inert(_("The service is closed from that day on."))])
        return
    reference = screen.session.reference
    screen.read(
        forecast_opening, asked.service_id, form=asked, revises=revises, group="ahead", hold_keys=True,
        then=lambda found: ask([*lines, *forecast_content(forecast_lines(found, reference))]),
    )  # fmt: skip


def _ask(
    screen: DeskScreen, what: str, asked: OpeningForm | PostponeForm, line: ServiceLine, lines: list[Content],
    stored: Stored,
) -> None:  # fmt: skip
    def store(ahead: AheadScreen) -> None:
        def landed(result: OpeningPreview | int) -> None:
            screen.app.pop_screen()
            stored(result)

        ahead.write(DEEDS[what], asked, then=landed, failed=ahead.refused, wish=ahead.wish)

    words = _("What follows · {site} · {service}")
    title = words.format(site=screen.session.site_name(line.site_id), service=line.name)
    screen.app.push_screen(AheadScreen(title, lines, _(QUESTIONS[what]), store))


def show_forecast(screen: DeskScreen, found: Forecast, line: ServiceLine) -> None:
    """Open the forecast of a service over a screen."""
    session = screen.session
    title = _("Forecast · {site} · {service}").format(site=session.site_name(line.site_id), service=line.name)
    screen.app.push_screen(LinesScreen(title, forecast_content(forecast_lines(found, session.reference))))
