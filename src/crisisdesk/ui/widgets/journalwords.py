"""What the journal's codes mean. The codes are what is stored and covered by its chain; the words are for who reads."""

from crisisdesk.i18n import N_, _

ACTIONS = {
    "desk.opened": N_("desk made"),
    "desk.backed_up": N_("backup made"),
    "agent.added": N_("agent added"),
    "agent.changed": N_("agent changed"),
    "agent.signed_in": N_("signed in"),
    "call.recorded": N_("call recorded"),
    "call.read": N_("call read"),
    "list.published": N_("list taken in"),
    "layout.mapped": N_("columns named by hand"),
    "callbacks.made_from_list": N_("callbacks from a list"),
    "postponement.changed_by_list": N_("changed by a later list"),
    "postponement.matched": N_("appointment found on a list"),
    "postponement.unmatched": N_("match taken back"),
    "postponement.placed": N_("given its service"),
    "callback.made": N_("callback made"),
    "callback.taken": N_("callback taken"),
    "callback.read": N_("callback read"),
    "callback.given_back": N_("callback given back"),
    "callback.taken_from": N_("taken from its agent"),
    "callback.settled": N_("callback settled"),
    "callback.review_decided": N_("clinician's decision"),
    "callbacks.released": N_("callbacks released"),
    "callbacks.topped_up": N_("released for free places"),
    "attempt.recorded": N_("attempt recorded"),
    "booking.withdrawn": N_("place withdrawn"),
    "opening.planned": N_("opening planned"),
    "opening.revised": N_("opening revised"),
    "opening.actual": N_("opening confirmed"),
    "opening.withdrawn": N_("opening withdrawn"),
    "instruction.issued": N_("instruction issued"),
    "export": N_("figures exported"),
    "patient.read": N_("patient file read"),
    "patient.phone_added": N_("number added"),
    "patient.merged": N_("two files made one"),
    "patient.split": N_("files told apart"),
    "patient.corrected": N_("patient corrected"),
}


def action_words(code: str) -> str:
    """An action of the journal, in the agent's language; the code itself where it has no words."""
    return _(ACTIONS.get(code, code))
