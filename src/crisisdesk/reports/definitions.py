"""What each figure means, in one sentence a hospital board can read. The words of the columns are here too."""

from dataclasses import dataclass

from crisisdesk.domain.coverage import Standing
from crisisdesk.domain.words import Coverage
from crisisdesk.i18n import N_, _


@dataclass(frozen=True)
class Definition:
    """Name and meaning of a figure, both as message ids."""

    name: str
    meaning: str

    def shown(self) -> tuple[str, str]:
        """Name and meaning in the current language."""
        return _(self.name), _(self.meaning)


CALLS = Definition(
    N_("Calls"),
    N_("Inbound calls recorded by an agent, each in the half hour and on the local day in which it began."),
)
HANDLING = Definition(
    N_("Handling time"),
    N_("Seconds from the beginning to the end of a call, over the calls whose end is known: a mean."),
)
RED_FLAGS = Definition(
    N_("Calls with a red flag"), N_("Calls in which an agent marked a red flag, over all calls of the day.")
)
ACTIONABLE = Definition(
    N_("Calls that asked for something"),
    N_("Calls other than silent, wrong number, abusive or test ones, over all calls of the day."),
)
FROM_PAPER = Definition(
    N_("Calls entered from paper"), N_("Calls with the number of a paper slip, over all calls of the day.")
)
OFFERED = Definition(
    N_("Calls offered"),
    N_("Calls that reached the line, answered or not. Only the operator knows: the desk sees answered calls."),
)
ABANDONED = Definition(
    N_("Calls abandoned"),
    N_("Callers who hung up before an agent answered, over the calls offered. Only the operator of the line knows."),
)
SERVICE_LEVEL = Definition(
    N_("Service level"),
    N_("Calls answered within 20 s over the calls offered, abandoned ones too. Only the operator of the line knows."),
)
RELEASED = Definition(N_("Callbacks released"), N_("Callbacks that an opening or a supervisor released on the day."))
ATTEMPTS = Definition(N_("Attempts"), N_("Outbound calls begun on the day for a callback."))
ATTEMPTED = Definition(N_("Callbacks attempted"), N_("Callbacks with an attempt on the day, each counted once."))
CONTACTS = Definition(N_("Contact rate"), N_("Attempts in which anybody was spoken to, over all attempts of the day."))
RIGHT_PARTY = Definition(
    N_("Right-party rate"), N_("Attempts in which the patient was spoken to, over all attempts of the day.")
)
PROMISE_KEPT = Definition(
    N_("Promises kept"),
    N_(
        "Callbacks attempted inside the promised window, over those whose window ended on the day. "
        "A callback that was closed before without an attempt (the patient rang first) is left out."
    ),
)
DECIDED = Definition(
    N_("Items decided"), N_("Postponements for which a decision was given on the day: new date, wait, decline, stop.")
)
REBOOKED = Definition(N_("Items rebooked"), N_("Postponements whose patient was given a new date on the day."))
OPEN_CALLBACKS = Definition(
    N_("Callbacks open"), N_("Callbacks made but not closed by the end of the day (by now, on the day itself).")
)
ITEMS = Definition(
    N_("Postponements"),
    N_("Postponed operations, consultations and exams; one that a caller reported and that is on a list counts once."),
)
BACKLOG = Definition(
    N_("Backlog"), N_("Postponements to which a decision is still owed: never tried, tried, or reached without one.")
)
TRIED_SHARE = Definition(
    N_("Tried at least once"), N_("Postponements rung about at least once, over all postponements.")
)
REACHED_SHARE = Definition(
    N_("Patient reached"), N_("Postponements whose patient was spoken to at least once, over all postponements.")
)
COVERED_SHARE = Definition(
    N_("Tried, of those due"),
    N_(
        "Postponements rung about at least once, or come further, over all that are due: without those of patients who "
        "died, and those that a service took over before anybody rang. The week is that of the original date."
    ),
)
HANDED_OVER = Definition(
    N_("handed over"), N_("Acknowledged by the service's own secretariat; the desk rings no more.")
)
DEAD = Definition(N_("died"), N_("Of patients whose death a second agent confirmed; nobody rings."))
OWED = Definition(
    N_("still owed"),
    N_("The desk still owes a call or a place: no new date, no final decision, not handed over, the patient lives."),
)

COVERAGE = {
    Coverage.NEVER_TRIED: Definition(N_("never tried"), N_("Nobody has rung or been rung about it yet.")),
    Coverage.TRIED: Definition(N_("tried"), N_("Rung at least once, the patient not yet spoken to.")),
    Coverage.REACHED: Definition(N_("reached"), N_("The patient was spoken to; no decision yet.")),
    Coverage.DECIDED: Definition(N_("decided"), N_("A decision was given; no new date, or none needed.")),
    Coverage.REBOOKED: Definition(N_("rebooked"), N_("The patient was given a new date.")),
    Coverage.DONE: Definition(N_("done"), N_("The operation, consultation or exam has taken place.")),
}
"""The furthest that a postponement has come; exactly one class holds for each."""

COVERAGE_HEADS = {
    Coverage.NEVER_TRIED: N_("never"),
    Coverage.TRIED: N_("tried"),
    Coverage.REACHED: N_("reached"),
    Coverage.DECIDED: N_("decided"),
    Coverage.REBOOKED: N_("rebooked"),
    Coverage.DONE: N_("done"),
}
"""The same in a word that fits over a narrow column."""

STANDINGS = {
    Standing.ALARM: N_("alarm"),
    Standing.COVERED: N_("covered"),
    Standing.TO_COME: N_("to come"),
    Standing.NOTHING_DUE: N_("nothing due"),
}
"""What the share of a group says; the last two are not measured."""
