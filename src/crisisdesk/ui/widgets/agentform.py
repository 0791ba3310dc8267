"""The form of an agent: login, name, role, language of the screens, sites."""

from collections.abc import Mapping
from typing import Any

from crisisdesk.desk.agents import LONGEST_LOGIN, LONGEST_NAME, Agent
from crisisdesk.desk.roomwords import ROLE_WORDS
from crisisdesk.domain.words import Role
from crisisdesk.i18n import _, available_languages
from crisisdesk.ui.session import Session
from crisisdesk.ui.widgets.choices import Choice, find_choices
from crisisdesk.ui.widgets.form import ChoiceField, Field, Form

LONGEST_SITES = 400


class AgentForm(Form):
    """A new agent, or what may be changed of one."""

    def __init__(self, session: Session, agent: Agent | None = None) -> None:
        """``agent``: whom it is about, as it was when the form was opened; None: a new one."""
        self.agent, self._session = agent, session
        roles = [Choice(role.value, _(ROLE_WORDS[role])) for role in Role]
        spoken = [Choice("", _("the desk's")), *(Choice(code, code) for code in available_languages())]
        language = agent.language if agent else ""
        fields = [
            Field("name", _("Name"), value=agent.name if agent else "", max_length=LONGEST_NAME,
                  help=_("The name that colleagues see.")),
            ChoiceField("role", _("Role"), roles, code=agent.role if agent else Role.AGENT),
            ChoiceField("language", _("Language"), spoken, code=language, help=_("Of the screens; F4 lists them.")),
            Field("sites", _("Sites"), value=self._names(agent), max_length=LONGEST_SITES,
                  help=_("For which the agent rings, with commas between them: Arlon, Libramont. Empty: all.")),
        ]  # fmt: skip
        if agent is None:
            words = _("The account on the host: a letter, then letters, digits, '.', '@', '_', '-'.")
            fields.insert(0, Field("login", _("Login"), max_length=LONGEST_LOGIN, help=words))
        super().__init__(*fields, id="agent")

    def _names(self, agent: Agent | None) -> str:
        sites = self._session.reference.sites
        return ", ".join(site.name for site in sites.values() if agent is not None and site.site_id in agent.sites)

    def asked(self) -> Mapping[str, Any] | None:
        """What was typed; None, with the field in focus saying why, where a site is not known."""
        values = self.values()
        sites = self._sites(values.pop("sites"))
        if sites is None:
            return None
        return {**values, "role": Role(values["role"] or Role.AGENT), "sites": sites}

    def _sites(self, text: str) -> frozenset[str] | None:
        known = [Choice(site.site_id, site.name) for site in self._session.reference.sites.values()]
        found = set()
        for part in (part.strip() for part in text.split(",")):
            meant = find_choices(known, part) if part else []
            if part and len(meant) != 1:
                self["sites"].remark(_("{typed}?").format(typed=part[:20]), wrong=True)
                self["sites"].focus()
                return None
            found |= {one.code for one in meant}
        self["sites"].remark("")
        return frozenset(found)
