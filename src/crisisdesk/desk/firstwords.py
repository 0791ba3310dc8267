"""Before the first word: what is said first, how either side proves itself, and who may be told what."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from crisisdesk.clock import local_day
from crisisdesk.desk import wording
from crisisdesk.domain.phone import group_phone
from crisisdesk.domain.reference import Disposition, Reference
from crisisdesk.domain.retry import FollowUp
from crisisdesk.domain.words import MayTell, NextStep, Voicemail, WayOut
from crisisdesk.errors import RuleBroken
from crisisdesk.i18n import N_, _, current_language, joined, translate
from crisisdesk.store import cards

if TYPE_CHECKING:
    from crisisdesk.store.engine import Connection


@dataclass(frozen=True, slots=True)
class FirstWords:
    """What an agent reads before ringing."""

    script: tuple[str, ...]
    """What to say, line by line, in the patient's language where there is a catalogue for it."""
    is_proven: bool
    """Two words were agreed at the first call."""
    check: str
    """How the answer is checked, or what to do where no words were agreed; in the agent's language."""
    tell: str
    """Who else may be told what."""
    machine: str
    """What may be left on an answering machine."""


_MACHINE = {
    Voicemail.UNKNOWN: N_("Machine: leave no name and no hospital; only 'please ring {number} back'."),
    Voicemail.NONE: N_("Machine: leave nothing."),
    Voicemail.IDENTIFIED: N_("Machine: first name and hospital, as the patient agreed; nothing about health."),
}
_TELL = {
    MayTell.UNKNOWN: N_("Others (F4): never asked; only 'please ring {number}'."),
    MayTell.NONE: N_("Others: nobody may be told; only 'please ring {number}'."),
    MayTell.NAMED: N_("Others: {who} may be told, nobody else."),
}
_SAID = (
    N_("Good day. May I speak to {name}?"),
    N_("Our first word is '{first}'. Which word did we give you?"),
    N_("I am ringing for {hospital}, {site}."),
    N_("Your appointment was put off after {day}."),
)
_SAID_UNPROVEN = (
    N_("Good day. May I speak to {name}?"),
    N_("I am ringing for {hospital}. So that you can be sure of it, please ring us back on {number}."),
)
_CHECK = N_("The answer is “{second}”. Another or none: say no more, have {number} rung back.")
_UNPROVEN = N_(
    "No proof words: disclose nothing, have {number} rung back. Date of birth only as the last means; never say it."
)


def first_words(patient: Any, site_id: str, reference: Reference) -> FirstWords:
    """The first words for a patient (a row of the store), before anything is disclosed."""
    number = reference.desk.public_number
    first, *rest = patient.proof.split() or [""]
    lines = _SAID if rest else _SAID_UNPROVEN
    site = reference.sites[site_id]
    day = local_day(reference.desk.incident_at, reference.desk.time_zone)
    facts = {"name": wording.patient_name(patient.last_name, patient.first_name, patient.full_name)}
    facts |= {"hospital": site.hospital or site.name, "site": site.name, "first": first, "day": f"{day:%d/%m}"}
    facts |= {"number": number}
    language = patient.language or current_language()
    return FirstWords(
        script=tuple(translate(line, language).format(**facts) for line in lines),
        is_proven=bool(rest),
        check=_(_CHECK if rest else _UNPROVEN).format(second=" ".join(rest), number=number),
        tell=_(_TELL[MayTell(patient.may_tell)]).format(who=patient.may_tell_who or "?", number=number),
        machine=_(_MACHINE[Voicemail(patient.voicemail)]).format(number=number),
    )


def act_now(follow: FollowUp, site_id: str, reference: Reference) -> str:
    """What is done while the patient is on the line, where the step cannot wait; empty for every other step.

    The words of the ways out are those of the red flags; the on-call clinician's number is that of the site.
    """
    if follow.step != NextStep.ESCALATE:
        return ""
    language, site = current_language(), reference.sites[site_id]
    ways = {way: reference.label("way_out", way.value, language) for way in WayOut}
    phone = site.on_call_phone or site.phone
    number = group_phone(phone, reference.desk.country) if phone.startswith("+") else phone
    clinician = _("{who} {site}: {number}").format(
        who=ways[WayOut.ON_CALL], site=site.name, number=number or _("number not known here, ask the supervisor")
    )
    return joined([clinician, ways[WayOut.EMERGENCY], ways[WayOut.URGENT_CARE]])


def refuse_untold(connection: "Connection", ends: Disposition, patient_id: int) -> None:
    """Refuse an ending that tells somebody else where the patient named nobody.

    Raises:
        RuleBroken: it needs a permission that the patient has not given.
    """
    if not ends.needs_permission:
        return
    patient = cards.patient_row(connection, patient_id)
    if MayTell(patient.may_tell) != MayTell.NAMED:
        words = _("The patient named nobody who may be told. Use 'third party answered', or note the name first (F4).")
        raise RuleBroken(words)
