"""What supervisors, new instructions and the closing of the desk tell this agent: in the heading line, over nothing.

The line takes the place of the heading, so that nothing moves. One key reads it; what does not fit is first shown
whole in the message line.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from textual.content import Content

from crisisdesk.domain.words import NoticeKind
from crisisdesk.errors import CrisisDeskError
from crisisdesk.i18n import _
from crisisdesk.ui.format import show_time
from crisisdesk.ui.inert import inert, inert_line
from crisisdesk.ui.presence import is_shown

if TYPE_CHECKING:
    from crisisdesk.desk.notices import Notice
    from crisisdesk.ui.app import CrisisDeskApp

KEY = "^K"


class NoticeBoard:
    """The notices that this agent has not read."""

    def __init__(self, app: "CrisisDeskApp") -> None:
        self._app = app
        self._unread: Sequence[Notice] = ()
        self._shown_whole = 0

    @property
    def first(self) -> "Notice | None":
        """What is to be read now."""
        return self._unread[0] if self._unread else None

    async def follow(self) -> None:
        """Read again what is unread, and show it on the screen in front."""
        from crisisdesk.desk.notices import unread_notices

        try:
            found = await self._app.backend.read(unread_notices)
        except CrisisDeskError:
            return  # the next read of the screen tells why
        if found != self._unread and is_shown(self._app):
            self._unread = found
            self.show()

    def show(self) -> None:
        """Show it on the screen in front."""
        self._app.front.heading_line.show_notice(self.content())
        self._app.screen.refresh_bindings()

    def content(self) -> Content | None:
        """What stands in the heading line; None where there is nothing to read."""
        notice = self.first
        if notice is None:
            return None
        more = len(self._unread) - 1
        words = inert(self._words(notice), tone="bold $warning" if notice.is_urgent else "$accent")
        key = _("{key} read").format(key=KEY)
        count = f" +{more}" if more else ""
        return Content.assemble((f"{key}{count}  ", "bold"), words)

    def read_first(self) -> None:
        """The agent has read what stands there; of a long one the whole is shown first."""
        from crisisdesk.desk.notices import acknowledge

        notice, front = self.first, self._app.front
        if notice is None or front.messages.is_asking:  # the message line is taken: first its answer
            return
        words = self._words(notice)
        shown = self.content()
        is_cut = shown is not None and shown.cell_length > front.heading_line.room
        if is_cut and self._shown_whole != notice.notice_id:
            self._shown_whole = notice.notice_id
            said = words[2:]  # the message line has a sign of its own
            front.warn(said) if notice.is_urgent else front.say(said)
            return
        self._unread = self._unread[1:]
        self.show()
        front.write(acknowledge, notice.notice_id, hold_keys=False)
        front.say("")

    def _words(self, notice: "Notice") -> str:
        """Sign, what it is, from whom, its words."""
        sign = "⚠ " if notice.is_urgent else "» "
        site = self._app.session.site_name(notice.site_id)
        if notice.kind is NoticeKind.INSTRUCTION:
            head = _("New instruction") + (f" · {site}" if site else "")
        elif notice.kind is NoticeKind.DESK:
            head = _("The desk is closed") if notice.subject_id == "closed" else _("The desk is open again")
        else:
            head = notice.sender
        sign += show_time(notice.sent_at, self._app.session) + " "
        return inert_line(sign + _("{label}: {text}").format(label=head, text=notice.words), 400)
