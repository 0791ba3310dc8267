"""Two lists that can be had everywhere: all actions (F8), all sites (F6)."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from textual import events
from textual.app import App
from textual.binding import Binding
from textual.screen import Screen

from crisisdesk.desk.roomwords import REASON_WORDS, state_words
from crisisdesk.domain.words import WorkState
from crisisdesk.i18n import _
from crisisdesk.ui.keys import key_name
from crisisdesk.ui.places import PLACES, is_there
from crisisdesk.ui.widgets.choices import Choice, ChoiceScreen
from crisisdesk.ui.widgets.keybar import live_bindings

if TYPE_CHECKING:
    from crisisdesk.ui.app import CrisisDeskApp

_PRESS = "press:"


def choose_action(app: "CrisisDeskApp") -> None:
    """List what the screen in front can do, and every other screen; do what is picked."""
    actions = dict(_actions(app, app.screen))

    def picked(code: str | None) -> None:
        if code is None:
            return
        if code.startswith(_PRESS):
            app.post_message(events.Key(code.removeprefix(_PRESS), code.removeprefix(_PRESS)))
        else:
            app.run_worker(app.run_action(code, actions[code][1]))

    app.push_screen(ChoiceScreen(_("All actions"), [Choice(code, one[0]) for code, one in actions.items()]), picked)


def choose_site(app: "CrisisDeskApp") -> None:
    """List the sites that the agent works for; the one picked is what queue and openings show."""

    def picked(code: str | None) -> None:
        if code is not None:
            app.presence.work_at(code or None)
            app.front.say("")  # what was said of the other site is over
            app.front.site_changed()

    own = app.session.sites
    sites = [Choice(site.site_id, site.name) for site in app.session.reference.sites.values()
             if site.site_id in own]  # fmt: skip
    app.push_screen(ChoiceScreen(_("Site"), [Choice("", _("all sites")), *sites], app.site or ""), picked)


def choose_state(app: "CrisisDeskApp") -> None:
    """List what an agent may be doing beside calls; the desk is told what is picked."""
    presence = app.presence
    pauses = [(f"pause {reason}", state_words(WorkState.PAUSE, reason)) for reason in REASON_WORDS]
    ready, away = ((state.value, state_words(state)) for state in (WorkState.READY, WorkState.AWAY))
    states = [Choice(*one) for one in (ready, *pauses, away)]

    def picked(code: str | None) -> None:
        if code is not None:
            state, _blank, reason = code.partition(" ")
            presence.enter(WorkState(state), reason)
            app.front.done(_("You are now: {state}").format(state=state_words(WorkState(state), reason)))

    current = presence.state.value if presence.state else "ready"
    app.push_screen(ChoiceScreen(_("What I am doing"), states, current), picked)


def _actions(app: "CrisisDeskApp", screen: Screen[Any]) -> Iterator[tuple[str, tuple[str, Any]]]:
    for active in live_bindings(screen):
        binding = active.binding
        if (isinstance(active.node, Screen | App) or not is_a_move(binding)) and binding.action != "palette":
            yield binding.action, (f"{_(binding.description)}  ({key_name(binding.key)})", active.node)
    for widget in screen.query("*"):
        if (more_help := getattr(widget, "more_help", None)) is not None:  # letters that are no bindings
            yield from ((_PRESS + key, (f"{words}  ({key})", app)) for key, words in more_help())
    for name, place in PLACES.items():
        if place.words and is_there(name):
            yield f"app.go('{name}')", (_(place.words), app)


def is_a_move(binding: Binding) -> bool:
    """A hidden key that only moves about in a list or a form, or a digit that picks a line."""
    is_command = binding.key.startswith("ctrl+") or key_name(binding.key)[:1] == "F"
    return not (binding.show or is_command)
