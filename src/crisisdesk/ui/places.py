"""The table of screens: each is imported when it is first opened, so that the first one comes quickly."""

from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, NamedTuple

from crisisdesk.i18n import N_

if TYPE_CHECKING:
    from crisisdesk.ui.widgets.frame import DeskScreen


class Place(NamedTuple):
    """A screen that can be gone to."""

    module: str
    name: str
    words: str
    """Through N_; empty for a screen that is only reached from another one."""
    letter: str = ""
    """Opens it from the home screen."""


PLACES: dict[str, Place] = {
    "home": Place("home", "HomeScreen", N_("Home screen")),
    "intake": Place("intake", "IntakeScreen", N_("New call")),
    "queue": Place("queue", "QueueScreen", N_("Queue")),
    "openings": Place("openings", "OpeningsScreen", N_("Openings of services"), "o"),
    "unplaced": Place("unplaced", "UnplacedScreen", N_("In no queue"), "u"),
    "instructions": Place("instructions", "InstructionsScreen", N_("Instructions"), "i"),
    "bookings": Place("bookings", "BookingsScreen", N_("Places given"), "b"),
    "mine": Place("mine", "MineScreen", N_("My attempts today"), "m"),
    "coding": Place("coding", "CodingScreen", N_("Priorities and limits"), "p"),
    "coverage": Place("coverage", "CoverageScreen", N_("Coverage"), "c"),
    "handovers": Place("handovers", "HandoversScreen", N_("Handover"), "h"),
    "rules": Place("rules", "RulesScreen", N_("Rules of attempts"), "r"),
    "lists": Place("lists", "ListsScreen", N_("Lists from the hospitals"), "l"),
    "day": Place("day", "DayScreen", N_("Figures of the day"), "d"),
    "journal": Place("journal", "JournalScreen", N_("Journal"), "g"),
    "room": Place("room", "RoomScreen", N_("The room"), "a"),
    "agents": Place("agents", "AgentsScreen", N_("Agents"), "t"),
    "patient": Place("patient", "PatientScreen", ""),
    "callback": Place("callback", "CallbackScreen", ""),
    "help": Place("help", "HelpScreen", ""),
}


def is_there(name: str) -> bool:
    """Whether this installation has the screen."""
    return find_spec(f"crisisdesk.ui.screens.{PLACES[name].module}") is not None


def make_screen(name: str, *args: Any, **kwargs: Any) -> "DeskScreen":
    """A new screen of that name, with the arguments of its class."""
    place = PLACES[name]
    module = import_module(f"crisisdesk.ui.screens.{place.module}")
    screen: DeskScreen = getattr(module, place.name)(*args, **kwargs)
    return screen
