"""What agents are, what they do and for how long, in words."""

from datetime import timedelta

from crisisdesk.domain.words import Role, WorkState
from crisisdesk.i18n import N_, _, ngettext

ROLE_WORDS = {
    Role.AGENT: N_("agent"), Role.SUPERVISOR: N_("supervisor"), Role.AUDITOR: N_("auditor"), Role.ADMIN: N_("admin"),
}  # fmt: skip
STATE_WORDS = {
    WorkState.READY: N_("ready"),
    WorkState.CALL: N_("on a call"),
    WorkState.WRAP_UP: N_("wrap-up"),
    WorkState.PAUSE: N_("pause"),
    WorkState.AWAY: N_("away"),
}
REASON_WORDS = {
    "break": N_("short break"), "meal": N_("meal"), "meeting": N_("meeting"), "training": N_("training"),
    "technical": N_("technical trouble"), "other": N_("another reason"),
}  # fmt: skip


def state_words(state: WorkState, reason: str = "") -> str:
    """A work state as it is shown: "pause (meal)"."""
    words = _(STATE_WORDS[state])
    return _("{state} ({reason})").format(state=words, reason=_(REASON_WORDS[reason])) if reason else words


def minutes_words(span: timedelta) -> str:
    """A span in whole minutes, as it is shown: "12 min", "2 h 05"; nothing under one."""
    minutes = int(span.total_seconds() // 60)
    if minutes >= 120:
        return _("{hours} h {minutes:02}").format(hours=minutes // 60, minutes=minutes % 60)
    return ngettext("{count} min", "{count} min", minutes).format(count=minutes) if minutes > 0 else ""
