"""The form of a message to agents: to whom, urgent or not, its words and how many letters are left."""

import uuid
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from textual.widgets import Input

from crisisdesk.desk.notices import LONGEST_NOTICE
from crisisdesk.i18n import _, ngettext
from crisisdesk.ui.session import Session
from crisisdesk.ui.widgets.choices import Choice
from crisisdesk.ui.widgets.form import ChoiceField, Field, Form

if TYPE_CHECKING:
    from crisisdesk.desk.agents import Agent

ALL, YES, NO = "all", "yes", "no"


class MessageForm(Form):
    """One message. Its id is made here, so that sending it again after a lost answer sends nothing twice."""

    def __init__(self, session: Session, agents: Sequence["Agent"], to_login: str) -> None:
        """``to_login``: whom the cursor is on; empty: everybody."""
        self.uid = uuid.uuid4().hex
        words = _("Everybody, those of a site, or one agent: F4 lists them.")
        yes_no = [Choice(NO, _("no")), Choice(YES, _("yes"))]
        urgent = _("An urgent one stands in orange before all others until it was acknowledged.")
        said = _("What they read on their screen; at most {most} characters. No patient's name.")
        super().__init__(
            ChoiceField("to", _("To"), _receivers(session, agents), code=f"to:{to_login}" if to_login else ALL,
                        help=words),
            ChoiceField("urgent", _("Urgent"), yes_no, code=NO, help=urgent),
            Field("words", _("Message"), max_length=LONGEST_NOTICE, help=said.format(most=LONGEST_NOTICE)),
            id="message",
        )  # fmt: skip

    def on_input_changed(self, event: Input.Changed) -> None:
        """How many letters are left."""
        if event.input.id == "words":
            left = LONGEST_NOTICE - len(event.value)
            self["words"].remark(ngettext("{count} left", "{count} left", left).format(count=left))

    @property
    def to_label(self) -> str:
        """To whom, in words."""
        code = self.choice("to").code
        return next((one.label for one in self.choice("to").choices if one.code == code), "")

    def asked(self) -> dict[str, Any]:
        """What `desk.notices.send_message` takes beside the words."""
        kind, _colon, name = (self.choice("to").code or "").partition(":")
        return {
            "is_urgent": self.choice("urgent").code == YES, "uid": self.uid,
            "site_id": name if kind == "site" else None, "to_login": name if kind == "to" else "",
        }  # fmt: skip


def _receivers(session: Session, agents: Sequence["Agent"]) -> list[Choice]:
    found = [Choice(ALL, _("everybody"))]
    words = _("{site}, everybody there")
    found += [Choice(f"site:{one.site_id}", words.format(site=one.name)) for one in session.reference.sites.values()]
    others = [one for one in agents if one.is_active and one.agent_id != session.agent.agent_id]
    return [*found, *(Choice(f"to:{one.login}", f"{one.name} ({one.login})") for one in others)]
